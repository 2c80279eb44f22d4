"""Rooms that travel in a file: writing a bundle of those here, and taking one in.

A bundle holds the logs with all that is pending, what the room's remote had accepted of them, and the summaries;
nobody's position. Source: docs/format.md section 12.24.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from gitchat.clones.alone import alone
from gitchat.clones.bringing import Bringing, Brought, Taken
from gitchat.clones.joining import Joining
from gitchat.clones.report import Agreed
from gitchat.model.errors import ChatError, ConflictError, FormatError, UserError
from gitchat.model.names import Number, Oid, RefName, RoomName
from gitchat.model.refs import brought_ref, log_ref, room_of_log, room_of_tracking, summaries_ref, tracking_ref
from gitchat.storage import git
from gitchat.storage.bundles import MAX_BYTES, Bundles, Head, is_bundle, read_head, too_large
from gitchat.workspace.environment import Environment
from gitchat.workspace.seating import Seating

STDIN = "-"
"""The name of what is read from standard input, and written to standard output."""

MOST_ROOMS = 4096
"""How many rooms of one file are taken in."""


@dataclass(slots=True)
class Arrival:
    """What came of a pull by a file, or from a fork."""

    taken: dict[RoomName, Taken] = field(default_factory=dict)
    left: dict[RoomName, str] = field(default_factory=dict)
    refused: set[RoomName] = field(default_factory=set)
    """``left`` has the rooms of which nothing was taken, and why; ``refused`` those with which something is wrong."""

    def refuse(self, room: RoomName, error: ChatError) -> None:
        """Note why ``room`` was not taken."""
        self.left[room] = f"{error}; {error.hint}"
        self.refused.add(room)


def bringing(environment: Environment, source: str) -> Bringing:
    """What takes rooms in; ``source`` is where they come from, for git's reflog."""
    guard = Seating(environment)
    joining = Joining(
        environment.store,
        source,
        identity=lambda: environment.caller.identity(is_seated=False),
        clock=environment.now,
        guard=guard,
    )
    return Bringing(environment.store, joining, guard, environment.numbering)


# --- writing one ------------------------------------------------------------------------


def write(environment: Environment, path: Path, rooms: Sequence[RoomName], since: Number | None) -> list[RoomName]:
    """Write a bundle of ``rooms``, or of all that may leave this clone, to ``path``; which they are.

    ``since`` leaves out the first records of the one room, up to that number, as far as git can.

    Raises:
        UserError: ``no-such-room``, ``no-room``; ``nothing-new``: there is nothing after ``since``.
        ConflictError: ``stays-here``: somebody said that a room is for this clone alone.
        StorageError, FormatError: as Bundles.write.
    """
    for room in rooms:
        environment.refuse_unknown_room(room)
        if _stays_here(environment, room):
            raise ConflictError(
                f"room '{room}' stays here", hint=f"share it: git chat room share {room}", code="stays-here"
            )
    chosen = list(rooms) or [room for room in environment.store.rooms() if not _stays_here(environment, room)]
    if not chosen:
        raise UserError("there is no room to bundle here", hint="begin one: git chat send 'hello'", code="no-room")
    base = _base(environment, chosen[0], since) if since is not None else None
    refs = [ref for room in chosen for ref in _refs(environment, room, base)]
    _bundles(environment).write(path, refs, [base] if base is not None else [])
    return chosen


def _stays_here(environment: Environment, room: RoomName) -> bool:
    with suppress(FormatError):  # git says what is wrong with it
        return environment.authorities.of(room) is None and environment.numbering(room).stays_here()
    return False


def _refs(environment: Environment, room: RoomName, base: Oid | None) -> Iterator[RefName]:
    """The refs of ``room`` that go into a bundle, but for those that stand at ``base``, which git leaves out."""
    log, authority = log_ref(room), environment.authorities.of(room)
    wanted = [log, summaries_ref(room)] + ([tracking_ref(authority, log)] if authority is not None else [])
    for ref in wanted:
        if environment.store.tip(ref) not in (None, base):
            yield ref


