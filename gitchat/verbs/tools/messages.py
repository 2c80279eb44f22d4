"""Sending messages, and looking at what was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from gitchat.index.condition import LISTED, Condition, visible_to
from gitchat.model import offered
from gitchat.model.errors import UserError
from gitchat.model.names import EVERYBODY, Uid, parse_recipients, parse_slug
from gitchat.model.record import Entry
from gitchat.model.refs import log_ref
from gitchat.verbs import as_json, unheard
from gitchat.verbs.pending import of_pending
from gitchat.verbs.room import Room
from gitchat.verbs.tools.arguments import checked, refusal, refuse_blank, separated
from gitchat.verbs.tools.calling import (
    At,
    Content,
    Json,
    Place,
    acting,
    check_limit,
    conditions_of,
    here_environment,
    looking,
    number_of,
)
from gitchat.workspace.pushing import carrier_of


@checked
def send_message(
    name: str | None = None,
    content: Content = "",
    to: str = EVERYBODY,
    room: str = "",
    type: str = "",  # noqa: A002 - the field's name in every face
    reply_to: Place | None = None,
    priority: str = "",
    key: str = "",
    choices: str | list[str] = "",
    at: At = "",
    work: bool = False,
) -> Json:
    """Send a message and return its ``id``: it is stored for good.

    Where a remote gives the numbers, the id is None until that has taken it; then there are a ``handle``, the
    ``remote`` that it is on its way to, unless somebody has to push it, and ``waiting`` while the remote is not heard.

    ``to`` is ``all``, a name, ``role:...``, or several of them with commas. ``content`` may be JSON. Sending
    again with the same ``key`` adds nothing. With ``choices``, with commas or in a list, it is a question, and is
    answered by a reply of the type ``answer`` whose content is one of them. ``at`` is the code that it is about,
    ``src/lexer.py:40-46``, or a list, as :meth:`Room.send` takes it. With ``work`` it hands over what is changed here
    and not committed; then ``work`` says of how many paths, and ``notes``, if any, what was left out.
    """
    places = places_of(at, content)
    chat = acting(name, room)
    notes: list[str] = []
    entry = say(chat, content, to, type, reply_to, priority, key, choices, places, notes if work else None)
    handed = {"work": entry.record.work} | ({"notes": notes} if notes else {}) if work else {}
    return {"id": entry.number} | handed | on_its_way(chat, entry)


def on_its_way(chat: Room, entry: Entry) -> Json:
    """What tells of a message that has no number yet: its ``handle``, and the ``remote`` that it is on its way to.

    No remote where nobody pushes by itself; ``waiting`` (see :func:`of_pending`) where the remote is not
    heard. Nothing of a message that has a number.
    """
    if entry.number is not None:
        return {}
    told: Json = {"handle": entry.handle}
    remote = carrier_of(chat.environment, chat.name)
    if remote is None:
        return told
    return told | {"remote": remote} | troubled(chat)


def troubled(chat: Room) -> Json:
    """``waiting``, where something waits and the remote is known not to be heard."""
    pending = chat.pending()
    return of_pending(pending) if pending is not None and (pending.since is not None or pending.fork) else {}


def say(
    chat: Room,
    content: Content,
    to: str,
    type: str,  # noqa: A002
    reply_to: Place | None,
    priority: str = "",
    key: str = "",
    choices: str | list[str] = "",
    at: Sequence[str] = (),
    work_notes: list[str] | None = None,
) -> Entry:
    """What :func:`send_message` does, in a room that is at hand, and for whom it may be done.

    With ``work_notes`` it hands over work, and what there is to say of that is added to them.
    """
    offered_answers = separated(choices, "choices", "yes, no")
    if isinstance(content, str):
        refuse_blank(content, "content")
    recipients = _recipients(to)
    if priority not in ("", "normal", "urgent"):
        raise refusal("priority must be 'normal' or 'urgent'", "leave it out for a normal message")
    with _hinting():
        return chat.send(
            content, to=recipients, type=type or None, reply_to=reply_to, urgent=priority == "urgent",
            key=key or None, choices=offered_answers, at=at,
            work=work_notes is not None, note=work_notes.append if work_notes is not None else None,
        )  # fmt: skip


_HINTS = {
    "bad-choice": "at most 8 choices, each a line of at most 100 characters, and no two alike",
    "not-a-choice": f"send just one of them as content; {offered.READ_MESSAGES}(id=...) shows them",
    "not-asked": "say something about it without type=answer, which answers nothing",
}
"""What to do about a refusal, in the words of the tool; none has a word of the question, which is somebody else's."""


