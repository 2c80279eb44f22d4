"""Sharing one's work with other clones while it changes: ``chat.share=work``, which a person alone can say.

A snapshot goes to the room's remote, at a ref that this clone alone moves; what is there of work that is no more goes.
Source: docs/format.md sections 12.30 and 12.31.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from gitchat.clones.answer import Pushed
from gitchat.clones.comparing import Tips
from gitchat.clones.denial import DenialFile
from gitchat.clones.notes import Note
from gitchat.clones.target import push_address
from gitchat.model.codec import NEWEST_FORMAT
from gitchat.model.errors import ChatError
from gitchat.model.names import Name, Oid, RefName
from gitchat.model.refs import ROOMS_PREFIX, fetched_prefix, is_of_a_room, log_ref, room_of, tracking_prefix, work_ref
from gitchat.model.signature import Signature
from gitchat.verbs.afar import STALE_SECONDS, shares_there
from gitchat.verbs.handing import SHARING
from gitchat.verbs.standpoint import Standpoint
from gitchat.work.looking import Looked
from gitchat.work.scratch import Scratch
from gitchat.work.shares import Share, SharesFile
from gitchat.work.sharing import Snapshot, snapshot
from gitchat.work.side import NotLooked
from gitchat.workspace.environment import Environment
from gitchat.workspace.pushing import carrier_of
from gitchat.workspace.remotes import wire_to

EVERY_SECONDS = 60
"""How often the work of a clone is pushed at most."""

DESERTED_SECONDS = 2 * STALE_SECONDS
"""After so long anybody may remove a share that stands still: its clone is gone, or would have after half of that."""

LIMIT_SECONDS = 10.0
"""How long a push may take: who looks at conflicts meanwhile waits for it."""


def mode(environment: Environment) -> str:
    """What is shared of work here, one of SHARING. Raises UserError ``bad-config``."""
    return environment.repository.config.get_choice("chat.share", SHARING)


def is_used(environment: Environment) -> bool:
    """Whether work is shared here, or still was a moment ago. Raises UserError ``bad-config``."""
    return mode(environment) == "work" or bool(SharesFile(environment.repository.directory).load().mine)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What should be at the remote."""

    snapshots: Mapping[RefName, Snapshot]
    refused: Mapping[RefName, str]
    """Work that is not shared at all, and why."""
    unsure: frozenset[RefName]
    """Of what could not be looked at now: it stays as it is."""


_NOTHING = _Wanted({}, {}, frozenset())


def share(room: Standpoint, work: Scratch, found: Looked) -> float | None:
    """Let the remote have the work that was ``found`` here, as far as a person wants that; remove what is no more.

    Returns in how many seconds a change is due that came too early; None where none waits. What the remote does not
    take is tried again when the work has changed. Raises UserError ``bad-config``, and git.GitFailed.
    """
    environment = room.environment
    file = SharesFile(environment.repository.directory)
    noted, now = file.load(), environment.now().seconds
    remote = carrier_of(environment, room.name)
    wants = mode(environment) == "work" and remote is not None and room.name in environment.store.rooms()
    wants = wants and not _is_newer(room)
    if not wants and not noted.mine:
        return None
    wanted = _wanted(room, work, found, remote) if wants and remote is not None else _NOTHING
    since = now - max((one.at for one in noted.mine.values()), default=0)
    updates, is_waiting = _updates(noted.mine, wanted, remote or "", now, is_early=0 <= since < EVERY_SECONDS)
    after = {ref: one for ref, one in noted.mine.items() if one.oid or ref in wanted.snapshots}
    for ref, why in wanted.refused.items():
        after[ref] = replace(after.get(ref, Share(remote or "", "", "", 0)), sign="", left_out=(("", why),))
    taken = _push_all(environment, work, noted.mine, updates, remote or "")
    for ref, new in updates.items():
        before = after.get(ref, Share(remote or "", "", "", now))
        if new is not None:
            before = Share(remote or "", new.sign, before.oid, now, new.left_out)
        after[ref] = replace(before, oid=taken.get(ref, before.oid))
    kept = {ref: one for ref, one in after.items() if one.oid or ref in wanted.snapshots or ref in wanted.refused}
    with suppress(OSError):
        file.save(replace(noted, mine=kept))
    return max(EVERY_SECONDS - since, 1.0) if is_waiting else None


