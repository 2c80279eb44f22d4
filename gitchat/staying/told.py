"""What an agent was told of, so that its hooks tell it once: a file of each name, disposable.

Hooks are processes of their own that begin and end many times in a turn, and several may
look at once. Each takes what is new under the file's lock, so that one of them tells it.
Source: docs/format.md section 7.13.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gitchat.model.names import Name, RoomName

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_MAX_BYTES = 1024 * 1024


class Told:
    """What ``name`` was told of, below ``directory``, which is ``chatroom/`` in the git common directory.

    Nothing raises: where the file cannot be kept, everything is new, and told again.
    """

    def __init__(self, directory: Path, name: Name) -> None:
        self._path = directory / "told" / name

    def upto(self, occasion: str, room: RoomName) -> int:
        """The greatest number of ``room`` that was told on this ``occasion``; 0 for none."""
        return _number(self._change(lambda content: None), occasion, room)

    def claim(self, occasions: Sequence[str], room: RoomName, number: int) -> bool:
        """Note that all up to ``number`` is told on these; False when on the first of them it was already."""
        is_ours = True

        def note(content: dict[str, Any]) -> None:
            nonlocal is_ours
            is_ours = number > _number(content, occasions[0], room)
            if is_ours:
                content.update({f"{one} {room}": max(number, _number(content, one, room)) for one in occasions})

        self._change(note)
        return is_ours

    def begin_waiting(self, token: str) -> None:
        """Be the one that waits for the name; who waited before is it no more."""
        self._change(lambda content: content.update(waiter=token))

    def is_waiting(self, token: str) -> bool:
        """Whether nobody began to wait since ``token`` did."""
        return bool(self._change(lambda content: None).get("waiter", token) == token)

    def _change(self, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        try:
            return self._change_file(change)
        except OSError:  # read-only, full, no repository of ours
            content: dict[str, Any] = {}
            change(content)
            return content

    def _change_file(self, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, _FLAGS, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # held for an instant, and freed by the kernel
            data = os.pread(descriptor, _MAX_BYTES, 0)
            content = _decoded(data)
            change(content)
            after = json.dumps(content).encode()
            if after != data:
                os.pwrite(descriptor, after, 0)
                os.ftruncate(descriptor, len(after))
            return content
        finally:
            os.close(descriptor)


def _decoded(data: bytes) -> dict[str, Any]:
    """The content of a file; nothing where it is damaged."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _number(content: dict[str, Any], occasion: str, room: RoomName) -> int:
    number = content.get(f"{occasion} {room}")
    return number if type(number) is int else 0
