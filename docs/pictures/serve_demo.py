"""Serve a lively room in a scratch repository, and open a browser on it, until interrupted. Run by ``make serve``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lively import company, make, sealed_variables


def main() -> int:
    """The exit status of the server. What follows on the command line are options of ``git chat serve``."""
    with tempfile.TemporaryDirectory() as scratch:
        clone, variables = Path(scratch, "orbit"), sealed_variables(Path(scratch))
        make(clone, variables, int(time.time()))
        with company(clone, variables):
            try:
                return subprocess.call(
                    ["git", "chat", "serve", "--open-browser", *sys.argv[1:]], cwd=clone, env=variables
                )
            except KeyboardInterrupt:
                return 0


if __name__ == "__main__":
    sys.exit(main())
