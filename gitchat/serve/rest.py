"""REST as the seed has it: agents that register, send, list each other and fetch what reached them.

Source: docs/seeds.md, which goes through that seed line by line; the shapes are in :mod:`gitchat.serve.contract`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gitchat import __version__
from gitchat.index.condition import LISTED, Condition
from gitchat.model.errors import UserError
from gitchat.model.names import Name, RoomName, Uid
from gitchat.model.participant import Participant
from gitchat.model.record import Entry, Moment
from gitchat.serve import openapi
from gitchat.serve.calls import Act, Call, Json, routes_of
from gitchat.serve.contract import OPERATIONS
from gitchat.serve.entering import is_heartbeat, place_of, post
from gitchat.serve.frames import frame_of
from gitchat.serve.handing import Reader, Record, Subscription
from gitchat.serve.joining import Joined
from gitchat.serve.served import Served
from gitchat.workspace.environment import Environment

ACTIVE_SECONDS = 90
"""How long after its last request an agent counts as here."""

PENDING_SECONDS = 1.0
"""How long a request that waits is held when all that it would get are messages that wait for their numbers."""

LISTED_SECONDS = 86400
"""How long after it was last seen an agent that did not leave is still listed, as away."""

PUBLIC_SESSION_CHARS = 8
"""How much of a session's id others are shown."""


def routes(served: Served) -> list[BaseRoute]:
    """The paths of the seed, and the contract of all."""
    contract = json.dumps(openapi.document(__version__), separators=(",", ":")).encode()

    async def told(request: Request) -> Response:
        return Response(contract, media_type="application/json")

    of_seed = (one for one in OPERATIONS if one.is_seeds)
    return [Route(openapi.PATH, told), *routes_of(served, of_seed, ACTS)]


# --- agents -----------------------------------------------------------------------------


async def register(call: Call) -> Json:
    """Join the room, and answer who else is there."""
    given, name = call.given, call.acting("agent_id")
    room = await call.do(lambda environment: call.chat(environment, name).name)
    await call.hub.holdings.join(
        call.actor, name, room,
        role=given.get("role", "general"),
        capabilities=given.get("capabilities", ()),
        label=given.get("name", ""),
        given=given["agent_id"],
        session_id=given["session_id"],
    )  # fmt: skip
    agents = await call.do(lambda environment: _agents(call, environment), name)
    peers = [{key: one[key] for key in ("agent_id", "name", "status")} for one in agents]
    own = call.hub.holdings.spelled(name)
    return {
        "success": True,
        "agent_id": own,
        "websocket_url": f"/ws/{own}",
        "peers": [peer for peer in peers if peer["agent_id"] != own],
    }


async def agents(call: Call) -> Json:
    """Who is here, or was within a day and did not leave."""
    found = await call.do(lambda environment: _agents(call, environment))
    wanted = call.given.get("status")
    shown = [one for one in found if wanted in (None, one["status"])]
    return {"agents": shown, "total": len(shown)}


async def leave(call: Call) -> Json:
    """Be in no room any more; in which it was."""
    name = call.acting("agent_id")
    spelled = call.hub.holdings.spelled(name)

    def rooms(environment: Environment) -> list[RoomName]:
        known = environment.roll.find(name)
        return [room for room, at in known.rooms.items() if at.left_at is None] if known else []

    seen = [room for room in await call.do(rooms) if call.actor.sees(room)]
    left = [room for one in seen for room in await call.hub.holdings.leave(call.actor, name, one)]
    return {"success": True, "agent_id": spelled, "left": sorted(left)}


def _agents(call: Call, environment: Environment) -> list[Json]:
    chat, now = call.chat(environment), environment.now().seconds
    shown = [_agent(call, one, now) for one in call.hub.people.known(chat.name) if _is_listed(one, now)]
    return sorted(shown, key=lambda one: str(one["agent_id"]))


def _is_listed(one: Participant, now: int) -> bool:
    return one.is_present or (one.left_at is None and now - one.last_seen < LISTED_SECONDS)


def _agent(call: Call, one: Participant, now: int) -> Json:
    holdings, holder = call.hub.holdings, one.holder
    joined, silent = holdings.joined(one.name), holdings.seen_ago(one.name)
    seen = max(one.last_seen, now - int(silent)) if silent is not None else one.last_seen
    return {
        "agent_id": (holder.given if holder is not None else None) or holdings.spelled(one.name),
        "session_id": _session(call, joined),
        "name": (holder.label if holder is not None else None) or holdings.label_of(one.name),
        "status": "active" if one.is_living or now - seen < ACTIVE_SECONDS else "away",
        "capabilities": list(one.capabilities),
        "last_heartbeat": Moment(seen).utc,
        **({"role": one.role} if one.role else {}),
    }


def _session(call: Call, joined: Joined | None) -> str | None:
    """What an agent calls its session: whole for its owner, a beginning for others, who could not use it anyway."""
    if joined is None or joined.session_id is None:
        return None
    is_told = joined.key == call.actor.key or call.actor.is_admin
    return joined.session_id if is_told else joined.session_id[:PUBLIC_SESSION_CHARS]


# --- messages ---------------------------------------------------------------------------


