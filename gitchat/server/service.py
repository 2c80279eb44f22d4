"""What a connection is answered, whatever carries it: tools, resources, prompts, news. No SDK types here.

Over standard input and output one thread does everything, in the event loop. A call is short, but for the waits, which
are awaited and can be cancelled. Which tools there are is the toolset's, and what they do its desk's.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from gitchat import __version__
from gitchat.model.errors import ChatError, UserError
from gitchat.model.escape import escape_line
from gitchat.model.names import Name, RoomName
from gitchat.model.record import Entry
from gitchat.server import prompts, resources
from gitchat.server.callers import caller_of
from gitchat.server.desk import PROGRESS_SECONDS, Answer, Call, Coming, Ground, Here, Progress, Result, Told
from gitchat.server.toolset import GITCHAT, Toolset, toolset_of
from gitchat.server.way import Way
from gitchat.staying.keeper import Keeping
from gitchat.verbs import tools
from gitchat.verbs.room import Reading, Room
from gitchat.workspace.environment import Environment
from gitchat.workspace.process import read_variables
from gitchat.workspace.pushing import carrier_of
from gitchat.workspace.surroundings import look_seconds


class Service:
    """The tools of one connection.

    ``toolset`` is gitchat's own by default. ``as_data`` answers with exactly the JSON of the contract, for programs;
    otherwise with compact text, for models. A wait tells every ``progress_seconds`` that it is alive.
    ``is_user_wide``: the client starts it wherever its user works, also in a stranger's clone.

    Over standard input and output the connection is the process, which keeps the rooms in step with their remotes.
    A server for many gives each connection the ``environment`` that it acts in, the ``ground`` that it works on, and
    what all connections with this toolset have in common (``shared``: see :class:`Toolset`); in step it keeps itself.
    Who ``is_far`` may be of another machine, and is told of no file, process, host or address of this one.
    """

    name = "gitchat"
    version = __version__

    def __init__(
        self,
        *,
        toolset: Toolset | None = None,
        as_data: bool = False,
        progress_seconds: float = PROGRESS_SECONDS,
        is_user_wide: bool = False,
        environment: Environment | None = None,
        ground: Ground | None = None,
        shared: Any = None,
        is_far: bool = False,
    ) -> None:
        self.toolset = toolset or toolset_of(GITCHAT)
        self.instructions = self.toolset.instructions
        self.tools = self.toolset.catalogue
        self._names = frozenset(tool["name"] for tool in (*self.tools, *self.toolset.unlisted))
        self._as_data = as_data
        self._progress_seconds = progress_seconds
        self.environment = environment
        # Where it is done here, in this task, it has the task's context as it is.
        self._ground: Ground = _InContext(ground) if ground is not None else Here()
        self._is_far = is_far
        self.desk = self.toolset.open(Way(as_data, environment is None, is_far), shared)
        self._keeping = Keeping(
            lambda trouble: print(f"git chat mcp: {escape_line(trouble)}", file=sys.stderr),
            say=self.desk.tell,
            begins_session=True,
            only_tells=is_user_wide,
        )

    @cached_property
    def _here(self) -> tuple[str | None, str]:
        """Our client, by our own variables, and what a session is called that nothing tells."""
        environment = Environment(cwd=".", variables=read_variables(), is_terminal=False)
        # Whoever started a server for many is not the client of any.
        own_client = environment.caller.client if self.environment is None else None
        return own_client, environment.new_uid()

    # --- tools -----------------------------------------------------------------

    def knows(self, name: str) -> bool:
        """Whether there is a tool of this name; one may be answered and not be listed."""
        return self._has(name) or self.desk.knows(name)

    def _has(self, name: str) -> bool:
        return name in self._names

    def caller(self, client_name: str, meta: Any) -> tools.Caller:
        """Who makes a call with this ``_meta``, on a connection that ``client_name`` opened."""
        own_client, connection = self._here
        caller = caller_of(client_name, own_client, meta, is_model=not self._as_data, connection=connection)
        return self.desk.seen(caller, meta)

    async def call(
        self,
        name: str,
        arguments: Any,
        progress: Progress,
        caller: tools.Caller,
        meta: Any = None,
        is_gone: Callable[[], bool] = lambda: False,
    ) -> Answer:
        """Call a tool, with the call's ``_meta``. An error of gitchat is an answer; only a defect raises.

        ``is_gone`` tells whether nobody will get the answer: what it has is then not marked as read.
        """
        call = Call(caller, meta, progress, self._progress_seconds, self._ground, is_gone)
        with self._surrounded(), tools.called_by(caller):
            try:
                if self.environment is not None or not self._has(name):
                    return await self.desk.call(name, arguments, call)
                with tools.staying_here():
                    await self._keep_in_step()
                    return await self.desk.call(name, arguments, call)
            except ChatError as error:
                return self.desk.refusal(_for_strangers(error) if self._is_far else error)

    def _surrounded(self) -> AbstractContextManager[object]:
        """What is called meanwhile has the surroundings of this connection, where it was given any."""
        return tools.using(self.environment) if self.environment is not None else nullcontext()

    async def _keep_in_step(self) -> None:
        """Carry what is said between here and the remotes of the rooms while the client stays."""
        with suppress(ChatError):  # a call that needs what is wrong meets it, and says it
            environment = tools.here_environment()
            self._keeping.begin(environment)
            environment.store.later = _behind_the_answer
        if not self._keeping.wait_for_look(0):  # a room that is begun meanwhile may be another than the remote's
            loop = asyncio.get_running_loop()
            seconds = look_seconds(tools.here_environment().variables)
            await loop.run_in_executor(None, self._keeping.wait_for_look, seconds)

    def start(self, client_name: str = "", version: str = "") -> None:
        """A session begins: look whether the clone's remote has rooms, so that the first call need not wait."""
        self.desk.begin(client_name, version, self.caller(client_name, None))
        if self.environment is None:
            with suppress(ChatError):
                # A copy: it may be another thread than the one that calls tools.
                self._keeping.begin(replace(tools.here_environment()))

    def close(self) -> None:
        """The client is gone, and with it its sessions: what was said last, and how far they have read, is pushed by a
        process that nobody waits for.
        """
        self.desk.end()
        if self.environment is not None:
            return
        self._keeping.close()
        ended = tools.end_sessions()
        with suppress(ChatError):
            environment = tools.here_environment()
            rooms = [room for room in environment.authorities.all() if room in ended or environment.log(room).pending()]
            # It waits for no token, and whoever keeps the clone in step meanwhile need not hear of it.
            for remote in {carrier_of(environment, room) for room in rooms} - {None}:
                environment.start_aside("deliver", "--", str(remote))

    # --- what else can be asked for ----------------------------------------------

    @property
    def _has_more(self) -> bool:
        """Whether there is more than tools: what it says is said in the words of our own."""
        return self.toolset.name == GITCHAT

    def resources(self) -> list[dict[str, str]]:
        """The resources that always exist; a room's are found through ``chat://rooms``."""
        return resources.ALWAYS if self._has_more else []

    def templates(self) -> list[dict[str, str]]:
        """The resources that take a parameter."""
        return resources.TEMPLATES if self._has_more else []

    async def read(self, uri: str) -> str:
        """A resource's text: JSON. Raises UserError ``no-such-resource``, and what the rooms raise."""
        with self._surrounded():
            return await self._ground.act(lambda: resources.read(uri))

    def prompts(self) -> list[dict[str, Any]]:
        """What a person can ask its client for by name."""
        return prompts.listed() if self._has_more else []

    def prompt(self, name: str, arguments: dict[str, str] | None) -> str:
        """The text of a prompt. Raises UserError ``no-such-prompt``."""
        return prompts.text_of(name, arguments)

    def news(self) -> AsyncIterator[Told]:
        """What the client is told of what others write, from this call on; ends by being cancelled."""
        with self._surrounded():
            return self._told(self._ground.records(self._progress_seconds))

    async def _told(self, records: AsyncIterator[tuple[RoomName, Entry]]) -> AsyncIterator[Told]:
        while True:
            # Not around what is yielded: whoever takes that has surroundings of its own.
            with self._surrounded():
                try:
                    room, entry = await anext(records)
                except StopAsyncIteration:
                    return
                told = await self._ground.act(partial(self.desk.told, room, entry))
            for news in told:
                yield news


