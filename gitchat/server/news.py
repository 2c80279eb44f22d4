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
from gitchat.server.messagetexts import foreign
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

    @property
    def uris(self) -> list[str]:
        """The resources that it changes."""
        return ["chat://rooms", f"chat://rooms/{self.room}", f"chat://handoff/{self.name}"]

    @property
    def channel(self) -> dict[str, Any]:
        """What a Claude channel is told of it: one line of text, and where it comes from."""
        record = self.entry.record
        place = self.entry.label.removeprefix("#")
        text = foreign(record.body)
        return {
            "content": f"[{place}] {tame_name(record.author)}: {text}"[:CHANNEL_CHARS],
            "meta": {
                "kind": "direct" if record.to else "broadcast",
                "from_agent": tame_name(record.author),
                "room": self.room,
                "message_id": place,
            },
        }


def records(retry_seconds: float) -> AsyncIterator[tuple[RoomName, Entry]]:
    """Every record that comes to a room here, from this call on, whoever it is for; ends by being cancelled.

    Without a repository it looks every ``retry_seconds`` whether there is one.
    """
    return _records(_seen_now(), retry_seconds)


async def _records(seen: dict[RoomName, Arrivals], retry_seconds: float) -> AsyncIterator[tuple[RoomName, Entry]]:
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


def _seen_now() -> dict[RoomName, Arrivals]:
    """Every room that is there, with all that was said in it counted as seen."""
    seen: dict[RoomName, Arrivals] = {}
    with suppress(ChatError):
        environment = tools.here_environment()
        for room in environment.store.rooms():
            with suppress(FormatError):  # a damaged room hides no other
                seen[room] = Arrivals(environment.log(room), None)
    return seen


def _fresh(seen: dict[RoomName, Arrivals]) -> list[tuple[RoomName, Entry]]:
    """What came since the last look.

    Every room is looked at, joined or not: joining moves no ref, and what comes right after it must be found; and what
    names somebody is told to it wherever it is said.
    """
    found: list[tuple[RoomName, Entry]] = []
    with suppress(ChatError):  # the next call of a tool meets it, and says it
        environment = tools.here_environment()
        for room in environment.store.rooms():
            with suppress(FormatError):  # a damaged room hides no other
                log = environment.log(room)
                if room not in seen:
                    seen[room] = Arrivals(log, 0)
                found += [(room, entry) for entry in seen[room].fresh(log)]
    return found


def for_names(room: RoomName, entry: Entry) -> list[News]:
    """The record for each name that joined here and that it is for, but for whoever wrote it."""
    found: list[News] = []
    with suppress(ChatError):  # the next call of a tool meets it, and says it
        environment = tools.here_environment()
        for name in sorted(environment.roll.held_here()):
            is_near = name in entry.record.to or room in _rooms_of(environment.roll.find(name))
            if is_near and Room(environment, room, name).is_for_me(entry):
                found.append(News(name, room, entry))
    return found


def _rooms_of(presence: Any) -> list[RoomName]:
    return [room for room, at in presence.rooms.items() if at.left_at is None] if presence is not None else []
