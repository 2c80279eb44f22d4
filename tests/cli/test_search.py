"""``git chat search``: what is found, in which order, and how it is shown."""

from __future__ import annotations

import json
import re
import time

import pytest

from gitchat.model.record import Moment
from tests.cli.conftest import Chatroom, Terminal, read_only, refused
from tests.world import World

DAY = 86400


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Chatroom:
    """Two rooms that no test here writes to."""
    room = Chatroom(World(tmp_path_factory.mktemp("story")))
    now = int(time.time())
    room.say("Who takes the parser?", type="question", at=Moment(now - 4 * DAY))
    room.say("The lexer fails. " + "Nothing else to say. " * 30 + "The parser does not.", author="bob")
    room.say("commit 1234abc: parser", author="bob", kind="status")
    room.say("parser parser parser", author="codex", type="blocker")
    room.say("これは日本語です", author="codex")
    room.say("a\x1b[31mred \ue000 parsley \ue001\u202e", author="codex")
    room.say("the parser elsewhere", room="dev")
    return room


def found(story: Chatroom, *words: str) -> list[int]:
    """The numbers that a search finds, in its order."""
    done = story.chat("search", "--json", *words)
    numbers = [json.loads(line)["id"] for line in done.stdout.splitlines()]
    assert done.returncode == (0 if numbers else 1), done.stderr
    return numbers


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("parser", {1, 2, 3, 4}),
        ("PARSERS", {1, 2, 3, 4}),
        ("parser lexer", {2}),
        ("pars*", {1, 2, 3, 4, 6}),
        ("日本", {5}),
        ("parser --from Bob", {2, 3}),
        ("parser --type blocker", {4}),
        ("parser --since 1", {2, 3, 4}),
        ("parser --until #2", {1, 2}),
        ("parser --since yesterday", {2, 3, 4}),
        ("parser --until yesterday", {1}),
        ("parser --room DEV", {1}),
        ("nowhere", set()),
        ("NEAR", set()),
    ],
)
def test_search_finds(story: Chatroom, words: str, expected: set[int]) -> None:
    """All words must be there, each option narrows the search, and nothing found is exit status 1, as for grep."""
    assert set(found(story, *words.split())) == expected


def test_quoted_words_stand_side_by_side(story: Chatroom) -> None:
    """Quotes that reach the program make a phrase."""
    assert found(story, '"lexer fails"') == [2]
    assert found(story, '"fails lexer"') == []


def test_the_best_comes_first(story: Chatroom) -> None:
    """A message that is all about the word stands before one that mentions it; ``-n`` takes the best."""
    order = found(story, "parser")
    assert order[0] == 4
    assert order[-1] == 2
    assert found(story, "parser", "-n", "1") == [4]


def test_all_rooms_are_searched_together(story: Chatroom) -> None:
    """With ``--all-rooms`` hits of all rooms are ranked in one list, each with its room."""
    lines = story.chat("search", "parser", "--all-rooms", "--json").stdout.splitlines()
    assert {(json.loads(line)["room"], json.loads(line)["id"]) for line in lines} >= {("dev", 1), ("lobby", 4)}
    assert "#1 in dev  alice" in story.chat("search", "parser", "--all-rooms").stdout
    assert len(story.chat("search", "parser", "--all-rooms", "--json", "-n2").stdout.splitlines()) == 2


def test_a_hit_is_a_heading_and_the_place(story: Chatroom) -> None:
    """Number, author, date and notes, then the part of a long text where the words stand."""
    done = story.chat("search", "lexer", "fails", "--date", "short", check=True)
    heading, snippet = done.stdout.splitlines()
    assert re.fullmatch(r"#2  bob  \d{4}-\d\d-\d\d", heading)
    assert snippet.startswith("    The lexer fails.")
    assert snippet.endswith("…")
    assert len(snippet) < 120


