"""Work that is not in the base yet: whose it is, where, and what it changes.

A side is one commit that holds it all, what nobody committed included; git then merges sides, and not files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitchat.model.names import Name
from gitchat.model.refs import bases, branch_of
from gitchat.storage.git import GitFailed
from gitchat.work import dirty
from gitchat.work.scratch import Git, Scratch
from gitchat.workspace.repository import Repository

_AMID = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
}
"""What stands in a worktree's git directory while git waits for its user, and what that is amid."""


class NotLooked(Exception):
    """This work cannot be looked at now; the words say why, for a person."""


@dataclass(frozen=True, slots=True)
class Worktree:
    """One worktree of the clone, as git lists it."""

    top: Path
    git_dir: Path
    branch: str | None
    """None when HEAD is detached."""


@dataclass(frozen=True, slots=True)
class Base:
    """What everybody's work is meant for."""

    label: str
    """As a person calls it: ``origin/main``."""
    oid: str
    ref: str | None = None
    """The whole name of it, where it is a ref."""
    is_ahead_of_users: bool = False
    """Whether that is our private copy, and what the user has of it is older."""


@dataclass(frozen=True, slots=True)
class Side:
    """Somebody's work, or the base itself."""

    names: tuple[Name, ...]
    """Who works there; nobody where no name of the rooms is known to."""
    label: str
    """Where it is, for a person: ``branch lexer in ../claude/orbit``."""
    oid: str
    """The commit that holds it."""
    root: str
    """The commit that it and the base have in common."""
    paths: frozenset[str] = field(repr=False)
    """What it changes since then, from the top; of what was renamed both names."""
    is_committed: bool = True
    top: Path | None = None
    """The worktree that it stands in; None of the base, and of work in other clones."""
    branch: str | None = None
    behind: int = 0
    """How many commits of the base it lacks."""
    is_base: bool = False
    left: frozenset[str] = field(default=frozenset(), repr=False)
    """The directories that files of its went out of to another one: git takes new files there along."""

    def shares_with(self, other: Side) -> list[str]:
        """The paths that both change, and those of this side that the other has made a directory of, or stands in."""
        theirs = other.paths | {top for path in other.paths for top in _above(path)}
        below = {path for path in self.paths if any(top in other.paths for top in _above(path))}
        return sorted(self.paths & theirs | below)

    def leads(self, other: Side) -> bool:
        """Whether git may put a file of the other side elsewhere, because this side moved what was beside it."""
        return any(top in self.left for path in other.paths for top in _above(path))


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def worktrees(work: Git) -> list[Worktree]:
    """The worktrees that are there, that of the repository first; bare ones not. Raises git.GitFailed."""
    found = []
    for block in os.fsdecode(work.git("worktree", "list", "--porcelain", "-z")).split("\0\0"):
        told = dict(line.partition(" ")[::2] for line in block.strip("\0").split("\0"))
        if "worktree" not in told or "bare" in told or not os.path.isdir(told["worktree"]):
            continue
        try:
            git_dir = os.fsdecode(work.git("rev-parse", "--absolute-git-dir", cwd=told["worktree"])).strip("\n")
        except GitFailed:  # its place is another repository's by now
            continue
        branch = branch_of(told.get("branch", ""))
        found.append(Worktree(Path(told["worktree"]), Path(git_dir), branch))
    return found


def current(repository: Repository) -> Worktree:
    """The worktree here."""
    return Worktree(repository.worktree, repository.location.git_dir, repository.branch())