@contextmanager
def _hinting() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        if (hint := _HINTS.get(error.code)) is None:
            raise
        raise UserError(str(error), hint=hint, code=error.code) from None


def places_of(at: At, content: Content) -> list[str]:
    """The places in code that ``content`` is about."""
    places = [at] if isinstance(at, str) and at else list(at)
    if not all(isinstance(one, str) for one in places):
        raise refusal("at must be text, or a list of texts", "give src/lexer.py:40-46, or a list of such")
    if places and content == "":
        raise refusal("at is what content is about, and there is none", "give content, too; or leave at out")
    return places


def _recipients(to: str) -> list[str]:
    return [part.strip() for part in refuse_blank(to, "to").split(",")]


@checked
def misnamed(
    to: str = EVERYBODY,
    type: str = "",  # noqa: A002
    room: str = "",
    content: Content = "",
) -> list[str]:
    """A sentence on each recipient, type or room that is new here, of a message that is to be sent so.

    And on what looks like a secret in it, where the repository lets that pass.

    To be asked before it is: afterwards its room is there. As on the command line any name is good, and who may have
    meant another is told. By the contract a result has nothing of it, so it is for who shows a result to a model.

    Raises:
        UserError: what sending so raises.
    """
    environment = here_environment()
    store, name = environment.store, environment.room_name(room or None)
    people = unheard.people(environment, name, parse_recipients(tuple(_recipients(to))))
    kind = unheard.kind(type or None)
    begun = room and store.tip(log_ref(name)) is None
    place = unheard.place(name, store.rooms()) if begun else None
    secrets = environment.secrets()
    found = secrets.look(str(content).encode("utf-8", "replace")) if secrets.mode == "warn" else None
    return [
        *map(str, people),
        *([str(kind)] if kind else []),
        *([str(place)] if place and place.near else []),
        *([f"it looks like {found[0]}, and stays in git for ever"] if found is not None else []),
    ]


@checked
def read_messages(
    since_id: Place = 0,
    limit: int = 50,
    participant: str = "",
    room: str = "",
    type: str = "",  # noqa: A002
    sender: str = "",
    query: str = "",
    id: Place | None = None,  # noqa: A002
    at: str = "",
) -> list[Json]:
    """The oldest ``limit`` records after ``since_id``, ascending; never marks anything.

    With ``id`` that one record, and where it has got to: ``remote`` and ``pushed`` in a room with a remote,
    ``fetched_by`` and ``read_by`` when somebody has, ``waiting`` where it has no number yet.

    ``since_id`` may be greater than every number. With ``participant`` only what is for it or for all. With
    ``query`` the ``limit`` best of those whose text holds all its words. With ``at`` only what is about this file, or
    about files below this directory. What is about code has ``at``: ``path``, ``lines``, and ``now``, where that is in
    the work tree; with ``id`` also an ``excerpt`` of how it read.
    """
    chat = looking(room)
    if id is not None:
        entry = chat.find(id)
        (message,) = in_short(chat, [entry], chat.labels([entry]), with_excerpt=True)
        return [message | as_json.of_delivery(chat.delivery(entry))]
    after = number_of(chat, since_id, "since_id")
    check_limit(limit, "limit")
    conditions = [LISTED, *conditions_of(type, sender)]
    if participant:
        conditions.append(visible_to([parse_slug(participant, "participant")], with_status=True))
    if at:
        conditions.append(chat.about(at))
    if query:
        newest = chat.overview().count  # pending ones are always later
        conditions.append(Condition("number > ?", (min(after, newest),)))
        found = chat.search(query, among=Condition.all_of(conditions), limit=limit)
        entries = sorted((hit.entry for hit in found), key=lambda entry: (entry.number is None, entry.number or 0))
    else:
        entries = chat.after(after, Condition.all_of(conditions), limit)
    return in_short(chat, entries, chat.labels(entries))


def in_short(
    chat: Room, entries: Sequence[Entry], labels: Mapping[Uid, str], *, with_excerpt: bool = False
) -> list[Json]:
    """Records as the tools give them. ``labels`` are of what they reply to."""
    default = chat.environment.room_name(None)
    shown = [as_json.of_message(entry, labels, default) for entry in entries]
    if any("at" in one for one in shown):
        from gitchat.verbs import anchoring, at_json  # for who says something about code

        places = anchoring.listed(chat, entries, searches=with_excerpt)
        for entry, one in zip(entries, shown, strict=True):
            one |= at_json.beside(places.get(entry.oid), with_excerpt=with_excerpt)
    return shown
