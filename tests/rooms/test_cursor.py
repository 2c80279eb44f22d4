"""Cursors: what is unread, told by reachability. Proves docs/format.md section 10."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from gitchat.index.chain import Chain
from gitchat.index.condition import ANY
from gitchat.model.names import Name, Oid, RoomName
from gitchat.model.record import Identity, Moment
from gitchat.model.refs import cursor_ref
from gitchat.rooms.cursor import Cursor
from tests.shelf import Shelf
from tests.world import World

LOBBY = RoomName("lobby")
BOB = Identity(Name("bob"), "bob@example.com", "Bob", "bob@example.com", "agent")
NOW = Moment(1_900_000_000)


class Reader:
    """Bob, who reads a log of the shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.cursor = Cursor(shelf.store, LOBBY, BOB.name)

    def unread(self, tip: Oid) -> list[int]:
        """The numbers that are unread."""
        return [place.number for place in self.cursor.backlog(self.shelf.chain(tip)).select(ANY)]

    def read(self, tip: Oid, count: int) -> list[int]:
        """Read and mark the next ``count`` records."""
        numbers = self.unread(tip)[:count]
        if numbers:
            self.cursor.advance(self.shelf.chain(tip), numbers[-1], BOB, NOW)
        return numbers

    @property
    def kind(self) -> str | None:
        """The kind of the commit that the cursor points to."""
        return self.shelf.store.read(self.cursor.value).kind if self.cursor.value else None

    def put(self, value: Oid) -> None:
        """Set the cursor's ref as a fetch would."""
        self.shelf.store.move(cursor_ref(LOBBY, BOB.name), lambda _: value, "test")


@pytest.fixture
def shelf(world: World) -> Shelf:
    """An empty log."""
    return Shelf(world)


def chained(shelf: Shelf, tip: Oid, count: int, author: str = "alice") -> Iterator[Oid]:
    """``count`` more commits after ``tip``."""
    for _ in range(count):
        tip = shelf.commit(tip, author=author)
        yield tip


def test_partial_reads_of_a_plain_log_are_exact_and_make_no_commit(shelf: Shelf) -> None:
    """Two at a time: each record once, and the cursor is a commit of the log."""
    reader = Reader(shelf)
    *_, tip = chained(shelf, shelf.genesis(), 5)
    assert reader.unread(tip) == [1, 2, 3, 4, 5]
    assert [reader.read(tip, 2) for _ in range(4)] == [[1, 2], [3, 4], [5], []]
    assert reader.cursor.value == tip
    later = shelf.commit(tip)
    assert reader.unread(later) == [6]


def test_position_inside_a_merged_segment_gives_each_record_once(shelf: Shelf) -> None:
    """Remote r1 r2 r3, local l1 l2, merged remote first: after r1 r2 the cursor has to be a cursor commit."""
    reader = Reader(shelf)
    root = shelf.commit(shelf.genesis())
    *_, local = chained(shelf, root, 2)
    assert reader.read(local, 3) == [1, 2, 3]
    *_, remote = chained(shelf, root, 3, "carol")
    merge = shelf.commit(remote, local, kind="merge")
    assert reader.unread(merge) == [2, 3, 4], "what the remote had; the local ones are read, under new numbers"
    assert reader.read(merge, 2) == [2, 3]
    assert reader.kind == "cursor"
    assert reader.unread(merge) == [4]
    assert reader.read(merge, 5) == [4]
    assert reader.unread(merge) == []
    assert reader.unread(shelf.commit(merge)) == [7]


def test_last_read_is_the_end_of_the_unbroken_beginning(shelf: Shelf) -> None:
    """With 1 and 4 to 6 read, and 2 and 3 not, everything up to 1 is read."""
    reader = Reader(shelf)
    root = shelf.commit(shelf.genesis())
    *_, local = chained(shelf, root, 2)
    reader.read(local, 3)
    *_, remote = chained(shelf, root, 2, "carol")
    merge = shelf.commit(remote, local, kind="merge")
    backlog = reader.cursor.backlog(shelf.chain(merge))
    assert (list(backlog.numbers), backlog.last_read) == ([2, 3], 1)
    assert reader.cursor.backlog(shelf.chain(local)).last_read == 3


def test_diverged_cursors_are_joined_by_a_commit_of_both(shelf: Shelf) -> None:
    """What either clone's cursor had read is read, and nothing else."""
    reader = Reader(shelf)
    root = shelf.commit(shelf.genesis())
    *_, ours = chained(shelf, root, 2)
    *_, theirs = chained(shelf, root, 2, "carol")
    tip = shelf.commit(shelf.commit(ours, theirs, kind="merge"))
    reader.put(ours)
    assert reader.unread(tip) == [4, 5, 6]
    reader.put(shelf.commit(ours, theirs, kind="cursor"))
    assert reader.unread(tip) == [6]
    assert reader.read(tip, 1) == [6]
    assert reader.unread(tip) == []


