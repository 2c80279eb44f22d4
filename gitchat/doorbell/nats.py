"""The doorbell over a NATS server: the only user of its library, which nobody needs who does not set ``chat.nats``.

A thread of its own has the connection, and makes it anew when it breaks. No text passes. What the server does, or
anybody who reaches it, costs the pace at the most: a server that says too much is left for a while.
Source: docs/format.md section 15; docs.nats.io, "NATS Protocol" and "Subject-Based Messaging".
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from gitchat.doorbell import beats, knock
from gitchat.doorbell.beats import Beat
from gitchat.doorbell.doorbell import Hear, Opened
from gitchat.doorbell.knock import MAX_BYTES, Knock
from gitchat.doorbell.loop import Loop
from gitchat.doorbell.server import MISSING, NatsServer
from gitchat.model.escape import escape_line
from gitchat.model.names import RoomName, Uid

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

CONNECT_SECONDS = 5.0
"""How long a server may take to greet us, and to answer each time that it is asked."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
"""Bounds of the time before the next attempt, which doubles; that of a server which said too much is the longest."""

LASTING_SECONDS = 30.0
"""After a connection that held so long the pauses begin anew."""

CHECK_SECONDS = 1.0
"""How often it is looked how much came."""

MOST_A_CHECK = 500
"""How many messages may come in that time. Fifty clones that all push and beat say about ten."""

MAX_ROOMS = 1000
"""Of how many rooms is heard."""

_MAX_UNPARSED_BYTES = 1 << 20
"""What may have come of one message: the most that a server takes by default."""


