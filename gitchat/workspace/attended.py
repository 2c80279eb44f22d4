"""Whether somebody attends to a session of an agent's client, or a program waits for its end and its last words.

Who runs ``claude -p``, ``codex exec`` or ``gemini -p`` gets what the model said last: it must neither wait nor be held
up for a message. No client says it everywhere; what is read here is what real ones gave. Source: tests/clients/real.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gitchat.workspace import ancestry
from gitchat.workspace.client import Ancestors

IN_TERMINAL = "cli"
"""What ``CLAUDE_CODE_ENTRYPOINT`` is at a terminal; in what the vendor's kits start it begins with ``sdk``."""

_CODEX_EXEC = re.compile(rb'"source":\s*"exec"')
_HEAD_BYTES = 4096
"""In how much of its first line Codex's transcript of a session says what started it; behind it stands its prompt."""

_GEMINI_OPTIONS = ("-p", "--prompt")


def is_headless(
    client: str, variables: Mapping[str, str], transcript: str = "", ancestors: Ancestors = ancestry.ancestors
) -> bool:
    """Whether the session that a hook or a server of ``client`` is of runs without anybody who attends to it.

    ``transcript`` is the file that a hook is told of, or blank. False where nothing tells.
    """
    match client:
        case "claude":
            begun_by = variables.get("CLAUDE_CODE_ENTRYPOINT", "")
            return begun_by.startswith("sdk") or variables.get("CLAUDE_CODE_SESSION_ATTENDED") == "0"
        case "codex":
            return _CODEX_EXEC.search(_head(transcript)) is not None
        case "gemini":
            program = next((one for one in ancestors() if client in one.words), None)
            return program is not None and any(
                option in _GEMINI_OPTIONS or option.startswith("--prompt=") for option in program.arguments
            )
    return False


def _head(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_HEAD_BYTES)
    except (OSError, ValueError):
        return b""
