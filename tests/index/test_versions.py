"""Two versions of gitchat beside each other in one clone: each has an index of its own, and nothing stays in either."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitchat.index.files import UNUSED_SECONDS, VERSION, with_built
from gitchat.index.retiring import retire
from tests.needed import missing
from tests.shelf import Shelf
from tests.world import World

RELEASED = Path(__file__).parents[2] / ".tools" / "gitchat-0.1.0" / "bin" / "git-chat"
OURS = f"index.v{VERSION}.1.db"


def indexes(directory: Path) -> dict[str, int]:
    """The files that can be asked, each with its inode."""
    return {path.name: path.stat().st_ino for path in directory.glob("index*.db")}


def test_an_older_version_and_this_one_build_one_index_each(world: World) -> None:
    """However often they take turns, in a room that goes on meanwhile."""
    if not RELEASED.exists():
        missing("the released version is missing: make released")
    repository = world.repository()
    there: list[dict[str, int]] = []
    for number in range(3):
        world.chat("send", f"a word {number}", cwd=repository, check=True)
        for done in (
            world.chat("search", "word", cwd=repository, check=True),
            world.run(RELEASED, "search", "word", cwd=repository, check=True),
        ):
            assert done.stdout.count("word") == number + 1
        there.append(indexes(repository / ".git/chatroom"))
    assert there[0].keys() == {"index.1.db", OURS}
    assert there == [there[0]] * 3


@pytest.mark.parametrize("name", ["index.3.db", "index.v10.2.db", f"index.v{VERSION + 1}.1.db"])
def test_what_another_version_has_goes_after_a_week_without_use(world: World, name: str) -> None:
    """Told by when each was written in; with what SQLite added to it."""
    shelf = Shelf(world)
    directory, tip = shelf.store.directory, shelf.commit(shelf.genesis())
    others = [directory / name, directory / f"{name}-wal"]
    for other in others:
        other.write_bytes(b"")
    shelf.chain(tip)
    written = max(path.stat().st_mtime for path in directory.glob(f"{OURS}*"))
    for age, is_left in ((UNUSED_SECONDS - 60, True), (UNUSED_SECONDS + 60, False)):
        os.utime(others[0], (1, 1))
        os.utime(others[1], (written - age, written - age))
        opened = shelf.reopen()
        assert shelf.chain(tip, opened).total == 1
        opened.close()
        assert [other.exists() for other in others] == [is_left] * 2
    assert OURS in indexes(directory)


def test_what_is_to_go_goes_from_the_indexes_of_all_versions(world: World) -> None:
    """A purge leaves no text in what an older version built, or began to; git's files of like names stay."""
    shelf = Shelf(world)
    shelf.chain(shelf.commit(shelf.genesis()))
    directory = shelf.store.directory
    for name in ("index.1.db", "index.1.db-wal", "index.v10.7.db", "index.v10.7.db-shm", "indexing.db-journal"):
        (directory / name).touch()
    (directory / "index.of.mine.db").touch()
    retire(directory)
    assert with_built(directory) == []
    assert indexes(directory).keys() == {"index.of.mine.db"}
