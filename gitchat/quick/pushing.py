"""What was said in a room with a remote is carried there by a process that nobody waits for.

As gitchat/workspace/pushing.py does it, in the plain case: somebody stays here when we have ended, and nothing is
known to be wrong with the remote. Source: docs/format.md sections 13.1, 13.5 and 13.6.
"""

import fcntl
import os
import sys

from gitchat.quick import spawned
from gitchat.quick.objects import find_tip
from gitchat.quick.place import Place
from gitchat.quick.plain import is_slug
from gitchat.quick.settings import Settings
from gitchat.quick.swap import Clone
from gitchat.quick.unusual import Unusual

WITHIN_STEPS = 64
"""How many records may wait for the remote: beyond that it is looked up otherwise."""


def refuse_unusual(place: Place, settings: Settings, remote: str, *, stays: bool) -> None:
    """Raise Unusual where what is said is not just left to a process beside us.

    In a job of a build service and in a script, which may be gone with all else the moment after, and while the remote
    is not heard; for who may not push there; and where rooms are carried only when somebody says so.
    """
    is_ci = place.variables.get("CI", "").lower() not in ("", "0", "false", "no")
    is_by_itself = settings.get("chat.sync") in (None, "batch")
    if is_ci or not stays or not is_by_itself or sys.platform != "linux":
        raise Unusual
    refuse_trouble(place, settings, remote)


def refuse_trouble(place: Place, settings: Settings, remote: str) -> None:
    """Raise Unusual where something may be known to be wrong with ``remote``, or where it may not be pushed there."""
    has_fork = settings.has("remote.pushdefault") or (remote != "origin" and settings.has("remote.origin.url"))
    if has_fork:
        raise Unusual
    if os.path.lexists(f"{place.common_dir}/chatroom/trouble-{remote}"):
        raise Unusual


def refuse_beyond(place: Place, clone: Clone, tracking: str, tip: str) -> None:
    """Raise Unusual where the log at ``tip`` may not go on from all that the remote was last seen to have."""
    wanted = find_tip(place, tracking)
    here = tip
    for _ in range(WITHIN_STEPS):
        if wanted is None or here == wanted:
            return
        here = _parent(clone.read(here))
    raise Unusual


def _parent(raw: bytes) -> str:
    found = raw.partition(b"\nparent ")[2][:40].decode("ascii", "replace")
    if len(found) != 40 or b"\nparent " not in raw.partition(b"\n\n")[0]:
        raise Unusual
    return found


def push_soon(place: Place, remote: str) -> None:
    """Have it pushed, if nobody does so already. Returns at once, never fails.

    Who takes the keeper's lock starts one pusher, which goes on holding it.
    """
    assert is_slug(remote)
    try:
        lock = os.open(
            f"{place.common_dir}/chatroom/keep-{remote}.lock",
            os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK,
            0o666,
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            spawned.aside(place, lock, "deliver", "--held", str(lock), "--", remote)
        finally:
            os.close(lock)
    except OSError:  # somebody is at it; or a read-only place, a full disk: what was said is stored
        pass
