"""What a message answers, by its number; and whom the answer goes to. As gitchat/model/answering.py has it."""

import os

from gitchat.quick import record, room
from gitchat.quick.objects import Objects, find_tip, tip
from gitchat.quick.place import Place, read
from gitchat.quick.plain import is_name
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchat.quick.record import Record

NEAR = 250
"""How far back a record is looked for: what is older is found by the index."""

_LIVE_BYTES = 256 * 1024
_RINGS_BYTES = 1024 * 1024


def find(place: Place, name: str, remote: "str | None", number: int) -> "Record":
    """The record of a number that was given. Raises Unusual: there is none, or it takes more to tell."""
    log = room.log_ref(name) if remote is None else room.tracking_ref(name, remote)
    end = find_tip(place, log)
    if end is None:
        raise Unusual
    position = room.position_of(place, name, end)
    if not 0 < number <= position.count or position.count - number >= NEAR:
        raise Unusual
    oid, at = position.tip, position.count
    objects = Objects(place)
    try:
        while True:
            one = record.record_of(objects.commit(oid))
            if one is None:
                raise Unusual
            if at == number:
                return one
            oid, at = one.parent, at - 1
    finally:
        objects.close()


def who_asked(asked: "Record", me: str) -> "tuple[str, ...]":
    """Whom my reply to ``asked`` is for that names nobody."""
    if not asked.to:
        return ()
    if asked.author == me:
        return tuple(asked.to)
    return (asked.author,) if is_name(asked.author) else ()


def answered(place: Place, asked: "Record", name: str, me: str) -> "tuple[str, ...]":
    """Whom my answer to ``asked`` is for that names nobody: who asked me, where that was not everybody."""
    is_to_me = asked.author != me and {me, *roles(place, name, me)} & {*asked.to}
    return who_asked(asked, me) if is_to_me else ()


def roles(place: Place, name: str, me: str) -> "list[str]":
    """The role that ``me`` has in the room ``name``, as it is written to."""
    if not _has_file(place, me):
        return []
    line = read(f"{place.common_dir}/chatroom/live/{me}", _LIVE_BYTES).decode()
    _, start, rest = line.partition(f'"{name}":{{"role":"')
    role, _, after = rest.partition('"')
    if start and ("\\" in role or not after.startswith(',"capabilities":')):
        raise Unusual
    return [f"role:{role}"] if role else []


def is_known(place: Place, name: str, who: str) -> bool:
    """Whether somebody is known here by the name ``who``: it joined somewhere, or read here."""
    if not is_name(who):
        raise Unusual
    return _has_file(place, who) or find_tip(place, room.cursor_ref(name, who)) is not None


def may_sleep(place: Place, who: str) -> bool:
    """Whether ``who`` may have a bell here, which may rest; False is certain."""
    try:
        return f'"{who}"'.encode() in read(place.common_dir + "/chatroom/rings", _RINGS_BYTES)
    except FileNotFoundError:
        return False


def may_be_in_several(place: Place, name: str, who: str) -> bool:
    """Whether ``who`` may speak from more than one clone in the room ``name``; False is certain, as far as is known.

    By all that the index has, and what is newer in the log. Raises Unusual: it lacks more than that.
    """
    from gitchat.quick.known import known_voices  # for who names somebody in a room with a remote

    known, clones = known_voices(place, name, who)
    here = tip(place, room.log_ref(name))
    objects = Objects(place)
    try:
        for _ in range(NEAR):
            if here == known:
                return len(clones) > 1
            one = record.record_of(objects.commit(here))
            if one is None:
                break
            if one.author == who and one.clone != "-":
                clones.add(one.clone)
            here = one.parent
    finally:
        objects.close()
    raise Unusual


def _has_file(place: Place, who: str) -> bool:
    try:
        mode = os.lstat(f"{place.common_dir}/chatroom/live/{who}").st_mode
    except FileNotFoundError:
        return False
    if mode & 0o170000 != 0o100000:
        raise Unusual
    return True
