"""Summaries for who comes later, and what somebody who comes back has to know."""

from __future__ import annotations

from gitchat.rooms.summaries import EVERYONE, Summary
from gitchat.verbs import as_json, people_json
from gitchat.verbs.ahead import behind
from gitchat.verbs.conflictforms import of_conflicts
from gitchat.verbs.pending import of_asides, of_pending
from gitchat.verbs.room import Room
from gitchat.verbs.standing import concerning
from gitchat.verbs.tools.arguments import checked, refuse_blank
from gitchat.verbs.tools.calling import Json, acting, check_limit, counts_own, looking, named
from gitchat.verbs.tools.messages import in_short
from gitchat.verbs.views import Handoff
from gitchat.verbs.warned import open_conflicts


@checked
def write_summary(name: str | None = None, content: str = "", scope: str = EVERYONE, room: str = "") -> Json:
    """Add a summary for who comes later, and return its ``id``; while it is pending null, and its ``handle``."""
    summary = acting(name, room).summarize(refuse_blank(content, "content"), refuse_blank(scope, "scope"))
    return {"id": summary.number} | ({"handle": summary.label} if summary.number is None else {})


@checked
def read_latest_summary(scope: str = EVERYONE, room: str = "") -> Json | None:
    """The newest summary of exactly this scope: ``id``, ``ts``, ``from``, ``scope``, ``content``; or null."""
    return of_summary(looking(room).summary(refuse_blank(scope, "scope")))


@checked
def get_handoff(name: str = "", recent_limit: int = 10, room: str = "") -> Json:
    """What somebody who comes back has to know; marks nothing.

    ``participants``, ``latest_message_id``, ``cursor``, ``unread_count``, ``latest_summary`` (for all, or for
    ``name``), ``recent_messages`` (for all, or for ``name``). Without a name cursor and count are null. And
    ``waiting`` where something has no number yet, and ``claims`` where there are some: those of ``name``, and those of
    others that are of files which were changed here; ``conflicts`` of ``name`` that are open, with whom and of which
    paths; ``base``, where it is ahead of the work here: its name, by how many commits, and which paths both changed;
    and ``questions``, the newest that are open for ``name``.
    """
    chat = named(name, room) if name else looking(room)
    check_limit(recent_limit, "recent_limit")
    handoff = chat.handoff(recent=recent_limit, since=0, with_name=bool(name), with_own=counts_own())
    return {
        "participants": [people_json.of_participant(one) for one in handoff.participants],
        "latest_message_id": handoff.room.count,
        "cursor": handoff.last_read,
        "unread_count": handoff.unread,
        "latest_summary": of_summary(handoff.summary),
        "recent_messages": in_short(chat, handoff.recent, handoff.labels),
        **of_pending(chat.pending()),
        **of_asides(chat.asides()),
        **(_claims(chat) | _ahead(chat) if name else {}),
        **_questions(handoff),
    }


def _questions(handoff: Handoff) -> Json:
    """``questions`` where some are open: the newest ones for who asks, as short as they can be answered."""
    shown = [as_json.of_entry(entry, handoff.labels, _QUESTION_CHARS) for entry in handoff.questions]
    return {"questions": [{key: one[key] for key in _QUESTION_KEYS if key in one} for one in shown]} if shown else {}


_QUESTION_CHARS = 200
_QUESTION_KEYS = ("id", "handle", "ts", "from", "to", "content", "type", "choices", "more_characters", "looks_like")


def _claims(chat: Room) -> Json:
    """``claims`` where there are some: one's own, and others' of files that one changed."""
    found = concerning(chat)[:_MOST_CLAIMS]
    return {"claims": list(map(as_json.of_claim, found))} if found else {}


def _ahead(chat: Room) -> Json:
    """``conflicts`` and ``base`` where there are some: what will not merge, and how far the base is ahead."""
    found = behind(chat)
    return of_conflicts(open_conflicts(chat), chat.me) | ({"base": found.form} if found is not None else {})


_MOST_CLAIMS = 20


def of_summary(summary: Summary | None) -> Json | None:
    """A summary as the tools give it; null where there is none."""
    return as_json.of_short_summary(summary) if summary is not None else None
