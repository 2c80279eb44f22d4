"""Coming back, and writing down what whoever comes back has to know: handoff, status, summaries."""

from __future__ import annotations

from contextlib import suppress

from gitchat.index import search
from gitchat.index.chain import Chain
from gitchat.index.condition import LISTED, Condition, urgent_of
from gitchat.model import codec
from gitchat.model.errors import FormatError, UserError
from gitchat.model.names import Oid
from gitchat.model.query import Query
from gitchat.model.record import MESSAGE, QUIET_KINDS, UNLISTED_KINDS, Draft
from gitchat.rooms.cursor import Backlog, beyond
from gitchat.rooms.log import Overview
from gitchat.rooms.summaries import EVERYONE, Summaries, Summary, checked_scope
from gitchat.verbs.asking import questions as open_questions
from gitchat.verbs.attendance import participants
from gitchat.verbs.marking import own
from gitchat.verbs.pending import asides, pending
from gitchat.verbs.standing import concerning, seat
from gitchat.verbs.standpoint import Standpoint, entries_at, touch, visible
from gitchat.verbs.views import Handoff, Status
from gitchat.workspace.pushing import push_soon

_QUESTIONS = 5
"""How many open questions who comes back is shown."""

_MESSAGES = search.condition_of(Query(with_status=False))

# --- summaries -----------------------------------------------------------------


def summarize(room: Standpoint, text: str, scope: str = EVERYONE) -> Summary:
    """Add a summary of what I have read, or of the whole room when I never marked anything.

    What I wrote right after that is in it, too: nobody has to read what he says.
    ``scope`` is ``all``, a name, or any other line: who asks for that very scope gets it.

    Raises:
        UserError: ``blank-body``, ``body-too-long``, ``secret``, ``bad-scope``, ``room-closed``, ``mirror``.
    """
    room.environment.repository.refuse_mirror()
    scope = checked_scope(scope)
    room.writer.check(Draft(body=text, extra=((codec.SCOPE, scope),)))
    room.writer.refuse_closed()
    chain = room.records.chain()
    covers, upto = _known_to_me(room, chain)
    summary = _kept(room).write(
        text, scope, covers=covers, upto=upto, sender=room.identity, now=room.environment.now(),
        uid=room.environment.new_uid(),
    )  # fmt: skip
    touch(room)
    push_soon(room.environment, room.name, cursors=True)  # who writes one is about to go
    return summary


def _known_to_me(room: Standpoint, chain: Chain) -> tuple[list[Oid], int]:
    """Commits that reach what I have read, with what I wrote right after it, and up to which number that is."""
    position = own(room, chain)
    value = position.value
    if value is None:
        return chain.tips, chain.count
    backlog = position.backlog(chain)
    of_others = backlog.select(room.seating.own(room.name, room.me, chain).denied(), limit=1)
    upto = of_others[0].number - 1 if of_others else chain.total
    # In a merged log a cursor may have read more than a first part; then it alone says what.
    reached = chain.commit_upto(upto) if isinstance(backlog.numbers, range) else None
    return ([value], backlog.last_read) if reached is None else ([reached], upto)


def summary(room: Standpoint, scope: str = EVERYONE) -> Summary | None:
    """The newest summary of exactly this scope; None without one. Raises UserError ``bad-scope``."""
    return _kept(room).latest([checked_scope(scope)])


def find_summary(room: Standpoint, number: int) -> Summary:
    """The summary of this number. Raises UserError ``no-such-summary``."""
    summary = _kept(room).find(number)
    if summary is None:
        raise UserError(
            f"no summary {number} in room '{room.name}'",
            hint=f"list them: git chat summary log --room {room.name}",
            code="no-such-summary",
        )
    return summary


def summaries(room: Standpoint, scope: str | None = None, limit: int | None = None) -> list[Summary]:
    """The newest ``limit`` summaries (None: all), of one scope if it is given, oldest first."""
    return _kept(room).list([checked_scope(scope)] if scope is not None else [], limit)


def since(room: Standpoint, summary: Summary) -> Backlog:
    """The records that ``summary`` does not cover. Raises FormatError."""
    return beyond(room.environment.store, room.records.chain(), summary.covers)


