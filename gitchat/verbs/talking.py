"""Talking: what a participant says in a room, and how it finds what was said there."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

from gitchat.index import search as text_search
from gitchat.index.condition import ANY, LISTED, Condition
from gitchat.model.errors import UserError
from gitchat.model.names import EVERYBODY, Handle, Number, Uid, parse_locator, parse_recipients, parse_slug
from gitchat.model.query import Query
from gitchat.model.question import trailers_of, type_with
from gitchat.model.record import HANDOFF, UNLISTED_KINDS, Draft, Entry
from gitchat.model.refs import told_branch
from gitchat.rooms.log import Listing, Overview
from gitchat.verbs.standpoint import Standpoint, entries_at, touch
from gitchat.verbs.views import Found, Stretch
from gitchat.workspace.environment import Environment
from gitchat.workspace.pushing import push_soon


def send(
    room: Standpoint,
    content: Any,
    *,
    to: str | Sequence[str] = EVERYBODY,
    type: str | None = None,  # noqa: A002 - the field's name in every other face
    reply_to: int | str | None = None,
    urgent: bool = False,
    key: str | None = None,
    media: Literal["json"] | None = None,
    choices: Sequence[str] = (),
    at: str | Sequence[str] = (),
    work: bool | Sequence[str] = False,
    note: Callable[[str], object] | None = None,
) -> Entry:
    """Add a message and return it with its number: it is stored for good.

    ``content`` is a text, or a dict or list, which is stored as JSON; with ``media="json"`` any value that JSON has,
    of which a string is then one, too. ``reply_to`` is a number or a handle. ``key`` is
    your own name for the message: sending it again with the same key adds nothing. With ``choices`` it is a question
    that is answered by one of them; an answer is a reply of the type ``answer``. ``at`` is the code that it is about,
    one or several of ``FILE``, ``FILE:40``, ``FILE:40-46``, each also at a commit, ``REV:FILE:40``; the lines are kept
    with the message. With ``work`` it hands over what is changed here and not committed, or what of it is at these
    paths; ``note`` is told what was left out of it.

    Raises:
        UserError: ``bad-content``, ``blank-body``, ``body-too-long``, ``room-closed``, ``no-such-record``,
            ``bad-choice``, ``not-a-choice``, ``not-asked``, ``mirror``, ...; for ``at`` what
            :func:`gitchat.work.anchoring.anchored` raises, for ``work`` what :func:`gitchat.verbs.handing.gather` does.
        ConflictError: ``key-conflict``, or a lock that is held for too long.
    """
    room.environment.repository.refuse_mirror()
    is_text = media is None and isinstance(content, str)
    draft = Draft(
        body=content if is_text else _as_json_text(content, of_any_type=media is not None),
        to=parse_recipients((to,) if isinstance(to, str) else tuple(to)),
        type=type_with(choices, parse_slug(type, "type") if type else None),
        reply_to=find(room, reply_to).record.uid if reply_to is not None else None,
        urgent=urgent,
        media=None if is_text else "json",
        extra=trailers_of(choices),
    )
    if at:
        draft = about_code(room.environment, draft, (at,) if isinstance(at, str) else tuple(at))
    if work is not False:
        draft = _with_work(room, draft, () if work is True else tuple(work), note or (lambda words: None))
    room.seating.sit_down(room.name, room.me)
    sent = room.writer.send(draft, room.identity, key=key)
    touch(room)
    if sent.entry.number is None or sent.is_repeat:  # else it was given its number here, and waits for no remote
        push_soon(room.environment, room.name)
    return sent.entry


def about_code(environment: Environment, draft: Draft, at: Sequence[str]) -> Draft:
    """``draft`` as a message that is about this code. Raises UserError."""
    from gitchat.work.anchoring import anchored  # for who says something about code

    found = anchored(environment.repository, at, is_elsewhere=environment.party is not None)
    return replace(draft, extra=(*draft.extra, *found.extra), commit=found.commit, excerpts=found.excerpts)


def _with_work(room: Standpoint, draft: Draft, paths: Sequence[str], note: Callable[[str], object]) -> Draft:
    from gitchat.verbs.handing import gather, refuse_with_code  # for who hands over work

    refuse_with_code(draft.excerpts)
    found = gather(room.environment, room.name, room.identity.origin, paths)
    for words in found.notes:
        note(words)
    return replace(
        draft,
        type=draft.type or HANDOFF,
        work=found.carried,
        commit=found.commit,
        branch=told_branch(found.branch),
    )


def log(room: Standpoint, query: Query = Query(), limit: int | None = 50) -> Listing:  # noqa: B008 - frozen
    """The newest ``limit`` records that fit ``query`` (None: all of them), oldest first; nothing is marked.

    Damage does not raise: it ends the listing, and is told in it.
    """
    return room.records.listing(query, limit)


def find(room: Standpoint, locator: int | str) -> Entry:
    """The record of a number (``12``, ``"#12"``) or a handle (``"~k3f9q2"``).

    Raises:
        UserError: ``no-such-record``, ``bad-number``, ``ambiguous-handle``.
    """
    place: Number | Handle = Number(locator) if isinstance(locator, int) else parse_locator(locator)
    return room.records.find(place)


def after(room: Standpoint, number: int, condition: Condition = LISTED, limit: int | None = None) -> list[Entry]:
    """The oldest ``limit`` records with a greater number, oldest first; nothing is marked."""
    chain = room.records.chain()
    return entries_at(room, chain.select(condition, after=min(number, chain.count), limit=limit))


def stretch(
    room: Standpoint,
    *,
    before: int | None = None,
    after: int | None = None,
    at: int | None = None,
    lead: int = 0,
    condition: Condition = LISTED,
    limit: int = 50,
) -> Stretch:
    """``limit`` records that stand one after the other, oldest first, and whether there are more on both sides.

    The newest ``before`` a number, or the oldest ``after`` it, or from the place ``at`` on with ``lead`` of those
    before it; else the newest of all. Pending ones stand behind every number. Marks nothing.
    """
    chain = room.records.chain()
    if at is not None:
        places = chain.select(Condition.all_of([condition, _below(at)]), limit=lead, newest=True)
        places += chain.select(condition, after=min(at - 1, chain.count), limit=limit - len(places))
    elif after is not None:
        places = chain.select(condition, after=min(after, chain.count), limit=limit)
    else:
        below = Condition.all_of([condition, _below(before)]) if before is not None else condition
        places = chain.select(below, limit=limit, newest=True)
    entries = entries_at(room, places)
    start = before if before is not None else at if at is not None else after + 1 if after is not None else 1
    first = places[0].number if places else min(start, chain.total + 1)
    last = places[-1].number if places else first - 1
    return Stretch(
        entries=entries,
        labels=room.records.labels(entries),
        has_earlier=bool(chain.select(Condition.all_of([condition, _below(first)]), limit=1)),
        has_later=bool(chain.select(condition, after=last, limit=1)),
    )


def _below(number: int) -> Condition:
    return Condition("number < ?", (number,))


def thread(room: Standpoint, locator: int | str) -> Listing:
    """The record, what it answers, and all answers, oldest first. Raises as :meth:`find`."""
    chain = room.records.chain()
    found = entries_at(room, chain.thread(find(room, locator).record.uid))
    entries = [entry for entry in found if entry.record.kind not in UNLISTED_KINDS]
    return Listing(entries, room.records.labels(entries), None)


def search(
    room: Standpoint,
    words: str,
    query: Query = Query(),  # noqa: B008 - frozen
    *,
    among: Condition = ANY,
    limit: int | None = 20,
    in_all_rooms: bool = False,
) -> list[Found]:
    """The records that fit ``query``, which has no pattern, and whose text holds all of ``words``; the best first.

    ``among`` narrows them further.

    ``"two words"`` in quotes stand side by side, ``word*`` begins so. ``in_all_rooms`` looks in every
    room here; numbers in ``query`` then count in each of them.

    Raises:
        UserError: ``no-words``.
    """
    match, condition = text_search.parse(words), Condition.all_of([text_search.condition_of(query), among])
    names = room.environment.store.rooms() if in_all_rooms else [room.name]
    logs = [room.environment.log(name) for name in names]
    hits = [(hit, log) for log in logs for hit in log.chain().search(match, condition, limit)]
    hits.sort(key=lambda pair: pair[0].rank)
    entries = [log.entry_at(*hit.place) for hit, log in hits[:limit]]
    snippets = text_search.snippets(match, [entry.record.body for entry in entries])
    return [
        Found(entry, snippet, hit.rank, log.labels([entry]))
        for entry, snippet, (hit, log) in zip(entries, snippets, hits[:limit], strict=True)
    ]


def labels(room: Standpoint, entries: Sequence[Entry]) -> dict[Uid, str]:
    """The labels of the records that ``entries`` reply to, as far as they can be found."""
    return room.records.labels(entries)


def message_count(room: Standpoint) -> int:
    """How many messages and statuses there are."""
    return room.records.chain().count_without(UNLISTED_KINDS)


def describe(
    room: Standpoint, *, title: str | None = None, state: str | None = None, stays_here: bool | None = None
) -> Overview:
    """Give the room a title, or the state ``open`` or ``closed``; make it where it is not there.

    A title is one line of at most 200 characters. A closed room can be read, and not written to. A room that
    ``stays_here`` is pushed to no remote until it is said to be false.

    Raises:
        UserError: ``bad-title``, ``mirror``.
        ConflictError: ``attached``: it shall stay here, and follows a remote.
    """
    room.environment.repository.refuse_mirror()
    room.writer.describe(room.identity, title=title, state=state, stays_here=stays_here)
    push_soon(room.environment, room.name)
    return room.records.overview()


def overview(room: Standpoint) -> Overview:
    """Title, state, newest number and date."""
    return room.records.overview()


def refuse_unknown(room: Standpoint) -> None:
    """Raise UserError ``no-such-room`` where there is no such room. The one by default may still begin."""
    if room.name != room.environment.room_name(None):
        room.environment.refuse_unknown_room(room.name)


def _as_json_text(content: object, *, of_any_type: bool) -> str:
    """The JSON text of an object or array, or of any value. Raises UserError ``bad-content``, also for what is in it.

    A number or nothing at all is a value only where it is said to be JSON: without that it is a slip.
    """
    try:
        if not of_any_type and not isinstance(content, dict | list):
            raise TypeError(f"it is of type {type(content).__name__}")
        return json.dumps(content, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UserError(
            f"content is neither text nor JSON: {error}",
            hint="give a text, or a dict or list of texts, finite numbers, True, False and None; "
            'a single one of these with media="json"',
            code="bad-content",
        ) from error
