"""Every face of the program over hostile rooms, in one process: ``python -m tests.property.faces SEED ROOMS``.

Prints what a face did that it must not: an exit status above 5, an exception, a character that
moves a cursor or hides text, and an honest room that does not go on beside the others. Each
line begins with the seed that shows it again.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from gitchat import cli
from gitchat.model.errors import ChatError
from gitchat.server.service import Service
from tests.property.hostile import HONEST, HostileRooms
from tests.world import World

ROOMS_AT_ONCE = 10
"""How many hostile rooms stand beside the honest one; each must leave the others alone."""

VERBS_A_ROOM = 4
"""How many of the verbs are tried with each hostile room: others with the next seed."""

WORDS = "honest words"

UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""What no face may print, whoever wrote it. Source: gitchat.model.escape."""

OVER_ALL = [
    ["rooms"], ["rooms", "--json"], ["status"], ["doctor"], ["verify"], ["search", "hello"], ["who"],
    ["doctor", "--fix"],
]  # fmt: skip

OVER_ONE = [
    ["send", "hi", "--as", "tess"], ["log"], ["log", "--json"], ["log", "--since", "2020-01-01"],
    ["inbox", "--as", "alice"], ["handoff", "--as", "bob"], ["summary", "log"], ["summary", "show"],
    ["show", "#1"], ["read", "--as", "alice"], ["cursor", "show", "--as", "bob"], ["who"], ["status"],
]  # fmt: skip

TOOLS: list[tuple[str, dict[str, Any]]] = [
    ("list_rooms", {}), ("get_status", {}), ("list_participants", {}), ("get_cursor", {"name": "alice"}),
    ("read_messages", {"limit": 50}), ("read_unread", {"name": "alice", "mark_read": False}),
    ("get_handoff", {"name": "bob"}), ("read_messages", {"query": "hello"}),
    ("read_latest_summary", {}), ("send_message", {"name": "tess", "content": "hi"}),
]  # fmt: skip
"""The tools of the server, and what they are given beside the room."""


def typed(*words: str) -> tuple[int, str]:
    """``git chat <words>`` in this process: its exit status, and all that it printed."""
    with tempfile.TemporaryFile("w+b") as file:
        with (
            io.TextIOWrapper(os.fdopen(os.dup(file.fileno()), "wb"), encoding="utf-8") as stream,
            redirect_stdout(stream),
            redirect_stderr(stream),
        ):
            status = cli.run(words)
        file.seek(0)
        return status, file.read().decode("utf-8", "surrogateescape")


def _faults(words: list[str], status: int, text: str) -> Iterator[str]:
    if status > 5:
        log = re.search(r"contents of (\S+)", text)
        yield f"exit {status}: {text.splitlines()[0][:200]}" + (f"\n{Path(log[1]).read_text()}" if log else "")
    if (found := UNSAFE.search(text)) is not None:
        yield f"{found[0]!r} is printed: {text[max(0, found.start() - 60) : found.end() + 20]!r}"
    if HONEST in words and status != 0 and words[0] not in ("summary", "cursor"):
        yield f"the honest room has exit {status}: {text[:200]}"
    if HONEST in words and words[0] == "log" and WORDS not in text:
        yield f"the honest room does not say what it should: {text[:200]}"


async def _no_progress(done: float, total: float, message: str) -> None:
    pass


def _called(room: str) -> Iterator[str]:
    """What is wrong with the answers of the server's tools, and of its resources."""
    service = Service()
    caller = service.caller("fuzz", None)
    known = {tool["name"]: tool["inputSchema"].get("properties", {}) for tool in service.tools}
    for name, arguments in TOOLS:
        given = arguments | ({"room": room} if "room" in known[name] else {})
        answer = asyncio.run(service.call(name, given, _no_progress, caller))
        if (found := UNSAFE.search(answer.text)) is not None:
            yield f"{name}: {found[0]!r} is answered: {answer.text[max(0, found.start() - 60) : found.end() + 20]!r}"
        if room == HONEST and answer.is_error:
            yield f"{name}: the honest room has an error: {answer.text[:200]}"
    for resource in ("chat://rooms", f"chat://rooms/{room}", f"chat://rooms/{room}/messages/1", "chat://handoff/bob"):
        try:
            text = asyncio.run(service.read(resource))
        except ChatError as error:
            if room == HONEST:
                yield f"{resource}: the honest room has an error: {error}"
        else:
            json.loads(text)


def faults_of(seed: int, root: Path) -> Iterator[str]:
    """What is wrong with the faces over ROOMS_AT_ONCE rooms of ``seed``, beside an honest one."""
    world = World(root)
    os.environ.clear()
    os.environ.update(world.variables | {"GITCHAT_NAME": "tess"})
    path = world.repository()
    with chdir(path):
        typed("send", "--room", HONEST, "--as", "hal", WORDS)
        hostile = HostileRooms(path / ".git", seed)
        rooms = [f"r{number}" for number in range(ROOMS_AT_ONCE)]
        for room in rooms:
            hostile.make(room)
        every = OVER_ALL + [[*words, "--room", HONEST] for words in OVER_ONE]
        some = random.Random(seed)
        every += [[*words, "--room", room] for room in rooms for words in some.sample(OVER_ONE, VERBS_A_ROOM)]
        some.shuffle(every)  # what one leaves behind, such as an index, another one finds
        for words in every:
            yield from (f"{' '.join(words)}: {fault}" for fault in _faults(words, *typed(*words)))
        for room in (rooms[0], HONEST):
            yield from _called(room)
    yield from _fetched(world, path)


def _fetched(world: World, hub: Path) -> Iterator[str]:
    """What is wrong with the sync of another clone, which must bring the honest room."""
    clone = world.repository("clone")
    with chdir(clone):
        world.git("remote", "add", "origin", hub, cwd=clone)
        status, text = typed("sync", "--yes")
        yield from (f"sync: {fault}" for fault in _faults(["sync"], status, text))
        words = ["log", "--room", HONEST]
        yield from (f"after a sync ({status}, {text[:300]}): {fault}" for fault in _faults(words, *typed(*words)))


def main(first: int, rooms: int) -> int:
    """Try this many rooms from a seed on; the exit status."""
    count = 0
    for seed in range(first, first + -(-rooms // ROOMS_AT_ONCE)):
        with tempfile.TemporaryDirectory() as directory:
            try:
                faults = list(faults_of(seed, Path(directory)))
            except Exception as error:
                raise RuntimeError(f"seed {seed}") from error
        for fault in faults:
            print(f"{seed}: {fault}", flush=True)
        count += len(faults)
        done = (seed - first + 1) * ROOMS_AT_ONCE
        if seed % 100 == 99 or done >= rooms:
            print(f"{done} rooms", file=sys.stderr, flush=True)
    return min(count, 1)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
