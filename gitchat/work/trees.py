"""The worktrees of a clone, and who is in each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitchat.model.names import Name
from gitchat.model.refs import branch_of
from gitchat.storage.git import GitFailed
from gitchat.work.scratch import USAGE, Git
from gitchat.workspace.repository import Repository

_MOST_BYTES = 16 * 1024
"""The longest file of git that says where another directory is."""


@dataclass(frozen=True, slots=True)
class Worktree:
    """One worktree of the clone, as git lists it."""

    top: Path
    git_dir: Path
    branch: str | None
    """None when HEAD is detached."""


def worktrees(work: Git, common: Path | None = None) -> list[Worktree]:
    """The worktrees that are there, that of the repository first; bare ones not. Raises git.GitFailed.

    ``common`` is the git common directory: where a worktree says itself that it is one of it, git is not asked.
    """
    found = []
    for told in _listed(work):
        if "worktree" not in told or "bare" in told or not os.path.isdir(told["worktree"]):
            continue
        top = Path(told["worktree"])
        git_dir = _git_dir_of(top, common) if common is not None else None
        if git_dir is None:
            try:
                git_dir = Path(os.fsdecode(work.git("rev-parse", "--absolute-git-dir", cwd=str(top))).strip("\n"))
            except GitFailed:  # its place is another repository's by now
                continue
        found.append(Worktree(top, git_dir, branch_of(told.get("branch", ""))))
    return found


def _listed(work: Git) -> Iterator[dict[str, str]]:
    """What git lists of each worktree. One before 2.36 tells of no path that has a line feed."""
    command, end = ("worktree", "list", "--porcelain"), "\0"
    try:
        listed = work.git(*command, "-z")
    except GitFailed as error:
        if error.status != USAGE:
            raise
        listed, end = work.git(*command), "\n"
    for block in os.fsdecode(listed).split(end + end):
        yield dict(line.partition(" ")[::2] for line in block.strip(end).split(end))


def _git_dir_of(top: Path, common: Path) -> Path | None:
    """The git directory of an ordinary worktree of this repository; None of any other place.

    Source: gitrepository-layout(5), gitfile and ``worktrees/<id>/gitdir``.
    """
    place = top / ".git"
    try:
        if place.is_dir():
            return place if place.samefile(common) else None
        told = os.fsdecode(place.read_bytes()[:_MOST_BYTES])
        git_dir = Path(os.path.realpath(top / told.removeprefix("gitdir: ").rstrip("\n")))
        if not told.startswith("gitdir: ") or git_dir.parent != common / "worktrees":
            return None
        back = git_dir / os.fsdecode((git_dir / "gitdir").read_bytes()[:_MOST_BYTES]).rstrip("\n")
        return git_dir if back.samefile(place) else None
    except (OSError, ValueError):
        return None


def current(repository: Repository) -> Worktree:
    """The worktree here."""
    return Worktree(repository.worktree, repository.location.git_dir, repository.branch())


def named(trees: Sequence[Worktree], at: Mapping[Path, Sequence[Name]]) -> Iterator[tuple[Worktree, Sequence[Name]]]:
    """Each worktree with the names that are ``at`` its place."""
    by_place = {os.path.realpath(place): names for place, names in at.items()}
    return ((tree, by_place.get(os.path.realpath(tree.top), ())) for tree in trees)
