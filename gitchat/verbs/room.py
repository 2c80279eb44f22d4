"""A room as one participant sees it: what the faces are made of, and what a user imports.

    from gitchat import Room

    room = Room.open(name="codex")
    room.send("I take the parser", to="alice")
    for entry in room.read().entries:
        print(entry.label, entry.record.author, entry.record.body)

Every verb takes and gives plain values and raises only :class:`gitchat.model.errors.ChatError`.
A Room holds no lock and no open transaction between calls; one thread at a time.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from gitchat.index import search
from gitchat.index.chain import Chain, Place
from gitchat.index.condition import ANY, LISTED, Condition, statuses_for_nobody, unanswered, visible_to, with_oid
from gitchat.index.query import Query
from gitchat.model.errors import ConflictError, FormatError, UserError
from gitchat.model.names import (
    EVERYBODY,
    Handle,
    Name,
    Number,
    Oid,
    RoomName,
    Uid,
    is_name,
    is_slug,
    parse_locator,
    parse_recipients,
    parse_slug,
    summaries_ref,
)
from gitchat.model.participant import Participant, new_membership
from gitchat.model.record import MESSAGE, STATUS, UNLISTED_KINDS, Draft, Entry, Identity
from gitchat.rooms.cursor import Backlog, Cursor, beyond
from gitchat.rooms.log import Listing, Log, Overview
from gitchat.rooms.summaries import EVERYONE, Summaries, Summary, checked_scope
from gitchat.rooms.writing import Writer
from gitchat.verbs.views import Delivery, Found, Handoff, HowFar, Reading, Seen, Status
from gitchat.workspace import environment as surroundings
from gitchat.workspace.environment import Environment

_MESSAGES = search.condition_of(Query(with_status=False))

SYSTEM = Name("system")
"""Who writes that somebody left."""


class Room:
    """One room of a repository, for the participant ``me``. It need not exist before the first message.

    Besides what is said below, everything that reads can raise FormatError (stored bytes are missing or
    damaged), and everything that writes StorageError (the disk refuses) and ConflictError (somebody stopped
    while writing); then nothing was written.
    """

    def __init__(self, environment: Environment, room: str | None = None, name: str | None = None) -> None:
        """``room`` and ``name`` as :meth:`open` takes them. Raises what Environment raises for them."""
        self.environment = environment
        self.name: RoomName = environment.room_name(room)
        self._given_name = name
        self._me: Name | None = None
        self._log: Log = environment.log(self.name)
        self._writer: Writer = environment.writer(self.name)

    @classmethod
    def open(cls, path: str | Path = ".", *, room: str | None = None, name: str | None = None) -> Room:
        """The room of the repository at or above ``path``.

        ``room`` is the one that ``chat.room`` names, else ``lobby``, when it is None; ``name`` is found as
        the command line finds it. Neither has to exist yet.

        Raises:
            UserError: ``not-a-repository``, ``bad-name``.
        """
        return cls(surroundings.here(cwd=str(Path(path).resolve())), room, name)

    @property
    def me(self) -> Name:
        """The name that this Room acts under. Raises UserError ``no-name``, ``bad-name``."""
        if self._me is None:
            self._me = self.environment.name(self._given_name)
        return self._me

    @property
    def identity(self) -> Identity:
        """Who writes here."""
        return self.environment.identity(self.me)

    def _seen(self) -> None:
        """Note that ``me`` did something."""
        self.environment.roll.touch(self.me, self.name, self.environment.now().seconds)

    def refuse_unknown(self) -> None:
        """Raise UserError ``no-such-room`` where there is no such room. The one by default may still begin."""
        if self.name != self.environment.room_name(None):
            self.environment.refuse_unknown_room(self.name)

    # --- writing ---------------------------------------------------------------

    def send(
        self,
        content: str | dict[str, Any] | list[Any],
        *,
        to: str | Sequence[str] = EVERYBODY,
        type: str | None = None,  # noqa: A002 - the field's name in every other face
        reply_to: int | str | None = None,
        urgent: bool = False,
        key: str | None = None,
    ) -> Entry:
        """Add a message and return it with its number: it is stored for good.

        ``content`` that is no string is stored as JSON. ``reply_to`` is a number or a handle. ``key`` is
        your own name for the message: sending it again with the same key adds nothing.

        Raises:
            UserError: ``bad-content``, ``blank-body``, ``body-too-long``, ``room-closed``, ``no-such-record``,
                ``mirror``, ...
            ConflictError: ``key-conflict``, or a lock that is held for too long.
        """
        self.environment.refuse_mirror()
        is_text = isinstance(content, str)
        draft = Draft(
            body=content if isinstance(content, str) else _as_json_text(content),
            to=parse_recipients((to,) if isinstance(to, str) else tuple(to)),
            type=parse_slug(type, "type") if type else None,
            reply_to=self.find(reply_to).record.uid if reply_to is not None else None,
            urgent=urgent,
            media=None if is_text else "json",
        )
        sent = self._writer.send(draft, self.identity, key=key)
        self._seen()
        return sent.entry

    # --- looking ---------------------------------------------------------------

    def log(self, query: Query = Query(), limit: int | None = 50) -> Listing:  # noqa: B008 - frozen
        """The newest ``limit`` records that fit ``query`` (None: all of them), oldest first; nothing is marked.

        Damage does not raise: it ends the listing, and is told in it.
        """
        return self._log.listing(query, limit)

    def find(self, locator: int | str) -> Entry:
        """The record of a number (``12``, ``"#12"``) or a handle (``"~k3f9q2"``).

        Raises:
            UserError: ``no-such-record``, ``bad-number``, ``ambiguous-handle``.
        """
        place: Number | Handle = Number(locator) if isinstance(locator, int) else parse_locator(locator)
        return self._log.find(place)

    def after(self, number: int, condition: Condition = LISTED, limit: int | None = None) -> list[Entry]:
        """The oldest ``limit`` records with a greater number, oldest first; nothing is marked."""
        chain = self._log.chain()
        return self._entries(chain.select(condition, after=min(number, chain.count), limit=limit))

    def delivery(self, entry: Entry) -> Delivery:
        """Where a record has got to. Nobody sends receipts: refs tell it. Damage does not raise, it hides readers."""
        remote = self.environment.authority(self.name)
        readers: list[Name] = []
        with suppress(FormatError):
            chain = self._log.chain()
            place = chain.rows_of([entry.oid])[entry.oid].number
            for name in self.environment.store.cursors(self.name):
                reader = Room(self.environment, self.name, name)
                if place not in reader._cursor().backlog(chain).numbers and reader.is_for_me(entry):
                    readers.append(name)
        return Delivery(remote, remote is None or entry.number is not None, tuple(readers))

    def labels(self, entries: Sequence[Entry]) -> dict[Uid, str]:
        """The labels of the records that ``entries`` reply to, as far as they can be found."""
        return self._log.labels(entries)

    def message_count(self) -> int:
        """How many messages and statuses there are."""
        return self._log.chain().count_without(UNLISTED_KINDS)

    def describe(self, *, title: str | None = None, state: str | None = None) -> Overview:
        """Give the room a title, or the state ``open`` or ``closed``; make it where it is not there.

        A title is one line of at most 200 characters. A closed room can be read, and not written to.

        Raises:
            UserError: ``bad-title``, ``mirror``.
        """
        self.environment.refuse_mirror()
        self._writer.describe(self.identity, title=title, state=state)
        return self.overview()

    def overview(self) -> Overview:
        """Title, state, newest number and date."""
        return self._log.overview()

    def search(
        self,
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
        match, condition = search.parse(words), Condition.all_of([search.condition_of(query), among])
        names = self.environment.store.rooms() if in_all_rooms else [self.name]
        logs = [self.environment.log(name) for name in names]
        hits = [(hit, log) for log in logs for hit in log.chain().search(match, condition, limit)]
        hits.sort(key=lambda pair: pair[0].rank)
        entries = [log.entry_at(*hit.place) for hit, log in hits[:limit]]
        snippets = search.snippets(match, [entry.record.body for entry in entries])
        return [
            Found(entry, snippet, hit.rank, log.labels([entry]))
            for entry, snippet, (hit, log) in zip(entries, snippets, hits[:limit], strict=True)
        ]

    def thread(self, locator: int | str) -> Listing:
        """The record, what it answers, and all answers, oldest first. Raises as :meth:`find`."""
        chain = self._log.chain()
        entries = [self._log.entry_at(*place) for place in chain.thread(self.find(locator).record.uid)]
        return Listing(entries, self._log.labels(entries), None)

    # --- reading and marking -----------------------------------------------------

    def unread(self, limit: int | None = None, *, with_own: bool = False, matching: Condition | None = None) -> Reading:
        """The oldest ``limit`` records that are unread and for me; marks nothing.

        Own records are left out unless ``with_own``. ``matching`` narrows the reading, which is then never
        marked: what it leaves out would count as read.
        """
        chain = self._log.chain()
        backlog = self._cursor().backlog(chain)
        visible = self.visible(with_own=with_own)
        condition = visible if matching is None else Condition.all_of([visible, matching])
        places = backlog.select(condition, limit)
        entries = self._entries(places)
        return Reading(
            entries=entries,
            labels=self._log.labels(entries),
            last_read=backlog.last_read,
            left=backlog.count_of(condition) - len(entries),
            statuses=backlog.count_of(statuses_for_nobody()),
            is_marked=False,
            why_not="a filtered reading marks nothing" if matching is not None else self.why_not_mark(),
            is_filtered=matching is not None,
            places=places,
            backlog=backlog,
        )

    def read(self, limit: int | None = None, *, with_own: bool = False, force: bool = False) -> Reading:
        """As :meth:`unread`, and marks what it returns, unless somebody else lives under my name.

        ``force`` marks all the same.
        """
        return self.mark(self.unread(limit, with_own=with_own), force=force)

    def mark(self, reading: Reading, count: int | None = None, *, force: bool = False) -> Reading:
        """Mark the first ``count`` records of a reading, by default all, and what stands before them.

        Returns the reading as it is then. Nothing is marked when its ``why_not`` says so, or when somebody
        took my name since; ``force`` marks all the same, but for a filtered reading.

        Raises:
            UserError: ``mirror``.
        """
        entries = reading.entries if count is None else reading.entries[:count]
        why_not = reading.why_not or self.why_not_mark()
        if (why_not is not None and (reading.is_filtered or not force)) or not entries:
            return replace(reading, why_not=why_not)
        self.environment.refuse_mirror()
        place = reading.places[len(entries) - 1].number
        left = self._cursor().advance(reading.backlog.chain, place, self.identity, self.environment.now())
        self._seen()
        return replace(
            reading,
            entries=entries,
            places=reading.places[: len(entries)],
            last_read=left.last_read,
            left=reading.left + len(reading.entries) - len(entries),
            is_marked=True,
            why_not=None,
        )

    def why_not_mark(self) -> str | None:
        """Why this process must not mark what ``me`` reads; None when it may.

        While a process lives under a name, only that process marks for it, and what it started to act for it.
        """
        held = self.environment.roll.held_here()
        if self.me in held:
            return None
        if held:
            return f"this process joined as {', '.join(sorted(held))}"
        presence = self.environment.roll.find(self.me)
        if presence is None or not presence.is_living:
            return None
        if presence.holder is not None and self.environment.acts_for(presence.holder):
            return None
        return f"'{self.me}' is held by {presence.holder or 'another process'}"

    def cursor(self) -> int:
        """The greatest n for which I have read 1 to n; 0 before I marked anything."""
        return self._cursor().backlog(self._log.chain()).last_read

    def set_cursor(self, locator: int | Handle, *, force: bool = False) -> int:
        """Mark everything up to a number or a handle as read, and return :meth:`cursor`. Never moves back.

        Raises:
            UserError: ``bad-number`` for what is no number of this room; ``no-such-record``; ``mirror``.
            ConflictError: ``name-held`` while somebody else lives under my name, unless ``force``.
        """
        chain = self._log.chain()
        number = locator if isinstance(locator, int) else self._place(chain, locator)
        if number < 0:
            raise UserError("message_id must be >= 0", hint="0 is before the first message", code="bad-number")
        if isinstance(locator, int) and number > chain.count:
            raise UserError(
                "message_id cannot exceed the latest message id",
                hint=f"the latest is {chain.count}",
                code="bad-number",
            )
        why_not = None if force else self.why_not_mark()
        if why_not is not None:
            raise ConflictError(f"nothing was marked: {why_not}", hint="mark there, or use --force", code="name-held")
        self.environment.refuse_mirror()
        if number == 0:
            return self.cursor()
        left = self._cursor().advance(chain, number, self.identity, self.environment.now())
        self._seen()
        return left.last_read

    def cursors(self, names: Sequence[Name] | None = None) -> list[HowFar]:
        """How far these have read, by default everybody who has a cursor here, sorted by name."""
        return [self.how_far(name) for name in (self.environment.store.cursors(self.name) if names is None else names)]

    def _place(self, chain: Chain, handle: Handle) -> int:
        """Where the record of a handle stands, pending ones behind all numbers."""
        row = chain.rows_of([oid := self.find(handle).oid])[oid]
        assert row.number is not None
        return row.number

    def how_far(self, name: Name) -> HowFar:
        """How far ``name`` has read. Nobody has to have heard of it."""
        backlog = Cursor(self.environment.store, self.name, name).backlog(self._log.chain())
        visible = Room(self.environment, self.name, name).visible(with_own=False)
        return HowFar(name, backlog.last_read, backlog.count_of(visible))

    def visible(self, *, with_own: bool = True) -> Condition:
        """The records that reach me: to all, to my name, to a role that I have here now."""
        presence = self.environment.roll.find(self.me)
        participant = presence.participant(self.name) if presence else None
        roles = [f"role:{participant.role}"] if participant and participant.role and is_slug(participant.role) else []
        return visible_to([self.me, *roles], None if with_own else self.me)

    def is_for_me(self, entry: Entry) -> bool:
        """Whether an entry is one of :meth:`visible` without my own: the same rule, for one that is at hand."""
        condition = Condition.all_of([self.visible(with_own=False), with_oid(entry.oid)])
        return bool(self._log.chain().select(condition, limit=1))

    def _cursor(self) -> Cursor:
        return Cursor(self.environment.store, self.name, self.me)

    # --- waiting -----------------------------------------------------------------

    def wait(self, timeout_seconds: float | None, is_over: Callable[[], bool]) -> bool:
        """Look whether ``is_over`` now and at each change of a room here; False when the time is up.

        None waits without an end. It sleeps in between: what another process writes wakes it.
        """
        with self.environment.changes() as changes:
            return changes.wait_until(is_over, timeout_seconds)

    def watch(self, *, after: int | None = None, timeout_seconds: float | None = None) -> Iterator[Entry]:
        """Records that :meth:`log` would show, as they come, each once, in the order of their numbers.

        Whoever they are for, own ones too. Begins after the number ``after``; without it with what comes after
        the first one was asked for. Ends when nothing came for ``timeout_seconds`` (None: never). Marks nothing.
        """
        with self.environment.changes() as changes:
            arrivals = Arrivals(self._log, after)
            while True:
                yield from arrivals.fresh(self._log)
                if not changes.wait(timeout_seconds):
                    return

    async def watch_async(
        self, *, after: int | None = None, timeout_seconds: float | None = None
    ) -> AsyncIterator[Entry]:
        """As :meth:`watch`, for ``async for`` in asyncio. Can be cancelled at any time."""
        with self.environment.changes() as changes:
            arrivals = Arrivals(self._log, after)
            while True:
                for entry in arrivals.fresh(self._log):
                    yield entry
                if not await changes.wait_async(timeout_seconds):
                    return

    # --- summaries ---------------------------------------------------------------

    def summarize(self, text: str, scope: str = EVERYONE) -> Summary:
        """Add a summary of what I have read, or of the whole room when I never marked anything.

        What I wrote right after that is in it, too: nobody has to read what he says.
        ``scope`` is ``all``, a name, or any other line: who asks for that very scope gets it.

        Raises:
            UserError: ``blank-body``, ``body-too-long``, ``bad-scope``, ``room-closed``, ``mirror``.
        """
        self.environment.refuse_mirror()
        scope = checked_scope(scope)
        self._writer.check_size(Draft(body=text))
        self._writer.refuse_closed()
        chain = self._log.chain()
        covers, upto = self._known_to_me(chain)
        summary = self._summaries().write(
            text, scope, covers=covers, upto=upto, sender=self.identity, now=self.environment.now(),
            uid=self.environment.new_uid(),
        )  # fmt: skip
        self._seen()
        return summary

    def _known_to_me(self, chain: Chain) -> tuple[list[Oid], int]:
        """Commits that reach what I have read, with what I wrote right after it, and up to which number that is."""
        value = self._cursor().value
        if value is None:
            return chain.tips, chain.count
        backlog = self._cursor().backlog(chain)
        of_others = backlog.select(Condition("author != ?", (self.me,)), limit=1)
        upto = of_others[0].number - 1 if of_others else chain.total
        # In a merged log a cursor may have read more than a first part; then it alone says what.
        reached = chain.commit_upto(upto) if isinstance(backlog.numbers, range) else None
        return ([value], backlog.last_read) if reached is None else ([reached], upto)

    def summary(self, scope: str = EVERYONE) -> Summary | None:
        """The newest summary of exactly this scope; None without one. Raises UserError ``bad-scope``."""
        return self._summaries().latest([checked_scope(scope)])

    def find_summary(self, number: int) -> Summary:
        """The summary of this number. Raises UserError ``no-such-summary``."""
        summary = self._summaries().find(number)
        if summary is None:
            raise UserError(
                f"no summary {number} in room '{self.name}'",
                hint=f"list them: git chat summary log --room {self.name}",
                code="no-such-summary",
            )
        return summary

    def summaries(self, scope: str | None = None, limit: int | None = None) -> list[Summary]:
        """The newest ``limit`` summaries (None: all), of one scope if it is given, oldest first."""
        return self._summaries().list([checked_scope(scope)] if scope is not None else [], limit)

    def since(self, summary: Summary) -> Backlog:
        """The records that ``summary`` does not cover. Raises FormatError."""
        return beyond(self.environment.store, self._log.chain(), summary.covers)

    def count_since(self, summary: Summary) -> int:
        """How many messages ``summary`` does not cover, whoever they are for. Raises FormatError."""
        return self.since(summary).count_of(_MESSAGES)

    def _summaries(self) -> Summaries:
        tracking = self.environment.tracking(summaries_ref(self.name), self.name)
        return Summaries(self.environment.store, lambda: self.environment.index, self.name, tracking)

    # --- coming back ---------------------------------------------------------------

    def handoff(self, *, recent: int = 10, since: int = 100, with_name: bool = True, with_own: bool = True) -> Handoff:
        """What I have to know when I come back. Marks nothing.

        ``recent`` and ``since`` limit how many records are read of each kind. Without a name (``with_name``
        False) it is what anybody has to know: the summary for everybody, all messages. ``with_own`` is
        whether my own records count as unread, as for :meth:`unread`.
        """
        chain = self._log.chain()
        visible = self.visible() if with_name else Condition.all_of([LISTED, Condition("kind = ?", (MESSAGE,))])
        backlog = self._cursor().backlog(chain) if with_name else None
        summary = self._summaries().latest([EVERYONE, self.me] if with_name else [EVERYONE])
        later = beyond(self.environment.store, chain, summary.covers) if summary is not None else None
        since_entries = self._entries(later.select(visible, since)) if later is not None else []
        recent_places = chain.select(visible, limit=recent, newest=True)
        recent_entries = self._entries(recent_places)
        waiting = self.visible(with_own=with_own) if with_name else visible
        return Handoff(
            room=self._log.overview(),
            participants=self.participants(),
            name=self.me if with_name else None,
            last_read=backlog.last_read if backlog is not None else None,
            unread=backlog.count_of(waiting) if backlog is not None else None,
            summary=summary,
            since=since_entries,
            since_left=later.count_of(visible) - len(since_entries) if later is not None else 0,
            since_recent=frozenset(place.oid for place in recent_places if later and place.number in later.numbers),
            recent=recent_entries,
            labels=self._log.labels([*since_entries, *recent_entries]),
        )

    def status(self, *, recent: int = 5) -> Status:
        """What is going on here, on one screen. Marks nothing."""
        chain = self._log.chain()
        backlog = self._cursor().backlog(chain)
        visible = self.visible(with_own=False)
        is_urgent = Condition.all_of([visible, Condition("urgent = 1")])
        is_open = Condition.all_of([visible, unanswered()])
        urgent = self._entries(backlog.select(is_urgent, recent))
        questions = self._entries(chain.select(is_open, limit=recent, newest=True))
        newest = self._entries(chain.select(LISTED, limit=recent, newest=True))
        summary = self._summaries().latest([EVERYONE, self.me])
        others: list[Overview] = []
        for name in self.environment.store.rooms():
            with suppress(FormatError):  # git chat rooms tells what is wrong with it
                others += [self.environment.log(name).overview()] if name != self.name else []
        return Status(
            room=self._log.overview(),
            participants=self.participants(),
            message_count=chain.count_without(UNLISTED_KINDS),
            unread=backlog.count_of(visible),
            urgent=urgent,
            urgent_count=backlog.count_of(is_urgent),
            questions=questions,
            question_count=chain.count_of(is_open),
            recent=newest,
            summary=summary,
            since=self.count_since(summary) if summary is not None else chain.count_without({*UNLISTED_KINDS, STATUS}),
            other_rooms=sorted(others, key=lambda room: (-(room.active_seconds or 0), room.name)),
            labels=self._log.labels([*urgent, *questions, *newest]),
        )

    def _entries(self, places: Sequence[Place]) -> list[Entry]:
        return [self._log.entry_at(*place) for place in places]

    # --- who is here ---------------------------------------------------------------

    def join(
        self, role: str = "general", capabilities: Sequence[str] = (), *, since_now: bool = False
    ) -> list[Participant]:
        """Live here under my name until this process ends or leaves, and return who is here.

        Again: updates the role. ``since_now`` takes everything that was said so far for read.

        Raises:
            UserError: ``name-taken`` while another process lives under my name; ``bad-role``, ``bad-capability``.
        """
        now = self.environment.now().seconds
        new_membership(role, capabilities, now, is_registered=False)  # what it refuses, it refuses before we live here
        held = self.environment.hold(self.me)
        held.join(self.name, role=role, capabilities=capabilities, now=now)
        if since_now:
            self.set_cursor(self._log.count())
        return self.participants()

    def register(self, role: str = "general", capabilities: Sequence[str] = ()) -> Participant:
        """Be a participant until I leave, without a process behind it. Raises UserError ``name-taken``."""
        return self.environment.roll.register(
            self.me, self.name, role=role, capabilities=capabilities,
            holder=self.environment.holder(), now=self.environment.now().seconds,
        )  # fmt: skip

    def leave(self) -> bool:
        """Be no participant of this room any more, and say so in it if it is open; False when I was none.

        Raises:
            UserError: ``name-taken`` while another process lives under my name; ``mirror``.
        """
        self.environment.refuse_mirror()
        self._refuse_to_leave_for_another()
        now = self.environment.now().seconds
        held = self.environment.roll.held_here().get(self.me)
        has_left = held.leave(self.name, now) if held else self.environment.roll.leave(self.me, self.name, now)
        presence = self.environment.roll.find(self.me)
        if held and (presence is None or all(at.left_at is not None for at in presence.rooms.values())):
            held.release()
        if has_left and not self.overview().is_closed:
            draft = Draft(body=f"{self.me} left the chatroom", type="presence")
            self._writer.send(draft, replace(self.identity, name=SYSTEM))
        return has_left

    def _refuse_to_leave_for_another(self) -> None:
        """The roll refuses it too, in words for who wants the name."""
        presence = self.environment.roll.find(self.me)
        if presence is not None and presence.is_living and self.me not in self.environment.roll.held_here():
            raise UserError(
                f"'{self.me}' is held by {presence.holder or 'another process'}",
                hint="end that process, and the name is free; or leave from there",
                code="name-taken",
            )

    def participants(self) -> list[Participant]:
        """Who is here, living or registered, sorted by name."""
        return self.environment.roll.participants(self.name)

    def names(self) -> list[Name]:
        """The names of everybody who is or was here, or wrote or read here, sorted."""
        known = (participant.name for participant in self._known())
        return self._everybody(known, self._log.chain().newest_by_author())

    def who(self) -> list[Seen]:
        """Everybody who is or was here, or wrote or read here, perhaps in another clone; sorted by name."""
        chain = self._log.chain()
        wrote = chain.newest_by_author()
        known = {participant.name: participant for participant in self._known()}
        names = self._everybody(known, wrote)
        return [self._one(name, known.get(name), wrote.get(name), chain.count) for name in names]

    def _one(self, name: Name, participant: Participant | None, wrote: tuple[Number, int] | None, count: int) -> Seen:
        times = [participant.last_seen] if participant else []
        times += [wrote[1]] if wrote else []
        # Who only read was there when that had been said, and nothing tells how much later.
        times = times or [self._last_read_seconds(name)]
        return Seen(
            name=name,
            participant=participant,
            last_seen=max(times),
            last_number=wrote[0] if wrote and wrote[0] <= count else None,
            unread=self.how_far(name).unread,
        )

    def _known(self) -> list[Participant]:
        return self.environment.roll.known(self.name)

    def _last_read_seconds(self, name: Name) -> int:
        value = Cursor(self.environment.store, self.name, name).value
        return self.environment.store.step(value).seconds if value is not None else 0

    def _everybody(self, known: Iterable[Name], authors: Iterable[str]) -> list[Name]:
        wrote = (Name(author) for author in authors if is_name(author))
        return sorted({*known, *wrote, *self.environment.store.cursors(self.name)})


class Arrivals:
    """Records that came to a room since the last look, each once, also one that was pending when it was first seen."""

    def __init__(self, log: Log, after: int | None) -> None:
        """``after`` as for :meth:`Room.watch`."""
        self._seen = log.count() if after is None else after
        self._pending: set[tuple[Uid, str]] = set()
        """Told without a number. Not by their oids: the copy that gets the number can be another clone's."""
        if after is None:
            self.fresh(log)

    def fresh(self, log: Log) -> list[Entry]:
        """Those that a listing shows, oldest first."""
        found = []
        for entry in log.newer(self._seen):
            key = (entry.record.uid, entry.record.author)
            if entry.number is not None:
                self._seen = max(self._seen, entry.number)
            if key not in self._pending and entry.record.kind not in UNLISTED_KINDS:
                found.append(entry)
            if entry.number is None:
                self._pending.add(key)
            else:
                self._pending.discard(key)
        return found


def _as_json_text(content: object) -> str:
    """The JSON text of an object or array. Raises UserError ``bad-content``, also for what is only in it."""
    try:
        if not isinstance(content, dict | list):
            raise TypeError(f"it is of type {type(content).__name__}")
        return json.dumps(content, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UserError(
            f"content is neither text nor JSON: {error}",
            hint="give a text, or a dict or list of texts, finite numbers, True, False and None",
            code="bad-content",
        ) from error


__all__ = ["Found", "Handoff", "HowFar", "Query", "Reading", "Room", "Seen", "Status"]
