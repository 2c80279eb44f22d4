"""Agents that edit at once, with their real hooks: one look in half a minute, and nothing of anybody's changes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from gitchat.verbs.conflicting import PAUSE_SECONDS
from gitchat.verbs.unasked import why_not
from tests.cli.test_gate import SCRIPT
from tests.server.wire import eventually
from tests.world import World


class Crowd:
    """A repository with a worktree for each agent, the hooks of their clients, and who looks."""

    def __init__(self, world: World, agents: int, *options: str) -> None:
        self.world = world
        self.main = world.repository("main", *options)
        self.trees = [world.root / f"agent{number}" for number in range(agents)]
        (self.main / "lexer.py").write_text("".join(f"line {number}\n" for number in range(40)))
        world.git("add", "-A", cwd=self.main)
        world.git("commit", "-q", "-m", "begin", cwd=self.main)
        world.git("branch", "-M", "main", cwd=self.main)
        world.chat("send", "hello", cwd=self.main, check=True)
        for tree in self.trees:
            world.git("worktree", "add", "-q", str(tree), "-b", tree.name, cwd=self.main)
            world.chat("join", tree.name, cwd=tree, check=True)
        self._asked, self._looked = world.root / "asked", world.root / "looked"
        real, git = world.run("sh", "-c", "command -v git-chat", check=True).stdout.strip(), shutil.which("git")
        place = world.root / "installed"
        place.mkdir()
        self._hook = shutil.copy(SCRIPT, place / "git-chat-hook")
        # Who was asked begins by its number, which stays that of what it becomes.
        program = place / "git-chat"
        program.write_text(
            f'#!/bin/sh\n[ "$1" = conflicts ] && echo $$ >>{self._asked}\nPATH={place}:$PATH exec {real} "$@"\n'
        )
        tool = place / "git"
        tool.write_text(
            f'#!/bin/sh\ncase " $* " in *" worktree list "*) date +%s.%N >>{self._looked} ;; esac\nexec {git} "$@"\n'
        )
        for one in (program, tool):
            one.chmod(0o755)
        (self.main / ".git" / "chatroom" / "conflicts.on").touch()

    def edit(self, tree: Path, number: int) -> None:
        """One edit of an agent, and the hook that its client runs then."""
        (tree / "lexer.py").write_text("".join(f"{tree.name} {number} line {line}\n" for line in range(40)))
        said = {"session_id": f"session-{tree.name}", "cwd": str(tree), "tool_name": "Edit"}
        done = self.world.run(
            "sh", str(self._hook), "codex", "tool", cwd=tree, stdin=json.dumps(said).encode(), check=True
        )
        assert done.stderr == ""

    def asked(self) -> list[int]:
        """The processes that were asked to look."""
        return [int(line) for line in self._asked.read_text().split()] if self._asked.exists() else []

    def looked(self) -> list[float]:
        """When somebody looked, in seconds since the epoch."""
        return [float(line) for line in self._looked.read_text().split()] if self._looked.exists() else []

    def users(self) -> dict[str, object]:
        """What no look may change: indexes, refs, the stash, loose objects, and packs."""
        git = self.main / ".git"
        files = [git / "index", *sorted(git.glob("worktrees/*/index")), *sorted(git.glob("objects/??/*"))]
        refs = self.world.git("for-each-ref", "refs/heads", "refs/remotes", "refs/stash", cwd=self.main).stdout
        ours = {"chatroom", "chatroom-local"}
        kept = {str(one): one.read_bytes() for one in files if not ours & {*one.parts}}
        return kept | {"refs": refs, "packs": sorted(one.name for one in git.glob("objects/pack/*"))}

    def end(self) -> None:
        """End who waits for his next turn."""
        for pid in self.asked():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def crowd(world: World, request: pytest.FixtureRequest) -> Iterator[Crowd]:
    """So many as a test says."""
    made = Crowd(world, request.param)
    yield made
    made.end()


def _edit_all(crowd: Crowd, times: int, until: float = 0.0, pause_seconds: float = 0.0) -> None:
    """Let all agents edit at once, so many times, and at least ``until`` then by the monotonic clock."""
    over = threading.Event()

    def work(tree: Path) -> None:
        number = 0
        while number < times or time.monotonic() < until:
            crowd.edit(tree, number)
            number += 1
            over.wait(pause_seconds)

    threads = [threading.Thread(target=work, args=(tree,)) for tree in crowd.trees]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


@pytest.mark.parametrize("crowd", [8], indirect=True)
def test_of_many_who_ask_at_once_one_looks(crowd: Crowd) -> None:
    """And one more waits for its turn: however many edits there are, no more processes begin."""
    before = crowd.users()
    _edit_all(crowd, 3)
    began = eventually(crowd.looked)[0]
    eventually(lambda: not (crowd.main / ".git" / "chatroom" / "ahead").exists())
    after = crowd.users()
    looked = [one for one in crowd.looked() if one - began < PAUSE_SECONDS]
    assert len(looked) == 1
    assert len(crowd.asked()) <= 3
    assert after == before


@pytest.mark.soak
@pytest.mark.parametrize("crowd", [20], indirect=True)
def test_a_minute_of_edits_is_looked_at_twice_or_thrice(crowd: Crowd) -> None:
    """At most once in each half of it; and nothing that is anybody's changes but what was edited."""
    before = crowd.users()
    _edit_all(crowd, 1, until=time.monotonic() + 2.5 * PAUSE_SECONDS, pause_seconds=2.0)
    looked = crowd.looked()
    assert 1 <= len(looked) <= 3
    assert all(later - one >= PAUSE_SECONDS - 1 for one, later in pairwise(looked))
    said = crowd.world.chat("log", "--json", cwd=crowd.main, check=True).stdout.splitlines()
    is_told = any(json.loads(line).get("type") == "conflict" for line in said)
    assert is_told or why_not(crowd.world.environment(crowd.main)), "it is told, or that the machine is too slow for it"
    own = {"refs", "packs", *(key for key in before if key.endswith("index"))}
    after = crowd.users()
    assert {key: after[key] for key in own} == {key: before[key] for key in own}, "but for the records"
    print(f"{len(looked)} looks, {len(crowd.asked())} processes asked, {'told' if is_told else 'too slow'}")


@pytest.mark.parametrize("options", [("--object-format=sha256",), ("--ref-format=reftable",)])
def test_any_repository_is_looked_at_and_stays_as_it_is(world: World, options: tuple[str, ...]) -> None:
    """With longer names of objects, and refs in tables: found, told, and known at the next look."""
    if "reftable" in options[0]:
        world.use_newer_git()
    crowd = Crowd(world, 2, *options)
    for tree in crowd.trees:
        (tree / "lexer.py").write_text(f"{tree.name}\n")
        (tree / "new.py").write_text(f"{tree.name}\n")
    before = crowd.users()
    for _ in range(2):
        shown = world.chat("conflicts", "--json", cwd=crowd.trees[0], check=True).stdout.splitlines()
        assert {one["path"]: one["outcome"] for one in map(json.loads, shown)} == {
            "lexer.py": "conflict", "new.py": "conflict",
        }  # fmt: skip
    assert crowd.users() == before
    assert not (crowd.main / ".git" / "chatroom" / "ahead").exists()
