"""The report of ``make bench``: what it keeps, what it says of aims, and that nothing of it is lost by a failure."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.waiting import until

BENCH = Path(__file__).parents[2] / "bench"
STAMP = "2026-11-30; 2 cores, ext4; git 2.39.5."
BEFORE = "2026-11-02; 8 cores, xfs; git 2.47.0."


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The program."""
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("report")


@pytest.fixture
def aims(report: Any) -> Any:
    """What the project aims at."""
    return importlib.import_module("aims")


def test_each_section_has_its_program_and_each_aim_its_section(report: Any, aims: Any) -> None:
    assert [program for program in report.SECTIONS if not (BENCH / program).is_file()] == []
    assert {aim.program for aim in aims.AIMS.values()} <= set(report.SECTIONS)
    assert len(set(report.SECTIONS.values())) == len(report.SECTIONS)
    assert len({aim.work for aim in aims.AIMS.values()}) == len(aims.AIMS)


def test_what_was_not_measured_anew_is_kept_and_says_when_it_was_measured(report: Any) -> None:
    text = f"| a | b |\n| --- | ---: |\n| x | 1 |\n\nA sentence.\n\n{'<!-- aim start-send: 1.3 1.5 1.6 -->'}"
    sections = {"startup.py": report.Section(text, BEFORE), "wake.py": report.Section("new", STAMP)}
    written = report.report(sections, [], STAMP)
    assert report.sections_of(written) == sections
    assert report.report(report.sections_of(written), [], STAMP) == written
    assert "_Measured on 2026-11-02: 8 cores, xfs; git 2.47.0._\n\n| a | b |" in written
    assert "### Waking up\n\n<!-- measured 2026-11-30; 2 cores, ext4; git 2.39.5. -->\n\nnew\n" in written
    assert f"### The index\n\n{report.MISSING}\n" in written


def test_sections_without_a_stamp_are_of_the_day_above_them(report: Any) -> None:
    old = f"## Figures of 2026-11-02\n\n{BEFORE.partition('; ')[2]}\n\n### Waking up\n\nold\n\n### Gone\n\nold\n"
    assert report.sections_of(old) == {"wake.py": report.Section("old", BEFORE)}


def test_a_section_that_failed_keeps_its_figures_and_says_so(report: Any) -> None:
    written = report.report({"wake.py": report.Section("old", BEFORE)}, ["wake.py", "hook.py"], STAMP)
    assert "_The program failed on 2026-11-30; these are the figures of before. Measured on 2026-11-02: " in written
    assert report.sections_of(written)["wake.py"] == report.Section("old", BEFORE)
    assert f"### A commit with the hook\n\n{report.MISSING}\n" in written


def test_a_program_that_fails_is_told_and_leaves_nothing_running(
    report: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bench").mkdir()
    monkeypatch.setattr(report, "ROOT", tmp_path)
    child = "import subprocess, sys\nchild = subprocess.Popen(['sleep', '600'])\nprint(child.pid, flush=True)\n"
    (tmp_path / "bench" / "good.py").write_text(child)
    (tmp_path / "bench" / "bad.py").write_text("print('half of it')\nraise SystemExit(3)\n")
    (tmp_path / "bench" / "slow.py").write_text(f"{child}child.wait()\n")
    monkeypatch.setattr(report, "LIMIT_SECONDS", 20.0)
    pid = report.printed(Path(sys.executable), "good.py", tmp_path)
    until(lambda: not _runs(int(pid)))
    with pytest.raises(subprocess.CalledProcessError):
        report.printed(Path(sys.executable), "bad.py", tmp_path)
    monkeypatch.setattr(report, "LIMIT_SECONDS", 0.5)
    with pytest.raises(subprocess.TimeoutExpired):
        report.printed(Path(sys.executable), "slow.py", tmp_path)


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.mark.parametrize(
    ("name", "values", "verdict", "printed"),
    [
        ("start-send", [1.2, 1.3, 1.4, 1.3], "met", "1.30 (1.23 to 1.38)"),
        ("start-send", [2.8, 2.8, 2.8], "missed, 2 x", "2.80"),
        ("start-send", [1.401, 1.401], "missed, 1.01 x", "1.40"),
        ("writers-lines", [2.6, 2.6], "met", "2.60"),
        ("writers-lines", [1.25, 1.25], "missed, 2 x", "1.25"),
        ("index-100000", 5.0, "missed, 1.25 x", "5.00 s"),
    ],
)
def test_an_aim_is_met_or_missed_by_a_factor(
    aims: Any, name: str, values: float | list[float], verdict: str, printed: str
) -> None:
    row = _row(aims, name, aims.measured(name, values))
    assert row[2:4] == [printed, verdict]


def test_what_could_not_be_had_is_said_in_the_table(aims: Any) -> None:
    row = _row(aims, "append-100-nats", aims.not_had("append-100-nats", "without NATS JetStream"))
    assert row[1:4] == ["0.4", "without NATS JetStream", ""]
    assert _row(aims, "append-100-nats", "<!-- aim an-older-one: 1 1 1 -->")[2] == "not measured"
    assert "at least 2.5" in _row(aims, "writers-lines", "")


def _row(aims: Any, name: str, text: str) -> list[str]:
    aim = aims.AIMS[name]
    lines = aims.standing({aim.program: text}, dict.fromkeys((one.program for one in aims.AIMS.values()), "it"))
    (line,) = [line for line in lines.splitlines() if line.startswith(f"| {aim.work} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_all_of_the_report_was_measured_and_nothing_was_changed_by_hand(report: Any, aims: Any) -> None:
    """Each section is there, but for what is measured by its name alone, and the table is what they say."""
    _, _, below = report.REPORT.read_text(encoding="utf-8").partition(report.MARKER)
    headings = [line.removeprefix("### ") for line in below.splitlines() if line.startswith("### ")]
    assert headings == [report.AIMED_AT, *report.SECTIONS.values()]
    assert report.MISSING not in below
    sections = report.sections_of(below)
    assert set(report.SECTIONS) - set(sections) <= report.BY_NAME_ALONE
    said = {name for one in sections.values() for name in aims.said(one.text)}
    assert {aim.program for name, aim in aims.AIMS.items() if name not in said} <= report.BY_NAME_ALONE
    assert below.strip() == report.report(sections, [], report.stamp_of(below)).strip()
