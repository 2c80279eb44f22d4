"""What a person at a terminal meets: the editor, the pager, colour, the width, and who counts as a person."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import wcwidth

from tests.cli.conftest import Chatroom, Terminal, as_ordinary_user, read_only

ESC = "\x1b"
SCISSORS = "# ------------------------ >8 ------------------------"


@pytest.fixture
def draft(chatroom: Chatroom) -> Path:
    """The file in which the editor is given a message."""
    return chatroom.path / ".git" / "CHAT_EDITMSG"


def program(chatroom: Chatroom, text: str, name: str = "editor") -> str:
    """An editor or pager: a shell script whose first argument, if any, is the file to edit."""
    path = chatroom.world.root / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def plain(text: str) -> str:
    """``text`` without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def writes(chatroom: Chatroom, text: str) -> str:
    """An editor in which a person writes ``text`` above what is in the file."""
    source = chatroom.world.root / "typed"
    source.write_text(text)
    return program(chatroom, f'cat "{source}" "$1" > "$1.new" && mv "$1.new" "$1"')


# --- the editor --------------------------------------------------------------


def test_without_text_the_editor_opens(chatroom: Chatroom, terminal: Terminal, draft: Path) -> None:
    """What is written above the scissors is sent, headings included, and the file is gone afterwards."""
    editor = writes(chatroom, "# A heading\n\nand text\n  # not a comment\n")
    assert terminal("git", "chat", "send", GIT_EDITOR=editor).stdout == "#1\n"
    assert chatroom.newest().body == "# A heading\n\nand text\n  # not a comment"
    assert not draft.exists()


def test_template_explains_itself_below_the_scissors(chatroom: Chatroom, terminal: Terminal) -> None:
    """The editor shows what to do, and nothing of it is sent."""
    seen = chatroom.world.root / "seen"
    terminal(
        "git",
        "chat",
        "send",
        GIT_EDITOR=program(chatroom, f'cp "$1" "{seen}"; echo hi > "$1"; tail -3 "{seen}" >> "$1"'),
    )
    assert seen.read_text().startswith(f"\n{SCISSORS}\n#")
    assert "an empty message sends nothing" in seen.read_text()
    assert chatroom.newest().body == "hi"


def test_text_below_the_scissors_is_left_out(chatroom: Chatroom, terminal: Terminal) -> None:
    """A person can write notes below the scissors."""
    terminal("git", "chat", "send", GIT_EDITOR=program(chatroom, f'printf "above\\n{SCISSORS}\\nbelow\\n" > "$1"'))
    assert chatroom.newest().body == "above"


@pytest.mark.parametrize(
    "script", ["true", ": > $1", "printf ' \\n\\t\\n' > $1"], ids=["untouched", "emptied", "blank"]
)
def test_empty_message_aborts(chatroom: Chatroom, terminal: Terminal, draft: Path, script: str) -> None:
    """Who leaves the editor without a text sends nothing: status 1, and no file stays."""
    done = terminal("git", "chat", "send", GIT_EDITOR=program(chatroom, script))
    assert done.returncode == 1
    assert plain(done.stdout) == "error: nothing was sent: the message is empty\nhint: git chat send\n"
    assert chatroom.entries() == []
    assert not draft.exists()


@pytest.mark.parametrize("editor", ["false", "no-such-editor"])
def test_editor_that_fails_sends_nothing(chatroom: Chatroom, terminal: Terminal, editor: str) -> None:
    """A failing editor is named, and the hint chooses another."""
    done = terminal("git", "chat", "send", GIT_EDITOR=editor)
    assert done.returncode == 1
    assert f"error: the editor '{editor}' failed" in plain(done.stdout)
    assert "export GIT_EDITOR=vim" in done.stdout
    assert chatroom.entries() == []


def test_failed_send_keeps_the_text(chatroom: Chatroom, terminal: Terminal, draft: Path) -> None:
    """When an edited message cannot be sent, it stays in the file, and the hint says where."""
    chatroom.git("config", "chat.maxBody", "10")
    done = terminal("git", "chat", "send", columns=200, GIT_EDITOR=writes(chatroom, "far longer than that\n"))
    assert done.returncode == 1
    assert "error: the message has 20 bytes; the limit is 10\n" in plain(done.stdout)
    assert f"your text is kept in {draft}\n" in done.stdout
    assert draft.read_text().startswith("far longer than that\n")
    assert chatroom.entries() == []


