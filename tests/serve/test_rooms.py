"""REST for the page: rooms, timelines, marking, summaries, search and files, over the application in this process."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from gitchat.model.attachment import File
from gitchat.model.record import Draft
from gitchat.serve.contract import ROOT
from gitchat.verbs.room import Room
from tests.serve.test_rest import ok
from tests.world import World


def begin(client: TestClient, room: str, *texts: str) -> str:
    """A room in which ``bob`` has said ``texts``, the first of them as #2; its address."""
    path = f"{ROOT}/rooms/{room}"
    ok(client.put(path, json={"as": "bob", "title": room.title()}))
    for text in texts:
        ok(client.post(f"{path}/messages", json={"as": "bob", "content": text}))
    return path


def timeline(client: TestClient, path: str, **query: Any) -> dict[str, Any]:
    """What GET messages of a room answers."""
    return ok(client.get(f"{path}/messages", params=query))


def ids(answered: dict[str, Any]) -> list[int]:
    """The numbers of the messages."""
    return [one["id"] for one in answered["messages"]]


def test_rooms_tell_what_is_unread_in_each(client: TestClient) -> None:
    """For who asks, with what is urgent among it; for nobody in particular nothing of it."""
    path = begin(client, "counted", "one", "two")
    ok(client.post(f"{path}/messages", json={"as": "bob", "content": "now", "priority": "urgent"}))
    listed = ok(client.get(f"{ROOT}/rooms", params={"as": "ana"}))
    (counted,) = [one for one in listed["rooms"] if one["room"] == "counted"]
    assert {key: counted[key] for key in ("title", "status", "latest_id", "unread", "urgent", "last_read_id")} == {
        "title": "Counted", "status": "open", "latest_id": 4, "unread": 3, "urgent": 1, "last_read_id": 0,
    }  # fmt: skip
    assert (listed["name"], listed["guest"], listed["writable"]) == ("ana", False, True)
    plain = ok(client.get(f"{ROOT}/rooms"))
    assert plain["name"] is None
    assert all("unread" not in one for one in plain["rooms"])


def test_a_room_tells_who_is_there_and_how_far_they_have_read(client: TestClient) -> None:
    """And its newest summary. Nothing of where they are."""
    path = begin(client, "peopled", "one", "two")
    ok(client.post(f"{ROOT}/agents/register", json={"agent_id": "Ana-X", "session_id": "s", "name": "Ana",
                                                    "room": "peopled", "role": "review"}))  # fmt: skip
    ok(client.put(f"{path}/cursor", json={"as": "ana-x", "upto": 2}))
    ok(client.post(f"{path}/summaries", json={"as": "bob", "content": "all is well"}))
    told = ok(client.get(path))
    people = {one["name"]: one for one in told["people"]}
    assert {key: people["ana-x"][key] for key in ("label", "given", "role", "state", "read_upto", "unread")} == {
        "label": "Ana", "given": "Ana-X", "role": "review", "state": "living", "read_upto": 2, "unread": 1,
    }  # fmt: skip
    assert (people["bob"]["state"], people["bob"]["last_number"]) == ("away", 3)
    assert (told["title"], told["summary"]["content"]) == ("Peopled", "all is well")


def test_a_room_tells_what_each_has_claimed(client: TestClient, shared_world: World) -> None:
    """As it is typed, whatever is in it: the page escapes it; nothing of who only waits."""
    path = begin(client, "claimed", "one")
    for name, what in (("bob", ["docs/*.md", "task:<b>1</b>"]), ("cy", ["docs/a.md"])):
        chat = Room(shared_world.environment(shared_world.root / "repo"), "claimed", name)
        chat.claim(what, wait=True)
    people = {one["name"]: one for one in ok(client.get(path))["people"]}
    assert people["bob"]["claims"] == ["docs/*.md", "task:<b>1</b>"]
    assert "claims" not in people["cy"]


def test_a_timeline_opens_where_one_left_off(client: TestClient) -> None:
    """A third of it before the first unread; around, before, after a number; and says whether there is more."""
    path = begin(client, "long", *map(str, range(2, 32)))
    ok(client.put(f"{path}/cursor", json={"as": "ana", "upto": 20}))
    opened = timeline(client, path, **{"as": "ana", "limit": 9})
    assert ids(opened) == [*range(18, 27)]
    assert (opened["last_read_id"], opened["first_unread_id"], opened["latest_id"]) == (20, 21, 31)
    assert (opened["more_before"], opened["more_after"]) == (True, True)
    for query, wanted, more in [
        ({}, [29, 30, 31], (True, False)),
        ({"at": 10}, [9, 10, 11], (True, True)),
        ({"at": 2}, [2, 3, 4], (False, True)),
        ({"at": 99}, [31], (True, False)),
        ({"before": 5}, [2, 3, 4], (False, True)),
        ({"before": 2}, [], (False, True)),
        ({"after": 29}, [30, 31], (True, False)),
        ({"after": 31}, [], (True, False)),
        ({"after": 10}, [11, 12, 13], (True, True)),
    ]:
        part = timeline(client, path, limit=3, **query)
        assert (ids(part), (part["more_before"], part["more_after"])) == (wanted, more), query
        assert (part["last_read_id"], part["first_unread_id"]) == (None, None)


