"""Questions with choices, and what answers them. Pure. Source: docs/format.md section 21."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from gitchat.model.errors import UserError
from gitchat.model.names import Uid
from gitchat.model.record import MESSAGE, Draft, Entry, Identity, Record, address_of
from gitchat.quick.rules import Refusal, Sending

CHOICE = "Chat-Choice"
"""A trailer of a question: one of what can be answered."""

QUESTION = "question"
"""The type of a message that asks."""

ANSWER = "answer"
"""The type of a reply that answers a question which has choices."""

MAX_CHOICES = 8
MAX_CHARS = 100
"""How many choices a question has, and how long one is."""


def is_question(record: Record) -> bool:
    """Whether it asks something."""
    return record.kind == MESSAGE and record.type == QUESTION


def choices_of(record: Record) -> tuple[str, ...]:
    """What can be answered to ``record``, in its order; nothing where any text can, or it is no question."""
    if not is_question(record):
        return ()
    found = (value for key, value in record.extra if key == CHOICE and len(value) <= MAX_CHARS and value.isprintable())
    choices: dict[str, str] = {}
    for choice in islice(found, MAX_CHOICES):
        choices.setdefault(_folded(choice), choice)
    return tuple(choices.values())


def meant(choices: Sequence[str], text: str) -> str | None:
    """The choice that ``text`` means, in whatever capitals; None for none of them."""
    return next((choice for choice in choices if _folded(choice) == _folded(text)), None)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def trailers_of(choices: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The trailers of a question with these choices, each without spaces around it.

    Raises:
        UserError: ``bad-choice``: too many, two that are alike, one that is blank, too long or of several lines.
    """
    taken = [choice.strip() for choice in choices]
    if len(taken) > MAX_CHOICES:
        raise _refused(f"a question has at most {MAX_CHOICES} choices, and not {len(taken)}")
    for place, choice in enumerate(taken):
        if not choice or len(choice) > MAX_CHARS or not choice.isprintable():
            raise _refused(f"a choice is one line of 1 to {MAX_CHARS} characters, and not {choice[:80]!r}")
        if _folded(choice) in map(_folded, taken[:place]):
            raise _refused(f"two choices are alike: {choice!r}")
    return tuple((CHOICE, choice) for choice in taken)


def type_with(choices: Sequence[str], type_: str | None) -> str | None:
    """The type of a message with these choices, where ``type_`` was given. Raises UserError ``bad-choice``."""
    if choices and type_ not in (None, QUESTION):
        raise _refused(f"a question has choices, and not what is of type {type_!r}")
    return QUESTION if choices else type_


def _refused(words: str) -> UserError:
    return UserError(words, hint='for example: git chat ask --choice yes --choice no "Deploy?"', code="bad-choice")


# --- what answers it --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answering:
    """The rule for an answer to ``question`` by ``sender``: it is of one who was asked, and one of the choices."""

    question: Entry
    sender: Identity

    def __call__(self, sending: Sending) -> Refusal | None:
        """Why ``sending`` is no answer to it; None where it is."""
        asked, label = self.question.record, self.question.label
        about = f'git chat reply --room {sending.room} {label.removeprefix("#")} "..."'
        words = None
        if not _is_of_another(asked, self.sender.name, self.sender.clone, self.sender.email):
            words = f"{label} is your own question, which somebody else answers"
        elif not _is_asked(asked, self.sender.name):
            words = f"{label} asks {', '.join(asked.to)}, and not {self.sender.name}"
        if words is not None:
            return Refusal(words, hint=f"say something about it, which answers nothing: {about}", code="not-asked")
        choices = choices_of(asked)
        if not choices or (sending.media is None and sending.body.decode("utf-8", "replace") in choices):
            return None
        return Refusal(
            f"{label} is answered by one of its choices, and by no other words",
            hint=f"one of: {' | '.join(choices)}; what else there is to say goes into a reply: {about}",
            code="not-a-choice",
        )


def as_answer(draft: Draft, sender: Identity, find: Callable[[Uid], Sequence[Entry]]) -> tuple[Draft, Answering | None]:
    """``draft`` with the choice that it means, and the rule for it, where it answers a question that ``find`` has."""
    if draft.type != ANSWER or draft.kind != MESSAGE or draft.reply_to is None:
        return draft, None
    question = next((entry for entry in find(draft.reply_to) if is_question(entry.record)), None)
    if question is None:
        return draft, None
    choice = meant(choices_of(question.record), draft.body) if draft.media is None else None
    return (replace(draft, body=choice) if choice is not None else draft), Answering(question, sender)


def counts(question: Entry, reply: Entry) -> bool:
    """Whether ``reply`` answers ``question``. A function of the two, so the same in every clone.

    It is of somebody else, and of one who was asked, where all who were are named. With choices it is of type
    ``answer``, and its text is one of them; without, any reply will do.
    """
    record, asked = reply.record, question.record
    if record.kind != MESSAGE or record.reply_to != asked.uid:
        return False
    if not _is_of_another(asked, record.author, record.clone, record.email) or not _is_asked(asked, record.author):
        return False
    choices = choices_of(asked)
    return not choices or (record.type == ANSWER and record.media is None and record.body in choices)


def _is_asked(asked: Record, name: str) -> bool:
    """Whether it is for everybody, for ``name``, or for a role: who has that another clone cannot tell."""
    return not asked.to or name in asked.to or any(one.startswith("role:") for one in asked.to)


def _is_of_another(asked: Record, name: str, clone: str | None, email: str) -> bool:
    """As the index has it: of one name, another clone or another address is another."""
    if name != asked.author:
        return True
    if clone is None and asked.clone is None:
        return address_of(email) != asked.address
    return clone is not None and asked.clone is not None and clone != asked.clone
