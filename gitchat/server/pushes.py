"""What agents-mcp-server pushes into a session: a message that reaches the agent that the session is bound to. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gitchat.model.escape import tame_line
from gitchat.model.names import EVERYBODY, SYSTEM, RoomName
from gitchat.model.record import MESSAGE, Entry
from gitchat.server.messagetexts import foreign
from gitchat.server.party import host_of
from gitchat.server.registry import Agent

PUSH_CHARS = 2000
"""How much of a message is pushed; the histories have the rest."""

_SHORT = {"dm": "dm", "broadcast": "bcast", "channel": "ch"}


@dataclass(frozen=True, slots=True)
class Push:
    """One message, as a Claude channel takes it."""

    channel: dict[str, Any]

    @property
    def uris(self) -> list[str]:
        """No resource: this toolset has none."""
        return []


def of(
    agent: Agent, room: RoomName, entry: Entry, spelled: Callable[[str], str], host_as_told: Callable[[str], str]
) -> Push | None:
    """What ``agent`` is told of a record; None for its own, for what is for others, and for what nobody said.

    ``spelled`` gives a name as its agent spells it, ``host_as_told`` a host as the connection may know it.
    """
    record = entry.record
    is_note = record.author == SYSTEM and record.type == "presence"
    if record.author == agent.name or record.kind != MESSAGE or is_note:
        return None
    way = _way(agent, room, record.to, is_default=room == agent.chat.name)
    if way is None:
        return None
    kind, (key, target) = way
    author = tame_line(spelled(record.author))
    # Who wrote it stands before it already.
    text = foreign(record.body.removeprefix("[HUMAN] "))
    content = f"<{_SHORT[kind]}> {record.written.utc[11:19]} [{author}] {text}"[:PUSH_CHARS]
    meta = {
        "kind": kind,
        "from_agent": author,
        key: tame_line(spelled(target)) if kind == "dm" else target,
        "origin_host": host_as_told(host_of(agent.environment, record.author)),
        "origin_ts": str(record.written.seconds * 1000),
        "origin_seq": str(entry.handle if entry.number is None else entry.number),
    }
    return Push({"content": content, "meta": meta})


def _way(agent: Agent, room: RoomName, to: tuple[str, ...], *, is_default: bool) -> tuple[str, tuple[str, str]] | None:
    """How a record reaches an agent: the kind, and what its target is called; None where it does not."""
    if agent.name in to:
        return "dm", ("to_agent", agent.name)
    if f"role:{agent.group}" in to and is_default:
        return "broadcast", ("group", agent.group)
    if to:
        return None
    return ("broadcast", ("group", EVERYBODY)) if is_default else ("channel", ("channel", room))
