"""``git chat rooms`` and ``git chat room``, as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gitchat.model.names import RoomName
from gitchat.model.record import Moment
from gitchat.model.refs import log_ref
from tests.cli.conftest import Chatroom, Terminal, refused
from tests.clones.conftest import Hub
from tests.world import Done

START = 1_790_000_000
PARSER = RoomName("parser")


def rows(done: Done) -> list[list[str]]:
    """The words of each line of a listing."""
    return [line.split() for line in done.stdout.splitlines()]


def test_rooms_are_listed_most_recently_active_first(chatroom: Chatroom) -> None:
    """Name, newest number, how long ago; the room that was used last stands on top."""
    for turn, room in enumerate(["one", "two", "three", "two"]):
        chatroom.say(room=room, at=Moment(START + turn))
    shown = rows(chatroom.chat("rooms", check=True))
    assert [(words[0], words[1]) for words in shown] == [("two", "#2"), ("three", "#1"), ("one", "#1")]


def test_rooms_as_json(chatroom: Chatroom) -> None:
    """One object a line, with the title and the state."""
    chatroom.say(at=Moment(START))
    chatroom.chat("room", "title", "lobby", "Everything", "else", check=True)
    [room] = [json.loads(line) for line in chatroom.chat("rooms", "--json", check=True).stdout.splitlines()]
    assert (room["room"], room["status"], room["title"], room["latest_id"]) == ("lobby", "open", "Everything else", 2)


def test_no_rooms_is_no_error(chatroom: Chatroom, terminal: Terminal) -> None:
    """A script sees nothing; a person is told how to begin."""
    done = chatroom.chat("rooms", check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert "git chat send" in terminal("git", "chat", "rooms").stdout


def test_open_makes_a_room(chatroom: Chatroom) -> None:
    """A room can be there, with a title, before its first message; opening it again changes nothing."""
    done = chatroom.chat("room", "open", "Release", "--title", "Release 1.0")
    assert done.stdout == "room 'release' is open: Release 1.0\n"
    before = chatroom.git("rev-parse", "refs/chatroom/rooms/release/log").stdout
    assert chatroom.chat("room", "open", "release").stdout == "room 'release' is open: Release 1.0\n"
    assert chatroom.git("rev-parse", "refs/chatroom/rooms/release/log").stdout == before
    assert chatroom.chat("log", "--room", "release", check=True).stdout == ""


def test_closed_room_is_read_and_not_written(chatroom: Chatroom) -> None:
    """Everything that was said stays; a message is refused with the way out, until the room is open again."""
    chatroom.say("before")
    assert chatroom.chat("room", "close", "lobby").stdout == "room 'lobby' is closed\n"
    refused(chatroom.chat("send", "after"), "room 'lobby' is closed", "git chat room open lobby")
    assert "before" in chatroom.chat("log", check=True).stdout
    assert rows(chatroom.chat("rooms", "--status", "closed"))[0][0] == "lobby"
    assert chatroom.chat("rooms", "--status", "open").stdout == ""
    chatroom.chat("room", "open", "lobby", check=True)
    assert chatroom.chat("send", "after").stdout == "#4\n"


def test_state_and_title_survive_the_loss_of_our_files(chatroom: Chatroom) -> None:
    """They stand in the log; the checkpoint only remembers them."""
    chatroom.say()
    chatroom.chat("room", "title", "lobby", "old", check=True)
    chatroom.chat("room", "title", "lobby", "new", check=True)
    chatroom.chat("room", "close", "lobby", check=True)
    (chatroom.path / ".git/chatroom/checkpoints/lobby").unlink()
    refused(chatroom.chat("send", "after"), "is closed", "room open")
    assert "new" in chatroom.chat("rooms").stdout


@pytest.mark.parametrize("words", [("close", "nowhere"), ("title", "nowhere", "text")])
def test_only_a_room_that_is_there_can_be_closed_or_titled(chatroom: Chatroom, words: tuple[str, ...]) -> None:
    """A mistyped name makes no room."""
    chatroom.say()
    refused(chatroom.chat("room", *words), "there is no room 'nowhere' here", "rooms: lobby")
    assert [words[0] for words in rows(chatroom.chat("rooms"))] == ["lobby"]


@pytest.mark.parametrize("title", ["", "two\nlines", "\x1b[31m", "x" * 201])
def test_title_is_one_line(chatroom: Chatroom, title: str) -> None:
    """What cannot be a trailer is refused."""
    chatroom.say()
    refused(chatroom.chat("room", "title", "lobby", title), "a title is one line", "git chat room title")


def test_rooms_fit_the_terminal(chatroom: Chatroom, terminal: Terminal) -> None:
    """A long title is cut, with colours too."""
    chatroom.say()
    chatroom.chat("room", "title", "lobby", "long " * 30, check=True)
    shown = terminal("git", "chat", "rooms", TERM="xterm").stdout
    assert "…" in shown
    assert len([line for line in shown.splitlines() if "lobby" in line]) == 1


def lose_the_tip(chatroom: Chatroom) -> None:
    """The newest commit is gone."""
    chatroom.lose(chatroom.git("rev-parse", log_ref(PARSER)).stdout.strip())


def damage_the_tip(chatroom: Chatroom) -> None:
    """Something else is in the newest commit's file."""
    garbage(chatroom.file_of_object(chatroom.git("rev-parse", log_ref(PARSER)).stdout.strip()))


