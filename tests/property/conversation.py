"""A conversation as it may come about: who writes, who reads, and whether each sees what it must.

The log of one room grows by records and by merges, in a real repository; two clones of it,
which are two rooms of that repository, are read under the same names. Every reading is
compared with what a ledger of plain sets and lists says.
"""

from __future__ import annotations

import random

from gitchat.index.condition import Condition
from gitchat.model.names import Oid, RoomName, uid_from_random
from gitchat.model.record import Moment, Record
from gitchat.model.refs import cursor_ref, log_ref
from gitchat.verbs.room import Reading, Room
from tests.property.ledger import ROLES, Key, Ledger, Said
from tests.shelf import Shelf
from tests.world import World

HERE, THERE = RoomName("here"), RoomName("there")
"""Two clones. The log grows here; there it follows, later."""

AUTHORS = ("alice", "bob", "carol", "dora", "erin")
CLOCKS = {"alice": 0, "bob": -3600, "carol": 45, "dora": -20, "erin": 600}
"""How far each author's machine is off, in seconds."""

START = 1_800_000_000
"""Seconds since the epoch when it begins. No test reads the real clock: a seed is the same conversation for ever."""

COPIES = 0.12
"""How many records are sent twice: the same uid and author, another commit."""


class Mismatch(AssertionError):
    """A reader saw something else than the ledger says."""


def expect(found: object, wanted: object, what: str) -> None:
    """Raise Mismatch unless both are equal."""
    if found != wanted:
        raise Mismatch(f"{what}: found {found}, wanted {wanted}")


class Writers:
    """Whoever adds to the log: the clone here, and others whose lines it merges."""

    def __init__(self, shelf: Shelf, chance: random.Random, *, is_clamped: bool, is_swapped: bool) -> None:
        """``is_clamped`` keeps committer dates in order; ``is_swapped`` merges with the log as the last parent."""
        self.ledger = Ledger()
        self._shelf = shelf
        self._chance = chance
        self._is_clamped = is_clamped
        self._is_swapped = is_swapped
        self._turn = 0
        root = self.ledger.add(shelf.genesis(), ())
        self._seconds = {root: 0}
        self.tips = [root]
        """Of the log here, one after the other."""
        self._sides: list[Oid] = []
        """The newest commits of lines of others."""

    def grow(self) -> list[Oid]:
        """Let the log, or a line beside it, become longer, and return the lines that were merged into the log."""
        self._turn += 1
        step = self._chance.choices(("add", "branch", "extend", "cross", "merge"), (5, 3, 2, 1, 4))[0]
        if step == "add" or len(self.tips) == 1:
            self.tips.append(self._line(self.tips[-1]))
        elif step == "branch" or not self._sides:
            self._sides.append(self._line(self._chance.choice(self.tips[-4:])))
        elif step == "extend":
            self._sides.append(self._line(self._taken(1)[0]))
        elif step == "cross":
            self._cross()
        else:
            return self._merge()
        return []

    def _line(self, parent: Oid) -> Oid:
        author = self._chance.choice(AUTHORS)
        for _ in range(self._chance.randint(1, 4)):
            parent = self._record(parent, author)
        return parent

    def _record(self, parent: Oid, author: str) -> Oid:
        kind = self._chance.choices(("message", "status", "claim", "meta", "poll"), (16, 3, 1, 1, 1))[0]
        to = self._chance.choice(((), (), (), ("bob",), ("carol", "alice"), ("role:review",), ("role:build",)))
        uid = uid_from_random(self._chance.randbytes(10))
        said = Said((uid, author), kind, to)
        known = [other for other in self.ledger.said.values() if other]
        if known and self._chance.random() < COPIES:
            said = self._chance.choice(known[-12:])
        return self._commit((parent,), said)

    def _commit(self, parents: tuple[Oid, ...], said: Said | None = None) -> Oid:
        author = said.key[1] if said else self._chance.choice(AUTHORS)
        # Several commits in each second, as agents write them.
        clock = START + self._turn // 3 + CLOCKS[author]
        earliest = max(self._seconds[parent] for parent in parents) if self._is_clamped else 0
        seconds = max(clock, earliest)
        oid = self._shelf.commit(
            *parents, author=author, uid=said.key[0] if said else "", kind=said.kind if said else "merge",
            to=said.to if said else (), seconds=seconds, written=clock - self._chance.randint(0, 9),
            body=f"text {len(self.ledger.said)}",
        )  # fmt: skip
        self._seconds[oid] = seconds
        return self.ledger.add(oid, parents, said)

    def _taken(self, count: int) -> list[Oid]:
        """Some of the lines beside the log, which are then no longer there."""
        taken = self._chance.sample(self._sides, min(count, len(self._sides)))
        self._sides = [side for side in self._sides if side not in taken]
        return taken

    def _cross(self) -> None:
        """Two lines merge each other, or one merges the log as another clone would: its own commits first."""
        one, other = [*self._taken(2), self.tips[-1]][:2]
        self._sides += [self._commit((one, other)), *([self._commit((other, one))] if other != self.tips[-1] else [])]

    def _merge(self) -> list[Oid]:
        """The log takes in one to three lines, which may go on afterwards."""
        tip = self.tips[-1]
        sides = [side for side in self._taken(self._chance.randint(1, 3)) if side not in self.ledger.reach[tip]]
        if sides:
            parents = (*sides, tip) if self._is_swapped else (tip, *sides)
            self.tips.append(self._commit(parents))
            self._sides += [side for side in sides if self._chance.random() < 0.3]
        return sides


