"""What REST tells and lets do by whose credentials a request has, over the application in this process."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from gitchat.model.attachment import File
from gitchat.model.record import Draft
from gitchat.presence.holding import Holding
from gitchat.serve.contract import ROOT
from gitchat.serve.settings import Settings
from gitchat.verbs.room import Room
from tests.serve.serving import in_process
from tests.serve.test_rest import ok
from tests.world import World

Header = dict[str, str]


@pytest.fixture(scope="module")
def tokens(shared_world: World) -> SimpleNamespace:
    """Headers of a token each: of a name, of any name, of one room, of a guest, of an admin."""
    cwd = shared_world.root / "repo"
    shared_world.git("config", "chat.maxAttachment", "4m", cwd=cwd)

    def header(*options: str) -> Header:
        secret = shared_world.chat("token", "add", *options, cwd=cwd, check=True).stdout.strip()
        return {"Authorization": f"Bearer {secret}"}

    return SimpleNamespace(
        scribe=header("scribe"),
        anybody=header("gateway", "--any-name"),
        narrow=header("narrow", "--room", "open-house"),
        guest=header("visitor", "--guest"),
        admin=header("warden", "--admin"),
    )


@pytest.fixture(scope="module")
def client(shared_world: World, tokens: SimpleNamespace) -> Iterator[TestClient]:
    """A server that wants a token from everybody, with a room for all and one that is nobody else's business."""
    environment = shared_world.environment(shared_world.root / "repo")
    for room in ("open-house", "closet"):
        Room(environment, room, "alice").send(f"the password of the {room}")
    with in_process(environment, Settings(rate=100_000, token_always=True)) as made:
        yield made


def test_a_token_acts_under_its_name_alone(client: TestClient, tokens: SimpleNamespace) -> None:
    """And need not say it; one of any name has to."""
    path = f"{ROOT}/rooms/lobby/messages"
    assert ok(client.post(path, json={"content": "x"}, headers=tokens.scribe))["from"] == "scribe"
    refused = client.post(path, json={"content": "x", "as": "alice"}, headers=tokens.scribe)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-your-name")
    assert client.get(f"{ROOT}/messages?agent_id=alice", headers=tokens.scribe).status_code == 403
    assert client.delete(f"{ROOT}/agents/alice", headers=tokens.scribe).status_code == 403
    unnamed = client.post(path, json={"content": "x"}, headers=tokens.anybody)
    assert (unnamed.status_code, unnamed.json()["code"]) == (400, "no-name")
    assert ok(client.post(path, json={"content": "x", "as": "bob"}, headers=tokens.anybody))["from"] == "bob"
    assert client.post(path, json={"content": "x"}).status_code == 401


def test_a_session_is_whole_for_its_owner_and_admins_alone(client: TestClient, tokens: SimpleNamespace) -> None:
    """Others see how it begins. Who joined by one token is not for another."""
    mine = {"agent_id": "scribe", "session_id": "0123456789abcdef"}
    ok(client.post(f"{ROOT}/agents/register", json=mine, headers=tokens.scribe))
    for header, told in [
        (tokens.scribe, mine["session_id"]),
        (tokens.admin, mine["session_id"]),
        (tokens.anybody, "01234567"),
        (tokens.guest, "01234567"),
    ]:
        agents = ok(client.get(f"{ROOT}/agents", headers=header))["agents"]
        assert [one["session_id"] for one in agents if one["agent_id"] == "scribe"] == [told]
    stolen = {"from": "scribe", "to": "ALL", "message": "x"}
    refused = client.post(f"{ROOT}/messages", json=stolen, headers=tokens.anybody)
    assert (refused.status_code, refused.json()["code"]) == (409, "name-held")
    refused = client.post(f"{ROOT}/agents/register", json=mine, headers=tokens.anybody)
    assert (refused.status_code, refused.json()["code"]) == (409, "name-held")


