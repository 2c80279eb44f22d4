"""What must be heard: for each clone, what its log has, and what each seat and each person in it has still to hear.

Plain sets and lists of what was said, with no commit, ref or position in them: the slow, obvious version of
docs/format.md sections 10.5 to 10.8, for tests to compare with. A copy of a clone is a copy of its hearing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from gitchat.model.names import Name

Session = str | None
"""The id of an agent's conversation; None where its client tells none."""

LOST_WEEKS = 4
"""After so many weeks (of eight days) a name that never read somewhere begins with the newest summary there."""


class Person(NamedTuple):
    """Whose machine a clone is on."""

    name: Name
    address: str
    others: tuple[str, ...] = ()
    """Further addresses of the same person."""

    @property
    def addresses(self) -> set[str]:
        return {self.address, *self.others}


class Said(NamedTuple):
    """A message. No two have the same body."""

    body: str
    author: Name
    to: tuple[Name, ...]
    is_of_seat: bool
    """Whether an agent said it that has a seat; not a person, and nobody of version 0.1.0."""
    address: str
    week: int

    def reaches(self, name: Name) -> bool:
        return not self.to or name in self.to


Heard = frozenset[Said]


class Summed(NamedTuple):
    """A summary, and what it covers."""

    text: str
    covers: Heard


_T = TypeVar("_T")


@dataclass
class Line(Generic[_T]):
    """Records in their order, as one clone has them."""

    local: list[_T] = field(default_factory=list)
    """What its own ref reaches."""
    numbered: list[_T] | None = None
    """What the hub was last heard to have; None for a clone that follows no hub."""

    @property
    def view(self) -> list[_T]:
        """What is shown: the numbered ones, then those that the hub has not."""
        numbered = self.numbered or []
        return [*numbered, *(one for one in self.local if one not in numbered)]

    def take_in(self, there: Sequence[_T]) -> None:
        """What the hub has is fetched; the own ref goes along where that loses nothing."""
        if self.numbered is not None:
            self.numbered = list(there)
        if set(self.local) <= set(there):
            self.local = list(there)

    def follow(self, there: list[_T]) -> None:
        """From now on the hub numbers these."""
        self.numbered = list(there)

    def push(self, there: list[_T]) -> None:
        """The hub takes what it has not, behind what it has."""
        there += [one for one in self.local if one not in there]
        self.local = list(there)


@dataclass
class Ear:
    """A seat: who must hear all that others say from now on."""

    begin: Heard
    """What its name had heard when it sat down."""
    before: Heard
    """What had been said by then."""
    session: Session
    week: int
    """When it was last used."""
    is_person: bool = False
    passed: set[Said] = field(default_factory=set)
    got: list[Said] = field(default_factory=list)
    """What it was told, in that order."""

    def __post_init__(self) -> None:
        self.passed |= self.begin

    def is_over(self, session: Session, week: int) -> bool:
        is_others = session is not None and self.session is not None and session != self.session
        return not self.is_person and (is_others or week != self.week)


class Hub:
    """What all clones come together at."""

    def __init__(self) -> None:
        self.log: list[Said] = []
        self.summaries: list[Summed] = []
        self.common: dict[Name, Heard] = {}


