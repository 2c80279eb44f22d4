"""``git chat watch``: in a pipe, and on a terminal with a line to write in."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator

import pytest

from gitchat.cli import line
from gitchat.model.errors import UserError
from gitchat.model.names import Handle, RoomName
from tests.cli.conftest import Chatroom, Terminal, refused
from tests.cli.programs import DEADLINE_SECONDS, SCREEN_LINES, Person, is_living, running, until

HOSTILE = "\x1b[2J\x1b]0;owned\x07\x1b[6n\x9b31m\u202eevil\u2066 \U000e0041 你好 👩‍👩‍👧 " + "z" * 65_000


# --- in a pipe -----------------------------------------------------------------


def test_records_come_line_by_line_as_they_are_written(chatroom: Chatroom) -> None:
    """Also into a pipe, whoever they are for, one's own too; what was there before is not told."""
    chatroom.say("before")
    with running(chatroom, "watch", "--json") as watcher:
        until(watcher.is_asleep)
        for number, author in enumerate(("bob", "alice", "carol")):
            chatroom.say(f"news {number}", author=author, to=("dora",))
            assert json.loads(watcher.line())["content"] == f"news {number}"


def test_it_can_begin_with_the_newest_or_with_what_is_unread(chatroom: Chatroom) -> None:
    """With --once it ends after the first news; unread records are such."""
    for number in range(4):
        chatroom.say(f"line {number}", author="bob")
    chatroom.chat("cursor", "set", "2", check=True)
    done = chatroom.chat("watch", "--unread", "--once", "--json")
    assert [json.loads(one)["content"] for one in done.stdout.splitlines()] == ["line 2", "line 3"]
    with running(chatroom, "watch", "-n", "1", "--once", "--json") as watcher:
        assert json.loads(watcher.line())["content"] == "line 3"
        until(watcher.is_asleep)
        chatroom.say("line 4", author="bob")
        status, output, _ = watcher.end()
    assert (status, json.loads(output)["content"]) == (0, "line 4")
    assert "line 2" in chatroom.chat("read").stdout  # nothing was marked


def test_what_narrows_a_log_narrows_a_watch(chatroom: Chatroom) -> None:
    """What is there, and what comes; what was left out is not told when it gets a number, and stays unread."""
    for author in ("bob", "carol"):
        chatroom.say(f"old of {author}", author=author, type="question")
    with running(chatroom, "watch", "-2", "--json", "--from", "bob", "--type", "question", "--no-status") as watcher:
        assert json.loads(watcher.line())["content"] == "old of bob"
        until(watcher.is_asleep)
        for author, kind in (("carol", "question"), ("bob", None), ("bob", "question")):
            chatroom.say(f"{kind} of {author}", author=author, type=kind)
        assert json.loads(watcher.line())["content"] == "question of bob"
    assert "old of carol" in chatroom.chat("read").stdout
    refused(chatroom.chat("watch", "--grep", "("), "is not a regular expression", "-F")
    refused(chatroom.chat("watch", "--counts", "--from", "bob"), "--counts shows no message", "git chat watch -h", 2)


def test_counts_tell_how_much_is_unread_and_no_word_of_it(chatroom: Chatroom) -> None:
    """Of each room in which one is told of news, each message once; neither one's own nor an acknowledgement."""
    chatroom.say("secret", author="bob")
    with running(chatroom, "watch", "--counts") as watcher:
        first = watcher.line()
        assert json.loads(first) == {"room": "lobby", "name": "alice", "unread": 1, "urgent": 0, "from": ["bob"]}
        until(watcher.is_asleep)
        chatroom.say("mine", author="alice")
        chatroom.say("thanks", author="bob", type="ack")
        chatroom.say("for you", author="carol", room="plans", to=("alice",), urgent=True)
        second = json.loads(watcher.line())
        assert second == {"room": "plans", "name": "alice", "unread": 1, "urgent": 1, "from": ["carol"]}
    assert "secret" in chatroom.chat("read").stdout  # nothing was marked
    assert chatroom.chat("wait", "--rewake", "--timeout", "0").stderr == ""  # it was told


