"""A look at all work of this clone: what one's own work meets in that of others, and in the base.

Each pair is merged by git, in memory; nothing of it stays. Source: docs/format.md section 17.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from gitchat.model.errors import StorageError
from gitchat.model.names import Name, Oid, RefName
from gitchat.model.pattern import Parts, matches
from gitchat.storage.git import GitFailed
from gitchat.work import side as sides
from gitchat.work import signs
from gitchat.work.abroad import Abroad, Branch, freshest
from gitchat.work.known import Known
from gitchat.work.merging import Ground, Meeting, ground_of, merge, try_all
from gitchat.work.scratch import Scratch
from gitchat.work.side import Base, NotLooked, Side
from gitchat.work.trees import Worktree, named, worktrees
from gitchat.workspace.config import Config
from gitchat.workspace.repository import Repository


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
    """Everybody else whose work here was looked at, likewise."""
    afar: tuple[Name, ...]
    """And in other clones, of which only what they published or share is known."""
    worktrees: int
    """How many were looked at."""
    abroad: int
    """How much work of other clones was."""
    not_looked: tuple[tuple[str, str], ...] = ()
    """Work that could not be looked at, and why."""
    unsure: tuple[Name, ...] = ()
    """Whose worktree here could not be."""
    slowest: tuple[float, str] = (0.0, "")
    """How many seconds git took to tell what is changed in the worktree that took longest, and where that is."""


def look(
    work: Scratch,
    repository: Repository,
    *,
    me: Name | None,
    fallback: Name | None,
    living: Mapping[Path, Sequence[Name]],
    told_base: str | None,
    remotes: Sequence[str],
    ignored: Sequence[Parts],
    copies: Mapping[RefName, Oid] = MappingProxyType({}),
    abroad: Sequence[Abroad] = (),
    everybody: bool = False,
) -> Looked:
    """What work of ``me``, by default of who works ``here``, meets in that of others; of ``everybody``, where asked.

    ``living`` are the names by their worktrees, ``fallback`` is who works here where nobody is known to; ``told_base``
    and ``remotes`` as find_base takes them, ``copies`` as freshest does. ``abroad`` is work in other clones: theirs is
    held against what is here, and that of two of them is their own affair.

    Raises:
        NoBase: there is nothing to compare with.
        NotLooked: my own work cannot be looked at.
        git.GitFailed: git cannot list the worktrees.
    """
    work.known = Known(repository.directory, signs.of_all(work, repository))
    trees = list(named(worktrees(work, repository.location.common_dir), living))
    base = sides.find_base(work, told_base, remotes, trees[0][0] if trees else None)
    if base is None:
        raise NoBase(told_base)
    base = freshest(work, base, remotes, copies)
    found = _Found(work, base, me, repository.worktree, repository.config)
    try:
        for tree, names in trees:
            found.look_here(tree, names, fallback, everybody)
        at = {(name, tree.branch) for tree, names in trees for name in names}
        for one in abroad:
            if not (isinstance(one, Branch) and (one.ref == base.ref or one.is_at(at))):
                found.look_abroad(one, is_mine=me is not None and me in one.names and not found.mine.names)
        return found.looked(ignored, everybody)
    finally:
        work.known.save()  # a look that is ended got so far


class _Sides:
    """Some of the work that was looked at, and whose it is."""

    def __init__(self) -> None:
        self.sides: list[Side] = []
        self.names: list[Name] = []
        """The first name of each, also where there is no work."""

    def add(self, names: Sequence[Name], side: Side | None) -> None:
        self.names += names[:1]
        if side is not None:
            self.sides.append(side)


class _Found:
    """All work that was looked at so far."""

    def __init__(self, work: Scratch, base: Base, me: Name | None, here: Path, config: Config) -> None:
        self._work, self._base, self._me, self._here, self._config = work, base, me, here, config
        self._ground: Ground | None = None
        self.slowest = (0.0, "")
        self.mine, self.others, self.afar = _Sides(), _Sides(), _Sides()
        self.worktrees = self.abroad = 0
        self.missed: list[tuple[str, str]] = []
        self.unsure: list[Name] = []

    def looked(self, ignored: Sequence[Parts], everybody: bool) -> Looked:
        """All of it, each pair merged."""
        mine, others, afar = self.mine.sides, self.others.sides, self.afar.sides
        met = [
            (one, other)
            for at, one in enumerate(mine)
            for other in [*(mine[at + 1 :] if everybody else others), *afar]
            if other.paths and one.oid != other.oid
        ]
        behind = [one for one in mine if one.behind and one.paths]
        met += [(one, sides.side_of_base(self._work, self._base, one.root)) for one in behind]
        tried = try_all(self._work, met, self._ground)
        pairs = [self._pair(one, other, ignored, tried) for one, other in met]
        return Looked(
            self._base,
            tuple(mine),
            tuple(pair for pair in pairs if pair.meetings or pair.not_looked),
            me=tuple(self.mine.names),
            others=tuple((self.mine if everybody else self.others).names),
            afar=tuple(self.afar.names),
            worktrees=self.worktrees,
            abroad=self.abroad,
            not_looked=tuple(self.missed),
            unsure=tuple(self.unsure),
            slowest=self.slowest,
        )

    def look_here(self, tree: Worktree, names: Sequence[Name], fallback: Name | None, everybody: bool) -> None:
        """Look at a worktree. Raises NotLooked: it is my own, and cannot be looked at."""
        if not names and fallback is not None and _is_at(tree, self._here):
            names = (fallback,)
        is_mine = everybody or (self._me in names if self._me is not None else _is_at(tree, self._here))
        label = _label(tree, self._here)
        try:
            stand = sides.stand_of(self._work, tree)
            self.slowest = max(self.slowest, (stand.seconds, label))
            if _is_at(tree, self._here):
                self._ground = ground_of(tree, stand, self._config)
            own = signs.of_worktree(self._work, tree.top, self._config)
            side = sides.side_of(self._work, tree, stand, self._base, names, label, own)
        except (NotLooked, GitFailed) as error:
            if is_mine and not everybody:
                raise NotLooked(f"{label} cannot be looked at: {_first_line(error)}") from error
            self.missed.append((label, _first_line(error)))
            self.unsure += names[:1]
            return
        self.worktrees += 1
        (self.mine if is_mine else self.others).add(names, side)

    def look_abroad(self, one: Abroad, *, is_mine: bool) -> None:
        """Look at work of another clone."""
        try:
            side = one.side(self._work, self._base)
        except (NotLooked, GitFailed, StorageError) as error:
            self.missed.append((f"{one.names[0]}: {one.label}", _first_line(error)))
            return
        self.abroad += 1
        (self.mine if is_mine else self.afar).add(one.names, side)

    def _pair(
        self, mine: Side, other: Side, ignored: Sequence[Parts], tried: Mapping[tuple[str, str], list[str]]
    ) -> Pair:
        """Two sides, merged."""
        leaves_out = _matching(mine.paths | other.paths, ignored)
        try:
            return Pair(mine, other, tuple(merge(self._work, mine, other, leaves_out, self._ground, tried)))
        except (NotLooked, GitFailed, StorageError) as error:  # git that does not end is one
            return Pair(mine, other, not_looked=_first_line(error))


def _matching(paths: Collection[str], patterns: Sequence[Parts]) -> set[str]:
    return {path for path in paths if any(matches(pattern, path) for pattern in patterns)}


def _is_at(tree: Worktree, place: Path) -> bool:
    return os.path.realpath(tree.top) == os.path.realpath(place)


def _label(tree: Worktree, here: Path) -> str:
    where = "here" if _is_at(tree, here) else f"in {os.path.relpath(tree.top, here)}"
    return f"branch {tree.branch} {where}" if tree.branch else f"no branch {where}"


def _first_line(error: Exception) -> str:
    words = str(error)
    if "lazy fetching disabled" in words or "promisor" in words:
        return "files that it needs are not in this partial clone"
    return words.removeprefix("fatal: ").partition("\n")[0] or "git refuses"
