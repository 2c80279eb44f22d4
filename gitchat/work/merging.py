"""Whether git can merge two sides, and where it cannot. Its own verdict, and nothing less.

Source: git-merge-tree(1) of git 2.38 and newer; an older one says only where lines meet.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from gitchat.model.hunks import Lines, meeting, parse_hunks
from gitchat.storage.git import GitFailed
from gitchat.work import signs
from gitchat.work.dirty import Stand
from gitchat.work.scratch import Scratch, TimeUp
from gitchat.work.side import AMID, NotLooked, Side, need
from gitchat.work.trees import Worktree
from gitchat.workspace.config import Config

Outcome = Literal["conflict", "may conflict", "merges"]

_OF_DRIVERS = re.compile(r"\.merge_file_[0-9A-Za-z]{6}")
"""Source: git, merge-ll.c."""

_USAGE = 129
"""git's status for an option that it does not know."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """One path that both sides change."""

    path: str
    outcome: Outcome
    here: tuple[Lines, ...] = field(default=())
    """The lines of the first side that meet some of the second; none where a whole file was added, removed or moved."""
    there: tuple[Lines, ...] = field(default=())


def merge(
    work: Scratch, one: Side, other: Side, is_ignored: Collection[str] = (), here: Ground | None = None
) -> list[Meeting]:
    """What becomes of the paths that both change, those in conflict first; none of ``is_ignored``.

    ``here`` is the worktree in which git merges: without it nothing of the answer is known before, or kept.

    Raises:
        NotLooked: git could not try to merge them.
        git.GitFailed: git cannot read what is to be merged.
    """
    shared = [path for path in one.shares_with(other) if path not in is_ignored]
    if not shared and not one.leads(other) and not other.leads(one):
        return []
    if one.is_committed and other.is_committed and _goes_on(work, other.oid, one.oid):
        return []
    fact = _Verdict(work, one, other, here)
    refused = fact.refused if fact.refused is not None else shared
    found = []
    for path in sorted({*shared, *refused} - set(is_ignored)):
        lines_here, lines_there = fact.lines(path) if path in refused else ((), ())
        if path in refused and (fact.refused is not None or lines_here or lines_there):
            outcome: Outcome = "conflict" if fact.refused is not None else "may conflict"
            found.append(Meeting(path, outcome, lines_here, lines_there))
        else:
            found.append(Meeting(path, "merges"))
    fact.keep()
    return sorted(found, key=lambda one: (one.outcome == "merges", one.path))


def _goes_on(work: Scratch, old: str, new: str) -> bool:
    """Whether ``new`` has all that ``old`` has, so that nothing is to be merged. False where git cannot tell."""
    known = work.known.get("goes on", old, new)
    if isinstance(known, bool):
        return known
    try:
        work.git("merge-base", "--is-ancestor", old, new)
    except GitFailed as error:
        if error.status == 1:
            work.known.note("goes on", old, new, fact=False)
        return False
    work.known.note("goes on", old, new, fact=True)
    return True


@dataclass(frozen=True, slots=True)
class Ground:
    """The worktree in which git merges: its files say which attributes count."""

    tree: Worktree
    index: str | None
    """What the index has of attributes that are not on the disk; None where not all can be seen that counts."""

    def files_of_drivers(self) -> set[str]:
        """The files that git puts into the work tree for merge drivers, and takes away again when they end."""
        with suppress(OSError):
            return {name for name in os.listdir(self.tree.top) if _OF_DRIVERS.fullmatch(name)}
        return set()

    def clear(self, before: Collection[str]) -> None:
        """Take away what a git of ours could not, as it was ended; nothing where another git merges there."""
        if any((self.tree.git_dir / name).exists() for name in ("index.lock", *AMID)):
            return
        for name in self.files_of_drivers() - set(before):
            with suppress(OSError):
                (self.tree.top / name).unlink()


