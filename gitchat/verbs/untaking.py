"""The worktree that work is taken in, what was taken there last, and the way back."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as Place
from typing import TYPE_CHECKING

from gitchat.model.errors import UserError
from gitchat.model.overlay import shown
from gitchat.storage.git import GitFailed
from gitchat.storage.refusals import storage_error
from gitchat.verbs.handing import WAIT_SECONDS, not_looked, refuse_bare
from gitchat.verbs.misfits import listed, quoted
from gitchat.verbs.standpoint import Standpoint

if TYPE_CHECKING:  # for who takes
    from gitchat.work.scratch import Scratch
    from gitchat.work.taken import Note, Taken
    from gitchat.work.trees import Worktree


def undo(room: Standpoint) -> Taken:
    """As :func:`gitchat.verbs.handovers.undo`."""
    from gitchat.work import applying

    refuse_bare(room.environment)
    with handing(room) as (work, tree):
        note = note_of(room, tree)
        taken = note.read()
        if taken is None:
            raise UserError(
                "nothing was taken in this worktree that could be put back",
                hint="see what is changed: git status",
                code="nothing-taken",
            )
        paths = [step.path for step in taken.steps]
        if taken.state == "done" and work.line("rev-parse", "HEAD", cwd=str(tree.top)) != taken.head:
            raise UserError(
                "something was committed here, or checked out, since that was taken",
                hint=f"put back what you choose: git restore --source={taken.head[:12]} -- {quoted(paths)}",
                code="changed-since",
            )
        try:
            applying.undo(work, tree, note, taken)
        except applying.Changed as error:
            raise UserError(
                f"{listed(error.paths)} was changed since it was taken; nothing was put back",
                hint=f"keep that first: git stash push --include-untracked -- {quoted(error.paths)}",
                code="changed-since",
            ) from error
        return taken


@contextmanager
def handing(room: Standpoint) -> Iterator[tuple[Scratch, Worktree]]:
    """Git with objects of its own, and the worktree here; what it raises becomes an error of ours."""
    from gitchat.work import applying
    from gitchat.work.scratch import HANDING, scratch
    from gitchat.work.trees import current

    repository = room.environment.repository
    tree = current(repository)
    try:
        with scratch(repository, WAIT_SECONDS, *HANDING) as work:
            applying.refuse_locked(tree)
            yield work, tree
    except applying.Locked as error:
        raise applying.locked(tree) from error
    except GitFailed as error:
        raise not_looked(error) from error


def note_of(room: Standpoint, tree: Worktree) -> Note:
    from gitchat.work.taken import Note

    repository = room.environment.repository
    return Note(repository.directory, tree, repository.location.common_dir)


def finish(room: Standpoint, work: Scratch, tree: Worktree) -> list[str]:
    """Finish what a kill cut off here, and what there is to say of it. Raises UserError ``half-taken``."""
    from gitchat.work import applying

    note = note_of(room, tree)
    taken = note.read()
    if taken is None or taken.state == "done":
        return []
    try:
        applying.settle(work, tree, taken.steps)
    except applying.Changed as error:
        first = shown(error.paths[0])
        raise UserError(
            f"taking {taken.words} was cut off here, and {listed(error.paths)} was changed since",
            hint=f"move that aside, and try again: mv {shlex.quote(first)} {shlex.quote(first + '.mine')}",
            code="half-taken",
        ) from error
    apply(work, tree, note, taken)
    return [f"finished what was cut off: {taken.words}"]


def apply(work: Scratch, tree: Worktree, note: Note, taken: Taken) -> None:
    from gitchat.work import applying

    try:
        applying.apply(work, tree, note, taken)
    except GitFailed as error:
        raise not_looked(error) from error
    except OSError as error:
        raise storage_error(error, Place(error.filename or tree.top)) from error
