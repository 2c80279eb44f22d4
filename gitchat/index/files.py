"""What the files of an index are called: ``index.<n>.db``, of which the greatest n counts, with what SQLite adds.

Source: docs/format.md section 7.11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gitchat.storage.ownfiles import OwnFile

BUILT = "indexing.db"
"""One that is being built, which nobody asks yet."""

LOCK = "index.lock"
"""The file in ``chatroom/`` whose lock has who puts another file in the place of one."""


class Renewed(Exception):
    """Another file counts now: who asks does so again, of that."""


_FILE = re.compile(r"index\.([0-9]{1,9})\.db")
_ADDED = re.compile(rf"({_FILE.pattern}|{re.escape(BUILT)})(-wal|-shm|-journal)?")


def newest(directory: Path) -> Path | None:
    """The one that counts."""
    paths = [(int(match[1]), path) for path in all_of(directory) if (match := _FILE.fullmatch(path.name))]
    return max(paths)[1] if paths else None


def after(path: Path | None) -> str:
    """What the successor of ``path`` is called; without one the first."""
    match = _FILE.fullmatch(path.name) if path is not None else None
    return f"index.{int(match[1]) + 1 if match else 1}.db"


def all_of(directory: Path) -> Iterator[Path]:
    """All that counted or counts, with what SQLite added."""
    with suppress(OSError):
        yield from directory.glob("index.*.db*")


def with_built(directory: Path) -> list[Path]:
    """All files that hold anything of an index, in the order of their names."""
    return sorted(path for path in directory.glob("index*.db*") if _ADDED.fullmatch(path.name))


def remove_others(path: Path) -> None:
    """Remove all that counted before ``path`` did. Raises OSError."""
    for other in list(all_of(path.parent)):
        if not other.name.startswith(path.name):
            OwnFile(path.parent, other.name).remove()
