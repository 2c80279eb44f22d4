"""REST as the seed has it, over the application in this process.

One repository serves the whole module: each test has rooms and names of its own.
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from gitchat.model.names import Name
from gitchat.presence.holding import Holding
from gitchat.presence.livefile import LiveFile
from gitchat.serve.served import MAX_WAITING
from gitchat.serve.settings import Settings
from gitchat.serve.worker import Worker
from gitchat.verbs.room import Room
from tests.cli.programs import until
from tests.serve.serving import in_process, serving
from tests.world import World

API = "/api/v1"

BETA = {"agent_id": "beta-01TYEi4M", "session_id": "01TYEi4Mjf2Tft2SWjjVtdQ3", "name": "Beta",
        "capabilities": ["detection", "analysis"]}  # fmt: skip
ALPHA = {"agent_id": "alpha-01RXGe86", "session_id": "01RXGe86WesQ8yxBsVwvKvdc", "name": "Alpha"}


def ok(response: Any) -> dict[str, Any]:
    """What was answered, which is no error."""
    assert response.status_code == 200, response.text
    answered: dict[str, Any] = response.json()
    return answered


def begin(client: TestClient, room: str) -> str:
    """A new room, empty but for the record that it has a title."""
    ok(client.put(f"{API}/rooms/{room}", json={"as": "opener", "title": "a room of a test"}))
    return room


def send(client: TestClient, **message: Any) -> dict[str, Any]:
    """A message of ``sender`` to everybody, unless said otherwise."""
    return ok(client.post(f"{API}/messages", json={"from": "sender", "to": "ALL", "message": "hello"} | message))


def active(client: TestClient, room: str) -> list[dict[str, Any]]:
    """The agents that are here."""
    found: list[dict[str, Any]] = ok(client.get(f"{API}/agents", params={"room": room, "status": "active"}))["agents"]
    return found


def fetched(client: TestClient, **query: Any) -> dict[str, Any]:
    """What GET messages answers."""
    return ok(client.get(f"{API}/messages", params=query))


def ids(answered: dict[str, Any]) -> list[int]:
    """The numbers of the messages."""
    return [one["id"] for one in answered["messages"]]


# --- agents ------------------------------------------------------------------------------


def test_two_agents_meet_and_talk(client: TestClient) -> None:
    """Register, peers, send, list and fetch answer with the seed's keys, and names as they were spelled."""
    assert ok(client.post(f"{API}/agents/register", json=ALPHA))["peers"] == []
    assert ok(client.post(f"{API}/agents/register", json=BETA)) == {
        "success": True,
        "agent_id": "beta-01TYEi4M",
        "websocket_url": "/ws/beta-01TYEi4M",
        "peers": [{"agent_id": "alpha-01RXGe86", "name": "Alpha", "status": "active"}],
    }
    sent = {"from": "beta-01TYEi4M", "to": "alpha-01RXGe86", "message": "Hello Alpha!"}
    stored = ok(client.post(f"{API}/messages", json=sent))
    assert stored == {"success": True, "message_id": stored["message_id"], "timestamp": stored["timestamp"]}
    listed = ok(client.get(f"{API}/agents"))
    (beta,) = [one for one in listed["agents"] if one["name"] == "Beta"]
    assert beta == {
        "agent_id": "beta-01TYEi4M", "session_id": BETA["session_id"], "name": "Beta", "status": "active",
        "capabilities": ["detection", "analysis"], "last_heartbeat": beta["last_heartbeat"], "role": "general",
    }  # fmt: skip
    (found,) = fetched(client, agent_id="ALPHA-01RXGe86", limit=1)["messages"]
    assert found == {
        "id": stored["message_id"], "type": "message", "from": "beta-01TYEi4M", "to": "alpha-01RXGe86",
        "message": "Hello Alpha!", "timestamp": stored["timestamp"], "room": "lobby",
    }  # fmt: skip


