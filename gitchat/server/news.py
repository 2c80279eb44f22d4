"""News: what others write for the names that joined through this server, and what a client is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gitchat.model.errors import ChatError, FormatError
from gitchat.model.escape import tame_name
from gitchat.model.names import Name, RoomName
from gitchat.model.record import Entry
from gitchat.server import texts
from gitchat.verbs import tools
from gitchat.verbs.room import Room
from gitchat.verbs.waiting import Arrivals

CHANNEL_CHARS = 2000
"""How much of a message a channel shows; the rest is one read away."""


@dataclass(frozen=True, slots=True)
class News:
    """A record that somebody else wrote for a name that joined through this server."""

    name: Name
    room: RoomName
    entry: Entry


def coming(retry_seconds: float) -> AsyncIterator[News]:
    """Records for the names that joined here, as they come, without those they wrote themselves.

    Begins with what is newer than this call; ends by being cancelled. Without a repository it looks every
    ``retry_seconds`` whether there is one.
    """
    return _coming(_seen_now(), retry_seconds)


async def _coming(seen: dict[RoomName, Arrivals], retry_seconds: float) -> AsyncIterator[News]:
    while True:
        try:
            environment = tools.here_environment()
            changes = environment.changes()
        except ChatError:
            await asyncio.sleep(retry_seconds)
            continue
        with changes:
            while True:
                for item in _fresh(seen):
                    yield item
                await changes.wait_async()


def uris_of(news: News) -> list[str]:
    """The resources that a record changes."""
    return ["chat://rooms", f"chat://rooms/{news.room}", f"chat://handoff/{news.name}"]


def channel_params(news: News) -> dict[str, Any]:
    """What a Claude channel is told of a record: one line of text, and where it comes from."""
    record = news.entry.record
    place = news.entry.label.removeprefix("#")
    text = texts.foreign(record.body)
    return {
        "content": f"[{place}] {tame_name(record.author)}: {text}"[:CHANNEL_CHARS],
        "meta": {
            "kind": "direct" if record.to else "broadcast",
            "from_agent": tame_name(record.author),
            "room": news.room,
            "message_id": place,
        },
    }


def _seen_now() -> dict[RoomName, Arrivals]:
    """Every room that is there, with all that was said in it counted as seen."""
    seen: dict[RoomName, Arrivals] = {}
    with suppress(ChatError):
        environment = tools.here_environment()
        for room in environment.store.rooms():
            with suppress(FormatError):  # a damaged room hides no other
                seen[room] = Arrivals(environment.log(room), None)
    return seen


def _fresh(seen: dict[RoomName, Arrivals]) -> list[News]:
    """What came since the last look, for each name that this process joined under.

    Every room is looked at, joined or not: joining moves no ref, and what comes right after it must be found; and what
    names somebody is told to it wherever it is said.
    """
    found: list[News] = []
    with suppress(ChatError):  # the next call of a tool meets it, and says it
        environment = tools.here_environment()
        held = environment.roll.held_here()
        members = {name: _rooms_of(environment.roll.find(name)) for name in sorted(held)}
        for room in environment.store.rooms():
            with suppress(FormatError):  # a damaged room hides no other
                log = environment.log(room)
                if room not in seen:
                    seen[room] = Arrivals(log, 0)
                entries = seen[room].fresh(log)
                for name, rooms in members.items():
                    chat = Room(environment, room, name)
                    for_it = [entry for entry in entries if room in rooms or name in entry.record.to]
                    found += [News(name, room, entry) for entry in for_it if chat.is_for_me(entry)]
    return found


def _rooms_of(presence: Any) -> list[RoomName]:
    return [room for room, at in presence.rooms.items() if at.left_at is None] if presence is not None else []
