"""docs/deploy.md, tools over HTTP: the clients without a clone of the rooms, at a server that wants a token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clients.real.client import Client
from tests.clients.real.vendors import Claude, Codex

pytestmark = pytest.mark.clients


@contextmanager
def server(client: Client) -> Iterator[tuple[Path, str, str]]:
    """Rooms in a repository beside the client's own: where, the address of the tools there, and a token of bob."""
    rooms = client.scratch.root / "rooms"
    client.scratch.go("git", "init", "-q", str(rooms))
    assert client.chat("send", "--as", "ann", "welcome", cwd=rooms).returncode == 0
    token = client.chat("token", "add", "bob", cwd=rooms).stdout.split()[0]
    process = client.scratch.start("git-chat", "serve", "--port", "0", "--token-always", cwd=rooms)
    try:
        assert process.stdout is not None
        yield rooms, f"{process.stdout.readline().partition('/#')[0].strip()}/mcp", token
    finally:
        process.terminate()
        process.wait()


def said(client: Client, rooms: Path) -> list[tuple[str, str]]:
    """Who said what there."""
    lines = client.chat("log", "--json", cwd=rooms).stdout.splitlines()
    return [(record["from"], record["content"]) for record in map(json.loads, lines)]


def test_claude_reads_and_sends_by_a_server(claude: Claude) -> None:
    """By what the page has it add; its model reads the room and speaks under the name of the token.

    That is in a variable, and in no file of the client's.
    """
    with server(claude) as (rooms, url, token):
        claude.scratch.variables["GITCHAT_TOKEN"] = token
        words = ("--transport", "http", "gitchat", url, "--header", "Authorization: Bearer ${GITCHAT_TOKEN}")
        claude.scratch.go("claude", "mcp", "add", *words)
        claude.script.go_on(*claude.calls("read_unread"), *claude.calls("send_message", content="by http"), "done")
        assert claude.headless("go").stdout == "done\n"
        assert said(claude, rooms) == [("ann", "welcome"), ("bob", "by http")]
        kept = [path for path in claude.scratch.home.rglob("*") if path.is_file()]
        assert kept
        assert not [path for path in kept if token.encode() in path.read_bytes()]
    assert any("welcome" in request.new for request in claude.script.asked)


def test_claude_that_was_set_up_to_connect_reads_and_sends(claude: Claude) -> None:
    """Over standard input and output to our own program, which forwards; the token is in a variable."""
    with server(claude) as (rooms, url, token):
        claude.scratch.variables["GITCHAT_TOKEN"] = token
        claude.setup("--local", "--connect", url.removesuffix("/mcp"))
        claude.script.go_on(*claude.calls("read_unread"), *claude.calls("send_message", content="forwarded"), "done")
        assert claude.headless("go").stdout == "done\n"
        assert said(claude, rooms) == [("ann", "welcome"), ("bob", "forwarded")]
        claude.setup("--local", "--no-connect")
        claude.script.go_on(*claude.calls("send_message", content="here again"), "done")
        assert claude.headless("go").stdout == "done\n"
        assert len(said(claude, rooms)) == 2
        assert "here again" in claude.chat("log").stdout
    assert any("welcome" in request.new for request in claude.script.asked)


def test_codex_that_was_set_up_to_connect_reads_and_sends(codex: Codex) -> None:
    """It hands on the variable with the token, since its entry says so."""
    with server(codex) as (rooms, url, token):
        codex.scratch.variables["GITCHAT_TOKEN"] = token
        codex.setup("--allow", "--connect", url.removesuffix("/mcp"))
        config = codex.project / ".codex" / "config.toml"  # the stand-in asks at once, so it has to wait for the tools
        config.write_text(config.read_text().replace("env_vars", "required = true\nenv_vars"))
        codex.script.go_on(codex.call("read_unread"), codex.call("send_message", content="forwarded"), "done")
        assert codex.headless("go").stdout == "done\n"
        assert said(codex, rooms) == [("ann", "welcome"), ("bob", "forwarded")]
    assert any("welcome" in request.new for request in codex.script.asked)


def test_codex_reads_and_sends_by_a_server(codex: Codex) -> None:
    """With its token in a variable, as the page has it."""
    with server(codex) as (rooms, url, token):
        codex.scratch.variables["GITCHAT_TOKEN"] = token
        with (codex.scratch.home / ".codex" / "config.toml").open("a") as file:
            file.write(
                f'[mcp_servers.gitchat]\nurl = "{url}"\nbearer_token_env_var = "GITCHAT_TOKEN"\n'
                "tool_timeout_sec = 1800\nrequired = true\n"
            )
        codex.script.go_on(codex.call("read_unread"), codex.call("send_message", content="by http"), "done")
        codex.headless("go")
        assert said(codex, rooms) == [("ann", "welcome"), ("bob", "by http")]
    assert any("welcome" in request.new for request in codex.script.asked)
