"""``git chat cursor``: how far everybody has read, and taking things for read."""

from __future__ import annotations

import json

import pytest

from gitchat.model.names import Name
from tests.cli.conftest import Chatroom, Terminal, refused


@pytest.fixture
def full(chatroom: Chatroom) -> Chatroom:
    """Three messages of bob, of which codex has read two."""
    for body in ("one", "two", "three"):
        chatroom.say(body, author="bob")
    chatroom.chat("read", "-n2", "--as", "codex", check=True)
    return chatroom


@pytest.mark.parametrize("words", ["cursor", "cursor show"])
def test_cursor_shows_everybody_who_has_read(full: Chatroom, words: str) -> None:
    """A line for each cursor: how far, and how much reaches that name after it."""
    full.chat("read", check=True)
    assert full.chat(*words.split(), check=True).stdout == "alice  read to #3\ncodex  read to #2  1 unread\n"


@pytest.mark.parametrize("words", ["cursor Zoe codex", "cursor show zoe codex"])
def test_cursor_shows_who_is_named(full: Chatroom, words: str) -> None:
    """Also somebody who has read nothing yet; own messages are not unread."""
    assert full.chat(*words.split(), check=True).stdout == "zoe    read to #0  3 unread\ncodex  read to #2  1 unread\n"
    assert full.chat("cursor", "bob").stdout == "bob  read to #0\n"


def test_cursor_as_json(full: Chatroom) -> None:
    """One object a line, with the keys of the seed contract."""
    [line] = full.chat("cursor", "--json", check=True).stdout.splitlines()
    assert json.loads(line) == {"name": "codex", "last_read_id": 2, "unread_count": 1}
    done = full.chat("cursor", "set", "1", "--json", check=True)
    assert json.loads(done.stdout) == {"name": "alice", "last_read_id": 1, "unread_count": 2}


def test_nobody_has_read(chatroom: Chatroom, terminal: Terminal) -> None:
    """A script sees nothing; a person is told what would make a cursor."""
    done = chatroom.chat("cursor", check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert "nobody has read anything in room 'lobby': git chat read" in terminal("git", "chat", "cursor").stdout


@pytest.mark.parametrize("number", ["2", "#2", "handle"])
def test_set_takes_everything_up_to_it_for_read(full: Chatroom, number: str) -> None:
    """A number or a handle; what follows stays unread."""
    word = full.entries()[1].handle if number == "handle" else number
    assert full.chat("cursor", "set", word).stdout == "alice has read to #2\n"
    assert [json.loads(line)["id"] for line in full.chat("inbox", "--json").stdout.splitlines()] == [3]


@pytest.mark.parametrize("number", ["0", "1", "2"])
def test_set_never_moves_back(full: Chatroom, number: str) -> None:
    """What is read stays read, and it is said that nothing changed."""
    shown = full.chat("cursor", "set", number, "--as", "codex", check=True).stdout
    assert shown == "nothing changed: codex has read to #2 already\n"
    assert full.chat("cursor").stdout == "codex  read to #2  1 unread\n"


def test_held_name_is_set_by_force_alone(full: Chatroom) -> None:
    """While another process lives under a name, only ``--force`` moves its cursor."""
    here = full.world.environment(full.path)
    with here.roll.hold(Name("codex"), here.caller.holder(), 1):
        refused(full.chat("cursor", "set", "3", "--as", "codex"), "'codex' is held by process", "--force", 3)
        shown = full.chat("cursor", "set", "3", "--as", "codex", "--force", check=True).stdout
    assert shown == "codex has read to #3\n"


@pytest.mark.parametrize(
    ("words", "error", "hint", "status"),
    [
        (["set", "4"], "cannot exceed the latest message id", "the latest is 3", 1),
        (["set", "~zzzzzz"], "no record ~zzzzzz", "git chat log", 1),
        (["set", "two"], "'two' names no record", "give a number", 1),
        (["set", "-1"], "has no option -1", "git chat cursor set -h", 2),
        (["set"], "Missing argument", "git chat cursor set -h", 2),
        (["set", "1", "--as", "all"], "name 'all' is reserved", "'all-1'", 1),
        (["set", "1", "--room", "nowhere"], "there is no room 'nowhere'", "rooms: lobby", 1),
        (["--room", "nowhere"], "there is no room 'nowhere'", "rooms: lobby", 1),
        (["show", "al\nice"], r"name 'al\nice'", "'al-ice'", 1),
    ],
)
def test_bad_input_is_refused(full: Chatroom, words: list[str], error: str, hint: str, status: int) -> None:
    """What cannot be understood is refused, and no cursor moves."""
    refused(full.chat("cursor", *words), error, hint, status)
    assert full.chat("cursor").stdout == "codex  read to #2  1 unread\n"


def test_help_of_the_group_and_of_its_commands(full: Chatroom) -> None:
    """That showing is the default does not hide the help."""
    assert "set 12" in full.chat("cursor", "-h", check=True).stdout
    assert "never moves back" in full.chat("cursor", "set", "-h", check=True).stdout


def test_foreign_refs_are_no_cursors(full: Chatroom) -> None:
    """A ref whose last part is no name is passed over."""
    full.git("update-ref", "refs/chatroom/rooms/lobby/cursors/deep/er", full.tip)
    full.git("update-ref", "refs/chatroom/rooms/lobby/cursors/Not-A-Slug", full.tip)
    assert full.chat("cursor", check=True).stdout == "codex  read to #2  1 unread\n"
