"""Rooms in a file: git's own bundles, written and opened by git.

A stranger can give anybody a file, so nothing of one is in the repository before all of it was looked at: its head,
which is read here because git tells nobody where it ends; then every object, by ``git index-pack --strict`` in a
directory apart, for a fetch from a bundle checks no object (before git 2.46). Only then git fetches from it.

Source: gitformat-bundle(5), git-index-pack(1) on ``--strict``; docs/format.md section 12.24.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gitchat.model.errors import ChatError, FormatError, StorageError, UserError
from gitchat.model.names import Oid, RefName
from gitchat.storage import git

SIGNATURES = (b"# v2 git bundle\n", b"# v3 git bundle\n")
"""How a bundle begins."""

MAX_BYTES = 2 * 1024 * 1024 * 1024
"""How large a file is looked at: more than any room, and less than what fills a disk unseen."""

MAX_HEAD_BYTES = 4 * 1024 * 1024
"""How long its head may be: some 40,000 refs."""

SILENCE_SECONDS = 120.0
"""How long git may be busy with a bundle without moving a byte."""

LONGEST_SECONDS = 3600.0
"""How long git may take to write a bundle, or to look at what one needs."""

_NEEDED = re.compile(rb"-([0-9a-f]{40}|[0-9a-f]{64})(?: .*)?")
_REF = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) (\S+)")
_FORMATS = {b"@object-format=sha1": 40, b"@object-format=sha256": 64}


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a bundle says."""

    refs: Mapping[RefName, Oid]
    needed: tuple[Oid, ...]
    """Commits that whoever opens it has to have: what comes before them is not in it."""
    id_digits: int
    """How long an id of an object is: 40 for SHA-1, 64 for SHA-256."""
    length_bytes: int
    """Where the objects begin."""


def is_bundle(path: Path) -> bool:
    """Whether there is a file that begins as a bundle does."""
    with suppress(OSError):
        if path.is_file():
            with path.open("rb") as file:
                return file.read(len(SIGNATURES[0])) in SIGNATURES
    return False


def read_head(file: BinaryIO, shown: str) -> Head:
    """The head of the bundle ``file``, which people know as ``shown``. Raises FormatError ``bad-bundle``."""
    start = file.read(MAX_HEAD_BYTES)
    head, end, _ = start.partition(b"\n\n")
    signature, *lines = head.split(b"\n")
    if not end or signature + b"\n" not in SIGNATURES:
        raise _bad(shown, "its head does not end")
    refs: dict[RefName, Oid] = {}
    needed: list[Oid] = []
    digits = 40
    for line in lines:
        if line.startswith(b"@"):
            if line not in _FORMATS:
                raise _bad(shown, "it asks for what is not known here", line)
            digits = _FORMATS[line]
        elif (found := _NEEDED.fullmatch(line)) is not None:
            needed.append(Oid(found[1].decode()))
        elif (found := _REF.fullmatch(line)) is not None:
            refs[RefName(found[2].decode("utf-8", "replace"))] = Oid(found[1].decode())
        else:
            raise _bad(shown, "a line of its head is none of git's", line)
    if any(len(oid) != digits for oid in (*refs.values(), *needed)):
        raise _bad(shown, "its ids are not of one length")
    return Head(refs, tuple(needed), digits, len(head) + len(end))


def _bad(shown: str, why: str, words: bytes = b"") -> FormatError:
    told = f" ({words[:80].decode('utf-8', 'replace')})" if words else ""
    return FormatError(
        f"{shown} is no whole bundle: {why}{told}",
        hint="ask for it once more: git chat bundle FILE",
        code="bad-bundle",
    )


