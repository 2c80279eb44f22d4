"""The store: a repository's rooms, over the refs and the commits behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gitchat.model import limits
from gitchat.model.errors import ConflictError, FormatError, StorageError
from gitchat.model.names import Name, Oid, RefName, RoomName
from gitchat.model.reach import Step
from gitchat.model.record import Moment
from gitchat.model.refs import (
    FETCHED_PREFIX,
    LOG_SUFFIX,
    ROOMS_PREFIX,
    TRACKING_PREFIX,
    cursors_prefix,
    is_log,
    log_ref,
    name_of_cursor,
    room_of_log,
)
from gitchat.quick import append
from gitchat.quick.swap import Clone
from gitchat.quick.unusual import Unusual
from gitchat.storage import checkpoint, gate
from gitchat.storage.backend import Backend, ObjectDamaged, ObjectMissing, RefDamaged
from gitchat.storage.checkpoint import Position
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refs import Refs
from gitchat.storage.refusals import storage_error
from gitchat.storage.sharing import UNSHARED, Sharing


class Store(Refs):
    """A repository's rooms. Cheap to make; holds no lock between calls."""

    _clone: Clone | None = None
    """What the quick way knows of the repository, from its first record on."""

    is_settled = False
    """Whether what a power cut may have taken was made again: see gitchat.rooms.aftermath, which says so."""

    # --- rooms ---------------------------------------------------------------

    def rooms(self) -> list[RoomName]:
        """All rooms that have a log, sorted by name, but for those whose ref is damaged.

        Raises:
            FormatError: ``damaged-ref``, ``unreadable-ref``: none can be listed.
        """
        try:
            refs = [room_of_log(ref) for ref, _ in self.backend.list_refs(ROOMS_PREFIX, LOG_SUFFIX)]
        except RefDamaged as error:
            raise self._bad_ref("git's list of refs", [], error) from error
        return sorted(room for room in refs if room is not None)

    def tips(self) -> tuple[tuple[RefName, Oid], ...]:
        """All refs of all rooms and what they point to: equal as long as nothing changed."""
        return tuple(self.backend.list_refs(ROOMS_PREFIX))

    def log_tips(self) -> tuple[tuple[RefName, Oid], ...]:
        """As :meth:`tips`, of the logs alone: it costs no more where many have read, and stays equal while they do."""
        return self._logs_below(ROOMS_PREFIX)

    def tracked(self) -> tuple[tuple[RefName, Oid], ...]:
        """As :meth:`tips`, of what remotes were last known to have."""
        return tuple(self.backend.list_refs(TRACKING_PREFIX))

    def tracked_logs(self) -> tuple[tuple[RefName, Oid], ...]:
        """As :meth:`log_tips`, of what remotes were last known to have."""
        return self._logs_below(TRACKING_PREFIX)

    def _logs_below(self, prefix: RefName) -> tuple[tuple[RefName, Oid], ...]:
        return tuple(pair for pair in self.backend.list_refs(prefix, LOG_SUFFIX) if is_log(pair[0]))

    def fetched(self) -> list[tuple[str, RefName, Oid]]:
        """The remote, the ref there and its value, of all that the last fetch of each remote found among rooms."""
        refs = self.backend.list_refs(FETCHED_PREFIX)
        parted = [(*ref.removeprefix(FETCHED_PREFIX).partition("/rooms/"), oid) for ref, oid in refs]
        return [(remote, RefName(ROOMS_PREFIX + rest), oid) for remote, middle, rest, oid in parted if middle]

    def room_tip(self, room: RoomName) -> Oid | None:
        """The newest commit of ``room``, or None when it has none."""
        return self.tip(log_ref(room))

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
                f"rm '{self._checkpoint(room).path}'",
                public_hint="tell who runs this server: git chat doctor",
                code="lost-ref",
            )
        return self.tip(log_ref(room)) is None

    def cursors(self, room: RoomName) -> list[Name]:
        """Who has a cursor in ``room``, sorted by name."""
        names = [name_of_cursor(room, ref) for ref, _ in self.backend.list_refs(cursors_prefix(room))]
        return sorted(name for name in names if name is not None)

    def step(self, oid: Oid) -> Step:
        """What a walk by date has to know of a commit. Raises FormatError."""
        commit = self.read(oid)
        return Step(commit.parents, commit.committer.moment.seconds)

    def date_after(self, parents: Iterable[Oid], now: Moment) -> Moment:
        """The committer date of a commit after ``parents``, of whatever kind, at ``now``. Raises FormatError.

        Source: gitchat.model.limits.seconds_after.
        """
        dates = [self.step(parent).seconds for parent in parents]
        return replace(now, seconds=limits.seconds_after(dates, now.seconds))

    # --- the quick way -------------------------------------------------------

    def append(
        self, room: RoomName, make: Callable[[append.End], tuple[bytes, int]], *, is_tracked: bool = False
    ) -> append.Appended:
        """Add a record to a log by the quick way of :mod:`gitchat.quick.append`.

        It ``is_tracked`` where a remote numbers it.

        Raises:
            Unusual: that is for :meth:`move`; nothing was changed.
        """
        clone = self._as_clone()
        self.heal()
        noted_in = append.ENDS if is_tracked else append.CHECKPOINTS
        made = append.append(clone, log_ref(room), room, make, self._wait_seconds, noted_in)
        self._note_appended(made.journal_bytes, made.written_bytes)
        return made

    def _as_clone(self) -> Clone:
        if self._clone is None:
            if not self.backend.is_usual or not self._has_journal:
                raise Unusual
            exchange = None
            if not self.backend.is_synced:
                from gitchat.storage.exchange import find  # for who does not wait for the disk

                exchange = find()
            self._clone = Clone(
                str(self._common_dir),
                is_synced=self.backend.is_synced,
                is_settled=self.is_settled,
                read_packed=self._packed_commit,
                exchange=exchange,
            )
        return self._clone

    def _packed_commit(self, oid: str) -> bytes:
        try:
            return self.backend.read_object(Oid(oid), "commit")
        except (ObjectMissing, ObjectDamaged) as error:
            raise Unusual from error

    # --- checkpoints ---------------------------------------------------------

    def positions(self, room: RoomName) -> list[Position]:
        """Remembered positions of ``room``, oldest first; empty when there are none."""
        return checkpoint.load(self._checkpoint(room))

    def remember(self, room: RoomName, positions: Sequence[Position]) -> None:
        """Note positions of ``room``, oldest first. Fails in silence: they are disposable."""
        checkpoint.save(self._checkpoint(room), positions)

    def remember_if_free(self, room: RoomName, position: Position) -> None:
        """Note one position when no writer is at work; a reader must not wait, or fail, for it."""
        with suppress(ConflictError, StorageError), gate.hold(self.directory, 0):
            self.remember(room, [*self.positions(room), position])

    def end(self, room: RoomName) -> Position | None:
        """What was noted last of the end of ``room``, which a remote numbers; None where nothing was."""
        return next(iter(checkpoint.load(self._end(room))), None)

    def note_end(self, room: RoomName, end: Position) -> None:
        """Note what the end of ``room`` says of it. Fails in silence: it is disposable."""
        checkpoint.save(self._end(room), [end])

    def note_end_if_free(self, room: RoomName, end: Position) -> None:
        """As :meth:`note_end`, of a log that still ends there, when no writer is at work."""
        with suppress(ConflictError, StorageError), gate.hold(self.directory, 0):
            if self.tip(log_ref(room)) == end.tip:
                self.note_end(room, end)

    def _end(self, room: RoomName) -> OwnFile:
        return OwnFile(self.directory, f"ends/{room}")

    def forget_positions(self, room: RoomName) -> None:
        """Forget all positions of ``room``, which shall be no more. Raises StorageError."""
        try:
            self._checkpoint(room).remove()
        except OSError as error:
            raise storage_error(error, self._checkpoint(room).path) from error

    def _checkpoint(self, room: RoomName) -> OwnFile:
        return OwnFile(self.directory, f"checkpoints/{room}")


