"""The list of slow tests: what it names is there, and is what was measured."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from checks import slow_tests

TOP = Path(__file__).parents[2]


def test_every_slow_test_is_there() -> None:
    """A test that was renamed or removed stands in the list no more; one of a class may be inherited."""
    for line in slow_tests.LIST.read_text(encoding="utf-8").splitlines():
        module, _, names = line.partition("::")
        assert (TOP / module).is_file(), line
        definition = f"def {names.rpartition('::')[2]}("
        assert any(definition in other.read_text(encoding="utf-8") for other in (TOP / module).parent.glob("*.py")), (
            line
        )


def test_what_is_slow_on_average_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function counts by the average of its cases, and a test of a class by its class."""
    report, listed = tmp_path / "times.xml", tmp_path / "slow.txt"
    report.write_text(
        '<testsuites><testsuite><testcase classname="tests.cli.test_log" name="test_a[x]" time="1.0"/>'
        '<testcase classname="tests.cli.test_log" name="test_a[y]" time="0.3"/>'
        '<testcase classname="tests.cli.test_log" name="test_b" time="0.5"/>'
        '<testcase classname="tests.contract.test_plumbing.TestPlumbing" name="test_c" time="2.0"/>'
        "</testsuite></testsuites>"
    )
    monkeypatch.setattr(slow_tests, "LIST", listed)
    monkeypatch.setattr(sys, "argv", ["slow_tests", str(report)])
    assert slow_tests.main() == 0
    assert listed.read_text().splitlines() == [
        "tests/cli/test_log.py::test_a",
        "tests/contract/test_plumbing.py::TestPlumbing::test_c",
    ]
