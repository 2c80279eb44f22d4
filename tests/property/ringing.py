"""Clones that knock for each other over a line that loses, doubles and delays what is said, and that strangers reach.

The steps are those of :mod:`tests.property.clones`, and two more: a clone hears what has come and looks if its porter
says so, and somebody lies. The clock of the porters goes on by some seconds with each step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import ClassVar

from gitchat.clones.report import Report
from gitchat.doorbell.beats import Beat
from gitchat.doorbell.doorbell import Hear, Opened
from gitchat.doorbell.knock import Knock
from gitchat.model.errors import RemoteError
from gitchat.model.names import Oid, RoomName, Uid
from gitchat.staying.porter import Porter
from gitchat.workspace.environment import Environment
from tests.property.clones import Clone, Clones, Faulty
from tests.property.conversation import expect
from tests.world import World

RINGING = {"send": 6, "read": 1, "summarize": 1, "sync": 12, "hear": 2, "lie": 2, "move": 1}
"""The steps, and how often each is taken."""

MOST_ROUNDS = 6
"""Who hears of a place to which the rooms went goes there in the next round, and perhaps on from there."""

PASSES_SECONDS = (0.1, 1.0, 12.0, 700.0)
"""How much time a step takes."""


class Line:
    """What one clone has of the line: where it speaks, and what it hears."""

    has_presence: ClassVar = False
    is_open = True
    trouble = None

    def __init__(self, said: Callable[[Line, Knock], None]) -> None:
        self._said = said
        self.heard: Hear = lambda heard: None
        self.rooms: Mapping[Uid, RoomName] = {}

    def listen(self, heard: Hear) -> None:
        self.heard = heard
        heard(Opened())

    def attend(self, rooms: Mapping[Uid, RoomName]) -> None:
        self.rooms = rooms

    def knock(self, knock: Knock) -> None:
        self._said(self, knock)

    def beat(self, beat: Beat, room: RoomName) -> None:
        """Nobody lives here."""

    def close(self, limit_seconds: float = 0.0) -> None:
        """There is nothing to end."""


class Ringing(Clones):
    """Clones with a line between them."""

    def __init__(self, world: World, seed: int, porter: type[Porter] = Porter, remote: type[Faulty] = Faulty) -> None:
        """``porter`` and ``remote`` can be ones that make a mistake, which must be noticed."""
        super().__init__(world, seed, remote)
        self._seconds = 0.0
        self._told_of: list[Oid] = []
        """All that was ever knocked for."""
        self._lines: list[Line] = []
        self._late: list[tuple[Line, Knock]] = []
        self._true: dict[Clone, set[Oid]] = {clone: set() for clone in self._clones}
        """What each has been told truly, since it heard last."""
        self._came: dict[Clone, set[Oid]] = {clone: set() for clone in self._clones}
        """What each has been told, true or not, since it heard last."""
        self._porters = {clone: self._begun(clone, porter) for clone in self._clones}

    def _begun(self, clone: Clone, kind: type[Porter]) -> Porter:
        line = Line(self._say)
        self._lines.append(line)

        def opens(environment: Environment, remote: str) -> Line:
            return line

        porter = kind(clone.environment, "origin", stir=lambda: None, opens=opens, now=lambda: self._seconds)
        porter.__enter__()
        expect(porter.calls(), True, f"a look as {clone.name} begins to listen")
        clone.told = lambda report: self._told(clone, report)
        return porter

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self._seconds += self._chance.choice(PASSES_SECONDS)
            place = self._chance.randrange(len(self._clones))
            self.take(self._chance.choices(list(RINGING), weights=list(RINGING.values()))[0], place)
            for number, clone in enumerate(self._clones):
                if self._came[clone] and self._chance.random() < 0.8:  # most hear at once
                    self.take("hear", number)
        self.rest()

    def take(self, kind: str, place: int) -> None:
        if kind not in ("hear", "lie"):
            super().take(kind, place)
            return
        clone = self._clones[place % len(self._clones)]
        {"hear": self._hear, "lie": self._lie}[kind](clone)
        for one in self._clones:
            self._check(one)

    def _sync(self, clone: Clone) -> None:
        """Half of the rounds go well: only then there is something to say."""
        if self._chance.random() < 0.5:
            clone.sync()
        else:
            super()._sync(clone)

    # --- what is said ----------------------------------------------------------------

    def _told(self, clone: Clone, report: Report) -> None:
        """A round was made: the clone's porter says what came of it."""
        before = len(self._told_of)
        logs = {oid for ref, oid in report.taken.items() if ref.endswith("/log")}
        self._porters[clone].looked(report, was_called=False)
        expect(logs - set(self._told_of[before:]), set(), f"knocks of {clone.name}")

    def _say(self, line: Line, knock: Knock) -> None:
        self._told_of.append(knock.tip)
        for clone, other in zip(self._clones, self._lines, strict=True):
            if other is line or knock.room not in other.rooms:
                continue
            fate = self._chance.choice(("comes", "comes", "comes", "lost", "doubled", "late"))
            if fate == "late":
                self._late.append((other, knock))
            for _ in range({"comes": 1, "doubled": 2}.get(fate, 0)):
                self._pass_on(clone, other, knock, is_true=True)

    def _pass_on(self, clone: Clone, line: Line, knock: Knock, *, is_true: bool) -> None:
        if is_true:
            self._true[clone].add(knock.tip)
        self._came[clone].add(knock.tip)
        line.heard(knock)

    def _lie(self, clone: Clone) -> None:
        """A stranger says something about the room, or a neighbour repeats what was so once."""
        line = self._lines[self._clones.index(clone)]
        for uid in line.rooms:
            old = [oid for _, oid in clone.store.tips()]
            forged = Oid(f"{self._chance.getrandbits(160):040x}")
            for tip in self._chance.choices([forged, *old], k=self._chance.randint(1, 3)):
                self._pass_on(clone, line, Knock(uid, tip, self._chance.randint(0, 99)), is_true=False)

    # --- what is heard -----------------------------------------------------------------

    def _hear(self, clone: Clone) -> None:
        """Look, if the porter says so; then what was told truly is here."""
        line = self._lines[self._clones.index(clone)]
        late, self._late = [one for one in self._late if one[0] is line], [o for o in self._late if o[0] is not line]
        for _, knock in late:
            self._pass_on(clone, line, knock, is_true=True)
        porter, store = self._porters[clone], clone.store
        missing = {tip for tip in self._came[clone] if not store.backend.has_object(tip)}
        calls = porter.calls()
        if calls:
            expect(bool(missing), True, f"a reason to look in {clone.name}")
            with suppress(RemoteError):
                remote = clone.remote()
                for _ in range(MOST_ROUNDS):
                    report = remote.round(None, pushes=False, is_asked=False)
                    if not report.is_overtaken:
                        break
                porter.looked(report, was_called=True)
            here = {tip for tip in self._true[clone] if store.backend.has_object(tip)}
            expect(self._true[clone] - here, set(), f"what was knocked for in {clone.name}")
            expect(porter.calls(), False, f"no reason to look again in {clone.name}")
            self._came[clone].clear()
        elif missing & self._true[clone]:
            # Only because it was lied to before, and not for long.
            self._seconds += 9
            expect(porter.calls(), True, f"a look in {clone.name} after a while")
            self._hear(clone)
            return
        if calls or not missing:
            self._true[clone].clear()
