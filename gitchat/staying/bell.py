"""The bell of one session of a client: it rings when something came for the seat, and knows whether it was heard.

Ringing proves nothing: a client takes a line and says nothing. The next hook or call of the session does
(:func:`confirm`); until then, and for 30 s at the most, what was rung counts as told, and then it is the hooks' to
tell. Only the session's own server rings, its own session and no other. Source: docs/format.md section 14.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from gitchat.model import offered
from gitchat.model.errors import ChatError
from gitchat.staying.ringfile import RingFile, Session
from gitchat.staying.rings import LEASE_SECONDS, Event, Rung, Sender
from gitchat.staying.told import Told

if TYPE_CHECKING:
    from gitchat.model.names import Name
    from gitchat.staying.notice import Fresh
    from gitchat.workspace.environment import Environment

LIFE_SECONDS = 60
"""How often it is noted that a session lives, where nothing waits for it."""


class DoorShut(Exception):
    """The client could not be rung; the words say why."""


class Door(Protocol):
    """Where a client can be rung."""

    @property
    def tells_names(self) -> bool:
        """Whether the notice may name who wrote: not where the client says it in its user's voice."""

    @property
    def drops_repeats(self) -> bool:
        """Whether the client drops what says the same as what it was told before: then each notice says when."""

    @property
    def lives_seconds(self) -> float:
        """How long after it last showed life a session may be rung."""

    def ring(self, text: str) -> None:
        """Say ``text`` to the client, which does not answer. Raises DoorShut."""


# --- what the session shows -------------------------------------------------------


def confirm(environment: Environment, event: Event) -> None:
    """Note that the session that acts in ``environment`` shows life by ``event``; never fails.

    Called before an event tells anything, and never for a subagent. What the session was rung for, it
    has heard by then, and is not told again; with ``stop`` its turn ends, and it may be rung anew. A session that
    starts has heard nothing of what was rung before; one that ends is rung no more.
    """
    with suppress(ChatError, OSError):
        key = environment.caller.session
        if key is None or environment.caller.is_subagent:
            return
        file, now = RingFile(environment.repository.directory), environment.now().seconds
        session = file.of(key)
        if _is_due(session, event, now):
            shown = _shown_by(environment, session)
            file.change(
                key, now, lambda known: replace(shown, rung=known.rung.after(event, now), trouble=known.trouble)
            )
        is_heard = event not in ("session-start", "session-end")
        Told(environment.repository.directory, environment.caller.name(), environment.now).settle(
            key, is_heard=is_heard
        )


def _is_due(session: Session, event: Event, now: int) -> bool:
    """Whether ``event`` says more of a session than is noted."""
    is_edge = event in ("session-start", "session-end") or session.rung.has_ended
    return is_edge or session.rung.outstanding is not None or abs(now - session.rung.seen_at) > LIFE_SECONDS


def _shown_by(environment: Environment, session: Session) -> Session:
    """``session`` as the process of it sees it that shows life."""
    keys = environment.caller.keys
    return replace(
        session,
        name=environment.caller.name(),
        client=environment.caller.client or "",
        id=keys.id or session.id,
        process=keys.process or session.process,
        place=environment.cwd,
    )


# --- what is said of a budget that is used up --------------------------------------


def rests(environment: Environment) -> str | None:
    """A sentence for the session of ``environment``, when its budget holds something back; once. Never fails."""
    with suppress(ChatError, OSError):
        key, now = environment.caller.session, environment.now().seconds
        file = RingFile(environment.repository.directory)
        rung = file.of(key).rung if key is not None else Rung()
        if key is not None and rung.held_back_at is not None:
            file.change(key, now, lambda known: replace(known, rung=known.rung.having_said_so()))
            return f"your bell rests {_for(rung, now)}: what comes meanwhile, {offered.CHECK_IN} shows"
    return None


def resting(environment: Environment, recipients: Iterable[str], sender: str, *, is_person: bool) -> list[str]:
    """A line for each of ``recipients`` whom a message of ``sender`` does not wake now, though it has a bell here.

    Of sessions of this clone alone. Never fails.
    """
    with suppress(ChatError, OSError):
        now = environment.now().seconds
        sessions = RingFile(environment.repository.directory).all().values()
        asked = {one.name: one.rung for one in sessions if one.has_bell and not one.rung.has_ended}
        return [
            f"{name} is not woken by this: its bell rests {_for(asked[name], now)}; it hears of it when it looks"
            for name in dict.fromkeys(recipients)
            if name in asked and not asked[name].allowed([Sender(sender, is_person)], now)
        ]
    return []


