"""What is around a room, as its screen shows it: who is here, the other rooms, how far the base is ahead.

As gitchat/presence/roll.py, gitchat/rooms/log.py and gitchat/verbs/ahead.py tell it.
"""

import os

from gitchat.quick import live, record, room
from gitchat.quick.objects import Objects, find_tip, may_be
from gitchat.quick.place import Place, read
from gitchat.quick.plain import is_oid, is_slug, is_text
from gitchat.quick.settings import Settings
from gitchat.quick.spawned import output
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_NAMES = 200
_MOST_BYTES = 1024 * 1024


def on_a_line(text: str) -> str:
    """``text``, which is shown as it is. Raises Unusual: it is more than a part of a line."""
    if not is_text(text) or {*text} & {*"\n\t"}:
        raise Unusual
    return text


# --- who is here -----------------------------------------------------------------


def participants(place: Place, name: str) -> "list[tuple[str, str]]":
    """Who is in the room ``name``, living or registered, sorted by name, each with the role.

    Raises Unusual and OSError.
    """
    try:
        names = sorted(os.listdir(place.common_dir + "/chatroom/live"))
    except FileNotFoundError:
        return []
    if len(names) > _MOST_NAMES:
        raise Unusual
    found = []
    for one in names:
        if not is_slug(one):
            raise Unusual
        life = live.find(place, one)
        at = life.at(name) if life is not None else None
        if at is None:
            continue
        if at.is_registered or (at.left_at is None and live.is_lived_under(place, one)):
            found.append((one, on_a_line(at.role) if at.role.strip() else ""))
    return found


# --- the other rooms -------------------------------------------------------------


class Overview:
    """A room in a list of rooms."""

    __slots__ = ("active", "count", "is_closed", "name", "title")

    def __init__(self, name: str, end: room.Position, objects: Objects) -> None:
        """Raises Unusual and ValueError: more has to be known of it."""
        self.name = name
        self.count = end.count
        """The newest number."""
        newest, is_closed, title = end.tip, end.is_closed, end.title
        if end.log != end.tip:
            if any(one.kind == "meta" for _, one in room.waiting(end, objects)):
                raise Unusual
            newest = end.log
        self.is_closed = is_closed
        self.active = record.committed(objects.commit(newest))
        """When the newest record came, in seconds since the epoch."""
        values = record.Commit(objects.commit(title)).values if title else {}
        self.title = on_a_line(values.get("Chat-Title", [""])[0])


def overviews(place: Place, settings: Settings, objects: Objects, here: str) -> "list[Overview]":
    """The other rooms than ``here``, the most recently active first. Raises Unusual, OSError and ValueError."""
    found = []
    for name in room.others(place, here):
        if find_tip(place, room.log_ref(name)) is not None:
            end = room.position(place, name, room.authority(place, settings, name), is_plain=False)
            found.append(Overview(name, end, objects))
    return sorted(found, key=lambda one: (-one.active, one.name))


# --- the base --------------------------------------------------------------------


def behind(place: Place, settings: Settings, remote: "str | None") -> "tuple[str, int] | None":
    """What the base is called and how many commits of it the work here lacks; None where it lacks none.

    ``remote`` is the room's. Raises Unusual: it takes more to tell.
    """
    if settings.get("chat.base") is not None:
        raise Unusual
    remotes = _remotes(settings)
    if not remotes and not _has_worktrees(place):
        return None
    found, head = _base(place, remotes), _head(place)
    if found is None or head is None:
        return None
    ref, oid = found
    branch = ref.removeprefix(room.known_prefix(remote or ""))
    copied = find_tip(place, room.copy_ref(remote, branch)) if remote is not None and branch != ref else None
    if head == oid and copied in (None, oid):
        return None
    _refuse_bare(place)
    if copied not in (None, oid) and _count(place, f"{copied}..{oid}") == 0:
        oid = copied
    count = _count(place, f"{head}..{oid}") if oid != head else 0
    if not count:
        return None
    if oid.encode() in _noted(place):
        raise Unusual  # which files both change
    return _short(place, ref), count


def _count(place: Place, commits: str) -> int:
    return int(output(place, f"--git-dir={place.git_dir}", "rev-list", "--count", commits))


def _refuse_bare(place: Place) -> None:
    """Raise Unusual where there may be no work tree."""
    lines = read(place.common_dir + "/config", _MOST_BYTES).lower().split(b"\n")
    said = [line.replace(b" ", b"").strip() for line in lines if b"bare" in line]
    if "GIT_DIR" in place.variables or any(one != b"bare=false" for one in said):
        raise Unusual


def _noted(place: Place) -> bytes:
    """What the last look at everybody's work has noted of it."""
    try:
        return read(place.common_dir + "/chatroom/moved", _MOST_BYTES)
    except FileNotFoundError:
        return b""


def _short(place: Place, ref: str) -> str:
    """The ref as git calls it in short. Raises Unusual: that name could be another's, too, or is not shown as it is."""
    short = ref.partition("/")[2].partition("/")[2]
    others = [one for one in room.shadows(short) if one != ref]
    if any(may_be(place, one) for one in others):
        raise Unusual
    return on_a_line(short)


def _remotes(settings: Settings) -> "list[str]":
    """The named remotes, that of the rooms first."""
    names = [key[7:-4] for key in settings.values if key.startswith("remote.") and key.endswith(".url")]
    if not all(is_slug(name) for name in names):
        raise Unusual
    first = settings.get("chat.remote") or "origin"
    return [*([first] if first in names else []), *names]


def _has_worktrees(place: Place) -> bool:
    try:
        return bool(os.listdir(place.common_dir + "/worktrees"))
    except FileNotFoundError:
        return False


def _head(place: Place) -> "str | None":
    """The commit that is checked out; None where there is none yet."""
    said = read(place.git_dir + "/HEAD", 4096).decode()
    branch = room.branch_of(said)
    if branch is not None:
        return find_tip(place, room.branch_ref(branch))
    if not is_oid(said.removesuffix("\n")):
        raise Unusual
    return said.removesuffix("\n")


def _base(place: Place, remotes: "Sequence[str]") -> "tuple[str, str] | None":
    """The ref of what work is meant for, and its commit: as gitchat/work/side.py finds it."""
    for name in dict.fromkeys(remotes):
        try:
            leads = read(f"{place.common_dir}/{room.known_prefix(name)}HEAD", 4096).decode()
        except FileNotFoundError:
            continue
        ref = leads.removeprefix("ref: ").removesuffix("\n")
        if ref == leads.removesuffix("\n") or not ref.startswith(room.known_prefix(name)):
            raise Unusual
        oid = find_tip(place, ref)
        if oid is not None:
            return ref, oid
    for branch in ("main", "master"):
        oid = find_tip(place, room.branch_ref(branch))
        if oid is not None:
            return room.branch_ref(branch), oid
    return None
