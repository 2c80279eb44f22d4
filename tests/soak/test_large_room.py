"""A room of 100,000 records: its size, and what reading its end costs. Run by make soak."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitchat.model import codec
from gitchat.model.names import Oid, uid_from_random
from gitchat.model.query import Query
from gitchat.model.record import Moment, Record
from gitchat.model.refs import log_ref
from gitchat.model.signature import Signature
from gitchat.storage import git, packing
from gitchat.storage.store import Store
from tests.crash.writers import ROOM, room_of, say
from tests.rooms.test_log import CountingBackend
from tests.world import World, open_store

PACK_EVERY = 512


def append(store: Store, tip: Oid | None, start: int, count: int) -> Oid:
    """A chain of records, as so many sends would have written it. One in ten asks, and the next one answers."""
    tree = store.empty_tree()
    tip = tip or store.write_commit(codec.encode_genesis(ROOM, tree))
    for number in range(start + 1, start + count + 1):
        text = f"message {number}: " + " ".join(f"word{(number * 7919 + place * 104729) % 5000}" for place in range(20))
        moment = Moment(1_790_000_000 + number)
        record = Record(
            kind="message", uid=uid_from_random(number.to_bytes(10, "little")), author=f"agent-{number % 7}",
            email="agent@example.com", written=moment, body=text[:200], seq_hint=number,
            type="question" if number % 10 == 5 else "progress",
            reply_to=uid_from_random((number - 1).to_bytes(10, "little")) if number % 10 == 6 else None,
        )  # fmt: skip
        committer = Signature("Alice", "alice@example.com", moment)
        tip = store.write_commit(codec.encode_record(record, tree=tree, parent=tip, committer=committer))
    return tip


@pytest.mark.soak
def test_a_hundred_thousand_records_stay_small_and_quick(world: World) -> None:
    """Under 350 bytes a record, few packs, and the end costs as many reads as that of a short room."""
    common_dir = world.repository() / ".git"
    theirs = Oid(world.git("hash-object", "-w", "--stdin", cwd=common_dir, stdin=b"unreachable").stdout.strip())
    reads = []
    for target, have in ((1_000, 0), (100_000, 1_001)):
        grow_to(world, common_dir, have, target)
        store = open_store(common_dir, fsync=False)
        say(store, f"after {target}")
        counting = CountingBackend(store.backend)
        store.backend = counting  # type: ignore[assignment]
        listing = room_of(store).listing(Query(), 50)
        assert len(listing.entries) == 50
        reads.append(counting.reads)
    assert reads[0] == reads[1] == 50
    sizes = [path.stat().st_size for path in (common_dir / "objects" / "pack").iterdir()]
    print(f"{sum(sizes) / 100_000:.0f} bytes a record in {len(sizes) // 2} packs")
    assert sum(sizes) / 100_000 < 350
    assert len(sizes) // 2 <= 12
    assert packing.is_loose(common_dir, theirs)
    assert packing.loose_path(common_dir, theirs).exists()


def grow_to(world: World, common_dir: Path, have: int, target: int) -> None:
    """Grow the room from ``have`` records to ``target``."""
    store = open_store(common_dir, fsync=False)
    for start in range(have, target, PACK_EVERY):
        count = min(PACK_EVERY, target - start)

        def build(tip: Oid | None, start: int = start, count: int = count) -> Oid:
            return append(store, tip, start, count)

        store.move(log_ref(ROOM), build, "grow")
        store.pack(git.scrub(world.variables))
