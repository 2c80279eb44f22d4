"""Reading what is unread, waiting for it, and how far it was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gitchat.index.condition import Condition
from gitchat.model.errors import ConflictError
from gitchat.model.names import EVERYBODY, Name, Oid, RoomName
from gitchat.presence.telling import telling
from gitchat.verbs import cutting
from gitchat.verbs.cutting import Measure
from gitchat.verbs.pending import of_asides
from gitchat.verbs.room import Reading, Room
from gitchat.verbs.tools.arguments import checked, refusal, refuse_negative, refuse_outside
from gitchat.verbs.tools.calling import (
    Content,
    Json,
    Place,
    acting,
    check_limit,
    conditions_of,
    counts_own,
    named,
    number_of,
    refuse_other,
)
from gitchat.verbs.tools.counting import last_said
from gitchat.verbs.tools.messages import in_short, on_its_way, places_of, say, troubled
from gitchat.verbs.tools.positions import IN_REPOSITORY, Positions

NOTHING: Mapping[str, Any] = {}

MAX_WAIT_SECONDS = 1500
"""Shorter than the half hour after which clients give up on a silent call."""


@checked
def read_unread(
    name: str | None = None,
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
    ``type`` and ``sender`` make it a look that marks nothing. ``max_chars`` of JSON are returned at most: whole
    records, or of a first one that is longer what fits, which is not marked then (see :mod:`gitchat.verbs.cutting`);
    :func:`read_messages` with its ``id`` has all of it.

    Besides ``name``, ``last_read_id`` and ``messages``, where there is something to tell: ``more`` (how many are
    left), ``statuses`` (how many records there were that tell what happened), ``not_marked`` (why), ``timed_out``. A
    model is told ``counting`` where a long log is counted for the first time: then the newest messages come without
    numbers, and nothing is marked.
    """
    return begin_read_unread(name, limit, mark_read, room, type, sender, wait_seconds, max_chars).run()


@checked
def check_in(
    name: str | None = None,
    content: Content = "",
    to: str = EVERYBODY,
    wait_seconds: float = 0,
    limit: int = 50,
    room: str = "",
    type: str = "",  # noqa: A002
    reply_to: Place | None = None,
    max_chars: int = 0,
    at: str | list[str] = "",
) -> Json:
    """Send ``content``, if there is any, and read what others wrote, in one call; marks what it returns.

    Gives what :func:`read_unread` gives, and ``sent``: the id, if something was sent; None with a ``handle`` as
    long as it has none (see :func:`send_message`). And ``waiting`` while the remote is not heard.
    """
    return begin_check_in(name, content, to, wait_seconds, limit, room, type, reply_to, max_chars, at).run()


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that may have to wait. A face that waits in its own way asks ``is_over``, and then for the ``answer``."""

    chat: Room
    wait_seconds: float
    is_over: Callable[[], bool]
    """Whether there is something from somebody else; never whether the time is up."""
    answer: Callable[[bool, Measure, Positions], Json]
    """The result. The arguments say whether the time was up, what the characters of an answer are, and where the
    positions are."""
    marks_all: bool
    """Whether the answer has, and marks, whatever may come: then whatever somebody else says ends the wait."""

    def telling(self) -> AbstractContextManager[None]:
        """What comes meanwhile is told by this call alone; around the wait and the answer."""
        if not (self.marks_all and self.wait_seconds and self.chat.why_not_mark() is None):
            return nullcontext()
        return telling(self.chat.environment.repository.directory, self.chat.name, self.chat.me)

    def run(self) -> Json:
        """Wait here, as long as the caller asked for."""
        with self.telling():
            timed_out = self.wait_seconds > 0 and not self.chat.wait(self.wait_seconds, self.is_over)
            return self.answer(timed_out, cutting.IN_JSON, IN_REPOSITORY)


@checked
def begin_read_unread(
    name: str | None = None,
    limit: int = 50,
    mark_read: bool = True,
    room: str = "",
    type: str = "",  # noqa: A002
    sender: str = "",
    wait_seconds: float = 0,
    max_chars: int = 0,
) -> Begun:
    """:func:`read_unread` up to where it may wait."""
    chat = named(name, room)
    _check_reading(limit, wait_seconds, max_chars)
    filters = conditions_of(type, sender)
    matching = Condition.all_of(filters) if filters else None
    with_own = counts_own() and not wait_seconds
    if mark_read and matching is None:
        _mark_ended(chat)

    def answer(timed_out: bool, measure: Measure, positions: Positions) -> Json:
        try:
            if matching is None:
                reading = positions.unread(chat, limit, with_own=with_own)
            else:
                reading = chat.unread(limit, with_own=with_own, matching=matching)
        except ConflictError as error:
            if matching is not None:
                raise
            return last_said(chat, error, limit, max_chars, measure)
        return _read(chat, positions, reading, mark_read, max_chars, measure, timed_out)

    marks_all = mark_read and matching is None
    return Begun(chat, wait_seconds, lambda: bool(chat.unread(1, matching=matching).entries), answer, marks_all)


@checked
def begin_check_in(
    name: str | None = None,
    content: Content = "",
    to: str = EVERYBODY,
    wait_seconds: float = 0,
    limit: int = 50,
    room: str = "",
    type: str = "",  # noqa: A002
    reply_to: Place | None = None,
    max_chars: int = 0,
    at: str | list[str] = "",
) -> Begun:
    """:func:`check_in` up to where it may wait: the message is sent."""
    places = places_of(at, content)
    chat = acting(name, room)
    _check_reading(limit, wait_seconds, max_chars)
    sent: Json = {}
    if not isinstance(content, str) or content:
        entry = say(chat, content, to, type, reply_to, at=places)
        sent = {"sent": entry.number} | on_its_way(chat, entry)
    _mark_ended(chat)

    def answer(timed_out: bool, measure: Measure, positions: Positions) -> Json:
        try:
            told = troubled(chat) | of_asides(chat.asides())
            reading = positions.unread(chat, limit, with_own=False)
        except ConflictError as error:
            return last_said(chat, error, limit, max_chars, measure, sent)
        return _read(chat, positions, reading, True, max_chars, measure, timed_out, sent, told)

    return Begun(chat, wait_seconds, lambda: bool(chat.unread(1).entries), answer, marks_all=True)


def _check_reading(limit: int, wait_seconds: float, max_chars: int) -> None:
    check_limit(limit, "limit")
    refuse_outside(wait_seconds, "wait_seconds", 0, MAX_WAIT_SECONDS, "wait again when it timed out")
    refuse_negative(max_chars, "max_chars", "leave it out for no limit")


def _read(
    chat: Room,
    positions: Positions,
    reading: Reading,
    mark_read: bool,
    max_chars: int,
    measure: Measure,
    timed_out: bool,
    sent: Mapping[str, Any] = NOTHING,
    waiting: Mapping[str, Any] = NOTHING,
) -> Json:
    """What is unread as far as it fits, and marked as far as it ends there; ``sent`` before, ``waiting`` behind."""

    def answer(reading: Reading, messages: list[Json]) -> Json:
        carried = {
            "more": reading.left or None,
            "statuses": reading.statuses or None,
            "elsewhere": reading.elsewhere or None,
            "not_marked": reading.why_not if mark_read and (messages or reading.entries) else None,
            "timed_out": timed_out or None,
        }
        shown = {"name": chat.me, "last_read_id": reading.last_read, "messages": messages}
        return {**sent, **shown, **{key: value for key, value in carried.items() if value is not None}, **waiting}

    found = in_short(chat, reading.entries, reading.labels)
    messages = found
    if max_chars:
        room_left = max_chars - measure.around(answer(reading, []))
        messages = cutting.first(found, max(0, room_left), measure.message)
    ended = len(messages) - sum(map(cutting.is_cut, messages))
    left = reading.left + len(found) - len(messages)
    if mark_read:
        reading = positions.mark(chat, reading, ended)
    if ended < len(messages) and reading.why_not is None:
        reading = replace(reading, why_not="its end was not given out yet")
    # Of what was read elsewhere the oldest comes first.
    return answer(replace(reading, left=left, elsewhere=min(reading.elsewhere, ended)), messages)


# --- the end of what was cut ----------------------------------------------------------

_ended: dict[tuple[Path, RoomName, Name], Oid] = {}
"""For each participant of a room the oldest that is unread, once its end was given out here: the next reading marks it.

