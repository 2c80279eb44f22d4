"""Waking up when a room changes: the directories that every writer touches, watched; a slow poll behind them.

An event only says "look": a reader wakes when the refs it reads have another value than
last time. So a lost event costs a second and never a message, and events about nothing
cost a look. Writers are noticed twice:

- our own empty ``chatroom/write.lock`` after each move of a ref, wherever refs are stored;
- git (``fetch``, a ``push`` into this repository, ``update-ref``) renames a lock file over
  a ref below ``refs/chatroom/``, or over the list of tables in ``reftable/``.

Where nothing can be watched (no inotify instances left, another machine's writes on a
network mount) the poll is all there is. It also finds out when a watch has gone blind.

``import gitchat.waking.watch`` loads watchdog: only what waits imports it.
Source: docs/decisions/0003-watching-for-changes.md; docs/format.md section 7.1; inotify(7).
"""

from __future__ import annotations

import copy
import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from gitchat.model.names import REF_PREFIX, TRACKING_PREFIX

# What watchdog says about races that it has under control would come out on the terminal: in its log, that a
# watch ended while an event came; as a warning, that it watches a directory already which git has just made.
logging.getLogger("watchdog").addHandler(logging.NullHandler())
warnings.filterwarnings("ignore", message="Callback with id ", category=RuntimeWarning, module="watchdog")

POLL_SECONDS = 1.0
"""How late a change can be noticed of which no event tells."""

Ring = Callable[[], None]
"""Wakes one waiting reader. Called by a thread of the watches; must return at once and not raise."""


class Changes:
    """Tells a reader that refs changed; which ones, the reader finds out by reading.

    Make it, read everything once, then wait in a loop: a change after it was made is never
    missed, whenever it comes. One reader waits at a time; for each one more there is
    :meth:`another`. A forked child can go on with its own copy.
    """

    def __init__(
        self, common_dir: Path, *, read_refs: Callable[[], object], poll_seconds: float = POLL_SECONDS
    ) -> None:
        """``read_refs`` gives what is compared, for instance all tips; equal means unchanged.

        It is called here, and then in the thread that waits (in asyncio: in the loop's), every
        ``poll_seconds`` and at each event, so it should be quick. An error of it here is the
        caller's; later on it counts as a value: the reader wakes, reads, and meets it itself.
        """
        self._read_refs = read_refs
        self._poll_seconds = poll_seconds
        self._seen = read_refs()
        self._is_closed = False
        self._watches = _Watches(common_dir)
        self._watches.join(self)

    def another(self, read_refs: Callable[[], object] | None = None) -> Changes:
        """One more reader on the same watches, to wait beside this one; each is closed by itself.

        The kernel gives a user 128 inotify instances, so a process needs one for all its readers.
        """
        twin = copy.copy(self)
        twin._read_refs = read_refs or self._read_refs
        twin._seen = twin._read_refs()
        twin._is_closed = False
        self._watches.join(twin)
        return twin

    @property
    def is_watching(self) -> bool:
        """Whether events are expected; else the poll alone finds changes. False before the first wait."""
        return self._watches.is_armed

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Block until the refs differ from when this was made or last gave True.

        True: they do. False: ``timeout_seconds`` have passed (None: no limit), or this was closed.
        """
        bell = threading.Event()
        end = _end(timeout_seconds)
        with self._watches.listening(bell.set):
            is_rung = True
            while not self._has_changed(is_rung):
                pause_seconds = self._pause_seconds(end)
                if pause_seconds <= 0:
                    return False
                is_rung = bell.wait(pause_seconds)
                bell.clear()
        return not self._is_closed

    async def wait_async(self, timeout_seconds: float | None = None) -> bool:
        """As :meth:`wait`, in asyncio (also below anyio). Cancelling it ends it at once and leaves nothing behind."""
        import asyncio  # whoever awaits has loaded it; whoever waits in a thread does without

        loop = asyncio.get_running_loop()
        bell = asyncio.Event()
        end = _end(timeout_seconds)

        def ring() -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(bell.set)

        with self._watches.listening(ring):
            is_rung = True
            while not self._has_changed(is_rung):
                pause_seconds = self._pause_seconds(end)
                if pause_seconds <= 0:
                    return False
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_seconds):
                        await bell.wait()
                is_rung = bell.is_set()
                bell.clear()
        return not self._is_closed

    def wait_until(self, is_over: Callable[[], bool], timeout_seconds: float | None = None) -> bool:
        """Look, and look again after each change, until ``is_over`` says so; False when time is up."""
        end = _end(timeout_seconds)
        while not is_over():
            if not self.wait(None if end is None else end - time.monotonic()):
                return is_over()
        return True

    def close(self) -> None:
        """End: a wait that is under way, here or in another thread, returns False. Can be called twice."""
        self._is_closed = True
        self._watches.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _has_changed(self, is_rung: bool) -> bool:
        """Whether waiting is over. Arms first: what happens after the look then rings."""
        if self._is_closed:
            return True
        self._watches.arm()
        try:
            refs = self._read_refs()
        except Exception as error:
            refs = (type(error), str(error))
        if refs == self._seen:
            return False
        self._seen = refs
        if not is_rung:
            self._watches.distrust()
        return True

    def _pause_seconds(self, end: float | None) -> float:
        return self._poll_seconds if end is None else min(self._poll_seconds, end - time.monotonic())


def _end(timeout_seconds: float | None) -> float | None:
    return None if timeout_seconds is None else time.monotonic() + timeout_seconds


class _Watches:
    """The watched directories of one repository, and whom their events wake. For all readers of a process."""

    def __init__(self, common_dir: Path) -> None:
        self._common_dir = common_dir
        self._readers: set[Changes] = set()
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        # Replaced and never altered: an event reads it without the lock, which its thread must not wait for.
        self._rings: tuple[Ring, ...] = ()
        self._observer: BaseObserver | None = None
        self._armed: dict[Path, _Directory] | None = None

    def _after_fork(self) -> None:
        """Begin anew in a forked child, where no thread runs; to stop the parent's watches would blind the parent."""
        if self._pid != os.getpid():
            self._begin()

    @property
    def is_armed(self) -> bool:
        return self._pid == os.getpid() and self._observer is not None

    def join(self, reader: Changes) -> None:
        self._readers.add(reader)

    def leave(self, reader: Changes) -> None:
        self._after_fork()
        with self._lock:
            self._readers.discard(reader)
            if not self._readers:
                self._disarm()
        self._ring()

    @contextmanager
    def listening(self, ring: Ring) -> Iterator[None]:
        """Ring at every event in the meantime."""
        self._after_fork()
        with self._lock:
            self._rings = (*self._rings, ring)
        try:
            yield
        finally:
            with self._lock:
                self._rings = tuple(other for other in self._rings if other is not ring)

    def arm(self) -> None:
        """Watch what there is to watch now, which in most calls is watched already. Never fails: the poll remains."""
        wanted = _directories(self._common_dir)
        with self._lock:
            if self._armed == wanted or not self._readers:
                return
            self._disarm()
            self._armed = wanted
            with suppress(OSError, RuntimeError):  # no inotify instances or threads left
                self._observer = self._observe(wanted)
        self._ring()  # what happened in between is news to every reader

    def distrust(self) -> None:
        """Make all watches anew at the next look: the poll found what no event told, so one of them is blind.

        It can have lost its directory to another of that name, its kernel's events to a full queue, its thread.
        """
        self._armed = None

    def _observe(self, wanted: dict[Path, _Directory]) -> BaseObserver | None:
        if not wanted:
            return None
        observer = Observer()
        observer.start()
        for path, directory in wanted.items():
            handler, wanted_events = _Handler(directory.tells, self._ring), list(directory.events)
            with suppress(OSError):  # gone again, or no watches left
                observer.schedule(handler, path, recursive=directory.is_recursive, event_filter=wanted_events)
        if observer.emitters:
            return observer
        observer.stop()
        observer.join()
        return None

    def _disarm(self) -> None:
        observer, self._observer, self._armed = self._observer, None, None
        if observer is not None:
            observer.stop()
            observer.join()

    def _ring(self) -> None:
        for ring in self._rings:
            ring()


