"""What live files told, for as long as each is the same file: who looks at all names opens those that changed.

A server looks at each name of a room for each that joins, and an opening costs ten times a look at the file. What is
remembered holds while the file's stamp is the same: whoever changes a file, in whatever process, gives it another one.
Whether a name lives is no part of its file. But who takes a name writes the second in which it did so; so a file that
has stood still for longer than that tells that nobody took it since it was seen with nobody living. (A network's file
system may show a look that is some seconds old: then another machine's change is noticed as much later.)

For any thread: each memory is replaced as a whole.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from gitchat.model.names import Name
from gitchat.model.participant import Presence

SETTLED_SECONDS = 2.0
"""How long a file has to stand still before it is believed that nobody took its name. Who takes it again within the
second in which it was taken may write the same bytes, and dates of files are as coarse as a tick of the kernel."""

MOST = 20_000
"""Names that are remembered; beyond these it is begun anew."""

Stamp = tuple[int, int, int, int]


class _Memory(NamedTuple):
    """What a file told when it had this stamp."""

    stamp: Stamp
    since: float
    """When it was first seen so, on the monotonic clock."""
    presence: Presence
    is_settled: bool
    """Whether it stood still for long enough when it was last opened."""


_memories: dict[tuple[Path, Name], _Memory] = {}


def stamp_of(found: os.stat_result) -> Stamp:
    """What is another one after every change of a file."""
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def keep(directory: Path, presence: Presence, stamp: Stamp) -> None:
    """The file of a name below ``directory`` tells this, and had this stamp before it was read, or after it was
    written in the writer's turn.
    """
    now, before = time.monotonic(), _memories.get((directory, presence.name))
    since = before.since if before is not None and before.stamp == stamp else now
    if len(_memories) >= MOST:
        _memories.clear()
    _memories[directory, presence.name] = _Memory(stamp, since, presence, now - since >= SETTLED_SECONDS)


def recall(directory: Path, name: Name, *, is_held_here: bool) -> Presence | None:
    """What the file of ``name`` tells, and whether somebody lives under it; None where it has to be opened.

    ``is_held_here``: this process holds the name, so that it lives.
    """
    memory = _memories.get((directory, name))
    if memory is None:
        return None
    with suppress(OSError):
        if stamp_of(os.lstat(f"{directory}/live/{name}")) != memory.stamp:
            return None
        if is_held_here:
            return memory.presence if memory.presence.is_living else replace(memory.presence, is_living=True)
        if memory.is_settled and not memory.presence.is_living:
            return memory.presence
    return None
