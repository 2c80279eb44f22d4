"""The doorbell of a hub behind ssh: ``git chat doorbell``, run there by the user's own git and ssh.

git itself starts it, in the place of ``git-upload-pack``, so that the address, the port, the key and every setting of
the user's count as for a fetch. What it says there comes on the standard error, as git takes the standard output for
its protocol, of which nothing comes. Where the hub has no gitchat, or a shell that starts git alone, it is refused.
Source: docs/format.md section 15; git-ls-remote(1) on ``--upload-pack``.
"""

from __future__ import annotations

import os
import re
import select
import signal
from collections.abc import Mapping
from contextlib import suppress

from gitchat.storage import git

SCHEMES = ("ssh", "git+ssh", "ssh+git")

COMMAND = "git chat doorbell"

_UNTIL_WE_ARE_GONE = 'f() { { git "$@"; kill -9 0; } & read -r nothing; kill -9 0; }; f'
"""Runs git until it ends, or until nobody holds the other end of its standard input: whoever started it was killed.
Neither git nor ssh would ever notice that, and one more of them would stay at the hub each time."""

_PASSES = re.compile(
    r"timed out|refused\b|resolve|unreachable|No route|Connection (closed|reset)|Host key|Permission denied \(",
    re.IGNORECASE,
)
"""How ssh says that it did not come as far as a command."""


def is_by_ssh(address: str) -> bool:
    """Whether git goes to ``address`` by ssh. Source: git-clone(1), GIT URLS."""
    scheme, mark, _ = address.partition("://")
    if mark:
        return scheme in SCHEMES
    host, colon, path = address.partition(":")
    return colon == ":" and "/" not in host and len(host) > 1 and not path.startswith(":")


class SshSource:
    """The line, over a git that runs until it is closed."""

    def __init__(self, remote: str, *, git_dir: str, cwd: str, variables: Mapping[str, str]) -> None:
        """As for Wire. Raises OSError where git cannot be started."""
        arguments = [f"--git-dir={git_dir}", "-c", f"alias.gitchat-line=!{_UNTIL_WE_ARE_GONE}", "gitchat-line"]
        arguments += ["ls-remote", f"--upload-pack={COMMAND}", "--", remote]
        self._process = git.start(arguments, cwd, variables, has_terminal=False)
        self._said = b""

    def read(self, seconds: float) -> bytes:
        assert self._process.stderr is not None
        descriptor = self._process.stderr.fileno()
        if not select.select([descriptor], [], [], seconds)[0]:
            raise TimeoutError("the hub says nothing")
        part = os.read(descriptor, 4096)
        self._said = (self._said + part)[-2000:]
        if not part:
            self._refuse()
        return part

    def _refuse(self) -> None:
        """It has ended: raise OSError where the hub was not reached."""
        words = self._said.decode("utf-8", "replace")
        if found := _PASSES.search(words):
            lines = [line for line in words.splitlines() if found[0] in line]
            raise OSError(lines[-1].strip())

    def close(self) -> None:
        with suppress(ProcessLookupError):
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)  # git and ssh: they have a session of their own
