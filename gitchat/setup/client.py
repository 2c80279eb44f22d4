"""What a client is, and what those of one kind share: a program that agents run in."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitchat.setup.hooks import GUARDS, Hook
from gitchat.setup.launch import GUARD, Launch
from gitchat.setup.place import Place
from gitchat.setup.plan import Target

CALL_SECONDS = 1800
"""How long a client may wait for one answer of ours: an agent that waits for a message waits long."""

SHORT_CALL_SECONDS = 600
"""The same of those that were not seen to wait longer."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program that agents run in. ``name`` is what it is called here."""

    name: str
    title: str
    program: str
    traces: tuple[str, ...]
    """Directories that show that somebody uses it, in a work tree or a home."""
    targets: Callable[[Place], list[Target]]
    """What is ours in its files; the first of them has the server."""
    approvals: Callable[[Place], list[str]]
    """What only its user can do, a sentence each."""
    is_written: bool = False
    """Whether we change its files. Of the others only the snippet is known."""
    is_run: bool = False
    """Whether somebody ran it with what is written."""
    permission: str = ""
    """What of it lets agents call our tools without being asked each time; blank where nothing is known, or needed."""
    has_local: bool = False
    """Whether it reads something in a work tree that is its user's alone, and is not committed."""

    def where_found(self, home: Path | None, top: Path | None, search_path: str | None) -> list[str]:
        """What tells that it is used here; nothing when nothing does."""
        found = [f"{self.program} in PATH"] if shutil.which(self.program, path=search_path) else []
        for base, shown in ((home, "~/"), (top, "")):
            found += [f"{shown}{trace}" for trace in self.traces if base is not None and (base / trace).exists()]
        return found


def shell_hooks(
    launch: Launch, client: str, events: Mapping[str, tuple[str, int]], units_per_second: int
) -> tuple[Hook, ...]:
    """Hooks of a client that gives a line to a shell, and counts its limit in its own unit."""
    return tuple(
        Hook(event, action, shell_hook(launch, client, action, seconds * units_per_second))
        for event, (action, seconds) in events.items()
    )


def guard_hook(event: str, tools: str, limit: int) -> Hook:
    """What runs before ``tools`` change a file: who has claimed it is told."""
    return Hook(event, GUARDS, {"type": "command", "command": GUARD, "timeout": limit}, matcher=tools)


def shell_hook(launch: Launch, client: str, action: str, limit: int, **more: Any) -> dict[str, Any]:
    """The entry of a hook that passes the gate."""
    return {"type": "command", "command": launch.line(client, action), **more, "timeout": limit}
