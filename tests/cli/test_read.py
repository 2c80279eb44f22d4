"""``git chat read``: what was printed is marked, that alone, and only after it was printed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.names import Name
from tests.cli.conftest import Chatroom, Terminal, as_ordinary_user, read_only, refused
from tests.cli.programs import SCREEN_LINES, Person


def last_read(room: Chatroom, name: str = "alice") -> int:
    """How far somebody has read the lobby."""
    found: int = json.loads(room.chat("cursor", "show", name, "--json", check=True).stdout)["last_read_id"]
    return found


def bodies(room: Chatroom, *options: str) -> list[str]:
    """The texts that a reading prints, in its order."""
    done = room.chat("read", "--json", *options, check=True)
    return [json.loads(line)["content"] for line in done.stdout.splitlines()]


@pytest.fixture
def full(chatroom: Chatroom) -> Chatroom:
    """Three messages of bob, with alice's own between them."""
    for body, author in [("one", "bob"), ("mine", "alice"), ("two", "bob"), ("three", "bob")]:
        chatroom.say(body, author=author)
    return chatroom


# --- what is marked ----------------------------------------------------------


def test_a_message_is_read_once(full: Chatroom) -> None:
    """What was read does not come again; what is new does."""
    assert bodies(full) == ["one", "two", "three"]
    assert bodies(full) == []
    full.say("four", author="bob")
    assert bodies(full) == ["four"]
    assert last_read(full) == 5


def test_everybody_has_a_cursor(full: Chatroom) -> None:
    """What one has read is still unread for another."""
    assert bodies(full) == ["one", "two", "three"]
    assert bodies(full, "--as", "bob") == ["mine"]
    assert last_read(full, "codex") == 0


def test_limit_marks_no_more_than_was_printed(full: Chatroom) -> None:
    """``-n`` reads the oldest, and the next reading goes on after them."""
    shown = full.chat("read", "-n", "1", check=True).stdout
    assert shown.endswith("    one\n\n2 more: git chat read\n")
    assert last_read(full) == 2 - 1
    assert bodies(full, "-n", "1") == ["two"]
    assert bodies(full, "-n", "0") == []
    assert bodies(full) == ["three"]


def test_own_messages_can_be_read_too(full: Chatroom) -> None:
    """``--with-own`` shows what I wrote, and says it again in the command for the rest."""
    shown = full.chat("read", "--with-own", "-n2", check=True).stdout
    assert "mine" in shown
    assert "2 more: git chat read --with-own\n" in shown


def test_budget_ends_after_a_whole_message(full: Chatroom) -> None:
    """``--max-chars`` prints and marks only messages that fit whole, and says how many more there are."""
    line = len(full.chat("inbox", "--json", "-n1").stdout)
    done = full.chat("read", "--json", "--max-chars", str(2 * line), check=True)
    assert [json.loads(text)["content"] for text in done.stdout.splitlines()] == ["one", "two"]
    assert done.stderr == f"1 more: git chat read --max-chars {2 * line}\n"
    assert last_read(full) == 3


def test_budget_that_fits_nothing_marks_nothing(full: Chatroom) -> None:
    """When the first message is longer than the budget, the command that reads it is told."""
    done = full.chat("read", "--json", "--max-chars", "10", check=True)
    assert (done.stdout, last_read(full)) == ("", 0)
    said, more = done.stderr.splitlines()
    assert said.startswith("#1 alone has ")
    assert bodies(full, *more.split()[5:]) == ["one"]


def test_budget_counts_what_is_printed(full: Chatroom) -> None:
    """The headings of the text form count, so that the answer is never longer than was asked for."""
    whole = full.chat("inbox", check=True).stdout
    done = full.chat("read", "--max-chars", str(len(whole) - 1), check=True)
    printed, _, notes = done.stdout.partition("\n\n1 more: ")
    assert len(printed) < len(whole)
    assert notes == f"git chat read --max-chars {len(whole) - 1}\n"
    assert bodies(full) == ["three"]


def test_statuses_are_counted_and_not_shown(full: Chatroom) -> None:
    """Commits that others made are told by their number."""
    full.say("commit 1234abc", author="bob", kind="status")
    shown = full.chat("read", check=True).stdout
    assert shown.endswith("\n\n1 commit since: git chat log --since 0\n")
    assert "1234abc" not in shown


def test_what_names_me_in_another_room_is_said(full: Chatroom) -> None:
    """By count and room, with the command that shows it; inbox says it, too, and neither counts it as read."""
    for body, to in [("for you", ("alice",)), ("and this", ("alice",)), ("for all", ()), ("for zoe", ("zoe",))]:
        full.say(body, author="bob", to=to, room="plans")
    full.say("thanks", author="bob", to=("alice",), type="ack", room="other")
    full.say("for all", author="bob", room="quiet")
    hint = "2 for you in plans: git chat read --room plans"
    assert full.chat("inbox", check=True).stdout.endswith(f"\n\n{hint}\n")
    assert full.chat("inbox", "--json", "--as", "zoe", check=True).stderr == (
        "1 for you in plans: git chat read --room plans --as zoe\n"
    )
    assert "for you in" not in full.chat("inbox", "--all-rooms", check=True).stdout
    assert full.chat("read", check=True).stdout.endswith(f"\n\n{hint}\n")
    assert full.chat("read", check=True).stdout == f"{hint}\n"
    assert len(bodies(full, *hint.partition(": git chat read ")[2].split())) == 3
    assert full.chat("read", check=True).stdout == ""


