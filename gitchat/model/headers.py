"""The headers of a commit, read as git reads them: its tree and parents, who wrote it and when.

Pure. Source: docs/format.md sections 3 and 3.5.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gitchat.model.errors import FormatError
from gitchat.model.names import Oid
from gitchat.model.record import Moment
from gitchat.model.signature import Signature, parse_signature

_ID = "[0-9a-f]{40}(?:[0-9a-f]{24})?"
_OID = re.compile(_ID)

_PERSON = r"([^<>\n]{0,64}?) ?<([^<>\n]{0,254})> ([0-9]{1,12}) ([+-])([01][0-9])([0-9]{2})"
_USUAL = re.compile(rf"tree ({_ID})\nparent ({_ID})\nauthor {_PERSON}\ncommitter {_PERSON}")
"""The headers of nearly every record: one parent, and all within the limits on reading."""


class Headers(NamedTuple):
    """What stands before a commit's message."""

    tree: Oid
    parents: tuple[Oid, ...]
    author: Signature
    committer: Signature
    wrong: list[str]
    """What of it could not be read as it stands, or was cut, in words."""


def parse_headers(oid: Oid, head: str) -> Headers:
    """The headers of the commit ``oid``. Usual ones are read by one look, with the same result.

    Tree and parents are read first, in this order. Unknown headers (a signature, an encoding) are passed over, and so
    is a parent that stands behind them, which git would not fetch.

    Raises:
        FormatError: ``damaged-object`` when git, too, could not tell the commit's tree and parents.
    """
    usual = _USUAL.fullmatch(head)
    if usual is None:
        return _by_line(oid, head)
    tree, parent, *people = usual.groups()
    return Headers(Oid(tree), (Oid(parent),), _signature(*people[:6]), _signature(*people[6:]), [])


def _signature(name: str, email: str, digits: str, sign: str, hours: str, minutes: str) -> Signature:
    """What parse_signature gives for one that is within all limits."""
    offset = int(hours) * 60 + int(minutes)
    return Signature(name, email, Moment(int(digits), -offset if sign == "-" else offset))


def _by_line(oid: Oid, head: str) -> Headers:
    lines = head.split("\n")
    parents: list[str] = []
    for line in lines[1:]:
        if not line.startswith("parent "):
            break
        parents.append(line[7:].lower())
    tree = lines[0].removeprefix("tree ").lower()
    if not lines[0].startswith("tree ") or not all(_OID.fullmatch(one) for one in (tree, *parents)):
        raise FormatError(
            f"commit {oid} is damaged: its headers cannot be read",
            hint="git chat doctor",
            code="damaged-object",
            oid=oid,
        )
    people: dict[str, Signature] = {}
    wrong: list[str] = []
    for line in lines[1 + len(parents) :]:
        key, _, value = line.partition(" ")
        if key in ("author", "committer") and key not in people:
            people[key], faults = parse_signature(value)
            if faults:
                wrong += [f"its {key} has {fault}" for fault in faults]
    for key in ("author", "committer"):
        if key not in people:
            people[key], _ = parse_signature("")
            wrong.append(f"it has no {key}")
    return Headers(Oid(tree), tuple(map(Oid, parents)), people["author"], people["committer"], wrong)