def ground_of(tree: Worktree, stand: Stand, config: Config) -> Ground:
    """The worktree in which git merges."""
    if signs.has_drivers(config):
        return Ground(tree, None)
    gone = sorted(one.path for one in stand.changed if one.path.rpartition(b"/")[2] == signs.ATTRIBUTES)
    is_sparse = config.get("core.sparseCheckout") not in (None, "false")
    index = signs.of_bytes(b"\0".join([stand.told, *gone])) if gone else ""
    return Ground(tree, index + (f" {stand.head}" if is_sparse else ""))


class _Verdict:
    """What git says of two sides: as it is known, else as it is found out now."""

    def __init__(self, work: Scratch, one: Side, other: Side, here: Ground | None) -> None:
        """Raises NotLooked, git.GitFailed."""
        self._work, self._one, self._other = work, one, other
        self._told: tuple[str, ...] | None = None
        known = None
        if here is not None and here.index is not None:
            attributes = signs.of_attributes(here.tree.top, map(os.fsencode, one.paths | other.paths))
            self._told = (one.oid, other.oid, attributes, here.index)
            known = work.known.get("pair", *self._told)
        if known is not None:
            self._lines = {str(path): _read(told) for path, told in known["lines"].items()}
            self.refused: Sequence[str] | None = list(map(str, known["refused"]))
            self._is_new = False
            return
        self._lines, self._is_new = {}, True
        need(work, one.oid, other.oid)
        try:
            self.refused = _refused(work, one.oid, other.oid, here)
            """The paths that git cannot merge; None where this git cannot tell."""
        except GitFailed as error:
            if error.status != _USAGE:
                raise NotLooked(error.stderr or f"git merge-tree ended with {error.status}") from error
            self.refused = None

    def lines(self, path: str) -> tuple[tuple[Lines, ...], tuple[Lines, ...]]:
        """Where the two changes of ``path`` meet; nothing where one of them is of the whole file."""
        if path not in self._lines:
            need(self._work, self._one.oid, self._other.oid)
            self._lines[path] = _lines(self._work, self._one, self._other, path)
            self._is_new = True
        return self._lines[path]

    def keep(self) -> None:
        """Know it from now on."""
        if self._is_new and self._told is not None and self.refused is not None:
            fact = {"refused": list(self.refused), "lines": self._lines}
            self._work.known.note("pair", *self._told, fact=fact)


def _read(told: Sequence[Sequence[Sequence[int]]]) -> tuple[tuple[Lines, ...], tuple[Lines, ...]]:
    here, there = (tuple((int(first), int(last)) for first, last in side) for side in told)
    return here, there


def _refused(work: Scratch, one: str, other: str, here: Ground | None) -> list[str]:
    """The paths that git cannot merge. Raises GitFailed: it could not try."""
    before = here.files_of_drivers() if here is not None and here.index is None else set()
    options = ("merge-tree", "--write-tree", "--name-only", "-z", "--no-messages")
    try:
        work.git(*options, one, other)
    except GitFailed as error:
        if error.status != 1:
            raise
        return [path for path in os.fsdecode(error.stdout).split("\0")[1:] if path]
    except TimeUp:
        if here is not None and here.index is None:
            here.clear(before)
        raise
    return []


def _lines(work: Scratch, one: Side, other: Side, path: str) -> tuple[tuple[Lines, ...], tuple[Lines, ...]]:
    """Where the two changes of ``path`` meet; nothing where one of them is of the whole file."""
    try:
        root = os.fsdecode(work.git("merge-base", one.oid, other.oid)).strip("\n")
        options = ("diff", "-U0", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")
        diffs = [work.git(*options, root, side.oid, "--", f":(top,literal){path}") for side in (one, other)]
    except GitFailed:
        return (), ()
    if any(b"\nnew file mode " in diff or b"\ndeleted file mode " in diff for diff in diffs):
        return (), ()
    here, there = meeting(*map(parse_hunks, diffs))
    return tuple(here), tuple(there)
