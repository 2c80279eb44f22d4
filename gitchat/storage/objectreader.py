"""Reading objects through a git that stays: one process for all reads, where libgit2 cannot open the repository."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from contextlib import suppress

from gitchat.storage import git


class ObjectReader:
    """A long-lived ``git cat-file --batch``: one process for all reads of a backend.

    Started on first use, and again in a forked child or after git gave up on a damaged
    object. One thread at a time.
    """

    def __init__(self, git_dir: str, variables: Mapping[str, str]) -> None:
        self._git_dir = git_dir
        self._variables = variables
        self._process: git.Process | None = None
        self._pid = 0

    def read(self, oid: str) -> tuple[str, bytes] | None:
        """(type, content) of an object, or None when there is none.

        Raises:
            GitFailed: git could not read it: the object, or what holds it, is damaged.
            StorageError: ``no-git``.
        """
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(oid.encode() + b"\n")
            process.stdin.flush()
            header = process.stdout.readline().split()
        except BrokenPipeError:
            header = []
        if len(header) == 2 and header[1] == b"missing":
            return None
        if len(header) != 3:
            raise self._given_up()
        content = process.stdout.read(int(header[2]) + 1)
        if len(content) != int(header[2]) + 1:
            raise self._given_up()
        return header[1].decode(), content[:-1]

    def _started(self) -> git.Process:
        if self._process is None or self._pid != os.getpid():
            command = (f"--git-dir={self._git_dir}", "cat-file", "--batch")
            self._process = git.start(command, self._git_dir, self._variables)
            self._pid = os.getpid()
            # A reader that is dropped without close() would leave its git waiting at a pipe for ever.
            weakref.finalize(self, _hang_up, self._process).atexit = False
        return self._process

    def _given_up(self) -> git.GitFailed:
        process, self._process = self._process, None
        assert process is not None
        _, stderr = process.communicate()
        return git.GitFailed(process.returncode, stderr.decode("utf-8", "replace").strip())

    def close(self) -> None:
        """End the process. It also ends by itself when this one does."""
        process, self._process = self._process, None
        if process is not None and self._pid == os.getpid():
            process.communicate()


def _hang_up(process: git.Process) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
