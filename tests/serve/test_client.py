"""AgentClient, against the real server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from importlib import util
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gitchat.client import AgentClient, asking
from gitchat.errors import ChatError
from gitchat.verbs.room import Room
from tests.house.test_imports import modules_after
from tests.serve.serving import serving
from tests.world import World

TOP = Path(__file__).parents[2]
PROGRAM = TOP / "tests" / "fixtures" / "seeds" / "proposer.py"
SECONDS = 60
"""How long something may take on a machine under load."""


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work``, which must end in time."""
    asyncio.run(asyncio.wait_for(work, SECONDS))


async def until(is_there: Callable[[], bool]) -> None:
    """Wait for a condition; the limit is that of :func:`run`."""
    while not is_there():
        await asyncio.sleep(0.01)


def test_the_seeds_program_runs_with_nothing_but_the_address_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its proposal to all, to the acceptance that its callback is given."""
    monkeypatch.syspath_prepend(str(TOP / "examples" / "seeds"))
    monkeypatch.setenv("CLAUDE_SESSION_ID", "01RXGe86WesQ8yxBsVwvKvdc")
    spec = util.spec_from_file_location("proposer", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    program = util.module_from_spec(spec)
    spec.loader.exec_module(program)
    accepted: list[str] = []

    async def talk(url: str) -> None:
        beta = AgentClient(url, "01TYEi4Mjf2Tft2SWjjVtdQ3", "Beta")

        async def accept(message: dict[str, Any]) -> None:
            if message["type"] == "task_proposal":
                await beta.send_message(message["from"], {"type": "task_accept"})

        await beta.register()
        listening = asyncio.create_task(beta.listen(accept))
        proposing = asyncio.create_task(program.propose(url, accepted.append))
        await until(lambda: accepted != [] or listening.done() or proposing.done())
        for task in (listening, proposing):
            task.cancel()
        assert await asyncio.gather(listening, proposing, return_exceptions=True) != []

    with serving(world, cwd=world.repository()) as running:
        run(talk(running.url))
    assert accepted == ["beta-01TYEi4M"]


def test_each_message_comes_once_over_a_killed_server(world: World) -> None:
    """In order, with what was said while nobody served; what the callback raised at comes again."""
    repository = world.repository()
    room = Room(world.environment(repository), name="alice")
    room.send("0")
    had: list[str] = []

    async def listen(url: str, restart: Callable[[], None]) -> None:
        beta = AgentClient(url, "one", "beta", agent_id="beta")
        await beta.register()

        def fail(message: dict[str, Any]) -> None:
            raise OSError("not yet")

        with pytest.raises(OSError, match="not yet"):
            await beta.listen(fail)
        listening = asyncio.create_task(beta.listen(lambda message: had.append(message["message"])))
        await until(lambda: had == ["0"])
        room.send("1", to="beta")
        await until(lambda: had == ["0", "1"])
        await asyncio.to_thread(restart)
        room.send("3")
        await until(lambda: len(had) >= 4)
        assert [one["status"] for one in await beta.agents() if one["agent_id"] == "beta"] == ["active"]
        await beta.close()
        await listening

    with serving(world, cwd=repository) as first:
        port = str(urlsplit(first.url).port)
        second = serving(world, "--port", port, cwd=repository)

        def restart() -> None:
            first.kill(9)
            room.send("2")
            second.__enter__()

        try:
            run(listen(first.url, restart))
        finally:
            second.__exit__(None, None, None)
    assert had == ["0", "1", "2", "3"]


def test_what_may_have_been_lost_is_sent_again_and_stored_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that does not arrive is no reason to say a thing twice; nobody there at all is told in the end."""
    repository = world.repository()
    tries: list[str] = []

    def lose_first(server: asking.Server, method: str, path: str, body: Any) -> Any:
        answered = ask(server, method, path, body)
        tries.append(path)
        if len(tries) == 1:
            raise asking.Later(ChatError("lost", hint="", code="lost"))
        return answered

    ask = asking.Server._try
    monkeypatch.setattr(asking.Server, "_try", lose_first)
    with serving(world, cwd=repository) as running:
        client = AgentClient(running.url, None, "beta")
        sent = asyncio.run(client.send_message("ALL", "once"))
        asyncio.run(client.send_message("ALL", "once"))
        with pytest.raises(ChatError) as refused:
            asyncio.run(client.send_message("no such name", "x"))
        assert refused.value.code == "bad-name"
    assert (sent["message_id"], len(tries)) == (1, 3)
    assert [one.record.body for one in Room(world.environment(repository)).log().entries] == ["once", "once"]
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(ChatError) as unheard:
        asyncio.run(client.register())
    assert (unheard.value.code, unheard.value.status) == ("unreachable", 5)


def test_to_listen_needs_a_package_and_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what installs it; everything else needs the standard library."""
    monkeypatch.setitem(sys.modules, "websockets.asyncio.client", None)
    with pytest.raises(ChatError) as missing:
        asyncio.run(AgentClient("http://localhost:1", None, "beta").listen(print))
    assert (missing.value.code, missing.value.hint) == (
        "no-serve",
        "install git-chatroom with its extra 'serve', which brings it",
    )


def test_who_imports_it_loads_neither_git_nor_a_server() -> None:
    """Nor the package that only who listens needs."""
    unneeded = {"pygit2", "websockets", "starlette", "uvicorn", "mcp", "click", "sqlite3", "watchdog"}
    assert modules_after("import gitchat.client") & unneeded == set()


@pytest.mark.parametrize(
    ("name", "session", "agent_id"),
    [
        ("Beta", "01TYEi4Mjf2Tft2SWjjVtdQ3", "beta-01TYEi4M"),
        ("Code Reviewer", "ab", "code-reviewer-ab"),
        ("\u4f60", "12345678x", "agent-12345678"),
    ],
)
def test_an_agent_is_called_by_its_name_and_session(name: str, session: str, agent_id: str) -> None:
    """As in the seed's example."""
    assert AgentClient("http://localhost:1", session, name).agent_id == agent_id
