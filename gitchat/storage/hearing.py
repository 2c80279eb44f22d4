"""Listening to a process as long as it gives signs of life.

How long something may take over a slow line nobody knows: 30 MB of history at 16 kB/s are half
an hour. What does tell a transfer from one that hangs is that something moves now and then: a line
of progress, or where git shows none (it unpacks up to 100 objects in silence when nobody watches at
a terminal, and an attachment is one) the bytes that the kernel has counted. What a push has to say
the kernel takes at once, a megabyte of it and more; how that dwindles then is all that can be seen.

A pipe ends when the last process that has it open closes it, and that need not be the one that
was started: an ssh that serves the next call, too, stays behind and keeps it open. So it is the
process whose end counts; what its pipes hold by then is read, and no more is waited for.
"""

from __future__ import annotations

import math
import os
import selectors
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

LOOK_SECONDS = 0.1
"""How often to see whether the process has ended, while its pipes stay open."""

DRAIN_SECONDS = 0.2
"""How long to go on reading when it has ended and somebody else keeps a pipe open. What it wrote is there already."""

LOOKS_IN_SILENCE = 4
"""How often the kernel is asked within the time that may pass in silence, which is that much longer at the most."""

_PART_BYTES = 65536


class Silent(Exception):
    """A process that was listened to has given no sign of life for too long."""


def hear(
    stdout: int,
    stderr: int,
    *,
    has_ended: Callable[[], bool],
    pulse: Callable[[], Mapping[str, int]],
    silence_seconds: float,
    limit_seconds: float = math.inf,
    tell: Callable[[str], object] = lambda line: None,
) -> tuple[bytes, bytes]:
    """What a process writes to the pipes behind two descriptors, until they are closed or it has ended.

    ``tell`` gets each line of its standard error as it comes. That one of the counts of ``pulse`` has grown,
    or is new, is a sign of life, too; it is asked in silence only.

    Raises:
        Silent: there was no sign of life for ``silence_seconds``, or ``limit_seconds`` are over; the process runs on.
    """
    heard = {stdout: bytearray(), stderr: bytearray()}
    lines = _Lines(tell)
    between_looks = silence_seconds / LOOKS_IN_SILENCE
    heard_at, over_at = time.monotonic(), math.inf
    beat: Mapping[str, int] = {}
    ends_at = heard_at + limit_seconds
    looks_at = heard_at + between_looks
    with selectors.DefaultSelector() as pipes:
        for pipe in heard:
            pipes.register(pipe, selectors.EVENT_READ)
        while pipes.get_map():
            ready = [key.fd for key, _ in pipes.select(LOOK_SECONDS)]
            for pipe in ready:
                part = os.read(pipe, _PART_BYTES)
                heard[pipe] += part
                if not part:
                    pipes.unregister(pipe)
                elif pipe == stderr:
                    lines.add(part)
            now = time.monotonic()
            if has_ended():
                over_at = min(over_at, now + DRAIN_SECONDS)
                if now >= over_at:
                    break
            elif now >= ends_at:
                raise Silent
            elif ready:
                heard_at, looks_at = now, now + between_looks
            elif now >= looks_at:
                last, beat, looks_at = beat, pulse(), now + between_looks
                if any(count > last.get(what, -math.inf) for what, count in beat.items()):
                    heard_at = now
                elif now >= heard_at + silence_seconds:
                    raise Silent
    return bytes(heard[stdout]), bytes(heard[stderr])


class _Lines:
    """Tells line by line, where a carriage return ends a line, too."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._rest = b""

    def add(self, part: bytes) -> None:
        *whole, self._rest = (self._rest + part).replace(b"\r", b"\n").split(b"\n")
        for line in filter(None, whole):
            self._tell(line.decode("utf-8", "replace").strip())


def moved_bytes(session: int) -> dict[str, int]:
    """How much each git of a session has read and written so far, and how little waits to be taken by the network.

    Nothing where the kernel does not tell. Of gits alone: an ssh that keeps its connection alive says nothing of what
    stands behind it. But what it, or git itself, has given to the kernel and nobody has acknowledged dwindles while the
    line carries it, and on a dead one grows. Source: proc(5), Linux.
    """
    members = [process for process in Path("/proc").glob("[0-9]*") if _is_of(process, session)]
    moved = {process.name: _moved_bytes(process) for process in members if _name(process).startswith("git")}
    return moved | ({"waiting": -_waiting_bytes(members)} if members else {})


def _is_of(process: Path, session: int) -> bool:
    """Whether it is a git or an ssh of this session."""
    try:
        name, _, rest = (process / "stat").read_text("utf-8", "replace").rpartition(")")
        return int(rest.split()[3]) == session and name.partition("(")[2].startswith(("git", "ssh"))
    except (OSError, ValueError, IndexError):  # it has ended, or there is no /proc
        return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text("utf-8", "replace")
    except OSError:
        return ""


def _moved_bytes(process: Path) -> int:
    try:
        counts = (line.split() for line in (process / "io").read_text("ascii").splitlines())
        return sum(int(count) for what, count in counts if what in ("rchar:", "wchar:"))
    except (OSError, ValueError):  # it has ended, or is another's
        return 0


def _waiting_bytes(processes: Iterable[Path]) -> int:
    """What stands in the queues of their connections and was not acknowledged."""
    sockets: set[str] = set()
    queues: dict[str, int] = {}
    for process in processes:
        with suppress(OSError):
            links = [os.readlink(one) for one in (process / "fd").iterdir()]
            sockets.update(link[8:-1] for link in links if link.startswith("socket:["))
        for table in ("tcp", "tcp6"):
            with suppress(OSError, ValueError, IndexError):
                lines = (process / "net" / table).read_text("ascii").splitlines()[1:]
                queues |= {words[9]: int(words[4].partition(":")[0], 16) for words in map(str.split, lines)}
    return sum(queues.get(socket, 0) for socket in sockets)