def _base(environment: Environment, room: RoomName, since: Number) -> Oid | None:
    """The commit of the log that reaches just the records up to ``since``, or the nearest one before that.

    Raises UserError ``no-such-record``, ``nothing-new``.
    """
    chain = environment.numbering(room).chain()
    if since > chain.count:
        raise UserError(
            f"there is no #{since} in room '{room}'",
            hint=f"its newest number: git chat log -n 1 --room {room}",
            code="no-such-record",
        )
    if since == chain.total:
        raise UserError(
            f"nothing was said in room '{room}' after #{since}",
            hint=f"see the last one: git chat show --room {room} {since}",
            code="nothing-new",
        )
    return next((oid for number in range(since, 0, -1) if (oid := chain.commit_upto(number)) is not None), None)


def _bundles(environment: Environment) -> Bundles:
    return Bundles(environment.repository.location.common_dir, variables=git.scrub(environment.variables))


# --- taking one in ------------------------------------------------------------------------


def meant(environment: Environment, given: str | None) -> Path | None:
    """The bundle that ``given`` names: no remote of that name is here, and a file that begins as a bundle.

    The path ``-`` stands for standard input. Raises UserError ``not-a-bundle``: there is another file of that name.
    """
    if given is None or given in environment.repository.remotes():
        return None
    if given == STDIN:
        return Path(STDIN)
    path = Path(environment.cwd, given)
    if is_bundle(path):
        return path
    if path.suffix == ".bundle" and not path.exists():
        raise UserError(
            f"there is neither a remote nor a file '{given}'",
            hint=f"have it made where the rooms are: git chat bundle {_word(given)}",
            code="not-a-bundle",
        )
    if path.is_file():
        raise UserError(
            f"{given} is neither a remote nor a bundle",
            hint="add the remote: git remote add NAME URL; or have a bundle made: git chat bundle FILE",
            code="not-a-bundle",
        )
    return None


@contextmanager
def spooled(environment: Environment, stream: BinaryIO) -> Iterator[Path]:
    """What ``stream`` gives, as a file for as long as the body runs. Raises UserError ``bundle-too-large``."""
    from tempfile import NamedTemporaryFile  # for who reads standard input

    with NamedTemporaryFile(prefix="gitchat-", suffix=".bundle") as file:
        while part := stream.read(1 << 20):
            file.write(part)
            if file.tell() > MAX_BYTES:
                raise too_large("what standard input gives")
        file.flush()
        yield Path(file.name)


def pull(
    environment: Environment,
    path: Path,
    shown: str,
    room: RoomName | None,
    *,
    arrive: Callable[[RoomName], object],
    agreed: Agreed,
    is_dry_run: bool = False,
) -> Arrival:
    """Take in what the bundle at ``path`` has of its rooms, or of ``room``. A kill leaves each room as it was, or done.

    ``shown`` is what a person calls it; ``arrive`` has a room that is not here looked for at the clone's remote first.

    Raises:
        FormatError: ``bad-bundle``: nothing was changed.
        UserError: ``bundle-too-large``; ``no-room-in-bundle``; ``bundle-begins-later``: it goes on from records that
            are not here.
        OtherRoom: the only room is another one than that of this name, and nobody agreed.
        ConflictError: ``sync-running``.
    """
    environment.repository.refuse_mirror()
    if path.stat().st_size > MAX_BYTES:
        raise too_large(shown)
    with path.open("rb") as file:
        head = read_head(file, shown)
        rooms = _rooms(environment, head, shown, room)
        for one in rooms:
            arrive(one)
        with alone(environment.store.directory):
            _refuse_gap(environment, head, shown, rooms)
            bundles = _bundles(environment)
            bundles.check(file, head, _of_rooms(head), shown)
            found = _Fetched(environment, bundles, path, head, shown)
            try:
                return found.take(rooms, agreed=agreed, is_dry_run=is_dry_run)
            finally:
                found.clean()


