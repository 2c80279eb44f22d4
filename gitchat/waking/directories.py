"""The directories that every writer touches, watched: the only user of watchdog.

Writers are noticed twice:

- our own empty ``chatroom/write.lock`` after each move of a ref, wherever refs are stored;
- git (``fetch``, a ``push`` into this repository, ``update-ref``) renames a lock file over
  a ref below ``refs/chatroom/``, or over the list of tables in ``reftable/``.

Source: docs/decisions/0003-watching-for-changes.md; docs/format.md section 7.1; inotify(7).
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from gitchat.model.refs import REF_PREFIX, TRACKING_PREFIX

# What watchdog says about races that it has under control would come out on the terminal: in its log, that a
# watch ended while an event came; as a warning, that it watches a directory already which git has just made.
logging.getLogger("watchdog").addHandler(logging.NullHandler())
warnings.filterwarnings("ignore", message="Callback with id ", category=RuntimeWarning, module="watchdog")

Ring = Callable[[], None]
"""Wakes one waiting reader. Called by a thread of the watches; must return at once and not raise."""


class Watches:
    """The watched directories of one repository, and whom their events wake. For all readers of a process."""

    def __init__(self, common_dir: Path) -> None:
        self._common_dir = common_dir
        self._readers: set[object] = set()
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
        """Whether events are expected in this process."""
        return self._pid == os.getpid() and self._observer is not None

    def join(self, reader: object) -> None:
        """Keep watching for ``reader``, until it leaves. It wakes by nothing but what it is listening with."""
        self._readers.add(reader)

    def leave(self, reader: object) -> None:
        """Wake who listens; the last reader takes the watches and their thread with it."""
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
            _end(observer)

    def ring(self) -> None:
        """Wake all who listen, as an event does: each looks, and goes on where nothing is new. For any thread."""
        self._after_fork()
        self._ring()

    def _ring(self) -> None:
        for ring in self._rings:
            ring()


_ending: threading.Thread | None = None


def _end(observer: BaseObserver) -> None:
    """Have it stopped by a thread that nobody waits for: who was woken has something to read.

    The kernel takes ten milliseconds and more to close an inotify instance. A user has 128 of them, so there is one
    that ends at a time: who comes next waits for that.
    """
    global _ending
    if _ending is not None:
        _ending.join()
    ending = threading.Thread(target=_stop, args=(observer,), daemon=True)
    try:
        ending.start()
    except RuntimeError:  # no threads left
        _stop(observer)
    else:
        _ending = ending  # not before it runs: nobody can wait for one that does not


def _stop(observer: BaseObserver) -> None:
    observer.stop()
    observer.join()


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
