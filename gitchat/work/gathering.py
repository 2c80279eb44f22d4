"""Work of a worktree as it is handed over: what is changed and not committed, and the commits below it.

Nothing there is changed. What nobody would hand over is refused, with its paths. Source: docs/format.md section 19.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gitchat.model.errors import UserError
from gitchat.model.names import Oid
from gitchat.model.overlay import MOST_PATHS, SIDES, Carried, Overlay, Version, shown
from gitchat.model.paths import Path, is_kept_by_name, is_pointer, problem_of_path
from gitchat.model.refs import REMOTES
from gitchat.storage.git import GitFailed
from gitchat.work import dirty
from gitchat.work.dirty import Dirty
from gitchat.work.scratch import Scratch
from gitchat.work.trees import Worktree

_SHOWN = 5
"""How many paths an error names."""

_SCANNED_BYTES = 1024 * 1024
"""The largest file of a commit that is looked through for secrets, as of all else."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is handed over."""

    carried: Carried
    commit: str
    """The commit that it stands on: ``HEAD``."""
    branch: str | None
    ahead: int
    """How many commits below it are on no remote."""
    notes: tuple[str, ...]
    """What is left out, and what goes along, in words for a person, still to be escaped."""


def gather(
    work: Scratch, tree: Worktree, *, paths: Sequence[str], cwd: str, max_bytes: int, max_file_bytes: int
) -> Gathered:
    """All that is changed in the worktree, or what of it is at or below ``paths``, as seen from ``cwd``.

    Raises:
        UserError: ``no-commit``, ``unmerged``, ``nothing-changed``, ``too-many-paths``, ``kept-by-name``,
            ``work-too-large``.
        git.GitFailed: git cannot look, or cannot read a file.
    """
    try:
        head = work.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}", cwd=str(tree.top))
    except GitFailed as error:
        raise UserError(
            "there is no commit here yet that work could stand on",
            hint="make the first: git commit --allow-empty -m begin",
            code="no-commit",
        ) from error
    named = [_from_top(tree, cwd, path) for path in paths]
    found, left_out = _chosen(work, tree, paths, named, cwd)
    _refuse_large(work, tree, found, max_file_bytes)
    overlay = _overlay(work, tree, head, found)
    blobs = _contents(work, overlay, max_bytes, max_file_bytes)
    ahead, commits, texts, notes = _commits(work, tree, max_file_bytes)
    pointers = [path for path, version in overlay.work.items() if is_pointer(blobs[version.oid])]
    if pointers:
        notes.append(f"what git LFS keeps elsewhere does not go along: {_listed(pointers)}")
    if left_out:
        notes.append(f"left out: {'; '.join(left_out)}")
    return Gathered(Carried(overlay, blobs, commits, tuple(texts)), head, tree.branch, ahead, tuple(notes))


# --- which paths ----------------------------------------------------------------------


def _from_top(tree: Worktree, cwd: str, path: str) -> Path:
    """A path that somebody typed in ``cwd``, from the top; ``.`` for the top itself."""
    place = os.path.join(os.path.realpath(cwd), path)
    place = os.path.join(os.path.realpath(os.path.dirname(place)), os.path.basename(place))  # of a link the link
    return os.fsencode(os.path.normpath(os.path.relpath(place, os.path.realpath(tree.top))))


