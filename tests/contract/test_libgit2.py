"""The libgit2 backend in every kind of repository that it can open."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitchat.backend import Backend
from gitchat.libgit2 import Libgit2Backend
from tests.contract.backend_contract import BackendContract
from tests.world import World


class TestLibgit2(BackendContract):
    """The contract over plain, bare, packed, worktree, alternates and separate git directories."""

    @pytest.fixture(params=["plain", "bare", "packed", "worktree", "alternates", "separate", "partial"])
    def common_dir(self, request: pytest.FixtureRequest, world: World) -> Path:
        """A repository of one kind, with a commit of the user's."""
        repository = world.repository("source")
        match request.param:
            case "bare":
                world.git("clone", "-q", "--bare", repository, world.root / "bare.git")
                return world.root / "bare.git"
            case "packed":
                world.git("gc", "-q", cwd=repository)
            case "worktree":
                world.git("worktree", "add", "-q", world.root / "tree", cwd=repository)
                return world.environment(world.root / "tree").location.common_dir
            case "alternates":
                world.git("clone", "-q", "--shared", repository, world.root / "shared")
                return world.root / "shared" / ".git"
            case "separate":
                world.git(
                    "clone", "-q", "--separate-git-dir", world.root / "elsewhere", repository, world.root / "tree"
                )
                return world.root / "elsewhere"
            case "partial":
                world.git("config", "uploadpack.allowFilter", "true", cwd=repository)
                url = f"file://{repository}"
                world.git("clone", "-q", "--filter=blob:none", url, world.root / "partial")
                return world.root / "partial" / ".git"
        return repository / ".git"

    @pytest.fixture
    def backend(self, common_dir: Path) -> Backend:
        """libgit2 on the common directory."""
        return Libgit2Backend(common_dir)
