"""How soon the page of a long room is painted, and its first message stands there, in a real browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from figures import milliseconds, number, table

HERE = Path(__file__).parent
TOOLS = HERE.parent / ".tools" / "web"
"""Where ``make chromium`` puts playwright-core, which drives the browser."""

ROUNDS = 5
VISITS = {"first": "the first visit", "again": "a later one"}


def opened(door: str, records: int) -> str:
    """The table of a page with ``records`` records, opened at ``door``: the address that a server prints."""
    chromium, node = shutil.which("chromium"), shutil.which("node")
    if chromium is None or node is None or not (TOOLS / "node_modules" / "playwright-core").exists():
        return "The page was not opened: there is no browser here (`make chromium`)."
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [node, str(HERE / "opening.mjs"), str(TOOLS), profile, chromium, door, str(ROUNDS)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = [json.loads(line) for line in printed.splitlines()]
    rows = []
    for visit, name in VISITS.items():
        times = [one for one in found if one["visit"] == visit]
        painted, told = ([one[key] / 1000 for one in times] for key in ("paint", "message"))
        rows.append([name, milliseconds(painted), milliseconds(told), number(max(told) * 1000)])
    header = [f"the page of a room of {records:,}", "first paint ms", "first message ms", "longest ms"]
    return table(header, rows)
