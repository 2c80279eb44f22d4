"""gitchat's own tools at work: as compact text for a model, or as exactly the JSON of the contract for a program."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from gitchat.model import offered
from gitchat.model.errors import ChatError, ConflictError
from gitchat.model.escape import tame_data
from gitchat.model.names import RoomName, parse_name
from gitchat.model.record import Entry
from gitchat.server import notice, texts
from gitchat.server.arguments import check
from gitchat.server.catalog import TOOLS, UNLISTED
from gitchat.server.desk import Answer, Call, Ground
from gitchat.server.fitting import IN_JSON, Fitted, fitted, json_text, refuse_wrong
from gitchat.server.news import News, for_names
from gitchat.server.ringing import Ringing
from gitchat.server.way import Way
from gitchat.staying import ending
from gitchat.staying.told import Told
from gitchat.staying.wake import you_are
from gitchat.verbs import tools
from gitchat.verbs.room import Room
from gitchat.verbs.tools.positions import IN_REPOSITORY, Positions
from gitchat.verbs.tools.reading import Begun
from gitchat.verbs.uncounted import is_counting
from gitchat.workspace.claimed import standings_here
from gitchat.workspace.process import read_clock


class Own:
    """The desk of gitchat's own tools."""

    def __init__(self, way: Way) -> None:
        self._as_data = way.as_data
        self._is_alone = way.is_alone
        self._notices: deque[str] = deque()
        """What the next answer says besides. Other threads add to it."""
        self.tell = self._notices.append
        self._greeted: set[tools.Caller] = set()
        self._subagents = notice.Subagents()
        self._ringing = Ringing()

    def knows(self, name: str) -> bool:
        """The tool for a client's hooks is not listed."""
        return name == notice.TOOL and not self._as_data

    def seen(self, caller: tools.Caller, meta: Any) -> tools.Caller:
        """A subagent, where a hook told of this call that it is one's."""
        subagent = self._subagents.of(meta)
        return replace(caller, thread=subagent) if subagent else caller

    def begin(self, client_name: str, version: str, caller: tools.Caller) -> None:
        """Ring the client's bell, where it has one and a model reads."""
        if not self._as_data and self._is_alone:
            self._ringing.begin(client_name, version, caller)

    def end(self) -> None:
        """Ring no more."""
        self._ringing.close()

    async def call(self, name: str, arguments: Any, call: Call) -> Answer:
        """Call a tool."""
        if name == notice.TOOL:
            return Answer(await call.act(lambda: notice.answer(arguments, self._subagents)))
        with self._ringing.call(call.caller, call.meta):
            given = check(arguments, _SCHEMAS[name])
            for whose in _WHOSE:
                if said := str(given.get(whose) or "").strip():  # blank is nobody
                    call.ground.admit(parse_name(said))
            given, misnamed = await call.act(lambda: self._completed(name, given, call.ground))
            result = await self._result(name, given, call)
            return await call.act(lambda: self._answer(name, given, result, call.caller, misnamed))

    def _completed(self, name: str, given: dict[str, Any], ground: Ground) -> tuple[dict[str, Any], list[str]]:
        if not given.get("wait_seconds"):
            ground.settle()  # what is asked now is answered from the repository
        seated = self._seated(name, given)
        return seated, self._misnamed(name, seated)

    def _seated(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """The arguments with the name of the seat where none is given and a model asks, which asks for itself.

        By the contract some tools answer for nobody when nobody is named.
        """
        whose = "participant" if name == offered.READ_MESSAGES else "name"
        if self._as_data or whose in given or whose not in _SCHEMAS[name]["properties"]:
            return given
        return {**given, whose: tools.seat()}

    def _misnamed(self, name: str, given: dict[str, Any]) -> list[str]:
        """What a model is told of the names in what it sends; a program gets exactly the JSON of the contract."""
        if self._as_data or name not in _SENDING or not given.get("content"):
            return []
        return tools.misnamed(**{key: given[key] for key in ("to", "type", "room", "content") if key in given})

    def _answer(
        self, name: str, given: dict[str, Any], result: Fitted, caller: tools.Caller, misnamed: list[str]
    ) -> Answer:
        if self._as_data:
            # The protocol wants an object; the contract has lists and null.
            shown = tame_data(result.result)
            return Answer(json_text(result.result), shown if isinstance(shown, dict) else {"result": shown})
        text = texts.with_notices(
            texts.render(name, given, result.result, _today(), result.left),
            [*misnamed, *_ending(caller), *self._new_notices(), *self._ringing.words(name, given)],
        )
        return Answer(text, told=self._greeting(caller))

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

    def refusal(self, error: ChatError) -> Answer:
        """An error and what to do next."""
        if self._as_data:
            shown: dict[str, Any] = tame_data({"error": str(error), "hint": error.hint, "code": error.code})
            return Answer(json_text(shown), shown, is_error=True)
        return Answer(texts.of_error(str(error), error.hint), is_error=True)

    async def _result(self, name: str, given: dict[str, Any], call: Call) -> Fitted:
        refuse_wrong(given)
        measure = IN_JSON if self._as_data else texts.measure(name, given, _today())
        max_chars = given.get("max_chars") or (0 if self._as_data else texts.DEFAULT_CHARS)
        begin = _WAITING.get(name)
        if begin is None:
            function: Callable[..., Any] = getattr(tools, name)
            asked = {key: value for key, value in given.items() if key not in _OF_THE_FACE}
            return await call.act(lambda: fitted(name, given, function(**asked), max_chars, measure))
        begun = await call.act(lambda: begin(**given | {"max_chars": max_chars}))
        if begun.wait_seconds <= 0:
            return Fitted(await call.act(lambda: begun.answer(False, measure, IN_REPOSITORY)))
        with begun.telling():
            positions = call.ground if begun.marks_all else IN_REPOSITORY
            timed_out = not await _waited(begun, positions, call)
            if call.is_gone():
                raise asyncio.CancelledError  # nobody gets the answer, so nothing is marked
            return Fitted(await call.act(lambda: begun.answer(timed_out, measure, positions)))

    def told(self, room: RoomName, entry: Entry) -> list[News]:
        """What others write for the names that joined here."""
        return for_names(room, entry)


async def _waited(begun: Begun, positions: Positions, call: Call) -> bool:
    """Wait until there is something from somebody else; False when the time is up.

    Looks once, and again only where what is handed over does not tell: what others say ends a wait without a filter.
    """

    def is_over() -> bool:
        try:
            if begun.marks_all:
                return bool(positions.unread(begun.chat, 1, with_own=False).entries)
            return begun.is_over()
        except ConflictError as error:
            if is_counting(error):
                return True  # which is an answer: what was said last
            raise

    end = time.monotonic() + begun.wait_seconds
    with call.ground.coming(begun.chat, with_own=False) as coming:  # begun before the look
        while not await call.act(is_over):
            came: list[Entry] | None = []
            while came == []:
                if not await call.next(coming, end, begun.wait_seconds):
                    return False
                came = coming.handed()
            if came and begun.marks_all:
                return True
    return True


def _ending(caller: tools.Caller) -> list[str]:
    """What a model is told of its claims that end soon."""
    if caller.is_subagent:
        return []
    with suppress(ChatError, OSError):
        environment = tools.here_environment()
        if rooms := [room for room, _ in standings_here(environment)]:
            me = tools.seat()
            told = Told(environment.repository.directory, me)
            return ending.sentences([Room(environment, room, me) for room in rooms], told)
    return []


def _today() -> str:
    return read_clock().utc[:10]


_SCHEMAS = {tool["name"]: tool["inputSchema"] for tool in (*TOOLS, *UNLISTED)}

_WHOSE = ("name", "participant")
"""Arguments that say under which name it is done."""

_SENDING = (offered.SEND_MESSAGE, offered.CHECK_IN)

_OF_THE_FACE = ("max_chars", "skip_chars")
"""Arguments about what is given out, and not about what is found."""

_WAITING: dict[str, Callable[..., tools.Begun]] = {
    offered.CHECK_IN: tools.begin_check_in,
    offered.READ_UNREAD: tools.begin_read_unread,
}
