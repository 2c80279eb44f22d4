"""Many clients in one room, each with its own server, some of them waiting all the time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cli.conftest import Chatroom
from tests.server.conftest import Start
from tests.server.wire import Json, Wire


def write(server: Wire, name: str, count: int) -> list[tuple[int, str]]:
    """Join and send so many messages; the number of each."""
    server.data("join", name=name)
    texts = [f"{name} {number}" for number in range(count)]
    return [(server.data("send_message", name=name, content=text)["id"], text) for text in texts]


def follow(server: Wire, name: str, is_over: Callable[[], bool]) -> list[Json]:
    """Join and wait for messages again and again, until nobody writes any more and nothing is left."""
    server.data("join", name=name)
    told: list[Json] = []
    while True:
        was_over = is_over()
        answer = server.data("check_in", name=name, wait_seconds=1, limit=100)
        told += answer["messages"]
        if was_over and not answer["messages"]:
            return told


@pytest.mark.parametrize(
    ("writers", "messages", "readers"), [(3, 20, 1), pytest.param(8, 30, 3, marks=pytest.mark.slow)]
)
def test_everybody_gets_every_message_once_and_in_order(
    chatroom: Chatroom, start: Start, writers: int, messages: int, readers: int
) -> None:
    """Whoever waits while many write gets all that was acknowledged, each once, in the order of the numbers."""
    servers = [start("--json") for _ in range(writers + readers)]
    over = threading.Event()
    with ThreadPoolExecutor(writers + readers) as clients:
        following = [
            clients.submit(follow, server, f"reader-{place}", over.is_set)
            for place, server in enumerate(servers[writers:])
        ]
        try:
            writing = [
                clients.submit(write, server, f"writer-{place}", messages)
                for place, server in enumerate(servers[:writers])
            ]
            sent = sorted(one for future in writing for one in future.result())
        finally:
            over.set()
        told = [[(one["id"], one["content"]) for one in future.result()] for future in following]
    assert [number for number, _ in sent] == list(range(1, writers * messages + 1))
    assert told == [sent] * readers
    # The writers read as well, when they come to it: all but their own.
    for place, server in enumerate(servers[:writers]):
        others = [one for one in sent if not one[1].startswith(f"writer-{place} ")]
        assert rest(server, f"writer-{place}") == others
    assert chatroom.chat("verify").returncode == 0


def rest(server: Wire, name: str) -> list[tuple[int, str]]:
    """All that is unread, in as many calls as it takes."""
    told: list[tuple[int, str]] = []
    while messages := server.data("check_in", name=name, limit=100)["messages"]:
        told += [(one["id"], one["content"]) for one in messages]
    return told
