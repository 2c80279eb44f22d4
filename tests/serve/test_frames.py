"""What REST and WebSocket make of a record."""

from __future__ import annotations

from typing import Any

import pytest

from gitchat.model.names import Number, Oid, RoomName, Uid
from gitchat.model.record import Entry, Moment, Record
from gitchat.serve.frames import frame_of

SPELLED = {"beta-01tyei4m": "beta-01TYEi4M"}


def entry(number: int | None = 12, **record: Any) -> Entry:
    """A record of alice in the lobby, at noon of the first day."""
    told = {"kind": "message", "uid": Uid("0" * 16), "author": "alice", "email": "", "body": "hello"} | record
    return Entry(
        RoomName("lobby"), Number(number) if number is not None else None, Oid("a" * 40), 0,
        Record(written=Moment(43200), **told),
    )  # fmt: skip


def framed(number: int | None = 12, **record: Any) -> dict[str, Any]:
    """Its frame, in a room where ``beta-01tyei4m`` is spelled with capitals."""
    return frame_of(entry(number, **record), {Uid("1" * 16): "#7"}, lambda name: SPELLED.get(name, name))


def test_a_plain_message_has_the_keys_of_the_seed() -> None:
    """And the room, which numbers belong to."""
    assert framed() == {
        "id": 12, "type": "broadcast", "from": "alice", "to": "ALL", "message": "hello",
        "timestamp": "1970-01-01T12:00:00Z", "room": "lobby",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"to": ("beta-01tyei4m",)}, {"type": "message", "to": "beta-01TYEi4M"}),
        ({"author": "beta-01tyei4m"}, {"from": "beta-01TYEi4M"}),
        ({"to": ("bob", "role:review")}, {"type": "message", "to": ["bob", "role:review"]}),
        ({"type": "question"}, {"type": "question"}),
        ({"body": '{"type": "task_accept"}', "media": "json"}, {"type": "task_accept"}),
        ({"body": '{"type": "A b", "n": 1}', "media": "json", "type": "ack"}, {"type": "A b"}),
        ({"body": '{"type": 7}', "media": "json", "type": "ack"}, {"type": "ack", "message": {"type": 7}}),
        ({"body": "null", "media": "json"}, {"type": "broadcast", "message": None}),
        ({"body": '{"type": "ack"}'}, {"type": "broadcast", "message": '{"type": "ack"}'}),
        ({"reply_to": Uid("1" * 16)}, {"reply_to": 7}),
        ({"reply_to": Uid("2" * 16)}, {"reply_to": "~222222"}),
        ({"urgent": True, "kind": "status"}, {"priority": "urgent", "kind": "status"}),
        ({"author": "system"}, {"from": "system"}),
        ({"author": "\u0430lice"}, {"from": "\u0430lice", "looks_like": "alice"}),
    ],
)
def test_what_a_record_says_stands_in_its_frame(record: dict[str, Any], told: dict[str, Any]) -> None:
    """The message's own type before the record's; names as they are spelled; what says nothing is left out."""
    frame = framed(**record)
    assert {key: frame.get(key) for key in told} == told


def test_what_has_no_number_yet_has_a_handle() -> None:
    """Its id is null until the remote has taken it."""
    assert framed(None) | {"id": None, "handle": "~000000"} == framed(None)
