"""The store: reads and writes a repository's chat refs and the commits behind them.

Everything a reader must trust is :meth:`Store.move`: the one place where a ref moves,
by compare-and-swap, under the kernel lock, with an intent on file.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from gitchat import attachment, checkpoint, codec, gate, git, packing
from gitchat.attachment import Attachment, TreeEntry
from gitchat.backend import (
    Backend,
    GitKilled,
    ObjectDamaged,
    ObjectKind,
    ObjectMissing,
    RefDamaged,
    RefMoved,
    SwapRefused,
    WriteRefused,
)
from gitchat.checkpoint import Position
from gitchat.errors import ConflictError, FormatError, StorageError
from gitchat.journal import Journal, Saved
from gitchat.names import (
    ROOMS_PREFIX,
    TRACKING_PREFIX,
    Name,
    Oid,
    RefName,
    RoomName,
    cursors_prefix,
    log_ref,
    name_of_cursor,
    room_of_log,
)
from gitchat.reach import Step

HEAL_SECONDS = 0.2
"""How soon a store looks again at what it wrote."""

READ_ATTEMPTS = 4
"""A prune that is under way can take a healed object once more."""

WRITE_ATTEMPTS = 8
"""git prune removes directories that are empty, also between our making one and writing into it."""

PACK_OBJECTS = 512
PACK_BYTES = 8 * 1024 * 1024
"""When there is much to pack: so many objects, or so many bytes, in the journal."""

PACK_RETRY = 16
"""While there is much to pack, one object in so many starts a packer: most find one at work."""

_T = TypeVar("_T")


_LOOK: dict[ObjectKind, str] = {"commit": "git chat doctor", "tree": "git chat verify", "blob": "git chat verify"}
"""The command that tells more about an object that cannot be read."""


class Store:
    """A repository's rooms. Cheap to make; holds no lock between calls.

    ``directory`` is ``chatroom/`` in the git common directory: files that all
    worktrees share and that can be deleted at any time, except during a write.
    """

    def __init__(
        self,
        backend: Backend,
        directory: Path,
        *,
        wait_seconds: float = gate.WAIT_SECONDS,
        has_journal: bool = True,
        maintain: Callable[[], None] | None = None,
    ) -> None:
        """``maintain`` is called after a write when there is much to pack; it must return at once."""
        self.backend = backend
        self.directory = directory
        self._common_dir = directory.parent
        self._wait_seconds = wait_seconds
        self._journal = Journal(directory / "journal") if has_journal else None
        self._maintain = maintain
        self._unpacked = 0
        self._healed_at: float | None = None

    @property
    def common_dir(self) -> Path:
        """The git common directory."""
        return self._common_dir

    # --- reading -------------------------------------------------------------

    def tip(self, ref: RefName) -> Oid | None:
        """The commit that ``ref`` points to, or None when there is no such ref.

        Raises:
            FormatError: ``damaged-ref``, ``unreadable-ref``.
        """
        try:
            return self.backend.read_ref(ref)
        except RefDamaged as error:
            raise self._bad_ref(f"the ref {ref}", [self._common_dir / ref], error) from error

    def _bad_ref(self, name: str, files: list[Path], error: RefDamaged) -> FormatError:
        """Why a ref cannot be read: its file is not ours to read, or it is damaged."""
        for path in [*files, self._common_dir / "packed-refs"]:
            if _is_kept_from_us(path):
                return _unreadable(f"{name} cannot be read", path, "unreadable-ref")
        return FormatError(f"{name} is damaged: {error}", hint="git chat doctor", code="damaged-ref")

    def rooms(self) -> list[RoomName]:
        """All rooms that have a log, sorted by name, but for those whose ref is damaged.

        Raises:
            FormatError: ``damaged-ref``, ``unreadable-ref``: none can be listed.
        """
        try:
            refs = [room_of_log(ref) for ref, _ in self.backend.list_refs(ROOMS_PREFIX)]
        except RefDamaged as error:
            raise self._bad_ref("git's list of refs", [], error) from error
        return sorted(room for room in refs if room is not None)

    def tips(self) -> tuple[tuple[RefName, Oid], ...]:
        """All refs of all rooms and what they point to: equal as long as nothing changed."""
        return tuple(self.backend.list_refs(ROOMS_PREFIX))

    def tracked(self) -> tuple[tuple[RefName, Oid], ...]:
        """As :meth:`tips`, of what remotes were last known to have."""
        return tuple(self.backend.list_refs(TRACKING_PREFIX))

    def is_damaged(self, ref: RefName) -> bool:
        """Whether there is something in the place of ``ref``, and it cannot be read."""
        try:
            self.tip(ref)
        except FormatError:
            return True
        return False

    def is_lost(self, room: RoomName) -> bool:
        """Whether ``room`` has no ref any more, and had one with records that were acknowledged."""
        # The first position is noted before there is a ref; who notes a second one has seen the ref.
        had = max((at.count for at in self.positions(room)), default=0)
        return had > 1 and not self.is_damaged(log_ref(room)) and self.tip(log_ref(room)) is None

    def is_new(self, room: RoomName) -> bool:
        """Whether ``room``, whose ref was not found, has no log; False when the ref is there at a second look.

        While ``git pack-refs`` runs, a ref can be missed once.

        Raises:
            FormatError: ``lost-ref``: the room had records that were acknowledged. To begin
                it again would give their numbers to others.
        """
        if self.is_lost(room):
            raise FormatError(
                f"room '{room}' has lost its ref, and with it its records",
                hint=f"bring it back as git chat doctor says; or, if it was deleted on purpose: "
                f"rm '{self._checkpoint(room)}'",
                code="lost-ref",
            )
        return self.tip(log_ref(room)) is None

    def cursors(self, room: RoomName) -> list[Name]:
        """Who has a cursor in ``room``, sorted by name."""
        names = [name_of_cursor(room, ref) for ref, _ in self.backend.list_refs(cursors_prefix(room))]
        return sorted(name for name in names if name is not None)

    def read(self, oid: Oid) -> codec.Commit:
        """The commit ``oid``; one that git lost is written again from the journal.

        Raises:
            FormatError: ``missing-object``, ``shallow-log``, ``damaged-object`` or ``unreadable-object``.
        """
        return codec.parse_commit(oid, self._content("commit", oid))

    def read_tree(self, oid: Oid) -> tuple[TreeEntry, ...]:
        """The entries of the tree ``oid``, in git's order. Raises as :meth:`read`."""
        return attachment.parse_tree(oid, self._content("tree", oid))

    def read_blob(self, oid: Oid) -> bytes:
        """The content of the blob ``oid``. Raises as :meth:`read`, also for an object of another kind."""
        content = self._content("blob", oid)
        kind, _ = self._healing(self.backend.read_header, oid)
        if kind != "blob":
            raise FormatError(f"object {oid} is a {kind}", hint="git chat verify", code="damaged-object", oid=oid)
        return content

    def attachments(self, tree: Oid) -> tuple[Attachment, ...]:
        """What a commit with this tree carries, in the sender's order. Reads no content.

        Does not fail: what is missing or damaged is in the list, with its problem, so that
        the text can still be read.
        """
        try:
            directory = attachment.directory_of(self.read_tree(tree))
            found = attachment.listed(self.read_tree(directory)) if directory is not None else []
        except (FormatError, StorageError) as error:
            return (Attachment("att", tree, problem=f"cannot be listed: {error}"),)
        measured = [self._measured(one) for one in found]
        if any(one.size_bytes is None and one.problem is None for one in measured):
            with suppress(StorageError):  # what was lost cannot be written back now
                self.heal(is_forced=True)
            measured = [self._measured(one) for one in found]
        return tuple(measured)

    def _measured(self, one: Attachment) -> Attachment:
        if one.problem is not None:
            return one
        try:
            kind, size_bytes = self.backend.read_header(one.oid)
        except ObjectMissing:
            return one
        except ObjectDamaged:
            return replace(one, problem="is damaged")
        return replace(one, size_bytes=size_bytes) if kind == "blob" else replace(one, problem=f"is a {kind}")

    def _missing(self, kind: ObjectKind, oid: Oid) -> FormatError:
        """Why an object is not here: it was lost, or it is older than what a shallow clone has fetched."""
        for cut in self.shallow():
            with suppress(ObjectMissing, ObjectDamaged, FormatError):
                if oid in codec.parse_commit(cut, self.backend.read_object(cut)).parents:
                    return FormatError(
                        f"this clone is shallow: the log before {cut} was not fetched, so nothing can be numbered",
                        hint="git fetch --unshallow origin",
                        code="shallow-log",
                        oid=oid,
                    )
        return FormatError(f"{kind} {oid} is missing", hint=_LOOK[kind], code="missing-object", oid=oid)

    def shallow(self) -> list[Oid]:
        """The commits whose parents were not fetched. Source: gitrepository-layout(5), shallow."""
        try:
            return [Oid(line) for line in (self._common_dir / "shallow").read_text("ascii", "replace").split()]
        except OSError:
            return []

    def saved(self) -> list[Saved]:
        """What the journal has, oldest first."""
        return self._journal.entries() if self._journal is not None else []

    def _content(self, kind: ObjectKind, oid: Oid) -> bytes:
        try:
            return self._healing(self.backend.read_object, oid)
        except ObjectMissing as error:
            raise self._missing(kind, oid) from error
        except ObjectDamaged as error:
            path = packing.loose_path(self.common_dir, oid)
            if _is_kept_from_us(path):
                raise _unreadable(f"{kind} {oid} cannot be read", path, "unreadable-object", oid) from error
            raise FormatError(
                f"{kind} {oid} is damaged: {error}", hint=f"git fsck; {_LOOK[kind]}", code="damaged-object", oid=oid
            ) from error

    def _healing(self, read: Callable[[Oid], _T], oid: Oid) -> _T:
        for _ in range(READ_ATTEMPTS - 1):
            try:
                return read(oid)
            except ObjectMissing:
                self.heal(is_forced=True)
        return read(oid)

    # --- writing -------------------------------------------------------------

    def write_commit(self, raw: bytes) -> Oid:
        """Store a commit as :meth:`write` does."""
        return self.write("commit", raw)

    def write(self, kind: ObjectKind, content: bytes) -> Oid:
        """Store an object that nothing points to yet, and note it in the journal. Raises StorageError."""
        oid = self._write(kind, content)
        if self._journal is not None:
            try:
                self._journal.add(Saved(oid, kind, content))
            except OSError as error:
                raise gate.storage_error(error, self.directory) from error
            self._unpacked += 1
        return oid

    def empty_tree(self) -> Oid:
        """The tree of every record without attachments. Written for real: without it ``git fsck`` complains."""
        return self._write("tree", b"")

    def _write(self, kind: ObjectKind, content: bytes) -> Oid:
        for attempt in range(WRITE_ATTEMPTS):
            try:
                return self.backend.write_object(kind, content)
            except WriteRefused as error:
                refusal = self._refusal(str(error))
                if refusal.code != "storage" or attempt == WRITE_ATTEMPTS - 1:
                    raise refusal from error
                time.sleep(0.001 * 2**attempt)
        raise AssertionError("not reached")

    def move(self, ref: RefName, build: Callable[[Oid | None], Oid], reason: str) -> Oid:
        """Move ``ref`` to the commit that ``build`` makes on top of its present value.

        ``build`` is called with the write lock held and gets the tip, or None when
        the ref does not exist; it is called again when a foreign writer (``git push``,
        ``git fetch``) moved the ref meanwhile. When it raises, or returns what it got,
        nothing has moved.

        The object comes first, the ref last: a kill before the swap leaves an
        unreachable commit, which git prunes in time; a kill after it leaves a record
        that was not acknowledged, which a repeated send with the same uid finds.

        Raises:
            ConflictError: ``write-lock-held`` or ``ref-locked`` after ``wait_seconds``.
            StorageError: the disk refuses.
        """
        with self.writing() as held:
            self.heal()
            before = self._in_journal()
            new = self._move(held, ref, build, reason)
        if self._maintain is not None and self._is_due(before):
            self._maintain()
        return new

    def restore(self, ref: RefName, build: Callable[[Oid | None], Oid], reason: str) -> Oid:
        """Move ``ref``, whose file is damaged, as :meth:`move` does; ``build`` gets what packed-refs has of it.

        git and libgit2 move no ref that they cannot read, so the file goes first. A kill
        after that leaves a ref that is lost, which is refused until somebody decides.

        Raises:
            ConflictError: ``not-damaged``: the ref can be read, or is another's to mend.
            StorageError: the disk refuses.
        """
        path = self._common_dir / ref
        with self.writing() as held:
            if not self.can_restore(ref):
                raise ConflictError(f"the file of {ref} is not damaged", hint="git chat doctor", code="not-damaged")
            try:
                path.unlink()
            except OSError as error:
                raise gate.storage_error(error, path) from error
            return self._move(held, ref, build, reason)

    def can_restore(self, ref: RefName) -> bool:
        """Whether ``ref`` has a file that holds no commit, and all else that :meth:`restore` reads is in order."""
        try:
            self.rooms()
        except FormatError:
            return False
        return self.is_damaged(ref) and _is_damaged_file(self._common_dir / ref)

    @contextmanager
    def writing(self) -> Iterator[gate.Gate]:
        """The write lock, held, after clearing up behind a holder that died.

        Raises:
            ConflictError: ``write-lock-held`` after ``wait_seconds``.
            StorageError: the disk refuses.
        """
        with gate.hold(self.directory, self._wait_seconds) as held:
            held.bury(self.backend.lock_path)
            yield held

    def _move(self, held: gate.Gate, ref: RefName, build: Callable[[Oid | None], Oid], reason: str) -> Oid:
        while True:
            old = self.tip(ref)
            new = build(old)
            if new == old or self._swap(held, ref, old, new, reason):
                return new

    def _swap(self, held: gate.Gate, ref: RefName, old: Oid | None, new: Oid, reason: str) -> bool:
        """One compare-and-swap, repeated while ``ref`` is locked; False when it has moved.

        A refusal alone decides nothing, whatever its words: the ref is read again.
        """
        try:
            held.intend(ref, new)
        except OSError as error:
            raise gate.storage_error(error, self.directory) from error
        deadline = time.monotonic() + self._wait_seconds
        delay_seconds = 0.002
        while True:
            try:
                self.backend.swap_ref(ref, old, new, reason, lease=held.descriptor)
            except RefMoved:
                held.clear()
                return False
            except SwapRefused as refusal:
                current = self.tip(ref)
                if current not in (old, new):
                    held.clear()
                    return False
                if current != new:
                    self._after_refusal(held, ref, refusal, deadline)
                    time.sleep(delay_seconds * (0.5 + os.urandom(1)[0] / 512))
                    delay_seconds = min(delay_seconds * 2, 0.1)
                    continue
            held.clear()
            return True

    def _after_refusal(self, held: gate.Gate, ref: RefName, refusal: SwapRefused, deadline: float) -> None:
        """Return when the swap is worth another try; raise what the caller has to know otherwise."""
        error = self._refusal(str(refusal))
        if error.code != "storage":
            held.clear()
            raise error
        if isinstance(refusal, GitKilled):
            held.unlock_for_the_dead(self.backend.lock_path)
        path = self.backend.lock_path(ref)
        lock = gate.LockFile.look(path)
        if lock is None:
            self.heal(is_forced=True)  # git moves no ref to a commit that a prune has taken meanwhile
        if lock is not None and held.is_old(lock):
            path.unlink(missing_ok=True)
        elif time.monotonic() >= deadline:
            held.clear()
            raise self._locked(path) if lock is not None else error

    def _locked(self, path: Path) -> ConflictError:
        return ConflictError(
            f"another git process has held {path} for over {self._wait_seconds:.0f} s",
            hint=f"wait for it, or, when no git is running: rm '{path}'",
            code="ref-locked",
        )

    def _refusal(self, words: str) -> StorageError:
        for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM):
            if os.strerror(number) in words:
                return gate.storage_error(OSError(number, os.strerror(number)), self.directory.parent)
        return StorageError(f"git's storage refused: {words}", hint="git chat doctor", code="storage")

    # --- keeping ---------------------------------------------------------------

    def heal(self, *, is_forced: bool = False) -> int:
        """Write again what the journal has and git lost, and say how many objects that were.

        Costs a look at each object that is not packed yet, so at most five times a
        second unless it ``is_forced``. Takes no lock. Raises StorageError.
        """
        now = time.monotonic()
        is_recent = self._healed_at is not None and now - self._healed_at < HEAL_SECONDS
        if self._journal is None or (is_recent and not is_forced):
            return 0
        self._healed_at = now
        entries = self._journal.entries()
        self._unpacked = len(entries)
        lost = [
            saved
            for saved in entries
            if not packing.is_loose(self._common_dir, saved.oid) and not self.backend.has_object(saved.oid)
        ]
        if lost:
            self.empty_tree()
        for saved in lost:
            self._write(saved.kind, saved.content)
        return len(lost)

    def write_again(self, saved: Saved) -> None:
        """Put an object of the journal in the place of one that cannot be read. Raises StorageError."""
        path = packing.loose_path(self._common_dir, saved.oid)
        try:
            # git takes an object that is there for written, whatever is in it.
            path.unlink(missing_ok=True)
        except OSError as error:
            raise gate.storage_error(error, path) from error
        self._write(saved.kind, saved.content)

    def clean_journal(self) -> int:
        """Remove what in the journal is no entry, and say how many bytes. Under the write lock. Raises StorageError."""
        count = self._journal.unreadable_bytes() if self._journal is not None else 0
        if self._journal is not None and count:
            try:
                self._journal.drop(())
            except OSError as error:
                raise gate.storage_error(error, self.directory) from error
        return count

    def _in_journal(self) -> tuple[int, int]:
        """How many objects, and how many bytes, wait to be packed."""
        return (self._unpacked, self._journal.size_bytes()) if self._journal is not None else (0, 0)

    def _is_due(self, before: tuple[int, int]) -> bool:
        """Whether the write that found the journal like this is one that starts a packer.

        A write adds one object or many, so what counts is which marks it has passed.
        """
        objects, size_bytes = self._in_journal()
        if size_bytes // PACK_BYTES > before[1] // PACK_BYTES:
            return True
        has_passed = objects // PACK_RETRY > before[0] // PACK_RETRY
        return has_passed and (objects >= PACK_OBJECTS or size_bytes >= PACK_BYTES)

    def pack(self, variables: Mapping[str, str]) -> int:
        """Pack our own loose objects, and forget what is packed; say how many objects left the journal.

        One process at a time; another one returns 0 at once. Writers wait only while the
        journal is written anew.

        Raises:
            StorageError: the disk or git refuses; nothing is lost.
        """
        if self._journal is None:
            return 0
        try:
            with gate.hold(self.directory, 0, "sync.lock"):
                self.heal(is_forced=True)
                loose = [
                    saved.oid for saved in self._journal.entries() if packing.is_loose(self._common_dir, saved.oid)
                ]
                packing.Packs(self._common_dir, variables, self.directory / "packs").pack(loose)
                return self._forget_packed(self._journal)
        except ConflictError:
            return 0
        except git.GitFailed as error:
            raise self._refusal(error.stderr) from error
        except OSError as error:
            raise gate.storage_error(error, self.directory) from error

    def _forget_packed(self, journal: Journal) -> int:
        with gate.hold(self.directory, self._wait_seconds):
            packed = {
                saved.oid
                for saved in journal.entries()
                if not packing.is_loose(self._common_dir, saved.oid) and self.backend.has_object(saved.oid)
            }
            journal.drop(packed)
        return len(packed)

    # --- checkpoints ---------------------------------------------------------

    def positions(self, room: RoomName) -> list[Position]:
        """Remembered positions of ``room``, oldest first; empty when there are none."""
        return checkpoint.load(self._checkpoint(room))

    def remember(self, room: RoomName, positions: Sequence[Position]) -> None:
        """Note positions of ``room``, oldest first. Fails in silence: they are disposable."""
        checkpoint.save(self._checkpoint(room), positions)

    def remember_if_free(self, room: RoomName, position: Position) -> None:
        """Note one position when no writer is at work; a reader must not wait, or fail, for it."""
        try:
            with gate.hold(self.directory, 0):
                self.remember(room, [*self.positions(room), position])
        except (ConflictError, StorageError):
            pass

    def _checkpoint(self, room: RoomName) -> Path:
        return self.directory / "checkpoints" / room

    def step(self, oid: Oid) -> Step:
        """What a walk by date has to know of a commit. Raises FormatError."""
        commit = self.read(oid)
        return Step(commit.parents, commit.committer.moment.seconds)

    def room_tip(self, room: RoomName) -> Oid | None:
        """The newest commit of ``room``, or None when it has none."""
        return self.tip(log_ref(room))


