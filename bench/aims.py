"""What this project aims at, in one place, and the table that holds it against what was measured.

A section of the report says beside its own tables how it stands with an aim, in lines that a reader of the report does
not see (:func:`measured`). ``report.py`` makes one table of all of them, also of sections that were measured before.
Nothing of gitchat is imported: the report is put together by a Python that need not have it.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NATS, REDIS = "NATS JetStream", "Redis Streams"
CREATE = "`pygit2.create_commit`"
LINES = "a flocked JSON line, synced"
PASS = "`python -c pass`"
FLAT = 1.2
"""What does not grow with a room may be so many times as much in the long one: the noise of a pair."""


@dataclass(frozen=True, slots=True)
class Aim:
    """One line of what is aimed at."""

    work: str
    goal: float
    program: str
    """Who measures it."""

    unit: str = ""
    """Of the goal and of the figure; none where both are a ratio."""

    is_least: bool = False
    """Whether the figure is to be at least the goal, and not at most."""


def _over(work: str, other: str, goal: float, program: str, *, is_least: bool = False) -> Aim:
    return Aim(f"{work} ÷ {other}", goal, program, is_least=is_least)


AIMS: Mapping[str, Aim] = {
    "append-100-nats": _over("an append, not synced, at 100 records", NATS, 0.4, "beside.py"),
    "append-100-create": _over("an append, not synced, at 100 records", CREATE, 0.3, "beside.py"),
    "append-100000-nats": _over("an append, not synced, at 100,000 records", NATS, 0.4, "beside.py"),
    "append-100000-create": _over("an append, not synced, at 100,000 records", CREATE, 0.3, "beside.py"),
    "append-flat": _over("an append, not synced, at 100,000 records", "at 100", FLAT, "beside.py"),
    "synced-100-lines": _over("an append, synced, at 100 records", LINES, 1.1, "beside.py"),
    "synced-100000-lines": _over("an append, synced, at 100,000 records", LINES, 1.1, "beside.py"),
    "writers-nats": _over("messages a second of 8 writers, not synced", NATS, 1.0, "beside.py", is_least=True),
    "writers-lines": _over("messages a second of 8 writers, synced", LINES, 2.5, "beside.py", is_least=True),
    "paced-nats": _over("32 paced writers, not synced, 99th percentile", NATS, 1.0, "beside.py"),
    "read-100": Aim("10 unread read and marked, at 100 records", 1.5, "beside.py", "ms"),
    "read-100000": Aim("10 unread read and marked, at 100,000 records", 1.5, "beside.py", "ms"),
    "read-flat": _over("10 unread read and marked, at 100,000 records", "at 100", FLAT, "beside.py"),
    "delivered-redis": _over("sent, and delivered to another process", REDIS, 1.5, "beside.py"),
    "tool-100": Aim("`send_message` of `git chat mcp`, not synced, at 100 records", 1.0, "goals.py", "ms"),
    "tool-100000": Aim("`send_message` of `git chat mcp`, not synced, at 100,000 records", 1.0, "goals.py", "ms"),
    "tool-flat": _over("`send_message`, at 100,000 records", "at 100", FLAT, "goals.py"),
    "tools-listed": Aim("`git chat mcp`, from its start to its tools' list", 0.1, "startup.py", "s"),
    "start-send": _over("`git chat send`", PASS, 1.4, "startup.py"),
    "start-log": _over("`git chat log -n 20`", PASS, 1.8, "startup.py"),
    "start-inbox": _over("`git chat inbox` of 20", PASS, 2.5, "startup.py"),
    "start-hook": _over("an agent's hook with nothing new", PASS, 0.4, "startup.py"),
    "flat-who": _over("`who` at 100,000 records", "at 1,000", FLAT, "goals.py"),
    "flat-status": _over("`status` at 100,000 records", "at 1,000", FLAT, "goals.py"),
    "flat-unread": _over("what is unread, counted, at 100,000 records", "at 1,000", FLAT, "goals.py"),
    "flat-search": _over("a search for a common word at 100,000 records", "at 1,000", FLAT, "goals.py"),
    "index-100000": Aim("an index of 100,000 records, CPU", 4.0, "goals.py", "s"),
    "arrivals": Aim("eight agents at once, a fresh clone of 100,000 records, the last answer", 5.0, "indexing.py", "s"),
    "index-1000000": Aim("an index of 1,000,000 records, CPU", 45.0, "million.py", "s"),
    "index-1000000-memory": Aim("an index of 1,000,000 records, memory", 300.0, "million.py", "MB"),
    "tags": _over("a waiter's wake beside 5,000 tags", "without tags", FLAT, "goals.py"),
    "guard": Aim("the hook before an edit that somebody has, 50 claims", 30.0, "guard.py", "ms"),
    "served-memory": Aim("a WebSocket of 1,000 clients, memory", 40.0, "serve.py", "kB"),
    "served-idle": Aim("1,000 idle WebSockets, share of a core", 1.0, "serve.py", "%"),
    "served-all": Aim("a message to 1,000 WebSockets, median", 150.0, "serve.py", "ms"),
    "served-all-late": Aim("a message to 1,000 WebSockets, 99th percentile", 400.0, "serve.py", "ms"),
    "served-one": Aim("a message to one of 1,000 WebSockets, median", 30.0, "serve.py", "ms"),
    "sessions-memory": Aim("one of 500 sessions of tools over HTTP, memory", 45.0, "serve_mcp.py", "kB"),
    "sessions-waiting": Aim("a call that waits, of 500, memory", 80.0, "serve_mcp.py", "kB"),
    "sessions-one": Aim("a message to one of 500 calls that wait, median", 30.0, "serve_mcp.py", "ms"),
    "sessions-all": Aim("a message to 500 calls that wait, 99th percentile", 1000.0, "serve_mcp.py", "ms"),
}
"""By the name by which a section says what it measured."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured of an aim: the median and the quartiles, which are the median where there is but one value."""

    low: float
    middle: float
    high: float


