"""Which tests ``make test`` leaves to ``make test-slow``: those that were measured to be slow.

``make slow-list`` runs all tests on a quiet machine and has this write ``tests/slow.txt`` from the times that pytest
noted: a line for each test function of which a case takes longer than the limit on average. What can only be slow (a
kill at every call, thousands of messages) says so itself by the marker ``slow``, and may stand in the list, too.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

LIST = Path(__file__).parents[1] / "tests" / "slow.txt"

LIMIT_SECONDS = 0.6
"""Of a case, on average. With it the others take less than three minutes on two cores."""


def times(report: Path) -> dict[str, list[float]]:
    """Seconds of each case of each test function, by its node id, from a report of pytest in JUnit's form."""
    found: dict[str, list[float]] = defaultdict(list)
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.get("name", "").partition("[")[0]
        found[node_id(case.get("classname", ""), name)].append(float(case.get("time", "0")))
    return found


def node_id(class_name: str, function: str) -> str:
    """How pytest calls a test function: ``tests.cli.test_log.TestPager`` is a class of a module."""
    parts = class_name.split(".")
    classes = [part for part in parts if part[:1].isupper()]
    modules = parts[: len(parts) - len(classes)]
    return "::".join(["/".join(modules) + ".py", *classes, function])


def main() -> int:
    """Write the list from the report that is named. Returns the exit status."""
    measured = times(Path(sys.argv[1]))
    slow = sorted(name for name, each in measured.items() if sum(each) / len(each) >= LIMIT_SECONDS)
    LIST.write_text("".join(f"{name}\n" for name in slow), encoding="utf-8")
    left = sum(sum(each) for name, each in measured.items() if name not in set(slow))
    print(f"{len(slow)} of {len(measured)} test functions are slow; the others take {left:.0f} s of one core")
    return 0


if __name__ == "__main__":
    sys.exit(main())
