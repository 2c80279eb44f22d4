"""What of a room goes elsewhere: all of it, or what was decided, asked and said about a range of commits.

Records come one after the other, a few hundred at a time in memory, however long the room is.
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from gitchat.index import search
from gitchat.index.chain import Chain
from gitchat.index.condition import LISTED, Condition
from gitchat.model.errors import UserError
from gitchat.model.names import Uid
from gitchat.model.query import Query
from gitchat.model.question import is_question
from gitchat.model.record import MESSAGE, STATUS, Entry
from gitchat.rooms.summaries import Summary
from gitchat.storage.git import GitFailed
from gitchat.verbs.asking import answers
from gitchat.verbs.resulting import RESULT
from gitchat.verbs.returning import summary
from gitchat.verbs.standpoint import Standpoint, entries_at

Section = Literal["decisions", "questions", "about"]

DECISION = "decision"

_AT_ONCE = 250
"""How many records are read at once."""

_ID = re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{7,64}(?![0-9a-zA-Z])")
"""What may name a commit in a text."""


@dataclass(frozen=True, slots=True)
class Range:
    """The commits of the project from ``base``, which is not among them, to HEAD."""

    base: str
    """As it was given."""
    commits: tuple[str, ...]
    """Their full ids, sorted."""
    since_seconds: int
    """The date of what HEAD and the base have in common: what was said before is not about them."""

    def is_named_in(self, text: str) -> bool:
        """Whether ``text`` has the id of one of them, or its first seven characters or more."""
        return any(self.has(found[0]) for found in _ID.finditer(text))

    def has(self, prefix: str) -> bool:
        """Whether one of them begins so."""
        place = bisect.bisect_left(self.commits, prefix)
        return place < len(self.commits) and self.commits[place].startswith(prefix)


@dataclass(frozen=True, slots=True)
class Exported:
    """A record to be shown."""

    entry: Entry
    labels: Mapping[Uid, str]
    answers: tuple[Entry, ...] = ()
    """Of a question in its section: what answers it; the first counts."""


def range_of(room: Standpoint, base: str) -> Range:
    """The commits ``base..HEAD``.

    Raises:
        UserError: ``no-such-commit``; ``no-commits``: HEAD has none that ``base`` lacks, or nothing in common with it.
    """
    repository = room.environment.repository
    start, head = repository.commit(base), repository.commit("HEAD")
    try:
        commits = repository.git("rev-list", f"{start}..{head}").decode().split()
        common = repository.git("merge-base", start, head).decode().split()[0]
        since = int(repository.git("show", "-s", "--format=%ct", common).decode().split()[0])
    except GitFailed as error:
        raise _no_commits(f"HEAD and {base} have nothing in common") from error
    if not commits:
        raise _no_commits(f"HEAD has no commit that {base} lacks")
    return Range(base, tuple(sorted(commits)), since)


def _no_commits(words: str) -> UserError:
    return UserError(words, hint="see what there is: git log --oneline --graph --all", code="no-commits")


def summary_for(room: Standpoint, about: Range | None) -> Summary | None:
    """The newest summary for everybody; of a range, if it was written since it began."""
    found = summary(room)
    is_older = found is not None and about is not None and found.written.seconds < about.since_seconds
    return None if is_older else found


def whole(room: Standpoint) -> Iterator[Exported]:
    """All that a log shows, oldest first. Raises FormatError."""
    return _streamed(room, room.records.chain(), LISTED)


def about_range(room: Standpoint, about: Range) -> Iterator[Exported]:
    """What of the sections there is, in the order of the log, with the answers of questions. Raises FormatError."""
    chain = room.records.chain()
    for one in _streamed(room, chain, _near(about)):
        if _section_of(room, chain, about, one.entry) is not None or _is_answer(room, chain, about, one.entry):
            yield one


def section(room: Standpoint, about: Range, which: Section) -> Iterator[Exported]:
    """The records of one section, oldest first; a question with its answers. Raises FormatError.

    ``decisions``: messages of that type. ``questions``: those that were answered. ``about``: other messages, and
    results of ``git chat run``, that tell of a commit, or name one.
    """
    chain = room.records.chain()
    condition = {"decisions": _typed(DECISION), "questions": _typed("question"), "about": Condition("")}[which]
    for one in _streamed(room, chain, Condition.all_of([_near(about), condition])):
        if _section_of(room, chain, about, one.entry) == which:
            found = tuple(answers(room, one.entry, chain)) if which == "questions" else ()
            yield Exported(one.entry, {**one.labels, **room.records.labels(found)}, found)


def _typed(slug: str) -> Condition:
    return Condition("type = ? AND kind = ?", (slug, MESSAGE))


def _near(about: Range) -> Condition:
    """Records that could be of the range: written since it began, or about one of its commits."""
    lately = search.condition_of(Query(since_seconds=about.since_seconds))
    told = Condition("commit_oid IN (SELECT value FROM json_each(?))", (json.dumps(about.commits),))
    return Condition.all_of([LISTED, Condition.any_of([lately, told])])


def _section_of(room: Standpoint, chain: Chain, about: Range, entry: Entry) -> Section | None:
    record = entry.record
    if record.kind == MESSAGE and record.type == DECISION:
        return "decisions"
    if is_question(record) and answers(room, entry, chain):
        return "questions"
    if record.kind == MESSAGE or (record.kind == STATUS and record.type == RESULT):
        is_told = record.commit is not None and about.has(record.commit)
        return "about" if is_told or (record.kind == MESSAGE and about.is_named_in(record.body)) else None
    return None


def _is_answer(room: Standpoint, chain: Chain, about: Range, entry: Entry) -> bool:
    """Whether it answers a question of the range."""
    uid = entry.record.reply_to
    if uid is None or entry.record.kind != MESSAGE:
        return False
    place = chain.numbered({uid}).get(uid)
    if place is None:
        return False
    question = room.records.entry_at(*place)
    is_near = question.record.written.seconds >= about.since_seconds
    return is_near and is_question(question.record) and entry.oid in {one.oid for one in answers(room, question, chain)}


def _streamed(room: Standpoint, chain: Chain, condition: Condition) -> Iterator[Exported]:
    after = 0
    while places := chain.select(condition, after=after, limit=_AT_ONCE):
        entries = entries_at(room, places)
        labels = room.records.labels(entries)
        for entry in entries:
            yield Exported(entry, labels)
        after = places[-1].number
