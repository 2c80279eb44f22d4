"""The tools of mcp-agent-collaboration: its own documented flow, and what can go wrong with tokens, names and polls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gitchat.storage.ownfiles import OwnFile
from tests.cli.conftest import Chatroom
from tests.server.connection import Connection, Server, within
from tests.world import World

UNKNOWN = "unknown join_token; join the topic again"


@pytest.fixture
def chatroom(world: World) -> Chatroom:
    """A repository without a message yet."""
    return Chatroom(world)


@pytest.fixture
def server(chatroom: Chatroom) -> Iterator[Server]:
    """A server in it."""
    server = Server("collaboration", chatroom.world.environment(chatroom.path))
    yield server
    server.shared.close()


@pytest.fixture
def one(server: Server) -> Connection:
    """A connection."""
    return server.connect()


def join(connection: Connection, name: str, topic: str = "build-123", **more: Any) -> str:
    """The join token of a new member."""
    token: str = connection.data("join_topic", topic=topic, agent_name=name, create_if_missing=True, **more)[
        "join_token"
    ]
    return token


def bodies(connection: Connection, token: str, **more: Any) -> list[Any]:
    """What a member has pending, which is then consumed."""
    return [message["body"] for message in connection.data("read_messages", join_token=token, **more)["messages"]]


def test_the_documented_flow(one: Connection, server: Server) -> None:
    """Topic, joins, task, progress, result and leaving, with the answers that the other server's page shows."""
    other = server.connect()
    assert one.data("create_topic", topic="build-123") == {"topic": "build-123", "created": True}
    assert one.data("create_topic", topic="build-123") == {"topic": "build-123", "created": False}
    joined = one.data("join_topic", topic="build-123", agent_name="coordinator", role="main")
    coordinator = joined.pop("join_token")
    assert joined == {
        "topic": "build-123",
        "agent_name": "coordinator",
        "role": "main",
        "members": [{"agent_name": "coordinator", "role": "main"}],
    }
    reviewer = join(other, "reviewer")
    request = {"type": "review_request", "task_id": "task-001", "summary": "Implementation is ready for review."}
    sent = one.data("send_message", join_token=coordinator, recipient="reviewer", body=request)
    assert sent == {"id": "msg_2", "stored": True}
    assert other.data("read_messages", join_token=reviewer, timeout_ms=600_000, max_messages=20) == {
        "timed_out": False,
        "messages": [{"id": "msg_2", "from": "coordinator", "body": request}],
    }
    progress = {"type": "progress", "task_id": "task-001", "done": "Added tests.", "next": "Docs.", "blockers": []}
    assert other.data("check_in", join_token=reviewer, timeout_ms=0, recipient="coordinator", body=progress) == {
        "sent": {"id": "msg_3", "stored": True},
        "timed_out": True,
        "messages": [],
    }
    assert other.data("check_in", join_token=reviewer) == {"timed_out": True, "messages": []}
    assert bodies(one, coordinator) == [progress]
    assert one.data("list_topics") == {"topics": [{"topic": "build-123", "member_count": 2, "pending_count": 0}]}
    members = one.data("list_topic_members", join_token=coordinator)
    assert [(one["agent_name"], one["role"], one["pending_count"]) for one in members["members"]] == [
        ("coordinator", "main", 0),
        ("reviewer", "secondary", 0),
    ]
    assert other.data("leave_topic", join_token=reviewer) == {"left": True}
    assert one.data("list_topics")["topics"][0]["member_count"] == 1
    assert bodies(one, coordinator) == [], "that somebody left is no message of a member"


