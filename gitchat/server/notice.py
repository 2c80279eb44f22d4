"""The tool ``notice``: what a client's hooks ask the server that runs already, in place of a process for each.

It is answered and not listed, so a model neither sees it nor pays for it. Claude Code calls it by hooks of type
``mcp_tool``, takes the text as the output of a hook, and tells here, before a call of ours, whether a subagent makes
it, which nothing in the call itself says. Source: tests/clients/real; docs/decisions/0010.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitchat.verbs import tools
from gitchat.workspace.attended import is_headless

if TYPE_CHECKING:
    from gitchat.staying.edges import Event

TOOL = "notice"

EVENTS: dict[str, Event] = {"UserPromptSubmit": "prompt", "PostToolUse": "tool", "Stop": "stop"}
"""The edges of a turn, as Claude Code calls them."""

BEFORE_CALL = "PreToolUse"

CALL_ID = "claudecode/toolUseId"
"""Where a call says which use of a tool it is, in its ``_meta``."""

_MAX_CALLS = 256
"""How many calls of subagents are remembered: each is made right after it was told, unless its user forbids it."""


class Subagents:
    """Which calls are a subagent's."""

    def __init__(self) -> None:
        self._of_call: OrderedDict[str, str] = OrderedDict()

    def note(self, call: str, agent: str) -> None:
        """A subagent is about to make this call."""
        if call and agent:
            self._of_call[call] = agent
            if len(self._of_call) > _MAX_CALLS:
                self._of_call.popitem(last=False)

    def of(self, meta: Any) -> str:
        """The subagent that makes the call with this ``_meta``; blank for the session itself."""
        call = meta.get(CALL_ID) if isinstance(meta, dict) else None
        return self._of_call.get(call, "") if isinstance(call, str) else ""


def answer(arguments: Any, subagents: Subagents) -> str:
    """What a hook says with these arguments: the JSON of its client, or nothing. Never fails."""
    given = arguments if isinstance(arguments, dict) else {}
    event, agent = _text(given, "event"), _text(given, "agent")
    if event == BEFORE_CALL:
        subagents.note(_text(given, "call"), agent)
    if agent or event not in EVENTS:
        return ""  # a subagent hears nothing: its session is told
    try:
        environment = tools.here_environment()
        if not environment.store.rooms():
            return ""
        from gitchat.staying import edges  # where there is a room

        is_alone = event == "Stop" and is_headless("claude", environment.variables)
        edge = edges.Edge(EVENTS[event], event, given.get("stop") in (True, "true"), is_alone)
        said = edges.at(environment, edge).answer
    except Exception:
        return ""  # an agent must not stumble over its chatroom; the next tool that it calls says what is wrong
    return json.dumps(said) if said is not None else ""


def _text(given: Mapping[str, Any], key: str) -> str:
    value = given.get(key)
    return value if isinstance(value, str) else ""
