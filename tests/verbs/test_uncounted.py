"""What an agent is told while a long log is counted for the first time: what was said last, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from gitchat.index import building
from gitchat.model.errors import ConflictError
from gitchat.model.record import Draft
from gitchat.rooms import lengthy
from gitchat.storage import gate
from gitchat.verbs import uncounted
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment
from tests.clones.conftest import Hub
from tests.server.connection import Connection, Server
from tests.soak.history import make_room
from tests.world import World

RECORDS = 12


@pytest.fixture
def turn(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExitStack]:
    """Three commits are many; and who has the turn to take them in keeps it until this is closed."""
    monkeypatch.setattr(building, "SHORT", 3)
    monkeypatch.setattr(lengthy, "MOST_COUNTED", 3)
    monkeypatch.setattr(building, "AGAIN_SECONDS", 0.0)
    with ExitStack() as stack:
        yield stack


def hurried(world: World, path: Path, turn: ExitStack | None = None) -> Environment:
    """The surroundings of who does not wait; with ``turn`` somebody else takes the log in."""
    environment = replace(world.environment(path), patience_seconds=0.05)
    if turn is not None:
        turn.enter_context(gate.hold(environment.store.directory, 0, building.TURN))
    return environment


def test_a_model_hears_what_was_said_last_and_everything_later(world: World, turn: ExitStack) -> None:
    """Without numbers and unmarked, also of a call that would wait; what it sends is refused, and not half sent."""
    environment = hurried(world, make_room(world, "long", RECORDS), turn)
    bob: Connection = Server("gitchat", environment).connect()
    for call in ({}, {"wait_seconds": 30}):
        for tool in ("check_in", "read_unread"):
            text = bob.text(tool, name="bob", limit=3, **call)
            assert "are being counted for the first time here" in text
            shown = [number for number in range(1, RECORDS + 1) if f"message {number}:" in text]
            assert shown == [RECORDS - 2, RECORDS - 1, RECORDS]
            assert "#" not in text
    assert "message 12:" in bob.text("check_in", name="bob", max_chars=700)
    assert bob.refused("check_in", name="bob", content="hi").startswith("error: nothing was sent: the messages")
    assert bob.refused("send_message", name="bob", content="hi").startswith("error: nothing was sent: the messages")
    turn.close()
    environment.index.builder.patience_seconds = 60
    text = bob.text("read_unread", name="bob", limit=5)
    assert "[1] agent-1" in text
    assert f"{RECORDS - 5} more" in text
    assert Room(environment, "lobby", "bob").records.count() == RECORDS


def test_who_it_is_for_and_what_was_read_are_told_apart(world: World, turn: ExitStack) -> None:
    """As a reading does it: others', to all or to me or my role, loud, and behind what I marked."""
    path = world.repository("said")
    environment = world.environment(path)
    ann, bob = (Room(environment, "lobby", name) for name in ("ann", "bob"))
    bob.register("reviewer")
    told = [ann.send("read already"), bob.send("own"), ann.send("to all")]
    ann.send("for zoe", to=["zoe"])
    told += [ann.send("for bob", to=["bob"]), ann.send("for reviewers", to=["role:reviewer"])]
    ann.writer.send(Draft(body="quiet", kind="status"), ann.identity)
    wanted = [entry.record.body for entry in bob.unread().entries]
    assert wanted == ["read already", "to all", "for bob", "for reviewers"]
    bob.set_cursor(told[0].number or 0)
    hasty = Room(world.environment(path), "lobby", "bob")
    found = uncounted.newest(hasty, 50)
    assert [entry.record.body for entry in found] == wanted[1:]
    assert {entry.number for entry in found} == {None}
    assert [entry.record.body for entry in uncounted.newest(hasty, 2)] == wanted[2:]


def test_a_clone_of_a_remote_hears_it_too(world: World, hub: Hub, turn: ExitStack) -> None:
    """What is pending is last; to send waits for the count, which has what is closed."""
    ann, bob = hub.clone("ann"), hub.clone("bob")
    for number in range(6):
        ann.say(f"told {number}")
    ann.sync()
    bob.sync()
    bob.say("pending")
    for path in ((bob.path / ".git/chatroom/checkpoints").glob("*"), (bob.path / ".git/chatroom").glob("index*.db*")):
        for one in path:
            one.unlink()
    room = Room(hurried(world, bob.path, turn), "lobby", "zoe")
    with pytest.raises(ConflictError) as caught:
        room.unread()
    assert uncounted.is_counting(caught.value)
    assert [entry.record.body for entry in uncounted.newest(room, 3)] == ["told 4", "told 5", "pending"]


def test_nobody_walks_a_long_log_beside_who_takes_it_in(
    world: World, turn: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's send, which waits, waits for the count of another, and then reads nothing of the log itself."""
    path = make_room(world, "long", RECORDS)
    environment = world.environment(path)
    (environment.store.directory).mkdir(exist_ok=True)
    (environment.store.directory / lengthy.INDEXED_APART).touch()
    monkeypatch.setattr("gitchat.rooms.numbering.survey_line", lambda *_: pytest.fail("it walks the log"))
    assert Room(environment, "lobby", "ann").send("hello").number == RECORDS + 1


def test_commands_of_agents_answer_while_it_is_counted(world: World) -> None:
    """The inbox shows what was said last; what needs numbers says so, and what was not done; a person waits."""
    path = make_room(world, "long", lengthy.MOST_COUNTED + 10)
    agent = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "a-session"}
    with gate.hold(path / ".git" / "chatroom", 0, building.TURN):
        inbox = world.chat("inbox", "-n", "2", cwd=path, check=True, **agent)
        assert inbox.stderr.startswith("note: the messages of room 'lobby' are being counted for the first time here")
        assert inbox.stdout.count("message 50") == 2
        assert "#" not in inbox.stdout
        sent = world.chat("send", "hello", cwd=path, **agent)
        assert (sent.returncode, sent.stdout) == (3, "")
        assert sent.stderr.startswith("error: nothing was sent: the messages of room 'lobby' are being counted")
        assert world.chat("status", cwd=path, **agent).returncode == 3
        hint = world.chat("log", "-n", "1", cwd=path, check=True, **agent)
        assert "message 5010:" in hint.stdout
    assert world.chat("send", "hello", cwd=path, check=True).stdout == f"#{lengthy.MOST_COUNTED + 11}\n"
