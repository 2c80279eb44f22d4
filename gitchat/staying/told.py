"""What an agent was told of, so that its hooks and its bell tell it once: a file of each name, disposable.

Hooks are processes of their own that begin and end many times in a turn, and several may
look at once. Each takes what is new under the file's lock, so that one of them tells it.
What the bell rang for is lent to it for some seconds: told, if the session is heard of in time;
if not, it is the hooks' again. Source: docs/format.md section 7.13.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitchat.model.names import Name, Oid, RoomName
from gitchat.model.record import Moment
from gitchat.storage.ownfiles import OwnFile
from gitchat.workspace.process import read_clock

_MAX_BYTES = 1024 * 1024


_OID = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")

OCCASIONS = ("told", "held-up")
"""What a session that was rung has been told on: while it works, and when it is about to stop."""

_MOST_ONCE = 50

MOST_SECONDS = 60
"""Nothing is lent for longer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How far of a room something was told."""

    number: int = 0
    """The newest number of the room then. Only where there are no tips, or they are of another log."""
    tips: tuple[Oid, ...] = ()
    """The commits that reach all of it, also what had no number yet; none in what version 0.1.0 noted."""


NOTHING = Seen()


class Told:
    """What ``name`` was told of, below ``directory``, which is ``chatroom/`` in the git common directory.

    Nothing raises: where the file cannot be kept, everything is new, and told again.
    """

    def __init__(self, directory: Path, name: Name, now: Callable[[], Moment] = read_clock) -> None:
        self._file = OwnFile(directory, f"told/{name}")
        self._now = now

    def seen(self, occasion: str, room: RoomName) -> Seen:
        """How far of ``room`` was told on this ``occasion``, or is lent."""
        return self._seen(self._change(lambda content: None), occasion, room)

    def _seen(self, content: dict[str, Any], occasion: str, room: RoomName) -> Seen:
        number, tips = _number(content, occasion, room), _oids(content, _by(occasion, room))
        if (lent := self._lent(content).get(room)) is not None:
            number, tips = max(number, lent), _joined(tips, _oids(content, f"rung {room}"))
        return Seen(number, tips)

    def claim(self, occasions: Sequence[str], room: RoomName, found: Seen, *, unless: Seen) -> bool:
        """Note that all up to ``found`` is told on these; False when on the first of them it is not at ``unless`` now.

        So of several that look at once one tells it; who comes too late looks again.
        """
        is_ours = True

        def note(content: dict[str, Any]) -> None:
            nonlocal is_ours
            is_ours = self._seen(content, occasions[0], room) == unless
            if is_ours:
                for one in occasions:
                    content[f"{one} {room}"] = max(found.number, _number(content, one, room))
                    content[_by(one, room)] = list(found.tips)

        self._change(note)
        return is_ours

    # --- the bell -----------------------------------------------------------------

    def lend(
        self, session: str, seconds: int, upto: Mapping[RoomName, int], tips: Mapping[RoomName, Sequence[Oid]],
        unless_told: Mapping[RoomName, Seen],
    ) -> bool:  # fmt: skip
        """Lend all up to these numbers to the bell of ``session``, and note that it rang for what ``tips`` reach.

        ``unless_told`` is what :attr:`OCCASIONS` had when it was looked for: False where somebody told more since, or
        something is lent; then nothing is noted. So one tells it, and where nothing can be noted it is not the bell.
        """
        is_ours = False

        def note(content: dict[str, Any]) -> None:
            nonlocal is_ours
            told = {room: self._seen(content, OCCASIONS[0], room) for room in upto}
            is_ours = not self._lent(content) and told == {room: unless_told.get(room, NOTHING) for room in upto}
            if is_ours:
                before = {room: content.get(f"rung {room}") for room in tips}
                until = self._now().seconds + seconds
                content["lent"] = {"session": session, "until": until, "upto": dict(upto), "before": before}
                content.update({f"rung {room}": list(oids) for room, oids in tips.items()})

        with suppress(OSError):
            self._change_file(note)
            return is_ours
        return False

    def settle(self, session: str, *, is_heard: bool) -> None:
        """End what is lent: told, if its session has heard it in time. Nothing for what is lent to another session."""

        def note(content: dict[str, Any]) -> None:
            lent = content.get("lent")
            if isinstance(lent, dict) and lent.get("session") == session:
                if is_heard:
                    for room, number in self._lent(content).items():
                        for one in OCCASIONS:
                            rung = _oids(content, f"rung {room}")
                            content[f"{one} {room}"] = max(number, _number(content, one, room))
                            content[_by(one, room)] = list(_joined(_oids(content, _by(one, room)), rung))
                del content["lent"]

        self._change(note)

    def take_back(self, session: str) -> None:
        """End what is lent, as if it had never been: nobody was rung."""

        def note(content: dict[str, Any]) -> None:
            lent = content.get("lent")
            if isinstance(lent, dict) and lent.get("session") == session:
                before = lent.get("before")
                for room, oids in before.items() if isinstance(before, dict) else ():
                    content[f"rung {room}"] = oids
                del content["lent"]

        self._change(note)

    def skip(self, tips: Mapping[RoomName, Sequence[Oid]]) -> None:
        """Let the bell not ring for what these reach: it was there before."""
        self._change(lambda content: content.update({f"rung {room}": list(oids) for room, oids in tips.items()}))

    def rung(self, room: RoomName) -> list[Oid]:
        """The commits of ``room`` that reach what the bell rang for; none before it did."""
        return list(_oids(self._change(lambda content: None), f"rung {room}"))

    def _lent(self, content: dict[str, Any]) -> dict[RoomName, int]:
        """What is lent now: the number of each room up to which it is."""
        lent = content.get("lent")
        upto, until = (lent.get("upto"), lent.get("until")) if isinstance(lent, dict) else (None, None)
        # Lent for longer than ever: the clock was set back.
        if not isinstance(upto, dict) or type(until) is not int or not 0 < until - self._now().seconds <= MOST_SECONDS:
            return {}
        return {RoomName(room): number for room, number in upto.items() if type(number) is int}

    # --- what is told once -----------------------------------------------------------

    def is_first(self, what: str) -> bool:
        """Whether this is not told yet; from now on it is. The last :data:`_MOST_ONCE` are kept."""
        is_first = False

        def note(content: dict[str, Any]) -> None:
            nonlocal is_first
            once = content.get("once")
            known = once if isinstance(once, list) else []
            is_first = what not in known
            if is_first:
                content["once"] = [*known[1 - _MOST_ONCE :], what]

        self._change(note)
        return is_first

    # --- who waits ----------------------------------------------------------------

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
        descriptor = self._file.open(os.O_RDWR | os.O_CREAT)
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


def _by(occasion: str, room: RoomName) -> str:
    """The key of the commits that reach what was told on an occasion."""
    return f"{occasion} by {room}"


def _oids(content: dict[str, Any], key: str) -> tuple[Oid, ...]:
    oids = content.get(key)
    if not isinstance(oids, list):
        return ()
    return tuple(Oid(oid) for oid in oids if isinstance(oid, str) and _OID.fullmatch(oid))


def _joined(first: Sequence[Oid], second: Sequence[Oid]) -> tuple[Oid, ...]:
    """Both, each once."""
    return tuple(dict.fromkeys([*first, *second]))
