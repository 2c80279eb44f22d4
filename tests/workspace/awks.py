"""The shells and awks that the guard is tried in, as far as they are here."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.needed import missing

TOP = Path(__file__).parents[2]
SHELLS = TOP / ".tools" / "shells"

KINDS = ("dash", "busybox", "gawk", "original-awk")
"""dash with mawk, all that is busybox's, and dash with the other awks, which not every system has."""

_OFTEN = ("dash", "busybox")


def shell_of(kind: str, directory: Path) -> tuple[list[str], Path]:
    """The words that start a shell, and a directory to be first in PATH, in which ``awk`` is that of ``kind``."""
    shell, awk = ("busybox", "busybox") if kind == "busybox" else ("dash", "mawk" if kind == "dash" else kind)
    directory.mkdir(exist_ok=True)
    (directory / "awk").symlink_to(_program(awk, kind))
    return [_program(shell, kind), *(["sh"] if shell == "busybox" else [])], directory


def _program(name: str, kind: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=str(SHELLS))
    if found is None and kind in _OFTEN:
        missing(f"there is no {name}: make tools packages")
    if found is None:
        import pytest

        pytest.skip(f"there is no {name}")
    return found
