"""This process: its clock, its variables, its terminal."""

from __future__ import annotations

import os
import time

from gitchat.model.record import Moment
from gitchat.storage.variables import SECRETS, without_secrets


def read_clock() -> Moment:
    """The time now, with this machine's offset from UTC."""
    seconds = int(time.time())
    return Moment(seconds, time.localtime(seconds).tm_gmtoff // 60)


def read_variables() -> dict[str, str]:
    """The environment variables without secrets, also for who has to do without an Environment."""
    return without_secrets(os.environ)


def read_secret(name: str) -> str:
    """A variable that nothing but its one use may see, so that no log, file or process gets it; blank when not set."""
    assert name in SECRETS
    return os.environ.get(name, "")


def has_terminal() -> bool:
    """Whether standard input, output or error is a terminal."""
    return any(_is_terminal(descriptor) for descriptor in (0, 1, 2))


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
