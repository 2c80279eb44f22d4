"""``git chat summary``: written, shown, listed."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.conftest import Chatroom, Terminal, as_ordinary_user, read_only, refused
from tests.world import World


def write(chatroom: Chatroom, *words: str) -> int:
    """The number of a summary that is written."""
    return int(chatroom.chat("summary", "write", *words, check=True).stdout.removeprefix("summary "))


def shown(chatroom: Chatroom, *words: str) -> dict[str, object]:
    """What ``summary show --json`` gives."""
    form: dict[str, object] = json.loads(chatroom.chat("summary", "show", "--json", *words, check=True).stdout)
    return form


def test_a_summary_is_written_and_shown(chatroom: Chatroom) -> None:
    """Number, scope, writer, date, what it covers, what came since with the command that shows it, and the text."""
    for _ in range(3):
        chatroom.say()
    assert chatroom.chat("summary", "write", "--as", "bob", "The parser\n\n  is done").stdout == "summary 1\n"
    chatroom.say("after")
    chatroom.say("commit", kind="status")
    text = chatroom.chat("summary", "show", "--date", "short", check=True).stdout
    assert re.sub(r"\d{4}-\d\d-\d\d", "DAY", text) == (
        "summary 1 for all  bob  DAY  covers 1-3\nsince: 1 message: git chat log --since 3\n\n"
        "    The parser\n\n      is done\n"
    )


def test_since_is_nothing_where_nothing_came(chatroom: Chatroom) -> None:
    """A summary of everything says so."""
    chatroom.say()
    write(chatroom, "all")
    assert "\nsince: nothing\n" in chatroom.chat("summary", "show").stdout


def test_a_summary_covers_what_its_writer_has_read(chatroom: Chatroom) -> None:
    """Who marked up to #2 summarizes #1 to #2, whatever else was said."""
    for _ in range(5):
        chatroom.say()
    from gitchat.verbs.room import Room

    Room(chatroom.world.environment(chatroom.path), name="bob").set_cursor(2)
    write(chatroom, "--as", "bob", "two")
    form = shown(chatroom)
    assert (form["covers"], form["since_count"]) == ("1-2", 3)


def test_each_scope_has_its_newest(chatroom: Chatroom) -> None:
    """A summary counts for exactly its scope; numbers count through all scopes of a room."""
    chatroom.say()
    assert [write(chatroom, "one"), write(chatroom, "--scope", "codex", "two"), write(chatroom, "three")] == [1, 2, 3]
    assert shown(chatroom)["id"] == 3
    assert shown(chatroom, "--scope", "codex")["content"] == "two"
    assert shown(chatroom, "1")["content"] == "one"
    assert write(chatroom, "--scope", "the parser team", "four") == 4
    assert shown(chatroom, "4")["scope"] == "the parser team"


def test_summaries_are_listed_newest_last(chatroom: Chatroom) -> None:
    """Each with its heading, what came since, and its text on one line; of one scope, or the newest few."""
    chatroom.say()
    for text in ("one\n\nmore", "two", "three"):
        write(chatroom, "--scope", "bob" if text == "two" else "all", text)
    listed = chatroom.chat("summary", "log", check=True).stdout
    assert re.findall(r"^summary \d for \w+", listed, re.MULTILINE) == [
        "summary 1 for all", "summary 2 for bob", "summary 3 for all",
    ]  # fmt: skip
    assert "\n    since: nothing\n    one more\n" in listed
    for options, expected in (("--scope all", [1, 3]), ("-n 2", [2, 3]), ("--scope all -n1", [3]), ("--scope x", [])):
        lines = chatroom.chat("summary", "log", "--json", *options.split(), check=True).stdout.splitlines()
        assert [json.loads(line)["id"] for line in lines] == expected


def test_summary_as_json(chatroom: Chatroom) -> None:
    """The keys of the seed contract, then what it covers and how much came since."""
    chatroom.say()
    form = json.loads(chatroom.chat("summary", "write", "--json", "text", check=True).stdout)
    assert form == shown(chatroom)
    assert list(form) == ["id", "ts", "from", "scope", "content", "covers", "since_count"]
    assert chatroom.chat("summary", "write", "-q", "text", check=True).stdout == ""


def test_the_hint_names_the_room(chatroom: Chatroom) -> None:
    """Commands that are printed work as they stand, also for another room."""
    chatroom.say(room="dev")
    write(chatroom, "--room", "dev", "text")
    chatroom.say(room="dev")
    assert "git chat log --since 1 --room dev\n" in chatroom.chat("summary", "show", "--room", "dev").stdout


