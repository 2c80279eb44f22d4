"""Every way to a write, and that none takes what looks like a secret.

Each text that a tool, a request or a frame takes is given a made-up key of its own, once where the repository lets it
pass and once where it does not. What is found in the repository the first time is a way: it has to be in the list here,
and none of them may be open the second time. A way that is new fails until somebody has looked at it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitchat.serve.contract import OPERATIONS, ROOT
from gitchat.server.toolset import AGENTS, COLLABORATION, GITCHAT, toolset_of
from tests.serve.serving import in_process
from tests.server.connection import Connection, Server
from tests.world import World

Json = dict[str, Any]

TOOLS: dict[str, set[str]] = {
    GITCHAT: {
        "check_in content", "check_in name", "claim name", "claim what", "claim content", "claim room",
        "get_cursor name", "get_handoff name", "join name",
        "join role", "join room", "list_rooms name", "open_room room", "open_room title", "read_unread name",
        "send_message at", "send_message choices", "send_message content", "send_message name",
        "send_message room", "send_message to", "send_message type",
        "write_summary content", "write_summary name", "write_summary room", "write_summary scope",
    },
    COLLABORATION: {
        "check_in body", "create_topic topic", "join_topic agent_name", "join_topic topic", "send_message body",
    },
    AGENTS: {
        "agent_broadcast message", "agent_dm message", "agent_dm name", "agent_register name", "channel_send channel",
        "channel_send message", "channel_send name",
    },
}  # fmt: skip
"""The texts of the tools of each set that reach the repository."""

REQUESTS = {
    "change as", "change room", "change title", "frame at", "frame message", "frame to", "frame type", "mark agent_id",
    "read_upto as", "register agent_id", "register capabilities", "register name", "register role", "room as",
    "rooms as", "say as", "say at", "say choices", "say content", "say to", "say type", "send at", "send choices",
    "send from", "send message", "send to", "send type",
    "sum_up as", "sum_up content", "sum_up scope", "timeline as",
}  # fmt: skip
"""The fields of requests that do, and of a frame of a WebSocket."""

GOOD: Json = {
    "name": "ann", "content": "hello", "room": "lobby", "to": "all", "topic": "plans", "agent_id": "ann",
    "session_id": "one", "from": "ann", "message": "hello", "upto": 1, "as": "ann", "agent_name": "ann",
    "channel": "plans", "text": "hello", "place": "1", "title": "a title", "state": "open",
}  # fmt: skip
"""What other arguments are, where they have to be given."""


def secret(way: str) -> str:
    """A key in the form ``sk-...``, which can stand in a name, too; another one for each way."""
    return "sk" + "-" + hashlib.sha256(way.encode()).hexdigest()[:31] + "7"


def held(world: World, repository: Path) -> bytes:
    """All that the repository holds: objects as they read, refs, and the files of git's directory."""
    shown = world.git("cat-file", "--batch-all-objects", "--batch", cwd=repository).stdout
    refs = world.git("for-each-ref", cwd=repository).stdout.encode()
    files = [path for path in (repository / ".git").rglob("*") if path.is_file() and not _is_elsewhere(path)]
    return b"\n".join(
        [shown.encode("utf-8", "surrogateescape"), refs, *(str(path).encode() + path.read_bytes() for path in files)]
    )


def repository(world: World, mode: str) -> Path:
    """A repository with a message, where secrets are treated so."""
    made = world.repository(mode)
    world.git("config", "chat.secrets", mode, cwd=made)
    world.git("config", "chat.fsync", "false", cwd=made)
    world.chat("send", "--room", "plans", "first", cwd=made, check=True)
    world.chat("send", "first", cwd=made, check=True)
    return made


def _is_elsewhere(path: Path) -> bool:
    """Objects are read already; and the index notes the name of a room that was asked for, and can be thrown away."""
    return "objects" in path.parts or path.name.startswith("index.")


def _calls(profile: str) -> Iterator[tuple[str, str, Json]]:
    """Each text of each tool: what it is called, its tool, and the arguments with a secret there."""
    for tool in toolset_of(profile).catalogue:
        schema = tool["inputSchema"]
        for name, shape in schema["properties"].items():
            if shape["type"] in ("string", "object") and "enum" not in shape:
                way = f"{tool['name']} {name}"
                made = secret(way)
                given = {one: GOOD.get(one, "plain") for one in schema.get("required", ())}
                given |= {"recipient": "bob"} if "recipient" in schema["properties"] else {}
                given |= {"what": f"{name}/"} if tool["name"] == "claim" else {}
                given[name] = {next(iter(shape["properties"])): made} if shape["type"] == "object" else made
                yield way, tool["name"], given


