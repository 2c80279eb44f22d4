"""What README claims beside the lines that are run: of a clone that syncs, of versions, and of where one begins."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distribution
from pathlib import Path

from tests.world import World

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")


def test_the_log_without_the_chat_is_without_it_after_a_sync(world: World) -> None:
    """By the command that README gives; what is fetched, seated and summarized stands below other refs, too."""
    here = world.repository()
    world.git("init", "-q", "--bare", world.root / "hub.git")
    world.git("remote", "add", "origin", world.root / "hub.git", cwd=here)
    world.chat("send", "said", cwd=here, check=True)
    world.chat("read", "--as", "codex", cwd=here, CLAUDECODE="1")
    world.chat("summary", "write", "in short", cwd=here, check=True)
    world.chat("sync", cwd=here, check=True)
    [command] = set(re.findall("`(git log --exclude=.*?)`", README))
    assert "said" in world.git("log", "--all", cwd=here).stdout
    shown = world.run("sh", "-c", f"{command} --format=%s", cwd=here).stdout
    assert shown == "first\n"


def test_versions_are_those_of_the_page_of_clients() -> None:
    """A version of a client that README names is one that it was seen with."""
    named = set(re.findall(r"\b\d+\.\d+\.\d+\b", README)) - {"0.1.0"}
    assert named <= set(re.findall(r"\b\d+\.\d+\.\d+\b", (TOP / "docs/clients.md").read_text(encoding="utf-8")))


def test_the_first_screen_begins_with_what_works() -> None:
    """The way from a clone, a look without installing, and the page for who is new; nothing from an index."""
    first = "\n".join(README.splitlines()[:24])
    assert "pipx install .  " in first
    assert "make demo" in first
    assert "(docs/start.md)" in first
    assert "pipx install git-chatroom" not in README


PROBE = """
import os, sys
from gitchat.cli import run
end = os._exit
def told(status):
    print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr, flush=True)
    end(status)
os._exit = told  # the server ends so
told(run(sys.argv[1:]))
"""


def test_the_packages_of_mcp_are_loaded_by_nobody_but_its_sdk(world: World) -> None:
    """Neither by the command line nor by the server that a client starts, through its handshake and a call."""
    here = world.repository()
    asked = (
        b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", '
        b'"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}\n'
        b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n'
        b'{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "list_rooms", "arguments": {}}}\n'
    )
    foreign = modules_of(needed_by("mcp"))
    assert {"mcp", "pydantic", "starlette", "anyio"} <= foreign
    for words, given in (("send hello", b""), ("log", b""), ("mcp", asked)):
        done = world.run(sys.executable, "-c", PROBE, *words.split(), cwd=here, stdin=given)
        loaded = set(done.stderr.splitlines()[-1].split())
        assert loaded & foreign == set(), words
    assert '"id":2' in done.stdout.replace(" ", "")


def needed_by(package: str) -> set[str]:
    """The packages that ``package`` needs here, and itself, but for those that we need anyway."""
    ours = {
        "click",
        "pygit2",
        "cffi",
        "pycparser",
        "watchdog",
        "wcwidth",
        "tomlkit",
        "prompt-toolkit",
        "typing-extensions",
    }
    found, left = set[str](), {package}
    while left:
        name = left.pop()
        found.add(name)
        for line in distribution(name).requires or []:
            needed = re.split(r"[^\w.-]", line, maxsplit=1)[0].lower().replace("_", "-")
            if "extra ==" not in line and needed not in found | ours and is_here(needed):
                left.add(needed)
    return found


def is_here(package: str) -> bool:
    """Whether it is installed."""
    try:
        distribution(package)
    except ModuleNotFoundError:
        return False
    return True


def modules_of(packages: set[str]) -> set[str]:
    """Their top-level modules, as they lie beside each other."""
    return {
        file.parts[0].removesuffix(".py")
        for package in packages
        for file in distribution(package).files or []
        if file.suffix == ".py" and not file.parts[0].startswith((".", "_")) and ".dist-info" not in file.parts[0]
    }
