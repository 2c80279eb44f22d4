"""``python -m gitchat`` and the ``git-chat`` program."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main() -> None:
    """Run the command line and end the process with its exit status.

    The interpreter is not torn down: everything is flushed, the kernel frees what is
    left, and taking apart pygit2 and click costs as much as starting Python.
    """
    status = _at_once(sys.argv[1:])
    if status is None:
        from gitchat.cli import run

        status = run(sys.argv[1:])
    sys.stderr.flush()
    os._exit(status)


def _at_once(arguments: Sequence[str]) -> int | None:
    """The exit status of what an agent's client starts, and waits for; None where it is something else.

    Loading click and the command line takes as long as half of a hook's work. Whatever is not just what ``setup``
    writes is the command line's, which does the same.
    """
    match list(arguments):
        case ["hook", client, event] if not event.startswith("-"):
            from gitchat import agenthook

            return agenthook.main(client, event) if client in agenthook.CLIENTS else None
        case ["mcp"] | ["mcp", "--user-wide"] if sys.stdin is not None and not sys.stdin.isatty():
            from gitchat.server import front

            front.serve(is_user_wide="--user-wide" in arguments)
    return None


if __name__ == "__main__":
    main()
