"""A chatroom to run the program in, and a terminal to run it on."""

from __future__ import annotations

import errno
import os
import pty
import select
import shutil
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pytest

from gitchat.model.names import Name, RefName, RoomName
from gitchat.model.query import Query
from gitchat.model.record import Draft, Entry, Identity, Moment, Record
from gitchat.model.refs import log_ref
from gitchat.rooms.log import Log
from gitchat.workspace.environment import Environment
from gitchat.workspace.process import read_clock
from tests.world import Argument, Done, World

LOG = log_ref(RoomName("lobby"))


class Chatroom:
    """A repository with a room: the program runs in it, and this process fills and reads it quickly."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.path = world.repository()
        self._moment = read_clock()

    # --- what a person does here -----------------------------------------------

    def git(self, *arguments: Argument, **options: Any) -> Done:
        """``git <arguments>`` in the repository."""
        return self.world.git(*arguments, cwd=self.path, **options)

    def chat(self, *arguments: Argument, **options: Any) -> Done:
        """``git chat <arguments>`` in the repository."""
        return self.world.chat(*arguments, cwd=self.path, **options)

    # --- filling ---------------------------------------------------------------

    def say(
        self,
        body: str = "hello",
        *,
        author: str = "alice",
        room: str = "lobby",
        at: Moment | None = None,
        key: str | None = None,
        **draft: Any,
    ) -> Entry:
        """A record that this process adds, written ``at`` a moment; ``draft`` is what else it says."""
        self._moment = at or read_clock()
        sender = Identity(Name(author), f"{author}@example.com", "Alice", "alice@example.com", "agent")
        return self._environment.writer(RoomName(room)).send(Draft(body=body, **draft), sender, key=key).entry

    def foreign(self, message: bytes, author: bytes = b"mallory <mallory@example.com>") -> str:
        """A commit of somebody else's software at the end of the lobby: any bytes as message and author."""
        tree = self.git("hash-object", "-t", "tree", "-w", "--stdin").stdout.strip()
        who = author + b" 1790000000 +0000"
        head = f"tree {tree}\nparent {self.tip}\n".encode()
        raw = head + b"author " + who + b"\ncommitter " + who + b"\n\n" + message
        oid = self.git("hash-object", "--literally", "-t", "commit", "-w", "--stdin", stdin=raw).stdout.strip()
        self.git("update-ref", LOG, oid)
        return oid

    # --- reading ---------------------------------------------------------------

    def room(self, name: str = "lobby") -> Log:
        """A room as the core gives it."""
        return self._environment.log(RoomName(name))

    def entries(self, room: str = "lobby") -> list[Entry]:
        """Every record of the room, oldest first."""
        return self.room(room).listing(Query()).entries

    def newest(self, room: str = "lobby") -> Record:
        """The newest record of the room."""
        return self.entries(room)[-1].record

    @property
    def tip(self) -> str:
        """The newest commit of the lobby, as git tells it."""
        return self.git("rev-parse", LOG).stdout.strip()

    def file_of(self, ref: RefName = LOG) -> Path:
        """The file of a loose ref."""
        return self.path / ".git" / ref

    def file_of_object(self, oid: str) -> Path:
        """The file of a loose object."""
        return self.path / ".git" / "objects" / oid[:2] / oid[2:]

    def lose(self, oid: str) -> None:
        """Take an object away for good: from git, and from the journal that would bring it back."""
        self.file_of_object(oid).unlink()
        (self.path / ".git" / "chatroom" / "journal").unlink(missing_ok=True)

    @cached_property
    def _environment(self) -> Environment:
        return self.world.environment(self.path, now=lambda: self._moment)


def as_ordinary_user() -> list[str]:
    """What to put before a command so that permission bits hold for it, also when the tests run as root."""
    if os.geteuid() != 0:
        return []
    command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all"]
    if shutil.which("setpriv") is None or subprocess.run([*command, "true"], check=False).returncode != 0:
        pytest.skip("root writes everywhere, and there is no setpriv that could stop it")
    return command


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Everything below ``path`` without its write permissions."""
    modes = {entry: entry.lstat().st_mode for entry in [path, *path.rglob("*")] if not entry.is_symlink()}
    for entry, mode in modes.items():
        entry.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for entry, mode in modes.items():
            entry.chmod(mode)


def refused(done: Done, error: str, hint: str, status: int = 1) -> None:
    """Assert that the program refused with these words in its two lines, and printed nothing else."""
    lines = done.stderr.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["error:", "hint:"], done.stderr
    assert error in lines[0]
    assert hint in lines[1]
    assert (done.returncode, done.stdout) == (status, "")


@pytest.fixture
def chatroom(world: World) -> Chatroom:
    """A repository without a message yet, in a world of its own."""
    return Chatroom(world)


class Terminal(Protocol):
    """What the ``terminal`` fixture gives."""

    def __call__(self, *command: Argument, columns: int = 60, typed: str = "", **variables: str) -> Done:
        """Run ``command`` in the chatroom with a terminal as its input, output and errors, all in ``stdout``.

        What was ``typed`` waits there to be read, as if somebody were ahead of the program.
        """


@pytest.fixture
def terminal(chatroom: Chatroom) -> Terminal:
    """A terminal in the chatroom's repository."""

    def run(*command: Argument, columns: int = 60, typed: str = "", **variables: str) -> Done:
        keyboard, screen = pty.openpty()
        termios.tcsetwinsize(screen, (24, columns))
        attributes = termios.tcgetattr(screen)
        attributes[1] &= ~termios.OPOST  # no carriage return before a line feed: the output as it was written
        termios.tcsetattr(screen, termios.TCSANOW, attributes)
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=chatroom.path,
            env=chatroom.world.variables | variables,
            stdin=screen,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
        )
        os.close(screen)
        os.write(keyboard, typed.encode())
        try:
            output = _read_all(keyboard)
            status = process.wait(30)
        finally:
            process.kill()
            process.wait()
            os.close(keyboard)
        return Done(process.args, status, output.decode("utf-8", "surrogateescape"), "")

    return run


def _read_all(keyboard: int) -> bytes:
    """What appears on the screen until the last program leaves the terminal."""
    output = b""
    while True:
        ready, _, _ = select.select([keyboard], [], [], 30)
        assert ready, f"the program waits for somebody to type; so far it printed {output!r}"
        try:
            part = os.read(keyboard, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # Linux: nobody has the terminal open any more
                raise
            return output
        if not part:
            return output
        output += part
