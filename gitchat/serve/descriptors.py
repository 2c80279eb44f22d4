"""How many files this process may have open: a participant costs two, its socket and its name's lock."""

from __future__ import annotations

import os
import resource

KEPT_FREE = 64
"""Descriptors that nobody new gets: git's programs, SQLite and the log need some, too."""


def raise_limit() -> None:
    """Let this process have as many files open as the system allows it. Never fails: then it stays as it was."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # macOS says unlimited, and takes no more than OPEN_MAX
            return


def few_left() -> bool:
    """Whether a new connection would take one of the last descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return False
    try:
        lowest = os.dup(2)  # the kernel gives the lowest that is free: to count them all takes a millisecond
    except OSError:
        return True
    os.close(lowest)
    return lowest >= soft - KEPT_FREE
