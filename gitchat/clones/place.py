"""An authority is a log at a place: what is done when the log that stands there is another than the one we knew. Pure.

The log decides, the address only words it. Addresses are noisy, and what stands at one can be
restored, moved, deleted or somebody else's. What we last saw numbered is a list of records in
their order; a remote that still has them goes on, whatever it is called. Anything else at
another address is nothing that anybody agreed to.
Source: docs/format.md section 12.10.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum

from gitchat.model.order import Key


class Standing(Enum):
    """What a remote has of a room, held against what was last seen of it."""

    UNSEEN = "nothing was seen of it yet"
    CONTINUES = "it has what was seen, in that order, and perhaps more"
    BEHIND = "it has the beginning of what was seen"
    PARTED = "it has the same first record, and then goes another way"
    STRANGER = "it has another first record"
    GONE = "it has no such room, and has others"
    EMPTY = "it has no room at all"


class Verdict(Enum):
    """What a round does with a room."""

    GO_ON = "join and push"
    BRING_BACK = "join, and push again what the remote has lost"
    JOIN = "join both, the remote's order first"
    WAIT = "leave it as it is until the remote has caught up"
    LEAVE = "leave it as it is until somebody decides"
    REFUSE = "do nothing with this remote, and say why"


_AT_THE_SAME_ADDRESS = {
    Standing.UNSEEN: Verdict.GO_ON,
    Standing.CONTINUES: Verdict.GO_ON,
    Standing.BEHIND: Verdict.BRING_BACK,
    Standing.PARTED: Verdict.JOIN,
    Standing.STRANGER: Verdict.REFUSE,
    Standing.GONE: Verdict.LEAVE,
    Standing.EMPTY: Verdict.LEAVE,
}
_AT_ANOTHER_ADDRESS = {
    Standing.UNSEEN: Verdict.GO_ON,
    Standing.CONTINUES: Verdict.GO_ON,
    Standing.BEHIND: Verdict.WAIT,
    Standing.PARTED: Verdict.REFUSE,
    Standing.STRANGER: Verdict.REFUSE,
    Standing.GONE: Verdict.REFUSE,
    Standing.EMPTY: Verdict.REFUSE,
}
_WHEN_MOVED = _AT_ANOTHER_ADDRESS | {
    Standing.BEHIND: Verdict.BRING_BACK,
    Standing.PARTED: Verdict.JOIN,
    Standing.GONE: Verdict.BRING_BACK,
    Standing.EMPTY: Verdict.BRING_BACK,
}
"""After somebody said that the rooms have moved: all but a stranger's is ours."""


def standing(seen: Sequence[Key] | None, there: Sequence[Key] | None, *, has_others: bool) -> Standing:
    """How the records ``there`` stand to those that were ``seen``; None for no log.

    ``has_others`` is whether the remote has another room.
    """
    if seen is None:
        return Standing.UNSEEN
    if there is None:
        return Standing.GONE if has_others else Standing.EMPTY
    if list(there[: len(seen)]) == list(seen):
        return Standing.CONTINUES
    if list(seen[: len(there)]) == list(there):
        return Standing.BEHIND
    return Standing.PARTED if there[0] == seen[0] else Standing.STRANGER


def verdict(
    standing: Standing,
    *,
    is_same_address: bool,
    has_moved: bool = False,
    brought_back: Collection[Standing] = (),
    is_strange: bool = False,
) -> Verdict:
    """What a round does with a room that stands so.

    ``has_moved``: a person said that the rooms stand at the remote's present address now.
    ``brought_back``: of what the remote has no more, what a person asked to bring back.
    ``is_strange``: another address was agreed to, and nobody who could agree to this one asked for the round. Where
    nothing was seen no log can show that it is the one we know, and what was written here may be for others.
    """
    if not is_same_address:
        if standing is Standing.UNSEEN and is_strange and not has_moved:
            return Verdict.LEAVE
        return (_WHEN_MOVED if has_moved else _AT_ANOTHER_ADDRESS)[standing]
    known = _AT_THE_SAME_ADDRESS[standing]
    return Verdict.BRING_BACK if known is Verdict.LEAVE and standing in brought_back else known
