"""What answers the calls of one connection, and what a call brings with it.

A :class:`Desk` is a set of tools at work. Where its work is done, and how it waits, is the :class:`Ground`'s: over
standard input and output it is this thread, and a server for many has a thread of its own for all that touches git.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gitchat.model.errors import ChatError
from gitchat.model.names import Name, RoomName
from gitchat.model.record import Entry
from gitchat.server import news
from gitchat.verbs import tools
from gitchat.verbs.room import Reading, Room
from gitchat.verbs.waiting import sooner
from gitchat.workspace.claimends import pause_seconds, tend
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.waking.watch import Changes

Json = dict[str, Any]
Result = TypeVar("Result")

PROGRESS_SECONDS = 15.0
"""How often a waiting call tells that it is alive. Clients give up on silence after 60 s at the earliest."""

Progress = Callable[[float, float, str], Awaitable[None]]
"""Told seconds waited, seconds to wait at most, and a sentence."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a tool call. ``structured`` only where a program asked for JSON."""

    text: str
    structured: dict[str, Any] | None = None
    is_error: bool = False
    told: str | None = None
    """What is said behind it, of who the caller is."""


class Told(Protocol):
    """What a client is told without having asked just then."""

    @property
    def uris(self) -> list[str]:
        """The resources that it changes."""

    @property
    def channel(self) -> Json | None:
        """What a Claude channel is told: ``content`` and ``meta``; None for nothing."""


class Coming(Protocol):
    """What comes for one participant in one room, from when it was begun."""

    @property
    def place(self) -> object:
        """How far it has come: while nothing came since, a later one has the same. None where that is not known."""

    @property
    def is_over(self) -> bool:
        """Whether nothing comes any more: the server ends."""

    async def something(self, seconds: float) -> bool:
        """Wait until something came; False when the time is up, or it is over."""

    def close(self) -> None:
        """Nothing more is waited for: whoever waits is woken. In the thread of who waits."""

    def handed(self) -> list[Entry] | None:
        """What came, in its order, which is then taken; None where it has to be looked up."""


class Ground(Protocol):
    """Where the work of calls is done, and how it waits."""

    def admit(self, name: Name) -> None:
        """Raise UserError ``not-your-name`` where the connection may not take ``name``."""

    async def act(self, act: Callable[[], Result]) -> Result:
        """Do something short that touches the repository, with the variables of this task's context."""

    def coming(self, room: Room, *, with_own: bool = True) -> AbstractContextManager[Coming]:
        """What comes for who acts in ``room`` from now on, ``with_own`` also what it wrote itself."""

    def settle(self) -> None:
        """Write down what was marked and is only in memory; called where :meth:`act` acts."""

    def records(self, retry_seconds: float) -> AsyncIterator[tuple[RoomName, Entry]]:
        """Every record that comes to a room here, from this call on, whoever it is for; ends by being cancelled.

        Where there is no repository it looks every ``retry_seconds`` whether there is one.
        """

    def take(self, room: Room, entries: Sequence[Entry]) -> list[Entry] | None:
        """Mark at once those of ``entries`` that who acts in ``room`` has not had, and give them.

        None, and nothing is marked, where it is done as :meth:`mark` does it.
        """

    def unread(self, room: Room, limit: int | None, *, with_own: bool) -> Reading:
        """As :meth:`Room.unread`; called where :meth:`act` acts."""

    def mark(self, room: Room, reading: Reading, count: int | None) -> Reading:
        """As :meth:`Room.mark`; called where :meth:`act` acts."""


