"""Conflicts ahead: what one's work meets in that of others, before anybody merges it."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import Name, parse_name
from gitchat.model.pattern import Parts, parse_pattern
from gitchat.storage.git import GitFailed
from gitchat.verbs.standpoint import Standpoint
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.work.looking import Looked

WAIT_SECONDS = 20.0
"""How long who asks waits for another look that is going on."""

PAUSE_SECONDS = 30.0
"""How long after a look the next one comes that nobody asked for."""

_sleep = time.sleep

MOST_FILES = 200_000
"""In a larger tree it is only looked when somebody asks: git takes seconds to tell what is changed."""


def conflicts(room: Standpoint, name: str | None = None) -> Looked:
    """Look now at all work of this clone, and merge mine, or that of ``name``, with each; no file is changed.

    Both sides of a conflict are told in the room, once, and when it is over.

    Raises:
        UserError: ``bad-name``, ``no-work-tree``, ``not-a-pattern``; ``no-base``: there is nothing to compare with;
            ``not-looked``: git is amid something here.
        ConflictError: ``write-lock-held``: another look does not end.
    """
    return _look(room, parse_name(name) if name is not None else None)


def glance(room: Standpoint) -> None:
    """Look at everybody's work, for a process that nobody waits for; both of a conflict are told as :func:`conflicts`.

    At most every half a minute, however many ask: who comes meanwhile leaves it to who waits for his turn already. A
    conflict of what is not committed is looked at once more, before anybody is told. Never fails.
    """
    from gitchat.storage import gate
    from gitchat.work.scratch import seconds_since

    environment = room.environment
    with suppress(ChatError, OSError):
        if not _is_looked_for(environment):
            return
        for _ in range(2):
            with gate.hold(environment.repository.directory, 0, "conflicts.next"):
                since = seconds_since(environment.repository)
                if since is not None and since < PAUSE_SECONDS:
                    _sleep(PAUSE_SECONDS - since)
            found = _look(room, None, everybody=True)
            if all(pair.mine.is_committed and pair.other.is_committed for pair in found.pairs if pair.conflicts):
                return


def _is_looked_for(environment: Environment) -> bool:
    """Whether it is looked without anybody's asking: where several work here, and not in too large a tree."""
    from gitchat.work.scratch import entries_of_index

    repository = environment.repository
    if not repository.config.get_bool("chat.conflicts", True) or repository.location.is_bare:
        return False
    return repository.has_worktrees() and entries_of_index(repository.location.git_dir) <= MOST_FILES


def _look(room: Standpoint, me: Name | None, *, everybody: bool = False) -> Looked:
    """As :func:`conflicts`."""
    from gitchat.verbs.forewarning import tell  # these for who asks, and Room is loaded by every hook
    from gitchat.work.looking import NoBase, look
    from gitchat.work.scratch import scratch
    from gitchat.work.side import NotLooked

    environment = room.environment
    repository = environment.repository
    if repository.location.is_bare:
        raise UserError(
            "a bare repository has no work to look at",
            hint="ask where you work: git clone . ../ELSEWHERE",
            code="no-work-tree",
        )
    try:
        with scratch(repository, WAIT_SECONDS) as work:
            found = look(
                work,
                here=repository.worktree,
                me=me,
                fallback=_who_types(room),
                living=_by_worktree(room),
                told_base=repository.config.get("chat.base"),
                remotes=list(dict.fromkeys(filter(None, (repository.first_remote(), *repository.remotes())))),
                ignored=_ignored(room),
                everybody=everybody,
            )
            with suppress(UserError):  # a mirror, a closed room: then who asks sees it all the same
                repository.refuse_mirror()
                tell(room, found)
            return found
    except NoBase as error:
        told = error.args[0]
        raise UserError(
            f"chat.base names no commit here: {told}" if told else "no branch here is what all work is meant for",
            hint="say which it is: git config chat.base main",
            code="no-base",
        ) from error
    except (NotLooked, GitFailed) as error:
        raise UserError(
            str(error).partition("\n")[0] or "git refuses",
            hint="end what git waits for: git status",
            code="not-looked",
        ) from error


def _who_types(room: Standpoint) -> Name | None:
    with suppress(UserError):
        return room.me
    return None


def _ignored(room: Standpoint) -> list[Parts]:
    return [parse_pattern(text) for text in room.environment.repository.config.get_all("chat.conflictsIgnore")]


def _by_worktree(room: Standpoint) -> dict[Path, list[Name]]:
    """Who works in which worktree: whoever lives there, else who was there last."""
    found: dict[Path, list[Name]] = {}
    last: dict[Path, tuple[int, Name]] = {}
    for presence in room.environment.roll.everybody():
        if presence.holder is None:
            continue
        place = Path(presence.holder.worktree)
        if presence.is_living:
            found.setdefault(place, []).append(presence.name)
        last[place] = max(last.get(place, (0, presence.name)), (presence.held_at, presence.name))
    return {place: found.get(place, [name]) for place, (_, name) in last.items()}
