"""Waiting for changes, without git: what wakes, what does not, and what is left behind."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gitchat.waking import directories
from gitchat.waking.watch import Changes
from tests.crash.sleepers import NEVER, Sleeper, until, watching_threads
from tests.crash.writers import fork, wait_for


class Refs:
    """Stands for the refs of a repository: one value, and how often it was looked at."""

    def __init__(self) -> None:
        self.value = 0
        self.looks = 0

    def __call__(self) -> int:
        self.looks += 1
        return self.value


@pytest.fixture
def refs() -> Refs:
    """Refs that a test changes."""
    return Refs()


@pytest.fixture
def common_dir(tmp_path: Path) -> Path:
    """A directory with what a writer of gitchat touches."""
    (tmp_path / "chatroom").mkdir()
    (tmp_path / "chatroom" / "write.lock").touch()
    return tmp_path


@pytest.fixture
def changes(common_dir: Path, refs: Refs) -> Iterator[Changes]:
    """A reader whom only events wake."""
    with Changes(common_dir, read_refs=refs, poll_seconds=NEVER) as made:
        yield made


def release_lock(common_dir: Path) -> None:
    """What the holder of the write lock does after it moved a ref."""
    with (common_dir / "chatroom" / "write.lock").open("r+") as file:
        file.write("an intent")
        file.flush()
        file.truncate(0)


# --- waking --------------------------------------------------------------------


def test_a_change_is_reported_once(changes: Changes, refs: Refs) -> None:
    """Also one that came before the first wait; after that there is nothing new."""
    refs.value = 1
    assert changes.wait(0)
    assert not changes.wait(0)


def test_without_a_change_time_passes(changes: Changes) -> None:
    """A wait ends when its time is up, whether it is short or nothing."""
    assert not changes.wait(0.05)
    assert not asyncio.run(changes.wait_async(0.05))
    assert not changes.wait(-1)


def test_looking_wakes_nobody(common_dir: Path) -> None:
    """A reader that opens what it watches does not ring its own bell: a handful of looks, however long it waits."""
    looks = 0
    ref = common_dir / "refs" / "chatroom" / "rooms" / "lobby" / "log"
    ref.parent.mkdir(parents=True)
    ref.write_text("1")

    def read() -> str:
        nonlocal looks
        looks += 1
        return ref.read_text() + (common_dir / "chatroom" / "write.lock").read_text()

    with Changes(common_dir, read_refs=read, poll_seconds=NEVER) as changes:
        assert not changes.wait(0.3)
        assert changes.is_watching
    assert looks <= 5


@pytest.mark.parametrize(
    ("path", "content", "tells"),
    [
        ("chatroom/write.lock", "", True),
        ("chatroom/write.lock", "an intent", False),
        ("chatroom/write.lock", None, True),
        ("chatroom/journal", "", False),
        ("chatroom/sync.lock", "", False),
        ("refs/chatroom/rooms/lobby/log", "1", True),
        ("refs/chatroom/rooms/lobby/log.lock", "1", False),
        ("reftable/tables.list", "1", True),
        ("reftable/tables.list.lock", "1", False),
        ("reftable/0x000000000001-0x000000000002-c1d2e3f4.ref", "1", False),
    ],
)
def test_a_writer_at_work_is_not_looked_at(tmp_path: Path, path: str, content: str | None, tells: bool) -> None:
    """A journal entry, an intent, a ref's lock say that nothing has moved yet; a look can cost a git process."""
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    if content is not None:
        file.write_text(content)
    directory = next(found for root, found in directories._directories(tmp_path).items() if root in file.parents)
    assert directory.tells(str(file)) is tells


def test_an_event_without_a_change_wakes_nobody(common_dir: Path, changes: Changes, refs: Refs) -> None:
    """The reader looks, and goes on waiting."""
    sleeper = Sleeper(changes, refs)
    looks = refs.looks
    release_lock(common_dir)
    until(lambda: refs.looks > looks)
    assert sleeper.is_asleep
    refs.value = 1
    release_lock(common_dir)
    assert sleeper.wakes()


def test_one_change_wakes_every_reader(common_dir: Path, changes: Changes, refs: Refs) -> None:
    """Readers of one process share the watches, each with its own memory of what it saw."""
    with changes.another() as other:
        sleepers = [Sleeper(changes, refs), Sleeper(other, refs)]
        refs.value = 1
        release_lock(common_dir)
        assert [sleeper.wakes() for sleeper in sleepers] == [True, True]
    assert changes.is_watching
    sleeper = Sleeper(changes, refs)
    refs.value = 2
    release_lock(common_dir)
    assert sleeper.wakes()


def test_an_event_wakes_a_task(common_dir: Path, changes: Changes, refs: Refs) -> None:
    """In asyncio, while the loop does other things."""

    async def main() -> bool:
        waiting = asyncio.create_task(changes.wait_async(None))
        looks = refs.looks
        while refs.looks == looks:
            await asyncio.sleep(0)
        refs.value = 1
        await asyncio.to_thread(release_lock, common_dir)
        return await asyncio.wait_for(waiting, 60)

    assert asyncio.run(main())


