"""git with pipes that an event loop reads and writes, for who serves: no thread waits for it.

It runs in a session of its own, so that whatever it started can be ended with it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress

from gitchat.storage.git import cannot_start, environment_of

PATIENCE_SECONDS = 2.0
"""How long git has to remove its locks before it is killed."""


async def start(arguments: Sequence[str], *, cwd: str, variables: Mapping[str, str]) -> Process:
    """``git <arguments>``, running; for :func:`end`. Raises StorageError ``no-git``."""
    environment = environment_of(variables)
    try:
        return await asyncio.create_subprocess_exec(
            "git", *arguments, cwd=cwd, env=environment, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
    except OSError as error:
        raise cannot_start(error, cwd) from error


async def end(process: Process) -> None:
    """End git with all that it started; what has ended by itself is only waited for."""
    if process.returncode is not None:
        return
    # First as a person would: git then removes the locks that it has on refs, which a kill leaves behind.
    for number in (signal.SIGTERM, signal.SIGKILL):
        _signal(process.pid, number)
        until = time.monotonic() + PATIENCE_SECONDS
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
        while _signal(process.pid, 0):  # those that it started
            if time.monotonic() > until:
                break
            await asyncio.sleep(0.01)
        else:
            return


def _signal(group: int, number: int) -> bool:
    """Whether the process group was there to be signalled."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True
