"""A process that acts for several: what each of them is, holds, writes, reads and marks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitchat.model.errors import ChatError
from gitchat.model.names import Name
from gitchat.presence.holding import PROCESS, Holding
from gitchat.storage.store import Store
from gitchat.verbs import people_json, tools
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment
from tests.world import World

ANA, BEN = Name("ana"), Name("ben")


@pytest.fixture
def server(world: World) -> Iterator[Environment]:
    """The surroundings of a process that serves, which an agent's client may have started."""
    world.variables |= {"CLAUDECODE": "1", "GITCHAT_NAME": "server", "GITCHAT_SESSION": "its-own"}
    path = world.repository()
    world.git("config", "user.name", "Zoe", cwd=path)
    world.git("config", "user.email", "zoe@example.com", cwd=path)
    yield world.environment(path)
    PROCESS.release()


@pytest.fixture
def parties() -> Iterator[list[Holding]]:
    """Three that it acts for."""
    holdings = [Holding() for _ in range(3)]
    yield holdings
    for holding in holdings:
        holding.release()


def author_of(store: Store, room: Room) -> tuple[str, str | None, str | None]:
    """The address, the origin and the clone that the newest record tells."""
    commit = store.read(room.log().entries[-1].oid)
    return commit.author.email, commit.value("Chat-Origin"), commit.value("Chat-Clone")


def test_several_live_send_read_mark_and_leave_in_one_process(server: Environment, parties: list[Holding]) -> None:
    """Each as if it had a process to itself, over one store and one index."""
    rooms = []
    for name, holding in zip((ANA, BEN, Name("cyd")), parties, strict=True):
        environment = server.holding(holding)
        assert (environment.store, environment.index) == (server.store, server.index)
        rooms.append(Room(environment, None, name))
    ana, ben, cyd = rooms
    for room in rooms:
        room.join(role="builder")
    assert [one.name for one in cyd.participants() if one.is_living] == ["ana", "ben", "cyd"]
    ana.send("to all of you")
    ana.send("to Ben alone", to="ben")
    assert [entry.record.body for entry in ben.read().entries] == ["to all of you", "to Ben alone"]
    assert ben.cursor() == 2
    assert cyd.cursor() == 0
    assert [entry.record.body for entry in cyd.unread().entries] == ["to all of you"]
    assert cyd.set_cursor(2) == 2
    assert ben.leave()
    assert not ben.environment.held()
    assert [one.name for one in ana.participants()] == ["ana", "cyd"]


def test_a_party_may_not_act_under_the_name_of_another(server: Environment, parties: list[Holding]) -> None:
    """Neither hold it, mark for it nor send by the tools, though one process does it all."""
    ana, other = (server.holding(holding) for holding in parties[:2])
    Room(ana, None, ANA).join()
    foreign = Room(other, None, ANA)
    assert (why := foreign.why_not_act()) is not None
    assert why == "somebody else lives under 'ana'"
    assert foreign.why_not_mark() is not None
    with pytest.raises(ChatError) as taken:
        foreign.join()
    assert taken.value.code == "name-taken"
    assert str(os.getpid()) in taken.value.hint
    assert taken.value.public_hint == "take another name, such as 'ana-2'; somebody else lives under this one"
    with tools.using(other), pytest.raises(ChatError) as held:
        tools.send_message("ana", "in her name")
    assert held.value.code == "name-held"
    assert held.value.public_message == "cannot act as 'ana': somebody else lives under 'ana'"
    with tools.using(ana):
        assert tools.send_message("ana", "herself")["id"] == 1


def test_a_party_that_lives_may_act_under_any_free_name(server: Environment, parties: list[Holding]) -> None:
    """The contract's rule; one that is one participant (a model) may not."""
    anyone = server.holding(parties[0])
    one = server.holding(parties[1], acts_as_anyone=False)
    for environment, name in ((anyone, ANA), (one, BEN)):
        Room(environment, None, name).join()
    free = Name("free")
    assert Room(anyone, None, free).why_not_act() is None
    assert Room(one, None, free).why_not_act() == "this process joined as ben"


