"""A repository with a long history, made in seconds: the commits that so many sends would have left, in one pack.

``git fast-import`` takes them in; nothing is written that :mod:`gitchat.model.codec` would not write.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from figures import open_environment, sealed_variables

from gitchat.model import codec
from gitchat.model.names import DEFAULT_ROOM, Name, Oid, Uid, uid_from_random
from gitchat.model.record import Moment, Record
from gitchat.model.refs import cursor_ref, log_ref
from gitchat.model.signature import Signature
from gitchat.verbs.room import Room

SIZES = (1_000, 100_000)
AUTHORS = 7
VOCABULARY = 5_000
COMMON_WORD = "parser"
"""Stands in every tenth message."""

UNREAD = 20
"""So many records the reader has not read."""

_BEGIN_SECONDS = 1_790_000_000
_NOWHERE = Oid("0" * 40)
"""Trees and parents are fast-import's business; what it is given has none."""


def histories(directory: Path) -> dict[int, Path]:
    """For each of SIZES its repository below ``directory``, made, counted and indexed where it is missing."""
    found = {records: directory / f"with-{records}" for records in SIZES}
    for records, path in found.items():
        if not path.exists():
            settle(make_history(path, records))
    return found


def make_history(path: Path, records: int) -> Path:
    """A new repository at ``path`` whose room has ``records`` messages, neither counted nor indexed."""
    variables = sealed_variables(path.parent, fsync=False)
    path.parent.mkdir(exist_ok=True, parents=True)
    subprocess.run(["git", "init", "-q", str(path)], env=variables, check=True)
    importer = subprocess.Popen(["git", "fast-import", "--quiet"], cwd=path, env=variables, stdin=subprocess.PIPE)
    assert importer.stdin is not None
    with importer.stdin as stream:
        for command in _commands(records):
            stream.write(command)
    if importer.wait() != 0:
        raise SystemExit("error: git fast-import failed")
    return path


def make_tree(directory: Path, path: Path, files: int) -> Path:
    """A new repository at ``path`` without a room whose work tree has so many files of 20 lines, 100 to a directory.

    Its objects are in one pack below ``directory``, made where it is missing, and borrowed from there: to write them
    anew each time would take as long as all that is measured.
    """
    packed = directory / f"tree-{files}.git"
    variables = sealed_variables(directory)

    def run(cwd: Path, *words: str, given: bytes = b"") -> bytes:
        done = subprocess.run(["git", *words], cwd=cwd, env=variables, input=given, stdout=subprocess.PIPE, check=True)
        return done.stdout

    if not packed.exists():
        run(directory, "init", "-q", "--bare", str(packed))
        run(packed, "fast-import", "--quiet", given=b"".join(_files(files)))
    run(directory, "init", "-q", "-b", "main", str(path))
    (path / ".git" / "objects" / "info" / "alternates").write_text(f"{packed.resolve()}/objects\n", encoding="utf-8")
    run(path, "update-ref", "refs/heads/main", run(packed, "rev-parse", "main").decode().strip())
    run(path, "reset", "-q", "--hard")
    return path


def _files(count: int) -> Iterator[bytes]:
    """The stream of a commit of so many files."""
    yield b"commit refs/heads/main\ncommitter Alice <alice@example.com> 1790000000 +0000\ndata 5\nfiles\n"
    for number in range(count):
        text = "".join(f"line {line} of {number}\n" for line in range(20)).encode()
        path = f"d{number // 100}/f{number % 100}.txt".encode()
        yield b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(text), text)


def settle(repository: Path) -> None:
    """Count and index the room; the reader and three of the authors join it and read most, and there is a summary."""
    room = Room(open_environment(repository, fsync=False))
    newest = room.overview().count
    for number in range(3):
        other = Room(room.environment, None, author_of(number))
        other.register("review")
        other.set_cursor(newest - 100)
    room.register("lead")
    room.set_cursor(newest - UNREAD)
    room.summarize("The parser reads quoted keys; the lexer is not done.")


def rewind(room: Room) -> None:
    """Let the reader, who may have read all, have read all but UNREAD."""
    chain = room.environment.log(room.name).chain()
    target = chain.oid_of(chain.count - UNREAD)
    assert target is not None
    room.environment.store.move(cursor_ref(room.name, room.me), lambda _: target, "rewind")


def author_of(number: int) -> Name:
    """Who wrote the message of this number."""
    return Name(f"agent-{number % AUTHORS}")


def uid_of(number: int) -> Uid:
    """The uid of the message of this number."""
    return uid_from_random(number.to_bytes(10, "little"))


def words_of(number: int) -> list[str]:
    """The words of a message that few others have, 20 of them; any three of them stand in 20 of 100,000."""
    return [f"word{(number * 7919 + place * 104729) % VOCABULARY}" for place in range(20)]


def _commands(records: int) -> Iterator[bytes]:
    """The stream: the genesis, then each message on top of the one before it. Source: git-fast-import(1)."""
    ref = log_ref(DEFAULT_ROOM).encode()
    yield _commit(ref, codec.encode_genesis(DEFAULT_ROOM, _NOWHERE))
    for number in range(1, records + 1):
        record = _record(number)
        committer = Signature("Alice", "alice@example.com", record.written)
        yield _commit(ref, codec.encode_record(record, tree=_NOWHERE, parent=_NOWHERE, committer=committer))


def _commit(ref: bytes, raw: bytes) -> bytes:
    head, _, message = raw.partition(b"\n\n")
    signatures = [line for line in head.split(b"\n") if line.startswith((b"author ", b"committer "))]
    return b"commit %s\n%s\ndata %d\n%s\n" % (ref, b"\n".join(signatures), len(message), message)


def _record(number: int) -> Record:
    """One message in ten is a question, which the next one answers; one in fifty is for the reader alone."""
    is_question, is_answer = number % 10 == 5, number % 10 == 6
    text = f"message {number}{f' {COMMON_WORD}' if number % 10 == 0 else ''}: {' '.join(words_of(number))}"
    return Record(
        kind="message",
        uid=uid_of(number),
        author=author_of(number),
        email="agent@example.com",
        written=Moment(_BEGIN_SECONDS + number),
        body=text[:200],
        to=("alice",) if number % 50 == 1 else (),
        type="question" if is_question else "answer" if is_answer else "progress",
        reply_to=uid_of(number - 1) if is_answer else None,
        seq_hint=number,
        origin="agent",
    )
