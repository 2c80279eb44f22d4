"""Taking work that somebody handed over: into this worktree or one of its own, and back out of it."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path as Place
from typing import TYPE_CHECKING

from gitchat.model.errors import ChatError, StorageError, UserError
from gitchat.model.names import is_slug
from gitchat.model.overlay import TAKEN, Overlay, told
from gitchat.model.paths import Path
from gitchat.model.record import STATUS, Draft, Entry
from gitchat.storage.git import GitFailed
from gitchat.verbs.handing import no_work, refuse_bare, typed
from gitchat.verbs.standpoint import Standpoint, entries_at, touch
from gitchat.verbs.talking import find
from gitchat.verbs.untaking import apply, finish, handing, note_of
from gitchat.workspace.pushing import push_soon
from gitchat.workspace.secrecy import refuse_names

if TYPE_CHECKING:  # for who takes
    from gitchat.verbs import commits
    from gitchat.work.handed import Handed
    from gitchat.work.scratch import Scratch
    from gitchat.work.trees import Worktree


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What came of taking."""

    entry: Entry
    """The message."""
    overlay: Overlay
    top: Place
    """The worktree that has it now."""
    branch: str | None
    """What is checked out there; None where HEAD is detached."""
    is_apart: bool = False
    """Whether that worktree was made for it."""
    is_same: bool = False
    """Whether all of it was there already, and nothing was done."""
    is_merged: bool = False
    """Whether it was merged with what is committed there."""
    is_base_here: bool = True
    """Whether the commit that it stood on is in this clone."""
    conflicts: tuple[Path, ...] = ()
    """The paths that have conflict markers now."""
    staged: tuple[Path, ...] = ()
    """The paths that are staged now as they were."""
    commits: str | None = None
    """The ref of the commits that came with it; None where none did."""
    takers: tuple[str, ...] = ()
    """Who took it before, the first first."""
    status: Entry | None = None
    """The record that tells who gave it; None where there is none."""
    notes: tuple[str, ...] = field(default=())
    """What else is to be said of it, still to be escaped."""


def take(room: Standpoint, locator: int | str, *, merge: bool, index: bool, worktree: str | None, force: bool) -> Took:
    """As :func:`gitchat.verbs.handovers.take`."""
    from gitchat.verbs import commits, misfits
    from gitchat.work.handed import handed

    environment = room.environment
    refuse_bare(environment)
    refuse_names([room.identity.name], environment.secrets())  # who takes is known before anything is touched
    entry = find(room, locator)
    found = handed(environment.store, entry.tree) if entry.record.hidden is None else None
    if found is None or not found.overlay.paths:
        raise no_work(environment, entry)
    notes = misfits.refuse_unsafe(room, entry, found)
    misfits.refuse_risks(room, entry, found.risks, force)
    with handing(room) as (work, tree):
        notes += finish(room, work, tree)
        came = commits.bring(environment, work, entry, found, notes)
        misfits.refuse_risks(room, entry, came.risks if worktree is not None else (), force)
        if worktree is not None:
            took = _take_apart(room, work, entry, found, came, worktree, merge=merge, index=index)
        else:
            took = _take_here(room, work, tree, entry, found, came, merge=merge, index=index)
    return _tell(room, took, notes)


def _take_here(
    room: Standpoint,
    work: Scratch,
    tree: Worktree,
    entry: Entry,
    found: Handed,
    came: commits.Came,
    *,
    merge: bool,
    index: bool,
    made_as: str | None = None,
) -> Took:
    from gitchat.verbs import misfits
    from gitchat.work import standing
    from gitchat.work.fitting import fit
    from gitchat.work.taken import Taken

    took = Took(
        entry=entry, overlay=found.overlay, top=tree.top, branch=tree.branch,
        is_base_here=came.is_base_here, commits=came.ref,
    )  # fmt: skip
    words = f"{entry.record.author}'s work ({entry.label})"
    try:
        stands_on = entry.record.commit if came.is_base_here else None
        fits = fit(
            work, tree, found.overlay, stands_on=stands_on, with_index=index, with_markers=merge, label=words
        )  # fmt: skip
    except standing.Same:
        return replace(took, is_same=True)
    except standing.Misfit as error:
        raise misfits.explained(error, entry, room, tree.top, made_as=made_as) from error
    apply(work, tree, note_of(room, tree), Taken("begun", room.name, entry.record.uid, words, fits.head, fits.steps))
    staged = tuple(step.path for step in fits.steps if step.staged_before != step.staged_after)
    return replace(took, is_merged=fits.is_merged, conflicts=fits.conflicts, staged=staged)


def _take_apart(
    room: Standpoint,
    work: Scratch,
    entry: Entry,
    found: Handed,
    came: commits.Came,
    worktree: str,
    *,
    merge: bool,
    index: bool,
) -> Took:
    """Take it in a new worktree, which is gone again where it does not fit there either."""
    from gitchat.work.trees import Worktree

    place = Place(os.path.abspath(os.path.join(room.environment.cwd, worktree)))
    if os.path.lexists(place) and not (place.is_dir() and not any(place.iterdir())):
        raise UserError(
            f"{str(place)!r} exists already",
            hint="name a directory that does not: "
            f"git chat take {typed(room.environment, entry)} --worktree {shlex.quote(worktree)}-2",
            code="directory-exists",
        )
    at = entry.record.commit if came.is_base_here and entry.record.commit else "HEAD"
    work.outside("worktree", "add", "--quiet", "--detach", str(place), at)
    try:
        git_dir = Place(os.fsdecode(work.outside("rev-parse", "--absolute-git-dir", cwd=str(place))).strip("\n"))
        tree = Worktree(place, git_dir, None)
        took = _take_here(room, work, tree, entry, found, came, merge=merge, index=index, made_as=worktree)
        return replace(took, is_apart=True)
    except BaseException:
        with suppress(GitFailed, StorageError):
            work.outside("worktree", "remove", "--force", str(place))
        raise


def _tell(room: Standpoint, took: Took, notes: list[str]) -> Took:
    """Tell who gave it, and add who took it before."""
    entry = took.entry
    takers = tuple(dict.fromkeys(one.record.author for one in _takings(room, entry) if one.record.author != room.me))
    if took.is_same:
        return replace(took, takers=takers, notes=tuple(notes))
    giver = entry.record.author
    to = (giver,) if is_slug(giver) and giver != room.me else ()
    what = told(len(took.overlay.paths), entry.record.branch)
    draft = Draft(
        body=f"{room.me} took {entry.label}: {what}", kind=STATUS, type=TAKEN, reply_to=entry.record.uid, to=to
    )
    status = None
    try:
        status = room.writer.send(draft, room.identity).entry
        touch(room)
        push_soon(room.environment, room.name)
    except ChatError as error:  # a closed room, a full disk: it is taken all the same
        notes.append(f"{giver} was not told: {error}")
    return replace(took, takers=takers, status=status, notes=tuple(notes))


def _takings(room: Standpoint, entry: Entry) -> list[Entry]:
    chain = room.records.chain()
    found = entries_at(room, chain.thread(entry.record.uid))
    return [
        one
        for one in found
        if (one.record.kind, one.record.type, one.record.reply_to) == (STATUS, TAKEN, entry.record.uid)
    ]
