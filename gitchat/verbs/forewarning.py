"""Telling both of two whose work will not merge, once, and taking that back. Source: docs/format.md section 17.

The log itself says what was told: two clones that find the same write the same record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from gitchat.index.condition import Condition, authored_by, of_kinds, of_type
from gitchat.model.errors import ConflictError
from gitchat.model.hunks import spelled
from gitchat.model.names import SYSTEM, Uid
from gitchat.model.record import STATUS, Draft, Entry
from gitchat.verbs.standpoint import Standpoint, entries_at
from gitchat.work.found import FoundFile
from gitchat.work.looking import Looked, Pair
from gitchat.work.merging import Meeting
from gitchat.workspace.pushing import push_soon

CONFLICT, OVER = "conflict", "conflict-over"
"""The types of the two status records."""

PATH = "Chat-Path"
"""The trailer that names a path that cannot be merged."""

AGAIN_SECONDS = 20
"""A conflict of what is not committed is told when a look so much later still finds it: half an edit is none."""

MORE_SECONDS = 600
"""How often two are told of more paths at most."""

HOUR_SECONDS, MOST_AN_HOUR = 3600, 5
"""How many conflicts of one name are told in an hour."""

_MOST_PATHS = 20
_OLDEST_SECONDS = 14 * 86_400


@dataclass(frozen=True, slots=True)
class Told:
    """What two were told of their conflict, as the log has it."""

    entries: tuple[Entry, ...]
    """First to last."""
    is_over: bool

    @property
    def paths(self) -> set[str]:
        """The paths that were told since it was last over."""
        return {value for entry in self.entries for key, value in entry.record.extra if key == PATH}


def tell(room: Standpoint, found: Looked) -> list[Entry]:
    """Write what both sides of a conflict have to know, and what is over; what was written.

    Nothing in a room that nobody made yet. Raises as Writer.send.
    """
    environment = room.environment
    pairs = {_names(pair): pair for pair in found.pairs if _names(pair)}
    now = environment.now().seconds
    looked: dict[str, dict[str, Meeting]] = {" ".join(names): {} for names in _clean(found)}
    looked |= {" ".join(names): _certain(pair) for names, pair in pairs.items()}
    for names, pair in pairs.items():
        if pair.not_looked is not None or any(one.outcome == "may conflict" for one in pair.meetings):
            del looked[" ".join(names)]  # nothing is known of these two
    try:
        since = FoundFile(environment.repository.directory).note(looked, now)
    except OSError:
        return []  # nobody knows since when: better a look later than one word too much
    if room.name not in environment.store.rooms():
        return []
    told = _told(room)
    written: list[Entry] = []
    for names, paths in ((tuple(key.split(" ")), paths) for key, paths in looked.items()):
        before = told.get(names)
        if paths:
            due = _due(pairs[names], paths, since.get(" ".join(names), {}), now)
            new = sorted(due - (before.paths if before is not None and not before.is_over else set()))
            if new and not _is_too_much(before, told, names, now):
                written += _write(room, names, pairs[names], new, before, told)
        elif before is not None and not before.is_over:
            written += _take_back(room, names, before)
    if written:
        push_soon(environment, room.name)
    return written


def _names(pair: Pair) -> tuple[str, ...]:
    """The two who are told, sorted; nobody where one is not known, or both are the same."""
    mine, other = pair.mine.names[:1], pair.other.names[:1]
    return tuple(sorted({*mine, *other})) if mine and other and mine != other else ()


def _clean(found: Looked) -> list[tuple[str, ...]]:
    """The pairs of names whose work was looked at and shares nothing."""
    return [tuple(sorted((mine, other))) for mine in found.me for other in found.others if mine != other]


def _certain(pair: Pair) -> dict[str, Meeting]:
    return {one.path: one for one in pair.meetings if one.outcome == "conflict"}


def _due(pair: Pair, paths: Mapping[str, Meeting], since: Mapping[str, int], now: int) -> set[str]:
    if pair.mine.is_committed and pair.other.is_committed:
        return set(paths)
    return {path for path in paths if now - since.get(path, now) >= AGAIN_SECONDS}


def _is_too_much(before: Told | None, told: Mapping[tuple[str, ...], Told], names: Sequence[str], now: int) -> bool:
    """Whether these two were told of more paths a moment ago, or one of them of many conflicts within the hour."""
    if before is not None and not before.is_over and now - before.entries[-1].record.written.seconds < MORE_SECONDS:
        return True
    lately = [
        set(pair) & set(names)
        for pair, one in told.items()
        for entry in one.entries
        if now - entry.record.written.seconds < HOUR_SECONDS
    ]
    return any(sum(name in met for met in lately) >= MOST_AN_HOUR for name in names)


def _told(room: Standpoint) -> dict[tuple[str, ...], Told]:
    """What was told in this room in the last two weeks, by the names of both."""
    since = Condition("committed > ?", (room.environment.now().seconds - _OLDEST_SECONDS,))
    ours = Condition.all_of([of_kinds([STATUS]), authored_by(SYSTEM), since])
    chain = room.records.chain()
    places = [place for slug in (CONFLICT, OVER) for place in chain.select(Condition.all_of([ours, of_type(slug)]))]
    found: dict[tuple[str, ...], Told] = {}
    of: dict[Uid, tuple[str, ...]] = {}
    for entry in entries_at(room, sorted(places, key=lambda place: place.number)):
        record = entry.record
        if record.type == CONFLICT and len(record.to) == 2:
            names = of[record.uid] = tuple(sorted(record.to))
            known = found.get(names)
            found[names] = Told((*(known.entries if known is not None else ()), entry), is_over=False)
        elif record.type == OVER and record.reply_to in of:
            names = of[record.reply_to]
            found[names] = replace(found[names], is_over=True)
    return found


def _write(
    room: Standpoint,
    names: tuple[str, ...],
    pair: Pair,
    paths: Sequence[str],
    before: Told | None,
    told: Mapping[tuple[str, ...], Told],
) -> list[Entry]:
    meetings = _certain(pair)
    shown = paths[:_MOST_PATHS]
    lines = [_line(pair, meetings[path]) for path in shown]
    if len(paths) > len(shown):
        lines.append(f"and {len(paths) - len(shown)} more: git chat conflicts")
    number = len(before.entries) + 1 if before is not None else 1
    draft = Draft(
        body="\n".join(lines),
        kind=STATUS,
        type=CONFLICT,
        to=names,
        reply_to=before.entries[-1].record.uid if before is not None and not before.is_over else None,
        extra=tuple((PATH, path) for path in shown if path.isprintable()),
    )
    return _send(room, draft, f"conflict {' '.join(names)} {number}")


def _take_back(room: Standpoint, names: tuple[str, ...], before: Told) -> list[Entry]:
    last = before.entries[-1].record
    draft = Draft(
        body=f"what {' and '.join(names)} changed can be merged now", kind=STATUS, type=OVER, reply_to=last.uid
    )
    return _send(room, draft, f"conflict-over {last.uid}")


def _send(room: Standpoint, draft: Draft, key: str) -> list[Entry]:
    sender = replace(room.environment.caller.identity(is_seated=False), name=SYSTEM, origin="hook", clone=None)
    with suppress(ConflictError):  # the same was said at the same time, in other words
        sent = room.writer.send(draft, sender, key=key)
        return [] if sent.is_repeat else [sent.entry]
    return []


def _line(pair: Pair, one: Meeting) -> str:
    """``src/lexer.py: alice (main, not committed, lines 40-58) and bob (lexer, lines 44-49) cannot be merged``."""
    sides = []
    for side, lines in ((pair.mine, one.here), (pair.other, one.there)):
        about = [side.branch or "no branch", *([] if side.is_committed else ["not committed"])]
        about += [spelled(lines)] if lines else []
        sides.append((side.names[0], ", ".join(about)))
    first, second = sorted(sides)
    return f"{one.path}: {first[0]} ({first[1]}) and {second[0]} ({second[1]}) cannot be merged"
