"""Questions: which are open, and what answers one. Source: docs/format.md section 21."""

from __future__ import annotations

from gitchat.index.chain import Chain
from gitchat.index.condition import ANY, Condition, answering, of_type, unanswered
from gitchat.model.errors import UserError
from gitchat.model.question import ANSWER, choices_of, counts, is_question
from gitchat.model.record import Entry
from gitchat.verbs.standpoint import Standpoint, entries_at, visible
from gitchat.verbs.talking import find


def questions(room: Standpoint, limit: int | None = None, chain: Chain | None = None) -> tuple[list[Entry], int]:
    """The newest ``limit`` questions that others asked me, or everybody, and that are open, oldest first; and how many
    there are.

    One is open until a reply counts as its answer.
    """
    chain = chain or room.records.chain()
    asked_me = Condition.all_of([visible(room, with_own=False, chain=chain), unanswered()])
    return entries_at(room, chain.select(asked_me, limit=limit, newest=True)), chain.count_of(asked_me)


def answers(room: Standpoint, question: Entry, chain: Chain | None = None) -> list[Entry]:
    """The answers of ``question`` in the log's order: the first is the one that counts. Raises FormatError."""
    chain = chain or room.records.chain()
    # Of a question with choices only these can be: it may have been talked of for long.
    typed = of_type(ANSWER) if choices_of(question.record) else ANY
    replies = entries_at(room, chain.select(Condition.all_of([answering([question.record.uid]), typed])))
    return [reply for reply in replies if counts(question, reply)]


def find_question(room: Standpoint, locator: int | str) -> Entry:
    """The question of this number or handle.

    Raises:
        UserError: ``not-a-question``, and as :meth:`find`.
    """
    entry = find(room, locator)
    if is_question(entry.record):
        return entry
    raise UserError(
        f"{entry.label} asks nothing",
        hint=f'say something to it: git chat reply --room {room.name} {entry.label.removeprefix("#")} "..."; '
        f"open questions: git chat answer --room {room.name}",
        code="not-a-question",
    )
