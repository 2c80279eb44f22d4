"""Whether git can merge two sides, and where it cannot. Its own verdict, and nothing less.

Source: git-merge-tree(1) of git 2.38 and newer; an older one says only where lines meet.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from gitchat.model.hunks import Lines, meeting, parse_hunks
from gitchat.storage.git import GitFailed
from gitchat.work.scratch import Scratch
from gitchat.work.side import NotLooked, Side

Outcome = Literal["conflict", "may conflict", "merges"]

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


def merge(work: Scratch, one: Side, other: Side, is_ignored: Collection[str] = ()) -> list[Meeting]:
    """What becomes of the paths that both change, those in conflict first; none of ``is_ignored``.

    Raises:
        NotLooked: git could not try to merge them.
    """
    shared = [path for path in one.shares_with(other) if path not in is_ignored]
    if not shared and not one.leads(other) and not other.leads(one):
        return []
    try:
        refused = _refused(work, one.oid, other.oid)
        is_sure = True
    except GitFailed as error:
        if error.status != _USAGE:
            raise NotLooked(error.stderr or f"git merge-tree ended with {error.status}") from error
        refused, is_sure = shared, False
    found = []
    for path in sorted({*shared, *refused} - set(is_ignored)):
        here, there = _lines(work, one, other, path) if path in refused else ((), ())
        if path in refused and (is_sure or here or there):
            found.append(Meeting(path, "conflict" if is_sure else "may conflict", here, there))
        else:
            found.append(Meeting(path, "merges"))
    return sorted(found, key=lambda one: (one.outcome == "merges", one.path))


def _refused(work: Scratch, one: str, other: str) -> list[str]:
    """The paths that git cannot merge. Raises GitFailed: it could not try."""
    options = ("merge-tree", "--write-tree", "--name-only", "-z", "--no-messages")
    try:
        work.git(*options, one, other)
    except GitFailed as error:
        if error.status != 1:
            raise
        return [path for path in os.fsdecode(error.stdout).split("\0")[1:] if path]
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
