"""What can be wrong with a repository's rooms, and the command that mends each.

Reads only. Source: docs/format.md section 7, and the pitfalls in ARCHITECTURE.md.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from gitchat.care import trial
from gitchat.care.verify import FIX, Finding, lost, mend
from gitchat.index.query import Query
from gitchat.model.errors import ChatError, FormatError
from gitchat.model.names import REF_PREFIX, ROOMS_PREFIX, RoomName, log_ref
from gitchat.storage import gate
from gitchat.storage.journal import Journal
from gitchat.storage.recovery import follows
from gitchat.storage.repair import damaged_rooms, last_written, lost_rooms
from gitchat.storage.store import Store
from gitchat.workspace.config import clobbering_refspecs
from gitchat.workspace.environment import Environment

OLDEST_GIT = (2, 31)
RECENT_RECORDS = 50
AHEAD_SECONDS = 86400
"""How far a record's date may lie ahead before a clock counts as wrong."""


def examine(environment: Environment) -> Iterator[Finding]:
    """Everything that is looked at, in order. Only a repository that cannot be opened ends it early.

    Raises:
        ChatError: there is no repository here, or git refuses it.
    """
    yield _git_version(environment)
    config = environment.repository.config
    location = environment.repository.location
    yield Finding(
        "ok",
        "repository",
        f"{location.common_dir}, object ids {config.get('extensions.objectformat') or 'sha1'}, "
        f"refs in {config.get('extensions.refstorage') or 'files'}",
    )
    yield from _identity(environment)
    yield from _access(location.common_dir)
    yield from _mirrors(environment)
    yield from _pushes(environment)
    yield from trial.examine(environment)
    yield from _locks(environment)
    try:
        environment.store
    except ChatError as error:
        yield Finding("wrong", "store", str(error), error.hint)
        return
    yield from _rooms(environment)


def _git_version(environment: Environment) -> Finding:
    words = environment.repository.git("--version").decode().strip()
    match = re.search(r"(\d+)\.(\d+)", words)
    if match is None or (int(match[1]), int(match[2])) < OLDEST_GIT:
        return Finding("wrong", "git", f"{words}; 2.31 or newer is needed", "upgrade git")
    return Finding("ok", "git", words)


def _identity(environment: Environment) -> Iterator[Finding]:
    try:
        yield Finding("ok", "name", f"you send as '{environment.caller.name()}' ({environment.caller.origin})")
    except ChatError as error:
        yield Finding("wrong", "name", str(error), error.hint)
    if not environment.repository.config.get("user.email"):
        yield Finding(
            "note",
            "identity",
            "git has no user.email; a server may refuse a push of commits without a real address",
            "git config --global user.email you@example.com",
        )


def _access(common_dir: Path) -> Iterator[Finding]:
    if not os.access(common_dir, os.W_OK):
        yield Finding(
            "wrong", "access", f"{common_dir} cannot be written to: reading works, sending does not",
            f"ask its owner for write access: ls -ld '{common_dir}'",
        )  # fmt: skip
        return
    kept = [path for path in _shared_files(common_dir / "chatroom") if not os.access(path, os.R_OK | os.W_OK)]
    for path in kept:
        yield Finding(
            "wrong", "access", f"{path} belongs to another user, and is not yours to read and write",
            f"let its owner share it: chmod ug+rw '{path}'",
        )  # fmt: skip
    if not kept:
        yield Finding("ok", "access", "the repository can be written to")


def _shared_files(directory: Path) -> Iterator[Path]:
    """The files that every writer of this clone writes to."""
    yield from (path for name in ("write.lock", "sync.lock", "journal") if (path := directory / name).exists())
    yield from sorted((directory / "checkpoints").glob("*"))


