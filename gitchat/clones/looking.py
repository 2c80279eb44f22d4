"""First contact: who looks whether a remote has rooms, when it is looked again, and what is done then. Pure.

A clone that has a remote joins its rooms by itself. So whoever asks for a room that is not here
looks there first, and at once follows what is found: a room that was begun here beside another
one of its name would part the clone from it, until a person decides.
Source: docs/format.md section 12.13.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from gitchat.model.names import RoomName

AGAIN_SECONDS = 600
"""How long what was heard holds before it is looked again."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 60, 3600
"""How long a remote that was not heard is left alone: at first, and at the most; it doubles in between."""

MAX_NAMED = 20
"""How many rooms a look remembers, and a sentence names. A remote may have any number of them."""


class Asker(Enum):
    """Who wants to know."""

    VERB = "a verb that was typed, or a tool that was called, for a room that is not here"
    SESSION = "a session that begins"
    STAYING = "who stays"
    HOOK = "a hook of git"


class Found(Enum):
    """What came of a look."""

    ROOMS = "rooms"
    NONE = "none"
    TWO = "two"
    """Rooms in two places, so that a person has to say which are the ones that count."""
    UNHEARD = "unheard"
    """Nothing was heard: try again."""
    REFUSED = "refused"
    """It wants to know who asks, and nobody is there to tell it: not again before a person syncs."""


@dataclass(frozen=True, slots=True)
class Look:
    """The last look at one remote."""

    address: str
    """Where it stood, as ``address.compared`` gives it."""
    seconds: int
    """When that was, since 1970-01-01 00:00 UTC."""
    found: Found
    tries: int = 0
    """How often in a row nothing was heard."""
    both: tuple[RoomName, ...] = ()
    """Rooms that are there, and here as others of the same name; the first ``MAX_NAMED``."""
    words: str = ""
    """Why nothing was heard, or what was refused."""

    def again_at(self, asker: Asker) -> float | None:
        """From when on ``asker`` looks again; None: it does not."""
        if self.found is Found.REFUSED:
            return None
        if self.found is Found.UNHEARD:
            pause: int = FIRST_PAUSE_SECONDS << min(max(self.tries, 1) - 1, 10)
            return self.seconds + min(pause, LONGEST_PAUSE_SECONDS)
        if self.found is Found.NONE and asker is Asker.SESSION:
            return self.seconds
        return self.seconds + AGAIN_SECONDS


def is_due(asker: Asker, last: Look | None, now_seconds: int, *, is_ci: bool = False) -> bool:
    """Whether ``asker`` looks now. ``last`` is the last look at the address where the remote stands now.

    In a CI job nobody meant by a hook's commit that it should speak in the team's room.
    """
    if is_ci and asker is Asker.HOOK:
        return False
    if last is None or last.seconds > now_seconds:  # never, or the clock was set back
        return True
    again = last.again_at(asker)
    return again is not None and now_seconds >= again


class Deed(Enum):
    """What is done with a room that the remote has."""

    FOLLOW = "note that it follows the remote, and fetch it"
    TELL = "say that it is there"
    DECIDE = "leave both as they are until a person decides, and say so"
    NOTHING = "it follows, or somebody said that it stays here"


def deed(*, is_here: bool, is_settled: bool, only_tells: bool) -> Deed:
    """What is done with a room that the remote has.

    ``is_here``: a room of that name is here. ``is_settled``: it follows a remote, or somebody decided that it does
    not. ``only_tells``: we serve wherever this user goes, and nobody ever used us in this clone: a stranger's clone
    must not feed a model.
    """
    if is_settled:
        return Deed.NOTHING
    if is_here:
        return Deed.DECIDE
    return Deed.TELL if only_tells else Deed.FOLLOW


def after(last: Look | None, look: Look) -> Look:
    """``look`` as it is remembered after ``last``: how often in a row nothing was heard."""
    if look.found is not Found.UNHEARD:
        return look
    tries = last.tries if last is not None and last.address == look.address else 0
    both = last.both if last is not None and last.address == look.address else ()
    return Look(look.address, look.seconds, look.found, tries + 1, both, look.words)


_REFUSALS = (
    "Authentication failed", "could not read Username", "could not read Password", "terminal prompts disabled",
    "Permission denied", "Host key verification failed", "returned error: 401", "returned error: 403",
    "Repository not found", "not allowed",
)  # fmt: skip
"""What git, ssh and hosts say to who is not known there; the last is git's, of a transport that needs a person."""


def is_refusal(words: str) -> bool:
    """Whether a remote, or git on its behalf, refused us, so that asking again changes nothing."""
    return any(phrase in words for phrase in _REFUSALS)


# --- in words ----------------------------------------------------------------------


def follows(rooms: Iterable[RoomName], remote: str) -> str:
    """That rooms follow ``remote`` from now on."""
    names = list(rooms)
    one = len(names) == 1
    return f"room{'' if one else 's'} {named(names)} follow{'s' if one else ''} {remote}"


def is_coming(remote: str) -> str:
    """That the rooms follow ``remote``, and are not here yet."""
    return f"what is at {remote} is being fetched in the background"


def is_both(rooms: Sequence[RoomName], remote: str) -> str:
    """That rooms are at ``remote``, and here as others."""
    one = len(rooms) == 1
    which = f"room {named(rooms)} is" if one else f"rooms {named(rooms)} are"
    return (
        f"{which} at {remote}, too, and {'was' if one else 'were'} begun here apart: "
        f"nothing is joined before you decide: git chat sync {remote}"
    )


def only_there(rooms: Sequence[RoomName], remote: str) -> str:
    """That rooms are at ``remote``, for who was not asked to join them."""
    return f"room{'' if len(rooms) == 1 else 's'} {named(rooms)} at {remote}: git chat sync {remote}"


def has_moved(rooms: Sequence[RoomName], remote: str) -> str:
    """That ``rooms`` are at ``remote``, which stands elsewhere than the rooms that follow it."""
    return f"{only_there(rooms, remote).partition(': ')[0]}, which is at another address now: git chat sync {remote}"


def nowhere(remote: str, others: Sequence[str]) -> str:
    """That ``remote`` has no room, where ``others`` might; none of them is asked."""
    ways = " or ".join(f"git chat sync {other}" for other in others[:MAX_NAMED])
    return f"no room is at {remote}; if your team's is at another remote: {ways}"


def not_heard(remote: str, words: str) -> str:
    """That it is not known whether ``remote`` has rooms."""
    return f"whether {remote} has rooms is not known ({words}); try it: git chat sync {remote}"


def cannot_follow(remote: str) -> str:
    """That nothing can be written here, so that rooms of ``remote`` stay where they are."""
    return f"this repository cannot be written, so rooms at {remote} are not fetched"


def named(rooms: Sequence[RoomName]) -> str:
    """Names in a sentence: ``'lobby', 'release' and 3 more``."""
    shown = ", ".join(f"'{room}'" for room in rooms[:MAX_NAMED])
    return shown + (f" and {len(rooms) - MAX_NAMED} more" if len(rooms) > MAX_NAMED else "")
