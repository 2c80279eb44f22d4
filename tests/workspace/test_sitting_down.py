"""Who speaks often does not look each time whether it still has its seat; who lost it does."""

from __future__ import annotations

import pytest

from gitchat.model.names import Name, RoomName
from gitchat.model.record import Moment
from gitchat.presence.seats import Seats, Sitting
from gitchat.rooms.seat import Seat
from gitchat.workspace.seating import Seating
from tests.world import World

LOBBY, BOT = RoomName("lobby"), Name("bot")


def test_a_seat_is_looked_after_once_a_second_or_when_seats_have_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Again in the next second, when another session took the name, and when the seat was given back."""
    repository = world.repository()
    world.chat("send", "first", cwd=repository, check=True)
    world.variables["GITCHAT_SESSION"] = "one"
    seconds = 1_800_000_000
    environment = world.environment(repository, now=lambda: Moment(seconds))
    looked = 0
    sit = Seating._sit

    def count(*arguments: object, **named: object) -> None:
        nonlocal looked
        looked += 1
        sit(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Seating, "_sit", count)
    for _ in range(5):
        Seating(environment).sit_down(LOBBY, BOT)
    assert looked == 1
    assert Seat(environment.store, LOBBY, BOT).is_taken
    seconds += 1
    Seating(environment).sit_down(LOBBY, BOT)
    assert looked == 2
    with Seats(environment.repository.directory).turn() as note:
        note({BOT: Sitting("two", seconds)})
    Seating(environment).sit_down(LOBBY, BOT)
    assert looked == 3
    taken = Seats(environment.repository.directory).of(BOT)
    assert taken is not None
    assert taken.session == "one"
    Seating(environment).give_back(BOT, LOBBY)
    Seating(environment).sit_down(LOBBY, BOT)
    assert looked == 4
    assert Seat(environment.store, LOBBY, BOT).is_taken
