"""Nobody counts a log, or asks the index, while others wait for the write lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gitchat.index.database import Index
from gitchat.model.names import Oid, RefName
from gitchat.model.record import Draft, Moment
from gitchat.model.refs import log_ref, tracking_ref
from gitchat.quick.unusual import Unusual
from gitchat.rooms.writing import Writer
from gitchat.storage import gate
from tests.rooms.test_log import ALICE, ROOM, START, Bench
from tests.world import World, open_writer

LONG = 300


class Watched:
    """A room of ``LONG`` records that nobody has counted, and what is done in it while the write lock is held."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch, *, tracked: bool) -> None:
        self.bench = Bench(world.repository() / ".git")
        self.bench.grow(LONG)
        self.store = self.bench.store
        self.tracking = tracking_ref("origin", log_ref(ROOM)) if tracked else None
        if self.tracking is not None:
            self.store.point(self.tracking, self.tip(), "as fetched")
        self.reads = 0
        self.catch_ups = 0
        self._is_held = False
        self._moved_by: list[Oid] = []
        hold, chain = gate.hold, Index.chain

        @contextmanager
        def watched(*arguments: Any, **named: Any) -> Iterator[gate.Gate]:
            with hold(*arguments, **named) as held:
                before, self._is_held = self.bench.counting.reads, True
                try:
                    yield held
                finally:
                    self._is_held = False
                    self.reads = max(self.reads, self.bench.counting.reads - before)

        def asked(index: Index, *arguments: Any, **named: Any) -> Any:
            self.catch_ups += self._is_held
            return chain(index, *arguments, **named)

        monkeypatch.setattr(gate, "hold", watched)
        monkeypatch.setattr(Index, "chain", asked)
        monkeypatch.setattr(self.store, "append", self._no_quick_way)

    def _no_quick_way(self, *arguments: object, **named: object) -> None:
        raise Unusual

    def tip(self) -> Oid:
        """Where the log ends."""
        tip = self.store.room_tip(ROOM)
        assert tip is not None
        return tip

    def writer(self) -> Writer:
        """What adds to the room."""
        tracking: RefName | None = self.tracking
        return open_writer(self.store, ROOM, clock=lambda: Moment(START), tracking=tracking)


@pytest.mark.parametrize("key", [None, "mine"])
@pytest.mark.parametrize("tracked", [False, True])
def test_the_first_record_in_a_long_log_keeps_the_lock_for_a_moment(
    world: World, monkeypatch: pytest.MonkeyPatch, tracked: bool, key: str | None
) -> None:
    """A log that nobody counted, with a remote and without, with a key and without: a few reads, and no index."""
    watched = Watched(world, monkeypatch, tracked=tracked)
    sent = watched.writer().send(Draft(body="at last"), ALICE, key=key)
    assert sent.entry.number == (None if tracked else LONG + 1)
    assert watched.reads <= 8
    assert watched.catch_ups == 0
    again = watched.writer().send(Draft(body="at last"), ALICE, key=key or "another")
    assert again.is_repeat is (key is not None)
    assert watched.catch_ups == 0


def test_who_comes_too_late_again_and_again_gets_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that moves the log after each look costs that writer looks, and then it counts under the lock, once."""
    watched = Watched(world, monkeypatch, tracked=False)
    move, moves = watched.store.move, 0

    def move_late(*arguments: Any) -> Oid:
        nonlocal moves
        moves += 1
        watched.bench.set_tip(watched.bench.commit(watched.tip(), body=f"theirs {moves}", uid=f"{moves:016}"))
        return move(*arguments)

    monkeypatch.setattr(watched.store, "move", move_late)
    assert watched.writer().send(Draft(body="ours"), ALICE).entry.number == LONG + moves + 1
    assert moves == 4
    assert watched.reads > LONG
