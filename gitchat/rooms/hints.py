"""What a process saw of its rooms when it read them last, so that it need not ask the index again.

None of it counts before the log has shown it again (:mod:`gitchat.rooms.near`): a log that was rewritten has other
commits, and nothing here is about them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gitchat.model.names import Oid, RoomName

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchat.index.places import Voice

MOST = 64
"""How many records are near the end of a log."""

LACKING = 32
"""How many the index may lack before it takes them in: with as many more it still does so at once (index/few.py)."""

_MOST_COMMITS = 1_000


@dataclass(slots=True)
class Hints:
    """What one process saw last, of all rooms of a clone."""

    voices: dict[tuple[RoomName, str], tuple[Oid, int, list[Voice]]] = field(default_factory=dict)
    """From where a name had spoken up to a commit, and how many records that reaches."""
    places: dict[Oid, int] = field(default_factory=dict)
    """How many records a commit reaches."""
    taken_in: dict[RoomName, int] = field(default_factory=dict)
    """How many records of a room the index has at least."""
    told: dict[Oid, tuple[Oid, str | None]] = field(default_factory=dict)
    """The parent of a commit, and the kind of its record; by its name, so that is never another."""

    def is_due(self, room: RoomName, count: int) -> bool:
        """Whether the index shall take in what came, so that who asks it later has little to wait for."""
        return not 0 <= count - self.taken_in.get(room, -LACKING) < LACKING

    def place(self, oid: Oid, number: int) -> None:
        """Keep how many records a commit reaches."""
        if len(self.places) >= _MOST_COMMITS:
            self.places.clear()
        self.places[oid] = number

    def tell(self, oid: Oid, parent: Oid, kind: str | None) -> None:
        """Keep what a commit is, for who follows parents."""
        if len(self.told) >= _MOST_COMMITS:
            self.told.clear()
        self.told[oid] = parent, kind