def test_text_can_come_from_standard_input_or_the_editor(chatroom: Chatroom, terminal: Terminal) -> None:
    """As for send: ``-`` reads standard input, and without a text git's editor opens."""
    chatroom.say()
    chatroom.chat("summary", "write", "-", stdin=b"from\nstdin\n", check=True)
    assert shown(chatroom)["content"] == "from\nstdin"
    editor = "sed -i '1s/^/typed/'"
    assert terminal("git", "chat", "summary", "write", GIT_EDITOR=editor).stdout.endswith("summary 2\n")
    assert shown(chatroom)["content"] == "typed"
    assert not (chatroom.path / ".git/CHAT_SUMMARY_EDITMSG").exists()


def test_what_was_typed_is_kept_when_it_cannot_be_stored(chatroom: Chatroom, terminal: Terminal) -> None:
    """A refused scope costs nobody a text."""
    chatroom.say()
    done = terminal("git", "chat", "summary", "write", "--scope", "x" * 201, GIT_EDITOR="sed -i '1s/^/typed/'")
    assert "a scope is one line" in done.stdout
    assert (chatroom.path / ".git/CHAT_SUMMARY_EDITMSG").read_text().startswith("typed")


def test_no_summary_says_how_to_write_one(chatroom: Chatroom, terminal: Terminal) -> None:
    """On a terminal; a script sees nothing, and that is no error."""
    chatroom.say()
    assert (
        'git chat summary write --scope bob "..."'
        in terminal("git", "chat", "summary", "show", "--scope", "bob").stdout
    )
    assert 'git chat summary write "..."' in terminal("git", "chat", "summary", "log").stdout
    for command in ("show", "log"):
        done = chatroom.chat("summary", command, check=True)
        assert (done.stdout, done.stderr) == ("", "")


def test_foreign_text_in_a_summary_is_escaped(chatroom: Chatroom) -> None:
    """Neither its text nor its scope reaches the terminal as control characters."""
    chatroom.say()
    write(chatroom, "--scope", "a\u202eb", "red\x1b[31m\u202e")
    for command in ("log", "show 1", "log --json"):
        assert not re.search("[\x1b\u202e]", chatroom.chat("summary", *command.split(), check=True).stdout)


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["write", " "], "the message must not be blank", "git chat send"),
        (["write"], "no text for the summary", "git chat summary write"),
        (["write", "--scope", "", "x"], "a scope is one line", "all"),
        (["write", "--scope", "a\nb", "x"], "a scope is one line", "its name"),
        (["write", "--as", "a\nb", "x"], "name 'a\\nb'", "'a-b'"),
        (["write", "--room", "nowhere", "x"], "there is no room 'nowhere' here", "rooms: lobby"),
        (["show", "2"], "no summary 2 in room 'lobby'", "git chat summary log"),
        (["show", "9" * 30], "no summary 999", "git chat summary log"),
        (["log", "--room", "nowhere"], "there is no room 'nowhere' here", "rooms: lobby"),
    ],
)
def test_bad_summary_is_refused(chatroom: Chatroom, words: list[str], error: str, hint: str) -> None:
    """What cannot be stored or is not there is refused, and nothing is added."""
    chatroom.say()
    write(chatroom, "one")
    refused(chatroom.chat("summary", *words), error, hint)
    assert len(chatroom.chat("summary", "log", "--json").stdout.splitlines()) == 1


@pytest.mark.parametrize("words", ["show 0", "show -- -1", "show x", "show 1 --scope all", "log -n 0"])
def test_wrong_usage_of_summary(chatroom: Chatroom, words: str) -> None:
    """Numbers count from 1, and a number names a summary without a scope."""
    done = chatroom.chat("summary", *words.split())
    assert (done.returncode, done.stdout) == (2, "")


def test_nothing_is_written_where_nothing_can_be(chatroom: Chatroom) -> None:
    """A read-only repository keeps its summaries readable and refuses another."""
    chatroom.say()
    write(chatroom, "one")
    user = as_ordinary_user()
    with read_only(chatroom.path / ".git"):
        done = chatroom.chat("summary", "write", "two", under=user)
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
        assert "one" in chatroom.chat("summary", "show", check=True, under=user).stdout


def test_summary_outside_a_repository(world: World) -> None:
    """There is nothing to summarize."""
    refused(world.chat("summary", "show"), "is not inside a git repository", "git init")


def test_a_byte_order_mark_is_no_part_of_a_summary(chatroom: Chatroom, terminal: Terminal) -> None:
    """What PowerShell's pipe, or an editor on Windows, puts first is not kept."""
    chatroom.say()
    chatroom.chat("summary", "write", "-", stdin=b"\xef\xbb\xbfpiped\n", check=True)
    assert shown(chatroom)["content"] == "piped"
    assert terminal("git", "chat", "summary", "write", GIT_EDITOR=r"printf '\357\273\277edited\n' >").stdout
    assert shown(chatroom)["content"] == "edited"
