"""What of a long answer fits into so many characters (gitchat/verbs/budget.py)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitchat.verbs.budget import LEAST_CHARS, Item, Plan, fit, longest, plan

NOTE = 50


def item(key: str, text_chars: int, heading_chars: int = 20) -> Item:
    """A thing with a heading, and a note of 30 characters where it is cut."""
    return Item(key, text_chars, lambda chars: heading_chars + chars + (30 if chars < text_chars else 0))


def taken(items: list[Item], shown: dict[str, int]) -> int:
    """How many characters are taken in all."""
    return sum(one.size(shown[one.key]) for one in items if one.key in shown)


SIZES = st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 300)), max_size=20)


@given(SIZES, st.integers(-100, 5000))
def test_what_is_shown_fits(sizes: list[tuple[int, int]], limit: int) -> None:
    """What is shown takes at most the limit, and leaves room for the note when something is left out."""
    items = [item(str(place), *size) for place, size in enumerate(sizes)]
    shown = fit(items, limit, note=NOTE)
    assert list(shown) == [one.key for one in items[: len(shown)]]
    if shown:
        assert taken(items, shown) <= limit - (NOTE if len(shown) < len(items) else 0)


@given(st.none() | st.integers(0, 5000), SIZES, st.integers(0, 25), st.integers(0, 3), st.integers(500, 9000))
def test_a_plan_fits(
    summary_chars: int | None, sizes: list[tuple[int, int]], overlap: int, since_left: int, limit: int
) -> None:
    """Summary, records since and newest records take at most the limit together, and none is shown twice."""
    records = [item(str(place), *size) for place, size in enumerate(sizes)]
    since, recent = records[: overlap + 1], records[max(0, len(records) - overlap) :]
    summary = item("summary", summary_chars) if summary_chars is not None else None
    planned = plan(summary, since, recent, limit, note=NOTE, since_left=since_left)
    own = summary.size(planned.summary) if summary is not None and planned.summary is not None else 0
    assert own + taken(since, planned.since) + taken(recent, planned.recent) <= limit
    assert not planned.since.keys() & planned.recent.keys()


def test_what_fits_is_shown_whole() -> None:
    """With room for everything nothing is cut, however unequal the texts are."""
    items = [item("a", 900), item("b", 10)]
    assert fit(items, 950, note=NOTE) == {"a": 900, "b": 10}


def test_a_long_text_leaves_room_for_others() -> None:
    """When not everything fits, one text does not take the room of all that follow."""
    shown = fit([item("long", 9000), *(item(str(n), 50) for n in range(5))], 2000, note=NOTE)
    assert shown == {"long": 500} | {str(n): 50 for n in range(5)}


def test_a_heading_with_hardly_any_text_is_not_shown() -> None:
    """Where less than a line of a text has room, the record is left out and counted."""
    items = [*(item(key, 440) for key in "abcd"), item("e", 500)]
    left = 2000 - NOTE - 4 * 460
    assert left - 20 - 30 == LEAST_CHARS - 20
    assert fit(items, 2000, note=NOTE) == dict.fromkeys("abcd", 440)
    assert fit([*items[:4], item("e", 60)], 2000, note=NOTE) == dict.fromkeys("abcd", 440) | {"e": 60}


def test_the_summary_is_cut_last() -> None:
    """A summary takes what it needs before any record does, and is cut only where it alone is too long."""
    records = [item("1", 500)]
    assert plan(item("", 1000), records, [], 1120, note=NOTE) == Plan(1000, {}, {})
    assert plan(item("", 5000), records, [], 1200, note=NOTE) == Plan(1200 - 2 * NOTE - 50, {}, {})


def test_the_newest_have_a_third_where_much_happened() -> None:
    """The end of the story is shown although its beginning alone would fill the room."""
    since = [item(str(n), 80) for n in range(1, 101)]
    planned = plan(None, since, since[-10:], 2800, note=NOTE)
    assert list(planned.recent) == [str(n) for n in range(93, 101)]
    assert list(planned.since)[:1] == ["1"]
    assert len(planned.since) > len(planned.recent)


def test_the_newest_are_not_repeated() -> None:
    """What was shown as having happened since the summary does not come again as newest."""
    records = [item(str(n), 10) for n in range(8)]
    assert plan(None, records[4:], records[2:], 1000, note=NOTE) == Plan(
        None, {"4": 10, "5": 10, "6": 10, "7": 10}, {"2": 10, "3": 10}
    )


@given(st.integers(0, 10_000), st.integers(-10, 10_000))
def test_longest_is_the_longest(text_chars: int, limit: int) -> None:
    """One character more would not fit."""
    one = item("", text_chars)
    chars = longest(one, limit)
    if chars is None:
        assert one.size(0) > limit
    else:
        assert one.size(chars) <= limit
        assert chars == text_chars or one.size(chars + 1) > limit or text_chars == chars + 1
