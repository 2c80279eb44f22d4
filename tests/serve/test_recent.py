"""What is kept of the rooms: who asks a moment too late gets what it would have been handed, or is sent to read."""

from __future__ import annotations

import pytest

from gitchat.model.errors import UserError
from gitchat.model.names import Name, RoomName
from gitchat.serve.handing import Reached, Reader, Record
from gitchat.serve.recent import KEPT, Recent
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment
from tests.serve.test_hub import environment

__all__ = ["environment"]

LOBBY = RoomName("lobby")
BOB = Reader(Name("bob"), frozenset([LOBBY]))


def came(environment: Environment, *addressed: str) -> list[tuple[Record, Reached]]:
    """Records that were just sent, to whom is said, as a look finds them."""
    chat = Room(environment, "lobby", "ana")
    entries = [chat.send(f"to {to}", to=to) for to in addressed]
    return [
        (Record(entry.number or 0, f"e-{entry.number}", LOBBY, entry, {}, lambda *_: {}), Reached(entry, {}, None))
        for entry in entries
    ]


def numbers(found: list[Record] | None) -> list[int | None] | None:
    """The numbers of what was found."""
    return None if found is None else [one.entry.number for one in found]


def test_who_is_a_little_behind_gets_what_reaches_it(environment: Environment) -> None:
    """Nothing where it is not behind; and None, to be read, where not all of that is kept."""
    recent = Recent()
    recent.keep({LOBBY: 1}, [LOBBY], [])
    assert (recent.after(LOBBY, 1, BOB), recent.after(LOBBY, 0, BOB)) == ([], None)
    recent.keep({LOBBY: 4}, [LOBBY], came(environment, "all", "cy", "bob"))
    assert [numbers(recent.after(LOBBY, number, BOB)) for number in (4, 9, 3, 2, 1, 0)] == [
        [],
        [],
        [4],
        [4],
        [2, 4],
        None,
    ]
    assert recent.after(RoomName("other"), 0, BOB) is None


def test_what_is_kept_of_a_room_has_an_end(environment: Environment) -> None:
    """Who is further behind reads."""
    recent = Recent()
    recent.keep({LOBBY: 1}, [LOBBY], [])
    record, reached = came(environment, "all")[0]
    for number in range(2, KEPT + 3):
        object.__setattr__(record.entry, "number", number)
        recent.keep({LOBBY: number}, [LOBBY], [(record, reached)])
    assert len(recent.after(LOBBY, 2, BOB) or []) == KEPT
    assert recent.after(LOBBY, 1, BOB) is None


@pytest.mark.parametrize("total", [2, 3, 9], ids=["the same", "one more", "many more"])
def test_a_room_that_did_not_just_grow_is_read(environment: Environment, total: int) -> None:
    """A merge gives other numbers to what was there; another room keeps what it had."""
    recent, other = Recent(), RoomName("other")
    recent.keep({LOBBY: 1, other: 5}, [LOBBY, other], [])
    fresh = came(environment, "all")
    recent.keep({LOBBY: 2, other: 5}, [LOBBY], fresh)
    assert numbers(recent.after(LOBBY, 1, BOB)) == [2]
    recent.keep({LOBBY: total, other: 5}, [LOBBY], fresh if total == 3 else [])
    assert recent.after(LOBBY, 1, BOB) is None
    assert recent.after(other, 5, BOB) == []


def test_a_room_is_known_without_reading_as_long_as_it_is_there(environment: Environment) -> None:
    """By its name or as the own one; a name that can be none is refused."""
    recent = Recent()
    recent.keep({LOBBY: 1}, [LOBBY], [])
    assert (recent.room("lobby"), recent.room("other"), recent.room(None)) == (LOBBY, None, None)
    recent.own_room = LOBBY
    assert recent.room(None) == LOBBY
    recent.keep({}, [], [])
    assert recent.room("lobby") is None
    with pytest.raises(UserError):
        recent.room("a b")