def _behind_the_answer(work: Callable[[], object]) -> None:
    """Do it when the call that runs has been answered, as far as it waits for nothing."""

    def do() -> None:
        with suppress(ChatError, OSError):  # who needs it does it again, and is told
            work()

    try:
        asyncio.get_running_loop().call_soon(do)
    except RuntimeError:  # it is no call: the server ends
        do()


def _for_strangers(error: ChatError) -> ChatError:
    """An error that names no file, process, host or address of this machine."""
    return UserError(error.public_message, hint=error.public_hint, code=error.code)


class _InContext:
    """A ground on which each act sees the caller and the surroundings of the call that it is of, in whatever thread."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def admit(self, name: Name) -> None:
        self._ground.admit(name)

    async def act(self, act: Callable[[], Result]) -> Result:
        return await self._ground.act(_with_context(act))

    def coming(self, room: Room, *, with_own: bool = True) -> AbstractContextManager[Coming]:
        return self._ground.coming(room, with_own=with_own)

    def settle(self) -> None:
        self._ground.settle()

    def records(self, retry_seconds: float) -> AsyncIterator[tuple[RoomName, Entry]]:
        return self._ground.records(retry_seconds)

    def take(self, room: Room, entries: Sequence[Entry]) -> list[Entry] | None:
        return self._ground.take(room, entries)

    def unread(self, room: Room, limit: int | None, *, with_own: bool) -> Reading:
        return self._ground.unread(room, limit, with_own=with_own)

    def mark(self, room: Room, reading: Reading, count: int | None) -> Reading:
        return self._ground.mark(room, reading, count)


def _with_context(act: Callable[[], Result]) -> Callable[[], Result]:
    context = contextvars.copy_context()
    return lambda: context.run(act)