class Reader:
    """A name in one clone, and what the ledger says that it has read."""

    def __init__(self, room: Room, shelf: Shelf, ledger: Ledger) -> None:
        self.room = room
        self.name = room.me
        self._shelf = shelf
        self._ledger = ledger
        self._read: set[Key] = set()
        self._got: list[Key] = []
        self._told: set[Key] = set()
        """Read under this name elsewhere, or skipped."""

    @property
    def value(self) -> Oid | None:
        """What the cursor's ref points to."""
        return self._shelf.store.tip(cursor_ref(self.room.name, self.name))

    def numbered(self) -> list[Said]:
        """All records here."""
        tip = self._shelf.store.room_tip(self.room.name)
        said = [self._ledger.said[oid] for oid in self._ledger.numbered(tip).values()] if tip else []
        return [one for one in said if one]

    def unread(self, limit: int | None = None, author: str | None = None) -> Reading:
        """What the room says is unread, found to be what the ledger says."""
        matching = Condition("author = ?", (author,)) if author else None
        reading = self.room.unread(limit, matching=matching)
        said = self.numbered()
        unread = {number: one for number, one in enumerate(said, 1) if one.key not in self._read}
        visible = [n for n, one in unread.items() if one.reaches(self.name) and author in (None, one.key[1])]
        shown = visible[:limit]
        expect(list(reading.backlog.numbers), list(unread), f"unread of {self.name} {self.room.name}")
        expect([entry.number for entry in reading.entries], shown, "read")
        expect([_key(entry.record) for entry in reading.entries], [unread[n].key for n in shown], "keys")
        expect(reading.left, len(visible) - len(shown), "left")
        expect(reading.statuses, sum(one.kind == "status" and not one.to for one in unread.values()), "statuses")
        expect(reading.last_read, next(iter(unread), len(said) + 1) - 1, "last read")
        return reading

    def read(self, limit: int | None, count: int) -> None:
        """Read up to ``limit`` and mark the first ``count`` of that."""
        reading, before = self.unread(limit), self.value
        marked = self.room.mark(reading, count)
        entries = reading.entries[:count]
        if entries:
            keys = [_key(entry.record) for entry in entries]
            expect(sorted(set(keys) & set(self._got)), [], f"read twice by {self.name}")
            self._got += keys
            self._pass_over(entries[-1].number or 0)
            expect(marked.is_marked, True, "marked")
        self._check_forward(before)
        expect(marked.last_read, self.unread().last_read, "last read after marking")

    def peek(self, author: str) -> None:
        """Read what ``author`` wrote, which marks nothing."""
        before = self.value
        marked = self.room.mark(self.unread(author=author))
        expect((marked.is_marked, self.value), (False, before), "peek")

    def skip(self, number: int) -> None:
        """Take the first ``number`` records for read."""
        before = self.value
        self.room.set_cursor(number)
        self._told |= {one.key for one in self.numbered()[:number]}
        self._pass_over(number)
        self._check_forward(before)

    def learn(self, value: Oid) -> None:
        """Take in a cursor of this name from elsewhere, as whoever fetches it does."""
        old = self.value
        ledger = self._ledger
        if old is not None and value not in ledger.reach[old]:
            value = value if old in ledger.reach[value] else self._join(old, value)
        elif old is not None:
            value = old
        self._shelf.store.move(cursor_ref(self.room.name, self.name), lambda _: value, "fetched")
        self._told |= ledger.keys(value)
        self._read |= ledger.keys(value)

    def finish(self) -> None:
        """Read what is left; in the end everything for this name was read once, or was told."""
        self.read(None, len(self.numbered()))
        missed = [one.key for one in self.numbered() if one.reaches(self.name)]
        expect([key for key in missed if key not in self._told.union(self._got)], [], f"missed by {self.name}")

    def _join(self, *values: Oid) -> Oid:
        seconds = max(self._shelf.store.step(value).seconds for value in values)
        return self._ledger.add(self._shelf.commit(*values, kind="cursor", seconds=seconds), values)

    def _pass_over(self, number: int) -> None:
        self._read |= {one.key for one in self.numbered()[:number]}

    def _check_forward(self, before: Oid | None) -> None:
        value = self.value
        if value is not None and value not in self._ledger.reach:
            self._ledger.add(value, self._shelf.store.step(value).parents)
        if value is not None and before is not None:
            expect(before in self._ledger.reach[value], True, f"{value} continues {before}")


