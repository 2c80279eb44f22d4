"""Asking that people's work be looked at, where nobody waits for it: two empty files, so that sh can do it as well.

``conflicts.on`` is there while such a look can find anything. ``conflicts.asked`` is made by who asks, and starts the
process that looks, and removed by that when it begins: who finds it there has nothing to do. Source: docs/format.md
section 7.51.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress

from gitchat.model.errors import ChatError
from gitchat.storage.ownfiles import OwnFile
from gitchat.workspace.environment import Environment

ON, ASKED, MOVED, REST = "conflicts.on", "conflicts.asked", "moved", "conflicts.rest"
"""All in ``chatroom/``; of the last two one is what a look found for hooks to tell, one why none comes unasked."""

_MAX_BYTES, _MOST_SECONDS = 4096, 3600

ASKED_SECONDS = 120
"""After so long nobody comes any more who was asked: it was killed. The gate in sh has the same in minutes."""


def ask(environment: Environment) -> None:
    """Start a process that looks, unless one is to begin, or nothing could be found. Never fails."""
    directory = environment.repository.directory
    with suppress(ChatError, OSError):
        if not os.path.exists(directory / ON):
            return
        asked = OwnFile(directory, ASKED)
        with suppress(FileNotFoundError):
            if abs(environment.now().seconds - asked.modified()) < ASKED_SECONDS:
                return
            asked.remove()
        os.close(asked.open(os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        environment.start_aside("conflicts", "--aside")


def ask_or_find_out(environment: Environment) -> None:
    """As :func:`ask`; where nobody noted yet whether anything could be found, a process finds that out. Never fails."""
    directory = environment.repository.directory
    with suppress(ChatError, OSError):
        if os.path.exists(directory / ON):
            ask(environment)
        elif environment.repository.config.get_bool("chat.conflicts", True) and not _rests(environment):
            environment.start_aside("conflicts", "--aside")


def _rests(environment: Environment) -> bool:
    """Whether nobody looks for now because it was too slow, or there are too many files: then for an hour at a time."""
    rest = OwnFile(environment.repository.directory, REST)
    with suppress(FileNotFoundError):
        past = environment.now().seconds - rest.modified()
        try:
            told = json.loads(rest.read(_MAX_BYTES))
            lasts = _MOST_SECONDS if told["why"] == "files" else min(int(told["lasts"]), _MOST_SECONDS)
        except (ValueError, TypeError, KeyError, OverflowError):
            return False
        return abs(past) < lasts
    return False


def is_noted(environment: Environment) -> bool:
    """Whether a look found something for hooks to tell."""
    with suppress(OSError):
        return os.stat(environment.repository.directory / MOVED).st_size > 0
    return False


def is_resting(environment: Environment) -> bool:
    """Whether it was noted that nobody looks unasked for a while. Loads nothing."""
    with suppress(OSError):
        return os.path.exists(environment.repository.directory / REST)
    return False


def begins(environment: Environment) -> None:
    """Whoever was asked begins to look: what changes from here on is asked for again."""
    with suppress(OSError):
        OwnFile(environment.repository.directory, ASKED).remove()


def switch(environment: Environment, *, is_on: bool) -> None:
    """Note whether a look that nobody asks for can find anything. Never fails."""
    directory = environment.repository.directory
    with suppress(OSError):
        if is_on == os.path.exists(directory / ON):
            return
        file = OwnFile(directory, ON)
        if is_on:
            os.close(file.open(os.O_WRONLY | os.O_CREAT))
        else:
            file.remove()
