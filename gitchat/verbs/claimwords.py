"""Claims in words: what is said of one, and of who has what."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from gitchat.model.claim import Claim, What
from gitchat.model.errors import ConflictError
from gitchat.model.record import Moment
from gitchat.quick import ago

_NOTE_CHARS = 80
_NOTE = " UTC: "
"""What stands before the note in the text of a claim."""


def body_of(whats: Sequence[What], until: int, note: str, *, waits: bool) -> str:
    """The text of a claim, for whoever knows nothing of claims."""
    body = f"{'waits for' if waits else 'takes'} {listed(whats)} until {Moment(until).utc[:16].replace('T', ' ')}"
    return f"{body}{_NOTE}{note.strip()}" if note.strip() else f"{body} UTC"


class HeldByOther(ConflictError):
    """Somebody has something of what was to be claimed: ``blocker`` is that claim."""

    def __init__(self, message: str, *, hint: str, blocker: Claim) -> None:
        super().__init__(message, hint=hint, code="claimed")
        self.blocker = blocker


def refused(blocker: Claim, wanted: Sequence[What], now: Moment) -> HeldByOther:
    """That ``blocker`` has something of what is ``wanted``."""
    of = [what for what in blocker.whats if any(what.meets(other) for other in wanted)]
    note, name = note_of(blocker), blocker.seat.name
    about = f"{blocker.entry.label}: {note}" if note else blocker.entry.label
    ask, stand = f"git chat send --to {name} TEXT", f"git chat claim --wait {quoted(wanted)}"
    return HeldByOther(
        f"{name} has {listed(of)} until {clock(blocker.until, now)} ({about})",
        hint=f"ask: {ask}; or stand in line: {stand}",
        blocker=blocker,
    )


def listed(whats: Sequence[What]) -> str:
    """These things, as they are typed."""
    return ", ".join(map(str, whats))


def quoted(whats: Sequence[What]) -> str:
    """The same, as a shell takes them."""
    return shlex.join(map(str, whats))


def note_of(claim: Claim) -> str:
    """What its author said of it, in one short line: a stranger's words."""
    line = " ".join(claim.entry.record.body.partition(_NOTE)[2].split())
    return line if len(line) <= _NOTE_CHARS else line[: _NOTE_CHARS - 1] + "…"


def clock(seconds: int, now: Moment) -> str:
    """The time of day where ``now`` was read, with the date where that is another day."""
    return ago.clock(seconds, now.seconds, now.offset_minutes)