def _is_newer(room: Standpoint) -> bool:
    """Whether the room asks its writers for a later format, as far as is known here: then nothing new goes there (8.1).

    What is there of this clone goes away all the same.
    """
    numbering = room.environment.numbering(room.name)
    return max(numbering.asked_format(), numbering.asked_format(room.environment.store.tip(log_ref(room.name)))) > (
        NEWEST_FORMAT
    )


def _updates(
    noted: Mapping[RefName, Share], wanted: _Wanted, remote: str, now: int, *, is_early: bool
) -> tuple[dict[RefName, Snapshot | None], bool]:
    """What is pushed now, None for what goes; and whether something waits because it comes too early."""
    updates: dict[RefName, Snapshot | None] = {}
    is_waiting = False
    for ref, new in wanted.snapshots.items():
        before = noted.get(ref)
        if before is None or before.sign != new.sign or before.remote != remote:
            is_waiting |= is_early
            updates |= {} if is_early else {ref: new}
        elif before.oid and now - before.at >= STALE_SECONDS:
            updates[ref] = None
    gone = (ref for ref, one in noted.items() if one.oid and ref not in wanted.snapshots and ref not in wanted.unsure)
    return updates | dict.fromkeys(gone), is_waiting


def _wanted(room: Standpoint, work: Scratch, found: Looked, remote: str) -> _Wanted:
    environment = room.environment
    clone, secrets = environment.clone.id(), environment.secrets()
    snapshots: dict[RefName, Snapshot] = {}
    refused: dict[RefName, str] = {}
    for side in found.mine:
        if side.top is None or not side.names or _has_left(room, side.names[0]):
            continue
        ref = work_ref(room.name, clone, side.names[0])
        try:
            made = snapshot(work, side, remote, secrets)
        except NotLooked as error:
            refused[ref] = str(error)
            continue
        if made is not None:
            snapshots[ref] = made
    unsure = frozenset(work_ref(room.name, clone, name) for name in found.unsure)
    return _Wanted(snapshots, refused, unsure)


def _has_left(room: Standpoint, name: Name) -> bool:
    """Whether ``name`` was in the room and is not any more."""
    presence = room.environment.roll.find(name)
    at = presence.participant(room.name) if presence is not None else None
    return at is not None and at.left_at is not None and not at.is_living


def _push_all(
    environment: Environment,
    work: Scratch,
    noted: Mapping[RefName, Share],
    updates: Mapping[RefName, Snapshot | None],
    remote: str,
) -> dict[RefName, str]:
    """What the remotes have now of what they were asked to take; what none took is left out."""
    by_remote: dict[str, dict[RefName, Oid | None]] = {}
    for ref, new in updates.items():
        place = remote if new is not None else noted[ref].remote
        oid = new.commit(work, _who(environment)) if new is not None else None
        by_remote.setdefault(place, {})[ref] = oid
    taken: dict[RefName, str] = {}
    for name, ours in by_remote.items():
        leases = {ref: Oid(one.oid) for ref in ours if (one := noted.get(ref)) and one.oid and one.remote == name}
        with suppress(ChatError):  # not heard, or nothing may be pushed there: the next change is tried again
            taken |= _push(environment, name, ours, leases, work.objects)
    return taken


