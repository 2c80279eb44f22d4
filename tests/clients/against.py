"""Runs the tests with real clients against version 0.1.0 and against the present, and prints what each shows.

    python -m tests.clients.against [PYTEST'S OPTIONS]

Needs ``make released`` and ``tests/clients/fetch.sh``. 0.1.0 is set up by its own ``git chat setup``. The table is in
Markdown: the row of the fault, the test, there, here. A test that waits for a cure is red here, too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

TOP = Path(__file__).parents[2]
RELEASED = TOP / ".tools" / "gitchat-0.1.0" / "bin"

Outcomes = dict[str, str]
"""Of each test, by its name: green, red, or skipped."""


def run(options: Sequence[str], *, under_test: Path | None) -> Outcomes:
    """What each test shows of the git-chat in ``under_test``, or of the present one."""
    variables = dict(os.environ) | ({"GITCHAT_UNDER_TEST": str(under_test)} if under_test else {})
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.xml"
        words = ["-m", "clients and not others", "--runxfail", "-n", "2", "--dist", "loadfile", *options]
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *words, "tests/clients/real"],
            cwd=TOP, env=variables, stdout=sys.stderr, check=False,
        )  # fmt: skip
        return dict(map(_outcome, ElementTree.parse(report).iter("testcase")))


def _outcome(case: ElementTree.Element) -> tuple[str, str]:
    file = case.get("classname", "").rsplit(".", 1)[-1].removeprefix("test_")
    how = [part.tag for part in case]
    shown = "skipped" if "skipped" in how else "red" if {"failure", "error"} & set(how) else "green"
    return f"{file}: {case.get('name', '').removeprefix('test_')}", shown


def _rows(name: str) -> list[int]:
    """The rows that a test's name begins with."""
    found = re.match(r"rows?_(\d+(?:_and_\d+)*)_", name.partition(": ")[2])
    return [int(number) for number in found[1].split("_and_")] if found else []


def table(there: Outcomes, here: Outcomes) -> str:
    """The table, in the order of the rows."""
    lines = ["| row | test | 0.1.0 | here |", "|---|---|---|---|"]
    for name in sorted(there | here, key=lambda name: (_rows(name), name)):
        file, _, rule = name.partition(": ")
        words = re.sub(r"^rows? \d+( and \d+)* ", "", rule.replace("_", " "))
        rows = ", ".join(map(str, _rows(name)))
        lines.append(f"| {rows} | {file}: {words} | {there.get(name, '-')} | {here.get(name, '-')} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table of both."""
    if not (RELEASED / "git-chat").exists():
        sys.exit(f"error: {RELEASED} has no git-chat\nhint: make released")
    there = run(sys.argv[1:], under_test=RELEASED)
    here = run(sys.argv[1:], under_test=None)
    print(table(there, here))


if __name__ == "__main__":
    main()
