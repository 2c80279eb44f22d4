"""A look at all work of this clone: what one's own work meets in that of others, and in the base.

Each pair is merged by git, in memory; nothing of it stays. Source: docs/format.md section 17.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitchat.model.names import Name
from gitchat.model.pattern import Parts, matches
from gitchat.storage.git import GitFailed
from gitchat.work import side as sides
from gitchat.work.merging import Meeting, merge
from gitchat.work.scratch import Scratch
from gitchat.work.side import Base, NotLooked, Side, Worktree


class NoBase(Exception):
    """There is nothing that work is meant for; the argument is what the setting says, if anything."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sides, and what becomes of what both change."""

    mine: Side
    other: Side
    meetings: tuple[Meeting, ...] = ()
    not_looked: str | None = None
    """Why it could not be looked at; then nothing is known of it."""

    @property
    def conflicts(self) -> list[Meeting]:
        """What git cannot merge, or may not."""
        return [one for one in self.meetings if one.outcome != "merges"]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found."""

    base: Base
    mine: tuple[Side, ...]
    """One's own work; none where there is nothing that the base lacks."""
    pairs: tuple[Pair, ...]
    """With everybody else's work that shares a path, or could not be looked at; the base last."""
    me: tuple[Name, ...]
    """Whose own worktrees were looked at, the first name of each."""
    others: tuple[Name, ...]
    """Everybody else whose work was looked at, likewise."""
    worktrees: int
    """How many were looked at."""
    not_looked: tuple[tuple[str, str], ...] = ()
    """Work that could not be looked at, and why."""


def look(
    work: Scratch,
    *,
    here: Path,
    me: Name | None,
    fallback: Name | None,
    living: Mapping[Path, Sequence[Name]],
    told_base: str | None,
    remotes: Sequence[str],
    ignored: Sequence[Parts],
    everybody: bool = False,
) -> Looked:
    """What work of ``me``, by default of who works ``here``, meets in that of others; of ``everybody``, where asked.

    ``living`` are the names by their worktrees, ``fallback`` is who works here where nobody is known to; ``told_base``
    and ``remotes`` as find_base takes them.

    Raises:
        NoBase: there is nothing to compare with.
        NotLooked: my own work cannot be looked at.
        git.GitFailed: git cannot list the worktrees.
    """
    trees = list(sides.named(sides.worktrees(work), living))
    base = sides.find_base(work, told_base, remotes, trees[0][0] if trees else None)
    if base is None:
        raise NoBase(told_base)
    mine: list[Side] = []
    others: list[Side] = []
    met: dict[bool, list[Name]] = {True: [], False: []}
    missed: list[tuple[str, str]] = []
    for tree, names in trees:
        is_mine = everybody or (me in names if me is not None else _is_at(tree, here))
        label = _label(tree, here)
        if not names and fallback is not None and _is_at(tree, here):
            names = (fallback,)
        try:
            found = sides.side_of(work, tree, base, names, label)
        except (NotLooked, GitFailed) as error:
            if is_mine and not everybody:
                raise NotLooked(f"{label} cannot be looked at: {_first_line(error)}") from error
            missed.append((label, _first_line(error)))
            continue
        met[is_mine] += names[:1]
        if found is not None:
            (mine if is_mine else others).append(found)
    pairs = [
        _pair(work, one, other, ignored)
        for at, one in enumerate(mine)
        for other in (mine[at + 1 :] if everybody else others)
        if other.paths
    ]
    pairs += [
        _pair(work, one, sides.side_of_base(work, base, one.root), ignored) for one in mine if one.behind and one.paths
    ]
    shown = tuple(pair for pair in pairs if pair.meetings or pair.not_looked)
    who = (tuple(met[True]), tuple(met[everybody]))
    return Looked(base, tuple(mine), shown, *who, len(trees) - len(missed), tuple(missed))


def _pair(work: Scratch, mine: Side, other: Side, ignored: Sequence[Parts]) -> Pair:
    try:
        return Pair(mine, other, tuple(merge(work, mine, other, _matching(mine.paths | other.paths, ignored))))
    except (NotLooked, GitFailed) as error:
        return Pair(mine, other, not_looked=_first_line(error))


def _matching(paths: Collection[str], patterns: Sequence[Parts]) -> set[str]:
    return {path for path in paths if any(matches(pattern, path) for pattern in patterns)}


def _is_at(tree: Worktree, place: Path) -> bool:
    return os.path.realpath(tree.top) == os.path.realpath(place)


def _label(tree: Worktree, here: Path) -> str:
    where = "here" if _is_at(tree, here) else f"in {os.path.relpath(tree.top, here)}"
    return f"branch {tree.branch} {where}" if tree.branch else f"no branch {where}"


def _first_line(error: Exception) -> str:
    return str(error).removeprefix("fatal: ").partition("\n")[0] or "git refuses"
