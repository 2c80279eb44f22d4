"""Who is here: the names of a clone, each held by a kernel lock while somebody lives under it.

A name is *living* while a process holds the kernel lock of its file. The kernel takes the
lock back when that process ends, however it ends: nobody has to notice, to beat, or to
compare pids, which are given out again. A name can also be *registered*: joined until it
leaves, without a process behind it. A killed holder is neither, and blocks nobody.

There is one lock for a name; rooms are memberships that its file lists (livefile.py).
Readers wait for nobody. Source: docs/format.md section 7.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import MAX_SLUG_CHARS, Name, RoomName
from gitchat.model.participant import Holder, Participant, Presence, new_membership
from gitchat.presence import livefile, remembered
from gitchat.presence.holding import PROCESS, Held, Holding, is_held_here, touch
from gitchat.presence.livefile import LiveFile, storage_errors
from gitchat.presence.namelock import NAME_LOCK, NameLock

WAIT_SECONDS = 0.3
"""How long who wants a name tries again before it counts as taken: a server that was told
to end may take a moment to die while its successor is already there. Where the lock is
``flock``, a probe holds it for an instant as well."""

_RETRY_SECONDS = 0.005


class Roll:
    """The names of one clone, in ``live/`` below ``directory``; neither need exist.

    ``directory`` is ``chatroom/`` in the git common directory, so that all worktrees
    share the names. ``holding`` is the party that lives under what is held here, by default this
    process. ``now`` is always seconds since the epoch. Reading never fails: what
    cannot be read, or is no live file, is nobody. What changes a file raises

    - StorageError ``disk-full``, ``read-only``, ``storage``: nothing was joined or left;
    - ConflictError ``write-lock-held``: somebody stopped while changing a file.
    """

    def __init__(
        self,
        directory: Path,
        *,
        holding: Holding = PROCESS,
        lock: NameLock = NAME_LOCK,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._directory = directory
        self._holding = holding
        self._lock = lock
        self._wait_seconds = wait_seconds
        self._touched: dict[tuple[Name, RoomName], int] = {}
        """When each was last noted to be seen."""

    # --- reading ---------------------------------------------------------------

    def participants(self, room: RoomName) -> list[Participant]:
        """Who is in ``room``, living or registered, sorted by name. A killed holder is not."""
        return [participant for participant in self.known(room) if participant.is_present]

    def known(self, room: RoomName) -> list[Participant]:
        """Everybody who ever joined ``room``, also who left or was killed, sorted by name."""
        found = (presence.participant(room) for presence in self.everybody())
        return [participant for participant in found if participant is not None]

    def find(self, name: Name) -> Presence | None:
        """What is known of ``name`` in all rooms; None when nobody ever took it.

        Its file is opened only where it has changed since this process saw it, or another process may live under it.
        """
        known = remembered.recall(self._directory, name, is_held_here=is_held_here(self._directory, name))
        if known is not None:
            return known
        with suppress(OSError):
            file = LiveFile(self._directory, name, os.O_RDONLY)
            try:
                stamp = file.stamp()
                # First the lock: who takes the name in between is then not living yet. The other way
                # round it would live in the rooms of the one before it.
                is_living = self._lock.is_taken(file.descriptor)
                presence = replace(file.read(), is_living=is_living)
                remembered.keep(self._directory, presence, stamp)
                return presence
            finally:
                file.close()
        return None

    def taken_last(self, is_ours: Callable[[Presence], bool]) -> Presence | None:
        """Of the names that ``is_ours`` says yes to the one that was taken last; in one second a living one.

        Also after its holder ended, until another takes the name.
        """
        ours = (presence for presence in self.everybody() if presence.holder and is_ours(presence))
        return max(ours, key=lambda presence: (presence.held_at, presence.is_living), default=None)

    def everybody(self) -> Iterator[Presence]:
        """All names that anybody ever took here, sorted, in all their rooms. Looks at a file for each."""
        for name in livefile.names(self._directory):
            if presence := self.find(name):
                yield presence

    # --- changing --------------------------------------------------------------

    def hold(self, name: Name, holder: Holder, now: int) -> Held:
        """Live under ``name``, in no room yet, until the result is released or this process ends.

        Raises:
            UserError: ``name-taken`` while somebody lives under it, be it in this process or this very holding.
        """
        file = livefile.create(self._directory, name)
        try:
            with storage_errors(self._directory, name):
                if not self._take(file.descriptor):
                    raise self._taken(name)
                with file.turn():
                    _, presence = file.change(lambda presence: presence.taken_by(holder, now))
                    remembered.keep(self._directory, replace(presence, is_living=True), file.stamp())
        except BaseException:
            file.close()
            raise
        return Held(self._directory, file, holder, self._holding)

    def held_here(self) -> dict[Name, Held]:
        """The names of this clone that our holding lives under; others in this process are as far away as another."""
        return self._holding.names(self._directory)

    def register(
        self, name: Name, room: RoomName, *, role: str, capabilities: Sequence[str] = (), holder: Holder, now: int
    ) -> Participant:
        """Join ``room`` without a process that lives under ``name``, until it leaves.

        Again: the role and when it was seen are new, when it joined stays.

        Raises:
            UserError: ``name-taken`` while somebody lives under it; ``bad-role``, ``bad-capability``.
        """
        new = new_membership(role, capabilities, now, is_registered=True)
        with self._unheld(name) as file:
            _, after = file.change(lambda presence: presence.taken_by(holder, now).joined(room, new))
        return after.member(room)

    def leave(self, name: Name, room: RoomName, now: int) -> bool:
        """Take who does not live out of ``room``; whether it was in. For who lives there is :meth:`Held.leave`.

        Raises:
            UserError: ``name-taken`` while somebody lives under it.
        """
        known = self.find(name)
        if known is None or known.left(room, now) == known:
            return False
        with self._unheld(name) as file:
            before, after = file.change(lambda presence: presence.left(room, now))
        return before != after

    def touch(self, name: Name, room: RoomName, now: int) -> None:
        """Note that ``name`` was seen in ``room``, if it is a member; once a second. Never waits, never fails."""
        if self._touched.get((name, room)) == now:
            return
        self._touched[name, room] = now
        with suppress(OSError):
            file = LiveFile(self._directory, name, os.O_RDWR)
            try:
                touch(file, room, now)
            finally:
                file.close()

    def assign(
        self, name: Name, holder: Holder, now: int, is_free: Callable[[Presence], bool] = lambda presence: True
    ) -> bool:
        """Note that the session of ``holder`` goes by ``name``, which it may never join; whether it does.

        Not while somebody lives under it, or when ``is_free`` says no to what it is in our turn. What cannot be
        noted counts as done. Never fails.
        """

        is_ours = True

        def take(presence: Presence) -> Presence:
            nonlocal is_ours
            is_ours = is_free(presence)
            return presence.taken_by(holder, now) if is_ours else presence

        try:
            with self._unheld(name) as file:
                file.change(take)
        except UserError:  # somebody lives under it
            return False
        except ChatError:
            pass
        return is_ours

    def vacate(self) -> None:
        """Forget everybody who does not live here: in a copy of a clone they are not the ones who joined. Never fails.

        The files stay, as always: who lives may just have opened its own.
        """
        for name in livefile.names(self._directory):
            with suppress(ChatError), self._unheld(name) as file:
                file.change(lambda presence: presence.without(None))

    def forget(self, name: Name, rooms: Collection[RoomName] | None = None) -> bool:
        """Forget what is known of ``name``, in these rooms or at all; whether that was anything. The file stays.

        Raises UserError ``name-taken`` while somebody lives under it.
        """
        known = self.find(name)
        if known is None or known.without(rooms) == known:
            return False
        with self._unheld(name) as file:
            before, after = file.change(lambda presence: presence.without(rooms))
        return before != after

    @contextmanager
    def _unheld(self, name: Name) -> Iterator[LiveFile]:
        """Our turn at the file of a name under which nobody lives. Raises what changes raise, and ``name-taken``."""
        file = livefile.create(self._directory, name)
        try:
            with storage_errors(self._directory, name), file.turn():
                if self._lock.is_taken(file.descriptor):
                    raise self._taken(name)
                yield file
        finally:
            file.close()

    def _take(self, descriptor: int) -> bool:
        end = time.monotonic() + self._wait_seconds
        while not self._lock.take(descriptor):
            if time.monotonic() >= end:
                return False
            time.sleep(_RETRY_SECONDS)
        return True

    def _taken(self, name: Name) -> UserError:
        known = self.find(name)
        holder = known.holder if known and known.holder else "a process that did not say which"
        free = name[: MAX_SLUG_CHARS - 2]
        return UserError(
            f"participant '{name}' is already active; choose a different name or remove the stale participant",
            hint=f"take another name, such as '{free}-2'; this one is held by {holder}",
            public_hint=f"take another name, such as '{free}-2'; somebody else lives under this one",
            code="name-taken",
        )
