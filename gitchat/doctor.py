"""What can be wrong with a repository's rooms, and the command that mends each.

Reads only. Source: docs/format.md section 7, and the pitfalls in ARCHITECTURE.md.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from gitchat import gate
from gitchat.environment import Environment, clobbering_refspecs
from gitchat.errors import ChatError, FormatError
from gitchat.names import ROOMS_PREFIX, Oid, RoomName, is_slug, log_ref
from gitchat.packing import loose_path
from gitchat.query import Query
from gitchat.verify import Finding, refetch

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
    config = environment.config
    location = environment.location
    yield Finding(
        "ok",
        "repository",
        f"{location.common_dir}, object ids {config.get('extensions.objectformat') or 'sha1'}, "
        f"refs in {config.get('extensions.refstorage') or 'files'}",
    )
    yield from _identity(environment)
    yield _access(location.common_dir)
    yield from _mirrors(environment)
    yield _hooks(environment)
    yield from _locks(environment)
    try:
        environment.store
    except ChatError as error:
        yield Finding("wrong", "store", str(error), error.hint)
        return
    yield from _rooms(environment)


def _git_version(environment: Environment) -> Finding:
    words = environment.git("--version").decode().strip()
    match = re.search(r"(\d+)\.(\d+)", words)
    if match is None or (int(match[1]), int(match[2])) < OLDEST_GIT:
        return Finding("wrong", "git", f"{words}; 2.31 or newer is needed", "upgrade git")
    return Finding("ok", "git", words)


def _identity(environment: Environment) -> Iterator[Finding]:
    try:
        yield Finding("ok", "name", f"you send as '{environment.name()}' ({environment.origin()})")
    except ChatError as error:
        yield Finding("wrong", "name", str(error), error.hint)
    if not environment.config.get("user.email"):
        yield Finding(
            "note",
            "identity",
            "git has no user.email; a server may refuse a push of commits without a real address",
            "git config --global user.email you@example.com",
        )


def _access(common_dir: Path) -> Finding:
    if os.access(common_dir, os.W_OK):
        return Finding("ok", "access", "the repository can be written to")
    return Finding(
        "wrong", "access", f"{common_dir} cannot be written to: reading works, sending does not",
        f"ask its owner for write access: ls -ld '{common_dir}'",
    )  # fmt: skip


def _mirrors(environment: Environment) -> Iterator[Finding]:
    for remote, refspec in clobbering_refspecs(environment.config):
        yield Finding(
            "wrong",
            "mirror",
            f"'git fetch {remote}' overwrites the rooms here (remote.{remote}.fetch is {refspec}); sending is refused",
            f"work in an ordinary clone, or: git config remote.{remote}.fetch '+refs/heads/*:refs/remotes/{remote}/*'",
        )
    for remote in environment.config.subsections("remote", "mirror"):
        if environment.config.get_bool(f"remote.{remote}.mirror", False):
            yield Finding(
                "wrong",
                "mirror",
                f"'git push {remote}' makes {remote} equal to this clone, and deletes rooms there that are not here",
                f"git config --unset remote.{remote}.mirror",
            )


def _hooks(environment: Environment) -> Finding:
    path = os.fsdecode(environment.git("rev-parse", "--git-path", "hooks")).strip()
    configured = environment.config.get("core.hooksPath")
    return Finding("ok", "hooks", f"git runs hooks from {path}" + (" (core.hooksPath)" if configured else ""))


def _locks(environment: Environment) -> Iterator[Finding]:
    """Lock files that nobody may be holding any more."""
    common_dir = environment.location.common_dir
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
    names = set(environment.store.rooms()) | set(_loose_rooms(environment.location.common_dir))
    if not names:
        yield Finding("ok", "rooms", 'none yet; the first message makes one: git chat send "hello"')
    for name in sorted(names):
        yield from _room(environment, name)


def _loose_rooms(common_dir: Path) -> Iterator[RoomName]:
    """Rooms whose ref has a file, also when it is so damaged that no listing of refs has it."""
    for path in (common_dir / ROOMS_PREFIX).glob("*/log"):
        if is_slug(path.parent.name):
            yield RoomName(path.parent.name)


def _room(environment: Environment, name: RoomName) -> Iterator[Finding]:
    room = environment.log(name)
    subject = f"room {name}"
    try:
        listing = room.listing(Query(), RECENT_RECORDS)
        count = room.count()
    except ChatError as error:
        yield Finding("wrong", subject, str(error), _mend(environment, name, error))
        return
    if listing.damage is not None:
        text = f"{listing.damage} (newer records can be read)" if listing.entries else str(listing.damage)
        yield Finding("wrong", subject, text, _mend(environment, name, listing.damage))
        return
    yield Finding(
        "ok",
        subject,
        f"{count} record{'' if count == 1 else 's'}, format 1; the newest {len(listing.entries)} read well",
    )
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


def _mend(environment: Environment, name: RoomName, error: ChatError) -> str:
    """The command that mends a damaged room, without moving a ref back or losing a record."""
    common_dir, ref = environment.location.common_dir, log_ref(name)
    if isinstance(error, FormatError) and error.oid is not None:
        if error.code == "damaged-object":
            return f"rm -f '{loose_path(common_dir, Oid(error.oid))}'; {refetch(name)}"
        return refetch(name)
    if error.code == "damaged-ref":
        known = [at.tip for at in environment.store.positions(name) if at.tip and environment.store.has(at.tip)]
        if known:
            return f"rm '{common_dir / ref}'; git update-ref {ref} {known[-1]}"
        return f"rm '{common_dir / ref}'; git fetch PATH-OR-URL-OF-ANOTHER-CLONE {ref}:{ref}"
    return error.hint
