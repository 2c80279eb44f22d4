"""What the index tells of a record: where it stands, who found it, and from where somebody spoke."""

from __future__ import annotations

from typing import NamedTuple

from gitchat.model.names import CloneId, Number, Oid


class Place(NamedTuple):
    """Where a record stands."""

    number: Number
    """Its place in the view: its number, unless it is pending."""
    oid: Oid
    is_pending: bool = False
    """Whether it stands behind all numbered ones, because the room's authority has not accepted it yet."""


class Voice(NamedTuple):
    """Where a name spoke from."""

    clone: CloneId | None
    """The clone that it had a seat in; None for none."""
    address: str | None
    """As Record.address."""


class Hit(NamedTuple):
    """A record that a search found."""

    rank: float
    """The smaller, the better; comparable between the chains of one index."""
    place: Place


class Row(NamedTuple):
    """A commit of a chain."""

    place: int
    """Grows along the order rule, before repeated records are dropped."""
    number: Number | None
    """None for a commit that is no record, and for a repeated one."""
    is_record: bool
