"""``git chat who``: who is here, who was, and what each has not read."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import wcwidth

from gitchat.model.names import Name, RoomName
from gitchat.model.record import Moment
from gitchat.staying.ringfile import RingFile
from gitchat.staying.rings import Ring, Rung
from tests.cli.conftest import Chatroom, Terminal, refused
from tests.cli.test_log import NASTY, OBEYED, ago

HOUR = 3600


def names(room: Chatroom, *options: str) -> list[str]:
    """Who is shown, in order."""
    return [json.loads(line)["name"] for line in room.chat("who", "--json", *options, check=True).stdout.splitlines()]


@pytest.fixture
def crowd(chatroom: Chatroom) -> Chatroom:
    """Zoe registered, ann who left, bob who only wrote, three hours ago."""
    chatroom.say("hello", author="bob", at=ago(3 * HOUR))
    chatroom.chat("join", "zoe", "--role", "review", check=True)
    chatroom.chat("join", "ann", check=True)
    chatroom.chat("leave", "ann", check=True)
    return chatroom


def test_present_ones_come_first(crowd: Chatroom) -> None:
    """The living, the registered, and then the others, who was seen last first."""
    here = crowd.world.environment(crowd.path)
    with here.roll.hold(Name("yan"), here.caller.holder(), here.now().seconds) as held:
        held.join(RoomName("lobby"), role="", now=here.now().seconds)
        assert names(crowd) == ["yan", "zoe", "ann", "bob"]
        rows = crowd.chat("who", check=True).stdout.splitlines()
    cells = [re.split(" {2,}", row) for row in rows]
    place = f"in {crowd.path} (main)"
    assert cells[0] == ["yan", "living", "2 unread", place]
    assert cells[1] == ["zoe", "registered", "review", "2 unread", place]
    assert cells[2][0] == "ann"
    assert cells[3] == ["bob", "last seen 3 hours ago", "1 unread"]


def test_killed_holder_is_away(crowd: Chatroom) -> None:
    """Whose process ended is not here, whatever its file says."""
    crowd.chat("join", "codex", "--", "true", check=True)
    assert names(crowd)[0] == "zoe"
    assert "codex  last seen " in crowd.chat("who").stdout


def test_rings_are_told_and_whether_they_were_heard(crowd: Chatroom) -> None:
    """Of the last hour, of all sessions of a name; nothing of who was not rung."""
    directory, now = crowd.path / ".git" / "chatroom", crowd.world.environment(crowd.path).now().seconds
    rings = (Ring(now - 2 * HOUR, ("bob",), heard_at=now), Ring(now - 300, ("bob",), heard_at=now - 290, is_over=True))
    for key, rung in [("one", Rung((*rings, Ring(now, ("bob",))))), ("two", Rung((Ring(now - 200, ("ann",)),)))]:
        assert RingFile(directory).change(key, now, lambda one, rung=rung: replace(one, name=Name("zoe"), rung=rung))
    rows = {row.split()[0]: re.split(" {2,}", row) for row in crowd.chat("who", check=True).stdout.splitlines()}
    assert "rung 3 times, 1 heard, 1 not yet" in rows["zoe"]
    assert not any(cell.startswith("rung") for cell in rows["bob"] + rows["ann"])
    told = [json.loads(line) for line in crowd.chat("who", "--json", check=True).stdout.splitlines()]
    assert {one["name"]: one.get("rings") for one in told} == {
        "zoe": {"count": 3, "heard": 1, "open": 1}, "ann": None, "bob": None,
    }  # fmt: skip


def test_unread_is_each_ones_own(crowd: Chatroom) -> None:
    """What reaches the name and was not read under it, without its own messages."""
    crowd.say("to zoe", author="bob", to=("zoe",))
    crowd.say("to review", author="bob", to=("role:review",))
    crowd.chat("read", "-n1", "--as", "zoe", check=True)
    lines = crowd.chat("who", "--json", check=True).stdout.splitlines()
    unread = {one["name"]: one["unread_count"] for one in map(json.loads, lines)}
    assert unread == {"zoe": 3, "ann": 2, "bob": 1}


def test_json_tells_what_is_known(crowd: Chatroom) -> None:
    """The keys of the seed contract, and of who only wrote what the log tells."""
    found = {one["name"]: one for one in map(json.loads, crowd.chat("who", "--json", check=True).stdout.splitlines())}
    assert set(found["zoe"]) == {
        *("name", "role", "joined_at", "last_seen", "state", "worktree", "branch", "host", "unread_count"),
    }
    assert set(found["bob"]) == {"name", "last_seen", "state", "unread_count", "last_id"}
    assert (found["zoe"]["state"], found["ann"]["state"], found["bob"]["state"]) == ("registered", "away", "away")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["zoe"]["joined_at"])


def test_who_is_away_is_cut_to_a_few(chatroom: Chatroom) -> None:
    """Of many who only wrote the last ten are shown, and the command that shows the others."""
    for number in range(12):
        chatroom.say(author=f"writer-{number}", at=Moment(1_790_000_000 + number))
    chatroom.chat("join", check=True)
    assert names(chatroom) == ["alice", *(f"writer-{number}" for number in range(11, 1, -1))]
    assert chatroom.chat("who").stdout.splitlines()[-1] == "2 more: git chat who --all"
    assert len(names(chatroom, "--all")) == 13
    assert "more" not in chatroom.chat("who", "--all").stdout


def test_system_is_nobody(crowd: Chatroom) -> None:
    """Who writes that somebody left is no participant."""
    assert "system" not in names(crowd, "--all")


def test_nobody_is_here(chatroom: Chatroom, terminal: Terminal) -> None:
    """A script sees nothing; a person is told how to be the first."""
    done = chatroom.chat("who", check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert terminal("git", "chat", "who").stdout == "nobody is in room 'lobby': git chat join\n"


def test_role_cannot_command_a_terminal(chatroom: Chatroom) -> None:
    """What somebody wrote into a live file, past our checks, is shown harmlessly; so is a branch's name."""
    chatroom.git("checkout", "-q", "-b", "to\u202epic")
    chatroom.chat("join", "codex", "--role", "plain", "--can", "go", check=True)
    forge(chatroom.path / ".git" / "chatroom" / "live" / "codex", role=NASTY, capabilities=[NASTY])
    for options in ([], ["--json"], ["--all"]):
        done = chatroom.chat("who", *options, check=True)
        assert "codex" in done.stdout
        assert OBEYED.search(done.stdout) is None
    shown = chatroom.chat("who").stdout
    assert "a?[31mred?]0;title" in shown
    assert "(to?pic)" in shown


