"""The tools of agent-chat as Python functions, over a room in a git repository.

    import gitchat.tools as s
    s.join("alice"); s.send_message("alice", "hello"); s.read_unread("alice")

Names, positions, defaults, keys and error texts are agent-chat's; what is new stands
behind them, and a key it does not know appears only when it carries something. The
repository is the one of the current directory. A process is one participant: after it
joined, it can only look under other names; before that it may use any name that no other
living process holds. One thread calls at a time.

Everything is checked here, so that every face refuses the same things in the same words:
texts are stripped, what is out of range or of another type is refused (arguments.py).
Errors are :class:`gitchat.model.errors.ChatError`; those about arguments are also ValueError.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gitchat.index.condition import LISTED, Condition, authored_by, of_type, visible_to
from gitchat.index.query import Query
from gitchat.model.errors import UserError
from gitchat.model.names import EVERYBODY, Handle, parse_locator, parse_name, parse_slug
from gitchat.model.participant import Participant
from gitchat.model.record import Entry
from gitchat.rooms.summaries import EVERYONE, Summary
from gitchat.verbs import as_json
from gitchat.verbs.room import Reading, Room
from gitchat.workspace.arguments import checked, refusal, refuse_blank, refuse_negative, refuse_outside
from gitchat.workspace.environment import Environment, here

Json = dict[str, Any]
Content = str | Json | list[Any]
Place = int | str
"""A number, or a handle such as ``~k3f9q2`` for what has no number yet."""

MAX_LIMIT = 100
MAX_WAIT_SECONDS = 1500
"""Shorter than the half hour after which clients give up on a silent call."""


# --- participants ------------------------------------------------------------


@checked
def join(name: str, role: str = "general", room: str = "", since: str = "") -> list[Json]:
    """Live in the room under ``name`` while this process runs; who is here, sorted by name.

    Again: updates the role. ``since="now"`` takes all that was said so far for read.

    Raises:
        UserError: ``name-taken`` while another process lives under the name.
    """
    chat = _room(name, room)
    if since not in ("", "now", "beginning"):
        raise refusal("since must be 'now' or 'beginning'", "leave it out to read from the beginning")
    return [_participant(one) for one in chat.join(role, since_now=since == "now")]


@checked
def leave(name: str, room: str = "") -> Json:
    """Leave the room, and say so in it when the name was there."""
    return {"left": _acting(name, room).leave()}


@checked
def list_participants(room: str = "") -> list[Json]:
    """Who is here, sorted by name: ``name``, ``role``, ``joined_at``, ``last_seen``."""
    return [_participant(one) for one in looking(room).participants()]


# --- messages ----------------------------------------------------------------


@checked
def send_message(
    name: str,
    content: Content,
    to: str = EVERYBODY,
    room: str = "",
    type: str = "",  # noqa: A002 - the field's name in every face
    reply_to: Place | None = None,
    priority: str = "",
    key: str = "",
) -> Json:
    """Send a message and return its ``id``: it is stored for good.

    ``to`` is ``all``, a name, ``role:...``, or several of them with commas. ``content`` may be JSON. Sending
    again with the same ``key`` adds nothing.
    """
    chat = _acting(name, room)
    if isinstance(content, str):
        refuse_blank(content, "content")
    recipients = [part.strip() for part in refuse_blank(to, "to").split(",")]
    if priority not in ("", "normal", "urgent"):
        raise refusal("priority must be 'normal' or 'urgent'", "leave it out for a normal message")
    entry = chat.send(
        content, to=recipients, type=type or None, reply_to=reply_to, urgent=priority == "urgent", key=key or None,
    )  # fmt: skip
    return _acknowledged(entry)


@checked
def read_messages(
    since_id: Place = 0,
    limit: int = 50,
    participant: str = "",
    room: str = "",
    type: str = "",  # noqa: A002
    sender: str = "",
    query: str = "",
) -> list[Json]:
    """The oldest ``limit`` records after ``since_id``, ascending; never marks anything.

    ``since_id`` may be greater than every number. With ``participant`` only what is for it or for all. With
    ``query`` the ``limit`` best of those whose text holds all its words.
    """
    chat = looking(room)
    after = _number(chat, since_id, "since_id")
    _check_limit(limit, "limit")
    conditions = [LISTED, *_filters(type, sender)]
    if participant:
        conditions.append(visible_to([parse_slug(participant, "participant")], with_status=True))
    if query:
        conditions.append(
            Condition("number > ?", (min(after, chat.overview().count),))
        )  # pending ones are always later
        found = chat.search(query, among=Condition.all_of(conditions), limit=limit)
        entries = sorted((hit.entry for hit in found), key=lambda entry: (entry.number is None, entry.number or 0))
    else:
        entries = chat.after(after, Condition.all_of(conditions), limit)
    return _messages(chat, entries)


@checked
def read_unread(
    name: str,
    limit: int = 50,
    mark_read: bool = True,
    room: str = "",
    type: str = "",  # noqa: A002
    sender: str = "",
    wait_seconds: float = 0,
    max_chars: int = 0,
) -> Json:
    """What ``name`` has not read, oldest first; marks what it returns, and nothing else.

    ``wait_seconds`` waits until somebody else writes when there is nothing; own messages are then left out.
    ``type`` and ``sender`` make it a look that marks nothing. ``max_chars`` of JSON are returned at most, but
    always one record, whole.

    Besides ``name``, ``last_read_id`` and ``messages``, where there is something to tell: ``more`` (how many are
    left), ``statuses`` (how many records there were that tell what happened), ``not_marked`` (why), ``timed_out``.
    """
    return begin_read_unread(name, limit, mark_read, room, type, sender, wait_seconds, max_chars).run()


@checked
def check_in(
    name: str,
    content: Content = "",
    to: str = EVERYBODY,
    wait_seconds: float = 0,
    limit: int = 50,
    room: str = "",
    type: str = "",  # noqa: A002
    reply_to: Place | None = None,
    max_chars: int = 0,
) -> Json:
    """Send ``content``, if there is any, and read what others wrote, in one call; marks what it returns.

    Gives what :func:`read_unread` gives, and ``sent``: the id, if something was sent.
    """
    return begin_check_in(name, content, to, wait_seconds, limit, room, type, reply_to, max_chars).run()


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that may have to wait. A face that waits in its own way asks ``is_over``, and then for the ``answer``."""

    chat: Room
    wait_seconds: float
    is_over: Callable[[], bool]
    """Whether there is something from somebody else; never whether the time is up."""
    answer: Callable[[bool], Json]
    """The result; the argument says that the time was up."""

    def run(self) -> Json:
        """Wait here, as long as the caller asked for."""
        timed_out = self.wait_seconds > 0 and not self.chat.wait(self.wait_seconds, self.is_over)
        return self.answer(timed_out)


