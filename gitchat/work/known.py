"""What looks at people's work found out, kept for the next one: a small disposable file beside the rooms.

A fact is kept under a digest of all that it follows from, so it is never wrong later, only of no use any more: whatever
changes asks for another one. What cannot be read, or does not check, was never known. Source: docs/format.md 17.10.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from gitchat.storage.ownfiles import OwnFile

_HEAD = b"gitchat known 1 "
"""Another number when a fact of the same name means something else."""

MOST_BYTES = 1024 * 1024
"""The largest file; reading it takes as long as one git."""

MOST_FACTS = 1000
"""How many facts are kept that nobody asked for in the last look."""

_MOST_BYTES_EACH = 64 * 1024
"""A larger fact is found out again: it is of hundreds of paths, and all others would go for it."""


class Known:
    """The file ``conflicts.known`` in ``directory``, which is ``chatroom/``; without one, for this process alone.

    ``sign`` stands for what all facts follow from: another one knows nothing of what was noted under this one. One
    process at a time has it, who holds the lock of a look.
    """

    def __init__(self, directory: Path | None = None, sign: str = "") -> None:
        self._file = OwnFile(directory, "conflicts.known") if directory is not None else None
        self._sign = sign
        self._old: dict[str, Any] = self._read()
        self._used: dict[str, Any] = {}
        self._is_changed = False

    def get(self, kind: str, *parts: str) -> Any:
        """The fact of this kind about ``parts``, as JSON has it; None where it is not known."""
        key = self._key(kind, parts)
        if key not in self._used:
            if key not in self._old:
                return None
            self._used[key] = self._old.pop(key)
        return self._used[key]

    def note(self, kind: str, *parts: str, fact: Any) -> None:
        """Know a fact, which is no None, from now on."""
        if len(json.dumps(fact)) <= _MOST_BYTES_EACH:
            self._used[self._key(kind, parts)] = fact
            self._is_changed = True

    def save(self) -> None:
        """Keep it, where something is new: what was of use now, and of the rest the newest. Never fails."""
        if self._file is None or not self._is_changed:
            return
        kept = list(_fitting([*reversed(self._used.items()), *list(reversed(self._old.items()))[:MOST_FACTS]]))
        content = json.dumps(dict(reversed(kept))).encode()
        with suppress(OSError):
            self._file.replace(_HEAD + _digest(content).encode() + b"\n" + content)
        self._is_changed = False

    def _key(self, kind: str, parts: Iterable[str]) -> str:
        whole = "\0".join((self._sign, *parts)).encode("utf-8", "surrogateescape")
        return f"{kind} {hashlib.sha256(whole).hexdigest()[:32]}"

    def _read(self) -> dict[str, Any]:
        """All that is kept, what was of use last at the end."""
        if self._file is None:
            return {}
        try:
            head, _, content = self._file.read(MOST_BYTES + 1).partition(b"\n")
            if head == _HEAD + _digest(content).encode():
                found = json.loads(content)
                return found if isinstance(found, dict) else {}
        except (OSError, ValueError, RecursionError):
            pass
        return {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _fitting(facts: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Any]]:
    """The first of ``facts`` that fit into the file."""
    left = MOST_BYTES - 1024
    for key, fact in facts:
        left -= len(key) + len(json.dumps(fact)) + 8
        if left < 0:
            return
        yield key, fact
