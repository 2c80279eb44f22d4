"""``git chat handoff``: all that somebody who comes back has to know, in so many characters."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.conftest import Chatroom, Terminal, read_only, refused
from tests.world import World


def handoff(chatroom: Chatroom, *options: str) -> str:
    """What it prints."""
    return chatroom.chat("handoff", *options, check=True).stdout


def as_json(chatroom: Chatroom, *options: str) -> dict[str, object]:
    """What it prints for programs."""
    form: dict[str, object] = json.loads(handoff(chatroom, "--json", *options))
    return form


def numbers(text: str) -> list[int]:
    """The numbers of the records in a handoff, in its order."""
    return [int(number) for number in re.findall(r"^#(\d+)", text, re.MULTILINE)]


def busy(chatroom: Chatroom, count: int, words: int = 20) -> None:
    """A room with many messages."""
    for number in range(1, count + 1):
        chatroom.say(f"message {number} " + "word " * words, author="bob")


def test_a_handoff_tells_the_story(chatroom: Chatroom) -> None:
    """Newest number and unread, the summary, what happened since oldest first, then the newest not yet shown."""
    for text in ("one", "two", "three"):
        chatroom.say(text, author="bob")
    chatroom.chat("summary", "write", "--as", "bob", "All is well", check=True)
    question = chatroom.say("four?", author="bob", to=("alice",), type="question", urgent=True)
    chatroom.say("five", author="codex", reply_to=question.record.uid)
    assert (
        handoff(chatroom, "--date", "format:DATE", "--recent", "4")
        == """\
lobby
the newest is #5; 5 unread for alice: git chat inbox
unanswered: git chat answer
  #4 bob -> alice: urgent! four?

summary 1 for all  bob  DATE  covers 1-3
    All is well

since the summary:
#4  bob -> alice  DATE  urgent, question
    four?
#5  codex  DATE  re #4
    five

newest:
#2  bob  DATE
    two
#3  bob  DATE
    three
