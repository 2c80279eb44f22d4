"""What is said of names that were sent with, and that nobody here ever heard of: with the command that was meant.

What they are is told by ``gitchat.verbs.unheard``; only who named something loads it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gitchat.model.names import RoomName
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:  # a listing is no order
    from gitchat.cli.order import Order


def of_people(environment: Environment, room: RoomName, order: Order, to: Sequence[str]) -> list[str]:
    """On the recipients of what was sent: who was never here; or that it went to all, and begins with a name."""
    first, *rest = order.text or ("",)
    if not to and not rest:
        return []
    from gitchat.verbs import unheard

    found = unheard.people(environment, room, to)
    lines = [str(one) + (f": {order.typed(to=(one.likest,))}" if one.likest else "") for one in found]
    if rest and not to and unheard.is_known(environment, room, first):
        lines.append(f"this went to everybody; to {first}: {order.typed(to=(first,), text=tuple(rest))}")
    return lines


def of_type(order: Order, given: str | None) -> list[str]:
    """On its type."""
    if given is None:
        return []
    from gitchat.verbs import unheard

    found = unheard.kind(given)
    return [f"{found}: {order.typed(type_=found.likest)}"] if found is not None else []


def of_room(order: Order, room: RoomName, others: Sequence[RoomName]) -> list[str]:
    """On the room that it began, beside ``others``; where none of them is like it, a person alone is told."""
    from gitchat.verbs import unheard

    found = unheard.place(room, others)
    if found.likest:
        return [f"{found}: git chat room delete {room}; then: {order.typed(room=found.likest)}"]
    return [str(found)] if sys.stderr.isatty() else []
