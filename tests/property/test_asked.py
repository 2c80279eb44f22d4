"""Open questions as the index keeps them, against the rule of each question and reply. Proves docs/format.md 21.2."""

from __future__ import annotations

import os
import random

import pytest

from gitchat.index.condition import unanswered
from gitchat.index.database import Index
from gitchat.index.files import VERSION
from gitchat.model import codec
from gitchat.model.names import UID_ALPHABET, Number, Oid, RoomName
from gitchat.model.question import counts, is_question
from gitchat.model.record import Entry
from gitchat.rooms.numbering import rule
from gitchat.storage import git
from gitchat.storage.line import Line
from tests.shelf import Shelf
from tests.world import World

NAMES = ["ann", "bob", "a,b"]
CLONES = ["-", "1" * 16, "2" * 16]
ADDRESSES = ["ann@example.com", "Bob@example.com", "bob@agents.gitchat.invalid"]
BODIES = ["yes", "no", "Yes", "yes\nno", "y", "later", "ye s", "\u200byes"]
CHOICES = [(), (), ("yes", "no"), ("yes no",), ("y", "no", "NO", "y" * 101)]
TO = [(), (), ("ann",), ("bob",), ("role:dev",), ("a", "b")]
SECONDS = 1_800_000_000


class Talk:
    """Random questions and replies, which may stand before what they reply to."""

    def __init__(self, shelf: Shelf, seed: int) -> None:
        self._shelf = shelf
        self._random = random.Random(seed)
        self._uids = ["".join(self._random.choices(UID_ALPHABET, k=16)) for _ in range(200)]
        self._next = 0

    def add(self, *parents: Oid) -> Oid:
        """A commit: a question, a reply, both or neither, by anybody; some repeat an uid."""
        pick, near = self._random.choice, self._uids[max(0, self._next - 2) : self._next + 2]
        self._next += 1
        type_ = pick(["question", "question", "answer", "answer", "progress", ""])
        extra = [("Chat-Type", type_)] if type_ else []
        extra += [("Chat-Reply", pick(near))] if self._random.random() < 0.85 else []
        extra += [("Chat-Clone", pick(CLONES))]
        extra += [("Chat-Media", pick(["json", "other"]))] if self._random.random() < 0.1 else []
        extra += [("Chat-Choice", choice) for choice in pick(CHOICES)]
        return self._shelf.commit(
            *parents,
            author=pick(NAMES),
            email=pick(ADDRESSES),
            uid=pick(near) if self._random.random() < 0.25 else self._uids[self._next],
            kind=pick(["message"] * 9 + ["status"]),
            body=pick(BODIES),
            to=pick(TO),
            extra=tuple(extra),
        )

    def entry(self, number: int, oid: Oid) -> Entry:
        """The record of a commit."""
        record = codec.record_of(oid, self._shelf.store.read(oid))
        return Entry(RoomName("lobby"), Number(number), oid, SECONDS, record)


@pytest.mark.parametrize("seed", [1, 4, 7])
def test_open_is_what_the_rule_says(world: World, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """By stages, one by one and in another order: names, seats, addresses, choices; pending ones come and go."""
    monkeypatch.setattr("gitchat.index.building.SHORT", 6)
    monkeypatch.setattr("gitchat.index.bulk.COMMITS", 7)
    shelf = Shelf(world)
    talk, line = Talk(shelf, seed), [shelf.genesis()]
    git_dir = shelf.store.directory.parent
    index = Index(shelf.store.directory, shelf.store.read, lambda count: None, Line(git_dir, git.scrub(os.environ)))
    seen = {True: 0, False: 0}
    for turn, length in enumerate((12, 3, 12, 3, 3, 12, 3, 3, 3, 12, 3, 3)):
        for _ in range(length):
            line.append(talk.add(line[-1]))
        local = [line[-1 - 2 * (seed % 3)]]
        for _ in range(6):
            local.append(talk.add(local[-1]))
            chain = index.chain("lobby", line[-1], rule, local[-1])
            entries = [talk.entry(place.number, place.oid) for place in chain.select()]
            questions = [entry for entry in entries if is_question(entry.record)]
            expected = [one for one in questions if not any(counts(one, reply) for reply in entries)]
            assert [place.oid for place in chain.select(unanswered())] == [one.oid for one in expected]
            seen[True] += len(expected)
            seen[False] += len(questions) - len(expected)
        if turn % 2:  # else it is taken back
            line.append(shelf.commit(line[-1], local[-1], kind="merge"))
    assert min(seen.values()) > 5, "all were open, or none"
    assert [path.name for path in shelf.store.directory.glob("index.*.db")] == [f"index.v{VERSION}.1.db"], (
        "it was built anew"
    )


@pytest.mark.parametrize("short", [0, 1_000])
def test_an_answer_before_its_question(world: World, monkeypatch: pytest.MonkeyPatch, short: int) -> None:
    """A clock that is wrong, or a merge, can put it there; at once, and in a later look."""
    monkeypatch.setattr("gitchat.index.building.SHORT", short)
    shelf = Shelf(world)
    question, root = "q" * 16, shelf.genesis()
    answer = shelf.commit(root, author="bob", uid="a" * 16, extra=(("Chat-Reply", question),))
    git_dir = shelf.store.directory.parent
    index = Index(shelf.store.directory, shelf.store.read, lambda count: None, Line(git_dir, git.scrub(os.environ)))
    assert index.chain("lobby", answer, rule).select(unanswered()) == []
    asked = shelf.commit(answer, author="ann", uid=question, extra=(("Chat-Type", "question"),))
    other = shelf.commit(asked, author="ann", uid="r" * 16, extra=(("Chat-Type", "question"),))
    for one in (index, Index(shelf.store.directory / "new", shelf.store.read, lambda count: None)):
        one_chain = one.chain("lobby", other, rule)
        assert [place.oid for place in one_chain.select(unanswered())] == [other]
