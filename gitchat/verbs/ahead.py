"""How far the base is ahead of the work here, and what hooks tell of that: without another look."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from gitchat.model.errors import ChatError
from gitchat.storage.git import GitFailed
from gitchat.verbs.afar import copies
from gitchat.verbs.standpoint import Standpoint
from gitchat.verbs.views import Behind
from gitchat.work import side as sides
from gitchat.work.abroad import freshest
from gitchat.work.looking import Looked
from gitchat.work.moved import Moved, MovedFile
from gitchat.work.scratch import Reading


def behind(room: Standpoint) -> Behind | None:
    """How far the base is ahead of the worktree we are in; None where it is not, or there is none. Never fails."""
    environment = room.environment
    repository = environment.repository
    with suppress(ChatError, GitFailed, ValueError):
        if repository.location.is_bare:
            return None
        remotes = [one for one in (repository.first_remote(), *repository.remotes()) if one]
        told = repository.config.get("chat.base")
        if not remotes and told is None and not repository.has_worktrees():
            return None  # nobody else works on it; git is not asked for that
        git = Reading(repository)
        base = sides.find_base(git, told, remotes, None)
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


def note_moved(room: Standpoint, found: Looked, hidden: Collection[str]) -> None:
    """Note for hooks what is everybody's own affair, as a look at everybody's work found it. Never fails.

    Conflicts of the commits ``hidden`` are that, too: no room hears of them.
    """
    moved: dict[Path, Moved] = {}
    now = room.environment.now().seconds
    for side in found.mine:
        if side.top is None:
            continue
        pairs = [pair for pair in found.pairs if side in (pair.mine, pair.other)]
        meetings = [one for pair in pairs if pair.other.is_base for one in pair.meetings]
        others: dict[str, tuple[str, ...]] = {}
        for pair in pairs:
            if pair.mine.oid not in hidden and pair.other.oid not in hidden:
                continue
            other = pair.other if pair.mine == side else pair.mine
            paths = tuple(one.path for one in pair.meetings if one.outcome == "conflict")
            is_idle = side.idle_days(now) is not None or other.idle_days(now) is not None
            if paths and not is_idle and other.names[:1] and other.names[:1] != side.names[:1]:
                others[other.names[0]] = paths
        if meetings or others:
            conflicts = sum(one.outcome == "conflict" for one in meetings)
            paths = tuple(one.path for one in meetings)
            moved[side.top] = Moved(
                found.base.label, found.base.oid, side.behind, paths, conflicts, found.base.is_ahead_of_users, others
            )
    with suppress(OSError):
        MovedFile(room.environment.repository.directory).note(moved)
