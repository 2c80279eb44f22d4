"""Every command in README, docs/types.md and docs/sessions is run, and prints what stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sessions.runner import Session, matches, read
from tests.world import World

TOP = Path(__file__).parents[2]
DOCUMENTS = [TOP / "README.md", TOP / "docs" / "types.md", *sorted((TOP / "docs" / "sessions").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_tells_the_truth(world: World, document: Path) -> None:
    """Each step prints what the document says, in order."""
    session, steps = Session(world), list(read(document))
    assert steps
    for step in steps:
        session.run(step)


@pytest.mark.parametrize(
    ("expected", "actual", "fits"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a"], ["a", "b"], False),
        (["a [..] c"], ["a b c"], True),
        (["a [..] c"], ["a b d"], False),
        (["[...]", "z"], ["x", "y", "z"], True),
        (["a", "[...]"], ["a"], True),
        (["a.c"], ["abc"], False),
        (["#1  alice  14:03"], ["#1  alice  09:59"], True),
        (["#1  alice  14:03"], ["#1  alice  soon"], False),
        (["-- Friday, 20 November 2026 --"], ["-- Sunday, 1 March 2026 --"], True),
        (["-- Friday, 20 November 2026 --"], ["-- nothing --"], False),
        ([], ["something"], False),
    ],
)
def test_the_runner_can_fail(expected: list[str], actual: list[str], fits: bool) -> None:
    """Wildcards match what they should and nothing else."""
    assert matches(expected, actual) is fits
