"""Every command in README, docs/types.md and docs/sessions is run, and prints what stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.programs import until
from tests.sessions.runner import Session, Step, matches, read
from tests.world import World

TOP = Path(__file__).parents[2]
SESSIONS = TOP / "docs" / "sessions"
PAGES = sorted(set(SESSIONS.glob("*.md")) - {SESSIONS / "README.md"})
OTHERS = ("types.md", "start.md", "submodules.md", "serve.md")
DOCUMENTS = [TOP / "README.md", *(TOP / "docs" / name for name in OTHERS), *PAGES]


@pytest.mark.parametrize(
    "document",
    [
        # One page runs every option there is, which takes as long as all the others that a newcomer reads.
        pytest.param(path, id=path.name, marks=[pytest.mark.slow] if path.name == "every-option.md" else [])
        for path in DOCUMENTS
    ],
)
def test_a_document_tells_the_truth(world: World, document: Path) -> None:
    """Each step prints what the document says, in order."""
    steps = list(read(document))
    assert steps
    with Session(world) as session:
        for step in steps:
            session.run(step)


def test_the_tutorial_names_every_session() -> None:
    """The index links each page once."""
    links = re.findall(r"\]\(([\w-]+\.md)\)", (SESSIONS / "README.md").read_text(encoding="utf-8"))
    assert sorted(links) == [page.name for page in PAGES]


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


def test_the_runner_waits_for_what_a_command_in_the_background_prints(world: World) -> None:
    """It comes when it comes; and what a shell has started ends with its session."""
    with Session(world) as session:
        session.run(Step(1, "you", "(git --version > version; cat version; sleep 600) &", ["git version [..]"]))
        session.run(Step(2, "you", "jobs -p > job; cd /; there=1", []))
        session.run(Step(3, "you", "echo $there $PWD", ["1 /"]))
        job = (world.root / "you" / "job").read_text().strip()
        assert state_of(world, job) == "S"
    until(lambda: state_of(world, job) in ("", "Z"))  # a zombie is dead, and waits for its new parent


def state_of(world: World, process: str) -> str:
    """The first letter of what ps tells about a process, such as S for one that sleeps; blank without it."""
    return world.run("ps", "-o", "stat=", "-p", process, check=False).stdout[:1]


def test_the_runner_notices_another_status_and_another_output(world: World) -> None:
    """A step that ends or prints otherwise than the page says is an error, which names its line."""
    with Session(world) as session:
        for command, expected in [("false", []), ("echo a", ["b"]), ("echo a", [])]:
            with pytest.raises(AssertionError, match="line 7"):
                session.run(Step(7, "you", command, expected))
