"""``git chat inbox``: what is unread for whom, and that looking marks nothing."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Chatroom, Terminal, as_ordinary_user, read_only, refused
from tests.world import World


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Chatroom:
    """Two rooms that no test here writes to; alice, who asks, has the role review in the lobby."""
    room = Chatroom(World(tmp_path_factory.mktemp("story")))
    room.say("to all", author="bob")  # 1
    room.say("mine")
    room.say("to alice", author="bob", to=("alice",), type="question")  # 3
    room.say("to codex", author="bob", to=("codex",))
    room.say("to reviewers", author="codex", to=("role:review",), type="blocker")  # 5
    room.say("commit 1234abc", author="bob", kind="status")
    room.say("commit 5678def", author="bob", kind="status")
    room.say("for alice", author="bob", kind="status", to=("alice",))  # 8
    room.say("takes src/", author="bob", kind="claim")
    room.say("gives src/ back", author="bob", kind="release")
    room.say("elsewhere", author="bob", room="dev")
    room.say("mine", room="quiet")
    room.chat("join", "--role", "review", check=True)
    return room


def numbers(room: Chatroom, *options: str) -> list[int]:
    """The numbers that the inbox shows, in its order."""
    return [json.loads(line)["id"] for line in room.chat("inbox", "--json", *options, check=True).stdout.splitlines()]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", [1, 3, 5, 8]),
        ("--as alice -n 2", [1, 3]),
        ("-n 0", []),
        ("--from Bob", [1, 3, 8]),
        ("--from nobody", []),
        ("--type Question", [3]),
        ("--from codex --type blocker", [5]),
        ("--as codex", [1, 2, 4]),
        ("--as bob", [2]),
        ("--as stranger", [1, 2]),
        ("--room DEV", [1]),
        ("--room quiet", []),
    ],
)
def test_inbox_shows_what_reaches_me_and_is_unread(story: Chatroom, options: str, expected: list[int]) -> None:
    """To everybody, to my name, to a role that I have; never my own, and a status or claim only when it names me."""
    assert numbers(story, *options.split()) == expected


def test_inbox_marks_nothing(story: Chatroom) -> None:
    """Looking twice shows the same, and no cursor is made."""
    assert numbers(story) == numbers(story)
    assert story.git("for-each-ref", "refs/chatroom/rooms/*/cursors").stdout == ""


def test_inbox_ends_with_what_is_left(story: Chatroom) -> None:
    """How many more, with the command that shows them all, and how many commits, with the one that lists them."""
    assert story.chat("inbox", "-n", "1", check=True).stdout.splitlines()[-3:] == [
        "",
        "3 more: git chat inbox -n 4",
        "2 commits since: git chat log --since 0",
    ]


def test_command_for_more_repeats_the_options(story: Chatroom) -> None:
    """What narrowed the inbox narrows its continuation, which shows what it announces."""
    shown = story.chat("inbox", "--from", "bob", "--as", "alice", "--room", "lobby", "-n", "1").stdout
    [more] = [line for line in shown.splitlines() if "more: " in line]
    assert more == "2 more: git chat inbox --room lobby --from bob --as alice -n 3"
    assert numbers(story, *more.split()[5:]) == [1, 3, 8]


def test_notes_do_not_disturb_programs(story: Chatroom) -> None:
    """With ``--json`` standard output holds records alone; what is left is told on standard error."""
    done = story.chat("inbox", "--json", "-n", "1", check=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr.startswith("3 more: git chat inbox -n 4\n")


def test_all_rooms_shows_each_room_with_something_unread(story: Chatroom) -> None:
    """A heading for every room that has something for me; quiet rooms are passed over."""
    lines = story.chat("inbox", "--all-rooms", check=True).stdout.splitlines()
    assert [line for line in lines if line.startswith("==")] == ["== dev: 1 unread ==", "== lobby: 4 unread =="]
    assert "    elsewhere" in lines
    assert "2 commits since: git chat log --room lobby --since 0" in lines
    found = story.chat("inbox", "--all-rooms", "--json").stdout.splitlines()
    assert [json.loads(line)["room"] for line in found] == ["dev", "lobby", "lobby", "lobby", "lobby"]


def test_role_counts_in_its_own_room_alone(story: Chatroom) -> None:
    """Who reviews in one room does not get what another room's reviewers get."""
    story.say("to reviewers", author="codex", to=("role:review",), room="other")
    assert numbers(story, "--room", "other") == []


def test_nothing_unread_is_silent_in_a_script(chatroom: Chatroom, terminal: Terminal) -> None:
    """A person is told that there is nothing, and where everything is; a script sees nothing."""
    done = chatroom.chat("inbox", check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert terminal("git", "chat", "inbox", columns=100).stdout == (
        "nothing is unread for alice in room 'lobby'; all messages: git chat log\n"
    )
    assert "for alice in any room" in terminal("git", "chat", "inbox", "--all-rooms").stdout


def test_inbox_is_paged_at_a_terminal(chatroom: Chatroom, terminal: Terminal) -> None:
    """A long inbox goes through git's pager, notes included."""
    chatroom.say("one", author="bob")
    chatroom.say("two", author="bob")
    shown = terminal("git", "chat", "inbox", "-n1", GIT_PAGER="sed s/^/P:/").stdout.splitlines()
    assert shown[-1] == "P:1 more: git chat inbox -n 2"
    assert all(line.startswith("P:") for line in shown)


def test_read_only_repository_has_an_inbox(chatroom: Chatroom) -> None:
    """Looking writes nothing that it could not do without."""
    chatroom.say("hi", author="bob")
    user = as_ordinary_user()
    with read_only(chatroom.path):
        done = chatroom.chat("inbox", check=True, under=user)
    assert "    hi\n" in done.stdout


@pytest.mark.parametrize(
    ("options", "error", "hint", "status"),
    [
        (["--room", "nowhere"], "there is no room 'nowhere' here", "rooms: dev, ", 1),
        (["--room", "a\nb"], r"room 'a\nb' is not a valid name", "'a-b'", 1),
        (["--as", "al\nice"], r"name 'al\nice'", "'al-ice'", 1),
        (["--as", "all"], "name 'all' is reserved", "'all-1'", 1),
        (["--from", "Bob Smith"], "name 'Bob Smith'", "'bob-smith'", 1),
        (["--type", "x!y"], "type 'x!y'", "'x-y'", 1),
        (["-n", "-1"], "-1 is not in the range", "git chat inbox -h", 2),
        (["--all-rooms", "--room", "dev"], "exclude each other", "git chat inbox -h", 2),
        (["--date", "martian"], "unknown date style", "relative", 1),
    ],
)
def test_bad_option_is_refused(story: Chatroom, options: list[str], error: str, hint: str, status: int) -> None:
    """What cannot be understood is refused, and the hint says what can."""
    refused(story.chat("inbox", *options), error, hint, status)


@pytest.mark.parametrize("words", ["inbox", "read", "cursor", "cursor set 1", "join", "leave", "who"])
def test_outside_of_a_repository(world: World, words: str) -> None:
    """Every command says that there is no repository, and how to make one."""
    refused(world.chat(*words.split()), "is not inside a git repository", "git init")


def test_foreign_text_is_escaped(chatroom: Chatroom) -> None:
    """What others wrote reaches a reader as text, and never as commands of the terminal."""
    chatroom.say("a\x1b[31mred", author="bob")
    assert "a^[[31mred" in chatroom.chat("inbox").stdout
    assert "\x1b" not in chatroom.chat("inbox", "--json").stdout
