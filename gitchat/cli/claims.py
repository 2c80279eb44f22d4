"""Claims on a terminal and as JSON: what ``claim``, ``release`` and ``claims`` share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gitchat.cli import dates
from gitchat.cli.terminal import escape_json, escape_line
from gitchat.model.claim import Standing
from gitchat.model.participant import Presence
from gitchat.model.record import Moment
from gitchat.quick import page
from gitchat.verbs.claimwords import clock, listed, note_of

if TYPE_CHECKING:  # SQLite comes with it
    from gitchat.verbs.conflictforms import Open
    from gitchat.verbs.views import Behind


def parse_span(text: str) -> int:
    """A time such as ``2h``, ``90m`` or ``1h30m`` in seconds. Raises UserError ``bad-date``."""
    return dates.span(text, "--for", least="m")


def json_line(standing: Standing) -> str:
    """One claim as a JSON object, in a line."""
    from gitchat.verbs.as_json import of_claim

    return escape_json(json.dumps(of_claim(standing), ensure_ascii=False)) + "\n"


def words(standing: Standing, now: Moment) -> str:
    """What somebody is told who has claimed."""
    claim, blocker = standing.claim, standing.waits_for
    if blocker is not None:
        return f"{claim.entry.label} you wait for {blocker.seat.name} ({blocker.entry.label})"
    agreed = "" if claim.is_agreed else ", not yet agreed"
    return f"{claim.entry.label} you have {escape_line(listed(claim.whats))} until {clock(claim.until, now)}{agreed}"


def summed_up(mine: Sequence[Standing], meeting: Sequence[Standing], now: Moment) -> list[str]:
    """One's own claims in a line, and in another those of others that are of files which one changed."""
    own = (
        (
            escape_line(listed(one.claim.whats)),
            clock(one.claim.until, now),
            one.waits_for.seat.name if one.waits_for is not None else None,
        )
        for one in mine
    )
    others = (
        (escape_line(one.claim.seat.name), escape_line(listed(one.claim.whats)), one.claim.entry.label)
        for one in meeting
    )
    return page.claims(own, others)


def ahead(conflicts: Sequence[Open], behind: Behind | None, me: str) -> list[str]:
    """What will not merge, in a line, and in another how far the base is ahead."""
    told = ((escape_line(", ".join(one.paths)), one.others(me), one.entry.label, one.is_old) for one in conflicts)
    lines = page.conflicts(told)
    if behind is not None:
        lines.append(page.behind(escape_line(behind.base), behind.count, len(behind.paths)))
    return lines


def row(standing: Standing, presence: Presence | None, has_namesake: bool, now: Moment) -> list[str]:
    """One claim as the cells of a line."""
    claim, blocker = standing.claim, standing.waits_for
    name = f"{claim.seat.name} ({(claim.seat.clone or 'a person')[:6]})" if has_namesake else claim.seat.name
    if blocker is not None:
        state = f"waits for {blocker.seat.name} {blocker.entry.label}"
    else:
        is_living = presence is not None and presence.is_living
        state = f"until {clock(claim.until, now)}{', living' if is_living else ''}"
        state += "" if claim.is_agreed else ", not yet agreed"
    return [claim.entry.label, escape_line(name), escape_line(listed(claim.whats)), state, escape_line(note_of(claim))]
