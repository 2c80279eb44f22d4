"""Taking records in that came by another way than a fetch from the room's remote: in a file, or through a fork.

They are pending where a remote numbers the room, and behind all others where this clone does, so that nobody's number
changes. What is here already, by uid and author, does not come again, also where other commits hold it: then the rest
is written once more without it. What a fork's clone says about the room itself (that it is closed, moved, or asks for
another format) is for those to say who may push, and is left out.

Source: docs/format.md sections 12.24 and 12.25.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

from gitchat.clones.comparing import keys_of
from gitchat.clones.joining import Guard, Joining
from gitchat.clones.report import Agreed, nobody
from gitchat.model import codec, reach
from gitchat.model.errors import ConflictError, FormatError, UserError
from gitchat.model.names import Oid, RoomName
from gitchat.model.order import Key
from gitchat.model.record import META
from gitchat.model.refs import log_ref, summaries_ref
from gitchat.rooms.numbering import Numbering
from gitchat.rooms.rebuilding import beyond, without
from gitchat.rooms.refusing import newer_format
from gitchat.rooms.surveying import needed_format
from gitchat.storage.store import Store

MOST_RECORDS = 10_000
"""How many records one inbox may bring at once. Who may push to a fork can put anything into it."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A room as it came: commits that are here, and that nothing counts of yet."""

    log: Oid
    accepted: Oid | None = None
    """What the remote of where it came from had accepted of it; it has the first numbers."""
    summaries: Oid | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken in of one room."""

    count: int = 0
    """How many records."""
    authors: tuple[str, ...] = ()
    """Whose names they bear: claims, each once, in their order."""
    left_out: int = 0
    """How many records about the room itself were left out."""
    is_new: bool = False
    """Whether the room was not here."""


class OtherRoom(ConflictError):
    """What comes in is another room of the same name, and nobody agreed to have both in one."""

    def __init__(self, room: RoomName, source: str, count: int) -> None:
        """``source`` is what a person would pull again, as one word of a shell."""
        records = f"{count} message{'s' if count != 1 else ''}"
        super().__init__(
            f"{source} has another room '{room}' than the one here: {records} would stand behind those here",
            hint=f"put both into one: git chat pull {source} --room {room} --yes",
            code="another-room",
        )


class Bringing:
    """Who takes rooms in. For who holds ``sync.lock``."""

    def __init__(
        self, store: Store, joining: Joining, guard: Guard, numbering: Callable[[RoomName], Numbering]
    ) -> None:
        """``joining`` writes the commits that join; ``guard`` looks at what comes in."""
        self._store = store
        self._joining = joining
        self._guard = guard
        self._numbering = numbering

    def bring(
        self,
        room: RoomName,
        brought: Brought,
        source: str,
        *,
        agreed: Agreed = nobody,
        only_said: bool = False,
        is_dry_run: bool = False,
    ) -> Taken:
        """Take in of ``room`` what is not here. ``only_said`` leaves out records about the room itself.

        ``agreed`` is whether a room that began apart may be joined with the one here.

        Raises:
            OtherRoom: and nobody agreed.
            FormatError: it cannot be read; ``newer-format``: it asks its writers for what is not known here;
                ``lost-ref``: a room of this name was here.
            UserError: ``inbox-too-large``.
            ConflictError, StorageError: as Store.move; nothing was changed.
        """
        here = [tip for tip in (self._store.tip(log_ref(room)), self._numbering(room).tip()) if tip is not None]
        tip = brought.log
        if brought.accepted is not None:
            tip = self._joining.candidate(brought.accepted, tip)
        if not here:
            return self._begin(room, tip, brought, is_dry_run=is_dry_run)
        new = self._new(room, tip, here)
        passed = {key for key, commit in new.items() if only_said and commit is not None and _is_about_the_room(commit)}
        taken = {key: commit for key, commit in new.items() if commit is not None and key not in passed}
        if only_said and len(taken) > MOST_RECORDS:
            raise _too_many(room, len(taken))
        if not taken:
            self._take_summaries(room, brought, is_dry_run=is_dry_run)
            return Taken(left_out=len(passed))
        if self._is_another(here, tip) and not agreed(room):
            raise OtherRoom(room, source, len(taken))
        is_whole = len(taken) == len(new)
        if not is_whole:
            tip = without(self._store, tip, here[0], [*self._known(new), *passed])
        self._refuse_newer(room, taken.values())
        if not is_dry_run:
            self._add(room, tip, here[0])
            if is_whole:
                self._take_summaries(room, brought)
        authors = tuple(dict.fromkeys(commit.author.name for commit in taken.values()))
        return Taken(len(taken), authors, len(passed))

    # --- what is new -----------------------------------------------------------------

    def _new(self, room: RoomName, tip: Oid, here: Collection[Oid]) -> dict[Key, codec.Commit | None]:
        """The records that ``tip`` has and no commit ``here`` holds, each once, in order; None for what is known."""
        log = None
        found: dict[Key, codec.Commit | None] = {}
        for oid in beyond(self._store, [tip], list(here)):
            commit = self._store.read(oid)
            if commit.takes_number:
                from gitchat.rooms.log import Log  # it brings SQLite, for what is new alone

                log = log or Log(self._numbering(room))
                key = codec.identity_key(oid, commit)
                entries = log.with_uid(key[0])
                is_known = any(codec.identity_key(one.oid, self._store.read(one.oid)) == key for one in entries)
                found.setdefault(key, None if is_known else commit)
        return found

    def _known(self, new: dict[Key, codec.Commit | None]) -> list[Key]:
        return [key for key, commit in new.items() if commit is None]

    def _is_another(self, here: Collection[Oid], tip: Oid) -> bool:
        """Whether ``tip`` has nothing in common with what is here but the name, where both have records."""
        strays = set(beyond(self._store, [tip], list(here)))
        border = {parent for oid in strays for parent in self._store.step(oid).parents} - strays
        if any(self._store.step(oid).parents for oid in border):
            return False  # a record of both
        firsts = [keys_of(self._store, one)[:1] for one in (*here, tip)]
        return bool(firsts[-1]) and any(first and first != firsts[-1] for first in firsts[:-1])

    def _refuse_newer(self, room: RoomName, commits: Collection[codec.Commit]) -> None:
        """Raise FormatError ``newer-format`` where the room here, or one of ``commits``, asks for a later format."""
        asked = max([self._numbering(room).asked_format(), *map(needed_format, commits)])
        if asked > codec.NEWEST_FORMAT:
            raise newer_format(room, asked)

    # --- taking it in ------------------------------------------------------------------

    def _begin(self, room: RoomName, tip: Oid, brought: Brought, *, is_dry_run: bool) -> Taken:
        """Have a room that is not here, with the numbers that it has."""
        self._store.is_new(room)  # or it was lost: then nobody may begin it anew
        keys = keys_of(self._store, tip)
        authors = tuple(dict.fromkeys(author for _, author in keys))
        if not is_dry_run:
            self._add(room, tip, None)
            self._guard.begin(room)
            self._take_summaries(room, brought)
        return Taken(len(keys), authors, is_new=True)

    def _add(self, room: RoomName, tip: Oid, local: Oid | None) -> None:
        """Let the log here go on to ``tip``, or join both, ours first."""

        def build(old: Oid | None) -> Oid:
            if old is None:
                return tip
            return old if reach.is_ancestor(tip, old, self._store.step) else self._joining.candidate(old, tip)

        _, apart = self._joining.look(tip, local)
        self._store.move(log_ref(room), build, "gitchat: brought from elsewhere")
        for name in apart:
            self._guard.sit_apart(room, name)

    def _take_summaries(self, room: RoomName, brought: Brought, *, is_dry_run: bool = False) -> None:
        """The room can be read without its summaries."""
        ref, new = summaries_ref(room), brought.summaries

        def build(old: Oid | None) -> Oid:
            assert new is not None
            if old is None or reach.is_ancestor(old, new, self._store.step):
                return new
            return old if reach.is_ancestor(new, old, self._store.step) else self._joining.candidate(old, new)

        if new is not None and not is_dry_run and self._store.tip(ref) != new:
            with suppress(FormatError):
                self._store.move(ref, build, "gitchat: brought from elsewhere")


def _is_about_the_room(commit: codec.Commit) -> bool:
    return commit.kind in (META, "redact")


def _too_many(room: RoomName, count: int) -> UserError:
    return UserError(
        f"an inbox of room '{room}' has {count:,} records that are not here; {MOST_RECORDS:,} are taken at once",
        hint="ask its owner what they are; a bundle of the room takes them all the same",
        code="inbox-too-large",
    )
