"""The libgit2 backend in every kind of repository that it can open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitchat.storage import git
from gitchat.storage.backend import Backend, ObjectDamaged
from gitchat.storage.libgit2 import CannotOpen, Libgit2Backend
from gitchat.storage.shared import SharedBackend
from gitchat.storage.sharing import Sharing
from tests.contract import repositories
from tests.contract.backend_contract import BackendContract
from tests.world import World


class TestLibgit2(BackendContract):
    """The contract on libgit2."""

    @pytest.fixture(params=repositories.FILES_KINDS)
    def common_dir(self, request: pytest.FixtureRequest, world: World) -> Path:
        """A repository of one kind."""
        return repositories.make(request.param, world)

    @pytest.fixture
    def backend(self, common_dir: Path) -> Backend:
        """libgit2 on the common directory."""
        return Libgit2Backend(common_dir, fsync=True)


class TestShared(BackendContract):
    """The contract where git writes and libgit2 reads: in repositories that users share."""

    @pytest.fixture(params=["plain", "bare", "packed", "worktree", "separate"])
    def common_dir(self, request: pytest.FixtureRequest, world: World) -> Path:
        """A repository of one kind, shared with its group."""
        common_dir = repositories.make(request.param, world)
        world.git(f"--git-dir={common_dir}", "config", "core.sharedRepository", "group")
        return common_dir

    @pytest.fixture
    def backend(self, common_dir: Path) -> Backend:
        """Both on the common directory."""
        return SharedBackend(common_dir, variables=git.scrub(os.environ), fsync=True, sharing=Sharing(0o660))


def test_borrowed_object_that_ends_early_is_damaged(world: World) -> None:
    """What is cut off in the repository that another one borrows from is refused at once, too."""
    common_dir = repositories.make("alternates", world)
    [objects] = (common_dir / "objects" / "info" / "alternates").read_text().split()
    oid = Libgit2Backend(Path(objects).parent, fsync=False).write_object("blob", bytes(range(256)))
    path = Path(objects) / oid[:2] / oid[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ObjectDamaged):
        Libgit2Backend(common_dir, fsync=False).read_object(oid)


def test_what_libgit2_cannot_open_it_says_it_cannot(world: World) -> None:
    """A SHA-256 repository is refused by libgit2, so that the plumbing takes over."""
    with pytest.raises(CannotOpen, match="object format"):
        Libgit2Backend(repositories.make("sha256", world), fsync=True)
