"""What an agent's client runs as a hook: JSON on standard input, JSON on standard output, at an edge of a turn.

A face of its own, without click and what else only a person needs, for the client waits until it has ended. What an
agent is told then is ``staying/edges``; nearly always it is nothing, and ``git-chat-hook`` ends before this is started.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitchat.model.errors import ChatError
from gitchat.workspace.attended import IN_TERMINAL, is_headless
from gitchat.workspace.environment import Environment, here
from gitchat.workspace.surroundings import in_client

DEADLINE_SECONDS = 4.0
"""After so long a hook gives up in silence; clients allow it five seconds."""

WAIT_SECONDS = 7 * 24 * 3600 - 100
"""How long an idle agent's hook waits: less than the week after which its client would end it."""

WAKE_STATUS = 2
"""What tells Claude Code to wake the session with what stands on standard error."""

_MAX_INPUT_BYTES = 16 * 1024 * 1024

GOES_ON = ("clear", "resume")
"""Why a client ends a conversation, and goes on with another one in the same session."""

CLIENTS = ("claude", "codex", "gemini")
"""Those that run hooks."""


def main(client: str, event: str) -> int:
    """Do what ``event`` of ``client`` asks for, here, and return the exit status."""
    try:
        environment = here()
    except ChatError:
        return 0  # the directory is gone
    return run(environment, client, event)


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of a hook, as its client made it."""

    client: str
    event: str
    given: dict[str, Any]

    def text(self, key: str) -> str:
        """A text of the input; blank when there is none."""
        value = self.given.get(key)
        return value if isinstance(value, str) else ""

    def is_headless(self, variables: Mapping[str, str]) -> bool:
        """Whether nobody attends to the session."""
        return is_headless(self.client, variables, self.text("transcript_path"))

    @property
    def is_subagents(self) -> bool:
        """Whether a session's subagent is at work: its session is told, and not it."""
        return bool(self.text("agent_id"))


def run(environment: Environment, client: str, event: str) -> int:
    """Do what ``event`` asks for and return the exit status. An agent must not stumble over its chatroom."""
    deadline = threading.Timer(DEADLINE_SECONDS, os._exit, [0])
    deadline.daemon = True
    deadline.start()
    try:
        call = _Call(client, event, _input())
        there = in_client(environment, client, call.text("session_id"))
        if event == "wait":
            return _wait(there, call, deadline)
        answer = _look(there, call)
        # A record that says nothing about a slow reader is lost here, and told by the next hook.
        if answer is not None:
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    except Exception:
        return 0  # no repository, a damaged room, a full disk: the next command that somebody types says it
    finally:
        deadline.cancel()
    return 0


def _input() -> dict[str, Any]:
    """What the client wrote; nothing where that is no JSON object."""
    try:
        given = json.loads(sys.stdin.buffer.read(_MAX_INPUT_BYTES))
    except (ValueError, RecursionError, AttributeError, OSError):
        return {}
    return given if isinstance(given, dict) else {}


def _look(environment: Environment, call: _Call) -> dict[str, Any] | None:
    """What to print; None for nothing. The gate before this process is told whether it need look again."""
    from gitchat.staying.gate import Gate

    gate = Gate(environment.repository.directory, environment.variables.get("GITCHAT_GATE", ""))
    is_settled = False
    try:
        if call.event == "session-start" and not call.is_subagents:
            gate.sweep(environment.now().seconds)
            _look_aside(environment)
        answer, is_settled = _said(environment, call)
        return answer
    finally:
        gate.keep(is_settled=is_settled)


def _said(environment: Environment, call: _Call) -> tuple[dict[str, Any] | None, bool]:
    """What is answered, and whether the same look would say no more."""
    if call.is_subagents or not environment.store.rooms():
        return None, True
    from gitchat.staying import edges  # where there is a room

    event = next((event for event in edges.EVENTS if event == call.event), None)
    if event is None or (event == "session-end" and call.text("reason") in GOES_ON):
        return None, True
    name = call.text("hook_event_name") or edges.EVENTS[event][call.client]
    is_headless = event == "stop" and call.is_headless(environment.variables)
    is_held_up = bool(call.given.get("stop_hook_active"))
    said = edges.at(environment, edges.Edge(event, name, is_held_up=is_held_up, is_headless=is_headless))
    return said.answer, said.is_settled


def _look_aside(environment: Environment) -> None:
    """Let a process that nobody waits for look whether the clone's remote has rooms, if it is time to.

    Not in a build, and not in a stranger's clone, where these hooks may be its user's for all repositories.
    """
    if environment.is_ci or environment.repository.arrives_at() is None:
        return
    from gitchat.clones.looking import Asker  # for who has a remote
    from gitchat.workspace import arriving

    if not arriving.is_untouched(environment) and arriving.is_due(environment, Asker.SESSION, None):
        environment.start_aside("look")


def _wait(environment: Environment, call: _Call, deadline: threading.Timer) -> int:
    """Sleep until there is news, say so on standard error, and return the status that wakes the agent.

    Only for a session that somebody attends to and that has no bell of its own, and as long as its client lives.
    """
    deadline.cancel()
    if call.client != "claude":
        print(f"gitchat: {call.client} cannot be woken while it is idle", file=sys.stderr)
        return 0
    variables = environment.variables
    is_attended = variables.get("CLAUDE_CODE_ENTRYPOINT") == IN_TERMINAL
    if call.is_subagents or not is_attended or variables.get("CLAUDE_CODE_MESSAGING_SOCKET"):
        return 0
    environment.repository.location  # outside of a repository there is nothing to wait for
    from gitchat.staying import edges, wake
    from gitchat.workspace.ancestry import Descent

    descent = Descent.of(call.client, counts_parent=True)
    found = wake.wait_for_news(
        lambda: wake.rooms_of(environment), edges.told_to(environment), environment, WAIT_SECONDS, descent.is_over
    )
    if not found:
        return 0
    print(wake.sentence(found), file=sys.stderr, flush=True)
    return WAKE_STATUS
