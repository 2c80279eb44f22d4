"""Marking what was read, and how far somebody has read: which cursor is meant, who may move it, where it stands.

What I read, mark, sum up and come back to goes by :func:`own`; what anybody can see of how far others are,
by :func:`common`. No other module opens a cursor, and none moves one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from gitchat.index.chain import Chain
from gitchat.index.condition import Condition, authored_by, with_oid
from gitchat.model import codec, reach
from gitchat.model.errors import ConflictError, FormatError, Mistyped, UserError
from gitchat.model.names import Handle, Name, Oid, is_name
from gitchat.model.record import Entry, address_of
from gitchat.rooms.cursor import Backlog, Cursor
from gitchat.rooms.seat import Seat
from gitchat.verbs.pending import pending
from gitchat.verbs.standpoint import Standpoint, reaches, touch, visible
from gitchat.verbs.talking import find
from gitchat.verbs.views import Delivery, HowFar, Reading


def own(room: Standpoint, chain: Chain) -> Cursor:
    """What I read by: the position of my seat, or for who has none the one that all clones share. Raises FormatError.

    ``chain`` is the room's. To look is to sit down, as far as I may: what comes next is then mine to hear.
    """
    may_sit = why_not_mark(room) is None
    return room.seating.position(room.name, room.me, chain, may_sit=may_sit)


def common(room: Standpoint, name: Name) -> Cursor:
    """The position of ``name`` that all clones share: what anybody has read under it."""
    return Cursor(room.environment.store, room.name, name)


def cursor(room: Standpoint) -> int:
    """The greatest n for which I have read 1 to n; 0 before I marked anything."""
    chain = room.records.chain()
    return own(room, chain).backlog(chain).last_read


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
        raise Mistyped(
            "message_id cannot exceed the latest message id",
            hint=f"the latest is {chain.count}",
            code="bad-number",
            word=str(number),
        )
    why_not = None if force else why_not_mark(room)
    if why_not is not None:
        raise ConflictError(
            f"nothing was marked: {why_not}",
            hint="mark there, or use --force",
            public_hint="mark there, or choose another name",
            code="name-held",
        )
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
    identity = room.environment.caller.identity(room.me, is_seated=False)
    left = own(room, chain).advance(chain, number, identity, room.environment.now())
    touch(room)
    return left


def cursors(room: Standpoint, names: Sequence[Name] | None = None) -> list[HowFar]:
    """How far these have read, by default everybody who has a cursor here, sorted by name."""
    return [how_far(room, name) for name in (room.environment.store.cursors(room.name) if names is None else names)]


def how_far(room: Standpoint, name: Name, *, with_own: bool = False) -> HowFar:
    """How far ``name`` has read; what it wrote itself counts as unread only ``with_own``.

    Nobody has to have heard of it. Of others it is what was read under that name, in whatever clone.
    """
    chain = room.records.chain()
    shared = common(room, name).backlog(chain)
    if name != room.me:
        return HowFar(name, shared.last_read, shared.count_of(reaches(room, name, with_own=with_own)))
    backlog = own(room, chain).backlog(chain)
    unread = backlog.count_of(visible(room, with_own=with_own, chain=chain))
    elsewhere = shared.last_read if shared.last_read != backlog.last_read else None
    return HowFar(name, backlog.last_read, unread, elsewhere)


def delivery(room: Standpoint, entry: Entry) -> Delivery:
    """Where a record has got to. Nobody sends receipts: refs tell it. Damage does not raise, it hides readers."""
    remote = room.environment.authorities.of(room.name)
    is_accepted = remote is None or entry.number is not None
    can_be_elsewhere = remote is not None and is_accepted
    if entry.aside is not None:
        return Delivery(remote, is_accepted=False, readers=())
    readers: list[Name] = []
    elsewhere: set[Name] = set()
    with suppress(FormatError):
        chain = room.records.chain()
        place = chain.rows_of([entry.oid])[entry.oid].number
        for name in room.environment.store.cursors(room.name):
            if place in common(room, name).backlog(chain).numbers:
                continue
            reaching = Condition.all_of([reaches(room, name, with_own=False), with_oid(entry.oid)])
            if chain.count_of(reaching):
                readers.append(name)
            is_here = Seat(room.environment.store, room.name, name).is_taken
            if not is_here and _speaks_elsewhere(room, _newest_of(room, chain, name)):
                elsewhere.add(name)
        elsewhere |= _writers_elsewhere(room, chain, entry) if can_be_elsewhere else set()
    return Delivery(
        remote=remote,
        is_accepted=is_accepted,
        readers=tuple(readers),
        fetched_by=tuple(sorted(elsewhere)) if can_be_elsewhere else (),
        pending=None if is_accepted else pending(room),
    )


def _writers_elsewhere(room: Standpoint, chain: Chain, entry: Entry) -> set[Name]:
    """Who wrote something in another clone with ``entry`` before its eyes."""
    found: set[Name] = set()
    for author in chain.newest_by_author():
        newest = _newest_of(room, chain, author) if is_name(author) else None
        if newest is None or newest[0] == entry.oid or not _speaks_elsewhere(room, newest):
            continue
        if _is_below(room, chain, entry, newest[0]):
            found.add(Name(author))
    return found


def _is_below(room: Standpoint, chain: Chain, entry: Entry, oid: Oid) -> bool:
    """Whether the commit ``oid`` reaches ``entry``: the index knows where no merge is between, else it is walked."""
    upto, place = chain.upto(oid), chain.rows_of([entry.oid])[entry.oid].number
    if upto is not None and place is not None:
        return place <= upto
    return reach.is_ancestor(entry.oid, oid, room.environment.store.step)


def _newest_of(room: Standpoint, chain: Chain, author: str) -> tuple[Oid, codec.Commit] | None:
    """The last record of ``author``; None without any."""
    found = [place.oid for place in chain.select(authored_by(author), limit=1, newest=True)]
    return (found[0], room.environment.store.read(found[0])) if found else None


def _speaks_elsewhere(room: Standpoint, newest: tuple[Oid, codec.Commit] | None) -> bool:
    """Whether who wrote ``newest`` is in another clone, as far as it tells: by its clone's id, or its address."""
    if newest is None:
        return False
    clone = newest[1].value(codec.CLONE)
    if clone is not None and clone != codec.NO_CLONE:
        return clone != room.environment.clone.known()
    address, mine = address_of(newest[1].author.email), room.environment.caller.addresses()
    return address is not None and bool(mine) and address not in mine


def why_not_mark(room: Standpoint) -> str | None:
    """Why this process must not mark what ``me`` reads; None when it may: see :func:`why_not_act`.

    A subagent never marks: what it reads its session has not read.
    """
    if room.environment.caller.is_subagent:
        return "a subagent only looks; its session reads and marks"
    return why_not_act(room)


def why_not_act(room: Standpoint) -> str | None:
    """Why this process must not act under my name; None when it may.

    While a process lives under a name, only the processes of its session act for it. A process that lives under
    names acts under no other, but for one that its session took since; by the contract it may, where nobody lives.
    """
    held = room.environment.held()
    if room.me in held:
        return None
    presence = room.environment.roll.find(room.me)
    if presence is not None and presence.holder is not None and room.environment.caller.acts_for(presence.holder):
        return None
    if held and not room.environment.acts_as_anyone:
        return f"this process joined as {', '.join(sorted(held))}"
    if presence is None or not presence.is_living:
        return None
    if room.environment.party is not None:
        return f"somebody else lives under '{room.me}'"  # who is told so may be far away
    return f"'{room.me}' is held by {presence.holder or 'another process'}"
