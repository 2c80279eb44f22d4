"""What is held: the names that a party lives under, and one of them.

A party is this process, or one of those that a server acts for. The kernel's locks are of open
files, so that two parties of one process keep each other out as two processes do; and the rules
of acting and marking ask what a party holds, and never what a process does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from gitchat.model.errors import ChatError
from gitchat.model.names import Name, RoomName
from gitchat.model.participant import Holder, Participant, Presence, new_membership
from gitchat.presence import remembered
from gitchat.presence.livefile import LiveFile, storage_errors


class Holding:
    """The names that one party lives under, in whatever clones.

    It keeps them until each is released, :meth:`release` is called, or the process ends.
    """

    def __init__(self) -> None:
        self._names: dict[Path, dict[Name, Held]] = {}

    def names(self, directory: Path) -> dict[Name, Held]:
        """Those in ``live/`` below ``directory``, in the order in which they were taken; a copy."""
        return dict(self._names.get(directory, {}))

    def release(self) -> None:
        """Stop living under all of them."""
        for names in list(self._names.values()):
            for held in list(names.values()):
                held.release()

    def _add(self, held: Held) -> None:
        self._names.setdefault(held.directory, {})[held.name] = held
        _everybodys[held.directory, held.name] = held

    def _discard(self, held: Held) -> None:
        names = self._names.get(held.directory, {})
        if names.get(held.name) is held:
            del names[held.name]
        if _everybodys.get((held.directory, held.name)) is held:
            del _everybodys[held.directory, held.name]


PROCESS = Holding()
"""What this process lives under for itself."""


class Held:
    """A name that a party lives under. Made by :meth:`Roll.hold`; a context manager that releases it.

    Raises what :class:`Roll` raises for changes, and ValueError after :meth:`release`. The
    programs that this process starts do not hold the name, nor do its forks.
    """

    def __init__(self, directory: Path, file: LiveFile, holder: Holder, holding: Holding) -> None:
        self.name = file.name
        self.directory = directory
        self.holder = holder
        self._file: LiveFile | None = file
        self._holding = holding
        holding._add(self)

    def join(self, room: RoomName, *, role: str, capabilities: Sequence[str] = (), now: int) -> Participant:
        """Be a member of ``room`` while the name is held.

        Again: the role and when it was seen are new, when it joined stays.

        Raises:
            UserError: ``bad-role``, ``bad-capability``.
        """
        new = new_membership(role, capabilities, now, is_registered=False)
        _, after = self._change(lambda presence: presence.joined(room, new))
        return replace(after, is_living=True).member(room)

    def call(self, label: str | None = None, given: str | None = None) -> None:
        """Note what it is called outside and how it is spelled there, where that is new. Raises as Holder.called."""
        holder = self.holder.called(label, given)
        if holder != self.holder:
            self._change(lambda presence: replace(presence, holder=holder))
            self.holder = holder

    def leave(self, room: RoomName, now: int) -> bool:
        """Leave ``room``, also where the name was registered; whether it was in. The name stays held."""
        before, after = self._change(lambda presence: presence.left(room, now))
        return before != after

    def touch(self, room: RoomName, now: int) -> None:
        """Note that the name was seen in ``room``, if it is a member. Never waits, never fails."""
        if self._file is not None:
            touch(self._file, room, now)

    def release(self) -> None:
        """Stop living under the name; where it was registered, it stays. Again: nothing happens."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._holding._discard(self)

    def _change(self, change: Callable[[Presence], Presence]) -> tuple[Presence, Presence]:
        if self._file is None:
            raise ValueError(f"the name {self.name!r} was released")
        with storage_errors(self.directory, self.name), self._file.turn():
            before, after = self._file.change(change)
            remembered.keep(self.directory, replace(after, is_living=True), self._file.stamp())
        return before, after

    def __enter__(self) -> Held:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def touch(file: LiveFile, room: RoomName, now: int) -> None:
    """Note in ``file`` that its name was seen in ``room``. Never waits, never fails."""
    with suppress(ChatError, OSError), file.turn(wait_seconds=0):
        file.change(lambda presence: presence.touched(room, now))


_everybodys: dict[tuple[Path, Name], Held] = {}
"""What this process holds, for whomever. A name stays held also when nobody keeps its object, or its holding."""


def is_held_here(directory: Path, name: Name) -> bool:
    """Whether this process lives under ``name``, for whomever. In any thread."""
    return (directory, name) in _everybodys


def _let_go() -> None:
    """In a fork: close what would keep a dead parent's name alive. (A program that is started closes it anyway.)"""
    for held in list(_everybodys.values()):
        held.release()


os.register_at_fork(after_in_child=_let_go)