@pytest.mark.parametrize(
    "options", ["-t a/b", "--type x!y", "-r 9", "--as all", "--room a/b"], ids=lambda options: options.split()[0]
)
def test_nobody_writes_for_nothing(chatroom: Chatroom, terminal: Terminal, options: str) -> None:
    """What else is wrong with the command is said before the editor opens."""
    opened = chatroom.world.root / "opened"
    done = terminal("git", "chat", "send", *options.split(), GIT_EDITOR=program(chatroom, f'touch "{opened}"'))
    assert done.returncode == 1
    assert not opened.exists()


def test_editor_is_gits(chatroom: Chatroom, terminal: Terminal) -> None:
    """The editor comes from git's configuration, and may have arguments and a space in its path."""
    script = program(chatroom, 'test "$1" = --wait && echo hi > "$2"', name="my editor")
    chatroom.git("config", "core.editor", f"'{script}' --wait")
    del chatroom.world.variables["GIT_EDITOR"]
    assert terminal("git", "chat", "send").stdout == "#1\n"


@pytest.mark.parametrize("editor", ["echo hi >", "~/ed", "MODE=1 $HOME/ed", "sh -c 'echo hi > $1' -"])
def test_editor_runs_in_a_shell(chatroom: Chatroom, terminal: Terminal, editor: str) -> None:
    """What git understands as an editor is one here: redirections, variables, a tilde."""
    path = chatroom.world.home / "ed"
    path.write_text('#!/bin/sh\necho hi > "$1"\n')
    path.chmod(0o755)
    assert terminal("git", "chat", "send", GIT_EDITOR=editor).stdout == "#1\n"


def test_each_worktree_has_its_own_draft(chatroom: Chatroom, terminal: Terminal) -> None:
    """Two people who write in two worktrees do not write into one file."""
    chatroom.git("worktree", "add", "-q", chatroom.world.root / "tree")
    editor = program(chatroom, 'echo "$1" > "$1"')
    terminal("git", "-C", chatroom.world.root / "tree", "chat", "send", GIT_EDITOR=editor)
    assert chatroom.newest().body == str(chatroom.path / ".git" / "worktrees" / "tree" / "CHAT_EDITMSG")


# --- who is a person ---------------------------------------------------------


def test_person_at_a_terminal_is_human(chatroom: Chatroom, terminal: Terminal) -> None:
    """A record says that a person wrote it only from a terminal without an agent's variable."""
    terminal("git", "chat", "send", "hi")
    assert (chatroom.newest().author, chatroom.newest().origin) == ("alice", "human")
    terminal("git", "chat", "send", "hi", CLAUDECODE="1")
    assert (chatroom.newest().author, chatroom.newest().origin) == ("claude-repo", "agent")


# --- the pager ---------------------------------------------------------------

PAGER: dict[str, Any] = {"GIT_PAGER": "sed s/^/P:/"}


@pytest.mark.parametrize("words", ["log", "log --oneline", "show 1"])
def test_pager_is_used_at_a_terminal(chatroom: Chatroom, terminal: Terminal, words: str) -> None:
    """Everything that is printed goes through git's pager, which git runs in a shell."""
    chatroom.say("one\n\ntwo")
    shown = terminal("git", "chat", *words.split(), **PAGER).stdout
    assert "one" in shown
    assert all(line.startswith("P:") for line in shown.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        "git --no-pager chat log",
        "git chat log --no-pager",
        "git chat log --json",
        "git chat send hi",
        "git -c core.pager=cat chat log",
    ],
)
def test_pager_is_not_used(chatroom: Chatroom, terminal: Terminal, words: str) -> None:
    """git's ``--no-pager`` and our own turn the pager off; what is for programs has none."""
    chatroom.say("one")
    variables = {} if "core.pager" in words else PAGER
    if "core.pager" in words:
        del chatroom.world.variables["GIT_PAGER"]
    done = terminal(*words.split(), **variables)
    assert done.returncode == 0
    assert "P:" not in done.stdout
    assert done.stdout


def test_pager_that_git_started_is_the_only_one(chatroom: Chatroom, terminal: Terminal) -> None:
    """Under ``git -p`` the output is paged once, coloured and wrapped as for the terminal behind the pager."""
    chatroom.say("word " * 30)
    shown = terminal("git", "-p", "chat", "log", TERM="xterm", **PAGER).stdout
    lines = plain(shown).splitlines()
    assert ESC in shown
    assert all(line.startswith("P:") and not line.startswith("P:P:") for line in lines)
    assert max(map(wcwidth.width, lines)) <= 62


