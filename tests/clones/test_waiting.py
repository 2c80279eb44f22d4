"""What has no number yet is told, and why: in ``status``, ``watch``, ``show`` and the tools, in the same words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from gitchat.clones.trouble import Trouble, TroubleFile
from gitchat.model.names import RoomName
from gitchat.quick.page import waits
from tests.cli.programs import running, until
from tests.clones.conftest import Clone, Hub
from tests.server.wire import Wire

WAITS = re.compile(r"1 waits for origin since \d\d:\d\d: not taken: .*closed for the night")


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone whose lobby has one number, and that pushes by itself."""
    clone = hub.clone("ann", sync="batch")
    clone.git("config", "chat.syncInterval", "0.1")
    clone.say("first")
    clone.sync()
    return clone


@pytest.fixture
def closed(hub: Hub, ann: Clone) -> Clone:
    """The same after the hub has refused what it said."""
    hub.hook("echo 'closed for the night' >&2; exit 1")
    ann.say("second")
    return ann


@pytest.fixture(params=["--json", None], ids=["json", "text"])
def server(closed: Clone, request: pytest.FixtureRequest) -> Iterator[tuple[Wire, bool]]:
    """A server in that clone, and whether it answers programs."""
    command = ["git-chat", "mcp", *([request.param] if request.param else [])]
    wire = Wire(command, closed.path, closed.world.variables | {"GITCHAT_NAME": "ann"})
    wire.shake_hands()
    yield wire, request.param is not None
    wire.kill()


def test_status_tells_what_waits_and_why(closed: Clone) -> None:
    """On one line, with the server's words; in JSON under a key of its own."""
    (line,) = [line for line in closed.chat("status").stdout.splitlines() if "origin" in line]
    assert re.match(r"1 waits for origin since \d\d:\d\d: not taken: ", line)
    assert len(line) <= 100
    waiting = json.loads(closed.chat("status", "--json").stdout)["waiting"]
    assert (waiting["remote"], waiting["count"], sorted(waiting)) == ("origin", 1, ["count", "remote", "since", "why"])
    shown = closed.chat("show", closed.records()[-1]["handle"]).stdout
    assert WAITS.search(shown.partition("Waiting:  ")[2])


def test_what_a_remote_says_cannot_leave_its_line(hub: Hub, ann: Clone) -> None:
    """Its words are a stranger's."""
    hub.hook("printf 'red \\033[31m\\n' >&2; exit 1")
    assert "\x1b" not in ann.chat("send", "second").stderr
    assert "\x1b" not in ann.chat("status").stdout


def test_a_room_that_has_all_its_numbers_tells_nothing(ann: Clone) -> None:
    """The key is not there where it carries nothing."""
    assert "waiting" not in json.loads(ann.chat("status", "--json").stdout)


def test_where_nothing_goes_by_itself_the_command_is_told(ann: Clone) -> None:
    """And it does what it says."""
    ann.git("config", "chat.sync", "manual")
    ann.say("second")
    assert "1 pending: git chat sync\n" in ann.chat("status").stdout
    ann.sync()
    assert "pending" not in ann.chat("status").stdout


@pytest.mark.parametrize("tool", ["get_status", "get_handoff", "check_in"])
def test_the_tools_tell_it_too(server: tuple[Wire, bool], tool: str) -> None:
    """As a line of the text, or as the same key."""
    wire, is_json = server
    arguments = {"name": "ann"} if tool == "check_in" else {}
    if is_json:
        assert wire.data(tool, **arguments)["waiting"]["count"] == 1
    else:
        assert [line for line in wire.text(tool, **arguments).splitlines() if WAITS.match(line)]


def test_what_is_sent_meanwhile_is_told_that_it_waits(server: tuple[Wire, bool]) -> None:
    """With how many it waits."""
    wire, is_json = server
    for tool, count in (("send_message", 2), ("check_in", 3)):
        if is_json:
            assert wire.data(tool, name="ann", content="more")["waiting"]["count"] == count
        else:
            text = wire.text(tool, name="ann", content="more")
            assert re.match(rf"sent \[~\w+\], {count} wait for origin since ", text)


def test_one_message_is_read_with_where_it_has_got_to(server: tuple[Wire, bool], closed: Clone) -> None:
    """By its number or its handle, whole, whatever stands after it."""
    wire, is_json = server
    handle = closed.records()[-1]["handle"]
    if is_json:
        (first,), (second,) = wire.data("read_messages", id=1), wire.data("read_messages", id=handle)
        assert (first["content"], first["remote"], first["pushed"]) == ("first", "origin", True)
        assert (second["content"], second["pushed"], second["waiting"]["count"]) == ("second", False, 1)
    else:
        first = wire.text("read_messages", id=1)
        assert "[1] ann" in first
        assert first.endswith("\npushed: origin has it")
        assert WAITS.match(wire.text("read_messages", id=handle).splitlines()[-1])


