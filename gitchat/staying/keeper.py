"""Keeping a clone in step with a remote while somebody is there: when to look, when to push.

Two kinds of time limits meet here. A forge counts pushes and looks of all clones together,
so a clone pushes at most so often, collects what comes in between, and looks less often
while nothing happens. And people wait: what is written after a pause goes out at once, and
as soon as anything happens, the looks are close together again.

One process of a clone keeps it in step with one remote; the others wait for its place.
Source: docs/format.md section 13, docs/decisions/0006-when-to-look-and-push.md.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from gitchat.model.errors import ChatError, ConflictError
from gitchat.model.names import RefName
from gitchat.model.refs import is_cursor
from gitchat.storage import gate

if TYPE_CHECKING:
    from gitchat.clones.report import Report
    from gitchat.clones.sync import Remote
    from gitchat.workspace.environment import Environment

QUICK_SECONDS = 2.0
"""Between two pushes to a path or a machine behind ssh."""

FORGE_SECONDS = 15.0
"""Between two pushes to a forge. GitHub asks for at most six a minute and repository, of all clones together."""

IDLE_FACTOR = 4.0
"""So many intervals lie between two looks at the most while nothing happens, and before a cursor alone is pushed."""

BACK_OFF = 1.5
"""By how much the time to the next look grows when nothing happened."""

LONGEST_SECONDS = 300.0
"""The longest interval, however often the remote refuses."""

TAKE_OVER_SECONDS = 86_400.0
"""How long a process waits for the one that keeps the clone in step to end, before it waits again."""

_FORGES = ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "dev.azure.com", "sr.ht")
"""Also behind ssh."""

Tell = Callable[["Report | ChatError", float], None]
"""Told what a round did, or why it failed, and in how many seconds the next one comes at the latest."""


def interval_of(url: str) -> float:
    """Seconds between two pushes to what stands behind ``url``."""
    is_forge = url.startswith(("http://", "https://")) or any(
        f"{host}:" in url or f"{host}/" in url for host in _FORGES
    )
    return FORGE_SECONDS if is_forge else QUICK_SECONDS


class Pace:
    """When to look at a remote and when to push to it. Pure: it is told the time, in seconds of any clock."""

    def __init__(self, interval_seconds: float, jitter: Callable[[], float]) -> None:
        """``jitter`` gives what an interval is multiplied by, so that clones do not march in step."""
        self._interval = interval_seconds
        self._jitter = jitter
        self._penalty = 1.0
        self._look = interval_seconds
        self._looks_at = 0.0
        self._pushes_at = 0.0
        self._tidies_at = 0.0

    def due(self, *, has_news: bool, has_cursors: bool) -> float:
        """When the next round is due: with records to push, with cursors to push, or only to look."""
        return min(
            [self._looks_at]
            + ([self._pushes_at] if has_news else [])
            + ([max(self._pushes_at, self._tidies_at)] if has_cursors else [])
        )

    def may_push(self, now: float) -> bool:
        """Whether a round at ``now`` may push, too, or only look."""
        return now >= self._pushes_at

    def stirred(self, now: float) -> None:
        """Somebody here wrote: an answer may come soon."""
        self._look = self._interval
        self._looks_at = min(self._looks_at, now + self._look)

    def done(self, now: float, *, is_news: bool, has_pushed: bool) -> None:
        """A round ended well at ``now``; ``is_news``: it brought something."""
        self._look = self._interval if is_news or has_pushed else self._longer(self._look)
        self._penalty = max(1.0, self._penalty / 2) if has_pushed else self._penalty
        self._plan(now, has_pushed)

    def refused(self, now: float, *, is_news: bool) -> None:
        """The remote was heard and took nothing: the next push comes after twice the time, the looks as ever."""
        self._penalty = self._doubled()
        self._look = self._interval if is_news else self._longer(self._look)
        self._plan(now, True)

    def failed(self, now: float) -> None:
        """Nobody was heard: everything comes after twice the time."""
        self._penalty = self._doubled()
        self._look = self._interval * self._penalty
        self._plan(now, True)

    def _doubled(self) -> float:
        return min(self._penalty * 2, LONGEST_SECONDS / self._interval)

    def _longer(self, seconds: float) -> float:
        return min(seconds * BACK_OFF, self._interval * IDLE_FACTOR)

    def _plan(self, now: float, has_pushed: bool) -> None:
        self._looks_at = now + self._look * self._jitter()
        if has_pushed:
            self._pushes_at = now + self._interval * self._penalty * self._jitter()
            self._tidies_at = now + self._interval * IDLE_FACTOR


class Keeping:
    """The keepers of one process: a thread for each remote that numbers a room here."""

    def __init__(self, tell: Callable[[str], object] = lambda trouble: None) -> None:
        """``tell`` gets a sentence about each new trouble, from the thread that met it."""
        self._tell = tell
        self._keepers: dict[str, Keeper] = {}

    def begin(self, environment: Environment) -> None:
        """Keep the rooms of ``environment`` in step from now on; again: also those attached since.

        Nothing where ``chat.sync`` is ``manual``. Raises UserError ``bad-config``.
        """
        if not environment.syncs_by_itself():
            return
        from gitchat.workspace.remotes import follow_renamed, missing  # for who keeps

        with suppress(ChatError):  # who syncs by hand is told
            follow_renamed(environment)
        lost = missing(environment)
        wanted = {remote for room, remote in environment.authorities.all().items() if room not in lost}
        for remote in wanted - self._keepers.keys():
            # The copy has nothing open yet: what a thread opens it uses alone.
            self._keepers[remote] = keeper = Keeper(replace(environment), remote, Troubles(self._tell))
            name = f"gitchat-keep-{remote}"
            threading.Thread(target=self._run, args=(keeper,), name=name, daemon=True).start()

    def _run(self, keeper: Keeper) -> None:
        try:
            keeper.run()
        except ChatError as error:  # nothing can be written here, for one
            self._tell(str(error))

    def close(self) -> set[str]:
        """End, and return the remotes that only this process kept the rooms in step with."""
        kept = {remote for remote, keeper in self._keepers.items() if keeper.is_keeping}
        for keeper in self._keepers.values():
            keeper.close()
        self._keepers = {}
        return kept


@contextmanager
def in_step(environment: Environment) -> Iterator[None]:
    """Keep the rooms in step with their remotes as long as the body runs."""
    keeping = Keeping()
    keeping.begin(environment)
    try:
        yield
    finally:
        keeping.close()


class Troubles:
    """Tells of each trouble once, as long as it lasts."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._last = ""

    def __call__(self, done: Report | ChatError, seconds: float) -> None:
        alarms, trouble = ([], done) if isinstance(done, ChatError) else (done.alarms, done.refusal)
        if trouble is not None and str(trouble) != self._last:
            will_change = trouble.code != "ref-refused"
            alarms = [*alarms, f"{trouble}; {f'again in {seconds:.0f} s' if will_change else trouble.hint}"]
        self._last = str(trouble) if trouble is not None else ""
        for alarm in alarms:
            self._tell(alarm)


