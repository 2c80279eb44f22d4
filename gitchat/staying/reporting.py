"""What a hub tells at its doorbell: which commits the logs and summaries of its rooms have moved to.

Source: docs/format.md section 15.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

from gitchat.doorbell.lines import GREETING, HERE, HERE_SECONDS, MOST_AT_ONCE, moved
from gitchat.model.errors import ChatError
from gitchat.model.names import Oid, RefName
from gitchat.model.refs import is_cursor
from gitchat.workspace.environment import Environment


def reports(environment: Environment, stop: threading.Event | None = None) -> Iterator[str]:
    """The lines; ``environment`` is the thread's own. Where it cannot be read nothing has moved.

    They end when ``stop`` is set, at the next of them.

    Raises what the repository and its store raise, before the first line.
    """
    with environment.changes() as changes:
        seen = _tips(environment)
        yield GREETING
        while stop is None or not stop.is_set():
            end = time.monotonic() + HERE_SECONDS
            while changes.wait(end - time.monotonic()):
                with suppress(ChatError):
                    before, seen = seen, _tips(environment)
                    tips = [oid for ref, oid in seen.items() if before.get(ref) != oid]
                    yield from map(moved, tips[-MOST_AT_ONCE:])
            yield HERE


def _tips(environment: Environment) -> dict[RefName, Oid]:
    """Where the refs are that a push moves and who follows waits for: of positions nobody is told."""
    return {ref: oid for ref, oid in environment.store.tips() if not is_cursor(ref)}