def test_full_tells_what_compact_leaves_out(one: Connection) -> None:
    """Topic, sender and recipients of what is sent; topic, recipient, time and broadcast of what is read."""
    token = join(one, "Builder")
    join(one, "reviewer")
    sent = one.data("send_message", join_token=token, body="hello", verbosity="full")
    assert sent == {
        "id": "msg_2",
        "stored": True,
        "topic": "build-123",
        "from": "Builder",
        "recipients": ["Builder", "reviewer"],
    }
    (message,) = one.data("read_messages", join_token=token, verbosity="full")["messages"]
    assert message.pop("timestamp").endswith("Z")
    assert message == {
        "id": "msg_2",
        "from": "Builder",
        "body": "hello",
        "topic": "build-123",
        "to": "all",
        "broadcast": True,
    }


BODIES = [{"a": [1, None]}, [1, 2], "text", '{"text": 1}', 12, 1.5, True, False, "  x ", {}, []]


def test_any_json_comes_back_as_it_was(one: Connection) -> None:
    """A body is any JSON; a text that looks like JSON stays the text."""
    token = join(one, "builder")
    for body in BODIES:
        one.data("send_message", join_token=token, body=body)
    assert json.dumps(bodies(one, token)) == json.dumps(BODIES)


def test_a_body_of_nothing_is_refused(one: Connection) -> None:
    """Null is no body, and a text of blanks says nothing: neither is stored."""
    token = join(one, "builder")
    for body in (None, "", " \n\t"):
        assert one.refused("send_message", join_token=token, body=body)
    assert "sent" not in one.data("check_in", join_token=token, body=None)
    assert bodies(one, token) == []


def test_own_broadcasts_come_back_unless_they_are_not_wanted(one: Connection) -> None:
    """include_self=false keeps a broadcast from its sender, and from nobody else."""
    builder, reviewer = join(one, "builder"), join(one, "reviewer")
    one.data("send_message", join_token=builder, body="mine")
    one.data("send_message", join_token=builder, body="not mine", include_self=False)
    assert one.data("list_topic_members", topic="build-123")["members"][0]["pending_count"] == 1
    assert bodies(one, builder) == ["mine"]
    assert bodies(one, reviewer) == ["mine", "not mine"]


def test_who_comes_later_has_no_older_broadcasts(one: Connection) -> None:
    """The first join begins at the newest message, also of a room that was there before the server."""
    builder = join(one, "builder")
    one.data("send_message", join_token=builder, body="early")
    reviewer = join(one, "reviewer")
    one.data("send_message", join_token=builder, body="late")
    assert bodies(one, reviewer) == ["late"]


def test_a_restart_loses_no_message(one: Connection, server: Server) -> None:
    """Tokens end with the server, and what was not read is there for who joins again under the same name."""
    builder, reviewer = join(one, "builder"), join(one, "reviewer")
    one.data("send_message", join_token=builder, body="first")
    assert bodies(one, reviewer) == ["first"]
    one.data("send_message", join_token=builder, body="unread")
    server.shared.close()
    after = Server("collaboration", server.environment).connect()
    assert after.refused("read_messages", join_token=reviewer) == UNKNOWN
    assert bodies(after, join(after, "reviewer")) == ["unread"]
    after.service.close()


def test_a_wrong_token_is_refused(one: Connection) -> None:
    """Every tool that takes a token says what to do for one that it does not know."""
    join(one, "builder")
    for token in ("", "x", "opaque-token", "A" * 32, "\u00e9" * 32):
        for tool, more in (
            ("read_messages", {}),
            ("send_message", {"body": "x"}),
            ("check_in", {}),
            ("leave_topic", {}),
        ):
            assert one.refused(tool, join_token=token, **more) == UNKNOWN


def test_a_token_is_a_member_from_any_connection(one: Connection, server: Server) -> None:
    """A client that opens a connection for each call is the same member in all of them."""
    token = join(one, "builder")
    for number in range(3):
        server.connect().data("send_message", join_token=token, body=number)
    one.service.close()
    assert bodies(server.connect(), token, max_messages=2) == [0, 1]
    assert bodies(server.connect(), token) == [2]


