"""What is changed in a worktree and not committed: each path with what git has of it, and all of it as one tree.

The index, the work tree, refs and the stash of the user stay as they are to the byte: git looks with a copy of the
index. Never ``git stash create``, which writes the user's index and forgets new files.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as Place

from gitchat.model.names import Oid
from gitchat.model.overlay import FILE, Version
from gitchat.model.paths import Path
from gitchat.work.scratch import Scratch

_SUBMODULE = 0o160000

_STATUS = ("status", "--porcelain=v2", "-z", "-uall", "--no-renames")

_HEAD = b"# branch.oid "


@dataclass(frozen=True, slots=True)
class Dirty:
    """A path that is not as in ``HEAD``."""

    path: Path
    base: Version | None = None
    """As in ``HEAD``; None where it is not in there."""
    index: Version | None = None
    """As staged; None where it is not."""
    is_new: bool = False
    """Whether git does not know it."""
    is_unmerged: bool = False
    is_submodule: bool = False
    """Whether it is a repository of its own, which git tells no content of."""


def look(
    work: Scratch,
    top: Place,
    *,
    pathspecs: Sequence[str] = (),
    cwd: str | None = None,
    with_submodules: bool = False,
    has_index: bool = False,
) -> list[Dirty]:
    """What is changed below ``top``, ignored files aside; ``pathspecs`` narrow it, as seen from ``cwd``.

    Submodules are told only ``with_submodules``. Raises git.GitFailed.
    """
    told = work.git(
        *_STATUS,
        f"--ignore-submodules={'none' if with_submodules else 'all'}",
        *(("--", *pathspecs) if pathspecs else ()),
        cwd=cwd or str(top),
        has_index=has_index,
    )
    return list(_parsed(told))


@dataclass(frozen=True, slots=True)
class Stand:
    """How a worktree stands."""

    head: str | None
    """The commit that is checked out; None before the first."""
    told: bytes
    """All that git says of what is changed: whatever is in HEAD, the index, and which paths differ on the disk."""
    changed: list[Dirty]
    seconds: float
    """How long git took to tell."""


def stand(work: Scratch, top: Place) -> Stand:
    """As :func:`look`, in one question with ``HEAD``, and without submodules. Raises git.GitFailed."""
    began = time.monotonic()
    told = work.git(*_STATUS, "--ignore-submodules=all", "--branch", "--no-ahead-behind", cwd=str(top))
    seconds = time.monotonic() - began
    lines = told.split(b"\0")
    head = next((line.removeprefix(_HEAD) for line in lines if line.startswith(_HEAD)), b"(initial)")
    rest = b"\0".join(line for line in lines if not line.startswith(b"# "))
    return Stand(head.decode() if head != b"(initial)" else None, rest, list(_parsed(told)), seconds)


def _parsed(told: bytes) -> Iterator[Dirty]:
    """The lines of ``git status --porcelain=v2 -z --no-renames``. Source: git-status(1)."""
    for line in told.split(b"\0"):
        if line.startswith(b"? "):
            yield Dirty(line[2:], is_new=True, is_submodule=line.endswith(b"/"))
        elif line.startswith(b"1 "):
            _, _, sub, *modes, base, index, path = line.split(b" ", 8)
            is_submodule = sub.startswith(b"S") or _SUBMODULE in (int(mode, 8) for mode in modes)
            yield Dirty(path, _version(modes[0], base), _version(modes[1], index), is_submodule=is_submodule)
        elif line.startswith(b"u "):
            yield Dirty(line.split(b" ", 10)[10], is_unmerged=True)


def _version(mode: bytes, oid: bytes) -> Version | None:
    number = int(mode, 8)
    if not number or not oid.strip(b"0"):  # not there, or only meant to be added
        return None
    return Version(FILE if number == 0o100664 else number, Oid(oid.decode()))


def written_over(work: Scratch, top: Place, git_dir: Place, paths: Iterable[Path]) -> str:
    """The index there, with ``paths`` as they are on the disk, as a tree. Raises git.GitFailed."""
    work.copy_index(git_dir)
    put_disk(work, top, paths)
    return work.line("write-tree", cwd=str(top), has_index=True)


def put_disk(work: Scratch, top: Place, paths: Iterable[Path]) -> None:
    """Let our copy of the index have ``paths`` as they are on the disk, through the user's filters."""
    given = b"".join(path + b"\0" for path in paths)
    work.git(
        "update-index", "--add", "--remove", "--replace", "-z", "--stdin", cwd=str(top), stdin=given, has_index=True
    )


def put(work: Scratch, entries: Iterable[tuple[Path, Version | None]], like: str, *, stage: int = 0) -> None:
    """Let our index have these versions, or not have the path any more; ``like`` is any id."""
    work.git("update-index", "-z", "--index-info", stdin=told_index(entries, like, stage), has_index=True)


def told_index(entries: Iterable[tuple[Path, Version | None]], like: str, stage: int = 0) -> bytes:
    """Entries as ``git update-index -z --index-info`` takes them; what goes comes first, to make room."""
    ordered = sorted(entries, key=lambda entry: entry[1] is not None)
    return b"".join(
        b"0 %s\t%s\0" % (b"0" * len(like), path)
        if version is None
        else b"%o %s %d\t%s\0" % (version.mode, version.oid.encode(), stage, path)
        for path, version in ordered
    )


def differing(work: Scratch, old: str, new: str) -> dict[Path, tuple[Version | None, Version | None]]:
    """The paths in which two trees differ, each with both versions. Raises git.GitFailed."""
    words = iter(work.git("diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", old, new).split(b"\0"))
    found: dict[Path, tuple[Version | None, Version | None]] = {}
    for told in words:
        if told:
            old_mode, new_mode, old_oid, new_oid, _ = told.lstrip(b":").split(b" ")
            found[next(words)] = _version(old_mode, old_oid), _version(new_mode, new_oid)
    return found
