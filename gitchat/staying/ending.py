"""What somebody is told whose claims end soon: once for each, by a hook of its client or by its server."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from gitchat.model import offered
from gitchat.model.claim import Claim
from gitchat.model.errors import ChatError
from gitchat.model.escape import escape_line
from gitchat.staying.told import Told
from gitchat.verbs.claimwords import clock, listed
from gitchat.verbs.room import Room
from gitchat.verbs.standing import mine

PART = 10
"""It is told when less than one of so many parts of its time is left."""

_MOST_CHARS = 120


def sentences(rooms: Iterable[Room], told: Told) -> list[str]:
    """A sentence for each claim of ``me`` that ends soon, and of which this was not told. They hold its own words."""
    said: list[str] = []
    for room in rooms:
        now, claims = room.environment.now(), list[Claim]()
        with suppress(ChatError):  # what is wrong with one room keeps nobody from the others
            claims = [one.claim for one in mine(room) if one.waits_for is None]
        for claim in claims:
            whole, left = claim.until - claim.entry.record.written.seconds, claim.until - now.seconds
            if left * PART <= whole and told.is_first(f"ends {claim.entry.record.uid}"):
                whats = escape_line(listed(claim.whats))
                shown = whats if len(whats) <= _MOST_CHARS else f"{whats[: _MOST_CHARS - 1]}…"
                said.append(
                    f"what you claimed ({shown}, {claim.entry.label}) is yours until {clock(claim.until, now)}: "
                    f"{offered.CLAIM} it again, or give it back"
                )
    return said
