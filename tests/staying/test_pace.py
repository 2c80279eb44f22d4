"""When a clone looks at a remote and pushes to it. Proves docs/format.md section 13."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchat.staying.pace import (
    CAPACITY,
    HASTE_SECONDS,
    INTERVALS,
    LONGEST_SECONDS,
    LONGEST_TIDY_SECONDS,
    TIDY_SECONDS,
    Allowance,
    Pace,
    Waiting,
    asks_to_slow_down,
    kind_of,
)
from gitchat.staying.pacefile import Kept, PaceFile

NOTHING = Waiting()
NEWS = Waiting(has_news=True)
CURSORS = Waiting(has_cursors=True)
BOTH = Waiting(has_news=True, has_cursors=True)


def pace(interval: float = 10.0, allowance: Allowance | None = None) -> Pace:
    """A pace without jitter, after a first round at 0 that brought nothing and pushed nothing."""
    made = Pace(interval, lambda: 1.0, allowance)
    made.done(0.0, is_news=False)
    return made


def push(one: Pace, now: float, waiting: Waiting = NEWS) -> None:
    """A round at ``now`` that pushes once."""
    assert one.take(now, waiting) >= 1
    one.done(now, is_news=False, pushes=1)


def looked(one: Pace, now: float) -> None:
    """A round at ``now`` that only looked, and found nothing."""
    assert one.take(now, NOTHING) == 0
    one.done(now, is_news=False)


def idle(one: Pace) -> float:
    """When it looks next, with nothing to push."""
    return one.due(NOTHING)


# --- pushes --------------------------------------------------------------------


def test_three_pushes_go_out_at_once_and_then_one_each_interval() -> None:
    """A question, its answer and an afterthought wait for nothing; who talks on is carried as often as is borne."""
    one = pace()
    for _ in range(3):
        assert one.due(NEWS) <= 1.0
        push(one, 1.0)
    for now in (11.0, 21.0, 31.0):
        assert one.due(NEWS) == now
        assert one.take(now - 1, NEWS) == 0
        push(one, now)


def test_tokens_come_back_while_nothing_is_said_up_to_three() -> None:
    """After two intervals two are there, after an hour three."""
    one = pace()
    for _ in range(3):
        push(one, 0.0)
    assert one.take(20.0, NEWS) == 2
    one.done(20.0, is_news=False, pushes=0)
    assert one.take(3600.0, NEWS) == CAPACITY


def test_a_round_gives_back_what_it_did_not_use() -> None:
    """It may try again at once when somebody was quicker, as often as tokens are there; each try costs one."""
    one = pace()
    assert one.take(0.0, NEWS) == 3
    one.done(0.0, is_news=True, pushes=2)
    assert one.take(0.0, NEWS) == 1


def test_rounds_do_not_follow_each_other_without_a_pause() -> None:
    """Though something waits here, and none of them pushes it: each costs a token."""
    one = pace()
    for _ in range(3):
        assert one.take(0.0, NEWS) >= 1
        one.done(0.0, is_news=False, pushes=0)
    assert one.due(NEWS) == 10.0


def test_a_look_takes_nothing() -> None:
    """Where nothing waits, or nothing that may go yet, the round does not push."""
    one = pace()
    assert one.take(0.0, NOTHING) == 0
    push(one, 0.0)
    assert one.take(1.0, CURSORS) == 0
    assert one.allowance(1.0).tokens == pytest.approx(2.1)


def test_each_refusal_doubles_the_time_to_a_token_and_each_success_halves_it() -> None:
    """Up to five minutes, and no token that was left is used before; a remote that says no is never given up."""
    one, now, gaps = pace(), 0.0, []
    assert one.take(now, NEWS) == CAPACITY
    for _ in range(7):
        one.refused(now, is_news=False)
        gaps.append(seconds_to_push(one, now))
        now += gaps[-1]
    assert gaps == [20, 40, 80, 160, *[LONGEST_SECONDS] * 3]
    gaps = []
    for _ in range(6):
        one.done(now, is_news=False, pushes=1)
        gaps.append(seconds_to_push(one, now))
        now += gaps[-1]
    assert gaps == [150, 75, 37.5, 18.75, 10, 10]


def seconds_to_push(one: Pace, now: float) -> float:
    """How long it takes from ``now`` until a round may push; its tokens are taken then."""
    later = now
    while not one.take(later, NEWS):
        later += 0.25
    return later - now


def test_an_interval_that_is_longer_than_the_longest_stays_as_it_was_set() -> None:
    """A refusal shortens nothing."""
    one = pace(1000.0)
    one.take(0.0, NEWS)
    one.refused(0.0, is_news=False)
    assert seconds_to_push(one, 0.0) == 1000.0


# --- cursors -------------------------------------------------------------------


def test_cursors_go_with_records_and_alone_once_a_minute() -> None:
    """That somebody has read can be told with what is said next."""
    one = pace()
    push(one, 0.0, CURSORS)
    assert one.take(TIDY_SECONDS - 1, CURSORS) == 0
    push(one, TIDY_SECONDS, CURSORS)
    push(one, TIDY_SECONDS + 1, BOTH)
    one.done(2 * TIDY_SECONDS, is_news=True)
    assert one.take(2 * TIDY_SECONDS, CURSORS) == 0
    one.done(2 * TIDY_SECONDS, is_news=True)
    assert one.due(CURSORS) == pytest.approx(2 * TIDY_SECONDS + 1)


def test_records_go_before_cursors() -> None:
    """Cursors alone leave a token, so that what is said next need not wait for them."""
    one = pace(1000.0, Allowance(tokens=1.5))
    assert one.take(0.0, CURSORS) == 0
    assert one.take(500.0, CURSORS) == 1
    one.done(500.0, is_news=False, pushes=1)
    assert one.take(500.0, NEWS) == 1


# --- looks ---------------------------------------------------------------------


def test_the_first_look_is_at_once() -> None:
    """Whoever begins wants to know what happened meanwhile."""
    assert idle(Pace(10.0, lambda: 1.0, now=1.0)) <= 1.0


def test_looks_grow_apart_while_nothing_happens_up_to_four_intervals() -> None:
    """News, and a word of somebody here, bring them together again."""
    one, now, gaps = pace(), 15.0, []
    for _ in range(5):
        one.done(now, is_news=False)
        gaps.append(idle(one) - now)
        now = idle(one)
    assert gaps == [22.5, 33.75, 40.0, 40.0, 40.0]
    one.stirred(now - 30.0)
    assert idle(one) == now - 20.0
    one.done(now, is_news=True)
    assert idle(one) == now + 10.0


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
    """Up to five minutes, whatever waits here; when it is back, the next look is soon and a push as ever."""
    one, now, gaps = pace(), 0.0, []
    for _ in range(6):
        one.take(now, BOTH)
        one.failed(now)
        assert one.due(BOTH) == idle(one)
        gaps.append(idle(one) - now)
        now = idle(one)
    assert gaps == [20.0, 40.0, 80.0, 160.0, LONGEST_SECONDS, LONGEST_SECONDS]
    assert one.take(now, NEWS) == CAPACITY
    one.done(now, is_news=False, pushes=1)
    assert idle(one) == now + 10.0
    assert one.allowance(now) == Allowance(CAPACITY - 1, 1.0, TIDY_SECONDS)


def test_an_answer_to_slow_down_is_a_refusal_though_nothing_else_was_heard() -> None:
    """The token after it comes after twice the time."""
    one = pace()
    one.take(0.0, NEWS)
    one.failed(0.0, is_refusal=True)
    assert one.allowance(0.0) == Allowance(0.0, 2.0, TIDY_SECONDS)


def test_what_turns_out_to_be_a_forge_is_asked_at_its_interval() -> None:
    """Tokens and looks alike, from then on."""
    one = pace(2.0)
    one.spend(0.0, CAPACITY)
    one.change_interval(0.0, 10.0)
    one.done(0.0, is_news=True)
    assert idle(one) == 10.0
    assert seconds_to_push(one, 0.0) == 10.0


# --- for whatever happens ------------------------------------------------------

EVENTS = st.lists(
    st.tuples(
        st.one_of(st.just(0.0), st.floats(0.0, 1.0), st.floats(0.0, 400.0)),
        st.sampled_from([NEWS, BOTH, CURSORS, NOTHING]),
        st.sampled_from(["late", "done", "refused", "failed", "slow down"]),
        st.booleans(),
    ),
    max_size=60,
)


@given(EVENTS, st.sampled_from([0.5, 2.0, 10.0, 1000.0]))
def test_there_are_never_more_pushes_than_three_and_one_each_interval(
    events: list[tuple[float, Waiting, str, bool]], interval: float
) -> None:
    """In any span of any sequence, with any process that ends and another that goes on from what was kept."""
    now, pushes = 0.99, list[float]()
    one = Pace(interval, lambda: 1.0, now=now)
    for seconds, waiting, event, is_begun_anew in events:
        now += seconds
        if is_begun_anew:  # as a second turns, so that the whole seconds say most of what is not so
            now = int(now) + 0.99
            kept = Kept(one.allowance(now), int(now))
            now += 0.02
            one = Pace(interval, lambda: 1.0, kept.allowance_at(int(now), interval), now)
        taken = one.take(now, waiting)
        made = taken if event in ("late", "refused") else min(taken, 1)
        pushes += [now] * made
        match event:
            case "refused":
                one.refused(now, is_news=False)
            case "failed" | "slow down":
                one.failed(now, is_refusal=event == "slow down")
            case _:
                one.done(now, is_news=False, pushes=made)
    for count, begin in enumerate(pushes):
        for more, end in enumerate(pushes[count:], start=1):
            assert more <= CAPACITY + (end - begin) / interval + 1e-3


# --- what stands there ---------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("/srv/hub.git", "near"),
        ("../hub.git", "near"),
        ("./a:b", "near"),
        ("hub", "near"),
        ("file:///srv/hub.git", "near"),
        ("git@server.example:hub.git", "forge"),
        ("work:hub.git", "forge"),
        ("ssh://server.example/hub.git", "forge"),
        ("git://127.0.0.1/hub.git", "forge"),
        ("https://git.example/team/hub.git", "forge"),
        ("ext::ssh server %S hub.git", "forge"),
        ("", "forge"),
    ],
)
def test_near_is_what_is_reached_by_a_path(url: str, kind: str) -> None:
    """No name tells what a server bears, least of all an alias of ssh."""
    assert kind_of(url) == kind


@pytest.mark.parametrize(
    ("words", "is_asked"),
    [
        ("unable to access 'https://x/': The requested URL returned error: 429", True),
        ("error: RPC failed; HTTP 429 curl 22 The requested URL returned error: 429", True),
        ("Too Many Requests", True),
        ("You have exceeded a secondary rate limit", True),
        ("pre-receive hook declined; GitHub: rate-limited", True),
        ("You have triggered an abuse detection mechanism", True),
        ("the room is frozen; see issue 429", False),
        ("The requested URL returned error: 403", False),
        ("stale info", False),
        ("", False),
    ],
)
def test_a_forge_is_known_by_its_asking_to_slow_down(words: str, is_asked: bool) -> None:
    """In the words of those that do."""
    assert asks_to_slow_down(words) is is_asked


def test_a_path_is_given_more_than_a_forge() -> None:
    """GitHub asks for at most six pushes a minute and repository."""
    assert INTERVALS == {"forge": 10.0, "near": 2.0}


# --- what is kept --------------------------------------------------------------


def test_what_is_left_is_found_by_the_next_process(tmp_path: Path) -> None:
    """With what grew meanwhile; of the first second nobody knows how much has passed."""
    kept = Kept(Allowance(0.5, 4.0, 30.0), 1000, is_forge=True)
    PaceFile(tmp_path, "team/hub").save(kept)
    assert [path.name for path in tmp_path.iterdir()] == ["pace-team%2Fhub"]
    found = PaceFile(tmp_path, "team/hub").load()
    assert found == kept
    assert found.allowance_at(1001, 10.0) == kept.allowance
    assert found.allowance_at(1021, 10.0) == Allowance(1.0, 4.0, 10.0)


@pytest.mark.parametrize("later", [-1_000_000, 0, 3])
def test_a_clock_that_was_set_back_costs_one_interval_at_the_most(later: int) -> None:
    """From the beginning of the next process; refusals stretch it as they did."""
    kept = Kept(Allowance(0.0, 4.0, TIDY_SECONDS), 1_000_000)
    one = Pace(10.0, lambda: 1.0, kept.allowance_at(1_000_000 + later, 10.0))
    assert seconds_to_push(one, 0.0) <= 40.0
    assert kept.allowance_at(1_000_000 + later, 10.0).tidy_seconds <= TIDY_SECONDS


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", "3", '"tokens"', "{}", '{"tokens": 1, "penalty": 1, "tidy_seconds": 0}',
        '{"tokens": "many", "penalty": 1, "tidy_seconds": 0, "at": 5}',
        '{"tokens": NaN, "penalty": 1, "tidy_seconds": 0, "at": 5}',
        '{"tokens": 1, "penalty": Infinity, "tidy_seconds": 0, "at": 5}',
        '{"tokens": 1, "penalty": 1, "tidy_seconds": 0, "at": Infinity}',
        '{"tokens": [], "penalty": 1, "tidy_seconds": 0, "at": 5}',
        '{"tokens": 1' + "0" * 400 + ', "penalty": 1, "tidy_seconds": 0, "at": 5}',
        "[" * 4000,
    ],
)  # fmt: skip
def test_a_file_that_makes_no_sense_counts_as_none(tmp_path: Path, content: str) -> None:
    """It is disposable: without it a clone has not pushed yet."""
    (tmp_path / "pace-origin").write_text(content)
    assert PaceFile(tmp_path, "origin").load() is None


def test_numbers_of_a_file_are_brought_into_their_bounds(tmp_path: Path) -> None:
    """Nobody waits longer for what somebody wrote there."""
    text = '{"tokens": -50, "penalty": 1e99, "tidy_seconds": 1e9, "at": 5, "is_forge": 1}'
    (tmp_path / "pace-origin").write_text(text)
    kept = PaceFile(tmp_path, "origin").load()
    assert kept == Kept(Allowance(0.0, 1e99, LONGEST_TIDY_SECONDS), 5, is_forge=False)
    assert seconds_to_push(Pace(10.0, lambda: 1.0, kept.allowance_at(5, 10.0)), 0.0) == LONGEST_SECONDS


def test_what_cannot_be_kept_is_no_error(tmp_path: Path) -> None:
    """A directory that is not there, or a file that cannot be one."""
    kept = Kept(Allowance(), 5)
    PaceFile(tmp_path / "nowhere", "origin").save(kept)
    (tmp_path / "pace-origin").mkdir()
    PaceFile(tmp_path, "origin").save(kept)
    assert PaceFile(tmp_path, "origin").load() is None


# --- being told ------------------------------------------------------------------


def test_who_is_told_looks_at_once_however_long_the_pause() -> None:
    """Also while the remote was not heard; what may be pushed is not more for it."""
    one = pace(10.0)
    for now in (100.0, 200.0):
        looked(one, now)
    assert idle(one) > 210.0
    one.hastened(205.0)
    assert idle(one) == 205.0
    for _ in range(5):
        one.failed(206.0)
    before = one.allowance(207.0)
    one.hastened(207.0)
    assert idle(one) == 207.0
    assert one.allowance(207.0) == before


def test_who_is_told_again_and_again_looks_twice_a_second() -> None:
    """A thousand rings in ten seconds are twenty looks, and one that came during a look is not forgotten."""
    one = pace(10.0)
    looked(one, 99.0)
    looks = []
    for tick in range(1000):
        now = 100.0 + tick / 100
        one.hastened(now)
        if idle(one) <= now:
            looked(one, now)
            looks.append(now)
    assert len(looks) == 20
    assert min(later - sooner for sooner, later in itertools.pairwise(looks)) >= HASTE_SECONDS - 0.001
