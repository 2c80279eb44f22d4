"""The JSON forms of what a room holds: the same on the command line, in Python and over MCP.

Pure. Keys that the seed contract does not know appear only when they carry something.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from gitchat.model.errors import ChatError
from gitchat.model.names import RoomName, Uid, handle_of
from gitchat.model.record import MESSAGE, Entry, Moment
from gitchat.verbs.pending import of_pending

if TYPE_CHECKING:  # SQLite comes with them, and a plain send or log does without
    from gitchat.model.participant import Participant
    from gitchat.rooms.log import Overview
    from gitchat.rooms.summaries import Summary
    from gitchat.verbs.budget import Item
    from gitchat.verbs.views import Delivery, Found, Handoff, Status

Dump = Callable[[Any], str]
"""How a value is written as JSON text."""


def of_entry(entry: Entry, labels: Mapping[Uid, str], chars: int | None = None) -> dict[str, Any]:
    """The JSON form: the seed contract's keys, then what else is set.

    With ``chars``, no more than that of the text; ``more_characters`` tells how many are missing.

    ``content`` is the text, or the JSON value that was sent as one; ``to`` names
    several recipients with commas; ``reply_to`` is a number, or a handle when the
    record it names is out of sight.
    """
    record = entry.record
    content: Any = record.body
    missing = max(0, len(record.body) - chars) if chars is not None else 0
    if missing:
        content = record.body[:chars]
    elif record.media == "json":
        content = parsed(record.body)
    shown: dict[str, Any] = {
        "id": entry.number,
        "ts": record.written.utc,
        "from": record.author,
        "to": ",".join(record.recipients),
        "content": content,
        "room": entry.room,
        "uid": record.uid,
    }
    full_label = labels.get(record.reply_to, handle_of(record.reply_to)) if record.reply_to else ""
    reply, _, reply_was = full_label.partition(" (was #")
    optional = {
        "handle": entry.handle if entry.number is None else None,
        "kind": record.kind if record.kind != MESSAGE else None,
        "type": record.type,
        "was": entry.was,
        "reply_to": int(reply[1:]) if reply.startswith("#") else reply or None,
        "reply_to_was": int(reply_was[:-1]) if reply_was else None,
        "priority": "urgent" if record.urgent else None,
        "commit": record.commit,
        "branch": record.branch,
        "clone": record.clone,
        "origin": record.origin,
        "media": record.media,
        "attachments": _attachments(entry) or None,
        "trailers": [list(pair) for pair in record.extra] or None,
        "more_characters": missing or None,
    }
    return shown | {key: value for key, value in optional.items() if value is not None}


def of_delivery(delivery: Delivery) -> dict[str, Any]:
    """Where a record has got to: ``remote`` and ``pushed`` in a room with an authority, ``fetched_by`` and ``read_by``
    when somebody has, ``waiting`` as :func:`of_pending`.

    To stand beside what :func:`of_entry` gives.
    """
    remote = {"remote": delivery.remote, "pushed": delivery.is_accepted} if delivery.remote is not None else {}
    names = {"fetched_by": list(delivery.fetched_by), "read_by": list(delivery.readers)}
    return remote | {key: value for key, value in names.items() if value} | of_pending(delivery.pending)


def of_message(entry: Entry, labels: Mapping[Uid, str], default_room: RoomName) -> dict[str, Any]:
    """As :func:`of_entry`, as short as the tools give it.

    ``id``, ``ts``, ``from``, ``to``, ``content``; then what says more: the uid, the clone, the default room and
    an agent as the origin do not.
    """
    shown = of_entry(entry, labels)
    idle = {"uid", "clone", "media"}
    idle |= {"room"} if entry.room == default_room else set()
    idle |= {"origin"} if entry.record.origin == "agent" else set()
    return {key: value for key, value in shown.items() if key not in idle}


def of_participant(one: Participant) -> dict[str, Any]:
    """``name``, ``role``, ``joined_at``, ``last_seen``; ``capabilities`` where there are any."""
    shown: dict[str, Any] = {
        "name": one.name,
        "role": one.role,
        "joined_at": Moment(one.joined_at).utc,
        "last_seen": Moment(one.last_seen).utc,
    }
    return shown | ({"capabilities": list(one.capabilities)} if one.capabilities else {})


def of_short_summary(summary: Summary) -> dict[str, Any]:
    """As short as the tools give it: ``id``, ``ts``, ``from``, ``scope``, ``content``."""
    return {
        "id": summary.number,
        "ts": summary.written.utc,
        "from": summary.author,
        "scope": summary.scope,
        "content": summary.text,
        **({"handle": summary.label} if summary.number is None else {}),
    }


def of_overview(room: Overview) -> dict[str, Any]:
    """``room``, ``status``, ``title`` (or null), ``latest_id``, ``active`` (or null)."""
    return {
        "room": room.name,
        "status": "closed" if room.is_closed else "open",
        "title": room.title,
        "latest_id": room.count,
        "active": Moment(room.active_seconds).utc if room.active_seconds is not None else None,
        **({"pending": room.pending} if room.pending else {}),
    }


def of_unreadable(room: RoomName, error: ChatError) -> dict[str, Any]:
    """As :func:`of_overview`, with the status ``unreadable`` and all else null; then ``error``, ``hint``, ``code``."""
    unknown = {"title": None, "latest_id": None, "active": None}
    shown = {"room": room, "status": "unreadable", **unknown}
    return shown | {"error": str(error), "hint": error.hint, "code": error.code}


def _attachments(entry: Entry) -> list[dict[str, Any]]:
    """Those that can be extracted; ``bytes`` is null for one whose content is not in this clone."""
    sound = [one for one in entry.attachments if one.problem is None]
    return [{"name": one.name, "bytes": one.size_bytes, "oid": one.oid} for one in sound]


def of_presence(participant: Participant) -> dict[str, Any]:
    """The JSON form: the seed contract's keys, then ``state`` and what else is known.

    ``state`` is ``living``, ``registered`` or ``away``. Where the name was taken is told while it is not away.
    """
    holder = participant.holder if participant.is_present else None
    shown: dict[str, Any] = {
        "name": participant.name,
        "role": participant.role,
        "joined_at": Moment(participant.joined_at).utc,
        "last_seen": Moment(participant.last_seen).utc,
        "state": state_of(participant),
    }
    optional = {
        "capabilities": list(participant.capabilities) or None,
        "worktree": holder.worktree if holder else None,
        "branch": holder.branch if holder else None,
        "client": holder.client if holder else None,
        "host": holder.host if holder else None,
        "pid": holder.pid if holder and participant.is_living else None,
    }
    return shown | {key: value for key, value in optional.items() if value is not None}


def state_of(participant: Participant | None) -> str:
    """``living``, ``registered`` or ``away``; None is somebody who never joined."""
    if participant is None or not participant.is_present:
        return "away"
    return "living" if participant.is_living else "registered"


def parsed(body: str) -> Any:
    """The JSON value that ``body`` is, or ``body`` itself when it is none that could be written again."""
    import json

    try:
        value = json.loads(body)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return body
    return value


def of_summary(summary: Summary, chars: int | None = None) -> dict[str, Any]:
    """A summary: the seed contract's keys, then what else is known. ``chars`` as for :func:`of_entry`."""
    missing = max(0, len(summary.text) - chars) if chars is not None else 0
    shown: dict[str, Any] = {
        "id": summary.number,
        "ts": summary.written.utc,
        "from": summary.author,
        "scope": summary.scope,
        "content": summary.text[:chars] if missing else summary.text,
    }
    optional = {
        "handle": summary.label if summary.number is None else None,
        "covers": summary.covered_hint,
        "more_characters": missing or None,
    }
    return shown | {key: value for key, value in optional.items() if value is not None}


