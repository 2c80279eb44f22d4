"""Waiting for what a client does, which nothing announces."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

LIMIT_SECONDS = 120.0
"""More than anything takes that happens at all, on a loaded machine too."""

Found = TypeVar("Found")


def until(
    find: Callable[[], Found], *, told: Callable[[], object] = lambda: "", limit_seconds: float = LIMIT_SECONDS
) -> Found:
    """What ``find`` gives as soon as it is true. Raises AssertionError, with what ``told`` gives."""
    end = time.monotonic() + limit_seconds
    while not (found := find()):
        assert time.monotonic() < end, f"it never came\n{told()}"
        time.sleep(0.05)
    return found


def quiet(measure: Callable[[], object], seconds: float) -> None:
    """Wait until what ``measure`` gives stayed the same for so many seconds: that something did *not* happen."""
    seen, since, end = measure(), time.monotonic(), time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < since + seconds:
        if (now := measure()) != seen:
            seen, since = now, time.monotonic()
        assert time.monotonic() < end, "it never became quiet"
        time.sleep(0.05)
