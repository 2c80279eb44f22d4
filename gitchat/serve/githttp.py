"""``/git/``: a remote for the rooms, and nothing else of the repository, by git's own ``http-backend``.

git is run beside each request and fed as the request's body comes; nothing is kept in memory or on disk here. What it
shows, and who judges what is pushed: ``serve/exchange``. Here is who may come, how many, and that no git outlives its
request. The backend gets no ``CONTENT_LENGTH``: with one it goes on reading the end of a body that was cut, for ever
and with a whole core; without it the end is the end, also when this process is killed.

Source: git-http-backend(1), gitprotocol-http(5).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gitchat.model.errors import ChatError
from gitchat.serve.actor import Actor
from gitchat.serve.exchange import Exchange
from gitchat.storage import git, streamed

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from starlette.types import Message, Receive, Scope, Send

AT_ONCE = 4
"""How many gits run at once: each may take a core."""

TURN_SECONDS = 30.0
"""How long a request waits for its turn."""

SILENCE_SECONDS = 60.0
"""How long nothing may move in either direction; git itself says something every 5 s while it works."""

CHUNK_BYTES = 65536

SERVICES = {"git-upload-pack": False, "git-receive-pack": True}
"""What git does over HTTP, and whether it writes."""

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


class Git:
    """An ASGI application: the three requests of git's smart protocol, below the path that it is mounted at."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._following = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = _Answer(send)
        task = asyncio.ensure_future(self._answer(scope, receive, answer))
        self._running.add(task)
        try:
            await task
        except Refused as refusal:
            await answer.refuse(refusal)
        except asyncio.CancelledError:
            if (own := asyncio.current_task()) is not None and own.cancelling():
                raise
            await answer.refuse(Refused(503, "the server ends"))
        except Gone:
            pass
        finally:
            self._running.discard(task)

    async def close(self) -> None:
        """End every git that runs for somebody. Returns when none is left."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        service, path = _asked(scope)
        _admit(scope.get("gitchat.actor"), writes=SERVICES[service])
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        _refuse_size(headers.get("content-length", ""), self._exchange.limit_bytes)
        async with self._turn():
            if scope["method"] == "GET" or not self._exchange.path.exists():
                await self._follow()
            variables = self._exchange.variables | {
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROJECT_ROOT": str(self._exchange.path),
                "PATH_INFO": path,
                "QUERY_STRING": scope["query_string"].decode("latin-1"),
                "REQUEST_METHOD": scope["method"],
                "CONTENT_TYPE": headers.get("content-type", ""),
                "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
            }
            where = str(self._exchange.path)
            process = await streamed.start([*self._exchange.settings(), "http-backend"], cwd=where, variables=variables)
            try:
                await _Conversation(process, receive, answer, self._exchange.limit_bytes).run()
            finally:
                await asyncio.shield(streamed.end(process))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            await asyncio.wait_for(self._turns.acquire(), TURN_SECONDS)
        except TimeoutError:
            words = f"{AT_ONCE} others are served just now; try again"
            raise Refused(503, words, {"retry-after": "10"}) from None
        try:
            yield
        finally:
            self._turns.release()

    async def _follow(self) -> None:
        async with self._following:
            try:
                await asyncio.to_thread(self._exchange.follow)
            except (ChatError, git.GitFailed, OSError) as error:
                raise Refused(503, "the rooms cannot be read just now; see git chat doctor there") from error


class _Answer:
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


class _Conversation:
    """One request and the git that answers it."""

    def __init__(self, process: Process, receive: Receive, answer: _Answer, limit_bytes: int) -> None:
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
                raise _too_large(self._limit_bytes)
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


def _asked(scope: Scope) -> tuple[str, str]:
    """Which service a request is about, and its path below ours. Raises Refused."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    path = "/" + path.lstrip("/")
    if scope["method"] == "GET" and path == "/info/refs":
        service = scope["query_string"].decode("latin-1").removeprefix("service=")
        if service in SERVICES:
            return service, path
        raise Refused(403, "this needs a git that speaks the smart protocol")
    service = path.removeprefix("/")
    if service in SERVICES:
        if scope["method"] == "POST":
            return service, path
        raise Refused(405, "this takes POST alone", {"allow": "POST"})
    raise Refused(404, "here are the rooms of a repository, for git: git remote add chat ADDRESS; git chat sync chat")


def _admit(actor: Actor | None, *, writes: bool) -> None:
    """Refuse who may not. Raises Refused.

    Who fetches gets all rooms with all positions, and who pushes can write under any name, as with any remote.
    """
    if actor is None:
        raise Refused(401, "a token is needed, as the password", {"www-authenticate": 'Basic realm="gitchat"'})
    if actor.is_guest or actor.rooms is not None:
        raise Refused(403, "this token is for less than all rooms, and git brings all of them")
    if writes and actor.name is not None:
        raise Refused(403, f"this token is for the name {actor.name}; a clone needs one for any name to push")


def _refuse_size(length: str, limit_bytes: int) -> None:
    if length.isascii() and length.isdigit() and int(length[:20]) > limit_bytes:
        raise _too_large(limit_bytes)


def _too_large(limit_bytes: int) -> Refused:
    return Refused(413, f"that is more than the {limit_bytes // 1048576} MiB that are taken at once")


def _parsed(head: bytes) -> tuple[int, list[tuple[bytes, bytes]]]:
    """The status and headers of a CGI program. Source: RFC 3875, section 6."""
    pairs = [line.partition(b":")[::2] for line in head.strip().split(b"\r\n")]
    headers = [(key.strip().lower(), value.strip()) for key, value in pairs]
    status = next((int(value.split()[0]) for key, value in headers if key == b"status"), 200)
    return status, [
        (key, value) for key, value in headers if key not in (b"status", b"cache-control", b"connection")
    ] + OURS
