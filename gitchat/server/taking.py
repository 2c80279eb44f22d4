"""What is pending for who joined a topic, and is then consumed: looked up, or from what is handed over to who waits.

Five hundred who wait for a broadcast must not read the room five hundred times. So a wait looks once, and from then on
takes what it is handed; and who waits again, and was handed all that came meanwhile, does not even look.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from gitchat.model.errors import UserError
from gitchat.model.record import Entry
from gitchat.server.desk import Call, Coming
from gitchat.server.topics import Membership, Topics
from gitchat.verbs.room import Reading, Room

_BESIDE = 50
"""How many records beyond those that were asked for are looked at, since some of them are not shown."""


async def received(call: Call, topics: Topics, token: str, seconds: float, count: int) -> list[Entry]:
    """The oldest ``count`` of what is pending; waits ``seconds`` for it where there is nothing.

    Raises:
        UserError: ``unknown-token``, also of who was replaced, or left, while it waited; ``name-held``.
    """
    if seconds <= 0:
        return await _looked_up(call, topics, token, count)
    end, membership = time.monotonic() + seconds, topics.of(token)
    with (
        membership.party.life.going_on(),
        call.ground.coming(membership.chat) as coming,  # begun before the look, so that nothing falls between
        _ended_with(membership, coming),
    ):
        topics.of(token)  # who was replaced until here is told now, and who is from now on at once
        place = coming.place
        is_empty = place is not None and membership.emptied_at == place
        entries = [] if is_empty else await _looked_up(call, topics, token, count)
        while not entries:
            if call.is_gone():
                return []  # what is there was left for the next call, which has to look
            membership.emptied_at = place
            # Another call with the same token may be given what this one was woken by; then it waits on.
            is_woken = await call.next(coming, end, seconds)
            place = coming.place
            membership = topics.of(token)  # who was replaced or left waits for nothing any more
            if not is_woken:
                membership.emptied_at = place  # nothing came for it since the look
                return []
            taken = _handed(call, membership, coming, count)
            entries = await _looked_up(call, topics, token, count) if taken is None else taken
        return entries


@contextmanager
def _ended_with(membership: Membership, coming: Coming) -> Iterator[None]:
    """Wake who waits for ``coming`` as soon as its token holds no more, which is done in another thread."""
    loop = asyncio.get_running_loop()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(coming.close)

    membership.when_over.add(tell)
    try:
        yield
    finally:
        membership.when_over.discard(tell)


def _handed(call: Call, membership: Membership, coming: Coming, count: int) -> list[Entry] | None:
    """What was handed over and is for the member; None where it has to be looked up."""
    came = coming.handed()
    if came is None or call.is_gone():
        return None
    heard, ended = _first(membership, came, count)
    if call.ground.take(membership.chat, came[:ended]) is None:
        return None
    membership.emptied_at = coming.place if ended == len(came) else None
    return heard


async def _looked_up(call: Call, topics: Topics, token: str, count: int) -> list[Entry]:
    """What the room has for the member.

    Who stops waiting for this must have had nothing: so where reading and marking are not one, nothing is awaited
    between the mark and the end.
    """
    while True:
        reading = await call.act(lambda: call.ground.unread(topics.awake(token).chat, count + _BESIDE, with_own=True))
        if not reading.entries or call.is_gone():
            return []
        membership = topics.of(token)
        _, ended = _first(membership, reading.entries, count)
        taken = call.ground.take(membership.chat, reading.entries[:ended])
        if taken is None:
            await call.act(partial(_mark, call, membership.chat, reading, ended))
            taken = reading.entries[:ended]
        heard = [entry for entry in taken if membership.hears(entry)]
        if heard or (len(taken) == len(reading.entries) and not reading.left):
            return heard


def _first(membership: Membership, entries: Sequence[Entry], count: int) -> tuple[list[Entry], int]:
    """The first ``count`` of ``entries`` that the member hears, and how many of ``entries`` are over with these."""
    heard = [entry for entry in entries if membership.hears(entry)][:count]
    return heard, entries.index(heard[-1]) + 1 if len(heard) == count else len(entries)


def _mark(call: Call, chat: Room, reading: Reading, count: int) -> None:
    marked = call.ground.mark(chat, reading, count)
    if marked.why_not is not None:
        raise UserError(f"nothing was read: {marked.why_not}", hint="join the topic again", code="name-held")
