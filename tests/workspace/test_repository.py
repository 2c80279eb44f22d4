"""Which repositories we can be in, and what is said where there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gitchat import __main__ as program
from tests.world import Done, World


def commands_of(hint: str) -> str:
    """The command that a hint ends with."""
    return hint.rpartition("if it was moved")[2].partition(": ")[2]


def hint_of(done: Done) -> str:
    """The line that says what to do."""
    return done.stderr.split("hint: ")[1].strip()


@pytest.mark.parametrize("verb", ["log", "send", "status"])
def test_a_worktree_without_its_repository_names_what_is_not_there(world: World, verb: str) -> None:
    """As in a container that has the worktree alone; and the command for one that was moved helps."""
    repository, tree, elsewhere = world.repository(), world.root / "tree", world.root / "elsewhere"
    world.git("worktree", "add", "-q", tree, cwd=repository)
    repository.rename(elsewhere)
    words = [verb, *(["hello"] if verb == "send" else [])]
    refused = world.chat(*words, cwd=tree)
    assert refused.returncode == 1
    assert f"there is no {repository}/.git/worktrees/tree" in refused.stderr
    world.run("sh", "-c", commands_of(hint_of(refused)).replace("ITS-NEW-PLACE", str(elsewhere)), cwd=tree)
    assert world.chat("send", "hello", cwd=tree).returncode == 0


def test_a_git_file_that_leads_nowhere_is_said_to(world: World) -> None:
    """A separate git directory, or that of a submodule, which is not there."""
    tree, elsewhere = world.root / "tree", world.root / "elsewhere"
    world.git("init", "-q", "--separate-git-dir", world.root / "place", tree)
    (world.root / "place").rename(elsewhere)
    refused = world.chat("log", cwd=tree)
    assert f"{world.root / 'place'}, and there is none" in refused.stderr
    world.run("sh", "-c", commands_of(hint_of(refused)).replace("ITS-NEW-PLACE", str(elsewhere)), cwd=tree)
    assert world.chat("send", "hello", cwd=tree).returncode == 0


@pytest.mark.parametrize(
    ("extension", "value"),
    [("partialClone", "origin"), ("preciousObjects", "true"), ("worktreeConfig", "true"), ("noop", "1")],
)
def test_what_git_opens_we_open(world: World, extension: str, value: str) -> None:
    """Also where libgit2 does not know the extension."""
    repository = world.repository()
    world.git("config", "core.repositoryFormatVersion", "1", cwd=repository)
    world.git("config", f"extensions.{extension}", value, cwd=repository)
    world.git("status", cwd=repository)
    assert world.chat("send", "hello", cwd=repository).returncode == 0
    assert "hello" in world.chat("log", cwd=repository).stdout
    world.git("fsck", "--strict", cwd=repository)


@pytest.mark.parametrize(
    "setting",
    [("extensions.refStorage", "files"), ("extensions.objectFormat", "sha1"), ("extensions.relativeWorktrees", "true")],
)
def test_what_only_a_newer_git_opens_goes_with_it(world: World, setting: tuple[str, str]) -> None:
    """The git that is installed decides: what it opens works, and what it refuses is told in its words."""
    world.use_newer_git()
    repository = world.repository()
    world.git("config", "core.repositoryFormatVersion", "1", cwd=repository)
    world.git("config", *setting, cwd=repository)
    opened = world.git("rev-parse", cwd=repository, check=False)
    done = world.chat("send", "hello", cwd=repository)
    assert (done.returncode == 0) == (opened.returncode == 0), (done, opened)


def test_what_git_refuses_is_told_in_its_words(world: World) -> None:
    """An extension that nobody knows yet."""
    repository = world.repository()
    world.git("config", "core.repositoryFormatVersion", "1", cwd=repository)
    world.git("config", "extensions.fromTomorrow", "true", cwd=repository)
    words = world.git("status", cwd=repository, check=False).stderr.splitlines()
    refused = world.chat("send", "hello", cwd=repository)
    assert refused.returncode == 1
    assert all(word.removeprefix("fatal: ").strip() in refused.stderr for word in words if "fromtomorrow" in word)
    assert "fromtomorrow" in refused.stderr


SHADOWED = ("types", "token", "select", "click", "re", "enum", "__future__", "functools", "typing", "gitchat", "pygit2")


@pytest.mark.parametrize("given", [".", "{link}", ":", "{outside}:{tree}/src"])
def test_no_module_of_the_project_runs_inside_the_program(world: World, given: str) -> None:
    """However PYTHONPATH names the work tree; in a command, in what goes on aside, in a hook and in the server."""
    tree, ran, link = world.repository(), world.root / "ran", world.root / "link"
    world.git("chat", "send", "begin", cwd=tree)
    link.symlink_to(tree)
    (world.root / "outside").mkdir()
    (tree / "src").mkdir()
    for directory in (tree, tree / "src"):
        for name in SHADOWED:
            (directory / f"{name}.py").write_text(f"open({str(ran)!r}, 'a').write({name!r})\n")
    path = given.format(tree=tree, link=link, outside=world.root / "outside")
    said = world.run("git", "chat", "log", cwd=tree, check=False, PYTHONPATH=path)
    assert (said.returncode, "begin" in said.stdout) == (0, True), said
    hook = b'{"session_id": "s", "hook_event_name": "SessionStart"}'
    world.run("git-chat-hook", "claude", "session-start", cwd=tree, stdin=hook, check=False, PYTHONPATH=path)
    first = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n'
    assert world.run("git-chat", "mcp", cwd=tree, stdin=first, check=False, PYTHONPATH=path).stdout
    assert not ran.exists(), ran.read_text()


def test_what_pythonpath_has_outside_comes_after_what_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has of the work tree is gone; an environment in the tree that we run in is not of the project."""
    tree, outside, prefix = tmp_path / "tree", tmp_path / "outside", tmp_path / "tree" / ".venv"
    for directory in (tree / ".git", tree / "src", outside, prefix / "site"):
        directory.mkdir(parents=True)
    monkeypatch.chdir(tree / "src")
    monkeypatch.setattr(sys, "prefix", str(prefix))
    for given in (
        (".", outside, tree, prefix / "site"),
        (tree / "src" / "..", "", outside, prefix / "site"),
    ):
        monkeypatch.setenv("PYTHONPATH", ":".join(map(str, given)))
        found = [str((tree / "src" / entry).resolve()) for entry in given]  # as Python's site module spells them
        of_script = [] if sys.flags.safe_path else [str(prefix / "bin")]
        monkeypatch.setattr(sys, "path", [*of_script, *found, "/lib/python", "/lib/site-packages"])
        program.put_path_in_order()
        assert sys.path == ["/lib/python", "/lib/site-packages", str(outside), str(prefix / "site")]