def test_a_thread_shows_what_is_answered(client: TestClient) -> None:
    """Each answer has the beginning of what it answers, also where that is not shown."""
    path = begin(client, "threads", "x" * 300, "between")
    ok(client.post(f"{path}/messages", json={"as": "ana", "content": "why?", "reply_to": 2}))
    thread = timeline(client, path, thread=2, chars=10)
    assert ids(thread) == [2, 4]
    assert (thread["messages"][0]["content"], thread["messages"][0]["more_characters"]) == ("x" * 10, 290)
    alone = timeline(client, path, after=3)["messages"][0]
    assert alone["replied"] == {"from": "bob", "content": "x" * 200}
    assert alone["reply_to"] == 2


def test_what_was_on_the_screen_is_marked_and_no_more(client: TestClient) -> None:
    """By its numbers, in whatever order; or all up to one."""
    path = begin(client, "marking", "one", "two", "three")
    marked = ok(client.put(f"{path}/cursor", json={"as": "ana", "ids": [3, 2]}))
    assert marked == {"name": "ana", "last_read_id": 3, "first_unread_id": 4, "unread": 1}
    marked = ok(client.put(f"{path}/cursor", json={"as": "ana", "upto": 4}))
    assert marked == {"name": "ana", "last_read_id": 4, "first_unread_id": None, "unread": 0}
    assert ok(client.put(f"{path}/cursor", json={"as": "ana", "ids": []}))["unread"] == 0


def test_a_record_is_found_by_number_and_handle(client: TestClient) -> None:
    """What was said is answered as it stands there, and tells who has read it."""
    path = begin(client, "found", "one")
    said = ok(client.post(f"{path}/messages", json={"as": "bob", "content": {"a": [1]}, "to": ["ana", "role:qa"]}))
    assert (said["id"], said["content"], said["to"], said["from"]) == (3, {"a": [1]}, "ana,role:qa", "bob")
    ok(client.put(f"{path}/cursor", json={"as": "ana", "upto": 3}))
    for place in ("3", "%233", f"~{said['uid'][:6]}"):
        assert ok(client.get(f"{path}/messages/{place}")) == said | {"read_by": ["ana"]}


def test_summaries_come_newest_first(client: TestClient) -> None:
    """All, or those of a scope."""
    path = begin(client, "summed", "one")
    for scope, text in [("all", "first"), ("ana", "for her"), ("all", "second")]:
        summary = ok(client.post(f"{path}/summaries", json={"as": "bob", "content": text, "scope": scope}))
        assert (summary["content"], summary["scope"], summary["from"]) == (text, scope, "bob")
    listed = ok(client.get(f"{path}/summaries"))
    assert [one["content"] for one in listed["summaries"]] == ["second", "for her", "first"]
    assert ok(client.get(f"{path}/summaries", params={"scope": "ana"}))["total"] == 1


def test_search_marks_the_words(client: TestClient) -> None:
    """In one room or in all; a snippet's pieces are its text."""
    begin(client, "searched", "the unusualword stands here")
    begin(client, "searched-too", "an unusualword again")
    found = ok(client.get(f"{ROOT}/search", params={"q": "unusualword"}))
    assert {one["room"] for one in found["found"]} == {"searched", "searched-too"}
    (one,) = ok(client.get(f"{ROOT}/search", params={"q": "unusualword", "room": "searched"}))["found"]
    assert one["marked"] == [["the ", False], ["unusualword", True], [" stands here", False]]
    assert one["snippet"] == "".join(text for text, _ in one["marked"])


@pytest.mark.parametrize("name", ["trace.html", "a \u00fcber.txt"])
def test_a_file_is_given_to_be_saved_and_nothing_else(client: TestClient, shared_world: World, name: str) -> None:
    """Whatever it is, no browser shows or runs it."""
    path = begin(client, "files")
    chat = Room(shared_world.environment(shared_world.root / "repo"), "files", "bob")
    entry = chat.writer.send(Draft(body="with a file", files=(File(name, b"<script>"),)), chat.identity).entry
    answer = client.get(f"{path}/messages/{entry.number}/attachments/{name}")
    assert (answer.status_code, answer.content) == (200, b"<script>")
    assert {key: answer.headers[key] for key in ("content-type", "content-security-policy")} == {
        "content-type": "application/octet-stream",
        "content-security-policy": "sandbox",
    }
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert answer.headers["x-content-type-options"] == "nosniff"
