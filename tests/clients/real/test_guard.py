"""An edit of what somebody has claimed: the agent is told, and where its user wants it so the edit does not happen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.clients.real.client import Client
from tests.clients.real.vendors import Claude, Codex
from tests.clients.stand_in import Call

pytestmark = pytest.mark.clients

SAID = "gitchat: {} is claimed by ann (src/, #1)"
ASKS = "Ask ann before you change it"


def claimed(client: Client) -> None:
    """ann has a directory, and what is said of that counts for the client's own name."""
    client.setup()
    client.chat("claim", "--as", "ann", "src/")
    assert (client.project / ".git" / "chatroom" / "guard").exists()


def heard(client: Client, edit: Callable[[str], Call], path: str, *options: str) -> tuple[str, bool]:
    """What its model heard after an edit, and whether the file is there then."""
    before = len(client.script.asked)
    client.script.go_on(client.shell("git chat send --quiet here"), edit(path), "done")
    client.headless("go", *options)
    return client.script.asked[before + 2].new, (client.project / path).exists()


def test_claude_is_told_and_refused(claude: Claude) -> None:
    """With warn its model is told, and the file is there; with deny it is not; of what is free nothing is said."""

    def write(path: str) -> Call:
        return Call("Write", {"file_path": str(claude.project / path), "content": "new\n"})

    claimed(claude)
    told, is_there = heard(claude, write, "src/a.py")
    assert (SAID.format("src/a.py") in told, ASKS in told, is_there) == (True, False, True)
    claude.scratch.go("git", "config", "chat.claims", "deny")
    told, is_there = heard(claude, write, "src/b.py")
    assert (SAID.format("src/b.py") in told, ASKS in told, is_there) == (True, True, False)
    told, is_there = heard(claude, write, "free.py")
    assert ("is claimed" in told, is_there) == (False, True)


def test_codex_is_told_and_refused(codex: Codex) -> None:
    """As Claude Code, of the paths of a patch."""
    patching = ("-m", "gpt-5.5")  # it gives the tool to models that it knows

    def patch(path: str) -> Call:
        return Call("apply_patch", text=f"*** Begin Patch\n*** Add File: {path}\n+new\n*** End Patch\n")

    claimed(codex)
    told, is_there = heard(codex, patch, "src/a.py", *patching)
    assert (SAID.format("src/a.py") in told, ASKS in told, is_there) == (True, False, True)
    codex.scratch.go("git", "config", "chat.claims", "deny")
    told, is_there = heard(codex, patch, "src/b.py", *patching)
    assert (SAID.format("src/b.py") in told, ASKS in told, is_there) == (True, True, False)
    told, is_there = heard(codex, patch, "free.py", *patching)
    assert ("is claimed" in told, is_there) == (False, True)
