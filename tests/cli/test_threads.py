"""``git chat log --thread`` and ``--graph``: who answers what."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchat.cli.graph import draw
from gitchat.model.names import Number, Oid, RoomName, Uid
from gitchat.model.record import Entry, Moment, Record
from tests.cli.conftest import Chatroom, Terminal, refused
from tests.world import World


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Chatroom:
    """Two threads and lone records; the second answer to #1 comes after #3, which answers nothing."""
    room = Chatroom(World(tmp_path_factory.mktemp("story")))
    first = room.say("parser?", at=Moment(1_790_000_000))
    answer = room.say("I do", author="bob", reply_to=first.record.uid, at=Moment(1_790_000_001))
    room.say("alone", author="codex")
    room.say("me too", author="dora", reply_to=first.record.uid)
    room.say("tests?", author="alice", reply_to=answer.record.uid)
    room.say("lexer?", author="dora")
    room.say("to what I cannot see", reply_to="0123456789abcdef")
    room.say("done", author="bob", type="answer", reply_to=answer.record.uid)
    return room


def lines(story: Chatroom, *options: str) -> list[str]:
    """What a log with ``options`` prints."""
    return story.chat("log", *options, check=True).stdout.splitlines()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--thread 1", [1, 2, 4, 5, 8]),
        ("--thread #5", [1, 2, 4, 5, 8]),
        ("--thread 3", [3]),
        ("--thread 7", [7]),
        ("--thread 1 --from bob", [2, 8]),
        ("--thread 1 -n 2", [5, 8]),
        ("--thread 1 -n 0", []),
        ("--thread 1 --since 2 --reverse", [8, 5, 4]),
        ("--thread 1 --type answer", [8]),
    ],
)
def test_thread_is_all_that_belongs_together(story: Chatroom, options: str, expected: list[int]) -> None:
    """The record, what it answers, what that answers, and every answer to any; other options narrow it."""
    shown = [int(line[1:].split()[0]) for line in lines(story, "--oneline", *options.split())]
    assert shown == expected


def test_thread_of_a_handle(story: Chatroom) -> None:
    """A handle names a record as well as its number."""
    assert len(lines(story, "--oneline", "--thread", story.entries()[4].handle)) == 5


@pytest.mark.parametrize(
    ("options", "error"), [("--thread 99", "no record #99"), ("--thread -1", "'-1' names no record")]
)
def test_thread_of_nothing_is_refused(story: Chatroom, options: str, error: str) -> None:
    """A record that is not there has no thread."""
    refused(story.chat("log", *options.split()), error, "")


@pytest.mark.parametrize("options", ["--graph --reverse", "--graph --json"])
def test_graph_excludes(story: Chatroom, options: str) -> None:
    """Lines are drawn downwards, and for people."""
    refused(story.chat("log", *options.split()), "exclude each other", "git chat log -h", status=2)


def test_graph_draws_threads(story: Chatroom) -> None:
    """A ``*`` begins a thread, an ``o`` answers what stands above it in its column; lines part and end as git's do."""
    assert lines(story, "--graph", "--oneline") == [
        "* #1 alice: parser?",
        "|\\",
        "o | #2 bob: I do",
        "|\\ \\",
        "| | | * #3 codex: alone",
        "| | o #4 dora: me too",
        "o | #5 alice: tests?",
        " /",
        "| * #6 dora: lexer?",
        "| * #7 alice: to what I cannot see",
        "o #8 bob: done",
    ]


def test_graph_stands_beside_the_whole_messages(story: Chatroom) -> None:
    """Headings, days and texts stand to the right of the lines."""
    shown = lines(story, "--graph", "--until", "2")
    assert (shown[0][:3], shown[1]) == ("-- ", "")
    assert [re.sub(r"\d\d:\d\d", "TIME", line) for line in shown[2:]] == [
        "* #1  alice  TIME",
        "|     parser?",
        "|",
        "o #2  bob  TIME  re #1",
        "      I do",
        "",
    ]


def test_graph_escapes_and_fits(chatroom: Chatroom, terminal: Terminal) -> None:
    """Foreign text is escaped beside lines too, and no line is wider than the screen."""
    first = chatroom.say("word " * 40)
    chatroom.say("\x1b[31m日本語" * 40, reply_to=first.record.uid)
    chatroom.say("\u202e" * 40, reply_to=first.record.uid)
    from wcwidth import wcswidth

    for options in ([], ["--oneline"]):
        shown = terminal("git", "chat", "log", "--graph", *options).stdout
        assert "\x1b[31m" not in shown
        assert "\u202e" not in shown
        assert max(map(wcswidth, shown.splitlines())) <= 60


def entry(number: int, reply_to: str | None) -> Entry:
    """A record for drawing."""
    record = Record(
        kind="message", uid=Uid(str(number)), author="a", email="", written=Moment(0), body="",
        reply_to=Uid(reply_to) if reply_to is not None else None,
    )  # fmt: skip
    return Entry(RoomName("lobby"), Number(number), Oid(str(number)), 0, record)


@given(st.lists(st.none() | st.integers(0, 30), max_size=30))
def test_every_answer_hangs_on_a_line_from_its_question(replies: list[int | None]) -> None:
    """Followed upwards from any answer, the lines lead to what it answers; a reply to itself or ahead begins anew."""
    entries = [entry(place, None if reply is None else str(reply)) for place, reply in enumerate(replies)]
    rows: list[tuple[str, int | None]] = []
    for place, drawn in enumerate(draw(entries)):
        rows += [(drawn.first, place), *((row, None) for row in drawn.after)]
    for at, (row, number) in enumerate(rows):
        if number is None:
            continue
        reply = replies[number]
        is_answer = reply is not None and reply < number
        assert ("o" in row) == is_answer
        if is_answer:
            assert _above(rows, at, row.index("o")) == reply


def _above(rows: list[tuple[str, int | None]], at: int, column: int) -> int | None:
    """The record that the line above a column leads to."""
    for row, number in reversed(rows[:at]):
        here = row.ljust(column + 2)
        if number is not None:
            if here[column] in "*o":
                return number
            assert here[column] == "|", row
        elif here[column] != "|":
            if column and here[column - 1] == "\\":
                # Opened here: from the line that stays, or moved from one column further left.
                column = column - 2
            elif here[column + 1] == "/":
                column += 2
            else:
                raise AssertionError(row)
    return None