def test_counts_are_of_the_room_that_was_named(chatroom: Chatroom) -> None:
    """And with --once the first of them is the last; whoever follows messages is told to leave it out."""
    chatroom.say("there", author="bob", room="plans")
    chatroom.say("here", author="bob")
    done = chatroom.chat("watch", "--counts", "--once", "--room", "plans", check=True)
    assert [json.loads(one)["room"] for one in done.stdout.splitlines()] == ["plans"]
    refused(chatroom.chat("watch", "--counts", "--unread"), "--counts shows no message", "git chat watch -h", 2)


def test_who_joins_and_who_is_gone_is_told(chatroom: Chatroom) -> None:
    """A killed holder too, which could write nothing; who leaves says so itself, once."""
    chatroom.say("begin")
    with running(chatroom, "watch", "--json") as watcher:
        until(watcher.is_asleep)
        chatroom.chat("join", "codex", check=True)
        assert json.loads(watcher.line())["event"] == "joined"
        with running(chatroom, "join", "dora", "--", "cat"):  # which ends when nobody can write to it any more
            told = json.loads(watcher.line())
            assert (told["event"], told["name"]) == ("joined", "dora")
        assert json.loads(watcher.line())["event"] == "gone"
        chatroom.chat("leave", "codex", check=True)
        assert json.loads(watcher.line())["content"] == "codex left the chatroom"
        chatroom.say("after")
        assert json.loads(watcher.line())["content"] == "after"


def test_it_follows_one_room(chatroom: Chatroom) -> None:
    """The one that is named; what others say elsewhere is not told."""
    chatroom.say("begin", room="plans")
    with running(chatroom, "watch", "--room", "plans", "--json") as watcher:
        until(watcher.is_asleep)
        chatroom.say("elsewhere")
        chatroom.say("here", room="plans")
        assert json.loads(watcher.line())["content"] == "here"
    refused(chatroom.chat("watch", "--room", "plan"), "no room 'plan'", "lobby, plans")


def test_a_reader_that_goes_away_ends_it_though_nothing_comes(chatroom: Chatroom) -> None:
    """``git chat watch | head -1`` ends with its line, and not with the next message."""
    chatroom.say("hello")
    with running(chatroom, "watch", "-n", "1", "--json") as watcher:
        watcher.line()
        assert watcher.process.stdout is not None
        watcher.process.stdout.close()
        assert watcher.process.wait(DEADLINE_SECONDS) == 141


def test_a_hostile_message_is_harmless_in_a_pipe(chatroom: Chatroom) -> None:
    """Escape sequences, invisible text and a line of 64 KiB come as text, whole."""
    chatroom.say("begin")
    with running(chatroom, "watch") as watcher:
        until(watcher.is_asleep)
        chatroom.say(HOSTILE, author="mallory")
        watcher.line()
        assert watcher.line().startswith("#2  mallory")
        text = watcher.line()
    assert "^[[2J^[]0;owned^G" in text
    assert text.endswith("z" * 65_000)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)


# --- on a terminal ---------------------------------------------------------------


@pytest.fixture
def person(chatroom: Chatroom) -> Iterator[Callable[..., Person]]:
    """Puts somebody at a terminal, who watches; the prompt is there."""
    people: list[Person] = []

    def sit_down(*options: str, columns: int = 80) -> Person:
        one = Person(chatroom, "watch", *options, columns=columns)
        people.append(one)
        one.until_sees(" alice>")
        return one

    yield sit_down
    for one in people:
        one.close()


def test_a_line_that_is_written_is_sent(chatroom: Chatroom, person: Callable[..., Person]) -> None:
    """To whom /to says, as an answer with /reply; a person wrote it."""
    chatroom.say("who?", author="bob")
    alice = person()
    alice.until_sees("who?")
    alice.types("hello\r")
    alice.until_sees("#2")
    alice.types("/to bob\r")
    alice.until_sees("alice -> bob>")
    alice.types("/reply 1 me\r")
    alice.until_sees("re #1")
    first, second = chatroom.entries()[1:]
    assert (first.record.body, first.record.to, first.record.origin) == ("hello", (), "human")
    assert (second.record.body, second.record.to, second.record.author) == ("me", ("bob",), "alice")