async def send(call: Call) -> Json:
    """Store a message; a heartbeat only says that its sender is here."""
    name, given = call.acting("from"), call.given

    def beat(environment: Environment) -> Json:
        chat, now = call.writing(environment, name), environment.now()
        environment.roll.touch(name, chat.name, now.seconds)
        return {"success": True, "message_id": None, "timestamp": now.utc}

    def act(environment: Environment) -> Json:
        entry = post(call.writing(environment, name), given)
        call.wrote(entry)
        stored = {"success": True, "message_id": entry.number, "timestamp": entry.record.written.utc}
        return stored | ({"handle": entry.handle} if entry.number is None else {})

    return await call.do(beat if is_heartbeat(given) else act, name)


async def messages(call: Call) -> Json | Response:
    """What reached an agent, or was said in the room; with ``wait`` as soon as there is something. Marks nothing."""
    given, name = call.given, call.reader("agent_id")
    since, is_unread, seconds = given.get("since_id"), given.get("unread", False), given.get("wait")
    if is_unread and (name is None or since is not None):
        raise _refused("unread is of an agent, and needs no number", "give agent_id, and no since_id")
    if seconds is not None and since is None and not is_unread:
        raise _refused("wait needs to know after what", "give since_id, the last id that you have, or unread=true")
    if "at" in given and (is_unread or seconds is not None):
        raise _refused("at is for what was said already", "leave unread and wait out")
    if name is not None:
        call.served.rates.spend(name)

    def reached(environment: Environment) -> Json:
        chat = call.chat(environment, name)
        condition = LISTED if name is None else chat.visible(with_own=False)
        if "at" in given:
            condition = Condition.all_of([condition, chat.about(given["at"], is_elsewhere=True)])
        found = chat.stretch(after=since, condition=condition, limit=call.limit)
        count = chat.records.chain().count_of
        more = count(condition, after=since or 0) - len(found.entries) if found.has_later else 0
        return _shown(call, found.entries, found.labels, more)

    async def look() -> Json:
        if not (is_unread and name is not None):
            return await call.do(reached)
        room = await call.room(name)
        reading = await call.hub.unread(call.actor, name, room=room, limit=call.limit)
        return _shown(call, reading.entries, reading.labels, reading.left)

    if not seconds:
        call.touch(name)
        return await look()
    room = await call.room(name)
    async with AsyncExitStack() as stack:
        stack.enter_context(call.served.rates.waiting(name or Name(call.actor.key)))
        # It begins to listen before it looks, so that nothing falls between.
        coming = stack.enter_context(call.hub.subscribe(Reader(name, frozenset([room]), is_all=name is None)))
        if name is not None and call.hub.holdings.actor_may(call.actor, name):
            await stack.enter_async_context(call.hub.holdings.staying(call.actor, name))
        had = call.hub.recent.after(room, since, coming.reader) if since is not None else None
        if had:
            return _told(call, had)
        found = _shown(call, [], {}, 0) if had is not None else await look()
        if not found["messages"]:
            return await _waited(call, coming, since or 0, seconds)
        if since is not None and all(one["id"] is None for one in found["messages"]):
            # It stands behind every number, so that who asks for what is after one would ask again and again at once.
            await coming.something(min(seconds, PENDING_SECONDS))
            return await look()
        return found


async def _waited(call: Call, coming: Subscription, since: int, seconds: float) -> Response:
    """What is handed over while there was nothing."""
    end = monotonic() + seconds
    leaving = asyncio.ensure_future(call.when_gone(coming.close))
    came: list[Record] = []
    try:
        while not came and await coming.something(max(0.0, end - monotonic())):
            records = [one for one in coming.taken() if isinstance(one, Record)]
            came = [one for one in records if one.entry.number is None or one.entry.number > since]
    finally:
        leaving.cancel()
    return _told(call, came)


def _told(call: Call, records: Sequence[Record]) -> Response:
    """An answer with what was made into text once for all who wait."""
    shown, more = records[: call.limit], len(records[call.limit :])
    ending = (f',"more":{more}' if more else "") + ("" if records else ',"timed_out":true')
    texts = ",".join(one.frame for one in shown)
    return Response(f'{{"messages":[{texts}],"total":{len(shown)}{ending}}}', media_type="application/json")


async def mark(call: Call) -> Json:
    """Mark what reached the agent up to a number as read."""
    name = call.acting("agent_id")
    upto = place_of(call.given["upto"])
    last = await call.do(lambda environment: call.writing(environment, name).set_cursor(upto), name)
    return {"success": True, "agent_id": call.hub.holdings.spelled(name), "last_read_id": last}


def _shown(call: Call, entries: Sequence[Entry], labels: Mapping[Uid, str], more: int) -> Json:
    frames = [frame_of(one, labels, call.hub.holdings.spelled) for one in entries]
    return {"messages": frames, "total": len(frames), **({"more": more} if more else {})}


def _refused(message: str, hint: str) -> UserError:
    return UserError(message, hint=hint, code="bad-argument")


ACTS: Mapping[str, Act] = {
    "register": register,
    "send": send,
    "messages": messages,
    "mark": mark,
    "agents": agents,
    "leave": leave,
}
"""What answers each operation of the contract that the seed has."""
