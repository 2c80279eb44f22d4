"""What agent-chat kept, taken into a room: docs/format.md section 22."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.names import Name, RoomName, uid_from_key
from gitchat.model.refs import cursor_ref, log_ref
from gitchat.rooms import adopting
from gitchat.verbs import importing
from gitchat.verbs.agentchat import Problem
from gitchat.verbs.importing import Imported, import_chatroom
from gitchat.verbs.room import Room
from tests.cli.conftest import Chatroom, Terminal, refused
from tests.world import World

TOKEN = "gh" + "p_" + "a1B2c3" * 6


def line(number: int, content: Any = "hello", **more: Any) -> dict[str, Any]:
    """A message as agent-chat keeps it."""
    told = {"id": number, "ts": f"2026-04-11T13:00:{number % 60:02}Z", "from": "codex", "to": "all"}
    return {**told, "content": content, **more}


class Old:
    """A ``.chatroom`` of agent-chat."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = root / ".chatroom"
        self.place.mkdir(parents=True)

    def write(self, name: str, *lines: dict[str, Any] | str | bytes) -> None:
        """A file of lines."""
        raw = [
            one if isinstance(one, bytes) else (one if isinstance(one, str) else json.dumps(one)).encode()
            for one in lines
        ]
        (self.place / name).write_bytes(b"".join(one + b"\n" for one in raw))

    def take_in(self, path: Path, world: World, room: str = "lobby", **options: Any) -> tuple[Imported, list[Problem]]:
        """Import it into a repository: what came of it, and what was told."""
        problems: list[Problem] = []
        found = import_chatroom(
            Room(world.environment(path), room, "alice"), self.root, on_problem=problems.append, **options
        )
        return found, problems


@pytest.fixture
def old(tmp_path: Path) -> Old:
    """A directory with an empty one."""
    return Old(tmp_path / "old")


def test_what_was_said_stays_what_it_was(old: Old, chatroom: Chatroom, world: World) -> None:
    """Sender, recipient, text, JSON, date with its zone, the number of then; and who brought it is the committer."""
    old.write(
        "messages.jsonl",
        line(1, "one\r\ntwo  "), line(2, {"task": [1, "é"]}, to="Claude Code"),
        line(3, "x", ts="2026-04-11T15:00:03.5+02:00", to="bob, role"),
        line(4, "codex left the chatroom", **{"from": "system"}),
    )  # fmt: skip
    found, problems = old.take_in(chatroom.path, world)
    assert (found.messages, problems) == (4, [])
    first, second, third, system, told = (entry.record for entry in chatroom.entries())
    assert (first.author, first.body, first.to, first.written.utc) == (
        "codex",
        "one\r\ntwo  ",
        (),
        "2026-04-11T13:00:01Z",
    )
    assert (second.media, json.loads(second.body), second.to) == ("json", {"task": [1, "é"]}, ("claude-code",))
    assert (third.written.utc, third.written.offset_minutes, third.to) == (
        "2026-04-11T13:00:03Z",
        120,
        ("bob", "role-1"),
    )
    assert (system.author, system.type, system.address) == ("system", "presence", "system@agent-chat.invalid")
    assert [record.extra for record in (first, system)] == [(("Chat-Imported", f"agent-chat {n}"),) for n in (1, 4)]
    assert (first.address, first.clone, first.origin) == (None, None, None)
    assert told.body == "imported 4 messages and 0 summaries of agent-chat"
    committer = chatroom.git("log", "-1", "--format=%cn %ct", log_ref(RoomName("lobby"))).stdout.split()
    assert committer[0] == "Alice"
    assert chatroom.chat("verify").returncode == 0


