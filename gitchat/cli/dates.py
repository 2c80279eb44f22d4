"""Times as git prints them (``--date``) and as git reads them (``--since``)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from gitchat.model.errors import UserError
from gitchat.model.names import Handle, Number, parse_locator
from gitchat.model.record import Entry, Moment
from gitchat.quick.ago import relative
from gitchat.workspace.environment import Environment

STYLES = ("relative", "local", "iso", "iso-strict", "rfc", "short", "raw", "unix", "human", "default")


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


def since(seconds: int, now: Moment) -> str:
    """The reader's local time of day, with the date where that is not the one of ``now``."""
    when = _datetime(Moment(seconds), is_local=True)
    is_today = when.date() == _datetime(now, is_local=True).date()
    return f"{when:%H:%M}" if is_today else f"{when:%Y-%m-%d %H:%M}"


def check_style(style: str) -> str:
    """``style`` when ``--date`` knows it. Raises UserError ``bad-date-style``."""
    base = style.removeprefix("auto:").removesuffix("-local")
    folded = {"iso8601": "iso", "iso8601-strict": "iso-strict", "rfc2822": "rfc"}.get(base, base)
    if folded in STYLES or base.startswith(("format:", "format-local:")):
        return style
    raise UserError(
        f"unknown date style {style!r}",
        hint=f"one of: {', '.join(STYLES)}, format:%Y-%m-%d; with -local for your own time zone",
        code="bad-date-style",
    )


def chosen_style(environment: Environment, given: str | None, is_terminal: bool) -> str | None:
    """The style that was given, else ``chat.date``; ``auto:STYLE`` is git's default where no person reads.

    Raises:
        UserError: ``bad-date-style``.
    """
    if given is not None:
        return _for_reader(check_style(given), is_terminal)
    configured = environment.repository.config.get("chat.date")
    try:
        return _for_reader(check_style(configured), is_terminal) if configured is not None else None
    except UserError as error:
        raise UserError(f"chat.date: {error}", hint=error.hint, code=error.code) from error


def _for_reader(style: str, is_terminal: bool) -> str:
    is_auto, plain = style.startswith("auto:"), style.removeprefix("auto:")
    return "default" if is_auto and not is_terminal else plain


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
        return _human(moment, now, is_local=is_local)
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


def _human(moment: Moment, now: Moment, *, is_local: bool) -> str:
    """The less, the nearer it is: git leaves out what a reader knows of today."""
    when, today = _datetime(moment, is_local=is_local), _datetime(now, is_local=True)
    if when.year != today.year:
        return f"{when:%b} {when.day} {when.year}"
    days_before = today.day - when.day if when.month == today.month else None
    if days_before == 0:
        return relative(now.seconds - moment.seconds)
    if days_before is not None and 0 < days_before < 5:
        zone = "" if is_local or when.utcoffset() == today.utcoffset() else f" {when:%z}"
        return f"{when:%a %H:%M}{zone}"
    return f"{when:%a %b} {when.day} {when:%H:%M}"


_RANGE = re.compile(r"#?([0-9]*)\.\.\.?#?([0-9]*)")


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
    if (ends := _RANGE.fullmatch(text.strip())) is not None:
        bounds = f"--since {ends[1] or 0} --until {ends[2] or 'N'}"
        raise UserError(
            f"{option}: {text!r} is a range",
            hint=f"give it alone: git chat log {text.strip()}; or its ends: {bounds}",
            code="bad-date",
        )
    word = text.strip().lower()
    output = environment.repository.git("rev-parse", f"--since={'midnight' if word == 'today' else text}")
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


def bound_of(
    environment: Environment, find: Callable[[Handle], Entry], text: str | None, option: str
) -> tuple[Number | None, int | None]:
    """A bound of records as a number or as seconds, at most one of them; ``find`` looks a handle up.

    Raises:
        UserError: ``bad-date``, ``no-such-record``, ``ambiguous-handle``.
    """
    if text is None:
        return None, None
    bound = parse_bound(environment, text, option)
    if isinstance(bound.locator, str):
        return find(bound.locator).number, None
    return bound.locator, bound.seconds


_SPAN_SECONDS = {"h": 3600, "m": 60, "s": 1}


def span(text: str, option: str, *, least: str = "s") -> int:
    """A time such as ``2h``, ``90m`` or ``1h30m`` in seconds; of seconds, too, where ``least`` is ``s``.

    Raises UserError ``bad-date``, in the words of ``option``.
    """
    found = re.fullmatch(r"(?:([0-9]{1,3})h)?(?:([0-9]{1,4})m(?:in)?)?(?:([0-9]{1,5})s)?", text.strip().lower())
    if found is None or not any(found.groups()) or (least == "m" and found[3]):
        words, example = ("seconds, minutes or hours", "30s, ") if least == "s" else ("minutes or hours", "")
        raise UserError(f"{option} {text!r} is no time", hint=f"say {words}: {example}15m, 2h, 1h30m", code="bad-date")
    return sum(int(count or 0) * seconds for count, seconds in zip(found.groups(), _SPAN_SECONDS.values(), strict=True))
