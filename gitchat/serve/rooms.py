"""REST for the page and for programs of our own: rooms, timelines, people, summaries, search, attachments.

Shapes are those of :mod:`gitchat.verbs.as_json`, without what tells a stranger about the server's machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import BaseRoute

from gitchat.index import search as text_search
from gitchat.index.condition import Condition
from gitchat.model.errors import FormatError, UserError
from gitchat.model.names import Name
from gitchat.model.record import Entry, Moment
from gitchat.serve.calls import Act, Call, Json, place_of, routes_of
from gitchat.serve.contract import OPERATIONS
from gitchat.serve.served import Served
from gitchat.verbs import as_json
from gitchat.verbs.room import Found, Room, Seen
from gitchat.workspace.environment import Environment

SEEN_SECONDS = 86400
"""How long after it was last seen somebody who is not here is still shown among the people."""

GUEST_ATTACHMENT_BYTES = 1024 * 1024
"""The largest file that a guest is given."""

URGENT = Condition("urgent = 1")

_PLACES = ("worktree", "host", "pid", "session", "waiting", "aside", "email")
"""Keys that tell of the server's machine, its remote or its people's addresses."""


def routes(served: Served) -> list[BaseRoute]:
    """The paths that the seed has not."""
    return routes_of(served, (one for one in OPERATIONS if not one.is_seeds), ACTS)


# --- rooms ------------------------------------------------------------------------------


async def rooms(call: Call) -> Json:
    """The rooms that the credentials are for, the most recently active first; what cannot be read comes last."""
    reader = call.reader()

    def act(environment: Environment) -> Json:
        name = environment.caller.name() if reader is None and call.actor.is_person else reader
        seen = [room for room in environment.store.rooms() if call.actor.sees(room)]
        listed = [_listed(Room(environment, room, name), name) for room in seen]
        listed.sort(key=lambda one: str(one["room"]))
        listed.sort(key=lambda one: str(one["active"] or ""), reverse=True)
        told = {"name": name, "guest": call.actor.is_guest, "writable": not call.actor.is_guest}
        return {"rooms": listed, "total": len(listed), **told}

    return await call.do(act, reader)


def _listed(chat: Room, name: Name | None) -> Json:
    try:
        shown = as_json.of_overview(chat.overview())
        return shown | (_progress(chat) if name is not None else {})
    except FormatError as error:
        return as_json.of_unreadable(chat.name, error)


def _progress(chat: Room) -> Json:
    """How far one has read a room."""
    far = chat.how_far(chat.me)
    urgent = chat.unread(0, matching=URGENT).left if far.unread else 0
    return {"unread": far.unread, "last_read_id": far.last_read, **({"urgent": urgent} if urgent else {})}


async def room(call: Call) -> Json:
    """A room: title, state, newest summary, people."""
    reader = call.reader()

    def act(environment: Environment) -> Json:
        chat, now = call.chat(environment, reader), environment.now().seconds
        summary = chat.summary()
        people = [_person(call, one) for one in chat.who() if _is_shown(one, now)]
        has_name = reader is not None or call.actor.is_person
        return {
            **as_json.of_overview(chat.overview()),
            **(_progress(chat) if has_name else {}),
            "summary": as_json.of_summary(summary) if summary is not None else None,
            "people": people,
        }

    return await call.do(act, reader)


def _is_shown(one: Seen, now: int) -> bool:
    return (one.participant is not None and one.participant.is_present) or now - one.last_seen < SEEN_SECONDS


def _person(call: Call, one: Seen) -> Json:
    holdings, known = call.hub.holdings, one.participant
    shown = as_json.of_presence(known) if known is not None else {"name": one.name, "state": "away"}
    label, spelled = holdings.label_of(one.name), holdings.spelled(one.name)
    optional = {
        "label": label if label != one.name else None,
        "spelled": spelled if spelled != one.name else None,
        "last_number": one.last_number,
        "read_upto": one.last_read if not call.actor.is_guest else None,
        "unread": one.unread if not call.actor.is_guest else None,
    }
    return _public(call, shown) | {"last_seen": Moment(one.last_seen).utc} | _telling(optional)


async def change(call: Call) -> Json:
    """Give a room a title or a state; begin it."""
    name, given = call.acting(), call.given
    if not given.keys() & {"title", "state"}:
        raise UserError("neither title nor state is given", hint="give one of them, or both", code="bad-argument")

    def act(environment: Environment) -> Json:
        chat = call.writing(environment, name, may_begin=True)
        return as_json.of_overview(chat.describe(title=given.get("title"), state=given.get("state")))

    return await call.do(act, name)


# --- records ----------------------------------------------------------------------------


async def timeline(call: Call) -> Json:
    """A part of a room's log: where one left off, or around, before or after a number, or a thread."""
    reader, given = call.reader(), call.given
    if len(given.keys() & {"before", "after", "at", "thread"}) > 1:
        raise UserError("before, after, at and thread are ways of their own", hint="give one", code="bad-argument")
    has_name = reader is not None or call.actor.is_person

    def act(environment: Environment) -> Json:
        chat = call.chat(environment, reader)
        reading = chat.unread(1) if has_name else None
        unread = reading.places[0].number if reading is not None and reading.places else None
        if "thread" in given:
            found = chat.thread(given["thread"])
            entries, labels, earlier, later = found.entries, found.labels, 0, 0
        else:
            window = _window(given, unread, call.limit)
            part = chat.stretch(**window, limit=call.limit)
            entries, labels, earlier, later = part.entries, part.labels, part.earlier, part.later
        return {
            "room": chat.name,
            "messages": [_public(call, as_json.of_entry(one, labels)) for one in entries],
            "latest_id": chat.overview().count,
            "last_read_id": reading.last_read if reading is not None else None,
            "first_unread_id": _place(reading.entries) if reading is not None else None,
            "more_before": earlier > 0,
            "more_after": later > 0,
        }

    return await call.do(act, reader)


