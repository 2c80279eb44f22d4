"""The container, which no test builds: what it names is there, and what it promises stands in it."""

from __future__ import annotations

import re
from pathlib import Path

import click
import tomlkit

from gitchat.cli import git_chat

TOP = Path(__file__).parents[2]
DOCKERFILE = (TOP / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (TOP / "compose.yaml").read_text(encoding="utf-8")


def options_of(command: str) -> set[str]:
    """The options of a subcommand."""
    found = git_chat.get_command(click.Context(git_chat), command)
    assert found is not None
    return {option for parameter in found.params for option in parameter.opts}


def test_the_command_line_of_the_container_is_one() -> None:
    """Each option that it gives exists."""
    for text in (*re.findall(r"^CMD (\[.*\])", DOCKERFILE, re.MULTILINE), *re.findall(r"command: (\[.*\])", COMPOSE)):
        command, *words = re.findall(r'"([^"]+)"', text)
        assert {word for word in words if word.startswith("--")} <= options_of(command), text


def test_what_the_image_is_made_of_is_there() -> None:
    """The extra, and each file that is let into the build and that the wheel is made of."""
    project = tomlkit.parse((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    assert "serve" in project["project"]["optional-dependencies"]  # type: ignore[index, operator]
    let_in = re.findall(r"^!(.+)$", (TOP / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert all((TOP / path).exists() for path in let_in)
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]  # type: ignore[index]
    parts = [*wheel["packages"], *wheel["shared-data"], *wheel["shared-scripts"], *wheel["force-include"]]  # type: ignore[index, misc]
    assert all(any(f"{part}/".startswith(f"{path}/") for path in let_in) for part in parts), parts


def test_it_does_not_run_as_root_and_everybody_needs_a_token() -> None:
    """And its health is asked where no token is needed."""
    assert re.search(r"^USER (?!root)", DOCKERFILE, re.MULTILINE)
    assert "/health" in DOCKERFILE
    assert all("--token-always" in text for text in (DOCKERFILE, COMPOSE))
    assert "nobody" in DOCKERFILE.lower().partition("\nfrom")[0]
