"""What somebody says a message is about, made into what the message carries; whatever cannot be is refused before.

The lines are those of the work tree now, or of a commit where one is named. Source: docs/format.md section 20.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from gitchat.model.anchor import MOST_LINES, Anchor, Excerpt, excerpt_of, is_path, lines_of, spelled
from gitchat.model.attachment import MOST_EXCERPT_BYTES, MOST_EXCERPTS, File
from gitchat.model.errors import UserError
from gitchat.model.hunks import Lines
from gitchat.model.record import AT
from gitchat.storage.git import GitFailed
from gitchat.work import texts
from gitchat.workspace.repository import Repository

_LINES = re.compile(r"(.+):([0-9]{1,9})(?:-([0-9]{1,9}))?", re.DOTALL)
_FULL_ID = re.compile("[0-9a-f]{40}(?:[0-9a-f]{24})?")

_EXAMPLE = "give FILE, FILE:40 or FILE:40-46; at a commit REV:FILE:40"


@dataclass(frozen=True, slots=True)
class Anchored:
    """What a message about code carries: trailers, the commit in which the lines stand, and how they read."""

    extra: tuple[tuple[str, str], ...] = ()
    commit: str | None = None
    excerpts: tuple[tuple[int, File], ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """One place, found."""

    anchor: Anchor
    excerpt: Excerpt | None
    commit: str | None
    """The commit that was named."""


def anchored(repository: Repository, given: Sequence[str], *, is_elsewhere: bool = False) -> Anchored:
    """What a message that is about ``given`` carries: ``FILE``, ``FILE:40``, ``FILE:40-46``, each also as ``REV:...``.

    A file is named from where we are, and where there is none from the top of the repository; with a ``REV``, as git
    does it, from the top. For who is ``is_elsewhere``, and has a work tree of its own, no file is opened: it says where
    it is, from the top, and at which commit by its full id.

    Raises:
        UserError: ``bad-anchor``, ``no-such-file``, ``not-a-file``, ``not-in-repository``, ``ignored-file``,
            ``binary-file``, ``no-such-lines``, ``no-such-commit``, ``no-work-tree``.
    """
    if len(given) > MOST_EXCERPTS:
        raise _no_place(
            f"a message is about {MOST_EXCERPTS} places at most; these are {len(given)}", "name the file alone"
        )
    if is_elsewhere:
        found = [_told(text) for text in given]
    else:
        repository = texts.quiet(repository)
        found = [_look(repository, text) for text in given]
    return Anchored(
        tuple((AT, one.anchor.value) for one in found),
        _commit_of(found) if is_elsewhere else _commit_with(repository, found),
        tuple(
            (number, File(one.anchor.path.rpartition("/")[2], one.excerpt.content))
            for number, one in enumerate(found, 1)
            if one.excerpt is not None
        ),
    )


def parse_lines(text: str) -> tuple[str, Lines | None]:
    """The file and the lines of ``FILE[:A[-B]]``. Raises UserError ``bad-anchor``."""
    if not text.strip() or "\0" in text:
        raise _no_place(f"{text!r} names no file", _EXAMPLE)
    match = _LINES.fullmatch(text)
    if match is None:
        return text, None
    first, last = int(match[2]), int(match[3] or match[2])
    if not 1 <= first <= last:
        raise _no_place(f"{text!r} names no lines: they count from 1, and the first comes first", _EXAMPLE)
    if last - first >= MOST_LINES:
        raise _no_place(
            f"{text!r} are {last - first + 1} lines; a message is about {MOST_LINES} in one place at most",
            f"name those that matter: {match[1]}:{first}-{first + MOST_LINES - 1}; or the file alone",
        )
    return match[1], (first, last)


def _told(text: str) -> _Found:
    """A place in the work tree of somebody elsewhere, as it says it."""
    path, lines = parse_lines(text)
    named, colon, rest = path.partition(":")
    commit = named if colon and _FULL_ID.fullmatch(named) else None
    path = (rest if commit is not None else path).removeprefix("./")
    if not is_path(path):
        raise _no_place(f"{text!r} is no file from the top of the repository", "give src/lexer.py:40-46")
    return _Found(Anchor(path, lines), None, commit)


def _look(repository: Repository, text: str) -> _Found:
    path, lines = parse_lines(text)
    if os.path.isfile(os.path.join(repository.cwd, text)):
        path, lines = text, None  # its name ends as if it named lines, or it names none
    named, colon, rest = path.partition(":")
    if colon and rest and not os.path.lexists(os.path.join(repository.cwd, path)):
        return _look_at(repository, repository.commit(named), named, rest, lines)
    if repository.location.is_bare:
        raise UserError(
            "a bare repository has no files of its own", hint=f"name a commit: HEAD:{text}", code="no-work-tree"
        )
    inside = _find(repository, path, lines)
    if not os.path.lexists(repository.worktree / inside):
        raise _no_such_file(repository, path, inside, lines)
    _refuse_ignored(repository, path, inside)
    place = repository.worktree / inside
    if place.is_dir() and not place.is_symlink():
        raise UserError(f"{path!r} is a directory", hint="name a file in it", code="not-a-file")
    anchor = Anchor(inside, lines)
    if lines is None:
        return _Found(anchor, None, None)
    content = texts.read(repository.worktree, inside)
    if content is None:
        raise UserError(
            f"{path!r} is no file with lines that can be read", hint="name it without lines", code="not-a-file"
        )
    return _Found(anchor, _excerpt(path, content, lines), None)


def _find(repository: Repository, path: str, lines: Lines | None) -> str:
    """``path`` from the top of the work tree, taken from where we are, else from the top. Raises UserError."""
    top = repository.worktree
    typed = os.path.join(repository.cwd, path)
    inside = texts.within(top, typed)
    if (inside is None or not os.path.lexists(typed)) and not os.path.isabs(path):
        from_top = texts.within(top, path)
        if from_top is not None and os.path.lexists(top / from_top):
            inside = from_top
    if inside is None or not is_path(inside):
        raise UserError(
            f"{path!r} is outside this repository, or within git's own directory",
            hint=f"name a file below {shlex.quote(str(top))}",
            code="not-in-repository",
        )
    return inside


def _look_at(repository: Repository, commit: str, named: str, path: str, lines: Lines | None) -> _Found:
    """A file at a commit, which git names from the top, and with ``./`` from where we are."""
    inside: str | None = os.path.normpath(path)
    if path.startswith(("./", "../")) and not repository.location.is_bare:
        inside = texts.within(repository.worktree, os.path.join(repository.cwd, path))
    found = texts.entry_at(repository, commit, inside) if inside is not None and is_path(inside) else None
    if found is None or inside is None:
        raise UserError(
            f"{named} has no file {path!r}",
            hint=f"see which it has: git ls-tree -r --full-tree --name-only {shlex.quote(named)}",
            code="no-such-file",
        )
    if found[0] != "blob" and (lines is not None or found[0] != "link"):
        raise UserError(f"{path!r} is no file at {named}", hint="name a file", code="not-a-file")
    content = texts.blob_at(repository, commit, inside) if lines is not None else None
    excerpt = _excerpt(path, content, lines) if lines is not None and content is not None else None
    return _Found(Anchor(inside, lines), excerpt, commit)


def _excerpt(path: str, content: bytes, lines: Lines) -> Excerpt:
    """What is kept of ``lines``. Raises UserError ``binary-file``, ``no-such-lines``, ``bad-anchor``."""
    if texts.is_binary(content):
        raise UserError(
            f"{path!r} is binary, and has no lines", hint=f"name it without lines: {path}", code="binary-file"
        )
    text = lines_of(content)
    if lines[1] > len(text):
        raise UserError(
            f"{path!r} has {len(text):,} line{'' if len(text) == 1 else 's'}, and no line {lines[1]}",
            hint=f"its last one is {path}:{len(text)}" if text else f"name it without lines: {path}",
            code="no-such-lines",
        )
    excerpt = excerpt_of(text, lines)
    if len(excerpt.content) > MOST_EXCERPT_BYTES:
        raise _no_place(
            f"lines {spelled(lines)} of {path!r} and those beside them have {len(excerpt.content):,} bytes; "
            f"the limit is {MOST_EXCERPT_BYTES:,}",
            f"name it without lines: {path}",
        )
    return excerpt


# --- the commit ------------------------------------------------------------------


def _commit_of(found: Sequence[_Found]) -> str | None:
    """The commit that all of them name."""
    named = {one.commit for one in found}
    return named.pop() if len(named) == 1 else None


def _commit_with(repository: Repository, found: Sequence[_Found]) -> str | None:
    """The commit in which all of it stands: the first that was named, else HEAD; None where some of it does not."""
    commit = next((one.commit for one in found if one.commit is not None), None)
    if commit is None and found:
        try:
            told = repository.git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        except GitFailed:
            return None  # nothing is committed yet
        commit = told.decode().strip()
    is_there = commit is not None and all(one.commit == commit or _stands(repository, commit, one) for one in found)
    return commit if is_there else None


def _stands(repository: Repository, commit: str, found: _Found) -> bool:
    anchor = found.anchor
    if anchor.lines is None or found.excerpt is None:
        return texts.entry_at(repository, commit, anchor.path) is not None
    content = texts.blob_at(repository, commit, anchor.path)
    first, last = anchor.lines
    return content is not None and tuple(lines_of(content)[first - 1 : last]) == found.excerpt.lines


# --- what is refused -------------------------------------------------------------


def _refuse_ignored(repository: Repository, path: str, inside: str) -> None:
    """Refuse what git is told to leave alone: it is nobody else's, and may be secret. Raises UserError."""
    try:
        repository.git("check-ignore", "--quiet", "--", str(repository.worktree / inside))
    except GitFailed as error:
        if error.status == 1:
            return
        raise UserError(
            f"git will not look at {path!r}: {error.stderr.removeprefix('fatal: ')}",
            hint="name a file of this repository: git ls-files",
            code="not-in-repository",
        ) from error
    raise UserError(
        f"{path!r} is ignored by git, so nobody else has it",
        hint="send what matters of it as text, or attach it: git chat send --attach FILE",
        code="ignored-file",
    )


def _no_such_file(repository: Repository, path: str, inside: str, lines: Lines | None) -> UserError:
    suffix = f":{spelled(lines)}" if lines is not None else ""
    return UserError(f"there is no file {path!r}", hint=_meant(repository, inside, suffix), code="no-such-file")


def _meant(repository: Repository, inside: str, suffix: str) -> str:
    """What probably was: the file as HEAD has it, or one of that name in another directory."""
    if texts.entry_at(repository, "HEAD", inside) is not None:
        return f"HEAD still has it: --at {shlex.quote(f'HEAD:{inside}{suffix}')}"
    name = re.sub(r"([*?[\\])", r"[\1]", inside.rpartition("/")[2])
    try:
        told = repository.git("ls-files", "-z", "--full-name", "--", f":(top,glob)**/{name}")
    except GitFailed:
        told = b""
    alike = [os.fsdecode(one) for one in told.split(b"\0") if one]
    if len(alike) == 1:
        return f"did you mean {shlex.quote(alike[0] + suffix)}?"
    return "see which there are: git ls-files; one that is gone: REV:FILE"


def _no_place(message: str, hint: str) -> UserError:
    return UserError(message, hint=hint, code="bad-anchor")
