"""Marking what was read, and how far somebody has read: which cursor is meant, who may move it, where it stands.

What I read, mark, sum up and come back to goes by :func:`own`; what anybody can see of how far others are,
by :func:`common`. No other module opens a cursor, and none moves one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from gitchat.index.chain import Chain
from gitchat.index.condition import authored_by
from gitchat.model import reach
from gitchat.model.errors import ConflictError, FormatError, UserError
from gitchat.model.names import Handle, Name, is_name
from gitchat.model.record import Entry
from gitchat.rooms.cursor import Backlog, Cursor
from gitchat.verbs.pending import pending
from gitchat.verbs.standpoint import Standpoint, is_for_me, touch, visible
from gitchat.verbs.talking import find
from gitchat.verbs.views import Delivery, HowFar, Reading
from gitchat.workspace.identity import AGENT_DOMAIN


def own(room: Standpoint) -> Cursor:
    """The cursor that I read by."""
    return common(room, room.me)


def common(room: Standpoint, name: Name) -> Cursor:
    """The cursor of ``name`` that all clones share: what anybody has read under it."""
    return Cursor(room.environment.store, room.name, name)


def cursor(room: Standpoint) -> int:
    """The greatest n for which I have read 1 to n; 0 before I marked anything."""
    return own(room).backlog(room.records.chain()).last_read


def mark(room: Standpoint, reading: Reading, count: int | None = None, *, force: bool = False) -> Reading:
    """Mark the first ``count`` records of a reading, by default all, and what stands before them.

    Returns the reading as it is then. Nothing is marked when its ``why_not`` says so, or when somebody
    took my name since; ``force`` marks all the same, but for a filtered reading.

    Raises:
        UserError: ``mirror``.
    """
    entries = reading.entries if count is None else reading.entries[:count]
    why_not = reading.why_not or why_not_mark(room)
    if (why_not is not None and (reading.is_filtered or not force)) or not entries:
        return replace(reading, why_not=why_not)
    room.environment.repository.refuse_mirror()
    place = reading.places[len(entries) - 1].number
    left = _advance(room, reading.backlog.chain, place)
    return replace(
        reading,
        entries=entries,
        places=reading.places[: len(entries)],
        last_read=left.last_read,
        left=reading.left + len(reading.entries) - len(entries),
        is_marked=True,
        why_not=None,
    )


def set_cursor(room: Standpoint, locator: int | Handle, *, force: bool = False) -> int:
    """Mark everything up to a number or a handle as read, and return :meth:`cursor`. Never moves back.

    Raises:
        UserError: ``bad-number`` for what is no number of this room; ``no-such-record``; ``mirror``.
        ConflictError: ``name-held`` while somebody else lives under my name, unless ``force``.
    """
    chain = room.records.chain()
    number = locator if isinstance(locator, int) else _place(room, chain, locator)
    if number < 0:
        raise UserError("message_id must be >= 0", hint="0 is before the first message", code="bad-number")
    if isinstance(locator, int) and number > chain.count:
        raise UserError(
            "message_id cannot exceed the latest message id",
            hint=f"the latest is {chain.count}",
            code="bad-number",
        )
    why_not = None if force else why_not_mark(room)
    if why_not is not None:
        raise ConflictError(f"nothing was marked: {why_not}", hint="mark there, or use --force", code="name-held")
    room.environment.repository.refuse_mirror()
    if number == 0:
        return cursor(room)
    return _advance(room, chain, number).last_read


def _place(room: Standpoint, chain: Chain, handle: Handle) -> int:
    """Where the record of a handle stands, pending ones behind all numbers."""
    row = chain.rows_of([oid := find(room, handle).oid])[oid]
    assert row.number is not None
    return row.number


def _advance(room: Standpoint, chain: Chain, number: int) -> Backlog:
    """Mark what stands up to the place ``number`` as read by me, and return what is left. Never moves back.

    Who may do so (:func:`why_not_mark`, and no mirror) is asked before.
    """
    left = own(room).advance(chain, number, room.identity, room.environment.now())
    touch(room)
    return left


def cursors(room: Standpoint, names: Sequence[Name] | None = None) -> list[HowFar]:
    """How far these have read, by default everybody who has a cursor here, sorted by name."""
    return [how_far(room, name) for name in (room.environment.store.cursors(room.name) if names is None else names)]


def how_far(room: Standpoint, name: Name, *, with_own: bool = False) -> HowFar:
    """How far ``name`` has read; what it wrote itself counts as unread only ``with_own``.

    Nobody has to have heard of it.
    """
    backlog = common(room, name).backlog(room.records.chain())
    reaching = visible(Standpoint(room.environment, room.name, name), with_own=with_own)
    return HowFar(name, backlog.last_read, backlog.count_of(reaching))


def delivery(room: Standpoint, entry: Entry) -> Delivery:
    """Where a record has got to. Nobody sends receipts: refs tell it. Damage does not raise, it hides readers."""
    remote = room.environment.authorities.of(room.name)
    is_accepted = remote is None or entry.number is not None
    readers: list[Name] = []
    elsewhere: set[Name] = set()
    with suppress(FormatError):
        chain = room.records.chain()
        place = chain.rows_of([entry.oid])[entry.oid].number
        for name in room.environment.store.cursors(room.name):
            if place in common(room, name).backlog(chain).numbers:
                continue
            if is_for_me(Standpoint(room.environment, room.name, name), entry):
                readers.append(name)
            if _is_moved_elsewhere(room, name):
                elsewhere.add(name)
        elsewhere |= _writers_elsewhere(room, chain, entry)
    return Delivery(
        remote=remote,
        is_accepted=is_accepted,
        readers=tuple(readers),
        fetched_by=tuple(sorted(elsewhere)) if remote is not None and is_accepted else (),
        pending=None if is_accepted else pending(room),
    )


def _is_moved_elsewhere(room: Standpoint, name: Name) -> bool:
    """Whether another address than mine moved the cursor of ``name`` last."""
    value = common(room, name).value
    return value is not None and _is_foreign(room, room.environment.store.read(value).committer.email)


def _writers_elsewhere(room: Standpoint, chain: Chain, entry: Entry) -> set[Name]:
    """Who, from another address than mine, wrote something with ``entry`` before its eyes."""
    store = room.environment.store
    found: set[Name] = set()
    for author in chain.newest_by_author():
        if not is_name(author) or author == entry.record.author:
            continue
        for newest in chain.select(authored_by(author), limit=1, newest=True):
            is_after = newest.oid != entry.oid and reach.is_ancestor(entry.oid, newest.oid, store.step)
            if is_after and _is_foreign(room, store.read(newest.oid).author.email):
                found.add(Name(author))
    return found


def _is_foreign(room: Standpoint, email: str) -> bool:
    """Whether an address is another person's than mine; that of an agent belongs to none."""
    mine = room.environment.repository.config.get("user.email")
    return mine is not None and email != mine and not email.endswith(AGENT_DOMAIN)


def why_not_mark(room: Standpoint) -> str | None:
    """Why this process must not mark what ``me`` reads; None when it may.

    While a process lives under a name, only that process marks for it, and what it started to act for it.
    """
    held = room.environment.roll.held_here()
    if room.me in held:
        return None
    if held:
        return f"this process joined as {', '.join(sorted(held))}"
    presence = room.environment.roll.find(room.me)
    if presence is None or not presence.is_living:
        return None
    if presence.holder is not None and room.environment.caller.acts_for(presence.holder):
        return None
    return f"'{room.me}' is held by {presence.holder or 'another process'}"
