"""What a disk keeps whose power goes: by a log of writes that is made up."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from tests.power.__main__ import Acknowledged, faults
from tests.power.disk import FLUSH, FUA, MAGIC, SECTOR, Log


def sector(word: bytes) -> bytes:
    """A sector that begins with a word."""
    return word.ljust(SECTOR, b"\0")


def entry(number: int, data: bytes, flags: int = 0) -> bytes:
    """What a log has of a write."""
    return sector(struct.pack("<QQQQ", number, len(data) // SECTOR, flags, 0)) + data


def test_what_was_flushed_is_there_and_the_rest_may_be(tmp_path: Path) -> None:
    """Of what no flush followed each write may be there, cut or lost, whatever came after it; what is forced is."""
    path, before = tmp_path / "log", tmp_path / "disk"
    writes = [
        entry(0, sector(b"flushed")),
        entry(0, b"", FLUSH),
        entry(1, sector(b"early") + sector(b"and long")),
        entry(3, sector(b"forced"), FUA),
        entry(0, sector(b"anew")),
        entry(4, sector(b"too late")),
    ]
    path.write_bytes(sector(struct.pack("<QQQ", MAGIC, 1, 6)) + b"".join(writes) + bytes(SECTOR))
    log = Log(path)
    assert [write.flags for write in log.writes] == [0, FLUSH, 0, FUA, 0, 0]
    seen = set()
    for seed in range(200):
        before.write_bytes(bytes(5 * SECTOR))
        lost = log.cut(before, 5, random.Random(seed))
        data = before.read_bytes()
        has = tuple(data[place * SECTOR :][:SECTOR].rstrip(b"\0").decode() for place in range(5))
        seen.add(has)
        assert has[0] in ("flushed", "anew")
        assert has[3:] == ("forced", "")
        assert lost == (has[0] != "anew") + (has[2] == "")
    assert {len(has[1]) + len(has[2]) for has in seen} == {0, 5, 13}
    assert len(seen) == 6


def test_what_a_machine_tells_is_held_against_what_was_promised() -> None:
    """Lost, under another number, twice, refused; and what nobody was told of may be there or not."""
    must = [Acknowledged("a-1", "#1", 0), Acknowledged("b-1", "#2", 0)]
    fine = "/dev/vda\nHAS a-1 #1\nHAS b-1 #2\nHAS c-1 #3\nHAS after #4 3\n"
    assert faults(must, fine) == []
    assert faults(must, fine.replace("HAS a-1 #1\n", "")) == ["a-1 #1 is lost"]
    assert faults(must, fine.replace("b-1 #2", "b-1 #3")) == ["b-1 was #2 and is #3"]
    assert faults(must, fine.replace("c-1 #3", "a-1 #1")) == ["a-1 is there 2 times"]
    assert faults(must, fine.replace("after #4 3", "after #4 5") + "PROBLEM git chat verify: x\n") == [
        "PROBLEM git chat verify: x",
        "nothing could be sent then",
    ]
