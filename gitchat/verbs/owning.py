"""What may be done with a room that is still nobody's but mine: give it another name, or delete it.

Others may have read what a remote had, and the name of a room stands in it for ever (its genesis): from then on a room
can be closed, and have another title.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gitchat.clones.alone import alone
from gitchat.model.errors import ChatError, ConflictError
from gitchat.model.names import SYSTEM, Oid, RoomName
from gitchat.model.refs import log_ref, remote_of_log
from gitchat.rooms import leaving
from gitchat.verbs.standpoint import Standpoint
from gitchat.workspace.remotes import wire_to


def rename(room: Standpoint, new: RoomName) -> None:
    """Call the room ``new``. Every record keeps its number, and who has read what is as it was.

    Raises:
        ConflictError: ``not-mine-alone``: others wrote in it, or a remote has it; ``room-exists``; ``sync-running``.
        UserError: ``no-such-room``, ``mirror``.
        RemoteError: the remote that the room follows cannot be asked whether it has it.
    """
    environment = room.environment
    if new == room.name:
        raise leaving.exists(new)
    with _mine_alone(room, f'give it a title: git chat room title {room.name} "{new}"; or close it'):
        environment.store.is_new(new)  # or it was lost: then its name is not free
        leaving.rename(environment.store, room.name, new, lambda: environment.authorities.copy(room.name, new))
        environment.authorities.forget(room.name)
    _take_along(room, new)


def delete(room: Standpoint) -> tuple[int, Oid]:
    """Delete the room: how many messages it had, and the commit that brings it back until git prunes it.

    Raises as :func:`rename`; ``room-moved`` where somebody writes in it at this moment.
    """
    environment = room.environment
    with _mine_alone(room, "close it") as tip:
        count = room.records.chain().count
        leaving.delete(environment.store, room.name, tip)
        environment.authorities.forget(room.name)
    return count, tip


@contextmanager
def _mine_alone(room: Standpoint, instead: str) -> Iterator[Oid]:
    """Nobody pushes meanwhile: the log's tip, where I alone have written and no remote has the room."""
    environment = room.environment
    environment.repository.refuse_mirror()
    environment.refuse_unknown_room(room.name)
    with alone(environment.store.directory):
        tip, others, remote = environment.store.tip(log_ref(room.name)), _others(room), _remote_with(room)
        if tip is None or others or remote is not None:
            said = (
                f"'{remote}' has room '{room.name}', and others may, too"
                if remote is not None
                else (f"others wrote in room '{room.name}': {', '.join(others)}")
            )
            raise ConflictError(said, hint=f"{instead}: git chat room close {room.name}", code="not-mine-alone")
        yield tip


def _others(room: Standpoint) -> list[str]:
    """Who but me has written here, summaries too, sorted; of other people of my name the addresses."""
    chain = room.records.chain()
    writers = {*chain.newest_by_author(), *(one.author for one in room.environment.summaries(room.name).list())}
    return [*sorted(writers - {room.me, SYSTEM}), *room.seating.namesakes(room.me, chain)]


def _remote_with(room: Standpoint) -> str | None:
    """A remote that has the room, or had it when it was last heard; None where there is none. Raises RemoteError."""
    environment = room.environment
    for ref, _ in environment.store.tracked():
        if (remote := remote_of_log(ref, room.name)) is not None:
            return remote
    remote = environment.authorities.of(room.name)
    if remote is not None and log_ref(room.name) in wire_to(environment, remote).listed(log_ref(room.name)):
        return remote  # by a push whose answer was lost
    return None


def _take_along(room: Standpoint, new: RoomName) -> None:
    """Let who is in the room be in the new one. Who lives there comes by itself."""
    roll, now = room.environment.roll, room.environment.now().seconds
    for one in roll.participants(room.name):
        with suppress(ChatError):
            if one.is_registered and one.holder is not None:
                roll.register(one.name, new, role=one.role, capabilities=one.capabilities, holder=one.holder, now=now)
                roll.leave(one.name, room.name, now)
