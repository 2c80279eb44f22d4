"""Claiming: taking files, tasks and things for a while, so that no two do the same; giving them back; who has what.

Who has what is :func:`gitchat.model.claim.standings`, of the log as it is here. A claim is written only when the log
still is what it was when that was found out, so that no two of one clone are given the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from gitchat.model.claim import (
    DEFAULT_SECONDS,
    MAX_SECONDS,
    MAX_THINGS,
    MIN_SECONDS,
    Claim,
    Seat,
    Standing,
    What,
    first_of_others,
    freed,
    parse_what,
    trailers_of,
)
from gitchat.model.errors import ConflictError, UserError
from gitchat.model.names import Oid, Uid
from gitchat.model.pattern import matches
from gitchat.model.record import CLAIM, RELEASE, Draft, Entry
from gitchat.model.refs import log_ref
from gitchat.storage.git import GitFailed
from gitchat.verbs.claimwords import body_of, listed, refused
from gitchat.verbs.standing import seat, standing_in
from gitchat.verbs.standpoint import Standpoint, touch
from gitchat.verbs.talking import find
from gitchat.workspace.files import changed, tracked
from gitchat.workspace.pushing import push_soon

LARGE_FILES = 200
"""From how many tracked files on a claim of more than half of them may only be short."""

BROAD_SECONDS = 15 * 60

_ATTEMPTS = 200
"""How often it is looked anew because somebody wrote meanwhile: each time somebody else got on."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim that was written, and where it stands."""

    standing: Standing

    @property
    def entry(self) -> Entry:
        """Its record."""
        return self.standing.claim.entry


class _Moved(Exception):
    """Somebody wrote meanwhile."""


def claims(room: Standpoint, whats: Sequence[str] = ()) -> list[Standing]:
    """What holds and what waits in this room, first come first; with ``whats`` what is about one of these.

    Raises UserError ``not-a-pattern``, ``bad-claim``.
    """
    asked = [_meant(room, text) for text in whats]
    found = standing_in(room)
    return [one for one in found if not asked or one.claim.meets(asked)]


def claim(
    room: Standpoint, whats: Sequence[str] = (), note: str = "", *, seconds: int = DEFAULT_SECONDS, wait: bool = False
) -> Claimed:
    """Take all of ``whats``, by default the files that I changed, for so many ``seconds``; or nothing.

    What I have already is taken for longer, and keeps its place. With ``wait`` I stand in line where somebody has
    something of it.

    Raises:
        UserError: ``not-a-pattern``, ``bad-claim``, ``no-changes``, ``too-broad``, ``room-closed``, ``mirror``.
        ConflictError: ``claimed``: somebody has something of it, and nothing was written.
    """
    room.environment.repository.refuse_mirror()
    wanted = [_meant(room, text) for text in whats] if whats else _changed(room)
    _refuse_too_much(room, wanted, seconds)
    room.seating.sit_down(room.name, room.me)
    for _ in range(_ATTEMPTS):
        seen = room.environment.store.tip(log_ref(room.name))
        with suppress(_Moved):
            return _claim(room, wanted, note, seconds, wait, seen=seen)
    raise ConflictError(
        "others write in this room all the time, and nothing was claimed",
        hint="try again",
        code="busy",
    )


def _claim(
    room: Standpoint, wanted: Sequence[What], note: str, seconds: int, wait: bool, *, seen: Oid | None
) -> Claimed:
    """As :func:`claim`, if the log is still at ``seen`` when it is written. Raises _Moved when it is not."""

    def refuse_moved(tip: Oid | None) -> None:
        if tip != seen:
            raise _Moved

    me, now = seat(room), room.environment.now().seconds
    found = standing_in(room)
    again = _same(found, me, wanted)
    blocker = first_of_others(found[: found.index(again)] if again is not None else found, me, wanted)
    if blocker is not None and not wait:
        raise refused(blocker, wanted, room.environment.now())
    until = now + seconds
    draft = Draft(
        body=body_of(wanted, until, note, waits=blocker is not None),
        kind=CLAIM,
        to=(blocker.entry.record.author,) if blocker is not None else (),
        reply_to=again.claim.entry.record.uid if again is not None else None,
        extra=trailers_of(wanted, until),
    )
    sent = room.writer.send(draft, room.identity, check=refuse_moved)
    touch(room)
    from gitchat.workspace.guarding import refresh  # for who claims

    refresh(room.environment)
    push_soon(room.environment, room.name)
    mine = Claim(entry=sent.entry, seat=me, whats=tuple(wanted), until=until)
    return Claimed(Standing(mine, blocker))


