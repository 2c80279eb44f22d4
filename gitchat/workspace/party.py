"""Whom a process acts for that acts for several: a server of people and programs elsewhere.

What a process else finds out about itself, by its terminal, its variables and the processes above it, is
the server's own there; of who asks, only the server can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitchat.model.names import Name

if TYPE_CHECKING:  # loaded by who takes a name
    from gitchat.presence.holding import Holding


@dataclass(frozen=True, slots=True)
class Party:
    """One of those that a server acts for."""

    holding: Holding
    """The names that it lives under."""
    client: str
    """How its way here is called, such as ``http``."""
    session: str | None = None
    """The key of its session, which the server made: whoever knows it acts for the party, so no stranger may choose it.

    Its seats last as long as it is the same, also over an end of the server.
    """
    name: Name | None = None
    """The name that it acts under when it gives none."""
    email: str | None = None
    """The author's address of what it writes, under whatever name."""
    is_person: bool = False
    """Whether it is the person whose clone this is, at a page: it has that person's name, address and position."""
