"""This clone's turns at a remote: its pace in the time of this process, from the settings and what was kept."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from gitchat.model.errors import ChatError
from gitchat.staying.pace import INTERVALS, Allowance, Pace, Waiting, asks_to_slow_down, kind_of
from gitchat.staying.pacefile import Kept, PaceFile
from gitchat.storage.git import GitFailed

if TYPE_CHECKING:
    from gitchat.clones.report import Report
    from gitchat.workspace.config import Config
    from gitchat.workspace.environment import Environment


def chosen_interval(config: Config) -> float | None:
    """Seconds between two pushes that somebody chose: ``chat.syncInterval``, or by ``chat.pace``; None: nobody did.

    Raises:
        UserError: ``bad-config``.
    """
    seconds = config.get_seconds("chat.syncInterval")
    kind = config.get_choice("chat.pace", tuple(INTERVALS)) if config.get("chat.pace") else None
    return seconds or (INTERVALS[kind] if kind is not None else None)


class Turns:
    """When a round with ``remote`` is due, and how often it may push.

    Goes on from where the clone was; for who holds the keeper's lock, and as long as that is held.
    """

    def __init__(self, environment: Environment, remote: str, interval_seconds: float | None) -> None:
        """``interval_seconds`` is what somebody chose; None: it is found out what stands there."""
        self._environment = environment
        self._remote = remote
        self._chosen = interval_seconds
        self._file = PaceFile(environment.repository.directory, remote)
        now = environment.now().seconds
        self._kept = self._file.load()
        kept = self._kept or Kept(Allowance(), now)
        self._is_forge = kept.is_forge
        self._has_taken = False
        interval = self._interval()
        self._pace = Pace(interval, self._jitter, kept.allowance_at(now, interval), time.monotonic())

    def seconds_to(self, waiting: Waiting) -> float:
        """In how many seconds a round is due; none or fewer: now."""
        return self._pace.due(waiting) - time.monotonic()

    def take(self, waiting: Waiting) -> int:
        """How often the round that begins now may push; 0: it only looks. Kept before it is used, whatever comes."""
        self._see_others()
        taken = self._pace.take(time.monotonic(), waiting)
        self._has_taken = taken > 0
        if taken:
            self._save()
        return taken

    def _see_others(self) -> None:
        """Take off what a sync that somebody typed has spent meanwhile: see :func:`spend`."""
        kept = self._file.load()
        if kept is not None and kept != self._kept:
            self._kept = kept
            self._pace.lower(time.monotonic(), kept.allowance_at(self._environment.now().seconds, self._interval()))

    def spend(self, pushes: int) -> None:
        """So many pushes were made that waited for no turn."""
        self._pace.spend(time.monotonic(), pushes)
        self._save()

    def share(self, readers: int) -> None:
        """So many read at the remote."""
        self._pace.share(readers)

    def stirred(self) -> None:
        """Somebody here wrote: an answer may come soon."""
        self._pace.stirred(time.monotonic())

    def hastened(self) -> None:
        """Somebody said that there is something at the remote."""
        self._pace.hastened(time.monotonic())

    def rely(self, *, is_relied: bool) -> None:
        """Whether what comes to the remote is said here by who brings it."""
        self._pace.rely(time.monotonic(), is_relied=is_relied)

    def note(self, done: Report | ChatError) -> None:
        """What came of the round."""
        now = time.monotonic()
        words = [str(done)] if isinstance(done, ChatError) else [one.words for one in done.refused]
        is_refusal = any(map(asks_to_slow_down, words))
        if is_refusal and not self._is_forge:
            self._is_forge = True
            self._pace.change_interval(now, self._interval())
        if isinstance(done, ChatError):
            self._pace.failed(now, is_refusal=is_refusal)
        elif done.refused and all(one.is_late for one in done.refused):
            self._pace.late(now, is_news=_is_news(done), pushes=done.pushes)
        elif done.refused:
            self._pace.refused(now, is_news=_is_news(done))
        else:
            self._pace.done(now, is_news=_is_news(done), pushes=done.pushes)
        if self._has_taken or is_refusal:
            self._save()

    def _interval(self) -> float:
        """Seconds from one push to the next: as somebody chose, else as the kind of the remote has it."""
        return self._chosen or INTERVALS["forge" if self._is_forge else kind_of(self._address())]

    def _address(self) -> str:
        """Where git pushes to, as it rewrites what the configuration says; nothing where it does not know."""
        try:
            answer = self._environment.repository.git("remote", "get-url", "--push", "--", self._remote)
        except GitFailed:
            return ""
        return answer.decode("utf-8", "replace").removesuffix("\n")

    def _jitter(self) -> float:
        return 1.0 + self._environment.random() / 2

    def _save(self) -> None:
        allowance = self._pace.allowance(time.monotonic())
        self._file.save(Kept(allowance, self._environment.now().seconds, self._is_forge))
        self._kept = self._file.load()


def _is_news(report: Report) -> bool:
    return any(report.fetched.values()) or bool(report.alarms)


def spend(environment: Environment, remote: str, pushes: int) -> None:
    """Count pushes that a person did not wait for: what goes by itself has so many less. Never fails.

    Without the keeper's lock, whose holder looks before it takes; should both write at once, one push is not counted.
    """
    if pushes:
        with suppress(ChatError):
            Turns(environment, remote, chosen_interval(environment.repository.config)).spend(pushes)
