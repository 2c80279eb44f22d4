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
from gitchat.workspace import asking

if TYPE_CHECKING:
    from gitchat.work.looking import Looked

WAIT_SECONDS = 20.0
"""How long who asks waits for another look that is going on."""

PAUSE_SECONDS = 30.0
"""How long after a look the next one comes that nobody asked for."""

_MOST_LOOKS = 4
"""How often one process looks: twice at what is not committed, and until what is shared may be pushed."""

_sleep = time.sleep


def conflicts(room: Standpoint, name: str | None = None) -> Looked:
    """Look now at all work of this clone, and merge mine, or that of ``name``, with each; no file is changed.

    Both sides of a conflict are told in the room, once, and when it is over.

    Raises:
        UserError: ``bad-name``, ``no-work-tree``, ``not-a-pattern``; ``no-base``: there is nothing to compare with;
            ``not-looked``: git is amid something here.
        ConflictError: ``write-lock-held``: another look does not end.
    """
    from gitchat.verbs.sharing import is_used, withdraw  # for who asks
    from gitchat.verbs.unasked import note_wanted

    found, _ = _look(room, parse_name(name) if name is not None else None)
    if is_used(room.environment):
        if note_wanted(room):
            asking.ask(room.environment)  # what is shared is pushed where nobody waits for it
        else:
            with suppress(ChatError, OSError):  # nobody would come who takes it back
                withdraw(room.environment)
    return found


def glance(room: Standpoint) -> None:
    """Look at everybody's work, for a process that nobody waits for; both of a conflict are told as :func:`conflicts`.

    At most every half a minute, however many ask: who comes meanwhile leaves it to who waits for his turn already. A
    conflict of what is not committed is looked at once more, before anybody is told. What is shared of work here goes
    to the room's remote. A look that does not end in time is ended, and then none comes unasked for a while; nor where
    git is slow to tell what is changed. Never fails.
    """
    from gitchat.storage import gate
    from gitchat.verbs.unasked import note_ended, note_wanted
    from gitchat.work.scratch import TimeUp, seconds_since

    environment = room.environment
    with suppress(ChatError, OSError):
        is_wanted = note_wanted(room)
        for turn in range(_MOST_LOOKS if is_wanted else 0):
            with gate.hold(environment.repository.directory, 0, "conflicts.next"):
                since = seconds_since(environment.repository)
                if since is not None and since < PAUSE_SECONDS:
                    _sleep(PAUSE_SECONDS - since)
            asking.begins(environment)
            try:
                found, is_due = _look(room, None, everybody=True)
            except TimeUp:
                note_ended(environment)
                asking.switch(environment, is_on=False)
                return
            is_sure = all(pair.mine.is_committed and pair.other.is_committed for pair in found.pairs if pair.conflicts)
            if ((is_sure or turn > 0) and not is_due) or not note_wanted(room):
                return
    asking.begins(environment)


def _look(room: Standpoint, me: Name | None, *, everybody: bool = False) -> tuple[Looked, bool]:
    """As :func:`conflicts`; and, where it is everybody's, whether something is to be shared that comes too early."""
    from gitchat.verbs.afar import abroad, copies  # these for who asks, and Room is loaded by every hook
    from gitchat.verbs.ahead import note_moved
    from gitchat.verbs.forewarning import hidden, tell
    from gitchat.verbs.sharing import share
    from gitchat.verbs.unasked import LIMIT_SECONDS, note_looked
    from gitchat.work.looking import NoBase, look
    from gitchat.work.scratch import LOOKING, scratch
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
        limit = LIMIT_SECONDS if everybody else None
        with scratch(repository, WAIT_SECONDS, *LOOKING, limit_seconds=limit) as work:
            found = look(
                work,
                repository,
                me=me,
                fallback=_who_types(room),
                living=_by_worktree(room),
                told_base=repository.config.get("chat.base"),
                remotes=list(dict.fromkeys(filter(None, (repository.first_remote(), *repository.remotes())))),
                ignored=_ignored(room),
                copies=copies(room),
                abroad=abroad(room),
                everybody=everybody,
            )
            note_looked(environment, found)
            due = None
            with suppress(UserError):  # a mirror, a closed room: then who asks sees it all the same
                repository.refuse_mirror()
                secret = hidden(room, found)
                tell(room, found, secret)
                if everybody:
                    note_moved(room, found, secret)
                    due = share(room, work, found)
            return found, due is not None
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
