"""Who sits on which name. Proves docs/format.md section 7.18."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from gitchat.model.names import Name
from gitchat.presence import seats
from gitchat.presence.seats import Seats, Sitting
from gitchat.storage.ownfiles import OwnFile


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


def test_a_file_is_written_as_json_writes_it(tmp_path: Path) -> None:
    """With an indent of one, which the quick way knows again."""
    sitting = {"ann": Sitting('s "1"', 5), "bob": Sitting("", 7, is_person=True)}
    for known in ({}, sitting):
        content = {name: asdict(one) for name, one in known.items()}
        found = {Name(name): one for name, one in known.items()}
        assert seats._encoded(found).decode() == json.dumps(content, indent=1) + "\n"


class _Clock:
    """A clock that stands until it is put forward."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_a_file_is_read_again_until_no_change_can_look_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two changes in one tick of the file system are told apart by reading; later ones by how the file looks."""
    clock, opened = _Clock(), list[str]()
    monkeypatch.setattr(seats, "time", clock)
    read = OwnFile.read
    monkeypatch.setattr(OwnFile, "read", lambda self, size: opened.append(self.name) or read(self, size))
    file, here = tmp_path / "seats", Seats(tmp_path)

    def put(session: str, seconds: int) -> None:
        content = {"bob": {"session": session, "used": 7, "is_person": False}}
        file.write_text(json.dumps(content), encoding="ascii")
        os.utime(file, (seconds, seconds))

    def sits() -> str:
        return here.all()[Name("bob")].session

    put("one", 50)
    assert sits() == "one"
    put("two", 50)
    assert here.look() == Seats(tmp_path).look()
    assert sits() == "two", "it looks as before"
    clock.now += 3
    assert sits() == "two"
    opened.clear()
    assert [sits(), Seats(tmp_path).of(Name("bob")), sits()] == ["two", Sitting("two", 7), "two"]
    assert opened == []
    put("six", 51)
    assert sits() == "six"
    assert opened == ["seats"]
    file.unlink()
    assert here.all() == {}
