"""One stream of events by itself, at a server's place: what is written, in which order, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from starlette.types import Message

from gitchat.model.names import Name
from gitchat.serve import stream
from gitchat.serve.handing import Reader
from gitchat.serve.hub import Hub
from gitchat.serve.stream import COMMENT, Stream
from gitchat.workspace.environment import Environment
from tests.serve.test_hub import LOCAL, environment, run, send

__all__ = ["environment"]


class Seat:
    """The server's end of one stream: what was written to its reader, who goes when it is told to."""

    def __init__(self, hub: Hub, name: str | None, wrote: list[str | None] | None = None, method: str = "GET") -> None:
        self.name = name
        self.text = b""
        self.is_ended = False
        self.taking = asyncio.Event()
        self.taking.set()
        self._gone = asyncio.Event()
        self._wrote = wrote
        reader = Reader(Name(name) if name is not None else None, is_all=True)
        scope = {"type": "http", "method": method}
        self.task = asyncio.create_task(Stream(hub, LOCAL, reader, None)(scope, self._receive, self._send))

    def go(self) -> None:
        """Leave."""
        self._gone.set()

    async def until(self, found: Callable[[], bool]) -> None:
        """Wait until something is so; what runs here has a limit of its own."""
        while not found():
            await asyncio.sleep(0.005)

    async def begun(self) -> Seat:
        """Wait until it was told where it is."""
        await self.until(lambda: b"retry: " in self.text)
        return self

    async def _receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self.taking.wait()
        body = message.get("body", b"")
        self.text += body
        self.is_ended = message["type"] == "http.response.body" and not message["more_body"]
        if self._wrote is not None and b"event: message" in body:
            self._wrote.append(self.name)


def test_whom_a_message_names_is_written_to_before_all_who_look_on(environment: Environment) -> None:
    """However many came before it."""

    async def test(hub: Hub) -> None:
        wrote: list[str | None] = []
        names = [None, *(f"name-{number}" for number in range(20))]
        seats = [await Seat(hub, name, wrote).begun() for name in names]
        for name in ("name-19", "name-7"):
            await hub.call(send("to one", to=name), LOCAL)
            await seats[0].until(lambda: len(wrote) == len(names))
            assert wrote[0] == name
            wrote.clear()

    run(environment, test)


def test_a_stream_ends_with_its_reader_and_not_with_another(environment: Environment) -> None:
    """One that goes; one that takes nothing is let go; ``HEAD`` is answered and opens nothing."""

    async def test(hub: Hub) -> None:
        going, staying = await Seat(hub, "bob").begun(), await Seat(hub, None).begun()
        going.go()
        await going.task
        await hub.call(send("hello"), LOCAL)
        await staying.until(lambda: b'"message":"hello"' in staying.text)
        head = Seat(hub, None, method="HEAD")
        await head.task
        assert (going.is_ended, b"hello" in going.text, staying.is_ended) == (True, False, False)
        assert (head.is_ended, head.text) == (True, b"")
        await hub.close()
        await staying.task
        assert staying.is_ended

    run(environment, test)


def test_a_reader_that_takes_nothing_is_let_go(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an end of its answer, for what it got is not whole."""
    monkeypatch.setattr(stream, "STUCK_SECONDS", 0.05)

    async def test(hub: Hub) -> None:
        stuck = await Seat(hub, None).begun()
        stuck.taking.clear()
        await hub.call(send("hello"), LOCAL)
        await stuck.task
        assert not stuck.is_ended

    run(environment, test)


def test_a_silent_stream_says_that_it_is_there(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Again and again, and what comes then comes as ever."""
    monkeypatch.setattr(stream, "COMMENT_SECONDS", 0.05)

    async def test(hub: Hub) -> None:
        silent = await Seat(hub, None).begun()
        await silent.until(lambda: silent.text.count(COMMENT) > 2)
        await hub.call(send("hello"), LOCAL)
        await silent.until(lambda: b'"message":"hello"' in silent.text)

    run(environment, test)
