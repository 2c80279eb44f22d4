"""What the guard reads: the file ``guarded``, with a line for each path that is claimed, and the guard itself.

The guard (``guard.sh``, in ``chatroom/`` as ``guard``) runs before each edit of an agent and each commit, and starts no
Python. So whoever has moved a log writes down here what it needs. Claims that wait are there with the second from which
on they hold, so that nothing has to be written when a time is over. Source: docs/format.md section 7.41.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from gitchat.model.claim import Claim, Standing, holdings
from gitchat.model.errors import ChatError
from gitchat.model.names import DEFAULT_ROOM, CloneId, RoomName
from gitchat.model.pattern import fixed_part, regex_of_bytes
from gitchat.storage import gate
from gitchat.storage.ownfiles import OwnFile
from gitchat.storage.refusals import storage_error
from gitchat.workspace.claimed import standings_here
from gitchat.workspace.claimends import tend
from gitchat.workspace.environment import Environment

PROGRAM = Path(__file__).with_name("guard.sh")

FILE, GUARD = "guarded", "guard"
"""Both in ``chatroom/``."""

MAX_LINES = 1000
"""How many patterns the guard is told of, so that nobody's claims make others wait at each edit."""

_WAIT_SECONDS = 2.0
_MAX_BYTES = 4 * 1024 * 1024


def refresh(environment: Environment) -> None:
    """Write down what is claimed, where that is something else than what stands there. Never fails.

    For who has moved a log: a claim was written, or came. Where nothing was ever claimed there is no file. What follows
    from claims and has no other writer is written first.
    """
    tend(environment)
    with suppress(ChatError, OSError):
        file = OwnFile(environment.repository.directory, FILE)
        if _content(environment) == _read(file):
            return
        with gate.hold(file.directory, _WAIT_SECONDS, f"{FILE}.lock"):
            content = _content(environment)  # once more: what came meanwhile is not lost
            if content == _read(file):
                return
            if content:
                _put_guard(file.directory)
            file.replace(content)


def refresh_after(environment: Environment, *, has_come: bool) -> None:
    """As :func:`refresh`, after a round with a remote: ``has_come`` is whether it brought something.

    What only went there has other labels now, and that counts where something is claimed.
    """
    if has_come or is_used(environment):
        refresh(environment)


def is_used(environment: Environment) -> bool:
    """Whether something is claimed in this clone, or was lately. Raises as Repository.location."""
    with suppress(OSError):
        return os.stat(environment.repository.directory / FILE).st_size > 0
    return False


def put_guard(environment: Environment) -> None:
    """Put the guard of this version where clients and hooks find it, and write down what is claimed.

    Raises:
        ConflictError: ``write-lock-held``.
        StorageError: the disk refuses.
    """
    directory = environment.repository.directory
    with gate.hold(directory, _WAIT_SECONDS, f"{FILE}.lock"):
        try:
            _put_guard(directory)
        except OSError as error:
            raise storage_error(error, directory / GUARD) from error
    refresh(environment)


def _put_guard(directory: Path) -> None:
    """In our turn. Raises OSError."""
    guard, program = OwnFile(directory, GUARD), PROGRAM.read_bytes()
    if _read(guard) != program or not os.access(guard.path, os.X_OK):
        guard.replace(program)
        guard.let_run()


def _read(file: OwnFile) -> bytes:
    """What it holds; nothing where it is not there. Raises OSError."""
    try:
        return file.read(_MAX_BYTES)
    except FileNotFoundError:
        return b""


# --- its lines -----------------------------------------------------------------------


def _content(environment: Environment) -> bytes:
    """What the file shall hold: nothing where nothing at all is claimed. Raises what Environment.store raises."""
    found = list(standings_here(environment))
    if not found:
        return b""
    lines = [line for room, standings in found for line in _lines_of(environment, room, standings)][:MAX_LINES]
    me: tuple[bytes, ...] = ()
    with suppress(ChatError):  # nobody here has a name
        me = (_line("me", environment.caller.own_name()),)
    return b"".join((b"gitchat guarded 1\n", *me, *lines))


def _lines_of(environment: Environment, room: RoomName, found: Sequence[Standing]) -> Iterator[bytes]:
    now, clone, addresses = environment.now().seconds, environment.clone.known(), environment.caller.addresses()
    for claim, since in holdings(found, now):
        label = claim.entry.label + (f" in {room}" if room != DEFAULT_ROOM else "")
        # 0 and not now, so that the line is the same whenever it is written.
        times = (str(since if since > now else 0), str(claim.until))
        here = "here" if _is_here(claim, clone, addresses) else "-"
        for what in claim.whats:
            if what.kind == "path":
                expression = (fixed_part(what.parts).encode(), regex_of_bytes(what.parts))
                yield _line("claim", *times, claim.seat.name, here, *expression, what.text, label)


def _is_here(claim: Claim, clone: CloneId | None, addresses: frozenset[str]) -> bool:
    """Whether it is of a seat of this clone, or of the person whose clone this is."""
    if claim.seat.clone is not None:
        return claim.seat.clone == clone
    return not addresses or claim.seat.address in addresses


def _line(*fields: str | bytes) -> bytes:
    """One line; texts in printable ASCII, which the guard prints as they are, and bytes as they are."""
    return b"\t".join(field if isinstance(field, bytes) else _shown(field) for field in fields) + b"\n"


def _shown(text: str) -> bytes:
    """Other bytes as git quotes them."""
    octets = text.encode("utf-8", "surrogateescape")
    return b"".join(b"%c" % octet if 32 <= octet < 127 else b"\\%03o" % octet for octet in octets)
