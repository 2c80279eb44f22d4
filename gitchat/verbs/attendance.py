"""Attendance: joining a room and leaving it, and who is or was there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gitchat.model.errors import UserError
from gitchat.model.names import SYSTEM, CloneId, Name, Number, is_name
from gitchat.model.participant import Participant, new_membership
from gitchat.model.record import Draft
from gitchat.verbs.marking import common, how_far, set_cursor
from gitchat.verbs.standing import held_by, standing_in
from gitchat.verbs.standpoint import Standpoint
from gitchat.verbs.views import Seen
from gitchat.workspace.asking import ask
from gitchat.workspace.elsewhere import LATELY_SECONDS
from gitchat.workspace.pushing import push_soon

if TYPE_CHECKING:
    from gitchat.doorbell.beats import Elsewhere


def join(
    room: Standpoint, role: str = "general", capabilities: Sequence[str] = (), *, since_now: bool = False
) -> list[Participant]:
    """Live here under my name until this process ends or leaves, and return who is here.

    Again: updates the role. ``since_now`` takes everything that was said so far for read.

    Raises:
        UserError: ``name-taken`` while another process lives under my name; ``secret``, ``bad-role``,
            ``bad-capability``.
    """
    live(room, role, capabilities, since_now=since_now)
    return participants(room)


def live(room: Standpoint, role: str, capabilities: Sequence[str] = (), *, since_now: bool = False) -> None:
    """As :func:`join`, for who does not ask who is here: that looks at every name of the clone."""
    _refuse_secrets(room, role, *capabilities)
    now = room.environment.now().seconds
    new_membership(role, capabilities, now, is_registered=False)  # what it refuses, it refuses before we live here
    held = room.environment.hold(room.me)
    held.join(room.name, role=role, capabilities=capabilities, now=now)
    room.seating.sit_down(room.name, room.me)
    if since_now:
        set_cursor(room, room.records.count())


def register(room: Standpoint, role: str = "general", capabilities: Sequence[str] = ()) -> Participant:
    """Be a participant until I leave, without a process behind it. Raises UserError ``name-taken``, ``secret``."""
    _refuse_secrets(room, room.me, role, *capabilities)
    return room.environment.roll.register(
        room.me, room.name, role=role, capabilities=capabilities,
        holder=room.environment.caller.holder(), now=room.environment.now().seconds,
    )  # fmt: skip


def _refuse_secrets(room: Standpoint, *words: str) -> None:
    """Raise UserError ``secret`` where one of ``words``, which others see, looks like one."""
    from gitchat.workspace.secrecy import refuse_names  # for who joins

    refuse_names(words, room.environment.secrets())


def leave(room: Standpoint) -> bool:
    """Be no participant of this room any more, and say so in it if it is open; False when I was none.

    Raises:
        UserError: ``name-taken`` while another process lives under my name; ``mirror``.
    """
    room.environment.repository.refuse_mirror()
    _refuse_to_leave_for_another(room)
    now = room.environment.now().seconds
    held = room.environment.held().get(room.me)
    has_left = held.leave(room.name, now) if held else room.environment.roll.leave(room.me, room.name, now)
    presence = room.environment.roll.find(room.me)
    if held and (presence is None or all(at.left_at is not None for at in presence.rooms.values())):
        held.release()
    if has_left and not room.records.overview().is_closed:
        draft = Draft(body=f"{room.me} left the chatroom", type="presence")
        room.writer.send(draft, replace(room.identity, name=SYSTEM))
    room.seating.give_back(room.me, room.name)
    from gitchat.workspace.guarding import refresh_after  # for who claims

    refresh_after(room.environment, has_come=False)
    push_soon(room.environment, room.name, cursors=True)
    ask(room.environment)  # what was shared of its work goes
    return has_left


def clones_of(room: Standpoint, name: Name) -> frozenset[CloneId]:
    """The clones in which an agent spoke under ``name`` here lately; people sit in none. Raises FormatError."""
    since = room.environment.now().seconds - LATELY_SECONDS
    voices = room.records.chain().last_voices(name, since)
    return frozenset(voice.clone for voice in voices if voice.clone is not None)


def is_elsewhere(room: Standpoint) -> bool:
    """Whether an agent in another clone spoke under my name here lately. Raises FormatError."""
    clones = clones_of(room, room.me)
    return bool(clones - {room.environment.clone.known()}) if clones else False


def _refuse_to_leave_for_another(room: Standpoint) -> None:
    """The roll refuses it too, in words for who wants the name."""
    presence = room.environment.roll.find(room.me)
    if presence is not None and presence.is_living and room.me not in room.environment.held():
        raise UserError(
            f"'{room.me}' is held by {presence.holder or 'another process'}",
            hint="end that process, and the name is free; or leave from there",
            public_message=f"somebody else lives under '{room.me}'",
            public_hint="leave from there",
            code="name-taken",
        )


def participants(room: Standpoint) -> list[Participant]:
    """Who is here, living or registered, sorted by name."""
    return room.environment.roll.participants(room.name)


def elsewhere(room: Standpoint) -> list[Elsewhere]:
    """Who lives here in other clones, as far as one who stays in this clone has heard it; sorted by name.

    Another's word: it may be wrong, and may name somebody who is here, too.
    """
    environment = room.environment
    remote = environment.authorities.of(room.name)
    if remote is None:
        return []
    from gitchat.doorbell.elsewhere import ElsewhereFile  # for who asks who is in other clones

    return ElsewhereFile(environment.repository.directory, remote).load(room.name, environment.now().seconds)


def names(room: Standpoint) -> list[Name]:
    """The names of everybody who is or was here, or wrote or read here, sorted."""
    known = (participant.name for participant in _known(room))
    return _everybody(room, known, room.records.chain().newest_by_author())


def who(room: Standpoint, *, since: int | None = None) -> list[Seen]:
    """Everybody who is or was here, or wrote or read here, perhaps in another clone; sorted by name.

    With ``since``, in seconds since the epoch, only who is here now, and who was seen then or later.
    """
    from gitchat.verbs.conflictforms import of_name  # for who asks
    from gitchat.verbs.warned import open_conflicts

    chain = room.records.chain()
    wrote = chain.newest_by_author()
    known = {participant.name: participant for participant in _known(room)}
    others: dict[Name, tuple[Elsewhere, ...]] = {}
    for one in elsewhere(room):
        others[one.name] = (*others.get(one.name, ()), one)
    everybody = _everybody(room, [*known, *others], wrote)
    claims = standing_in(room)
    found = (
        _one(room, name, known.get(name), wrote.get(name), chain.count, since, others.get(name, ()))
        for name in everybody
    )
    conflicts = open_conflicts(room)
    return [
        replace(one, claims=tuple(held_by(claims, one.name)), conflicts=tuple(of_name(conflicts, one.name)))
        for one in found
        if one is not None
    ]


def _one(
    room: Standpoint,
    name: Name,
    participant: Participant | None,
    wrote: tuple[Number, int] | None,
    count: int,
    since: int | None,
    others: tuple[Elsewhere, ...],
) -> Seen | None:
    times = [participant.last_seen] if participant else []
    times += [wrote[1]] if wrote else []
    times += [room.environment.now().seconds - one.age_seconds for one in others]
    # Who only read was there when that had been said, and nothing tells how much later.
    last_seen = max(times or [_last_read_seconds(room, name)])
    is_here = participant is not None and participant.is_present
    if since is not None and not is_here and last_seen < since:
        return None  # before it is counted what is unread, which costs most
    far = how_far(room, name)
    return Seen(
        name=name,
        participant=participant,
        last_seen=last_seen,
        last_number=wrote[0] if wrote and wrote[0] <= count else None,
        unread=far.unread,
        last_read=far.last_read,
        elsewhere=others,
    )


def _known(room: Standpoint) -> list[Participant]:
    return room.environment.roll.known(room.name)


def _last_read_seconds(room: Standpoint, name: Name) -> int:
    value = common(room, name).value
    return room.environment.store.step(value).seconds if value is not None else 0


def _everybody(room: Standpoint, known: Iterable[Name], authors: Iterable[str]) -> list[Name]:
    wrote = (Name(author) for author in authors if is_name(author))
    return sorted({*known, *wrote, *room.environment.store.cursors(room.name)})
