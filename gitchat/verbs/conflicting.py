"""Conflicts ahead: what one's work meets in that of others, before anybody merges it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gitchat.model.errors import UserError
from gitchat.model.names import Name, parse_name
from gitchat.model.pattern import Parts, parse_pattern
from gitchat.storage.git import GitFailed
from gitchat.verbs.standpoint import Standpoint

if TYPE_CHECKING:
    from gitchat.work.looking import Looked

WAIT_SECONDS = 20.0
"""How long who asks waits for another look that is going on."""


def conflicts(room: Standpoint, name: str | None = None) -> Looked:
    """Look now at all work of this clone, and merge mine, or that of ``name``, with each; no file is changed.

    Both sides of a conflict are told in the room, once, and when it is over.

    Raises:
        UserError: ``bad-name``, ``no-work-tree``, ``not-a-pattern``; ``no-base``: there is nothing to compare with;
            ``not-looked``: git is amid something here.
        ConflictError: ``write-lock-held``: another look does not end.
    """
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
    me = parse_name(name) if name is not None else None
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