def test_a_token_has_192_bits_and_is_not_kept(one: Connection, server: Server) -> None:
    """Two joins give two tokens; what the server has of them are hashes."""
    tokens = {join(one, "builder"), join(one, "reviewer")}
    assert {len(token) for token in tokens} == {32}
    kept = repr(vars(server.shared))
    assert not any(token in kept for token in tokens)


def test_a_name_is_one_member_of_a_topic(one: Connection, server: Server) -> None:
    """However it is spelled, and from whatever connection; in another topic the same agent may be."""
    join(one, "Reviewer")
    other = server.connect()
    taken = other.refused("join_topic", topic="build-123", agent_name="reviewer")
    assert taken == "agent name 'reviewer' is already in topic 'build-123'"
    assert join(other, "reviewer", "build-124")
    for name in ("all", "ALL", " all "):
        assert "reserved" in other.refused("join_topic", topic="build-123", agent_name=name)
    assert other.refused("join_topic", topic="nope", agent_name="x") == "topic 'nope' does not exist"


def test_replacing_ends_a_stolen_token(one: Connection, server: Server) -> None:
    """Who joins with replace_existing has the name and what is unread; the old token is nobody's, also in a poll."""
    stolen = join(one, "builder")
    writer = join(one, "reviewer")
    thief = server.connect()

    async def poll_while_replaced() -> Any:
        poll = asyncio.ensure_future(thief.begin("read_messages", join_token=stolen, timeout_ms=60_000))
        await asyncio.sleep(0)  # it has begun
        again = await one.begin(
            "join_topic", topic="build-123", agent_name="builder", create_if_missing=False, replace_existing=True
        )
        await one.begin("send_message", join_token=writer, recipient="builder", body="for the owner")
        return await poll, json.loads(again.text)["join_token"]

    polled, mine = within(poll_while_replaced)
    assert (polled.is_error, polled.text.split("\n")[0]) == (True, UNKNOWN)
    assert bodies(one, mine) == ["for the owner"]


def test_a_name_that_lives_in_another_process_is_not_taken(one: Connection, chatroom: Chatroom) -> None:
    """Not even with replace_existing: nothing of this server ends what another process holds."""
    with chatroom.world.environment(chatroom.path).hold("builder"):  # type: ignore[arg-type]
        for replace in (False, True):
            said = one.refused(
                "join_topic", topic="b", agent_name="builder", create_if_missing=True, replace_existing=replace
            )
            assert said == "agent name 'builder' is already in topic 'b'"
    assert join(one, "builder", "b")


def test_only_a_member_is_written_to(one: Connection, chatroom: Chatroom) -> None:
    """A recipient who is not there is named; one who joined on the command line is there."""
    token = join(one, "builder")
    said = one.refused("send_message", join_token=token, recipient="omar", body="x")
    assert said == "agent 'omar' is not in topic 'build-123'"
    assert one.refused("check_in", join_token=token, body="x") == "agent 'coordinator' is not in topic 'build-123'"
    chatroom.chat("join", "omar", "--room", "build-123", check=True)
    assert one.data("send_message", join_token=token, recipient="Omar", body="x")["stored"]


def test_a_poll_wakes_for_its_own_mail_alone(one: Connection, server: Server) -> None:
    """Two poll; a direct message wakes the one that it is for, and the other goes on waiting until its time is up."""
    builder, reviewer, writer = join(one, "builder"), join(one, "reviewer"), join(one, "coordinator")

    async def poll() -> Any:
        mine = asyncio.ensure_future(one.begin("read_messages", join_token=builder, timeout_ms=10**12))
        theirs = asyncio.ensure_future(server.connect().begin("read_messages", join_token=reviewer, timeout_ms=1500))
        await asyncio.sleep(0)
        await one.begin("check_in", join_token=writer, recipient="builder", body="wake up")
        return json.loads((await mine).text), json.loads((await theirs).text)

    mine, theirs = within(poll)
    assert [message["body"] for message in mine["messages"]] == ["wake up"]
    assert theirs == {"timed_out": True, "messages": []}


