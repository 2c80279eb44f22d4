"""REST for the page and for programs of our own: rooms, timelines, people, summaries, search, attachments.

Shapes are those of :mod:`gitchat.verbs.as_json`, without what tells a stranger about the server's machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.routing import BaseRoute

from gitchat.index import search as text_search
from gitchat.index.condition import Condition
from gitchat.model.errors import ConflictError, FormatError, UserError
from gitchat.model.names import Name
from gitchat.model.record import Moment
from gitchat.serve import records
from gitchat.serve.calls import Act, Call, Json, routes_of
from gitchat.serve.contract import OPERATIONS
from gitchat.serve.records import public
from gitchat.serve.served import Served
from gitchat.verbs import as_json, people_json
from gitchat.verbs.conflictforms import of_conflicts
from gitchat.verbs.room import Found, Room, Seen
from gitchat.workspace.environment import Environment

SEEN_SECONDS = 86400
"""How long after it was last seen somebody who is not here is still shown among the people."""

MOST_QUESTIONS, QUESTION_CHARS = 5, 200
"""How many open questions are told, and how much of each."""

URGENT = Condition("urgent = 1")


def routes(served: Served) -> list[BaseRoute]:
    """The paths that the seed has not."""
    return routes_of(served, (one for one in OPERATIONS if not one.is_seeds), ACTS)


# --- rooms ------------------------------------------------------------------------------


async def rooms(call: Call) -> Json:
    """The rooms that the credentials are for, the most recently active first; what cannot be read comes last."""
    name = call.reader()

    def seen(environment: Environment) -> list[Json]:
        return [_overview(Room(environment, room)) for room in environment.store.rooms() if call.actor.sees(room)]

    listed = await call.do(seen, name)
    if name is not None:
        listed = [one | await _progress(call, name, one) for one in listed]
    listed.sort(key=lambda one: str(one["active"] or ""), reverse=True)
    told = {"name": name, "guest": call.actor.is_guest, "writable": not call.actor.is_guest}
    return {"rooms": listed, "total": len(listed), **told}


def _overview(chat: Room) -> Json:
    try:
        return as_json.of_overview(chat.overview())
    except (ConflictError, FormatError) as error:
        return as_json.of_unreadable(chat.name, error)


async def _progress(call: Call, name: Name, shown: Json) -> Json:
    """How far ``name`` has read the room that is ``shown``; nothing where that cannot be read."""
    if shown["status"] == "unreadable":
        return {}
    try:
        reading = await call.hub.unread(call.actor, name, room=shown["room"], limit=1)
    except ConflictError:  # still counting: how far it has read is not known yet
        return {}
    unread = reading.left + len(reading.entries)
    told = {"unread": unread, "last_read_id": reading.last_read}
    urgent = 0
    if unread:
        urgent = await call.do(
            lambda environment: Room(environment, shown["room"], name).unread(0, matching=URGENT).left
        )
    return told | ({"urgent": urgent} if urgent else {})


async def room(call: Call) -> Json:
    """A room: title, state, newest summary, people, and the newest questions that wait for who asks."""
    name = call.reader()

    def act(environment: Environment) -> Json:
        chat, now = call.chat(environment, name), environment.now().seconds
        summary = chat.summary()
        people = [_person(call, one) for one in chat.who(since=now - SEEN_SECONDS)]
        told: Json = {"summary": as_json.of_summary(summary) if summary is not None else None, "people": people}
        asked = chat.questions(MOST_QUESTIONS)[0] if name is not None else []
        if asked:
            labels = chat.labels(asked)
            told["questions"] = [public(call, as_json.of_entry(one, labels, QUESTION_CHARS)) for one in asked]
        return as_json.of_overview(chat.overview()) | told

    shown = await call.do(act, name)
    return shown | (await _progress(call, name, shown) if name is not None else {})


def _person(call: Call, one: Seen) -> Json:
    known = one.participant
    shown = people_json.of_presence(known, is_public=True) if known is not None else {"name": one.name}
    shown |= {"state": people_json.state_of_seen(one)}
    if shown["state"] == "elsewhere":  # what it was here is over
        shown |= {"role": one.elsewhere[0].role} | _telling({"client": one.elsewhere[0].client})
    is_told = not call.actor.is_guest
    optional = {
        "last_number": one.last_number,
        "read_upto": one.last_read if is_told else None,
        "unread": one.unread if is_told else None,
        "claims": list(one.claims) or None,
        **of_conflicts(one.conflicts, one.name),
    }
    return shown | {"last_seen": Moment(one.last_seen).utc} | _telling(optional)


async def change(call: Call) -> Json:
    """Give a room a title or a state; begin it."""
    name, given = call.acting(), call.given
    if not given.keys() & {"title", "state"}:
        raise UserError("neither title nor state is given", hint="give one of them, or both", code="bad-argument")

    def act(environment: Environment) -> Json:
        chat = call.writing(environment, name, may_begin=True)
        return as_json.of_overview(chat.describe(title=given.get("title"), state=given.get("state")))

    return await call.do(act, name)


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
        shown = [public(call, as_json.of_found(one) | {"marked": _marked(one)}) for one in found[: call.limit]]
        return {"found": shown, "total": len(shown)}

    return await call.do(act)


def _marked(found: Found) -> list[list[str | bool]]:
    """The snippet in pieces, each with whether it is one of the words."""
    pieces: list[list[str | bool]] = []
    for part in found.snippet.split(text_search.BEGIN):
        word, end, rest = part.partition(text_search.END)
        pieces += [[word, True], [rest, False]] if end else [[word, False]]
    return [piece for piece in pieces if piece[0]]


def _telling(optional: Mapping[str, Any]) -> Json:
    return {key: value for key, value in optional.items() if value is not None}


ACTS: Mapping[str, Act] = {
    **records.ACTS,
    "rooms": rooms,
    "room": room,
    "change": change,
    "summaries": summaries,
    "sum_up": sum_up,
    "search": search,
}
"""What answers each operation of the contract that the seed has not."""
