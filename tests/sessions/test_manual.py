"""The manual pages: one for each command, as the command says it, installed where man(1) looks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from gitchat import __version__
from gitchat.cli import COMMANDS
from tests.needed import need
from tests.world import World

TOP = Path(__file__).parents[2]
PAGES = TOP / "docs" / "man" / "man1"
NAMES = ["git-chat.1", *(f"git-chat-{command}.1" for command in COMMANDS)]


def test_every_command_has_a_page() -> None:
    """And there is no page of a command that is gone."""
    assert sorted(path.name for path in PAGES.iterdir()) == sorted(NAMES)


def test_a_page_says_what_the_command_says() -> None:
    """They are written from the commands: make man."""
    spec = util.spec_from_file_location("make_pages", PAGES.parent / "make_pages.py")
    assert spec is not None
    assert spec.loader is not None
    make_pages = util.module_from_spec(spec)
    spec.loader.exec_module(make_pages)
    for name, text in make_pages.pages().items():
        assert (PAGES / name).read_text(encoding="utf-8") == text, f"{name} is out of date: make man"


def test_the_pages_are_of_this_version() -> None:
    """The first line of git-chat(1) says it for all."""
    assert f'"gitchat {__version__}"' in (PAGES / "git-chat.1").read_text(encoding="utf-8").split("\n")[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_laid_out_without_a_warning(name: str) -> None:
    """By groff, where it is installed; no line but those laid out by hand is wider than a terminal."""
    need("groff")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-P-c", "-ww", "-rLL=80n", str(PAGES / name)],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert done.stderr == ""
    shown = re.sub(".\b", "", done.stdout)  # bold is printed twice
    assert "SEE ALSO" in shown
    assert max(map(len, shown.splitlines())) <= 100


@pytest.mark.slow
def test_an_installed_wheel_has_the_pages_where_man_and_git_look(world: World, tmp_path: Path) -> None:
    """``git chat --help`` and ``git help chat`` open the first one, ``man git-chat-send`` another."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    wheels, prefix = tmp_path / "wheels", tmp_path / "prefix"
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(TOP)], check=True, env=variables)
    (wheel,) = wheels.glob("*.whl")
    into = ["--no-deps", "--ignore-installed", "--prefix", str(prefix)]
    subprocess.run([*pip, "install", *into, str(wheel)], check=True, env=variables)
    assert sorted(path.name for path in (prefix / "share" / "man" / "man1").iterdir()) == sorted(NAMES)
    need("man")
    programs = f"{prefix / 'bin'}:{world.variables['PATH']}"
    for words, title in [
        (["git", "chat", "--help"], "GIT-CHAT(1)"),
        (["git", "help", "chat"], "GIT-CHAT(1)"),
        (["man", "git-chat-send"], "GIT-CHAT-SEND(1)"),
    ]:
        done = world.run(*words, PATH=programs, MANPAGER="cat", LC_ALL="C.UTF-8")
        assert done.stdout.startswith(title), done.stderr
