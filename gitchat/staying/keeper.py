"""Keeping a clone in step with a remote while somebody is there.

One process of a clone keeps it in step with one remote; the others wait for its place.
Source: docs/format.md section 13, docs/decisions/0006-when-to-look-and-push.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from gitchat.model.errors import ChatError, ConflictError
from gitchat.staying.branches import Branches
from gitchat.staying.forks import Forks
from gitchat.staying.lookout import Lookout
from gitchat.staying.pace import Waiting
from gitchat.staying.porter import Porter
from gitchat.staying.rounds import Rounds, lasting
from gitchat.staying.turns import chosen_interval
from gitchat.storage import gate
from gitchat.workspace.pushing import Hurry, lock_of

if TYPE_CHECKING:
    from gitchat.clones.report import Report
    from gitchat.workspace.environment import Environment

TAKE_OVER_SECONDS = 86_400.0
"""How long a process waits for the one that keeps the clone in step to end, before it waits again."""

Tell = Callable[["Report | ChatError", float], None]
"""Told what a round did, or why it failed, and in how many seconds the next one comes at the latest."""


class Keeping:
    """The keepers of one process: a thread for each remote that numbers a room here.

    Before there is one, a lookout for rooms of the clone's remote.
    """

    def __init__(
        self,
        tell: Callable[[str], object] = lambda trouble: None,
        *,
        say: Callable[[str], object] = lambda sentence: None,
        begins_session: bool = False,
        only_tells: bool = False,
    ) -> None:
        """``tell`` gets a sentence about each new trouble, ``say`` one about rooms of the remote, from the thread that
        met it. ``begins_session`` and ``only_tells`` as for Lookout.
        """
        self._tell = tell
        self._say = say
        self._begins_session = begins_session
        self._only_tells = only_tells
        self._keepers: dict[str, Keeper] = {}
        self._lookout: Lookout | None = None
        self._turn = threading.Lock()
        self._begun: tuple[Environment, object] | None = None
        """For whom it was begun last, and what told then which room follows which remote."""

    def begin(self, environment: Environment) -> None:
        """Keep the rooms of ``environment`` in step from now on; again: also those attached since.

        Nothing where ``chat.sync`` is ``manual``. Raises UserError ``bad-config``.
        """
        if not environment.syncs_by_itself():
            return
        look = environment.authorities.look()
        if look is not None and self._begun == (environment, look):  # it is asked before each call of a tool
            return
        with self._turn:  # a lookout begins the keepers, too
            self._begin(environment)
        self._begun = (environment, look)

    def _begin(self, environment: Environment) -> None:
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
        first = environment.repository.arrives_at()
        if first is not None and first not in wanted and self._lookout is None:
            self._lookout = self._look_out(replace(environment))

    def _look_out(self, environment: Environment) -> Lookout:
        lookout = Lookout(
            environment,
            begins_session=self._begins_session,
            only_tells=self._only_tells,
            tell=self._say,
            arrived=lambda: self.begin(environment),
        )
        threading.Thread(target=lookout.run, name="gitchat-lookout", daemon=True).start()
        return lookout

    def wait_for_look(self, seconds: float) -> bool:
        """Wait until it was looked whether the clone's remote has rooms; False when that takes longer."""
        lookout = self._lookout
        return lookout is None or lookout.wait(seconds)

    def _run(self, keeper: Keeper) -> None:
        try:
            keeper.run()
        except ChatError as error:  # nothing can be written here, for one
            self._tell(str(error))

    def ring(self, remote: str) -> None:
        """Let the keeper of ``remote`` look now, where there is one: see :meth:`Keeper.ring`."""
        keeper = self._keepers.get(remote)
        if keeper is not None:
            keeper.ring()

    def close(self) -> set[str]:
        """End, and return the remotes that only this process kept the rooms in step with."""
        if self._lookout is not None:
            self._lookout.close()
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
        alarms = [] if isinstance(done, ChatError) else [*done.alarms, *done.notes]
        trouble = done if isinstance(done, ChatError) else lasting(done)
        if trouble is not None and str(trouble) != self._last:
            passes = trouble.code not in ("ref-refused", "push-denied", "newer-format")
            alarms = [*alarms, f"{trouble}; {f'again in {seconds:.0f} s' if passes else trouble.hint}"]
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
        self._interval = chosen_interval(environment.repository.config)
        self._stop = threading.Event()
        self._porter: Porter | None = None
        self._rings = 0
        self._knocks = 0
        self._hurry = Hurry(environment, remote)
        self._changes = environment.changes(lambda: (self._hurry.is_asked(), self._rings, self._knocks))
        self.is_keeping = False
        """Whether it is this process that does it."""

    def run(self) -> None:
        """Until it is closed; what goes wrong with the remote is told, and tried again.

        Raises:
            StorageError: the lock's file cannot be made.
        """
        directory, lock = self._environment.store.directory, lock_of(self._name)
        with self._changes:
            while not self._stop.is_set():
                with suppress(ConflictError), gate.hold(directory, TAKE_OVER_SECONDS, lock):
                    self.is_keeping = True
                    self._keep()
                self.is_keeping = False

    def ring(self) -> None:
        """Look now, however long the pause; at most every half second. For any thread.

        Nothing where another process keeps the clone in step: its own pace remains.
        """
        self._rings += 1
        self._changes.ring()

    def close(self) -> None:
        """End; a round that is under way is finished first, as far as the process goes on."""
        self._stop.set()
        self._changes.close()
        if self._porter is not None:
            self._porter.close()  # here: the thread may not come to it

    def _stirred(self) -> None:
        """Something came by the doorbell; called by its thread."""
        self._knocks += 1
        self._changes.ring()

    def _keep(self) -> None:
        with Porter(self._environment, self._name, stir=self._stirred) as porter:
            self._porter = porter
            rounds = Rounds(self._environment, self._name, self._interval)
            forks, branches = Forks(self._environment, self._name), Branches(self._environment, self._name)
            heard = self._rings
            is_called = False
            while not self._stop.is_set():
                knocks = self._knocks
                rounds.rely(is_relied=porter.is_relied_on)
                if porter.calls() or self._rings != heard:
                    heard = self._rings
                    is_called = True
                    rounds.hastened()
                waiting = rounds.waiting()
                seconds = rounds.seconds_to(waiting)
                if seconds <= 0:
                    done = rounds.go(rounds.waiting() if forks.look() else waiting)
                    porter.looked(done, was_called=is_called)
                    branches.look(done)
                    is_called = False
                    self._tell(done, max(0.0, rounds.seconds_to(Waiting())))
                elif self._changes.wait(min(seconds, porter.seconds_to_ask)) and (heard, knocks) == (
                    self._rings,
                    self._knocks,
                ):
                    rounds.stirred()
