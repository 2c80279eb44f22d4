"""What a page names is there; every command that is there is described."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from gitchat.cli import COMMANDS, git_chat

TOP = Path(__file__).parents[2]
PAGES = [TOP / "README.md", TOP / "ARCHITECTURE.md", TOP / "AGENTS.md", *sorted((TOP / "docs").glob("**/*.md"))]
MANUAL = TOP / "docs" / "man" / "man1" / "git-chat.1"


def unknown(words: list[str]) -> list[str]:
    """Of ``git chat <words>``, the command or the options that do not exist."""
    context = click.Context(git_chat)
    command: click.Command = git_chat
    for word in words:
        if not isinstance(command, click.Group) or word.startswith("-"):
            break
        found = command.get_command(context, word)
        if found is None:
            return [word] if command is git_chat else []
        command = found
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    own = words[: words.index("--")] if "--" in words else words
    return [word for word in own if re.match(r"--?[a-z]", word) and word not in known | {"-h", "--help", "--version"}]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_what_a_page_names_exists(page: Path) -> None:
    """Each command in backquotes is one of ours, with options that it has."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for command in re.findall(r"`git\s+chat\s([^`]*)`", text):
        assert unknown(shlex.split(command.replace("...", ""))) == [], command


def test_a_command_that_is_not_there_is_noticed() -> None:
    """The rule above can fail."""
    assert unknown(["shout", "hello"]) == ["shout"]
    assert unknown(["send", "--loud", "hello"]) == ["--loud"]
    assert unknown(["room", "close", "--loud"]) == ["--loud"]
    assert unknown(["join", "codex", "--", "sh", "--loud"]) == []


def test_the_manual_page_describes_every_command() -> None:
    """Each stands in the synopsis and has a paragraph, in the order of the help."""
    text = MANUAL.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^\.SH (.*)\n((?:(?!\.SH ).*\n)*)", text, re.MULTILINE))
    assert re.findall(r"^\\fBgit chat (\w+)", sections["SYNOPSIS"], re.MULTILINE) == list(COMMANDS)
    assert re.findall(r"^\.B (\S+)$", sections["COMMANDS"], re.MULTILINE) == list(COMMANDS)