class Here:
    """The ground of a process that has one connection: this thread, and the changes of its repository."""

    def admit(self, name: Name) -> None:
        """Whoever started the process may take any name."""

    async def act(self, act: Callable[[], Result]) -> Result:
        """Do it here."""
        return act()

    @contextmanager
    def coming(self, room: Room, *, with_own: bool = True) -> Iterator[Coming]:
        """The refs tell that something came, and not what."""
        with room.environment.changes() as changes:
            yield _LookedUp(changes, room.environment)

    def settle(self) -> None:
        """Nothing is."""

    def records(self, retry_seconds: float) -> AsyncIterator[tuple[RoomName, Entry]]:
        """By watching the refs."""
        return news.records(retry_seconds)

    def take(self, room: Room, entries: Sequence[Entry]) -> None:
        """Positions are in the repository."""

    def unread(self, room: Room, limit: int | None, *, with_own: bool) -> Reading:
        """From the repository."""
        return room.unread(limit, with_own=with_own)

    def mark(self, room: Room, reading: Reading, count: int | None) -> Reading:
        """At once."""
        return room.mark(reading, count)


class _LookedUp:
    """What comes, where one is told only that something did."""

    place = None

    def __init__(self, changes: Changes, environment: Environment) -> None:
        self._changes = changes
        self._environment = environment
        self.is_over = False

    def close(self) -> None:
        self.is_over = True
        self._changes.close()

    async def something(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.is_over:
            if await self._changes.wait_async(sooner(left, pause_seconds(self._environment))):
                return True
            tend(self._environment)  # a claim may have ended by the clock, of which no ref tells
        return False

    def handed(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Call:
    """A call, and what it is answered with the help of."""

    caller: tools.Caller
    meta: Any
    """Its ``_meta``."""
    progress: Progress
    progress_seconds: float
    ground: Ground
    is_gone: Callable[[], bool] = lambda: False
    """Whether it is known that nobody will get the answer: then nothing is marked as read."""

    @property
    def environment(self) -> Environment:
        """The surroundings of who calls. Raises as Repository.location."""
        return tools.here_environment()

    async def act(self, act: Callable[[], Result]) -> Result:
        """As :meth:`Ground.act`."""
        return await self.ground.act(act)

    async def next(self, coming: Coming, end: float, seconds: float) -> bool:
        """Wait until something came, and tell meanwhile that we are still there; False when the time is up.

        The whole wait is of ``seconds`` and ends at ``end``, on the monotonic clock. Ends, too, when it cannot be told
        that we are there. One task: there may be hundreds who wait.
        """
        while (left := end - time.monotonic()) > 0:
            if await coming.something(min(left, self.progress_seconds)):
                return True
            if coming.is_over:
                return False
            if left > self.progress_seconds:
                await self.progress(min(seconds, seconds - end + time.monotonic()), seconds, "no message yet")
        return False


class Desk(Protocol):
    """A set of tools at work, for one connection."""

    def knows(self, name: str) -> bool:
        """Whether it answers a tool that is not listed."""

    def tell(self, notice: str) -> None:
        """Something that the next answer may say besides: where the rooms go. From any thread."""

    async def call(self, name: str, arguments: Any, call: Call) -> Answer:
        """Answer a call of a tool. Raises ChatError for what :meth:`refusal` words."""

    def refusal(self, error: ChatError) -> Answer:
        """The answer to a call that is refused."""

    def seen(self, caller: tools.Caller, meta: Any) -> tools.Caller:
        """Who calls, where the call's ``_meta`` tells more of it than the connection does."""

    def begin(self, client_name: str, version: str, caller: tools.Caller) -> None:
        """The client shook hands so."""

    def end(self) -> None:
        """The connection is over. Never fails."""

    def told(self, room: RoomName, entry: Entry) -> Sequence[Told]:
        """What the client is told of a record; called where :meth:`Ground.act` acts."""


class Bare:
    """What a desk has that offers nothing but its tools."""

    def knows(self, name: str) -> bool:
        """Nothing that is not listed."""
        return False

    def tell(self, notice: str) -> None:
        """Its answers have a form of their own, with no place for it."""

    def seen(self, caller: tools.Caller, meta: Any) -> tools.Caller:
        """As the connection tells."""
        return caller

    def begin(self, client_name: str, version: str, caller: tools.Caller) -> None:
        """Nothing to do."""

    def told(self, room: RoomName, entry: Entry) -> Sequence[Told]:
        """Nothing: who wants to know asks."""
        return ()
