"""``git chat claim``, ``release`` and ``claims``. Proves docs/format.md section 16."""

from __future__ import annotations

import json
import os
import re
from functools import partial
from typing import Any

import pytest

from gitchat.model.errors import ConflictError, UserError
from gitchat.model.record import CLAIM
from gitchat.verbs.room import Room
from tests.cli.conftest import Chatroom
from tests.clones.conftest import Hub
from tests.crash.writers import fork, wait_for

AGENT = {"CLAUDECODE": "1", "GITCHAT_SESSION": "bobs"}


def told(chatroom: Chatroom, *whats: str) -> list[dict[str, Any]]:
    lines = chatroom.chat("claims", "--json", *whats, check=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def states(chatroom: Chatroom, *whats: str) -> list[tuple[str, str]]:
    return [(one["from"], one["state"]) for one in told(chatroom, *whats)]


def test_who_comes_first_has_it(chatroom: Chatroom) -> None:
    """Others are refused, with who has it until when; nothing of what they asked for is written."""
    done = chatroom.chat("claim", "src/lexer/", "task:12", "-m", "quotes in quotes", "--for", "1h30m", check=True)
    assert done.stdout.startswith("#1 you have src/lexer/, task:12 until ")
    refused = chatroom.chat("claim", "docs/a.md", "src/lexer/string.py", "--as", "bob")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr.startswith("error: alice has src/lexer/ until ")
    assert "(#1: quotes in quotes)" in refused.stderr
    assert "git chat claim --wait docs/a.md src/lexer/string.py" in refused.stderr
    assert len(chatroom.entries()) == 1
    assert chatroom.chat("claim", "docs/a.md", "TASK:12", "--as", "bob", check=True).stdout.startswith("#2 you have ")
    assert states(chatroom) == [("alice", "holds"), ("bob", "holds")]
    assert states(chatroom, "src/lexer/x/y.c") == [("alice", "holds")]
    record = chatroom.entries()[0].record
    assert record.body.endswith(" UTC: quotes in quotes")
    assert record.to == ()


def test_who_waits_has_it_when_it_is_given_back(chatroom: Chatroom) -> None:
    """Who had it is told that somebody waits, and who waits that it has it now; nobody else has to read either."""
    chatroom.chat("claim", "src/", check=True)
    assert chatroom.chat("claim", "--wait", "src/a", "--as", "bob", check=True).stdout == "#2 you wait for alice (#1)\n"
    chatroom.chat("claim", "--wait", "src/**/b", "--as", "carol", check=True)
    assert states(chatroom) == [("alice", "holds"), ("bob", "waits"), ("carol", "waits")]
    assert [one["waits_for"] for one in told(chatroom)] == [
        None,
        told(chatroom)[0]["handle"],
        told(chatroom)[0]["handle"],
    ]
    assert chatroom.chat("release", check=True).stdout == "given back: src/ (#1)\n"
    assert states(chatroom) == [("bob", "holds"), ("carol", "holds")]
    entries = chatroom.entries()
    assert [entry.record.to for entry in entries] == [(), ("alice",), ("alice",), ("bob", "carol")]
    for name, unread in (("alice", 2), ("bob", 1), ("carol", 1), ("dan", 0)):
        assert len(chatroom.chat("inbox", "--as", name, "--json").stdout.splitlines()) == unread, name


def test_taking_it_again_makes_it_last_longer(chatroom: Chatroom) -> None:
    """It keeps its place before those who wait."""
    chatroom.chat("claim", "src/", "--for", "5m", check=True)
    chatroom.chat("claim", "src/a", "--wait", "--as", "bob", check=True)
    before = told(chatroom)[0]["until"]
    chatroom.chat("claim", "src/", "--for", "20h", check=True)
    assert states(chatroom) == [("alice", "holds"), ("bob", "waits")]
    assert told(chatroom)[0]["until"] > before


def test_release_names_what_it_gives_back(chatroom: Chatroom) -> None:
    """A thing, a number, a handle, or all; leaving gives back all, and what is not mine stays."""
    for what in ("a", "b/", "task:1", "port:8080", "e"):
        chatroom.chat("claim", what, check=True)
    chatroom.chat("claim", "other", "--as", "bob", check=True)
    handle = told(chatroom)[3]["handle"]
    for what, number in (("b/x", 2), ("1", 1), (handle, 4), ("Task:1".lower(), 3)):
        assert f"(#{number})" in chatroom.chat("release", what, check=True).stdout
    refused = chatroom.chat("release", "other")
    assert (refused.returncode, refused.stderr.splitlines()[0]) == (1, "error: alice has no claim of 'other'")
    chatroom.chat("join", check=True)
    chatroom.chat("leave", check=True)
    assert states(chatroom) == [("bob", "holds")]


def test_an_agent_and_a_person_of_one_name_are_two(chatroom: Chatroom) -> None:
    """A claim is a seat's; the listing says which clone it sits in where a name is there twice."""
    chatroom.chat("claim", "src/", "--as", "alex", check=True)
    assert chatroom.chat("claim", "src/", "--as", "alex", **AGENT).returncode == 3
    chatroom.chat("claim", "src/", "--wait", "--as", "alex", check=True, **AGENT)
    lines = chatroom.chat("claims", check=True).stdout.splitlines()
    assert lines[0].startswith("#1  alex (a pers")
    assert "waits for alex #1" in lines[1]


def test_the_status_tells_of_ones_own(chatroom: Chatroom) -> None:
    """In a line, and as JSON; who has none is told nothing of them."""
    chatroom.chat("claim", "src/", check=True)
    chatroom.chat("claim", "docs/", "--as", "bob", check=True)
    chatroom.chat("claim", "docs/a.md", "--wait", check=True)
    (line,) = [line for line in chatroom.chat("status", check=True).stdout.splitlines() if line.startswith("yours: ")]
    assert re.fullmatch(r"yours: src/ until [0-9: -]+; docs/a.md when bob is done", line)
    told = json.loads(chatroom.chat("status", "--json", check=True).stdout)
    assert [one["state"] for one in told["claims"]] == ["holds", "waits"]
    assert "claims" not in json.loads(chatroom.chat("status", "--json", "--as", "carol", check=True).stdout)


def test_without_words_it_is_what_i_changed(chatroom: Chatroom) -> None:
    """Tracked and new files, never ignored ones; a directory is meant with all that is below; git's index stays."""
    assert "no file is changed here" in chatroom.chat("claim").stderr
    (chatroom.path / ".gitignore").write_text("ignored\n")
    for name in ("ignored", "new file", "src/deep/er"):
        (chatroom.path / name).parent.mkdir(parents=True, exist_ok=True)
        (chatroom.path / name).write_text("x")
    index = chatroom.path / ".git" / "index"
    before = index.read_bytes() if index.exists() else None
    claimed = json.loads(chatroom.chat("claim", "--json", check=True).stdout)
    assert claimed["what"] == [".gitignore", "new file", "src/deep/er"]
    assert (index.read_bytes() if index.exists() else None) == before
    assert json.loads(chatroom.chat("claim", "--json", "src", check=True).stdout)["what"] == ["src/"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["../up"], "no pattern of paths"),
        (["a[b]"], "no pattern of paths"),
        (["task:"], "a task is one line"),
        (["x", "--for", "1m"], "from 5 minutes to 24 hours"),
        (["x", "--for", "25h"], "from 5 minutes to 24 hours"),
        (["x", "--for", "soon"], "is no time"),
        ([f"task:{number}" for number in range(21)], "21 things"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_claimed(chatroom: Chatroom, arguments: list[str], error: str) -> None:
    """It is refused, and nothing is written."""
    done = chatroom.chat("claim", *arguments)
    assert done.returncode == 1
    assert error in done.stderr
    assert "hint: " in done.stderr


def test_most_of_the_files_are_claimed_for_a_short_time_only(chatroom: Chatroom) -> None:
    """In a repository of more than 200 files; the error names both numbers."""
    for number in range(201):
        (chatroom.path / f"f{number}.txt").touch()
    chatroom.git("add", ".")
    done = chatroom.chat("claim", "*.txt")
    assert done.returncode == 1
    assert re.match("error: that is 20[12] of 20[12] files", done.stderr), done.stderr
    chatroom.chat("claim", "*.txt", "--for", "15m", check=True)


def test_words_of_strangers_are_data(chatroom: Chatroom) -> None:
    """A note and a thing that were written by hand end no line and move no cursor."""
    chatroom.chat("claim", "task:1", "-m", "one\ntwo \x1b[2Jthree", check=True)
    shown = chatroom.chat("claims", check=True).stdout
    assert shown.count("\n") == 1
    assert (
        "\x1b"
        not in shown + chatroom.chat("claims", "--json").stdout + chatroom.chat("claim", "task:1", "--as", "bob").stderr
    )


def test_two_clones_that_claim_apart_agree_afterwards(hub: Hub) -> None:
    """Each has it at home, not yet agreed; once they have seen each other both say the same, and one waits."""
    ann, bob = hub.clone("ann"), hub.clone("bob")
    ann.say("first")
    ann.sync()
    bob.sync()
    for clone in (ann, bob):
        clone.chat("claim", "src/", check=True)
    apart = [[(one["from"], one["state"]) for one in _claims(clone)] for clone in (ann, bob)]
    assert apart == [[("ann", "unagreed")], [("bob", "unagreed")]]
    ann.sync()
    bob.sync()
    ann.sync()
    assert _claims(ann) == _claims(bob)
    assert [(one["from"], one["state"]) for one in _claims(ann)] == [("ann", "holds"), ("bob", "waits")]


def _claims(clone: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in clone.chat("claims", "--json", check=True).stdout.splitlines()]


@pytest.mark.slow
def test_of_32_that_claim_one_path_one_has_it(chatroom: Chatroom) -> None:
    """At once, by processes; the others are refused, and no claim of theirs is in the log."""
    chatroom.say("begin")
    ready, go = os.pipe()

    def claims(number: int) -> None:
        room = Room(chatroom.world.environment(chatroom.path), "lobby", f"agent-{number}")
        os.read(ready, 1)
        try:
            room.claim(["src/"])
        except ConflictError as error:
            os._exit(3 if error.code == "claimed" else 1)

    agents = [fork(partial(claims, number)) for number in range(32)]
    os.write(go, b"x" * len(agents))
    assert sorted(wait_for(agents)) == [0, *[3] * 31]
    assert [entry.record.kind for entry in chatroom.entries()].count(CLAIM) == 1


# --- in what else is shown ----------------------------------------------------------


def test_who_is_told_that_somebody_has_what_one_changed(chatroom: Chatroom) -> None:
    """``status`` shows one's own claims, and others' of files that one changed; not those of other files."""
    chatroom.chat("claim", "src/", "--as", "bob", check=True)
    chatroom.chat("claim", "docs/", "--as", "carol", check=True)
    (chatroom.path / "docs").mkdir()
    (chatroom.path / "docs" / "a.md").write_text("changed\n")
    lines = chatroom.chat("status", check=True).stdout.splitlines()
    assert "claimed, and you changed it: carol has docs/ (#2)" in lines
    assert not [line for line in lines if line.startswith("yours: ")]
    chatroom.chat("claim", "task:1", check=True)
    shown = json.loads(chatroom.chat("status", "--json", check=True).stdout)
    assert [(one["from"], one["what"]) for one in shown["claims"]] == [("alice", ["task:1"]), ("carol", ["docs/"])]


def test_who_shows_what_each_has(chatroom: Chatroom) -> None:
    """Escaped, in a few words, and in the JSON all of it; who only waits has nothing."""
    chatroom.chat("join", "alice", check=True)
    chatroom.chat("claim", "src/", "task:1", "task:2", "task:3", check=True)
    chatroom.chat("claim", "--wait", "src/a", "--as", "bob", check=True)
    lines = chatroom.chat("who", check=True).stdout.splitlines()
    assert "has src/, task:1, task:2 and 1 more" in lines[0]
    assert "has" not in lines[1]
    shown = [json.loads(line) for line in chatroom.chat("who", "--json", check=True).stdout.splitlines()]
    assert shown[0]["claims"] == ["src/", "task:1", "task:2", "task:3"]
    assert "claims" not in shown[1]


def test_who_waits_for_two_that_end_at_once_is_told_by_the_second(chatroom: Chatroom) -> None:
    """A release of one of them tells it nothing: it holds only when both are given back."""
    room = Room(chatroom.world.environment(chatroom.path), "lobby", "alice")
    for what in ("a", "b", "c"):
        room.claim([what])
    Room(chatroom.world.environment(chatroom.path), "lobby", "bob").claim(["a", "b"], wait=True)
    with pytest.raises(UserError, match="has no claim of 'z'"):
        room.release(["a", "z"])
    assert len(chatroom.entries()) == 4
    assert [claim.entry.number for claim in room.release(["b", "a"])] == [1, 2]
    assert [entry.record.to for entry in chatroom.entries()[4:]] == [(), ("bob",)]
    assert states(chatroom) == [("alice", "holds"), ("bob", "holds")]
