"""The bytes of a usual record. Pure; tests/quick holds them to those of gitchat.model.codec.

Source: docs/format.md sections 3 and 4.
"""

from gitchat.quick.noted import EMPTY_TREE
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SECONDS = 2**40
AHEAD_SECONDS = 86400
"""As gitchat.model.limits has them."""

MAX_OFFSET_MINUTES = 24 * 60 - 1


def after(parent_seconds: int, now_seconds: int) -> int:
    """The committer date of a commit after one of that date, at ``now_seconds``. Source: docs/format.md section 3.5."""
    return max(0, min(MAX_SECONDS, max(now_seconds, parent_seconds), now_seconds + AHEAD_SECONDS))


def trailers(
    kind: str,
    uid: str,
    number: "int | None",
    *,
    to: "Iterable[str]" = (),
    type_: "str | None" = None,
    reply: "str | None" = None,
    is_urgent: bool = False,
    clone: "str | None" = None,
    origin: "str | None" = None,
    media: "str | None" = None,
) -> "list[tuple[str, str]]":
    """What stands in the block of a record, in its order; ``number`` None where a remote gives it."""
    pairs = [
        ("Chat-Kind", kind),
        ("Chat-Uid", uid),
        ("Chat-Seq", None if number is None else str(number)),
        *(("Chat-To", one) for one in to),
        ("Chat-Type", type_),
        ("Chat-Reply", reply),
        ("Chat-Priority", "urgent" if is_urgent else None),
        ("Chat-Clone", clone or "-"),
        ("Chat-Origin", origin),
        ("Chat-Media", media),
    ]
    return [(key, value) for key, value in pairs if value is not None]


def commit(
    parent: str,
    author: "tuple[str, str]",
    written: "tuple[int, int]",
    committer: "tuple[str, str]",
    committed: int,
    body: str,
    block: "Iterable[tuple[str, str]]",
) -> bytes:
    """The commit of a record without attachments: ``author`` and ``committer`` are name and address.

    ``written`` is the author's date in seconds since the epoch and minutes east of UTC; the committer's zone is the
    same. Raises Unusual: something of it cannot stand there as it is.
    """
    seconds, minutes = written
    hours, rest = divmod(min(abs(minutes), MAX_OFFSET_MINUTES), 60)
    zone = f"{'-' if minutes < 0 else '+'}{hours:02}{rest:02}"
    lines = [
        f"tree {EMPTY_TREE}",
        f"parent {parent}",
        f"author {_person(author)} {max(0, min(MAX_SECONDS, seconds))} {zone}",
        f"committer {_person(committer)} {committed} {zone}",
        "",
        body,
        "",
    ]
    for key, value in block:
        if not value.isprintable() or not value or value.strip(" ") != value:
            raise Unusual
        lines.append(f"{key}: {value}")
    return "\n".join([*lines, ""]).encode("utf-8", "replace")


def _person(who: "tuple[str, str]") -> str:
    name, address = who
    for text in who:
        if not text.isprintable() or "<" in text or ">" in text or text.strip() != text:
            raise Unusual
    if not name:
        raise Unusual
    return f"{name} <{address}>"
