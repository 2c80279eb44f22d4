"""How much of a tool's answer is given out: not what its caller skips, and as many characters as it may have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from gitchat.model import offered
from gitchat.model.errors import UserError
from gitchat.model.escape import tame_data
from gitchat.verbs import cutting, tools
from gitchat.verbs.cutting import Json, Measure

RESOURCE_CHARS = 40_000
"""How long a resource is at most, but for the list of rooms; about where clients begin to warn."""

_BESIDE_CHARS = 100


def json_text(value: Any) -> str:
    """A value as it is given to a program: JSON, harmless to the model that the program may give it to."""
    return json.dumps(tame_data(value), ensure_ascii=False, separators=(",", ":"))


def _size(value: Any) -> int:
    return len(json_text(value)) + len(",")


IN_JSON = Measure(_size, _size, _size, lambda shell: _size(shell) + _BESIDE_CHARS)
"""How :func:`json_text` counts."""


class Fitted(NamedTuple):
    """What is given out of an answer."""

    result: Any
    left: int = 0
    """How many messages are left out behind those of a list."""


def refuse_wrong(given: Mapping[str, Any]) -> None:
    """Raise UserError ``bad-argument`` for a budget or a place in a text that there cannot be."""
    for key in ("max_chars", "skip_chars"):
        if given.get(key, 0) < 0:
            raise UserError(f"{key} must be >= 0", hint=f"leave {key} out", code="bad-argument")
    if given.get("skip_chars") and given.get("id") is None:
        raise UserError(
            "skip_chars is about one message, and there is no id",
            hint="give its id, too; for the messages after one give since_id",
            code="bad-argument",
        )


def fitted(name: str, given: Mapping[str, Any], result: Any, max_chars: int, measure: Measure) -> Fitted:
    """The result of the tool ``name`` in ``max_chars`` characters (0: no limit). What marks has been fitted before.

    Raises:
        UserError: ``bad-argument`` where nothing is left behind what shall be skipped.
    """
    if name == offered.READ_MESSAGES:
        return _messages(given, result, max_chars, measure)
    if not max_chars or result is None:
        return Fitted(result)
    room = given.get("room", "")
    if name == offered.GET_HANDOFF:
        return Fitted(cutting.handoff_within(result, max_chars, measure, room))
    if name == offered.READ_LATEST_SUMMARY:
        return Fitted(cutting.summary_within(result, max_chars, measure.summary, room))
    return Fitted(result)


def _messages(given: Mapping[str, Any], messages: list[Json], max_chars: int, measure: Measure) -> Fitted:
    skipped = given.get("skip_chars", 0)
    if skipped:
        (message,) = messages
        length = len(cutting.text_of(message))
        if skipped >= length:
            raise UserError(
                f"skip_chars must be less than {length}: the message has no more characters",
                hint="leave skip_chars out to begin at its beginning",
                code="bad-argument",
            )
        messages = [_without_code(cutting.skipped(message, skipped))]  # which its beginning had
    if not max_chars or not messages:
        return Fitted(_ended(given, messages))
    if measure.message(messages[0]) > max_chars:
        messages = [_without_code(messages[0]), *messages[1:]]  # the text comes first
    shell = [messages[0] | {"content": ""}] if given.get("id") is not None else []
    shown = cutting.first(messages, max(0, max_chars - measure.around(shell)), measure.message)
    return Fitted(_ended(given, shown), len(messages) - len(shown))


def _without_code(message: Json) -> Json:
    """``message`` without how the code read that it is about."""
    if "at" not in message:
        return message
    return message | {"at": [{key: one[key] for key in one if key != "excerpt"} for one in message["at"]]}


def _ended(given: Mapping[str, Any], messages: list[Json]) -> list[Json]:
    """The messages; where they are the end of one that was cut, who reads has all of it, and marks it by reading on."""
    reader = given.get("participant")
    if not (reader and given.get("skip_chars")) or cutting.is_cut(messages[0]):
        return messages
    is_noted = tools.note_end(reader, given["id"], given.get("room", ""))
    return [messages[0] | ({"ended": True} if is_noted else {})]
