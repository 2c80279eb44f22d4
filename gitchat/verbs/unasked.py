"""Whether people's work is looked at without anybody's asking, and why not."""

from __future__ import annotations

from contextlib import suppress

from gitchat.model.errors import ChatError
from gitchat.verbs.standpoint import Standpoint
from gitchat.work.looking import Looked
from gitchat.work.resting import Rest, RestFile
from gitchat.workspace import asking
from gitchat.workspace.environment import Environment

MOST_FILES = 200_000
"""In a larger tree it is only looked when somebody asks: git takes seconds to tell what is changed."""

MOST_STATUS_SECONDS = 3.0
"""Likewise where git took longer than that to tell it."""

LIMIT_SECONDS = 10.0
"""How long a look may take that nobody asked for."""


def note_wanted(room: Standpoint) -> bool:
    """Whether it is looked without anybody's asking: where others work, and where that is no burden.

    It is noted, so that hooks ask only then. Raises as Repository.location, and UserError ``bad-config``.
    """
    is_wanted = _is_of_use(room) and _rest(room.environment) is None
    asking.switch(room.environment, is_on=is_wanted)
    return is_wanted


def _is_of_use(room: Standpoint) -> bool:
    from gitchat.verbs.afar import copies, shares_there
    from gitchat.verbs.sharing import is_used

    environment, repository = room.environment, room.environment.repository
    return (
        repository.config.get_bool("chat.conflicts", True)
        and not repository.location.is_bare
        and (repository.has_worktrees() or is_used(environment) or bool(copies(room)) or bool(shares_there(room)))
    )


def _rest(environment: Environment) -> Rest | None:
    """Why not, for now; what has to be counted is counted and noted."""
    from gitchat.work.scratch import entries_of_index

    repository, now = environment.repository, environment.now().seconds
    file, count = RestFile(repository.directory), entries_of_index(repository.location.git_dir)
    rest = file.load(now)
    if count > MOST_FILES:
        if rest is None or rest.why != "files":
            rest = Rest("files", count, now)
            file.note(rest)
    elif rest is not None and rest.why == "files":
        rest = None
        file.note(None)
    return rest


def note_looked(environment: Environment, found: Looked) -> None:
    """After a look: whether the next one may come unasked, as far as its time tells."""
    seconds, _ = found.slowest
    file, now = RestFile(environment.repository.directory), environment.now().seconds
    known = file.load(now)
    if seconds > MOST_STATUS_SECONDS:
        file.lengthen("status", seconds, now)
    elif known is None or known.why != "files":
        file.note(None)


def note_ended(environment: Environment) -> None:
    """A look that nobody asked for was ended when its time was over."""
    now = environment.now().seconds
    RestFile(environment.repository.directory).lengthen("time", LIMIT_SECONDS, now)


def why_not(environment: Environment) -> str | None:
    """Why nobody looks unasked for now, for a person; None where somebody may, or nobody should. Never fails."""
    with suppress(ChatError):
        rest = RestFile(environment.repository.directory).load(environment.now().seconds)
        if rest is not None and environment.repository.config.get_bool("chat.conflicts", True):
            return f"nobody looks at conflicts here unasked: {rest.words}"
    return None
