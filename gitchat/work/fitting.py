"""Whether work that somebody hands over fits into a worktree, and what it then becomes there, path by path.

All is found out before anything is touched: git merges trees, in memory, and what it makes is held against the disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gitchat.model.names import Oid
from gitchat.model.overlay import LINK, Overlay, Side, Version
from gitchat.model.paths import Path
from gitchat.storage.git import GitFailed
from gitchat.work import dirty
from gitchat.work.scratch import USAGE, Scratch
from gitchat.work.standing import Conflicts, NoHead, StagedConflicts, hold_against
from gitchat.work.taken import Stages, Step
from gitchat.work.trees import Worktree

_MENDABLE = ("CONFLICT (contents)", "CONFLICT (binary)", "CONFLICT (modify/delete)")
"""Conflicts that stand in one path, where it is; of others git makes names of its own."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What taking it does here."""

    head: str
    steps: tuple[Step, ...]
    conflicts: tuple[Path, ...] = ()
    """The paths that get markers, where that was asked for."""
    is_merged: bool = False
    """Whether what is committed here has changed some of its paths since."""


def fit(
    work: Scratch,
    tree: Worktree,
    overlay: Overlay,
    *,
    stands_on: str | None,
    with_index: bool,
    with_markers: bool,
    label: str,
) -> Fit:
    """What taking ``overlay`` does in the worktree, merged as git picks a commit: by what it ``stands_on``, where that
    is here, so that renames since are seen; else by the versions that came with it. ``with_markers`` lets what cannot
    be merged be marked in the files, where ``label`` is what the other side is called.

    Raises:
        standing.Misfit: one of those there.
        GitFailed: git refuses.
    """
    where = str(tree.top)
    try:
        head = work.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}", cwd=where)
    except GitFailed as error:
        raise NoHead from error
    merged = _Merger(work, work.line("rev-parse", f"{head}^{{tree}}"), overlay, stands_on)
    disk = merged.merge(overlay.work)
    if disk.conflicts:
        if not (with_markers and disk.is_mendable):
            refusal = Conflicts(disk.conflicts)
            refusal.is_mendable = disk.is_mendable
            raise refusal
        disk = replace(disk, tree=merged.marked(disk, label))
    staged = None
    if with_index and overlay.staged and not disk.conflicts:
        staged = merged.merge(overlay.index)
        if staged.conflicts:
            raise StagedConflicts(staged.conflicts)
    steps = _steps(work, merged.head, disk, staged.tree if staged is not None else merged.head)
    hold_against(work, tree, steps)
    return Fit(head, tuple(steps), tuple(sorted(disk.conflicts)), merged.has_moved)


# --- trees ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Merged:
    tree: str
    conflicts: Mapping[Path, Stages]
    is_mendable: bool = True