# --- what is watched -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Directory:
    """What events of a directory are asked for, and of which paths they tell that a ref moved."""

    events: tuple[type[events.FileSystemEvent], ...]
    """Never those of opening and reading: our own looks would ring, and be followed by the next."""
    tells: Callable[[str], bool]
    is_recursive: bool = False


def _directories(common_dir: Path) -> dict[Path, _Directory]:
    """Those that exist. ``refs/`` tells when the first room makes ``refs/chatroom/``.

    git removes the directories of refs when it packs them, and makes them again: watchdog follows
    that below ``refs/chatroom/``, which git itself leaves in place. Not watched is the common
    directory, where every ``git status`` of the user makes and removes files: of a packed ref's
    deletion the poll tells.
    """
    refs, chat_refs = common_dir / "refs", common_dir / REF_PREFIX
    tracking = common_dir / TRACKING_PREFIX
    possible = {
        common_dir / "chatroom": _LOCKS,
        common_dir / "reftable": _TABLES,
        chat_refs: _REFS,
        tracking: _REFS,
        refs: _ALL_REFS,
    }
    found = {path: directory for path, directory in possible.items() if path.is_dir()}
    if chat_refs in found:
        found.pop(refs, None)
    return found


def _is_no_lock(path: str) -> bool:
    return not path.endswith(".lock")


def _is_released(path: str) -> bool:
    """Whether ``path`` is the write lock without an intent: its holder has moved the ref, or given up.

    Before that there is nothing to see, and a look can cost a git process.
    """
    if os.path.basename(path) != "write.lock":
        return False
    try:
        return os.stat(path).st_size == 0
    except OSError:
        return True


_LOCKS = _Directory((events.FileModifiedEvent,), _is_released)
_TABLES = _Directory((events.FileMovedEvent, events.FileCreatedEvent), lambda path: path.endswith("tables.list"))
_REFS = _Directory(
    (events.FileMovedEvent, events.FileCreatedEvent, events.FileDeletedEvent), _is_no_lock, is_recursive=True
)
_ALL_REFS = _Directory((events.DirCreatedEvent,), lambda path: path.endswith(REF_PREFIX.rstrip("/")))


class _Handler(events.FileSystemEventHandler):
    """What watchdog's thread calls for each event of one directory."""

    def __init__(self, tells: Callable[[str], bool], ring: Ring) -> None:
        self._tells = tells
        self._ring = ring

    def dispatch(self, event: events.FileSystemEvent) -> None:
        if self._tells(os.fsdecode(event.dest_path or event.src_path)):
            self._ring()
