"""The backend on pygit2 (libgit2). Only the store imports it: ``import pygit2`` is slow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from gitchat.model.names import Oid, RefName
from gitchat.model.refs import REF_PREFIX
from gitchat.storage.backend import (
    ObjectDamaged,
    ObjectKind,
    ObjectMissing,
    RefDamaged,
    RefMoved,
    SwapRefused,
    WriteRefused,
)
from gitchat.storage.imported import pygit2
from gitchat.storage.looseobject import CutOff, read_loose
from gitchat.storage.refnames import RefNames

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_ANY_REF = RefName(f"{REF_PREFIX}none")

ObjectType = pygit2.enums.ObjectType
_TYPES = {"commit": ObjectType.COMMIT, "tree": ObjectType.TREE, "blob": ObjectType.BLOB}

# libgit2's classes say little: contention appears as OSError, GitError, or KeyError beside pack-refs.
_FAILURES = (pygit2.GitError, OSError, KeyError, ValueError)


_WINDOW_BYTES = 16 * 1024 * 1024
_WINDOWS_BYTES = 4 * _WINDOW_BYTES
"""What of packs is mapped into memory at once."""


class CannotOpen(Exception):
    """libgit2 cannot open this repository; ``str`` gives its words."""


class Libgit2Backend:
    """A repository opened through its common directory, so that all worktrees share it.

    One thread at a time. Source: docs/format.md section 7.
    """

    def __init__(self, common_dir: Path, *, fsync: bool) -> None:
        self._common_dir = common_dir
        self._fsync = fsync
        # Before anything else: libgit2 asks for this setting once, when it first looks at the refs.
        self._apply_fsync()
        # libgit2 calls an object there that it has read once, also when git has pruned it since.
        pygit2.settings.enable_caching(False)
        # Of a pack it would keep all that was ever looked at: 300 MB once a log of a million was walked.
        pygit2.settings.mwindow_size = _WINDOW_BYTES
        pygit2.settings.mwindow_mapped_limit = _WINDOWS_BYTES
        try:
            self._repository = pygit2.Repository(str(common_dir))
        except (pygit2.GitError, pygit2.InvalidSpecError, ValueError, KeyError) as error:
            raise CannotOpen(str(error)) from error
        self._odb = self._repository.odb
        self._object_directories = [str(directory) for directory in _object_directories(common_dir)]
        self._names = RefNames(common_dir)
        with suppress(RefDamaged):
            self.read_ref(_ANY_REF)

    @property
    def is_usual(self) -> bool:
        settings = self._repository.config
        return "core.logallrefupdates" not in settings or str(settings["core.logallrefupdates"]).lower() != "always"

    @property
    def is_synced(self) -> bool:
        return self._fsync

    def read_ref(self, ref: RefName) -> Oid | None:
        try:
            target = self._repository.lookup_reference(ref).target
        except KeyError:
            self._names.check()  # libgit2 finds none in a damaged file
            return None
        except (pygit2.GitError, ValueError, OSError) as error:
            raise RefDamaged(str(error)) from error
        if isinstance(target, str):
            raise RefDamaged(f"{ref} points to {target} and not to a commit")
        return Oid(str(target))

    def list_refs(self, prefix: str, suffix: str = "") -> list[tuple[RefName, Oid]]:
        try:
            names = self._names.below(prefix, suffix)
        except OSError as error:
            raise RefDamaged(str(error)) from error
        found: list[tuple[RefName, Oid]] = []
        for name in map(RefName, names):
            try:
                oid = self.read_ref(name)
            except RefDamaged:
                continue
            if oid is not None:
                found.append((name, oid))
        return found

    def read_object(self, oid: Oid, kind: ObjectKind | None = None) -> bytes:
        try:
            found, content = self._read_loose(oid) or self._odb.read(pygit2.Oid(hex=oid))
        except KeyError as error:
            raise ObjectMissing(oid) from error
        except (pygit2.GitError, ValueError, OSError) as error:
            raise ObjectDamaged(str(error)) from error
        if kind is not None and found != _TYPES[kind]:
            raise ObjectDamaged(f"it is a {ObjectType(found).name.lower()}, and no {kind}")
        return bytes(content)

    def read_header(self, oid: Oid) -> tuple[str, int]:
        try:
            kind, size = self._odb.read_header(pygit2.Oid(hex=oid))
        except KeyError as error:
            raise ObjectMissing(oid) from error
        except (pygit2.GitError, ValueError, OSError) as error:
            raise ObjectDamaged(str(error)) from error
        return kind.name.lower(), size

    def _read_loose(self, oid: Oid) -> tuple[int, bytes] | None:
        """An object that is in a file of its own; None where libgit2 is to look for it, and to say what is wrong."""
        for directory in self._object_directories:
            try:
                found = read_loose(directory, oid)
            except CutOff:
                return self._read_packed(oid)
            if found is not None and found.kind in _TYPES:
                return _TYPES[found.kind], found.content
        return None

    def _read_packed(self, oid: Oid) -> tuple[int, bytes]:
        for directory in self._object_directories:
            try:
                return pygit2.OdbBackendPack(directory).read(pygit2.Oid(hex=oid))
            except _FAILURES:
                continue
        raise ObjectDamaged("its file ends early")

    def has_object(self, oid: Oid) -> bool:
        return oid in self._odb

    def write_object(self, kind: ObjectKind, content: bytes) -> Oid:
        self._apply_fsync()
        try:
            if kind == "tree" and not content and _EMPTY_TREE in self._odb:
                return Oid(_EMPTY_TREE)
            return Oid(str(self._odb.write(_TYPES[kind], content)))
        except _FAILURES as error:
            raise WriteRefused(str(error)) from error

    def swap_ref(
        self, ref: RefName, old: Oid | None, new: Oid | None, reason: str, *, lease: int | None = None
    ) -> None:
        # A transaction, also for creation: create_reference(force=False) let two of six
        # concurrent creators win.
        try:
            with self._repository.transaction() as transaction:
                transaction.lock_ref(ref)
                if self.read_ref(ref) != old:
                    raise RefMoved(ref)
                if new is None:
                    transaction.remove(ref)
                else:
                    transaction.set_target(ref, new, message=reason)
        except (*_FAILURES, RefDamaged) as error:
            raise SwapRefused(str(error)) from error

    def lock_path(self, ref: RefName) -> Path:
        return self._common_dir / f"{ref}.lock"

    def close(self) -> None:
        self._repository.free()

    def _apply_fsync(self) -> None:
        """Tell libgit2, whose setting is one for the whole process, what this repository wants."""
        settings: Any = pygit2.settings
        settings.enable_fsync_gitdir(self._fsync)


def _object_directories(common_dir: Path) -> Iterator[Path]:
    """The repository's own objects, and those that it borrows. Source: gitrepository-layout(5), alternates."""
    pending, seen = [common_dir / "objects"], set[Path]()
    while pending:
        directory = pending.pop(0)
        if directory in seen:
            continue
        seen.add(directory)
        yield directory
        try:
            lines = os.fsdecode((directory / "info" / "alternates").read_bytes()).splitlines()
        except OSError:
            continue
        pending += [(directory / line).resolve() for line in lines if line and not line.startswith("#")]