def test_a_record_that_comes_does_not_tear_the_line_that_is_written(
    chatroom: Chatroom, person: Callable[..., Person]
) -> None:
    """It is printed above, and the line is there again; what is sent is what was written."""
    chatroom.say("begin", author="bob")
    alice = person()
    alice.types("half a ")
    alice.until_sees("half a")
    for number in range(5):
        chatroom.say(f"news {number}", author="bob")
        alice.until_sees(f"news {number}")
    alice.until_sees("half a")
    alice.types("line\r")
    alice.until_sees("#7")
    assert chatroom.newest().body == "half a line"


def test_a_watch_that_leaves_something_out_marks_nothing(chatroom: Chatroom, person: Callable[..., Person]) -> None:
    """/read would mark what nobody saw."""
    chatroom.say("for all", author="bob")
    chatroom.say("hidden", author="carol")
    alice = person("--from", "bob")
    assert "hidden" not in alice.until_sees("for all")
    alice.types("/read\r")
    alice.until_sees("not everything is shown here, so nothing is marked")
    assert "hidden" in chatroom.chat("inbox").stdout


@pytest.mark.parametrize("columns", [80, 20])
def test_a_hostile_message_is_harmless_on_a_terminal(
    chatroom: Chatroom, person: Callable[..., Person], columns: int
) -> None:
    """Nothing of it reaches the terminal as a control, and a person is shown a part with the command for the rest."""
    chatroom.say("begin", author="bob")
    alice = person("--color=never", columns=columns)
    alice.until_sees("begin")
    chatroom.say(HOSTILE, author="mallory")
    shown = alice.until_sees("chat show 2)")
    for control in ("\x1b[2J", "\x1b]0;", "\x9b31m", "\u202e"):
        assert control not in shown[shown.index("mallory") :]
    assert shown.count("z") < 5000


@pytest.mark.parametrize("text", ["a\n" * 2000, "word " * 800, "你好" * 1900])
def test_a_long_message_leaves_its_heading_on_the_screen(
    chatroom: Chatroom, person: Callable[..., Person], text: str
) -> None:
    """Of a message that is higher than the screen so much is shown, and the command for the rest."""
    chatroom.say("begin", author="bob", room="plans")
    chatroom.say(text, author="bob", room="plans")
    alice = person("--room", "plans", "--color=never")
    alice.until_sees("#2  bob")
    shown = alice.until_sees("characters: git chat show --room plans 2)")
    assert 18 < shown.count("\n") <= SCREEN_LINES - 3


def test_another_room_can_be_watched_and_written_to(chatroom: Chatroom, person: Callable[..., Person]) -> None:
    """What comes in the first one is not shown any more."""
    chatroom.say("begin", author="bob")
    chatroom.say("a plan", author="bob", room="plans")
    alice = person()
    alice.types("/room plan\r")
    alice.until_sees("no room 'plan'")
    alice.until_sees("/room plan")  # the line is back, and can be changed
    alice.types("\x15/room plans\r")
    alice.until_sees("plans alice>")
    alice.until_sees("a plan")
    chatroom.say("unseen", author="bob")
    alice.types("agreed\r")
    shown = alice.until_sees("#2")
    assert "unseen" not in shown
    assert chatroom.newest("plans").body == "agreed"


def test_what_was_shown_is_marked_on_demand_by_who_lives_there(
    chatroom: Chatroom, person: Callable[..., Person]
) -> None:
    """The name is held while there is a line to write in; /read marks, and nothing else does."""
    chatroom.say("begin", author="bob")
    alice = person()
    alice.until_sees("begin")
    assert is_living(chatroom, "alice")
    assert chatroom.chat("cursor", "--json").stdout.count("alice") == 0
    alice.types("/read\r")
    alice.until_sees("read up to #1")
    assert chatroom.chat("inbox").stdout == ""
    alice.types("\x04")
    assert alice.ends() == 0
    assert not is_living(chatroom, "alice")


