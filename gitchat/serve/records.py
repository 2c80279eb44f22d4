"""Records of a room, for the page and for programs of our own: timelines, single ones, files; saying and marking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from gitchat.index.condition import LISTED, Condition
from gitchat.model.errors import ConflictError, UserError
from gitchat.model.names import EVERYBODY, Name, RoomName, Uid
from gitchat.model.query import Query
from gitchat.model.record import Entry
from gitchat.serve.calls import Act, Call, Json
from gitchat.serve.entering import place_of, post
from gitchat.serve.frontier import key_of
from gitchat.verbs import as_json, at_json
from gitchat.verbs.room import Reading, Room
from gitchat.workspace.environment import Environment

GUEST_ATTACHMENT_BYTES = 1024 * 1024
"""The largest file that a guest is given."""

REPLIED_CHARS = 200
"""How much a timeline shows of what a record answers."""

_PLACES = ("worktree", "host", "pid", "session", "waiting", "aside", "email")
"""Keys that tell of the server's machine, its remote or its people's addresses."""


def public(call: Call, shown: Json) -> Json:
    """``shown`` without what only the user whose process serves may know."""
    return shown if call.actor.is_local else {key: value for key, value in shown.items() if key not in _PLACES}


async def timeline(call: Call) -> Json:
    """A part of a room's log: where one left off, or around, before or after a number, or a thread."""
    reader, given = call.reader(), call.given
    if len(given.keys() & {"before", "after", "at", "thread"}) > 1:
        raise UserError("before, after, at and thread are ways of their own", hint="give one", code="bad-argument")
    room = await call.do(lambda environment: call.chat(environment).name)
    try:
        return await _timeline(call, reader, room)
    except ConflictError as error:
        if error.code != "still-counting" or given.keys() & {"before", "after", "at", "thread"}:
            raise
        return await call.do(lambda environment: _newest(call, call.chat(environment)))


def _newest(call: Call, chat: Room) -> Json:
    """The end of a log whose messages are still being counted: who reads comes back for more, and for its place."""
    found = chat.records.listing(Query(), call.limit, waits=False)
    return {
        "room": chat.name,
        "messages": [
            public(call, as_json.of_entry(one, found.labels, call.given.get("chars"))) for one in found.entries
        ],
        "latest_id": next((one.number for one in reversed(found.entries) if one.number is not None), 0),
        "last_read_id": None,
        "first_unread_id": None,
        "more_before": False,
        "more_after": False,
        "counting": True,
    }


async def _timeline(call: Call, reader: Name | None, room: RoomName) -> Json:
    given = call.given
    reading = await call.hub.unread(call.actor, reader, room=room, limit=1) if reader is not None else None
    unread = reading.places[0].number if reading is not None and reading.places else None

    def act(environment: Environment) -> Json:
        chat = call.chat(environment, reader)
        if "thread" in given:
            found = chat.thread(given["thread"])
            entries, labels, more = found.entries, found.labels, (False, False)
        else:
            condition = LISTED
            if "file" in given:
                condition = Condition.all_of([LISTED, chat.about(given["file"], is_elsewhere=True)])
            window = _window(given, None if "file" in given else unread, call.limit)
            part = chat.stretch(**window, condition=condition, limit=call.limit)
            entries, labels, more = part.entries, part.labels, (part.has_earlier, part.has_later)
        return {
            "room": room,
            "messages": _listed(call, chat, entries, labels),
            "latest_id": chat.overview().count,
            "last_read_id": reading.last_read if reading is not None else None,
            "first_unread_id": _place(reading.entries) if reading is not None else None,
            "more_before": more[0],
            "more_after": more[1],
        }

    return await call.do(act, reader)


def _listed(call: Call, chat: Room, entries: Sequence[Entry], labels: Mapping[Uid, str]) -> list[Json]:
    """The records as a timeline shows them: each with the beginning of what it answers."""
    known = {entry.record.uid: entry for entry in entries}
    missing = {entry.record.reply_to for entry in entries if entry.record.reply_to} - known.keys()
    if missing:
        places = chat.records.chain().numbered({uid for uid in missing if uid is not None})
        known |= {uid: chat.records.entry_at(*place) for uid, place in places.items()}
    listed = []
    for entry in entries:
        shown = public(call, as_json.of_entry(entry, labels, call.given.get("chars")))
        answered = known.get(entry.record.reply_to) if entry.record.reply_to else None
        if answered is not None:
            shown["replied"] = {"from": answered.record.author, "content": answered.record.body[:REPLIED_CHARS]}
        listed.append(shown)
    return listed