def forge(path: Path, **changes: object) -> None:
    """Change the membership of the lobby in a live file, with a right check."""
    content = json.loads(path.read_bytes().splitlines()[0])
    content["rooms"]["lobby"].update(changes)
    line = json.dumps(content).encode() + b"\n"
    path.write_bytes(line + b"%08x\n" % zlib.crc32(line))


@pytest.mark.parametrize("columns", [40, 60])
def test_who_fits_a_narrow_terminal(crowd: Chatroom, terminal: Terminal, columns: int) -> None:
    """No line is wider than the screen, and nothing is lost."""
    crowd.chat("join", "a" * 64, "--role", "漢字" * 16, "--can", "word " * 12, check=True)
    shown = terminal("git", "chat", "who", columns=columns, TERM="xterm").stdout
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert {line: wcwidth.width(line) for line in lines if wcwidth.width(line) > columns} == {}
    assert shown.count("漢") == 16


@pytest.mark.parametrize(
    ("options", "error", "hint", "status"),
    [
        (["--room", "nowhere"], "there is no room 'nowhere'", "rooms: lobby", 1),
        (["--room", "a\nb"], r"room 'a\nb'", "'a-b'", 1),
        (["codex"], "takes no 'codex'", "git chat who", 2),
    ],
)
def test_bad_option_is_refused(crowd: Chatroom, options: list[str], error: str, hint: str, status: int) -> None:
    """What cannot be understood is refused, and the hint says what can."""
    refused(crowd.chat("who", *options), error, hint, status)
