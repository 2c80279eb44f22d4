"""A room that asks its writers for a later format: whatever a clone of today tries, nothing of it comes there (8.1)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitchat.model.refs import log_ref
from tests.world import Done, World

LOG = log_ref("lobby")
SAID = "asks for more\n\nChat-Kind: meta\nChat-Uid: 0000000000000001\nChat-Format-Min: 3\n"

WRITING = {
    "send, quick": ["send", "x"],
    "send": ["send", "--to", "bob", "--type", "note", "x"],
    "send and wait": ["send", "--sync=1", "x"],
    "reply": ["reply", "1", "x"],
    "ask": ["ask", "--to", "bob", "x", "--wait", "1s"],
    "claim": ["claim", "src/"],
    "redact": ["redact", "1"],
    "purge": ["purge", "1", "--yes"],
    "title": ["room", "title", "lobby", "x"],
    "close": ["room", "close", "lobby"],
    "import": ["import", "agent-chat"],
    "snd": ["snd", "--to", "bob", "x"],
    "run": ["run", "--", "true"],
    "leave": ["leave", "ann"],
    "hook": ["hook", "post", "commit", "-v"],
    "conflicts": ["conflicts"],
    "summary": ["summary", "write", "x"],
    "read": ["read"],
    "cursor": ["cursor", "set", "0"],
    "forget": ["forget", "ann"],
    "conflicts, unasked": ["conflicts", "--aside"],
    "push": ["push"],
    "pull": ["pull"],
    "bundle taken": ["pull", "../bob.bundle"],
    "sync": ["sync"],
    "sync, agreed": ["sync", "--yes"],
}


@pytest.fixture
def clone(world: World) -> Path:
    """A clone with something pending, work to share, a position to push, and the newer record not fetched yet."""
    hub, ann, bob = world.root / "hub.git", world.repository("ann"), world.root / "bob"
    world.git("commit", "-q", "--allow-empty", "-m", "begin", cwd=ann)
    world.git("init", "-q", "--bare", str(hub))
    world.git("remote", "add", "origin", str(hub), cwd=ann)
    world.git("push", "-q", "origin", "HEAD:main", cwd=ann)
    world.git("fetch", "-q", cwd=ann)
    world.git("config", "chat.sync", "manual", cwd=ann)
    world.git("config", "chat.share", "work", cwd=ann)
    world.git("config", "chat.base", "origin/main", cwd=ann)
    world.chat("send", "one", cwd=ann, check=True)
    world.chat("sync", cwd=ann, check=True)
    world.git("clone", "-q", str(hub), str(bob))
    world.git("config", "chat.sync", "manual", cwd=bob)
    world.chat("sync", cwd=bob, check=True)
    world.chat("send", "--as", "bob", "of bob", cwd=bob, check=True)
    world.chat("bundle", "../bob.bundle", cwd=bob, check=True)
    tree = world.git("mktree", cwd=bob, stdin=b"").stdout.strip()
    later = world.git("commit-tree", tree, "-p", f"{LOG}~1", cwd=bob, stdin=SAID.encode()).stdout.strip()
    world.git("push", "-q", "origin", f"{later}:{LOG}", cwd=bob)
    world.chat("send", "pending", cwd=ann, check=True)
    world.chat("join", "ann", cwd=ann, check=True)
    (ann / "new.py").write_text("new\n")
    (ann / "agent-chat").mkdir()
    (ann / "agent-chat" / "lobby.jsonl").write_text(
        json.dumps({"id": 1, "from": "eve", "content": "x", "timestamp": "2024-01-01T00:00:00Z"}) + "\n"
    )
    world.git("config", "--unset", "chat.sync", cwd=ann)
    return ann


def test_nothing_reaches_a_room_that_asks_for_a_later_format(world: World, clone: Path) -> None:
    """All verbs that write, what is pushed by itself, and what is shared of work; what was said here is known still."""
    hub = world.root / "hub.git"

    def there() -> str:
        return world.git("for-each-ref", "refs/chatroom", cwd=hub).stdout

    before = there()
    answers: dict[str, Done] = {"sync": world.chat("sync", cwd=clone)}
    assert there() == before
    for name, words in WRITING.items():
        answers[name] = world.chat(*words, cwd=clone)
        assert there() == before, name
    for name in (*list(WRITING)[:8], "title", "close", "sync", "sync, agreed", "push"):
        assert "format 3" in answers[name].stderr, name
    assert "pending" in world.chat("log", cwd=clone, check=True).stdout
    assert there() == before, "what was started meanwhile"
