"""A program of ours that runs beside a test, and is waited for without guessing how long."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.names import Name
from tests.cli.conftest import Chatroom
from tests.world import Argument

DEADLINE_SECONDS = 60.0


class Program:
    """A running ``git-chat``; its output comes line by line."""

    def __init__(self, chatroom: Chatroom, *arguments: Argument, **variables: str) -> None:
        self.process = subprocess.Popen(
            ["git-chat", *map(str, arguments)],
            cwd=chatroom.path,
            env=chatroom.world.variables | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._read = b""

    def give(self, text: str) -> None:
        """Write ``text`` on its standard input, and close that."""
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        self.process.stdin.close()
        self.process.stdin = None

    def line(self) -> str:
        """Its next line of output. Fails when none comes."""
        assert self.process.stdout is not None
        end = time.monotonic() + DEADLINE_SECONDS
        while b"\n" not in self._read:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            assert ready, f"no line came; so far {self._read!r}"
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                _, errors = self.process.communicate()
                pytest.fail(f"the program ended with {self.process.returncode}, {errors!r}; so far {self._read!r}")
            self._read += part
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()

    def end(self) -> tuple[int, str, str]:
        """Wait for its end: exit status, the rest of its output, and what it said about errors."""
        stdout, stderr = self.process.communicate(timeout=DEADLINE_SECONDS)
        return self.process.returncode, (self._read + stdout).decode(), stderr.decode()

    def is_asleep(self) -> bool:
        """Whether it watches for changes: it then has open what only who waits has."""
        return is_asleep(self.process.pid)


def is_asleep(pid: int) -> bool:
    """Whether a process watches for changes: by inotify, or, as the quick wait does, by the directory itself."""
    try:
        found = [os.readlink(one) for one in Path(f"/proc/{pid}/fd").iterdir()]
        return any("inotify" in one or one.endswith("/.git/chatroom") for one in found)
    except OSError:
        return False


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it has not ended unnoticed."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


SCREEN_LINES = 24


class Person:
    """Somebody at a terminal in which ``git chat <arguments>`` runs."""

    def __init__(self, chatroom: Chatroom, *arguments: str, columns: int = 80, **variables: str) -> None:
        self._keyboard, self._screen = pty.openpty()
        termios.tcsetwinsize(self._screen, (SCREEN_LINES, columns))
        self.before = self.modes()
        self._shown = b""
        self.process = subprocess.Popen(
            ["git-chat", *arguments],
            cwd=chatroom.path,
            env=chatroom.world.variables | {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"} | variables,
            stdin=self._screen,
            stdout=self._screen,
            stderr=self._screen,
            start_new_session=True,
            preexec_fn=lambda: _take_terminal(0),
        )

    def modes(self) -> Any:
        """How the terminal is set."""
        return termios.tcgetattr(self._screen)

    def types(self, text: str) -> None:
        """Press keys."""
        os.write(self._keyboard, text.encode())

    def until_sees(self, wanted: str) -> str:
        """All that was printed since the last call, up to where ``wanted`` stands. Fails when it never comes."""
        end = time.monotonic() + DEADLINE_SECONDS
        while wanted.encode() not in self._shown:
            ready, _, _ = select.select([self._keyboard], [], [], max(0, end - time.monotonic()))
            assert ready, f"{wanted!r} never came; the screen got {self._shown[-2000:]!r}"
            self._shown += os.read(self._keyboard, 65536)
        shown, _, self._shown = self._shown.partition(wanted.encode())
        return (shown + wanted.encode()).decode("utf-8", "replace")

    def ends(self) -> int:
        """Wait for the end of the program: its exit status. What it still prints is read, so that it can."""
        end = time.monotonic() + DEADLINE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < end
            if select.select([self._keyboard], [], [], 0.02)[0]:
                self._shown += os.read(self._keyboard, 65536)
        return self.process.returncode

    def close(self) -> None:
        """Kill it if it still runs."""
        self.process.kill()
        self.process.wait()
        os.close(self._keyboard)
        os.close(self._screen)


def _take_terminal(descriptor: int) -> None:
    import fcntl

    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


@contextmanager
def running(chatroom: Chatroom, *arguments: Argument, **variables: str) -> Iterator[Program]:
    """``git chat <arguments>``, killed at the end if it still runs."""
    program = Program(chatroom, *arguments, **variables)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.process.send_signal(signal.SIGKILL)
        program.process.communicate()


def until(is_so: Callable[[], bool]) -> None:
    """Return when ``is_so``. Fails when that does not happen."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not is_so():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def is_living(chatroom: Chatroom, name: str) -> bool:
    """Whether a process holds ``name``."""
    known = chatroom.world.environment(chatroom.path).roll.find(Name(name))
    return known is not None and known.is_living
