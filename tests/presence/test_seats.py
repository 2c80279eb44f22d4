"""Who sits on which name. Proves docs/format.md section 7.18."""

from __future__ import annotations

import json
from pathlib import Path

from gitchat.model.names import Name
from gitchat.presence import seats
from gitchat.presence.seats import Seats, Sitting


def test_the_same_file_is_decoded_once_however_many_ask(tmp_path: Path) -> None:
    """Of a server's 500 names each asks who sits; what another process wrote meanwhile is seen by the next look."""
    here, beside = Seats(tmp_path), Seats(tmp_path)
    with here.turn() as note:
        note({Name(f"n{number}"): Sitting("", number) for number in range(50)})
    seats._decoded.cache_clear()
    assert [here.of(Name(f"n{number}")) for number in range(50)] == [Sitting("", number) for number in range(50)]
    assert seats._decoded.cache_info().misses == 1
    with beside.turn() as note:
        note({Name("n7"): None, Name("n8"): Sitting("s", 8)})
    assert here.of(Name("n7")) is None
    assert here.of(Name("n8")) == Sitting("s", 8)
    (tmp_path / "seats").write_text(json.dumps({"n8": 3}), encoding="ascii")
    assert not here.all()