@pytest.mark.parametrize("form", ["--json", "--no-color"])
def test_a_watcher_is_told_which_number_a_message_gets(ann: Clone, form: str) -> None:
    """Also of one that was pending before it began to watch, which is no news."""
    ann.git("config", "chat.sync", "manual")
    ann.say("second")
    with running(ann, "watch", form, GITCHAT_NAME="ann") as watching:
        until(watching.is_asleep)
        ann.say("third")
        lines = [watching.line()] if form == "--json" else [watching.line() for _ in range(3)]
        assert "third" in lines[-1]
        handles = [record["handle"] for record in ann.records()[1:]]
        ann.sync()
        for number, handle in enumerate(handles, start=2):
            if form == "--json":
                told = json.loads(watching.line())
                assert (told["event"], told["handle"], told["id"], told["room"]) == (
                    "numbered", handle, number, "lobby",
                )  # fmt: skip
            else:
                assert watching.line() == f" *  {handle} is #{number} now"


def test_a_watcher_is_told_once_that_a_message_waits(hub: Hub, ann: Clone) -> None:
    """Whoever met it: here the keeper in the same process."""
    with running(ann, "watch", "--json", GITCHAT_NAME="ann") as watching:
        until(watching.is_asleep)
        hook = hub.hook("exit 1")
        ann.say("second", GITCHAT_SESSION="one")
        assert json.loads(watching.line())["content"] == "second"
        told = json.loads(watching.line())
        assert (told["event"], told["count"], told["remote"]) == ("waiting", 1, "origin")
        hook.unlink()
        assert json.loads(watching.line())["event"] == "numbered"


# --- what is noted, and said ---------------------------------------------------------


def test_pauses_double_up_to_five_minutes() -> None:
    """From ten seconds after the first failure; a clock that was set back ends one."""
    trouble = Trouble.after(None, "Connection refused", 1000)
    pauses = [trouble.pause_seconds]
    for _ in range(6):
        trouble = Trouble.after(trouble, "Connection refused", 1000)
        pauses.append(trouble.pause_seconds)
    assert pauses == [10, 20, 40, 80, 160, 300, 300]
    assert [trouble.is_pausing(now) for now in (999, 1000, 1299, 1300)] == [False, True, True, False]


@pytest.mark.parametrize(
    "why",
    [
        "could not read Username for 'https://example.com': terminal prompts disabled",
        "alice@example.com: Permission denied (publickey,password).",
        "Host key verification failed.",
        "The requested URL returned error: 403",
    ],
)
def test_after_two_questions_only_a_person_tries_again(why: str) -> None:
    """One may be a mistake of the moment; something else in between begins anew."""
    once = Trouble.after(None, why, 0)
    twice = Trouble.after(once, why, 0)
    assert [one.needs_a_person for one in (once, twice, Trouble.after(twice, "timed out", 0))] == [False, True, False]
    assert twice.is_pausing(10**9)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"since": "x"}', "\0" * 100, '{"since": 1e999}'])
def test_a_damaged_note_is_no_note(ann: Clone, content: str) -> None:
    """It is disposable."""
    directory = ann.path / ".git" / "chatroom"
    (directory / "trouble-origin").write_text(content)
    assert TroubleFile(directory, "origin").load() is None
    assert ann.chat("send", "second").stdout == "#2\n"


def test_trouble_with_one_room_holds_up_no_other() -> None:
    """A remote that refuses a room takes others."""
    trouble = Trouble.after(None, "declined", 0, [RoomName("plans")])
    assert [trouble.is_about(RoomName(room)) for room in ("plans", "lobby")] == [True, False]
    assert Trouble.after(None, "timed out", 0).is_about(RoomName("lobby"))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"count": None, "remote": "origin"}, "on its way to origin"),
        ({"count": 1, "remote": "origin"}, "1 on its way to origin"),
        ({"count": 3, "remote": "origin"}, "3 on their way to origin"),
        ({"count": 3, "remote": None}, "3 pending: git chat sync"),
        (
            {"count": 3, "remote": "origin", "since": "14:02", "why": "Connection refused"},
            "3 wait for origin since 14:02: Connection refused",
        ),
        (
            {"count": 1, "remote": "hub", "since": "14:02", "why": "no key", "hint": "git chat sync hub"},
            "1 waits for hub since 14:02: no key; git chat sync hub",
        ),
    ],
)
def test_the_words(given: dict[str, str], wanted: str) -> None:
    """One place has them for all."""
    assert waits(**given) == wanted  # type: ignore[arg-type]
