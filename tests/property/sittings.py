"""Agents and people who share names in several clones, and all that happens to clones and sessions.

Real repositories and real git. Clones are copied, moved, started twice from one image, played back from a backup, and
thrown away; sessions end, are killed and go to another clone; one clone has version 0.1.0. Beside each clone goes its
:class:`Hearing`, which is copied and thrown away with it, and after each step what is unread, read and numbered
must be what that says. The network is whole here: what it does to a round is tests/property/clones.py.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import NamedTuple

import pytest

from gitchat.clones.attaching import Attaching
from gitchat.clones.looking import Asker
from gitchat.clones.report import Consent
from gitchat.clones.sync import Remote
from gitchat.index.condition import visible_to
from gitchat.model import codec
from gitchat.model.names import Name, Oid, RoomName
from gitchat.model.record import Entry, Moment, Record
from gitchat.model.refs import log_ref
from gitchat.model.signature import Signature
from gitchat.rooms.cursor import Cursor
from gitchat.rooms.seat import Seat
from gitchat.verbs.room import Room
from gitchat.workspace import arriving
from gitchat.workspace.environment import Environment
from gitchat.workspace.remotes import open_remote
from tests.property.conversation import expect
from tests.property.hearing import Hearing, Hub, Person, Said, Session, Summed
from tests.world import World

LOBBY = RoomName("lobby")
AGENTS = (Name("lexer"), Name("parser"))
"""Whom agents are called in every clone."""

PEOPLE = (
    Person(Name("alex"), "alex@one.example", ("alex@home.example",)),
    Person(Name("alex"), "alex@two.example"),
    Person(Name("alex"), "alex@home.example", ("alex@one.example",)),
    Person(Name("ann"), "ann@example.com"),
)
"""Two are called alex, and the third one is the first one at home."""

START = 1_800_000_000
WEEK_SECONDS = 8 * 86_400
"""Longer than a seat lasts that nobody uses."""


class Kept(NamedTuple):
    """A clone that does not run: the other of two that were started from one image, or a backup."""

    path: Path
    hearing: Hearing


class Clone:
    """One place where a clone is, the clone that is there now, and those that were or could be there."""

    def __init__(self, path: Path, hearing: Hearing) -> None:
        self.path = path
        self.hearing = hearing
        self.twins: list[Kept] = []
        self.backups: list[Kept] = []
        self._opened: dict[tuple[Name, Session], Environment] = {}

    def close(self) -> None:
        """Another clone will be there next."""
        self._opened = {}

    def environment(self, world: Sittings, name: Name) -> Environment:
        """The surroundings of who acts as ``name`` here."""
        session = self.hearing.sessions.get(name)
        if (name, session) not in self._opened:
            variables = dict(world.world.variables)
            if self.hearing.is_of_agent(name) and not self.hearing.is_old:
                variables |= {"GITCHAT_NAME": name, "OPENCODE": "1"}
                variables |= {"GITCHAT_SESSION": session} if session else {}
            environment = replace(world.world.environment(self.path, now=world.now), variables=variables)
            opened = replace(environment, random_bytes=world.chance.randbytes)
            # No process of its own pushes or looks: what happens, and when, is the simulation's.
            vars(opened)["start_aside"] = lambda *words, **options: None
            for other in self._opened.values():
                # What costs a process or a file each: everybody may have his own, and nothing would be different.
                vars(opened).update({part: getattr(other, part) for part in ("repository", "store", "index")})
                break
            self._opened[name, session] = opened
        return self._opened[name, session]


class Unguarded:
    """What version 0.1.0 has for a guard."""

    def see(self, commits: object) -> tuple[Name, ...]:
        return ()

    def sit_apart(self, room: RoomName, name: Name) -> None:
        """Nobody has a seat."""

    def begin(self, room: RoomName) -> None:
        """Nobody has a seat."""

    def is_agents(self, room: RoomName, name: Name) -> bool:
        """It drops nothing."""
        return False


@dataclass
class Figures:
    """What a run consisted of."""

    steps: int = 0
    records: int = 0
    told: int = 0
    clones: int = 0
    seats: int = 0

    def add(self, more: Figures) -> None:
        """Count ``more`` in."""
        for count in fields(self):
            setattr(self, count.name, getattr(self, count.name) + getattr(more, count.name))


class Sittings:
    """Some clones, their hub, and what can happen there. Each step raises Mismatch where it shows something wrong."""

    def __init__(self, world: World, people: tuple[Person, ...], seed: int = 0) -> None:
        """``people`` say whose the clones are at the beginning."""
        self.world = world
        self.chance = random.Random(seed)
        self.figures = Figures()
        self.week = 0
        self._ticks = 0
        self._names = 0
        self._path = world.root / "hub.git"
        world.git("init", "-q", "--bare", self._path)
        self._template = self._make_template()
        self._hub = Hub()
        self._shown: list[str] = []
        """What stood behind each number that anybody was shown."""
        self.clones = [self.clone(person) for person in people]

    def now(self) -> Moment:
        self._ticks += 1
        return Moment(START + self.week * WEEK_SECONDS + self._ticks // 5)

    # --- clones -----------------------------------------------------------------------

    def _make_template(self) -> Path:
        path = self.world.root / "template"
        self.world.git("init", "-q", path)
        with (path / ".git" / "config").open("a") as config:
            config.write(f'[remote "origin"]\n\turl = {self._path}\n[chat]\n\tfsync = false\n')
        return path

    def _new_path(self) -> Path:
        self._names += 1
        return self.world.root / f"clone{self._names}"

    def clone(self, person: Person, *, is_old: bool = False) -> Clone:
        """A new clone of ``person``'s, which has heard nothing yet."""
        self.figures.clones += 1
        clone = Clone(self._new_path(), Hearing(person, is_old=is_old))
        shutil.copytree(self._template, clone.path)
        with (clone.path / ".git" / "config").open("a") as config:
            config.write(f"[user]\n\temail = {person.address}\n[chat]\n\tname = {person.name}\n")
            config.writelines(f"\tperson = {address}\n" for address in person.others)
        for name in AGENTS:
            clone.hearing.sessions[name] = self._new_session()
        return clone

    def _new_session(self) -> Session:
        self._names += 1
        return f"s{self._names}" if self.chance.random() < 0.85 else None

    def _put_aside(self, path: Path) -> Path:
        """Nothing is deleted, so that no inode is used a second time: the file system's choice, and not chance's."""
        aside = self.world.root / "aside"
        aside.mkdir(exist_ok=True)
        return path.rename(aside / self._new_path().name)

    # --- what people and agents do ------------------------------------------------------

    def room(self, clone: Clone, name: Name) -> Room:
        return Room(clone.environment(self, name), LOBBY, name)

    def say(self, clone: Clone, name: Name, *, to: tuple[Name, ...] = (), key: str | None = None) -> Said:
        """One message is sent and acknowledged; ``key`` is one that was not used in this clone."""
        hearing = clone.hearing
        body = f"{name} {self.figures.records}"
        self.figures.records += 1
        is_of_seat = hearing.is_of_agent(name) and not hearing.is_old
        if is_of_seat:
            hearing.sit(name, self.week)
        said = Said(body, name, to, is_of_seat, hearing.person.address, self.week)
        if hearing.is_old:
            self._say_as_released(clone, said)
        else:
            self.room(clone, name).send(body, to=to or "all", key=key)
        hearing.say(said)
        return said

    def _say_as_released(self, clone: Clone, said: Said) -> None:
        """As version 0.1.0 says it: the same commit without a line about the clone."""
        environment = clone.environment(self, said.author)
        store, now, address = environment.store, self.now(), said.address
        record = Record(
            kind="message", uid=environment.new_uid(), author=said.author, email=address, written=now, body=said.body,
            to=said.to, origin="agent",
        )  # fmt: skip

        def build(tip: Oid | None) -> Oid:
            tree = store.empty_tree()
            parent = tip or store.write_commit(codec.encode_genesis(LOBBY, tree))
            committer = Signature("Alice", address, store.date_after((parent,), now))
            raw = codec.encode_record(record, tree=tree, parent=parent, committer=committer)
            return store.write_commit(raw.replace(b"Chat-Clone: -\n", b""))

        store.move(log_ref(LOBBY), build, "released")

    def hear(self, clone: Clone, name: Name, limit: int | None = None, count: int | None = None) -> None:
        """What is unread is told, all or the first ``limit``, and of that all or the first ``count`` is marked."""
        hearing = clone.hearing
        if hearing.log.view:
            hearing.sit(name, self.week)
        wanted = [said.body for said in hearing.unheard(name)][:limit]
        if hearing.is_old:
            found, mark = self._hear_as_released(clone, name, limit, count)
        else:
            room = self.room(clone, name)
            reading = room.unread(limit)
            found, mark = list(reading.entries), lambda: room.mark(reading, count)
        expect([_body(entry) for entry in found], wanted, f"unread of {name} in {clone.path.name}")
        mark()
        told = hearing.unheard(name)[:limit][:count]
        ear = hearing.ears.get(name)
        if ear is not None:
            expect([said for said in told if said in ear.got], [], f"twice to {name} in {clone.path.name}")
            self.figures.seats += not ear.got
        hearing.hear(name, told)
        self.figures.told += len(told)

    def _hear_as_released(
        self, clone: Clone, name: Name, limit: int | None, count: int | None
    ) -> tuple[list[Entry], Callable[[], object]]:
        """As version 0.1.0 reads: by what anybody has read under that name. What it found, and what marks that."""
        environment = clone.environment(self, name)
        chain = environment.log(LOBBY).chain()
        cursor = Cursor(environment.store, LOBBY, name)
        places = cursor.backlog(chain).select(visible_to([name], name), limit)
        entries = [environment.log(LOBBY).entry_at(*place) for place in places]

        def mark() -> None:
            if places[:count]:
                number = places[:count][-1].number
                cursor.advance(chain, number, environment.caller.identity(name, is_seated=False), self.now())

        return entries, mark

    def sum_up(self, clone: Clone, name: Name) -> None:
        """What ``name`` has heard is summed up."""
        hearing = clone.hearing
        if hearing.is_old or not hearing.log.view:
            return
        hearing.sit(name, self.week)
        least, most = hearing.may_cover(name)
        room = self.room(clone, name)
        summary = room.summarize(f"summary {self.figures.steps}")
        later = set(room.since(summary).numbers)
        covers = frozenset(said for number, said in enumerate(hearing.log.view, 1) if number not in later)
        expect(least <= covers <= most, True, f"covered by {name} in {clone.path.name}")
        hearing.summaries.local.append(Summed(f"{summary.text} of {clone.path.name}", covers))

    def sync(self, clone: Clone, *, pushes: bool = True, name: Name | None = None) -> None:
        """A round with the hub, which somebody of the clone has gone through."""
        hearing = clone.hearing
        pushes = pushes or (bool(hearing.log.local) and hearing.log.numbered is None)
        environment = clone.environment(self, name or hearing.person.name)
        remote = self._released_remote(environment) if hearing.is_old else open_remote(environment, "origin")
        report = remote.round(None, consent=Consent(renumbers=lambda room: True), pushes=pushes)
        expect(report.alarms, [], f"alarms in {clone.path.name}")
        hearing.sync(self._hub, self.week, pushes=pushes)

    def arrive(self, clone: Clone, name: Name, meanwhile: Callable[[], object] = lambda: None) -> None:
        """A new clone looks at its remote and joins, as whatever is done first there does.

        ``meanwhile`` is done by another process when it has taken the first of its two steps, that of notes.
        """
        environment = clone.environment(self, name)
        adopt = Attaching.adopt

        def adopted(attaching: Attaching, rooms: Sequence[RoomName], place: str) -> list[RoomName]:
            found = adopt(attaching, rooms, place)
            meanwhile()
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Attaching, "adopt", adopted)
            arriving.arrive(environment, Asker.VERB, LOBBY)
        clone.hearing.sync(self._hub, self.week, pushes=False)

    def _released_remote(self, environment: Environment) -> Remote:
        """A remote as version 0.1.0 goes through it: it looks at nothing, and pushes every cursor that it has."""
        remote = open_remote(environment, "origin")
        joining = remote._joining
        joining._guard = Unguarded()
        updates = joining.updates
        joining.updates = lambda room, seen, tracked, **_: updates(room, {}, tracked)  # type: ignore[method-assign]
        return remote

    # --- what happens to sessions ----------------------------------------------------------

    def kill(self, clone: Clone, name: Name) -> None:
        """The session of an agent ends, and nobody is told; the next one begins."""
        clone.hearing.sessions[name] = self._new_session()

    def leave(self, clone: Clone, name: Name) -> None:
        """The session of an agent ends in good order; the next one begins."""
        if not clone.hearing.is_old:
            self.room(clone, name).leave()
            clone.hearing.rise(name)
        clone.hearing.sessions[name] = self._new_session()

    def hand_over(self, clone: Clone, other: Clone, name: Name, *, is_pushed: bool = True) -> None:
        """A session ends here, and goes on there, under another id; what it marked may not have been pushed."""
        self.leave(clone, name)
        if is_pushed:
            self.sync(clone, name=name)
        self.leave(other, name)
        self.sync(other, name=name)
        self.hear(other, name)

    # --- what happens to clones --------------------------------------------------------------

    def copy(self, clone: Clone) -> Clone:
        """``cp -r``, and all sessions go on there, too."""
        self.figures.clones += 1
        copy = Clone(self._new_path(), deepcopy(clone.hearing))
        shutil.copytree(clone.path, copy.path, symlinks=True)
        copy.hearing.forget_agents()
        return copy

    def _see_place(self, clone: Clone) -> None:
        """The clone is used where it is: who was moved and then copied without that is a copy, wherever it comes."""
        if not clone.hearing.is_old:
            clone.environment(self, clone.hearing.person.name).clone.id()

    def back_up(self, clone: Clone) -> None:
        """What is there now can be played back, to the same path."""
        self._see_place(clone)
        kept = Kept(self._new_path(), deepcopy(clone.hearing))
        shutil.copytree(clone.path, kept.path, symlinks=True)
        clone.backups.append(kept)

    def play_back(self, clone: Clone, place: int = -1) -> None:
        """The clone is again what it was."""
        kept = clone.backups[place]
        clone.close()
        self._put_aside(clone.path)
        shutil.copytree(kept.path, clone.path, symlinks=True)
        clone.hearing = deepcopy(kept.hearing)

    def start_image(self, clone: Clone) -> None:
        """Another clone is what this one is, at the same path; this one runs on.

        A real image has the same inodes, too. This is a copy, which is known by its path alone.
        """
        self._see_place(clone)
        self.figures.clones += 1
        kept = Kept(self._new_path(), deepcopy(clone.hearing))
        shutil.copytree(clone.path, kept.path, symlinks=True)
        clone.twins.append(kept)

    def swap(self, clone: Clone) -> None:
        """The next of those that were started from one image has its turn."""
        clone.close()
        kept = Kept(self._new_path(), clone.hearing)
        clone.path.rename(kept.path)
        twin = clone.twins.pop(0)
        twin.path.rename(clone.path)
        clone.hearing = twin.hearing
        clone.twins.append(kept)

    def move(self, clone: Clone) -> None:
        """``mv``. What was kept of it before is no backup of this place any more."""
        if not clone.twins:
            clone.close()
            clone.backups = []
            clone.path = clone.path.rename(self._new_path())

    def pass_by(self, name: Name, *, is_pushed: bool) -> None:
        """A clone is made, somebody reads in it once, and it is gone."""
        clone = self.clone(PEOPLE[-1])
        self.arrive(clone, name)
        self.hear(clone, name)
        self.check(clone)
        if is_pushed:
            self.sync(clone, name=name)
        self._put_aside(clone.path)

    # --- what must be true ------------------------------------------------------------------------

    def check(self, clone: Clone) -> None:
        """What is shown, numbered and read in one clone is what was said and heard. Raises Mismatch."""
        hearing, where = clone.hearing, clone.path.name
        environment = clone.environment(self, hearing.person.name)
        chain = environment.log(LOBBY).chain()
        entries = list(environment.log(LOBBY).entries())[::-1]
        bodies = [_body(entry) for entry in entries]
        expect(bodies, [said.body for said in hearing.log.view], f"log of {where}")
        if hearing.log.numbered is not None:
            count = len(hearing.log.numbered)
            wanted = [number if number <= count else None for number in range(1, len(bodies) + 1)]
            expect([entry.number for entry in entries], wanted, f"numbers in {where}")
            common = min(count, len(self._shown))
            expect(bodies[:common], self._shown[:common], f"numbers that were shown in {where}")
            self._shown += bodies[common:count]

        def read(cursor: Cursor) -> set[str]:
            left = set(cursor.backlog(chain).numbers)
            return {body for number, body in enumerate(bodies, 1) if number not in left}

        for name in (*AGENTS, hearing.person.name):
            common_heard = {said.body for said in hearing.common.get(name, ())}
            expect(read(Cursor(environment.store, LOBBY, name)), common_heard, f"read as {name} in {where}")
            ear, seat = hearing.ears.get(name), Seat(environment.store, LOBBY, name)
            if ear is not None and seat.is_taken:
                expect(read(seat), {said.body for said in ear.passed}, f"read by the seat {name} in {where}")

    def rest(self) -> None:
        """Everybody syncs and hears all; then each seat has heard all that others said, and all have the same."""
        for step in ("sync", "sync", "hear", "sync"):
            for clone in self.clones:
                for _ in range(len(clone.twins) + 1):
                    if clone.twins:
                        self.swap(clone)
                    self._rest(step, clone)
        self._check_hub()

    def _rest(self, step: str, clone: Clone) -> None:
        hearing = clone.hearing
        if step == "sync":
            self.sync(clone)
        else:
            for name in (*AGENTS, hearing.person.name):
                self.hear(clone, name)
            for name in hearing.ears:
                expect(hearing.missed(name), set(), f"missed by {name} in {clone.path.name}")
        self.check(clone)

    def _check_hub(self) -> None:
        bodies = [said.body for said in self._hub.log]
        expect(sorted(set(bodies)), sorted(bodies), "records")
        expect(set(self._shown) <= set(bodies), True, "numbers that were shown")
        refs = self.world.git("for-each-ref", "--format=%(refname)", cwd=self._path).stdout.split()
        wanted = [f"cursors/{name}" for name, heard in self._hub.common.items() if heard]
        wanted += (["log"] if bodies else []) + (["summaries"] if self._hub.summaries else [])
        expect(refs, [f"refs/chatroom/rooms/{LOBBY}/{ref}" for ref in sorted(wanted)], "refs of the hub")
        done = self.world.git("fsck", "--strict", "--no-dangling", cwd=self._path, check=False)
        expect((done.returncode, done.stdout), (0, ""), "fsck of the hub")


def _body(entry: Entry) -> str:
    return entry.record.body