Kept in memory alone: a look writes nothing, and after a process that was killed the message comes again.
"""


def note_end(name: str, message_id: Place, room: str = "") -> bool:
    """``name`` was given the end of a message that was cut; whether its next reading marks that.

    It does where it is the oldest that is unread, and for who may mark: what they cannot read they cannot mark.
    """
    chat = named(name, room)
    reading = chat.unread(1, with_own=counts_own())
    if reading.why_not or not reading.entries or reading.entries[0].oid != chat.find(message_id).oid:
        return False
    _ended[_participant(chat)] = reading.entries[0].oid
    return True


def _mark_ended(chat: Room) -> None:
    """Mark the message whose end was given out, where it still is the oldest that is unread."""
    oid = _ended.pop(_participant(chat), None)
    if oid is not None:
        reading = chat.unread(1, with_own=counts_own())
        if reading.entries and reading.entries[0].oid == oid:
            chat.mark(reading, 1)


def _participant(chat: Room) -> tuple[Path, RoomName, Name]:
    return chat.environment.repository.directory, chat.name, chat.me


# --- cursors ---------------------------------------------------------------------


@checked
def get_cursor(name: str | None = None, room: str = "") -> Json:
    """``name`` and ``last_read_id``: 0 before anything was marked."""
    chat = named(name, room)
    return {"name": chat.me, "last_read_id": chat.cursor()}


@checked
def set_cursor(name: str | None = None, message_id: Place | None = None, room: str = "") -> Json:
    """Mark everything up to ``message_id``; a cursor never moves back."""
    chat = named(name, room)
    if message_id is None:
        raise refusal("message_id is missing", "give the number up to which all is read")
    number = number_of(chat, message_id, "message_id")
    newest = chat.overview().count
    if number > newest:
        raise refusal("message_id cannot exceed the latest message id", f"the latest is {newest}")
    refuse_other(chat)
    return {"name": chat.me, "last_read_id": chat.set_cursor(number)}
