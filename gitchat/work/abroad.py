"""Work in other clones, as far as it is here: branches of the remote that they told of, and what they share.

Neither is anything of the user's: a branch is a private copy, and shared work is made into a commit in the scratch.
Source: docs/format.md section 17.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitchat.model import codec
from gitchat.model.names import Name, Oid, RefName
from gitchat.model.refs import copy_ref, known_prefix, told_branch
from gitchat.model.tree import TreeEntry
from gitchat.storage.git import GitFailed
from gitchat.work.scratch import Git, Scratch
from gitchat.work.side import Base, NotLooked, Side, behind_of, changed, line_of, root_of

KIND = "work"
"""The kind of a commit that holds shared work."""

MOST_PATHS = 1000
"""Of how many paths shared work is at most; more are no edit that anybody has to be warned of."""

_MOST_ENTRIES = 8 * MOST_PATHS
"""With both versions and the directories that they stand in."""

_DIRECTORY = 0o40000

_OID = re.compile("[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ENTRY = re.compile(r"(100644|100755|120000) blob ([0-9a-f]{40,64})\twip/(base|work)/(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch of a remote that somebody in another clone told of."""

    names: tuple[Name, ...]
    """Who told of it, the newest first."""
    remote: str
    branch: str
    oid: str

    @property
    def label(self) -> str:
        """Where it is, for a person."""
        return f"branch {self.branch} at {self.remote}"

    @property
    def ref(self) -> RefName:
        """What git's user calls it."""
        return RefName(known_prefix(self.remote) + self.branch)

    def is_at(self, worktrees: Collection[tuple[Name, str | None]]) -> bool:
        """Whether it is what one of these names has checked out in a worktree here: then that counts."""
        return any((name, self.branch) in worktrees for name in self.names)

    def side(self, work: Scratch, base: Base) -> Side | None:
        """What it has and the base has not; None where that is nothing. Raises NotLooked, git.GitFailed."""
        root = root_of(work, self.oid, base)
        paths, left = changed(work, root, self.oid)
        if not paths:
            return None
        behind = behind_of(work, root, base)
        return Side(
            self.names,
            self.label,
            self.oid,
            root,
            self.oid,
            paths,
            branch=self.branch,
            behind=behind,
            left=left,
        )


@dataclass(frozen=True, slots=True)
class Shared:
    """Work that somebody shares from another clone, committed or not."""

    names: tuple[Name, ...]
    """Who: one name."""
    oid: str
    """The commit without parents that holds it."""
    branch: str | None
    since: str | None
    """The published commit since when it counts, if it says so."""
    is_too_much: bool = False
    """Whether it has more paths than anybody's edit, so that git is not even asked to list them."""

    @property
    def label(self) -> str:
        """Where it is, for a person."""
        return f"branch {self.branch} in another clone" if self.branch else "no branch in another clone"

    def side(self, work: Scratch, base: Base) -> Side | None:
        """The same as a commit on top of what it counts from; None where it changes nothing that the base lacks.

        Raises:
            NotLooked: that commit is not here, or it is no shared work at all.
            git.GitFailed: git refuses.
        """
        if self.is_too_much:
            raise NotLooked(f"it has more than {MOST_PATHS} paths")
        if self.since is None or _OID.fullmatch(self.since) is None:
            raise NotLooked("it does not say since when it counts")
        oid = self._known(work, self.since)
        root = root_of(work, self.since, base)
        paths, left = changed(work, root, oid)
        if not paths:
            return None
        behind = behind_of(work, root, base)
        return Side(
            self.names,
            self.label,
            oid,
            root,
            self.since,
            paths,
            is_committed=False,
            branch=self.branch,
            behind=behind,
            left=left,
        )

    def _known(self, work: Scratch, since: str) -> str:
        """As _on_top, of what was looked at before: the same commit, which is made where somebody needs it."""
        known = work.known.get("shared", self.oid, since)
        if isinstance(known, str):
            work.promise(known, lambda: self._on_top(work, since))
            return known
        try:
            work.git("cat-file", "-e", f"{since}^{{commit}}")
        except GitFailed as error:
            raise NotLooked(f"it counts from {since[:9]}, which is not here: git fetch") from error
        made = self._on_top(work, since)
        work.known.note("shared", self.oid, since, fact=made)
        return made

    def _on_top(self, work: Scratch, since: str) -> str:
        """A commit of the tree of ``since`` in which each path stands as it is shared."""
        before, after = self._overlay(work)
        if len({*before, *after}) > MOST_PATHS:
            raise NotLooked(f"it has more than {MOST_PATHS} paths")
        work.drop_index()
        work.git("read-tree", since, has_index=True)
        gone = [f"0 {'0' * len(since)}\t{path}\0" for path in before if path not in after]
        there = [f"{mode} {oid}\t{path}\0" for path, (mode, oid) in after.items()]
        # git itself refuses a path that no tree may have.
        work.git("update-index", "-z", "--index-info", stdin=os.fsencode("".join([*gone, *there])), has_index=True)
        made = line_of(work, "write-tree", "--missing-ok", has_index=True)
        return line_of(work, "commit-tree", made, "-p", since, "-m", "work")

    def _overlay(self, work: Scratch) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
        found: dict[str, dict[str, tuple[str, str]]] = {"base": {}, "work": {}}
        for entry in os.fsdecode(work.git("ls-tree", "-r", "-z", "--full-tree", self.oid, "wip/")).split("\0"):
            match = _ENTRY.fullmatch(entry)
            if match is not None:
                found[match[3]][match[4]] = (match[1], match[2])
        return found["base"], found["work"]


def parse_shared(
    oid: Oid, commit: codec.Commit, name: Name, read_tree: Callable[[Oid], Sequence[TreeEntry]]
) -> Shared | None:
    """The work that ``name`` shares by this commit; None where it is none. Raises FormatError, StorageError."""
    if commit.kind != KIND or commit.parents:
        return None
    branch, since = told_branch(commit.value("Chat-Branch")), commit.value("Chat-Commit")
    return Shared((name,), oid, branch, since, is_too_much=not _is_small(commit.tree, read_tree))


def _is_small(tree: Oid, read_tree: Callable[[Oid], Sequence[TreeEntry]]) -> bool:
    """Whether a stranger's tree has few entries. One that holds another many times has as many as it likes."""
    waiting, count = [tree], 0
    while waiting:
        entries = read_tree(waiting.pop())
        count += len(entries)
        if count > _MOST_ENTRIES:
            return False
        waiting += [entry.oid for entry in entries if entry.mode == _DIRECTORY]
    return True


Abroad = Branch | Shared


def freshest(work: Git, base: Base, remotes: Iterable[str], copies: Mapping[RefName, Oid]) -> Base:
    """The base as our private copy has it, where that goes on from what the user has of it.

    ``copies`` has the id of each private copy by its ref.
    """
    for remote in remotes:
        prefix = known_prefix(remote)
        if base.ref is None or not base.ref.startswith(prefix):
            continue
        copied = copies.get(copy_ref(remote, base.ref.removeprefix(prefix)))
        if copied is not None and copied != base.oid and is_ancestor(work, base.oid, copied):
            return Base(base.label, copied, base.ref, is_ahead_of_users=True)
    return base


def is_ancestor(work: Git, old: str, new: str) -> bool:
    """Whether ``new`` has all that ``old`` has. False where git cannot tell."""
    try:
        work.git("merge-base", "--is-ancestor", old, new)
    except GitFailed:
        return False
    return True
