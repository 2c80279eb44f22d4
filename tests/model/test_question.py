"""Questions with choices, and what answers them: docs/format.md section 21."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitchat.model.errors import UserError
from gitchat.model.names import CloneId, Oid, RoomName, Uid
from gitchat.model.question import as_answer, choices_of, counts, meant, trailers_of
from gitchat.model.record import MESSAGE, STATUS, Draft, Entry, Identity, Moment, Record

ASKED = Uid("0123456789abcdef")
SOMEBODY = Uid("fedcba9876543210".replace("u", "v"))


def entry(record: Record) -> Entry:
    """A record at some place."""
    return Entry(RoomName("lobby"), None, Oid("0" * 40), 0, record)


def record(**given: object) -> Record:
    """A record of bob's, with something else."""
    told: dict[str, object] = {
        "kind": MESSAGE, "uid": SOMEBODY, "author": "bob", "email": "bob@x", "written": Moment(0), "body": "yes",
    }  # fmt: skip
    return Record(**(told | given))  # type: ignore[arg-type]


QUESTION = entry(
    record(
        uid=ASKED, author="alice", email="alice@x", body="Deploy?", type="question", extra=trailers_of(["yes", "No "])
    )
)
ANSWER = record(reply_to=ASKED, type="answer")


def test_choices_are_read_as_far_as_they_fit() -> None:
    """The first eight that are one line and no two alike; of anything that is no question none."""
    extra = [("Chat-Choice", value) for value in ("yes", "YES", "x" * 101, "two  words", "Two words", *"abcdefgh")]
    asked = replace(QUESTION.record, extra=tuple(extra))
    assert choices_of(asked) == ("yes", "two  words", "a", "b", "c", "d")
    assert choices_of(replace(asked, type="answer")) == ()
    assert choices_of(replace(asked, kind=STATUS)) == ()
    assert choices_of(QUESTION.record) == ("yes", "No")


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (["yes"] * 2, "alike"),
        (["Yes", "yes "], "alike"),
        ([str(number) for number in range(9)], "at most 8"),
        (["yes", " "], "one line"),
        (["a\nb"], "one line"),
        (["x" * 101], "one line"),
    ],
)
def test_choices_that_nobody_could_tell_apart_are_refused(choices: list[str], words: str) -> None:
    """Before anything is written."""
    with pytest.raises(UserError, match=words) as caught:
        trailers_of(choices)
    assert caught.value.code == "bad-choice"


def test_a_choice_is_meant_in_any_capitals() -> None:
    """And with any blanks; a part of one is not."""
    assert meant(["Deploy it", "no"], "  deploy   IT ") == "Deploy it"
    assert meant(["Deploy it", "no"], "deploy") is None


@pytest.mark.parametrize(
    ("asked", "reply", "does_count"),
    [
        ({}, {}, True),
        ({}, {"body": "maybe"}, False),
        ({}, {"body": "YES"}, False),
        ({}, {"type": None}, False),
        ({}, {"media": "json"}, False),
        ({}, {"kind": STATUS}, False),
        ({}, {"reply_to": SOMEBODY}, False),
        ({}, {"author": "alice", "email": "alice@x"}, False),
        ({}, {"author": "alice", "email": "other@x"}, True),
        ({}, {"author": "alice", "email": "alice@x", "clone": CloneId("0" * 16)}, False),
        ({"clone": CloneId("1" * 16)}, {"author": "alice", "clone": CloneId("0" * 16)}, True),
        ({"to": ("carol",)}, {}, False),
        ({"to": ("carol", "bob")}, {}, True),
        ({"to": ("carol", "role:review")}, {}, True),
        ({"extra": ()}, {"body": "any text", "type": None}, True),
        ({"extra": (), "to": ("carol",)}, {"body": "any text", "type": None}, False),
    ],
)
def test_what_answers_a_question(asked: dict[str, object], reply: dict[str, object], does_count: bool) -> None:
    """Another's reply, of one who was asked, with one of the choices; a rule of the two alone."""
    question = entry(replace(QUESTION.record, **asked))  # type: ignore[arg-type]
    assert counts(question, entry(replace(ANSWER, **reply))) is does_count  # type: ignore[arg-type]


def test_an_answer_becomes_the_choice_that_it_means() -> None:
    """What is no reply, or replies to nothing that asks, stays what it is, and has no rule."""
    sender = Identity("bob", "bob@x", "Bob", "bob@x", "human")  # type: ignore[arg-type]
    draft = Draft(body="YES", type="answer", reply_to=ASKED)
    settled, rule = as_answer(draft, sender, lambda uid: [QUESTION] if uid == ASKED else [])
    assert settled.body == "yes"
    assert rule is not None
    for other in (replace(draft, type=None), replace(draft, reply_to=None), replace(draft, reply_to=SOMEBODY)):
        assert as_answer(other, sender, lambda uid: [QUESTION] if uid == ASKED else []) == (other, None)
