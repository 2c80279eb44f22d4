"""The recipes of docs/hosts.md for build servers: their steps are run in a fresh clone, as a job has it."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tests.clones.conftest import Clone, Hub

PAGE = Path(__file__).parents[2] / "docs" / "hosts.md"


def recipes() -> list[str]:
    """What stands in the page as YAML: GitHub's, then GitLab's."""
    return re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)


def steps_of(recipe: str) -> list[str]:
    """The shell lines of the one job of a recipe: what stands behind ``run:``, or below it, or below ``script:``.

    Not all of YAML is read, and what is no such line is no step.
    """
    blocks = re.findall(r"^( *)(?:- )?run: (?:\|\n((?:\1 +.*\n)+)|(.+))$", recipe, re.MULTILINE)
    steps = [textwrap.dedent(block) or line for _, block, line in blocks]
    script = re.search(r"^  script:\n((?:    - .*\n)+)", recipe, re.MULTILINE)
    return steps or [line.removeprefix("    - ") for line in (script[1] if script else "").splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(("place", "key"), [(0, "GITHUB_RUN_ID"), (1, "CI_JOB_ID")])
def test_a_recipe_tells_the_room_once(hub: Hub, place: int, key: str) -> None:
    """In a shallow clone, without a name or an address in git's configuration, and again when the job is run again."""
    world, ann = hub.world, hub.clone("ann")
    ann.say("Is main green?")
    ann.sync()
    ann.git("push", "-q", "origin", "main")
    for program in ("pipx", "pip"):
        world.add_program(program, 'test "$1" = install && test -n "$2" && echo "$@" >> "$HOME/installed"')
    recipe = recipes()[place]
    steps = steps_of(recipe)
    assert len(steps) == (2, 4)[place], "each step of the recipe is run"
    assert "GITCHAT_NAME: ci" in recipe
    variables = {"GITCHAT_NAME": "ci", "CI": "true", key: "1742", "GITCHAT": "gitchat.whl", "CHAT_URL": str(hub.path)}
    variables |= {"GIT_CONFIG_GLOBAL": "/dev/null"}
    for number in (1, 2):
        job = Clone(world, world.root / f"job{number}", "ci")
        world.git("clone", "-q", "--depth", "1", f"file://{hub.path}", job.path)
        for step in steps:
            world.run("bash", "-e", "-o", "pipefail", "-c", step, cwd=job.path, **variables)
    ann.sync()

    assert (world.home / "installed").read_text() == "install gitchat.whl\n" * 2
    assert [number for number, _ in ann.numbered()] == [1, 2]
    assert "1742" in ann.bodies()[1]
    assert ann.records()[1]["from"] == "ci"


def test_each_test_that_the_page_names_is_there() -> None:
    """A row without a test is called untested."""
    named = set(re.findall(r"(?:tests/)?(?:\w+/)?(test_\w+\.py)", PAGE.read_text()))
    there = {path.name for path in PAGE.parents[1].glob("tests/*/test_*.py")}
    assert named - there == set()
