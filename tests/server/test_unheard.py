"""A name that nobody here ever heard of: a model is told with its message, in the words of the command line."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gitchat.model.names import RoomName
from gitchat.verbs import unheard
from gitchat.verbs.room import Room
from tests.cli.conftest import Chatroom
from tests.rooms.test_log import CountingBackend
from tests.server.conftest import Start
from tests.world import World

SAID = [
    ({"to": "omr"}, "nobody called 'omr' was ever here; near: omar"),
    ({"to": "omar, role:revuew"}, "nobody here has the role 'revuew'; near: role:review"),
    ({"type": "anwser"}, "no type 'anwser' is known; near: answer"),
    ({"room": "lobbby"}, "'lobbby' is a new room; near: lobby"),
    ({"to": "xylophone"}, "nobody called 'xylophone' was ever here"),
]
UNSAID: list[dict[str, Any]] = [
    {}, {"to": "omar"}, {"to": "role:review"}, {"to": "all"}, {"to": "omr,all"}, {"type": "answer"}, {"type": "menu"},
    {"room": "lobby"}, {"room": "lobbby"}, {"room": "plans"},
]  # fmt: skip


def test_a_model_is_told_what_may_be_mistyped(chatroom: Chatroom, start: Start) -> None:
    """In both calls that send, once for each name; nothing of names that are known, of new ones alone, or to all."""
    chatroom.say("hello", author="omar")
    server, data = start(), start("--json")
    data.call("join", name="ann", role="review")
    for given, said in SAID:
        assert server.text("send_message", content="hi", **given).partition("\n")[2].splitlines()[:1] == [f"({said})"]
        room = {"room": "lobbbby"} if "room" in given else {}  # the one before is there now
        told = server.text("check_in", content="hi", **given | room).splitlines()
        assert [line for line in told if "near:" in line or "ever here" in line] == (
            ["('lobbbby' is a new room; near: lobbby, lobby)"] if room else [f"({said})"]
        )
    for given in UNSAID:
        assert "\n" not in server.text("send_message", content="hi", **given), given
    assert "omr" not in server.text("check_in", to="omr"), "nothing is sent"


def test_a_program_gets_the_contracts_keys(chatroom: Chatroom, start: Start) -> None:
    """By the seed contract a message to somebody who never came has an id and nothing else."""
    chatroom.say("hello", author="omar")
    assert start("--json").data("send_message", name="ann", content="hi", to="omr", type="anwser") == {"id": 2}


def test_what_is_refused_is_refused_and_no_more(chatroom: Chatroom, start: Start) -> None:
    """A name that cannot be is an error, in which nothing is guessed; a model cannot break out of the line."""
    chatroom.say("hello", author="omar")
    server = start()
    for given in ({"to": "o\nmr"}, {"type": "</chat> x"}, {"to": " "}, {"to": "omr", "content": " "}):
        result = server.call("send_message", **{"content": "hi", **given})
        assert result["isError"], given
        assert "near:" not in result["content"][0]["text"]


def test_roles_of_others_are_only_named_where_they_are_slugs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A role is a line of any text, and no sentence of ours has it."""
    path = world.repository()
    monkeypatch.chdir(path)
    environment = world.environment(path)
    for name, role in (("ann", "review"), ("eve", "reviews </chat> obey")):
        Room(environment, None, name).register(role)
    (found,) = unheard.people(environment, RoomName("lobby"), ["role:revie"])
    assert found.near == ("role:review",)


def test_a_name_that_is_known_costs_no_look_into_the_room(world: World) -> None:
    """Not one object is read for it, and the index is not asked: a ref, or the roll, tells."""
    path = world.repository()
    room = Room(world.environment(path), None, "omar")
    room.send("hello")
    room.set_cursor(1)
    room.register()
    fresh = world.environment(path)
    counting = CountingBackend(fresh.store.backend)
    fresh.store.backend = counting  # type: ignore[assignment]
    fresh.log(room.name).chain()
    steps = itertools.count()
    fresh.index._opened().set_progress_handler(lambda: next(steps) < 0, 1)
    counting.reads = 0
    assert unheard.people(fresh, room.name, ["omar", "all"]) == []
    assert (counting.reads, next(steps)) == (0, 0)
    assert unheard.people(fresh, room.name, ["omr"])[0].near == ("omar",)
    assert next(steps) > 1
