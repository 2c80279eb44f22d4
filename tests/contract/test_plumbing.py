"""The plumbing backend in every kind of repository, those that libgit2 cannot open among them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitchat.model.names import RoomName
from gitchat.storage import git
from gitchat.storage.backend import Backend
from gitchat.storage.plumbing import PlumbingBackend
from tests.contract import repositories
from tests.contract.backend_contract import BackendContract
from tests.crash.writers import records, say
from tests.world import World, open_store


class TestPlumbing(BackendContract):
    """The contract on git's plumbing."""

    @pytest.fixture(params=repositories.FILES_KINDS + repositories.NEWER_KINDS)
    def common_dir(self, request: pytest.FixtureRequest, world: World) -> Path:
        """A repository of one kind; reftable needs a newer git (make tools)."""
        if "reftable" in request.param:
            world.use_newer_git()
        return repositories.make(request.param, world)

    @pytest.fixture
    def backend(self, common_dir: Path, world: World) -> Iterator[Backend]:
        """git's plumbing on the common directory."""
        has_reftable = (common_dir / "reftable").is_dir()
        backend = PlumbingBackend(
            common_dir, variables=git.scrub(world.variables), has_reftable=has_reftable, fsync=True
        )
        yield backend
        backend.close()


@pytest.mark.parametrize("kind", repositories.NEWER_KINDS)
def test_a_room_works_where_libgit2_cannot_go(world: World, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store picks the plumbing by itself, and numbers count as everywhere."""
    if "reftable" in kind:
        world.use_newer_git()
        monkeypatch.setenv("PATH", world.variables["PATH"])
    common_dir = repositories.make(kind, world)
    store = open_store(common_dir)
    assert isinstance(store.backend, PlumbingBackend)
    assert [say(store, f"message {turn}").entry.number for turn in range(3)] == [1, 2, 3]
    assert [entry.record.body for entry in records(common_dir)] == ["message 0", "message 1", "message 2"]
    assert store.rooms() == [RoomName("lobby")]
    assert world.git("fsck", "--strict", cwd=common_dir).stdout == ""


def test_a_store_that_is_dropped_ends_its_git(world: World) -> None:
    """Who opens many stores and closes none is not left with a process and three pipes for each."""
    common_dir = repositories.make("sha256", world)
    say(open_store(common_dir), "first")

    def open_files() -> int:
        records(common_dir)
        gc.collect()
        return len(list(Path("/dev/fd").iterdir()))

    assert open_files() == open_files()