def damage_the_ref(chatroom: Chatroom) -> None:
    """Something else is in the ref's file."""
    garbage(chatroom.file_of(log_ref(PARSER)))


def garbage(path: Path) -> None:
    """Write over ``path``."""
    path.chmod(0o644)
    path.write_bytes(b"\0\xff garbage\n")


DAMAGES = [
    (lose_the_tip, "is missing", "missing-object"),
    (damage_the_tip, "is damaged", "damaged-object"),
    (damage_the_ref, "is damaged", "damaged-ref"),
]


@pytest.mark.parametrize(("damage", "error", "code"), DAMAGES, ids=[damage[0].__name__ for damage in DAMAGES])
def test_a_room_that_cannot_be_read_hides_no_other(
    chatroom: Chatroom, damage: Callable[[Chatroom], None], error: str, code: str
) -> None:
    """The others are listed as ever, then the room with what is wrong; the exit status tells of it."""
    for room in ("lobby", "parser", "parser", "plans"):
        chatroom.say(room=room)
    chatroom.chat("room", "close", "plans", check=True)
    damage(chatroom)
    for options, others in (((), {"lobby", "plans"}), (("--status", "closed"), {"plans"})):
        done = chatroom.chat("rooms", *options)
        *lines, last = done.stdout.splitlines()
        assert {line.split()[0] for line in lines} == others
        assert last.startswith("parser  unreadable: ")
        assert error in last
        listed = chatroom.chat("rooms", "--json", *options)
        *sound, broken = [json.loads(line) for line in listed.stdout.splitlines()]
        assert {room["room"] for room in sound} == others
        assert (broken["room"], broken["status"], broken["latest_id"]) == ("parser", "unreadable", None)
        assert (broken["code"], f"error: {broken['error']}") == (code, done.stderr.splitlines()[0])
        for one in (done, listed):
            assert one.returncode == 4
            assert one.stderr == f"error: {broken['error']}\nhint: {broken['hint']}\n"


@pytest.mark.parametrize("damage", [damage[0] for damage in DAMAGES], ids=lambda damage: damage.__name__)
def test_status_of_a_room_is_told_beside_one_that_cannot_be_read(
    chatroom: Chatroom, damage: Callable[[Chatroom], None]
) -> None:
    """Another room's damage is not this one's."""
    for room in ("lobby", "parser", "parser"):
        chatroom.say(room=room)
    damage(chatroom)
    assert chatroom.chat("status", check=True).stdout.startswith("lobby\n1 message, ")


def test_each_room_that_cannot_be_read_is_listed(chatroom: Chatroom) -> None:
    """Also when no other is left; the error at the end is the first one's."""
    for room in ("lobby", "parser"):
        chatroom.say(room=room)
        garbage(chatroom.file_of(log_ref(RoomName(room))))
    done = chatroom.chat("rooms")
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["lobby", "unreadable:"],
        ["parser", "unreadable:"],
    ]
    assert "rooms/lobby/log is damaged" in done.stderr
    assert "git chat doctor" in done.stderr


# --- another name, and none -----------------------------------------------------


