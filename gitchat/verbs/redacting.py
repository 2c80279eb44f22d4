"""Hiding what a record says from every view, visibly, and by whoever does it: its bytes stay, and its number.

Source: docs/format.md section 18.
"""

from __future__ import annotations

from gitchat.model.errors import UserError
from gitchat.model.record import REDACT, UNLISTED_KINDS, Draft, Entry
from gitchat.verbs.standpoint import Standpoint, touch
from gitchat.verbs.talking import find
from gitchat.workspace.pushing import push_soon


def redact(room: Standpoint, locator: int | str) -> Entry:
    """Hide what a record says and carries (``12``, ``"~k3f9q2"``) from every view; the record as it is shown now.

    Anybody can, and it says by whom. The bytes stay in git: for a secret see ``git chat purge``. One that is hidden
    already stays as it is.

    Raises:
        UserError: ``not-listed``: it is shown by nothing; ``room-closed``, ``mirror``, and what :meth:`find` raises.
        ConflictError: a lock that is held for too long.
    """
    room.environment.repository.refuse_mirror()
    entry = find(room, locator)
    if entry.record.kind in UNLISTED_KINDS:
        raise UserError(
            f"{entry.label} is of kind {entry.record.kind}, which no view shows",
            hint=f"see what can be hidden: git chat log --room {room.name}",
            code="not-listed",
        )
    if entry.record.hidden is None:
        draft = Draft(body=f"redacts {entry.label}", kind=REDACT, reply_to=entry.record.uid)
        room.seating.sit_down(room.name, room.me)
        room.writer.send(draft, room.identity)
        touch(room)
        push_soon(room.environment, room.name)
    return find(room, locator)
