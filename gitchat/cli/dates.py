"""Times as git prints them (``--date``) and as git reads them (``--since``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from gitchat.environment import Environment
from gitchat.errors import UserError
from gitchat.names import Handle, Number, parse_locator
from gitchat.record import Moment

STYLES = ("relative", "local", "iso", "iso-strict", "rfc", "short", "raw", "unix", "human", "default")


def utc(moment: Moment) -> str:
    """``YYYY-MM-DDTHH:MM:SSZ``: the form for programs."""
    return _datetime(moment, is_local=False, zone=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _datetime(moment: Moment, *, is_local: bool, zone: timezone | None = None) -> datetime:
    """``moment`` as a calendar time; a time outside the calendar's range becomes its nearest end."""
    if zone is None and not is_local:
        zone = timezone(timedelta(minutes=max(-1439, min(1439, moment.offset_minutes))))
    seconds = max(-62_000_000_000, min(253_000_000_000, moment.seconds))
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(zone)


def day(moment: Moment) -> str:
    """The reader's local day in words, such as ``Friday, 20 November 2026``."""
    when = _datetime(moment, is_local=True)
    return f"{when:%A}, {when.day} {when:%B %Y}"


def clock(moment: Moment) -> str:
    """The reader's local time of day, such as ``14:03``."""
    return f"{_datetime(moment, is_local=True):%H:%M}"


def check_style(style: str) -> str:
    """``style`` when ``--date`` knows it. Raises UserError ``bad-date-style``."""
    folded = {"iso8601": "iso", "iso8601-strict": "iso-strict", "rfc2822": "rfc"}.get(
        style.removesuffix("-local"), style.removesuffix("-local")
    )
    if folded in STYLES or style.startswith(("format:", "format-local:")):
        return style
    raise UserError(
        f"unknown date style {style!r}",
        hint=f"one of: {', '.join(STYLES)}, format:%Y-%m-%d; with -local for your own time zone",
        code="bad-date-style",
    )


def format_date(moment: Moment, style: str, now: Moment) -> str:
    """``moment`` in one of git's date styles. Source: git-log(1), ``--date``."""
    if style.startswith(("format:", "format-local:")):
        name, _, pattern = style.partition(":")
        return _datetime(moment, is_local=name == "format-local").strftime(pattern)
    base, is_local = style.removesuffix("-local"), style.endswith("-local") or style == "local"
    when = _datetime(moment, is_local=is_local)
    if base == "relative":
        return relative(now.seconds - moment.seconds)
    if base == "human":
        return _human(moment, now)
    if base in ("raw", "unix"):
        return str(moment.seconds) if base == "unix" else f"{moment.seconds} {when:%z}"
    if base in ("iso", "iso8601"):
        return f"{when:%Y-%m-%d %H:%M:%S %z}"
    if base in ("iso-strict", "iso8601-strict"):
        return when.isoformat(timespec="seconds")
    if base in ("rfc", "rfc2822"):
        return f"{when:%a}, {when.day} {when:%b %Y %H:%M:%S %z}"
    if base == "short":
        return f"{when:%Y-%m-%d}"
    text = f"{when:%a %b} {when.day} {when:%H:%M:%S %Y}"
    return text if is_local else f"{text} {when:%z}"


def relative(seconds: int) -> str:
    """How long ago, in git's steps: ``5 minutes ago``."""
    if seconds < 0:
        return "in the future"
    steps = ((90, 1, "second"), (90 * 60, 60, "minute"), (36 * 3600, 3600, "hour"), (14 * 86400, 86400, "day"))
    far = ((70 * 86400, 7 * 86400, "week"), (365 * 86400, 2_629_746, "month"), (10**18, 31_556_952, "year"))
    _, unit, word = next(step for step in steps + far if seconds < step[0])
    count = max(1, round(seconds / unit)) if seconds else 0
    return f"{count} {word}{'' if count == 1 else 's'} ago"


def _human(moment: Moment, now: Moment) -> str:
    when, today = _datetime(moment, is_local=True), _datetime(now, is_local=True)
    if when.date() == today.date():
        return relative(now.seconds - moment.seconds)
    if timedelta(0) < today - when < timedelta(days=6):
        return f"{when:%a %H:%M}"
    return f"{when:%b} {when.day} {when:%H:%M}" if when.year == today.year else f"{when:%b} {when.day} {when.year}"


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range: a record or a time, exactly one of them."""

    locator: Number | Handle | None = None
    seconds: int | None = None


def parse_bound(environment: Environment, text: str, option: str) -> Bound:
    """What ``--since`` and ``--until`` take: a record, or else a time.

    Times are read by git's own date parser, so ``yesterday`` and ``2 hours ago`` work.

    Raises:
        UserError: ``bad-date``.
    """
    try:
        return Bound(locator=parse_locator(text))
    except UserError:
        pass
    word = text.strip().lower()
    output = environment.git("rev-parse", f"--since={'midnight' if word == 'today' else text}")
    seconds = int(output.decode().strip().removeprefix("--max-age="))
    # git takes what it cannot read for the present moment.
    is_now = abs(seconds - environment.now().seconds) <= 2
    if is_now and word not in ("now", "today") and not any(character.isdigit() for character in word):
        raise UserError(
            f"{option}: {text!r} is neither a number nor a date",
            hint=f"for example: {option} 12, {option} yesterday, {option} '2 hours ago', {option} 2026-11-20",
            code="bad-date",
        )
    return Bound(seconds=seconds)
