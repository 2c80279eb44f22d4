"""Telling at a room's old place where it went, for who still follows it there, and reading what was told.

The word is a record of the room, so that it has its number at both places, and whoever goes on at the new one finds
there all that was seen. It is a claim, as all records are: it is said, with the command, and never followed by itself.
Source: docs/format.md sections 4.5 and 12.19.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from gitchat.clones.address import is_tellable, parted
from gitchat.clones.comparing import is_first_parent
from gitchat.clones.report import Report
from gitchat.clones.wire import Wire
from gitchat.model import codec, reach
from gitchat.model.errors import ChatError, FormatError, RemoteError
from gitchat.model.layout import PLAIN, Layout, parse_prefix
from gitchat.model.names import Oid, RoomName
from gitchat.model.record import META, Draft, Entry, Identity
from gitchat.model.refs import log_ref
from gitchat.model.signature import Signature
from gitchat.rooms.numbering import Numbering
from gitchat.storage.store import Store

MOVED, MOVED_FROM, MOVED_PREFIX = "Chat-Moved", "Chat-Moved-From", "Chat-Moved-Prefix"


@dataclass(frozen=True, slots=True)
class Moved:
    """That somebody said where a room went."""

    oid: Oid
    author: str
    address: str
    """Of the new place, as git takes it, without a password."""
    place: str
    """The old one, as two are compared."""
    layout: Layout = PLAIN
    """What the refs of rooms are called at the new one."""

    def words(self, room: RoomName, remote: str, place: str) -> str:
        """What a person is told who still follows ``remote`` at ``place``."""
        name, address = shlex.quote(remote), shlex.quote(self.address)
        ways = [f"git remote set-url {name} {address}"]
        if self.layout != parted(place)[1]:
            ways.append(f"git config chatremote.{name}.prefix {self.layout.prefix}")
        return (
            f"room '{room}' moved to {_shown(self.address, self.layout)}, says {self.author}; to follow it there: "
            f"{' && '.join(ways)} && git chat sync {name}"
        )


def _shown(address: str, layout: Layout) -> str:
    return address if layout.is_plain else f"{address}, below {layout.prefix}"


def draft(address: str, place: str, layout: Layout) -> Draft:
    """The record that says that a room moved from ``place`` to ``address``, where refs are called as in ``layout``."""
    extra: tuple[tuple[str, str], ...] = ((MOVED, address), (MOVED_FROM, place))
    if not layout.is_plain:
        extra += ((MOVED_PREFIX, layout.prefix),)
    return Draft(body=f"this room moved to {_shown(address, layout)}", kind=META, extra=extra)


def said_by(oid: Oid, commit: codec.Commit) -> Moved | None:
    """What a record of a log says of it; None for nothing, or for what no command should be made of."""
    address, place = commit.value(MOVED), commit.value(MOVED_FROM)
    layout = parse_prefix(commit.value(MOVED_PREFIX) or PLAIN.prefix)
    if commit.kind != META or address is None or place is None or layout is None or not is_tellable(address):
        return None
    return Moved(oid, commit.author.name, address, place, layout)


MOST_BEHIND = 200
"""So many commits after it such a word is found: whoever wrote them had not heard it."""


def said_near(store: Store, tip: Oid) -> Moved | None:
    """What a log that is not followed yet said of it last, close to its end at ``tip``."""
    oid: Oid | None = tip
    with suppress(FormatError):
        for _ in range(MOST_BEHIND):
            if oid is None:
                break
            commit = store.read(oid)
            moved = said_by(oid, commit)
            if moved is not None:
                return moved
            oid = next(iter(commit.parents), None)
    return None


def last_said(numbering: Numbering, tip: Oid | None = None) -> Moved | None:
    """What the log of a room said of it last, pending records too; with ``tip``, what that reaches. Raises FormatError.

    What is pending nobody else has heard. Where no remote numbers the room yet, what is here may be another log than
    that of ``tip``, which is looked through near its end.
    """
    if tip is not None and numbering.tracking is None:
        return said_near(numbering.store, tip)
    from gitchat.index.condition import of_kinds  # for who has a remote

    store = numbering.store
    metas = [place.oid for place in numbering.chain().select(of_kinds([META]))]
    for oid in reversed(metas):
        moved = said_by(oid, store.read(oid))
        if moved is not None and (tip is None or reach.is_ancestor(oid, tip, store.step)):
            return moved
    return None


Told = Callable[[RoomName, "Oid | None"], "Moved | None"]
"""Tells what the log of a room said of it last, as :func:`last_said` does."""


class Moves:
    """What the logs of rooms that follow one remote say of where they went."""

    def __init__(self, wire: Wire, moved: Told) -> None:
        """``moved`` gives what a log said last."""
        self._wire = wire
        self._moved = moved

    def heard(self, rooms: Iterable[RoomName], place: str, report: Report, *, is_asked: bool) -> list[str]:
        """What somebody should hear who found ``rooms`` at ``place``: who asked each time, who stays when it comes.

        The report tells how many records came in. A place that is neither the old nor the new one may be the new
        one by another name: it is said when it comes, and no more. Raises FormatError.
        """
        said = []
        for room in rooms:
            is_new = report.fetched.get(room, 0) > 0
            moved = self._moved(room, None) if is_asked or is_new else None
            if moved is None or not (moved.place == place or is_new):
                continue
            if self._wire.laid(moved.layout).place_of(moved.address) != place:
                said.append(moved.words(room, self._wire.name, place))
        return said


def leave(store: Store, wire: Wire, address: str, entry: Entry, tip: Oid, sender: Identity) -> None:
    """Add ``entry``, which says where its room went, to the log at the old ``address``.

    ``tip`` is the log at the new place. Where that goes on from the old one the same log stands at both then;
    otherwise the record alone is added to what is there, and is known as the same by its uid. Where it was said before
    the room moved nothing is added: the old place may be in use again.

    Raises:
        RemoteError: the old place is not heard, does not take it, or has no such room.
    """
    ref = log_ref(entry.room)
    old = wire.listed(ref, address=address).get(ref)
    if old is None:
        raise RemoteError("the room is not there", hint="nobody can follow it there", code="remote-failed")
    wire.fetch_objects([ref], address)
    if reach.is_ancestor(entry.oid, old, store.step):
        return
    new = tip if is_first_parent(store, old, tip) else _after(store, old, entry, sender)
    (answer,) = wire.push({ref: (new, old)}, address)
    if not answer.is_accepted:
        raise RemoteError(answer.words, hint="git chat remote move", code="push-refused")


def _after(store: Store, old: Oid, entry: Entry, sender: Identity) -> Oid:
    """The record of ``entry`` once more, after ``old``; nothing points to it yet."""
    committed = store.date_after([old], entry.record.written)
    committer = Signature(sender.committer_name, sender.committer_email, committed)
    record = replace(entry.record, seq_hint=None)
    return store.write_commit(codec.encode_record(record, tree=store.empty_tree(), parent=old, committer=committer))


def reason(error: ChatError) -> str:
    """Why the old place could not be told, in a few words."""
    return str(error).partition(" cannot be used: ")[2] or str(error)
