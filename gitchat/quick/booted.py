"""Whether somebody looked after a clone since the system started: what a power cut may have taken is not made twice.

Linux says by an id of its own which start this is. Where no system does, there is no quick way for what is synced.
Source: random(4), /proc/sys/kernel/random/boot_id; docs/format.md section 7.40.
"""

import os

FILE = "booted"
"""Below ``chatroom/``: the id of the start after which the rule of 6.2 was applied."""

_ID = "/proc/sys/kernel/random/boot_id"


def start_of_system() -> str:
    """The id of this start of the system; empty where it has none."""
    return _read(_ID)


def is_settled(directory: str) -> bool:
    """Whether ``directory``, which is ``chatroom/``, was looked after since the system started."""
    start = start_of_system()
    return start != "" and _read(f"{directory}/{FILE}") == start


def _read(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        return os.read(descriptor, 64).decode("ascii", "replace").strip()
    except OSError:
        return ""
    finally:
        os.close(descriptor)
