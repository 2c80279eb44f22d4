"""A server that is flooded by strangers, or hostile itself: it is left alone for a while, and nothing else happens."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest

from gitchat.doorbell.doorbell import Heard
from gitchat.doorbell.nats import NatsDoorbell
from gitchat.doorbell.server import NatsServer
from gitchat.model.names import RoomName, Uid
from tests.cli.programs import until
from tests.doorbell.conftest import Nats, Talker

pytestmark = pytest.mark.web

ROOM = Uid("0123456789abcdef")


def test_a_flood_ends_the_line(shared_nats: Nats) -> None:
    """Far more than clones say in a second."""
    heard: list[Heard] = []
    doorbell = NatsDoorbell(NatsServer(shared_nats.url), lambda: 0.0)
    doorbell.attend({ROOM: RoomName("lobby")})
    doorbell.listen(heard.append)
    until(lambda: doorbell.is_open)
    with Talker(shared_nats) as talker:
        for _ in range(100):
            talker.say_many(f"gitchat.v1.{ROOM}.bell", b'{"v":1,"tip":"%s"}' % (b"a" * 40), 500)
            if not doorbell.is_open:
                break
    until(lambda: not doorbell.is_open)
    assert "too much is said" in str(doorbell.trouble)
    doorbell.close()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", ""),
        (b'INFO {"max_payload":1048576}\r\nPONG\r\nPONG\r\nMSG x 1 4000000000\r\n' + b"x" * 4_000_000, "too much"),
        (b"INFO {}\r\n\xff\xfe\x00garbage\r\n", ""),
        (b"", ""),
    ],
)
def test_a_server_that_says_what_it_likes_is_given_up(said: bytes, words: str) -> None:
    """No line, a message without an end, garbage, or nothing at all: in words for doctor."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                client, _ = listening.accept()
                client.sendall(said)
                while client.recv(4096):
                    pass

        threading.Thread(target=serve, daemon=True).start()
        doorbell = NatsDoorbell(NatsServer(f"nats://127.0.0.1:{listening.getsockname()[1]}"), lambda: 0.0)
        doorbell.listen(lambda heard: None)
        until(lambda: doorbell.trouble is not None and words in doorbell.trouble)
        assert not doorbell.is_open
        doorbell.close()
