"""``git chat status``: what is going on here, on one screen."""

from __future__ import annotations

import json

import pytest

from gitchat.verbs.room import Room
from tests.cli.conftest import Chatroom, Terminal, read_only, refused
from tests.world import World


def status(chatroom: Chatroom, *options: str) -> list[str]:
    """The lines that it prints."""
    return chatroom.chat("status", *options, check=True).stdout.splitlines()


def test_status_is_one_look_at_the_room(chatroom: Chatroom) -> None:
    """Title, size and age, who is here, what is urgent and unanswered for me, the newest, summary, rooms, what next."""
    chatroom.say("Who takes the parser?", author="bob", type="question")
    chatroom.say("Stop!", author="bob", to=("alice",), urgent=True)
    chatroom.say("mine")
    chatroom.chat("room", "title", "lobby", "Everything", check=True)
    chatroom.chat("summary", "write", "All is well\n\nmore", check=True)
    chatroom.say("elsewhere", room="dev")
    Room(chatroom.world.environment(chatroom.path), name="bob").register("review")
    lines = status(chatroom)
    assert lines[1].startswith("3 messages, the last ")
    assert lines[1].endswith(" ago; 2 unread for alice")
    assert lines[11].startswith("summary 1, ")
    assert lines[11].endswith(" ago, 0 messages since:")
    assert [line for place, line in enumerate(lines) if place not in (1, 11)] == [
        "lobby: Everything",
        "here: bob (review)",
        "unanswered:",
        "  #1 bob: Who takes the parser?",
        "urgent:",
        "  #2 bob -> alice: urgent! Stop!",
        "newest:",
        "  #1 bob: Who takes the parser?",
        "  #2 bob -> alice: urgent! Stop!",
        "  #3 alice: mine",
        "  All is well",
        "other rooms:",
        "  dev  #1",
        "next: git chat inbox",
    ]


def questions(chatroom: Chatroom, name: str) -> list[int]:
    """The numbers of the questions that wait for an answer of ``name``."""
    form = json.loads(chatroom.chat("status", "--json", "--as", name, check=True).stdout)
    assert form["question_count"] == len(form["questions"])
    return [entry["id"] for entry in form["questions"]]


def test_a_question_waits_until_somebody_else_replies(chatroom: Chatroom) -> None:
    """It waits for whom it reaches, but not for who asked; the asker's own reply is no answer."""
    to_all = chatroom.say("Who?", author="bob", type="question")
    to_codex = chatroom.say("You?", author="bob", type="question", to=("codex",))
    chatroom.say("I mean today", author="bob", reply_to=to_all.record.uid)
    assert questions(chatroom, "codex") == [1, 2]
    assert questions(chatroom, "alice") == [1]
    assert questions(chatroom, "bob") == []
    chatroom.say("me", author="codex", reply_to=to_codex.record.uid)
    assert questions(chatroom, "codex") == [1]
    chatroom.say("I", author="alice", reply_to=to_all.record.uid)
    assert questions(chatroom, "codex") == []


def test_what_was_read_is_not_urgent(chatroom: Chatroom) -> None:
    """An urgent message is told until it was marked."""
    chatroom.say("Stop!", author="bob", urgent=True)
    assert "urgent:" in status(chatroom)
    Room(chatroom.world.environment(chatroom.path), name="alice").set_cursor(1)
    assert "urgent:" not in status(chatroom)
    assert status(chatroom)[-1] == "next: git chat handoff"


def crowd(chatroom: Chatroom) -> None:
    """A room with more of everything than a screen holds."""
    for number in range(8):
        chatroom.say("Why?\n" + "long " * 100, author="bob", type="question", urgent=True)
        chatroom.say("elsewhere", room=f"room-{number}")
        chatroom.chat("room", "title", f"room-{number}", "title " * 30, check=True)
        Room(chatroom.world.environment(chatroom.path), name=f"agent-{number}").register("a role of many words")
    chatroom.chat("room", "title", "lobby", "日本語 " * 40, check=True)
    chatroom.chat("summary", "write", "long " * 500, check=True)


def test_status_fits_a_screen(chatroom: Chatroom, terminal: Terminal) -> None:
    """However much there is: at most 24 lines of 80 columns, with the number of what is not shown."""
    from wcwidth import wcswidth

    crowd(chatroom)
    lines = terminal("git", "chat", "status", columns=80).stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(wcswidth, lines)) <= 80
    assert "urgent, and 6 more:" in lines
    assert "unanswered, and 6 more:" in lines
    assert "  and 5 more: git chat rooms" in lines
    assert lines[-1] == "next: git chat inbox"


def test_status_is_short_in_a_pipe_too(chatroom: Chatroom) -> None:
    """An agent that asks what is going on does not get whole messages."""
    crowd(chatroom)
    text = chatroom.chat("status", check=True).stdout
    assert len(text.splitlines()) <= 24
    assert len(text) <= 24 * 101


def test_status_as_json(chatroom: Chatroom) -> None:
    """The seed contract's three keys, then what else is known."""
    chatroom.say(author="bob")
    form = json.loads(chatroom.chat("status", "--json", check=True).stdout)
    assert (form["participant_count"], form["message_count"], form["unread_count"]) == (0, 1, 1)
    assert form["last_activity_ts"] == chatroom.newest().written.utc
    assert form["room"]["room"] == "lobby"
    assert [entry["id"] for entry in form["recent_messages"]] == [1]


def test_an_empty_room_has_a_status(chatroom: Chatroom) -> None:
    """Before the first message it says how to begin."""
    assert status(chatroom) == ["lobby", 'next: git chat send "hello"']
    form = json.loads(chatroom.chat("status", "--json", check=True).stdout)
    assert (form["message_count"], form["last_activity_ts"]) == (0, None)


def test_commands_that_are_named_work_as_they_stand(chatroom: Chatroom) -> None:
    """They carry the room and the name that the status is about."""
    chatroom.say(room="dev")
    assert status(chatroom, "--room", "dev", "--as", "bob")[-1] == "next: git chat inbox --room dev --as bob"


def test_foreign_text_in_a_status_is_escaped(chatroom: Chatroom) -> None:
    """Messages, titles and roles cannot recolour or reorder the screen."""
    chatroom.say("\x1b[31m\u202e", author="bob", type="question", urgent=True)
    chatroom.foreign(b"x\x1b[5m\n\nChat-Kind: message\n", author=b"mal\x1b[31mlory <m@x>")
    chatroom.chat("summary", "write", "\x1b[31m\u202e", check=True)
    for options in ([], ["--json"]):
        text = chatroom.chat("status", *options, check=True).stdout
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_status_marks_nothing(chatroom: Chatroom) -> None:
    """It works in a read-only repository."""
    chatroom.say(author="bob")
    with read_only(chatroom.path / ".git"):
        assert "1 unread" in status(chatroom)[1]
    assert "1 unread" in status(chatroom)[1]


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        ("--room nowhere", "there is no room 'nowhere' here", "rooms: lobby"),
        ("--room a\nb", "room 'a\\nb'", "'a-b'"),
        ("--as a/b", "name 'a/b'", "'a-b'"),
    ],
)
def test_bad_status_is_refused(chatroom: Chatroom, words: str, error: str, hint: str) -> None:
    """What is not there has no status."""
    chatroom.say()
    refused(chatroom.chat("status", *words.split(" ")), error, hint)


def test_status_outside_a_repository(world: World) -> None:
    """There is nothing going on."""
    refused(world.chat("status"), "is not inside a git repository", "git init")
