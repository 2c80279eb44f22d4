"""Objects that shall be gone: removed where nothing reaches them any more, and told of where they stay.

What is removed is named one by one, and only after git itself has listed all that any ref, log of a ref, index or
worktree of the repository reaches: a file that was attached may be one of the user's project as well. Loose objects and
packs of our own are ours to change; what lies in a pack of the user's goes with ``git gc --prune=now``, and so does
everything where a commit-graph or a multi-pack-index tells of objects that would be missed.

Source: docs/format.md section 18; git-rev-list(1), git-reflog(1), git-cat-file(1).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from gitchat.model.errors import ConflictError
from gitchat.model.names import Oid, RefName
from gitchat.model.refs import REF_PREFIX
from gitchat.storage import gate, git, packing

LIST_SECONDS = 120.0
"""How long git may list what a repository reaches. Nothing is removed without that."""

_EXCHANGE_SECONDS = 30.0


class Erasing:
    """Objects of the repository whose git common directory is ``common_dir``. For who holds ``sync.lock``."""

    def __init__(self, common_dir: Path, variables: Mapping[str, str]) -> None:
        self._common_dir = common_dir
        self._variables = {**variables, "GIT_NO_LAZY_FETCH": "1"}

    def forget_reflogs(self, refs: Sequence[RefName]) -> None:
        """Drop what git noted of where these refs have been, if anything. Raises git.GitFailed."""
        has_tables = (self._common_dir / "reftable").is_dir()
        noted = [ref for ref in refs if has_tables or (self._common_dir / "logs" / ref).exists()]
        for ref in noted:
            with suppress(git.GitFailed):  # of a ref that has none
                self._git("reflog", "expire", "--expire=now", "--expire-unreachable=now", ref)

    def erase(self, oids: Collection[Oid]) -> None:
        """Remove those of ``oids`` that nothing reaches, as far as they are ours.

        Raises git.GitFailed, OSError, StorageError where listing takes too long, ConflictError of the write lock.
        """
        paths = {oid: packing.loose_path(self._common_dir, oid) for oid in oids}
        before = {oid: found for oid, path in paths.items() if (found := _changed(path)) is not None}
        if not oids or self._is_told_of():
            return
        doomed = set(oids) - self._reached("--all", "--reflog", "--indexed-objects")
        directory = self._common_dir / "chatroom"
        with gate.hold(directory, gate.WAIT_SECONDS):  # nobody moves a ref of ours to one of them now
            doomed -= self._reached(f"--glob={REF_PREFIX.rstrip('/')}*")
            packing.Packs(self._common_dir, self._variables, directory / "packs").drop(doomed)
            for oid, changed in before.items():
                # git touches an object that somebody adds again.
                if oid in doomed and _changed(paths[oid]) == changed:
                    paths[oid].unlink(missing_ok=True)

    def left(self, oids: Collection[Oid]) -> set[Oid]:
        """Those of ``oids`` that the repository has. Raises git.GitFailed."""
        if not oids:
            return set()
        listing = "".join(f"{oid}\n" for oid in sorted(oids)).encode()
        told = self._git("cat-file", "--batch-check=%(objectname) %(objecttype)", "--buffer", stdin=listing)
        lines = [line.split(b" ") for line in told.splitlines()]
        return {Oid(first.decode()) for first, second in lines if second != b"missing"}

    def holders(self, oid: Oid) -> list[str]:
        """The refs that still reach the commit ``oid``; none where it is gone. Raises git.GitFailed."""
        with suppress(git.GitFailed):
            told = self._git("for-each-ref", "--format=%(refname)", f"--contains={oid}")
            return told.decode("utf-8", "replace").split()
        return []

    def drop_exchange(self) -> None:
        """Remove the copy that ``git chat serve --git`` shows: it is made again when somebody asks for it."""
        path = self._common_dir / "chatroom" / "exchange.git"
        if path.is_dir() and not path.is_symlink():
            with suppress(ConflictError), gate.hold(path.parent, _EXCHANGE_SECONDS, "exchange.lock"):
                shutil.rmtree(path, ignore_errors=True)

    def _is_told_of(self) -> bool:
        """Whether git keeps lists of objects that would name what is gone."""
        info, packs = self._common_dir / "objects" / "info", self._common_dir / "objects" / "pack"
        lists = (info / "commit-graph", info / "commit-graphs", packs / "multi-pack-index")
        return any(path.exists() for path in lists)

    def _reached(self, *roots: str) -> set[Oid]:
        """All objects that ``roots`` reach, options of git rev-list: of the repository and of all its worktrees."""
        words = ("rev-list", *roots, "--objects", "--no-object-names", "--missing=allow-any")
        told = self._git(*words, timeout_seconds=LIST_SECONDS)
        return {Oid(line.decode()) for line in told.splitlines()}

    def _git(self, *arguments: str, stdin: bytes = b"", timeout_seconds: float = git.TIMEOUT_SECONDS) -> bytes:
        prefix = [f"--git-dir={self._common_dir}"]
        return git.run(
            [*prefix, *arguments], cwd=str(self._common_dir), variables=self._variables, stdin=stdin,
            timeout_seconds=timeout_seconds,
        ).stdout  # fmt: skip


def _changed(path: Path) -> int | None:
    """When the file was changed, in nanoseconds of the file system's clock; None where there is none."""
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return None