# --- printing comes first ----------------------------------------------------


def long_room(room: Chatroom) -> None:
    """Fill the lobby with more than a pipe and its reader take at once."""
    for _ in range(8):
        room.say("x" * 60_000, author="bob")


def test_pipe_that_closes_marks_nothing(chatroom: Chatroom) -> None:
    """``git chat read | head -1``: what nobody took stays unread."""
    long_room(chatroom)
    command = "git chat read | head -1; echo ${PIPESTATUS[0]}"
    done = chatroom.world.run("bash", "-c", command, cwd=chatroom.path)
    assert done.stdout.endswith("\n141\n")
    assert last_read(chatroom) == 0


def test_pipe_that_was_closed_marks_nothing(full: Chatroom) -> None:
    """Also a short text is lost when nobody is there to read it."""
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        ["git-chat", "read"],
        cwd=full.path,
        env=full.world.variables,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (process.returncode, process.stderr) == (141, b"")
    assert last_read(full) == 0


def test_reader_that_leaves_the_rest_in_the_pipe_marks_nothing(full: Chatroom) -> None:
    """A text that fits into the pipe is not read because it was written."""
    process = subprocess.Popen(
        ["git-chat", "read"], cwd=full.path, env=full.world.variables, stdout=subprocess.PIPE, bufsize=0
    )
    assert process.stdout is not None
    assert process.stdout.read(1) == b"-"
    process.stdout.close()
    assert process.wait(60) == 141
    assert last_read(full) == 0


def test_full_disk_marks_nothing(full: Chatroom) -> None:
    """What could not be written is unread, and the status says so."""
    done = full.world.run("sh", "-c", "git chat read > /dev/full", cwd=full.path, check=False)
    assert done.returncode == 1
    assert "cannot write the output" in done.stderr
    assert last_read(full) == 0


@pytest.fixture
def person(chatroom: Chatroom) -> Iterator[Callable[..., Person]]:
    """Puts somebody at a terminal of 24 lines, who has 45 messages of two lines to read."""
    for number in range(1, 46):
        chatroom.say(f"message {number}\n(end of {number})", author="bob")
    people: list[Person] = []

    def reads(*options: str, pager: str = "less", **given: Any) -> Person:
        people.append(Person(chatroom, "read", *options, GIT_PAGER=pager, **given))
        return people[-1]

    yield reads
    for one in people:
        one.close()


def test_what_was_not_on_the_screen_is_not_marked(chatroom: Chatroom, person: Callable[..., Person]) -> None:
    """Who stops on a page has read up to its end; the rest comes first the next time."""
    alice = person()
    first = alice.until_sees("q stops --")
    assert first.count("\n") == 2 + 3 * 5 + 4 < SCREEN_LINES - 1  # the day, five messages and the lines between them
    assert "(end of 5)" in first
    assert "message 6" not in first
    assert last_read(chatroom) == 0  # nobody has looked yet, as far as one knows
    alice.types("\r")
    assert "(end of 10)" in alice.until_sees("q stops --")
    assert last_read(chatroom) == 5
    alice.types("q")
    alice.until_sees("35 more: git chat read")
    assert (alice.ends(), last_read(chatroom)) == (0, 10)


def test_who_goes_on_to_the_end_has_read_all(chatroom: Chatroom, person: Callable[..., Person]) -> None:
    """The last screen asks nothing; what was typed before a question is no answer to it."""
    alice = person("-12")
    alice.types("qqq")
    alice.until_sees("q stops --")
    alice.types(" ")
    alice.until_sees("q stops --")
    alice.types(" ")
    alice.until_sees("33 more: git chat read")
    assert (alice.ends(), last_read(chatroom)) == (0, 12)


def test_a_message_is_read_when_its_end_was_shown(chatroom: Chatroom, person: Callable[..., Person]) -> None:
    """One that is longer than the screen goes on with the next; who stops in it has it unread."""
    chatroom.chat("cursor", "set", "45", check=True)
    chatroom.say("\n".join(f"line {number}" for number in range(60)), author="bob")
    alice = person()
    alice.until_sees("-- 1 more")
    alice.types("\r")
    assert "line 40" in alice.until_sees("-- 1 more")
    alice.types("q")
    alice.until_sees("1 more: git chat read")
    assert (alice.ends(), last_read(chatroom)) == (0, 45)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGHUP])
