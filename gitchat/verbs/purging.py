"""Taking a text out of the history of a room: for a person, who answers for it, and for no program.

The number stays, and who said it when and to whom; the words, what was attached, and every copy that git or this
program keeps of them in this clone and at the room's remote go. Other clones take that over with their next sync.
Source: docs/format.md section 18.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitchat.model import codec
from gitchat.model.errors import ConflictError, UserError
from gitchat.model.names import SYSTEM, Name, Oid
from gitchat.model.purge import NEEDED_FORMAT, PURGED, purged_at
from gitchat.model.record import META, Entry, Record
from gitchat.model.signature import Signature
from gitchat.verbs.standpoint import Standpoint
from gitchat.verbs.talking import find

GATE_DAYS = 30
"""How long ago a record may be for its writer to be named, whose gitchat may bring back what was purged."""

_DAY_SECONDS = 86_400
_ATTEMPTS = 5
_OLDER_IN_A_ROW = 5


@dataclass(frozen=True, slots=True)
class Purged:
    """What was done."""

    entries: Sequence[Entry]
    """As they were."""
    remote: str | None
    """Where the room is numbered, and it was purged as well; None for a room of this clone alone."""
    left: int
    """How many of its objects git still has here."""
    holders: Sequence[str] = ()
    """Refs that reach them, which are the user's."""
    old_names: Sequence[Name] = ()
    """Whose newest records were written by a version that knows of no purge, and brings it back."""
    copies: Sequence[str] = ()
    """Other remotes of this clone that may have it."""
    told: Sequence[str] = ()
    """What should be heard of the round before."""
    tip: Oid | None = None
    """The log that the remote has now; None without one."""


def refuse_programs(room: Standpoint, locators: Sequence[int | str]) -> None:
    """Raise UserError ``not-a-person`` where an agent, a tool or a server acts."""
    if room.environment.caller.client is not None or room.environment.caller.has_seat:
        raise UserError(
            "only a person purges: it changes what everybody has",
            hint="ask a person to run it at a terminal; "
            f"what shall only not be shown can be hidden: git chat redact --room {room.name} {locators[0]}",
            code="not-a-person",
        )


def wanted(room: Standpoint, locators: Sequence[int | str]) -> list[Entry]:
    """The records that these name, as they are now. Raises ConflictError ``pending``, and as :meth:`find`."""
    found = [find(room, locator) for locator in locators]
    for entry in found:
        if entry.number is None:
            raise ConflictError(
                f"{entry.handle} has no number yet: nobody else has it",
                hint=f"take it back: git chat unsend --room {entry.room} {entry.handle}",
                code="pending",
            )
    return found


def purge(room: Standpoint, entries: Sequence[Entry]) -> Purged:
    """Purge these records here and at the room's remote. What is purged already is looked for once more.

    Raises:
        UserError: ``not-a-person``, ``mirror``.
        RemoteError: the remote is not heard, or refuses it; nothing was done then.
        ConflictError: ``sync-running``; ``overtaken``: others pushed all the time.
        FormatError: ``newer-format``.
    """
    from gitchat.clones.purging import Wanted, purge_here  # for who purges, as what follows
    from gitchat.rooms.purging import Left
    from gitchat.workspace.guarding import refresh_after
    from gitchat.workspace.remotes import open_remote

    environment = room.environment
    refuse_programs(room, [entry.label for entry in entries])
    environment.repository.refuse_mirror()
    keys = frozenset((entry.record.uid, entry.record.author) for entry in entries)
    asked = Wanted(room.name, keys, purged_at(room.me, environment.now()))
    old_names = without_gate(room)
    remote = environment.authorities.of(room.name)
    told: list[str] = []
    tip: Oid | None = None
    if remote is None:
        left: Left = purge_here(environment.store, asked, lambda log: _gated(room, log), environment.variables)
    else:
        opened = open_remote(environment, remote, is_typed=True)
        for _ in range(_ATTEMPTS):
            report = opened.round(room.name)
            told = [*report.alarms, *report.notes]
            tip = opened.purging.purge(asked, lambda log: _gated(room, log))
            if tip is not None:
                break
        else:
            raise ConflictError(
                f"others pushed to '{remote}' all the time", hint="try again in a moment", code="overtaken"
            )
        left = opened.purging.finish(room.name)
    refresh_after(environment, has_come=False)  # it may have been a claim
    return Purged(entries, remote, left.count, left.holders, old_names, _copies(room, remote), told, tip)


def _gated(room: Standpoint, tip: Oid) -> Oid:
    """The log that ends at ``tip`` and asks its writers to know of purges. Raises FormatError ``newer-format``."""
    environment = room.environment
    store, numbering = environment.store, environment.numbering(room.name)
    _, asked = numbering.survey(tip)
    if asked > codec.NEWEST_FORMAT:
        from gitchat.rooms.refusing import newer_format

        raise newer_format(room.name, asked)
    if asked >= NEEDED_FORMAT:
        return tip
    who, now = room.identity, environment.now()
    record = Record(
        kind=META,
        uid=environment.new_uid(),
        author=who.name,
        email=who.email,
        written=now,
        body="something was purged: who writes here has to know what that is",
        origin=who.origin,
        extra=((codec.FORMAT_MIN, str(NEEDED_FORMAT)),),
    )
    committer = Signature(who.committer_name, who.committer_email, store.date_after([tip], now))
    return store.write_commit(codec.encode_record(record, tree=store.empty_tree(), parent=tip, committer=committer))


def without_gate(room: Standpoint) -> list[Name]:
    """Who wrote within :data:`GATE_DAYS` by a version that writes no ``Chat-Clone``, and so knows of no purge.

    Names are claims. Raises FormatError.
    """
    since = room.environment.now().seconds - GATE_DAYS * _DAY_SECONDS
    found: dict[Name, None] = {}
    older = 0
    for entry in room.records.entries():
        older = older + 1 if entry.committed_seconds < since else 0
        if older > _OLDER_IN_A_ROW:
            break
        commit = room.environment.store.read(entry.oid)
        if older == 0 and commit.value(codec.CLONE) is None and commit.value(PURGED) is None:
            found[Name(entry.record.author)] = None
    return sorted(found.keys() - {SYSTEM})


def _copies(room: Standpoint, remote: str | None) -> list[str]:
    return [name for name in room.environment.repository.remotes() if name != remote]
