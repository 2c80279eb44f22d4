"""A long room, made by ``git fast-import``: the commits of so many sends, neither counted nor indexed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from gitchat.model import codec
from gitchat.model.names import Oid, uid_from_random
from gitchat.model.record import Moment, Record
from gitchat.model.refs import log_ref
from gitchat.model.signature import Signature
from tests.crash.writers import ROOM
from tests.world import World

_NOWHERE = Oid("0" * 40)
"""Trees and parents are fast-import's business; what it is given has none."""


def make_room(world: World, name: str, records: int) -> Path:
    """A repository whose lobby has so many messages, in one pack."""
    path = world.repository(name)
    importer = subprocess.Popen(
        ["git", "fast-import", "--quiet"], cwd=path, env=world.variables, stdin=subprocess.PIPE
    )  # fmt: skip
    assert importer.stdin is not None
    with importer.stdin as stream:
        for command in _commands(records):
            stream.write(command)
    assert importer.wait() == 0
    return path


def _commands(records: int) -> Iterator[bytes]:
    """The genesis, then each message on top of the one before it. Source: git-fast-import(1)."""
    yield _commit(codec.encode_genesis(ROOM, _NOWHERE))
    for number in range(1, records + 1):
        moment = Moment(1_790_000_000 + number)
        record = Record(
            kind="message", uid=uid_from_random(number.to_bytes(10, "little")), author=f"agent-{number % 7}",
            email="agent@example.com", written=moment, body=f"message {number}: the word{number * 7919 % 5000} is done",
            type="progress",
        )  # fmt: skip
        committer = Signature("Alice", "alice@example.com", moment)
        yield _commit(codec.encode_record(record, tree=_NOWHERE, parent=_NOWHERE, committer=committer))


def _commit(raw: bytes) -> bytes:
    head, _, message = raw.partition(b"\n\n")
    signatures = [line for line in head.split(b"\n") if line.startswith((b"author ", b"committer "))]
    ref = log_ref(ROOM).encode()
    return b"commit %s\n%s\ndata %d\n%s\n" % (ref, b"\n".join(signatures), len(message), message)