class Keeper:
    """Keeps the rooms of a clone that follow one remote in step with it, and takes in rooms that are new there.

    Rooms here that no remote numbers stay so: nobody is there to agree. For one thread, which :meth:`run`
    has; :meth:`close` may be called by any.
    """

    def __init__(self, environment: Environment, remote: str, tell: Tell = lambda done, seconds: None) -> None:
        """``environment`` must be the thread's own. Raises UserError ``bad-config``."""
        self._environment = environment
        self._name = remote
        self._tell = tell
        url = environment.repository.config.get(f"remote.{remote}.url") or ""
        self._pace = Pace(environment.sync_interval() or interval_of(url), lambda: 1.0 + environment.random() / 2)
        self._stop = threading.Event()
        self._changes = environment.changes()
        self.is_keeping = False
        """Whether it is this process that does it."""

    def run(self) -> None:
        """Until it is closed; what goes wrong with the remote is told, and tried again.

        Raises:
            StorageError: the lock's file cannot be made.
        """
        lock = f"keep-{quote(self._name, safe='')}.lock"
        with self._changes:
            while not self._stop.is_set():
                with suppress(ConflictError), gate.hold(self._environment.store.directory, TAKE_OVER_SECONDS, lock):
                    self.is_keeping = True
                    self._keep()
                self.is_keeping = False

    def close(self) -> None:
        """End; a round that is under way is finished first."""
        self._stop.set()
        self._changes.close()

    def _keep(self) -> None:
        from gitchat.workspace.remotes import open_remote  # for who keeps

        remote = open_remote(self._environment, self._name)
        while not self._stop.is_set():
            ahead = self._ahead(remote)
            cursors = set(filter(is_cursor, ahead))
            due = self._pace.due(has_news=ahead > cursors, has_cursors=bool(cursors))
            seconds = due - time.monotonic()
            if seconds <= 0:
                self._round(remote)
            elif self._changes.wait(seconds):
                self._pace.stirred(time.monotonic())

    def _ahead(self, remote: Remote) -> set[RefName]:
        with suppress(ChatError):  # the round meets it, too, and tells
            return remote.ahead()
        return set()

    def _round(self, remote: Remote) -> None:
        from gitchat.clones.settling import settle  # for who keeps

        try:
            report = settle(
                remote,
                None,
                random=self._environment.random,
                pushes=self._pace.may_push(time.monotonic()),
                is_asked=False,
            )
        except ChatError as error:
            self._pace.failed(time.monotonic())
            self._tell(error, self._seconds_to_look())
            return
        now = time.monotonic()
        is_news = any(report.fetched.values()) or bool(report.alarms)
        if report.refused:
            self._pace.refused(now, is_news=is_news)
        else:
            self._pace.done(now, is_news=is_news, has_pushed=report.accepted > 0)
        self._tell(report, self._seconds_to_look())

    def _seconds_to_look(self) -> float:
        return max(0.0, self._pace.due(has_news=False, has_cursors=False) - time.monotonic())
