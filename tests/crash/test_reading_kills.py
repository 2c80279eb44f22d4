"""Writers and readers of one clone that are killed at any moment, and started again.

A reader shows what it read, then marks it. Whatever is killed: each acknowledged record is
shown under each name, in the order of the numbers, and a second time only where the reader
was killed before its mark was done. Proves docs/format.md sections 6, 7.7 and 10.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.errors import UserError
from gitchat.verbs.room import Reading, Room
from tests.crash.writers import fork, records, wait_for
from tests.seeds import seeds
from tests.world import World

SENT = 12
"""Records of each writer."""

KILLS = 12
POLL_SECONDS = 0.002
DEADLINE_SECONDS = 60.0
ACTORS = (("write", "alice"), ("write", "erin"), ("read", "bob"), ("read", "bob"), ("read", "carol"))
"""What each process does, and under which name; one bob at a time lives, the other waits for its end."""


class Notes:
    """What processes noted in a file, a line each, safe from their end."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, what: str, value: object) -> None:
        """Append a line and wait for the disk."""
        line = json.dumps([os.getpid(), what, value]).encode() + b"\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, line)
        os.fsync(descriptor)
        os.close(descriptor)

    def size_bytes(self) -> int:
        """How much was noted."""
        return self._path.stat().st_size if self._path.exists() else 0

    def __iter__(self) -> Iterator[tuple[int, str, Any]]:
        if self._path.exists():
            yield from (tuple(json.loads(line)) for line in self._path.read_bytes().splitlines())

    def of(self, what: str) -> list[Any]:
        """The values of one sort of line, the oldest first."""
        return [value for _, kind, value in self if kind == what]


class Stage:
    """A clone in which all of :data:`ACTORS` are at work."""

    def __init__(self, world: World, seed: int) -> None:
        self.path = world.repository()
        world.git("config", "chat.fsync", "false", cwd=self.path)
        self.notes = {name: Notes(world.root / f"{name}.notes") for _, name in ACTORS}
        self._world = world
        self._chance = random.Random(seed)
        self._pids: list[int] = []

    def play(self) -> None:
        """Let all work, kill and replace one after the other, and end when all is sent and shown."""
        self._pids = [self._start(place) for place in range(len(ACTORS))]
        try:
            for _ in range(KILLS):
                place = self._chance.randrange(len(ACTORS))
                self._let_live(place)
                self._kill(self._pids[place])
                self._pids[place] = self._start(place)
            self._wait(lambda: all(len(self.notes[name].of("sent")) >= SENT for name in ("alice", "erin")))
            count = len(records(self.path / ".git"))
            self._wait(lambda: all(shown(self.notes[name]) >= set(range(1, count + 1)) for name in ("bob", "carol")))
        finally:
            for pid in self._pids:
                self._kill(pid)

    def _start(self, place: int) -> int:
        what, name = ACTORS[place]
        act = write if what == "write" else read
        return fork(lambda: act(Room(self._world.environment(self.path), None, name), self.notes[name]))

    def _let_live(self, place: int) -> None:
        """Wait until a random moment in the life of a process; most of them soon after it noted something.

        Then a writer begins to send, and a reader, which has just shown something, to mark it.
        """
        notes = self.notes[ACTORS[place][1]]
        size, end = notes.size_bytes(), time.monotonic() + self._chance.uniform(0, 0.08)
        while notes.size_bytes() == size and time.monotonic() < end:
            select.select([], [], [], POLL_SECONDS / 4)
        select.select([], [], [], self._chance.choice((0, 0.001, 0.002, 0.005)))

    def _kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        assert wait_for([pid]) == [-signal.SIGKILL], "it had ended by itself: see its error above"

    def _wait(self, is_reached: Callable[[], bool]) -> None:
        end = time.monotonic() + DEADLINE_SECONDS
        while not is_reached():
            assert time.monotonic() < end, {name: list(notes)[-3:] for name, notes in self.notes.items()}
            select.select([], [], [], POLL_SECONDS)


def write(room: Room, notes: Notes) -> None:
    """Send what those before me under this name have not sent, and wait for the end."""
    for turn in range(len(notes.of("sent")), SENT):
        text = f"{room.me} {turn} of process {os.getpid()}"
        notes.add("sent", [room.send(text).number, text])
    while True:
        signal.pause()


def read(room: Room, notes: Notes) -> None:
    """Live under my name, and read; while another process lives under it, look on."""
    while not joined(room):
        look_on(room, notes)
    while True:
        reading = room.unread(random.randint(1, 4))
        if reading.entries:
            notes.add("shown", [[entry.number, entry.record.body] for entry in reading.entries])
            assert room.mark(reading).is_marked
            notes.add("marked", reading.entries[-1].number)
        else:
            select.select([], [], [], POLL_SECONDS)


def joined(room: Room) -> bool:
    """Try to live under the room's name."""
    if holder(room) is not None:
        return False
    try:
        room.join()
    except UserError as error:
        if error.code != "name-taken":
            raise
        return False
    return True


def holder(room: Room) -> int | None:
    """The process that lives under the name."""
    known = room.environment.roll.find(room.me)
    return known.holder.pid if known and known.is_living and known.holder else None


def is_holding(pid: int, room: Room) -> bool:
    """Whether the process that lived under the name before has lived under it all the time.

    For an instant its successor's lock stands beside its own id, but only after the dead was waited for.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return holder(room) == pid


def look_on(room: Room, notes: Notes) -> None:
    """Try to mark under a name that another process holds; note it when that was possible."""
    before = holder(room)
    reading: Reading = room.unread(1)
    # Without a reason not to mark, marking would be right if the holder has just ended: then nothing is tried.
    tried = room.mark(reading) if reading.why_not is not None else reading
    if before is not None and is_holding(before, room) and (tried.is_marked or tried.why_not is None):
        notes.add("marked beside its holder", before)
    select.select([], [], [], POLL_SECONDS)


def shown(notes: Notes) -> set[int]:
    """All numbers that were shown."""
    return {number for batch in notes.of("shown") for number, _ in batch}


def faults(notes: Notes, texts: dict[int, str]) -> list[str]:
    """What is wrong with what was shown under one name, in words."""
    found = [f"marked beside process {pid}" for pid in notes.of("marked beside its holder")]
    marked, last = 0, dict[int, int]()
    for pid, what, value in notes:
        if what == "marked":
            marked = value
        elif what == "shown":
            numbers = [number for number, _ in value]
            if numbers != sorted(set(numbers)) or numbers[0] <= max(marked, last.get(pid, 0)):
                found.append(f"{numbers} shown by {pid}, which had shown {last.get(pid)}; {marked} was marked")
            found += [f"#{number} shown as {text!r}" for number, text in value if texts[number] != text]
            last[pid] = numbers[-1]
    return found


@pytest.mark.parametrize("seed", seeds(5, 20, 200))
def test_each_acknowledged_record_is_shown_whoever_is_killed(world: World, seed: int) -> None:
    """Under each name, in order, once; again only after a kill before the end of the mark."""
    stage = Stage(world, seed)
    stage.play()
    texts = {int(entry.number or 0): entry.record.body for entry in records(stage.path / ".git")}
    sent = [tuple(pair) for name in ("alice", "erin") for pair in stage.notes[name].of("sent")]
    assert [(number, text) for number, text in sent if texts.get(number) != text] == []
    assert len(set(texts.values())) == len(texts)
    for name in ("bob", "carol"):
        assert shown(stage.notes[name]) == set(texts)
        assert faults(stage.notes[name], texts) == []
