"""What a name has had, against the simplest thing that is right: a list of what it was told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitchat.model.names import Number, Oid, RoomName, Uid
from gitchat.model.record import Entry, Moment, Record
from gitchat.serve.frontier import KEPT, Frontier, key_of

SECONDS = 1_700_000_000


def entry(number: int) -> Entry:
    """The record of a number."""
    record = Record(
        kind="message",
        uid=Uid(f"{number:016d}"),
        author="ana",
        email="ana@example.com",
        written=Moment(SECONDS),
        body=str(number),
    )
    return Entry(RoomName("lobby"), Number(number), Oid(f"{number:040x}"), SECONDS, record)


ENTRIES = [entry(number) for number in range(1, 13)]

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("had"), st.integers(0, 11)),
        st.tuples(st.just("written"), st.integers(1, 12)),
        st.tuples(st.just("read elsewhere"), st.integers(0, 12)),
    ),
    max_size=40,
)


@given(ACTS)
def test_nothing_is_told_twice_and_no_position_goes_over_what_was_not_had(acts: list[tuple[str, int]]) -> None:
    """However much of what is unread is looked at, and whatever is marked elsewhere meanwhile."""
    frontier, position, had = Frontier(), 0, set[int]()
    for act, value in acts:
        if act == "had":
            frontier = frontier.with_had([key_of(ENTRIES[value])])
            had.add(value)
        elif act == "read elsewhere":
            position = max(position, value)
            had |= set(range(value))
        else:
            unread = ENTRIES[position : position + value]
            count = frontier.leading(unread)
            frontier = frontier.after_writing(unread, count, is_all=position + value >= len(ENTRIES))
            position += count
        assert set(range(position)) <= had
        told = {position + place for place in frontier.fresh(ENTRIES[position:])}
        assert told == set(range(len(ENTRIES))) - had


def test_who_has_had_too_much_out_of_order_is_told_some_again() -> None:
    """What is kept has an end."""
    full = Frontier().with_had((Uid(str(number)), "ana") for number in range(KEPT))
    assert full.with_had([key_of(ENTRIES[0])]) == full
    assert full.fresh(ENTRIES[:1]) == [0]
