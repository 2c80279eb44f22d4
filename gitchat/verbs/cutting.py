"""An answer in so many characters: which messages of it fit, and how much of one that does not fit alone.

Works on the JSON forms that the tools give. How many characters they take is the business of the form in which they are
given out (:class:`Measure`). A message is cut only where it stands alone; ``more_characters`` tells how many are
missing then, and ``rest`` the call that goes on there. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gitchat.model import offered
from gitchat.verbs.budget import LEAST_CHARS, Item, longest

Json = dict[str, Any]
Size = Callable[[Json], int]
"""How many characters something takes, with what divides it from the next."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How many characters an answer takes in the form in which it is given out."""

    message: Size
    summary: Size
    """Of a summary as it is answered alone."""
    participant: Size
    around: Callable[[Any], int]
    """Of an answer whose lists are empty yet, with all that may still come to it but for what they hold."""


def as_json(value: Any) -> int:
    """The characters of JSON, with the comma and the blank behind."""
    return len(json.dumps(value, ensure_ascii=False)) + len(", ")


_BESIDE_CHARS = 100
"""The number of what is left out, and why a message that is cut is not marked."""

IN_JSON = Measure(as_json, as_json, as_json, lambda shell: as_json(shell) + _BESIDE_CHARS)
"""For programs."""


# --- a message ---------------------------------------------------------------


def text_of(message: Json) -> str:
    """The text of a message or a summary: what was sent as JSON as JSON text. Its characters are what is counted."""
    content = message["content"]
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def skipped(message: Json, chars: int) -> Json:
    """``message`` without the first ``chars`` characters of its text, of which ``skipped_characters`` tells."""
    return message | {"content": text_of(message)[chars:], "skipped_characters": chars} if chars else message


def cut(message: Json, chars: int) -> Json:
    """``message`` with no more than ``chars`` characters of what it has of its text."""
    text = text_of(message)
    if len(text) <= chars:
        return message
    place = chars + message.get("skipped_characters", 0)
    label = message["id"] if message["id"] is not None else json.dumps(message["handle"])
    room = f", room={json.dumps(message['room'])}" if "room" in message else ""
    rest = f"{offered.READ_MESSAGES}(id={label}{room}, skip_chars={place})"
    return message | {"content": text[:chars], "more_characters": len(text) - chars, "rest": rest}


def is_cut(message: Json) -> bool:
    """Whether the end of its text is missing."""
    return "more_characters" in message


def within(message: Json, max_chars: int, size: Size) -> Json:
    """As much of a message as fits, and of its text some in any case: who goes on where it is cut comes to its end."""
    if _fits(message, max_chars, size):
        return message
    return cut(message, max(_fitting(message, max_chars, size), LEAST_CHARS))


def _fits(message: Json, max_chars: int, size: Size) -> bool:
    """Whether all of it fits. What has more characters than it may take is not even written to see that."""
    return len(text_of(message)) <= max_chars and size(message) <= max_chars


def _fitting(message: Json, max_chars: int, size: Size) -> int:
    """How much of its text fits; less than 0 where not even its heading does."""
    chars = longest(Item("", len(text_of(message)), lambda chars: size(cut(message, chars))), max_chars)
    return -1 if chars is None else chars


def first(messages: Sequence[Json], max_chars: int, size: Size) -> list[Json]:
    """The first messages that fit, each whole; where not even the first does, that alone, and cut."""
    return _whole(messages, max_chars, size) or [within(message, max_chars, size) for message in messages[:1]]


def newest(messages: Sequence[Json], max_chars: int, size: Size) -> list[Json]:
    """As :func:`first`, of the last ones, oldest first; none where not even a heading fits."""
    found = _whole(messages[::-1], max_chars, size)
    if found or not messages:
        return found[::-1]
    chars = _fitting(messages[-1], max_chars, size)
    return [cut(messages[-1], chars)] if chars >= 0 else []


def _whole(messages: Sequence[Json], max_chars: int, size: Size) -> list[Json]:
    left, kept = max_chars, []
    for message in messages:
        if len(text_of(message)) > left or (chars := size(message)) > left:
            break
        kept.append(message)
        left -= chars
    return kept


# --- a summary, a handoff ------------------------------------------------------


def summary_within(summary: Json, max_chars: int, size: Size, room: str) -> Json:
    """As much of a summary as fits. ``size`` of it whole is what a call that shows it whole must allow."""
    whole = size(summary)
    if whole <= max_chars:
        return summary
    text = text_of(summary)
    scope = json.dumps(summary["scope"], ensure_ascii=False)
    where = f", room={json.dumps(room)}" if room else ""
    rest = f"{offered.READ_LATEST_SUMMARY}(scope={scope}{where}, max_chars={whole})"

    def shortened(chars: int) -> Json:
        return summary | {"content": text[:chars], "more_characters": len(text) - chars, "rest": rest}

    chars = longest(Item("", len(text), lambda chars: size(shortened(chars))), max_chars)
    return shortened(min(len(text) - 1, chars or 0))


def handoff_within(handoff: Json, max_chars: int, measure: Measure, room: str) -> Json:
    """As much of a handoff as fits: who is here, and open questions, in a quarter each, the summary in half, in the
    rest the newest messages.

    ``participants_left`` and ``messages_left`` tell how many of them are left out.
    """
    people, summary, recent = handoff["participants"], handoff["latest_summary"], handoff["recent_messages"]
    if "questions" in handoff:
        asked = _whole(handoff["questions"][::-1], max_chars // 4, measure.message)[::-1]
        handoff = handoff | {"questions": asked} if asked else {k: v for k, v in handoff.items() if k != "questions"}
    shell = handoff | {"participants": [], "latest_summary": None, "recent_messages": []}
    left = room_left = max(0, max_chars - measure.around(shell))
    shown: list[Json] = []
    for one in people:
        if measure.participant(one) > room_left // 4 - sum(map(measure.participant, shown)):
            break
        shown.append(one)
    left -= sum(map(measure.participant, shown))
    if summary is not None:
        summary = summary_within(summary, left // 2, measure.summary, room)
        left -= measure.summary(summary)
    messages = newest(recent, left, measure.message)
    counts = {"participants_left": len(people) - len(shown), "messages_left": len(recent) - len(messages)}
    return (
        handoff
        | {"participants": shown, "latest_summary": summary, "recent_messages": messages}
        | {key: count for key, count in counts.items() if count}
    )
