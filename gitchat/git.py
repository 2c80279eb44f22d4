"""The only starter of git processes.

Every call has no standard input to wait on, no terminal prompt, a time limit and
untranslated messages, so that neither an agent nor a hook can hang on it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from gitchat.errors import StorageError

TIMEOUT_SECONDS = 30.0


class GitFailed(Exception):
    """git ended with a status other than 0; ``stderr`` is its own words."""

    def __init__(self, status: int, stderr: str) -> None:
        super().__init__(stderr)
        self.status = status
        self.stderr = stderr


def run(arguments: Sequence[str], *, cwd: str, variables: Mapping[str, str], stdin: bytes = b"") -> bytes:
    """The standard output of ``git <arguments>`` run in ``cwd`` with ``variables``.

    Raises:
        GitFailed: git ended with another status than 0.
        StorageError: ``no-git`` when git cannot be started, ``git-hangs`` after 30 seconds.
    """
    environment = {**variables, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "LANGUAGE": "C"}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            env=environment,
            input=stdin,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StorageError(
            f"git {arguments[0]} did not end within {TIMEOUT_SECONDS:.0f} s",
            hint="see what it waits for: GIT_TRACE=1 git " + " ".join(arguments),
            code="git-hangs",
        ) from error
    except FileNotFoundError as error:
        if not os.path.isdir(cwd):
            raise StorageError(
                f"the directory {cwd} does not exist", hint="change to an existing directory", code="no-directory"
            ) from error
        raise StorageError(
            "git cannot be found", hint="install git 2.31 or newer and see that it is in PATH", code="no-git"
        ) from error
    if done.returncode != 0:
        raise GitFailed(done.returncode, done.stderr.decode("utf-8", "replace").strip())
    return done.stdout
