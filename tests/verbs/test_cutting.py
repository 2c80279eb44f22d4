"""An answer in so many characters, in the form for models and in that for programs: no message can break it."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from gitchat.server import fitting, texts
from gitchat.verbs import cutting
from gitchat.verbs.cutting import Json, Measure

TODAY = "2026-11-28"


def message(number: int, content: Any, **more: Any) -> Json:
    """A message as the tools give it."""
    return {"id": number, "ts": f"{TODAY}T10:00:00Z", "from": "alice", "to": "all", "content": content} | more


def answer(name: str, result: Any, max_chars: int, *, in_json: bool, **given: Any) -> tuple[str, Any]:
    """What is given out, and the result of which it is made."""
    measure: Measure = fitting.IN_JSON if in_json else texts.measure(name, given, TODAY)
    shown, left = fitting.fitted(name, given, result, max_chars, measure)
    return fitting.json_text(shown) if in_json else texts.render(name, given, shown, TODAY, left), shown


CONTENTS: dict[str, Any] = {
    "one line": "x" * 1_048_576,
    "lines": "x\n" * 9_000,
    "no letters": "\n" * 20_000,
    "many bytes": "\u5c71\u7530\U0001f600 " * 5_000,
    "hidden": "\u00ad\u202ea" * 3_000,
    "rows of hidden": ("\U000e0041" * 50 + "a") * 2_000,
    "tags and quotes": '<a>"\\' * 5_000,
    "controls": "\x1b[1m\x00" * 5_000,
    "JSON": {"a": ["x"] * 10_000},
}


@pytest.mark.parametrize("in_json", [False, True], ids=["text", "json"])
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_one_message_does_not_break_the_budget(content: Any, in_json: bool) -> None:
    """Whatever it is made of, and whichever way it is answered, the answer is no longer than it may be."""
    found, whole = [message(1, content), message(2, "b")], cutting.text_of(message(1, content))
    people = [{"name": f"n{number}", "role": "r" * 64} for number in range(100)]
    summary = {"id": 1, "ts": "t", "from": "bob", "scope": "all", "content": whole}
    handoff = {
        "participants": people, "latest_message_id": 2, "cursor": 0, "unread_count": 2, "latest_summary": summary,
        "recent_messages": found[::-1],
    }  # fmt: skip
    for max_chars in (1000, 16_000):
        told, shown = answer("read_messages", found, max_chars, in_json=in_json)
        assert len(told) <= max_chars
        assert len(shown) == 1
        assert whole.startswith(shown[0]["content"])
        assert len(shown[0]["content"]) + shown[0]["more_characters"] == len(whole)
        assert f"read_messages(id=1, skip_chars={len(shown[0]['content'])})" in told
        told, shown = answer("get_handoff", handoff, max_chars, in_json=in_json)
        assert len(told) <= max_chars
        assert shown["participants_left"] > 0
        assert shown["latest_summary"]["more_characters"] > 0
        told, _ = answer("read_latest_summary", summary, max_chars, in_json=in_json)
        assert len(told) <= max_chars


@pytest.mark.parametrize("in_json", [False, True], ids=["text", "json"])
def test_the_parts_are_the_whole(in_json: bool) -> None:
    """Who follows the calls gets each character once, with whatever budget, and the last part says that it is none."""
    choice = random.Random(7)
    text = "".join(choice.choice("ab \n<\u00ad\u5c71\U0001f600") for _ in range(3_000))
    parts, place, given = [], 0, {"id": 7}
    while True:
        told, shown = answer(
            "read_messages", [message(7, text)], choice.choice([1, 300, 900]), in_json=in_json, **given
        )
        parts.append(shown[0]["content"])
        place += len(parts[-1])
        if not cutting.is_cut(shown[0]):
            break
        assert f"skip_chars={place})" in told
        given = {"id": 7, "skip_chars": place}
    assert "".join(parts) == text
    assert len(parts) > 5
    assert "characters:" not in told


@pytest.mark.parametrize("in_json", [False, True], ids=["text", "json"])
def test_at_the_boundary_all_fits(in_json: bool) -> None:
    """In exactly so many characters as it takes a message is whole; in one less it is cut."""
    for text in ("x" * 700, "\u5c71" * 700, "x\n" * 350):
        one = message(1, text)
        size = fitting.IN_JSON.message(one) if in_json else texts.measure("read_messages", {}, TODAY).message(one)
        measure = fitting.IN_JSON if in_json else texts.measure("read_messages", {}, TODAY)
        assert cutting.within(one, size, measure.message) == one
        less = cutting.within(one, size - 1, measure.message)
        assert cutting.is_cut(less)
        assert measure.message(less) <= size - 1
        two = [one, message(2, text)]
        assert cutting.first(two, 2 * size, measure.message) == two
        assert cutting.first(two, 2 * size - 1, measure.message) == [one]
        assert cutting.newest(two, 2 * size - 1, measure.message) == [two[1]]


def test_heads_are_bounded_too() -> None:
    """Recipients, files, roles and titles are shortened: what others may make long is no way around the budget."""
    many = ",".join(f"role:{'x' * 60}{number}" for number in range(100))
    files = [{"name": f"{'f' * 110}{number}", "bytes": 1, "oid": "0" * 40} for number in range(100)]
    told, _ = answer("read_messages", [message(1, "hello", to=many, attachments=files)], 1000, in_json=False)
    assert told.endswith(": hello\n</chat>")
    assert len(told) <= 1000
    room = {"room": "lobby", "status": "open", "latest_id": 1, "active": None, "title": "t" * 100_000}
    assert len(texts.render("list_rooms", {}, [room], TODAY)) < 300


def test_what_a_call_needs_is_in_it() -> None:
    """The room where it is another, and a handle in quotes where there is no number yet."""
    pending = message(1, "x" * 500, room="plans", handle="~k3f9q2") | {"id": None}
    assert cutting.cut(pending, 100)["rest"] == 'read_messages(id="~k3f9q2", room="plans", skip_chars=100)'
    later = cutting.cut(cutting.skipped(pending, 100), 50)
    assert (later["skipped_characters"], later["more_characters"]) == (100, 350)
    assert later["rest"].endswith("skip_chars=150)")
    assert json.loads(fitting.json_text(later))["content"] == "x" * 50
