"""Who lives through a server, and how long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import Name, RoomName
from gitchat.presence.holding import Holding
from gitchat.serve.actor import Actor
from gitchat.serve.holdings import LIVES_SECONDS, Holdings
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment
from tests.world import World

T = TypeVar("T")

ONE = Actor("one", is_local=True)
OTHER = Actor("other")
LOBBY = RoomName("lobby")
BETA = Name("beta")


class Server:
    """Holdings over a repository, at a time of our own, without a thread."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.now = 1000.0
        self.changed: list[RoomName] = []
        self.settled: list[Name] = []
        self._parties: dict[str, Environment] = {}
        self.holdings = Holdings(
            self._work,
            joined=lambda name, room: None,
            now=lambda: self.now,
            changed=self.changed.append,
            settle=self._settle,
        )

    async def _work(self, act: Callable[[Environment], T], actor: Actor) -> T:
        if actor.key not in self._parties:
            self._parties[actor.key] = self.environment.holding(Holding(), session=actor.key)
        await asyncio.sleep(0)  # others come in between, as they do where a thread works
        return act(self._parties[actor.key])

    async def _settle(self, name: Name) -> None:
        self.settled.append(name)

    def people(self) -> list[tuple[str, str, bool]]:
        """Name, role, and whether it lives, of everybody who is in the room."""
        return [(one.name, one.role, one.is_living) for one in self.environment.roll.participants(LOBBY)]

    def end(self) -> None:
        """End it, as a kill does."""
        for party in self._parties.values():
            for held in party.held().values():
                held.release()

    async def refused(self, joining: Awaitable[None]) -> str:
        """The code that a joining is refused with."""
        with pytest.raises(UserError) as refused:
            await joining
        return refused.value.code


@pytest.fixture
def environment(world: World) -> Environment:
    """A repository with a room."""
    world.git("init", "-q", "project")
    world.git("config", "chat.fsync", "false", cwd=world.root / "project")
    here = Environment(cwd=str(world.root / "project"), variables=world.variables, is_terminal=False)
    Room(here, "lobby", "ana").send("hello")
    return here


def run(environment: Environment, test: Callable[[Server], Awaitable[None]]) -> None:
    """``test`` with a server."""

    async def main() -> None:
        await test(Server(environment))

    asyncio.run(main())


def test_the_same_session_joins_again_and_another_waits_until_the_first_is_silent(environment: Environment) -> None:
    """Be it of the same actor or of another; and who is here hears of each change."""

    async def test(server: Server) -> None:
        held = server.holdings
        await held.join(ONE, BETA, LOBBY, "review", ["python"], "Beta", "beta-01TYEi4M", "s1")
        await held.join(ONE, BETA, LOBBY, "review", ["python"], session_id="s1", given="Beta-01TYEi4M")
        assert (held.spelled(BETA), held.label_of(BETA)) == ("Beta-01TYEi4M", "beta")
        assert await server.refused(held.join(ONE, BETA, LOBBY, session_id="s2")) == "name-taken"
        assert await server.refused(held.join(OTHER, BETA, LOBBY, session_id="s1")) == "name-taken"
        assert [held.actor_may(actor, BETA) for actor in (ONE, OTHER)] == [True, False]
        assert server.people() == [("beta", "review", True)]
        server.now += LIVES_SECONDS - 1
        held.touch(ONE, BETA)
        held.touch(OTHER, BETA)
        server.now += LIVES_SECONDS - 1
        await held.sweep()
        assert server.people() == [("beta", "review", True)]
        server.now += 1
        await held.sweep()
        assert (server.people(), server.settled) == ([], ["beta"])
        await held.join(OTHER, BETA, LOBBY, session_id="s2")
        assert server.people() == [("beta", "general", True)]
        assert server.changed == ["lobby"] * 4

    run(environment, test)


