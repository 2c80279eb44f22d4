"""A directory in which a client runs: its home, a project, and nothing of whoever runs it. And its terminal."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tests.clients.waiting import LIMIT_SECONDS, until

Json = dict[str, Any]

COLUMNS, LINES = 120, 40


class Scratch:
    """The directory. ``variables`` is the whole environment of what it starts, and may be changed before."""

    def __init__(self, root: Path, programs: Sequence[str | Path], *, enter: Sequence[str] = ()) -> None:
        self.root = root
        self.home, self.project = root / "home", root / "project"
        for directory in (self.home, self.project):
            directory.mkdir()
        self._enter = list(enter)
        subprocess.run(["git", "init", "-q", "-b", "main", str(self.project)], check=True)
        self.variables = {
            "HOME": str(self.home), "PATH": ":".join([*map(str, programs), os.defpath]), "TERM": "xterm-256color",
            "LANG": "C.UTF-8", "IS_SANDBOX": "1", "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "ANTHROPIC_API_KEY": "none", "GEMINI_API_KEY": "none",
            "OPENAI_API_KEY": "none",
        }  # fmt: skip

    def write(self, path: str, content: str | Json) -> None:
        """Write a file of the client's home."""
        (self.home / path).parent.mkdir(parents=True, exist_ok=True)
        (self.home / path).write_text(content if isinstance(content, str) else json.dumps(content))

    def done(
        self, *words: str, cwd: Path | None = None, limit_seconds: float = LIMIT_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """A command that has ended, in the project. Raises TimeoutExpired, and then it was killed."""
        return subprocess.run(
            [*self._enter, *words], cwd=cwd or self.project, env=self.variables, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=limit_seconds, check=False,
        )  # fmt: skip

    def start(self, *words: str, cwd: Path | None = None, output: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """A command that runs, in the project, in a session of its own."""
        return subprocess.Popen(
            [*self._enter, *words], cwd=cwd or self.project, env=self.variables, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def go(self, *words: str) -> None:
        """Run a command until it ends well."""
        done = self.done(*words)
        assert done.returncode == 0, done.stdout + done.stderr

    def terminal(self, *words: str, cwd: Path | None = None) -> Terminal:
        """A terminal in which a command will run."""
        return Terminal([*self._enter, *words], cwd or self.project, self.variables, self.root)


class Terminal:
    """A terminal of tmux in which a command runs, while it is entered."""

    _count = 0

    def __init__(self, words: Sequence[str], cwd: Path, variables: dict[str, str], root: Path) -> None:
        Terminal._count += 1
        # A socket's path is short, which that of a test's directory need not be.
        self._socket = f"/tmp/gitchat-tmux-{os.getpid()}-{Terminal._count}"
        self._words, self._cwd, self._variables = words, cwd, dict(variables)
        self._seen = root / f"terminal-{Terminal._count}"

    def __enter__(self) -> Self:
        self._tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES), *self._words)
        return self

    def __exit__(self, *error: object) -> None:
        self._seen.write_text(self.screen())
        self._tmux("kill-server")
        Path(self._socket).unlink(missing_ok=True)

    def screen(self) -> str:
        """What is shown."""
        return self._tmux("capture-pane", "-p")

    def shows(self, words: str) -> None:
        """Wait until ``words`` are shown."""
        until(lambda: words in self.screen(), told=self.screen)

    def is_over(self) -> bool:
        """Whether the command has ended, and with it the terminal."""
        return not self._tmux("list-sessions")

    @property
    def pid(self) -> int:
        """The process of the command."""
        return int(self._tmux("list-panes", "-F", "#{pane_pid}"))

    def type(self, words: str) -> None:
        """Type a line, and enter it once it is shown."""
        self._tmux("send-keys", "-l", words)
        self.shows(words)
        # What comes in one read with the line counts as pasted, and enters nothing.
        time.sleep(1)
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        self._tmux("send-keys", *keys)

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-f", "/dev/null", "-S", self._socket, *words]
        done = subprocess.run(command, cwd=self._cwd, env=self._variables, capture_output=True, text=True, check=False)
        return done.stdout
