"""What is stored is what is read: neither a replacement nor a graft forges a message, or what stands before it."""

from __future__ import annotations

import pytest

from tests.world import World

LOG = "refs/chatroom/rooms/lobby/log"


@pytest.mark.parametrize("options", ["", "--object-format=sha256", "--ref-format=reftable"])
def test_git_replace_forges_no_message(world: World, options: str) -> None:
    """In every kind of repository: libgit2 knows no replacement, and git is told to pass over them."""
    if "reftable" in options:
        world.use_newer_git()
    repository = world.root / "replaced"
    world.git("init", "-q", *options.split(), repository)
    for text in ("first", "pay bob", "last"):
        world.chat("send", text, cwd=repository, check=True)
    true = world.git("rev-parse", f"{LOG}~1", cwd=repository).stdout.strip()
    told = world.git("cat-file", "-p", true, cwd=repository).stdout
    forged = world.git(
        *("hash-object", "-t", "commit", "-w", "--stdin"), cwd=repository, stdin=told.replace("bob", "eve").encode()
    ).stdout.strip()
    world.git("replace", true, forged, cwd=repository)
    assert "eve" in world.git("log", LOG, cwd=repository).stdout
    for words in (["log"], ["show", "#2"], ["search", "pay"], ["inbox", "--as", "carol"]):
        said = world.chat(*words, cwd=repository, check=True).stdout
        assert ("pay bob" in said, "eve" in said) == (True, False), words


def test_a_graft_hides_nothing_from_a_push(world: World) -> None:
    """A log whose tip is grafted onto nothing comes whole to the remote, and nothing is said of grafts."""
    hub, repository = world.root / "hub.git", world.repository()
    world.git("init", "-q", "--bare", hub)
    world.git("remote", "add", "origin", hub, cwd=repository)
    for text in ("first", "second"):
        world.chat("send", text, cwd=repository, check=True)
    tip = world.git("rev-parse", LOG, cwd=repository).stdout
    (repository / ".git" / "info" / "grafts").write_text(tip)
    done = world.chat("sync", cwd=repository, check=True)
    assert "graft" not in done.stdout + done.stderr
    assert world.git("rev-list", "--count", LOG, cwd=hub).stdout == "3\n"
    world.git("fsck", "--strict", cwd=hub)
