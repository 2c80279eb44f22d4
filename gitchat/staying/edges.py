"""What an agent is told at the edges of a turn, by a process that its client starts or by the server that it asks.

Counts and names, never a word of a message: what a hook says reaches the model with more authority than its user's
text. It is stated as a fact, for orders set off its defences. The answer has the form that all clients read.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from gitchat.model.errors import ChatError
from gitchat.model.escape import escape_line
from gitchat.staying import bell, wake
from gitchat.staying.told import Told
from gitchat.workspace import asking
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.verbs.room import Room

Event = Literal["session-start", "prompt", "tool", "stop", "session-end"]

EVENTS: dict[Event, dict[str, str]] = {
    "session-start": {"claude": "SessionStart", "codex": "SessionStart", "gemini": "SessionStart"},
    "prompt": {"claude": "UserPromptSubmit", "codex": "UserPromptSubmit", "gemini": "BeforeAgent"},
    "tool": {"claude": "PostToolUse", "codex": "PostToolUse", "gemini": "AfterTool"},
    "stop": {"claude": "Stop", "codex": "Stop", "gemini": "AfterAgent"},
    "session-end": {"claude": "SessionEnd", "codex": "SessionEnd", "gemini": "SessionEnd"},
}
"""What the clients call the edges, where they do not say it themselves."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge of a turn. ``shown`` is what the client calls it."""

    event: Event
    shown: str
    is_held_up: bool = False
    """Whether the agent was kept from stopping already in this turn."""
    is_headless: bool = False
    """Whether a program waits for the agent's end and its last words: then it is not kept from stopping."""


@dataclass(frozen=True, slots=True)
class Said:
    """What is answered to a client; None for nothing."""

    answer: dict[str, Any] | None
    is_settled: bool
    """Whether the same look once more would say nothing, as long as no ref moves."""


def at(environment: Environment, edge: Edge) -> Said:
    """What to tell the session of ``environment``, which then counts as told; its seat is given back at its end."""
    bell.confirm(environment, edge.event)
    if edge.event == "session-end":
        _end(environment)
        return Said(None, is_settled=False)
    if edge.event == "stop" and edge.is_headless:
        return Said(None, is_settled=True)
    _look_at_claims(environment, edge)
    _look_at_conflicts(environment, edge)
    known, told = wake.rooms_of(environment), told_to(environment)
    rooms = wake.left_to_hooks(known)
    said = _of_news(environment, edge, rooms, told)
    # A call that waits may end without telling anything, and then this has to look once more.
    return replace(said, is_settled=said.is_settled and len(rooms) == len(known))


def _look_at_claims(environment: Environment, edge: Edge) -> None:
    """Write down what is claimed, for the guard: where something is, and for a session that begins in any case.

    Who brings a first claim here writes it down; only what comes without us is seen at the next session's begin.
    """
    if edge.event == "session-start" or _has_claims(environment):
        from gitchat.workspace.guarding import refresh  # for who has claims

        refresh(environment)


def _look_at_conflicts(environment: Environment, edge: Edge) -> None:
    """Ask for a look at what will not merge; where that can find anything is noted when a session begins."""
    if edge.event == "session-start":
        from gitchat.verbs.room import Room
        from gitchat.verbs.unasked import note_wanted  # for a session that begins

        with suppress(ChatError):
            note_wanted(Room(environment))
    if asking.is_resting(environment):
        asking.ask_or_find_out(environment)  # its time may be over
    else:
        asking.ask(environment)


def _has_claims(environment: Environment) -> bool:
    """Whether something is claimed here, or was lately, so far as it was written down. Loads nothing."""
    with suppress(OSError):
        return os.stat(environment.repository.directory / "guarded").st_size > 0
    return False


def _of_news(environment: Environment, edge: Edge, rooms: Sequence[Room], told: Told) -> Said:
    if edge.event == "stop":
        return _hold_up(environment, edge, rooms, told)
    said: list[str] = []
    if edge.event == "session-start":
        said = [f"gitchat: {wake.you_are(environment.caller.name())}", *_undecided(environment), *_stale(environment)]
        found = fresh = wake.whatever(rooms, told, wake.WORKING)
        ours = wake.claim(fresh, told, wake.WORKING)
    else:
        fresh = wake.fresh(rooms, told, wake.WORKING)
        found = ours = wake.claim(fresh, told, wake.WORKING)
    said += [wake.sentence(found)] if found else []
    if _has_claims(environment):
        from gitchat.staying import ending  # for who has claims

        said += [f"gitchat: {one}." for one in ending.sentences(rooms, told)]
    said += [f"gitchat: {one}" for one in _of_ones_own(environment, told)]
    # What another process took in this moment may be less than what is there.
    is_settled = len(ours) == len(fresh)
    if not said:
        return Said(None, is_settled)
    return Said(_context(edge, " ".join(said)), is_settled)


def _of_ones_own(environment: Environment, told: Told) -> list[str]:
    """What is new of the work here that nobody else is told of."""
    if not asking.is_noted(environment) and not asking.is_resting(environment):
        return []
    from gitchat.staying import moved  # where something is

    return moved.sentences(environment, told)


def _end(environment: Environment) -> None:
    """Give the session's seats back, and let a process that nobody waits for push how far it has read."""
    from gitchat.workspace.pushing import push_soon
    from gitchat.workspace.seating import Seating

    for room in Seating(environment).end_session():
        push_soon(environment, room, cursors=True)


def told_to(environment: Environment) -> Told:
    """What the session of ``environment`` was told of."""
    return Told(environment.repository.directory, environment.caller.name())


def _hold_up(environment: Environment, edge: Edge, rooms: Sequence[Room], told: Told) -> Said:
    """What keeps an agent from stopping, once for each message; in a volley only its user is told."""
    if edge.is_held_up:
        return Said(None, is_settled=False)  # what came meanwhile is kept for the next turn
    now = environment.now().seconds
    found = wake.fresh(rooms, told, wake.STOPPING)
    ripe = wake.claim([item for item in found if not item.pause_seconds(now)], told, wake.STOPPING)
    slowed = [str(item.volley) for item in found if item.pause_seconds(now)]
    is_settled = len(ripe) == len(found)
    if ripe:
        return Said(_going_on(environment.caller.client, edge, wake.sentence(ripe)), is_settled)
    return Said({"systemMessage": f"gitchat: {slowed[0]}"} if slowed else None, is_settled)


def _going_on(client: str | None, edge: Edge, text: str) -> dict[str, Any]:
    """What lets a client's model go on with ``text`` in place of stopping."""
    if client == "claude":  # by a "block" it shows its user that a hook "reported a problem"
        return _context(edge, text)
    return {"decision": "block", "reason": text}


def _context(edge: Edge, text: str) -> dict[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": edge.shown, "additionalContext": text}}


def _stale(environment: Environment) -> list[str]:
    """What an agent should tell its user about its client's files."""
    from gitchat.setup.lately import stale  # for a session that begins

    sentence = stale(environment)
    return [escape_line(sentence)] if sentence is not None else []


def _undecided(environment: Environment) -> list[str]:
    """What an agent should tell its user about the clone's remote."""
    if environment.repository.arrives_at() is None:
        return []
    from gitchat.workspace import arriving  # for who has a remote

    return [escape_line(sentence) for sentence in arriving.undecided(environment)]
