"""Hiding what a message says, in every view. Proves docs/format.md sections 18.1 and 18.2."""

from __future__ import annotations

import json

import pytest

from gitchat.verbs.room import Room
from tests.clones.conftest import Clone
from tests.server.wire import Wire
from tests.world import World

SECRET = "xyzzyplugh"
HIDDEN = "(redacted by ben)"


@pytest.fixture
def ann(world: World) -> Clone:
    """A clone in which the second of five messages, with a file, shall be hidden."""
    clone = Clone(world, world.repository("ann"), "ann")
    (clone.path / "notes.txt").write_text(SECRET)
    clone.say("first")
    clone.chat("send", "--attach", clone.path / "notes.txt", "--type", "question", f"is it {SECRET}?", check=True)
    clone.chat("send", "-r", "2", "an answer", check=True)
    clone.chat("send", "--json", json.dumps({"key": SECRET}), check=True)
    clone.say("last")
    return clone


VIEWS = [
    ["log"],
    ["log", "--oneline"],
    ["log", "-n", "10", "--json"],
    ["log", "--grep", "redacted"],
    ["show", "2"],
    ["show", "--json", "2"],
    ["log", "--thread", "3"],
    ["handoff", "--as", "zoe"],
    ["handoff", "--as", "zoe", "--json"],
    ["search", "answer"],
    ["search", SECRET],
    ["inbox", "--as", "zoe"],
    ["status"],
    ["rooms"],
    ["read", "--as", "zoe"],
    ["read", "--as", "yan", "--json"],
]


def test_no_view_shows_it_and_each_says_who_hid_it(ann: Clone) -> None:
    """Listings, a search that knows its words, JSON, one message, and what tools give: never text, file, or name."""
    said = ann.chat("redact", "2", "4", "--as", "ben", check=True).stdout
    assert said.splitlines() == [f"#{number} of ann is redacted by ben; its bytes stay in git" for number in (2, 4)]
    for words in VIEWS:
        done = ann.chat(*words)
        assert done.returncode == 0, (words, done.stderr)
        assert SECRET not in done.stdout, words
        assert "notes.txt" not in done.stdout, words
    assert HIDDEN in ann.chat("show", "2").stdout
    assert ann.chat("log").stdout.count(HIDDEN) == 2
    assert [(one["id"], one["content"], one.get("hidden")) for one in ann.records()] == [
        (1, "first", None),
        (2, HIDDEN, "redacted by ben"),
        (3, "an answer", None),
        (4, HIDDEN, "redacted by ben"),
        (5, "last", None),
    ]
    room = Room(ann.world.environment(ann.path), "lobby", "ann")
    entries = [*room.log().entries, room.find(2), *room.thread(3).entries, *room.after(0, limit=9)]
    assert all(SECRET not in entry.record.body and not entry.attachments for entry in entries)
    assert [entry.label for entry in room.thread(3).entries] == ["#2", "#3"]
    server = Wire(["git-chat", "mcp"], ann.path, ann.world.variables | {"CLAUDECODE": "1"})
    try:
        server.shake_hands()
        calls = {"check_in": {}, "get_handoff": {}, "read_messages": {}, "read_unread": {}}
        said = "".join(json.dumps(server.call(name, **more)) for name, more in calls.items())
        assert (SECRET in said, "notes.txt" in said, HIDDEN in said) == (False, False, True)
    finally:
        server.hang_up()
    refused = ann.chat("show", "2", "--extract", ann.path / "out")
    assert not (ann.path / "out" / "notes.txt").exists(), refused.stderr


@pytest.mark.parametrize("words", [["log"], ["log", "-n", "2"], ["log", "--oneline"], ["inbox"]])
def test_the_quick_way_gives_the_same_bytes(ann: Clone, words: list[str]) -> None:
    """Also where what is hidden is older, or newer, than what is listed."""
    for number in ("2", "1"):
        ann.chat("redact", number, check=True)
        ann.say(f"behind the redaction of {number}")
        quick, long = (ann.chat(*words, GITCHAT_QUICK=turn).stdout for turn in ("1", "0"))
        assert quick == long
        assert "is it" not in quick


def test_no_number_and_no_position_moves(ann: Clone) -> None:
    """Nobody has to read it, it takes one number and no place in a listing; a second redaction changes nothing."""
    ann.chat("read", "--as", "zoe", check=True)
    ann.chat("redact", "2", "--as", "ben", check=True)
    assert ann.chat("inbox", "--as", "zoe", check=True).stdout == ""
    assert ann.chat("redact", "2", "--as", "cat", check=True).stdout.startswith("#2 of ann is redacted by ben")
    ann.say("sixth")
    assert [one["id"] for one in ann.records()] == [1, 2, 3, 4, 5, 7]
    refused = ann.chat("redact", "6")
    assert (refused.returncode, "is of kind redact, which no view shows" in refused.stderr) == (1, True)
    assert "see what can be hidden: git chat log --room lobby" in refused.stderr
    assert "no record #99" in ann.chat("redact", "99").stderr
    assert SECRET in ann.git("log", "--format=%B", "refs/chatroom/rooms/lobby/log").stdout  # its bytes stay


def test_a_key_that_was_sent_is_known_although_its_text_is_hidden(ann: Clone) -> None:
    """Who repeats a send whose answer was lost gets the number, and no second message."""
    ann.chat("send", "--uid", "k1", "once", check=True)
    ann.chat("redact", "6", check=True)
    again = ann.chat("send", "--uid", "k1", "once", check=True)
    assert again.stdout == "#6\n"
    assert ann.chat("send", "--uid", "k1", "twice").returncode == 3


def test_only_what_stands_behind_it_hides_a_message(ann: Clone) -> None:
    """A ``redact`` of a uid that comes later hides nothing: in the walk, by the index, in the quick way."""
    room = Room(ann.world.environment(ann.path), "lobby", "ann")
    from gitchat.model.names import Uid, uid_from_key
    from gitchat.model.record import REDACT, Draft

    uid = Uid(uid_from_key("later"))
    room.writer.send(Draft(body="too soon", kind=REDACT, reply_to=uid), room.identity)
    ann.chat("send", "--uid", "later", "shown", check=True)
    assert [one["content"] for one in ann.records()][-1] == "shown"
    assert room.find(7).record.body == "shown"
