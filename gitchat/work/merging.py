"""Whether git can merge two sides, and where it cannot. Its own verdict, and nothing less.

Source: git-merge-tree(1) of git 2.38 and newer; an older one says only where lines meet.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from gitchat.model.hunks import Hunk, Lines, meeting, parse_hunks
from gitchat.storage.git import GitFailed
from gitchat.work import signs
from gitchat.work.dirty import Stand
from gitchat.work.scratch import USAGE, Scratch, TimeUp
from gitchat.work.side import AMID, NotLooked, Side, line_of, need
from gitchat.work.trees import Worktree
from gitchat.workspace.config import Config

Outcome = Literal["conflict", "may conflict", "merges"]

_OF_DRIVERS = re.compile(r"\.merge_file_[0-9A-Za-z]{6}")
"""Source: git, merge-ll.c."""

_MERGE_TREE = ("merge-tree", "--write-tree", "--name-only", "-z", "--no-messages")

_FEW = 3
"""So many pairs are merged by one process."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """One path that both sides change."""

    path: str
    outcome: Outcome
    here: tuple[Lines, ...] = field(default=())
    """The lines of the first side that meet some of the second; none where a whole file was added, removed or moved."""
    there: tuple[Lines, ...] = field(default=())


def merge(
    work: Scratch,
    one: Side,
    other: Side,
    is_ignored: Collection[str] = (),
    here: Ground | None = None,
    tried: Mapping[tuple[str, str], list[str]] = MappingProxyType({}),
) -> list[Meeting]:
    """What becomes of the paths that both change, those in conflict first; none of ``is_ignored``.

    ``here`` is the worktree in which git merges: without it nothing of the answer is known before, or kept. ``tried``
    is what :func:`try_all` found out.

    Raises:
        NotLooked: git could not try to merge them.
        git.GitFailed: git cannot read what is to be merged.
    """
    shared = [path for path in one.shares_with(other) if path not in is_ignored]
    if not shared and not one.leads(other) and not other.leads(one):
        return []
    if one.is_committed and other.is_committed and _goes_on(work, other.oid, one.oid):
        return []
    fact = _Verdict(work, one, other, here, tried)
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
    with suppress(GitFailed):
        return _root(work, old, new) == old
    return False


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

    def __init__(
        self,
        work: Scratch,
        one: Side,
        other: Side,
        here: Ground | None,
        tried: Mapping[tuple[str, str], list[str]],
    ) -> None:
        """Raises NotLooked, git.GitFailed."""
        self._work, self._one, self._other, self._here = work, one, other, here
        self._told = _told(one, other, here)
        known = work.known.get("pair", *self._told) if self._told is not None else None
        if known is not None:
            self._lines = {str(path): _read(told) for path, told in known["lines"].items()}
            self.refused: Sequence[str] | None = list(map(str, known["refused"]))
            """The paths that git cannot merge; None where this git cannot tell."""
            self._is_new = False
            return
        self._lines, self._is_new = {}, True
        self.refused = tried.get((one.oid, other.oid))
        if self.refused is not None:
            return
        need(work, one.oid, other.oid)
        try:
            self.refused = _refused(work, one.oid, other.oid, here)
        except GitFailed as error:
            if error.status != USAGE:
                raise NotLooked(error.stderr or f"git merge-tree ended with {error.status}") from error
            self.refused = None

    def lines(self, path: str) -> tuple[tuple[Lines, ...], tuple[Lines, ...]]:
        """Where the two changes of ``path`` meet; nothing where one of them is of the whole file."""
        if path not in self._lines:
            need(self._work, self._one.oid, self._other.oid)
            self._lines[path] = _lines(self._work, self._one, self._other, path, self._here)
            self._is_new = True
        return self._lines[path]

    def keep(self) -> None:
        """Know it from now on."""
        if self._is_new and self._told is not None and self.refused is not None:
            fact = {"refused": list(self.refused), "lines": self._lines}
            self._work.known.note("pair", *self._told, fact=fact)


def _told(one: Side, other: Side, here: Ground | None) -> tuple[str, ...] | None:
    """All that follows from what git says of two sides; None where nobody can see it."""
    if here is None or here.index is None:
        return None
    attributes = signs.of_attributes(here.tree.top, map(os.fsencode, one.paths | other.paths))
    return one.oid, other.oid, attributes, here.index


def try_all(work: Scratch, pairs: Sequence[tuple[Side, Side]], here: Ground | None) -> dict[tuple[str, str], list[str]]:
    """The paths that git cannot merge of all these pairs, in one process: of those that share something and are new.

    None of what git cannot try so: each is tried by itself then.
    """
    wanted: dict[tuple[str, str], None] = {}
    for one, other in pairs:
        if one.shares_with(other) or one.leads(other) or other.leads(one):
            told = _told(one, other, here)
            if told is None or work.known.get("pair", *told) is None:
                with suppress(NotLooked, GitFailed):
                    need(work, one.oid, other.oid)
                    wanted[one.oid, other.oid] = None
    if len(wanted) < _FEW:
        return {}
    given = "".join(f"{one} {other}\n" for one, other in wanted).encode()
    with suppress(GitFailed, ValueError), _cleared(here):
        words = iter(os.fsdecode(work.git(*_MERGE_TREE, "--stdin", stdin=given)).split("\0"))
        found = {pair: _next_refused(words) for pair in wanted}
        return found if list(words) == [""] else {}
    return {}


def _next_refused(words: Iterator[str]) -> list[str]:
    """What ``git merge-tree --stdin -z --name-only --no-messages`` says of one pair. Raises ValueError."""
    is_clean = {"0": False, "1": True}.get(next(words, ""))
    next(words, None)  # the tree
    paths = list(iter(lambda: next(words, ""), ""))
    if is_clean is None or is_clean == bool(paths):
        raise ValueError
    return paths


@contextmanager
def _cleared(here: Ground | None) -> Iterator[None]:
    """Take away what a git leaves of merge drivers that is ended amid one."""
    drives = here if here is not None and here.index is None else None
    before = drives.files_of_drivers() if drives is not None else set()
    try:
        yield
    except TimeUp:
        if drives is not None:
            drives.clear(before)
        raise


def _read(told: Sequence[Sequence[Sequence[int]]]) -> tuple[tuple[Lines, ...], tuple[Lines, ...]]:
    here, there = (tuple((int(first), int(last)) for first, last in side) for side in told)
    return here, there


def _refused(work: Scratch, one: str, other: str, here: Ground | None) -> list[str]:
    """The paths that git cannot merge. Raises GitFailed: it could not try."""
    try:
        with _cleared(here):
            work.git(*_MERGE_TREE, one, other)
    except GitFailed as error:
        if error.status != 1:
            raise
        return [path for path in os.fsdecode(error.stdout).split("\0")[1:] if path]
    return []


def _lines(
    work: Scratch, one: Side, other: Side, path: str, here: Ground | None
) -> tuple[tuple[Lines, ...], tuple[Lines, ...]]:
    """Where the two changes of ``path`` meet; nothing where one of them is of the whole file."""
    try:
        root = _root(work, one.head, other.head)
        first, second = (_hunks(work, root, side.oid, path, here) for side in (one, other))
    except GitFailed:
        return (), ()
    if first is None or second is None:
        return (), ()
    ours, theirs = meeting(first, second)
    return tuple(ours), tuple(theirs)


def _root(work: Scratch, one: str, other: str) -> str:
    """The commit that both have in common. Raises GitFailed."""
    first, second = sorted((one, other))
    known = work.known.get("between", first, second)
    if isinstance(known, str):
        return known
    found = line_of(work, "merge-base", first, second)
    work.known.note("between", first, second, fact=found)
    return found


def _hunks(work: Scratch, root: str, oid: str, path: str, here: Ground | None) -> list[Hunk] | None:
    """What a side changed in a file since ``root``; None where that is the whole of it. Raises GitFailed.

    Of many sides in conflict with each other each is compared once.
    """
    attributes = str(work.began_ns)  # of this look alone
    if here is not None and here.index is not None:
        attributes = signs.of_attributes(here.tree.top, [os.fsencode(path)]) + here.index
    known = work.known.get("hunks", root, oid, path, attributes)
    if known is None:
        options = ("diff", "-U0", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")
        diff = work.git(*options, root, oid, "--", f":(top,literal){path}")
        is_whole = b"\nnew file mode " in diff or b"\ndeleted file mode " in diff
        known = [] if is_whole else [[one.start, one.count, *one.lines, one.added] for one in parse_hunks(diff)]
        known = {"whole": is_whole, "hunks": known}
        work.known.note("hunks", root, oid, path, attributes, fact=known)
    if known["whole"]:
        return None
    return [Hunk(start, count, (first, last), added) for start, count, first, last, added in known["hunks"]]