def _push(
    environment: Environment,
    remote: str,
    ours: Mapping[RefName, Oid | None],
    leases: Mapping[RefName, Oid],
    objects: str,
    *,
    once: bool = False,
) -> dict[RefName, str]:
    """As _push_all, of one remote. Nothing goes to another place than the one where the rooms are known to stand.

    With ``once`` what stands otherwise there than we know stays: it is another clone's.

    Raises as Wire.push.
    """
    wire = wire_to(environment, remote, limit_seconds=LIMIT_SECONDS).writing_to(objects)
    place = wire.place_of(wire.fetch_addresses()[0])
    notes = environment.authorities.notes.all()
    denial = DenialFile(environment.repository.directory, remote).load()
    if denial is not None or any(notes.get(room) != Note(remote, place) for room in map(room_of, ours)):
        return {}
    address = push_address(environment.store, wire, place, *_known(environment, remote))
    answers = wire.push({ref: (oid, leases.get(ref)) for ref, oid in ours.items()}, address)
    late = [one.ref for one in answers if one.is_late]
    if late and not once:  # what was noted is older than what is there: this clone alone moves these
        there = wire.listed(*late, address=address)
        again = wire.push({ref: (ours[ref], there.get(ref)) for ref in late if ours[ref] or ref in there}, address)
        answers = [*(one for one in answers if not one.is_late), *again]
        answers += [Pushed(ref, None, True, "") for ref in late if not ours[ref] and ref not in there]
    return {one.ref: one.oid or "" for one in answers if one.is_accepted}


def withdraw(environment: Environment) -> None:
    """Remove from the remotes what this clone shares. Raises as Wire.push, and OSError."""
    file = SharesFile(environment.repository.directory)
    noted = file.load()
    there = {ref: one for ref, one in noted.mine.items() if one.oid}
    gone: set[RefName] = set()
    for remote in {one.remote for one in there.values()}:
        leases = {ref: Oid(one.oid) for ref, one in there.items() if one.remote == remote}
        objects = str(environment.repository.location.common_dir / "objects")
        gone |= _push(environment, remote, dict.fromkeys(leases), leases, objects).keys()
    file.save(replace(noted, mine={ref: one for ref, one in noted.mine.items() if ref not in gone}))


def deserted(room: Standpoint) -> dict[RefName, Oid]:
    """What other clones share in the room and nobody keeps: who did would have changed it, or removed it for a day.

    Only what was seen to stand so for :data:`DESERTED_SECONDS` by the looks here.
    """
    seen, now = SharesFile(room.environment.repository.directory).load().seen, room.environment.now().seconds
    return {
        ref: oid
        for ref, oid in shares_there(room).items()
        if ref in seen and seen[ref][0] == oid and now - seen[ref][1] >= DESERTED_SECONDS
    }


def clear_deserted(room: Standpoint) -> set[RefName]:
    """Remove from the room's remote what is deserted there, unless somebody moves it now; what is gone.

    Raises as Wire.push.
    """
    environment = room.environment
    remote, dead = environment.authorities.of(room.name), deserted(room)
    if remote is None or not dead:
        return set()
    objects = str(environment.repository.location.common_dir / "objects")
    return set(_push(environment, remote, dict.fromkeys(dead), dead, objects, once=True))


def _known(environment: Environment, remote: str) -> tuple[Tips, Tips]:
    """What was last seen at the remote, and what the last fetch found there."""
    found = []
    for prefix in (tracking_prefix(remote), fetched_prefix(remote)):
        refs = environment.store.backend.list_refs(prefix)
        named = ((RefName(ROOMS_PREFIX + ref.removeprefix(prefix)), oid) for ref, oid in refs)
        found.append({ref: oid for ref, oid in named if is_of_a_room(ref)})
    return found[0], found[1]


def _who(environment: Environment) -> Signature:
    who = environment.caller.identity(is_seated=False)
    return Signature(who.committer_name, who.committer_email, environment.now())


def left_out(environment: Environment) -> list[tuple[str, str]]:
    """What of the work here is not shared although all is meant to be: the path, blank for all of it, and why."""
    if mode(environment) != "work":
        return []
    shares = SharesFile(environment.repository.directory).load()
    return sorted({pair for one in shares.mine.values() for pair in one.left_out})
