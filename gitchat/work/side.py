"""Work that is not in the base yet: whose it is, where, and what it changes.

A side is one commit that holds it all, what nobody committed included; git then merges sides, and not files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gitchat.model.names import Name
from gitchat.model.refs import bases
from gitchat.storage.git import GitFailed
from gitchat.work import dirty, signs
from gitchat.work.dirty import Stand
from gitchat.work.scratch import Git, Scratch
from gitchat.work.trees import Worktree

IDLE_DAYS = 7
"""After so long nobody is told of work in a worktree any more: whoever did it is elsewhere."""

AMID = {
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
    head: str
    """The newest commit of its history that somebody made: ``oid`` itself, or the one that it stands on."""
    paths: frozenset[str] = field(repr=False)
    """What it changes since then, from the top; of what was renamed both names."""
    is_committed: bool = True
    top: Path | None = None
    """The worktree that it stands in; None of the base, and of work in other clones."""
    branch: str | None = None
    behind: int = 0
    """How many commits of the base it lacks."""
    is_base: bool = False
    moved_seconds: int | None = None
    """When something in its worktree changed last, in seconds since the epoch; None where that is not known."""
    left: frozenset[str] = field(default=frozenset(), repr=False)
    """The directories that files of its went out of to another one: git takes new files there along."""

    def shares_with(self, other: Side) -> list[str]:
        """The paths that both change, and those of this side that the other has made a directory of, or stands in."""
        theirs = other.paths | {top for path in other.paths for top in _above(path)}
        below = {path for path in self.paths if any(top in other.paths for top in _above(path))}
        return sorted(self.paths & theirs | below)

    def idle_days(self, now: int) -> int | None:
        """For how many days nobody touched it, where that is long; ``now`` in seconds since the epoch."""
        days = (now - self.moved_seconds) // 86_400 if self.moved_seconds is not None else 0
        return days if days >= IDLE_DAYS else None

    def leads(self, other: Side) -> bool:
        """Whether git may put a file of the other side elsewhere, because this side moved what was beside it."""
        return any(top in self.left for path in other.paths for top in _above(path))


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def find_base(work: Git, told: str | None, remotes: Sequence[str], main: Worktree | None) -> Base | None:
    """What work is meant for: as ``told`` by the setting, else what the first of ``remotes`` that says so calls HEAD,
    else a branch ``main`` or ``master``, else that of the ``main`` worktree. None where there is no such commit.
    """
    if told:
        return _told_base(work, told)
    wanted = bases(remotes, main.branch if main is not None else None)
    form = "--format=%(refname)%00%(objectname)%00%(refname:short)%00%(symref)%00%(symref:short)"
    found = {}
    for line in os.fsdecode(work.git("for-each-ref", form, *wanted)).split("\n")[:-1]:
        ref, oid, short, leads_to, leads_to_short = line.split("\0")
        found[ref] = Base(leads_to_short or short, oid, leads_to or ref)
    return next((found[ref] for ref in wanted if ref in found), None)


def _told_base(work: Git, told: str) -> Base | None:
    """The base where somebody named it, as whatever git takes for a commit."""
    if told.startswith("-"):
        return None  # git would read it as an option
    try:
        words = line_of(work, "rev-parse", "--revs-only", f"{told}^{{commit}}", "--symbolic-full-name", told)
    except GitFailed:
        return None
    found = words.split("\n")
    return Base(told, found[0], found[1] if len(found) > 1 else None) if found[0] and len(found) < 3 else None


def side_of_base(work: Scratch, base: Base, root: str) -> Side:
    """The base since ``root``. Raises git.GitFailed."""
    paths, left = changed(work, root, base.oid)
    return Side((), base.label, base.oid, root, base.oid, paths, is_base=True, left=left)


def stand_of(work: Scratch, tree: Worktree) -> Stand:
    """How a worktree stands.

    Raises:
        NotLooked: git is amid something there.
        git.GitFailed: git refuses.
    """
    for name, amid in AMID.items():
        if (tree.git_dir / name).exists():
            raise NotLooked(f"it is amid {amid}")
    return dirty.stand(work, tree.top)


def side_of(
    work: Scratch, tree: Worktree, stand: Stand, base: Base, names: Sequence[Name], label: str, own: str = ""
) -> Side | None:
    """What stands in a worktree and is not in the base; None where that is nothing.

    ``own`` stands for what git is set to there and not elsewhere.

    Raises:
        NotLooked: there is no commit yet, or it has nothing in common with the base.
        git.GitFailed: git refuses.
    """
    if stand.head is None:
        raise NotLooked("it has no commit yet")
    root = root_of(work, stand.head, base)
    oid, moved_ns = _snapshot(work, tree, stand, stand.head, own)
    paths, left = changed(work, root, oid)
    behind = behind_of(work, root, base)
    if not paths and not behind:
        return None
    return Side(
        tuple(names),
        label,
        oid,
        root,
        stand.head,
        paths,
        oid == stand.head,
        tree.top,
        tree.branch,
        behind,
        left=left,
        moved_seconds=max(moved_ns // 10**9, _moved(tree)),
    )


def _moved(tree: Worktree) -> int:
    """When git did something in a worktree last, as far as its files tell."""
    seconds = 0
    for name in ("index", "HEAD", "logs/HEAD"):
        with suppress(OSError):
            seconds = max(seconds, int(os.stat(tree.git_dir / name).st_mtime))
    return seconds


def _snapshot(work: Scratch, tree: Worktree, stand: Stand, head: str, own: str) -> tuple[str, int]:
    """A commit of all that stands there, ignored files and submodules aside: HEAD itself where nothing is changed;
    and when the last of it changed, in nanoseconds.

    Where all stands as it did when it was looked at before, git need not read it again before somebody needs it.
    """
    paths = [one.path for one in stand.changed if not one.is_submodule]
    if not paths:
        return head, 0
    files, is_settled, moved_ns = signs.of_files(tree.top, paths, work.began_ns)
    told = (head, signs.of_bytes(stand.told), files, signs.of_attributes(tree.top, paths), own)

    def make() -> str:
        made = dirty.written_over(work, tree.top, tree.git_dir, paths)
        if made == line_of(work, "rev-parse", f"{head}^{{tree}}"):
            return head
        return line_of(work, "commit-tree", made, "-p", head, "-m", "work")

    known = work.known.get("work", *told)
    if isinstance(known, str) and len(known) == len(head):
        if known != head:
            work.promise(known, make)
        return known, moved_ns
    oid = make()
    if is_settled:
        work.known.note("work", *told, fact=oid)
    return oid, moved_ns


def changed(work: Scratch, old: str, new: str) -> tuple[frozenset[str], frozenset[str]]:
    """The paths that differ, of what was renamed both names; and the directories that files went out of.

    Raises git.GitFailed.
    """
    if old == new:
        return frozenset(), frozenset()
    known = work.known.get("changed", old, new)
    if isinstance(known, list):
        paths, places = known
        return frozenset(map(str, paths)), frozenset(map(str, places))
    need(work, old, new)
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
    work.known.note("changed", old, new, fact=[sorted(found), sorted(left)])
    return frozenset(found), frozenset(left)


def need(work: Scratch, *oids: str) -> None:
    """See that these objects are here, those of work that stands as before, too. Raises NotLooked, git.GitFailed."""
    if not work.redeem(*oids):
        raise NotLooked("it changes while it is looked at")


def root_of(work: Scratch, oid: str, base: Base) -> str:
    """The commit that ``oid`` and the base have in common. Raises NotLooked."""
    if oid == base.oid:
        return oid
    known = work.known.get("root", oid, base.oid)
    if isinstance(known, str):
        return known
    try:
        found = line_of(work, "merge-base", oid, base.oid)
    except GitFailed as error:
        raise NotLooked(f"it has nothing in common with {base.label}") from error
    work.known.note("root", oid, base.oid, fact=found)
    return found


def behind_of(work: Scratch, root: str, base: Base) -> int:
    """How many commits the base has since ``root``. Raises git.GitFailed."""
    if root == base.oid:
        return 0
    known = work.known.get("behind", root, base.oid)
    if isinstance(known, int):
        return known
    count = int(line_of(work, "rev-list", "--count", f"{root}..{base.oid}"))
    work.known.note("behind", root, base.oid, fact=count)
    return count


def line_of(work: Git, *arguments: str, cwd: str | None = None, stdin: bytes = b"", has_index: bool = False) -> str:
    """The one line that a git command prints. Raises git.GitFailed."""
    return os.fsdecode(work.git(*arguments, cwd=cwd, stdin=stdin, has_index=has_index)).strip("\n")
