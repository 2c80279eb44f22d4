"""Work that is handed over: the paths that are changed, in three versions, as the trees that hold them.

A commit's tree has a directory ``wip`` with a tree for each version: ``base``, as in the commit that the work stands
on, ``index``, what is staged, and ``work``, what is on the disk. A version in which a path does not exist lacks it.
What others wrote is judged when it is read: no path of it is taken for good because git once stored it.

Pure: bytes in, values out. Source: docs/format.md section 19.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gitchat.model.attachment import Beside
from gitchat.model.errors import FormatError, UserError
from gitchat.model.names import Oid
from gitchat.model.paths import Path, is_git, problem_of_path
from gitchat.model.tree import TreeEntry, encode_tree, oid_of

TAKEN = "taken"
"""The type of the status that says that somebody took it."""

WORK = "work"
SIDES = ("base", "index", WORK)
"""The versions."""

DIRECTORY = b"wip"
"""What the tree that holds them is called in a commit's tree."""

COMMITS = b"commits"
"""The blob beside them: a bundle of the commits that the work stands on and that no remote has."""

MOST_PATHS = 500
"""How many paths one message hands over at most."""

DEFAULT_BYTES = 8 * 1024 * 1024
"""How much it holds when ``chat.maxWork`` is not set."""

_MOST_READ = 4 * MOST_PATHS
_MOST_DEEP = 64
"""How many entries of a version, and how far down, are looked at: a tree of trees that are all the same has no end."""

FILE, PROGRAM, LINK = 0o100644, 0o100755, 0o120000
_MODES = frozenset({FILE, PROGRAM, LINK})
_DIRECTORY, _SUBMODULE = 0o040000, 0o160000


@dataclass(frozen=True, slots=True)
class Version:
    """One path as it is in one version."""

    mode: int
    """``FILE``, ``PROGRAM`` or ``LINK``."""
    oid: Oid
    """Of a link the blob that holds where it leads."""


Side = Mapping[Path, Version]
"""A version: each path that exists in it."""

Change = Literal["changed", "new", "deleted"]


@dataclass(frozen=True, slots=True)
class Overlay:
    """All paths that are handed over, in their three versions."""

    base: Side
    index: Side
    work: Side
    left_out: tuple[str, ...] = field(default=())
    """What stands there and is not taken for a path, in words; of who read it from a commit."""

    @property
    def sides(self) -> dict[str, Side]:
        """The versions by their names."""
        return {"base": self.base, "index": self.index, WORK: self.work}

    @property
    def paths(self) -> list[Path]:
        """Every path that differs between two versions, in git's order."""
        every = {*self.base, *self.index, *self.work}
        return sorted(path for path in every if not self.base.get(path) == self.index.get(path) == self.work.get(path))

    def change(self, path: Path) -> Change:
        """What became of a path, as a person counts it."""
        if path not in self.base:
            return "new"
        return "deleted" if path not in self.work else "changed"

    @property
    def staged(self) -> list[Path]:
        """The paths of which something is staged."""
        return [path for path in self.paths if self.base.get(path) != self.index.get(path)]


def counted(overlay: Overlay) -> str:
    """``5 changed, 1 new, 1 deleted``."""
    changes = [overlay.change(path) for path in overlay.paths]
    kinds: tuple[Change, ...] = ("changed", "new", "deleted")
    return ", ".join(f"{count} {kind}" for kind in kinds if (count := changes.count(kind)))


def told(paths: int, branch: str | None) -> str:
    """What a message hands over, in words that are still to be escaped: ``7 files of lexer``."""
    return f"{paths} file{'s' if paths != 1 else ''}{f' of {branch}' if branch else ''}"


# --- writing ------------------------------------------------------------------------

_Contents = dict[Oid, tuple[Literal["blob", "tree"], bytes]]


