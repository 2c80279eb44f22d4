"""The bells that a server rings: each of a session that started it, or that calls it, at the door of its own client.

One thread for all of them, from the handshake on, whatever is called or not. It watches the refs, as a call does
that waits. Only behind our own loop: the SDK does not tell who shakes hands before the first call.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

from gitchat.model import offered
from gitchat.model.errors import ChatError
from gitchat.model.session import key_of_process
from gitchat.staying.bell import Bell, Door, confirm, resting, rests
from gitchat.staying.notice import elsewhere
from gitchat.staying.ringfile import RingFile
from gitchat.verbs import tools
from gitchat.workspace import ancestry
from gitchat.workspace.attended import is_headless
from gitchat.workspace.client import named_in_handshake
from gitchat.workspace.environment import Environment
from gitchat.workspace.process import read_secret, read_variables

NO_ROOM_SECONDS = 60.0
"""How often it is looked whether there is a repository by now."""

HEADLESS = frozenset({"exec", "e", "review", "mcp-server"})
"""Words of Codex's command with which nobody can be woken: it ends with its turn, or a program has it."""

READING = frozenset({offered.CHECK_IN, offered.READ_UNREAD})
"""Tools that show what is unread, of one room."""

_TURN = "x-codex-turn-metadata"


class Ringing:
    """The bells of one connection."""

    def __init__(self) -> None:
        self._callers: dict[str, tools.Caller] = {}
        """Who can be rung, by the session's id; blank where the connection is the session."""
        self._bells: dict[str, Bell] = {}
        """For the thread alone."""
        self._busy: Counter[str] = Counter()
        """How many calls of each session are running."""
        self._changed = 0
        """Grows with whatever the bells should look at anew, which no ref tells."""
        self._stop = threading.Event()
        self._doors: Callable[[tools.Caller, Environment], Door | None] = lambda caller, environment: None
        self._client = ""
        self._process: str | None = None
        """The process of a client that has several sessions, where it is seen."""

    # --- what the connection tells ------------------------------------------------

    def begin(self, client_name: str, version: str, caller: tools.Caller) -> None:
        """Ring from now on, if the client that shook hands as ``client_name`` can be rung. Once."""
        from gitchat.staying import doors  # for who has a client

        client = named_in_handshake(client_name)
        if is_headless(client or "", read_variables()):
            return  # a ring is a turn more, and its last words are not those that somebody waits for
        if client == "claude" and doors.is_new_enough(version, doors.OLDEST_CLAUDE):
            # What another client's shell handed on is not our client's: that one shook hands.
            path = read_variables().get("CLAUDE_CODE_MESSAGING_SOCKET", "")
            token = read_secret("CLAUDE_CODE_MESSAGING_TOKEN")
            if not path or not token:
                return
            self._doors = lambda caller, environment: doors.ClaudeDoor(path, token)
            self._callers[""] = caller
        elif client == "codex" and doors.is_new_enough(version, doors.OLDEST_CODEX):
            process = next((one for one in ancestry.ancestors() if "codex" in one.words), None)
            if process is not None and HEADLESS.intersection(process.arguments):
                return
            self._doors = lambda caller, environment: doors.codex_door(caller.session, environment, process)
            self._process = key_of_process(process.pid, process.started) if process is not None else None
        else:
            return
        self._client = client
        threading.Thread(target=self._run, name="gitchat-bell", daemon=True).start()

    @contextmanager
    def call(self, caller: tools.Caller, meta: Any) -> Iterator[None]:
        """A call of ``caller``, while which it is not rung: it reads, or waits, or will look when it is told."""
        if not self._client or caller.is_subagent:
            yield
            return
        key = caller.session
        if key and not _is_headless(meta):
            self._callers.setdefault(key, caller)
        self._busy[key] += 1
        with suppress(ChatError):
            confirm(tools.here_environment(), "call")
        try:
            yield
        finally:
            self._busy[key] -= 1
            self._changed += 1

    def words(self, tool: str, given: dict[str, Any]) -> list[str]:
        """What the answer of a tool says of bells: its own that rests, others' that do, and what waits elsewhere."""
        said: list[str] = []
        with suppress(ChatError):
            environment, to = tools.here_environment(), given.get("to")
            if tool in READING and not environment.caller.is_subagent:
                said += filter(None, [rests(environment)] if self._client else [])
                here = environment.room_name(given.get("room") or None)
                said += [
                    f"{count} unread for you in room '{room}': {offered.CHECK_IN} with room={room}"
                    for room, count in elsewhere(environment, tools.seat(), here)
                ]
            if isinstance(to, str) and (environment.repository.directory / "rings").exists():
                recipients = [one.strip() for one in to.split(",")]
                said += resting(environment, recipients, tools.seat(), is_person=False)
        return said

    def close(self) -> None:
        """Ring no more."""
        self._stop.set()

    # --- the thread ----------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._watch()
            except ChatError:  # no repository yet, or a damaged one: whoever uses it is told
                self._stop.wait(NO_ROOM_SECONDS)

    def _watch(self) -> None:
        """Look whenever something changed, or a bell wants to, until it is over. Raises ChatError."""
        environment = replace(tools.here_environment())
        rings = environment.repository.directory / "rings"

        def also() -> object:
            with suppress(OSError):
                there = rings.stat()
                return self._changed, there.st_mtime_ns, there.st_size
            return self._changed

        self._look_all(environment)  # who sees that it watches knows that it has begun
        with environment.changes(also) as changes:
            while not self._stop.is_set():
                seconds = self._look_all(environment)
                changes.wait(None if seconds == math.inf else seconds)

    def _look_all(self, environment: Environment) -> float:
        """Let each bell look, and return in how many seconds to look again at the latest."""
        self._find_sessions(environment)
        pause = math.inf
        for key, caller in list(self._callers.items()):
            with suppress(ChatError):  # one session's trouble is not another's
                bell = self._bells.get(key) or self._begin(key, caller)
                if bell is not None:
                    pause = min(pause, bell.look(partial(self._is_busy, key)))
        return max(0.1, pause)

    def _is_busy(self, key: str) -> bool:
        return self._busy[key] > 0

    def _begin(self, key: str, caller: tools.Caller) -> Bell | None:
        with tools.called_by(caller):
            environment = replace(tools.here_environment())
        door = self._doors(caller, environment)
        if door is None:
            return None
        bell = Bell(environment, door)
        bell.begin()
        self._bells[key] = bell
        return bell

    def _find_sessions(self, environment: Environment) -> None:
        """Those of our client's process that only their hooks have told of."""
        if self._process is None:
            return
        for one in RingFile(environment.repository.directory).all().values():
            if one.process == self._process and one.id and not one.rung.has_ended and one.id not in self._callers:
                self._callers[one.id] = tools.Caller(
                    client=one.client, session=one.id, thread=one.id, project=one.place, is_model=True
                )


def _is_headless(meta: Any) -> bool:
    """Whether Codex says that a call is of a run that ends with its turn."""
    turn = meta.get(_TURN) if isinstance(meta, dict) else None
    return isinstance(turn, dict) and turn.get("turn_trigger") == "exec"
