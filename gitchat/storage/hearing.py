"""Listening to a process as long as it gives signs of life.

How long something may take over a slow line nobody knows: 30 MB of history at 16 kB/s are half
an hour. What does tell a transfer from one that hangs is that something moves now and then: a line
of progress, or where git shows none (it unpacks up to 100 objects in silence when nobody watches at
a terminal, and an attachment is one) the bytes that the kernel has counted.

A pipe ends when the last process that has it open closes it, and that need not be the one that
was started: an ssh that serves the next call, too, stays behind and keeps it open. So it is the
process whose end counts; what its pipes hold by then is read, and no more is waited for.
"""

from __future__ import annotations

import math
import os
import selectors
import time
from collections.abc import Callable
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
    pulse: Callable[[], object],
    silence_seconds: float,
    limit_seconds: float = math.inf,
    tell: Callable[[str], object] = lambda line: None,
) -> tuple[bytes, bytes]:
    """What a process writes to the pipes behind two descriptors, until they are closed or it has ended.

    ``tell`` gets each line of its standard error as it comes. That ``pulse`` gives something else
    than the last time is a sign of life, too; it is asked in silence only.

    Raises:
        Silent: there was no sign of life for ``silence_seconds``, or ``limit_seconds`` are over; the process runs on.
    """
    heard = {stdout: bytearray(), stderr: bytearray()}
    lines = _Lines(tell)
    between_looks = silence_seconds / LOOKS_IN_SILENCE
    heard_at, over_at, beat = time.monotonic(), math.inf, None
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
                if beat != last:
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


def moved_bytes(session: int) -> int:
    """How much the gits of a session have read and written so far; 0 where the kernel does not tell.

    Of gits alone: an ssh that keeps its connection alive says nothing of what stands behind it.
    Source: proc(5), Linux.
    """
    return sum(_moved_bytes(process, session) for process in Path("/proc").glob("[0-9]*"))


def _moved_bytes(process: Path, session: int) -> int:
    try:
        name, _, rest = (process / "stat").read_text("utf-8", "replace").rpartition(")")
        if int(rest.split()[3]) != session or not name.partition("(")[2].startswith("git"):
            return 0
        counts = (line.split() for line in (process / "io").read_text("ascii").splitlines())
        return sum(int(count) for what, count in counts if what in ("rchar:", "wchar:"))
    except (OSError, ValueError, IndexError):  # it has ended, is another's, or there is no /proc
        return 0
