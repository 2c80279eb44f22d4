"""Whose work in other clones is looked at: branches that their status records named, and what they share."""

from __future__ import annotations

from contextlib import suppress

from gitchat.index.condition import Condition, of_kinds
from gitchat.model.errors import FormatError, StorageError, UserError
from gitchat.model.names import Name, Oid, RefName, is_name
from gitchat.model.record import STATUS
from gitchat.model.refs import copies_prefix, fetched_prefix, known_prefix, room_prefix, work_of
from gitchat.verbs.standpoint import Standpoint, entries_at
from gitchat.work.abroad import Abroad, Branch, parse_shared
from gitchat.work.shares import SharesFile

NAMED_SECONDS = 14 * 86_400
"""For how long a branch is looked at after a status record named it."""

STALE_SECONDS = 86_400
"""How long shared work stands as it is before nobody looks at it any more."""

_CLOCKS_SECONDS = 86_400
"""By how much the clock of who shares may be wrong before that ends sooner, or what is old counts for a day again."""

MOST_BRANCHES = 20

_MOST_RECORDS = 500
"""How many status records are read for it, the newest."""


def branches_named(room: Standpoint) -> dict[str, tuple[Name, ...]]:
    """The branches that status records of other clones named lately, the newest first, and who named each.

    A person's do not say from which clone: what is said under the name of somebody here counts as said here. Raises
    FormatError.
    """
    own = room.environment.clone.known()
    people = {str(presence.name) for presence in room.environment.roll.everybody()}
    with suppress(UserError):
        people.add(room.environment.caller.own_name())
    since = Condition("committed > ?", (room.environment.now().seconds - NAMED_SECONDS,))
    condition = Condition.all_of([of_kinds([STATUS]), since])
    places = room.records.chain().select(condition, limit=_MOST_RECORDS, newest=True)
    found: dict[str, tuple[Name, ...]] = {}
    for entry in reversed(entries_at(room, places)):
        branch, clone = entry.record.branch, entry.record.clone
        author = entry.record.author
        is_ours = clone == own if clone is not None else author in people
        if branch is not None and is_name(author) and not is_ours:
            found[branch] = tuple(dict.fromkeys((*found.get(branch, ()), Name(author))))
    return found


def copies(room: Standpoint) -> dict[RefName, Oid]:
    """The private copies of branches of the room's remote."""
    remote = room.environment.authorities.of(room.name)
    return dict(room.environment.store.backend.list_refs(copies_prefix(remote))) if remote is not None else {}


def shares_there(room: Standpoint) -> dict[RefName, Oid]:
    """What other clones share in the room, as the last fetch found it, or as they pushed it here."""
    environment = room.environment
    remote, own = environment.authorities.of(room.name), environment.clone.known()
    here = room_prefix(room.name)
    prefixes = [here] + ([RefName(f"{fetched_prefix(remote)}{room.name}/")] if remote is not None else [])
    found: dict[RefName, Oid] = {}
    for prefix in prefixes:
        for ref, oid in environment.store.backend.list_refs(RefName(f"{prefix}work/")):
            whole = RefName(here + ref.removeprefix(prefix))
            work = work_of(whole)
            if work is not None and work[1] != own:
                found[whole] = oid
    return found


def abroad(room: Standpoint) -> list[Abroad]:
    """All work of other clones that is here, the branches first. Notes since when shares are here."""
    return [*_branches(room), *_shares(room)]


def _branches(room: Standpoint) -> list[Branch]:
    environment = room.environment
    remote = environment.authorities.of(room.name)
    if remote is None or room.name not in environment.store.rooms():
        return []
    with suppress(FormatError):
        named = branches_named(room)
        copied = {ref.removeprefix(copies_prefix(remote)): oid for ref, oid in copies(room).items()}
        if not copied:  # nobody fetches them for us
            prefix = known_prefix(remote)
            copied = {ref.removeprefix(prefix): oid for ref, oid in environment.store.backend.list_refs(prefix)}
        found = [Branch(names, remote, branch, copied[branch]) for branch, names in named.items() if branch in copied]
        return found[:MOST_BRANCHES]
    return []


def _shares(room: Standpoint) -> list[Abroad]:
    """The shares that somebody keeps up to date."""
    environment, there, now = room.environment, shares_there(room), room.environment.now().seconds
    since: dict[RefName, int] = {}
    with suppress(OSError):
        since = SharesFile(environment.repository.directory).look(there, now)
    found: list[Abroad] = []
    for ref, oid in sorted(there.items()):
        work = work_of(ref)
        with suppress(FormatError, StorageError):
            commit = environment.store.read(oid)
            shared = parse_shared(oid, commit, work[2], environment.store.read_tree) if work is not None else None
            is_old = now - commit.committer.moment.seconds >= STALE_SECONDS + _CLOCKS_SECONDS
            if shared is not None and not is_old and now - since.get(ref, now) < STALE_SECONDS:
                found.append(shared)
    return found