def _chosen(
    work: Scratch, tree: Worktree, paths: Sequence[str], named: Sequence[Path], cwd: str
) -> tuple[list[Dirty], list[str]]:
    """What is changed at these paths, and what of it nobody can hand over, in words."""
    every = dirty.look(work, tree.top, with_submodules=True)
    found = [one for one in every if not named or any(_is_at(one.path, place) for place in named)]
    for path, place in zip(paths, named, strict=True):
        if not any(_is_at(one.path, place) for one in found):
            raise _nothing_at(work, path, cwd)
    unmerged = [one.path for one in found if one.is_unmerged]
    if unmerged:
        raise UserError(
            f"git could not merge {_listed(unmerged)}, and nobody has yet",
            hint=f"finish the merge first, then: git add {_quoted(unmerged)}",
            code="unmerged",
        )
    left_out = [f"{shown(one.path).rstrip('/')} is a repository of its own" for one in found if one.is_submodule]
    found = [one for one in found if not one.is_submodule]
    left_out += [f"{shown(one.path)} {problem}" for one in found if (problem := problem_of_path(one.path))]
    found = [one for one in found if problem_of_path(one.path) is None]
    if not found:
        raise _nothing(left_out)
    if len(found) > MOST_PATHS:
        raise UserError(
            f"{len(found):,} paths are changed here; one message hands over at most {MOST_PATHS}",
            hint="name some: git chat send --work PATH... TEXT; or commit them, and push the branch",
            code="too-many-paths",
        )
    kept = [one.path for one in found if is_kept_by_name(one.path) and one.path not in named]
    if kept:
        raise UserError(
            f"by its name nobody should have {_listed(kept)}, and a message in git stays for ever",
            hint=f"name what shall go, this too if it is harmless: git chat send --work {_quoted(kept[:1])} TEXT",
            code="kept-by-name",
        )
    return found, left_out


def _is_at(path: Path, place: Path) -> bool:
    return place == b"." or path.rstrip(b"/") == place or path.startswith(place + b"/")


def _nothing(left_out: Sequence[str]) -> UserError:
    also = f" ({'; '.join(left_out)})" if left_out else ""
    return UserError(
        f"nothing is changed here that could be handed over{also}",
        hint="what is committed goes by a branch: git push; to say something: git chat send TEXT",
        code="nothing-changed",
    )


def _nothing_at(work: Scratch, path: str, cwd: str) -> UserError:
    quoted = shlex.quote(path)
    try:
        work.git("check-ignore", "--quiet", "--", path, cwd=cwd)
    except GitFailed:
        return UserError(
            f"nothing is changed at {path!r}",
            hint="see what is: git status; the last word is the text, those before it are paths",
            code="nothing-changed",
        )
    return UserError(
        f"git ignores {path!r}, and so does a hand-over",
        hint=f"let git know it: git add -f {quoted}; or attach it: git chat send --attach {quoted}",
        code="nothing-changed",
    )


# --- what they hold -------------------------------------------------------------------


def _refuse_large(work: Scratch, tree: Worktree, found: Sequence[Dirty], limit_bytes: int) -> None:
    """Refuse what is too large on the disk before git reads it, unless a filter makes less of it."""
    sizes = {one.path: _size_on_disk(tree, one.path) for one in found}
    large = [path for path, size in sizes.items() if size > limit_bytes]
    if not large:
        return
    given = b"".join(path + b"\0" for path in large)
    told = work.git("check-attr", "-z", "--stdin", "filter", cwd=str(tree.top), stdin=given).split(b"\0")
    plain = [path for path, value in zip(told[::3], told[2::3], strict=False) if value in (b"unspecified", b"unset")]
    if plain:
        raise _too_large(plain, max(sizes[path] for path in plain), limit_bytes)


def _size_on_disk(tree: Worktree, path: Path) -> int:
    try:
        status = os.lstat(os.path.join(os.fsencode(tree.top), path))
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _too_large(paths: Sequence[Path], size: int, limit_bytes: int) -> UserError:
    return UserError(
        f"{_listed(paths)} has up to {size:,} bytes; the limit for a file is {limit_bytes:,}",
        hint="name the others: git chat send --work PATH... TEXT; or raise the limit: "
        f"git config chat.maxAttachment {-(-size // 1024)}k",
        code="work-too-large",
    )


def _overlay(work: Scratch, tree: Worktree, head: str, found: Sequence[Dirty]) -> Overlay:
    made = dirty.written_over(work, tree.top, tree.git_dir, [one.path for one in found])
    differs = dirty.differing(work, f"{head}^{{tree}}", made)
    sides: dict[str, dict[Path, Version]] = {name: {} for name in SIDES}
    for one in found:
        versions = one.base, one.index, differs[one.path][1] if one.path in differs else one.base
        if versions[0] == versions[1] == versions[2]:
            continue  # it was touched, or changed back meanwhile
        for side, version in zip(sides.values(), versions, strict=True):
            if version is not None:
                side[one.path] = version
    overlay = Overlay(sides["base"], sides["index"], sides["work"])
    if not overlay.paths:
        raise _nothing([])
    return overlay


