"""Telling both of two whose work will not merge, once, and taking that back. Source: docs/format.md section 17.

The log itself says what was told: two clones that find the same write the same record.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from gitchat.model.errors import ConflictError
from gitchat.model.hunks import spelled
from gitchat.model.names import SYSTEM
from gitchat.model.record import STATUS, Draft, Entry
from gitchat.model.refs import copies_prefix, known_prefix
from gitchat.quick.conflicts import CONFLICT, OVER
from gitchat.storage.git import GitFailed
from gitchat.verbs.conflictforms import Names
from gitchat.verbs.standpoint import Standpoint
from gitchat.verbs.warned import PATH, Told, told_in
from gitchat.work.found import FoundFile
from gitchat.work.looking import Looked, Pair
from gitchat.work.merging import Meeting
from gitchat.work.side import Side
from gitchat.workspace.pushing import push_soon
from gitchat.workspace.repository import Repository

AGAIN_SECONDS = 20
"""A conflict of what is not committed is told when a look so much later still finds it: half an edit is none."""

MORE_SECONDS = 600
"""How often two are told of more paths at most."""

HOUR_SECONDS, MOST_AN_HOUR = 3600, 5
"""How many conflicts of one name are told in an hour."""

_MOST_PATHS = 20


def tell(room: Standpoint, found: Looked, hidden: Collection[str] = ()) -> list[Entry]:
    """Write what both sides of a conflict have to know, and what is over; what was written.

    Nothing in a room that nobody made yet, and nothing of the commits ``hidden``. Raises as Writer.send.
    """
    environment = room.environment
    pairs: dict[Names, list[Pair]] = {}
    for pair in found.pairs:
        if names := _names(pair):
            is_hidden = pair.mine.oid in hidden or pair.other.oid in hidden
            shown = replace(pair, meetings=(), not_looked="it is not shared") if is_hidden else pair
            pairs.setdefault(names, []).append(shown)
    file, now = FoundFile(environment.repository.directory), environment.now().seconds
    looked = _looked(found, pairs, file.since())
    is_told = room.name in environment.store.rooms()
    told = told_in(room) if is_told else {}
    over = {" ".join(names): str(one.entries[-1].record.uid) for names, one in told.items() if one.is_over}
    try:
        since = file.note({" ".join(names): paths for names, paths in looked.items()}, now, over)
    except OSError:
        return []  # nobody knows since when: better a look later than one word too much
    if not is_told:
        return []
    written: list[Entry] = []
    for names, paths in looked.items():
        before = told.get(names)
        if paths:
            due = _due(pairs[names], since.get(" ".join(names), {}), now)
            new = sorted(due - (before.paths if before is not None and not before.is_over else set()))
            if new and not _is_told_lately(before, now):
                written += _write(room, names, pairs[names], new, told)
        elif not paths and before is not None and not before.is_over:
            written += _take_back(room, names, before)
    if written:
        push_soon(environment, room.name)
    return written


def _looked(
    found: Looked, pairs: Mapping[Names, Sequence[Pair]], since: Mapping[str, object]
) -> dict[Names, dict[str, Meeting]]:
    """What two have in conflict, of each two of whom that is known; nothing where all of it merges.

    Of who is in another clone only a part is known: that nothing of it is in conflict counts only where something was
    found before. So what that clone alone can see is taken back by that clone alone.
    """
    looked: dict[Names, dict[str, Meeting]] = {}
    names: Names
    for others, is_whole in ((found.afar, False), (found.others, True)):
        for names in (tuple(sorted((one, other))) for one in found.me for other in others if one != other):
            if is_whole or " ".join(names) in since:
                looked[names] = {}
    for names, ours in pairs.items():
        if any(pair.not_looked is not None or any(one.outcome == "may conflict" for one in pair.meetings)
               for pair in ours):  # fmt: skip
            looked.pop(names, None)  # nothing is known of these two
        elif any(map(_certain, ours)) or names in looked:
            looked[names] = {path: one for pair in ours for path, one in _certain(pair).items()}
    return looked


def hidden(room: Standpoint, found: Looked) -> frozenset[str]:
    """The commits of work here that no room may hear of: with ``chat.share=nothing`` all that nobody pushed."""
    repository = room.environment.repository
    if repository.config.get("chat.share") != "nothing":
        return frozenset()
    remote = room.environment.authorities.of(room.name)
    ours = {side for pair in found.pairs for side in (pair.mine, pair.other) if side.top is not None}
    return frozenset(side.oid for side in ours if not _is_published(repository, side, remote))


def _is_published(repository: Repository, side: Side, remote: str | None) -> bool:
    """Whether a branch of the remote has all of it, as far as is known here."""
    if remote is None or not side.is_committed:
        return False
    known = [f"--glob={known_prefix(remote)}", f"--glob={copies_prefix(remote)}"]
    try:
        return not repository.git("rev-list", "-n", "1", side.oid, "--not", *known)
    except GitFailed:
        return False


def _names(pair: Pair) -> Names:
    """The two who are told, sorted; nobody where one is not known, or both are the same."""
    mine, other = pair.mine.names[:1], pair.other.names[:1]
    return tuple(sorted({*mine, *other})) if mine and other and mine != other else ()


def _certain(pair: Pair) -> dict[str, Meeting]:
    return {one.path: one for one in pair.meetings if one.outcome == "conflict"}


def _due(pairs: Sequence[Pair], since: Mapping[str, int], now: int) -> set[str]:
    return {
        path
        for pair in pairs
        if pair.mine.idle_days(now) is None and pair.other.idle_days(now) is None
        for path in _certain(pair)
        if path in since
        and ((pair.mine.is_committed and pair.other.is_committed) or now - since[path] >= AGAIN_SECONDS)
    }


def _is_told_lately(before: Told | None, now: int) -> bool:
    """Whether these two were told of something a moment ago."""
    return before is not None and not before.is_over and now - before.entries[-1].record.written.seconds < MORE_SECONDS


def _most_within_the_hour(told: Mapping[Names, Told], names: Names, now: int) -> int:
    """How many conflicts the one of these two who had more was told of within the hour."""
    lately = [
        pair for pair, one in told.items() for entry in one.entries
        if now - entry.record.written.seconds < HOUR_SECONDS
    ]  # fmt: skip
    return max(sum(name in pair for pair in lately) for name in names)


def _write(
    room: Standpoint, names: Names, pairs: Sequence[Pair], paths: Sequence[str], told: Mapping[Names, Told]
) -> list[Entry]:
    """Tell two of ``paths``; of too many within an hour only that there are more, and of more than that nothing."""
    before = told.get(names)
    count = _most_within_the_hour(told, names, room.environment.now().seconds)
    if count > MOST_AN_HOUR:
        return []
    lines = [_line(pair, meeting) for pair in pairs for path, meeting in _certain(pair).items() if path in paths]
    shown = paths[:_MOST_PATHS]
    if count == MOST_AN_HOUR:
        shown, lines = [], [f"and {len(paths)} more of {' and '.join(names)}: git chat conflicts"]
    elif len(lines) > len(shown):
        lines = [*lines[:_MOST_PATHS], f"and {len(lines) - len(shown)} more: git chat conflicts"]
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


def _take_back(room: Standpoint, names: Names, before: Told) -> list[Entry]:
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