def _window(given: Mapping[str, Any], unread: int | None, limit: int) -> dict[str, Any]:
    """Which part is asked for, as Room.stretch takes it."""
    if "at" in given:
        return {"at": given["at"], "lead": limit // 2}
    found = {key: given[key] for key in ("before", "after") if key in given}
    return found or ({"at": unread, "lead": limit // 3} if unread is not None else {})


def _place(entries: list[Entry]) -> int | str | None:
    """Where the first of ``entries`` stands: its number, or its handle while it has none."""
    return (entries[0].number or entries[0].handle) if entries else None


async def record(call: Call) -> Json:
    """One record, and where it has got to."""

    def act(environment: Environment) -> Json:
        chat = call.chat(environment)
        entry = chat.find(call.given["place"])
        shown = as_json.of_entry(entry, chat.labels([entry]))
        shown |= at_json.beside(chat.places(entry, is_elsewhere=True), with_excerpt=True)
        told = {} if call.actor.is_guest else as_json.of_delivery(chat.delivery(entry))
        return public(call, shown | told)

    return await call.do(act)


async def say(call: Call) -> Json:
    """Store a message, and give the record that it has become."""
    name, given = call.acting(), call.given

    def act(environment: Environment) -> Json:
        chat = call.writing(environment, name)
        entry = post(chat, {"to": EVERYBODY, **given, "message": given["content"]})
        call.wrote(entry)
        return public(call, as_json.of_entry(entry, chat.labels([entry])))

    return await call.do(act, name)


async def read_upto(call: Call) -> Json:
    """Mark records as read, and tell what is unread then."""
    name, given = call.acting(), call.given
    if not given.keys() & {"ids", "upto"}:
        raise UserError("nothing to mark is given", hint="give ids, or upto", code="bad-argument")

    def seen(environment: Environment) -> tuple[RoomName | None, Reading]:
        chat = call.writing(environment, name)
        if "upto" in given:
            chat.set_cursor(place_of(given["upto"]))
        keys = [key_of(chat.find(place)) for place in given.get("ids", [])]
        is_marked = bool(keys) and chat.why_not_mark() is None
        if is_marked:
            call.hub.positions.had(call.actor, (chat.name, name), keys, monotonic())
        return chat.name if is_marked else None, call.hub.positions.unread(chat, 1)

    # One turn of the worker for all three: a page says what stands on its screen every two seconds.
    room, reading = await call.do(seen, name)
    if room is not None:
        call.hub.tell_read(name, room)
    return {
        "name": name,
        "last_read_id": reading.last_read,
        "first_unread_id": _place(reading.entries),
        "unread": reading.left + len(reading.entries),
    }


async def attachment(call: Call) -> Response:
    """The bytes of a file that a record carries: to be saved, never shown or run."""
    wanted = call.given["name"]

    def act(environment: Environment) -> bytes:
        entry = call.chat(environment).find(call.given["place"])
        sound = [one for one in entry.attachments if one.name == wanted and one.problem is None]
        if not sound:
            raise UserError(
                f"{entry.label} carries no file {wanted!r}", hint="its attachments tell which", code="no-such-file"
            )
        if call.actor.is_guest and (sound[0].size_bytes or 0) > GUEST_ATTACHMENT_BYTES:
            raise UserError(
                "guests are given files of up to 1 MiB", hint="ask who runs the server for a token", code="guest"
            )
        return environment.store.read_blob(sound[0].oid)

    content = await call.do(act)
    return Response(
        content,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(wanted, safe='')}",
            "Content-Security-Policy": "sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


ACTS: Mapping[str, Act] = {
    "timeline": timeline,
    "record": record,
    "say": say,
    "attachment": attachment,
    "read_upto": read_upto,
}
"""What answers the operations of the contract that are about records."""
