"""Which messages are shown: the options of ``log`` and ``watch`` that narrow them, and what they ask for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from gitchat.model.errors import Mistyped, UserError
from gitchat.model.names import Handle, Number, parse_locator, parse_recipient, parse_slug
from gitchat.model.query import Query
from gitchat.model.record import Entry

_OPTIONS = (
    click.option("--from", "sender", metavar="NAME", help="Written by NAME."),
    click.option("-t", "--to", "recipient", metavar="WHO", help="Addressed to WHO: a name, role:ROLE, or all."),
    click.option("--between", nargs=2, metavar="A B", help="From A to B, or from B to A."),
    click.option("--type", "type_", metavar="TYPE", help="Of this type."),
    click.option("--no-status", is_flag=True, help="Without what nobody has to read: status records, claims."),
    click.option("--grep", metavar="PATTERN", help="Whose text matches a regular expression."),
    click.option("-i", "--ignore-case", is_flag=True, help="For --grep: capitals do not matter."),
    click.option("-F", "--fixed-strings", is_flag=True, help="For --grep: PATTERN is plain text."),
)


def shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that :func:`query` takes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def query(
    *,
    sender: str | None,
    recipient: str | None,
    between: tuple[str, str] | None,
    type_: str | None,
    no_status: bool,
    grep: str | None,
    ignore_case: bool,
    fixed_strings: bool,
    **others: Any,
) -> Query:
    """What the options ask for, with the ``others`` of Query. Raises UserError for what cannot be read."""
    return Query(
        sender=parse_slug(sender, "name") if sender is not None else None,
        recipient=parse_recipient(recipient) if recipient is not None else None,
        type=parse_slug(type_, "type") if type_ is not None else None,
        between=(parse_recipient(between[0]), parse_recipient(between[1])) if between else None,
        pattern=_pattern(grep, ignore_case, fixed_strings) if grep is not None else None,
        with_status=not no_status,
        **others,
    )


def _pattern(text: str, ignore_case: bool, fixed: bool) -> re.Pattern[str]:
    try:
        return re.compile(re.escape(text) if fixed else text, re.MULTILINE | (re.IGNORECASE if ignore_case else 0))
    except re.error as error:
        raise UserError(
            f"--grep: {text!r} is not a regular expression: {error}",
            hint="add -F to search for it as it stands",
            code="bad-pattern",
        ) from error


# --- a range ------------------------------------------------------------------------


def parse_range(text: str, find: Callable[[Number | Handle], Entry]) -> tuple[Number | None, Number | None]:
    """After which number and up to which: ``5`` is that message, ``3..7`` both and what is between, ``3..`` and ``..7``
    have one end. ``find`` looks a message up.

    Raises:
        UserError: ``bad-range``, also for what has no number yet; ``no-such-record``, ``ambiguous-handle``.
    """
    first, dots, last = text.partition("..")
    try:
        ends = [parse_locator(end) if end else None for end in (first, last.removeprefix("."))]
    except UserError:
        ends = [None, None]
    if ends == [None, None]:
        raise Mistyped(
            f"{text!r} is neither a message nor a range",
            hint="a range is 5, 3..7, 3.. or ..7; the newest five: git chat log -5",
            code="bad-range",
            word=text,
        )
    if not dots:
        ends[1] = find(ends[0]).number if ends[0] is not None else None
    numbers = [_number(end, find) for end in ends]
    return Number(numbers[0] - 1) if numbers[0] is not None else None, numbers[1]


def _number(end: Number | Handle | None, find: Callable[[Number | Handle], Entry]) -> Number | None:
    if not isinstance(end, str):
        return end
    entry = find(end)
    if entry.number is None:
        raise UserError(
            f"{entry.handle} has no number yet, and stands in no range",
            hint=f"see it: git chat show '{entry.handle}'",
            code="bad-range",
        )
    return entry.number