def _for(rung: Rung, now: int) -> str:
    """How long a budget is used up, and why that is."""
    return f"for {math.ceil(rung.allows_in(now) / 60)} min, after {len(rung.in_last_hour(now))} rings in an hour"


# --- ringing -----------------------------------------------------------------------


class Bell:
    """The bell of the session that acts in ``environment``, behind one ``door``. For one thread."""

    def __init__(self, environment: Environment, door: Door) -> None:
        """``environment`` must be the thread's own."""
        self._environment = environment
        self._door = door
        self._has_begun = False

    def begin(self) -> None:
        """Ring from now on: for what comes, not for what was there when the session began. Raises ChatError."""
        if self._has_begun:
            return
        self._has_begun = True
        environment = self._environment
        key, now = environment.caller.session, environment.now().seconds
        if key is None or not (rooms := environment.store.rooms()):
            return
        session = self._file.of(key)
        if not session.has_bell:
            self._told.skip({room: environment.log(room).chain().tips for room in rooms})
        self._note(key, session, now, begins=True)

    def _note(self, key: str, session: Session, now: int, *, begins: bool) -> None:
        """The session has a bell from now on; it shows life when it ``begins`` with it."""
        shown = replace(_shown_by(self._environment, session), has_bell=True)

        def note(known: Session) -> Session:
            return replace(shown, rung=known.rung.after("session-start", now) if begins else known.rung)

        self._file.change(key, now, note)

    def look(self, is_busy: Callable[[], bool]) -> float:
        """Ring if something is there to be rung for, and return in how many seconds to look again at the latest.

        inf: when a ref moves, or the session shows life. Nothing while the seat ``is_busy`` with a call of its own.
        Raises ChatError.
        """
        from gitchat.staying.notice import look  # SQLite, for who looks

        environment = self._environment
        key = environment.caller.session
        if key is None or is_busy():
            return math.inf
        found = look(environment, self._name, self._told)
        if not found:
            return math.inf
        now = environment.now().seconds
        session = self._file.of(key)
        if not session.has_bell:  # there was no room yet, or its file was deleted
            self._note(key, session, now, begins=not session.rung.seen_at)
            session = self._file.of(key)
        pause = session.rung.pause_seconds(now)
        if pause and not self._has_read(session.rung, found):
            return pause
        if now - session.rung.seen_at > self._door.lives_seconds:
            return math.inf
        asked = {sender.name: sender for one in found for sender in one.senders}
        allowed = session.rung.allowed(asked.values(), now)
        if not allowed:
            self._file.change(key, now, lambda known: replace(known, rung=known.rung.holding_back(now)))
            return session.rung.allows_in(now)
        if is_busy() or not self._borrow(key, found):
            return 1.0  # somebody told it in this moment, or will
        self._ring(key, found, allowed)
        return LEASE_SECONDS + 1.0

    def rests(self) -> str | None:
        """That the budget holds something back, once; None when it does not, or that was said."""
        return rests(self._environment)

    def _ring(self, key: str, found: list[Fresh], allowed: list[Sender]) -> None:
        """Ring, with what is rung for lent to us. It is charged before it is made, whatever comes."""
        from gitchat.staying.notice import sentence

        moment = self._environment.now()
        now = moment.seconds
        is_ours = False

        def charge(known: Session) -> Session:
            nonlocal is_ours
            is_ours = set(known.rung.allowed(allowed, now)) == set(allowed)
            return replace(known, rung=known.rung.with_ring(allowed, now), trouble="") if is_ours else known

        if not self._file.change(key, now, charge) or not is_ours:
            self._told.take_back(key)
            return
        try:
            text = sentence(found, tells_names=self._door.tells_names)
            self._door.ring(f"{text} ({moment.utc[11:19]} UTC)" if self._door.drops_repeats else text)
        except DoorShut as shut:
            words = str(shut)
            self._told.take_back(key)
            self._file.change(key, now, lambda known: replace(known, rung=known.rung.after_failure(), trouble=words))

    def _borrow(self, key: str, found: list[Fresh]) -> bool:
        return self._told.lend(
            key,
            LEASE_SECONDS,
            {one.room: one.upto for one in found},
            {one.room: one.tips for one in found},
            unless_told={one.room: one.told for one in found},
        )

    def _has_read(self, rung: Rung, found: list[Fresh]) -> bool:
        """Whether the last notice was taken and what it was for is read: all that is unread is new."""
        last = rung.outstanding
        return last is not None and last.heard_at is not None and all(one.count == one.fresh for one in found)

    @property
    def _name(self) -> Name:
        return self._environment.caller.name()

    @property
    def _told(self) -> Told:
        return Told(self._environment.repository.directory, self._name, self._environment.now)

    @property
    def _file(self) -> RingFile:
        return RingFile(self._environment.repository.directory)
