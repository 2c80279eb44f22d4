"""What can be wrong with the files that the writers of a clone share: who may write them, and what was left behind.

Reads only. Source: docs/format.md section 6.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gitchat.care.finding import FIX, Finding
from gitchat.model.refs import ROOMS_PREFIX
from gitchat.storage import gate
from gitchat.storage.journal import Journal
from gitchat.storage.ownfiles import OwnFile, entries


def access(common_dir: Path) -> Iterator[Finding]:
    """Whether this user can write to the repository, and to what others made in it."""
    if not os.access(common_dir, os.W_OK):
        yield Finding(
            "wrong", "access", f"{common_dir} cannot be written to: reading works, sending does not",
            f"ask its owner for write access: ls -ld '{common_dir}'",
        )  # fmt: skip
        return
    if os.path.lexists(ours := common_dir / "chatroom") and not ours.is_dir():
        yield Finding(
            "wrong", "access", f"{ours} is no directory, and our files belong there", f"mv '{ours}' '{ours}.moved'"
        )
        return
    kept = [path for path in _shared_files(common_dir / "chatroom") if not os.access(path, os.R_OK | os.W_OK)]
    for path in kept:
        yield Finding(
            "wrong", "access", f"{path} belongs to another user, and is not yours to read and write",
            f"let its owner share it: chmod ug+rw '{path}'",
        )  # fmt: skip
    if not kept:
        yield Finding("ok", "access", "the repository can be written to")


def _shared_files(directory: Path) -> Iterator[Path]:
    """The files that every writer of this clone writes to."""
    yield from (path for name in ("write.lock", "sync.lock", "journal") if (path := directory / name).exists())
    yield from (directory / "checkpoints" / name for name in sorted(entries(directory, "checkpoints")))


def leftovers(common_dir: Path, now_seconds: int) -> Iterator[Finding]:
    """Lock files that nobody may be holding any more, and what of the journal cannot be read."""
    intent = _intent(OwnFile(common_dir / "chatroom", "write.lock"))
    if intent is not None:
        yield Finding(
            "note",
            "write lock",
            f"process {intent.pid} is writing, or was killed while it wrote; the next send clears up after it",
        )
    locks = sorted((common_dir / ROOMS_PREFIX).rglob("*.lock"))
    for path in [*locks, *[lock for lock in [common_dir / "packed-refs.lock"] if lock.exists()]]:
        age = _age(path, now_seconds)
        if age is not None and age >= gate.FOREIGN_SECONDS:
            yield Finding(
                "wrong", "stale lock", f"{path} has been there for {age} s", f"when no git is running: rm '{path}'"
            )
        elif age is not None and age < 0:
            yield Finding(
                "wrong", "clock", f"{path} is dated {-age} s in the future", "set this machine's clock: date -u"
            )
    if not locks:
        yield Finding("ok", "locks", "none left behind")
    if count := Journal(common_dir / "chatroom" / "journal").unreadable_bytes():
        yield Finding(
            "note",
            "journal",
            f"{count} bytes of it cannot be read, and are passed over; messages that were in them are not kept twice",
            FIX,
        )


def _intent(file: OwnFile) -> gate.Intent | None:
    try:
        return gate.Intent.decode(file.read(4096))
    except OSError:
        return None


def _age(path: Path, now_seconds: int) -> int | None:
    try:
        return now_seconds - int(path.stat().st_mtime)
    except OSError:
        return None
