"""What a round with a remote did, and what somebody has to agree to before it does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gitchat.clones.wire import Pushed
from gitchat.model.errors import UserError
from gitchat.model.names import RoomName


class WouldRenumber(UserError):
    """Messages of ``room`` here would lose the numbers that were shown, and nobody agreed to that."""

    def __init__(self, remote: str, room: RoomName, count: int) -> None:
        which = f"{count} message{'s' if count != 1 else ''}" if count else "the messages"
        super().__init__(
            f"the remote '{remote}' has a room '{room}' of its own: {which} here would get new numbers",
            hint=f"agree to it: git chat sync {remote} --yes; or keep it apart: git chat sync --room OTHER",
            code="would-renumber",
        )
        self.room = room


@dataclass(slots=True)
class Report:
    """What a round did, or some of them together."""

    remote: str
    fetched: dict[RoomName, int] = field(default_factory=dict)
    """How many records came in."""
    pushed: dict[RoomName, int] = field(default_factory=dict)
    """How many records the remote accepted."""
    renumbered: dict[RoomName, int] = field(default_factory=dict)
    """How many records here get new numbers; told by a preview alone."""
    refused: list[Pushed] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    attached: list[RoomName] = field(default_factory=list)
    accepted: int = 0
    """How many refs the remote took, cursors and summaries among them."""
    pushes: int = 0
    """How often the remote was asked to take something."""
    is_overtaken: bool = False
    """Whether somebody wrote here while a room was being attached, which another round has to push first."""

    @property
    def is_late(self) -> bool:
        """Whether somebody else was quicker, so that another round may do."""
        return self.is_overtaken or any(one.is_late for one in self.refused)

    def add(self, later: Report) -> None:
        """Take in what the next round did."""
        for total, counts in ((self.fetched, later.fetched), (self.pushed, later.pushed)):
            for room, count in counts.items():
                total[room] = total.get(room, 0) + count
        self.accepted += later.accepted
        self.pushes += later.pushes
        self.refused = later.refused
        self.alarms += later.alarms
        self.attached += later.attached
        self.is_overtaken = later.is_overtaken


Agreed = Callable[[RoomName], bool]
"""Whether somebody agreed that the records of a room here get new numbers."""


def nobody(room: RoomName) -> bool:
    """Nobody agreed to anything."""
    return False
