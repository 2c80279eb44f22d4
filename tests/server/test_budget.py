"""A budget that no message breaks, over the wire: what was given out is marked, and nothing else."""

from __future__ import annotations

import json
import re

from tests.cli.conftest import Chatroom
from tests.server.conftest import Start
from tests.server.wire import Wire

LONG = "".join(f"{number:07} " for number in range(8_192))
"""65,536 characters, of which each eight are others: nothing is given out twice, or left out, without being seen."""


def called(told: str) -> dict[str, int]:
    """The arguments of the call that shows the rest."""
    found = re.findall(r"read_messages\(id=(\d+)(?:, room=\"[\w-]+\")?, skip_chars=(\d+)\)", told)
    assert len(found) == 1, told[-300:]
    return {"id": int(found[0][0]), "skip_chars": int(found[0][1])}


def test_a_long_message_is_read_in_parts(start: Start, chatroom: Chatroom) -> None:
    """Each answer keeps to the budget; the message is unread until its last part, and the next ones are not passed."""
    chatroom.say("first")
    chatroom.say(LONG)
    chatroom.say("last")
    server = start()
    server.call("join", name="bob")
    assert "first" in server.text("read_unread", max_chars=1000)
    told = server.text("read_unread", max_chars=1000)
    assert len(told) <= 1000
    assert told.endswith("1 more after it\nnot marked as read: its end was not given out yet")
    assert server.text("get_cursor") == "bob has read to 1"
    assert server.text("read_unread", max_chars=1000) == told, "it comes again, from its beginning"
    sent = server.text("check_in", content="one moment", max_chars=1000)
    assert sent.startswith("sent [4]\n")
    assert called(sent)["id"] == 2
    assert len(sent) <= 1000
    read, parts = re.findall(r"\d{7} ", told), 1
    while "skip_chars" in told:
        given = called(told)
        assert given["id"] == 2
        assert len(read) == -(-given["skip_chars"] // 8) or given["skip_chars"] % 8
        told = server.text("read_messages", max_chars=20_000, **given)
        assert len(told) <= 20_000
        parts += 1
        read += re.findall(r"\d{7} ", told)
    assert parts == 5
    assert told.endswith("\nthat was its end: your next check_in or read_unread marks it as read")
    assert len(set(read)) >= 8_192 - parts, "what a cut divides is in neither part"
    assert server.text("get_cursor") == "bob has read to 1", "a tool that says that it only reads writes nothing"
    assert called(server.text("read_unread", mark_read=False, max_chars=1000))["id"] == 2
    told = server.text("check_in", max_chars=1000)
    assert ": last\n" in told
    assert "[2]" not in told
    assert server.text("get_cursor") == "bob has read to 3"


def test_an_end_is_marked_before_one_waits(start: Start, chatroom: Chatroom) -> None:
    """Who read all of the only message that was unread waits for the next one; another server gives it once more."""
    chatroom.say(LONG)
    server = start()
    server.call("join", name="bob")
    assert server.text("read_messages", id=1, skip_chars=65_000).endswith("marks it as read")
    server.kill()
    server = start()
    server.call("join", name="bob")
    before = chatroom.git("for-each-ref").stdout
    assert called(server.text("check_in"))["id"] == 1, "nothing is lost with the process that knew"
    assert server.text("read_messages", id=1, skip_chars=65_000).endswith("marks it as read")
    assert chatroom.git("for-each-ref").stdout == before
    assert server.text("read_unread", wait_seconds=1) == "nothing new; the time is up"
    assert server.text("get_cursor") == "bob has read to 1"


def test_who_only_looks_marks_nothing(start: Start, chatroom: Chatroom) -> None:
    """The end of a message that is not next, of one asked for whole, or for nobody, is no reading of it."""
    chatroom.say("first")
    chatroom.say(LONG)
    server, data = start(), start("--json")
    server.call("join", name="bob")
    end = {"id": 2, "skip_chars": 65_000}
    assert "marks it" not in server.text("read_messages", **end)
    assert "first" in server.text("read_unread", limit=1)
    assert "marks it" not in server.text("read_messages", id=2, max_chars=100_000)
    assert "marks it" not in server.text("read_messages", participant="", **end)
    assert "ended" not in data.data("read_messages", **end)[0]
    assert "ended" not in data.data("read_messages", participant="bob", **end)[0], "bob lives elsewhere"
    assert server.text("read_unread", limit=1).endswith("not marked as read: its end was not given out yet")
    assert server.text("get_cursor") == "bob has read to 1"
    assert "ended" not in data.data("read_messages", participant="carol", **end)[0]
    assert data.data("set_cursor", name="carol", message_id=1)["last_read_id"] == 1
    assert data.data("read_messages", participant="carol", **end)[0]["ended"] is True
    assert data.data("get_cursor", name="carol")["last_read_id"] == 1
    assert data.data("read_unread", name="carol", type="question")["last_read_id"] == 1, "a filtered look marks nothing"
    assert data.data("read_unread", name="carol")["last_read_id"] == 2


def test_json_and_resources_keep_to_a_budget(shared_json: Wire, shared_room: Chatroom, new_room: str) -> None:
    """Under ``--json`` only where one is asked for; a resource always has one."""
    shared_room.say("\u5c71" * 21_000, room=new_room)
    shared_room.say("\u00ad" * 3 + "a" * 60_000, room=new_room)
    shared_json.call("write_summary", name="alice", content="s" * 60_000, room=new_room)
    for tool in ("get_handoff", "read_messages", "read_latest_summary", "read_unread"):
        name = {"name": "emil"} if tool in ("read_unread", "get_handoff") else {}
        (block,) = shared_json.call(tool, room=new_room, max_chars=2000, **name)["content"]
        assert len(block["text"]) <= 2000
        assert '"more_characters":' in block["text"]
    assert shared_json.data("get_cursor", name="emil", room=new_room)["last_read_id"] == 0
    assert shared_json.data("read_messages", room=new_room)[0]["content"] == "\u5c71" * 21_000
    rest = shared_json.data("read_messages", room=new_room, max_chars=2000)[0]["rest"]
    given = called(rest)
    assert shared_json.data("read_messages", room=new_room, **given)[0]["skipped_characters"] == given["skip_chars"]
    for uri in (f"chat://rooms/{new_room}", f"chat://rooms/{new_room}/messages/2"):
        (told,) = shared_json.request("resources/read", {"uri": uri})["result"]["contents"]
        assert 18_000 < len(told["text"]) <= 40_000
        json.loads(told["text"])


def test_a_place_that_there_is_not_is_refused(shared: Wire, shared_room: Chatroom, new_room: str) -> None:
    """Behind the end, before the beginning, or in no message at all."""
    shared_room.say("hello", room=new_room)
    for given, error in (
        ({"id": 1, "skip_chars": 5}, "skip_chars must be less than 5: the message has no more characters"),
        ({"id": 1, "skip_chars": -1}, "skip_chars must be >= 0"),
        ({"skip_chars": 1}, "skip_chars is about one message, and there is no id"),
        ({"max_chars": -1}, "max_chars must be >= 0"),
    ):
        result = shared.call("read_messages", room=new_room, **given)
        assert result["isError"]
        assert result["content"][0]["text"].startswith(f"error: {error}\nhint: ")
    assert ": lo\n" in shared.text("read_messages", room=new_room, id=1, skip_chars=3)
