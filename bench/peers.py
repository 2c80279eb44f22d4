"""Ways to keep messages, each in a process of its own that is told what to do: gitchat, and what it is measured beside.

``python bench/peers.py KIND PLACE SYNCED`` says ``ready``, and then answers each line of its standard input with one of
JSON. So each peer is asked in turn, times itself, and needs nothing of what another needs: no module of gitchat stands
at the top here, since NATS's client lives in an environment without it.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

BODY = ("The parser reads quoted keys now; two tests of the lexer still fail. " * 3)[:200]
READ = 10
"""Messages that are read and marked at a time."""

STREAM = "chat"


class Peer(Protocol):
    """A way to keep messages."""

    def append(self) -> None:
        """Add one of 200 bytes, and know its number."""

    def read(self) -> None:
        """Read READ unread ones, and mark them. Where it can."""

    def wait(self) -> float:
        """Until the next one is in hand: when it was, by the monotonic clock. Where it can.

        What is put away after that is no part of the way of a message.
        """


class Gitchat:
    """A room, as a program that imports gitchat has it."""

    def __init__(self, place: str, synced: bool) -> None:
        from figures import open_environment  # the others have no gitchat

        from gitchat.model.names import DEFAULT_ROOM
        from gitchat.verbs.room import Room

        environment = open_environment(Path(place), fsync=synced)
        self._writer, self._reader = (
            Room(environment, DEFAULT_ROOM, "writer"),
            Room(environment, DEFAULT_ROOM, "reader"),
        )
        self._has_read = False

    def append(self) -> None:
        assert self._writer.send(BODY).number

    def read(self) -> None:
        if not self._has_read:
            self._reader.set_cursor(self._reader.overview().count - READ)
            self._has_read = True
        reading = self._reader.unread(READ)
        assert len(self._reader.mark(reading).entries) == READ

    def wait(self) -> float:
        with self._reader.environment.changes() as changes:
            self._reader.set_cursor(self._reader.overview().count)
            changes.wait(0)  # it watches from now on, and has seen its own cursor move
            print("waiting", flush=True)
            while not self._reader.unread(READ).entries:
                changes.wait()
            return time.monotonic()


class JsonLines:
    """A log of JSON lines, as agent-chat keeps it: a number given under the file's lock, a line, synced where wanted.

    It takes the number from the last line, and does not count all: what is compared with is the best of its kind.
    """

    def __init__(self, place: str, synced: bool) -> None:
        self._path, self._synced = Path(place) / "messages.jsonl", synced

    def append(self) -> None:
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1024))
            last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
            number = json.loads(last)["id"] + 1 if last else 1
            message = {"id": number, "from": "writer", "to": "all", "timestamp": time.time(), "content": BODY}
            file.write(json.dumps(message).encode() + b"\n")
            file.flush()
            if self._synced:
                os.fsync(file.fileno())


class Sqlite:
    """A table of SQLite with a write-ahead log: FULL where it is synced, else NORMAL."""

    def __init__(self, place: str, synced: bool) -> None:
        self._base = sqlite3.connect(Path(place) / f"messages-{synced}.db", isolation_level=None, timeout=60)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
        self._base.execute("CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, author, body)")
        self._base.execute("CREATE TABLE IF NOT EXISTS cursors (name PRIMARY KEY, id)")

    def append(self) -> None:
        self._base.execute("INSERT INTO messages (author, body) VALUES ('writer', ?)", (BODY,))

    def read(self) -> None:
        found = self._base.execute(
            "SELECT id, author, body FROM messages WHERE id > "
            "coalesce((SELECT id FROM cursors WHERE name = 'reader'), 0) ORDER BY id LIMIT ?",
            (READ,),
        ).fetchall()
        assert len(found) == READ
        self._base.execute("INSERT OR REPLACE INTO cursors VALUES ('reader', ?)", (found[-1][0],))


class CreateCommit:
    """A commit of pygit2's on top of a branch: what one would write first. Not synced."""

    def __init__(self, place: str, synced: bool) -> None:
        import pygit2  # the others have none

        self._repository: Any = pygit2.init_repository(place, bare=True)
        self._who = pygit2.Signature("Alice", "alice@example.com")
        self._tree = self._repository.TreeBuilder().write()
        self._tip: Any = None

    def append(self) -> None:
        parents = [self._tip] if self._tip is not None else []
        self._tip = self._repository.create_commit("refs/heads/log", self._who, self._who, BODY, self._tree, parents)


class Files:
    """What an append of gitchat's does to files, and nothing else: a small one renamed to a new name, a lock removed.

    On ext4 without a journal, as in many a virtual machine, the kernel looks at each inode that was freed in the last
    minutes before it gives a new one: after tests or other benches a file takes ten times as long there.
    """

    def __init__(self, place: str, synced: bool) -> None:
        self._place, self._count = place, 0
        for byte in range(256):
            (Path(place) / f"{byte:02x}").mkdir()

    def append(self) -> None:
        self._count += 1
        draft, lock = f"{self._place}/draft", f"{self._place}/lock"
        for path, size in ((draft, 500), (lock, 41)):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            os.write(descriptor, bytes(size))
            os.close(descriptor)
        os.rename(draft, f"{self._place}/{self._count * 89 % 256:02x}/{self._count}")
        os.unlink(lock)