def _rooms(environment: Environment, head: Head, shown: str, room: RoomName | None) -> list[RoomName]:
    """The rooms to take from a bundle. Raises UserError ``no-room-in-bundle``, FormatError ``bad-bundle``."""
    has_sha256 = (environment.repository.config.get("extensions.objectformat") or "").lower() == "sha256"
    digits = 64 if has_sha256 else 40
    if head.id_digits != digits:
        names = {40: "SHA-1", 64: "SHA-256"}
        raise FormatError(
            f"{shown} has ids of {names[head.id_digits]}, and this repository those of {names[digits]}",
            hint="take it into a repository of that kind: git init --object-format="
            f"{names[head.id_digits].replace('-', '').lower()} DIRECTORY",
            code="bad-bundle",
        )
    rooms = sorted({found for ref in head.refs if (found := room_of_log(ref)) is not None})
    chosen = [one for one in rooms if room in (None, one)]
    if not chosen:
        listing = f"see what it has: git bundle list-heads {_word(shown)}"
        raise UserError(
            f"{shown} has no room '{room}'" if room is not None and rooms else f"{shown} has no room",
            hint=f"it has: {', '.join(rooms[:20])}" if rooms else listing,
            code="no-room-in-bundle",
        )
    return chosen[:MOST_ROOMS]


def _word(shown: str) -> str:
    return shlex.quote(shown)


def _refuse_gap(environment: Environment, head: Head, shown: str, rooms: Sequence[RoomName]) -> None:
    """Raise UserError ``bundle-begins-later`` where the bundle goes on from what is not here."""
    missing = [oid for oid in head.needed if not environment.store.backend.has_object(oid)]
    if missing:
        raise UserError(
            f"{shown} goes on from messages that are not here ({missing[0][:12]})",
            hint=f"ask for all of it, or for an earlier --since: git chat bundle FILE {' '.join(rooms[:3])}",
            code="bundle-begins-later",
        )


class _Fetched:
    """A bundle whose objects are here, under refs that nothing else reads."""

    def __init__(self, environment: Environment, bundles: Bundles, path: Path, head: Head, shown: str) -> None:
        self._environment = environment
        self._shown = shown
        self._refs = {ref: brought_ref(place) for place, ref in enumerate(sorted(_of_rooms(head)))}
        self._head = head
        bundles.fetch(path, self._refs, shown)

    def take(self, rooms: Sequence[RoomName], *, agreed: Agreed, is_dry_run: bool) -> Arrival:
        """Take in each room; where it is one, why it cannot be done is raised."""
        arrival, brings = Arrival(), bringing(self._environment, self._shown)
        for room in rooms:
            try:
                arrival.taken[room] = brings.bring(
                    room, self._brought(room), _word(self._shown), agreed=agreed, is_dry_run=is_dry_run
                )
            except (FormatError, ConflictError, UserError) as error:
                if len(rooms) == 1:
                    raise
                arrival.refuse(room, error)
        return arrival

    def _brought(self, room: RoomName) -> Brought:
        accepted = [oid for ref, oid in self._head.refs.items() if room_of_tracking(ref) == room]
        return Brought(
            self._head.refs[log_ref(room)],
            accepted[0] if accepted else None,
            self._head.refs.get(summaries_ref(room)),
        )

    def clean(self) -> None:
        """Let nothing point to what was not taken."""
        store = self._environment.store
        for ref, here in self._refs.items():
            with suppress(ChatError):
                store.remove(here, self._head.refs[ref], "gitchat: was in a bundle")


def _of_rooms(head: Head) -> Iterator[RefName]:
    """The refs of a bundle that are taken from it: logs, what a remote had of them, and summaries."""
    rooms = {room for ref in head.refs if (room := room_of_log(ref)) is not None}
    summaries = {summaries_ref(room) for room in rooms}
    for ref in head.refs:
        if room_of_log(ref) is not None or room_of_tracking(ref) in rooms or ref in summaries:
            yield ref
