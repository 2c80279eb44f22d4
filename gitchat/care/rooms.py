"""What can be wrong with the rooms themselves: their refs, their newest records, who gives their numbers.

Reads only. Source: docs/format.md section 7.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from itertools import dropwhile
from pathlib import Path

from gitchat.care.finding import Finding, lost, mend
from gitchat.care.versions import unknown_authority
from gitchat.model.codec import CLONE
from gitchat.model.errors import ChatError, FormatError
from gitchat.model.escape import escape_name
from gitchat.model.names import RoomName
from gitchat.model.query import Query
from gitchat.model.record import Entry
from gitchat.model.refs import is_of_a_room, log_ref, room_of_log, work_of
from gitchat.rooms.recovery import damaged_rooms, follows, lost_rooms, where_stood
from gitchat.storage.store import Store
from gitchat.workspace.claimed import standings_in
from gitchat.workspace.environment import Environment

RECENT_RECORDS = 50
AHEAD_SECONDS = 86400
"""How far a record's date may lie ahead before a clock counts as wrong."""

CLAIMS_AHEAD_SECONDS = 300
"""The same where something is claimed: who has it is decided by the reader's clock."""


def examine(environment: Environment) -> Iterator[Finding]:
    """Each room here, and what is missing of others. The store has to open."""
    store = environment.store
    damaged, without_ref = damaged_rooms(store), lost_rooms(store)
    try:
        names = {*store.rooms(), *damaged}
    except FormatError as error:
        yield Finding("wrong", "refs", str(error), _mend_refs(store, error))
        return
    if not names and not without_ref:
        yield Finding("ok", "rooms", 'none yet; the first message makes one: git chat send "hello"')
    for name in sorted(names):
        yield from _room(environment, name)
    yield from _odd_refs(store)
    yield from _first_remote(environment)
    yield from _cuts(store)
    for name in without_ref:
        yield lost(store, name)


def _room(environment: Environment, name: RoomName) -> Iterator[Finding]:
    room = environment.log(name)
    subject = f"room {name}"
    try:
        listing = room.listing(Query(), RECENT_RECORDS)
        count = room.count()
    except ChatError as error:
        yield Finding("wrong", subject, str(error), mend(environment.store, name, error))
        return
    if listing.damage is not None:
        text = f"{listing.damage} (newer records can be read)" if listing.entries else str(listing.damage)
        yield Finding("wrong", subject, text, mend(environment.store, name, listing.damage))
        return
    yield Finding(
        "ok",
        subject,
        f"{count} record{'' if count == 1 else 's'}, format 1; the newest {len(listing.entries)} read well",
    )
    yield from _older_writers(environment, name, listing.entries)
    yield from _left_behind(environment.store, name)
    yield from _authority(environment, name)
    yield from _claims_by_a_clock(environment, name, listing.entries)
    if listing.entries:
        ahead = listing.entries[-1].committed_seconds - environment.now().seconds
        if ahead > AHEAD_SECONDS:
            yield Finding(
                "wrong",
                "clock",
                f"the newest commit of room {name} is dated {ahead // 86400} days ahead: "
                "the clock here is behind, or a writer's was ahead",
                "compare the clocks of the machines that write: date -u",
            )


def _odd_refs(store: Store) -> Iterator[Finding]:
    """Refs here or at a remote that are none of a room's and can stand in the way of one, and logs that are no log.

    The remote is not asked: this is what the last fetch found there.
    """
    for ref, _ in store.tips():
        if not is_of_a_room(ref) and work_of(ref) is None:
            command = f"git update-ref --no-deref -d {shlex.quote(ref)}"
            yield Finding("note", "refs", f"{ref} is none of a room's", command)
    for remote, ref, oid in sorted(store.fetched()):
        command = f"git push {shlex.quote(remote)} --delete {shlex.quote(ref)}"
        if work_of(ref) is not None:
            continue  # what others share of their work
        if not is_of_a_room(ref):
            yield Finding("note", "refs", f"'{remote}' has {ref}, which is none of a room's", command)
        elif room_of_log(ref) is not None:
            try:
                store.read(oid)
            except FormatError as error:
                text = f"'{remote}' has a room '{room_of_log(ref)}' that cannot be read, and is left alone: {error}"
                yield Finding("note", "refs", text, command)


def _claims_by_a_clock(environment: Environment, name: RoomName, entries: Sequence[Entry]) -> Iterator[Finding]:
    """That claims end at another time here than elsewhere. Only what is ahead shows it: an old record does not."""
    ahead = entries[-1].record.written.seconds - environment.now().seconds if entries else 0
    if CLAIMS_AHEAD_SECONDS < ahead <= AHEAD_SECONDS and standings_in(environment, name):
        yield Finding(
            "wrong",
            "clock",
            f"the newest record of room {name} is dated {ahead // 60} minutes ahead, and claims there end by the clock "
            "here: it is behind, or the writer's is ahead",
            "compare the clocks of the machines that write: date -u",
        )