def test_who_registers_is_told_its_peers_without_a_look_into_each_file(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a thousand who come cost a thousand times one."""
    opened: list[str] = []
    open_file = LiveFile.__init__

    def counted(file: LiveFile, directory: Path, name: Name, flags: int) -> None:
        opened.append(name)
        open_file(file, directory, name, flags)

    def register(number: int) -> list[str]:
        opened.clear()
        given = {"agent_id": f"peer{number}", "session_id": f"s{number}", "room": room}
        peers = ok(client.post(f"{API}/agents/register", json=given))["peers"]
        assert [one["agent_id"] for one in peers] == [f"peer{one}" for one in range(number)]
        return [name for name in opened if name.startswith("peer") and name != f"peer{number}"]

    room = begin(client, "peers")
    monkeypatch.setattr(LiveFile, "__init__", counted)
    assert [register(number) for number in range(6)] == [[]] * 6


def test_one_name_is_one_agent_of_one_session(client: TestClient) -> None:
    """In any spelling; again with the same session it is refreshed, with another it is refused while it lives."""
    room = begin(client, "one-name")
    mine = {"agent_id": "Gamma", "session_id": "one", "room": room}
    assert ok(client.post(f"{API}/agents/register", json=mine))["agent_id"] == "Gamma"
    again = ok(client.post(f"{API}/agents/register", json=mine | {"agent_id": "gamma", "name": "G"}))
    assert (again["success"], again["peers"]) == (True, [])
    refused = client.post(f"{API}/agents/register", json=mine | {"agent_id": "GAMMA", "session_id": "two"})
    assert (refused.status_code, refused.json()["code"]) == (409, "name-taken")
    (gamma,) = ok(client.get(f"{API}/agents", params={"room": room}))["agents"]
    assert gamma["name"] == "G"


def test_who_lives_elsewhere_is_no_agent_of_ours(client: TestClient, shared_world: World) -> None:
    """A name that another process lives under is refused, and listed as active."""
    room = begin(client, "elsewhere")
    held = Holding()
    try:
        environment = shared_world.environment(shared_world.root / "repo").holding(held)
        Room(environment, room, "delta").join("review")
        for path, body in [
            ("agents/register", {"agent_id": "Delta", "session_id": "x", "room": room}),
            ("messages", {"from": "delta", "to": "ALL", "message": "as somebody else", "room": room}),
            ("messages/read", {"agent_id": "delta", "upto": 1, "room": room}),
        ]:
            refused = client.post(f"{API}/{path}", json=body)
            assert (refused.status_code, refused.json()["code"]) in [(409, "name-taken"), (409, "name-held")], path
        agents: list[dict[str, Any]] = []
        until(lambda: agents.extend(active(client, room)) or agents != [])  # others are looked for once a second
        (delta,) = agents
        assert (delta["agent_id"], delta["session_id"], delta["role"]) == ("delta", None, "review")
    finally:
        held.release()


def test_who_leaves_is_listed_no_more(client: TestClient) -> None:
    """It is told which rooms it has left; again there is nothing to leave."""
    room = begin(client, "leaving")
    ok(client.post(f"{API}/agents/register", json={"agent_id": "Eps", "session_id": "x", "room": room}))
    left = {"success": True, "agent_id": "Eps", "left": [room]}
    assert ok(client.delete(f"{API}/agents/eps")) == left
    assert ok(client.get(f"{API}/agents", params={"room": room})) == {"agents": [], "total": 0}
    assert ok(client.delete(f"{API}/agents/eps"))["left"] == []
    assert fetched(client, room=room)["messages"][-1]["message"] == "eps left the chatroom"


# --- sending -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"message": {"type": "task_proposal", "files": ["a.py"]}}, {"type": "task_proposal", "to": "ALL"}),
        ({"message": {"type": "ack"}, "to": "zeta"}, {"type": "ack"}),
        ({"message": {"type": "Not a slug"}}, {"type": "Not a slug"}),
        ({"message": "hi", "type": "question"}, {"type": "question"}),
        ({"message": None}, {"message": None, "type": "broadcast"}),
        ({"message": 7.5}, {"message": 7.5}),
        ({"message": [False, "x"]}, {"message": [False, "x"]}),
        ({"message": "\u202e hidden"}, {"message": "\u202e hidden"}),
        ({"to": "all"}, {"to": "ALL"}),
        ({"to": ["Zeta", "role:Review"]}, {"to": ["zeta", "role:review"], "type": "message"}),
        ({"to": ["zeta", "All"]}, {"to": "ALL"}),
        ({"priority": "urgent"}, {"priority": "urgent"}),
    ],
)
def test_what_is_sent_comes_back_as_it_was(client: TestClient, message: dict[str, Any], told: dict[str, Any]) -> None:
    """Types of the seed go through as they are, and so does any JSON value."""
    stored = send(client, **message)
    found = fetched(client)["messages"][-1]
    assert {key: found[key] for key in ("id", *told)} == {"id": stored["message_id"]} | told


def test_the_type_of_a_message_is_that_of_its_record(client: TestClient, shared_world: World) -> None:
    """So that an ack wakes nobody; one that can be no type stays in the message alone."""
    chat = Room(shared_world.environment(shared_world.root / "repo"))
    for message, stored in [({"type": "ack"}, "ack"), ({"type": "Not a slug"}, None), ({"type": 7}, None)]:
        number = send(client, message=message)["message_id"]
        assert chat.find(number).record.type == stored


def test_a_heartbeat_is_never_stored(client: TestClient) -> None:
    """It is answered, without a number."""
    newest = ids(fetched(client))[-1]
    for message in [{"message": {"type": "heartbeat"}}, {"message": "", "type": "heartbeat"}]:
        assert send(client, **message)["message_id"] is None
    assert ids(fetched(client))[-1] == newest


def test_a_key_makes_a_message_one(client: TestClient) -> None:
    """Sent again it adds nothing; another text under the same key is refused."""
    first = send(client, key="mine")
    assert send(client, key="mine") == first
    refused = client.post(f"{API}/messages", json={"from": "sender", "to": "ALL", "message": "other", "key": "mine"})
    assert (refused.status_code, refused.json()["code"]) == (409, "key-conflict")


def test_an_answer_names_what_it_answers(client: TestClient) -> None:
    """By its number."""
    asked = send(client)["message_id"]
    send(client, reply_to=asked)
    assert fetched(client)["messages"][-1]["reply_to"] == asked


# --- fetching ----------------------------------------------------------------------------


def test_messages_are_what_reaches_an_agent(client: TestClient) -> None:
    """By name, role or as all; not what it said itself; the newest, or the oldest after a number."""
    room = begin(client, "reaching")
    ok(client.post(f"{API}/agents/register", json={"agent_id": "Eta", "session_id": "x", "role": "qa", "room": room}))
    numbers = [send(client, room=room, **one)["message_id"] for one in [
        {"to": "ALL"}, {"to": "eta"}, {"to": "theta"}, {"to": "role:qa"}, {"to": "ALL", "from": "eta"}, {"to": "ALL"},
    ]]  # fmt: skip
    reached = [numbers[0], numbers[1], numbers[3], numbers[5]]
    assert ids(fetched(client, agent_id="eta", room=room)) == reached
    assert ids(fetched(client, room=room)) == numbers
    newest = fetched(client, agent_id="eta", room=room, limit=2)
    assert (ids(newest), newest["total"], newest.get("more")) == (reached[2:], 2, None)
    oldest = fetched(client, agent_id="eta", room=room, limit=2, since_id=numbers[0])
    assert (ids(oldest), oldest["more"]) == (reached[1:3], 1)
    assert fetched(client, room=room, since_id=2**53 - 1) == {"messages": [], "total": 0}


def test_what_is_unread_stays_so_until_it_is_marked(client: TestClient) -> None:
    """A GET changes nothing; marking goes up to a number."""
    room = begin(client, "unread")
    first, second = (send(client, room=room)["message_id"] for _ in range(2))
    for _ in range(2):
        assert ids(fetched(client, agent_id="iota", unread=True, room=room)) == [first, second]
    marked = ok(client.post(f"{API}/messages/read", json={"agent_id": "Iota", "upto": first, "room": room}))
    assert marked == {"success": True, "agent_id": "iota", "last_read_id": first}
    assert ids(fetched(client, agent_id="iota", unread=True, room=room)) == [second]


def test_a_request_waits_until_something_comes(client: TestClient) -> None:
    """And answers with it; what is there already it answers at once, and without anything when the time is up."""
    room = begin(client, "waiting")
    newest = send(client, room=room)["message_id"]
    waits = {"agent_id": "kappa", "since_id": newest, "room": room}
    assert fetched(client, **waits, wait=0.01) == {"messages": [], "total": 0, "timed_out": True}
    answered: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: answered.append(fetched(client, **waits, wait=60)))
    waiting.start()
    send(client, room=room, to="somebody-else")
    sent = send(client, room=room, to="kappa", message={"type": "task_accept"})
    waiting.join(60)
    (came,) = answered
    assert (ids(came), came["total"], came["messages"][0]["type"]) == ([sent["message_id"]], 1, "task_accept")
    assert ids(fetched(client, **waits, wait=60)) == [sent["message_id"]]
    assert ids(fetched(client, agent_id="kappa", room=room, unread=True, wait=60))[-1] == sent["message_id"]


def test_who_waits_again_a_moment_too_late_causes_no_reading(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came meanwhile is at hand, as the waiting one would have got it; and nothing came for another."""
    room = begin(client, "too-late")
    newest = send(client, room=room)["message_id"]
    missed = [send(client, room=room, to=to)["message_id"] for to in ("kappa", "somebody-else", "ALL")]
    waits = {"agent_id": "kappa", "since_id": newest, "room": room}
    until(lambda: ids(fetched(client, **waits, wait=60)) == [missed[0], missed[2]])
    plain = fetched(client, **waits)
    monkeypatch.setattr(Worker, "act", None)
    late = fetched(client, **waits, wait=60)
    assert (late, ids(late)) == (plain, [missed[0], missed[2]])
    assert fetched(client, **waits, wait=60, limit=1) | {"messages": []} == {"messages": [], "total": 1, "more": 1}
    assert fetched(client, **waits | {"since_id": missed[2]}, wait=0.01)["timed_out"]


def test_an_agent_asks_as_often_as_it_may_and_no_more(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name has its own share, whatever it asks; the answer says when there may be one more."""
    monkeypatch.setattr("gitchat.serve.served.time", SimpleNamespace(monotonic=lambda: 0.0))  # it stands still
    settings = Settings(rate=2)
    with in_process(shared_world.environment(shared_world.root / "repo"), settings) as client:
        asked = [
            client.get(f"{API}/messages?agent_id=often"),
            client.post(f"{API}/messages", json={"from": "often", "to": "ALL", "message": "x"}),
            client.get(f"{API}/messages?agent_id=often"),
        ]
        assert [one.status_code for one in asked] == [200, 200, 429]
        assert (asked[-1].json()["code"], asked[-1].headers["retry-after"]) == ("rate-limited", "1")
        assert client.get(f"{API}/messages?agent_id=seldom").status_code == 200


def test_what_waits_for_its_number_has_a_handle(world: World) -> None:
    """Which goes wherever a number goes; it comes again until it has one."""
    repository, hub = world.repository(), world.root / "hub.git"
    world.git("init", "-q", "--bare", hub)
    world.git("remote", "add", "origin", hub, cwd=repository)
    world.chat("send", "--as", "alice", "first", cwd=repository, check=True)
    world.chat("sync", "origin", cwd=repository, check=True)
    world.git("config", "chat.sync", "manual", cwd=repository)
    with in_process(world.environment(repository)) as client:
        sent = send(client)
        assert (sent["message_id"], sent["handle"][0]) == (None, "~")
        (pending,) = fetched(client, agent_id="mu", since_id=1)["messages"]
        assert (pending["id"], pending["handle"], pending["message"]) == (None, sent["handle"], "hello")
        answer = send(client, reply_to=sent["handle"], to="mu")
        assert fetched(client, agent_id="mu")["messages"][-1]["reply_to"] == sent["handle"]
        fetched(client, agent_id="mu", since_id=1, wait=60)  # who asks just when they come gets them at once
        began = monotonic()
        waited = fetched(client, agent_id="mu", since_id=1, wait=60)["messages"]
        assert [one["handle"] for one in waited] == [sent["handle"], answer["handle"]]
        assert 1 <= monotonic() - began < 30  # held a little, so that asking again is no busy loop
        ok(client.post(f"{API}/messages/read", json={"agent_id": "mu", "upto": sent["handle"]}))
        assert [one["handle"] for one in fetched(client, agent_id="mu", unread=True)["messages"]] == [answer["handle"]]
        shown = ok(client.get(f"{API}/rooms/lobby/messages", params={"as": "mu"}))
        assert (shown["first_unread_id"], shown["latest_id"]) == (answer["handle"], 1)
        marked = ok(client.put(f"{API}/rooms/lobby/cursor", json={"as": "mu", "ids": [answer["handle"]]}))
        assert (marked["first_unread_id"], marked["unread"]) == (None, 0)
        world.chat("sync", "origin", cwd=repository, check=True)
        assert ids(fetched(client, agent_id="mu", since_id=1)) == [2, 3]


def test_who_hangs_up_waits_no_more(world: World) -> None:
    """So that a name whose requests were cut off, all that it may have at once, can wait again."""
    repository = world.repository()
    world.git("config", "chat.serveRate", "100000", cwd=repository)
    path = f"{API}/messages?agent_id=nu&since_id=0&wait="
    with serving(world, cwd=repository) as running, running.client() as client:
        address = urlsplit(running.url)
        lines = [socket.create_connection((address.hostname, address.port)) for _ in range(MAX_WAITING)]
        for line in lines:
            line.sendall(f"GET {path}600 HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        until(lambda: client.get(f"{path}0.01").status_code == 429)
        for line in lines:
            line.close()
        until(lambda: client.get(f"{path}0.01").status_code == 200)
