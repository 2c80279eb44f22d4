"""What a call of a tool asks of the system, in a server that has answered before: so that it cannot grow unnoticed."""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitchat.storage.packing import loose_path
from tests.cli.conftest import Chatroom
from tests.crash.writers import records, say
from tests.needed import need
from tests.server.conftest import SERVERS
from tests.server.wire import DEADLINE_SECONDS, Wire
from tests.world import open_store

MOST_OF_A_SEND = 88
MOST_OF_A_READING = 260
"""Of ten records that others wrote, each of which is read; a seat and a cursor move."""

_MEMORY = ("brk", "futex", "getrandom", "madvise", "mmap", "mkdir", "mprotect", "munmap")
"""What a call may need or not."""


class Traced:
    """A server whose calls of the system are written down."""

    def __init__(self, chatroom: Chatroom, trace: Path) -> None:
        command = ("strace", "-f", "-s", "4000", "-o", str(trace), *SERVERS["front"])
        self.wire = Wire(command, chatroom.path, chatroom.world.variables)
        self.wire.shake_hands()
        self._trace = trace

    def calls(self, tool: str, **arguments: object) -> list[str]:
        """The lines of the thread that answers, from the request to the answer."""
        asked = self.wire.begin_call(tool, **arguments)
        answer = self.wire.answer(asked)
        assert not answer["result"]["isError"], answer
        begin, end = rf'(\d+) +read\(.*\\"id\\": {asked},', rf'(\d+) +write\(.*\\"id\\":{asked},'
        lines = self._lines(end)
        (first,) = (number for number, line in enumerate(lines) if re.match(begin, line))
        (last,) = (number for number, line in enumerate(lines) if re.match(end, line))
        own = lines[last].split(" ", 1)[0]
        return [line.split(" ", 1)[1].lstrip() for line in lines[first + 1 : last] if line.split(" ", 1)[0] == own]

    def _lines(self, wanted: str) -> list[str]:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            lines = self._trace.read_text(encoding="utf-8", errors="replace").splitlines()
            if any(re.match(wanted, line) for line in lines):
                return lines
            assert time.monotonic() < deadline, "strace wrote nothing of it"
            select.select([], [], [], 0.02)


@pytest.fixture
def traced(chatroom: Chatroom) -> Iterator[Traced]:
    """A server that has the room open."""
    need("strace")
    chatroom.world.git("config", "--global", "chat.fsync", "false")
    say(open_store(chatroom.path / ".git", fsync=False), "hello")
    server = Traced(chatroom, chatroom.world.root / "trace")
    yield server
    server.wire.kill()


def names_of(lines: list[str]) -> list[str]:
    """The calls that are counted."""
    found = [match[1] for line in lines if (match := re.match(r"(\w+)\(", line))]
    return [name for name in found if name not in _MEMORY]


def test_a_send_and_a_reading_take_few_calls_of_the_system(traced: Traced, chatroom: Chatroom) -> None:
    """Nothing of the environment is asked twice but what can change; no index, and no look at what was written before.

    What git lost is made again all the same: behind the answer.
    """
    store = open_store(chatroom.path / ".git", fsync=False)
    for number in range(4):
        traced.calls("send_message", content=f"{number}")
    (file,) = (store.directory / "live").iterdir()
    os.utime(file, (1_700_000_000, 1_700_000_000))  # the name was taken a while ago
    lost = records(store.common_dir)[0].oid
    loose_path(store.common_dir, lost).unlink()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not loose_path(store.common_dir, lost).exists():  # at most five times a second it is looked for
        sent = traced.calls("send_message", content="again")
        assert not [line for line in sent if "/objects/" in line and "stat" in line], sent
        assert time.monotonic() < deadline, "nothing was made again"
    assert not [line for line in sent if "index." in line or "execve" in line or '"clone", O' in line], sent
    least = min((traced.calls("send_message", content="last") for _ in range(5)), key=len)  # one a second asks more
    assert 40 < len(names_of(least)) <= MOST_OF_A_SEND, least

    readings = []
    for number in range(3):
        for _ in range(10):
            say(store, f"{number}")
        readings.append(traced.calls("read_unread"))
    read = min(readings, key=len)
    opened = [line for line in read if re.search(r'openat\(AT_FDCWD, "[^"]*/objects/../[0-9a-f]{38}"', line)]
    assert len(opened) == 10, opened
    assert not [line for line in read if "index." in line], "the index was asked"
    assert not [line for line in read if "execve" in line]
    assert 60 < len(names_of(read)) <= MOST_OF_A_READING, read
