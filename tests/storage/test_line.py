"""The ids of a long line, packed: as a list of them would be."""

from __future__ import annotations

import random

import pytest

from gitchat.storage.line import Oids


@pytest.mark.parametrize("size", [20, 32])
def test_packed_ids_are_what_a_list_is(size: int) -> None:
    """Whatever part of them is asked; and an id is found where it stands, not where two others look like it."""
    chance = random.Random(size)
    ids = [bytes([number]) * size for number in range(1, 9)] + [chance.randbytes(size) for _ in range(20)]
    packed = Oids(b"".join(reversed(ids)), size)
    assert (len(packed), list(packed), packed[-1], packed[3]) == (len(ids), ids, ids[-1], ids[3])
    for start in range(len(ids) + 2):
        for end in (None, start + 5, len(ids) + 7):
            assert packed[start:end] == ids[start:end]
    with pytest.raises(IndexError):
        packed[len(ids)]
    assert [packed.behind(one) for one in ids] == list(range(1, len(ids) + 1))
    assert packed.behind(b"\xff" * size) == 0
    across = (ids[3] + ids[2])[1 : size + 1]
    assert packed.behind(across) == 0
    assert Oids(b"", size)[0:5] == []
