"""What the files of an index are called: ``index.v<version>.<n>.db``, of which the greatest n counts.

SQLite adds some of its own to each. Another version of gitchat keeps its own beside ours, and neither looks into the
other's: or they would build them in turns. What is to go goes from all of them.

Source: docs/format.md section 7.11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gitchat.model.errors import ConflictError, StorageError
from gitchat.storage import gate
from gitchat.storage.ownfiles import OwnFile

VERSION = 11
"""Of the tables, of the order rule that they follow and of what counts as a word."""

BUILT = "indexing.db"
"""One that is being built, which nobody asks yet."""

LOCK = "index.lock"
"""The file in ``chatroom/`` whose lock has who puts another file in the place of one."""

UNUSED_SECONDS = 7 * 24 * 3600
"""After what time one of another version goes, if ours was written in since, and it was not."""


class Renewed(Exception):
    """Another file counts now: who asks does so again, of that."""


_FILE = re.compile(rf"index\.v{VERSION}\.([0-9]{{1,9}})\.db")
_ANY = r"index\.(?:v[0-9]{1,9}\.)?[0-9]{1,9}\.db"  # until version 10 it was not in the name
_ADDED = re.compile(rf"({_ANY}|{re.escape(BUILT)})(-wal|-shm|-journal)?")


def newest(directory: Path) -> Path | None:
    """The one that counts."""
    paths = [(int(match[1]), path) for path in all_of(directory) if (match := _FILE.fullmatch(path.name))]
    return max(paths)[1] if paths else None


def after(path: Path | None) -> str:
    """What the successor of ``path`` is called; without one the first."""
    match = _FILE.fullmatch(path.name) if path is not None else None
    return f"index.v{VERSION}.{int(match[1]) + 1 if match else 1}.db"


def all_of(directory: Path) -> Iterator[Path]:
    """All of this version that counted or counts, with what SQLite added."""
    with suppress(OSError):
        yield from directory.glob(f"index.v{VERSION}.*.db*")


def with_built(directory: Path) -> list[Path]:
    """All files that hold anything of an index, of whatever version, in the order of their names."""
    return sorted(path for path in directory.glob("index*.db*") if _ADDED.fullmatch(path.name))


def remove_others(path: Path) -> None:
    """Remove all of this version that counted before ``path`` did. Raises OSError."""
    for other in list(all_of(path.parent)):
        if not other.name.startswith(path.name):
            OwnFile(path.parent, other.name).remove()


def remove_unused(path: Path) -> None:
    """Remove what other versions have, if that was not written in for a week when ``path``, which counts, was."""
    ours = f"index.v{VERSION}."
    others = [one for one in with_built(path.parent) if not one.name.startswith((ours, BUILT))]
    if not others:
        return
    with suppress(OSError, ConflictError, StorageError):  # at some other time then
        written = max(one.stat().st_mtime for one in all_of(path.parent))
        if written - max(one.stat().st_mtime for one in others) > UNUSED_SECONDS:
            with gate.hold(path.parent, 0, LOCK):
                for one in others:
                    OwnFile(path.parent, one.name).remove()
