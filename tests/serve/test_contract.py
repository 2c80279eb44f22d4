"""The contract in its three forms: the document, the page, and what a server does with any request."""

from __future__ import annotations

from importlib import util
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.testclient import TestClient

from gitchat import __version__
from gitchat.serve import openapi
from gitchat.serve.answers import STATUSES
from gitchat.serve.contract import OPERATIONS
from tests.serve.serving import serving
from tests.world import World

PAGE = Path(__file__).parents[2] / "docs" / "rest.md"

EXAMPLES = 50
"""Requests of each operation that are made up to fit the contract, and as many that do not."""

NOT_CHECKED = {
    "positive_data_acceptance",  # a name that fits the pattern can be reserved, a number can be of nothing
}


def test_the_document_is_served_as_it_is_made(client: TestClient) -> None:
    """With every operation of the table, each in its place."""
    told = client.get(openapi.PATH).json()
    assert told == openapi.document(__version__)
    named = {one["operationId"] for methods in told["paths"].values() for one in methods.values()}
    assert named == {one.act for one in OPERATIONS}


def test_the_page_is_made_of_the_table() -> None:
    """``make rest`` would change nothing."""
    text = PAGE.read_text(encoding="utf-8")
    assert _make_rest().page(text) == text, "docs/rest.md is out of date: make rest"


def test_the_page_has_every_code_with_its_status() -> None:
    """Those of the table of refusals that REST can meet."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "| " and line[2:5].isdigit()]
    told = {code: row for row in rows for code in row.split("`")[1::2]}
    for code in ("no-token", "guest", "no-such-record", "name-held", "room-closed", "rate-limited", "disk-full"):
        assert str(STATUSES[code]) in told[code], code


@pytest.mark.web
def test_whatever_is_asked_is_answered_by_the_contract(world: World) -> None:
    """Made-up requests, good and bad, of every operation: no defect, and no answer of another shape or status."""
    import hypothesis
    import schemathesis
    from schemathesis.specs.openapi import checks  # which fills the register

    repository = world.repository()
    world.chat("send", "--as", "alice", "first", cwd=repository, check=True)
    world.git("config", "chat.serveRate", "100000", cwd=repository)
    with serving(world, cwd=repository) as running:
        schema = schemathesis.openapi.from_url(running.url + openapi.PATH)
        left_out = [getattr(checks, name) for name in NOT_CHECKED]
        tried = 0
        for found, mode in product(schema.get_all_operations(), schemathesis.GenerationMode):
            operation = found.ok()

            @hypothesis.settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
                                 suppress_health_check=list(hypothesis.HealthCheck))  # fmt: skip
            @hypothesis.given(case=operation.as_strategy(mode))
            def ask(case: Any) -> None:
                nonlocal tried
                tried += 1
                if case.query and "wait" in case.query:
                    case.query["wait"] = 0.01
                case.call_and_validate(excluded_checks=left_out, timeout=60)

            ask()
        assert tried > len(OPERATIONS)
        assert running.kill() == 0
        assert running.process.stderr.read() == ""


def _make_rest() -> ModuleType:
    spec = util.spec_from_file_location("make_rest", PAGE.parent / "make_rest.py")
    assert spec is not None
    assert spec.loader is not None
    made = util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made