def measured(name: str, values: float | Sequence[float]) -> str:
    """The line that says what was measured of the aim ``name``, in its unit: one value, or one of each round."""
    known = [values] if isinstance(values, float | int) else values
    assert name in AIMS
    cuts = statistics.quantiles(known, n=4) if len(known) > 1 else [*known] * 3
    return f"<!-- aim {name}: {' '.join(f'{cut:.6g}' for cut in cuts)} -->"


def not_had(name: str, why: str) -> str:
    """The line that says why nothing was measured of it."""
    assert name in AIMS
    return f"<!-- aim {name}: {why} -->"


_LINE = re.compile(r"^<!-- aim (?P<name>[a-z0-9-]+): (?P<said>.*) -->$", re.MULTILINE)
_FIGURES = re.compile(r"[0-9.e+-]+ [0-9.e+-]+ [0-9.e+-]+")


def said(text: str) -> dict[str, Figure | str]:
    """What a section's text says of aims, by name: a figure, or why there is none. Names of no aim are passed over."""
    found: dict[str, Figure | str] = {}
    for line in _LINE.finditer(text):
        if line["name"] in AIMS:
            is_figure = _FIGURES.fullmatch(line["said"])
            found[line["name"]] = Figure(*map(float, line["said"].split())) if is_figure else line["said"]
    return found


def number(value: float) -> str:
    """Three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; all columns but the first are figures."""
    lines = [header, ["---", *("---:" for _ in header[1:])], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def standing(texts: Mapping[str, str], headings: Mapping[str, str]) -> str:
    """The table of all aims: ``texts`` are the sections by program, ``headings`` what stands above each."""
    known = {name: one for text in texts.values() for name, one in said(text).items()}
    rows, met = [], 0
    for name, aim in AIMS.items():
        figure = known.get(name, "not measured")
        verdict = _verdict(aim, figure)
        met += verdict == "met"
        goal = f"{'at least ' if aim.is_least else ''}{aim.goal:g}{f' {aim.unit}' if aim.unit else ''}"
        rows.append([aim.work, goal, _printed(aim, figure), verdict, headings[aim.program]])
    header = ["work", "goal", "measured: median (quartiles)", "", "section"]
    return (
        f"Of {len(AIMS)} aims {met} are met. A ratio is of pairs, measured in the same round; what is missed says by "
        "what factor.\n\n" + table(header, rows)
    )


def _verdict(aim: Aim, figure: Figure | str) -> str:
    if isinstance(figure, str):
        return ""
    factor = aim.goal / figure.middle if aim.is_least else figure.middle / aim.goal
    return "met" if factor <= 1 else f"missed, {max(factor, 1.01):.3g} x"


def _printed(aim: Aim, figure: Figure | str) -> str:
    if isinstance(figure, str):
        return figure
    unit = f" {aim.unit}" if aim.unit else ""
    if figure.low == figure.high:
        return f"{number(figure.middle)}{unit}"
    return f"{number(figure.middle)}{unit} ({number(figure.low)} to {number(figure.high)})"
