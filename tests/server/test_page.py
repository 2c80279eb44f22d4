"""docs/mcp.md tells what the server has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest

from gitchat.cli.commands.mcp import command
from gitchat.server.catalog import CORE, TOOLS
from gitchat.server.news import CHANNEL_CHARS
from gitchat.server.service import PROGRESS_SECONDS, Service
from gitchat.server.texts import DEFAULT_CHARS
from gitchat.verbs.tools import MAX_WAIT_SECONDS

PAGE = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text(encoding="utf-8")


def row(tool: dict[str, Any]) -> str:
    """A tool as the page's table has it."""
    schema = tool["inputSchema"]
    required = schema.get("required", [])
    arguments = ", ".join(name if name in required else f"[{name}]" for name in schema["properties"])
    core = "yes" if tool["name"] in CORE else ""
    return f"| `{tool['name']}` | {core} | {arguments} | {tool['description']} |"


def test_the_table_of_tools_is_the_catalog() -> None:
    """Every tool stands there with its arguments and its description, in the order of the list."""
    table = re.findall(r"^\| `[a-z_]+` \|.*\|$", PAGE, re.MULTILINE)
    assert table == [row(tool) for tool in TOOLS]


def test_every_option_has_its_place() -> None:
    """The page names each option of the command, but for the one that selects how it is built."""
    options = {name for option in command.params if isinstance(option, click.Option) for name in option.opts}
    assert set(re.findall(r"--(?:json|channel|tools|user-wide|profile|connect)\b", PAGE)) == options - {"--sdk"}


@pytest.mark.parametrize(
    "said",
    [
        f"at most {MAX_WAIT_SECONDS}",
        f"every {PROGRESS_SECONDS:.0f} seconds",
        f"{CHANNEL_CHARS:,} characters",
        f"{DEFAULT_CHARS:,} characters",
        *(f"`{template['uriTemplate']}`" for template in Service().templates()),
    ],
)
def test_its_numbers_are_those_of_the_code(said: str) -> None:
    """Limits, and addresses of resources, are as the code has them."""
    assert said in re.sub(r"\s+", " ", PAGE)
