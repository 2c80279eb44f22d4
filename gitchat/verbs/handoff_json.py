"""The JSON form of what somebody who comes back has to know, within a length.

Pure, as the forms of which it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from gitchat.model.names import Uid
from gitchat.model.record import Entry
from gitchat.verbs import as_json, budget, people_json

if TYPE_CHECKING:  # SQLite comes with it
    from gitchat.verbs.views import Handoff

Dump = Callable[[Any], str]
"""How a value is written as JSON text."""

_QUESTION_CHARS = 100
"""How much of an open question is shown."""

_LEFT_CHARS = 40
"""What a key such as ``"since_left": 1234567`` takes at most."""


def of_handoff(handoff: Handoff, max_chars: int, dump: Dump) -> dict[str, Any]:
    """What somebody who comes back has to know, so that ``dump`` of it is at most ``max_chars`` long.

    The seed contract's keys, ``since`` (the oldest records that the summary does not cover, of
    which ``recent_messages`` repeats none), and where something is left out ``since_left`` and
    ``participants_left``. ``max_chars`` is at least 2,000.
    """
    people = [people_json.of_participant(participant) for participant in handoff.participants]
    names = [budget.Item(one["name"], 0, _size(dump, partial(_same, one))) for one in people]
    present = people[: len(budget.fit(names, max_chars // 4, note=_LEFT_CHARS))]
    shown: dict[str, Any] = {
        "participants": present,
        "latest_message_id": handoff.room.count,
        "cursor": handoff.last_read,
        "unread_count": handoff.unread,
        "latest_summary": None,
        "since": [],
        "recent_messages": [],
    }
    for entry in reversed(handoff.questions):
        questions = [as_json.of_entry(entry, handoff.labels, _QUESTION_CHARS), *shown.get("questions", [])]
        if len(dump(questions)) > max_chars // 4:
            break
        shown["questions"] = questions
    if len(present) < len(people):
        shown["participants_left"] = len(people) - len(present)
    summary, since, recent = handoff.summary, handoff.since, handoff.recent
    plan = budget.plan(
        None
        if summary is None
        else budget.Item("", len(summary.text), _size(dump, partial(as_json.of_summary, summary))),
        [_item(dump, entry, handoff.labels) for entry in since],
        [_item(dump, entry, handoff.labels) for entry in recent],
        max_chars - len(dump(shown)) - _LEFT_CHARS,
        note=0,
        since_left=handoff.since_left,
    )
    if summary is not None and plan.summary is not None:
        shown["latest_summary"] = as_json.of_summary(summary, plan.summary)
    for key, entries, chars in (("since", since, plan.since), ("recent_messages", recent, plan.recent)):
        shown[key] = [
            as_json.of_entry(entry, handoff.labels, chars[entry.oid]) for entry in entries if entry.oid in chars
        ]
    left = handoff.since_without(entry for entry in [*since, *recent] if entry.oid in plan.since | plan.recent)
    return shown | ({"since_left": left} if left else {})


def _same(form: dict[str, Any], chars: int) -> dict[str, Any]:
    return form


def _item(dump: Dump, entry: Entry, labels: Mapping[Uid, str]) -> budget.Item:
    return budget.Item(entry.oid, len(entry.record.body), _size(dump, partial(as_json.of_entry, entry, labels)))


def _size(dump: Dump, form: Callable[[int], dict[str, Any]]) -> Callable[[int], int]:
    """How long the text of a form is in a list, with so many characters of its own text."""
    return lambda chars: len(dump(form(chars))) + len(", ")
