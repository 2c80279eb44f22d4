"""Waiting for somebody else to write. No waiting here ends by its own time, unless that is the rule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

import gitchat.tools as s
from gitchat import Room
from tests.verbs.tools.conftest import Peer

pytestmark = pytest.mark.usefixtures("path")

CALLS = ["s.read_unread('bob', wait_seconds=1000)", "s.check_in('bob', wait_seconds=1000)"]


@pytest.mark.parametrize("call", CALLS)
def test_a_wait_ends_when_another_process_writes(peer: Peer, call: str) -> None:
    """It returns what was written, marked, and does not say that it timed out."""
    peer.begins(call)
    peer.until_it_waits()
    s.send_message("alice", "hello")
    answer = peer.result()
    assert [message["content"] for message in answer["messages"]] == ["hello"]
    assert (list(answer), answer["last_read_id"]) == (["name", "last_read_id", "messages"], 1)


@pytest.mark.parametrize("call", CALLS)
def test_what_is_not_for_the_reader_ends_no_wait(peer: Peer, call: str) -> None:
    """Own records, and those for others: it looks, and sleeps on."""
    peer.begins(call)
    peer.until_it_waits()
    for sender, to in (("bob", "all"), ("alice", "carol")):
        s.send_message(sender, "hello", to)
        peer.until_it_waits()
    s.send_message("alice", "for bob", "bob")
    assert [message["content"] for message in peer.result()["messages"]] == ["for bob"]


@pytest.mark.parametrize("call", CALLS)
def test_what_is_unread_is_returned_without_waiting(peer: Peer, call: str) -> None:
    """Its own message comes before, and is not part of it."""
    s.send_message("bob", "mine")
    s.send_message("alice", "hello")
    assert [message["content"] for message in peer.does(call)["messages"]] == ["hello"]


def test_a_filter_waits_for_what_fits_it(peer: Peer) -> None:
    """Other types end nothing; what ended it is not marked, and it says so."""
    peer.begins("s.read_unread('bob', type='answer', wait_seconds=1000)")
    peer.until_it_waits()
    s.send_message("alice", "what?", type="question")
    peer.until_it_waits()
    s.send_message("alice", "that", type="answer")
    answer = peer.result()
    assert [message["id"] for message in answer["messages"]] == [2]
    assert (answer["last_read_id"], answer["not_marked"]) == (0, "a filtered reading marks nothing")


@pytest.mark.parametrize("call", [s.read_unread, s.check_in])
def test_a_wait_that_was_in_vain_says_so(call: Callable[..., s.Json]) -> None:
    """``timed_out``, and nothing else is new."""
    assert call("bob", wait_seconds=0.01) == {"name": "bob", "last_read_id": 0, "messages": [], "timed_out": True}
    assert "timed_out" not in call("bob")


def test_what_a_process_says_itself_does_not_end_its_check_in(new_peer: Callable[[], Peer]) -> None:
    """Two that check in with a greeting find each other's, once, and not their own."""
    first, second = new_peer(), new_peer()
    first.begins("s.check_in('bob', 'bob is here', wait_seconds=1000)")
    first.until_it_waits()
    answer = second.does("s.check_in('carol', 'carol is here', wait_seconds=1000)")
    assert [message["content"] for message in answer["messages"]] == ["bob is here"]
    assert [message["content"] for message in first.result()["messages"]] == ["carol is here"]


def test_a_watcher_sees_what_a_listing_shows() -> None:
    """Titles and states take numbers, and are passed over; by thread and by task alike."""
    s.open_room("plans", "Release 1.0")
    s.send_message("alice", "hello", "bob", room="plans")
    s.close_room("plans")
    room = Room.open(room="plans", name="carol")

    async def numbers() -> list[int | None]:
        return [entry.number async for entry in room.watch_async(after=0, timeout_seconds=0)]

    assert [entry.number for entry in room.watch(after=0, timeout_seconds=0)] == [2]
    assert asyncio.run(numbers()) == [2]
