"""Every wrong request is answered with a sentence, a hint and a code, and with the status of that code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from gitchat.serve.contract import OPERATIONS, ROOT
from gitchat.serve.fields import wanted

AGENT = {"agent_id": "alice", "session_id": "s"}
SENT = {"from": "bob", "to": "ALL", "message": "hello"}
SAID = {"as": "bob", "content": "hello"}
LOBBY = "rooms/lobby"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "agents/register", {"session_id": "s"}, 400, "bad-argument"),
        ("POST", "agents/register", {"agent_id": "alice"}, 400, "bad-argument"),
        ("POST", "agents/register", AGENT | {"agent_id": "a b"}, 400, "bad-name"),
        ("POST", "agents/register", AGENT | {"agent_id": "all"}, 400, "reserved-name"),
        ("POST", "agents/register", AGENT | {"agent_id": "x" * 65}, 400, "bad-argument"),
        ("POST", "agents/register", AGENT | {"agent_id": ["a"]}, 400, "bad-argument"),
        ("POST", "agents/register", AGENT | {"name": ""}, 400, "bad-argument"),
        ("POST", "agents/register", AGENT | {"capabilities": "x"}, 400, "bad-argument"),
        ("POST", "agents/register", AGENT | {"capabilities": ["x"] * 17}, 400, "bad-argument"),
        ("POST", "agents/register", AGENT | {"capabilities": ["\n"]}, 400, "bad-capability"),
        ("POST", "agents/register", AGENT | {"role": "\x07"}, 400, "bad-role"),
        ("POST", "agents/register", AGENT | {"room": "nowhere"}, 404, "no-such-room"),
        ("POST", "messages", {"to": "ALL", "message": "x"}, 400, "bad-argument"),
        ("POST", "messages", {"from": "bob", "message": "x"}, 400, "bad-argument"),
        ("POST", "messages", {"from": "bob", "to": "ALL"}, 400, "bad-argument"),
        ("POST", "messages", SENT | {"from": "bob/../x"}, 400, "bad-name"),
        ("POST", "messages", SENT | {"to": "no such name"}, 400, "bad-name"),
        ("POST", "messages", SENT | {"to": {}}, 400, "bad-argument"),
        ("POST", "messages", SENT | {"message": "  \n"}, 400, "blank-body"),
        ("POST", "messages", SENT | {"message": "a\0b"}, 400, "nul-in-body"),
        ("POST", "messages", SENT | {"message": "x" * 70_000}, 413, "body-too-long"),
        ("POST", "messages", SENT | {"type": "two words"}, 400, "bad-name"),
        ("POST", "messages", SENT | {"priority": "high"}, 400, "bad-argument"),
        ("POST", "messages", SENT | {"reply_to": 9999}, 404, "no-such-record"),
        ("POST", "messages", SENT | {"reply_to": "~zzzzzz"}, 404, "no-such-record"),
        ("POST", "messages", SENT | {"reply_to": "soon"}, 400, "bad-number"),
        ("POST", "messages", SENT | {"room": "nowhere"}, 404, "no-such-room"),
        ("POST", "messages/read", {"agent_id": "bob", "upto": 9999}, 400, "bad-number"),
        ("POST", "messages/read", {"agent_id": "bob"}, 400, "bad-argument"),
        ("GET", "messages?limit=0", None, 400, "bad-argument"),
        ("GET", "messages?limit=101", None, 400, "bad-argument"),
        ("GET", "messages?limit=ten", None, 400, "bad-argument"),
        ("GET", "messages?since_id=-1", None, 400, "bad-argument"),
        ("GET", "messages?unread=true", None, 400, "bad-argument"),
        ("GET", "messages?agent_id=bob&unread=true&since_id=1", None, 400, "bad-argument"),
        ("GET", "messages?wait=5", None, 400, "bad-argument"),
        ("GET", "messages?agent_id=a&since_id=0&wait=inf", None, 400, "bad-argument"),
        ("GET", "messages?agent_id=%00", None, 400, "bad-name"),
        ("GET", "messages?room=nowhere", None, 404, "no-such-room"),
        ("GET", "agents?status=busy", None, 400, "bad-argument"),
        ("GET", "agents?room=nowhere", None, 404, "no-such-room"),
        ("DELETE", "agents/system", None, 400, "reserved-name"),
        ("GET", "rooms/nowhere", None, 404, "no-such-room"),
        ("GET", "rooms/nowhere/messages", None, 404, "no-such-room"),
        ("GET", f"{LOBBY}/messages?before=1&after=1", None, 400, "bad-argument"),
        ("GET", f"{LOBBY}/messages?thread=9999", None, 404, "no-such-record"),
        ("GET", f"{LOBBY}/messages/9999", None, 404, "no-such-record"),
        ("GET", f"{LOBBY}/messages/soon", None, 400, "bad-number"),
        ("GET", f"{LOBBY}/messages/1/attachments/none.txt", None, 404, "no-such-file"),
        ("GET", f"{LOBBY}/messages/1/attachments/..%2f..%2fconfig", None, 404, "no-such-path"),
        ("POST", f"{LOBBY}/messages", {"content": "x"}, 400, "no-name"),
        ("POST", f"{LOBBY}/messages", {"as": "bob"}, 400, "bad-argument"),
        ("POST", "rooms/nowhere/messages", SAID, 404, "no-such-room"),
        ("PUT", LOBBY, {"as": "bob"}, 400, "bad-argument"),
        ("PUT", LOBBY, {"as": "bob", "state": "shut"}, 400, "bad-argument"),
        ("PUT", LOBBY, {"as": "bob", "title": "two\nlines"}, 400, "bad-title"),
        ("PUT", "rooms/..", {"as": "bob", "title": "x"}, 404, "no-such-path"),
        ("PUT", f"{LOBBY}/cursor", {"as": "bob"}, 400, "bad-argument"),
        ("PUT", f"{LOBBY}/cursor", {"as": "bob", "upto": 9999}, 400, "bad-number"),
        ("PUT", f"{LOBBY}/cursor", {"as": "bob", "ids": [9999]}, 404, "no-such-record"),
        ("POST", f"{LOBBY}/summaries", {"as": "bob", "content": " "}, 400, "blank-body"),
        ("POST", f"{LOBBY}/summaries", {"as": "bob", "content": "x", "scope": "a\nb"}, 400, "bad-scope"),
        ("GET", "search", None, 400, "bad-argument"),
        ("GET", "search?q=...", None, 400, "no-words"),
        ("GET", "search?q=x&room=nowhere", None, 404, "no-such-room"),
        ("GET", "nothing", None, 404, "no-such-path"),
        ("DELETE", "messages", None, 405, "bad-method"),
        ("PATCH", LOBBY, None, 405, "bad-method"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused(
    client: TestClient, method: str, path: str, body: Any, status: int, code: str
) -> None:
    """With the status of its code, and three fields of text; nothing of it is a defect of ours."""
    answer = client.request(method, f"{ROOT}/{path}", **({} if body is None else {"json": body}))
    told = answer.json()
    assert (answer.status_code, told["code"], told["success"]) == (status, code, False), told
    assert told["error"]
    assert told["hint"]


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"from=bob", "application/x-www-form-urlencoded", 415, "bad-content-type"),
        (json.dumps(SENT).encode(), "text/plain", 415, "bad-content-type"),
        (b"{", "application/json", 400, "bad-json"),
        (b"[]", "application/json", 400, "bad-json"),
        (b"\xff{}", "application/json", 400, "bad-json"),
        (b"", "application/json", 400, "bad-json"),
        (b"[" * 100_000, "application/json", 400, "bad-json"),
        (b'{"from": "bob", "to": "ALL", "message": ' + b"[" * 5000 + b"]" * 5000 + b"}", "application/json", 400, None),
        (b'{"from": "bob", "to": "ALL", "message": NaN}', "application/json", 400, None),
        (b'{"from": "bob", "to": "ALL", "message": "\\ud800"}', "application/json", 400, "bad-argument"),
        (b'{"from": "bob", "to": "ALL", "message": {"a": ["\\udfff"]}}', "application/json", 400, "bad-argument"),
    ],
)
def test_a_body_that_is_no_object_of_json_is_refused(
    client: TestClient, content: bytes, kind: str, status: int, code: str | None
) -> None:
    """Whatever else its bytes are."""
    answer = client.post(f"{ROOT}/messages", content=content, headers={"Content-Type": kind})
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code or told["code"]), told
    assert told["hint"]


def test_a_closed_room_takes_nothing(client: TestClient) -> None:
    """And says so, until it is open again."""
    room = f"{ROOT}/rooms/shut"
    assert client.put(room, json={"as": "bob", "state": "open"}).json()["status"] == "open"
    assert client.put(room, json={"as": "bob", "state": "closed"}).json()["status"] == "closed"
    for path, body in [("messages", SAID), ("summaries", {"as": "bob", "content": "x"})]:
        answer = client.post(f"{room}/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "room-closed"), path
    assert client.put(room, json={"as": "bob", "state": "open"}).json()["status"] == "open"
    assert client.post(f"{room}/messages", json=SAID).status_code == 200


def test_a_wrong_method_is_told_all_that_are_right(client: TestClient) -> None:
    """Those of each path of the contract, in the header that RFC 9110 names."""
    by_path: dict[str, set[str]] = {}
    for one in OPERATIONS:
        by_path.setdefault(one.path, set()).add(one.method)
    for path, methods in by_path.items():
        answer = client.request("PATCH", ROOT + path.replace("{room}", "lobby").replace("{place}", "1"))
        allowed = {one.strip() for one in answer.headers["allow"].split(",")}
        assert (answer.status_code, allowed) == (405, methods | ({"HEAD"} if "GET" in methods else set())), path


def test_the_words_of_a_refusal_are_those_of_the_schema(client: TestClient) -> None:
    """What a field must be is told as its schema says it."""
    (limit,) = (field for one in OPERATIONS if one.act == "messages" for field in one.fields if field.name == "limit")
    told = client.get(f"{ROOT}/messages?limit=0").json()
    assert told["error"] == f"limit must be {wanted(limit.schema)}"
