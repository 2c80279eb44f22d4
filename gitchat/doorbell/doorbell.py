"""What a doorbell is, whichever carries it: NATS, a line of ssh to the hub, or a stream of ``git chat serve``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from gitchat.doorbell.beats import Beat
from gitchat.doorbell.knock import Knock
from gitchat.model.names import Oid, RoomName, Uid


@dataclass(frozen=True, slots=True)
class Opened:
    """From now on knocks come; what came before was not heard, so it is time to look."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A ref of a room stands at ``tip`` now at the remote, as that says itself."""

    tip: Oid


Heard = Knock | Moved | Beat | Opened
"""What comes by a doorbell. None of it is proof of anything: it says where to look."""

Hear = Callable[[Heard], None]
"""Told what came, from a thread of the doorbell's; returns at once and does not raise."""


class Doorbell(Protocol):
    """A line to the others, which comes and goes by itself. No call waits for it or raises, but for ``close``'s limit.

    Its trouble is nobody's: whoever relies on it looks at the remote as often as without, unless :attr:`is_open`.
    """

    has_presence: ClassVar[bool]
    """Whether it carries beats."""

    @property
    def is_open(self) -> bool:
        """Whether what is pushed anywhere is heard here, as far as is known."""

    @property
    def trouble(self) -> str | None:
        """Why it is not, in words for a person; None where it is, or nothing is known yet."""

    def listen(self, heard: Hear) -> None:
        """Begin, in the background. Once."""

    def attend(self, rooms: Mapping[Uid, RoomName]) -> None:
        """Hear of these rooms from now on, and of no others."""

    def knock(self, knock: Knock) -> None:
        """Tell the others what the remote took. While the line is down the last of each room is kept."""

    def beat(self, beat: Beat, room: RoomName) -> None:
        """Tell the others who lives here. While the line is down it is dropped."""

    def close(self, limit_seconds: float = 0.0) -> None:
        """End; what is to be said yet may take ``limit_seconds``."""
