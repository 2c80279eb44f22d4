"""docs/seeds.md is true: what it names is there, and it leaves out nothing that those systems promise."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from gitchat.serve.contract import OPERATIONS, ROOT

TOP = Path(__file__).parents[2]
PAGE = TOP / "docs" / "seeds.md"
FACTS = TOP / "tests" / "fixtures" / "seeds"
OTHER_PATHS = {"/health", "/metrics", "/ws/ID", "/mcp"}
"""Paths that stand in no table of requests."""


def test_each_test_that_it_names_is_there() -> None:
    """In the file that it says, under that name."""
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text(encoding="utf-8")))
    assert len(named) > 10
    for path, name in named:
        tree = ast.parse((TOP / path).read_text(encoding="utf-8"))
        assert name in {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}, f"{path}::{name}"


def test_each_row_of_a_promise_is_shown_by_a_test() -> None:
    """The last column of the tables that have one; none is left to trust."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    promises = [row for row in rows if row.count(" | ") == 2 and "shown by" not in row and "start" not in row]
    unshown = [row for row in promises if not re.search(r"::test_\w+` \|$|docs/|\(#", row)]
    assert unshown == []


def test_each_path_that_it_names_is_answered() -> None:
    """Methods and paths of the contract, or of the few things beside it."""
    shown = [(one.method, re.sub(r"{(\w+)}", lambda field: field[1].upper(), one.path)) for one in OPERATIONS]
    known = {f"{method} {ROOT}{path}" for method, path in shown}
    for method, path in re.findall(r"`(GET|POST|PUT|DELETE) (/[\w/]+)", PAGE.read_text(encoding="utf-8")):
        assert f"{method} {path}" in known or path in OTHER_PATHS, path


@pytest.mark.parametrize(
    ("facts", "title"),
    [
        ("agent_chat.txt", "agent-chat"),
        ("collaboration.txt", "mcp-agent-collaboration"),
        ("agents.txt", "agents-mcp-server"),
        ("communication_server.txt", "MCP Agent Communication Server"),
    ],
)
def test_nothing_that_a_system_promises_is_passed_over(facts: str, title: str) -> None:
    """Each word of the list stands in its part of the page."""
    _, _, part = PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    part = re.split(r"\n## ", part)[0]
    promised = [line for line in (FACTS / facts).read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "#")]
    assert [word for word in promised if word not in part] == []
