"""ARCHITECTURE.md's map is the tree, and its floors are those that the imports are held to."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

TOP = Path(__file__).parents[2]
PACKAGE = TOP / "gitchat"
PAGES = [path for folder in (".", "docs", "docs/decisions") for path in sorted((TOP / folder).glob("*.md"))]


class Row(NamedTuple):
    """A row of the map."""

    floor: int
    modules: str
    job: str


def the_map() -> dict[str, Row]:
    """The rows, from the top floor down, by folder or flat module."""
    _, _, text = (TOP / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("\n## The map\n")
    lines = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
    rows = {folder.strip("`"): Row(int(floor), modules, job) for floor, folder, modules, job in cells}
    assert len(rows) == len(cells), "a folder stands there twice"
    return rows


def folders() -> dict[str, set[str]]:
    """Each folder of the package, as a path below it, and its modules but for ``__init__``."""
    found = {path.parent.relative_to(PACKAGE).as_posix(): path.parent for path in PACKAGE.glob("**/*/__init__.py")}
    return {name: {path.stem for path in folder.glob("*.py")} - {"__init__"} for name, folder in found.items()}


def test_the_map_has_every_folder_with_every_module_and_no_other() -> None:
    """A row a folder, and one for each flat module; the commands are too many to be named."""
    flat = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert set(the_map()) == folders().keys() | flat
    for folder, modules in folders().items():
        told = the_map()[folder].modules
        named = re.findall(r"`(\w+)`", told)
        assert told == "one verb a file" or sorted(named) == sorted(modules), folder
    assert all(the_map()[name].modules == "" for name in flat)
    assert all(row.job for row in the_map().values())


def test_the_floors_of_the_map_are_those_of_the_contract() -> None:
    """In the order of pyproject.toml's first contract, counted from the ground, a folder in a folder on its floor."""
    settings = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    floors = [re.split(r" [:|] ", layer) for layer in layers]
    wanted = {name: len(floors) - place for place, names in enumerate(floors) for name in names}
    assert {folder: row.floor for folder, row in the_map().items()} == {
        folder: wanted[folder.partition("/")[0]] for folder in the_map()
    }
    assert [row.floor for row in the_map().values()] == sorted((row.floor for row in the_map().values()), reverse=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_place_that_a_page_names_is_there(page: Path) -> None:
    """A path in backquotes, from the top or from the package, is a file or folder, or a module without its suffix."""
    roots = {path.name for path in TOP.iterdir() if path.is_dir()} - {"hooks"}
    named = re.findall(r"`([\w-]+(?:/[\w.-]+)+)/?`", page.read_text(encoding="utf-8"))
    for place in named:
        root = place.partition("/")[0]
        if root in roots:
            assert (TOP / place).exists(), place
        elif root in folders():
            assert any((PACKAGE / f"{place}{suffix}").exists() for suffix in ("", ".py")) or "NAME" in place, place