"""
    )


def test_the_summary_that_counts_is_for_all_or_for_me(chatroom: Chatroom) -> None:
    """The newest of both scopes; what is for somebody else does not count."""
    chatroom.say()
    for scope in ("all", "bob", "codex"):
        chatroom.chat("summary", "write", "--scope", scope, f"for {scope}", check=True)
    assert "    for bob\n" in handoff(chatroom, "--as", "bob")
    assert "    for all\n" in handoff(chatroom, "--as", "dora")


def test_only_what_reaches_me_is_shown(chatroom: Chatroom) -> None:
    """A message to somebody else is not mine to know; my own are shown and are not unread."""
    chatroom.say("mine", author="alice")
    chatroom.say("secret", author="bob", to=("codex",))
    text = handoff(chatroom)
    assert "mine" in text
    assert "secret" not in text
    assert "the newest is #2; nothing unread for alice" in text


def test_json_has_the_keys_of_the_contract(chatroom: Chatroom) -> None:
    """participants, latest_message_id, cursor, unread_count, latest_summary, recent_messages, and since."""
    busy(chatroom, 3)
    empty = {
        "participants",
        "latest_message_id",
        "cursor",
        "unread_count",
        "latest_summary",
        "recent_messages",
        "since",
    }
    form = as_json(chatroom, "--recent", "2")
    assert form.keys() == empty
    assert (form["latest_message_id"], form["unread_count"], form["latest_summary"]) == (3, 3, None)
    assert form["cursor"] == 0
    recent = form["recent_messages"]
    assert isinstance(recent, list)
    assert [message["id"] for message in recent] == [2, 3]


@pytest.mark.parametrize("max_chars", [2000, 2500, 8000])
@pytest.mark.parametrize("summary_chars", [0, 100, 60_000])
def test_the_budget_holds(chatroom: Chatroom, max_chars: int, summary_chars: int) -> None:
    """Whatever the sizes, the output has no more characters than asked for, as text and as JSON."""
    for size in (10, 40_000, 3_000, 500, 20):
        chatroom.say("é\x1b " * (size // 3 + 1), author="bob", to=("alice", "x" * 64), type="y" * 64)
    if summary_chars:
        chatroom.chat("summary", "write", "--scope", "alice", "--as", "z" * 64, "-", stdin=b"s" * summary_chars)
    for size in (10, 40_000, 3_000, 500, 20, 5000, 5000):
        chatroom.say('"\\' * (size // 2), author="b" * 64, media="json" if size == 500 else None)
    for options in ([], ["--json"], ["--color=always"], ["--recent", "100"]):
        text = handoff(chatroom, "--max-chars", str(max_chars), *options)
        assert len(text) <= max_chars
        assert len(text) > max_chars // 3


def test_the_budget_holds_for_the_longest_names(chatroom: Chatroom) -> None:
    """The lines that are never left out fit the smallest budget, also with names as long as they can be."""
    room, name = "r" * 64, "n" * 64
    chatroom.say("x" * 9000, room=room, author="a" * 64, to=(name, "b" * 64, "c" * 64), type="t" * 64)
    chatroom.chat("room", "title", room, "t\u202e" * 100, check=True)
    chatroom.chat("summary", "write", "--room", room, "--scope", name, "s" * 9000, "--as", "z" * 64, check=True)
    chatroom.say("x" * 9000, room=room, author="a" * 64)
    for options in ([], ["--json"], ["--color=always"]):
        assert len(handoff(chatroom, "--room", room, "--as", name, "--max-chars", "2000", *options)) <= 2000


def test_a_body_that_is_cut_says_so(chatroom: Chatroom) -> None:
    """How many characters are missing, and the command that shows them all."""
    chatroom.say("x" * 9000)
    text = handoff(chatroom, "--max-chars", "4000")
    missing = 9000 - text.count("x" * 10) * 10
    [(counted, number)] = re.findall(r"\(\+([\d,]+) characters: git chat show #(\d+)\)", text)
    assert number == "1"
    assert missing - 10 <= int(counted.replace(",", "")) <= missing


def test_a_summary_is_cut_last(chatroom: Chatroom) -> None:
    """A long summary leaves records out rather than losing a word, and says where the rest of it is when it must."""
    busy(chatroom, 5)
    chatroom.chat("summary", "write", "-", stdin=b"s" * 3000, check=True)
    busy(chatroom, 10)
    text = handoff(chatroom, "--max-chars", "4000")
    assert "s" * 3000 in text
    assert "characters:" not in text
    cut = handoff(chatroom, "--max-chars", "2000")
    assert re.search(r"\(\+[\d,]+ characters: git chat summary show 1\)", cut)
    assert re.search(r"^\d+ more: git chat log --since \d+", cut, re.MULTILINE)


def test_what_is_left_out_is_counted(chatroom: Chatroom) -> None:
    """Between the oldest since the summary and the newest: how many there are, and the command that shows just them."""
    busy(chatroom, 2)
    chatroom.chat("summary", "write", "short", check=True)
    busy(chatroom, 150)
    text = handoff(chatroom, "--max-chars", "4000")
    [(left, first, last)] = re.findall(r"^(\d+) more: git chat log --since (\d+) --until (\d+)$", text, re.MULTILINE)
    listed = chatroom.chat("log", "--since", first, "--until", last, "--oneline").stdout
    assert len(listed.splitlines()) == int(left)
    shown = numbers(text)
    assert shown == sorted(set(shown))
    assert len(shown) + int(left) == 150
    assert shown[0] == 3
    assert shown[-1] == 152


def test_newest_that_have_no_room_are_counted(chatroom: Chatroom) -> None:
    """Of the ten newest those that do not fit are told, with the command that shows them."""
    busy(chatroom, 10, words=150)
    text = handoff(chatroom, "--max-chars", "2000")
    [(left, count, last)] = re.findall(r"^(\d+) earlier: git chat log -n (\d+) --until (\d+)$", text, re.MULTILINE)
    assert int(left) + len(numbers(text)) == 10
    assert (count, int(last)) == (left, numbers(text)[0] - 1)


def test_cut_json_says_so(chatroom: Chatroom) -> None:
    """A program is told how many characters and how many records are missing."""
    chatroom.say()
    chatroom.chat("summary", "write", "short", check=True)
    for _ in range(120):
        chatroom.say("y" * 3000, author="bob")
    form = as_json(chatroom)
    since, recent = form["since"], form["recent_messages"]
    assert isinstance(since, list)
    assert isinstance(recent, list)
    assert form["since_left"] == 120 - len(since) - len(recent)
    assert all(len(message["content"]) + message["more_characters"] == 3000 for message in [*since, *recent])


def test_who_is_here_is_shown_as_far_as_it_fits(chatroom: Chatroom) -> None:
    """Names with their roles, escaped; a crowd is counted."""
    from gitchat.verbs.room import Room

    chatroom.say()
    environment = chatroom.world.environment(chatroom.path)
    Room(environment, name="bob").register("review")
    assert "here: bob (review)\n" in handoff(chatroom)
    for number in range(60):
        Room(environment, name=f"agent-{number:02}-{'n' * 40}").register("general")
    text = handoff(chatroom)
    [left] = re.findall(r"and (\d+) more: git chat who\n", text)
    assert int(left) + text.count("agent-") == 61
    assert as_json(chatroom)["participants_left"]


def test_an_empty_room_says_how_to_begin(chatroom: Chatroom) -> None:
    """Before the first message there is nothing to hand over."""
    assert handoff(chatroom) == 'lobby\nno message yet: git chat send "hello"\n'
    assert as_json(chatroom)["latest_message_id"] == 0


def test_a_handoff_fits_the_terminal(chatroom: Chatroom, terminal: Terminal) -> None:
    """Texts wrap at the width of the screen."""
    busy(chatroom, 3)
    lines = terminal("git", "chat", "handoff").stdout.splitlines()
    assert all(len(line) <= 60 for line in lines)


def test_a_handoff_marks_nothing(chatroom: Chatroom) -> None:
    """Also in a read-only repository it can be read, again and again."""
    busy(chatroom, 3)
    with read_only(chatroom.path / ".git"):
        assert "3 unread" in handoff(chatroom)
    assert "3 unread" in handoff(chatroom)


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        ("--room nowhere", "there is no room 'nowhere' here", "rooms: lobby"),
        ("--as a/b", "name 'a/b'", "'a-b'"),
        ("--date martian", "unknown date style", "relative"),
    ],
)
def test_bad_handoff_is_refused(chatroom: Chatroom, words: str, error: str, hint: str) -> None:
    """What is not there is refused."""
    chatroom.say()
    refused(chatroom.chat("handoff", *words.split()), error, hint)


@pytest.mark.parametrize("words", ["--recent 0", "--recent 101", "--recent -1", "--max-chars 1999", "--max-chars x"])
def test_wrong_usage_of_handoff(chatroom: Chatroom, words: str) -> None:
    """Numbers out of their range are wrong usage, and are not silently capped."""
    refused(chatroom.chat("handoff", *words.split()), "Invalid value", "git chat handoff -h", status=2)


def test_handoff_outside_a_repository(world: World) -> None:
    """There is nothing to hand over."""
    refused(world.chat("handoff"), "is not inside a git repository", "git init")
