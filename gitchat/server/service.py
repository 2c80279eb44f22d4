"""What the server answers, whatever carries it: tools, resources, prompts, news. No SDK types here.

One thread: everything runs in the event loop. A call is short, but for the waits, which
are awaited and can be cancelled.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from gitchat import __version__
from gitchat.model import offered
from gitchat.model.errors import ChatError
from gitchat.model.escape import escape_line, tame_data
from gitchat.server import notice, prompts, resources, texts
from gitchat.server.arguments import check
from gitchat.server.callers import caller_of
from gitchat.server.catalog import INSTRUCTIONS, listed
from gitchat.server.fitting import IN_JSON, Fitted, fitted, json_text, refuse_wrong
from gitchat.server.news import News, coming
from gitchat.server.ringing import Ringing
from gitchat.staying.keeper import Keeping
from gitchat.staying.wake import you_are
from gitchat.verbs import tools
from gitchat.workspace.environment import Environment
from gitchat.workspace.process import read_clock, read_variables
from gitchat.workspace.pushing import carrier_of
from gitchat.workspace.surroundings import look_seconds

PROGRESS_SECONDS = 15.0
"""How often a waiting call tells that it is alive. Clients give up on silence after 60 s at the earliest."""

Progress = Callable[[float, float, str], Awaitable[None]]
"""Told seconds waited, seconds to wait at most, and a sentence."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a tool call. ``structured`` only where a program asked for JSON."""

    text: str
    structured: dict[str, Any] | None
    is_error: bool
    told: str | None = None
    """What is said behind it, of who the caller is."""


