"""Where code stands now that messages are about: in the work tree, or at a commit. git is asked once for each thing.

A git that fails, or does not end, tells nothing, and is no error: the message is shown all the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from gitchat.model.anchor import Anchor, Excerpt, lines_of
from gitchat.model.errors import StorageError
from gitchat.model.hunks import Hunk, parse_hunks
from gitchat.model.placing import GONE, Place, locate
from gitchat.storage.git import GitFailed
from gitchat.work import texts
from gitchat.workspace.repository import Repository

_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all")

_MOST_SEARCHES = 3
"""For how many files the whole history is searched: a stranger may have written what a message is about."""

_MOST_COMPARED = 20
"""With how many commits the whole tree is compared to see what was renamed, likewise."""


_MOST_SEARCHED = 1000
"""How long a line may be that is looked for in the history."""


class _Unknown(Exception):
    """It would take too long to find out, or git does not end."""


class Tracer:
    """Follows places to the work tree, or to ``commit``, and keeps what git said."""

    def __init__(self, repository: Repository, commit: str | None = None, *, searches: bool = True) -> None:
        """``searches``: whether the history may be searched for what became of a file."""
        self._repository = texts.quiet(repository)
        self.commit = commit
        self._texts: dict[str, list[bytes] | None] = {}
        self._renames: dict[str, dict[str, str]] = {}
        self._hunks: dict[tuple[str, str, str], list[Hunk] | None] = {}
        self._followed: dict[str, str | None] = {}
        self._searches = _MOST_SEARCHES if searches else 0

    def place(
        self, anchor: Anchor, commit: str | None, excerpt: Excerpt | None, known: str | None = None
    ) -> Place | None:
        """Where ``anchor`` is now that stood in ``commit``; None where nothing is known of its lines.

        ``known`` is a file that is known to be the anchor's now, where no file has its name.
        """
        try:
            return self._place(anchor, commit, excerpt, known)
        except _Unknown:
            return None

    def _place(self, anchor: Anchor, commit: str | None, excerpt: Excerpt | None, known: str | None) -> Place | None:
        path = self._path(anchor.path, commit, known)
        if path is None:
            return GONE
        if anchor.lines is None:
            return Place("same" if path == anchor.path else "moved", path)
        text = self._text(path)
        if text is None:
            return GONE
        if excerpt is None and self._changes(commit, anchor.path, path) is None:
            return None
        state, lines = locate(anchor.lines, excerpt, text, lambda: self._changes(commit, anchor.path, path))
        if lines is None:
            return GONE
        return Place("moved" if state == "same" and path != anchor.path else state, path, lines)

    def has(self, path: str) -> bool:
        """Whether there is a file of that name."""
        if self.commit is not None:
            return texts.entry_at(self._repository, self.commit, path) is not None
        return texts.within(self._repository.worktree, path) == path and os.path.lexists(
            self._repository.worktree / path
        )

    def removed_in(self, anchor: Anchor, commit: str, excerpt: Excerpt | None) -> str | None:
        """The commit that took lines away that stood in ``commit``, or their file; None where that cannot be told."""
        try:
            path = self._path(anchor.path, commit, None) or anchor.path
        except _Unknown:
            return None
        line = max(excerpt.lines, key=len) if excerpt is not None else b""
        is_looked_for = len(line.strip()) > 0 and len(line) <= _MOST_SEARCHED and b"\0" not in line
        what = "-S" + os.fsdecode(line) if is_looked_for else "--diff-filter=D"
        return self._first_of(what, f"{commit}..{self.commit or 'HEAD'}", "--", _exactly(path))

    # --- the file ------------------------------------------------------------------

    def _text(self, path: str) -> list[bytes] | None:
        if path not in self._texts:
            if self.commit is not None:
                content = texts.blob_at(self._repository, self.commit, path)
            elif self._repository.location.is_bare:
                content = None
            else:
                content = texts.read(self._repository.worktree, path)
            is_text = content is not None and not texts.is_binary(content)
            self._texts[path] = lines_of(content) if content is not None and is_text else None
        return self._texts[path]

    def _path(self, path: str, commit: str | None, known: str | None) -> str | None:
        """What the file is called now; None where it is no more."""
        if self.has(path):
            return path
        found = self._renamed(commit).get(path) if commit is not None else None
        found = found or known or self._follow(path)
        return found if found is not None and self.has(found) else None

    def _renamed(self, commit: str) -> dict[str, str]:
        """What files are called now that had another name in a commit."""
        if commit not in self._renames:
            if len(self._renames) >= _MOST_COMPARED:
                raise _Unknown
            options = ("-M", "--diff-filter=R", "--name-status", "-z", *_PLAIN)
            self._renames[commit] = {}
            with suppress(GitFailed, StorageError):
                words = self._diff(*options, commit).split(b"\0")
                pairs = zip(words[1::3], words[2::3], strict=False)
                self._renames[commit] = {os.fsdecode(old): os.fsdecode(new) for old, new in pairs}
        return self._renames[commit]

    def _follow(self, path: str) -> str | None:
        """What became of a file that the history knows by this name, where the commit of a message is not here."""
        if path not in self._followed:
            if len(self._followed) >= self._searches:
                raise _Unknown
            found, here = path, self.commit or "HEAD"
            for _ in range(_MOST_SEARCHES):
                gone = self._first_of("--diff-filter=D", here, "--", _exactly(found))
                renames = self._renames_in(gone) if gone is not None else {}
                if found not in renames:
                    break
                found = renames[found]
                if self.has(found):
                    break
            self._followed[path] = found if found != path else None
        return self._followed[path]

    def _renames_in(self, commit: str) -> dict[str, str]:
        options = ("-r", "-M", "--diff-filter=R", "--name-status", "-z", "--no-commit-id", *_PLAIN)
        try:
            words = self._repository.git("diff-tree", *options, commit).split(b"\0")
        except (GitFailed, StorageError):
            return {}
        return {os.fsdecode(old): os.fsdecode(new) for old, new in zip(words[1::3], words[2::3], strict=False)}

    def _first_of(self, *words: str) -> str | None:
        """The newest commit of a history that ``git log`` limits so."""
        try:
            told = self._repository.git("log", "-1", "--format=%h", "--no-renames", *words)
        except (GitFailed, StorageError):
            return None
        return told.decode().strip() or None

    # --- its lines -----------------------------------------------------------------

    def _changes(self, commit: str | None, old: str, new: str) -> Sequence[Hunk] | None:
        """What of a file changed since ``commit``; None where that cannot be told."""
        if commit is None:
            return None
        key = (commit, old, new)
        if key not in self._hunks:
            paths = [_exactly(path) for path in dict.fromkeys((old, new))]
            try:
                diff = self._diff("-U0", "-M", *_PLAIN, commit, behind=("--", *paths))
                is_told = bool(diff) or texts.entry_at(self._repository, commit, old) is not None
                is_one = b"\ndiff --git " not in diff  # git saw no rename there, but one file go and another come
                self._hunks[key] = parse_hunks(diff) if is_told and is_one else None
            except (GitFailed, StorageError):
                self._hunks[key] = None
        return self._hunks[key]

    def _diff(self, *words: str, behind: Sequence[str] = ()) -> bytes:
        """What differs between a commit, the last of ``words``, and where we look. Raises GitFailed."""
        to = () if self.commit is None else (self.commit,)
        return self._repository.git("diff", *words, *to, *behind)


def _exactly(path: str) -> str:
    """A pathspec for this one file."""
    return f":(top,literal){path}"
