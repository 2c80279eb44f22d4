"""Whether somebody in another clone goes by a name these days, so that a new default name steps aside for it.

It is courtesy: equal names are safe, because each clone has seats of its own. Source: docs/format.md section 10.6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gitchat.index.chain import Chain
from gitchat.index.condition import authored_by
from gitchat.model.codec import Commit
from gitchat.model.names import CloneId, Name, Oid

LATELY_SECONDS = 2 * 3600
"""How long after its last word an agent counts as somebody who speaks. In 14 days beside 100 tasks a day 24 hours
gave 84 names, and 2 hours 25."""

_LEAVES = 20
"""How many of the newest records of the system are looked at for who has left."""


def speaks(
    name: Name, chains: Iterable[Chain], *, here: CloneId | None, now: int, read: Callable[[Oid], Commit]
) -> bool:
    """Whether an agent of another clone than ``here`` spoke under ``name`` lately, and did not leave since.

    ``now`` is in seconds since the epoch. Raises FormatError.
    """
    return any(_speaks_in(name, chain, here, now, read) for chain in chains)


def _speaks_in(name: Name, chain: Chain, here: CloneId | None, now: int, read: Callable[[Oid], Commit]) -> bool:
    voices = chain.last_voices(name, now - LATELY_SECONDS)
    clones = {voice.clone for voice in voices if voice.clone is not None} - {here}
    if not clones:
        return False
    last = chain.select(authored_by(name), limit=1, newest=True)[0].number
    leaves = chain.select(authored_by("system"), limit=_LEAVES, newest=True, after=last)
    left = {record.value("Chat-Clone") for record in map(read, (leave.oid for leave in leaves)) if _says(record, name)}
    return bool(clones - left)


def _says(record: Commit, name: Name) -> bool:
    """Whether a record of the system says that ``name`` left."""
    return record.value("Chat-Type") == "presence" and record.body == f"{name} left the chatroom"
