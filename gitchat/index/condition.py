"""Conditions on the records of the index: parts of WHERE clauses, with their values. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from gitchat.model.names import Oid
from gitchat.model.record import QUIET_KINDS, STATUS, UNLISTED_KINDS


class Spoken(NamedTuple):
    """Records that a name wrote."""

    author: str
    voice: tuple[str | None, str | None] | None = None
    """From which clone and address; None for any."""
    through: int | None = None
    """Up to which number; None for all."""


class Tally(NamedTuple):
    """Records that reach everybody or one of some names, without what some have spoken: counted as they come."""

    names: tuple[str, ...]
    without: tuple[Spoken, ...] = ()
    """No record is in two of them."""
    is_urgent: bool = False
    """Only urgent ones."""


class Few(NamedTuple):
    """A SELECT of the ids of few rows of ``entry``, with its values. ``:chain`` stands for the chain's id."""

    sql: str
    values: tuple[object, ...]


class Condition(NamedTuple):
    """A part of a WHERE clause over ``entry``, with its values."""

    sql: str
    values: tuple[object, ...] = ()
    tally: Tally | None = None
    """The same records in other words, where they can be counted without a look at each."""
    few: Few | None = None
    """What all of them are among, to be looked up first: SQLite, which has no statistics of this file, would rather go
    through all numbers."""

    @classmethod
    def any_of(cls, parts: Sequence[Condition]) -> Condition:
        """A condition that holds when one of the parts does, each of which says something; of none: never."""
        if not parts:
            return cls("0")
        return cls(" OR ".join(f"({part.sql})" for part in parts), tuple(v for part in parts for v in part.values))

    def denied(self) -> Condition:
        """The condition that holds when this one does not, be it because nothing is known."""
        return Condition(f"NOT coalesce({self.sql}, 0)", self.values)

    @classmethod
    def all_of(cls, parts: Iterable[Condition]) -> Condition:
        """A condition that holds when every part does."""
        chosen = [part for part in parts if part.sql]
        few = next((part.few for part in chosen if part.few is not None), None)
        sql, values = " AND ".join(f"({part.sql})" for part in chosen), tuple(v for part in chosen for v in part.values)
        return cls(sql, values, few=few)


ANY = Condition("")


def _of_no(kinds: Collection[str]) -> Condition:
    return Condition(f"kind NOT IN ({', '.join('?' * len(kinds))})", tuple(sorted(kinds)))


LISTED = _of_no(UNLISTED_KINDS)
"""Records that a listing shows. Source: docs/format.md section 4.1."""

LOUD = _of_no(QUIET_KINDS)
"""Records that reach everybody when they name nobody. Source: docs/format.md section 10.5."""


def of_kinds(kinds: Collection[str]) -> Condition:
    """Records of these kinds, none of which is ``message``."""
    # That it is no message is said in so many words: SQLite then takes the index of the few others.
    return Condition(f"kind != 'message' AND kind IN ({', '.join('?' * len(kinds))})", tuple(sorted(kinds)))


def of_claims() -> Condition:
    """Records that claim something or give it back."""
    return Condition("kind IN ('claim', 'release')")  # in the words of the index of these few


def statuses_for_nobody() -> Condition:
    """Status records that are addressed to nobody, and so reach nobody; of those a reading tells how many."""
    return Condition.all_of([of_kinds([STATUS]), Condition("recipients = ''")])


def of_type(slug: str) -> Condition:
    """Records of a type."""
    return Condition("type = ?", (slug,))


def about_file(paths: Collection[str], below: str | None = None) -> Condition:
    """Records about one of these files, or about any file ``below`` a directory, ``.`` for all. Looks at no others."""
    sql, values = f"path IN ({', '.join('?' * len(paths))})", tuple(paths)
    if below == ".":
        sql, values = "1", ()
    elif below is not None:
        sql, values = f"{sql} OR (path > ? AND path < ?)", (*values, f"{below}/", f"{below}0")  # "0" follows "/"
    return _among_few(Few(f"SELECT DISTINCT entry AS id FROM anchor WHERE {sql}", values))


ANCHORED_FILES = (
    "WITH RECURSIVE file (path) AS (SELECT min(path) FROM anchor UNION ALL "
    "SELECT (SELECT min(path) FROM anchor WHERE path > file.path) FROM file WHERE path IS NOT NULL"
    ") SELECT path FROM file WHERE path IS NOT NULL"
)
"""All files that something was said about, in any chain, from one to the next: SQLite would look at every row."""