def _older_writers(environment: Environment, name: RoomName, entries: Sequence[Entry]) -> Iterator[Finding]:
    """Who wrote with version 0.1.0 after others wrote with a later one: its records say nothing of a clone."""
    read = environment.store.read
    says = [(entry.record.author, read(entry.oid).value(CLONE) is not None) for entry in entries]
    later = list(dropwhile(lambda one: not one[1], says))
    names = sorted({author for author, has_line in later if not has_line})
    if names:
        yield Finding(
            "note",
            f"room {name}",
            f"gitchat 0.1.0 runs beside this version, for {', '.join(map(escape_name, names))}: there agents of one "
            "name in two clones read for each other, and positions that were dropped come back",
            "where they run, end its servers and watchers, then, in the clone of gitchat: git pull && "
            "pipx install --force . (or: uv tool install --reinstall .)",
        )
        yield from unknown_authority(environment, name)


def _left_behind(store: Store, name: RoomName) -> Iterator[Finding]:
    """Records that were written here and are not in the log: a foreign push or fetch replaced it, or moved it back."""
    ref, stood = log_ref(name), where_stood(store, name)
    tip = store.tip(ref)
    if tip is None or stood is None or tip == stood:
        return
    try:
        if follows(tip, stood, store.read):
            return
    except FormatError:
        return  # told with the room, or by verify
    yield Finding(
        "wrong",
        f"room {name}",
        f"commit {stood} was the newest here, and is not in the log any more: somebody moved the ref",
        f"see what is missing: git log {tip}..{stood}; to go back to it: git update-ref {ref} {stood} {tip}",
    )


def _authority(environment: Environment, name: RoomName) -> Iterator[Finding]:
    """Who gives the numbers of a room, and what it has not accepted yet. The remote is not asked."""
    authority = environment.authorities.of(name)
    if authority is None:
        return
    subject = f"room {name}"
    asides = environment.log(name).asides()
    for one in asides:
        if one.aside is not None:
            remote, why = one.aside.remote, one.aside.why
            yield Finding(
                "note",
                subject,
                f"{one.handle} of {one.record.author} is set aside: '{remote}' does not take it: {why}",
                f"git chat unsend --room {name} {one.handle}; or try it once more: git chat sync --retry",
            )
    if authority not in environment.repository.config.subsections("remote", "url"):
        yield Finding(
            "wrong",
            subject,
            f"its numbers come from the remote '{authority}', and there is no such remote: nothing can be pushed",
            f"git remote add {authority} URL; or follow another: git config chatroom.{name}.remote NAME",
        )
    elif waiting := len(environment.log(name).pending()):
        yield Finding(
            "note",
            subject,
            f"{waiting} record{'' if waiting == 1 else 's'} pending: '{authority}' has not accepted "
            f"{'it' if waiting == 1 else 'them'} yet",
            f"git chat sync {authority}",
        )
    elif not asides:
        yield Finding("ok", subject, f"its numbers come from the remote '{authority}', and nothing is pending")


def _first_remote(environment: Environment) -> Iterator[Finding]:
    """What the last look at the clone's remote found that a person should know. The remote is not asked."""
    from gitchat.workspace import arriving  # for who has a remote

    for sentence in arriving.told(environment, None):
        said, _, command = sentence.rpartition(": ")
        yield Finding("note", "remote", said or sentence, command if said else None)


def _mend_refs(store: Store, error: FormatError) -> str:
    """What brings git's refs back when packed-refs is damaged: every whole line of it, the user's branches too."""
    path = store.common_dir / "packed-refs"
    if error.code != "damaged-ref":
        return error.hint
    # Without the header git sorts by itself, and asks no peeled lines (^...) that may have lost their tag.
    lines = "/^[0-9a-f]{40,64} refs\\/[^[:cntrl:] ]+$/p"
    wanted = lines if _ends_a_line(path) else f"$d; {lines}"
    return f"mv '{path}' '{path}.damaged'; LC_ALL=C sed -nE '{wanted}' '{path}.damaged' > '{path}'"


def _ends_a_line(path: Path) -> bool:
    try:
        return path.read_bytes().endswith(b"\n")
    except OSError:
        return True


def _cuts(store: Store) -> Iterator[Finding]:
    """Where a fetch with ``--depth`` cut a log that is here as a whole: numbers are right, but git forgets the rest."""
    for cut in store.shallow():
        try:
            commit = store.read(cut)
            is_whole = commit.kind is not None and all(store.read(parent) for parent in commit.parents)
        except FormatError:
            continue  # of the project, or told with its room
        if is_whole:
            yield Finding(
                "wrong",
                "shallow",
                f"git takes commit {cut} for the beginning of a log, and its next gc may delete what is older",
                "git fetch --unshallow origin",
            )