def test_words_are_marked_in_color_alone(story: Chatroom) -> None:
    """Found words are bold and red where colour is wanted; the marks themselves never reach the output."""
    assert "the \x1b[1;31mparser\x1b[0m?" in story.chat("search", "--color=always", "parser").stdout
    for options in ([], ["--json"], ["--color=always"]):
        assert not re.search("[\ue000\ue001]", story.chat("search", "red*", "pars*", *options).stdout)


def test_foreign_text_is_escaped(story: Chatroom) -> None:
    """A snippet can neither recolour nor reorder what a person reads."""
    assert "a^[[31mred parsley <U+202E>" in story.chat("search", "parsley", check=True).stdout


@pytest.mark.parametrize(
    "words",
    [
        '"', '"a', "par*ser", "(parser", "parser)", "a AND", "NOT parser", "NEAR(parser lexer)", "body:parser",
        "^parser", "-parser", "{a}", "a+b", "'; DROP TABLE text; --", "\udcff parser", "🎉 parser", "x" * 10_000,
        "parser " * 1500, '"' * 99 + "a",
    ],
)  # fmt: skip
def test_no_words_break_the_search(story: Chatroom, words: str) -> None:
    """Signs that mean something to SQLite mean nothing here, and no length is too much."""
    done = story.chat("search", "--", words.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape"))
    assert done.returncode in (0, 1)
    assert done.stderr == "" or "no word to look for" in done.stderr


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["🎉"], "there is no word to look for", "git chat log --all -F --grep"),
        ([""], "there is no word to look for", "git chat search"),
        (["a", "--room", "nowhere"], "there is no room 'nowhere' here", "rooms: dev, lobby"),
        (["a", "--from", "a\nb"], "name 'a\\nb'", "'a-b'"),
        (["a", "--since", "~zzzzzz"], "no record ~zzzzzz", "git chat log"),
        (["a", "--since", "next pancake"], "--since: 'next pancake' is neither", "--since yesterday"),
    ],
)
def test_bad_search_is_refused(story: Chatroom, words: list[str], error: str, hint: str) -> None:
    """What cannot be looked for is refused with what can."""
    refused(story.chat("search", *words), error, hint)


@pytest.mark.parametrize(
    "words",
    ["a -n 0", "a -n -1", "a --room dev --all-rooms", "a --all-rooms --since 2", "a --all-rooms --until #2", ""],
)
def test_wrong_usage_of_search(story: Chatroom, words: str) -> None:
    """Options that cannot be, or cannot be together, are wrong usage."""
    refused(story.chat("search", *words.split()), "", "git chat search -h", status=2)


def test_a_number_beyond_the_newest_finds_nothing(story: Chatroom) -> None:
    """A bound that no record reaches is no error."""
    assert found(story, "parser", "--since", "999999999999999999") == []


def test_nothing_found_shows_another_way(chatroom: Chatroom, terminal: Terminal) -> None:
    """A person is told how to look for the text as it stands; a script hears nothing."""
    chatroom.say()
    shown = terminal("git", "chat", "search", "it's", "gone")
    assert shown.returncode == 1
    assert """git chat log --all -F --grep 'it'"'"'s gone'""" in shown.stdout
    done = chatroom.chat("search", "gone")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_search_works_where_nothing_can_be_written(chatroom: Chatroom) -> None:
    """In a read-only repository the index is made in memory."""
    chatroom.say("the parser")
    with read_only(chatroom.path / ".git"):
        assert found(chatroom, "parser") == [1]


def test_search_sees_what_was_just_said(chatroom: Chatroom) -> None:
    """The index is brought up to date by whoever asks."""
    chatroom.say("the parser")
    assert found(chatroom, "parser") == [1]
    chatroom.say("another parser")
    assert set(found(chatroom, "parser")) == {1, 2}


def test_search_outside_a_repository(world: World) -> None:
    """There is nothing to search."""
    refused(world.chat("search", "a"), "is not inside a git repository", "git init")
