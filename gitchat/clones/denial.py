"""That a remote lets us read and not push, and since when: a small disposable file.

Whoever may only read is no less here for it: rooms are fetched as often as ever, and positions stay in this clone.
A remote that cannot be heard is something else, and so is one that takes some refs and not others. Who is denied
does not ask again and again: positions are pushed no more, and records as ``trouble`` has it, until a person's sync
finds that it may. Source: docs/format.md sections 7.27 and 12.16.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gitchat.storage.ownfiles import OwnFile

_MAX_BYTES = 65536
_MAX_WORDS = 500

_DENIED = re.compile(
    r"access denied or repository not exported|service not enabled"  # git daemon, git http-backend
    r"|error: 40[13]\b|could not read (Username|Password)|Authentication failed|terminal prompts disabled"  # http
    r"|Permission denied|Host key verification failed"  # ssh, where the push URL is one and the fetch URL another
    r"|Permission to \S+ denied|\bW any \S+ \S+ DENIED by |TF401027"  # GitHub, gitolite, Azure
    r"|\bread[- ]only\b|\bonly read\b|\bforbidden\b"
    r"|\b(not (allowed|permitted|authorized)|cannot|denied)\b.{0,20}\b(push|writ)|\bwrite access\b.{0,40}\bnot granted"
    r"|insufficient permission for adding an object|unable to create temporary object directory",  # of files
    re.IGNORECASE,
)
"""What git and hosts say to who may fetch and may not push."""


def is_denial(words: str) -> bool:
    """Whether a remote that has just let us fetch says that we may not push."""
    return _DENIED.search(words) is not None


@dataclass(frozen=True, slots=True)
class Denial:
    """That a remote lets us read only."""

    since: int
    """When it was first said; seconds since the epoch."""
    place: str
    """Where the remote stood, as ``address.compared`` gives it."""
    words: str
    """A server's among them: data, to be escaped."""


class DenialFile:
    """The file of ``remote`` in ``directory``, which is ``chatroom/`` in the git common directory.

    Nothing raises: what cannot be noted is forgotten, and then the remote is asked again.
    """

    def __init__(self, directory: Path, remote: str) -> None:
        self._file = OwnFile(directory, f"denied-{quote(remote, safe='')}")

    def load(self) -> Denial | None:
        """What is noted; None where we may push, as far as is known."""
        try:
            return _decoded(self._file.read(_MAX_BYTES))
        except OSError:
            return None

    def add(self, words: str, place: str, now_seconds: int) -> bool:
        """Note that it was said; whether that is new. A kill leaves what was noted before."""
        known = self.load()
        if known is not None and known.place == place:
            return False
        with suppress(OSError):
            denial = Denial(now_seconds, place, words[:_MAX_WORDS])
            self._file.replace(json.dumps(asdict(denial)).encode("ascii") + b"\n")
        return True

    def clear(self) -> None:
        """We may push."""
        with suppress(OSError):
            self._file.remove()


def _decoded(data: bytes) -> Denial | None:
    try:
        content: dict[str, Any] = json.loads(data)
        return Denial(int(content["since"]), str(content["place"]), str(content["words"])[:_MAX_WORDS])
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
