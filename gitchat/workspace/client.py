"""An agent's client: which one started this process, and in which of its sessions.

What a client gives differs between its server, its hooks and its shell, and not all of it is documented: the table
here is of what real ones gave (tests/clients/recorded). Codex gives its server nothing but in each call, so who is
called there says it (:func:`as_client_sees`), as a hook does, whose input has the id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from gitchat.model.names import suggest_slug
from gitchat.model.session import MAX_ID_CHARS, Session, key_of_process
from gitchat.workspace.ancestry import Ancestor

Ancestors = Callable[[], Iterable[Ancestor]]

_MARKS = {
    "CLAUDECODE": "claude", "GEMINI_CLI": "gemini", "OPENCODE": "opencode", "CODEX_THREAD_ID": "codex",
    "QWEN_CODE": "qwen",
}  # fmt: skip
"""Variables that an agent's client sets for the commands it runs, and its short name. Where several are set and
nothing tells which client is the inner one, the first counts."""

_IDS = {
    "CLAUDE_CODE_SESSION_ID": "claude", "GEMINI_SESSION_ID": "gemini", "CODEX_SESSION_ID": "codex",
    "CODEX_THREAD_ID": "codex",
}  # fmt: skip
"""Variables with the id of the client's conversation. Before it had the one, Codex had the other."""

_IN_HANDSHAKES = {"claude-code": "claude", "codex-mcp-client": "codex", "gemini-cli-mcp-client": "gemini"}
"""What they call themselves when they connect to a server; others are called as they say."""

_SHARED = frozenset({"codex"})
"""Clients of which one process has several conversations."""


def client_of(variables: Mapping[str, str], ancestors: Ancestors = tuple) -> str | None:
    """The short name of the agent's client that set these variables; None for a person.

    A client may run in the shell of another one, whose variables it hands on: the inner one counts.
    """
    marked = [(mark, client) for mark, client in _MARKS.items() if variables.get(mark)]
    if len(marked) > 1:
        # The inner one is the first on the way up that was started without its own mark: it set it.
        for ancestor in ancestors():
            for mark, client in marked:
                if not ancestor.began_with.get(mark):
                    return client
    if marked:
        return marked[0][1]
    # AI_AGENT may carry a version: "name/1.2".
    return suggest_slug(variables.get("AI_AGENT", "").replace("@", "/").split("/")[0])


@lru_cache(maxsize=64)
def named_in_handshake(name: str) -> str | None:
    """The short name of a client that calls itself ``name`` when it connects to a server."""
    return _IN_HANDSHAKES.get(name) or suggest_slug(name)


def is_known_in_handshakes(name: str) -> bool:
    """Whether a client that calls itself so is one whose sessions are known."""
    return name in _IN_HANDSHAKES


def as_client_sees(variables: Mapping[str, str], client: str, session: str = "", thread: str = "") -> dict[str, str]:
    """``variables`` with those that the shell of ``client`` has in this session, for a process that is told otherwise.

    What another client set, in whose shell this one runs, is gone.
    """
    seen = {variable: value for variable, value in variables.items() if _MARKS.get(variable, client) == client}
    if client == "codex":
        # Its mark is an id, and there may be none.
        told = {"CODEX_SESSION_ID": session, "CODEX_THREAD_ID": thread or session} if session else {"AI_AGENT": client}
    else:
        told = {mark: "1" for mark, name in _MARKS.items() if name == client} or {"AI_AGENT": client}
        told |= {variable: session for variable, name in _IDS.items() if name == client and session}
    return {**seen, **told}


def is_subagent(variables: Mapping[str, str], client: str | None) -> bool:
    """Whether these are a subagent's: its conversation is another one than its session's. Codex alone tells it."""
    thread = variables.get("CODEX_THREAD_ID")
    return client == "codex" and thread != variables.get("CODEX_SESSION_ID", thread)


def session_of(variables: Mapping[str, str], client: str | None, ancestors: Ancestors = tuple) -> Session:
    """What these variables, and the processes above, tell of the session that they are of.

    ``GITCHAT_SESSION`` sets a client's own right, and is then all that counts.
    """
    if ours := variables.get("GITCHAT_SESSION"):
        return Session(id=_short(ours))
    if client is None:
        return Session()
    told = [
        (variable, variables[variable]) for variable, name in _IDS.items() if name == client and variable in variables
    ]
    marks = [(mark, variables[mark]) for mark, name in _MARKS.items() if name == client and mark in variables]
    if client in _SHARED:
        process = next((one for one in ancestors() if client in one.words), None)
    else:
        process = _process_of(client, [*told, *marks][:1], ancestors())
    if process is not None and variables.get("CLAUDE_PID", str(process.pid)) != str(process.pid) and client == "claude":
        process = None  # seen from another pid namespace, where the numbers are others
    return Session(
        process=key_of_process(process.pid, process.started) if process else None,
        shares_process=client in _SHARED,
        socket=_short(variables.get("CLAUDE_CODE_MESSAGING_SOCKET")) if client == "claude" else None,
        id=next((short for _, value in told if (short := _short(value))), None),
    )


def _process_of(client: str, told: Iterable[tuple[str, str]], ancestors: Iterable[Ancestor]) -> Ancestor | None:
    """The client's process: the nearest above that was started without what the client tells, if it is called so.

    Not just the nearest of its name, because a client can run in another's shell. Whoever only says that it is an
    agent's command has another kind of process there, and so has what runs in another pid namespace.
    """
    for variable, value in told:
        for ancestor in ancestors:
            if ancestor.began_with.get(variable) != value:
                return ancestor if client in ancestor.words else None
    return None


def _short(value: str | None) -> str | None:
    """A key that is one short line; None for what is none."""
    return value if value and value.isprintable() and len(value) <= MAX_ID_CHARS else None
