"""What was named where any name would do, and nobody here ever heard of: it is taken as it is, and its giver is told.

The sentences are the same in each face, which says in its own way what to do then. Only for a name that is not at
once known to be there a room is looked into, so nothing here brings the index with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from gitchat.model import types
from gitchat.model.errors import ChatError
from gitchat.model.names import EVERYBODY, Name, RoomName, is_name, is_slug
from gitchat.model.refs import cursor_ref
from gitchat.model.spelling import near
from gitchat.workspace.environment import Environment

_ROLE = "role:"


@dataclass(frozen=True, slots=True)
class Unheard:
    """A name that is new here. ``said`` is what it is not, ``near`` the names that are like it, the likest first."""

    said: str
    near: tuple[str, ...] = ()

    @property
    def likest(self) -> str | None:
        """What may have been meant; None where nothing is like it."""
        return self.near[0] if self.near else None

    def __str__(self) -> str:
        return f"{self.said}; near: {', '.join(self.near)}" if self.near else self.said


def people(environment: Environment, room: RoomName, named: Iterable[str]) -> list[Unheard]:
    """Of the recipients ``named``, those that nobody here was ever called, or had as a role.

    Never fails: where that cannot be told, there are none.
    """
    unknown = [one for one in named if one != EVERYBODY and not is_known(environment, room, one)]
    if not unknown:
        return []
    from gitchat.verbs.attendance import names  # brings SQLite
    from gitchat.verbs.standpoint import Standpoint

    with suppress(ChatError):
        roles = [f"{_ROLE}{one.role}" for one in environment.roll.known(room) if is_slug(one.role)]
        known = [*names(Standpoint(environment, room)), *roles]
        return [Unheard(_nobody(one), tuple(near(one, known))) for one in unknown if one not in known]
    return []


def is_known(environment: Environment, room: RoomName, name: str) -> bool:
    """Whether somebody is known here by that name without a look into the room: it joined somewhere, or read here."""
    if not is_name(name):
        return False
    with suppress(ChatError):
        is_tracked = environment.store.tip(cursor_ref(room, Name(name))) is not None
        return is_tracked or environment.roll.find(Name(name)) is not None
    return True


def kind(given: str | None) -> Unheard | None:
    """A type that is not known, where one is like it; another one is as good as any."""
    likest = near(given, types.KNOWN) if given is not None and given not in types.KNOWN else []
    return Unheard(f"no type '{given}' is known", tuple(likest)) if likest else None


def place(room: RoomName, others: Sequence[RoomName]) -> Unheard:
    """A room that is begun beside ``others``."""
    return Unheard(f"'{room}' is a new room", tuple(near(room, others)))


def _nobody(name: str) -> str:
    if name.startswith(_ROLE):
        return f"nobody here has the role '{name.removeprefix(_ROLE)}'"
    return f"nobody called '{name}' was ever here"
