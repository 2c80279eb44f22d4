"""What of a room came after somebody was told of it: by the commits that reach what was told, since numbers move.

What a room's remote has not numbered yet stands behind all that it has, and gets another place when that grows: a
number would pass over what comes from elsewhere meanwhile, or be no number yet.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from gitchat.index.chain import Chain
from gitchat.index.condition import Condition
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid
from gitchat.rooms.cursor import beyond
from gitchat.staying.told import Seen
from gitchat.storage.store import Store

ANY = Condition("")


def unseen(store: Store, chain: Chain, seen: Seen) -> Condition:
    """What of ``chain`` is beyond ``seen``; by its number where it has no commits, or these are of another log."""
    by_number = after(seen.number)
    return unreached(store, chain, seen.tips, otherwise=by_number) if seen.tips else by_number


def unreached(store: Store, chain: Chain, oids: Sequence[Oid], *, otherwise: Condition = ANY) -> Condition:
    """What none of ``oids`` reaches: everything without any, and ``otherwise`` where they are of another log."""
    if not oids:
        return ANY
    try:
        numbers = beyond(store, chain, oids).numbers
    except FormatError:
        return otherwise
    if isinstance(numbers, range):
        return after(numbers.start - 1)
    return Condition("number IN (SELECT value FROM json_each(?))", (json.dumps(list(numbers)),))


def after(number: int) -> Condition:
    """What has a greater place than ``number``."""
    return Condition("number > ?", (number,))