def about_commits(commits: Collection[str]) -> Condition:
    """Records about one of these commits of the project, by their full ids. Looks at no others."""
    few = "SELECT id FROM entry WHERE chain = :chain AND commit_oid IN (SELECT value FROM json_each(?))"
    return _among_few(Few(few, (json.dumps(sorted(commits)),)))


def answering(uids: Collection[str]) -> Condition:
    """Records that reply to one of these. Looks at no others."""
    few = "SELECT id FROM entry WHERE chain = :chain AND reply IN (SELECT value FROM json_each(?))"
    return _among_few(Few(few, (json.dumps(sorted(uids)),)))


def _among_few(few: Few) -> Condition:
    return Condition(f"entry.id IN ({few.sql})", few.values, few=few)


def with_oid(oid: Oid) -> Condition:
    """The record of this commit."""
    return Condition("oid = ?", (blob_of(oid),))


def authored_by(name: str) -> Condition:
    """Records that ``name`` wrote."""
    return Condition("author = ?", (name,))


def narrowed(author: str | None = None, type_: str | None = None) -> Condition:
    """Records that ``author`` wrote, of this type; None stands for any."""
    parts = [("author = ?", author), ("type = ?", type_)]
    return Condition.all_of(Condition(sql, (value,)) for sql, value in parts if value is not None)


def unanswered() -> Condition:
    """Questions that nobody answered. Looks at no others."""
    return _among_few(Few("SELECT id FROM entry WHERE chain = :chain AND is_open = 1", ()))


def spoken_in(clones: Collection[str]) -> Condition:
    """Records that a seat of one of these clones wrote."""
    return Condition(f"clone IN ({', '.join('?' * len(clones))})", tuple(sorted(clones))) if clones else Condition("0")


def signed_by(addresses: Collection[str]) -> Condition:
    """Records with one of these addresses."""
    marks = ", ".join("?" * len(addresses))
    return Condition(f"email IN ({marks})", tuple(sorted(addresses))) if addresses else Condition("0")


def among(oids: Iterable[Oid]) -> Condition:
    """The records of these commits, however many they are."""
    return Condition("lower(hex(oid)) IN (SELECT value FROM json_each(?))", (json.dumps(list(oids)),))


def addressed_to(name: str) -> Condition:
    """Records that name ``name`` itself, and not only everybody, or a role."""
    return Condition("instr(recipients, ?)", (f",{name},",))


def visible_to(names: Iterable[str], own: str | None = None, *, with_status: bool = False) -> Condition:
    """Records that reach one of ``names`` (a name, ``role:...``), without those that ``own`` wrote.

    A record of a quiet kind (a status, a claim, a release) reaches only whom it names, unless ``with_status``.
    Source: docs/format.md section 10.5.
    """
    wanted = list(names)
    addressed = " OR ".join(["instr(recipients, ?)"] * len(wanted)) or "0"
    to_all = Condition.all_of([Condition("recipients = ''"), ANY if with_status else LOUD])
    reached = Condition(f"({to_all.sql}) OR {addressed}", (*to_all.values, *(f",{name}," for name in wanted)))
    found = Condition.all_of([LISTED, reached, Condition("author != ?", (own,)) if own else ANY])
    tally = Tally(tuple(dict.fromkeys(wanted)), (Spoken(own),) if own else ())
    return found if with_status else found._replace(tally=tally)


def without(condition: Condition, own: Condition, spoken: Sequence[Spoken] | None) -> Condition:
    """``condition`` without ``own``, which are the records ``spoken`` where that can be said so."""
    found = Condition.all_of([condition, own.denied()])
    if condition.tally is None or spoken is None:
        return found
    return found._replace(tally=condition.tally._replace(without=(*condition.tally.without, *spoken)))


def urgent_of(condition: Condition) -> Condition:
    """The urgent ones of these records."""
    found = Condition.all_of([condition, Condition("urgent = 1")])
    return found if condition.tally is None else found._replace(tally=condition.tally._replace(is_urgent=True))


def blob_of(oid: Oid | None) -> bytes | None:
    """An object id as the index stores it."""
    return bytes.fromhex(oid) if oid is not None else None
