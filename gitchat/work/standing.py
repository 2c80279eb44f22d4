"""What stands in a worktree where somebody else's work would go, and why that does not fit there."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path as Place

from gitchat.model.names import Oid
from gitchat.model.overlay import Version
from gitchat.model.paths import Path
from gitchat.work import dirty
from gitchat.work.scratch import Scratch
from gitchat.work.taken import Step
from gitchat.work.trees import Worktree


class Misfit(Exception):
    """It does not fit, and nothing was touched."""

    def __init__(self, paths: Collection[Path] = ()) -> None:
        super().__init__()
        self.paths = sorted(paths)


class NoHead(Misfit):
    """There is no commit here."""


class Unmerged(Misfit):
    """git waits for somebody to merge paths here."""


class Conflicts(Misfit):
    """git cannot merge it with what is committed here."""

    is_mendable = True
    """Whether markers in these paths would tell all of it."""


class StagedConflicts(Misfit):
    """git can merge what it is, and not what is staged of it."""


class InTheWay(Misfit):
    """What nobody committed stands where it would go."""


class Same(Misfit):
    """All of it is here already."""


def hold_against(work: Scratch, tree: Worktree, steps: Sequence[Step]) -> None:
    """Raise Misfit where a step would lose what nobody committed, or where there is nothing to do."""
    index, flagged, unmerged = in_index(work, tree, {step.path for step in steps})
    if unmerged:
        raise Unmerged(unmerged)
    found = dirty.look(work, tree.top)
    changed = {one.path for one in found if not one.is_new} | flagged
    in_the_way = {step.path for step in steps if step.path in changed or index.get(step.path) != step.staged_before}
    in_the_way |= set(_obstacles(tree.top, steps))
    if steps and not in_the_way:
        return
    there = on_disk(work, tree, [step.path for step in steps])
    if all(there.get(step.path) == step.after for step in steps):
        raise Same
    same = {step.path for step in steps if step.before is None and there.get(step.path) == step.after is not None}
    untracked = {one.path for one in found if one.is_new}
    if in_the_way - (same & untracked):
        raise InTheWay(in_the_way - (same & untracked))


def in_index(
    work: Scratch, tree: Worktree, paths: Collection[Path]
) -> tuple[dict[Path, Version], set[Path], set[Path]]:
    """What the index has of ``paths``; which of them git was told not to look at; and all that it could not merge."""
    index: dict[Path, Version] = {}
    flagged: set[Path] = set()
    unmerged: set[Path] = set()
    for line in work.git("ls-files", "-v", "-s", "-z", cwd=str(tree.top)).split(b"\0"):
        about, _, path = line.partition(b"\t")
        if line and (path in paths or not about.endswith(b" 0")):
            tag, mode, oid, stage = about.split(b" ")
            if stage != b"0":
                unmerged.add(path)
            else:
                index[path] = Version(int(mode, 8), Oid(oid.decode()))
            if tag.islower() or tag == b"S":
                flagged.add(path)
    return index, flagged, unmerged


def on_disk(work: Scratch, tree: Worktree, paths: Collection[Path]) -> dict[Path, Version]:
    """``paths`` as git would add them, those that are files or links and stand below no link."""
    top = os.fsencode(tree.top)
    here = [path for path in paths if os.path.lexists(os.path.join(top, path))]
    here = [path for path in here if _is_content(os.path.join(top, path)) and _bad_parent(top, path) is None]
    work.copy_index(tree.git_dir)
    dirty.put_disk(work, tree.top, here)
    wanted, found = set(here), {}
    for line in work.git("ls-files", "-s", "-z", cwd=str(tree.top), has_index=True).split(b"\0"):
        about, _, path = line.partition(b"\t")
        if path in wanted:
            mode, oid, _ = about.split(b" ")
            found[path] = Version(int(mode, 8), Oid(oid.decode()))
    return found


def _is_content(place: bytes) -> bool:
    return os.path.islink(place) or os.path.isfile(place)


def _bad_parent(top: bytes, path: Path) -> Path | None:
    """The first part of a path above it that is there and no directory."""
    above = b""
    for part in path.split(b"/")[:-1]:
        above = above + b"/" + part if above else part
        place = os.path.join(top, above)
        if os.path.lexists(place) and (os.path.islink(place) or not os.path.isdir(place)):
            return above
    return None


def _obstacles(top: Place, steps: Sequence[Step]) -> Iterator[Path]:
    """What stands on the disk where a step would write, and is not taken away by another."""
    root = os.fsencode(top)
    gone = {step.path for step in steps if step.before is not None and step.after is None}
    for step in steps:
        if step.after is None or step.after == step.before:
            continue
        above = _bad_parent(root, step.path)
        if above is not None:
            if above not in gone:
                yield above
            continue
        place = os.path.join(root, step.path)
        if step.before is None and os.path.lexists(place):
            if os.path.islink(place) or not os.path.isdir(place):
                yield step.path
            else:
                yield from (path for path in _files_below(root, step.path) if path not in gone)


def _files_below(root: bytes, directory: Path) -> Iterator[Path]:
    for place, below, names in os.walk(os.path.join(root, directory)):
        for name in (*names, *(one for one in below if os.path.islink(os.path.join(place, one)))):
            yield os.path.relpath(os.path.join(place, name), root)
