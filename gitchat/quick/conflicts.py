"""Conflicts that two were told of, as the log has them. For both ways. Pure. Source: docs/format.md section 17."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

CONFLICT, OVER = "conflict", "conflict-over"
"""The types of the two status records, which the system writes."""

OLD_SECONDS = 86_400
"""After so long it is said that a conflict may be over: who could take it back may be away."""

OLDEST_SECONDS = 14 * 86_400
"""For how long one is told of."""

BOTH = 2


class Told:
    """What two were told of their conflict."""

    __slots__ = ("begin", "is_over", "ones")

    def __init__(self) -> None:
        self.ones: list[Any] = []
        """What was told, first to last."""
        self.begin = 0
        """How many of them were told before it was over once."""
        self.is_over = False


def told(said: "Iterable[tuple[str | None, Sequence[str], str, str | None, Any]]") -> "dict[tuple[str, ...], Told]":
    """What was told, by the two names, sorted; of the type, recipients, uid and answered uid of each record in their
    order, and of what it is to who asks.
    """
    found: dict[tuple[str, ...], Told] = {}
    of: dict[str, Told] = {}
    for type_, to, uid, reply, one in said:
        if type_ == CONFLICT and len(to) == BOTH:
            pair = found.setdefault(tuple(sorted(to)), Told())
            if pair.is_over:
                pair.begin, pair.is_over = len(pair.ones), False
            pair.ones.append(one)
            of[uid] = pair
        elif type_ == OVER and reply in of:
            of[reply].is_over = True
    return found
