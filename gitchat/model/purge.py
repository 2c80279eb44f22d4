"""What a purge leaves of a record, and what is a purge of another log. Pure.

A purged record stays where it is, with its uid, its author, its dates and its recipients; its text, what is attached to
it and every trailer that may hold words of its writer are gone. So all numbers stand, and whoever has the log of before
can tell that nothing else was done to it: nothing is missing, moved or changed, and what was blanked says so.

Source: docs/format.md section 18.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from gitchat.model import codec
from gitchat.model.names import EMPTY_TREES, Oid, Uid, is_slug, is_uid
from gitchat.model.record import CLAIM, RELEASE, Moment, Record

PURGED = "Chat-Purged"
"""``<name> <UTC time>``: who blanked the record, and when. A claim, as every name."""

NEEDED_FORMAT = 2
"""What a room asks its writers to know once something was purged there."""

_UID = "Chat-Uid"
_TIME = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_KEPT = frozenset(
    f"Chat-{word}"
    for word in (
        "Kind", "Uid", "Seq", "To", "Type", "Reply", "Priority", "Commit", "Clone", "Origin", "Media",
        "Until", "State", "Local", "Format-Min",
    )
)  # fmt: skip
"""What no writer has put words of its own into, or the room cannot do without."""

_STAYING = frozenset({"Chat-Kind", "Chat-To", "Chat-Reply", "Chat-State", "Chat-Local", "Chat-Format-Min"})
"""What a purge must not take: whom it reaches, what it answers, and what it decides of the room."""


def shown(record: Record, redacted_by: str | None = None) -> Record:
    """``record`` as every view shows it: one that was purged, or redacted by somebody, without what it said.

    What a claim claims stays: it is followed, whatever is shown of it.
    """
    purged = purged_in(record.extra)
    if purged is not None and not record.body:
        hidden = f"purged by {purged.name}"
    elif redacted_by is not None:
        hidden = f"redacted by {redacted_by}"
    else:
        return record
    extra = record.extra if record.kind in (CLAIM, RELEASE) else ()
    return replace(record, body=f"({hidden})", hidden=hidden, media=None, work=None, extra=extra)


Read = Callable[[Oid], codec.Commit]
"""The commit of an id. Raises FormatError."""


@dataclass(frozen=True, slots=True)
class Purged:
    """Who purged a record, by its own word, and when."""

    name: str
    time: str
    """``YYYY-MM-DDTHH:MM:SSZ``."""

    @property
    def value(self) -> str:
        """As the trailer has it."""
        return f"{self.name} {self.time}"


def purged_at(name: str, now: Moment) -> Purged:
    """That ``name`` purges something now."""
    return Purged(name, now.utc)


def purged_in(trailers: Sequence[tuple[str, str]]) -> Purged | None:
    """Who purged the record that has these trailers; None for one that was not, or does not say so in its grammar."""
    value = next((value for key, value in trailers if key == PURGED), None)
    name, _, time = (value or "").partition(" ")
    return Purged(name, time) if is_slug(name) and _TIME.fullmatch(time) else None


def is_blank(commit: codec.Commit) -> bool:
    """Whether the commit is what a purge left of a record."""
    return not commit.body and commit.tree in EMPTY_TREES and purged_in(commit.block or ()) is not None


# --- writing ---------------------------------------------------------------------


def blanked(raw: bytes, oid: Oid, tree: Oid, parents: Sequence[Oid], purged: Purged) -> bytes:
    """What is left of the record ``oid``, whose commit is ``raw``, after ``parents``. ``tree`` is the empty one.

    One that was purged before keeps who did that.
    """
    commit = codec.parse_commit(oid, raw)
    uid, _ = codec.identity_key(oid, commit)
    before = purged_in(commit.block or ())
    kept = [(key, value) for key, value in commit.block or () if key in _KEPT and key != _UID]
    block = [*kept[:1], (_UID, uid), *kept[1:], (PURGED, (before or purged).value)]
    people = [line for line in raw.partition(b"\n\n")[0].split(b"\n") if line.startswith((b"author ", b"committer "))]
    head = [f"tree {tree}".encode(), *(f"parent {parent}".encode() for parent in parents), *people[:2]]
    return b"\n".join(head) + b"\n\n" + b"\n\n" + _encoded(block)


def named(raw: bytes, oid: Oid) -> bytes:
    """``raw``, the commit of a record, with its uid written down, where that followed from the id of the commit.

    Otherwise it would be another record after other parents.
    """
    commit = codec.parse_commit(oid, raw)
    said = commit.value(_UID)
    if not commit.takes_number or (said is not None and is_uid(said)):
        return raw
    block = [(key, value) for key, value in commit.block or () if key != _UID]
    uid: Uid = codec.identity_key(oid, commit)[0]
    head, separator, message = raw.partition(b"\n\n")
    body, _ = codec.split_message(message)
    return head + separator + body + b"\n\n" + _encoded([*block[:1], (_UID, uid), *block[1:]])


def _encoded(block: Sequence[tuple[str, str]]) -> bytes:
    return "".join(f"{key}: {value}\n" for key, value in block).encode()


# --- telling a purge from anything else --------------------------------------------


def purged_places(old: Sequence[Oid], new: Sequence[Oid], read: Read) -> list[int] | None:
    """The places, from 0, of the records that were purged between two logs; None where something else was done.

    ``old`` and ``new`` are the records of both in the order of the rule, each once. Nothing may be missing or moved;
    each is by the same author, of the same uid, date, text, files and trailers, or it is blank and says who purged it.
    An empty list: nothing was purged, and nothing else done. Reads what differs. Raises FormatError.
    """
    if len(new) < len(old):
        return None
    places = []
    for place, (before, after) in enumerate(zip(old, new, strict=False)):
        if before == after:
            continue
        was, became = read(before), read(after)
        if not _is_same_record(before, was, after, became):
            return None
        if _content(was) == _content(became):
            continue
        if not is_blank(became) or not _is_what_is_left(was, became):
            return None
        if not is_blank(was):
            places.append(place)
    return places


def is_purge(old: Sequence[Oid], new: Sequence[Oid], read: Read) -> bool:
    """Whether ``new`` is ``old`` with records purged, and perhaps more behind it. As :func:`purged_places`."""
    return bool(purged_places(old, new, read))


def _is_same_record(before: Oid, was: codec.Commit, after: Oid, became: codec.Commit) -> bool:
    same = codec.identity_key(before, was) == codec.identity_key(after, became)
    return same and was.author == became.author and was.kind == became.kind


def _content(commit: codec.Commit) -> tuple[str, Oid, codec.Block]:
    """What a reader sees of a record, but for its uid, which is compared apart: it may follow from the id."""
    return commit.body, commit.tree, tuple(pair for pair in commit.block or () if pair[0] != _UID)


def _is_what_is_left(was: codec.Commit, became: codec.Commit) -> bool:
    """Whether the trailers of a blank record are those that it had, in their order, without some that may go."""
    old = [pair for pair in was.block or () if pair[0] not in (_UID, PURGED)]
    new = [pair for pair in became.block or () if pair[0] not in (_UID, PURGED)]
    rest = iter(old)
    return all(pair in rest for pair in new) and _staying(old) == _staying(new)


def _staying(block: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair in block if pair[0] in _STAYING]
