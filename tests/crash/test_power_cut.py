"""A power cut: what was not synced may be as it was, cut off at any length, or not there. Acknowledged records stay."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitchat.model.record import Draft
from gitchat.model.refs import log_ref, tracking_ref
from gitchat.quick import booted, noted
from gitchat.rooms.aftermath import settle
from gitchat.storage.store import Store
from tests.crash.test_flight import always_beside
from tests.crash.writers import ROOM, identity, records, say
from tests.quick.test_append import no_quick_way
from tests.world import World, open_store, open_writer

TEXTS = ["one", "two", "three", "four"]


class Disk:
    """The files of a git directory: as they were at a moment, as they are, and which of them were synced since."""

    def __init__(self, common_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._common_dir = common_dir
        self.before = self._files()
        self.after = self.before
        self._synced: dict[str, int] = {}
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._noting(getattr(os, name)))

    def _noting(self, sync):  # type: ignore[no-untyped-def]
        def noted(descriptor: int) -> None:
            sync(descriptor)
            path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            if self.after is self.before and path.is_file() and path.is_relative_to(self._common_dir):
                self._synced[path.relative_to(self._common_dir).as_posix()] = path.stat().st_size

        return noted

    def _files(self) -> dict[str, bytes]:
        found = (path for path in self._common_dir.rglob("*") if path.is_file())
        return {path.relative_to(self._common_dir).as_posix(): path.read_bytes() for path in found}

    def look(self) -> None:
        """Take what is there now for what was written."""
        self.after = self._files()

    def states(self, name: str, step: int) -> Iterator[bytes | None]:
        """What a file may be after the cut: None is that it is not there."""
        new = self.after.get(name)
        if name in self._synced:
            assert new is not None
            assert self._synced[name] == len(new)
            yield new
            return
        yield self.before.get(name)
        if new is not None:
            lengths = {*range(0, len(new), step), 1, len(new) - 1, len(new)}
            yield from (new[:length] for length in sorted(lengths))
            yield bytes(len(new))

    def changed(self) -> list[str]:
        """The files that are not as they were."""
        return sorted(name for name in {*self.before, *self.after} if self.before.get(name) != self.after.get(name))

    def cuts(self, step: int) -> Iterator[dict[str, bytes | None]]:
        """For each file each of its states, while the others are all as they were, or all as they were written."""
        changed = self.changed()
        ends = {name: (next(iter(self.states(name, step))), list(self.states(name, step))[-2:][0]) for name in changed}
        for name, others in itertools.product(changed, (0, 1)):
            for state in self.states(name, step):
                yield {other: ends[other][others] for other in changed} | {name: state}

    def put(self, cut: dict[str, bytes | None]) -> None:
        """Let the files be so."""
        for name in {*self._files(), *self.after} - {*self.after}:
            (self._common_dir / name).unlink()
        for name, content in (self.after | cut).items():
            path = self._common_dir / name
            if content is None:
                path.unlink(missing_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_bytes(content)


TRACKING = tracking_ref("origin", log_ref(ROOM))


def written(
    world: World, monkeypatch: pytest.MonkeyPatch, *, is_tracked: bool = False, beside: bool = False
) -> tuple[Path, Disk]:
    """A clone in which one record is on the disk, and three were acknowledged since.

    Where it ``is_tracked``, a remote has one more, and the three wait for their numbers. ``beside`` others each writer
    had to wait for its turn.
    """
    common_dir = world.repository() / ".git"
    first = say(open_store(common_dir), TEXTS[0])
    store = open_store(common_dir)
    writer = open_writer(store, tracking=TRACKING if is_tracked else None)
    if is_tracked:
        store.point(TRACKING, first.entry.oid, "a remote has it")
        writer.send(Draft(body=TEXTS[1]), identity("bob"))
        assert store.end(ROOM) is not None
    if beside:
        always_beside(monkeypatch)
    disk = Disk(common_dir, monkeypatch)
    for text in TEXTS[2 if is_tracked else 1 :]:
        writer.send(Draft(body=text), identity("bob"))
    disk.look()
    return common_dir, disk


def losses(common_dir: Path, disk: Disk, step: int) -> tuple[int, list[str]]:
    """How many cuts there are, and of which of them something is lost, in words."""
    lost, cuts = [], list(disk.cuts(step))
    for cut in cuts:
        disk.put(cut)
        (common_dir / "chatroom" / booted.FILE).write_text("another start", encoding="ascii")
        shown = {name: None if content is None else len(content) for name, content in cut.items()}
        try:
            store = open_store(common_dir)
            settle(store)
            found = [(entry.number, entry.record.body) for entry in records(common_dir)]
            if found != list(enumerate(TEXTS, 1)) or say(store, "next").entry.number != len(TEXTS) + 1:
                lost.append(f"{shown}: {found}")
        except Exception as error:  # whatever it is, it is the loss that is looked for
            lost.append(f"{shown}: {error!r}")
    return len(cuts), lost


@pytest.mark.parametrize(
    ("step", "is_tracked", "beside"),
    [
        (200, False, False),
        (400, True, False),
        (300, False, True),
        pytest.param(17, False, False, marks=pytest.mark.slow),
        pytest.param(17, False, True, marks=pytest.mark.soak),
    ],
)
def test_what_was_acknowledged_survives_a_power_cut(
    world: World, monkeypatch: pytest.MonkeyPatch, step: int, is_tracked: bool, beside: bool
) -> None:
    """Every file that was not synced, at every length: the records are there with their numbers, and one follows."""
    common_dir, disk = written(world, monkeypatch, is_tracked=is_tracked, beside=beside)
    assert {"chatroom/journal", f"refs/chatroom/rooms/{ROOM}/log"} <= {*disk.changed()}
    count, lost = losses(common_dir, disk, step)
    assert count > 30
    assert not lost, f"{len(lost)} of {count}: {lost[:3]}"
    world.git("fsck", "--strict", "--no-dangling", cwd=common_dir)


def test_what_a_prune_took_survives_a_power_cut(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The long way has the objects on the disk; a prune that began before takes them: the journal has them."""
    monkeypatch.setattr(Store, "append", no_quick_way)
    common_dir, disk = written(world, monkeypatch)
    pruned = {name: None for name in disk.changed() if name.startswith("objects/")}
    assert len(pruned) == len(TEXTS) - 1
    journals = list(disk.states("chatroom/journal", 50))
    for journal in journals:
        disk.put({**pruned, "chatroom/journal": journal})
        (common_dir / "chatroom" / booted.FILE).write_text("another start", encoding="ascii")
        settle(open_store(common_dir))
        assert [entry.record.body for entry in records(common_dir)] == TEXTS
    assert len(journals) == 1, "it is synced"


@pytest.mark.parametrize("beside", [False, True])
def test_a_sync_that_is_left_out_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch, beside: bool) -> None:
    """Without the journal's sync this test's own cuts lose something: it can fail."""
    monkeypatch.setattr(noted, "sync", lambda descriptor: None)
    common_dir, disk = written(world, monkeypatch, beside=beside)
    _, lost = losses(common_dir, disk, 400)
    assert any("chatroom/journal" in one for one in lost)
