"""What was said in a room and has no number yet: how much, where it goes, and why it is not there. And in which words.

Made from the refs and from what was noted of the remote (:mod:`gitchat.clones.trouble`). Loads no index: a
send asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitchat.clones.denial import DenialFile
from gitchat.model.names import RoomName
from gitchat.model.record import Entry, Moment
from gitchat.workspace.forks import fork_of, is_in_fork
from gitchat.workspace.pushing import trouble_of

if TYPE_CHECKING:
    from gitchat.verbs.standpoint import Standpoint
    from gitchat.workspace.environment import Environment


@dataclass(frozen=True, slots=True)
class Pending:
    """What waits in a room for the remote that numbers it."""

    remote: str
    count: int
    """How many records; at least 1."""
    is_carried: bool
    """Whether it goes by itself: ``chat.sync`` is not ``manual``."""
    since: int | None = None
    """Since when the remote was not heard, or did not take it, in seconds since the epoch; None: nothing is wrong."""
    why: str | None = None
    """Why, in words; a server's are among them. None where ``since`` is."""
    needs_a_person: bool = False
    """Whether nobody tries again before somebody types ``git chat sync``."""
    fork: str | None = None
    """The remote to whose inbox it goes, because ``remote`` does not take it from here."""
    is_in_fork: bool = False
    """Whether all of it is there, and waits until somebody who may push takes it in."""


def pending(room: Standpoint) -> Pending | None:
    """What has no number yet here, and why; None for nothing. Raises FormatError, and UserError ``bad-config``."""
    return pending_in(room.environment, room.name)


def pending_in(environment: Environment, room: RoomName) -> Pending | None:
    """As :func:`pending`, of a room of this name."""
    remote = environment.authorities.of(room)
    count = len(environment.log(room).pending()) if remote is not None else 0
    if remote is None or not count:
        return None
    is_carried = environment.syncs_by_itself()
    fork = fork_of(environment, remote)
    if fork is not None and DenialFile(environment.repository.directory, remote).load() is None:
        fork = None
    if fork is not None and is_in_fork(environment, fork, room):
        return Pending(remote, count, is_carried, fork=fork, is_in_fork=True)
    trouble = trouble_of(environment, remote, room)
    if trouble is None:
        return Pending(remote, count, is_carried, fork=fork)
    return Pending(remote, count, is_carried, trouble.since, trouble.why, trouble.needs_a_person)


def of_pending(one: Pending | None) -> dict[str, Any]:
    """``waiting`` as JSON, to stand beside other keys; nothing where nothing waits.

    ``count``; ``remote`` where it goes there by itself; ``fork``, the remote to which it goes instead where it may not
    be pushed there, and ``in_fork`` when it waits there; ``since`` and ``why`` where the remote was not heard, or did
    not take it; ``hint`` where somebody has to type something.
    """
    if one is None:
        return {}
    optional = {
        "remote": one.remote if one.is_carried else None,
        "since": Moment(one.since).utc if one.since is not None else None,
        "why": one.why,
        "fork": one.fork,
        "in_fork": True if one.is_in_fork else None,
        "hint": hint_of(one),
    }
    return {"waiting": {"count": one.count} | {key: value for key, value in optional.items() if value is not None}}


def asides(room: Standpoint) -> list[Entry]:
    """The records that the remote does not take, and that were set aside, oldest first. Raises FormatError."""
    return room.records.asides()


def of_asides(entries: Sequence[Entry]) -> dict[str, Any]:
    """``set_aside`` as JSON, to stand beside other keys; nothing where nothing is.

    A list of objects: ``handle``, the ``remote`` that does not take it, and ``why``, in its words.
    """
    shown = [{"handle": one.handle, "remote": one.aside.remote, "why": one.aside.why} for one in entries if one.aside]
    return {"set_aside": shown} if shown else {}


def words_of_aside(handle: str, remote: str, why: str) -> tuple[str, str]:
    """What somebody is told of a record that is set aside, of what is safe to show; and both ways out."""
    return (
        f"{handle} is set aside, because {remote} does not take it: {why}",
        f"to take it back: git chat unsend {handle}; to try it once more: git chat sync --retry",
    )


def words_of(one: Pending, shown: Callable[[str], str], clock: Callable[[int], str]) -> str:
    """What somebody is told of it: ``3 wait for origin since 14:02: Connection refused``.

    ``shown`` makes what others chose safe to show, and ``clock`` a time readable.
    """
    since = clock(one.since) if one.since is not None else None
    hint = hint_of(one)
    from gitchat.quick.page import waits  # for who is told that something waits

    return waits(
        one.count,
        shown(one.remote) if one.is_carried else None,
        since=since,
        why=shown(one.why or ""),
        hint=shown(hint) if hint is not None else None,
        fork=shown(one.fork) if one.fork is not None else None,
        is_in_fork=one.is_in_fork,
    )


def hint_of(one: Pending) -> str | None:
    """What somebody has to type; None where nothing has to be."""
    if one.is_in_fork:
        return None
    if one.needs_a_person:
        return f"git chat sync {one.remote}"
    return None if one.is_carried else "git chat sync"
