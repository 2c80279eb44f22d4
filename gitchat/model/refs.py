"""Refs: the only place that spells one. Pure. Source: docs/format.md section 2."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gitchat.model.names import CloneId, Name, Oid, RefName, RoomName, Uid, is_slug, is_uid

REF_PREFIX = "refs/chatroom/"
HEADS = "refs/heads/"
"""What the refs of branches begin with."""
REMOTES = "refs/remotes/"
REPLACED = "refs/replace/"
"""What the refs of the branches of remotes begin with."""
ROOMS_PREFIX = RefName("refs/chatroom/rooms/")
LOCAL_PREFIX = RefName("refs/chatroom-local/")
TRACKING_PREFIX = RefName("refs/chatroom-local/remotes/")
FETCHED_PREFIX = RefName("refs/chatroom-local/fetched/")
SEATS_PREFIX = RefName("refs/chatroom-local/seats/")
SAT_PREFIX = RefName("refs/chatroom-local/sat/")
FORMER_PREFIX = RefName("refs/chatroom-local/former/")
TAKEN_PREFIX = RefName("refs/chatroom-local/taken/")
FOLLOWER_REF = RefName("refs/chatroom-local/follower")
"""What only a clone has whose rooms follow a remote: a symbolic ref to ``FOLLOWER_TARGET``. No push carries it on."""
FOLLOWER_TARGET = RefName("refs/chatroom-local/root")
"""The first commit of some room."""


LOG_SUFFIX = "/log"
"""What the ref of each log ends in, here and in the copies of a remote's refs; and the cursor of who is called so."""


def log_ref(room: RoomName) -> RefName:
    """``refs/chatroom/rooms/<room>/log``: the room itself."""
    return RefName(f"{ROOMS_PREFIX}{room}/log")


def is_log(ref: RefName) -> bool:
    """Whether the ref is that of a log, here or as a remote was last known to have it."""
    return ref.endswith(LOG_SUFFIX) and not ref.endswith(f"/cursors{LOG_SUFFIX}")


def room_prefix(room: RoomName) -> RefName:
    """What all refs of a room begin with."""
    return RefName(f"{ROOMS_PREFIX}{room}/")


def cursor_ref(room: RoomName, name: Name) -> RefName:
    """``refs/chatroom/rooms/<room>/cursors/<name>``: how far ``name`` has read."""
    return RefName(f"{cursors_prefix(room)}{name}")


def cursors_prefix(room: RoomName) -> RefName:
    """What the refs of all cursors of a room begin with."""
    return RefName(f"{ROOMS_PREFIX}{room}/cursors/")


def name_of_cursor(room: RoomName, ref: RefName) -> Name | None:
    """Whose cursor in ``room`` the ref is, or None when it is nobody's."""
    name = ref.removeprefix(cursors_prefix(room))
    return Name(name) if ref.startswith(cursors_prefix(room)) and is_slug(name) else None


def summaries_ref(room: RoomName) -> RefName:
    """``refs/chatroom/rooms/<room>/summaries``: the chain of the room's summaries."""
    return RefName(f"{ROOMS_PREFIX}{room}/summaries")


INBOX_PATTERN = f"{ROOMS_PREFIX}*/inbox/*"
"""What all inboxes of a remote fit."""


def inbox_ref(room: RoomName, clone: CloneId) -> RefName:
    """``refs/chatroom/rooms/<room>/inbox/<clone>``: what a clone says that may not push to the room's remote."""
    return RefName(f"{ROOMS_PREFIX}{room}/inbox/{clone}")


def inbox_of(ref: RefName) -> tuple[RoomName, CloneId] | None:
    """Whose inbox in which room the ref is; None for another ref."""
    room, _, clone = ref.removeprefix(ROOMS_PREFIX).partition("/inbox/")
    is_inbox = ref.startswith(ROOMS_PREFIX) and is_slug(room) and is_uid(clone)
    return (RoomName(room), CloneId(clone)) if is_inbox else None


def work_ref(room: RoomName, clone: CloneId, name: Name) -> RefName:
    """``refs/chatroom/rooms/<room>/work/<clone>/<name>``: the work that ``name`` shares from a clone, as it is now."""
    return RefName(f"{ROOMS_PREFIX}{room}/work/{clone}/{name}")