def _mirrors(environment: Environment) -> Iterator[Finding]:
    for remote, refspec in clobbering_refspecs(environment.repository.config):
        yield Finding(
            "wrong",
            "mirror",
            f"'git fetch {remote}' overwrites the rooms here (remote.{remote}.fetch is {refspec}); sending is refused",
            f"work in an ordinary clone, or: git config remote.{remote}.fetch '+refs/heads/*:refs/remotes/{remote}/*'",
        )
    for remote in environment.repository.config.subsections("remote", "mirror"):
        if environment.repository.config.get_bool(f"remote.{remote}.mirror", False):
            yield Finding(
                "wrong",
                "mirror",
                f"'git push {remote}' makes {remote} equal to this clone, and deletes rooms there that are not here",
                f"git config --unset remote.{remote}.mirror",
            )


def _pushes(environment: Environment) -> Iterator[Finding]:
    """Refspecs with which a plain ``git push`` overwrites the rooms of a remote."""
    for remote in environment.repository.config.subsections("remote", "push"):
        for refspec in environment.repository.config.get_all(f"remote.{remote}.push"):
            if refspec.startswith("+") and _matches_rooms(refspec[1:].partition(":")[0]):
                yield Finding(
                    "wrong",
                    "push",
                    f"'git push {remote}' overwrites the rooms there (remote.{remote}.push is {refspec})",
                    f"git config --fixed-value --replace-all remote.{remote}.push '{refspec[1:]}' '{refspec}'",
                )


def _matches_rooms(source: str) -> bool:
    fixed, star, _ = source.partition("*")
    return source.startswith(REF_PREFIX) or (star == "*" and REF_PREFIX.startswith(fixed))


def _locks(environment: Environment) -> Iterator[Finding]:
    """Lock files that nobody may be holding any more."""
    common_dir = environment.repository.location.common_dir
    write_lock = common_dir / "chatroom" / "write.lock"
    intent = _read(write_lock, lambda data: gate.Intent.decode(data))
    if intent is not None:
        yield Finding(
            "note",
            "write lock",
            f"process {intent.pid} is writing, or was killed while it wrote; the next send clears up after it",
        )
    now = environment.now().seconds
    locks = sorted((common_dir / ROOMS_PREFIX).rglob("*.lock"))
    for path in [*locks, *[lock for lock in [common_dir / "packed-refs.lock"] if lock.exists()]]:
        age = _age(path, now)
        if age is not None and age >= gate.FOREIGN_SECONDS:
            yield Finding(
                "wrong", "stale lock", f"{path} has been there for {age} s", f"when no git is running: rm '{path}'"
            )
        elif age is not None and age < 0:
            yield Finding(
                "wrong", "clock", f"{path} is dated {-age} s in the future", "set this machine's clock: date -u"
            )
    if not locks:
        yield Finding("ok", "locks", "none left behind")
    if count := Journal(common_dir / "chatroom" / "journal").unreadable_bytes():
        yield Finding(
            "note",
            "journal",
            f"{count} bytes of it cannot be read, and are passed over; messages that were in them are not kept twice",
            FIX,
        )


def _read(path: Path, decode: Callable[[bytes], gate.Intent | None]) -> gate.Intent | None:
    try:
        return decode(path.read_bytes()[:4096])
    except OSError:
        return None


def _age(path: Path, now: int) -> int | None:
    try:
        return now - int(path.stat().st_mtime)
    except OSError:
        return None


def _rooms(environment: Environment) -> Iterator[Finding]:
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
    yield from _cuts(store)
    for name in without_ref:
        yield lost(store, name)


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


def _authority(environment: Environment, name: RoomName) -> Iterator[Finding]:
    """Who gives the numbers of a room, and what it has not accepted yet. The remote is not asked."""
    authority = environment.authorities.of(name)
    if authority is None:
        return
    subject = f"room {name}"
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
    else:
        yield Finding("ok", subject, f"its numbers come from the remote '{authority}', and nothing is pending")


def _left_behind(store: Store, name: RoomName) -> Iterator[Finding]:
    """Records that were written here and are not in the log: a foreign push or fetch replaced it, or moved it back."""
    ref, stood = log_ref(name), last_written(store, name)
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
    yield from _left_behind(environment.store, name)
    yield from _authority(environment, name)
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