class Service:
    """The tools of one connection.

    ``as_data`` answers with exactly the JSON of the contract, for programs; otherwise
    with compact text, for models. ``profile`` is ``all`` or ``core``. A wait tells every ``progress_seconds``
    that it is alive. ``is_user_wide``: the client starts it wherever its user works, also in a stranger's clone.
    """

    name = "gitchat"
    version = __version__
    instructions = INSTRUCTIONS

    def __init__(
        self,
        *,
        as_data: bool = False,
        profile: str = "all",
        progress_seconds: float = PROGRESS_SECONDS,
        is_user_wide: bool = False,
    ) -> None:
        self._as_data = as_data
        self._notices: deque[str] = deque()
        """What the next answer says besides: where the rooms go. Other threads add to it."""
        self._progress_seconds = progress_seconds
        self.tools = listed(profile)
        self._keeping = Keeping(
            lambda trouble: print(f"git chat mcp: {escape_line(trouble)}", file=sys.stderr),
            say=self._notices.append,
            begins_session=True,
            only_tells=is_user_wide,
        )
        self._schemas = {tool["name"]: tool["inputSchema"] for tool in self.tools}
        self._greeted: set[tools.Caller] = set()
        self._subagents = notice.Subagents()
        self._ringing = Ringing()

    @cached_property
    def _here(self) -> tuple[str | None, str]:
        """Our client, by our own variables, and what a session is called that nothing tells."""
        environment = Environment(cwd=".", variables=read_variables(), is_terminal=False)
        return environment.caller.client, environment.new_uid()

    # --- tools -----------------------------------------------------------------

    def knows(self, name: str) -> bool:
        """Whether there is a tool of this name; the one for a client's hooks is not listed."""
        return name in self._schemas or (name == notice.TOOL and not self._as_data)

    def caller(self, client_name: str, meta: Any) -> tools.Caller:
        """Who makes a call with this ``_meta``, on a connection that ``client_name`` opened."""
        own_client, connection = self._here
        caller = caller_of(client_name, own_client, meta, is_model=not self._as_data, connection=connection)
        subagent = self._subagents.of(meta)
        return replace(caller, thread=subagent) if subagent else caller

    async def call(
        self, name: str, arguments: Any, progress: Progress, caller: tools.Caller, meta: Any = None
    ) -> Answer:
        """Call a tool, with the call's ``_meta``. An error of gitchat is an answer; only a defect raises."""
        if name == notice.TOOL:
            with tools.called_by(caller):
                return Answer(notice.answer(arguments, self._subagents), None, is_error=False)
        with tools.called_by(caller), self._ringing.call(caller, meta):
            self._keep_in_step()
            if not self._keeping.wait_for_look(0):  # a room that is begun meanwhile may be another than the remote's
                loop = asyncio.get_running_loop()
                seconds = look_seconds(tools.here_environment().variables)
                await loop.run_in_executor(None, self._keeping.wait_for_look, seconds)
            try:
                given = self._seated(name, check(arguments, self._schemas[name]))
                misnamed = self._misnamed(name, given)
                result = await self._result(name, given, progress)
            except ChatError as error:
                return self._refusal(error)
            return self._answer(name, given, result, caller, misnamed)

    def _seated(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """The arguments with the name of the seat where none is given and a model asks, which asks for itself.

        By the contract some tools answer for nobody when nobody is named.
        """
        whose = "participant" if name == offered.READ_MESSAGES else "name"
        if self._as_data or whose in given or whose not in self._schemas[name]["properties"]:
            return given
        return {**given, whose: tools.seat()}

    def _misnamed(self, name: str, given: dict[str, Any]) -> list[str]:
        """What a model is told of the names in what it sends; a program gets exactly the JSON of the contract."""
        if self._as_data or name not in _SENDING or not given.get("content"):
            return []
        return tools.misnamed(**{key: given[key] for key in ("to", "type", "room") if key in given})

    def _answer(
        self, name: str, given: dict[str, Any], result: Fitted, caller: tools.Caller, misnamed: list[str]
    ) -> Answer:
        if self._as_data:
            # The protocol wants an object; the contract has lists and null.
            shown = tame_data(result.result)
            return Answer(
                json_text(result.result), shown if isinstance(shown, dict) else {"result": shown}, is_error=False
            )
        text = texts.with_notices(
            texts.render(name, given, result.result, _today(), result.left),
            [*misnamed, *self._new_notices(), *self._ringing.words(name, given)],
        )
        return Answer(text, None, is_error=False, told=self._greeting(caller))

    def _greeting(self, caller: tools.Caller) -> str | None:
        """Who the caller is, behind its first answer."""
        if caller in self._greeted or caller.is_subagent:
            return None
        self._greeted.add(caller)
        with suppress(ChatError):
            return f"({you_are(tools.seat())})"
        return None

    def _new_notices(self) -> list[str]:
        return [self._notices.popleft() for _ in range(len(self._notices))]

    def start(self, client_name: str = "", version: str = "") -> None:
        """A session begins: look whether the clone's remote has rooms, so that the first call need not wait.

        And ring its bell, where the client that shook hands so has one and a model reads.
        """
        if not self._as_data:
            self._ringing.begin(client_name, version, self.caller(client_name, None))
        with suppress(ChatError):
            # A copy: it may be another thread than the one that calls tools.
            self._keeping.begin(replace(tools.here_environment()))

    def _keep_in_step(self) -> None:
        """Carry what is said between here and the remotes of the rooms while the client stays."""
        with suppress(ChatError):  # a call that needs what is wrong meets it, and says it
            self._keeping.begin(tools.here_environment())

    def close(self) -> None:
        """The client is gone, and with it its sessions: what was said last, and how far they have read, is pushed by a
        process that nobody waits for.
        """
        self._ringing.close()
        self._keeping.close()
        ended = tools.end_sessions()
        with suppress(ChatError):
            environment = tools.here_environment()
            rooms = [room for room in environment.authorities.all() if room in ended or environment.log(room).pending()]
            # It waits for no token, and whoever keeps the clone in step meanwhile need not hear of it.
            for remote in {carrier_of(environment, room) for room in rooms} - {None}:
                environment.start_aside("deliver", "--", str(remote))

    def _refusal(self, error: ChatError) -> Answer:
        if self._as_data:
            shown: dict[str, Any] = tame_data({"error": str(error), "hint": error.hint, "code": error.code})
            return Answer(json_text(shown), shown, is_error=True)
        return Answer(texts.of_error(str(error), error.hint), None, is_error=True)

    async def _result(self, name: str, given: dict[str, Any], progress: Progress) -> Fitted:
        refuse_wrong(given)
        measure = IN_JSON if self._as_data else texts.measure(name, given, _today())
        max_chars = given.get("max_chars") or (0 if self._as_data else texts.DEFAULT_CHARS)
        begin = _WAITING.get(name)
        if begin is None:
            function: Callable[..., Any] = getattr(tools, name)
            result = function(**{key: value for key, value in given.items() if key not in _OF_THE_FACE})
            return fitted(name, given, result, max_chars, measure)
        begun = begin(**given | {"max_chars": max_chars})
        with begun.telling():
            timed_out = begun.wait_seconds > 0 and not await _wait(begun, progress, self._progress_seconds)
            return Fitted(begun.answer(timed_out, measure))

    # --- what else can be asked for ----------------------------------------------

    def resources(self) -> list[dict[str, str]]:
        """The resources that always exist; a room's are found through ``chat://rooms``."""
        return resources.ALWAYS

    def templates(self) -> list[dict[str, str]]:
        """The resources that take a parameter."""
        return resources.TEMPLATES

    def read(self, uri: str) -> str:
        """A resource's text: JSON. Raises UserError ``no-such-resource``, and what the rooms raise."""
        return resources.read(uri)

    def prompts(self) -> list[dict[str, Any]]:
        """What a person can ask its client for by name."""
        return prompts.listed()

    def prompt(self, name: str, arguments: dict[str, str] | None) -> str:
        """The text of a prompt. Raises UserError ``no-such-prompt``."""
        return prompts.text_of(name, arguments)

    def news(self) -> AsyncIterator[News]:
        """What others write for the names that joined here, from now on; see :func:`news.coming`."""
        return coming(self._progress_seconds)


async def _wait(begun: tools.Begun, progress: Progress, progress_seconds: float) -> bool:
    """Await news, telling every ``progress_seconds`` that we still do; False when the time is up."""
    end = time.monotonic() + begun.wait_seconds
    with begun.chat.environment.changes() as changes:
        told = 0.0
        while not begun.is_over():
            left = end - time.monotonic()
            if left <= 0:
                return False
            if not await changes.wait_async(min(progress_seconds, left)):
                told = begun.wait_seconds - max(0.0, end - time.monotonic())
                await progress(told, begun.wait_seconds, "no message yet")
    return True


def _today() -> str:
    return read_clock().utc[:10]


_SENDING = (offered.SEND_MESSAGE, offered.CHECK_IN)

_OF_THE_FACE = ("max_chars", "skip_chars")
"""Arguments about what is given out, and not about what is found."""

_WAITING: dict[str, Callable[..., tools.Begun]] = {
    offered.CHECK_IN: tools.begin_check_in,
    offered.READ_UNREAD: tools.begin_read_unread,
}
