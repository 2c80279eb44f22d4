"""Every kind of repository that a backend has to cope with."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.world import World

FILES_KINDS = ["plain", "bare", "packed", "worktree", "alternates", "separate", "partial"]
"""What libgit2 opens too: SHA-1, refs in files."""

NEWER_KINDS = ["sha256", "reftable", "reftable-sha256"]
"""What only git's own plumbing opens."""


_COPIED = frozenset({"bare", "packed", "partial", *NEWER_KINDS})
"""In which no path of theirs stands, or one of a source that nobody changes: made once, and copied."""


def make(kind: str, world: World) -> Path:
    """The common directory of a new repository of this kind, with a commit of the user's."""
    if kind not in _COPIED:
        return _made(kind, world)
    template = _template(kind, world.variables["PATH"])
    return Path(shutil.copytree(template, world.root / "copied" / template.name, symlinks=True))


@cache
def _template(kind: str, path: str) -> Path:
    """One to copy, made with the git of this ``PATH``."""
    root = Path(_templates().name, kind)
    root.mkdir()
    world = World(root)
    world.variables["PATH"] = path
    return _made(kind, world)


@cache
def _templates() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="gitchat-repositories-")


def _made(kind: str, world: World) -> Path:
    root = world.root
    match kind:
        case "sha256":
            return world.repository("sha256", "--object-format=sha256") / ".git"
        case "reftable":
            return world.repository("reftable", "--ref-format=reftable") / ".git"
        case "reftable-sha256":
            return world.repository("both", "--ref-format=reftable", "--object-format=sha256") / ".git"
    source = world.repository("source")
    match kind:
        case "bare":
            world.git("clone", "-q", "--bare", source, root / "bare.git")
            return root / "bare.git"
        case "packed":
            world.git("gc", "-q", cwd=source)
        case "worktree":
            world.git("worktree", "add", "-q", root / "tree", cwd=source)
            return world.environment(root / "tree").repository.location.common_dir
        case "alternates":
            world.git("clone", "-q", "--shared", source, root / "shared")
            return root / "shared" / ".git"
        case "separate":
            world.git("clone", "-q", "--separate-git-dir", root / "elsewhere", source, root / "tree")
            return root / "elsewhere"
        case "partial":
            world.git("config", "uploadpack.allowFilter", "true", cwd=source)
            world.git("clone", "-q", "--filter=blob:none", f"file://{source}", root / "partial")
            return root / "partial" / ".git"
    return source / ".git"
