"""Whatever is done through whichever face on one clone: it is what Room alone gives.

A simulation proves nothing until it can fail: a rule that is taken out of a face, or of the core, must be missed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gitchat.serve import entering, holdings
from tests.serve.faces import Alone, Mismatch, alike, read_of

STEPS = 45


@pytest.fixture(autouse=True)
def names_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine under load, too, a name lives from one request to the next."""
    monkeypatch.setattr(holdings, "LIVES_SECONDS", 3600.0)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_faces_on_one_clone_give_what_room_alone_gives(tmp_path: Path, seed: int) -> None:
    """Who sends, reads, marks, joins, leaves, opens and closes under which name, through which face, in any order."""
    with alike(tmp_path, seed) as both:
        both.run(STEPS)


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["who lives under a name", "own records of the contract", "who may mark"])
def test_a_rule_that_one_face_has_alone_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    """Taken out of the server over HTTP, which runs in this process, while Room keeps it; or the other way round."""
    if rule == "who lives under a name":
        monkeypatch.setattr(entering, "refuse_other", lambda chat: None)
    elif rule == "own records of the contract":
        monkeypatch.setattr(Alone, "_look", lambda self, face, room: read_of(room.unread().entries))
    else:
        monkeypatch.setattr(Alone, "_take", lambda self, face, room: read_of(room.read(force=True).entries))
    assert any(_notices(tmp_path / str(seed), seed) for seed in range(4))


def _notices(root: Path, seed: int) -> bool:
    root.mkdir()
    with alike(root, seed) as both:
        try:
            both.run(STEPS)
        except Mismatch:
            return True
    return False