def _is_damaged_file(path: Path) -> bool:
    """Whether there is a file that we may read and that does not name another ref, which somebody chose."""
    try:
        return not path.read_bytes().startswith(b"ref:")
    except OSError:
        return False


def _is_kept_from_us(path: Path) -> bool:
    """Whether there is such a file, and it is not ours to read."""
    return path.exists() and not os.access(path, os.R_OK)


def _unreadable(what: str, path: Path, code: str, oid: Oid | None = None) -> FormatError:
    return FormatError(
        f"{what}: {os.strerror(errno.EACCES)}",
        hint=f"let its owner share it: chmod ug+r '{path}'",
        code=code,
        oid=oid,
    )


def open_store(
    common_dir: Path,
    *,
    variables: Mapping[str, str],
    fsync: bool = True,
    maintain: Callable[[], None] | None = None,
) -> Store:
    """The store of the repository whose git common directory is ``common_dir``.

    On libgit2, which is fast; on git's plumbing where libgit2 does not know the
    repository's format. ``variables`` is the environment of the git processes that this
    may start; see git.scrub.

    Raises:
        FormatError: ``unsupported-repository``.
        StorageError: ``foreign-owner``.
    """
    backend = _open_backend(common_dir, variables, fsync)
    return Store(backend, common_dir / "chatroom", maintain=maintain)


def _open_backend(common_dir: Path, variables: Mapping[str, str], fsync: bool) -> Backend:
    from gitchat import libgit2  # slow to import; reading a --help must not pay for it

    try:
        return libgit2.Libgit2Backend(common_dir, fsync=fsync)
    except libgit2.CannotOpen as error:
        words = str(error)
        # Never set_extensions(): libgit2 then opens a reftable repository, and writes refs that git does not see.
        if "extensions.refstorage" in words or "object format" in words:
            from gitchat.plumbing import PlumbingBackend

            has_reftable = (common_dir / "reftable").is_dir()
            return PlumbingBackend(common_dir, variables=variables, has_reftable=has_reftable, fsync=fsync)
        if "not owned by current user" in words:
            raise foreign_owner(common_dir) from error
        raise FormatError(
            f"cannot open {common_dir}: {words}", hint="git fsck", code="unsupported-repository"
        ) from error


def foreign_owner(directory: Path) -> StorageError:
    """The repository belongs to another user, and git refuses to use it."""
    return StorageError(
        f"the repository at {directory} belongs to another user",
        hint=f"if you trust it: git config --global --add safe.directory '{directory}'",
        code="foreign-owner",
    )
