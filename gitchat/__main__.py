"""``python -m gitchat`` and the ``git-chat`` program."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and end the process with its exit status.

    The interpreter is not torn down: everything is flushed, the kernel frees what is
    left, and taking apart pygit2 and click costs as much as starting Python.
    """
    from gitchat.cli import run

    status = run(sys.argv[1:])
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
