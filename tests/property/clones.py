"""Clones of a room and the hub that numbers it, and what can go wrong between them.

Real repositories and real git. The clones write, read, summarise and sync in a random order; pushes and
their acknowledgements get lost, other clones push in between, and a round ends at any of its steps. After each step
what a clone shows is compared with what a ledger of plain sets and lists says.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial, reduce
from typing import Any, ClassVar

from gitchat.clones.answer import Pushed
from gitchat.clones.inbox import Inbox
from gitchat.clones.moving import last_said
from gitchat.clones.report import Consent, Report
from gitchat.clones.sync import Remote
from gitchat.clones.wire import Wire
from gitchat.model.codec import identity_key
from gitchat.model.errors import RemoteError
from gitchat.model.layout import BRANCHES, PLAIN, Layout
from gitchat.model.names import Name, Oid, RefName, RoomName
from gitchat.model.record import Draft, Moment
from gitchat.model.refs import cursor_ref, log_ref, tracking_ref
from gitchat.rooms.writing import Sent
from gitchat.storage import git
from gitchat.storage.store import Store
from gitchat.verbs.room import Room
from gitchat.workspace.farewell import announce, lay_out
from gitchat.workspace.remotes import adopting, layout_of
from gitchat.workspace.seating import Seating
from tests.property.conversation import expect
from tests.property.ledger import Key, Ledger, Said
from tests.world import World

LOBBY = RoomName("lobby")
NAMES = tuple(map(Name, ("alice", "bob", "carol")))
"""Each of them writes and reads in every clone."""

START = 1_800_000_000
YEAR = 365 * 86_400
SKEWS = (0, 45, -3600, -3 * YEAR, 5 * YEAR)
"""How far the clocks of machines are off, in seconds."""

STEPS = (
    "_fetch", "_judging.judge", "_counting.go_on", "_counting._count_from_here", "_joining.take_in", "_joining.forward",
    "_joining._join_cursor", "_joining.drop_cursors", "_joining.updates", "_joining.candidate", "_push",
    "_accepting.accept", "_accepting.track", "_attach",
)  # fmt: skip
"""The parts of a round before each of which it can end."""

KINDS = ("send", "read", "summarize", "sync", "move")
"""The last: the rooms become branches of the hub, or are none any more."""

EXPECTED = ("are followed there", "to follow it there", "lets you read and not push")
"""What a round says of a move, and of a hub that takes nothing from a clone: no mistake."""

MOVES = ("laid out", "said", "moved", "moved")
"""How far a move gets."""

WORD = "this room moved to "
"""How the record begins that says it."""

REST_ROUNDS = 12
"""So many times everybody syncs at most until nothing changes any more."""


class Crash(Exception):
    """The process ends here."""


class Faulty(Remote):
    """The remote of one clone, with what is wrong in one round."""

    fault: str | None = None
    meanwhile: Callable[[], object]
    """What others do, and this clone, between the fetch and the push."""

    def crash_before(self, step: str, times: int) -> None:
        """End the round when ``step`` is reached the ``times``-th time."""
        *parts, name = step.split(".")
        part = reduce(getattr, parts, self)
        whole = getattr(part, name)
        left = times

        def stepped(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise Crash(step)
            return whole(*arguments, **options)

        setattr(part, name, stepped)

    def _push(self, updates: Mapping[RefName, tuple[Oid, Oid | None]], address: str | None) -> list[Pushed]:
        if self.fault == "meanwhile":
            self.meanwhile()
        if self.fault == "lost push":
            raise RemoteError("it never got there", hint="again", code="remote-failed")
        answers = self._sent(updates)
        if self.fault == "lost answer":
            raise RemoteError("it got there, and nobody heard", hint="again", code="remote-failed")
        return answers

    def _sent(self, updates: Mapping[RefName, tuple[Oid, Oid | None]]) -> list[Pushed]:
        return super()._push(updates, None)


class Clone:
    """One clone: its clock, what was acknowledged here, and what was read here."""

    def __init__(self, world: World, name: str, hub: object, chance: random.Random, remote: type[Faulty]) -> None:
        path = world.root / name
        world.git("init", "-q", path)
        world.git("config", "chat.fsync", "false", cwd=path)
        world.git("remote", "add", "origin", str(hub), cwd=path)
        world.git("config", "chat.sync", "manual", cwd=path)
        self.name, self.path = name, path
        self.is_read_only = False
        self.inbox: Inbox | None = None
        """Where its records go, if the hub takes nothing from it."""
        self._skew = chance.choice(SKEWS)
        self._ticks = 0
        self._remote = remote
        self.environment = replace(world.environment(path, now=self._now), random_bytes=chance.randbytes)
        self.sent: set[Key] = set()
        """Acknowledged here."""
        self.got: dict[Name, list[Key]] = {name: [] for name in NAMES}
        """Returned by a reading that was then marked, in that order."""
        self.passed: dict[Name, set[Key]] = {name: set() for name in NAMES}
        """What these readings passed over, and what they returned."""
        self.told: Callable[[Report], object] = lambda report: None
        """Told what each round did that came to its end."""
        self.summaries: list[str] = []
        """The uids of the summaries that had a number here."""

    def _now(self) -> Moment:
        self._ticks += 1
        return Moment(START + self._skew + self._ticks // 3)

    @property
    def store(self) -> Store:
        return self.environment.store

    @property
    def is_attached(self) -> bool:
        return self.environment.authorities.of(LOBBY) is not None

    @property
    def layout(self) -> Layout:
        """Where the rooms are at the hub, as far as this clone knows."""
        return self.environment.authorities.layout("origin")

    def room(self, name: Name = NAMES[0]) -> Room:
        return Room(self.environment, LOBBY, name)

    def wire(self) -> Wire:
        return Wire(
            "origin",
            git_dir=str(self.environment.repository.location.common_dir),
            cwd=str(self.environment.repository.worktree),
            variables=git.scrub(self.environment.variables),
            layout=self.environment.authorities.layout("origin"),
        )

    def remote(self) -> Faulty:
        environment, wire = self.environment, self.wire()
        return self._remote(
            environment.store,
            wire,
            identity=environment.caller.identity,
            clock=environment.now,
            attached=environment.authorities.of,
            attach=lambda room: environment.authorities.attach(room, "origin"),
            notes=environment.authorities.notes,
            asked_format=lambda room, tip: environment.numbering(room).asked_format(tip),
            stays_here=lambda room: environment.numbering(room).stays_here(),
            guard=Seating(environment),
            inbox=self.inbox,
            moved=lambda room, tip: last_said(environment.numbering(room), tip),
            layout=lambda: layout_of(environment, wire),
            lay=lambda layout: environment.authorities.lay("origin", layout),
            adopting=adopting(environment, "origin"),
        )

    def sync(self, prepare: Callable[[Faulty], object] = lambda remote: None) -> None:
        """One round, with what ``prepare`` does to the remote."""
        remote = self.remote()
        prepare(remote)
        with suppress(RemoteError, Crash):
            report = remote.round(None, consent=Consent(renumbers=lambda room: True), pushes=not self.is_read_only)
            alarms = [alarm for alarm in report.alarms if not any(one in alarm for one in EXPECTED)]
            expect(alarms, [], f"alarms in {self.name}")
            self.told(report)

    def move(self, layout: Layout, until: str, meanwhile: Callable[[], object]) -> None:
        """Have the rooms elsewhere at the hub, as ``git chat remote move --prefix`` does, ``until`` a step is done.

        ``meanwhile`` others do something, who may have heard it.
        """
        environment = self.environment
        address = self.wire().fetch_addresses()[0]
        with suppress(RemoteError):
            if until == "laid out":
                lay_out(environment, "origin", {LOBBY: self.wire().place_of(address)}, layout)
                return
            announce(environment, "origin", layout)
            if until == "moved":
                meanwhile()
                environment.authorities.lay("origin", layout)
                self.remote().round(None, consent=Consent(has_moved=True))
        self.sent |= {_key(entry) for entry in environment.log(LOBBY).entries() if entry.record.body.startswith(WORD)}

    def tips(self) -> dict[str, str]:
        """All refs of the rooms here."""
        return dict(self.store.tips())


class Clones:
    """Some clones and their hub, and the steps they take by chance."""

    weights: ClassVar = (5, 3, 1, 5, 1)
    """How often each of KINDS is taken."""

    def __init__(self, world: World, seed: int, remote: type[Faulty] = Faulty) -> None:
        """``remote`` can be one that makes a mistake, which must be noticed."""
        self._world = world
        self._chance = chance = random.Random(seed)
        self._hub = world.root / "hub.git"
        world.git("init", "-q", "--bare", self._hub)
        layout = chance.choice((PLAIN, BRANCHES))
        self._clones = [Clone(world, f"clone{n}", self._hub, chance, remote) for n in range(chance.randint(2, 4))]
        for clone in self._clones:
            clone.environment.authorities.set_layout("origin", layout)
        self._clones[-1].is_read_only = len(self._clones) > 2 and chance.random() < 0.5
        self._ledger = Ledger()
        self._numbers: list[Oid] = []
        """What stood behind each number that anybody was shown."""

    def run(self, steps: int) -> None:
        """Take so many steps, then sync until nothing changes. Raises Mismatch."""
        for _ in range(steps):
            place = self._chance.randrange(len(self._clones))
            self.take(self._chance.choices(KINDS, weights=self.weights)[0], place)
        self.rest()

    def take(self, kind: str, place: int) -> None:
        """Take a step of this kind in one clone, the first after the last, and check all. Raises Mismatch."""
        clone = self._clones[place % len(self._clones)]
        steps = {"send": self._send, "read": self._read, "summarize": self._summarize, "sync": self._sync}
        steps.get(kind, self._move)(clone)
        for one in self._clones:
            self._check(one)

    # --- steps -----------------------------------------------------------------

    def _send(self, clone: Clone) -> None:
        for _ in range(self._chance.randint(1, 3)):
            self._send_one(clone)

    def _send_one(self, clone: Clone) -> None:
        name = self._chance.choice(NAMES)
        key = self._chance.choice((None, None, None, "one", "two", "three", "four"))
        to = () if key else self._chance.choice(((), (), ("bob",)))
        kind = "message" if key else self._chance.choice(("message", "message", "message", "status", "release", "meta"))
        body = f"text of {key}" if key else f"text {self._chance.random()}"
        room = clone.room(name)
        sent: Sent = clone.environment.writer(LOBBY).send(Draft(body=body, kind=kind, to=to), room.identity, key=key)
        if not sent.is_repeat:
            expect(sent.entry.number is None, clone.is_attached, "pending")
        clone.sent.add((sent.entry.record.uid, name))

    def _read(self, clone: Clone) -> None:
        name = self._chance.choice(NAMES)
        room = clone.room(name)
        reading = room.unread(self._chance.choice((None, 1, 2, 4)))
        view = self._view(clone)
        count = self._chance.randint(0, len(reading.entries))
        if self._chance.random() < 0.2:
            self._sync(clone)  # while somebody reads
        marked = room.mark(reading, count)
        entries = reading.entries[:count]
        keys = [(entry.record.uid, entry.record.author) for entry in entries]
        expect([key for key in keys if key in clone.got[name]], [], f"twice to {name} in {clone.name}")
        clone.got[name] += keys
        if entries:
            clone.passed[name] |= set(view[: view.index(keys[-1]) + 1])
            expect(marked.is_marked, True, "marked")

    def _summarize(self, clone: Clone) -> None:
        if clone.store.room_tip(LOBBY) is not None:
            clone.room(self._chance.choice(NAMES)).summarize(f"summary {self._chance.random()}")

    def _sync(self, clone: Clone) -> None:
        fault = self._chance.choice(
            (None, None, "lost push", "lost answer", "meanwhile", "meanwhile", "crash", "crash")
        )
        clone.sync(partial(self._prepare, clone, fault))

    def _move(self, clone: Clone) -> None:
        """To the hub's other place, as far as the one who moves them gets: others may go on from there."""
        if not clone.is_read_only and clone.is_attached:
            clone.sync()
            layout = BRANCHES if clone.layout.is_plain else PLAIN
            clone.move(layout, self._chance.choice(MOVES), partial(self._meanwhile, clone))

    def _prepare(self, clone: Clone, fault: str | None, remote: Faulty) -> None:
        remote.fault = fault
        remote.meanwhile = partial(self._meanwhile, clone)
        if fault == "crash":
            remote.crash_before(self._chance.choice(STEPS), self._chance.randint(1, 2))

    def _meanwhile(self, clone: Clone) -> None:
        others = [one for one in self._clones if one is not clone]
        if self._chance.random() < 0.7:
            other = self._chance.choice(others)
            self._send_one(other)
            other.sync()
        if self._chance.random() < 0.5:
            self._send_one(clone)

    # --- what must be true ---------------------------------------------------------

    def _enter(self, store: Store, tip: Oid | None) -> None:
        """Take what ``tip`` reaches into the ledger."""
        pending = [tip] if tip is not None else []
        while pending:
            oid = pending[-1]
            commit = store.read(oid)
            missing = [parent for parent in commit.parents if parent not in self._ledger.said]
            if missing:
                pending += missing
                continue
            pending.pop()
            if oid not in self._ledger.said:
                to = tuple(value for key, value in commit.block or () if key == "Chat-To")
                said = Said(identity_key(oid, commit), commit.kind or "", to) if commit.takes_number else None
                self._ledger.add(oid, commit.parents, said)

    def _tips(self, clone: Clone) -> tuple[Oid | None, Oid | None]:
        """What gives the numbers, and what the clone has itself."""
        local = clone.store.tip(log_ref(LOBBY))
        remote = clone.store.tip(tracking_ref("origin", log_ref(LOBBY))) if clone.is_attached else local
        self._enter(clone.store, local)
        self._enter(clone.store, remote)
        return remote, local

    def _numbered(self, clone: Clone) -> dict[Key, Oid]:
        remote, _ = self._tips(clone)
        return self._ledger.numbered(remote) if remote is not None else {}

    def _view(self, clone: Clone) -> list[Key]:
        """All records of a clone, the numbered ones first."""
        remote, local = self._tips(clone)
        reached = self._ledger.reach[remote] if remote is not None else set()
        pending = [oid for oid in (self._ledger.order[local] if local is not None else []) if oid not in reached]
        keys = [said.key for oid in pending if (said := self._ledger.said[oid])]
        return list(dict.fromkeys([*self._numbered(clone), *keys]))

    def _check(self, clone: Clone) -> None:
        """What a clone shows is what the ledger says, and no number changed."""
        numbered, view = self._numbered(clone), self._view(clone)
        expect(clone.sent - set(view), set(), f"lost in {clone.name}")
        if clone.is_attached:
            oids = list(numbered.values())
            common = min(len(oids), len(self._numbers))
            expect(oids[:common], self._numbers[:common], f"numbers that were shown in {clone.name}")
            self._numbers += oids[common:]
        shown = list(clone.environment.log(LOBBY).entries())[::-1]
        expect([_key(entry) for entry in shown], view, f"log of {clone.name}")
        wanted = [n if n <= len(numbered) else None for n in range(1, len(view) + 1)]
        expect([entry.number for entry in shown], wanted, f"numbers of {clone.name}")
        for name in NAMES:
            self._check_reader(clone, name, view)
        self._check_summaries(clone)

    def _check_reader(self, clone: Clone, name: Name, view: list[Key]) -> None:
        value = clone.store.tip(cursor_ref(LOBBY, name))
        self._enter(clone.store, value)
        read = self._ledger.keys(value) if value is not None else set()
        passed = set().union(*(one.passed[name] for one in self._clones))
        expect(clone.passed[name] - read, set(), f"unread again of {name} in {clone.name}")
        expect(read - passed, set(), f"missed by {name} in {clone.name}")
        said = {one.key: one for one in self._ledger.said.values() if one}
        unread = [key for key in view if key not in read and _reaches(said[key], name)]
        found = [_key(entry) for entry in clone.room(name).unread().entries]
        expect(found, unread, f"unread of {name} in {clone.name}")

    def _check_summaries(self, clone: Clone) -> None:
        if clone.is_attached:
            uids = [str(one.uid) for one in clone.room().summaries() if one.number is not None]
            expect(uids[: len(clone.summaries)], clone.summaries, f"ids of summaries in {clone.name}")
            clone.summaries = uids

    # --- at rest -----------------------------------------------------------------------

    def rest(self) -> None:
        """Everybody syncs until nothing changes; then all have the same, and it is whole."""
        for clone in self._clones:
            clone.is_read_only = False
        for _ in range(REST_ROUNDS):
            before = self._everything()
            for clone in self._clones:
                for _ in range(2):  # one round may hear where the rooms are, and the next one goes there
                    clone.sync()
                self._check(clone)
            if before == self._everything():
                break
        expect({clone.layout for clone in self._clones}, {self._clones[0].layout}, "places")
        hub, *tips = self._everything()
        for clone, found in zip(self._clones, tips, strict=True):
            expect(found, hub, f"tips of {clone.name}")
            expect(self._view(clone), list(self._numbered(clone)), f"pending in {clone.name}")
        sent = set().union(*(clone.sent for clone in self._clones))
        expect(set(self._view(self._clones[0])), sent, "records")
        for path in (self._hub, *(clone.path for clone in self._clones)):
            done = self._world.git("fsck", "--strict", "--no-dangling", cwd=path, check=False)
            expect((done.returncode, done.stdout), (0, ""), f"fsck of {path.name}: {done.stderr}")

    def _everything(self) -> list[dict[str, str]]:
        """The refs of the hub where the first clone follows it, then those of each clone."""
        refs = self._world.git("for-each-ref", "--format=%(refname) %(objectname)", cwd=self._hub).stdout
        pairs = [line.split(" ") for line in refs.splitlines()]
        layout = self._clones[0].layout
        hub: dict[str, str] = {layout.here(ref): oid for ref, oid in pairs if ref.startswith(layout.prefix)}
        return [hub, *(clone.tips() for clone in self._clones)]


class Restless(Clones):
    """People who move all the time."""

    weights: ClassVar = (4, 1, 1, 6, 4)


def _key(entry: Any) -> Key:
    return entry.record.uid, entry.record.author


def _reaches(said: Said, name: Name) -> bool:
    is_for_all = not said.to and said.kind not in ("status", "claim", "release")
    return said.kind != "meta" and said.key[1] != name and (name in said.to or is_for_all)