def test_pager_that_is_left_early_is_no_error(chatroom: Chatroom, terminal: Terminal) -> None:
    """Who quits the pager has seen enough."""
    for _ in range(30):
        chatroom.say("x" * 10_000)
    done = terminal("git", "chat", "log", GIT_PAGER="head -n 1")
    assert done.returncode in (0, 141)
    assert len(done.stdout.splitlines()) == 1


# --- colour ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "variables", "has_color"),
    [
        ("git chat log", {}, True),
        ("git chat log --oneline", {}, True),
        ("git chat show 1", {}, True),
        ("git chat doctor", {}, True),
        ("git chat log", {"TERM": "dumb"}, False),
        ("git chat log", {"NO_COLOR": "1"}, False),
        ("git -c color.ui=never chat log", {}, False),
        ("git -c color.ui=false chat log", {}, False),
        ("git -c color.ui=true chat log", {}, True),
        ("git -c color.ui=never chat log --color=auto", {}, True),
        ("git chat log --no-color", {}, False),
        ("git chat log --json", {}, False),
        ("git chat show 99", {}, True),
        ("git chat show 99", {"NO_COLOR": "1"}, False),
    ],
)
def test_color_at_a_terminal(
    chatroom: Chatroom, terminal: Terminal, words: str, variables: dict[str, Any], has_color: bool
) -> None:
    """A terminal gets colour as git gives it, errors included, unless it cannot or somebody does not want it."""
    chatroom.say()
    shown = terminal(*words.split(), **({"TERM": "xterm"} | variables)).stdout
    assert (ESC in shown) == has_color
    assert shown


# --- the width ---------------------------------------------------------------

TEXTS = {
    "words": "word " * 60,
    "one long word": "x" * 300,
    "Japanese": "漢字とかな" * 40,
    "mixed": "漢字 and words 日本語 " * 12,
    "emoji": "👩‍👩‍👧 👍🏽 🇩🇪" * 20,
    "combining": "e\u0301" * 150,
    "indented": "        " + "indented text " * 20,
    "tabs": "a\tb\t" * 30,
    "controls": "\x1b[31m" * 60,
    "path": "/some/path-with-hyphens/" * 12,
}


@pytest.mark.parametrize("options", [[], ["--oneline"], ["--date=iso"]], ids=["listing", "oneline", "dated"])
def test_no_line_is_wider_than_the_terminal(chatroom: Chatroom, terminal: Terminal, options: list[str]) -> None:
    """At 60 columns no line takes more than 60 cells, whatever the text is made of."""
    for text in TEXTS.values():
        chatroom.say(text, type="question")
    chatroom.say("commit 1234abc: " + TEXTS["mixed"], kind="status")
    chatroom.say('["' + "漢字" * 50 + '"]', media="json")
    shown = terminal("git", "chat", "log", *options, TERM="xterm").stdout
    lines = plain(shown).splitlines()
    assert {line: wcwidth.width(line) for line in lines if wcwidth.width(line) > 60} == {}
    assert max(map(wcwidth.width, lines)) > 50


def test_wrapping_loses_nothing(chatroom: Chatroom, terminal: Terminal) -> None:
    """Wrapped text holds every letter of what was written, in order."""
    for text in TEXTS.values():
        chatroom.say(text.replace("\x1b", ""))
    body = "".join(line for line in terminal("git", "chat", "log").stdout.splitlines() if line.startswith(" "))
    wanted = "".join(text.replace("\x1b", "") for text in TEXTS.values())
    assert re.sub(r"\s", "", body) == re.sub(r"\s", "", wanted)


# --- an empty room -----------------------------------------------------------


def test_empty_room_says_how_to_begin(terminal: Terminal) -> None:
    """A person who looks into an empty room is told the command that writes the first message."""
    done = terminal("git", "chat", "log")
    assert done.returncode == 0
    assert "Room 'lobby' is empty" in done.stdout
    assert 'git chat send "hello"' in done.stdout


def test_listing_without_a_match_says_so(chatroom: Chatroom, terminal: Terminal) -> None:
    """A person whose filter leaves nothing is told that it was the filter."""
    chatroom.say()
    done = terminal("git", "chat", "log", "--from", "bob")
    assert (done.returncode, done.stdout) == (0, "no message matches\n")


