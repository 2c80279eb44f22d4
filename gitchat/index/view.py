"""What of a chain is looked at, and who has its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from gitchat.model import codec, order
from gitchat.model.names import Oid

Rule = Callable[[Oid, codec.Commit], order.Node]
"""What the order rule has to know of a commit of some chain."""

_T = TypeVar("_T")


class View(NamedTuple):
    """What of a chain is looked at: all that ``tip`` reaches, numbered, then what only ``local`` does."""

    name: str
    tip: Oid | None
    local: Oid | None


class Extent(NamedTuple):
    """How far a view goes."""

    chain: int
    """The chain's row id."""
    numbered: int
    total: int


class Rows(Protocol):
    """Who has the rows: the index."""

    def rows(self, view: View, rule: Rule, ask: Callable[[sqlite3.Connection, Extent], _T]) -> _T:
        """What ``ask`` gives for the extent of the view, which is brought up to date."""

    def file_texts(self) -> None:
        """Let all that was taken in be found by its words."""

    def taken(self, oid: Oid) -> codec.Commit | None:
        """A commit that was just read to be taken in, once."""
