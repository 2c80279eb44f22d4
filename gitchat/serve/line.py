"""One WebSocket of a participant: what it missed, then what comes, and what it says itself.

Each record is one text message. What was written to the socket counts as read; with acknowledgements only what the
client says that it has.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from gitchat.model.errors import ChatError, FormatError, UserError
from gitchat.model.names import RoomName
from gitchat.model.record import Entry
from gitchat.serve.actor import Actor
from gitchat.serve.answers import refusal
from gitchat.serve.calls import WROTE
from gitchat.serve.catching import Caught, Read, Start, since, unread
from gitchat.serve.entering import HEARTBEAT, checked_message, enter_to_act, post
from gitchat.serve.frames import frame_of
from gitchat.serve.frontier import Key, key_of
from gitchat.serve.handing import Record, Subscription, one_line
from gitchat.serve.hub import Hub
from gitchat.serve.served import Rates
from gitchat.workspace.environment import Environment

SILENT_SECONDS = 90.0
"""How long a client may say nothing: three of the beats that it should send."""

ENDING_SECONDS = 1.0
"""How long a client may take to be told the end: who does not read would take for ever."""

GOING_AWAY = 1001
TRY_AGAIN_LATER = 1013

UNACKNOWLEDGED = 10_000
"""Records that are kept until they are acknowledged; what is given beyond them stays unread, and comes again."""


class Line:
    """One WebSocket that was accepted."""

    def __init__(
        self, hub: Hub, rates: Rates, actor: Actor, start: Start, socket: WebSocket,
        *, since_id: int | None, with_acks: bool,
    ) -> None:  # fmt: skip
        """``since_id`` is the number after which the client wants what is for it; None: what is unread."""
        assert start.reader.name is not None
        self._hub = hub
        self._rates = rates
        self._actor = actor
        self._start = start
        self._name = start.reader.name
        self._socket = socket
        self._since_id = since_id
        self._with_acks = with_acks
        self._caught: dict[RoomName, Caught] = {}
        self._given: dict[tuple[RoomName, int | str], Key] = {}
        """What was written and is not acknowledged, by its number or handle."""

    async def run(self) -> None:
        """Until the client goes, is silent, or too slow, or the server ends."""
        async with self._hub.holdings.staying(self._actor, self._name):
            with self._hub.subscribe(self._start.reader) as coming:
                code = await self._talk(coming)
        if code is not None:
            with suppress(TimeoutError, WebSocketDisconnect):
                async with asyncio.timeout(ENDING_SECONDS):
                    await self._socket.close(code)

    async def _talk(self, coming: Subscription) -> int | None:
        """Write and listen until one of them is over; the code to close with, None when the client has gone."""
        both = writing, _ = [asyncio.create_task(self._write(coming)), asyncio.create_task(self._listen())]
        coming.when_overrun = writing.cancel
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.wait(both)
        if coming.is_overrun:
            return TRY_AGAIN_LATER
        ends = [task.exception() for task in both if not task.cancelled()]
        for end in ends:
            if end is not None and not isinstance(end, WebSocketDisconnect | ChatError):
                raise end
        return None if any(isinstance(end, WebSocketDisconnect) for end in ends) else GOING_AWAY

    # --- to the client -------------------------------------------------------------------

    async def _write(self, coming: Subscription) -> None:
        await self._catch_up()
        had: list[Entry] = []
        async for event in coming:
            if isinstance(event, Record) and self._is_new(event):
                await self._socket.send_text(event.frame)
                had.append(event.entry)
            if coming.is_empty:
                self._wrote(had)
                had = []

    async def _catch_up(self) -> None:
        room = self._start.room
        if self._since_id is not None:
            await self._catch_up_in(room, since, self._since_id)
        else:
            await self._catch_up_in(room, unread, 0)
        for room in self._start.others:
            await self._catch_up_in(room, unread, 0)

    async def _catch_up_in(self, room: RoomName, read: Read, place: int) -> None:
        with suppress(FormatError):  # a damaged room hides no other
            while True:
                page = await self._hub.call(partial(read, self._hub, self._start, room, place), self._actor)
                for entry in page.entries:
                    await self._socket.send_text(one_line(frame_of(entry, page.labels, self._hub.holdings.spelled)))
                self._wrote(page.entries)
                if page.is_last:
                    self._caught[room] = Caught(page)
                    return
                place = page.place

    def _is_new(self, record: Record) -> bool:
        caught = self._caught.get(record.room)
        return caught is None or not caught.has(record)

    def _wrote(self, entries: Iterable[Entry]) -> None:
        """These were written to the socket."""
        for room in {entry.room for entry in entries}:
            of_room = [entry for entry in entries if entry.room == room]
            if not self._with_acks:
                self._hub.had(self._actor, self._name, room, [key_of(entry) for entry in of_room])
                continue
            for entry in of_room[: UNACKNOWLEDGED - len(self._given)]:
                self._given[room, entry.number or entry.handle] = key_of(entry)

    # --- from the client -----------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            try:
                async with asyncio.timeout(SILENT_SECONDS):
                    message = await self._socket.receive()
            except TimeoutError:
                return
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message["code"])
            try:
                answer = await self._answer(_object(message.get("text")))
            except ChatError as error:
                answer = bytes(refusal(error, is_local=self._actor.is_local).body).decode()
            if answer is not None:
                await self._socket.send_text(answer)

    async def _answer(self, given: dict[str, Any]) -> str | None:
        """What a message of the client is answered with; None for nothing."""
        kind = given.get("type")
        if kind == HEARTBEAT:
            return None
        if "message" in given:
            return one_line(await self._send(given))
        if kind == "ping" and "to" not in given:
            return one_line({"type": "ack"})
        if kind == "ack":
            self._acknowledge(given)
            return None
        raise UserError(
            "there is no message in it",
            hint='send {"to": "ALL", "message": ...}, or of type heartbeat, ping or ack',
            code="bad-argument",
        )

    async def _send(self, given: dict[str, Any]) -> dict[str, Any]:
        self._rates.spend(self._name)
        checked, room = checked_message(given), _room(given, self._start.room)

        def act(environment: Environment) -> Entry:
            return post(enter_to_act(environment, self._actor, room, self._name), checked)

        entry = await self._hub.call(act, self._actor, self._name)
        self._socket.scope[WROTE] = (entry.room, entry.number)
        pending = {"handle": entry.handle} if entry.number is None else {}
        return {"type": "sent", "message_id": entry.number, **pending}

    def _acknowledge(self, given: dict[str, Any]) -> None:
        room, place = RoomName(_room(given, self._start.room)), given.get("id") or given.get("handle")
        if isinstance(place, int | str) and (key := self._given.pop((room, place), None)) is not None:
            self._hub.had(self._actor, self._name, room, [key])


def _room(given: dict[str, Any], default: RoomName) -> str:
    room = given.get("room", default)
    if not isinstance(room, str):
        raise UserError("room must be text", hint=f"leave it out for {default}", code="bad-argument")
    return room


def _object(text: str | None) -> dict[str, Any]:
    """The JSON object that a message is. Raises UserError ``bad-json``."""
    try:
        value = json.loads(text if text is not None else "")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UserError(
            "a message has to be one JSON object, as text",
            hint='for example {"to": "ALL", "message": "hello"}',
            code="bad-json",
        )
    return value
