"""core.sharedRepository means for our files what it means for git's."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gitchat.storage.ownfiles import OwnFile, share
from gitchat.storage.sharing import UNSHARED, Sharing, implied_sharing, sharing_of
from tests.world import World

VALUES = ("group", "true", "1", "all", "world", "everybody", "2", "0660", "0640", "0666", "0600", "false", "umask", "0")
UMASKS = (0o022, 0o077, 0o002, 0o027)


@pytest.mark.parametrize("umask", UMASKS)
def test_our_files_get_the_modes_that_git_gives_to_its_own(world: World, umask: int) -> None:
    """For each way to say it: the directory and the file of a ref of git's, beside a directory and a file of ours."""
    repository = world.repository()
    common_dir, commit = repository / ".git", world.git("rev-parse", "HEAD", cwd=repository).stdout.strip()
    chatroom, value = common_dir / "chatroom", ""
    share(chatroom, lambda: sharing_of(value))
    before = os.umask(umask)
    try:
        for number, value in enumerate(VALUES):
            world.git(
                "-c", f"core.sharedRepository={value}", "update-ref", f"refs/modes/{number}/one", commit, cwd=repository
            )
            os.close(OwnFile(chatroom, f"modes{number}/one").open(os.O_RDWR | os.O_CREAT))
            for theirs, ours in (
                (common_dir / "refs" / "modes" / str(number), chatroom / f"modes{number}"),
                (common_dir / "refs" / "modes" / str(number) / "one", chatroom / f"modes{number}" / "one"),
            ):
                assert oct(os.stat(ours).st_mode) == oct(os.stat(theirs).st_mode), (value, ours)
    finally:
        os.umask(before)


@pytest.mark.parametrize("value", ["friends", "0440", "07777777777x"])
def test_what_git_refuses_is_refused(world: World, value: str) -> None:
    """A value that stops git stops us, with the setting's name."""
    with pytest.raises(ValueError):
        sharing_of(value)
    repository = world.repository()
    world.git("config", "core.sharedRepository", value, cwd=repository)
    assert world.git("hash-object", "-w", "--stdin", cwd=repository, stdin=b"x", check=False).returncode != 0
    refused = world.chat("send", "x", cwd=repository)
    assert (refused.returncode, "core.sharedRepository" in refused.stderr) == (1, True), refused


def test_a_setting_that_came_later_mends_what_is_ours(tmp_path: Path) -> None:
    """What was made before, or by somebody who was killed in between, is opened to the group when it is written."""
    file = OwnFile(tmp_path / "chatroom", "live/bob")
    before = os.umask(0o077)
    try:
        os.close(file.open(os.O_RDWR | os.O_CREAT))
        assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o600
        share(tmp_path / "chatroom", lambda: Sharing(0o660))
        os.close(file.open(os.O_RDWR))
        os.close(file.open(os.O_RDWR | os.O_CREAT))
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o660
    assert stat.S_IMODE(os.stat(file.path.parent).st_mode) == 0o2770


def test_a_guest_leaves_what_the_mode_of_the_git_directory_promises() -> None:
    """Where others may write without the setting, what a guest makes is the group's, or everybody's."""
    assert implied_sharing(stat.S_IFDIR | 0o775) == Sharing(0o660)
    assert implied_sharing(stat.S_IFDIR | 0o777) == Sharing(0o666)
    assert implied_sharing(stat.S_IFDIR | 0o755) == UNSHARED
