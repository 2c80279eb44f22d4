"""Clones that claim without seeing each other agree once they have. Proves docs/format.md section 16.3.

First 350 runs of a model of clones and their hub, in which only what is folded is real; then a few with real
repositories and rounds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

import pytest

from gitchat.clones.settling import settle
from gitchat.model.claim import Seat, Standing, first_of_others, parse_what, standings, trailers_of
from gitchat.model.errors import ConflictError, UserError
from gitchat.model.names import CloneId, Number, Oid, RoomName, Uid
from gitchat.model.record import CLAIM, RELEASE, STATUS, Entry, Moment, Record
from gitchat.verbs.room import Room
from gitchat.workspace.claimends import tend
from gitchat.workspace.process import read_clock
from gitchat.workspace.remotes import open_remote
from tests.clones.conftest import Clone, Hub

NOON = 1_790_000_000
MINUTE = 60

MEANT = {
    "src/": {"src/a", "src/b", "src/c", "src/lib", "src/lib/c"},
    "src/*": {"src/a", "src/b", "src/c", "src/lib"},
    "src/a": {"src/a"},
    "src/lib/": {"src/lib", "src/lib/c"},
    "**/c": {"src/c", "src/lib/c", "docs/c"},
    "docs/": {"docs/c", "docs/d"},
    "task:1": {"task:1"},
}
"""What a claim can be of, and which of all things that is: written down, and not computed."""

Told = list[tuple[str, str | None]]
"""Of each claim that stands: its uid, and that of the one that it waits for."""


def told(found: list[Standing]) -> Told:
    return [
        (one.claim.entry.record.uid, one.waits_for.entry.record.uid if one.waits_for is not None else None)
        for one in found
    ]


@dataclass
class Apart:
    """A clone: what its hub had when it looked last, and what it said since."""

    id: CloneId
    agreed: list[Record] = field(default_factory=list)
    pending: list[Record] = field(default_factory=list)

    def found(self, now: int) -> list[Standing]:
        """What stands here, by what is here."""
        numbers: list[Number | None] = [Number(place) for place in range(1, len(self.agreed) + 1)]
        numbers += [None] * len(self.pending)
        entries = [
            Entry(RoomName("lobby"), number, Oid("0" * 40), record.written.seconds, record)
            for number, record in zip(numbers, [*self.agreed, *self.pending], strict=True)
        ]
        return standings(entries, now)


class Model:
    """Clones of one hub that write and see each other in a random order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.hub: list[Record] = []
        self.clones = [Apart(CloneId(f"c{number}")) for number in range(3)]
        self.now = NOON
        self._uids = count()

    def step(self) -> None:
        """Somebody does something, or is refused, or some time goes by."""
        clone, name = self.random.choice(self.clones), self.random.choice(["alice", "bob"])
        act = self.random.random()
        if act < 0.5:
            self._claim(clone, name)
        elif act < 0.6:
            mine = [one for one in clone.found(self.now) if one.claim.seat == Seat(name, clone.id, None)]
            one = self.random.choice([*mine, None])
            self._say(clone, name, RELEASE, reply_to=one.claim.entry.record.uid if one is not None else None)
        elif act < 0.65:
            self._say(clone, "system", "message", type="presence", body=f"{name} left the chatroom")
        elif act < 0.85:
            self.sync(clone)
        else:
            self.now += self.random.randint(1, 20) * MINUTE

    def _claim(self, clone: Apart, name: str) -> None:
        """By the writer's rule: nothing that stands before it, or it waits in line."""
        texts = self.random.sample(list(MEANT), self.random.randint(1, 2))
        whats, me, found = [parse_what(text) for text in texts], Seat(name, clone.id, None), clone.found(self.now)
        again = next((one for one in found if one.claim.seat == me and set(one.claim.whats) == set(whats)), None)
        blocker = first_of_others(found[: found.index(again)] if again else found, me, whats)
        if blocker is not None and self.random.random() < 0.5:
            return
        until = self.now + self.random.randint(5, 60) * MINUTE
        before = [one for one in [*clone.agreed, *clone.pending] if one.kind == CLAIM and one.author == name]
        reply_to = again.claim.entry.record.uid if again else None
        is_odd = bool(before) and self.random.random() < 0.15
        if is_odd:  # as other software may: of anything that it claimed once, be it over
            reply_to = self.random.choice(before).uid
        uid = self._say(clone, name, CLAIM, extra=trailers_of(whats, until), reply_to=reply_to)
        if is_odd:
            return
        mine = next(one for one in clone.found(self.now) if one.claim.entry.record.uid == uid)
        assert (mine.waits_for is None) == (blocker is None), "who is told that it has something has it at home"

    def _say(self, clone: Apart, author: str, kind: str, **more: object) -> Uid:
        uid = Uid(f"u{next(self._uids):015}")
        record = Record(
            kind=kind, uid=uid, author=author, email="x@example.com", written=Moment(self.now), body="x", clone=clone.id
        )
        clone.pending.append(replace(record, **more))  # type: ignore[arg-type]
        return uid

    def sync(self, clone: Apart) -> None:
        """The hub's records first, then the clone's own."""
        self.hub += clone.pending
        clone.agreed, clone.pending = list(self.hub), []

    def holders(self) -> Told:
        """What stands in the hub, found in another way: record by record, by what each claim means."""
        active: list[tuple[int, Record]] = []
        ends: dict[str, int] = {}
        for place, record in enumerate(self.hub):
            seat = (record.author, record.clone)
            if record.kind == CLAIM:
                ends[record.uid] = _time_of(dict(record.extra)["Chat-Until"])
                mine = [one for one in active if (one[1].author, one[1].clone) == seat]
                before = next((one for one in mine if one[1].uid == record.reply_to), None)
                if before is not None:
                    active.remove(before)
                    place = before[0] if ends[before[1].uid] >= record.written.seconds else place
                active.append((place, record))
                active.sort(key=lambda one: one[0])
            elif record.kind == RELEASE:
                active = [
                    one for one in active
                    if (one[1].author, one[1].clone) != seat or record.reply_to not in (None, one[1].uid)
                ]  # fmt: skip
            else:
                gone = (record.body.split()[0], record.clone)
                active = [one for one in active if (one[1].author, one[1].clone) != gone]
        standing = [record for _, record in active if ends[record.uid] > self.now]
        return [(record.uid, _blocker(standing[:place], record)) for place, record in enumerate(standing)]


