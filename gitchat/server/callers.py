"""Who calls a tool, as far as the connection and the call tell it.

A server gets its client's variables, or none (Codex), and may serve several sessions (Codex, again), so that the
session is that of the call. The client says in the handshake what it is. Pure. Source: tests/clients/recorded.
"""

from __future__ import annotations

from typing import Any

from gitchat.verbs.tools import Caller
from gitchat.workspace.client import is_known_in_handshakes, named_in_handshake

Json = dict[str, Any]

UNKNOWN = "agent"
"""What a client is called that does not say."""


def caller_of(client_name: str, own_client: str | None, meta: Any, *, is_model: bool, connection: str) -> Caller:
    """Who makes a call with this ``_meta`` on a connection that ``client_name`` opened; blank when it did not say.

    ``own_client`` is the client by our own variables. What a client of another kind says of itself goes behind it:
    something that stands between a client and us says its own name.
    """
    given = meta if isinstance(meta, dict) else {}
    session = _text(given.get("sessionId"))
    said = named_in_handshake(client_name)
    client = said if is_known_in_handshakes(client_name) else own_client or said
    return Caller(
        client=client or UNKNOWN,
        session=session,
        thread=_text(given.get("threadId")) if session else "",
        project=_project(given),
        is_model=is_model,
        connection=connection,
    )


def _project(meta: Json) -> str:
    """The directory of a session of Codex; blank where a call names none, or several."""
    turn = meta.get("x-codex-turn-metadata")
    workspaces = turn.get("workspaces") if isinstance(turn, dict) else None
    return _text(next(iter(workspaces))) if isinstance(workspaces, dict) and len(workspaces) == 1 else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
