"""What is done when another log stands at a remote than the one we knew: a test a cell of the table."""

from __future__ import annotations

import pytest

from gitchat.clones.place import Standing, Verdict, standing, verdict
from gitchat.model.names import Uid
from gitchat.model.order import Key


def keys(text: str) -> list[Key]:
    """A record for each letter."""
    return [(Uid(letter), "ann") for letter in text]


@pytest.mark.parametrize(
    ("seen", "there", "others", "expected"),
    [
        (None, "abc", False, Standing.UNSEEN),
        (None, None, False, Standing.UNSEEN),
        ("abc", "abc", False, Standing.CONTINUES),
        ("abc", "abcd", False, Standing.CONTINUES),
        ("abc", "ab", False, Standing.BEHIND),
        ("abc", "abx", False, Standing.PARTED),
        ("abc", "acb", True, Standing.PARTED),
        ("abc", "ax", False, Standing.PARTED),
        ("abc", "xabc", False, Standing.STRANGER),
        ("abc", None, True, Standing.GONE),
        ("abc", None, False, Standing.EMPTY),
    ],
)
def test_the_records_decide_how_a_log_stands(
    seen: str | None, there: str | None, others: bool, expected: Standing
) -> None:
    """Uid and author of each record, in their order; never the id of a commit."""
    found = standing(keys(seen) if seen else None, keys(there) if there else None, has_others=others)
    assert found is expected


def test_a_record_of_the_same_uid_by_another_author_is_another() -> None:
    """A key is both."""
    assert standing([(Uid("a"), "ann")], [(Uid("a"), "bob")], has_others=False) is Standing.STRANGER


@pytest.mark.parametrize(
    ("stands", "here", "elsewhere", "moved"),
    [
        (Standing.UNSEEN, Verdict.GO_ON, Verdict.GO_ON, Verdict.GO_ON),
        (Standing.CONTINUES, Verdict.GO_ON, Verdict.GO_ON, Verdict.GO_ON),
        (Standing.BEHIND, Verdict.BRING_BACK, Verdict.WAIT, Verdict.BRING_BACK),
        (Standing.PARTED, Verdict.JOIN, Verdict.REFUSE, Verdict.JOIN),
        (Standing.STRANGER, Verdict.REFUSE, Verdict.REFUSE, Verdict.REFUSE),
        (Standing.GONE, Verdict.LEAVE, Verdict.REFUSE, Verdict.BRING_BACK),
        (Standing.EMPTY, Verdict.LEAVE, Verdict.REFUSE, Verdict.BRING_BACK),
    ],
    ids=lambda one: one.name,
)
def test_the_table_of_places(stands: Standing, here: Verdict, elsewhere: Verdict, moved: Verdict) -> None:
    """At the address that we knew, at another one, and at another one after a person said that it moved there."""
    assert verdict(stands, is_same_address=True) is here
    assert verdict(stands, is_same_address=False) is elsewhere
    assert verdict(stands, is_same_address=False, has_moved=True) is moved


@pytest.mark.parametrize("stands", list(Standing))
def test_only_what_is_gone_is_brought_back_on_demand(stands: Standing) -> None:
    """And only what was asked for, at the address that we knew."""
    asked = verdict(stands, is_same_address=True, brought_back={stands})
    is_gone = stands in (Standing.GONE, Standing.EMPTY)
    assert (asked is not verdict(stands, is_same_address=True)) is is_gone
    assert verdict(stands, is_same_address=False, brought_back={stands}) is verdict(stands, is_same_address=False)
