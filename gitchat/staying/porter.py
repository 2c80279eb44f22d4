"""Who attends to the doorbell for a clone, and says when it is time to look at the remote.

What is heard is believed in one point alone: that a look may be worth it. A knock about a commit that is here costs
nothing, one about another costs a look; where looks find nothing of what was knocked for, there are fewer of them.
While the line is open, and all who push knock, the clone itself looks seldom (:data:`RELIED_SECONDS` of the pace).
Source: docs/format.md section 15, docs/decisions/0018-a-doorbell-and-no-messages.md.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gitchat.clones.report import Report
from gitchat.doorbell.beats import Beat
from gitchat.doorbell.doorbell import Heard, Moved, Opened
from gitchat.doorbell.knock import Knock
from gitchat.model.errors import ChatError
from gitchat.model.names import Oid, RoomName, Uid
from gitchat.model.refs import log_ref
from gitchat.staying.beating import Beating
from gitchat.staying.rounds import is_busy
from gitchat.workspace.doorbells import doorbell_of, first_uid, knocks_of

if TYPE_CHECKING:
    from gitchat.doorbell.doorbell import Doorbell
    from gitchat.workspace.environment import Environment

MOST_WAITING = 256
"""How many knocks wait for the thread that looks; of more the first are dropped, and the look finds what they meant."""

FALSE_SECONDS, LONGEST_FALSE_SECONDS = 0.5, 8.0
"""Bounds of the time before another knock is believed after a look that did not find it, which doubles."""

UNRUNG_SECONDS = 10.0
"""How long after we found something by ourselves its knock may come: who pushes connects first."""

DISTRUST_SECONDS = 600.0
"""How long the line is not relied on after somebody has pushed without a knock."""

FIRSTS_SECONDS = 600.0
"""How long it is remembered by which uid a room is known: a person may have given it another log."""

_MOST_HEARD = 1024


class Porter:
    """The porter of the rooms that follow one remote. For the thread that keeps these in step, in a ``with``.

    Nothing raises.
    """

    def __init__(
        self,
        environment: Environment,
        remote: str,
        *,
        stir: Callable[[], object],
        opens: Callable[[Environment, str], Doorbell | None] = doorbell_of,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``stir`` is called from another thread when :meth:`calls` may have another answer.

        ``opens`` gives the doorbell, ``now`` the seconds of a clock that goes on evenly.
        """
        self._environment = environment
        self._remote = remote
        self._stir = stir
        self._opens = opens
        self._now = now
        self._doorbell: Doorbell | None = None
        self._beating: Beating | None = None
        self._waiting: deque[Heard] = deque(maxlen=MOST_WAITING)
        self._heard: dict[Oid, None] = {}
        """Commits that were knocked for lately, here or elsewhere."""
        self._wanted: set[Oid] = set()
        """Those of them that are not here."""
        self._unrung: dict[Oid, float] = {}
        """Commits that were found without a knock, and when."""
        self._falses = 0
        self._deaf_until = 0.0
        self._distrusts_until = 0.0
        self._firsts: dict[RoomName, Uid | None] = {}
        self._firsts_from = 0.0
        self._tips: object = None

    def __enter__(self) -> Self:
        with suppress(ChatError):  # a bad setting is doctor's to say
            self._doorbell = self._opens(self._environment, self._remote)
        if self._doorbell is not None:
            if self._doorbell.has_presence:
                self._beating = Beating(self._environment, self._remote, self._doorbell)
            self._attend()
            self._doorbell.listen(self._hear)
            if self._beating is not None:
                self._beating.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End, and say so to the others: a third of a second at the most. For any thread, also twice."""
        if self._beating is not None:
            self._beating.close()  # and the doorbell with it
        elif self._doorbell is not None:
            self._doorbell.close()

    def _hear(self, heard: Heard) -> None:
        """From the doorbell's thread."""
        if isinstance(heard, Beat):
            if self._beating is not None:
                self._beating.hear(heard)
            return
        if isinstance(heard, Opened) and self._beating is not None:
            self._beating.hasten()
        self._waiting.append(heard)
        self._stir()

    # --- in the thread that looks -----------------------------------------------------

    def calls(self) -> bool:
        """Whether there may be something at the remote that is not here, as far as was heard since the last call."""
        is_opened = False
        while self._waiting:
            heard = self._waiting.popleft()
            if isinstance(heard, Opened):
                is_opened = True
            elif isinstance(heard, Knock | Moved):
                self._note(heard.tip)
        return is_opened or (bool(self._wanted) and self._now() >= self._deaf_until)

    def _note(self, tip: Oid) -> None:
        self._heard.pop(tip, None)
        self._heard[tip] = None
        if len(self._heard) > _MOST_HEARD:
            self._heard.pop(next(iter(self._heard)))
        self._unrung.pop(tip, None)
        if len(self._wanted) < MOST_WAITING and not self._has(tip):
            self._wanted.add(tip)

    def _has(self, tip: Oid) -> bool:
        try:
            return self._environment.store.backend.has_object(tip)
        except ChatError:
            return False

    @property
    def seconds_to_ask(self) -> float:
        """In how many seconds another answer may be given here although nothing is heard."""
        now = self._now()
        until = [at + UNRUNG_SECONDS for at in self._unrung.values()]
        until += [self._deaf_until] if self._wanted else []
        return max(0.05, min(until, default=math.inf) - now)

    @property
    def is_relied_on(self) -> bool:
        """Whether nothing comes to the remote without being heard here, as far as is known."""
        if self._doorbell is None or not self._doorbell.is_open:
            return False
        now = self._now()
        if any(now - at > UNRUNG_SECONDS for at in self._unrung.values()):
            self._unrung.clear()
            self._distrusts_until = now + DISTRUST_SECONDS
        return now >= self._distrusts_until

    def looked(self, done: Report | ChatError, *, was_called: bool) -> None:
        """A round was made: tell the others what the remote took, and see whether we were told rightly."""
        if self._doorbell is None:
            return
        if isinstance(done, Report):
            self._judge({tip for tip in self._wanted if self._has(tip)})
            self._compare(done, was_called=was_called)
            for knock in knocks_of(self._environment, self._remote, done):
                self._note(knock.tip)
                self._doorbell.knock(knock)
        elif is_busy(done):
            self._deaf_until = self._now() + FALSE_SECONDS  # and then it is here, or looked for
        else:
            self._judge(set())  # the pace tries again; another knock is no reason to try at once
        self._attend()

    def _judge(self, found: set[Oid]) -> None:
        """``found`` are those of the commits knocked for that came by the look; who knocks for nothing waits longer."""
        if self._wanted:
            self._falses = 0 if found else self._falses + 1
            doubled = FALSE_SECONDS * 2.0 ** min(self._falses - 1, 30)
            self._deaf_until = self._now() + min(doubled, LONGEST_FALSE_SECONDS) if self._falses else 0.0
            self._wanted.clear()

    def _compare(self, done: Report, *, was_called: bool) -> None:
        """Note what came by a look that nobody asked for: it should have been knocked for."""
        if was_called or self._doorbell is None or not self._doorbell.is_open:
            return
        for room, count in done.fetched.items():
            tip = self._tracked(room) if count else None
            if tip is not None and tip not in self._heard:
                self._unrung[tip] = self._now()

    def _tracked(self, room: RoomName) -> Oid | None:
        with suppress(ChatError):
            tracking = self._environment.authorities.tracking(log_ref(room), room)
            return self._environment.store.tip(tracking) if tracking is not None else None
        return None

    def _attend(self) -> None:
        """Hear of the rooms that follow the remote now."""
        if self._doorbell is None:
            return
        with suppress(ChatError):
            tips = self._environment.store.tracked_logs()
            if tips == self._tips:
                return
            self._tips = tips
            rooms = self._known()
            self._doorbell.attend(rooms)
            if self._beating is not None:
                self._beating.attend(rooms)

    def _known(self) -> dict[Uid, RoomName]:
        now = self._now()
        if now - self._firsts_from > FIRSTS_SECONDS:
            self._firsts, self._firsts_from = {}, now
        for room, remote in self._environment.authorities.all().items():
            if remote == self._remote and self._firsts.get(room) is None:
                self._firsts[room] = None
                with suppress(ChatError):  # a damaged room is heard of no more than it is read
                    self._firsts[room] = first_uid(self._environment, room)
        return {uid: room for room, uid in self._firsts.items() if uid is not None}