class Hearing:
    """What one clone has, and what is heard in it. Agents and persons have different names."""

    def __init__(self, person: Person, *, is_old: bool = False) -> None:
        """``is_old`` says that version 0.1.0 works here, for which a name is the same everywhere."""
        self.person = person
        self.is_old = is_old
        self.log: Line[Said] = Line()
        self.summaries: Line[Summed] = Line()
        self.common: dict[Name, Heard] = {}
        """What anybody has heard under a name, as far as it is known here."""
        self.ears: dict[Name, Ear] = {}
        self.sessions: dict[Name, Session] = {}
        self.written: set[Said] = set()
        """What was said in this clone, and in none that it was copied from."""

    def forget_agents(self) -> None:
        """It is a copy: nobody of the agents sits here, and nothing was said here."""
        self.ears = {name: ear for name, ear in self.ears.items() if ear.is_person}
        self.written = set()

    # --- who listens ------------------------------------------------------------------

    def is_of_agent(self, name: Name) -> bool:
        return name != self.person.name

    def sit(self, name: Name, week: int) -> None:
        """Who acts as ``name`` takes a seat, if it has one to take, and has none."""
        session = self.sessions.get(name)
        ear = self.ears.get(name)
        if self.is_old or (not self.is_of_agent(name) and not self._namesakes(self.log.view)):
            return
        if ear is None or ear.is_over(session, week):
            ear = Ear(self._begin(name, week), frozenset(self.log.view), session, week, not self.is_of_agent(name))
            self.ears[name] = ear
        ear.week = week
        ear.session = ear.session or session

    def rise(self, name: Name) -> None:
        """The session of ``name`` ends in good order."""
        self.ears.pop(name, None)

    def _begin(self, name: Name, week: int) -> Heard:
        """What a new seat has heard: what its name has; where that is nothing, perhaps what a summary says."""
        if name in self.common:
            return self.common[name]
        wrote = [said.week for said in self.log.view if said.author == name]
        was_long_away = bool(wrote) and week - wrote[-1] >= LOST_WEEKS
        if self.summaries.view and (was_long_away or not self.is_of_agent(name)):
            return self.summaries.view[-1].covers
        return frozenset()

    def _namesakes(self, said: Iterable[Said]) -> list[Said]:
        """What somebody else said under the name of the person here."""
        mine = self.person.addresses
        return [
            one
            for one in said
            if one.author == self.person.name and not one.is_of_seat and one.address not in mine
        ]  # fmt: skip

    # --- what it hears ------------------------------------------------------------------

    def position(self, name: Name) -> Heard:
        """What counts as heard for who acts as ``name``."""
        ear = self.ears.get(name)
        return frozenset(ear.passed) if ear is not None and not self.is_old else self.common.get(name, frozenset())

    def is_own(self, name: Name, said: Said) -> bool:
        """Whether who acts here as ``name`` said it."""
        if said.author != name or self.is_old:
            return said.author == name
        if not self.is_of_agent(name):
            return said.address in self.person.addresses
        ear = self.ears.get(name)
        return not said.is_of_seat or said in self.written or (ear is not None and said in ear.before)

    def unheard(self, name: Name) -> list[Said]:
        """What who acts as ``name`` has still to hear, in its order."""
        heard = self.position(name)
        return [
            said
            for said in self.log.view
            if said not in heard and said.reaches(name) and not self.is_own(name, said)
        ]  # fmt: skip

    def hear(self, name: Name, told: Sequence[Said]) -> None:
        """These were told and marked, and with them what stands before the last of them."""
        if told:
            view = self.log.view
            passed = frozenset(view[: view.index(told[-1]) + 1])
            self.common[name] = self.common.get(name, frozenset()) | passed
            ear = self.ears.get(name)
            if ear is not None and not self.is_old:
                ear.passed |= passed
                ear.got += told

    def say(self, said: Said) -> None:
        self.log.local.append(said)
        self.written.add(said)

    def may_cover(self, name: Name) -> tuple[Heard, Heard]:
        """The least and the most that a summary by ``name`` covers: what was heard, and own words right behind it.

        Of who never heard anything it is all there is.
        """
        least = self.position(name)
        most = set(least)
        for said in self.log.view:
            if said not in most and not self.is_own(name, said):
                break
            most.add(said)
        return (least, frozenset(most)) if least else (frozenset(self.log.view),) * 2

    def missed(self, name: Name) -> set[Said]:
        """What the seat ``name`` should have been told, and was not; all must be here, and heard."""
        ear = self.ears[name]
        wanted = {
            said
            for said in self.log.view
            if said not in ear.begin and said.reaches(name) and not self.is_own(name, said)
        }  # fmt: skip
        return wanted - set(ear.got)

    # --- with others -----------------------------------------------------------------------

    def sync(self, hub: Hub, week: int, *, pushes: bool) -> None:
        """A round with the hub, which accepts everything."""
        if not hub.log and not (pushes and self.log.local):
            return
        is_first = self.log.numbered is None
        has_namesake = bool(self._namesakes(one for one in hub.log if one not in self.log.local))
        self.log.take_in(hub.log)
        self.summaries.take_in(hub.summaries)
        if has_namesake and not self.is_old:
            self._sit_apart(week)
        for name, heard in hub.common.items():
            self.common[name] = self.common.get(name, frozenset()) | heard
        if is_first and not self.is_old:
            self._begin_late()
        if pushes:
            self.log.push(hub.log)
            self.summaries.push(hub.summaries)
            hub.common |= self.common
        self.log.follow(hub.log)
        self.summaries.follow(hub.summaries)

    def _begin_late(self) -> None:
        """Who sat down while the room was on its way, and has heard nothing, begins where its name has heard."""
        for name, ear in self.ears.items():
            if not ear.passed:
                ear.begin = self.common.get(name, frozenset())
                ear.passed |= ear.begin

    def _sit_apart(self, week: int) -> None:
        """Somebody of another address speaks as the person here: what that one has heard says nothing from now on."""
        name = self.person.name
        if name not in self.ears:
            self.ears[name] = Ear(self._begin(name, week), frozenset(), None, week, is_person=True)
