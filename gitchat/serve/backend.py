"""One request to git's ``http-backend``, fed as the body comes, and its answer, handed out as git makes it.

Nothing is kept. Ends early when the client goes away, brings too much, or moves nothing for too long.
Source: git-http-backend(1); RFC 3875.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from starlette.types import Message, Receive, Send

SILENCE_SECONDS = 60.0
"""How long nothing may move in either direction; git itself says something every 5 s while it works."""

CHUNK_BYTES = 65536

OURS = [(b"cache-control", b"no-store"), (b"connection", b"close")]
"""Headers of every answer; one may come before the end of the request, and what follows is not to be read then."""


class Refused(Exception):
    """A request that git is not started for, or is ended for."""

    def __init__(self, status: int, words: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = dict(headers or {})


class Gone(Exception):
    """The client went away."""


class Answer:
    """The response: begun once, by git or by a refusal."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.is_begun = False

    async def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.is_begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes, *, is_last: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": not is_last})

    async def refuse(self, refusal: Refused) -> None:
        """Say why; git shows a text to who runs it. A response that was begun ends early: git knows that it is cut."""
        if self.is_begun:
            await self.write(b"", is_last=True)
            return
        body = f"{refusal.words}\n".encode()
        said = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(body)), **refusal.headers}
        headers = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in said.items()]
        await self.begin(refusal.status, headers + OURS)
        await self.write(body, is_last=True)


class Conversation:
    """One request and the git that answers it."""

    def __init__(self, process: Process, receive: Receive, answer: Answer, limit_bytes: int) -> None:
        self._process = process
        self._receive = receive
        self._answer = answer
        self._limit_bytes = limit_bytes
        self._moved_at = asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Go on until git has answered. Raises Gone, Refused: git is to be ended."""
        answering = asyncio.create_task(self._hand_out())
        others = [asyncio.create_task(work) for work in (self._feed(), self._drain(), self._watch())]
        try:
            pending = {answering, *others}
            while not answering.done():
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()  # raises what ended it
        finally:
            for task in (answering, *others):
                task.cancel()
            await asyncio.gather(answering, *others, return_exceptions=True)

    async def _feed(self) -> None:
        """Hand on the body as it comes, and then wait for the client to go away."""
        sink = self._process.stdin
        assert sink is not None
        taken, is_heard = 0, True
        while True:
            message: Message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            self._moved()
            taken += len(message.get("body", b""))
            if taken > self._limit_bytes:
                raise too_large(self._limit_bytes)
            try:
                if is_heard:
                    sink.write(message.get("body", b""))
                    await sink.drain()
            except ConnectionError:  # git has heard enough: what it says of it comes by the other pipe
                is_heard = False
            if not message.get("more_body", False):
                sink.close()

    async def _hand_out(self) -> None:
        source = self._process.stdout
        assert source is not None
        try:
            head = await source.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise Refused(500, "git gave no answer") from error
        status, headers = _parsed(head)
        await self._answer.begin(status, headers)
        while data := await source.read(CHUNK_BYTES):
            self._moved()
            await self._answer.write(data)
            self._moved()
        await self._answer.write(b"", is_last=True)

    async def _drain(self) -> None:
        """Let git say its warnings to nobody: they name paths."""
        source = self._process.stderr
        assert source is not None
        while await source.read(CHUNK_BYTES):
            pass

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while (left := self._moved_at + SILENCE_SECONDS - loop.time()) > 0:
            await asyncio.sleep(left)
        raise Refused(408, f"nothing moved for {SILENCE_SECONDS:.0f} s")

    def _moved(self) -> None:
        self._moved_at = asyncio.get_running_loop().time()


def too_large(limit_bytes: int) -> Refused:
    """What a push of more than the limit is refused with."""
    return Refused(413, f"that is more than the {limit_bytes // 1048576} MiB that are taken at once")


def _parsed(head: bytes) -> tuple[int, list[tuple[bytes, bytes]]]:
    """The status and headers of a CGI program. Source: RFC 3875, section 6."""
    pairs = [line.partition(b":")[::2] for line in head.strip().split(b"\r\n")]
    headers = [(key.strip().lower(), value.strip()) for key, value in pairs]
    status = next((int(value.split()[0]) for key, value in headers if key == b"status"), 200)
    return status, [
        (key, value) for key, value in headers if key not in (b"status", b"cache-control", b"connection")
    ] + OURS
