"""The refs of a repository: the one place where a ref moves.

Everything a reader must trust is :meth:`Refs.move`: by compare-and-swap, under the
kernel lock, with an intent on file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gitchat.model.errors import ConflictError, FormatError, StorageError
from gitchat.model.names import Oid, RefName
from gitchat.model.refs import ROOMS_PREFIX
from gitchat.storage import gate
from gitchat.storage.backend import GitKilled, RefDamaged, RefMoved, SwapRefused
from gitchat.storage.objects import Objects
from gitchat.storage.refusals import blocked_ref, is_kept_from_us, storage_error, unreadable


class Refs(Objects):
    """A repository's refs, and the objects that they point to."""

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
            if is_kept_from_us(path):
                return unreadable(f"{name} cannot be read", path, "unreadable-ref")
        return FormatError(f"{name} is damaged: {error}", hint="git chat doctor", code="damaged-ref")

    def is_damaged(self, ref: RefName) -> bool:
        """Whether there is something in the place of ``ref``, and it cannot be read."""
        try:
            self.tip(ref)
        except FormatError:
            return True
        return False

    # --- moving --------------------------------------------------------------

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
            self._heal_before(ref)
            before = self._in_journal()
            new = self._move(held, ref, build, reason)
        self._pack_if_due(before, self._in_journal())
        return new

    def point(self, ref: RefName, oid: Oid, reason: str) -> None:
        """Move ``ref`` to ``oid``, wherever it is. Raises as :meth:`move`."""
        self.move(ref, lambda _: oid, reason)

    def hand_over(self, ref: RefName, to: RefName, build: Callable[[Oid], Oid], reason: str) -> None:
        """Let ``to`` hold what ``build`` makes of the tip of ``ref``, which then is no more; nobody writes between.

        ``to`` moves first: a kill leaves both, and the same call goes on. Nothing is done where there is no ``ref``.

        Raises:
            ConflictError: ``room-exists``: ``to`` holds something else; and as :meth:`move`.
            StorageError: as :meth:`move`.
        """
        made: Oid | None = None
        with self.writing() as held:
            self.heal()
            while (old := self.tip(ref)) is not None:
                new, present = build(old), self.tip(to)
                if present not in (None, made, new):
                    raise ConflictError(f"there is a ref {to} already", hint="choose another name", code="room-exists")
                if present != new and not self._swap(held, to, present, new, reason):
                    continue
                made = new
                if self._swap(held, ref, old, None, reason):
                    return

    def remove(self, ref: RefName, old: Oid, reason: str) -> bool:
        """Remove ``ref`` if it is still at ``old``; whether it was. What it alone reached is git's to prune.

        Raises as :meth:`move`.
        """
        with self.writing() as held:
            return self.tip(ref) == old and self._swap(held, ref, old, None, reason)

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
                raise storage_error(error, path) from error
            return self._move(held, ref, build, reason)

    def can_restore(self, ref: RefName) -> bool:
        """Whether ``ref`` has a file that holds no commit, and all else that :meth:`restore` reads is in order."""
        try:
            self.backend.list_refs(ROOMS_PREFIX)
        except RefDamaged:
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

    def _swap(self, held: gate.Gate, ref: RefName, old: Oid | None, new: Oid | None, reason: str) -> bool:
        """One compare-and-swap, repeated while ``ref`` is locked; False when it has moved.

        A refusal alone decides nothing, whatever its words: the ref is read again.
        """
        target = new or old
        assert target is not None
        self._sync_journal()
        if old is not None and new is not None and self._swap_quickly(held, ref, old, new):
            return True
        try:
            held.intend(ref, target)
        except OSError as error:
            raise storage_error(error, self.directory) from error
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
                    time.sleep(delay_seconds * (0.5 + self._random_bytes(1)[0] / 512))
                    delay_seconds = min(delay_seconds * 2, 0.1)
                    continue
            held.clear()
            return True

    def _heal_before(self, ref: RefName) -> None:
        """Heal what the next value of ``ref`` may stand on."""
        self.heal()

    def _swap_quickly(self, held: gate.Gate, ref: RefName, old: Oid, new: Oid) -> bool:
        """Move ``ref`` in as few calls of the system as it takes; False where that is not for this way."""
        return False

    def _after_refusal(self, held: gate.Gate, ref: RefName, refusal: SwapRefused, deadline: float) -> None:
        """Return when the swap is worth another try; raise what the caller has to know otherwise."""
        error = self._refusal(str(refusal))
        if error.code != "storage":
            held.clear()
            raise error
        blocked = self._blocked(ref)
        if blocked is not None:
            held.clear()
            raise blocked
        if isinstance(refusal, GitKilled):
            held.unlock_for_the_dead(self.backend.lock_path)
        from gitchat.storage.lockfile import LockFile  # for who met a lock

        path = self.backend.lock_path(ref)
        lock = LockFile.look(path)
        if lock is None:
            self.heal(is_forced=True)  # git moves no ref to a commit that a prune has taken meanwhile
        if lock is not None and (held.is_old(lock) or (held.is_exclusive and lock.is_superseded(self._before(ref)))):
            path.unlink(missing_ok=True)
        elif time.monotonic() >= deadline:
            held.clear()
            raise self._locked(path) if lock is not None else error

    def _before(self, ref: RefName) -> Oid | None:
        """The commit under the tip of ``ref``."""
        tip = self.tip(ref)
        return None if tip is None else next(iter(self.read(tip).parents), None)

    def _blocked(self, ref: RefName) -> StorageError | None:
        """Why there cannot be ``ref``: another one is in its place, which cannot be a file and a directory.

        Waiting helps against no such one, also if nobody can read it: a list of refs passes over it. None without one.
        """
        parts = ref.split("/")
        above = [RefName("/".join(parts[:count])) for count in range(3, len(parts))]
        readable = [name for other in above for name, _ in self.backend.list_refs(other) if name == other]
        readable += [name for name, _ in self.backend.list_refs(f"{ref}/")]
        if readable:
            return blocked_ref(ref, readable[0])
        path = self._common_dir / ref
        files = [file for other in above if (file := self._common_dir / other).is_file()]
        files += [file for file in path.rglob("*") if not file.is_dir() and file.suffix != ".lock"]
        return blocked_ref(ref, str(files[0].relative_to(self._common_dir)), files[0]) if files else None

    def _locked(self, path: Path) -> ConflictError:
        return ConflictError(
            f"another git process has held {path} for over {self._wait_seconds:.0f} s",
            hint=f"wait for it, or, when no git is running: rm '{path}'",
            public_message="another git process has locked this room",
            public_hint="try again; if that lasts, tell who runs this server",
            code="ref-locked",
        )


def _is_damaged_file(path: Path) -> bool:
    """Whether there is a file that we may read and that does not name another ref, which somebody chose."""
    try:
        return not path.read_bytes().startswith(b"ref:")
    except OSError:
        return False
