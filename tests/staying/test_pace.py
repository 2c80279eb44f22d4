"""When a clone looks at a remote and pushes to it. Proves docs/format.md section 13."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gitchat.staying.pace import FORGE_SECONDS, LONGEST_SECONDS, QUICK_SECONDS, Pace, interval_of


def pace(interval: float = 10.0) -> Pace:
    """A pace without jitter, after a first round at 0 that brought nothing and pushed nothing."""
    made = Pace(interval, lambda: 1.0)
    made.done(0.0, is_news=False, has_pushed=False)
    return made


def idle(one: Pace) -> float:
    """When it looks next, with nothing to push."""
    return one.due(has_news=False, has_cursors=False)


def test_the_first_look_is_at_once() -> None:
    """Whoever begins wants to know what happened meanwhile."""
    assert idle(Pace(10.0)) <= 0.0


def test_what_is_written_after_a_pause_goes_out_at_once() -> None:
    """An interval lies between two pushes, and not before the first."""
    one = pace()
    assert one.due(has_news=True, has_cursors=False) <= 0.0
    one.done(1.0, is_news=False, has_pushed=True)
    assert one.due(has_news=True, has_cursors=False) == 11.0


def test_a_cursor_alone_waits_longer_than_a_message() -> None:
    """That somebody has read can be told with what is said next."""
    one = pace()
    one.done(1.0, is_news=False, has_pushed=True)
    assert idle(one) == 11.0
    one.done(11.0, is_news=False, has_pushed=False)
    assert one.due(has_news=False, has_cursors=True) == 26.0  # the look comes first
    one.done(26.0, is_news=False, has_pushed=False)
    assert one.due(has_news=False, has_cursors=True) == 41.0


def test_looks_grow_apart_while_nothing_happens_up_to_four_intervals() -> None:
    """News, and a word of somebody here, bring them together again."""
    one, now, gaps = pace(), 15.0, []
    for _ in range(5):
        one.done(now, is_news=False, has_pushed=False)
        gaps.append(idle(one) - now)
        now = idle(one)
    assert gaps == [22.5, 33.75, 40.0, 40.0, 40.0]
    one.stirred(now - 30.0)
    assert idle(one) == now - 20.0
    one.done(now, is_news=True, has_pushed=False)
    assert idle(one) == now + 10.0


def test_each_refusal_doubles_the_interval_and_each_success_halves_it() -> None:
    """Up to five minutes; a remote that says no is left alone, and never given up."""
    one, now, gaps = pace(), 0.0, []
    for _ in range(7):
        one.refused(now, is_news=False)
        assert not one.may_push(now)
        while not one.may_push(now + 1):  # to look costs nothing of what was refused
            now += 1
        now += 1
        gaps.append(now)
    assert [late - early for early, late in pairwise([0.0, *gaps])] == [20, 40, 80, 160, *[LONGEST_SECONDS] * 3]
    one.done(now, is_news=False, has_pushed=True)
    one.done(now, is_news=False, has_pushed=True)
    assert one.may_push(now + LONGEST_SECONDS / 4)


def test_who_may_only_read_looks_as_often_as_others() -> None:
    """A refused push, of a cursor for one, says nothing of what can be fetched."""
    one, now = pace(), 0.0
    for _ in range(7):
        one.refused(now, is_news=False)
        assert idle(one) - now <= 40.0
        now = idle(one)
    one.refused(now, is_news=True)
    assert idle(one) == now + 10.0


def test_a_remote_that_is_not_heard_is_asked_less_and_less() -> None:
    """Up to five minutes; when it is back, the next look is soon."""
    one, now, gaps = pace(), 0.0, []
    for _ in range(6):
        one.failed(now)
        gaps.append(idle(one) - now)
        now = idle(one)
    assert gaps == [20.0, 40.0, 80.0, 160.0, LONGEST_SECONDS, LONGEST_SECONDS]
    one.done(now, is_news=True, has_pushed=False)
    assert idle(one) == now + 10.0


@pytest.mark.parametrize(
    ("url", "seconds"),
    [
        ("/srv/hub.git", QUICK_SECONDS),
        ("../hub.git", QUICK_SECONDS),
        ("file:///srv/hub.git", QUICK_SECONDS),
        ("git@server.example:hub.git", QUICK_SECONDS),
        ("ssh://server.example/hub.git", QUICK_SECONDS),
        ("https://git.example/team/hub.git", FORGE_SECONDS),
        ("git@github.com:team/hub.git", FORGE_SECONDS),
        ("ssh://git@gitlab.com/team/hub.git", FORGE_SECONDS),
    ],
)
def test_a_forge_is_asked_less_often(url: str, seconds: float) -> None:
    """Also behind ssh; what stands in the own house is quick."""
    assert interval_of(url) == seconds