def test_each_line_comes_once(old: Old, chatroom: Chatroom, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is laid out, and though the room goes on; in two clones it is the same record."""
    monkeypatch.setattr(importing, "_AT_ONCE", 2)
    old.write("messages.jsonl", *map(line, range(1, 6)), line(5))
    found, _ = old.take_in(chatroom.path, world)
    assert (found.messages, found.known) == (5, 1)
    chatroom.say("in between")
    old.write("messages.jsonl", *(json.dumps(line(n), indent=None, sort_keys=True) for n in range(1, 8)))
    found, _ = old.take_in(chatroom.path, world)
    assert (found.messages, found.known) == (2, 5)
    key = f"agent-chat message {json.dumps(line(1), sort_keys=True)}"
    assert chatroom.entries()[0].record.uid == uid_from_key(key)
    other = world.repository("other")
    old.take_in(other, world)
    mine, theirs = (Room(world.environment(path)).log().entries for path in (chatroom.path, other))
    assert {one.record.uid for one in theirs[:7]} <= {one.record.uid for one in mine}
    assert [entry.record.body for entry in chatroom.entries()].count("hello") == 7


def test_a_dry_run_writes_nothing(old: Old, chatroom: Chatroom, world: World) -> None:
    """And says the same."""
    old.write("messages.jsonl", line(1), line(2), "{")
    old.write("summaries.jsonl", {**line(1, "sum"), "scope": "all"})
    dry, problems = old.take_in(chatroom.path, world, is_dry=True)
    assert (dry.messages, dry.summaries, len(problems)) == (2, 1, 1)
    assert chatroom.git("for-each-ref", "refs/chatroom").stdout == ""
    wet, _ = old.take_in(chatroom.path, world)
    assert (wet.messages, wet.summaries) == (2, 1)


@pytest.mark.parametrize(("bad", "why"), [
    ("{", "it is not JSON"), (b"\xff", "it is not UTF-8"), ("[1]", "it is no JSON object"),
    ("[" * 100_000, "it is not JSON"), (line(1, " "), "blank"), (line(1, None), "blank"),
    (line(1, "a\0b"), "NUL"), (line(1, "x" * 70_000), "the limit is"),
    (line(1, ts="yesterday"), "its ts is no date: 'yesterday'"), (line(1, ts=5), "its ts is no date"),
    (line(1, **{"from": None}), "who it is from"), (line(1, **{"from": "山田"}), "its sender '山田'"),
    (line(1, to=5), "whom it is to"), (line(1, to="山田"), "its recipient"),
    (line(1, f"a\n{TOKEN}"), "in its text line 2 looks like a GitHub token"),
])  # fmt: skip
def test_a_line_that_cannot_be_taken_in_is_told(old: Old, chatroom: Chatroom, world: World, bad: Any, why: str) -> None:
    """With its file and line; the others come."""
    old.write("messages.jsonl", line(7), bad, "", line(9))
    found, problems = old.take_in(chatroom.path, world)
    assert (found.messages, found.problems) == (2, 1)
    assert [(one.file, one.line) for one in problems] == [("messages.jsonl", 2)]
    assert why in problems[0].why
    assert TOKEN not in problems[0].why


def test_a_line_that_does_not_end_costs_no_memory(old: Old, chatroom: Chatroom, world: World) -> None:
    """It is passed over in parts."""
    old.write("messages.jsonl", b'{"content": "' + b"x" * (9 << 20), line(2))
    found, problems = old.take_in(chatroom.path, world)
    assert (found.messages, [one.line for one in problems]) == (1, [1])


def test_summaries_and_cursors_come_too(old: Old, chatroom: Chatroom, world: World) -> None:
    """A summary covers what had been said by then, once; names have read what they had, where the room was empty."""
    old.write("messages.jsonl", *map(line, (1, 2, 30, 40)))
    old.write(
        "summaries.jsonl",
        {**line(1, "All", ts="2026-04-11T13:00:02Z"), "scope": "all"},
        {**line(2, "x"), "scope": "a\nb"},
    )
    (old.place / "cursors.json").write_text(
        json.dumps({"codex": 30, "Claude Code": 2, "nobody": 0, "bob": {"last_read_id": 39}})
    )
    found, problems = old.take_in(chatroom.path, world)
    assert (found.messages, found.summaries, found.cursors) == (4, 1, 3)
    assert [(one.file, one.line) for one in problems] == [("summaries.jsonl", 2)]
    room = Room(world.environment(chatroom.path), name="bob")
    summary = room.summary()
    assert summary is not None
    assert (summary.author, summary.written.utc, summary.text) == ("codex", "2026-04-11T13:00:02Z", "All")
    assert room.count_since(summary) == 2
    assert [room.how_far(Name(name)).last_read for name in ("codex", "claude-code", "bob")] == [3, 2, 3]
    again, _ = old.take_in(chatroom.path, world)
    assert (again.messages, again.summaries, again.known, again.cursors) == (0, 0, 5, 0)
    other = Old(old.root.parent / "second")
    other.write("messages.jsonl", line(1, "other"))
    (other.place / "cursors.json").write_text('{"dora": 1}')
    assert other.take_in(chatroom.path, world)[0].cursors == 0
    assert (
        chatroom.git("rev-parse", "-q", "--verify", cursor_ref(RoomName("lobby"), Name("dora")), check=False).stdout
        == ""
    )


def test_who_writes_meanwhile_keeps_his_number(
    old: Old, chatroom: Chatroom, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch begins anew after him, and nothing comes twice."""
    old.write("messages.jsonl", line(1), line(2))
    looked = adopting.look
    others = iter(["one", "two"])

    def look_and_be_late(numbering: Any) -> Any:
        known = looked(numbering)
        for text in others:
            chatroom.say(text)
            break
        return known

    monkeypatch.setattr(adopting, "look", look_and_be_late)
    assert old.take_in(chatroom.path, world)[0].messages == 2
    assert [entry.record.body for entry in chatroom.entries()][:4] == ["one", "two", "hello", "hello"]
    assert [entry.number for entry in chatroom.entries()] == [1, 2, 3, 4, 5]
    assert chatroom.chat("verify").returncode == 0


def test_the_command_says_what_came_of_it(old: Old, chatroom: Chatroom, terminal: Terminal) -> None:
    """In words, as JSON, and by its status; a person can say that a text is no secret, and nobody else."""
    refused(chatroom.chat("import", "nowhere"), "nowhere has no .chatroom", "CHATROOM_ROOT")
    old.write("messages.jsonl", line(1), line(2, f"not really: {TOKEN}"))
    done = chatroom.chat("import", "--json", old.root)
    told = {"room": "lobby", "messages": 1, "summaries": 0, "cursors": 0, "known": 0, "left_out": 1}
    assert (done.returncode, json.loads(done.stdout)) == (1, told)
    assert done.stderr.startswith("messages.jsonl:2: in its text line 1 looks like a GitHub token; left out")
    assert TOKEN not in done.stderr
    agent = chatroom.chat("import", "--allow-secret", old.place, CLAUDECODE="1")
    assert (agent.returncode, len(chatroom.entries())) == (1, 2)
    person = terminal("git", "chat", "import", "--allow-secret", str(old.place), columns=120)
    assert (person.returncode, person.stdout) == (
        0,
        "imported 1 message and 0 summaries into room 'lobby'; 1 were here already\n",
    )
    chatroom.chat("room", "close", "lobby", check=True)
    old.write("messages.jsonl", line(3))
    refused(chatroom.chat("import", old.root), "room 'lobby' is closed", "git chat room open lobby")