def _prepared(profile: str, connection: Connection, other: Connection) -> Json:
    """What has to be so before a tool is called, and the arguments that come of it."""
    pairs = ((other, "bob"), (connection, "ann"))
    if profile == COLLABORATION:
        for one, name in pairs:
            given = one.data(
                "join_topic", topic="plans", agent_name=name, create_if_missing=True, replace_existing=True
            )
        return {"join_token": given["join_token"], "recipient": "bob"}
    if profile == AGENTS:
        for one, name in pairs:
            one.data("agent_register", name=name, description="Checks", group="team")
        return {"to": "bob", "with_agent": "bob", "group": "team"}
    return {}


@pytest.mark.parametrize("profile", [GITCHAT, COLLABORATION, AGENTS])
def test_no_tool_writes_one(world: World, profile: str) -> None:
    """Of no set, whatever argument it stands in."""
    assert _written(world, profile, "off") == TOOLS[profile]
    assert _written(world, profile, "refuse") == set()


def _written(world: World, profile: str, mode: str) -> set[str]:
    place = repository(world, mode)
    server = Server(profile, world.environment(place))
    connection, other, ways = server.connect(), server.connect(), set()
    for way, tool, given in _calls(profile):
        if profile == GITCHAT:
            connection = server.connect()  # which has no name yet
        prepared = _prepared(profile, connection, other)
        given |= {key: value for key, value in prepared.items() if key in given and given[key] != secret(way)}
        if tool == "join_topic":
            given["create_if_missing"] = True
        answer = connection.call(tool, **given)
        ways.add(way)
        assert "looks like" not in answer.text or secret(way) not in answer.text
    if server.shared is not None:
        server.shared.close()
    all_ = held(world, place)
    return {way for way in ways if secret(way).encode() in all_}


def test_a_model_is_warned_where_the_repository_only_warns(world: World) -> None:
    """What it sent is sent, and the answer says what it looks like, without it."""
    connection = Server(GITCHAT, world.environment(repository(world, "warn"))).connect()
    told = connection.text("send_message", content=f"a\n{secret('warned')}")
    assert told.startswith("sent [2]")
    assert "it looks like a secret key (sk-), and stays in git for ever" in told
    assert secret("warned") not in told


# --- over HTTP ---------------------------------------------------------------------------


def test_no_request_and_no_frame_writes_one(world: World) -> None:
    """Of REST, whichever of the operations it is, and of a WebSocket; so of the page, too, which has these."""
    assert _requested(world, "off") == REQUESTS
    assert _requested(world, "refuse") == set()


_TOO = ("as", "title", "upto")
"""What is given, too, though a program of the same user, or another request, may do without."""


def _requested(world: World, mode: str) -> set[str]:
    place, ways = repository(world, mode), []
    with in_process(world.environment(place)) as client:
        for operation in OPERATIONS:
            for field in operation.fields:
                way = f"{operation.act} {field.name}"
                needed = [one.name for one in operation.fields if one.is_required or one.name in _TOO]
                given = {one: GOOD.get(one, "1") for one in needed}
                fresh = dict.fromkeys(
                    ("as", "from", "agent_id"), f"agent-{len(ways)}"
                )  # who asks too often has to wait
                given |= {key: name for key, name in fresh.items() if key in given}
                given[field.name] = [secret(way)] if field.schema.get("type") == "array" else secret(way)
                path = ROOT + operation.path.format_map(given)
                inside = {one.name for one in operation.fields if one.where == "path"}
                body = {key: value for key, value in given.items() if key not in inside}
                sent = {"json": body} if operation.has_body else {"params": body}
                answer = client.request(operation.method, path, **sent)
                assert "looks like" not in answer.text or secret(way) not in answer.text
                ways.append(way)
        for key in ("message", "to", "type", "room", "at"):
            way = f"frame {key}"
            with client.websocket_connect(
                f"{client.base_url}".replace("http", "ws", 1).rstrip("/") + f"/ws/agent-{len(ways)}"
            ) as line:
                line.send_json({"to": "ALL", "message": "hello"} | {key: secret(way)})
                while not {"error", "message_id"} & (told := line.receive_json()).keys():
                    pass
                assert secret(way) not in str(told) or "looks like" not in str(told)
            ways.append(way)
    everything = held(world, place)
    return {way for way in ways if secret(way).encode() in everything}