def _window(given: Mapping[str, Any], unread: int | None, limit: int) -> dict[str, int]:
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
        told = {} if call.actor.is_guest else as_json.of_delivery(chat.delivery(entry))
        return _public(call, shown | told)

    return await call.do(act)


async def say(call: Call) -> Json:
    """Store a message, and give the record that it has become."""
    name, given = call.acting(), call.given

    def act(environment: Environment) -> Json:
        chat, content = call.writing(environment, name), given["content"]
        entry = chat.send(
            content,
            to=given.get("to", "all"),
            type=given.get("type"),
            reply_to=place_of(given["reply_to"]) if "reply_to" in given else None,
            urgent=given.get("priority") == "urgent",
            key=given.get("key"),
            media=None if isinstance(content, str) else "json",
        )
        return _public(call, as_json.of_entry(entry, chat.labels([entry])))

    return await call.do(act, name)


async def read_upto(call: Call) -> Json:
    """Mark records as read, and tell what is unread then."""
    name, given = call.acting(), call.given
    if not given.keys() & {"ids", "upto"}:
        raise UserError("nothing to mark is given", hint="give ids, or upto", code="bad-argument")

    def seen(environment: Environment) -> tuple[Room, list[Entry]]:
        chat = call.writing(environment, name)
        if "upto" in given:
            chat.set_cursor(place_of(given["upto"]))
        return chat, [chat.find(place) for place in given.get("ids", [])]

    chat, entries = await call.do(seen, name)
    me = chat.me
    if entries:
        await call.hub.mark(call.actor, me, chat.name, entries)
    reading = await call.hub.unread(call.actor, me, room=chat.name, limit=1)
    return {
        "name": me,
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


# --- summaries and search ----------------------------------------------------------------


async def summaries(call: Call) -> Json:
    """The newest summaries, the newest first."""

    def act(environment: Environment) -> Json:
        found = call.chat(environment).summaries(call.given.get("scope"), call.limit)
        return {"summaries": [as_json.of_summary(one) for one in reversed(found)], "total": len(found)}

    return await call.do(act)


async def sum_up(call: Call) -> Json:
    """Add a summary of what one has read."""
    name, given = call.acting(), call.given

    def act(environment: Environment) -> Json:
        chat = call.writing(environment, name)
        return as_json.of_summary(chat.summarize(given["content"], given.get("scope", "all")))

    return await call.do(act, name)


async def search(call: Call) -> Json:
    """Records that hold all of the words, in all rooms that the credentials are for; the best first."""

    def act(environment: Environment) -> Json:
        rooms = (
            [call.chat(environment)]
            if "room" in call.given
            else [Room(environment, room) for room in environment.store.rooms() if call.actor.sees(room)]
        )
        found = [one for chat in rooms for one in chat.search(call.given["q"], limit=call.limit)]
        found.sort(key=lambda one: one.rank)
        shown = [_public(call, as_json.of_found(one) | {"marked": _marked(one)}) for one in found[: call.limit]]
        return {"found": shown, "total": len(shown)}

    return await call.do(act)


def _marked(found: Found) -> list[list[str | bool]]:
    """The snippet in pieces, each with whether it is one of the words."""
    pieces: list[list[str | bool]] = []
    for part in found.snippet.split(text_search.BEGIN):
        word, end, rest = part.partition(text_search.END)
        pieces += [[word, True], [rest, False]] if end else [[word, False]]
    return [piece for piece in pieces if piece[0]]


# --- what is told to whom ----------------------------------------------------------------
def _public(call: Call, shown: Json) -> Json:
    """``shown`` without what only the server's own user may know."""
    return shown if call.actor.is_local else {key: value for key, value in shown.items() if key not in _PLACES}


def _telling(optional: Mapping[str, Any]) -> Json:
    return {key: value for key, value in optional.items() if value is not None}


ACTS: Mapping[str, Act] = {
    "rooms": rooms,
    "room": room,
    "change": change,
    "timeline": timeline,
    "record": record,
    "say": say,
    "attachment": attachment,
    "read_upto": read_upto,
    "summaries": summaries,
    "sum_up": sum_up,
    "search": search,
}
"""What answers each operation of the contract that the seed has not."""
