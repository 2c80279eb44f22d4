"""What of a stranger's commit is read, and what is cut: every cap and every range, in one place.

Whoever may push can write any bytes. What is beyond a limit is never an error: a date counts as
badly written, a text ends where it is cut and says so, and what was found is told by ``verify``.
Numbers do not depend on any of it (docs/format.md section 5).

Pure. Source: docs/format.md sections 3.5 and 9.3.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

from gitchat.model.record import MAX_BODY_BYTES

MAX_SECONDS = 2**40
"""The latest date that is read or written, in the year 36812: what git, SQLite and every forge can hold."""

MAX_OFFSET_MINUTES = 24 * 60 - 1
"""The farthest place from UTC that is read or written."""

AHEAD_SECONDS = 86400
"""How far a committer date may lie ahead of the clock of who writes it, for the sake of its parents' dates."""

OLDER_IN_A_ROW = 5
"""How many commits one after the other must be too old before a walk by date ends.

Dates are claims: one that is out of all order shall not hide what stands before it. As many as git itself takes.
"""

MAX_NAME_CHARS = 64
"""The longest author's or committer's name; as long as a slug may be."""

MAX_EMAIL_CHARS = 254
"""The longest address. Source: RFC 5321, as its erratum 1690 has it."""

MAX_TRAILERS = 100
"""How many trailers of one kind are read, and so how many recipients a record can reach."""

MAX_KINDS_OF_TRAILERS = 1000
"""How many kinds of trailers of one commit are read."""

MAX_FORMAT = 999_999
"""The latest format that can be told from another one; a later one counts as this."""

_SECONDS = re.compile(r"0*([0-9]{1,13})")


def seconds_of(digits: str) -> int | None:
    """The date, in seconds since the epoch, that ``-?[0-9]+`` stands for; None when it is none from 0 to 2^40."""
    if len(digits) > 13:  # as 2^40 has, and then only zeros before them
        match = _SECONDS.fullmatch(digits)
        digits = match[1] if match else "-1"
    seconds = int(digits)
    return seconds if 0 <= seconds <= MAX_SECONDS else None


def seconds_after(parents: Iterable[int], now_seconds: int) -> int:
    """The committer date of a commit after parents of these dates, written by a clock that shows ``now_seconds``.

    At least each parent's, because git's walks, :mod:`gitchat.model.reach` and the end of a listing go by it; but
    never more than a day ahead of the clock, so that one date out of all bounds is not what every later one says.
    """
    return max(0, min(MAX_SECONDS, max([now_seconds, *parents]), now_seconds + AHEAD_SECONDS))


def format_of(digits: str | None) -> int | None:
    """The format that ``digits`` name, MAX_FORMAT for any later one; None where there is no number."""
    if digits is None or not digits.isascii() or not digits.isdigit():
        return None
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) < len(str(MAX_FORMAT)) else MAX_FORMAT


def cut_line(text: str, max_chars: int) -> str:
    """``text`` in at most ``max_chars`` characters; what was longer says so, and still differs from any other."""
    if len(text) <= max_chars:
        return text
    import hashlib  # loads OpenSSL, which an ordinary name can do without

    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
    mark = f"... [cut: {len(text):,} characters, {digest}]"
    return text[: max_chars - len(mark)] + mark


def cut_body(body: bytes) -> bytes:
    """``body``, at most MAX_BODY_BYTES of it; what was longer says so at its end."""
    if len(body) <= MAX_BODY_BYTES:
        return body
    # A character that would be cut in two is left out.
    kept = body[:MAX_BODY_BYTES].decode("utf-8", "ignore").encode()
    return kept + b"\n[cut here: the message has %d bytes, and no more than %d are shown]" % (len(body), MAX_BODY_BYTES)


def cut_trailers(
    trailers: tuple[tuple[str, str], ...], always: Collection[str]
) -> tuple[tuple[tuple[str, str], ...], list[str]]:
    """The first MAX_TRAILERS of each kind, and in words what was more.

    The kinds of ``always`` count wherever they stand: what a record is must not depend on what stands before them.
    """
    if len(trailers) <= MAX_TRAILERS:
        return trailers, []
    counts = Counter(key for key, _ in trailers)
    wrong = [f"it has {count:,} trailers {key}" for key, count in counts.items() if count > MAX_TRAILERS][:3]
    if len(counts) > MAX_KINDS_OF_TRAILERS:
        wrong.append(f"it has {len(counts):,} kinds of trailers")
    kinds = {*always, *list(counts)[:MAX_KINDS_OF_TRAILERS]}
    seen: Counter[str] = Counter()
    kept: list[tuple[str, str]] = []
    for key, value in trailers:
        seen[key] += 1
        if key in kinds and seen[key] <= MAX_TRAILERS:
            kept.append((key, value))
    return tuple(kept), wrong