def test_edited_text_keeps_its_indentation(chatroom: Chatroom, terminal: Terminal) -> None:
    """Empty lines around the text go, as for a commit; the indentation of its first line stays."""
    terminal("git", "chat", "send", GIT_EDITOR=writes(chatroom, "\n\n    code\n    more\n\n"))
    assert chatroom.newest().body == "    code\n    more"


def test_edited_text_that_is_not_utf8_is_kept(chatroom: Chatroom, terminal: Terminal, draft: Path) -> None:
    """Also when the text cannot be read as UTF-8, it stays in the file, and the hint says where."""
    done = terminal("git", "chat", "send", columns=200, GIT_EDITOR=program(chatroom, r"printf 'caf\351' > $1"))
    assert done.returncode == 1
    assert f"your text is kept in {draft}\n" in done.stdout
    assert draft.read_bytes() == b"caf\xe9"


def test_editor_that_removes_the_file_sends_nothing(chatroom: Chatroom, terminal: Terminal) -> None:
    """A file that is gone is an empty message."""
    done = terminal("git", "chat", "send", GIT_EDITOR=program(chatroom, 'rm "$1"'))
    assert done.returncode == 1
    assert "error: nothing was sent" in plain(done.stdout)


def test_editor_is_not_opened_where_nothing_can_be_written(chatroom: Chatroom, terminal: Terminal) -> None:
    """In a read-only repository the cause is said before anybody writes a text."""
    user = as_ordinary_user()
    with read_only(chatroom.path):
        done = terminal(*user, "git", "chat", "send", columns=200, GIT_EDITOR="true")
    assert done.returncode == 1
    assert "error: cannot write to" in plain(done.stdout)


def test_terminal_without_an_editor(chatroom: Chatroom, terminal: Terminal) -> None:
    """Where git has no editor for a dumb terminal, the hint chooses one or does without."""
    del chatroom.world.variables["GIT_EDITOR"]
    done = terminal("git", "chat", "send", columns=200, TERM="dumb")
    assert done.returncode == 1
    assert "error: " in plain(done.stdout)
    assert "does not know" not in done.stdout


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        ("git chat show 99", {"TERM": "dumb"}),
        ("git -c color.ui=never chat show 99", {"TERM": "xterm"}),
        ("git chat show 99 --color=never", {"TERM": "xterm"}),
    ],
)
def test_errors_are_coloured_as_the_rest(
    chatroom: Chatroom, terminal: Terminal, words: str, variables: dict[str, str]
) -> None:
    """Who has turned colour off, or has a terminal without, gets none in errors either."""
    chatroom.say()
    assert ESC not in terminal(*words.split(), **variables).stdout


@pytest.mark.parametrize("words", ["log", "log --date=iso", "show 1"])
def test_people_and_notes_are_wrapped_too(chatroom: Chatroom, terminal: Terminal, words: str) -> None:
    """Also the line of names, and the fields of ``show``, take no more than the terminal has."""
    names = tuple(f"somebody-{number}" for number in range(12))
    chatroom.say("x", author="a" * 40, to=names, type="question", urgent=True)
    shown = terminal("git", "chat", *words.split()).stdout
    assert {line: wcwidth.width(line) for line in shown.splitlines() if wcwidth.width(line) > 60} == {}
    assert all(name in shown for name in names)


def test_pager_that_cannot_be_started_hides_nothing(chatroom: Chatroom, terminal: Terminal) -> None:
    """As with git, the text is shown without the pager when there is none."""
    chatroom.say("the text")
    assert "the text" in terminal("git", "chat", "log", GIT_PAGER="no-such-pager").stdout


def test_the_server_does_not_wait_for_somebody_to_type(terminal: Terminal) -> None:
    """At a terminal it says what it is for, where it would else be silent for ever."""
    done = terminal("git", "chat", "mcp", columns=200)
    assert done.returncode == 1
    assert "error: git chat mcp talks to an agent's client" in done.stdout
    assert "hint: add it to a client: claude mcp add gitchat -- git-chat mcp" in done.stdout


def test_the_help_cuts_no_sentence_on_an_ordinary_terminal(terminal: Terminal) -> None:
    """Each command has a line that fits into 80 columns."""
    listed = terminal("git", "chat", columns=80).stdout.partition("To begin with:")[2]
    assert "Care:" in listed
    assert "..." not in listed