@dataclass(frozen=True, slots=True)
class Carried:
    """An overlay as a message carries it."""

    overlay: Overlay
    blobs: Mapping[Oid, bytes]
    """The content of each blob of the overlay."""
    commits: bytes = b""
    """A bundle of the commits that no remote has; empty where there are none, or they are too many."""
    texts: tuple[tuple[str, bytes], ...] = ()
    """What else stands in it to be read, and what each is to be called in an error: the commits' own changes."""

    @property
    def paths(self) -> int:
        """How many paths it has."""
        return len(self.overlay.paths)

    def parts(self) -> Iterator[tuple[str, bytes]]:
        """Everything in it that can be read, once, and what to call it in an error that names a line of it."""
        known: set[Oid] = set()
        for side, note in (
            (self.overlay.work, ""),
            (self.overlay.index, ", as staged"),
            (self.overlay.base, " before"),
        ):
            for path, version in sorted(side.items()):
                if version.oid not in known:
                    known.add(version.oid)
                    yield f"{shown(path)}{note}", self.blobs[version.oid]
        yield "the name of a file", b"\n".join(self.overlay.paths)
        yield from self.texts

    def build(self, like: Oid) -> Beside:
        """The tree ``wip``, and the objects to store, each after those that it names and none twice.

        ``like`` is any id of the repository; its length tells the hash.
        """
        used = sorted({version.oid for side in self.overlay.sides.values() for version in side.values()})
        contents: _Contents = {oid: ("blob", self.blobs[oid]) for oid in used}
        top = [
            TreeEntry(_DIRECTORY, name.encode(), _add_tree(side, like, contents))
            for name, side in self.overlay.sides.items()
            if side
        ]
        if self.commits:
            oid = oid_of("blob", self.commits, like)
            contents[oid] = ("blob", self.commits)
            top.append(TreeEntry(FILE, COMMITS, oid))
        raw = encode_tree(top)
        oid = oid_of("tree", raw, like)
        contents[oid] = ("tree", raw)
        return Beside(DIRECTORY, oid, list(contents.values()))


def shown(path: Path) -> str:
    """A path of any bytes as text, which is still to be escaped."""
    return path.decode("utf-8", "backslashreplace")


def _add_tree(side: Side, like: Oid, contents: _Contents) -> Oid:
    below: dict[bytes, dict[Path, Version]] = {}
    entries: list[TreeEntry] = []
    for path, version in side.items():
        first, slash, rest = path.partition(b"/")
        if slash:
            below.setdefault(first, {})[rest] = version
        else:
            entries.append(TreeEntry(version.mode, first, version.oid))
    entries += [TreeEntry(_DIRECTORY, name, _add_tree(rest, like, contents)) for name, rest in below.items()]
    raw = encode_tree(entries)
    oid = oid_of("tree", raw, like)
    contents[oid] = ("tree", raw)
    return oid


# --- reading ------------------------------------------------------------------------

ReadTree = Callable[[Oid], Sequence[TreeEntry]]


def commits_of(entries: Iterable[TreeEntry]) -> Oid | None:
    """The blob ``commits`` among the entries of ``wip``."""
    return next((one.oid for one in entries if one.name == COMMITS and one.mode == FILE), None)


def read(wip: Oid, read_tree: ReadTree) -> Overlay:
    """The overlay in a tree ``wip``, whoever wrote it. What is no path to be written is left out, and named.

    Raises:
        UserError: ``work-too-large``: it has more than anybody hands over.
        FormatError: ``damaged-object``, where a name is there twice; and what ``read_tree`` raises.
    """
    sides: dict[str, dict[Path, Version]] = {name: {} for name in SIDES}
    left_out: dict[str, None] = {}
    for top in read_tree(wip):
        name = top.name.decode("utf-8", "replace")
        if name not in sides or top.mode != _DIRECTORY:
            continue
        for path, entry in _walk(top.oid, read_tree):
            problem = problem_of_path(path) or _problem_of_mode(entry.mode)
            if problem is not None:
                left_out.setdefault(f"{shown(path)} {problem}")
            elif path in sides[name]:
                raise FormatError(
                    f"the work in {wip} has a file twice", hint="git chat verify", code="damaged-object", oid=wip
                )
            else:
                sides[name][path] = Version(entry.mode, entry.oid)
    return Overlay(sides["base"], sides["index"], sides[WORK], tuple(left_out))


def _problem_of_mode(mode: int) -> str | None:
    if mode in _MODES:
        return None
    return "is a submodule" if mode == _SUBMODULE else "is no file"


def _walk(tree: Oid, read_tree: ReadTree) -> Iterator[tuple[Path, TreeEntry]]:
    """The entries of a tree and of those below it that are no trees."""
    left = _MOST_READ
    waiting: list[tuple[Path, Oid, int]] = [(b"", tree, 0)]
    while waiting:
        above, oid, depth = waiting.pop()
        for entry in read_tree(oid):
            left -= 1
            if left < 0 or depth > _MOST_DEEP:
                raise UserError(
                    f"this is more than anybody hands over: at most {MOST_PATHS} paths",
                    hint="ask for a branch instead",
                    code="work-too-large",
                )
            path = above + entry.name
            if entry.mode == _DIRECTORY and not is_git(entry.name):
                waiting.append((path + b"/", entry.oid, depth + 1))
            else:
                yield path, entry
