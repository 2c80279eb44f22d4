"""Who sits on which name. Proves docs/format.md section 7.18."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitchat.model.names import Name
from gitchat.presence import seats
from gitchat.presence.seats import Seats, Sitting


def test_a_file_is_decoded_once_however_many_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a server's 500 names each asks who sits; what another process wrote meanwhile is seen by the next look."""
    here, beside = Seats(tmp_path), Seats(tmp_path)
    with here.turn() as note:
        note({Name(f"n{number}"): Sitting("", number) for number in range(50)})
    reads: list[bytes] = []
    read = seats._read
    monkeypatch.setattr(seats, "_read", lambda data: reads.append(data) or read(data))
    monkeypatch.setattr(seats, "_known", {})  # as of what another process wrote
    assert [here.of(Name(f"n{number}")) for number in range(50)] == [Sitting("", number) for number in range(50)]
    assert len(reads) == 1
    with beside.turn() as note:
        note({Name("n7"): None, Name("n8"): Sitting("s", 8)})
    assert here.of(Name("n7")) is None
    assert here.of(Name("n8")) == Sitting("s", 8)
    assert len(reads) == 1  # what we wrote ourselves is known
    (tmp_path / "seats").write_text(json.dumps({"n8": 3}), encoding="ascii")
    assert not here.all()