class _Merger:
    """The work put over what is committed here, by git's own three-way merge."""

    def __init__(self, work: Scratch, head: str, overlay: Overlay, stands_on: str | None) -> None:
        self._work = work
        self.head = head
        """The tree of the commit here."""
        self._paths = overlay.paths
        self._begin(head)
        self._base = self._over(overlay.base)
        self.has_moved = self._base != head
        if self.has_moved:
            if stands_on is not None:
                self._base = self._base_of(work.line("rev-parse", f"{stands_on}^{{tree}}"), overlay)
            self._root = self._commit(self._base)
            self._ours = self._commit(head, self._root)

    def _base_of(self, tree: str, overlay: Overlay) -> str:
        """The tree of the commit that it stands on, if that is what it says; else as where that is not here."""
        self._begin(tree)
        if self._over(overlay.base) != tree:
            self._begin(self.head)
            return self._over(overlay.base)
        return tree

    def _begin(self, tree: str) -> None:
        self._work.drop_index()
        self._work.git("read-tree", tree, has_index=True)

    def merge(self, side: Side) -> _Merged:
        """The tree that one version of the work becomes here."""
        theirs = self._over(side)
        lost = dirty.differing(self._work, self._base, theirs).keys() - {*self._paths}
        if lost:  # a directory here is a file there, or the other way round
            return _Merged(self.head, dict.fromkeys(lost, ()), is_mendable=False)
        if not self.has_moved:
            return _Merged(theirs, {})
        if theirs == self._base:
            return _Merged(self.head, {})
        try:
            options = ("merge-tree", "--write-tree", "-z", "--messages")
            told = self._work.git(*options, self._ours, self._commit(theirs, self._root))
        except GitFailed as error:
            if error.status == USAGE:
                return _Merged(self.head, dict.fromkeys(self._paths, ()), is_mendable=False)
            if error.status != 1:
                raise
            return self._refused(error.stdout)
        return _Merged(told.split(b"\0")[0].decode(), {})

    def _refused(self, told: bytes) -> _Merged:
        """What git could not merge. Source: git-merge-tree(1), OUTPUT."""
        tree, *words = told.split(b"\0")
        end = words.index(b"")
        found: dict[Path, list[tuple[Version, int]]] = {}
        for line in words[:end]:
            about, _, path = line.partition(b"\t")
            mode, oid, stage = about.split(b" ")
            found.setdefault(path, []).append((Version(int(mode, 8), Oid(oid.decode())), int(stage)))
        kinds: list[str] = []
        rest = iter(words[end + 1 :])
        for count in rest:
            if count:
                _ = [next(rest) for _ in range(int(count))]
                kinds.append(next(rest).decode())
                next(rest)
        is_mendable = all(kind in _MENDABLE for kind in kinds if kind.startswith("CONFLICT"))
        return _Merged(tree.decode(), {path: tuple(stages) for path, stages in found.items()}, is_mendable)

    def marked(self, disk: _Merged, label: str) -> str:
        """The tree of ``disk`` with names that say something in the markers, where git has put ids."""
        versions = dirty.differing(self._work, self.head, disk.tree)
        ours = self._ours.encode()
        changed: dict[Path, Version | None] = {}
        for path in disk.conflicts:
            after = versions.get(path, (None, None))[1]
            if after is None or after.mode == LINK:
                continue
            lines = self._work.blobs([after.oid])[after.oid].split(b"\n")
            for at, line in enumerate(lines):
                if line.startswith(b"<<<<<<< " + ours):
                    lines[at] = line.replace(ours, b"HEAD")
                elif line.startswith(b">>>>>>> "):
                    name, end = line[8:].rstrip(b"\r"), b"\r" if line.endswith(b"\r") else b""
                    if len(name.split(b":")[0]) == len(ours):
                        lines[at] = b">>>>>>> " + label.encode() + end
            oid = self._work.line("hash-object", "-w", "--stdin", stdin=b"\n".join(lines))
            changed[path] = Version(after.mode, Oid(oid))
        self._begin(disk.tree)
        dirty.put(self._work, changed.items(), self.head)
        return self._work.line("write-tree", has_index=True)

    def _over(self, side: Side) -> str:
        """The tree here, with this version of the work's paths written over it."""
        dirty.put(self._work, [(path, side.get(path)) for path in self._paths], self.head)
        return self._work.line("write-tree", has_index=True)

    def _commit(self, tree: str, *parents: str) -> str:
        options = [word for parent in parents for word in ("-p", parent)]
        return self._work.line("commit-tree", tree, *options, "-m", "work")


def _steps(work: Scratch, head: str, disk: _Merged, staged: str) -> list[Step]:
    on_disk, in_index = dirty.differing(work, head, disk.tree), dirty.differing(work, head, staged)
    steps = []
    for path in sorted({*on_disk, *in_index, *disk.conflicts}):
        before = (on_disk.get(path) or in_index.get(path) or (None, None))[0]
        if path not in on_disk and path not in in_index:
            before = next((version for version, stage in disk.conflicts[path] if stage == 2), None)
        after = on_disk[path][1] if path in on_disk else before
        staged_after = in_index[path][1] if path in in_index else before
        steps.append(Step(path, before, after, before, staged_after, disk.conflicts.get(path, ())))
    return steps