@checked
def begin_read_unread(
    name: str,
    limit: int = 50,
    mark_read: bool = True,
    room: str = "",
    type: str = "",  # noqa: A002
    sender: str = "",
    wait_seconds: float = 0,
    max_chars: int = 0,
) -> Begun:
    """:func:`read_unread` up to where it may wait."""
    chat = _room(name, room)
    _check_reading(limit, wait_seconds, max_chars)
    filters = _filters(type, sender)
    matching = Condition.all_of(filters) if filters else None

    def answer(timed_out: bool) -> Json:
        reading = chat.unread(limit, with_own=not wait_seconds, matching=matching)
        return _read(chat, reading, mark_read, max_chars, timed_out)

    return Begun(chat, wait_seconds, lambda: bool(chat.unread(1, matching=matching).entries), answer)


@checked
def begin_check_in(
    name: str,
    content: Content = "",
    to: str = EVERYBODY,
    wait_seconds: float = 0,
    limit: int = 50,
    room: str = "",
    type: str = "",  # noqa: A002
    reply_to: Place | None = None,
    max_chars: int = 0,
) -> Begun:
    """:func:`check_in` up to where it may wait: the message is sent."""
    chat = _acting(name, room)
    _check_reading(limit, wait_seconds, max_chars)
    sent: Json = {}
    if not isinstance(content, str) or content:
        sent = {"sent": send_message(name, content, to, room, type, reply_to)["id"]}

    def answer(timed_out: bool) -> Json:
        return sent | _read(chat, chat.unread(limit), True, max_chars, timed_out)

    return Begun(chat, wait_seconds, lambda: bool(chat.unread(1).entries), answer)


@checked
def get_status(room: str = "") -> Json:
    """``participant_count``, ``message_count``, ``last_activity_ts`` (null in an empty room)."""
    chat = looking(room)
    newest = chat.log(Query(), 1).entries
    return {
        "participant_count": len(chat.participants()),
        "message_count": chat.message_count(),
        "last_activity_ts": newest[0].record.written.utc if newest else None,
    }


# --- cursors -----------------------------------------------------------------


