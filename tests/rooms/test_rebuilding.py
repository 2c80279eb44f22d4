"""Positions that follow a log from which something was taken. Proves docs/format.md section 12.18."""

from __future__ import annotations

import pytest

from gitchat.model.names import Oid, RoomName
from gitchat.model.refs import log_ref
from gitchat.rooms.rebuilding import following
from tests.shelf import Shelf
from tests.world import World

LOBBY = RoomName("lobby")
NOW, FAR_AHEAD = 1_800_000_000, 1_950_000_000


@pytest.fixture
def shelf(world: World) -> Shelf:
    """A room of which nothing was said."""
    return Shelf(world)


def stands(shelf: Shelf, log: Oid) -> None:
    """Let the room's log end at ``log``."""
    shelf.store.point(log_ref(LOBBY), log, "a test")


def test_a_position_keeps_what_was_read_whatever_the_clocks_say(shelf: Shelf) -> None:
    """A record of a clock far ahead, which the remote has, below merges that no clock of today dates after it."""
    begin = shelf.genesis()
    ahead = shelf.commit(begin, seconds=FAR_AHEAD)
    accepted = ahead
    for second in range(NOW, NOW + 20, 2):
        other = shelf.commit(begin, author="bob", seconds=second)
        accepted = shelf.commit(accepted, other, kind="merge", seconds=second + 1)
    pending = shelf.commit(begin, author="carol", seconds=NOW + 1)
    stands(shelf, pending)
    position = shelf.commit(pending, ahead, author="dora", kind="cursor", seconds=FAR_AHEAD)
    assert following(shelf.store, LOBBY, position, [accepted, None]) == position


def test_what_was_taken_out_is_in_no_position(shelf: Shelf) -> None:
    """Beside a record that dates alone make a stray: the one goes, and the other stays."""
    begin = shelf.genesis()
    ahead = shelf.commit(begin, seconds=FAR_AHEAD)
    accepted = shelf.commit(ahead, shelf.commit(begin, author="bob", seconds=NOW), kind="merge", seconds=NOW + 1)
    pending = shelf.commit(begin, author="carol", seconds=NOW + 1)
    gone = shelf.commit(pending, author="carol", seconds=NOW + 2)
    stands(shelf, pending)
    position = shelf.commit(gone, ahead, author="dora", kind="cursor", seconds=FAR_AHEAD)
    for out in ((), (gone,)):
        new = following(shelf.store, LOBBY, position, [accepted, None], out)
        assert shelf.store.read(new).parents == (pending, ahead)