def _contents(work: Scratch, overlay: Overlay, max_bytes: int, max_file_bytes: int) -> dict[Oid, bytes]:
    by_oid = {version.oid: path for side in overlay.sides.values() for path, version in side.items()}
    sizes = work.sizes(by_oid)
    large = sorted({by_oid[oid] for oid, size in sizes.items() if size > max_file_bytes})
    if large:
        raise _too_large(large, max(sizes.values()), max_file_bytes)
    total = sum(sizes.values())
    if total > max_bytes:
        raise UserError(
            f"this work has {total:,} bytes, as it was, is staged and is; the limit is {max_bytes:,}",
            hint="name a part of it: git chat send --work PATH... TEXT; or raise the limit: "
            f"git config chat.maxWork {-(-total // 1024)}k",
            code="work-too-large",
        )
    return work.blobs(by_oid)


# --- the commits below ----------------------------------------------------------------

_UNPUSHED = ("HEAD", "--not", "--remotes")


def _commits(work: Scratch, tree: Worktree, limit_bytes: int) -> tuple[int, bytes, list[tuple[str, bytes]], list[str]]:
    """How many commits are on no remote, a bundle of them, what is to be read in it, and what to say of it."""
    where = str(tree.top)
    if not work.git("for-each-ref", "--count=1", REMOTES, cwd=where).strip():
        return 0, b"", [], []  # without a remote whoever shares these rooms shares the commits
    ahead = int(work.line("rev-list", "--count", *_UNPUSHED, cwd=where))
    if not ahead:
        return 0, b"", [], []
    told = f"{ahead} commit{'s' if ahead > 1 else ''}{f' of {tree.branch}' if tree.branch else ''}"
    told += " are on no remote" if ahead > 1 else " is on no remote"
    usage = int(work.line("rev-list", "--disk-usage", "--objects", *_UNPUSHED, cwd=where))
    bundle = work.git("bundle", "create", "--quiet", "-", *_UNPUSHED, cwd=where) if usage <= 8 * limit_bytes else b""
    if not bundle or len(bundle) > limit_bytes:
        return ahead, b"", [], [f"{told}, and too large to go along: git push, so that the work has what it stands on"]
    words = "they go" if ahead > 1 else "it goes"
    return ahead, bundle, list(_texts(work, where)), [f"{told}; {words} with it ({_size(len(bundle))})"]


def _texts(work: Scratch, where: str) -> Iterator[tuple[str, bytes]]:
    """What can be read in the commits that go along, and what to call it."""
    for told in work.git("log", "-z", "--format=%h%n%B", *_UNPUSHED, cwd=where).split(b"\0"):
        oid, _, message = told.partition(b"\n")
        if message:
            yield f"the message of commit {oid.decode()}", message
    listed = work.git("rev-list", "--objects", "--no-object-names", *_UNPUSHED, cwd=where)
    kinds = work.git("cat-file", "--batch-check=%(objecttype) %(objectsize) %(objectname)", cwd=where, stdin=listed)
    wanted = [line.split() for line in kinds.decode().splitlines()]
    oids = [Oid(oid) for kind, size, oid in wanted if kind == "blob" and int(size) <= _SCANNED_BYTES]
    if not oids:
        return
    named = work.git("rev-list", "--objects", *_UNPUSHED, cwd=where)
    names = dict(line.partition(b" ")[::2] for line in named.splitlines())
    for blob, content in work.blobs(oids).items():
        yield f"{shown(names.get(blob.encode(), b'a file'))} in its commits", content


# --- words ----------------------------------------------------------------------------


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1024:.1f} KiB" if size_bytes >= 1024 else f"{size_bytes} bytes"


def _listed(paths: Iterable[Path]) -> str:
    every = [shown(path) for path in paths]
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more


def _quoted(paths: Sequence[Path]) -> str:
    return " ".join(shlex.quote(shown(path)) for path in paths[:_SHOWN])