def test_a_token_of_a_room_sees_no_other(client: TestClient, tokens: SimpleNamespace) -> None:
    """Neither in a list nor in a search nor in an error; nor can it begin one."""
    listed = ok(client.get(f"{ROOT}/rooms", headers=tokens.narrow))["rooms"]
    assert [one["room"] for one in listed] == ["open-house"]
    found = ok(client.get(f"{ROOT}/search?q=password", headers=tokens.narrow))["found"]
    assert [one["room"] for one in found] == ["open-house"]
    asked = [
        client.get(f"{ROOT}/{path}", headers=tokens.narrow)
        for path in ("rooms/closet", "rooms/closet/messages", "rooms/closet/messages/1", "messages?room=closet",
                     "agents?room=closet", "search?q=password&room=closet", "messages", "rooms/nowhere")
    ]  # fmt: skip
    asked.append(client.put(f"{ROOT}/rooms/cellar", json={"title": "mine"}, headers=tokens.narrow))
    asked.append(client.post(f"{ROOT}/rooms/closet/messages", json={"content": "x"}, headers=tokens.narrow))
    asked.append(client.get(f"{ROOT}/messages?room=closet&since_id=0&wait=60", headers=tokens.narrow))
    assert {(one.status_code, one.json()["code"]) for one in asked} == {(404, "no-such-room")}
    assert all("closet" not in one.text.replace("room 'closet'", "").replace("rooms/closet", "") for one in asked)


def test_a_guest_reads_and_nothing_more(client: TestClient, tokens: SimpleNamespace, shared_world: World) -> None:
    """It is told of nobody how far they have read, and gets no large file."""
    chat = Room(shared_world.environment(shared_world.root / "repo"), "open-house", "alice")
    files = (File("small.txt", b"x"), File("large.bin", b"x" * (1024 * 1024 + 1)))
    number = chat.writer.send(Draft(body="files", files=files), chat.identity).entry.number
    ok(client.put(f"{ROOT}/rooms/open-house/cursor", json={"upto": 1}, headers=tokens.scribe))
    house = f"{ROOT}/rooms/open-house"
    people = ok(client.get(house, headers=tokens.guest))["people"]
    assert people
    assert not any({"read_upto", "unread"} & one.keys() for one in people)
    assert "read_by" not in ok(client.get(f"{house}/messages/1", headers=tokens.guest))
    assert client.get(f"{house}/messages/{number}/attachments/small.txt", headers=tokens.guest).content == b"x"
    refused = [
        client.get(f"{house}/messages/{number}/attachments/large.bin", headers=tokens.guest),
        client.get(f"{house}?as=alice", headers=tokens.guest),
        client.get(f"{ROOT}/messages?agent_id=alice&unread=true", headers=tokens.guest),
        client.put(f"{house}/cursor", json={"as": "alice", "upto": 1}, headers=tokens.guest),
    ]
    assert {(one.status_code, one.json()["code"]) for one in refused} == {(403, "guest")}
    large = client.get(f"{house}/messages/{number}/attachments/large.bin", headers=tokens.scribe)
    assert len(large.content) == 1024 * 1024 + 1


def test_nothing_tells_where_the_server_is(client: TestClient, tokens: SimpleNamespace, shared_world: World) -> None:
    """No path, no process, no address of anybody, in whatever is asked; nor in what is refused."""
    held = Holding()
    environment = shared_world.environment(shared_world.root / "repo").holding(held)
    try:
        chat = Room(environment, "open-house", "settled")
        chat.join("review")
        chat.send("here")
        paths = ["rooms", "rooms/open-house", "rooms/open-house/messages", "rooms/open-house/messages/1", "agents",
                 "agents?room=open-house", "messages?room=open-house", "search?q=password"]  # fmt: skip
        told = [client.get(f"{ROOT}/{path}", headers=tokens.scribe) for path in paths]
        assert {one.status_code for one in told} == {200}
        taken = {"agent_id": "settled", "session_id": "x", "room": "open-house"}
        told.append(client.post(f"{ROOT}/agents/register", json=taken, headers=tokens.anybody))
        told.append(client.post(f"{ROOT}/messages", json={"from": "settled", "to": "ALL", "message": "x"},
                                headers=tokens.anybody))  # fmt: skip
        assert {one.json()["code"] for one in told[-2:]} <= {"name-taken", "name-held"}
        text = "\n".join(one.text for one in told)
        for secret in (str(shared_world.root), "alice@example.com", '"pid"', '"host"', '"worktree"', "process "):
            assert secret not in text, secret
    finally:
        held.release()
