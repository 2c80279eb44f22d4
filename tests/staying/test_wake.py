"""What a volley is, how it slows wake-ups, and what an agent was told of."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.attachment import Attachment
from gitchat.model.names import Name, Number, Oid, RoomName, Uid
from gitchat.model.record import Entry, Moment, Record
from gitchat.staying.told import NOTHING, Seen, Told
from gitchat.staying.volley import LONGEST_PAUSE_SECONDS, Volley, volley
from gitchat.staying.wake import News, sentence

ME = Name("codex")
LOBBY = RoomName("lobby")
LAST_SECONDS = 1_800_000_000
TIP = Oid("a" * 40)


def said(author: str, body: str = "thanks", **record: Any) -> Entry:
    """A record of an agent."""
    made = Record(
        kind="message",
        uid=Uid("0123456789abcdef"),
        author=author,
        email="",
        written=Moment(0),
        body=body,
        origin="agent",
    )
    return Entry(LOBBY, Number(1), Oid("0" * 40), LAST_SECONDS, replace(made, **record))


def in_turn(count: int) -> list[Entry]:
    """Short messages of two agents; the other one has the last word."""
    return [said("bob" if (count - number) % 2 else ME) for number in range(count)]


def test_short_messages_in_turn_are_a_volley_from_the_sixth_on() -> None:
    """Before that it is a conversation like any other."""
    assert volley(in_turn(5), ME) is None
    assert volley(in_turn(6), ME) == Volley("bob", 6, LAST_SECONDS)


def test_acknowledgements_count_as_what_they_are() -> None:
    """Whether they say so by their type or not."""
    entries = [replace(entry, record=replace(entry.record, type="ack")) for entry in in_turn(6)]
    assert volley(entries, ME) == Volley("bob", 6, LAST_SECONDS)


@pytest.mark.parametrize(
    "last",
    [
        said("bob", "x" * 201),
        said("bob", type="question"),
        said("bob", urgent=True),
        said("bob", origin="human"),
        said("carol"),
        said(ME),
        said("bob", kind="status"),
        replace(said("bob"), attachments=(Attachment("a.txt", Oid("0" * 40), 1, None),)),
    ],
    ids=["long", "typed", "urgent", "of a person", "of a third", "twice in a row", "status", "with an attachment"],
)
def test_a_message_that_says_something_ends_a_volley(last: Entry) -> None:
    """It wakes at once."""
    before = in_turn(9)[:-1]
    assert volley([*before, said("bob")], ME) is not None
    assert volley([*before, last], ME) is None


def test_a_volley_of_two_others_slows_nobody_else() -> None:
    """Who only listens is no part of it."""
    entries = in_turn(8)
    assert volley(entries, Name("carol")) is None
    assert volley([], ME) is None


def test_each_message_more_doubles_the_pause_up_to_a_limit() -> None:
    """Half a minute, a minute, two, ... ten."""
    pauses = [Volley("bob", length, 0).pause_seconds for length in (6, 7, 8, 9, 10, 11, 60)]
    assert pauses == [30, 60, 120, 240, 480, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]


def news(**more: Any) -> News:
    """One unread message of a volley."""
    item = News(ME, LOBBY, 1, Seen(9), NOTHING, ("bob",), 0, Volley("bob", 7, LAST_SECONDS))
    return replace(item, **more)


def test_a_volley_wakes_when_its_pause_is_over() -> None:
    """Counted from its last message; what is urgent, and what is no volley, never waits."""
    assert news().pause_seconds(LAST_SECONDS + 1) == 59
    assert news().pause_seconds(LAST_SECONDS + 60) == 0
    assert news(urgent=1).pause_seconds(LAST_SECONDS) == 0
    assert news(volley=None).pause_seconds(LAST_SECONDS) == 0


def test_who_is_told_of_a_volley_is_told_that_it_is_slowed() -> None:
    """And why, on the same line."""
    said = sentence([news()])
    assert "1 unread message for codex in room 'lobby', from bob" in said
    assert "slowed to one wake-up in 60 s: the last 7 messages are short ones, in turn with bob" in said
    assert "\n" not in said


def test_many_senders_are_counted() -> None:
    """A line stays a line."""
    assert "from a, b, c, d, e, 2 more" in str(news(senders=tuple("abcdefg")))


# --- told --------------------------------------------------------------------


def test_what_is_told_once_is_not_claimed_again(tmp_path: Path) -> None:
    """For each room and occasion by itself; a claim on several counts on all."""
    told, found = Told(tmp_path, ME), Seen(3, (TIP,))
    assert told.claim(["told"], LOBBY, found, unless=NOTHING)
    assert not told.claim(["told", "held-up"], LOBBY, found, unless=NOTHING)
    assert told.claim(["held-up", "told"], LOBBY, found, unless=NOTHING)
    assert told.claim(["told"], RoomName("plans"), Seen(1), unless=NOTHING)
    assert [told.seen("told", LOBBY), told.seen("held-up", LOBBY)] == [found, found]
    assert Told(tmp_path, Name("bob")).seen("told", LOBBY) == NOTHING


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"told lobby": "9"}', b'{"told lobby": true}', b"\xff" * 99])
def test_a_damaged_file_counts_as_empty(tmp_path: Path, content: bytes) -> None:
    """The news is told again, and noted."""
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / ME).write_bytes(content)
    told = Told(tmp_path, ME)
    assert told.claim(["told"], LOBBY, Seen(3), unless=NOTHING)
    assert told.seen("told", LOBBY) == Seen(3)


def test_what_version_0_1_0_noted_counts(tmp_path: Path) -> None:
    """It noted numbers alone."""
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / ME).write_text('{"told lobby": 7}')
    assert Told(tmp_path, ME).seen("told", LOBBY) == Seen(7)


def test_where_nothing_can_be_kept_everything_is_new(tmp_path: Path) -> None:
    """Better told twice than not at all."""
    (tmp_path / "told").write_text("a file where the directory should be")
    told = Told(tmp_path, ME)
    assert told.claim(["told"], LOBBY, Seen(3), unless=NOTHING)
    assert told.claim(["told"], LOBBY, Seen(3), unless=NOTHING)
    assert told.is_waiting("anybody")


def test_the_last_one_that_waits_is_the_one(tmp_path: Path) -> None:
    """Who waited before notices."""
    told = Told(tmp_path, ME)
    told.begin_waiting("first")
    assert told.is_waiting("first")
    told.begin_waiting("second")
    assert [told.is_waiting("first"), told.is_waiting("second")] == [False, True]


def test_of_many_processes_exactly_one_claims(tmp_path: Path) -> None:
    """Each number once, however many hooks look at the same moment."""
    code = (
        "import sys; from pathlib import Path; from gitchat.staying.told import Seen, Told\n"
        f"told = Told(Path({str(tmp_path)!r}), 'codex')\n"
        "sys.stdin.read()\n"
        "print(sum(told.claim(['told'], 'lobby', Seen(n), unless=Seen(n - 1)) for n in range(1, 201)))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    claimed = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert 1 <= sum(claimed) <= 200
    assert Told(tmp_path, ME).seen("told", LOBBY) == Seen(sum(claimed))
