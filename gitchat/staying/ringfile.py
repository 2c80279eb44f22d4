"""What the sessions of a clone were rung for, kept for whoever rings, hears or asks next: a small disposable file.

Each session is kept by the key that stays the same through ``/clear`` and a new server, so that neither refills its
budget. Source: docs/format.md section 7.25.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitchat.model.names import Name, is_slug
from gitchat.staying.rings import RINGS_PER_HOUR, Ring, Rung
from gitchat.storage.ownfiles import OwnFile

FORGOTTEN_SECONDS = 7 * 86_400
"""A session that showed no life for so long is forgotten."""

_MAX_SESSIONS = 200
_MAX_BYTES = 1024 * 1024
_MAX_WORDS_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session, as far as its bell has to know it."""

    name: str = ""
    """The name that it went by when it last showed life."""
    client: str = ""
    id: str = ""
    """What its client calls the conversation; blank where nothing told it."""
    process: str = ""
    """The client's process, as key_of_process spells it; blank where it was not seen."""
    place: str = ""
    """The directory that it works in."""
    has_bell: bool = False
    """Whether its server has begun to ring: then what comes while that starts again is new."""
    trouble: str = ""
    """Why the last ring could not be made; blank when it could."""
    rung: Rung = field(default_factory=Rung)


class RingFile:
    """The file ``rings`` in ``directory``, which is ``chatroom/`` in the git common directory.

    Nothing raises: what cannot be read was never rung. What cannot be kept may not ring: see :meth:`change`.
    """

    def __init__(self, directory: Path) -> None:
        self._file = OwnFile(directory, "rings")

    def all(self) -> dict[str, Session]:
        """Every session that is kept, by its key."""
        try:
            return _decoded(self._file.read(_MAX_BYTES))
        except OSError:
            return {}

    def of(self, key: str) -> Session:
        """The session of this key; a new one where nothing is kept."""
        return self.all().get(key) or Session()

    def lately(self, now: int) -> dict[str, list[bool | None]]:
        """By name, of each ring of the last hour whether it was heard; None as long as it still can be."""
        found: dict[str, list[bool | None]] = {}
        for session in self.all().values():
            if session.rung.in_last_hour(now):
                found.setdefault(session.name, []).extend(session.rung.is_heard(now))
        return found

    def change(self, key: str, now: int, change: Callable[[Session], Session]) -> bool:
        """Let ``change`` say what a session becomes; whether that is kept. Changes in turn.

        Where there is no ``chatroom/`` yet none is made: there is nothing to be rung for.
        """
        if not self._file.directory.is_dir():
            return False
        try:
            descriptor = self._file.open(os.O_RDWR | os.O_CREAT)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # held for an instant, and freed by the kernel
            data = os.pread(descriptor, _MAX_BYTES, 0)
            before = _decoded(data)
            after = before | {key: change(before.get(key) or Session())}
            if after != before:
                content = _encoded(_remembered(after, now))
                if os.pwrite(descriptor, content, 0) != len(content):
                    return False  # a full disk; half a file reads as none
                os.ftruncate(descriptor, len(content))
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True


def _remembered(sessions: dict[str, Session], now: int) -> dict[str, Session]:
    """Those that showed life lately, or were just rung; the last ones."""
    lately = {
        key: one
        for key, one in sessions.items()
        if now - max(one.rung.seen_at, *(ring.at for ring in one.rung.rings), 0) <= FORGOTTEN_SECONDS
    }
    newest = sorted(lately, key=lambda key: lately[key].rung.seen_at)[-_MAX_SESSIONS:]
    return {key: lately[key] for key in lately if key in newest}


def _encoded(sessions: dict[str, Session]) -> bytes:
    return json.dumps({key: _shown(one) for key, one in sessions.items()}).encode("ascii")


def _shown(one: Session) -> dict[str, Any]:
    return {
        "name": one.name,
        "client": one.client,
        "id": one.id,
        "process": one.process,
        "place": one.place,
        "has_bell": one.has_bell,
        "trouble": one.trouble[:_MAX_WORDS_CHARS],
        "seen": one.rung.seen_at,
        "ended": one.rung.has_ended,
        "held_back": one.rung.held_back_at,
        "rings": [
            {"at": ring.at, "from": list(ring.senders), "person": ring.is_for_person, "heard": ring.heard_at,
             "over": ring.is_over, "failed": ring.is_failed}
            for ring in one.rung.rings
        ],
    }  # fmt: skip


def _decoded(data: bytes) -> dict[str, Session]:
    """The sessions in a file's content, without those that do not read."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    found: dict[str, Session] = {}
    for key, at in content.items() if isinstance(content, dict) else ():
        with suppress(ValueError, TypeError, KeyError, AttributeError, OverflowError):
            found[key] = _session(at)
    return found


def _session(at: dict[str, Any]) -> Session:
    """One session's part. Raises what is caught above."""
    rings = tuple(
        Ring(
            int(one["at"]), tuple(map(str, one["from"])), one["person"] is True, _seconds(one["heard"]),
            one["over"] is True, one["failed"] is True,
        )
        for one in at["rings"][-RINGS_PER_HOUR:]
    )  # fmt: skip
    name = str(at["name"])
    return Session(
        name=Name(name) if is_slug(name) else "",
        client=str(at["client"]),
        id=str(at["id"]),
        process=str(at["process"]),
        place=str(at["place"]),
        trouble=str(at["trouble"]),
        has_bell=at["has_bell"] is True,
        rung=Rung(rings, int(at["seen"]), at["ended"] is True, _seconds(at["held_back"])),
    )


def _seconds(value: Any) -> int | None:
    return int(value) if value is not None else None