@checked
def get_cursor(name: str, room: str = "") -> Json:
    """``name`` and ``last_read_id``: 0 before anything was marked."""
    chat = _room(name, room)
    return {"name": chat.me, "last_read_id": chat.cursor()}


@checked
def set_cursor(name: str, message_id: Place, room: str = "") -> Json:
    """Mark everything up to ``message_id``; a cursor never moves back."""
    chat = _room(name, room)
    number = _number(chat, message_id, "message_id")
    if number > chat.overview().count:
        raise refusal("message_id cannot exceed the latest message id", f"the latest is {chat.overview().count}")
    _refuse_other(chat)
    return {"name": chat.me, "last_read_id": chat.set_cursor(number)}


# --- summaries and handoff ---------------------------------------------------


@checked
def write_summary(name: str, content: str, scope: str = EVERYONE, room: str = "") -> Json:
    """Add a summary for who comes later, and return its ``id``; while it is pending null, and its ``handle``."""
    summary = _acting(name, room).summarize(refuse_blank(content, "content"), refuse_blank(scope, "scope"))
    return {"id": summary.number} | ({"handle": summary.label} if summary.number is None else {})


@checked
def read_latest_summary(scope: str = EVERYONE, room: str = "") -> Json | None:
    """The newest summary of exactly this scope: ``id``, ``ts``, ``from``, ``scope``, ``content``; or null."""
    return _summary(looking(room).summary(refuse_blank(scope, "scope")))


@checked
def get_handoff(name: str = "", recent_limit: int = 10, room: str = "") -> Json:
    """What somebody who comes back has to know; marks nothing.

    ``participants``, ``latest_message_id``, ``cursor``, ``unread_count``, ``latest_summary`` (for all, or for
    ``name``), ``recent_messages`` (for all, or for ``name``). Without a name cursor and count are null.
    """
    chat = _room(name, room) if name else looking(room)
    _check_limit(recent_limit, "recent_limit")
    handoff = chat.handoff(recent=recent_limit, since=0, with_name=bool(name))
    return {
        "participants": [_participant(one) for one in handoff.participants],
        "latest_message_id": handoff.room.count,
        "cursor": handoff.last_read,
        "unread_count": handoff.unread,
        "latest_summary": _summary(handoff.summary),
        "recent_messages": _messages(chat, handoff.recent),
    }


# --- rooms -------------------------------------------------------------------


@checked
def list_rooms(name: str = "", status: str = "open") -> list[Json]:
    """The rooms here, the most recently active first; with ``name`` also what is unread in each."""
    if status not in ("open", "closed", "all"):
        raise refusal("status must be 'open', 'closed' or 'all'", "leave it out for open rooms")
    me = parse_name(name) if name else None
    chats = [Room(here_environment(), room, me) for room in here_environment().store.rooms()]
    overviews = sorted(
        ((chat.overview(), chat) for chat in chats), key=lambda pair: (-(pair[0].active_seconds or 0), pair[0].name)
    )
    return [
        as_json.of_overview(overview) | (_progress(chat) if me else {})
        for overview, chat in overviews
        if status in ("all", "closed" if overview.is_closed else "open")
    ]


@checked
def open_room(room: str, title: str = "", name: str = "") -> Json:
    """Make a room, or open a closed one again; give it a title when there is one.

    Without ``name`` it is done by who joined in this process, or else by whom the settings name.
    """
    return as_json.of_overview(_acting_on(room, name).describe(title=title or None, state="open"))


@checked
def close_room(room: str, name: str = "") -> Json:
    """Close a room: it stays readable, and refuses writes. ``closed`` is false when it was closed already.

    ``name`` is as for :func:`open_room`.
    """
    chat = _acting_on(room, name)
    chat.environment.refuse_unknown_room(chat.name)
    if chat.overview().is_closed:
        return {"closed": False}
    chat.describe(state="closed")
    return {"closed": True}


def _acting_on(room: str, name: str) -> Room:
    """A room that is named, for somebody who need not be."""
    refuse_blank(room, "room")
    joined = sorted(here_environment().roll.held_here())
    if name or joined:
        return _acting(name or joined[0], room)
    return Room(here_environment(), room)


def _progress(chat: Room) -> Json:
    reading = chat.unread(0, with_own=True)
    summary = chat.summary()
    return {"cursor": reading.last_read, "unread_count": reading.left, "latest_summary": _summary(summary)}


# --- arguments ---------------------------------------------------------------

