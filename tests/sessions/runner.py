"""Runs Markdown documents as tests: what stands in a console block happens, or the test fails.

A block is fenced with three backticks and the word ``console``, then optionally whose
terminal it is (``~alice``). A line ``$ command`` is run by bash; lines ``> `` continue
it; what follows is the output, standard output and error together. ``[..]`` in a line
stands for any text, ``[...]`` alone on a line for any lines; a time of day stands for any
other, and a day between dashes for any day. ``(exit 3)`` alone on the
last line of an output is the exit status; without it the status is 0.

Every participant has a HOME, starts in it, and has a shell that stays for the whole
document: its directory, variables and background jobs. A command that ends in ``&`` goes
on meanwhile; what the page says that it prints is waited for.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from tests.world import GITCONFIG, World

_FENCE = re.compile(r"```console(?: ~(?P<who>[a-z-]+))?\s*")
_STATUS = re.compile(r"\(exit (\d+)\)")

_PROMPT = "--- the shell is ready, the status was"
"""What a shell prints after each command; no command of a page does."""

DEADLINE_SECONDS = 60.0


@dataclass
class Step:
    """One command and what it must print."""

    line: int
    who: str
    command: str
    expected: list[str] = field(default_factory=list)
    status: int = 0


def read(document: Path) -> Iterator[Step]:
    """The steps of a document, in order."""
    step: Step | None = None
    who: str | None = None
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.fullmatch(line)
        if who is None:
            who = (fence["who"] or "you") if fence else None
        elif line == "```":
            if step:
                yield _finished(step)
            step, who = None, None
        elif line.startswith("$ "):
            if step:
                yield _finished(step)
            step = Step(number, who, line[2:])
        elif step and line.startswith("> ") and not step.expected:
            step.command += "\n" + line[2:]
        elif step:
            step.expected.append(line)


def _finished(step: Step) -> Step:
    while step.expected and not step.expected[-1].strip():
        step.expected.pop()
    if step.expected and (match := _STATUS.fullmatch(step.expected[-1])):
        step.status = int(match[1])
        step.expected.pop()
    return step


def matches(expected: list[str], actual: list[str]) -> bool:
    """Whether ``actual`` is what ``expected`` says, with its wildcards."""
    parts = [r"(?:.*\n)*?" if line == "[...]" else _pattern(line) + r"\n" for line in expected]
    return re.fullmatch("".join(parts), "".join(line + "\n" for line in actual)) is not None


def _pattern(line: str) -> str:
    if re.fullmatch(r"-- .* --", line):
        return r"-- \w+, \d+ \w+ \d{4} --"
    literal = ".*".join(re.escape(part) for part in line.split("[..]"))
    return re.sub(r"(?<![\w:])\d\d:\d\d(?!\w|:\d)", r"\\d\\d:\\d\\d", literal)


class Shell:
    """One participant's terminal. Ends, with everything that was started in it, at ``close``."""

    def __init__(self, home: Path, variables: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--norc"],
            cwd=home,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._unseen = ""
        self._type("set -m")  # as at a terminal: a job is a process group, and `kill %1` reaches all of it

    def run(self, command: str, expected: list[str]) -> tuple[list[str], int]:
        """The lines that ``command`` prints, and its exit status.

        Raises:
            AssertionError: it did not end in time.
        """
        self._type(f"eval {shlex.quote(command)} < /dev/null", f"printf '\\n%s %d\\n' '{_PROMPT}' $?")
        self._read_until(lambda: re.search(rf"^{_PROMPT} \d+$", self._unseen, re.MULTILINE) is not None)
        before, _, after = self._unseen.partition(f"\n{_PROMPT} ")
        status, _, rest = after.partition("\n")
        self._unseen = before + rest
        if command.endswith("&"):
            self._read_until(lambda: matches(expected, _lines(self._unseen)), must_come=False)
        printed, self._unseen = self._unseen, ""
        return _lines(printed), int(status)

    def _type(self, *lines: str) -> None:
        assert self._process.stdin
        self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self._process.stdin.flush()

    def _read_until(self, is_there: Callable[[], bool], *, must_come: bool = True) -> None:
        assert self._process.stdout
        end = time.monotonic() + DEADLINE_SECONDS
        while not is_there():
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))
            part = os.read(self._process.stdout.fileno(), 65536) if ready else b""
            if not part:
                assert not must_come, f"the shell does not answer; it printed {self._unseen!r}"
                return
            self._unseen += part.decode("utf-8", "replace")

    def close(self) -> None:
        """Kill the shell and what still runs in its session, whatever it waits for."""
        for word in subprocess.run(
            ["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=True
        ).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(int(word)) == self._process.pid:
                    os.kill(int(word), signal.SIGKILL)
        self._process.communicate()


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").split("\n")] if text.strip() else []


class Session:
    """The participants of one document, each at a terminal. A context manager: it closes the terminals."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._shells: dict[str, Shell] = {}

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for shell in self._shells.values():
            shell.close()

    def run(self, step: Step) -> None:
        """Run one step. Raises AssertionError with the difference when it does something else."""
        if step.who not in self._shells:
            self._shells[step.who] = self._begin(step.who)
        actual, status = self._shells[step.who].run(step.command, step.expected)
        if not matches(step.expected, actual) or status != step.status:
            difference = "\n".join(difflib.unified_diff(step.expected, actual, "document", "reality", lineterm=""))
            raise AssertionError(
                f"line {step.line}, ~{step.who}$ {step.command}\nexit {status}, expected {step.status}\n{difference}"
            )

    def _begin(self, who: str) -> Shell:
        home = self._world.root / who
        home.mkdir(exist_ok=True)
        (home / ".gitconfig").write_text(GITCONFIG.replace("Alice", who.title()).replace("alice", who))
        own = {"HOME": str(home), "GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
        return Shell(home, self._world.variables | own)