class GitCommit:
    """``git commit``, a process each time."""

    def __init__(self, place: str, synced: bool) -> None:
        self._words = ["git", "-c", f"core.fsync={'committed,reference' if synced else 'none'}", "-C", place]
        self._words += ["-c", "gc.auto=0", "-c", "user.name=Alice", "-c", "user.email=alice@example.com"]
        subprocess.run(["git", "init", "-q", place], check=True)

    def append(self) -> None:
        subprocess.run([*self._words, "commit", "-q", "--allow-empty", "-m", BODY], check=True)


class Redis:
    """A stream of Redis, whose server syncs each write or one a second; ``place`` is its port. By its own protocol."""

    def __init__(self, place: str, synced: bool) -> None:
        self._socket = socket.create_connection(("127.0.0.1", int(place)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        with suppress(RuntimeError):  # another process made it
            self._ask("XGROUP", "CREATE", STREAM, "readers", "$", "MKSTREAM")

    def _ask(self, *words: str | int | bytes) -> Any:
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        line = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self._socket.sendall(b"*%d\r\n%s" % (len(parts), line))
        return self._answer()

    def _answer(self) -> Any:
        line = self._file.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"$":
            return None if rest == b"-1" else self._file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self._answer() for _ in range(int(rest))]
        return rest

    def append(self) -> None:
        assert self._ask("XADD", STREAM, "*", "from", "writer", "body", BODY)

    def read(self) -> None:
        found = self._ask("XREADGROUP", "GROUP", "readers", "reader", "COUNT", READ, "STREAMS", STREAM, ">")[0][1]
        assert len(found) == READ
        self._ask("XACK", STREAM, "readers", *(one[0] for one in found))

    def wait(self) -> float:
        last = self._ask("XREVRANGE", STREAM, "+", "-", "COUNT", 1)
        print("waiting", flush=True)
        assert self._ask("XREAD", "BLOCK", 0, "STREAMS", STREAM, last[0][0] if last else "0")
        return time.monotonic()


class Nats:
    """A stream of NATS JetStream in a file, which is synced each two minutes; ``place`` is the server's port."""

    def __init__(self, place: str, synced: bool) -> None:
        import asyncio

        import nats  # type: ignore[import-not-found, unused-ignore]  # in an environment of its own

        self._loop = asyncio.new_event_loop()

        async def begin() -> None:
            self._connection = await nats.connect(f"nats://127.0.0.1:{place}")
            self._stream = self._connection.jetstream()
            await self._stream.add_stream(name=STREAM, subjects=["chat.>"])
            self._readers: Any = None

        self._loop.run_until_complete(begin())

    def append(self) -> None:
        acknowledged = self._loop.run_until_complete(self._stream.publish("chat.all", BODY.encode()))
        assert acknowledged.seq

    def read(self) -> None:
        async def read() -> None:
            if self._readers is None:
                self._readers = await self._stream.pull_subscribe("chat.all", durable="reader")
            found = await self._readers.fetch(READ, timeout=5)
            assert len(found) == READ
            for one in found[:-1]:
                await one.ack()
            await found[-1].ack_sync()

        self._loop.run_until_complete(read())

    def wait(self) -> float:
        from nats.js.api import DeliverPolicy

        async def wait() -> float:
            coming = await self._stream.subscribe("chat.all", ordered_consumer=True, deliver_policy=DeliverPolicy.NEW)
            print("waiting", flush=True)
            await coming.next_msg(timeout=60)
            ended = time.monotonic()
            await coming.unsubscribe()
            return ended

        return float(self._loop.run_until_complete(wait()))


KINDS: dict[str, type[Any]] = {
    "gitchat": Gitchat, "files": Files, "json": JsonLines, "sqlite": Sqlite, "pygit2": CreateCommit, "git": GitCommit,
    "redis": Redis, "nats": Nats,
}  # fmt: skip


def main() -> None:
    """Do what each line says: ``append COUNT GAP``, ``read``, ``wait``; answer when and how long, in seconds."""
    kind, place, synced = sys.argv[1:]
    peer: Peer = KINDS[kind](place, synced == "true")
    print("ready", flush=True)
    for line in sys.stdin:
        verb, *numbers = line.split()
        began, times, ended = time.monotonic(), [], None
        if verb == "append":
            for number in range(int(numbers[0])):
                pause = began + number * float(numbers[1]) - time.monotonic()
                if pause > 0:
                    time.sleep(pause)
                start = time.perf_counter()
                peer.append()
                times.append(time.perf_counter() - start)
        elif verb == "read":
            start = time.perf_counter()
            peer.read()
            times.append(time.perf_counter() - start)
        else:
            ended = peer.wait()
        print(json.dumps({"began": began, "ended": ended or time.monotonic(), "times": times}), flush=True)


if __name__ == "__main__":
    main()
