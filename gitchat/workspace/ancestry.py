"""Processes, as the kernel tells of them: those that this one descends from, and those that run beside it.

The last resort for finding a client, where it says nothing that stays (session.py). Linux's ``/proc`` alone tells;
elsewhere, and where it is hidden, nobody is found, and nothing fails. From another pid namespace, such as a sandbox's,
the client is not seen. Source: proc(5).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile

_MAX_DEPTH = 32
"""Nobody descends from so many; a snapshot of /proc that changes meanwhile could go round."""


_OURS = ("git-chat", "git-chat-hook")


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A process that we descend from."""

    pid: int
    started: int
    """When, in ticks since the machine started."""
    words: tuple[str, ...]
    """The first words of its command, without directories: what runs it, and what it is. Of a program of ours, which
    goes by a client's name as its argument, those before it."""
    began_with: Mapping[str, str]
    """The environment that it was started with."""
    program: str = ""
    """The file that it runs; blank where that is gone, or not told."""
    arguments: tuple[str, ...] = ()
    """All words of its command but the first."""


@dataclass(frozen=True, slots=True)
class Descent:
    """The program that this process works for, so that it does not outlive it."""

    program: Ancestor | None
    """None where the kernel does not tell."""
    parent: int | None
    """Who tells then, because who loses its parent is handed to another one; None where nobody does."""

    @classmethod
    def of(cls, program: str, *, counts_parent: bool) -> Descent:
        """From the nearest process above that is called ``program``; ``counts_parent`` for who never outlives that."""
        found = next((one for one in ancestors() if program in one.words), None)
        return cls(found, os.getppid() if counts_parent and found is None else None)

    def is_over(self) -> bool:
        """Whether that program is gone, as far as can be seen."""
        if self.program is not None:
            return not is_running(self.program.pid, self.program.started)
        return self.parent is not None and os.getppid() != self.parent


def ancestors() -> Iterator[Ancestor]:
    """From our parent upwards, as long as the kernel tells all of it."""
    pid = os.getppid()
    for _ in range(_MAX_DEPTH):
        if pid <= 0:
            return
        try:
            _, parent, started = _stat(pid)
            command = _read(pid, "cmdline").rstrip("\0").split("\0")
            pairs = _read(pid, "environ").split("\0")
        except (OSError, ValueError, IndexError):  # gone, somebody else's, or there is no such file system
            return
        began_with = {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
        names = [word.rsplit("/", 1)[-1] for word in command[:3]]
        words = tuple(takewhile(lambda name: name not in _OURS, names))
        yield Ancestor(pid, started, words, began_with, _program(pid), tuple(command[1:]))
        pid = parent


@dataclass(frozen=True, slots=True)
class Running:
    """A process that we may look into."""

    pid: int
    command: tuple[str, ...]
    """All words of it."""
    cwd: str
    """Where it works."""
    began_seconds: float
    """When it started, since 1970-01-01 00:00 UTC, give or take a second."""

    def files(self) -> Iterator[str]:
        """The files that it has open."""
        with suppress(OSError):
            for number in os.listdir(f"/proc/{self.pid}/fd"):
                with suppress(OSError):
                    yield os.readlink(f"/proc/{self.pid}/fd/{number}")


def running() -> Iterator[Running]:
    """The processes that run now and that we may look into, but for this one; none where the kernel tells of none."""
    try:
        (booted,) = [float(line.split()[1]) for line in _text("/proc/stat").splitlines() if line.startswith("btime ")]
        numbers = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except (OSError, ValueError, IndexError):
        return
    for pid in sorted(set(numbers) - {os.getpid()}):
        try:
            _, _, started = _stat(pid)
            command = tuple(_read(pid, "cmdline").rstrip("\0").split("\0"))
            cwd = os.readlink(f"/proc/{pid}/cwd")
        except (OSError, ValueError, IndexError):  # gone, or somebody else's
            continue
        yield Running(pid, command, cwd, booted + started / os.sysconf("SC_CLK_TCK"))


def _program(pid: int) -> str:
    """The file that a process runs; blank where it is gone, or not told."""
    try:
        path = os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""
    return path if os.access(path, os.X_OK) else ""


def is_running(pid: int, started: int) -> bool:
    """Whether this very process runs, as far as can be seen from here."""
    try:
        state, _, began = _stat(pid)
        return began == started and state != "Z"
    except (OSError, ValueError, IndexError):
        return False


def _stat(pid: int) -> tuple[str, int, int]:
    """A process's state, its parent, and when it started."""
    # The name of the program stands in parentheses, and may hold anything.
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return fields[0], int(fields[1]), int(fields[19])


def _read(pid: int, file: str) -> str:
    return _text(f"/proc/{pid}/{file}")


def _text(path: str) -> str:
    with open(path, "rb") as stream:
        return stream.read().decode(errors="replace")