class Bundles:
    """The bundles of one repository. For who holds ``sync.lock``, but for :meth:`write`."""

    def __init__(self, common_dir: Path, *, variables: Mapping[str, str]) -> None:
        self._common_dir = common_dir
        self._variables = variables
        self._apart = common_dir / "chatroom" / "unpacked"

    def write(self, path: Path, refs: Sequence[RefName], without: Iterable[Oid] = ()) -> None:
        """Write ``refs`` to ``path``, but for what ``without`` reach. A failure leaves what was there.

        Raises:
            StorageError: ``disk-full``, ``storage``: it cannot be written there.
            FormatError: ``bad-bundle``: git cannot read what should be in it.
        """
        spoken = "".join(f"{line}\n" for line in (*refs, *(f"^{oid}" for oid in without)))
        try:
            self._run(["bundle", "create", "--quiet", str(path), "--stdin"], {}, spoken)
        except git.GitFailed as error:
            words = error.stderr.lower()
            if path.parent.is_dir() and not any(
                said in words for said in ("unable to create", "could not", "no space")
            ):
                raise FormatError(
                    f"git cannot bundle the rooms: {_last_line(error)}", hint="git chat verify", code="bad-bundle"
                ) from error
            parent = shlex.quote(str(path.parent))
            raise StorageError(
                f"{path} cannot be written: {_last_line(error)}",
                hint=f"see who may: ls -ld {parent}"
                if path.parent.is_dir()
                else f"make the directory: mkdir -p {parent}",
                code="storage",
            ) from error

    def check(self, file: BinaryIO, head: Head, refs: Iterable[RefName], shown: str) -> None:
        """Look at every object of a bundle, and whether all that ``refs`` of it need is there or here.

        That is done apart from the repository, in which nothing is changed.

        Raises:
            FormatError: ``bad-bundle``: an object is damaged, missing, or one that git refuses.
            StorageError: ``disk-full``.
        """
        self._clean()
        objects = self._common_dir / "objects"
        apart = {"GIT_OBJECT_DIRECTORY": str(self._apart), "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects)}
        try:
            (self._apart / "pack").mkdir(parents=True)
            file.seek(head.length_bytes)
            self._git(
                ["index-pack", "--stdin", "--fix-thin", "--strict", f"--max-input-size={MAX_BYTES}"],
                variables={**self._variables, **apart}, source=file,
            )  # fmt: skip
            tips = "".join(f"{head.refs[ref]}\n" for ref in refs)
            self._run(["rev-list", "--objects", "--quiet", "--stdin", "--not", "--all"], apart, tips)
        except OSError as error:
            raise StorageError(
                f"{shown} cannot be unpacked to be looked at: {error.strerror}", hint="free some space", code="storage"
            ) from error
        except git.GitFailed as error:
            raise self._refused(error, shown) from error
        finally:
            self._clean()

    def fetch(self, path: Path, wanted: Mapping[RefName, RefName], shown: str) -> None:
        """Fetch refs of the bundle to refs here. Raises FormatError ``bad-bundle``, StorageError ``disk-full``."""
        quietly = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules")
        specs = [f"+{ref}:{here}" for ref, here in wanted.items()]
        try:
            self._git(
                ["-c", "protocol.file.allow=always", "fetch", *quietly, "--", str(path.absolute()), *specs],
                variables=self._variables,
            )
        except git.GitFailed as error:
            raise self._refused(error, shown) from error

    def _git(
        self,
        arguments: Sequence[str],
        *,
        variables: Mapping[str, str],
        source: BinaryIO | None = None,
    ) -> None:
        """Raises git.GitFailed, StorageError ``git-hangs``."""
        given = source.fileno() if source is not None else git.NOTHING
        ours = ("-c", "gc.auto=0", "-c", "core.hooksPath=/dev/null")
        try:
            git.talk(
                [f"--git-dir={self._common_dir}", *ours, *arguments], cwd=str(self._common_dir), variables=variables,
                silence_seconds=SILENCE_SECONDS, source=given,
            )  # fmt: skip
        except git.GitSilent as error:
            raise StorageError(
                f"git did nothing for {SILENCE_SECONDS:.0f} s",
                hint="try again when the disk is less busy",
                code="git-hangs",
            ) from error

    def _run(self, arguments: Sequence[str], more: Mapping[str, str], stdin: str) -> None:
        """Raises git.GitFailed, StorageError ``git-hangs``."""
        git.run(
            [f"--git-dir={self._common_dir}", *arguments], cwd=str(self._common_dir),
            variables={**self._variables, **more}, stdin=stdin.encode(), timeout_seconds=LONGEST_SECONDS,
        )  # fmt: skip

    def _clean(self) -> None:
        shutil.rmtree(self._apart, ignore_errors=True)

    def _refused(self, error: git.GitFailed, shown: str) -> ChatError:
        if "No space left on device" in error.stderr:
            return StorageError(f"no space left to take {shown} in", hint="free some space", code="disk-full")
        if "maximum allowed size" in error.stderr:
            return too_large(shown)
        return _bad(shown, _last_line(error))


def too_large(shown: str) -> UserError:
    """The error for a file that is larger than any room."""
    return UserError(
        f"{shown} is larger than {MAX_BYTES // 1024**3} GiB, which no rooms are",
        hint="ask for fewer rooms in it: git chat bundle FILE ROOM",
        code="bundle-too-large",
    )


def _last_line(error: git.GitFailed) -> str:
    """What git says of it: what is wrong with an object, else its last words."""
    lines = [line for line in error.stderr.splitlines() if line.strip() and not line.startswith("hint:")]
    told = [line for start in ("error: object", "fatal: ") for line in lines if line.startswith(start)]
    told = told or lines[-1:] or ["git says nothing"]
    return told[0].removeprefix("fatal: ").removeprefix("error: ")[:300]