def find_base(work: Git, told: str | None, remotes: Sequence[str], main: Worktree | None) -> Base | None:
    """What work is meant for: as ``told`` by the setting, else what the first of ``remotes`` that says so calls HEAD,
    else a branch ``main`` or ``master``, else that of the ``main`` worktree. None where there is no such commit.
    """
    for name in [told] if told else bases(remotes, main.branch if main is not None else None):
        try:
            oid = line_of(work, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
            ref = line_of(work, "rev-parse", "--symbolic-full-name", name)
            return Base(told or line_of(work, "rev-parse", "--abbrev-ref", name), oid, ref or None)
        except GitFailed:
            continue
    return None


def side_of_base(work: Scratch, base: Base, root: str) -> Side:
    """The base since ``root``. Raises git.GitFailed."""
    paths, left = changed(work, root, base.oid)
    return Side((), base.label, base.oid, root, paths, is_base=True, left=left)


def side_of(work: Scratch, tree: Worktree, base: Base, names: Sequence[Name], label: str) -> Side | None:
    """What stands in a worktree and is not in the base; None where that is nothing.

    Raises:
        NotLooked: git is amid something there, there is no commit yet, or it has nothing in common with the base.
        git.GitFailed: git refuses.
    """
    for name, amid in _AMID.items():
        if (tree.git_dir / name).exists():
            raise NotLooked(f"it is amid {amid}")
    where = str(tree.top)
    try:
        head = line_of(work, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", cwd=where)
    except GitFailed as error:
        raise NotLooked("it has no commit yet") from error
    root = root_of(work, head, base)
    oid = _snapshot(work, tree, head)
    paths, left = changed(work, root, oid)
    behind = behind_of(work, root, base)
    if not paths and not behind:
        return None
    return Side(tuple(names), label, oid, root, paths, oid == head, tree.top, tree.branch, behind, left=left)


def _snapshot(work: Scratch, tree: Worktree, head: str) -> str:
    """A commit of all that stands there, ignored files and submodules aside: HEAD itself where nothing is changed."""
    paths = [one.path for one in dirty.look(work, tree.top) if not one.is_submodule]
    if not paths:
        return head
    made = dirty.written_over(work, tree.top, tree.git_dir, paths)
    if made == line_of(work, "rev-parse", f"{head}^{{tree}}"):
        return head
    return line_of(work, "commit-tree", made, "-p", head, "-m", "work")


def changed(work: Scratch, old: str, new: str) -> tuple[frozenset[str], frozenset[str]]:
    """The paths that differ, of what was renamed both names; and the directories that files went out of.

    Raises git.GitFailed.
    """
    if old == new:
        return frozenset(), frozenset()
    options = ("diff-tree", "-r", "-z", "--name-status", "--find-renames", "--no-ext-diff", "--ignore-submodules=all")
    words = iter(os.fsdecode(work.git(*options, old, new)).split("\0"))
    found: set[str] = set()
    left: set[str] = set()
    for status in words:
        if status:
            names = [next(words) for _ in range(2 if status[0] in "RC" else 1)]
            found.update(names)
            places = list(dict.fromkeys(map(os.path.dirname, names)))
            left.update(places[:1] if status[0] == "R" and len(places) > 1 else ())
    return frozenset(found), frozenset(left)


def root_of(work: Git, oid: str, base: Base) -> str:
    """The commit that ``oid`` and the base have in common. Raises NotLooked."""
    try:
        return line_of(work, "merge-base", oid, base.oid)
    except GitFailed as error:
        raise NotLooked(f"it has nothing in common with {base.label}") from error


def behind_of(work: Git, root: str, base: Base) -> int:
    """How many commits the base has since ``root``. Raises git.GitFailed."""
    return int(line_of(work, "rev-list", "--count", f"{root}..{base.oid}"))


def line_of(work: Git, *arguments: str, cwd: str | None = None, stdin: bytes = b"", has_index: bool = False) -> str:
    """The one line that a git command prints. Raises git.GitFailed."""
    return os.fsdecode(work.git(*arguments, cwd=cwd, stdin=stdin, has_index=has_index)).strip("\n")


def named(trees: Sequence[Worktree], at: Mapping[Path, Sequence[Name]]) -> Iterator[tuple[Worktree, Sequence[Name]]]:
    """Each worktree with the names that are ``at`` its place."""
    by_place = {os.path.realpath(place): names for place, names in at.items()}
    return ((tree, by_place.get(os.path.realpath(tree.top), ())) for tree in trees)
