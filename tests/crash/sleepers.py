"""Readers that sleep until something wakes them, for tests of waking."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from gitchat.waking.watch import Changes

NEVER = 3600.0
"""A poll that does not come within a test: only an event wakes."""

DEADLINE_SECONDS = 60.0
"""After so long a test fails that would otherwise wait for ever."""


class Looks(Protocol):
    """A ``read_refs`` that counts its calls."""

    looks: int

    def __call__(self) -> object: ...


def until(condition: Callable[[], bool]) -> None:
    """Return when ``condition`` holds; fail when it never does."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.002)


def watching_threads() -> list[threading.Thread]:
    """The threads of this process that watch files."""
    return [thread for thread in threading.enumerate() if type(thread).__module__.startswith("watchdog")]


class Sleeper:
    """A thread that waits without a limit. When this is made it has looked, seen nothing new and fallen asleep."""

    def __init__(self, changes: Changes, refs: Looks) -> None:
        changes.wait(0)  # arms, and forgets what came before
        looks = refs.looks
        self._results: list[bool] = []
        self._thread = threading.Thread(target=lambda: self._results.append(changes.wait(None)), daemon=True)
        self._thread.start()
        until(lambda: refs.looks > looks)

    @property
    def is_asleep(self) -> bool:
        """Whether it still waits."""
        return self._thread.is_alive()

    def result(self) -> bool:
        """What its wait gave."""
        self._thread.join(DEADLINE_SECONDS)
        assert self._results, "nothing woke the reader"
        return self._results[0]

    def wakes(self) -> bool:
        """Whether a change ended its wait."""
        return self.result()