def test_what_was_not_shown_is_not_marked(chatroom: Chatroom, person: Callable[..., Person]) -> None:
    """Older messages that are unread stay so: nobody saw them here."""
    for number in range(3):
        chatroom.say(f"line {number}", author="bob")
    alice = person("-n", "1")
    alice.until_sees("line 2")
    alice.types("/read\r")
    alice.until_sees("older messages are unread, from #1 on")
    alice.until_sees("hint: read them: git chat read; or begin with them: git chat watch --unread")
    assert "line 0" in chatroom.chat("inbox").stdout
    assert "line 0" in chatroom.chat("read", "--force", check=True).stdout
    assert chatroom.chat("inbox").stdout == ""


def test_what_cannot_be_sent_stays_in_the_line(chatroom: Chatroom, person: Callable[..., Person]) -> None:
    """A command that there is not is never sent as text."""
    chatroom.say("begin", author="bob")
    alice = person()
    alice.types("/too bob\r")
    shown = alice.until_sees("hint: /help")
    assert "there is no command /too; nothing was sent" in shown
    alice.until_sees("/too bob")
    assert len(chatroom.entries()) == 1


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (lambda one: one.types("\x04"), 0),
        (lambda one: one.types("/quit\r"), 0),
        (lambda one: one.types("\x03"), 130),
        (lambda one: one.process.send_signal(signal.SIGTERM), 143),
        (lambda one: one.process.send_signal(signal.SIGHUP), 129),
    ],
    ids=["Ctrl-D", "quit", "Ctrl-C", "SIGTERM", "SIGHUP"],
)
def test_the_terminal_is_as_it_was_however_it_ends(
    chatroom: Chatroom, person: Callable[..., Person], end: Callable[[Person], None], status: int
) -> None:
    """Echo, line mode and all."""
    chatroom.say("begin", author="bob")
    alice = person()
    alice.until_sees("begin")
    until(lambda: alice.modes() != alice.before)
    end(alice)
    assert alice.ends() == status
    assert alice.modes() == alice.before


def test_an_interrupt_drops_the_line_and_not_the_program(chatroom: Chatroom, person: Callable[..., Person]) -> None:
    """As in a shell; on an empty line it ends."""
    chatroom.say("begin", author="bob")
    alice = person()
    alice.types("not this")
    alice.until_sees("not this")
    alice.types("\x03")
    alice.until_sees("alice>")
    alice.types("but this\r")
    alice.until_sees("#2")
    assert chatroom.newest().body == "but this"


def test_a_terminal_that_cannot_move_its_cursor_is_only_followed_on(chatroom: Chatroom, terminal: Terminal) -> None:
    """No line to write in: the newest ten, and then what comes."""
    for number in range(12):
        chatroom.say(f"line {number}", author="bob")
    chatroom.chat("cursor", "set", "11", check=True)
    done = terminal("git", "chat", "watch", "--unread", "--once", "--color=never")
    assert "line 11" in done.stdout
    assert "line 10" not in done.stdout
    assert "alice>" not in done.stdout


# --- the line --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("", None),
        ("   ", None),
        ("hello /to you", line.Say("hello /to you")),
        ("//etc/passwd", line.Say("/etc/passwd")),
        ("/to bob, role:review", line.Address(("bob", "role:review"))),
        ("/to all", line.Address(())),
        ("/reply #12 all of it ", line.Say("all of it", 12)),  # type: ignore[arg-type]
        ("/reply ~k3f9q2 yes", line.Say("yes", Handle("~k3f9q2"))),
        ("/room Plans", line.Move(RoomName("plans"))),
        ("/read", line.MarkRead()),
        ("/help", line.ShowHelp()),
        ("/quit", line.Quit()),
    ],
)
def test_a_line_means_one_thing(text: str, order: line.Order | None) -> None:
    """Text, or one of the commands that /help lists."""
    assert line.parse(text) == order


@pytest.mark.parametrize(
    "text", ["/", "/tobob", "/to", "/reply 3", "/reply x y", "/room", "/room a b", "/read 3", "/etc/x"]
)
def test_what_looks_like_a_command_is_never_sent(text: str) -> None:
    """A slip of the finger must not go to everybody."""
    with pytest.raises(UserError):
        line.parse(text)