def _time_of(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _blocker(before: list[Record], record: Record) -> str | None:
    mine = _meant(record)
    for other in before:
        if (other.author, other.clone) != (record.author, record.clone) and mine & _meant(other):
            return other.uid
    return None


def _meant(record: Record) -> set[str]:
    texts = [value.removeprefix("path:") for key, value in record.extra if key == "Chat-Claim"]
    return set().union(*(MEANT[text] for text in texts))


def test_clones_that_have_seen_each_other_name_the_same_holders() -> None:
    """350 random runs: in each clone the same, and the same as a slow look at the hub's records finds."""
    waited = 0
    for seed in range(350):
        model = Model(seed)
        for _ in range(18):
            model.step()
        for clone in [*model.clones, *model.clones]:
            model.sync(clone)
        here, *others = [told(clone.found(model.now)) for clone in model.clones]
        assert others == [here] * 2, seed
        assert here == model.holders(), seed
        waited += sum(blocker is not None for _, blocker in here)
    assert waited > 100, "the runs must be about something"


# --- with real repositories ----------------------------------------------------------


class Real:
    """A clone of a hub, its agents, and a clock of the whole world."""

    def __init__(self, clone: Clone, moment: list[Moment]) -> None:
        here = clone.world.environment(clone.path, now=lambda: moment[0])
        variables = {**here.variables, "CLAUDECODE": "1", "GITCHAT_SESSION": clone.name}
        self.environment = replace(here, variables=variables)

    def room(self, name: str) -> Room:
        """The lobby for one of its agents."""
        return Room(self.environment, None, name)

    def sync(self) -> None:
        """One round, and what follows from it."""
        settle(open_remote(self.environment, "origin"), None, random=self.environment.random)
        tend(self.environment)

    def told(self) -> list[tuple[str, str | None]]:
        """What stands here."""
        return told(self.room("alice").claims())

    def statuses(self) -> list[tuple[int | None, str, tuple[str, ...]]]:
        """What was said of claims."""
        entries = self.environment.log(RoomName("lobby")).entries()
        return [(one.number, one.record.body, one.record.to) for one in entries if one.record.kind == STATUS]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 7))])
def test_real_clones_do_so_too(hub: Hub, seed: int) -> None:
    """By real rounds, in any order; and who fell back or holds now was told of it by one record, the same in all."""
    rng, moment = random.Random(seed), [read_clock()]
    first = hub.clone("first")
    first.say("hello")
    first.sync()
    clones = [Real(hub.clone(name), moment) for name in ("ann", "bob")]
    for clone in clones:
        clone.sync()
    refused: set[str] = set()
    for _ in range(14):
        clone, name, act = rng.choice(clones), rng.choice(["alice", "bob"]), rng.random()
        try:
            if act < 0.6:
                whats = rng.sample(list(MEANT), rng.randint(1, 2))
                clone.room(name).claim(whats, seconds=rng.randint(5, 60) * MINUTE, wait=rng.random() < 0.5)
            elif act < 0.7:
                clone.room(name).release()
            elif act < 0.85:
                clone.sync()
            else:
                moment[0] = replace(moment[0], seconds=moment[0].seconds + rng.randint(1, 20) * MINUTE)
        except (ConflictError, UserError) as error:
            refused.add(error.code)
    assert refused <= {"claimed", "no-claim"}
    for clone in [*clones] * 4:
        clone.sync()
    here, there = [(clone.told(), clone.statuses()) for clone in clones]
    assert here == there
    said = [(words, to) for _, words, to in here[1]]
    assert len(set(said)) == len(said)
