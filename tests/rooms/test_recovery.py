"""Where a room stood, as far as its checkpoint and the journal tell."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gitchat.model import codec
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid, RoomName
from gitchat.model.record import Moment
from gitchat.model.signature import Signature
from gitchat.rooms.recovery import last_written
from gitchat.storage.checkpoint import Position

ROOM = RoomName("lobby")


def oid(name: str) -> Oid:
    """An id to call a commit by."""
    return Oid(name.encode().hex().ljust(40, "0"))


PARENTS = {
    "genesis": None, "1": "genesis", "2": "1", "3": "2", "4": "3",
    "dead 3": "2", "dead 4": "3",
    "other": None, "other 1": "other", "other 2": "other 1",
}  # fmt: skip
"""A log of four records beside which two writers were killed, and another room."""


def commit(name: str) -> codec.Commit:
    """The commit of that name."""
    who = Signature("x", "x@example.com", Moment(0))
    parent = PARENTS[name]
    block = (
        (("Chat-Kind", "message"),)
        if parent
        else (("Chat-Kind", "genesis"), ("Chat-Room", "dev" if name == "other" else ROOM))
    )
    parents = (oid(parent),) if parent else ()
    raw = codec.encode_commit(tree=oid("tree"), parents=parents, author=who, committer=who, body="", block=block)
    return codec.parse_commit(oid(name), raw)


@dataclass(frozen=True)
class Case:
    """What is known, oldest first and separated by commas, and where the room stood."""

    positions: str
    journal: str
    stood: str | None
    unreadable: str = ""


CASES = {
    "both agree": Case("1, 2, 3", "genesis, 1, 2, 3", "3"),
    "everything is packed": Case("1, 2, 3", "", "3"),
    "the checkpoint is lost": Case("", "genesis, 1, 2, 3", "3"),
    "the checkpoint is lost, much is packed": Case("", "3, 4", "4"),
    "killed before the position was noted": Case("2, 3", "3, 4", "4"),
    "the journal lost its end": Case("2, 3, 4", "1, 2", "4"),
    "a killed writer before the last": Case("3, dead 4, 4", "3, dead 4, 4", "4"),
    "the last writer was killed": Case("2, 3, dead 4", "3, dead 4", "dead 4"),
    "a reader noted an old position": Case("3, 4, 1", "", "4"),
    "a reader noted the last but one": Case("3, 4, 3", "4", "4"),
    "the journal ends in another room": Case("", "genesis, 1, other, other 1, other 2", "1"),
    "nothing is known": Case("", "", None),
    "only of another room": Case("", "other, other 1", None),
    "moved back by hand": Case("3, 4, dead 3", "4, dead 3", None),
    "the newest is destroyed": Case("2, 3, 4", "2, 3", None, unreadable="4"),
    "what leads to it is destroyed": Case("", "genesis, 1, 3, 4", None, unreadable="2"),
}


def names(text: str) -> list[Oid]:
    """The ids of some names."""
    return [oid(name) for name in text.split(", ") if name]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_last_written_commit_is_where_the_room_stood(case: Case) -> None:
    """What was written last, when it fits what was written before; nothing rather than something older."""

    def read(wanted: Oid) -> codec.Commit:
        if wanted in names(case.unreadable):
            raise FormatError("gone", hint="", code="missing-object", oid=wanted)
        return next(commit(name) for name in PARENTS if oid(name) == wanted)

    positions = [Position(tip, 1, True) for tip in names(case.positions)]
    expected = oid(case.stood) if case.stood else None
    assert last_written(ROOM, positions, names(case.journal), read) == expected
