"""Runs Markdown documents as tests: what stands in a console block happens, or the test fails.

A block is fenced with three backticks and the word ``console``, then optionally whose
terminal it is (``~alice``). A line ``$ command`` is run by bash; lines ``> `` continue
it; what follows is the output, standard output and error together. ``[..]`` in a line
stands for any text, ``[...]`` alone on a line for any lines; a time of day stands for any
other, and a day between dashes for any day. ``(exit 3)`` alone on the
last line of an output is the exit status; without it the status is 0.

Every participant has an own HOME and starts in an own directory; the directory is kept
between the blocks of a document.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.world import GITCONFIG, World

_FENCE = re.compile(r"```console(?: ~(?P<who>[a-z-]+))?\s*")
_STATUS = re.compile(r"\(exit (\d+)\)")


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
    return re.sub(r"(?<![\w:])\d\d:\d\d(?![\w:])", r"\\d\\d:\\d\\d", literal)


class Session:
    """The participants of one document and where each of them is."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._places: dict[str, Path] = {}

    def run(self, step: Step) -> None:
        """Run one step. Raises AssertionError with the difference when it does something else."""
        home = self._world.root / step.who
        if step.who not in self._places:
            home.mkdir(exist_ok=True)
            (home / ".gitconfig").write_text(GITCONFIG.replace("Alice", step.who.title()).replace("alice", step.who))
            self._places[step.who] = home
        place = home / ".place"
        script = f"exec 2>&1\n{step.command}\nstatus=$?\npwd > '{place}'\nexit $status\n"
        variables = {"HOME": str(home), "GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
        done = self._world.run("bash", "-c", script, cwd=self._places[step.who], check=False, **variables)
        if place.exists():
            self._places[step.who] = Path(place.read_text().strip())
        actual = [line.rstrip() for line in done.stdout.rstrip("\n").split("\n")] if done.stdout.strip() else []
        if not matches(step.expected, actual) or done.returncode != step.status:
            difference = "\n".join(difflib.unified_diff(step.expected, actual, "document", "reality", lineterm=""))
            raise AssertionError(
                f"line {step.line}, ~{step.who}$ {step.command}\n"
                f"exit {done.returncode}, expected {step.status}\n{difference}"
            )
