"""The doors at which clients can be rung: Claude Code's inbox socket, and ``codex queue``.

Neither answers, so that it was rung says nothing of whether anybody heard. Each door is the session's own: what a
client gave to the server that it started, and a thread that called it. Source: docs/format.md section 14.
"""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from gitchat.staying.bell import DoorShut
from gitchat.storage import git
from gitchat.workspace.ancestry import Ancestor
from gitchat.workspace.environment import Environment

OLDEST_CLAUDE = (2, 1, 224)
OLDEST_CODEX = (0, 149, 0)

SOCKET_SECONDS = 2.0
"""How long a client may take to take two lines."""

QUEUE_SECONDS = 20.0
"""How long ``codex queue`` may take."""

THREAD_SECONDS = 12 * 3600.0
"""A thread that showed no life for longer is not rung: its terminal may be closed, and its turn seen by nobody."""


@dataclass(frozen=True)
class ClaudeDoor:
    """The inbox of a session of Claude Code: a Unix socket that takes lines of JSON, and its token.

    The first line is documented; the second is what version 2.1.332 takes (tests/clients). What is said comes in the
    client's own frame for text that the user did not type. What says the same as the line before is dropped.
    """

    path: str
    token: str = field(repr=False)
    tells_names: bool = True
    drops_repeats: bool = True
    lives_seconds: float = inf

    def ring(self, text: str) -> None:
        """Write the lines, and hang up. Raises DoorShut."""
        said = {"type": "user", "message": {"role": "user", "content": text}}
        data = b"".join(json.dumps(line).encode() + b"\n" for line in ({"type": "auth", "token": self.token}, said))
        try:
            there = os.lstat(self.path)
            if not stat.S_ISSOCK(there.st_mode) or there.st_uid != os.geteuid():
                raise DoorShut("what stands in the place of its socket is not its own")  # and gets no token
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
                door.settimeout(SOCKET_SECONDS)
                door.connect(self.path)
                door.sendall(data)
        except (OSError, ValueError) as error:
            raise DoorShut(f"its socket does not take it: {getattr(error, 'strerror', None) or error}") from error


@dataclass(frozen=True)
class CodexDoor:
    """A thread of Codex: its own program queues a message for it, in its user's voice, so that it names nobody.

    ``program`` is that of the process that started us, because another version has another queue; ``variables``
    are that process's, as far as they tell where its sessions are.
    """

    program: str
    thread: str
    cwd: str
    variables: Mapping[str, str] = field(repr=False)
    tells_names: bool = False
    drops_repeats: bool = False
    lives_seconds: float = THREAD_SECONDS

    def ring(self, text: str) -> None:
        """Queue it. Raises DoorShut."""
        command = [self.program, "queue", "--thread", self.thread, "--message", text]
        try:
            git.run_program(command, cwd=self.cwd, variables=self.variables, timeout_seconds=QUEUE_SECONDS)
        except git.GitFailed as failed:
            last = failed.stderr.splitlines()[-1:] or [""]
            raise DoorShut(f"codex queue ended with status {failed.status}: {last[0]}") from failed
        except (OSError, TimeoutError) as error:
            raise DoorShut(f"codex queue cannot be run: {error}") from error


def codex_door(thread: str, environment: Environment, process: Ancestor | None) -> CodexDoor:
    """The door of ``thread`` of the Codex that is ``process``, for the session that acts in ``environment``.

    Where the kernel does not tell of that process, the program that ``PATH`` has, with our own variables: another
    Codex, or another home of it, does not know the thread and says so.
    """
    program = process.program if process is not None else ""
    home = process.began_with.get("CODEX_HOME") if process is not None else None
    variables = {**environment.variables, **({"CODEX_HOME": home} if home else {})}
    return CodexDoor(program or "codex", thread, environment.cwd, variables)


def is_new_enough(version: str, oldest: tuple[int, ...]) -> bool:
    """Whether a client of ``version``, as it says it in the handshake, has the door; not where it says none."""
    parts = version.split("-")[0].split(".")
    return all(part.isdigit() for part in parts) and tuple(map(int, parts)) >= oldest
