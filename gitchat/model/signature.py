"""Who wrote a commit, and when: an author or committer line, written and read.

Pure. Source: docs/format.md section 3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitchat.model import limits
from gitchat.model.record import Moment

_IDENT = re.compile(r"(.*?) ?<([^<>\n]*)> (-?[0-9]+) ([+-])([0-9]{2})([0-9]{2})")
_CRUD = re.compile(r"[\x00-\x1f\x7f-\x9f<>]+")


@dataclass(frozen=True, slots=True)
class Signature:
    """An author or committer line."""

    name: str
    email: str
    moment: Moment


def encode_signature(signature: Signature) -> str:
    """The line without its key, as git accepts it everywhere: no control characters, a date and a zone in range."""
    name = _CRUD.sub("", signature.name).strip() or "unknown"
    email = _CRUD.sub("", signature.email).strip()
    seconds = max(0, min(limits.MAX_SECONDS, signature.moment.seconds))
    minutes = signature.moment.offset_minutes
    hours, rest = divmod(min(abs(minutes), limits.MAX_OFFSET_MINUTES), 60)
    return f"{name} <{email}> {seconds} {'-' if minutes < 0 else '+'}{hours:02}{rest:02}"


def parse_signature(text: str) -> tuple[Signature, list[str]]:
    """A signature line, and what is wrong with it, in words.

    One that foreign software wrote badly keeps its text and gets time 0; a date or a zone out of range counts as 0.
    """
    match = _IDENT.fullmatch(text)
    name, email, digits, sign, hours, minutes = match.groups() if match else (text, "", "0", "+", "00", "00")
    seconds, offset = limits.seconds_of(digits), int(hours) * 60 + int(minutes)
    wrong = [] if match else ["no name, address and date that can be read"]
    if seconds is None:
        wrong.append("a date out of range")
    if offset > limits.MAX_OFFSET_MINUTES:
        wrong.append("a time zone out of range")
        offset = 0
    if len(name) > limits.MAX_NAME_CHARS:
        wrong.append(f"a name of {len(name):,} characters")
        name = limits.cut_line(name, limits.MAX_NAME_CHARS)
    if len(email) > limits.MAX_EMAIL_CHARS:
        wrong.append(f"an address of {len(email):,} characters")
        email = limits.cut_line(email, limits.MAX_EMAIL_CHARS)
    return Signature(name, email, Moment(seconds or 0, -offset if sign == "-" else offset)), wrong