def count_since(room: Standpoint, summary: Summary) -> int:
    """How many messages ``summary`` does not cover, whoever they are for. Raises FormatError."""
    return since(room, summary).count_of(_MESSAGES)


def _kept(room: Standpoint) -> Summaries:
    return room.environment.summaries(room.name)


# --- coming back ---------------------------------------------------------------


def handoff(
    room: Standpoint, *, recent: int = 10, since: int = 100, with_name: bool = True, with_own: bool = True
) -> Handoff:
    """What I have to know when I come back. Marks nothing.

    ``recent`` and ``since`` limit how many records are read of each kind. Without a name (``with_name``
    False) it is what anybody has to know: the summary for everybody, all messages. ``with_own`` is
    whether my own records count as unread, as for :meth:`unread`.
    """
    chain = room.records.chain()
    reaching = visible(room) if with_name else Condition.all_of([LISTED, Condition("kind = ?", (MESSAGE,))])
    backlog = own(room, chain).backlog(chain) if with_name else None
    summary = _kept(room).latest([EVERYONE, room.me] if with_name else [EVERYONE])
    later = beyond(room.environment.store, chain, summary.covers) if summary is not None else None
    since_entries = entries_at(room, later.select(reaching, since)) if later is not None else []
    recent_places = chain.select(reaching, limit=recent, newest=True)
    recent_entries = entries_at(room, recent_places)
    waiting = visible(room, with_own=with_own, chain=chain) if with_name else reaching
    questions, question_count = open_questions(room, _QUESTIONS, chain) if with_name else ([], 0)
    return Handoff(
        room=room.records.overview(),
        participants=participants(room),
        name=room.me if with_name else None,
        last_read=backlog.last_read if backlog is not None else None,
        unread=backlog.count_of(waiting) if backlog is not None else None,
        summary=summary,
        since=since_entries,
        since_left=later.count_of(reaching) - len(since_entries) if later is not None else 0,
        since_recent=frozenset(place.oid for place in recent_places if later and place.number in later.numbers),
        recent=recent_entries,
        labels=room.records.labels([*since_entries, *recent_entries, *questions]),
        questions=questions,
        question_count=question_count,
    )


def status(room: Standpoint, *, recent: int = 5) -> Status:
    """What is going on here, on one screen. Marks nothing."""
    from gitchat.verbs.ahead import behind  # for who wants it all, and Room is loaded by every hook
    from gitchat.verbs.conflictforms import of_name
    from gitchat.verbs.unasked import why_not
    from gitchat.verbs.warned import open_conflicts

    chain = room.records.chain()
    backlog = own(room, chain).backlog(chain)
    reaching = visible(room, with_own=False, chain=chain)
    is_urgent = urgent_of(reaching)
    urgent = entries_at(room, backlog.select(is_urgent, recent))
    questions, question_count = open_questions(room, recent, chain)
    newest = entries_at(room, chain.select(LISTED, limit=recent, newest=True))
    summary = _kept(room).latest([EVERYONE, room.me])
    claims = concerning(room)
    me = seat(room) if claims else None
    others: list[Overview] = []
    for name in room.environment.store.rooms():
        with suppress(FormatError):  # git chat rooms tells what is wrong with it
            others += [room.environment.log(name).overview()] if name != room.name else []
    return Status(
        room=room.records.overview(),
        participants=participants(room),
        message_count=chain.count_without(UNLISTED_KINDS),
        unread=backlog.count_of(reaching),
        urgent=urgent,
        urgent_count=backlog.count_of(is_urgent),
        questions=questions,
        question_count=question_count,
        recent=newest,
        summary=summary,
        since=count_since(room, summary) if summary is not None else chain.count_without(UNLISTED_KINDS | QUIET_KINDS),
        other_rooms=sorted(others, key=lambda one: (-(one.active_seconds or 0), one.name)),
        labels=room.records.labels([*urgent, *questions, *newest]),
        namesakes=tuple(room.seating.namesakes(room.me, chain)),
        pending=pending(room),
        asides=tuple(asides(room)),
        claims=tuple(one for one in claims if one.claim.seat == me),
        meeting=tuple(one for one in claims if one.claim.seat != me),
        conflicts=tuple(of_name(open_conflicts(room), room.me)),
        me=room.me,
        behind=behind(room),
        not_looked=why_not(room.environment),
    )
