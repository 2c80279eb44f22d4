"""Which records a listing shows. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitchat.model.names import Number
from gitchat.model.record import QUIET_KINDS, UNLISTED_KINDS, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A filter; every field that is set must hold. Bounds are inclusive, except ``after``."""

    after: Number | None = None
    """Only records with a greater number."""
    through: Number | None = None
    """Only records up to and with this number."""
    since_seconds: int | None = None
    until_seconds: int | None = None
    sender: str | None = None
    recipient: str | None = None
    type: str | None = None
    between: tuple[str, str] | None = None
    commit: str | None = None
    """The full id of a commit of the project that a record is about."""
    pattern: re.Pattern[str] | None = None
    with_status: bool = True
    """Whether with what nobody has to read: statuses, claims, releases."""

    @property
    def has_numbers(self) -> bool:
        """Whether it asks for numbers."""
        return self.after is not None or self.through is not None

    def matches(self, entry: Entry) -> bool:
        """Whether a listing shows ``entry``."""
        record = entry.record
        return (
            record.kind not in UNLISTED_KINDS
            and (self.with_status or record.kind not in QUIET_KINDS)
            and self._in_range(entry)
            and (self.sender is None or record.author == self.sender)
            and (self.recipient is None or self.recipient in record.recipients)
            and (self.type is None or record.type == self.type)
            and (self.between is None or _is_between(entry, *self.between))
            and (self.commit is None or record.commit == self.commit)
            and (self.pattern is None or self.pattern.search(record.body) is not None)
        )

    def is_exhausted_by(self, entry: Entry) -> bool:
        """Whether no record before ``entry`` can match.

        By time this looks at the committer date, which hardly ever decreases along the log and is
        not before the author date, so that one clock set back hides nothing. What a stranger dated
        is in no order, so that one such record decides nothing: limits.OLDER_IN_A_ROW.
        """
        if self.after is not None and entry.number is not None and entry.number <= self.after:
            return True
        return self.since_seconds is not None and entry.committed_seconds < self.since_seconds

    def _in_range(self, entry: Entry) -> bool:
        seconds = entry.record.written.seconds
        return (
            (self.after is None or entry.number is None or entry.number > self.after)
            and (self.through is None or (entry.number is not None and entry.number <= self.through))
            and (self.since_seconds is None or seconds >= self.since_seconds)
            and (self.until_seconds is None or seconds <= self.until_seconds)
        )


def _is_between(entry: Entry, one: str, other: str) -> bool:
    record = entry.record
    return (record.author == one and other in record.to) or (record.author == other and one in record.to)
