"""The client's end of the connection: its lines come in, our messages go out."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gitchat.server.frames import KEPT_BYTES, Cut
from gitchat.server.protocol import Json

if TYPE_CHECKING:
    import asyncio  # with what may have to wait

MAX_LINE_BYTES = 32 * 1024 * 1024
"""The longest message that is taken; a content has at most 1 MiB."""


class Lines:
    """Two descriptors that are the client's alone: one to read what it says, one to write what it hears.

    A line may be read in one thread while another writes.
    """

    def __init__(self, source: int, output: int) -> None:
        self._source = source
        self._output = output
        self._whole: list[bytes | Cut] = []
        """Lines that were read with others, the next one last."""
        self._coming = _Coming()
        """The line that comes."""

    def received(self) -> Iterator[bytes | Cut]:
        """The client's lines until it hangs up, each as it comes. What no line end follows is none."""
        while self._whole or self._take():
            while self._whole:
                yield self._whole.pop()

    def _take(self) -> bool:
        """Read what comes next; False when the client has hung up. Each byte is copied as often in a long line as in a
        short one.
        """
        part = os.read(self._source, 1 << 16)
        *ends, rest = part.split(b"\n")
        for end in ends:
            self._coming.add(end)
            self._whole.insert(0, self._coming.whole())
            self._coming = _Coming()
        self._coming.add(rest)
        return bool(part)

    def watch(
        self, loop: asyncio.AbstractEventLoop, take: Callable[[bytes | Cut], object], over: Callable[[], object]
    ) -> bool:
        """Have the loop call ``take`` with each line as it comes, and ``over`` when the client hangs up.

        False where a loop cannot tell that something comes: of a file, for one.
        """

        def give() -> None:
            while self._whole:
                take(self._whole.pop())

        def look() -> None:
            try:
                is_there = self._take()
            except OSError:
                is_there = False
            give()
            if not is_there:
                loop.remove_reader(self._source)
                over()

        try:
            loop.add_reader(self._source, look)
        except (OSError, NotImplementedError):
            return False
        give()  # what was read with what was answered before there was a loop
        return True

    def comes_within(self, seconds: float | None) -> bool:
        """Whether there is more, or the client hangs up, before so many seconds are over; None waits for it."""
        return bool(self._whole or select.select([self._source], [], [], seconds)[0])

    def send(self, message: Json) -> None:
        """Tell the client ``message``, a line. Without a client there is nothing left to do: the process ends."""
        data = json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode("ascii") + b"\n"
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._output, left) :]
        except OSError:
            os._exit(0)  # the client is gone


class _Coming:
    """A line of which not all has come: its parts, or of one that is too long its two ends."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size_bytes = 0
        self._cut: tuple[bytes, bytes] | None = None

    def add(self, part: bytes) -> None:
        """Take in what came next."""
        self._size_bytes += len(part)
        if self._cut is None:
            self._parts.append(part)
            if self._size_bytes <= MAX_LINE_BYTES:
                return
            line = b"".join(self._parts)
            self._parts.clear()
            self._cut = (line[:KEPT_BYTES], line[-KEPT_BYTES:])
        else:
            head, tail = self._cut
            self._cut = (head, (tail + part)[-KEPT_BYTES:])

    def whole(self) -> bytes | Cut:
        """The line, now that its end has come."""
        return b"".join(self._parts) if self._cut is None else Cut(*self._cut, self._size_bytes)


def of_standard_streams() -> Lines:
    """Standard input and output, taken away from the rest of this process.

    Whatever prints, and every program that is started, must not get at the client's lines.
    """
    output = os.dup(1)
    source = os.dup(0)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return Lines(source, output)