def of_found(found: Found) -> dict[str, Any]:
    """What a search found; ``snippet`` is plain text."""
    return of_entry(found.entry, found.labels) | {"snippet": found.plain_snippet}


def of_status(status: Status) -> dict[str, Any]:
    """What is going on in a room: the seed contract's keys, then what else is known."""
    active = status.room.active_seconds
    return {
        "participant_count": len(status.participants),
        "message_count": status.message_count,
        "last_activity_ts": Moment(active).utc if active is not None else None,
        "room": of_overview(status.room),
        "participants": [of_participant(participant) for participant in status.participants],
        "unread_count": status.unread,
        "urgent_count": status.urgent_count,
        "urgent": [of_entry(entry, status.labels) for entry in status.urgent],
        "question_count": status.question_count,
        "questions": [of_entry(entry, status.labels) for entry in status.questions],
        "recent_messages": [of_entry(entry, status.labels) for entry in status.recent],
        "latest_summary": of_summary(status.summary) if status.summary is not None else None,
        "since_count": status.since,
        "other_rooms": [of_overview(room) for room in status.other_rooms],
        **of_pending(status.pending),
    } | ({"namesakes": list(status.namesakes)} if status.namesakes else {})


# --- a handoff in so many characters -----------------------------------------

_LEFT_CHARS = 40
"""What a key such as ``"since_left": 1234567`` takes at most."""


def of_handoff(handoff: Handoff, max_chars: int, dump: Dump) -> dict[str, Any]:
    """What somebody who comes back has to know, so that ``dump`` of it is at most ``max_chars`` long.

    The seed contract's keys, ``since`` (the oldest records that the summary does not cover, of
    which ``recent_messages`` repeats none), and where something is left out ``since_left`` and
    ``participants_left``. ``max_chars`` is at least 2,000.
    """
    from gitchat.verbs import budget

    people = [of_participant(participant) for participant in handoff.participants]
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
    if len(present) < len(people):
        shown["participants_left"] = len(people) - len(present)
    summary, since, recent = handoff.summary, handoff.since, handoff.recent
    plan = budget.plan(
        None if summary is None else budget.Item("", len(summary.text), _size(dump, partial(of_summary, summary))),
        [_item(dump, entry, handoff.labels) for entry in since],
        [_item(dump, entry, handoff.labels) for entry in recent],
        max_chars - len(dump(shown)) - _LEFT_CHARS,
        note=0,
        since_left=handoff.since_left,
    )
    if summary is not None and plan.summary is not None:
        shown["latest_summary"] = of_summary(summary, plan.summary)
    for key, entries, chars in (("since", since, plan.since), ("recent_messages", recent, plan.recent)):
        shown[key] = [of_entry(entry, handoff.labels, chars[entry.oid]) for entry in entries if entry.oid in chars]
    left = handoff.since_without(entry for entry in [*since, *recent] if entry.oid in plan.since | plan.recent)
    return shown | ({"since_left": left} if left else {})


def _same(form: dict[str, Any], chars: int) -> dict[str, Any]:
    return form


def _item(dump: Dump, entry: Entry, labels: Mapping[Uid, str]) -> Item:
    from gitchat.verbs.budget import Item

    return Item(entry.oid, len(entry.record.body), _size(dump, partial(of_entry, entry, labels)))


def _size(dump: Dump, form: Callable[[int], dict[str, Any]]) -> Callable[[int], int]:
    """How long the text of a form is in a list, with so many characters of its own text."""
    return lambda chars: len(dump(form(chars))) + len(", ")