def open_store(
    common_dir: Path,
    *,
    variables: Mapping[str, str],
    random_bytes: Callable[[int], bytes],
    fsync: bool = True,
    sharing: Sharing = UNSHARED,
    maintain: Callable[[], None] | None = None,
) -> Store:
    """The store of the repository whose git common directory is ``common_dir``.

    On libgit2, which is fast; on git's plumbing where libgit2 does not know the
    repository's format, and for what is written where the repository is shared among users, as ``sharing`` says.
    ``variables`` is the environment of the git processes that this may start; see git.scrub.
    The others are as for Store.

    Raises:
        FormatError: ``unsupported-repository``.
        StorageError: ``foreign-owner``.
    """
    backend = _open_backend(common_dir, variables, fsync, sharing)
    return Store(backend, common_dir / "chatroom", maintain=maintain, random_bytes=random_bytes)


def _open_backend(common_dir: Path, variables: Mapping[str, str], fsync: bool, sharing: Sharing) -> Backend:
    from gitchat.storage import libgit2  # slow to import; reading a --help must not pay for it

    try:
        if sharing.bits:
            from gitchat.storage.shared import SharedBackend

            return SharedBackend(common_dir, variables=variables, fsync=fsync, sharing=sharing)
        return libgit2.Libgit2Backend(common_dir, fsync=fsync)
    except libgit2.CannotOpen as error:
        if "not owned by current user" in str(error):
            raise foreign_owner(common_dir) from error
        return _open_plumbing(common_dir, variables, fsync)


def _open_plumbing(common_dir: Path, variables: Mapping[str, str], fsync: bool) -> Backend:
    """For whatever git opens and libgit2 does not: each git has extensions that libgit2 learns years later, or never.

    Never set_extensions(): libgit2 then opens a reftable repository, and writes refs that git does not see.
    """
    from gitchat.storage import git
    from gitchat.storage.plumbing import PlumbingBackend

    try:
        git.run([f"--git-dir={common_dir}", "rev-parse"], cwd=str(common_dir), variables=variables)
    except git.GitFailed as error:
        raise FormatError(
            f"cannot open {common_dir}: {error.stderr.removeprefix('fatal: ')}",
            hint="see what git says there: git status",
            public_message="this repository cannot be opened",
            code="unsupported-repository",
        ) from error
    has_reftable = (common_dir / "reftable").is_dir()
    return PlumbingBackend(common_dir, variables=variables, has_reftable=has_reftable, fsync=fsync)


def foreign_owner(directory: Path) -> StorageError:
    """The repository belongs to another user, and git refuses to use it."""
    return StorageError(
        f"the repository at {directory} belongs to another user",
        hint=f"if you trust it: git config --global --add safe.directory '{directory}'",
        code="foreign-owner",
    )
