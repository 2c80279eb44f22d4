"""Processes of another version of gitchat that run in this clone, and what that means for it.

A server, a watcher or a hook that was started before an upgrade, or from another installation, goes on as it began.
Which one it is tell the program that it runs, the package that lies beside that, and whether it was put there since.
Where the kernel tells nothing of processes, none is found.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitchat import __version__
from gitchat.care.finding import Finding
from gitchat.model.names import RoomName
from gitchat.workspace.ancestry import Running, running
from gitchat.workspace.environment import Environment

_PROGRAM = "git-chat"
_PACKAGES = "lib/python3*/*-packages/git_chatroom-*.dist-info"
"""Where an installation says its version, from its prefix; Debian says ``dist-packages``."""

_BLUR_SECONDS = 2.0
"""When a process began is known to the second in which the machine started, and no better."""

_STAYING = ("mcp", "watch", "wait", "sync", "push", "pull", "hook", "join")
"""Commands that may stay; what else is met just ends."""


@dataclass(frozen=True, slots=True)
class _Other:
    """A process of another version."""

    process: Running
    words: str
    """What it was asked to do."""
    program: Path
    what: str
    """Which version it is, as far as it can be told."""


def examine(environment: Environment) -> Iterator[Finding]:
    """What runs here in another version, the command that ends it, and the setting that makes it harmless."""
    others = list(_others(environment))
    for other in others:
        yield Finding(
            "note",
            "versions",
            f"process {other.process.pid} ({other.words}) is {other.what}; this is {__version__}",
            f"end the session that it belongs to, or: kill {other.process.pid}; if it comes again upgrade "
            f"{shlex.quote(str(other.program))}",
        )
    for room in environment.authorities.all() if others else ():
        yield from unknown_authority(environment, room)


def unknown_authority(environment: Environment, room: RoomName) -> Iterator[Finding]:
    """That version 0.1.0 takes a room for one that nobody numbers, and the setting that it knows."""
    remote = environment.authorities.of(room)
    if remote is not None and not environment.authorities.is_set(room):
        yield Finding(
            "note",
            f"room {room}",
            f"gitchat 0.1.0 does not know that it follows '{remote}' here: what that writes in this clone has a "
            "number of its own until it is pushed",
            f"git config chatroom.{room}.remote {shlex.quote(remote)}",
        )


def _others(environment: Environment) -> Iterator[_Other]:
    common_dir = environment.repository.location.common_dir
    for process, program, words in _ours(common_dir):
        if what := _version(program, process):
            yield _Other(process, words, program, what)


def staying(environment: Environment) -> Iterator[tuple[Running, str]]:
    """The processes of gitchat, of whatever version, that may stay in this clone, with their first words."""
    for process, _, words in _ours(environment.repository.location.common_dir):
        yield process, words


def _ours(common_dir: Path) -> Iterator[tuple[Running, Path, str]]:
    tops = [common_dir.parent if common_dir.name == ".git" else common_dir, *_linked(common_dir)]
    for process in running():
        called = _called(process.command)
        if called is None or not called[1] or called[1][0] not in _STAYING:
            continue
        if _is_in(process, common_dir, tops):
            yield process, called[0], " ".join([_PROGRAM, *called[1][:3]])


def _called(command: Sequence[str]) -> tuple[Path, Sequence[str]] | None:
    """The program of ours that a process runs, and what it was asked; None for any other process."""
    for place, word in enumerate(command[:3]):
        if Path(word).name == _PROGRAM and Path(word).is_absolute():
            return Path(word), command[place + 1 :]
        if word == "gitchat" and place and command[place - 1] == "-m":
            return Path(command[0]), command[place + 1 :]
    return None


def _linked(common_dir: Path) -> Iterator[Path]:
    """The tops of the linked worktrees."""
    for pointer in common_dir.glob("worktrees/*/gitdir"):
        try:
            yield Path(pointer.read_text(encoding="utf-8", errors="surrogateescape").strip()).parent
        except OSError:
            continue


def _is_in(process: Running, common_dir: Path, tops: Sequence[Path]) -> bool:
    """Whether a process works in this clone: in one of its worktrees, or with one of its files open."""
    if any(Path(process.cwd).is_relative_to(top) for top in tops):
        return True
    return any(Path(file).is_relative_to(common_dir) for file in process.files())


def _version(program: Path, process: Running) -> str:
    """Which other version a process is of; blank where it is this one, or nothing tells."""
    for prefix in (program.parent.parent, program.resolve().parent.parent):
        for package in prefix.glob(_PACKAGES):
            match = re.fullmatch(r"git_chatroom-(.+)\.dist-info", package.name)
            if match is None:
                continue
            if match[1] != __version__:
                return f"of version {match[1]}, from {program}"
            if process.began_seconds + _BLUR_SECONDS < package.stat().st_mtime:
                return f"of what {program} was before it was installed anew"
            return ""
    return ""
