"""Calling a person who watches: whom, how often, and what the command is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitchat.model.record import Entry
from gitchat.staying.alert import Alert
from gitchat.verbs.room import Room
from tests.cli.conftest import Chatroom
from tests.cli.programs import Person, running, until
from tests.world import World

NOTED = """printf '%s|' "$GITCHAT_NOTIFY_FROM" "$GITCHAT_NOTIFY_ROOM" "$GITCHAT_NOTIFY_MESSAGE" \
"$GITCHAT_NOTIFY_TYPE" "$GITCHAT_NOTIFY_COUNT" "$GITCHAT_NOTIFY_TEXT" >new && cat >>new && mv new noted"""

HOSTILE = "$(touch owned)`touch owned`'; touch owned; \"\x1b[2J"


@pytest.fixture
def room(world: World) -> Room:
    """The lobby as ana has it, who is called by a command and a bell."""
    path = world.repository()
    for key, value in (("chat.notify", NOTED), ("chat.notifyBell", "true"), ("chat.fsync", "false")):
        world.git("config", key, value, cwd=path)
    return Room(world.environment(path), None, "ana")


def said(room: Room, text: str, author: str = "ben", *, to: str = "ana", type: str | None = None) -> Entry:  # noqa: A002
    """What somebody said, as news."""
    return Room(room.environment, None, author).send(text, to=to, type=type)


def noted(room: Room) -> str:
    """What the command wrote down, as soon as it is whole."""
    path = Path(room.environment.cwd, "noted")
    until(path.exists)
    text = path.read_text()
    path.unlink()
    return text


def test_what_is_to_me_calls_once_for_all_that_came(room: Room) -> None:
    """By name, and by the role that I have; the newest is told, whole in the input and on one line beside it."""
    room.register("review")
    news = [
        said(room, "first"),
        said(room, "for all", to="all"),
        said(room, "two\nlines", to="role:review", type="plan"),
    ]
    assert Alert(room).tell(news) == "\a"
    assert noted(room) == "ben|lobby|#3|plan|2|two lines|two\nlines"


@pytest.mark.parametrize(("author", "to"), [("ben", "all"), ("ben", "cyd"), ("ana", "ana"), ("ben", "role:review")])
def test_what_is_not_to_me_calls_nobody(room: Room, author: str, to: str) -> None:
    """What is for all, for others, or one's own."""
    assert Alert(room).tell([said(room, "text", author, to=to)]) == ""
    assert Alert(room).tell([]) == ""
    assert not Path(room.environment.cwd, "noted").exists()


def test_what_others_wrote_is_no_part_of_the_command(room: Room) -> None:
    """It is in variables and in the input, escaped, and no shell reads it."""
    Alert(room).tell([said(room, HOSTILE)])
    assert noted(room).count("$(touch owned)`touch owned`'; touch owned; \"^[[2J") == 2
    assert not Path(room.environment.cwd, "owned").exists()


def test_nothing_calls_until_somebody_asks_for_it(room: Room, world: World) -> None:
    """Both are off: where agents talk, a person is named many times an hour."""
    for key in ("chat.notify", "chat.notifyBell"):
        world.git("config", "--unset", key, cwd=Path(room.environment.cwd))
    plain = Room(world.environment(Path(room.environment.cwd)), None, "ana")
    assert Alert(plain).tell([said(plain, "text")]) == ""


@pytest.fixture
def chatroom(world: World) -> Chatroom:
    """A room whose person, alice, is called by both."""
    made = Chatroom(world)
    made.say("before")
    made.git("config", "chat.notify", NOTED)
    made.git("config", "chat.notifyBell", "true")
    return made


def test_watch_runs_the_command_and_rings_only_a_terminal(chatroom: Chatroom) -> None:
    """What is for a program has no bell in it; what was there before calls nobody."""
    chatroom.say("early", author="bob", to=("alice",))
    with running(chatroom, "watch", "-2", "--json") as watcher:
        assert [json.loads(watcher.line())["content"] for _ in range(2)] == ["before", "early"]
        until(watcher.is_asleep)
        chatroom.say("for you", author="bob", to=("alice",))
        line = watcher.line()
        assert json.loads(line)["content"] == "for you"
        assert "\a" not in line
        until((chatroom.path / "noted").exists)
        assert (chatroom.path / "noted").read_text() == "bob|lobby|#3||1|for you|for you"


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--no-input",)])
def test_watch_rings_the_bell_of_its_terminal(chatroom: Chatroom, options: tuple[str, ...]) -> None:
    """With a line to write in, and without."""
    person = Person(chatroom, "watch", *options)
    try:
        person.until_sees("before")
        chatroom.say("for you", author="bob", to=("alice",))
        assert "\a" in person.until_sees("for you") + person.until_sees("\a")
    finally:
        person.close()
