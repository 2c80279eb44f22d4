"""Writing work of somebody else into a worktree: prepared beside it, noted, and then moved in path by path.

Each path is as before or as after at any moment, and a note in ``chatroom/taken/`` has both, so that what a kill cut
off can be finished, and what was done undone. No hook runs, and nothing is written through a link.
Source: docs/format.md section 19, rule 7.46.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path as Place

from gitchat.model.errors import ConflictError
from gitchat.model.overlay import Version
from gitchat.model.paths import Path
from gitchat.storage.git import GitFailed
from gitchat.work import dirty
from gitchat.work.scratch import Scratch
from gitchat.work.standing import in_index, on_disk
from gitchat.work.taken import Note, Stages, Step, Taken
from gitchat.work.trees import Worktree

_LOCK_TRIES, _LOCK_SECONDS = 40, 0.05
"""How often, and how long apart, git's lock of the index is waited for."""


class Locked(Exception):
    """Another git changes the index; nothing is changed here, or all of it was put back."""


class Changed(Exception):
    """Somebody has changed these paths since; nothing was done."""

    def __init__(self, paths: Iterable[Path]) -> None:
        super().__init__()
        self.paths = sorted(paths)


def refuse_locked(tree: Worktree) -> None:
    """Raise Locked while another git changes the index there."""
    if (tree.git_dir / "index.lock").exists():
        raise Locked


def apply(work: Scratch, tree: Worktree, note: Note, taken: Taken) -> None:
    """Take all steps that were not taken yet, and note it: that it is done, or nothing more where it was ``undoing``.

    A failure puts back what was done.

    Raises:
        Locked: another git holds the index.
        GitFailed: git refuses, one of the user's filters for instance; nothing was touched.
        OSError: the disk refuses; what was written was put back as far as that lets it.
    """
    steps = taken.steps
    _keep(work, steps)
    prepared = _prepare(work, tree, "after", [(step.path, step.after) for step in steps if step.after != step.before])
    previous = _prepare(work, tree, "before", [(step.path, step.before) for step in steps if step.after != step.before])
    before = note.read()
    note.write(taken)
    try:
        _move_in(tree, steps, prepared)
        _stage(work, tree, steps)
    except (Locked, GitFailed, OSError):
        with suppress(OSError):
            _move_in(tree, [step.back for step in steps], previous)
            note.write(before) if before is not None else note.remove()
        raise
    if taken.state == "undoing":
        note.remove()
    else:
        note.write(replace(taken, state="done"))


def undo(work: Scratch, tree: Worktree, note: Note, taken: Taken) -> None:
    """Put every path back as it was before. Raises Changed, and as :func:`apply`."""
    settle(work, tree, taken.steps, is_strict=taken.state == "done")
    apply(work, tree, note, replace(taken, state="undoing", steps=tuple(step.back for step in taken.steps)))


def settle(work: Scratch, tree: Worktree, steps: Sequence[Step], *, is_strict: bool = False) -> None:
    """Raise Changed where a path is neither as before nor as after its step; with ``is_strict`` in the index, too.

    A path that is not there is none that somebody changed, unless it ``is_strict``.
    """
    there = on_disk(work, tree, [step.path for step in steps])
    top = os.fsencode(tree.top)
    changed = set()
    for step in steps:
        version = there.get(step.path)
        is_gone = version is None and not os.path.lexists(os.path.join(top, step.path))
        if version not in (step.before, step.after) and not (is_gone and not is_strict):
            changed.add(step.path)
        elif version is None and not is_gone:
            changed.add(step.path)  # a directory, or what stands behind a link
    if is_strict:
        index, _, unmerged = in_index(work, tree, {step.path for step in steps})
        for step in steps:
            good = (step.staged_before, step.staged_after, step.after)
            if step.path not in unmerged and index.get(step.path) not in good:
                changed.add(step.path)
    if changed:
        raise Changed(changed)


def _keep(work: Scratch, steps: Sequence[Step]) -> None:
    """Let the repository have every object that the index, or who finishes this later, needs."""
    wanted = {
        version.oid
        for step in steps
        for version in (step.after, step.staged_after, *(version for version, _ in step.stages))
        if version is not None
    }
    if not wanted:
        return
    lines = "".join(f"{oid}\n" for oid in sorted(wanted)).encode()
    told = work.outside("cat-file", "--batch-check=%(objectname)", stdin=lines).decode()
    missing = [line.split()[0] for line in told.splitlines() if line.endswith(" missing")]
    if missing:
        pack = work.git("pack-objects", "-q", "--stdout", stdin="".join(f"{oid}\n" for oid in missing).encode())
        work.outside("unpack-objects", "-q", stdin=pack)


