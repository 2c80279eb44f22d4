"""A command on our own streams, of whose output the end is kept.

Where our output is a terminal, the command has one, too, of the same size, so that it prints as it would without us;
what it writes passes unchanged. Its input is ours, and so is the terminal that sends it Ctrl-C.
"""

from __future__ import annotations

import errno
import fcntl
import os
import selectors
import signal
import subprocess
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress

from gitchat.storage.variables import without_secrets

KEPT_BYTES = 64 * 1024
"""How much of the end of its output is kept."""

_CHUNK_BYTES = 64 * 1024
_LOOK_SECONDS = 0.2
"""How often to see whether it has ended while somebody else holds its output open, such as a server it started."""


class Relay:
    """A command that runs; :attr:`kept` is the end of its output and errors, in the order in which they came."""

    def __init__(self, command: Sequence[str], *, cwd: str | None, variables: Mapping[str, str]) -> None:
        """Start it. Raises OSError: it cannot be started."""
        self.kept = b""
        self.status = 0
        """What :meth:`wait` returned."""
        self._sources: dict[int, int] = {}
        """What we read from, and where that goes."""
        self._terminals: list[tuple[int, int]] = []
        given: dict[int, int] = {}
        try:
            for ours in (1, 2):
                twin = 1 if ours == 2 and _is_same(1, 2) else None
                given[ours] = given[twin] if twin is not None else self._channel(ours)
            self._process = subprocess.Popen(
                command, cwd=cwd, env=without_secrets(variables), stdout=given[1], stderr=given[2]
            )
        except BaseException:
            for source in self._sources:
                os.close(source)
            raise
        finally:
            for descriptor in set(given.values()):
                os.close(descriptor)

    def send_signal(self, sig: int) -> None:
        """Hand on a signal."""
        self._process.send_signal(sig)

    def wait(self) -> int:
        """Pass its output on until it ends: its exit status, or a signal's number below 0."""
        if self._terminals:
            signal.signal(signal.SIGWINCH, lambda number, frame: self._resize())
        with selectors.DefaultSelector() as selector:
            for source in self._sources:
                selector.register(source, selectors.EVENT_READ)
            has_ended = False
            while selector.get_map():
                ready = selector.select(0 if has_ended else _LOOK_SECONDS)
                for key, _ in ready:
                    if not self._pass_on(key.fd):
                        selector.unregister(key.fd)
                        os.close(key.fd)
                if has_ended and not ready:
                    break  # what is still open is held by who goes on without it
                has_ended = self._process.poll() is not None
            for key in list(selector.get_map().values()):
                os.close(key.fd)
        self.status = self._process.wait()
        return self.status

    def _channel(self, ours: int) -> int:
        """What the command gets in the place of our descriptor."""
        if not os.isatty(ours):
            source, theirs = os.pipe()
        else:
            source, theirs = os.openpty()
            self._terminals.append((ours, source))
            modes = termios.tcgetattr(theirs)
            modes[1] &= ~termios.OPOST  # ours makes the ends of lines
            termios.tcsetattr(theirs, termios.TCSANOW, modes)
            self._resize()
        self._sources[source] = ours
        return theirs

    def _resize(self) -> None:
        """Give the command's terminals the size of ours."""
        for ours, source in self._terminals:
            with suppress(OSError):
                fcntl.ioctl(source, termios.TIOCSWINSZ, fcntl.ioctl(ours, termios.TIOCGWINSZ, bytes(8)))

    def _pass_on(self, source: int) -> bool:
        """Pass on what is there; False at its end, and where nobody reads ours: the command learns that by a signal."""
        try:
            data = os.read(source, _CHUNK_BYTES)
        except OSError as error:
            if error.errno != errno.EIO:  # how a terminal tells its end
                raise
            data = b""
        self.kept = (self.kept + data)[-KEPT_BYTES:]
        return bool(data) and _write(self._sources[source], data)


def _is_same(one: int, other: int) -> bool:
    """Whether two descriptors are one file, so that the order of what is written to both counts."""
    try:
        return os.path.sameopenfile(one, other)
    except OSError:
        return False


def _write(descriptor: int, data: bytes) -> bool:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            with selectors.DefaultSelector() as selector:
                selector.register(descriptor, selectors.EVENT_WRITE)
                selector.select()
        except OSError:  # nobody reads it, or the disk is full
            return False
    return True
