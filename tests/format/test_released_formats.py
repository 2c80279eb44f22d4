"""Rooms written by every released format are still read, number for number. Proves docs/format.md section 9."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitchat.model.names import RoomName
from tests.crash.writers import identity, room_of, writer_of
from tests.format import make_v1, make_v2
from tests.world import World, open_store

HERE = Path(__file__).parent
RELEASES = sorted(path.stem for path in HERE.glob("*.bundle"))


@pytest.mark.parametrize("release", RELEASES)
def test_a_released_room_reads_as_it_did(world: World, release: str) -> None:
    """Every record, field and number of the golden list, and nothing else."""
    repository = world.root / "clone.git"
    world.git("clone", "-q", "--mirror", HERE / f"{release}.bundle", repository)
    expected = json.loads((HERE / f"{release}.json").read_text(encoding="utf-8"))
    entries = list(room_of(open_store(repository), RoomName("vectors")).entries())[::-1]
    told = make_v1.describe if release == "v1" else make_v2.describe
    assert [told(entry) for entry in entries] == expected


def test_a_released_room_can_be_continued(world: World) -> None:
    """The next record gets the next number, and those before it keep theirs."""
    from gitchat.model.record import Draft

    repository = world.root / "clone.git"
    world.git("clone", "-q", "--mirror", HERE / "v1.bundle", repository)
    expected = json.loads((HERE / "v1.json").read_text(encoding="utf-8"))
    room = room_of(open_store(repository), RoomName("vectors"))
    writer = writer_of(open_store(repository), RoomName("vectors"))
    assert writer.send(Draft(body="next"), identity("judy")).entry.number == len(expected) + 1
    assert [entry.oid for entry in room.entries()][:0:-1] == [row["oid"] for row in expected]


@pytest.mark.parametrize("release", RELEASES)
def test_a_released_room_is_numbered_alike_by_the_log_and_the_index(world: World, release: str) -> None:
    """Each number names the same record, whoever is asked: a walk, the index, a handle."""
    repository = world.root / "clone.git"
    world.git("clone", "-q", "--mirror", HERE / f"{release}.bundle", repository)
    expected = json.loads((HERE / f"{release}.json").read_text(encoding="utf-8"))
    room = room_of(open_store(repository), RoomName("vectors"))
    chain = room.chain()
    assert chain.count == len(expected)
    assert [chain.oid_of(row["number"]) for row in expected] == [row["oid"] for row in expected]


def test_what_a_stranger_wrote_moves_no_number_of_ours() -> None:
    """Each of its records is followed by one of ours, and none is left out."""
    rows = json.loads((HERE / "v2.json").read_text(encoding="utf-8"))
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    ours = [row["number"] for row in rows if str(row["body"]).startswith("after the stranger's")]
    assert ours == list(range(ours[0], ours[0] + 2 * len(ours), 2))
    assert len(ours) >= 20
    for field in ("clone", "branch"):
        assert any(row[field] for row in rows), field
    assert {"claim", "release", "poll"} <= {row["kind"] for row in rows}


def test_the_vectors_hold_what_the_format_knows() -> None:
    """The list is worth checking against: merges, a dropped repeat, a kind from the future, every field set once."""
    rows = json.loads((HERE / "v1.json").read_text(encoding="utf-8"))
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["body"] for row in rows].count("hello") == 2
    assert not any("repeated uid" in row["body"] for row in rows)
    for field in ("to", "type", "reply_to", "urgent", "commit", "origin", "media", "seq_hint", "extra"):
        assert any(row[field] for row in rows), field
