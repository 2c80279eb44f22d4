"""Taking back what was said and has no number yet: nobody but who is in this clone has it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from gitchat.model.codec import identity_key
from gitchat.model.errors import ChatError, ConflictError, UserError
from gitchat.model.names import Handle
from gitchat.model.record import Entry
from gitchat.verbs.standpoint import Standpoint
from gitchat.verbs.talking import find
from gitchat.workspace.guarding import refresh_after

HEARING_SECONDS = 10.0
"""How long the remote is asked whether it has it."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """A record that was taken back."""

    entry: Entry
    """As it was."""
    unheard: str | None = None
    """Why the remote could not be asked whether it has it after all; None when it was, and has it not."""


def unsend(room: Standpoint, locator: int | str) -> Unsent:
    """Take a record back that has no number yet (``"~k3f9q2"``): it is in no log any more, here or elsewhere.

    A person takes back whatever was said in this clone, an agent what its own seat said. A push that is under way
    is waited for, 10 seconds at the most. What its bytes were stays in git's store until git prunes it.

    Raises:
        ConflictError: ``numbered``: the remote has taken it; ``sync-running``.
        UserError: ``not-yours``, ``mirror``, and what :meth:`find` raises.
    """
    from gitchat.clones.unsending import Taken  # for who takes back, as what follows: a hook does without
    from gitchat.clones.unsending import unsend as take_back
    from gitchat.rooms.rebuilding import NotPending
    from gitchat.workspace.remotes import open_remote, wire_to

    room.environment.repository.refuse_mirror()
    entry = find(room, locator)
    remote = room.environment.authorities.of(room.name)
    if entry.number is not None or remote is None:
        raise _numbered(entry)
    _refuse_others(room, entry)
    if entry.aside is not None:
        _drop(room, entry)
        return Unsent(entry)
    wire = wire_to(room.environment, remote, limit_seconds=HEARING_SECONDS)
    key = identity_key(entry.oid, room.environment.store.read(entry.oid))
    try:
        unsent = Unsent(entry, take_back(room.environment.store, wire, room.name, key))
        refresh_after(room.environment, has_come=False)  # it may have been a claim
        return unsent
    except Taken:
        with suppress(ChatError):  # to know its number
            open_remote(room.environment, remote).round(room.name, pushes=False, is_asked=False)
        raise _taken(room, entry, remote) from None
    except NotPending:
        raise _taken(room, entry, remote) from None


def _drop(room: Standpoint, entry: Entry) -> None:
    """Keep a record no more that was set aside."""
    from gitchat.rooms.aside import drop, kept

    store = room.environment.store
    for one in kept(store, room.name):
        if one.oid == entry.oid:
            drop(store, one)


def _taken(room: Standpoint, entry: Entry, remote: str) -> ConflictError:
    """That the remote has it, with its number where that is known by now. Raises UserError: it is gone altogether."""
    now = find(room, Handle(f"~{entry.record.uid}"))
    if now.number is not None:
        return _numbered(now)
    return ConflictError(
        f"'{remote}' has {entry.handle} already",
        hint="its number comes with the next sync",
        code="numbered",
    )


def _numbered(entry: Entry) -> ConflictError:
    return ConflictError(
        f"{entry.handle} is {entry.label} now and stays: others may have read it",
        hint=f'say what is wrong with it: git chat send --room {entry.room} -r {entry.number} "..."',
        code="numbered",
    )


def _refuse_others(room: Standpoint, entry: Entry) -> None:
    """Raise UserError ``not-yours`` for what another clone, or of an agent another seat, has said."""
    caller, clone = room.environment.caller, room.environment.clone
    written_in, here = entry.record.clone, {clone.known(), *clone.former(room.name)}
    is_from_here = written_in in here if written_in is not None else _is_signed_here(room, entry)
    if not is_from_here or (caller.has_seat and (written_in is None or entry.record.author != room.me)):
        whose = "not yours" if is_from_here else "not of this clone"
        raise UserError(
            f"{entry.handle} of {entry.record.author} is {whose}",
            hint="ask for it to be taken back: "
            f'git chat send --room {entry.room} -r {entry.handle} "please take it back: git chat unsend"',
            code="not-yours",
        )


def _is_signed_here(room: Standpoint, entry: Entry) -> bool:
    """Whether the git identity of this machine vouches for a record without a clone.

    It does not for what the remote has lost and others have said.
    """
    commit = room.environment.store.read(entry.oid)
    identity = room.environment.caller.identity(entry.record.author, is_seated=False)
    return commit.committer.email == identity.committer_email