class NatsDoorbell:
    """A doorbell over NATS. For any thread."""

    has_presence: ClassVar = True

    def __init__(self, server: NatsServer, random: Callable[[], float]) -> None:
        """``random`` gives numbers from 0 to 1, which spread the clones that come back to a server."""
        self._server = server
        self._random = random
        self._heard: Hear = lambda heard: None
        self._turn = threading.Lock()
        self._rooms: dict[Uid, RoomName] = {}
        self._knocks: dict[Uid, Knock] = {}
        self._beats: dict[Uid, tuple[Beat, RoomName]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awake: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._is_closing = False
        self._is_connected = False
        self._words: str | None = None
        self._came = 0

    @property
    def is_open(self) -> bool:
        return self._is_connected and self._words is None

    @property
    def trouble(self) -> str | None:
        return self._words

    def listen(self, heard: Hear) -> None:
        self._heard = heard
        self._thread = threading.Thread(target=self._run, name="gitchat-doorbell", daemon=True)
        self._thread.start()

    def attend(self, rooms: Mapping[Uid, RoomName]) -> None:
        self._rooms = dict(list(rooms.items())[:MAX_ROOMS])
        self._stir()

    def knock(self, knock: Knock) -> None:
        with self._turn:
            self._knocks[knock.room] = knock
        self._stir()

    def beat(self, beat: Beat, room: RoomName) -> None:
        if self._is_connected:
            with self._turn:
                self._beats[beat.room] = (beat, room)
            self._stir()

    def close(self, limit_seconds: float = 0.0) -> None:
        self._is_closing = True
        self._stir()
        if self._thread is not None:
            self._thread.join(limit_seconds)

    def _stir(self) -> None:
        loop, awake = self._loop, self._awake
        if loop is not None and awake is not None:
            with suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(awake.set)

    # --- in its thread ------------------------------------------------------------------

    def _run(self) -> None:
        logging.getLogger("nats").addHandler(logging.NullHandler())  # it tells the terminal of each error
        logging.getLogger("nats").propagate = False
        self._loop = Loop()
        self._loop.set_exception_handler(lambda loop, context: None)
        try:
            self._loop.run_until_complete(self._live())
        except ImportError as error:
            # Of keys as in a file of credentials, too, for which it has another.
            self._words = (
                MISSING if error.name == "nats" else f"{MISSING} with all that credentials need ({error.name})"
            )
        finally:
            self._is_connected = False
            with suppress(Exception):
                self._loop.close()

    async def _live(self) -> None:
        """Connect, again and again, until it is closed. Raises ImportError."""
        import nats  # with the extra, for who sets it

        self._awake = asyncio.Event()
        pause_seconds = FIRST_PAUSE_SECONDS
        while self._knocks or not self._is_closing:
            begin = self._now()
            try:
                await self._serve(await _within(self._connect(nats.connect)))
            except _TooMuch as error:
                self._words, pause_seconds = str(error), LONGEST_PAUSE_SECONDS
            except ImportError:
                raise
            except Exception as error:  # of the library, the network, TLS, and of what a server says
                self._words = _words(error)
            self._is_connected = False
            if self._is_closing:
                return
            if self._now() - begin >= LASTING_SECONDS:
                pause_seconds = FIRST_PAUSE_SECONDS
            await self._pause(pause_seconds * (1 + self._random()))
            pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)

    def _now(self) -> float:
        assert self._loop is not None
        return self._loop.time()

    async def _connect(self, connect: Callable[..., Coroutine[Any, Any, Client]]) -> Client:
        options: dict[str, Any] = {}
        if self._server.credentials is not None:
            # The library opens it only where the server asks, and then in the middle of things.
            Path(self._server.credentials).open("rb").close()
            options["user_credentials"] = self._server.credentials
        return await connect(
            self._server.url,
            error_cb=self._hear_error,
            allow_reconnect=False,  # we do, who can give it up
            max_reconnect_attempts=1,
            connect_timeout=int(CONNECT_SECONDS),
            ping_interval=20,
            max_outstanding_pings=2,
            no_echo=True,
            pending_size=1 << 16,
            **options,
        )

    async def _hear_error(self, error: Exception) -> None:
        """The library met something, or the server said no; else it prints a traceback."""
        is_flood = type(error).__name__ == "SlowConsumerError"  # it has dropped what we had no time for
        self._came += MOST_A_CHECK if is_flood else 0
        self._words = self._words if is_flood else _words(error)

    async def _serve(self, client: Client) -> None:
        """Say and hear what there is until the connection breaks, or all is said and it is closed."""
        subscribed: dict[Uid, list[Subscription]] = {}
        self._words = None
        try:
            while client.is_connected:
                assert self._awake is not None
                self._awake.clear()
                if not self._is_closing:
                    await self._subscribe(client, subscribed)
                await self._say(client)
                if self._is_closing:
                    return
                if not self._is_connected:
                    await client.flush(int(CONNECT_SECONDS))  # now it has heard what we want to hear, or refused
                    self._is_connected = True
                    self._heard(Opened())
                self._came = 0
                await self._sleep(CHECK_SECONDS)
                self._refuse_floods(client)
        finally:
            with suppress(Exception):
                await _within(client.close())
        self._words = self._words or "the server has closed the connection"

    async def _subscribe(self, client: Client, subscribed: dict[Uid, list[Subscription]]) -> None:
        rooms = self._rooms
        for room in subscribed.keys() - rooms.keys():
            for subscription in subscribed.pop(room):
                await subscription.unsubscribe()
        for room in rooms.keys() - subscribed.keys():
            subscribed[room] = []
            for what, hear in (("bell", self._hear_knock), ("presence", self._hear_beat)):
                subscribed[room].append(
                    await client.subscribe(
                        self._server.subject(room, what),
                        cb=hear,
                        pending_msgs_limit=MOST_A_CHECK,
                        pending_bytes_limit=_MAX_UNPARSED_BYTES,
                    )
                )

    async def _say(self, client: Client) -> None:
        """What is to be said. A knock that may not have come there is kept for the next connection."""
        with self._turn:
            knocks, spoken = list(self._knocks.values()), list(self._beats.values())
            self._beats.clear()
        for one in knocks:
            await client.publish(self._server.subject(one.room, "bell"), knock.encode(one))
        for beat, room in spoken:
            await client.publish(self._server.subject(beat.room, "presence"), beats.encode(beat, room))
        if knocks or spoken:
            await client.flush(int(CONNECT_SECONDS))
        with self._turn:
            for one in knocks:
                if self._knocks.get(one.room) == one:
                    del self._knocks[one.room]

    async def _hear_knock(self, message: Msg) -> None:
        room = self._room_of(message)
        heard = knock.decode(room, message.data) if room is not None else None
        if heard is not None:
            self._heard(heard)

    async def _hear_beat(self, message: Msg) -> None:
        room = self._room_of(message)
        heard = beats.decode(room, message.data) if room is not None else None
        if heard is not None:
            self._heard(heard)

    def _room_of(self, message: Msg) -> Uid | None:
        self._came += 1
        parts = message.subject.split(".")
        return (
            Uid(parts[-2]) if len(message.data) <= MAX_BYTES and len(parts) > 1 and parts[-2] in self._rooms else None
        )

    def _refuse_floods(self, client: Client) -> None:
        """Raise _TooMuch when more came than clones say, or what comes has no end."""
        # The library reads a message of any length into memory, and tells nobody before it is whole.
        unparsed = getattr(getattr(client, "_ps", None), "buf", b"")
        if self._came > MOST_A_CHECK or len(unparsed) > _MAX_UNPARSED_BYTES:
            raise _TooMuch("too much is said at the server: it is left alone for a while")

    async def _pause(self, seconds: float) -> None:
        """As :meth:`_sleep`, but what there is to say waits, too."""
        end = self._now() + seconds
        while not self._is_closing and (left := end - self._now()) > 0:
            assert self._awake is not None
            self._awake.clear()
            await self._sleep(left)

    async def _sleep(self, seconds: float) -> None:
        """Until there is something to do, or the time is up."""
        assert self._awake is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._awake.wait()


class _TooMuch(Exception):
    pass


def _words(error: BaseException) -> str:
    """An error in a few words: the library's, or a server's, who may say anything."""
    return escape_line(str(error).removeprefix("nats: ") or type(error).__name__)[:200]


async def _within(deed: Coroutine[Any, Any, Any]) -> Any:
    async with asyncio.timeout(CONNECT_SECONDS):
        return await deed