# --- an error in looking -------------------------------------------------------


def test_an_error_of_the_look_wakes_once(common_dir: Path) -> None:
    """The reader meets the error itself when it reads; until that changes there is nothing new."""
    values: list[Any] = [1, OSError("gone"), OSError("gone"), 1]

    def read() -> object:
        value = values.pop(0)
        if isinstance(value, OSError):
            raise value
        return value

    with Changes(common_dir, read_refs=read, poll_seconds=NEVER) as changes:
        assert [changes.wait(0) for _ in range(3)] == [True, False, True]


def test_an_error_of_the_first_look_is_the_callers(common_dir: Path) -> None:
    """What can never be read is not waited for."""
    with pytest.raises(ZeroDivisionError):
        Changes(common_dir, read_refs=lambda: 1 / 0)
    until(lambda: watching_threads() == [])


# --- nothing to watch ----------------------------------------------------------


def test_without_inotify_the_poll_finds_changes(common_dir: Path, refs: Refs) -> None:
    """A process that can open nothing more waits all the same."""

    def child() -> None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, most))
        with Changes(common_dir, read_refs=refs, poll_seconds=0.01) as changes:
            sleeper = Sleeper(changes, refs)
            assert not changes.is_watching
            refs.value = 1
            assert sleeper.wakes()

    assert wait_for([fork(child)]) == [0]


def test_without_watches_the_poll_finds_changes(common_dir: Path, refs: Refs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of watches per user is met without a word, and no thread is kept for nothing."""

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(directories.BaseObserver, "schedule", refuse)
    with Changes(common_dir, read_refs=refs, poll_seconds=0.01) as changes:
        sleeper = Sleeper(changes, refs)
        assert not changes.is_watching
        until(lambda: watching_threads() == [])
        refs.value = 1
        assert sleeper.wakes()


def test_where_nothing_is_the_poll_waits(tmp_path: Path, refs: Refs) -> None:
    """A directory that does not exist is no error."""
    with Changes(tmp_path / "nowhere", read_refs=refs, poll_seconds=0.01) as changes:
        sleeper = Sleeper(changes, refs)
        refs.value = 1
        assert sleeper.wakes()
        assert not changes.is_watching


# --- ending --------------------------------------------------------------------


def test_closing_ends_a_wait_in_another_thread(changes: Changes, refs: Refs) -> None:
    """The waiter gets False at once, and so does whoever waits after that."""
    sleeper = Sleeper(changes, refs)
    changes.close()
    assert sleeper.result() is False
    assert not changes.wait(None)
    changes.close()


def test_closing_ends_a_waiting_task(changes: Changes, refs: Refs) -> None:
    """The same in asyncio."""

    async def main() -> bool:
        waiting = asyncio.create_task(changes.wait_async(None))
        looks = refs.looks
        while refs.looks == looks:
            await asyncio.sleep(0)
        changes.close()
        return await asyncio.wait_for(waiting, 60)

    assert not asyncio.run(main())


def test_cancelling_leaves_nothing_behind(changes: Changes, refs: Refs) -> None:
    """A cancelled task ends at once, listens no more, and keeps no thread; another can wait after it."""

    async def main() -> None:
        waiting = asyncio.create_task(changes.wait_async(None))
        looks = refs.looks
        while refs.looks == looks:
            await asyncio.sleep(0)
        before = threading.active_count()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert threading.active_count() == before
        assert changes._watches._rings == ()
        refs.value = 1
        assert await changes.wait_async(0)

    asyncio.run(main())


def test_the_last_reader_ends_the_threads(changes: Changes) -> None:
    """Watching takes threads; closing gives all of them back, in a moment and without being waited for."""
    other = changes.another()
    assert not other.wait(0)
    assert watching_threads() != []
    changes.close()
    assert watching_threads() != []
    other.close()
    until(lambda: watching_threads() == [])


def test_who_waits_again_and_again_takes_no_more_than_two_instances(common_dir: Path, refs: Refs) -> None:
    """One that watches, and one that ends: the kernel gives a user 128."""
    if not sys.platform.startswith("linux"):
        pytest.skip("counts what Linux shows of a process")
    most = 0
    for _ in range(10):
        with Changes(common_dir, read_refs=refs, poll_seconds=NEVER) as changes:
            assert not changes.wait(0)
            assert changes.is_watching
            most = max(most, inotify_instances())
    assert 1 <= most <= 2
    until(lambda: inotify_instances() == 0)


def inotify_instances() -> int:
    """How many this process has open."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found += "inotify" in os.readlink(f"/proc/self/fd/{name}")
    return found


def test_the_library_does_not_write_to_the_terminal() -> None:
    """Neither its log nor its warnings about races that do no harm."""
    code = """if True:
        import gitchat.waking.watch, logging, warnings
        logging.getLogger('watchdog.observers.inotify').error('called when the thread is inactive')
        warnings.warn_explicit("Callback with id '1' exists", RuntimeWarning, 'x.py', 1, 'watchdog.observers.inotify')
    """
    done = subprocess.run([sys.executable, "-W", "always", "-c", code], check=True, capture_output=True)
    assert done.stderr == b""