def work_of(ref: RefName) -> tuple[RoomName, CloneId, Name] | None:
    """In which room, from which clone and by whom the work is shared that ``ref`` points to; None for another ref."""
    room, _, rest = ref.removeprefix(ROOMS_PREFIX).partition("/work/")
    clone, _, name = rest.partition("/")
    is_work = ref.startswith(ROOMS_PREFIX) and is_slug(room) and is_uid(clone) and is_slug(name)
    return (RoomName(room), CloneId(clone), Name(name)) if is_work else None


def known_prefix(remote: str) -> RefName:
    """What the refs begin with by which git's user knows the branches of a remote. We move none of them."""
    return RefName(f"refs/remotes/{remote}/")


def copies_prefix(remote: str) -> RefName:
    """What the private copies of branches of a remote begin with. They are never pushed."""
    return RefName(f"{LOCAL_PREFIX}heads/{remote}/")


def copy_ref(remote: str, branch: str) -> RefName:
    """``refs/chatroom-local/heads/<remote>/<branch>``: that branch as it was when it was last fetched for us."""
    return RefName(copies_prefix(remote) + branch)


def brought_ref(place: int) -> RefName:
    """``refs/chatroom-local/brought/<place>``: what came out of a bundle, until it is in a log."""
    return RefName(f"{LOCAL_PREFIX}brought/{place}")


def tracking_prefix(remote: str) -> RefName:
    """What the copies of a remote's refs begin with. They are never pushed."""
    return RefName(f"{TRACKING_PREFIX}{remote}/rooms/")


def tracking_ref(remote: str, ref: RefName) -> RefName:
    """``refs/chatroom-local/remotes/<remote>/rooms/...``: what ``ref`` was at the remote when it last answered."""
    return RefName(tracking_prefix(remote) + ref.removeprefix(ROOMS_PREFIX))


def remote_of_log(ref: RefName, room: RoomName) -> str | None:
    """The remote whose log of ``room`` the tracking ref is; None for another ref."""
    remote = ref.removeprefix(TRACKING_PREFIX).removesuffix(f"/rooms/{room}/log")
    return remote if ref == tracking_ref(remote, log_ref(room)) else None


def room_of_tracking(ref: RefName) -> RoomName | None:
    """The room whose log at some remote the tracking ref is; None for another ref."""
    remote, _, rest = ref.removeprefix(TRACKING_PREFIX).rpartition("/rooms/")
    is_tracking = ref.startswith(TRACKING_PREFIX) and bool(remote)
    return room_of_log(RefName(ROOMS_PREFIX + rest)) if is_tracking else None


def fetched_prefix(remote: str) -> RefName:
    """What the refs begin with that a fetch brings of a remote, before anything of it counts. Never pushed."""
    return RefName(f"{FETCHED_PREFIX}{remote}/rooms/")


def fetched_ref(remote: str, ref: RefName) -> RefName:
    """``refs/chatroom-local/fetched/<remote>/rooms/...``: what ``ref`` was at the remote when it was last fetched."""
    return RefName(fetched_prefix(remote) + ref.removeprefix(ROOMS_PREFIX))


def seen_ref(remote: str, room: RoomName) -> RefName:
    """``refs/chatroom-local/seen/<remote>/<room>``: a log of the remote that no other ref here may reach."""
    return RefName(f"refs/chatroom-local/seen/{remote}/{room}")


def seat_ref(room: RoomName, name: Name) -> RefName:
    """``refs/chatroom-local/seats/<room>/<name>``: how far the seat ``name`` of this clone has read. Never pushed."""
    return RefName(f"{SEATS_PREFIX}{room}/{name}")


def sat_ref(room: RoomName, name: Name) -> RefName:
    """``refs/chatroom-local/sat/<room>/<name>``: the log as it was when that seat was taken."""
    return RefName(f"{SAT_PREFIX}{room}/{name}")


def former_ref(clone: CloneId, room: RoomName) -> RefName:
    """``refs/chatroom-local/former/<clone>/<room>``: the log as it was when this clone gave up the id ``clone``."""
    return RefName(f"{FORMER_PREFIX}{clone}/{room}")


