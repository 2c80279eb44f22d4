"""What git chat doctor says of processes of another version: real ones, of installations that stand there for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gitchat import __version__
from tests.cli.conftest import Chatroom

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells nothing of processes")

Start = Callable[[Path, Path], subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the server of an installation in a directory, until the end of the test."""
    with ExitStack() as processes:

        def started(prefix: Path, cwd: Path) -> subprocess.Popen[bytes]:
            process = processes.enter_context(
                subprocess.Popen(
                    [prefix / "bin" / "git-chat", "mcp"], cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            )
            processes.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            return process

        yield started


def installation(root: Path, version: str) -> Path:
    """The prefix of something that lies as gitchat does, and stays when it is started."""
    (root / "lib" / "python3.11" / "site-packages" / f"git_chatroom-{version}.dist-info").mkdir(parents=True)
    program = root / "bin" / "git-chat"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho begun\nread nothing\n")
    program.chmod(0o755)
    return root


def test_another_version_is_named_with_its_program(chatroom: Chatroom, tmp_path: Path, start: Start) -> None:
    """In the top of a worktree, below it, and in a linked one."""
    prefix = installation(tmp_path / "older", "0.0.9")
    below, linked = chatroom.path / "src", tmp_path / "linked"
    below.mkdir()
    chatroom.git("worktree", "add", "-q", linked)
    processes = [start(prefix, cwd) for cwd in (chatroom.path, below, linked)]
    told = chatroom.chat("doctor").stdout
    for process in processes:
        what = f"is of version 0.0.9, from {prefix}/bin/git-chat; this is {__version__}"
        assert f"process {process.pid} (git-chat mcp) {what}" in told
        assert f"kill {process.pid};" in told


def test_one_that_was_installed_anew_since_it_began_is_named(chatroom: Chatroom, tmp_path: Path, start: Start) -> None:
    """The files say this version, and the process has not read them."""
    prefix = installation(tmp_path / "same", __version__)
    process = start(prefix, chatroom.path)
    assert str(process.pid) not in chatroom.chat("doctor").stdout
    (package,) = prefix.glob("lib/*/*/*.dist-info")
    later = package.stat().st_mtime + 60
    os.utime(package, (later, later))
    assert (
        f"process {process.pid} (git-chat mcp) is of what {prefix}/bin/git-chat was before"
        in chatroom.chat("doctor").stdout
    )


def test_others_are_left_out(chatroom: Chatroom, tmp_path: Path, start: Start) -> None:
    """Those that work elsewhere, and those of which nothing tells what they are."""
    older = start(installation(tmp_path / "older", "0.0.9"), tmp_path)
    unknown = installation(tmp_path / "unknown", "0.0.9")
    (package,) = unknown.glob("lib/*/*/*.dist-info")
    package.rmdir()
    strange = start(unknown, chatroom.path)
    told = chatroom.chat("doctor").stdout
    assert (f"process {older.pid} " in told, f"process {strange.pid} " in told) == (False, False)
