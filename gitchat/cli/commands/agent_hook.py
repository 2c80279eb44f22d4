"""``git chat hook claude|codex|gemini EVENT``: what an agent's client runs at the edges of a turn.

The client writes JSON on standard input and reads it from standard output. An agent is told
counts and names, never a word of a message: what a hook prints reaches the model with more
authority than its user's text. It is stated as a fact, for orders set off its defences.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from gitchat.model.escape import escape_line
from gitchat.workspace.environment import Environment
from gitchat.workspace.surroundings import in_client

if TYPE_CHECKING:
    from gitchat.staying.told import Told
    from gitchat.verbs.room import Room

DEADLINE_SECONDS = 4.0
"""After so long a hook gives up in silence; clients allow it five seconds."""

WAIT_SECONDS = 3500
"""How long an idle agent's hook waits: less than the hour after which its client would end it."""

WAKE_STATUS = 2
"""What tells Claude Code to wake the session with what stands on standard error."""

_MAX_INPUT_BYTES = 16 * 1024 * 1024

_EVENTS = {
    "session-start": {"claude": "SessionStart", "codex": "SessionStart", "gemini": "SessionStart"},
    "prompt": {"claude": "UserPromptSubmit", "codex": "UserPromptSubmit", "gemini": "BeforeAgent"},
    "tool": {"claude": "PostToolUse", "codex": "PostToolUse", "gemini": "AfterTool"},
    "stop": {"claude": "Stop", "codex": "Stop", "gemini": "AfterAgent"},
}
"""What the clients call the events, where they do not say it themselves."""


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


def _command(client: str, shown: str) -> click.Command:
    """The command of one client. Whatever it is given, its exit status is 0, or 2 to wake somebody."""

    @click.command(
        client,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        help=f"What {shown} runs as a hook: session-start, prompt, tool, stop"
        f"{', wait' if client == 'claude' else ''}.\n\nJSON on standard input and output; silent without news.",
    )
    @click.argument("event", default="")
    @click.pass_context
    def command(context: click.Context, event: str) -> None:
        context.exit(_run(context.obj, client, event))

    return command


claude = _command("claude", "Claude Code")
codex = _command("codex", "Codex")
gemini = _command("gemini", "Gemini CLI")


COMMANDS = (claude, codex, gemini)
"""What ``git chat hook`` takes in."""


def _run(environment: Environment, client: str, event: str) -> int:
    """Do what ``event`` asks for and return the exit status. An agent must not stumble over its chatroom."""
    deadline = threading.Timer(DEADLINE_SECONDS, os._exit, [0])
    deadline.daemon = True
    deadline.start()
    try:
        call = _Call(client, event, _input())
        if call.text("agent_id"):
            return 0  # a subagent: its session is told
        there = in_client(environment, client, call.text("session_id"))
        if call.event == "session-start":
            _look_aside(there)
        if not there.store.rooms():
            return 0
        if event == "wait":
            return _wait(there, call, deadline)
        answer = _answer(there, call)
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


def _answer(environment: Environment, call: _Call) -> dict[str, Any] | None:
    """What to print; None for nothing."""
    from gitchat.staying import wake

    rooms, told = wake.rooms_of(environment), _told(environment)
    said: list[str] = []
    match call.event:
        case "session-start":
            said = [f"gitchat: {wake.you_are(environment.caller.name())}"]
            found = [item for room in rooms if (item := wake.news(room))]
            wake.claim(found, told, wake.WORKING)
        case "prompt" | "tool":
            found = wake.claim(wake.fresh(rooms, told, wake.WORKING), told, wake.WORKING)
        case "stop":
            return None if call.given.get("stop_hook_active") else _hold_up(environment, rooms, told)
        case _:
            return None
    said += _undecided(environment) if call.event == "session-start" else []
    said += [wake.sentence(found)] if found else []
    if not said:
        return None
    name = call.text("hook_event_name") or _EVENTS[call.event][call.client]
    return {"hookSpecificOutput": {"hookEventName": name, "additionalContext": " ".join(said)}}


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


def _undecided(environment: Environment) -> list[str]:
    """What an agent should tell its user about the clone's remote."""
    if environment.repository.arrives_at() is None:
        return []
    from gitchat.workspace import arriving  # for who has a remote

    return [escape_line(sentence) for sentence in arriving.undecided(environment)]


def _hold_up(environment: Environment, rooms: Sequence[Room], told: Told) -> dict[str, Any] | None:
    """What keeps an agent from stopping, once for each message; in a volley only its user is told."""
    from gitchat.staying import wake

    now = environment.now().seconds
    found = wake.fresh(rooms, told, wake.STOPPING)
    ripe = wake.claim([item for item in found if not item.pause_seconds(now)], told, wake.STOPPING)
    if ripe:
        return {"decision": "block", "reason": wake.sentence(ripe)}
    slowed = [str(item.volley) for item in found if item.pause_seconds(now)]
    return {"systemMessage": f"gitchat: {slowed[0]}"} if slowed else None


def _wait(environment: Environment, call: _Call, deadline: threading.Timer) -> int:
    """Sleep until there is news, say so on standard error, and return the status that wakes the agent."""
    from gitchat.staying import wake

    deadline.cancel()
    if call.client != "claude":
        print(f"gitchat: {call.client} cannot be woken while it is idle", file=sys.stderr)
        return 0
    found = wake.wait_for_news(lambda: wake.rooms_of(environment), _told(environment), environment, WAIT_SECONDS)
    if not found:
        return 0
    print(wake.sentence(found), file=sys.stderr, flush=True)
    return WAKE_STATUS


def _told(environment: Environment) -> Told:
    from gitchat.staying.told import Told

    return Told(environment.repository.directory, environment.caller.name())
