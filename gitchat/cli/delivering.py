"""What becomes of a message that was sent in a room with a remote: it is on its way, or its number is waited for."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace

import click

from gitchat.cli.terminal import escape_line
from gitchat.model.errors import ChatError, ConflictError, RemoteError
from gitchat.model.names import Handle, RoomName
from gitchat.model.record import Entry
from gitchat.model.refs import is_cursor, log_ref
from gitchat.quick.page import waits
from gitchat.storage import gate
from gitchat.verbs.pending import pending_in, words_of
from gitchat.workspace.environment import Environment
from gitchat.workspace.forks import fork_of
from gitchat.workspace.pushing import carrier_of, hand_over, lock_of, push_soon, stays, trouble_of
from gitchat.workspace.remotes import open_remote

OWN_SECONDS = 10.0
"""How long a send pushes by itself where nothing stays that would."""

_LOOK_SECONDS = 0.05
"""How often to see whether it has its number."""

_LAST_SECONDS = 1.0
"""How long who has pushed may take to note what came of it."""


# --- nobody waits ------------------------------------------------------------------


def hand_on(environment: Environment, room: RoomName, *, is_quiet: bool) -> None:
    """Have what was sent and printed pushed, and say on a terminal that it is on its way, or why it waits.

    Where this process pushed it itself and could not, that is said to whoever reads. Never fails.
    """
    push_soon(environment, room)
    if is_quiet:
        return
    with suppress(ChatError):
        if sys.stderr.isatty() or (not stays(environment) and carrier_of(environment, room) is not None):
            click.echo(_told(environment, room), err=True)


def _told(environment: Environment, room: RoomName) -> str:
    remote = carrier_of(environment, room)
    is_plain = remote is not None and fork_of(environment, remote) is None
    if remote is not None and is_plain and trouble_of(environment, remote, room) is None:
        return waits(None, escape_line(remote))  # what is on its way need not be counted
    one = pending_in(environment, room)
    return words_of(one, escape_line, lambda seconds: _clock(environment, seconds)) if one is not None else ""


def _clock(environment: Environment, seconds: int) -> str:
    from gitchat.cli.dates import since  # for who is told of trouble

    return since(seconds, environment.now())


# --- this process waits ------------------------------------------------------------


def push_now(environment: Environment, room: RoomName, entry: Entry) -> Entry:
    """Push ``entry``, where nobody stays who would, and give it as it is then. Never fails.

    It takes 10 s at the most; what has not come there by then is handed on to a pusher. While the remote is not
    heard (see ``trouble``) nothing is tried.
    """
    with suppress(ChatError, OSError):
        remote = carrier_of(environment, room)
        if remote is None or _is_pausing(environment, remote, room):
            return entry
        try:
            with gate.hold(environment.repository.directory, 0, lock_of(remote)) as keeping:
                entry = _push_holding(environment, remote, room, entry, keeping)
        except ConflictError:  # somebody pushes already
            return _numbered(environment, room, entry, OWN_SECONDS, lambda: _is_pausing(environment, remote, room))
        # Who sent meanwhile relied on us.
        if not all(map(is_cursor, open_remote(environment, remote).ahead())):
            push_soon(environment, room)
    return entry


def _push_holding(environment: Environment, remote: str, room: RoomName, entry: Entry, keeping: gate.Gate) -> Entry:
    from gitchat.staying.knocking import knock_aside  # for who pushes, as the next
    from gitchat.staying.pusher import Pusher

    # The copy has nothing open yet: what a thread opens it uses alone.
    apart = replace(environment)
    pusher = Pusher(apart, remote, patience=0, tell=lambda done: knock_aside(apart, remote, done))

    def push() -> None:
        with suppress(ChatError):
            pusher.run(nullcontext(), stay_seconds=0)

    thread = threading.Thread(target=push, daemon=True)
    thread.start()
    entry = _numbered(environment, room, entry, OWN_SECONDS, lambda: not thread.is_alive())
    pusher.close()
    thread.join(_LAST_SECONDS)
    if thread.is_alive():  # and ends with us: who goes on has to have the lock before
        hand_over(environment, remote, keeping)
    return entry


def _is_pausing(environment: Environment, remote: str, room: RoomName) -> bool:
    trouble = trouble_of(environment, remote, room)
    return trouble is not None and trouble.is_pausing(environment.now().seconds)


def deliver(environment: Environment, room: RoomName, entry: Entry, seconds: float) -> tuple[Entry, ChatError | None]:
    """Wait for the number of ``entry``: give it as it is then, and why it has no number yet; None when it has one.

    It is pushed by a thread that nobody waits for longer than ``seconds``, as a remote may be silent for long;
    somebody else may be quicker. What is late then still goes on, and is pending here: nothing is lost by giving up.
    """
    remote = environment.authorities.of(room)
    if entry.number is not None or remote is None:
        return entry, None
    trouble: list[ChatError] = []
    pusher = threading.Thread(target=_push, args=(replace(environment), remote, room, trouble), daemon=True)
    pusher.start()
    entry = _numbered(environment, room, entry, seconds, lambda: not pusher.is_alive())
    if entry.number is not None:
        pusher.join(_LAST_SECONDS)
        return entry, None
    late = f"the remote '{remote}' has not taken it within {seconds:g} s"
    reason = late if pusher.is_alive() else str(trouble[0]) if trouble else None
    return entry, RemoteError(
        f"{entry.handle} has no number yet: {reason or 'somebody else pushed first, again and again'}",
        hint=f"it is stored, and pending; push it later: git chat sync {remote}",
        code="not-numbered",
    )


def _push(environment: Environment, remote: str, room: RoomName, trouble: list[ChatError]) -> None:
    from gitchat.clones.settling import settle
    from gitchat.clones.trouble import TroubleFile
    from gitchat.staying.knocking import knock_aside
    from gitchat.staying.rounds import is_busy
    from gitchat.staying.turns import spend
    from gitchat.workspace.guarding import refresh_after

    while True:
        try:
            report = settle(open_remote(environment, remote), room, is_asked=False, random=environment.random)
            refresh_after(environment, has_come=any(report.fetched.values()))
            spend(environment, remote, report.pushes)
            knock_aside(environment, remote, report)
        except ChatError as error:
            if is_busy(error):  # a keeper's round, for one, which may push it
                continue
            trouble.append(error)
        else:
            if report.refusal is not None:
                trouble.append(report.refusal)
            elif room in report.in_fork:
                words = (
                    f"it waits in your fork '{report.in_fork[room]}' until somebody pulls it from there who may push"
                )
                trouble.append(RemoteError(words, hint="git chat status", code="not-numbered"))
            elif report.alarms:  # why the room was left as it is
                trouble.append(RemoteError(report.alarms[-1], hint="git chat sync", code="not-numbered"))
            else:
                TroubleFile(environment.repository.directory, remote).clear()
        return


def _numbered(
    environment: Environment, room: RoomName, entry: Entry, seconds: float, is_over: Callable[[], bool]
) -> Entry:
    """``entry`` as soon as it has a number, whoever pushed it; else as it is when ``is_over`` or the time is up."""
    handle = Handle(f"~{entry.record.uid}")
    end = time.monotonic() + seconds
    seen: object = None
    while True:
        was_over = is_over() or time.monotonic() >= end  # before the look, which then sees what came before
        tracking = environment.authorities.tracking(log_ref(room), room)
        tip = environment.store.tip(tracking) if tracking is not None else None
        if tip != seen:
            seen, entry = tip, environment.log(room).find(handle)
        if was_over or entry.number is not None:
            return entry
        time.sleep(_LOOK_SECONDS)
