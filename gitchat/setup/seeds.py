"""Servers of other chats for agents, which a client may still start beside ours: ours answers for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitchat.setup.launch import words_of

_MARKS = {
    "mcp-agent-collaboration": ("agent_collaboration", "agent-collaboration"),
    "agent-chat": ("chatroom_mcp_server.py",),
    "agents-mcp-server": ("agents-mcp-server",),
    "mcp-agent-communication-server": ("mcp-agent-communication-server", "mcp_agent_communication_server"),
}
"""What stands in a word of the command of each, or in the name of one that is called over HTTP."""


def among(servers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The name of each such server among a client's, and what it is a server of."""
    for name, entry in servers.items():
        words = words_of(entry) or [name]
        for chat, marks in _MARKS.items():
            if any(mark in word for word in words for mark in marks):
                yield name, chat
                break
