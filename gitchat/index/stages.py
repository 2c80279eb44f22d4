"""Taking in a long log in stages, so that memory is bounded and what is done is kept.

The order of a log up to a commit of its first-parent chain is a beginning of the order of the whole
(docs/format.md section 5.5). So the index may stop at such commits on the way: each stage is a transaction of its
own, others are answered in between from what is there, and who is killed loses one stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gitchat.model import codec
from gitchat.model.names import Oid

Progress = Callable[[int | None], None]
"""Told how many commits were taken in; None when it is over."""

COMMITS = 10_000
"""How many commits of the chain a stage takes in. They are kept parsed meanwhile: some 20 MB."""


class Stages:
    """The way of an index to ``tip``, as far as it was walked."""

    def __init__(self, tip: Oid | None, read: Callable[[Oid], codec.Commit], is_known: Callable[[Oid], bool]) -> None:
        """``is_known`` tells whether the index has a commit, and so all before it."""
        self._tip = tip
        self._read = read
        self._is_known = is_known
        self.kept: dict[Oid, codec.Commit] = {}
        """The commits of the last stage, read."""

    def is_one(self, most: int) -> bool:
        """Whether it is no longer than so many commits. Raises FormatError, as :meth:`stops`."""
        return all(count < most for count, _ in enumerate(self._walk()))

    def stops(self) -> list[Oid]:
        """Where to stop on the way, oldest first; the last one is the tip."""
        return [oid for count, oid in enumerate(self._walk()) if count % COMMITS == 0][::-1]

    def _walk(self) -> Iterator[Oid]:
        here = self._tip
        while here is not None and not self._is_known(here):
            yield here
            commit = self.kept.get(here) or self._read(here)
            if len(self.kept) < COMMITS:
                self.kept[here] = commit
            here = commit.parents[0] if commit.parents else None


def counted_on(progress: Progress, done: int) -> Progress:
    """``progress`` after so many commits, which goes on until all are done."""

    def told(count: int | None) -> None:
        if count is not None:
            progress(count + done)

    return told
