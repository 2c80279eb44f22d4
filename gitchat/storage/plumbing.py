"""The backend on git's own plumbing commands, for what libgit2 cannot open: reftable and SHA-256.

Reading goes through one long-lived process; a write costs a process each. What a user's
hooks and reflog settings would add to a plain ``git update-ref`` is switched off: libgit2
does not run it either, and a hook that hangs must not stop a room.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gitchat.model.names import Oid, RefName
from gitchat.storage import git
from gitchat.storage.backend import (
    GitKilled,
    ObjectDamaged,
    ObjectKind,
    ObjectMissing,
    RefDamaged,
    RefMoved,
    SwapRefused,
    WriteRefused,
)
from gitchat.storage.lockfile import REFTABLE_LOCK
from gitchat.storage.objectreader import ObjectReader

# core.fsync is of git 2.36; an older git syncs as it is configured.
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "core.logAllRefUpdates=false", "-c", "gc.auto=0")


class PlumbingBackend:
    """A repository used through ``git`` processes, started in its common directory.

    One thread at a time. Source: gitchat.storage.backend.Backend; git-update-ref(1), git-cat-file(1).
    """

    def __init__(self, common_dir: Path, *, variables: Mapping[str, str], has_reftable: bool, fsync: bool) -> None:
        self._common_dir = common_dir
        self._is_synced = fsync
        self._options = (*_QUIET, "-c", "core.fsync=loose-object,reference" if fsync else "core.fsync=none")
        self._empty_tree: Oid | None = None
        self._variables = variables
        self._has_reftable = has_reftable
        self._reader = ObjectReader(str(common_dir), variables)

    def _git(self, *arguments: str, stdin: bytes = b"", keep_open: tuple[int, ...] = ()) -> git.Done:
        return git.run(
            [f"--git-dir={self._common_dir}", *self._options, *arguments],
            cwd=str(self._common_dir),
            variables=self._variables,
            stdin=stdin,
            keep_open=keep_open,
        )

    @property
    def is_usual(self) -> bool:
        return False

    @property
    def is_synced(self) -> bool:
        return self._is_synced

    def read_ref(self, ref: RefName) -> Oid | None:
        found, complaint = self._refs(ref)
        if ref not in found:
            if complaint:
                raise RefDamaged(complaint)
            if self._has_reftable and not self._has_head():
                raise RefDamaged("git cannot read the reftable")
        return found.get(ref)

    def _has_head(self) -> bool:
        """Whether git finds HEAD. Of a damaged reftable it says that it holds no refs, and no error."""
        for question in (("symbolic-ref", "-q", "HEAD"), ("rev-parse", "-q", "--verify", "HEAD")):
            try:
                self._git(*question)
            except git.GitFailed:
                continue
            return True
        return False

    def list_refs(self, prefix: str, suffix: str = "") -> list[tuple[RefName, Oid]]:
        return sorted((ref, oid) for ref, oid in self._refs(prefix)[0].items() if ref.endswith(suffix))

    def _refs(self, pattern: str) -> tuple[dict[RefName, Oid], str]:
        """Refs that match, and git's complaint about broken ones among them."""
        try:
            done = self._git("for-each-ref", "--format=%(objectname) %(refname)", pattern)
        except git.GitFailed as error:
            raise RefDamaged(error.stderr) from error
        lines = [line.split(" ", 1) for line in os.fsdecode(done.stdout).splitlines()]
        return {RefName(name): Oid(oid) for oid, name in lines}, done.stderr

    def read_object(self, oid: Oid, kind: ObjectKind | None = None) -> bytes:
        complaint = f"object {oid} cannot be read"
        # More than once: beside a gc an object can vanish between being found and being read, and come back.
        for _ in range(3):
            try:
                found = self._reader.read(oid)
            except git.GitFailed as error:
                complaint = error.stderr
                continue
            if found is not None:
                if kind not in (None, found[0]):
                    raise ObjectDamaged(f"it is a {found[0]}, and no {kind}")
                return found[1]
            if not self._is_there(oid):
                raise ObjectMissing(oid)
        raise ObjectDamaged(complaint)

    def _is_there(self, oid: Oid) -> bool:
        """Whether there is such an object; the batch process calls an unreadable one missing, too."""
        try:
            self._git("cat-file", "-e", oid)
        except git.GitFailed:
            return False
        return True

    def read_header(self, oid: Oid) -> tuple[str, int]:
        try:
            words = self._git("cat-file", "--batch-check", stdin=f"{oid}\n".encode()).stdout.decode().split()
        except git.GitFailed as error:
            raise ObjectDamaged(error.stderr) from error
        if len(words) == 3:
            return words[1], int(words[2])
        if self._is_there(oid):
            raise ObjectDamaged(f"object {oid} cannot be read")
        raise ObjectMissing(oid)

    def has_object(self, oid: Oid) -> bool:
        try:
            return self._reader.read(oid) is not None
        except git.GitFailed:
            return False

    def write_object(self, kind: ObjectKind, content: bytes) -> Oid:
        is_empty_tree = kind == "tree" and not content
        if is_empty_tree and self._empty_tree is not None:
            return self._empty_tree
        try:
            done = self._git("hash-object", "-t", kind, "-w", "--stdin", stdin=content)
        except git.GitFailed as error:
            raise WriteRefused(error.stderr) from error
        oid = Oid(done.stdout.decode().strip())
        if is_empty_tree:
            self._empty_tree = oid  # git says that it has the empty tree also when it is not stored
        return oid

    def swap_ref(
        self, ref: RefName, old: Oid | None, new: Oid | None, reason: str, *, lease: int | None = None
    ) -> None:
        nothing = "0" * len(new or old or "")
        command = ["update-ref", "--no-deref", "-m", reason, ref, new or nothing, old or nothing]
        try:
            # git keeps the write lock's descriptor open: should we be killed, the lock is
            # free only when git, too, has ended, and its own lock of the ref with it.
            self._git(*command, keep_open=() if lease is None else (lease,))
        except git.GitFailed as error:
            current = self.read_ref(ref)
            if current == new:
                return
            if current != old:
                raise RefMoved(ref) from error
            refusal = GitKilled if error.status < 0 else SwapRefused
            raise refusal(error.stderr) from error

    def lock_path(self, ref: RefName) -> Path:
        return self._common_dir / (REFTABLE_LOCK if self._has_reftable else f"{ref}.lock")

    def close(self) -> None:
        self._reader.close()
