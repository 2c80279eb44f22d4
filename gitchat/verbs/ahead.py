"""What is open of conflicts, and how far the base is ahead: from what was told and found, without another look."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitchat.model.errors import ChatError, FormatError
from gitchat.model.names import Name
from gitchat.storage.git import GitFailed
from gitchat.verbs.afar import copies
from gitchat.verbs.forewarning import Told, told_in
from gitchat.verbs.standpoint import Standpoint
from gitchat.work import side as sides
from gitchat.work.abroad import freshest
from gitchat.work.looking import Looked
from gitchat.work.moved import Moved, MovedFile
from gitchat.work.scratch import Reading

OLD_SECONDS = 86_400
"""After so long it is said that a conflict may be over: who could take it back may be away."""


@dataclass(frozen=True, slots=True)
class Open:
    """A conflict that two were told of, and nobody took back."""

    names: tuple[str, ...]
    """Both, sorted."""
    paths: tuple[str, ...]
    label: str
    """The number, or handle, of the last record that tells of it."""
    number: int | None
    since: int
    """When they were told first, in seconds since the epoch."""
    is_old: bool
    """Whether nobody was told of more of it for a day."""

    def others(self, me: str) -> tuple[str, ...]:
        """The one who is not ``me``; both where neither is."""
        return tuple(name for name in self.names if name != me)


@dataclass(frozen=True, slots=True)
class Behind:
    """How far the base is ahead of the work here."""

    base: str
    behind: int
    """How many commits."""
    paths: tuple[str, ...]
    """Those that one changed oneself, as the last look found them."""


def open_conflicts(room: Standpoint) -> list[Open]:
    """All that are open in the room, the oldest first. Raises FormatError."""
    now = room.environment.now().seconds
    if room.name not in room.environment.store.rooms():
        return []
    found = (_open(names, one, now) for names, one in told_in(room).items() if not one.is_over)
    return sorted(found, key=lambda one: one.since)


def my_conflicts(room: Standpoint) -> list[Open]:
    """Those of mine. Raises FormatError."""
    return [one for one in open_conflicts(room) if room.me in one.names]


def of_name(conflicts: list[Open], name: Name) -> list[Open]:
    """Those of ``name``."""
    return [one for one in conflicts if name in one.names]


def _open(names: tuple[str, ...], told: Told, now: int) -> Open:
    last = told.entries[-1]
    since = told.entries[0].record.written.seconds
    is_old = now - last.record.written.seconds >= OLD_SECONDS
    return Open(names, tuple(sorted(told.paths)), last.label, last.number, since, is_old)


def behind(room: Standpoint) -> Behind | None:
    """How far the base is ahead of the worktree we are in; None where it is not, or there is none. Never fails."""
    environment = room.environment
    repository = environment.repository
    with suppress(ChatError, GitFailed, FormatError, ValueError):
        if repository.location.is_bare:
            return None
        git, remotes = Reading(repository), [one for one in (repository.first_remote(), *repository.remotes()) if one]
        base = sides.find_base(git, repository.config.get("chat.base"), remotes, None)
        if base is None:
            return None
        base = freshest(git, base, remotes, copies(room))
        count = int(sides.line_of(git, "rev-list", "--count", f"HEAD..{base.oid}"))
        if count == 0:
            return None
        noted = MovedFile(repository.directory).of(repository.worktree)
        paths = noted.meeting if noted is not None and noted.tip == base.oid else ()
        return Behind(base.label, count, paths)
    return None


def note_moved(room: Standpoint, found: Looked, *, tells_all: bool) -> None:
    """Note for hooks what is everybody's own affair, as a look at everybody's work found it. Never fails.

    Without ``tells_all`` conflicts with others are that, too: no room hears of them.
    """
    moved: dict[Path, Moved] = {}
    for side in found.mine:
        if side.top is None:
            continue
        pairs = [pair for pair in found.pairs if side in (pair.mine, pair.other)]
        meetings = [one for pair in pairs if pair.other.is_base for one in pair.meetings]
        others: dict[str, tuple[str, ...]] = {}
        for pair in pairs if not tells_all else ():
            other = pair.other if pair.mine == side else pair.mine
            paths = tuple(one.path for one in pair.meetings if one.outcome == "conflict")
            if paths and other.names[:1] and other.names[:1] != side.names[:1]:
                others[other.names[0]] = paths
        if meetings or others:
            conflicts = sum(one.outcome == "conflict" for one in meetings)
            paths = tuple(one.path for one in meetings)
            moved[side.top] = Moved(
                found.base.label, found.base.oid, side.behind, paths, conflicts, found.base.is_ahead_of_users, others
            )
    with suppress(OSError):
        MovedFile(room.environment.repository.directory).note(moved)