def test_of_two_polls_with_one_token_one_has_the_message(one: Connection) -> None:
    """And the other goes on waiting: it is not woken for nothing, and nothing is given twice."""
    builder, writer = join(one, "builder"), join(one, "coordinator")

    async def poll() -> Any:
        polls = [
            asyncio.ensure_future(one.begin("read_messages", join_token=builder, timeout_ms=60_000)) for _ in range(2)
        ]
        await asyncio.sleep(0)
        await one.begin("send_message", join_token=writer, recipient="builder", body="first")
        _, waiting = await asyncio.wait(polls, return_when=asyncio.FIRST_COMPLETED)
        await one.begin("send_message", join_token=writer, recipient="builder", body="second")
        await asyncio.wait(waiting)
        return [json.loads(poll.result().text)["messages"] for poll in polls]

    found = within(poll)
    assert sorted(message["body"] for messages in found for message in messages) == ["first", "second"]
    assert all(len(messages) == 1 for messages in found)


def test_a_poll_whose_client_is_gone_consumes_nothing(one: Connection) -> None:
    """Cancelled, or known to be gone when the answer is ready: the next reading has the message."""
    builder, writer = join(one, "builder"), join(one, "coordinator")

    async def give_up() -> None:
        poll = asyncio.ensure_future(one.begin("read_messages", join_token=builder, timeout_ms=60_000))
        await asyncio.sleep(0)
        poll.cancel()
        await asyncio.wait([poll])
        await one.begin("send_message", join_token=writer, recipient="builder", body="kept")

    within(give_up)
    assert one.data("read_messages", join_token=builder, is_gone=lambda: True)["messages"] == []
    assert bodies(one, builder) == ["kept"]


def test_a_poll_tells_that_it_is_alive(one: Connection) -> None:
    """Clients and proxies cut what is silent, so progress is told while nothing comes."""
    token = join(one, "builder")
    one.service._progress_seconds = 0.05
    told: list[tuple[float, float]] = []

    async def progress(done: float, total: float, message: str) -> None:
        told.append((done, total))

    assert one.data("read_messages", join_token=token, timeout_ms=400, progress=progress)["timed_out"]
    assert told == sorted(told)
    assert told
    assert all(0 < done <= total <= 0.4 for done, total in told)


def test_what_the_command_line_says_reaches_a_member(one: Connection, chatroom: Chatroom) -> None:
    """A topic is a room: people write in it, and read what members say."""
    token = join(one, "builder")
    chatroom.chat("send", "--as", "ana", "--room", "build-123", "--to", "builder", "how far?", check=True)
    one.data("check_in", join_token=token, recipient="all", body={"type": "progress"}, include_self=False)
    assert chatroom.newest("build-123").body == '{"type": "progress"}'
    assert bodies(one, join(one, "coordinator")) == []


def test_a_join_and_a_message_open_as_many_files_whoever_else_is_there(
    one: Connection, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many who join cost so many times one: the answer lists all of them, and none is looked up for it."""
    opened: list[str] = []
    begin = OwnFile.open
    monkeypatch.setattr(OwnFile, "open", lambda file, flags: opened.append(file.name) or begin(file, flags))

    def cost(act: Callable[[], object]) -> int:
        opened.clear()
        act()
        return sum(name.startswith("live/n") for name in opened)

    tokens = [join(one, "n0"), join(server.connect(), "n1")]
    few = cost(lambda: tokens.append(join(one, "n2")))
    for number in range(3, 12):
        join(one, f"n{number}")
    joined: dict[str, Any] = {}
    many = cost(lambda: joined.update(one.data("join_topic", topic="build-123", agent_name="n12")))
    assert [member["agent_name"] for member in joined["members"]] == sorted(f"n{number}" for number in range(13))
    assert many == few <= 2  # its own file
    assert cost(lambda: one.data("send_message", join_token=tokens[0], body="done", recipient="n1")) <= 1
