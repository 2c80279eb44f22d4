"""Going one of the two ways, and seeing which it was."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.world import World

AGENT = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "s1"}
"""The variables of an agent's session."""


def is_quick(world: World, repository: Path, *line: str, **variables: str) -> bool:
    """Whether the quick way does ``line``, which it does then."""
    code = "import sys; from gitchat.quick.start import run; sys.exit({None: 99}.get(s := run(sys.argv[1:]), s))"
    done = world.run(sys.executable, "-c", code, *line, cwd=repository, check=False, **variables)
    assert done.returncode in (0, 99), done.stderr
    return done.returncode == 0
