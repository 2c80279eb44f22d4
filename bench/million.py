"""The index of 1,000,000 records, built by the first who asks. Run by ``make bench ONLY=million.py``: it takes minutes.

Takes a directory in which the repository is made, or was made already. Prints Markdown.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from goals import MILLION, builds, said_of_builds
from history import make_history


def main() -> None:
    """Print the table."""
    repository = Path(sys.argv[1]) / f"with-{MILLION}"
    if not repository.exists():
        make_history(repository, MILLION)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        built = builds(Path(scratch), repository, MILLION, 1)
    print(built + "\n\n" + said_of_builds(built, {"index-1000000": (MILLION, 1), "index-1000000-memory": (MILLION, 3)}))


if __name__ == "__main__":
    main()
