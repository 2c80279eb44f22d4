"""The WebSocket of a participant: what it missed, what comes, and what it says itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse, WebSocketTestSession

from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment
from tests.serve.serving import in_process
from tests.world import World


@pytest.fixture
def environment(world: World) -> Environment:
    """A repository with three messages: to all, to bob, to cy."""
    world.git("init", "-q", "project")
    world.git("config", "chat.fsync", "false", cwd=world.root / "project")
    here = Environment(cwd=str(world.root / "project"), variables=world.variables, is_terminal=False)
    room = Room(here, "lobby", "ana")
    room.send("to all")
    room.send("to bob", to="bob")
    room.send("to cy", to="cy")
    return here


@pytest.fixture
def client(environment: Environment) -> Iterator[TestClient]:
    """A program of the same user."""
    with in_process(environment) as made:
        yield made


@contextmanager
def line(client: TestClient, path: str) -> Iterator[WebSocketTestSession]:
    """An open WebSocket."""
    with client.websocket_connect(f"{client.base_url}".replace("http", "ws", 1).rstrip("/") + path) as made:
        yield made


def said(socket: WebSocketTestSession, count: int) -> list[str]:
    """What the next records say."""
    return [socket.receive_json()["message"] for _ in range(count)]


def ask(socket: WebSocketTestSession, given: dict[str, Any]) -> Any:
    """What a message is answered with."""
    socket.send_json(given)
    return socket.receive_json()


def test_a_line_gives_what_is_unread_and_then_what_comes(client: TestClient, environment: Environment) -> None:
    """Each once and in order, and nothing that is for others; what was written to it counts as read."""
    with line(client, "/ws/bob") as socket:
        assert said(socket, 2) == ["to all", "to bob"]
        with line(client, "/ws/ana") as ana:
            assert ask(ana, {"to": "bob", "message": "now"}) == {"type": "sent", "message_id": 4}
            assert ask(ana, {"message": {"type": "request", "n": [1]}}) == {"type": "sent", "message_id": 5}
        frame = socket.receive_json()
        assert (frame["id"], frame["from"], frame["to"], frame["message"]) == (4, "ana", "bob", "now")
        frame = socket.receive_json()
        assert (frame["type"], frame["to"], frame["message"]) == ("request", "ALL", {"type": "request", "n": [1]})
        assert ask(socket, {"type": "ping"}) == {"type": "ack"}
    with line(client, "/ws/bob") as socket:
        assert ask(socket, {"type": "ping"}) == {"type": "ack"}
    with line(client, "/ws/bob?since_id=1") as socket:
        assert said(socket, 3) == ["to bob", "now", {"type": "request", "n": [1]}]


def test_with_acknowledgements_only_what_was_acknowledged_is_read(client: TestClient) -> None:
    """What is not acknowledged comes again, and what stands behind it does not."""
    with line(client, "/ws/bob?ack=1") as socket:
        assert said(socket, 2) == ["to all", "to bob"]
        socket.send_json({"type": "ack", "id": 2})
        assert ask(socket, {"type": "ping"}) == {"type": "ack"}
    with line(client, "/ws/bob?ack=1") as socket:
        assert said(socket, 1) == ["to all"]
        socket.send_json({"type": "ack", "id": 1})
        assert ask(socket, {"type": "ping"}) == {"type": "ack"}
    with line(client, "/ws/bob?ack=1") as socket:
        assert ask(socket, {"type": "ping"}) == {"type": "ack"}


WRONG = [
    ("no json", "bad-json"),
    ("[1]", "bad-json"),
    ('{"to": "bob"}', "bad-argument"),
    ('{"type": "ack", "id": 1, "room": 7}', "bad-argument"),
    ('{"to": 7, "message": "x"}', "bad-argument"),
    ('{"to": "bob", "message": "   "}', "blank-body"),
    ('{"to": "bob", "message": "x", "room": "none"}', "no-such-room"),
    ('{"to": "bob", "message": "x", "reply_to": 99}', "no-such-record"),
]


def test_what_a_client_says_wrongly_is_answered_and_the_line_stays(client: TestClient) -> None:
    """Each with the three fields, and afterwards it can go on; a heartbeat is answered with nothing."""
    with line(client, "/ws/ana") as socket:
        for text, code in WRONG:
            socket.send_text(text)
            answer = socket.receive_json()
            assert (answer["success"], answer["code"]) == (False, code), answer
            assert answer["error"]
            assert answer["hint"]
        socket.send_bytes(b"\x00")
        assert socket.receive_json()["code"] == "bad-json"
        socket.send_json({"type": "heartbeat"})
        assert ask(socket, {"type": "ping"}) == {"type": "ack"}


REFUSED = [
    ("/ws/-", 400, "bad-name"),
    ("/ws/bob?since_id=x", 400, "bad-argument"),
    ("/ws/bob?room=none", 404, "no-such-room"),
    ("/ws/held", 409, "name-held"),
]


def test_a_line_is_refused_before_it_opens(client: TestClient, environment: Environment) -> None:
    """With the status and the three fields of an error."""
    Room(environment, "lobby", "held").join()
    for path, status, code in REFUSED:
        with pytest.raises(WebSocketDenialResponse) as refused, line(client, path):
            pass
        assert (refused.value.status_code, refused.value.json()["code"]) == (status, code)
