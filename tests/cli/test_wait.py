"""``git chat wait`` for scripts and agents."""

from __future__ import annotations

import json
import signal

import pytest

from gitchat.model.names import Name
from tests.cli.conftest import Chatroom
from tests.cli.programs import is_living, running, until


def test_what_is_unread_is_printed_at_once_and_stays_unread(chatroom: Chatroom) -> None:
    """Waiting is a look: it never takes a message from who reads later."""
    chatroom.say("for all", author="bob")
    for _ in range(2):
        done = chatroom.chat("wait", "--timeout", "60")
        assert done.returncode == 0
        assert "for all" in done.stdout
    assert "for all" in chatroom.chat("read").stdout
    assert chatroom.chat("wait", "--timeout", "0").returncode == 124


def test_a_sleeping_waiter_wakes_when_somebody_writes_to_it(chatroom: Chatroom) -> None:
    """It prints the record and ends with 0."""
    chatroom.say("hello", author="alice")
    with running(chatroom, "wait", "--json") as waiter:
        until(waiter.is_asleep)
        chatroom.say("for codex", author="bob", to=("codex",))
        chatroom.say("wake up", author="bob", to=("alice",))
        status, output, _ = waiter.end()
    assert status == 0
    assert json.loads(output)["content"] == "wake up"


@pytest.mark.parametrize(
    "draft",
    [
        {"author": "alice"},
        {"to": ("codex",)},
        {"type": "ack"},
        {"type": "presence"},
        {"kind": "status"},
        {"kind": "claim"},
        {"kind": "release"},
    ],
    ids=["own", "for somebody else", "acknowledgement", "leaving", "status for nobody", "claim", "release"],
)
def test_what_needs_nobody_wakes_nobody(chatroom: Chatroom, draft: dict[str, object]) -> None:
    """Own records, acknowledgements, what is of a quiet kind or for others: the time runs out, with 124."""
    chatroom.say("not for alice", **({"author": "bob"} | draft))  # type: ignore[arg-type]
    done = chatroom.chat("wait", "--timeout", "0")
    assert (done.returncode, done.stdout) == (124, "")


@pytest.mark.parametrize("kind", ["status", "claim", "release"])
def test_a_status_that_names_somebody_wakes_it(chatroom: Chatroom, kind: str) -> None:
    """Whom it names it is for; the same holds of claims and releases."""
    chatroom.say("the build failed", author="ci", kind=kind, to=("alice",))
    assert "the build failed" in chatroom.chat("wait", "--timeout", "0").stdout


def test_a_type_that_is_named_is_waited_for_and_no_other(chatroom: Chatroom) -> None:
    """Also an acknowledgement, which else wakes nobody."""
    chatroom.say("a question", author="bob", type="question")
    assert chatroom.chat("wait", "--timeout", "0", "--type", "ack").returncode == 124
    chatroom.say("done", author="bob", type="ack")
    done = chatroom.chat("wait", "--timeout", "0", "--type", "ack", "--json")
    assert [json.loads(line)["content"] for line in done.stdout.splitlines()] == ["done"]


def test_who_waits_is_living_and_stays_what_it_was(chatroom: Chatroom) -> None:
    """The name is held while one waits; a registered role survives it."""
    chatroom.chat("join", "alice", "--role", "review", check=True)
    with running(chatroom, "wait") as waiter:
        until(lambda: is_living(chatroom, "alice"))
        assert "already active" in chatroom.chat("join", "alice").stderr
        chatroom.say("for reviewers", author="bob", to=("role:review",))
        assert waiter.end()[0] == 0
    assert not is_living(chatroom, "alice")
    assert '"role": "review"' in chatroom.chat("who", "--json").stdout


def test_somebody_who_holds_the_name_does_not_hinder_a_waiter(chatroom: Chatroom) -> None:
    """Two may wait for one name; only one of them holds it."""
    chatroom.say("hello", author="alice")
    with running(chatroom, "wait", "-q") as first, running(chatroom, "wait", "-q") as second:
        until(lambda: first.is_asleep() and second.is_asleep())
        chatroom.say("for both", author="bob")
        assert [first.end()[0], second.end()[0]] == [0, 0]


def test_a_loop_of_waiting_and_reading_never_spins(chatroom: Chatroom) -> None:
    """As the help has it: where the name is held elsewhere nothing is marked, so it ends, and says what to do."""
    chatroom.say("for all", author="bob")
    here = chatroom.world.environment(chatroom.path)
    with here.roll.hold(Name("alice"), here.caller.holder(), 1):
        loop = "while git chat wait -q; do git chat read; echo round; done"
        done = chatroom.world.run("sh", "-c", loop, cwd=chatroom.path)
        assert "round" not in done.stdout
        assert "stays unread here: 'alice' is held by process" in done.stderr
        assert "for all" in chatroom.chat("inbox").stdout
        assert done.stderr.endswith("or mark it all the same: git chat read --force\n")
        assert chatroom.chat("wait", "-q").returncode == 3
        chatroom.chat("read", "--force", check=True)
        assert chatroom.chat("wait", "-q", "--timeout", "0").returncode == 124


def test_an_interrupt_ends_it_with_130(chatroom: Chatroom) -> None:
    """And the name is free again."""
    chatroom.say("hello", author="alice")
    with running(chatroom, "wait") as waiter:
        until(waiter.is_asleep)
        waiter.process.send_signal(signal.SIGINT)
        assert waiter.end()[:2] == (130, "")
    assert not is_living(chatroom, "alice")


def test_rewake_tells_once_with_counts_and_names_alone(chatroom: Chatroom) -> None:
    """One line on standard error and status 2; the same message wakes nobody twice; without news the status is 0."""
    chatroom.say("SECRET words", author="bob")
    chatroom.say("more SECRET words", author="carol", urgent=True)
    done = chatroom.chat("wait", "--rewake", "--timeout", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "2 unread messages (1 urgent) for alice in room 'lobby', from bob, carol" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "SECRET" not in done.stderr
    again = chatroom.chat("wait", "--rewake", "--timeout", "0")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_a_room_that_is_not_there_is_refused(chatroom: Chatroom) -> None:
    """A typing error must not wait for ever."""
    done = chatroom.chat("wait", "--room", "lobbi")
    assert done.returncode == 1
    assert "no room 'lobbi'" in done.stderr
