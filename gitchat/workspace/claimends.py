"""How claims end by themselves, and who is told: what follows from the log and has no writer of its own.

Three things are written by whatever of ours runs next: that a holder who lived in this clone is gone, and gives back;
that who waited has it now; that a claim fell back behind another's when two clones saw each other. Each is a record
with a key, so it is there once, however many see it. Source: docs/format.md section 16.7.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from gitchat.model.claim import Claim, freed, standings
from gitchat.model.errors import ChatError
from gitchat.model.names import SYSTEM, Name, RoomName, Uid, uid_from_key
from gitchat.model.record import RELEASE, STATUS, Draft, Entry, Identity, address_of
from gitchat.storage.ownfiles import OwnFile
from gitchat.workspace.claimed import entries_of_claims, standings_here
from gitchat.workspace.environment import Environment
from gitchat.workspace.pushing import push_soon

GONE_SECONDS = 15 * 60
"""How long a holder's claims outlast it: its client may be starting again."""

TYPE = "claim"
"""The type of the statuses."""

_MAX_BYTES = 1024 * 1024


def tend(environment: Environment) -> None:
    """Write what follows from the claims of this clone, where nobody has written it. Never fails."""
    with suppress(ChatError, OSError):
        environment.repository.refuse_mirror()
        lives = Lives(environment)
        for room in environment.store.rooms():
            with suppress(ChatError, OSError):  # a damaged room keeps no other from it
                _tend(environment, room, lives)
        lives.keep()


def pause_seconds(environment: Environment) -> float | None:
    """In how many seconds something that somebody waits for here is over by the clock, which tells nobody: who sleeps
    wakes then, and tends. None where nothing is. Never fails.
    """
    with suppress(ChatError, OSError):
        ends = [one.waits_for.until for _, found in standings_here(environment) for one in found if one.waits_for]
        return max(1, min(ends) - environment.now().seconds) if ends else None
    return None


def _tend(environment: Environment, room: RoomName, lives: Lives) -> None:
    entries = entries_of_claims(environment, room)
    found = standings(entries, environment.now().seconds) if entries else []
    if not found or environment.log(room).overview().is_closed:
        return
    written = False
    gone = [one.claim for one in found if lives.is_gone(one.claim, room)]
    for place, claim in enumerate(gone):
        written |= _give_back(environment, room, claim, freed(found, gone[: place + 1], before=gone[:place]))
    for one in found:
        if one.claim in gone or not one.claim.is_agreed:
            continue
        if one.waits_for is None and one.claim.entry.record.to and not _was_told(one.claim, entries):
            words = f"{one.claim.seat.name} has {_whats(one.claim)} now ({one.claim.entry.label})"
            written |= _say(environment, room, one.claim, "holds", words)
        elif one.waits_for is not None and one.waits_for.is_agreed and _fell_back(environment, one.claim):
            before = one.waits_for
            words = (
                f"{one.claim.entry.label} waits for {before.seat.name} ({before.entry.label}): "
                f"both claimed {_whats(one.claim)}, and {before.entry.label} was first"
            )
            written |= _say(environment, room, one.claim, "waits", words)
    if written:
        push_soon(environment, room, is_hook=True)


# --- who is gone ---------------------------------------------------------------------


class Lives:
    """Which holders of this clone were seen to live, and since when they are gone: the file ``lives``, disposable.

    Who was never seen to live since it claimed, a script for one, is never gone: its claims end with their time.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._file = OwnFile(environment.repository.directory, "lives")
        self._before = self._read()
        self._after: dict[str, int] = {}
        """By the uid of a claim, since when its holder is gone; 0 for one that lives."""

    def is_gone(self, claim: Claim, room: RoomName) -> bool:
        """Whether who claimed it lived in this clone, and has been gone for so long that it ends."""
        clone, uid = self._environment.clone.known(), claim.entry.record.uid
        if claim.seat.clone is None or claim.seat.clone != clone:
            return False
        presence = self._environment.roll.find(Name(claim.seat.name))
        at = presence.participant(room) if presence is not None else None
        if presence is None or (at is not None and at.is_registered):
            return False
        now = self._environment.now().seconds
        if presence.is_living:
            self._after[uid] = 0
        elif uid in self._before:
            since = self._before[uid]
            self._after[uid] = since if 0 < since <= now else now  # or the clock was set back
            return now - self._after[uid] >= GONE_SECONDS
        return False

    def keep(self) -> None:
        """Note it for who looks next. Raises OSError."""
        if self._after != self._before:
            self._file.replace(json.dumps(self._after).encode())

    def _read(self) -> dict[str, int]:
        try:
            kept = json.loads(self._file.read(_MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            return {}
        kept = kept if isinstance(kept, dict) else {}
        return {uid: since for uid, since in kept.items() if type(since) is int}


def _give_back(environment: Environment, room: RoomName, claim: Claim, freed: Sequence[str]) -> bool:
    """Whether a release was written for a holder that is gone."""
    body = f"gives back {_whats(claim)}: {claim.seat.name} is gone"
    draft = Draft(body=body, kind=RELEASE, to=tuple(freed), reply_to=claim.entry.record.uid)
    sender = replace(_nobody(environment), name=Name(claim.seat.name), clone=claim.seat.clone)
    return _send(environment, room, draft, sender, f"gone {claim.entry.record.uid}")


# --- who is told ---------------------------------------------------------------------


def _was_told(claim: Claim, entries: Sequence[Entry]) -> bool:
    """Whether a release named who waited with ``claim``: it knows then that it has it."""
    later = entries[next(at for at, one in enumerate(entries) if one.record.uid == claim.entry.record.uid) :]
    return any(one.record.kind == RELEASE and claim.seat.name in one.record.to for one in later)


def _fell_back(environment: Environment, claim: Claim) -> bool:
    """Whether a claim that waits was written in this clone as one that holds."""
    if claim.entry.record.to:
        return False
    if claim.seat.clone is not None:
        return claim.seat.clone == environment.clone.known()
    mine = address_of(environment.repository.config.get("user.email") or "")
    return mine is not None and claim.seat.address == mine


def _say(environment: Environment, room: RoomName, claim: Claim, what: str, words: str) -> bool:
    """Whether a status for who made ``claim`` was written."""
    draft = Draft(body=words, kind=STATUS, type=TYPE, to=(claim.seat.name,), reply_to=claim.entry.record.uid)
    return _send(environment, room, draft, _nobody(environment), f"{what} {claim.entry.record.uid}")


def _whats(claim: Claim) -> str:
    return ", ".join(map(str, claim.whats))


def _nobody(environment: Environment) -> Identity:
    """Who says what nobody says: the same in each clone, so that the same record has the same name."""
    return replace(environment.caller.identity(is_seated=False), name=SYSTEM, origin="hook")


def _send(environment: Environment, room: RoomName, draft: Draft, sender: Identity, key: str) -> bool:
    """Write a record, unless it is there. Raises what Writer.send raises, but for what another wrote with the key."""
    if _is_there(environment, room, uid_from_key(key, sender.clone), sender.name):
        return False
    with suppress(ChatError):
        return not environment.writer(room).send(draft, sender, key=key).is_repeat
    return False


def _is_there(environment: Environment, room: RoomName, uid: Uid, author: Name) -> bool:
    return any(entry.record.author == author for entry in environment.log(room).with_uid(uid))