def release(room: Standpoint, what: str | Sequence[str] | None = None) -> list[Claim]:
    """Give back what I have of ``what``, be it a number, a handle or a thing, or several of them; by default all. The
    claims that ended.

    Who now has what it waited for is told.

    Raises:
        UserError: ``no-claim`` when I have none of it; ``no-such-record``, ``not-a-pattern``, ``mirror``.
    """
    room.environment.repository.refuse_mirror()
    me, found = seat(room), standing_in(room)
    mine = [one.claim for one in found if one.claim.seat == me]
    asked = [what] if isinstance(what, str) else what or []
    chosen = [claim for text in asked for claim in _chosen(room, mine, text)]
    ended = [claim for claim in mine if claim in chosen] if asked else mine
    if not ended:
        raise _no_claim(room, None)
    is_all, told = len(ended) == len(mine), set[str]()
    for place, claim in enumerate(ended[:1] if is_all else ended):
        gone = ended if is_all else ended[: place + 1]
        names = [name for name in freed(found, gone) if name not in told]
        told.update(names)
        body = f"gives back {listed([what for one in (gone if is_all else [claim]) for what in one.whats])}"
        uid = None if is_all else claim.entry.record.uid
        draft = Draft(body=body, kind=RELEASE, to=tuple(names), reply_to=uid)
        room.writer.send(draft, room.identity)
    touch(room)
    from gitchat.workspace.guarding import refresh

    refresh(room.environment)
    push_soon(room.environment, room.name)
    return ended


def _chosen(room: Standpoint, mine: Sequence[Claim], what: str) -> list[Claim]:
    if what.lstrip("#").isdigit() or what.startswith("~"):
        uid: Uid = find(room, what).record.uid
        found = [claim for claim in mine if claim.entry.record.uid == uid]
    else:
        wanted = _meant(room, what)
        found = [claim for claim in mine if wanted in claim.whats] or [one for one in mine if one.meets([wanted])]
    if not found:
        raise _no_claim(room, what)
    return found


def _no_claim(room: Standpoint, what: str | None) -> UserError:
    return UserError(
        f"{room.me} has no claim of {what!r}" if what is not None else f"{room.me} has no claim",
        hint="see who has what: git chat claims",
        code="no-claim",
    )


def _same(found: Sequence[Standing], me: Seat, wanted: Sequence[What]) -> Standing | None:
    """My claim of just these things; None without one."""
    values = {what.value for what in wanted}
    mine = (one for one in found if one.claim.seat == me and {what.value for what in one.claim.whats} == values)
    return next(mine, None)


# --- what is meant ------------------------------------------------------------------


def _meant(room: Standpoint, text: str) -> What:
    """What ``text`` says; a directory of the work tree with all that is below. Raises as parse_what."""
    what = parse_what(text)
    is_directory = (
        what.kind == "path" and not text.endswith("/") and (room.environment.repository.worktree / what.text).is_dir()
    )
    return What("path", what.text + "/") if is_directory else what


def _changed(room: Standpoint) -> list[What]:
    """The files that I changed. Raises UserError ``no-changes``, ``bad-claim``, ``not-a-pattern``."""
    try:
        paths = changed(room.environment.repository)
    except GitFailed:
        paths = []
    if not paths:
        raise UserError(
            "no file is changed here, so say what to claim",
            hint="for example: git chat claim src/lexer/ task:12",
            code="no-changes",
        )
    return [What("path", parse_what(f"path:{path}").text) for path in paths]


def _refuse_too_much(room: Standpoint, wanted: Sequence[What], seconds: int) -> None:
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise UserError(
            "a claim lasts from 5 minutes to 24 hours",
            hint="for example: git chat claim --for 2h src/lexer/",
            code="bad-claim",
        )
    if len(wanted) > MAX_THINGS:
        raise UserError(
            f"these are {len(wanted)} things, and a claim is of {MAX_THINGS} at most",
            hint="claim a directory or a pattern: git chat claim src/lexer/",
            code="bad-claim",
        )
    broad = [
        what.parts for what in wanted if what.kind == "path" and (what.text.endswith("/") or set("*?") & set(what.text))
    ]
    if not broad or seconds <= BROAD_SECONDS:
        return
    try:
        files = tracked(room.environment.repository)
    except GitFailed:  # no work tree
        return
    count = sum(any(matches(parts, file) for parts in broad) for file in files) if len(files) > LARGE_FILES else 0
    if 2 * count > len(files):
        raise UserError(
            f"that is {count} of {len(files)} files: so much may be claimed for 15 minutes at most",
            hint="claim less, or add --for 15m",
            code="too-broad",
        )
