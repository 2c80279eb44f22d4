"""Every way to a write, and that none takes what looks like a secret.

Each text that a tool, a request or a frame takes is given a made-up key of its own, once where the repository lets it
pass and once where it does not. What is found in the repository the first time is a way: it has to be in the list here,
and none of them may be open the second time. A way that is new fails until somebody has looked at it.
"""

from __future__ import annotations

import hashlib
import json
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

TOOLS: dict[str, set[str]] = {GITCHAT: set(), COLLABORATION: set(), AGENTS: set()}
"""The texts of the tools of each set that reach the repository."""

REQUESTS: set[str] = set()
"""The fields of requests that do."""

FRAMES: set[str] = set()
"""Those of a frame of a WebSocket."""

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
    return b"\n".join([shown.encode("utf-8", "surrogateescape"), refs, *(str(path).encode() + path.read_bytes() for path in files)])


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


def _calls(profile: str, connection: Connection) -> Iterator[tuple[str, str, Json]]:
    """Each text of each tool: what it is called, its tool, and the arguments with a secret there."""
    for tool in toolset_of(profile).catalogue:
        schema = tool["inputSchema"]
        for name, shape in schema["properties"].items():
            if shape["type"] in ("string", "object") and "enum" not in shape:
                way = f"{tool['name']} {name}"
                made = secret(way)
                given = {one: GOOD.get(one, "plain") for one in schema.get("required", ())}
                given |= {"recipient": "bob"} if "recipient" in schema["properties"] else {}
                given[name] = {next(iter(shape["properties"])): made} if shape["type"] == "object" else made
                yield way, tool["name"], given


def _prepared(profile: str, connection: Connection, other: Connection) -> Json:
    """What has to be so before a tool is called, and the arguments that come of it."""
    pairs = ((other, "bob"), (connection, "ann"))
    if profile == COLLABORATION:
        for one, name in pairs:
            given = one.data("join_topic", topic="plans", agent_name=name, create_if_missing=True, replace_existing=True)
        return {"join_token": given["join_token"], "recipient": "bob"}
    if profile == AGENTS:
        for one, name in pairs:
            one.call("agent_register", name=name)
        return {"to": "bob", "with_agent": "bob"}
    return {}


@pytest.mark.parametrize("profile", [GITCHAT, COLLABORATION, AGENTS])
def test_no_tool_writes_one(world: World, profile: str) -> None:
    """Of no set, whatever argument it stands in."""
    print("WAYS", sorted(_written(world, profile, "off") ))
    assert _written(world, profile, "refuse") == set()


def _written(world: World, profile: str, mode: str) -> set[str]:
    place = repository(world, mode)
    server = Server(profile, world.environment(place))
    connection, other, ways = server.connect(), server.connect(), set()
    for way, tool, given in _calls(profile, connection):
        prepared = _prepared(profile, connection, other)
        given |= {key: value for key, value in prepared.items() if key in given and given[key] != secret(way)}
        if tool == "join_topic":
            given["create_if_missing"] = True
        answer = connection.call(tool, **given)
        ways.add(way)
        if mode == "refuse":
            assert "looks like" not in answer.text or secret(way) not in answer.text
        print(mode, way, answer.is_error, answer.text[:150])
    if server.shared is not None:
        server.shared.close()
    all_ = held(world, place)
    return {way for way in ways if secret(way).encode() in all_}
