"""Going one of the two ways, and seeing which it was."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


_PROGRAM = """
import json, os, sys
import gitchat.__main__
os.set_inheritable(1, True)
told = os.dup(1)
null = os.open(os.devnull, os.O_RDWR)
for descriptor in (0, 1, 2):
    os.dup2(null, descriptor)
end = os._exit
def tell(status):
    os.write(told, b"long\\n" if "gitchat.cli" in sys.modules else b"quick\\n")
    end(status)
os._exit = tell
sys.argv = ["git-chat", *sys.argv[1:]]
gitchat.__main__.main()
"""
"""The program, which says at its end whether it loaded the command line, and nothing else."""


def way(world: World, repository: Path, *line: str, **variables: str) -> str:
    """Which way the whole program goes for ``line``, which it does: ``quick`` or ``long``; told by what it loaded."""
    done = world.run(sys.executable, "-c", _PROGRAM, *line, cwd=repository, check=False, **variables)
    assert done.stdout in ("quick\n", "long\n"), done.stderr
    return done.stdout.strip()


_KEPT = ("objects", "config", "hooks", "info")
"""What of a repository no command of ours takes back: objects come beside others, and the rest is not touched."""


@contextmanager
def as_it_was(common_dir: Path, scratch: Path) -> Iterator[None]:
    """Whatever happens to the refs and the files of a repository in here, each is as before when it is over.

    The directory itself stays: a clone is known by it.
    """
    for entry in _entries(common_dir):
        (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, scratch / entry.name)
    yield
    for entry in _entries(common_dir):
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for entry in scratch.iterdir():
        shutil.move(entry, common_dir / entry.name)


def _entries(common_dir: Path) -> Iterable[Path]:
    return [entry for entry in common_dir.iterdir() if entry.name not in _KEPT]