_environments: dict[str, Environment] = {}


def here_environment() -> Environment:
    """The surroundings of the current directory; the same ones again, because opening them costs."""
    environment = here()
    return _environments.setdefault(environment.cwd, environment)


def _room(name: str, room: str) -> Room:
    """The room for a participant that is named."""
    return Room(here_environment(), room or None, parse_name(refuse_blank(name, "name")))


def looking(room: str) -> Room:
    """The room for somebody who only looks."""
    return Room(here_environment(), room or None)


def _acting(name: str, room: str) -> Room:
    """As :func:`_room`, for what only the participant itself may do."""
    chat = _room(name, room)
    _refuse_other(chat)
    return chat


def _refuse_other(chat: Room) -> None:
    why_not = chat.why_not_mark()
    if why_not is not None:
        raise UserError(
            f"cannot act as '{chat.me}': {why_not}",
            hint=f"use the name that this process joined under, or join as '{chat.me}' where it is free",
            code="name-held",
        )


def _check_limit(value: int, field: str) -> None:
    refuse_outside(value, field, 1, MAX_LIMIT, "call again for more")


def _check_reading(limit: int, wait_seconds: float, max_chars: int) -> None:
    _check_limit(limit, "limit")
    refuse_outside(wait_seconds, "wait_seconds", 0, MAX_WAIT_SECONDS, "wait again when it timed out")
    refuse_negative(max_chars, "max_chars", "leave it out for no limit")


def _number(chat: Room, place: Place, field: str) -> int:
    """The number of ``place``, which need not be given yet."""
    located: int | Handle = parse_locator(place) if isinstance(place, str) else place
    if isinstance(located, str):
        number = chat.find(located).number
        return chat.overview().count if number is None else number  # what is pending stands behind every number
    refuse_negative(located, field, "0 is before the first message")
    return min(located, _BEYOND)


_BEYOND = 10**18
"""More than any number, and within what the index can compare."""


def _filters(type: str, sender: str) -> list[Condition]:  # noqa: A002
    conditions = [of_type(parse_slug(type, "type"))] if type else []
    return conditions + ([authored_by(parse_slug(sender, "sender"))] if sender else [])


# --- results -----------------------------------------------------------------


def _acknowledged(entry: Entry) -> Json:
    return {"id": entry.number} if entry.number is not None else {"id": None, "handle": entry.handle}


def _messages(chat: Room, entries: Sequence[Entry]) -> list[Json]:
    labels = chat.labels(entries)
    default = chat.environment.room_name(None)
    return [as_json.of_message(entry, labels, default) for entry in entries]


def _read(chat: Room, reading: Reading, mark_read: bool, max_chars: int, timed_out: bool) -> Json:
    messages = _messages(chat, reading.entries)
    kept = _within(messages, max_chars) if max_chars else len(messages)
    left = reading.left + len(messages) - kept
    why_not = reading.why_not if mark_read and messages else None
    if mark_read and why_not is None:
        reading = chat.mark(reading, kept)
    carried: Json = {
        "more": left or None,
        "statuses": reading.statuses or None,
        "not_marked": why_not,
        "timed_out": timed_out or None,
    }
    return {"name": chat.me, "last_read_id": reading.last_read, "messages": messages[:kept]} | {
        key: value for key, value in carried.items() if value is not None
    }


def _within(messages: Sequence[Json], max_chars: int) -> int:
    """How many of the first messages fit into ``max_chars`` characters of JSON; always one."""
    total = 0
    for count, message in enumerate(messages):
        total += len(json.dumps(message, ensure_ascii=False))
        if total > max_chars and count:
            return count
    return len(messages)


def _participant(one: Participant) -> Json:
    return as_json.of_participant(one)


def _summary(summary: Summary | None) -> Json | None:
    return as_json.of_short_summary(summary) if summary is not None else None


def checked_name(name: str) -> str:
    """``name`` as a participant's. Raises UserError ``bad-name``."""
    return parse_name(name.strip())


def forget() -> None:
    """Close what was opened for directories used so far."""
    for environment in _environments.values():
        with suppress(Exception):
            environment.store.backend.close()
    _environments.clear()


__all__ = [
    "check_in",
    "close_room",
    "get_cursor",
    "get_handoff",
    "get_status",
    "join",
    "leave",
    "list_participants",
    "list_rooms",
    "open_room",
    "read_latest_summary",
    "read_messages",
    "read_unread",
    "send_message",
    "set_cursor",
    "write_summary",
]