def test_copy_of_what_was_read_is_not_unread(shelf: Shelf) -> None:
    """A record whose copy (same uid and author) was read on one side is not shown again from the other."""
    reader = Reader(shelf)
    root = shelf.commit(shelf.genesis())
    mine = shelf.commit(root, author="carol", uid="k3f9q2v7m1c8x0ta")
    assert reader.read(mine, 2) == [1, 2]
    copy = shelf.commit(root, author="carol", uid="k3f9q2v7m1c8x0ta", body="the same, sent again")
    tip = shelf.commit(shelf.commit(copy, mine, kind="merge"))
    assert reader.unread(tip) == [3], "2 is the copy; the one that was read has no number any more"
    other = Reader(shelf)
    other.cursor = Cursor(shelf.store, LOBBY, Name("dora"))
    assert other.unread(tip) == [1, 2, 3]


def test_copy_that_an_older_tip_does_not_reach_hides_nothing_there(shelf: Shelf) -> None:
    """A writer adds a copy between a reader's look at the tip and its question: the record is unread all the same."""
    reader = Reader(shelf)
    root = shelf.commit(shelf.genesis())
    *_, local = chained(shelf, root, 2)
    reader.read(local, 3)
    sent = shelf.commit(root, author="carol", uid="k3f9q2v7m1c8x0ta")
    tip = shelf.commit(shelf.commit(sent, author="carol"), local, kind="merge")
    chain = shelf.chain(tip)
    shelf.chain(shelf.commit(tip, author="carol", uid="k3f9q2v7m1c8x0ta"))
    assert list(reader.cursor.backlog(chain).numbers) == [2, 3]


def test_skipping_the_uid_rule_would_show_a_record_twice(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with the rule taken out: the record comes again. So the test above can fail."""
    reader = Reader(shelf)
    root = shelf.commit(shelf.genesis())
    mine = shelf.commit(root, author="carol", uid="k3f9q2v7m1c8x0ta")
    reader.read(mine, 2)
    copy = shelf.commit(root, author="carol", uid="k3f9q2v7m1c8x0ta", body="the same, sent again")
    tip = shelf.commit(copy, mine, kind="merge")
    monkeypatch.setattr(Chain, "copies", lambda self, oids: {})
    assert reader.unread(tip) == [2]


def test_cursor_moves_only_forward(shelf: Shelf) -> None:
    """Marking what is read already changes nothing, not even the ref."""
    reader = Reader(shelf)
    tips = list(chained(shelf, shelf.genesis(), 5))
    reader.read(tips[-1], 4)
    value = reader.cursor.value
    reader.cursor.advance(shelf.chain(tips[-1]), 2, BOB, NOW)
    assert reader.cursor.value == value
    assert reader.cursor.advance(shelf.chain(tips[2]), 3, BOB, NOW).last_read == 3
    assert reader.unread(tips[-1]) == [5]


def test_each_value_of_a_cursor_reaches_the_one_before_it(shelf: Shelf) -> None:
    """So that every move is a fast-forward on the wire, over merges and from cursor commits, too."""
    reader = Reader(shelf)
    tip, values = shelf.commit(shelf.genesis()), []
    for _ in range(4):
        *_, side = chained(shelf, tip, 3, "carol")
        *_, main = chained(shelf, tip, 2)
        tip = shelf.commit(main, side, kind="merge")
        while reader.read(tip, 1):
            values.append(reader.cursor.value)
    for before, after in itertools.pairwise(values):
        done = shelf.git("merge-base", "--is-ancestor", str(before), str(after))
        assert done.returncode == 0


def test_clock_that_was_set_back_repeats_nothing_where_dates_are_kept_in_order(shelf: Shelf) -> None:
    """The author's clock jumps an hour back on one side of a merge; the committer dates do not."""
    reader = Reader(shelf)
    first = shelf.commit(shelf.genesis(), seconds=1_800_003_600)
    ahead = shelf.commit(first, seconds=1_800_007_200)
    assert reader.read(ahead, 2) == [1, 2]
    side = shelf.commit(first, author="carol", seconds=1_800_003_600)
    tip = shelf.commit(ahead, side, kind="merge", seconds=1_800_007_200)
    assert reader.unread(tip) == [3]


def test_foreign_dates_that_decrease_lose_nothing(shelf: Shelf) -> None:
    """A log of software that knows no such rule: everything unread is shown, whatever its dates."""
    reader = Reader(shelf)
    first = shelf.commit(shelf.genesis(), seconds=1_800_003_600)
    second = shelf.commit(first, seconds=1_700_000_000)
    reader.read(second, 1)
    side = shelf.commit(first, author="carol", seconds=1_600_000_000)
    tip = shelf.commit(second, side, kind="merge", seconds=1_500_000_000)
    assert set(reader.unread(tip)) >= {2, 3}


def test_cursor_commit_says_in_words_what_it_is(shelf: Shelf) -> None:
    """Who, how far, and a date that is not before its parents'."""
    reader = Reader(shelf)
    root = shelf.commit(shelf.genesis())
    *_, side = chained(shelf, root, 2, "carol")
    tip = shelf.commit(shelf.commit(root), side, kind="merge")
    reader.cursor.advance(shelf.chain(tip), 3, BOB, Moment(1_800_000_000))
    assert reader.cursor.value
    commit = shelf.store.read(reader.cursor.value)
    assert (commit.author.name, commit.body) == ("bob", "bob has read to 3")
    assert commit.block == (("Chat-Kind", "cursor"), ("Chat-Cursor", "bob"), ("Chat-Read", "3"))
    assert commit.author.moment.seconds == 1_800_000_000
    dates = [shelf.store.step(parent).seconds for parent in commit.parents]
    assert commit.committer.moment.seconds == max(dates)