def test_of_two_who_come_at_once_one_gets_the_name(environment: Environment) -> None:
    """Also where both are the same user's."""

    async def test(server: Server) -> None:
        both = [server.holdings.join(ONE, BETA, LOBBY, session_id=session) for session in ("s1", "s2")]
        ends = await asyncio.gather(*both, return_exceptions=True)
        assert [getattr(end, "code", None) for end in ends] == [None, "name-taken"]

    run(environment, test)


def test_a_name_lives_while_something_of_it_is_open(environment: Environment) -> None:
    """However long that is, and for 90 seconds afterwards."""

    async def test(server: Server) -> None:
        held = server.holdings
        await held.join(ONE, BETA, LOBBY, session_id="s1")
        async with held.staying(ONE, BETA), held.staying(ONE, BETA):
            server.now += 10 * LIVES_SECONDS
            await held.sweep()
            assert (held.living(), held.seen_ago(BETA)) == (["beta"], 0.0)
        server.now += LIVES_SECONDS - 1
        await held.sweep()
        assert (held.living(), held.seen_ago(BETA)) == (["beta"], LIVES_SECONDS - 1)
        server.now += 1
        await held.sweep()
        assert held.living() == []

    run(environment, test)


def test_who_fell_silent_lives_again_with_its_next_request_unless_another_took_the_name(
    environment: Environment,
) -> None:
    """With the role and the spelling that it had; of who took it, it takes nothing away."""

    async def test(server: Server) -> None:
        held = server.holdings
        await held.join(ONE, BETA, LOBBY, "review", given="BETA", session_id="s1")
        server.now += LIVES_SECONDS
        await held.sweep()
        async with held.staying(ONE, BETA):
            await until(lambda: server.people() == [("beta", "review", True)])
            found = environment.roll.find(BETA)
            assert found is not None
            assert found.holder is not None
            assert found.holder.given == "BETA"
        server.now += LIVES_SECONDS
        await held.sweep()
        with environment.hold(BETA):
            held.touch(ONE, BETA)
            await until(lambda: held.living() == [])
            assert await server.refused(held.join(ONE, BETA, LOBBY, session_id="s1")) == "name-taken"

    run(environment, test)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for it, for as many turns as anything here can take."""
    for _ in range(100):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError


def test_who_leaves_is_gone_from_the_rooms_and_not_from_others(environment: Environment) -> None:
    """It is said in the room; another actor cannot do it; what it had is written before."""

    async def test(server: Server) -> None:
        held = server.holdings
        await held.join(ONE, BETA, LOBBY, session_id="s1")
        await held.join(ONE, BETA, RoomName("parser"), session_id="s1")
        with pytest.raises(ChatError):
            await held.leave(OTHER, BETA)
        assert await held.leave(ONE, BETA, LOBBY) == ["lobby"]
        assert (server.people(), held.living()) == ([], ["beta"])
        assert await held.leave(ONE, BETA) == ["parser"]
        assert (held.living(), server.settled) == ([], ["beta", "beta"])
        last = Room(environment, "lobby", "ana").log().entries[-1].record
        assert (last.author, last.body) == ("system", "beta left the chatroom")
        await held.join(OTHER, BETA, LOBBY, session_id="s2")

    run(environment, test)


def test_who_joined_through_a_server_before_lives_again_when_it_comes_back(environment: Environment) -> None:
    """A client that only opens its stream again after the server was killed is who it was; a stranger's name is not."""

    async def test(first: Server) -> None:
        await first.holdings.join(ONE, BETA, LOBBY, "review", ["python"], "Beta", "BETA", "s1")
        first.end()
        second = Server(environment)
        assert second.people() == []
        async with second.holdings.staying(ONE, BETA), second.holdings.staying(ONE, Name("ana")):
            await until(lambda: second.people() == [("beta", "review", True)])
            assert [second.holdings.spelled(BETA), second.holdings.label_of(BETA)] == ["BETA", "Beta"]
            await second.holdings.join(ONE, BETA, LOBBY, "review", session_id="s1")
            assert await second.refused(second.holdings.join(ONE, BETA, LOBBY, session_id="s2")) == "name-taken"

    run(environment, test)