def in_room(ref: RefName, room: RoomName, other: RoomName) -> RefName:
    """What the ref of ``room``, here or of this clone alone, is for the room ``other``."""
    for prefix in (ROOMS_PREFIX, SEATS_PREFIX, SAT_PREFIX):
        if ref.startswith(f"{prefix}{room}/"):
            return RefName(f"{prefix}{other}/" + ref.removeprefix(f"{prefix}{room}/"))
    return RefName(ref.removesuffix(f"/{room}") + f"/{other}")


COPIES = (
    FETCHED_PREFIX,
    TRACKING_PREFIX,
    RefName(f"{LOCAL_PREFIX}seen/"),
    RefName(f"{LOCAL_PREFIX}brought/"),
)
"""What the refs begin with that hold what others have, or had, and that nobody here reads by."""


def is_in_room(ref: RefName, room: RoomName) -> bool:
    """Whether the ref is one of ``room``, here or as others have it, or of none that its name tells."""
    parts = ref.split("/")
    return room in parts or "brought" in parts


def aside_prefix(room: RoomName) -> RefName:
    """What the refs of all that is set aside of a room begin with. They are never pushed."""
    return RefName(f"{LOCAL_PREFIX}aside/{room}/")


def aside_ref(room: RoomName, oid: Oid) -> RefName:
    """``refs/chatroom-local/aside/<room>/<id>``: a record that a remote does not take."""
    return RefName(f"{aside_prefix(room)}{oid}")


def branches_refspec(remote: str) -> str:
    """What an ordinary clone fetches of ``remote``: its branches, and no room."""
    return f"+refs/heads/*:{REMOTES}{remote}/*"


def branch_of(ref: str) -> str | None:
    """The branch that ``ref`` is, or None when it is none."""
    return ref.removeprefix(HEADS) if ref.startswith(HEADS) else None


def bases(remotes: Sequence[str], branch: str | None) -> list[str]:
    """The refs that could be what all work is meant for, the likeliest first.

    What each of ``remotes`` calls ``HEAD``, branches of the usual names, and ``branch``, where there is one.
    """
    heads = [f"{REMOTES}{remote}/HEAD" for remote in remotes]
    return [*heads, *(HEADS + name for name in ("main", "master", branch) if name)]


_BRANCH = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,255}")


def told_branch(name: str | None) -> str | None:
    """``name`` as a record tells it: one line of at most 255 characters without control characters; else None.

    Git allows more: a longer path, and control characters above U+007F.
    """
    return name if name and _BRANCH.fullmatch(name) else None


def room_of(ref: RefName) -> RoomName:
    """The room that a ref below ``refs/chatroom/rooms/`` belongs to."""
    return RoomName(ref.removeprefix(ROOMS_PREFIX).partition("/")[0])


def is_cursor(ref: RefName) -> bool:
    """Whether ``ref`` is somebody's cursor, in any room."""
    return ref.startswith(cursors_prefix(room_of(ref)))


def is_of_a_room(ref: RefName) -> bool:
    """Whether ``ref`` is one that a room can have: its log, its summaries, or somebody's cursor."""
    room = room_of(ref)
    return is_slug(room) and (ref in (log_ref(room), summaries_ref(room)) or name_of_cursor(room, ref) is not None)


def refs_of(room: RoomName | None) -> str:
    """The pattern of all refs of a room, or of all rooms: what follows ``refs/chatroom/rooms/``."""
    return "*" if room is None else f"{room}/*"


def room_of_log(ref: RefName) -> RoomName | None:
    """The room whose log ``ref`` is, or None when it is no room's log."""
    room, slash, rest = ref.removeprefix(ROOMS_PREFIX).partition("/")
    is_log = ref.startswith(ROOMS_PREFIX) and slash and rest == "log" and is_slug(room)
    return RoomName(room) if is_log else None


def taken_ref(uid: Uid) -> RefName:
    """``refs/chatroom-local/taken/<uid>``: the commits of the project that came with work that was taken."""
    return RefName(f"{TAKEN_PREFIX}{uid}")