def test_what_a_party_is_comes_from_the_server_that_knows_it(server: Environment, parties: list[Holding]) -> None:
    """Nothing of the variables, the session or the name of the process that serves is its own."""
    agent = server.holding(parties[0], name=ANA, session="token-1", email="ana@example.com")
    caller = agent.caller
    assert (caller.client, caller.session, caller.name(), caller.origin) == ("http", "token-1", "ana", "agent")
    assert caller.has_seat
    assert not caller.is_subagent
    assert caller.holder().client == "http"
    person = server.holding(parties[1], is_person=True).caller
    assert (person.client, person.session, person.name(), person.origin) == (None, None, "zoe", "human")
    assert not person.has_seat


def test_what_a_party_writes_says_whose_it_is(server: Environment, parties: list[Holding]) -> None:
    """An agent's is of this clone and of an address of its own; the person at the page is who owns the clone."""
    store = server.store
    named = Room(server.holding(parties[0], email="ana@example.com"), None, ANA)
    named.send("1")
    clone = server.clone.known()
    assert clone is not None
    assert author_of(store, named) == ("ana@example.com", "agent", clone)
    plain = Room(server.holding(parties[1]), None, BEN)
    plain.send("2")
    assert author_of(store, plain) == ("ben@agents.gitchat.invalid", "agent", clone)
    mine = Room(server.holding(parties[1]), None, "zoe")
    mine.send("3")
    assert author_of(store, mine) == ("zoe@example.com", "agent", clone)
    person = Room(server.holding(parties[2], is_person=True))
    person.send("4")
    assert author_of(store, person) == ("zoe@example.com", "human", "-")


def test_tools_act_where_they_are_told(server: Environment, parties: list[Holding], world: World) -> None:
    """Within :func:`tools.using`, and nowhere else; inner ones count, and end."""
    ana, ben = (server.holding(holding, name=name) for holding, name in zip(parties, (ANA, BEN), strict=False))
    with tools.using(ana):
        assert tools.here_environment() is ana
        assert tools.seat() == "ana"
        with tools.using(ben):
            tools.join("ben", role="tester")
            tools.send_message("ben", "hello")
        assert tools.here_environment() is ana
        assert [one["content"] for one in tools.read_unread("ana")["messages"]] == ["hello"]
    assert tools.here_environment() is not ana
    assert list(parties[1].names(server.repository.directory)) == ["ben"]
    assert not parties[0].names(server.repository.directory)


def test_a_seat_is_kept_over_an_end_of_the_server(server: Environment, parties: list[Holding], world: World) -> None:
    """The same session sits where it sat; a session that comes anew begins at what its name has read."""
    first = Room(server.holding(parties[0], session="token-1"), None, ANA)
    first.join()
    Room(server.holding(parties[1]), None, BEN).send("one")
    assert first.read().last_read == 1
    parties[0].release()
    again = world.environment(Path(server.cwd)).holding(Holding(), session="token-1")
    assert Room(again, None, ANA).cursor() == 1
    assert not Room(again, None, ANA).unread().entries


def test_who_lives_over_a_server_is_called_as_outside(server: Environment, parties: list[Holding]) -> None:
    """Everybody here sees what it is called; nobody elsewhere where the server runs."""
    environment = server.holding(parties[0])
    held = environment.hold(ANA, label="Ana", given="ana-01TYEi4M")
    assert environment.hold(ANA) is held
    room = Room(environment, None, ANA)
    room.join()
    (here,) = room.participants()
    whole, public = people_json.of_presence(here), people_json.of_presence(here, is_public=True)
    assert (public["label"], public["given"], public["client"]) == ("Ana", "ana-01TYEi4M", "http")
    assert set(whole) - set(public) == {"pid", "host", "worktree"}
    assert "session" not in whole
    environment.hold(ANA, label="Ana Two")
    (here,) = room.participants()
    assert (people_json.of_presence(here)["label"], people_json.of_presence(here)["given"]) == (
        "Ana Two",
        "ana-01TYEi4M",
    )
