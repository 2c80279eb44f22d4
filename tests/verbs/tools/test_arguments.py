"""What a tool does with arguments that nobody should give, and somebody will."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

import pytest

import gitchat.tools as s
from gitchat import ChatError, Room
from gitchat.model.names import MAX_SLUG_CHARS
from gitchat.verbs import as_json

pytestmark = pytest.mark.usefixtures("path")

WRONG: dict[str, list[Any]] = {
    "text": [None, 5, True, b"bytes", ["alice"], {"a": 1}],
    "whole number": ["5", None, True, 1.0, math.nan, b"5"],
    "number": ["5", None, True, b"5"],
    "truth": [None, 1, 0, "yes"],
    "things": [None, 5, True, b"bytes", [5], {"a": 1}],
    "place": [None, True, 1.5, b"1", [1]],
    "content": [None, 5, True, 1.5, b"bytes", ("a", "b"), {1}],
}
KINDS = {
    "limit": "whole number", "recent_limit": "whole number", "max_chars": "whole number", "wait_seconds": "number",
    "mark_read": "truth", "local": "truth", "closed": "truth", "wait": "truth", "release": "truth", "work": "truth",
    "minutes": "whole number", "what": "things", "choices": "things", "at": "things", "since_id": "place",
    "message_id": "place", "reply_to": "place", "id": "place", "content": "content",
}  # fmt: skip
"""Of the fields that are no text."""

GOOD: dict[str, Any] = {"name": "alice", "content": "hello", "message_id": 0, "room": "lobby"}


def wrong_values(tool: str, field: str) -> list[Any]:
    """Values of types that ``field`` cannot have."""
    if (tool, field) == ("write_summary", "content"):
        return WRONG["text"]
    wrong = WRONG[KINDS.get(field, "text")]
    can_be_none = inspect.signature(getattr(s, tool)).parameters[field].default is None
    return [value for value in wrong if value is not None or not can_be_none]


@pytest.mark.parametrize("tool", s.__all__)
def test_a_value_of_another_type_is_refused_by_the_name_of_its_field(tool: str) -> None:
    """Never by a traceback from somewhere inside, and before anything has happened."""
    parameters = inspect.signature(getattr(s, tool)).parameters
    needed = {name: GOOD[name] for name, one in parameters.items() if one.default is one.empty}
    for field in parameters:
        for value in wrong_values(tool, field):
            with pytest.raises(ValueError) as raised:
                getattr(s, tool)(**needed | {field: value})
            assert str(raised.value).startswith(f"{field} must be "), (field, value)
            assert isinstance(raised.value, ChatError)
            assert raised.value.code == "bad-argument"
    assert s.list_rooms(status="all") == s.list_participants() == []


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, 10**400])
def test_a_wait_has_an_end(seconds: float) -> None:
    """What is no number of seconds is out of range, and not waited for."""
    for call in (s.read_unread, s.check_in):
        with pytest.raises(ValueError, match="wait_seconds must be between 0 and 1500"):
            call("alice", wait_seconds=seconds)


def test_an_argument_that_no_tool_knows_is_a_type_error() -> None:
    """As of any function in Python."""
    with pytest.raises(TypeError, match="colour"):
        s.send_message("alice", "hello", colour="red")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="content must not be blank"):
        s.send_message("alice")


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("two words", "two-words"), ("two\nlines", "two-lines"), ("Zoë", "zoe"), ("a/b", "a-b"), ("../up", "up"),
        ("-x", "x"), ("nul", "x-nul"), ("a.lock", "a-lock"), ("n\0l", "n-l"), ("x" * 65, "x" * MAX_SLUG_CHARS),
    ],
)  # fmt: skip
def test_a_name_that_is_no_slug_is_refused_with_one_that_is(name: str, suggested: str) -> None:
    """Wherever a name stands; the hint is ready to be used."""
    calls = [
        lambda: s.join(name),
        lambda: s.send_message(name, "hello"),
        lambda: s.send_message("alice", "hello", name),
        lambda: s.send_message("alice", "hello", type=name),
        lambda: s.read_messages(participant=name),
        lambda: s.read_messages(sender=name),
        lambda: s.get_handoff(name),
        lambda: s.list_rooms(name),
        lambda: s.get_status(name),
        lambda: s.open_room(name),
    ]
    for call in calls:
        with pytest.raises(ChatError) as raised:
            call()
        assert raised.value.code == "bad-name"
        assert raised.value.hint.endswith(f"for example {suggested!r}")
    assert s.join(suggested)[0]["name"] == suggested


@pytest.mark.parametrize("name", ["all", "System", "role", "gitchat"])
def test_reserved_names_are_nobodys(name: str) -> None:
    """In any case."""
    with pytest.raises(ChatError) as raised:
        s.join(name)
    assert raised.value.code == "reserved-name"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("x" * 200_000, "body-too-long"), ({"x": "x" * 200_000}, "body-too-long"), ("a\0b", "nul-in-body"),
        ({"a": math.nan}, "bad-content"), ({"a": {1}}, "bad-content"), ([b"bytes"], "bad-content"),
        ({("a", "b"): 1}, "bad-content"), ([10**5000], "bad-content"),
    ],
    ids=["long", "long json", "nul", "nan", "set", "bytes", "key", "huge"],
)  # fmt: skip
def test_content_that_cannot_be_stored_is_refused(content: Any, code: str) -> None:
    """It says why, and nothing is sent; a summary is refused the same."""
    with pytest.raises(ValueError) as raised:
        s.send_message("alice", content)
    assert isinstance(raised.value, ChatError)
    assert (raised.value.code, bool(raised.value.hint)) == (code, True)
    if isinstance(content, str):
        with pytest.raises(ChatError) as raised_too:
            s.write_summary("alice", content)
        assert raised_too.value.code == code
    assert s.list_rooms(status="all") == []


def test_json_that_holds_itself_is_refused() -> None:
    """As is what is nested too deeply."""
    loop: list[Any] = []
    loop.append(loop)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for content in (loop, deep):
        with pytest.raises(ChatError) as raised:
            s.send_message("alice", content)
        assert raised.value.code == "bad-content"


def test_lone_surrogates_become_question_marks() -> None:
    """UTF-8 cannot store them; everything else of the text stays."""
    s.send_message("alice", "a\ud800b", key="k\ud800")
    s.send_message("alice", {"a\ud800": ["b\udfff"]})
    s.write_summary("alice", "c\ud800", "d\ud800")
    assert [message["content"] for message in s.read_messages()] == ["a?b", {"a?": ["b?"]}]
    summary = s.read_latest_summary("d\ud800")
    assert summary is not None
    assert (summary["scope"], summary["content"]) == ("d?", "c?")
    assert s.read_messages(query="b\ud800") == s.read_messages(query="b")
    room = Room.open(name="alice")
    assert room.summary("d\ud800") is not None
    assert sorted(found.entry.number or 0 for found in room.search("a\ud800 b")) == [1, 2]


def test_json_of_strangers_that_cannot_be_written_again_stays_text() -> None:
    """Escaped lone surrogates, NaN and numbers without end are JSON to some, and to nobody's UTF-8."""
    for body in ('["\\ud800"]', "[NaN]", "[1e999]", "[" * 100_000, "{"):
        assert as_json.parsed(body) == body
    assert as_json.parsed('["\\ud83d\\ude00"]') == ["\U0001f600"]


@pytest.mark.parametrize("place", ["x", "", "~abc", "#-1", "1.5", "~000000"])
def test_what_names_no_record_is_refused(place: str) -> None:
    """The error says what would."""
    s.send_message("alice", "hello")
    for call in (lambda: s.read_messages(place), lambda: s.set_cursor("bob", place)):
        with pytest.raises(ChatError) as raised:
            call()
        assert raised.value.code in ("bad-number", "no-such-record")
    assert [len(s.read_messages(first)) for first in (0, "0", "#1", "1", 10**30)] == [1, 1, 0, 0, 0]


def test_a_directory_that_is_gone_is_told_as_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that is in no repository."""
    gone = path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ChatError) as raised:
        s.get_status()
    assert raised.value.code == "no-directory"
    monkeypatch.chdir(path.parent)
    with pytest.raises(ChatError) as raised:
        s.get_status()
    assert raised.value.code == "not-a-repository"
