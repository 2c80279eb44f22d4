"""Names that nobody here ever heard of, where any would do: they are taken, and said, with those that are like them.

Only who gave one that is not at once known to be there pays for the look.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from gitchat.model import types
from gitchat.model.errors import ChatError
from gitchat.model.names import EVERYBODY, Name, RoomName, is_name
from gitchat.model.refs import cursor_ref
from gitchat.model.spelling import near
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:  # a listing is no order
    from gitchat.cli.order import Order

_ROLE = "role:"


def people(environment: Environment, room: RoomName, named: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Of the recipients ``named``, those that nobody here was ever called, or had as a role; each with what is like it.

    Never fails: where that cannot be told, there are none.
    """
    unknown = [one for one in named if one != EVERYBODY and not is_known(environment, room, one)]
    if not unknown:
        return []
    from gitchat.verbs.room import Room  # brings SQLite

    with suppress(ChatError):
        chosen = Room(environment, room)
        known = [*chosen.names(), *(f"{_ROLE}{one.role}" for one in environment.roll.known(room))]
        return [(one, near(one, known)) for one in unknown if one not in known]
    return []


def is_known(environment: Environment, room: RoomName, name: str) -> bool:
    """Whether somebody is known here by that name without a look into the room: it joined somewhere, or read here."""
    if not is_name(name):
        return False
    with suppress(ChatError):
        is_tracked = environment.store.tip(cursor_ref(room, Name(name))) is not None
        return is_tracked or environment.roll.find(Name(name)) is not None
    return True


def no_people(environment: Environment, room: RoomName, named: Iterable[str]) -> list[tuple[str, str | None]]:
    """A sentence on each that :func:`people` gives, and the likest name, if one is like it."""
    found = []
    for one, likest in people(environment, room, named):
        is_role = one.startswith(_ROLE)
        said = f"nobody here has the role '{one.removeprefix(_ROLE)}'" if is_role else _nobody(one)
        found.append((said + _near(likest), likest[0] if likest else None))
    return found


def no_type(given: str | None) -> tuple[str, str] | None:
    """That a type is none that is known, where one is like it, and which; None where there is nothing to say."""
    likest = near(given, types.KNOWN) if given is not None and given not in types.KNOWN else []
    return (f"no type '{given}' is known{_near(likest)}", likest[0]) if likest else None


# --- what was sent -----------------------------------------------------------------


def of_people(environment: Environment, room: RoomName, order: Order, to: Sequence[str]) -> list[str]:
    """On the recipients of what was sent: who was never here; or that it went to all, and begins with a name."""
    found = no_people(environment, room, to)
    lines = [said + (f": {order.typed(to=(likest,))}" if likest else "") for said, likest in found]
    first, *rest = order.text or ("",)
    if rest and not to and is_known(environment, room, first):
        lines.append(f"this went to everybody; to {first}: {order.typed(to=(first,), text=tuple(rest))}")
    return lines


def of_type(order: Order, given: str | None) -> list[str]:
    """On its type."""
    found = no_type(given)
    return [f"{found[0]}: {order.typed(type_=found[1])}"] if found is not None else []


def of_room(order: Order, room: RoomName, others: Sequence[RoomName]) -> list[str]:
    """On the room that it began, beside ``others``; where none of them is like it, a person alone is told."""
    likest = near(room, others)
    said = f"'{room}' is a new room{_near(likest)}"
    if likest:
        return [f"{said}: git chat room delete {room}; then: {order.typed(room=likest[0])}"]
    return [said] if sys.stderr.isatty() else []


def _nobody(name: str) -> str:
    return f"nobody called '{name}' was ever here"


def _near(likest: Sequence[str]) -> str:
    return f"; near: {', '.join(likest)}" if likest else ""
