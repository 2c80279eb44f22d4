"""Real writers wake real readers, in every kind of repository, also after git has tidied up."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitchat.model.refs import ROOMS_PREFIX
from gitchat.storage.store import Store
from gitchat.waking.watch import Changes
from tests.contract import repositories
from tests.crash.sleepers import DEADLINE_SECONDS, NEVER, Sleeper, until, watching_threads
from tests.crash.writers import ROOM, StartLine, fork, room_of, say, wait_for
from tests.world import World, open_store

# An error in a thread of the watches must fail the test, too.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")

KINDS = ["plain", "worktree", "sha256", "reftable"]
LOG = "refs/chatroom/rooms/lobby/log"


class Refs:
    """All refs of rooms, counting the looks."""

    def __init__(self, store: Store) -> None:
        self.looks = 0
        self._backend = store.backend

    def __call__(self) -> object:
        self.looks += 1
        return self._backend.list_refs(ROOMS_PREFIX)


class Reader:
    """A reader of one repository whom only events wake, and what others do there meanwhile."""

    def __init__(self, world: World, common_dir: Path) -> None:
        self.world = world
        self.common_dir = common_dir
        self.refs = Refs(open_store(common_dir))
        self.changes = Changes(common_dir, read_refs=self.refs, poll_seconds=NEVER)

    def sleep(self) -> Sleeper:
        """Wait for whatever comes."""
        return Sleeper(self.changes, self.refs)

    def git(self, *arguments: str | Path) -> str:
        """``git <arguments>`` in the repository."""
        return self.world.git(*arguments, cwd=self.common_dir).stdout.strip()

    def send(self, *options: str) -> None:
        """The installed program sends a message."""
        self.world.chat("send", *options, "hello", cwd=self.common_dir, check=True)

    def append_with_git(self) -> None:
        """A git process moves the log by itself."""
        tip = self.git("rev-parse", LOG)
        new = self.git("commit-tree", f"{tip}^{{tree}}", "-p", tip, "-m", "theirs")
        self.git("update-ref", LOG, new, tip)


@pytest.fixture
def reader(world: World) -> Iterator[Reader]:
    """A reader of a plain repository without rooms."""
    made = Reader(world, world.repository() / ".git")
    yield made
    made.changes.close()


@pytest.fixture(params=KINDS)
def any_reader(request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """The same in each kind of repository."""
    if request.param == "reftable":
        world.use_newer_git()
        monkeypatch.setenv("PATH", world.variables["PATH"])
    made = Reader(world, repositories.make(request.param, world))
    yield made
    made.changes.close()


# --- who wakes -----------------------------------------------------------------


def test_another_program_wakes_a_reader(any_reader: Reader) -> None:
    """The first message of a repository, the next one, and the first of another room."""
    for room in ("lobby", "lobby", "release"):
        sleeper = any_reader.sleep()
        any_reader.send("--room", room)
        assert sleeper.wakes()


def test_git_wakes_a_reader(any_reader: Reader) -> None:
    """``git update-ref`` knows nothing of our files."""
    any_reader.send()
    for _ in range(2):
        sleeper = any_reader.sleep()
        any_reader.append_with_git()
        assert sleeper.wakes()


def test_a_deleted_room_wakes_a_reader(reader: Reader) -> None:
    """A ref that goes is a change, too."""
    reader.send()
    sleeper = reader.sleep()
    reader.git("update-ref", "-d", LOG)
    assert sleeper.wakes()


@pytest.mark.parametrize("first", [True, False])
def test_a_fetch_wakes_a_reader(world: World, first: bool) -> None:
    """Into a clone that has no room yet, and into one that has."""
    hub = world.repository("hub")
    world.git("clone", "-q", hub, "clone")
    fetch = ["fetch", "-q", str(hub), "refs/chatroom/*:refs/chatroom/*"]
    reader = Reader(world, world.root / "clone" / ".git")
    if not first:
        world.chat("send", "hello", cwd=hub, check=True)
        reader.git(*fetch)
    with reader.changes:
        sleeper = reader.sleep()
        world.chat("send", "hello again", cwd=hub, check=True)
        reader.git(*fetch)
        assert sleeper.wakes()


def test_a_push_wakes_a_reader(world: World, reader: Reader) -> None:
    """From a clone into the repository where the reader waits."""
    world.git("clone", "-q", reader.common_dir, "clone")
    clone = world.root / "clone"
    for _ in range(2):
        world.chat("send", "hello", cwd=clone, check=True)
        sleeper = reader.sleep()
        world.git("push", "-q", "origin", "refs/chatroom/*:refs/chatroom/*", cwd=clone)
        assert sleeper.wakes()


def test_another_program_wakes_a_task(reader: Reader) -> None:
    """In asyncio, without a thread for each task that waits."""

    async def main() -> bool:
        waiting = asyncio.create_task(reader.changes.wait_async(None))
        looks = reader.refs.looks
        while reader.refs.looks == looks:
            await asyncio.sleep(0)
        await asyncio.to_thread(reader.send)
        return await asyncio.wait_for(waiting, DEADLINE_SECONDS)

    assert asyncio.run(main())


# --- what git and people do to the directories ---------------------------------


@pytest.mark.parametrize("tidy", [["pack-refs", "--all"], ["gc", "-q", "--prune=now"]])
def test_tidying_blinds_nobody(any_reader: Reader, tidy: list[str]) -> None:
    """git packs the refs and removes their directories: no change itself, and the next message still wakes."""
    any_reader.send()
    for append in (any_reader.append_with_git, any_reader.send, any_reader.append_with_git):
        sleeper = any_reader.sleep()
        any_reader.git(*tidy)
        assert sleeper.is_asleep
        append()
        assert sleeper.wakes()


def test_our_files_can_be_deleted(reader: Reader) -> None:
    """``chatroom/`` comes back with the next message, and so does its watch."""
    reader.send()
    for _ in range(2):
        sleeper = reader.sleep()
        shutil.rmtree(reader.common_dir / "chatroom")
        reader.send()
        assert sleeper.wakes()


def test_a_blind_watch_is_made_anew(reader: Reader) -> None:
    """When the poll finds what no event told, the watches look at what is there now."""
    reader.send()
    reader.changes.wait(0)
    refs, aside = reader.common_dir / "refs", reader.common_dir / "aside"
    refs.rename(aside)
    shutil.copytree(aside, refs)
    for poll_seconds in (0.01, NEVER):
        reader.changes._poll_seconds = poll_seconds
        sleeper = reader.sleep()
        reader.append_with_git()
        assert sleeper.wakes()


def test_a_deleted_repository_is_polled(reader: Reader) -> None:
    """The reader wakes to meet that itself, and waits on in silence."""
    reader.send()
    reader.changes._poll_seconds = 0.01
    sleeper = reader.sleep()
    shutil.rmtree(reader.common_dir)
    assert sleeper.wakes()
    until(lambda: not reader.changes.wait(0.05))
    assert not reader.changes.is_watching


# --- many, and forked ----------------------------------------------------------


def test_nothing_is_missed_while_two_write(world: World) -> None:
    """A reader that waits and reads in turn sees all of 100 messages, each once and in order."""
    common_dir = world.repository() / ".git"
    line = StartLine(2)

    def write(writer: int) -> None:
        store = open_store(common_dir, fsync=False)
        line.wait()
        for turn in range(50):
            say(store, f"{writer}.{turn}", f"w{writer}")

    pids = [fork(lambda writer=writer: write(writer)) for writer in range(2)]  # type: ignore[misc]
    store = open_store(common_dir)
    room, seen = room_of(store), []
    with Changes(common_dir, read_refs=lambda: store.room_tip(ROOM)) as changes:
        changes.wait(0)
        line.start()
        while len(seen) < 100:
            assert changes.wait(DEADLINE_SECONDS), f"only {len(seen)} came"
            fresh = []
            for entry in room.entries():
                if entry.number == (seen[-1].number if seen else None):
                    break
                fresh.append(entry)
            seen += reversed(fresh)
        assert changes.is_watching
    assert wait_for(pids) == [0, 0]
    assert [entry.number for entry in seen] == list(range(1, 101))
    for writer in range(2):
        of_one = [entry.record.body for entry in seen if entry.record.author == f"w{writer}"]
        assert of_one == [f"{writer}.{turn}" for turn in range(50)]


def test_a_forked_child_leaves_the_parents_watches_alone(reader: Reader) -> None:
    """It waits on its own, and closing its copy neither hangs nor blinds the parent."""
    reader.send()
    reader.changes.wait(0)

    def child() -> None:
        assert not reader.changes.is_watching
        assert not reader.changes.wait(0.01)
        assert reader.changes.is_watching
        reader.changes.close()
        until(lambda: watching_threads() == [])

    assert wait_for([fork(child)]) == [0]
    sleeper = reader.sleep()
    reader.append_with_git()
    assert sleeper.wakes()