def test_a_screen_that_nobody_answered_is_not_marked(
    chatroom: Chatroom, person: Callable[..., Person], how: signal.Signals
) -> None:
    """Whoever was killed, or lost the terminal, may not have looked."""
    alice = person()
    alice.until_sees("q stops --")
    alice.process.send_signal(how)
    assert alice.ends() != 0
    assert last_read(chatroom) == 0


def test_what_goes_into_gits_own_pager_is_not_marked(chatroom: Chatroom, person: Callable[..., Person]) -> None:
    """``git -p chat read`` and pager.chat: what was seen there nobody knows, and the text says so, with a way out."""
    person("--no-pager").until_sees("(end of 45)")
    chatroom.chat("cursor", "set", "45", check=True)
    chatroom.say("the last", author="bob")
    done = chatroom.chat("read", GIT_PAGER_IN_USE="true", check=True)
    assert done.stdout.endswith("not marked, as nobody knows what a pager shows: git chat read --no-pager\n")
    assert last_read(chatroom) == 45
    assert "the last" in chatroom.chat("read", "--no-pager", GIT_PAGER_IN_USE="true", check=True).stdout
    assert last_read(chatroom) == 46


def test_an_agent_at_a_terminal_is_asked_nothing(chatroom: Chatroom, person: Callable[..., Person]) -> None:
    """Nor is who has turned pagers off: all is printed, and marked."""
    alice = person(pager="cat")
    alice.until_sees("(end of 45)")
    assert (alice.ends(), last_read(chatroom)) == (0, 45)
    agent = person("--as", "alice-2", CLAUDECODE="1")
    agent.until_sees("(end of 45)")
    assert agent.ends() == 0


def test_terminal_that_has_no_pager_shows_and_marks(full: Chatroom, terminal: Terminal) -> None:
    """``--no-pager`` prints straight to the screen."""
    assert "three" in terminal("git", "chat", "read", "--no-pager").stdout
    assert last_read(full) == 4


# --- whose name it is --------------------------------------------------------


def test_name_that_another_process_holds_is_not_marked(full: Chatroom) -> None:
    """While somebody lives under a name, reading it elsewhere prints and marks nothing, and says who has it."""
    here = full.world.environment(full.path)
    with here.roll.hold(Name("codex"), here.caller.holder(), 1):
        done = full.chat("read", "--as", "codex", check=True)
        assert "    one\n" in done.stdout
        assert f"not marked: 'codex' is held by process {os.getpid()}" in done.stderr
        assert done.stderr.endswith("hint: read there; or mark all the same: git chat read --as codex --force\n")
        assert last_read(full, "codex") == 0
        assert bodies(full, "--as", "codex", "--force") == ["one", "mine", "two", "three"]
        assert last_read(full, "codex") == 4


def test_worktrees_share_a_cursor(full: Chatroom) -> None:
    """What was read in one worktree is read in the other."""
    tree = full.world.root / "tree"
    full.git("worktree", "add", "-q", tree)
    full.world.chat("read", "-n2", cwd=tree, check=True)
    assert bodies(full) == ["three"]


# --- bad input ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "hint", "status"),
    [
        (["--room", "nowhere"], "there is no room 'nowhere' here", "rooms: lobby", 1),
        (["--as", "al\nice"], r"name 'al\nice'", "'al-ice'", 1),
        (["-n", "-1"], "-1 is not in the range", "git chat read -h", 2),
        (["--max-chars", "0"], "0 is not in the range", "git chat read -h", 2),
        (["--max-chars", "-5"], "-5 is not in the range", "git chat read -h", 2),
    ],
)
def test_bad_option_is_refused(full: Chatroom, options: list[str], error: str, hint: str, status: int) -> None:
    """What cannot be understood is refused, and nothing is marked."""
    refused(full.chat("read", *options), error, hint, status)
    assert last_read(full) == 0


def test_nothing_unread_is_silent_in_a_script(full: Chatroom, terminal: Terminal) -> None:
    """A person is told that there is nothing; a script sees nothing."""
    bodies(full)
    done = full.chat("read", check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert "nothing is unread for alice in room 'lobby'" in terminal("git", "chat", "read").stdout


def test_read_only_repository_is_printed_and_not_marked(full: Chatroom) -> None:
    """Where nothing can be written, the text is shown and the failure to mark it is an error."""
    user = as_ordinary_user()
    with read_only(full.path):
        done = full.chat("read", under=user)
    assert done.returncode == 1
    assert "    three\n" in done.stdout
    assert "error: cannot write to" in done.stderr
    assert last_read(full) == 0


def test_mirror_clone_is_not_marked(full: Chatroom) -> None:
    """Where the next fetch would delete the cursor, none is written."""
    mirror = Path(full.world.root / "mirror.git")
    full.git("clone", "-q", "--mirror", full.path, mirror)
    done = full.world.chat("read", cwd=mirror)
    assert done.returncode == 1
    assert "would overwrite the rooms" in done.stderr
    assert full.world.git("for-each-ref", "refs/chatroom/rooms/*/cursors", cwd=mirror).stdout == ""
