"""What may be loaded on the way to a first line of output."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gitchat.cli import COMMANDS, MAINTENANCE
from tests.world import World

FORBIDDEN = {
    "mcp", "pydantic", "starlette", "uvicorn", "httpx", "anyio", "asyncio", "ssl", "email", "http", "rich",
    "importlib.metadata", "sqlite3", "wcwidth", "multiprocessing", "unittest", "watchdog",
    "prompt_toolkit",
}  # fmt: skip


def modules_after(code: str) -> set[str]:
    """Top-level and dotted names of all modules that a fresh interpreter holds after ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_a_command_loads_nothing_heavy_at_module_level() -> None:
    """Neither pygit2 nor anything of the web is loaded before a repository is opened, by none of them."""
    loaded = _modules_of_commands([*COMMANDS, *MAINTENANCE])
    assert len(loaded) == len(COMMANDS) + len(MAINTENANCE)
    heavy = FORBIDDEN | {"pygit2", "_cffi_backend"}
    assert {command: modules & heavy for command, modules in loaded.items() if modules & heavy} == {}


def _modules_of_commands(commands: list[str]) -> dict[str, set[str]]:
    """All modules that hold what each of ``commands`` is, each in a fork of one fresh interpreter."""
    code = """
import gitchat.__main__, gitchat.cli, os, sys
for command in sys.argv[1:]:
    if os.fork() == 0:
        __import__(gitchat.cli.module_of(command))
        print(command, *sys.modules, flush=True)
        os._exit(0)
    os.wait()
"""
    done = subprocess.run([sys.executable, "-c", code, *commands], check=True, capture_output=True, text=True)
    return {command: set(modules) for command, *modules in map(str.split, done.stdout.splitlines())}


FLOORS_OF_ALL_DAY = {"cli", "model", "quick", "rooms", "storage", "workspace"}
"""The folders that a plain send or log enters; none of them is loaded as a whole."""


@pytest.mark.parametrize(
    ("line", "unneeded"),
    [
        ("send hello", {"rooms.log", "rooms.files", "rooms.cursor", "rooms.summaries", "cli.render", "cli.dates"}),
        ("log", {"rooms.writing", "rooms.files", "rooms.cursor", "rooms.summaries", "cli.texts"}),
    ],
)
def test_what_is_typed_all_day_loads_no_more_than_it_needs(world: World, line: str, unneeded: set[str]) -> None:
    """A plain send or log runs without the index, the roll, the verbs, and what only the other one needs."""
    code = "from gitchat.cli import run; import sys; status = run(sys.argv[1:]); assert status == 0"
    report = "print(*sorted(name for name in sys.modules if name.startswith('gitchat.')))"
    repository = world.repository()
    world.chat("send", "first", cwd=repository, check=True)
    done = world.run(sys.executable, "-c", f"{code}; {report}", *line.split(), cwd=repository)
    loaded = {name.removeprefix("gitchat.") for name in done.stdout.splitlines()[-1].split()}
    assert {name.partition(".")[0] for name in loaded} == FLOORS_OF_ALL_DAY
    assert loaded & (unneeded | {"cli.graph", "storage.lockfile", "storage.plumbing"}) == set()


HEAVY = {
    "re", "dataclasses", "pathlib", "typing", "subprocess", "json", "click", "pygit2", "enum", "contextlib",
    "collections", "functools", "datetime", "inspect", "threading", "__future__",
}  # fmt: skip
"""What takes longer to load than a plain command has in all."""

MOST_MODULES = 28
"""How many modules of gitchat, or of Python beyond what it loads by itself, a plain command may load."""


PLAINEST = {
    "log": "first", "log -n 20": "first", "log -5 --oneline": "first", "log --room lobby -n 3": "first",
    "inbox": "first", "inbox -n 2 --room lobby": "first",
    "wait": "first", "wait --timeout 5 -n 1": "first", "reply 1 hello": "#3",
    "send hello": "#3", "send --type question --priority urgent --as bob hello": "#3",
}  # fmt: skip
"""Lines, and what they print."""


@pytest.mark.parametrize("line", PLAINEST)
def test_the_plainest_commands_load_nearly_nothing(world: World, line: str) -> None:
    """Neither click nor pygit2, nor what these or our own modules need; by the installed program's own file."""
    repository = world.repository()
    for _ in range(2):
        world.chat("send", "first", cwd=repository, check=True, GITCHAT_NAME="bob")
    bare = modules_after("pass")
    # os._exit ends the program, so it is asked right before.
    code = """
import os, sys
end = os._exit
def tell(status):
    print(*sys.modules, file=sys.stderr, flush=True)
    end(status)
os._exit = tell
sys.argv = [sys.argv[1], *sys.argv[2:]]
from gitchat.__main__ import main
main()
"""
    done = world.run(sys.executable, "-c", code, "git-chat", *line.split(), cwd=repository)
    assert PLAINEST[line] in done.stdout
    loaded = set(done.stderr.split()) - bare
    assert loaded & (HEAVY - bare) == set()
    assert {name.split(".")[1] for name in loaded if name.startswith("gitchat.")} == {"__main__", "quick"}
    assert len(loaded) <= MOST_MODULES, sorted(loaded)


def test_the_package_itself_loads_nothing() -> None:
    """``import gitchat`` gives names; what stands behind them comes when it is used."""
    loaded = modules_after("import gitchat")
    assert {name for name in loaded if name.startswith("gitchat")} == {"gitchat"}
    assert loaded & (FORBIDDEN | {"pygit2"}) == set()


def test_the_tools_bring_no_web_with_them() -> None:
    """Who calls them as functions pays neither for a server nor for watching."""
    assert modules_after("import gitchat.tools") & (FORBIDDEN - {"sqlite3"} | {"pygit2"}) == set()


def test_the_backend_brings_no_web_with_it() -> None:
    """With a repository open there is pygit2, and still nothing of the web."""
    loaded = modules_after("import gitchat.storage.libgit2, gitchat.cli.commands.send, gitchat.cli.commands.log")
    assert "pygit2" in loaded
    assert (
        loaded & {"mcp", "pydantic", "starlette", "uvicorn", "httpx", "anyio", "asyncio", "rich", "watchdog"} == set()
    )


def test_a_server_answers_its_client_before_asyncio_is_loaded(world: World) -> None:
    """What a client asks first needs no loop, and so does not wait for the longest import there is."""
    asked = [
        {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18"}},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
    ]
    lines = "".join(json.dumps({"jsonrpc": "2.0", **one}) + "\n" for one in asked)
    # What is sent is told with what is loaded by then.
    code = """
import sys
from gitchat.server.lines import Lines
send = Lines.send
def tell(self, message):
    send(self, message)
    print(*sys.modules, file=sys.stderr, flush=True)
Lines.send = tell
from gitchat.server import front
front.serve()
"""
    done = world.run(sys.executable, "-c", code, cwd=world.repository(), stdin=lines.encode())
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [1, 2]
    assert answers[1]["result"]["tools"]
    loaded = set(done.stderr.splitlines()[1].split())
    heavy = {"asyncio", "dataclasses", "inspect", "pathlib", "subprocess", "socket", "logging", "click", "pygit2"}
    assert loaded & heavy == set()
