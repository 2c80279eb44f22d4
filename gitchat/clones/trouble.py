"""Since when a remote has not been heard, or did not take what is here, and why: a small disposable file.

Who pushes unattended notes each failure in it, so that who sends meanwhile starts nothing and
can say why. The time is wall-clock time in whole seconds, which may jump: a clock that was set
back ends a pause and never makes one longer. Source: docs/format.md sections 7.20 and 13.6.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gitchat.model.names import RoomName
from gitchat.storage.ownfiles import OwnFile

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10, 300
"""Bounds of the pause after a failure, which doubles with each further one."""

QUESTIONS = 2
"""After so many failures in which somebody would have had to answer, only a person's sync tries again."""

_MAX_BYTES = 65536
_MAX_WORDS = 500
_MAX_ROOMS = 100
"""More rooms than a remote that refuses some of them is told of one by one."""

_QUESTION = re.compile(
    r"could not read (Username|Password)|terminal prompts disabled|Authentication failed|Host key verification failed|"
    r"Permission denied \(|askpass|\b40[13]\b",
    re.IGNORECASE,
)
"""What git and ssh say where they would have asked, or somebody has to be let in."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a remote, as it was noted last."""

    since: int
    """When the first of the failures in a row was; seconds since the epoch, as all times here."""
    at: int
    """When the last one was."""
    failures: int
    """How many there were in a row."""
    questions: int
    """How many of them somebody would have had to answer."""
    why: str
    """The words of the last one. A server's are among them: data, to be escaped."""
    rooms: tuple[str, ...] = ()
    """The rooms that it is about; none: all that follow the remote."""

    def is_about(self, room: RoomName) -> bool:
        """Whether what is said in ``room`` has to wait because of it."""
        return not self.rooms or room in self.rooms

    @property
    def needs_a_person(self) -> bool:
        """Whether nobody tries again before somebody types ``git chat sync``."""
        return self.questions >= QUESTIONS

    @property
    def pause_seconds(self) -> int:
        """How long after the last failure nobody tries again."""
        return int(min(FIRST_PAUSE_SECONDS * 2.0 ** (self.failures - 1), LONGEST_PAUSE_SECONDS))

    def is_pausing(self, now_seconds: int) -> bool:
        """Whether it is too early to try again."""
        return self.needs_a_person or 0 <= now_seconds - self.at < self.pause_seconds

    @classmethod
    def after(
        cls,
        before: Trouble | None,
        why: str,
        now_seconds: int,
        rooms: Iterable[RoomName] = (),
        *,
        is_denial: bool = False,
    ) -> Trouble:
        """One failure more than ``before``; None: it is the first one. ``is_denial``: we may not push there."""
        is_question = is_denial or _QUESTION.search(why) is not None
        return cls(
            since=before.since if before is not None else now_seconds,
            at=now_seconds,
            failures=before.failures + 1 if before is not None else 1,
            questions=(before.questions if before is not None else 0) + 1 if is_question else 0,
            why=why[:_MAX_WORDS],
            rooms=tuple(sorted(rooms)[:_MAX_ROOMS]),
        )


class TroubleFile:
    """The file of ``remote`` in ``directory``, which is ``chatroom/`` in the git common directory.

    Nothing raises: what cannot be noted is forgotten, and then it is tried again too early.
    """

    def __init__(self, directory: Path, remote: str) -> None:
        self._file = OwnFile(directory, f"trouble-{quote(remote, safe='')}")

    def load(self) -> Trouble | None:
        """What is noted; None where nothing is wrong, or nothing that makes sense stands there."""
        try:
            return _decoded(json.loads(self._file.read(_MAX_BYTES)))
        except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None

    def add(self, why: str, now_seconds: int, rooms: Iterable[RoomName] = (), *, is_denial: bool = False) -> Trouble:
        """Note one failure more, as Trouble.after; what is noted then. A kill leaves the one before or this one."""
        trouble = Trouble.after(self.load(), why, now_seconds, rooms, is_denial=is_denial)
        with suppress(OSError):
            self._file.replace(json.dumps(asdict(trouble)).encode("ascii") + b"\n")
        return trouble

    def clear(self) -> None:
        """Nothing is wrong any more."""
        with suppress(OSError):
            self._file.remove()


def _decoded(content: dict[str, Any]) -> Trouble:
    """A file's content. Raises as ``load`` catches."""
    since, at, failures, questions = (int(content[key]) for key in ("since", "at", "failures", "questions"))
    if min(since, at, questions) < 0 or failures < 1:
        raise ValueError("no number of anything")
    rooms = tuple(map(str, content["rooms"]))
    return Trouble(since, at, min(failures, 1000), questions, str(content["why"])[:_MAX_WORDS], rooms)
