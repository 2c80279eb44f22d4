"""Files of ours that are asked for at each call: read again where they are other ones, whoever wrote them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gitchat.model.names import CloneId, Name
from gitchat.model.participant import Holder, Presence
from gitchat.presence.clonefile import CloneFile, Seen
from gitchat.presence.defaults import Defaults
from gitchat.presence.roll import Roll

HOLDER = Holder(pid=4242, host="box", worktree="/home/al/parser", branch="fix", client="codex", session="s-1")
NOW = 2_000_000_000


def test_which_clone_it_is_is_read_again_when_somebody_changed_that(tmp_path: Path) -> None:
    """Another process gives the clone an id, and a new one; without the file it has none."""
    here, other = CloneFile(tmp_path), CloneFile(tmp_path)
    assert here.read() is None
    for clone in (CloneId("a" * 16), CloneId("b" * 16)):
        seen = Seen(clone, (other.place(),))
        with other.turn():
            other.write(seen)
        assert here.read() == seen
        assert here.read() is here.read()
    (tmp_path / "chatroom" / "clone").unlink()
    assert here.read() is None


def test_a_default_name_that_another_process_gave_is_known(tmp_path: Path) -> None:
    """One is noted, a second one behind it, and all are given back."""
    here, other = Defaults(tmp_path), Defaults(tmp_path)
    assert here.given("codex", ".") == []
    other.note(Name("codex-r"), "codex", ".")
    assert here.given("codex", ".") == ["codex-r"]
    other.note(Name("codex-r-2"), "codex", ".")
    assert here.given("codex", ".") == ["codex-r", "codex-r-2"]
    other.forget(Name("codex-r"))
    assert here.given("codex", ".") == ["codex-r-2"]


def test_whose_name_was_taken_last_is_asked_again_when_a_file_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing changes no file is read; a name that is taken by anybody is noticed, and so is one just now."""
    roll, other = Roll(tmp_path, wait_seconds=0), Roll(tmp_path, wait_seconds=0)
    looked: list[int] = []
    everybody = Roll.everybody

    def counted(self: Roll) -> Iterator[Presence]:
        looked.append(1)
        return everybody(self)

    monkeypatch.setattr(Roll, "everybody", counted)

    def is_ours(presence: Presence) -> bool:
        return presence.holder is not None and presence.holder.session == "s-1"

    def last() -> str | None:
        found = roll.taken_last(is_ours, NOW)
        return found.name if found is not None else None

    def age() -> None:
        for path in (tmp_path / "live").iterdir():
            os.utime(path, (1_700_000_000, 1_700_000_000))

    held = other.hold(Name("ann"), HOLDER, NOW - 100)
    age()
    assert [last(), last(), last()] == ["ann"] * 3
    assert len(looked) == 1
    second = other.hold(Name("bob"), HOLDER, NOW - 50)
    assert last() == "bob"
    age()
    assert [last(), last()] == ["bob"] * 2  # of two the one that lives counts, which no file tells: they are read
    assert len(looked) == 4
    second.release()
    other.hold(Name("bob"), replace(HOLDER, session="s-2"), NOW - 10)
    age()
    assert [last(), last()] == ["ann"] * 2
    assert len(looked) == 5
    os.utime(tmp_path / "live" / "ann", (NOW, NOW))
    assert [last(), last()] == ["ann"] * 2  # it may change again within the same tick of the clock
    assert len(looked) == 7
    held.release()
