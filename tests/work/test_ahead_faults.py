"""What goes wrong while work is looked at and shared: nothing of the user's changes, and nothing of ours stays."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from gitchat.verbs import conflicting
from gitchat.work import scratch
from tests.crash.writers import fork, wait_for
from tests.work.conftest import Machine, Two
from tests.world import World


def _users(path: Path) -> dict[str, bytes]:
    """All that is not in a directory of ours, and no object: what a look writes is neither."""
    ours = {"chatroom", "chatroom-local"}
    return {str(one): one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file() and not ours & {*one.parts}}


def test_a_kill_at_each_step_leaves_nothing(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is looked, a snapshot is made and pushed; the next look removes what there was, and shares it."""
    bob = two.bob
    bob.git("config", "chat.share", "work")
    bob.write("lexer.py", 20, "bob's")
    (bob.path / "new.py").write_text("new\n")
    before, git = _users(bob.path), scratch.Scratch.git
    steps = 0

    def die_at(step: int) -> None:
        count = 0

        def counted(self: scratch.Scratch, *words: str, **options: Any) -> bytes:
            nonlocal count
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return git(self, *words, **options)

        scratch.Scratch.git = counted  # type: ignore[method-assign]
        conflicting.glance(bob.room())

    while wait_for([fork(lambda: die_at(steps + 1))]) == [-signal.SIGKILL]:  # noqa: B023 - it is over when it returns
        steps += 3  # each third: they are alike
        assert _users(bob.path) == before
    assert steps > 15
    bob.glance()
    assert len(bob.work_refs()) == 1
    assert _users(bob.path) == before
    left = {one.name for one in (bob.path / ".git" / "chatroom").iterdir()}
    assert "ahead" not in left
    assert not {name for name in left if name.endswith(".new")}


def test_a_full_disk_ends_a_look_and_leaves_nothing(two: Two) -> None:
    """A limit on file sizes stops git amid an object, as a full disk would; the verb says why."""
    bob = two.bob
    (bob.path / "new.bin").write_bytes(os.urandom(200_000))
    before = _users(bob.path)
    script = "trap '' XFSZ; ulimit -f 64; exec git chat conflicts"
    done = bob.world.run("sh", "-c", script, cwd=bob.path, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert _users(bob.path) == before
    assert not (bob.path / ".git" / "chatroom" / "ahead").exists()
    assert bob.found() == {}


def test_an_older_git_says_where_lines_meet_and_nobody_is_told(two: Two) -> None:
    """Git before 2.38 knows no merge-tree --write-tree: it may conflict, is shown, and doctor says so.

    And before 2.36 no worktree list -z.
    """
    alice, bob, world = two.alice, two.bob, two.alice.world
    bob.write("lexer.py", 20, "bob's")
    bob.write("token.py", 1, "bob's")
    bob.push()
    alice.write("lexer.py", 21, "alice's")
    alice.write("token.py", 40, "alice's")
    alice.push()
    alice.sync()
    old = 'case " $* " in *" merge-tree "*) echo "usage: git merge-tree" >&2; exit 129 ;; esac\n'
    old += 'case " $* " in *" worktree list "*" -z "*) echo "usage: git worktree list" >&2; exit 129 ;; esac\n'
    old += 'case $1 in --version) echo "git version 2.35.1"; exit ;; esac\n'
    world.add_program("git", f'{old}exec {shutil.which("git")} "$@"')
    # Not as "git chat": git lets its own programs be found first.
    shown = world.run("git-chat", "conflicts", "--exit-code", cwd=alice.path, check=False)
    assert shown.returncode == 1
    rows = {line.split()[0]: line for line in shown.stdout.splitlines() if line.startswith("    ")}
    assert rows["lexer.py"].endswith("may conflict")
    assert rows["token.py"].endswith("merges")
    conflicting.glance(alice.room())
    assert alice.told() == []
    assert "git before 2.38 cannot try a merge" in world.run("git-chat", "doctor", cwd=alice.path, check=False).stdout


def test_other_kinds_of_clones_are_looked_at(two: Two, world: World) -> None:
    """Sparse, partial and shallow ones, with a submodule, a pointer of LFS and a worktree that is gone."""
    bob = two.bob
    bob.write("lexer.py", 20, "bob's")
    bob.push()
    world.git("config", "uploadpack.allowFilter", "true", cwd=world.root / "hub.git")
    url = f"file://{world.root}/hub.git"
    for name, options in (("partial", ["--filter=blob:none"]), ("shallow", ["--depth=1"])):
        path = world.root / name
        world.git("clone", "-q", *options, url, str(path))
        one = Machine(world, name, path, two.seconds)
        one.git("config", "chat.name", name)
        one.git("checkout", "-q", "-b", name)
        if name == "partial":
            one.git("sparse-checkout", "set", "--no-cone", "/lexer.py")
            one.git("worktree", "add", "-q", str(world.root / "gone"), "-b", "gone")
            shutil.rmtree(world.root / "gone")
        one.write("lexer.py", 20, f"{name}'s")
        (path / "big.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n")
        world.git("init", "-q", path / "sub")
        world.git("-C", path / "sub", "commit", "-q", "--allow-empty", "-m", "sub")
        one.git("add", "-f", *(["--sparse"] if name == "partial" else []), "sub")
        world.chat("sync", cwd=path, check=True)
        one.sync()
        shown = world.chat("conflicts", cwd=path, check=True).stdout
        if name == "partial":  # bob's version of the file is left out here
            assert "not looked at: files that it needs are not in this partial clone" in shown
        else:
            assert one.found()["lexer.py"] == "conflict"


def test_what_a_stranger_shares_is_data(two: Two) -> None:
    """A tree that holds itself a million times, a path that no tree may have, and no work at all."""
    alice, bob, world = two.alice, two.bob, two.alice.world
    alice.write("lexer.py", 20, "alice's")
    blob = world.git("hash-object", "-w", "--stdin", cwd=bob.path, stdin=b"x\n").stdout.strip()

    def tree(lines: str) -> str:
        return world.git("mktree", "--missing", cwd=bob.path, stdin=lines.encode()).stdout.strip()

    bomb = tree(f"100644 blob {blob}\ta\n")
    for _ in range(6):
        bomb = tree("".join(f"040000 tree {bomb}\td{number}\n" for number in range(10)))
    since = bob.git("rev-parse", "HEAD")
    said = f"work\n\nChat-Kind: work\nChat-Commit: {since}\n"
    up = tree(f"040000 tree {tree(f'100644 blob {blob}{chr(9)}.git{chr(10)}')}\twork\n")
    trees = {"bomb": tree(f"040000 tree {bomb}\twip\n"), "dotgit": tree(f"040000 tree {up}\twip\n"), "none": bomb}
    for name, oid in trees.items():
        words = said if name != "none" else "nothing\n"
        commit = world.git("commit-tree", oid, cwd=bob.path, stdin=words.encode()).stdout.strip()
        bob.git("push", "-q", "origin", f"{commit}:refs/chatroom/rooms/lobby/work/{'0' * 16}/{name}")
    alice.sync()
    found = alice.found()
    assert found.pop("bomb: no branch in another clone") == "it has more than 1000 paths"
    assert found == {}, "git leaves out the path .git, and what is no work is nobody's"
