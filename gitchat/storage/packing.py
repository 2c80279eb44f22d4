"""Packing what this clone wrote, and nothing else.

Every record is a loose object of 4 KiB on disk, and 6,700 loose objects start the user's
own ``git gc --auto``. So our objects go into packs, by ``git pack-objects`` fed with
their ids; ``git maintenance`` and ``git gc`` would pack the user's as well. Loose copies
go after the pack was verified. Small packs of ours are packed again with the new ones,
so that their number grows with the logarithm of the log: ``gc.autoPackLimit`` counts
ours too.

Source: docs/format.md section 7; git-pack-objects(1), git-show-index(1).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from gitchat.model.names import Oid
from gitchat.storage import git
from gitchat.storage.ownfiles import OwnFile

_OPTIONS = ("-c", "core.fsync=pack,pack-metadata,loose-object", "-c", "pack.writeReverseIndex=false", "-c", "gc.auto=0")
_NAME = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class Packs:
    """The packs that this clone made of its own objects; their names stand in ``list_path``."""

    def __init__(self, common_dir: Path, variables: Mapping[str, str], list_path: Path) -> None:
        self._common_dir = common_dir
        self._variables = variables
        self._list = OwnFile(list_path.parent, list_path.name)
        self._directory = common_dir / "objects" / "pack"

    def pack(self, oids: Iterable[Oid]) -> None:
        """Put the objects into a verified pack and remove their loose copies.

        A kill at any step leaves every object in at least one place. Raises git.GitFailed,
        OSError.
        """
        fresh = set(oids)
        absorbed = self._small_enough(len(fresh))
        contents = {name: self._contents(name) for name in absorbed}
        wanted = fresh.union(*contents.values())
        if not wanted:
            return
        listing = "".join(f"{oid}\n" for oid in sorted(wanted)).encode()
        command = ("pack-objects", "--quiet", str(self._directory / "pack"))
        present = {path.name for path in self._directory.glob("pack-*.idx")}
        name = self._git(*command, stdin=listing).decode().strip()
        self._verify(name, is_new=f"pack-{name}.idx" not in present)
        packed = self._contents(name)
        names = [other for other in self._names() if other not in absorbed and other != name]
        self._write_names([*names, name])
        for oid in fresh & packed:
            loose_path(self._common_dir, oid).unlink(missing_ok=True)
        for other in absorbed:
            if other != name and contents[other] <= packed:
                self._remove(other)

    def drop(self, oids: Collection[Oid]) -> None:
        """Make our packs that hold some of these again without them, from which all that shall stay was told before.

        Not where a multi-pack-index names packs. Raises git.GitFailed, OSError.
        """
        names = [] if (self._directory / "multi-pack-index").exists() else self._names()
        for name in names:
            contents = self._contents(name)
            if contents.isdisjoint(oids):
                continue
            kept = contents.difference(oids)
            others = [other for other in self._names() if other != name]
            if kept:
                listing = "".join(f"{oid}\n" for oid in sorted(kept)).encode()
                new = (
                    self._git("pack-objects", "--quiet", str(self._directory / "pack"), stdin=listing).decode().strip()
                )
                self._verify(new, is_new=True)
                others.append(new)
            self._write_names(others)
            self._remove(name)

    def _verify(self, name: str, *, is_new: bool) -> None:
        try:
            self._git("verify-pack", str(self._directory / f"pack-{name}.idx"))
        except git.GitFailed:
            # libgit2 looks into packs first: it would meet the damage, and not the loose copy that is whole.
            if is_new:
                self._remove(name)
            raise

    def _small_enough(self, count: int) -> list[str]:
        """Packs to take into the new one: while each is no larger than what goes in already."""
        # A multi-pack-index names packs; one that is gone makes git complain.
        if (self._directory / "multi-pack-index").exists():
            return []
        absorbed: list[str] = []
        for size, name in sorted((len(self._contents(name)), name) for name in self._names()):
            if size > count:
                break
            absorbed.append(name)
            count += size
        return absorbed

    def _contents(self, name: str) -> set[Oid]:
        index = self._directory / f"pack-{name}.idx"
        lines = self._git("show-index", stdin=index.read_bytes()).decode().splitlines()
        return {Oid(line.split(" ")[1]) for line in lines}

    def _names(self) -> list[str]:
        """Those of our packs that are still there; the user's gc may have taken them into its own."""
        try:
            words = self._list.read().decode("ascii", "replace").split()
        except OSError:
            return []
        present = [word for word in words if _NAME.fullmatch(word)]
        return [name for name in present if (self._directory / f"pack-{name}.idx").exists()]

    def _write_names(self, names: list[str]) -> None:
        self._list.replace("".join(f"{name}\n" for name in names).encode("ascii"))

    def _remove(self, name: str) -> None:
        """The index first: without it no reader opens the pack any more, and who has it open keeps it."""
        for suffix in ("idx", "rev", "pack"):
            (self._directory / f"pack-{name}.{suffix}").unlink(missing_ok=True)

    def _git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        prefix = (f"--git-dir={self._common_dir}", *_OPTIONS)
        return git.run([*prefix, *arguments], cwd=str(self._common_dir), variables=self._variables, stdin=stdin).stdout


def loose_path(common_dir: Path, oid: Oid) -> Path:
    """Where git keeps the loose object ``oid``."""
    return common_dir / "objects" / oid[:2] / oid[2:]


def is_loose(common_dir: Path, oid: Oid) -> bool:
    """Whether there is a loose copy of ``oid``."""
    return os.path.exists(f"{common_dir}/objects/{oid[:2]}/{oid[2:]}")