def test_a_room_of_ones_own_is_renamed(chatroom: Chatroom) -> None:
    """With messages, attachments, what was read, summaries, membership and title; numbers stay."""
    chatroom.chat("room", "open", "lobbby", "--title", "What comes next", check=True)
    (chatroom.path / "trace.txt").write_text("trace")
    chatroom.chat("send", "-q", "--room", "lobbby", "--attach", "trace.txt", "one", check=True)
    chatroom.chat("reply", "-q", "2", "--room", "lobbby", "two", check=True)
    chatroom.chat("read", "--with-own", "-1", "--room", "lobbby", check=True)
    chatroom.chat("summary", "write", "-q", "--room", "lobbby", "all is said", check=True)
    chatroom.chat("join", "--role", "review", "--room", "lobbby", check=True)
    before = {
        words: chatroom.chat(*words.split(), "--room", "lobbby", check=True).stdout
        for words in ("log --json", "cursor --json", "summary show --json", "search one --json", "who")
    }
    done = chatroom.chat("room", "rename", "lobbby", "plans", check=True)
    assert (done.stdout, done.stderr) == ("room 'lobbby' is called 'plans' now\n", "")
    for words, shown in before.items():
        now = chatroom.chat(*words.split(), "--room", "plans", check=True).stdout
        assert now == shown.replace('"room": "lobbby"', '"room": "plans"'), words
    assert [words[:2] for words in rows(chatroom.chat("rooms"))] == [["plans", "#3"]]
    extracted = chatroom.chat("show", "2", "--room", "plans", "--extract", "out", check=True).stdout
    assert Path(chatroom.path, extracted.strip()).read_text() == "trace"
    assert chatroom.chat("send", "--room", "plans", "three").stdout == "#4\n"
    chatroom.chat("verify", check=True)
    chatroom.chat("doctor", check=True)


def test_what_others_wrote_in_keeps_its_name(chatroom: Chatroom) -> None:
    """A message, a summary, or somebody else of my name: the error offers to close it, or another title."""
    chatroom.say("mine", author="alice", room="plans")
    chatroom.chat("summary", "write", "-q", "--room", "plans", "--as", "bob", "his", check=True)
    for words in (["rename", "plans", "ideas"], ["delete", "plans"]):
        refused(chatroom.chat("room", *words), "others wrote in room 'plans': bob", "git chat room close plans", 3)
    chatroom.say("mine", author="alice", room="notes")
    refused(chatroom.chat("room", "rename", "notes", "plans"), "there is a room 'plans' already", "another name", 3)
    refused(chatroom.chat("room", "rename", "notes", "notes"), "there is a room 'notes' already", "another name", 3)
    refused(chatroom.chat("room", "delete", "note"), "there is no room 'note'", "git chat room delete notes")


def test_a_deleted_room_can_be_brought_back(chatroom: Chatroom) -> None:
    """By the command that is printed; the name is free meanwhile, and nothing of it is left behind."""
    for body in ("one", "two"):
        chatroom.say(body, author="alice", room="notes")
    chatroom.chat("read", "--with-own", "--room", "notes", check=True)
    done = chatroom.chat("room", "delete", "notes", check=True)
    assert done.stdout == "room 'notes' is deleted, with 2 messages\n"
    assert chatroom.git("for-each-ref", "refs/chatroom/rooms/notes").stdout == ""
    back = done.stderr.partition(": ")[2].split()
    assert back[:2] == ["git", "update-ref"]
    chatroom.git(*back[1:])
    assert [entry.record.body for entry in chatroom.entries("notes")] == ["one", "two"]
    chatroom.chat("room", "delete", "notes", check=True)
    assert chatroom.chat("send", "--room", "notes", "new").stdout == "#1\n"


def test_what_a_remote_has_keeps_its_name(chatroom: Chatroom, hub: Hub) -> None:
    """Also where the answer to the push was lost; what it never had goes, and takes its authority along."""
    chatroom.git("remote", "add", "origin", hub.path)
    chatroom.chat("send", "-q", "hello", check=True)
    chatroom.chat("sync", check=True)
    chatroom.git("config", "chat.sync", "manual")  # nothing is pushed but by hand
    for room in ("lobbby", "idaes"):
        chatroom.git("config", f"chatroom.{room}.remote", "origin")
    for words in (["rename", "lobby", "ideas"], ["delete", "lobby"]):
        refused(chatroom.chat("room", *words), "'origin' has room 'lobby'", "git chat room close lobby", 3)
    chatroom.chat("send", "-q", "--room", "lobbby", "pending", check=True)
    chatroom.git("push", "-q", "origin", "refs/chatroom/rooms/lobbby/log")
    refused(chatroom.chat("room", "delete", "lobbby"), "'origin' has room 'lobbby'", "room close lobbby", 3)
    chatroom.chat("send", "-q", "--room", "idaes", "pending", check=True)
    chatroom.chat("room", "rename", "idaes", "ideas", check=True)
    assert "ideas: origin, 1 pending" in chatroom.chat("remote", check=True).stdout
    chatroom.chat("sync", check=True)
    assert chatroom.git("ls-remote", "origin", "refs/chatroom/rooms/*/log").stdout.count("idaes") == 0
    assert "ideas: origin\n" in chatroom.chat("remote", check=True).stdout