def _prepare(work: Scratch, tree: Worktree, name: str, wanted: Sequence[tuple[Path, Version | None]]) -> Place:
    """A directory with the files that are wanted, as git would check them out in the worktree."""
    place = work.place / name
    with suppress(FileNotFoundError):
        shutil.rmtree(place)
    place.mkdir()
    paths = [path for path, version in wanted if version is not None]
    if paths:
        work.copy_index(tree.git_dir)
        work.git("update-index", "-z", "--index-info", cwd=str(tree.top), has_index=True, stdin=_anew(wanted))
        # In a work tree that is empty git reads attributes from the index, as it does when it checks out.
        options = (f"--git-dir={tree.git_dir}", f"--work-tree={place}", "checkout-index", "--force", "-z", "--stdin")
        work.git(*options, cwd=str(place), has_index=True, stdin=b"".join(path + b"\0" for path in paths))
    return place


def _anew(entries: Sequence[tuple[Path, Version | None]], stages: Sequence[tuple[Path, Stages]] = ()) -> bytes:
    """What gives an index these entries, and nothing else at their paths."""
    every = [version for _, version in entries] + [version for _, found in stages for version, _ in found]
    like = next((version.oid for version in every if version is not None), "0" * 40)
    given = [(path, None) for path, _ in (*entries, *stages)]
    told = dirty.told_index([*given, *(entry for entry in entries if entry[1] is not None)], like)
    return told + b"".join(
        dirty.told_index([(path, one)], like, stage) for path, found in stages for one, stage in found
    )


def _move_in(tree: Worktree, steps: Sequence[Step], prepared: Place) -> None:
    """Remove what goes, and then move in what comes. What was done already is passed over."""
    top, source = os.fsencode(tree.top), os.fsencode(prepared)
    moving = [step for step in steps if step.after != step.before]
    for step in moving:
        if step.after is None:
            with suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(os.path.join(top, step.path))
            _remove_empty(top, step.path)
    for step in moving:
        if step.after is not None:
            target = os.path.join(top, step.path)
            _make_parents(top, step.path)
            if os.path.isdir(target) and not os.path.islink(target):
                _remove_empty_below(target)
            _replace(os.path.join(source, step.path), target)


def _make_parents(top: bytes, path: Path) -> None:
    """Make the directories above a path; nothing is made behind a link. Raises OSError."""
    place = top
    for part in path.split(b"/")[:-1]:
        place = os.path.join(place, part)
        with suppress(FileExistsError):
            os.mkdir(place)
        if os.path.islink(place):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fsdecode(place))


def _remove_empty(top: bytes, path: Path) -> None:
    while b"/" in path:
        path = path.rpartition(b"/")[0]
        try:
            os.rmdir(os.path.join(top, path))
        except OSError:
            return


def _remove_empty_below(directory: bytes) -> None:
    """Remove a directory in which there are only directories. Raises OSError where there is more."""
    for place, _, _ in os.walk(directory, topdown=False):
        os.rmdir(place)


def _replace(source: bytes, target: bytes) -> None:
    """Move a file in, in one step: nobody sees half of it."""
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = target + b".git-chat-take"
        with suppress(FileNotFoundError):
            os.unlink(beside)
        shutil.copy2(source, beside, follow_symlinks=False)
        os.replace(beside, target)


def _stage(work: Scratch, tree: Worktree, steps: Sequence[Step]) -> None:
    """Give the user's index what it shall have, by git itself, in one write."""
    entries = [(step.path, step.staged_after) for step in steps if not step.stages]
    stages = [(step.path, step.stages) for step in steps if step.stages]
    if any(step.staged_before != step.staged_after or step.stages for step in steps) or in_index(work, tree, ())[2]:
        _write_index(work, str(tree.top), _anew(entries, stages))
    with suppress(GitFailed):  # it is quicker then, and nothing else
        work.git("update-index", "-q", "--refresh", cwd=str(tree.top))


def _write_index(work: Scratch, where: str, given: bytes) -> None:
    for attempt in range(_LOCK_TRIES):
        try:
            work.git("update-index", "-z", "--index-info", cwd=where, stdin=given)
            return
        except GitFailed as error:
            if "index.lock" not in error.stderr:
                raise
            if attempt == _LOCK_TRIES - 1:
                raise Locked from error
            time.sleep(_LOCK_SECONDS)


def locked(tree: Worktree) -> ConflictError:
    """The error for an index that another git holds."""
    return ConflictError(
        "another git is changing the index here; nothing was touched",
        hint=f"try again when it is done; if none runs, remove what a killed one left: {tree.git_dir / 'index.lock'}",
        code="worktree-locked",
    )
