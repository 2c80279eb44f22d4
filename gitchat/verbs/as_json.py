"""The JSON forms of what a room holds: the same on the command line, in Python and over MCP.

Pure. Keys that the seed contract does not know appear only when they carry something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitchat.model.errors import ChatError
from gitchat.model.escape import looks_like
from gitchat.model.names import RoomName, Uid, handle_of
from gitchat.model.question import CHOICE, choices_of
from gitchat.model.record import AT, MESSAGE, Entry, Moment
from gitchat.verbs.conflictforms import of_conflicts
from gitchat.verbs.pending import of_asides, of_pending
from gitchat.verbs.people_json import of_participant

if TYPE_CHECKING:  # SQLite comes with them, and a plain send or log does without
    from gitchat.model.claim import Claim, Standing
    from gitchat.rooms.log import Overview
    from gitchat.rooms.summaries import Summary
    from gitchat.verbs.views import Delivery, Found, Status


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
    choices = choices_of(record)
    known = {AT, CHOICE} if choices else {AT}
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
        "work": record.work,
        "clone": record.clone,
        "origin": record.origin,
        "media": record.media,
        "attachments": _attachments(entry) or None,
        "at": _at(entry),
        "aside": _aside(entry),
        "choices": list(choices) or None,
        "hidden": record.hidden,
        "trailers": [list(pair) for pair in record.extra if pair[0] not in known] or None,
        "more_characters": missing or None,
        "looks_like": looks_like(record.author),
    }
    return shown | {key: value for key, value in optional.items() if value is not None}


def _at(entry: Entry) -> list[dict[str, Any]] | None:
    if not entry.record.at:
        return None
    from gitchat.verbs import at_json  # for who says something about code

    return at_json.of_record(entry.record) or None


def _aside(entry: Entry) -> dict[str, Any] | None:
    if entry.aside is None:
        return None
    return {"remote": entry.aside.remote, "why": entry.aside.why, "since": Moment(entry.aside.since).utc}


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


def of_short_summary(summary: Summary) -> dict[str, Any]:
    """As short as the tools give it: ``id``, ``ts``, ``from``, ``scope``, ``content``."""
    return {
        "id": summary.number,
        "ts": summary.written.utc,
        "from": summary.author,
        "scope": summary.scope,
        "content": summary.text,
        **({"handle": summary.label} if summary.number is None else {}),
        **({"looks_like": alike} if (alike := looks_like(summary.author)) is not None else {}),
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
        "looks_like": looks_like(summary.author),
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
        **of_asides(status.asides),
        **({"namesakes": list(status.namesakes)} if status.namesakes else {}),
        **({"claims": list(map(of_claim, claims))} if (claims := [*status.claims, *status.meeting]) else {}),
        **of_conflicts(status.conflicts, status.me),
        **({"base": status.behind.form} if status.behind is not None else {}),
        **({"conflicts_not_looked": status.not_looked} if status.not_looked is not None else {}),
    }


def of_ended(claim: Claim) -> dict[str, Any]:
    """A claim as its record tells it: ``id``, ``handle``, ``from``, ``clone``, ``what``, ``until``, ``note``."""
    from gitchat.verbs.claimwords import note_of  # for who claims

    return {
        "id": claim.entry.number,
        "handle": claim.entry.handle,
        "from": claim.seat.name,
        "clone": claim.seat.clone,
        "what": [str(what) for what in claim.whats],
        "until": Moment(claim.until).utc,
        "note": note_of(claim),
    }


def of_claim(standing: Standing) -> dict[str, Any]:
    """A claim that holds or waits; one that the room's remote has not taken is not yet agreed."""
    claim, blocker = standing.claim, standing.waits_for
    return (
        of_ended(claim)
        | {
            "state": "waits" if blocker is not None else "holds" if claim.is_agreed else "unagreed",
            "waits_for": blocker.entry.handle if blocker is not None else None,
        }
        | ({"waits_for_id": blocker.entry.number, "waits_for_name": blocker.seat.name} if blocker is not None else {})
    )
