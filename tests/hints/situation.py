"""A situation in which a hint is printed, and what is done then: what the tables below this folder are made of."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.conftest import as_ordinary_user
from tests.world import Done, World

_SHELL = frozenset("|><;&$*`~")


@dataclass(frozen=True, slots=True)
class Situation:
    """What is typed, what is said then, and what the hint leads to. ``[..]`` stands for any text.

    All lines are run in one repository, one situation after the other: each one leaves things well again.
    """

    run: str
    error: str
    """The message above the hint; "" where there is none. Of a finding of doctor its text."""
    hint: str
    then: str = ""
    """The part of the hint that is a command, which is run as it was printed, but for ``fill``. "" for all of it."""
    fill: dict[str, str] = field(default_factory=dict)
    """What a person puts in the place of a word in capitals, or of an example."""
    again: str | None = None
    """What works after that; None for ``run`` once more, and "" where the command only shows something."""
    shows: str = ""
    """What the command that was run has to print."""
    status: int = 0
    """Its exit status: 1 for a doctor that finds something."""
    given: str = ""
    """What is done before, a line each."""
    after: str = ""
    """What is done at the end."""


@dataclass(frozen=True, slots=True)
class Repository:
    """Situations of one repository. ``given`` makes it, a line each; a line ``cd DIRECTORY`` counts from the world."""

    name: str
    situations: list[Situation]
    given: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    is_slow: bool = False
    is_for_a_user: bool = False
    """Whether ``$AS_USER`` stands before what is run as somebody for whom permissions hold."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A hint that another test runs, whose text has ``words`` in it."""

    test: str
    """``tests/FOLDER/FILE.py::NAME``."""
    words: str
    error: str
    hint: str


@dataclass(frozen=True, slots=True)
class NotRun:
    """A hint that no test can run."""

    error: str
    hint: str
    reason: str


class Shell:
    """Runs lines as a person types them, one after the other."""

    def __init__(self, world: World, repository: Repository) -> None:
        self.world = world
        self.place = world.repository()
        as_user = {"AS_USER": shlex.join(as_ordinary_user())} if repository.is_for_a_user else {}
        self._variables: Any = repository.variables | as_user
        self.all(repository.given)

    def all(self, lines: str) -> None:
        """Run ``lines``, each of which has to work."""
        for line in filter(None, map(str.strip, lines.splitlines())):
            if line.startswith("cd ") and "&&" not in line:
                self.place = self.world.root / line.removeprefix("cd ")
                continue
            done = self.run(line)
            assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"

    def run(self, line: str) -> Done:
        """One line; what is plain ``git chat`` without a shell."""
        if line.startswith("git chat ") and _SHELL.isdisjoint(line):
            return self.world.chat(*shlex.split(line)[2:], cwd=self.place, **self._variables)
        return self.world.run("sh", "-c", line, cwd=self.place, check=False, **self._variables)

    def see(self, situation: Situation) -> None:
        """Make ``situation``, and follow its hint. Raises AssertionError."""
        self.all(situation.given)
        printed = self._printed(situation)
        assert printed is not None, f"the hint is not printed, but: {list(pairs(self.run(situation.run)))}"
        part = re.search(_pattern(situation.then or situation.hint), printed)
        assert part is not None, f"the hint does not say it: {printed}"
        command = part[0]
        for word, meant in situation.fill.items():
            assert word in command, f"{word!r} is not in {command!r}"
            command = command.replace(word, meant)
        done = self.run(command)
        assert done.returncode == situation.status, f"the hint does not work: {command}: {done.stdout}{done.stderr}"
        assert situation.shows in done.stdout + done.stderr, f"{command}: {done.stdout}{done.stderr}"
        self._lead_on(situation)
        self.all(situation.after)

    def _lead_on(self, situation: Situation) -> None:
        if situation.again is not None:
            self.all(situation.again)
        elif situation.run.startswith("git chat doctor"):
            assert self._printed(situation) is None, "the finding is still there"
        else:
            done = self.run(situation.run)
            assert done.returncode == 0, f"it leads in a circle: {done.stdout}{done.stderr}"

    def _printed(self, situation: Situation) -> str | None:
        done = self.run(situation.run)
        found = [hint for error, hint in pairs(done) if matches(situation.error, error)]
        assert found or done.returncode == 0, f"{situation.run}: {done.stdout}{done.stderr}"
        return next((hint for hint in found if matches(situation.hint, hint)), None) if found else None


def matches(pattern: str, text: str) -> bool:
    """Whether ``text`` is ``pattern``, in which ``[..]`` stands for any text."""
    return re.fullmatch(_pattern(pattern), text) is not None


def _pattern(text: str) -> str:
    return ".*".join(map(re.escape, text.split("[..]")))


def pairs(done: Done) -> Iterator[tuple[str, str]]:
    """Each error and finding that was printed, with its hint."""
    error = ""
    for line in [*done.stdout.replace("\r\n", "\n").splitlines(), *done.stderr.splitlines()]:
        if found := re.match(r"(?:error|(?:note|WRONG) +[^:]+): (.*)", line):
            error = found[1]
        elif found := re.match(r"(?:hint| {7}mend): (.*)", line):
            yield error, found[1]
            error = ""
        elif found := re.search(r"\(\+[\d,]+ characters: (.*)\)$", line):
            yield "", found[1]


def exists(test: str, words: str) -> bool:
    """Whether the test is there, and has ``words`` in it."""
    path, _, name = test.partition("::")
    file = Path(__file__).parents[2] / path
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    body = re.search(rf"^(?:async )?def {re.escape(name)}\(.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    # The head of a test ends in a line of its own, so the body is looked for from there.
    return body is not None and words in text[body.start() :].split("\n\n\n")[0]
