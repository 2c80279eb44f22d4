"""What is claimed in a room, and which conflicts are open there, as its screen tells whoever looks."""

import os
import time

from gitchat.quick import conflicts, page, standing
from gitchat.quick.ago import clock
from gitchat.quick.around import on_a_line
from gitchat.quick.lately import Lately, address_of, clone_of
from gitchat.quick.pattern import overlap
from gitchat.quick.place import Place
from gitchat.quick.reader import Reader
from gitchat.quick.record import SYSTEM
from gitchat.quick.spawned import output
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gitchat.quick.lately import One
    from gitchat.quick.record import Record

MOST_FILES = 500
"""As gitchat.verbs.standing has it: of how many changed files it is asked who has claimed them."""

_CHANGED = ("--no-optional-locks", "status", "--porcelain=v1", "-z", "-uall", "--no-renames", "--ignore-submodules=all")
"""As gitchat.workspace.files asks git."""


def claims(place: Place, reader: Reader, lately: Lately, now: int) -> "list[str]":
    """The reader's claims, and those of others that are of files which were changed here, a line each.

    Raises Unusual, OSError and ValueError.
    """
    since = now - standing.MAX_SECONDS
    found = lately.about(
        lambda one: _is_of_claims(one) and one.committed > since, lambda rest, below: rest.of_claims(since, below)
    )
    if not any(one.record.kind == "claim" for one in found):
        return []
    here = standing.standing(_said(lately, found), now)
    is_person = reader.sender.agent is None
    me = (reader.me, "" if is_person else reader.clone, reader.sender.address if is_person else "")
    offset_minutes = time.localtime(now).tm_gmtoff // 60
    own = [
        (_listed(claim), clock(claim.until, now, offset_minutes), before.seat[0] if before is not None else None)
        for claim, before in here
        if claim.seat == me
    ]
    return page.claims(own, _meeting(place, [claim for claim, _ in here if claim.seat != me]))


def _is_of_claims(one: "Record") -> bool:
    return one.kind in ("claim", "release") or (one.author == SYSTEM and one.type == "presence")


def _said(lately: Lately, found: "Iterable[One]") -> "Iterator[standing.Claim | standing.End]":
    """What records say of claims. Raises Unusual."""
    for one in found:
        said = one.record
        clone = clone_of(said)
        seat = said.author, clone, "" if clone else address_of(said)
        if said.kind == "claim":
            whats = [
                what for value in said.whats[: standing.MAX_THINGS] if (what := standing.what_of(value)) is not None
            ]
            until = standing.seconds_of(said.until)
            if until is None:
                raise Unusual
            if whats:
                yield standing.Claim(f"#{one.number}", said.uid, said.reply, seat, whats, until, said.seconds)
        elif said.kind == "release":
            yield standing.End(seat, said.reply)
        elif (left := standing.left_by(said.body)) is not None and not _is_hidden(lately, one):
            yield standing.End((left, *seat[1:]), None)


def _is_hidden(lately: Lately, one: "One") -> bool:
    """Whether views show nothing of what it says. Raises Unusual: that takes more to tell."""
    if not one.record.is_plain:
        raise Unusual
    return lately.redacted_by(one) is not None


def _listed(claim: standing.Claim) -> str:
    return on_a_line(", ".join(what.typed() for what in claim.whats))


def _meeting(place: Place, others: "Sequence[standing.Claim]") -> "list[tuple[str, str, str]]":
    """Those of the claims that are of files which were changed here: who, what, and the label of each."""
    if not any(what.kind == "path" for claim in others for what in claim.whats):
        return []
    files = _changed(place)
    return [
        (claim.seat[0], _listed(claim), claim.of)
        for claim in others
        if any(overlap(what.parts, file) for what in claim.whats if what.kind == "path" for file in files)
    ]


def _changed(place: Place) -> "list[tuple[str, ...]]":
    """The files that were changed here and are not committed, each by its parts. Raises Unusual."""
    if {"GIT_DIR", "GIT_INDEX_FILE"} & place.variables.keys():
        raise Unusual  # a hook's git compares with what is about to be committed
    told = os.fsdecode(output(place, "-C", place.top, *_CHANGED)).split("\0")
    files = sorted(line[3:] for line in told if line)[:MOST_FILES]
    if any(file.endswith("/") or {*file} & {*"*?"} for file in files):
        raise Unusual  # it would be taken for a pattern
    return [tuple(file.split("/")) for file in files]


def open_conflicts(reader: Reader, lately: Lately, now: int) -> "list[str]":
    """What will not merge of the reader's with that of others, in a line. Raises Unusual, OSError and ValueError."""
    since = now - conflicts.OLDEST_SECONDS
    found = lately.about(
        lambda one: _is_of_conflicts(one) and one.committed > since,
        lambda rest, below: rest.of_conflicts(since, below),
    )
    said = ((one.record.type, one.record.to, one.record.uid, one.record.reply, one) for one in found)
    mine = [(names, one) for names, one in conflicts.told(said).items() if not one.is_over and reader.me in names]
    mine.sort(key=lambda pair: pair[1].ones[pair[1].begin].record.seconds)
    lines = []
    for names, told in mine:
        shown = (one for one in told.ones[told.begin :] if not _is_hidden(lately, one))
        paths = sorted({path for one in shown for path in one.record.paths})
        last = told.ones[-1]
        others = tuple(name for name in names if name != reader.me)
        is_old = now - last.record.seconds >= conflicts.OLD_SECONDS
        lines.append((on_a_line(", ".join(paths)), others, f"#{last.number}", is_old))
    return page.conflicts(lines)


def _is_of_conflicts(one: "Record") -> bool:
    return one.kind == "status" and one.author == SYSTEM and one.type in (conflicts.CONFLICT, conflicts.OVER)
