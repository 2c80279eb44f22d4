"""Who may act as whom, and how often."""

from __future__ import annotations

import pytest

from gitchat.model.errors import UserError
from gitchat.model.names import Name, RoomName
from gitchat.serve.acting import RateLimited, as_name, refuse_unseen
from gitchat.serve.actor import Actor
from gitchat.serve.bucket import Buckets
from gitchat.serve.served import MAX_WAITING, Rates
from gitchat.serve.settings import Settings

ANA, BOB = Name("ana"), Name("bob")


@pytest.mark.parametrize(
    ("actor", "given", "acts"),
    [
        (Actor("t", ANA), None, ANA),
        (Actor("t", ANA), ANA, ANA),
        (Actor("t", ANA), BOB, "not-your-name"),
        (Actor("t"), BOB, BOB),
        (Actor("t"), None, "no-name"),
        (Actor("t", is_guest=True), BOB, "guest"),
        (Actor("t", ANA, is_guest=True), None, "guest"),
    ],
)
def test_a_request_acts_under_the_name_of_its_credentials(actor: Actor, given: Name | None, acts: str) -> None:
    """Their own where they have one, any that is named where they have none, and a guest under none."""
    if "-" not in acts and acts != "guest":
        assert as_name(actor, given) == acts
        return
    with pytest.raises(UserError) as told:
        as_name(actor, given)
    assert told.value.code == acts
    assert told.value.hint


def test_a_room_that_is_not_seen_is_not_there() -> None:
    """Who may not know of a room is told what is told of a room that does not exist, and no other names."""
    refuse_unseen(Actor("t"), RoomName("secret"))
    with pytest.raises(UserError) as told:
        refuse_unseen(Actor("t", rooms=frozenset({RoomName("open")})), RoomName("secret"))
    assert told.value.code == "no-such-room"
    assert "open" not in told.value.hint
    assert told.value.public_hint == "see which there are: GET /api/v1/rooms"


def test_a_bucket_gives_its_burst_at_once_and_then_its_pace() -> None:
    """Ten at once, the eleventh in a tenth of a second; what is refused costs nothing, and other keys do not mind."""
    buckets = Buckets(10, 10)
    assert [buckets.spend("a", 5.0) for _ in range(10)] == [0.0] * 10
    assert buckets.spend("a", 5.0) == pytest.approx(0.1)
    assert buckets.spend("a", 5.05) == pytest.approx(0.05)
    assert buckets.spend("b", 5.05) == 0.0
    assert buckets.spend("a", 5.125) == 0.0
    assert buckets.spend("a", 5.125) > 0


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    """An hour of silence gives ten at once, and not an hour's."""
    buckets = Buckets(10, 10)
    buckets.spend("a", 0.0)
    assert [buckets.spend("a", 3600.0) == 0.0 for _ in range(11)] == [True] * 10 + [False]


def test_buckets_do_not_grow_with_all_who_ever_asked() -> None:
    """Keys that are full again are forgotten."""
    buckets = Buckets(10, 10)
    for number in range(30_000):
        buckets.spend(number, number * 0.01)
    assert len(buckets) < 11_000


def test_a_name_that_asks_too_often_is_told_when_to_come_again() -> None:
    """The error has whole seconds, for Retry-After."""
    rates = Rates(Settings(rate=2))
    rates.spend(ANA)
    rates.spend(ANA)
    with pytest.raises(RateLimited) as told:
        rates.spend(ANA)
    assert told.value.retry_seconds == 1
    rates.spend(BOB)


def test_only_so_many_requests_of_a_name_wait() -> None:
    """The next is refused, and there is room again when one has ended."""
    rates = Rates(Settings())
    begun = [rates.waiting(ANA) for _ in range(MAX_WAITING)]
    for one in begun:
        one.__enter__()
    with pytest.raises(RateLimited), rates.waiting(ANA):
        pass
    begun[0].__exit__(None, None, None)
    with rates.waiting(ANA):
        pass