def _key(record: Record) -> Key:
    return record.uid, record.author


class Conversation:
    """Writers, readers in two clones, and the steps they take by chance."""

    def __init__(self, world: World, seed: int, *, is_clamped: bool = True, is_swapped: bool = False) -> None:
        """The two flags are those of :class:`Writers`; turned, they are mistakes that must be noticed."""
        self._shelf = Shelf(world)
        self._chance = random.Random(seed)
        path = self._shelf.store.directory.parent.parent
        world.git("config", "chat.fsync", "false", cwd=path)
        environment = world.environment(path, now=lambda: Moment(START))
        self._writers = Writers(self._shelf, self._chance, is_clamped=is_clamped, is_swapped=is_swapped)
        self._log = environment.log(HERE)
        self._numbers: list[Oid] = []
        self._followed = 0
        """Which of the tips here the log there is at."""
        ledger = self._writers.ledger
        self._here, self._there = (
            [Reader(Room(environment, room, name), self._shelf, ledger) for name in ROLES] for room in (HERE, THERE)
        )
        for reader in (*self._here, *self._there):
            reader.room.register(ROLES[reader.name])

    def run(self, steps: int) -> None:
        """Take so many steps, and then read what is left. Raises Mismatch."""
        for _ in range(steps):
            merged = self._writers.grow()
            self._put(HERE, self._writers.tips[-1])
            self._check_numbers()
            for side in merged:
                self._learn_from_line(side)
            self._read_somewhere()
            if self._chance.random() < 0.2:
                self._follow()
        self._follow()
        for reader in (*self._here, *self._there):
            reader.finish()

    def _put(self, room: RoomName, tip: Oid) -> None:
        self._shelf.store.move(log_ref(room), lambda _: tip, "grown")

    def _check_numbers(self) -> None:
        """Each number is the ledger's, and is what it was."""
        numbers = [place.oid for place in self._log.chain().select()]
        expect(numbers, list(self._writers.ledger.numbered(self._writers.tips[-1]).values()), "numbers")
        expect(numbers[: len(self._numbers)], self._numbers, "numbers that were shown")
        self._numbers = numbers

    def _learn_from_line(self, side: Oid) -> None:
        """Who wrote a line beside the log may have read some of it there, with what came before."""
        if self._chance.random() < 0.7:
            ordered = self._writers.ledger.order[side]
            self._chance.choice(self._here).learn(self._chance.choice(ordered[-4:]))

    def _read_somewhere(self) -> None:
        reader = self._chance.choice((*self._here, *self._there))
        step = self._chance.choices(("read", "peek", "skip"), (8, 2, 1))[0]
        if step == "read":
            limit = self._chance.choice((None, 1, 2, 5))
            reader.read(limit, self._chance.randint(0, limit or 5))
        elif step == "peek":
            reader.peek(self._chance.choice(AUTHORS))
        else:
            reader.skip(self._chance.randint(0, len(reader.numbered())))
        self._chance.choice((*self._here, *self._there)).unread()

    def _follow(self) -> None:
        """The log there goes on to one of the tips here; at the newest one, cursors are exchanged."""
        tips = self._writers.tips
        self._followed = self._chance.randint(self._followed, len(tips) - 1)
        self._put(THERE, tips[self._followed])
        if self._followed == len(tips) - 1:
            for here, there in zip(self._here, self._there, strict=True):
                for one, other in ((here, there), (there, here)):
                    if other.value is not None:
                        one.learn(other.value)
