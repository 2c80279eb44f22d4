"""When a bell may ring: one notice at a time, heard or not, and the budget. Proves docs/format.md section 14."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchat.staying.ringfile import FORGOTTEN_SECONDS, RingFile, Session
from gitchat.staying.rings import (
    HOUR_SECONDS,
    KEPT_FOR_PEOPLE,
    RINGS_PER_HOUR,
    RINGS_PER_SENDER,
    TURN_SECONDS,
    UNHEARD_SECONDS,
    Event,
    Rung,
    Sender,
)

NOW = 1_800_000_000
ANN = Sender("ann")
PAT = Sender("pat", is_person=True)
LIVES: tuple[Event, ...] = ("prompt", "tool", "stop", "call")


def rung(*senders: Sender, at: int = NOW, heard: bool = True) -> Rung:
    """A ring for each of these, one after the other; each heard and over, or none of them."""
    made = Rung()
    for sender in senders:
        made = made.with_ring([sender], at)
        made = made.after("stop", at) if heard else made
    return made


# --- one at a time -------------------------------------------------------------


def test_who_was_never_rung_may_be() -> None:
    """At once."""
    assert Rung().pause_seconds(NOW) == 0


@pytest.mark.parametrize("event", ["prompt", "tool", "call"])
def test_a_notice_is_outstanding_until_its_turn_ends(event: Event) -> None:
    """Whatever the session shows meanwhile; and where nothing tells the end, as long as it goes on showing life."""
    heard = Rung().with_ring([ANN], NOW).after(event, NOW + 2)
    assert heard.pause_seconds(NOW + 2) == TURN_SECONDS
    assert heard.after("stop", NOW + 5).pause_seconds(NOW + 5) == 0
    assert heard.pause_seconds(NOW + 2 + TURN_SECONDS) == 0


def test_an_unheard_ring_is_the_last_before_the_session_shows_life() -> None:
    """However long it is ago; one sign of life is enough."""
    ring = Rung().with_ring([ANN], NOW)
    assert ring.pause_seconds(NOW) == UNHEARD_SECONDS
    for later in (UNHEARD_SECONDS, 86_400, 30 * 86_400):
        assert ring.pause_seconds(NOW + later) == math.inf
    assert ring.after("tool", NOW + 86_400).pause_seconds(NOW + 86_400) == 0


def test_a_ring_that_could_not_be_made_is_unheard_at_once() -> None:
    """It counts, so that a door that is shut is not tried for ever."""
    failed = Rung().with_ring([ANN], NOW).after_failure()
    assert failed.pause_seconds(NOW) == math.inf
    assert list(failed.is_heard(NOW)) == [False]
    assert failed.after("tool", NOW + 1).pause_seconds(NOW + 1) == 0
    assert list(failed.after("tool", NOW + 1).is_heard(NOW + 1)) == [False]


def test_a_late_sign_of_life_is_no_answer() -> None:
    """Within a minute it was heard, afterwards it was not; as long as it is open nobody knows."""
    ring = Rung().with_ring([ANN], NOW)
    assert list(ring.is_heard(NOW + 1)) == [None]
    assert list(ring.after("call", NOW + UNHEARD_SECONDS).is_heard(NOW + UNHEARD_SECONDS)) == [True]
    assert list(ring.after("call", NOW + UNHEARD_SECONDS + 1).is_heard(NOW + UNHEARD_SECONDS + 1)) == [False]
    assert list(ring.is_heard(NOW + UNHEARD_SECONDS)) == [False]


def test_a_session_that_starts_has_heard_nothing() -> None:
    """What was rung before was lost with the one before it; and one that ended is rung no more."""
    ring = Rung().with_ring([ANN], NOW)
    begun = ring.after("session-start", NOW + 1)
    assert (list(begun.is_heard(NOW + 1)), begun.pause_seconds(NOW + 1)) == ([False], 0)
    assert ring.after("session-end", NOW + 1).pause_seconds(NOW + 9) == math.inf
    assert ring.after("session-end", NOW + 1).after("session-start", NOW + 2).pause_seconds(NOW + 9) == 0


# --- the budget ----------------------------------------------------------------


def test_agents_leave_some_rings_for_people() -> None:
    """Fifteen are theirs, and the rest of the twenty people's; what people used is no more kept."""
    agents = [Sender(f"agent{number % 5}") for number in range(RINGS_PER_HOUR - KEPT_FOR_PEOPLE)]
    used = rung(*agents)
    assert used.allowed([ANN, PAT], NOW) == [PAT]
    assert rung(*agents[:-1]).allowed([ANN], NOW) == [ANN]
    assert rung(PAT, *agents[:-1]).allowed([ANN], NOW) == [ANN]
    people = [Sender(f"person{number}", is_person=True) for number in range(KEPT_FOR_PEOPLE)]
    assert rung(*agents, *people).allowed([ANN, PAT], NOW) == []


@pytest.mark.parametrize("sender", [ANN, PAT])
def test_nobody_has_more_than_its_part(sender: Sender) -> None:
    """Person or agent; a third is heard meanwhile."""
    used = rung(*[sender] * RINGS_PER_SENDER)
    assert used.allowed([sender, Sender("third")], NOW) == [Sender("third")]


def test_the_budget_is_an_hour_s() -> None:
    """What is an hour ago counts no more, and it is said when that is."""
    used = rung(*[ANN] * RINGS_PER_SENDER)
    assert used.allows_in(NOW + 600) == HOUR_SECONDS - 600
    assert used.allowed([ANN], NOW + HOUR_SECONDS - 1) == []
    assert used.allowed([ANN], NOW + HOUR_SECONDS) == [ANN]
    assert used.allowed([ANN], NOW - 600) == [], "a clock that was set back refills nothing"


@given(st.lists(st.tuples(st.integers(0, 900), st.sampled_from([ANN, PAT, Sender("bob"), Sender("eve")])), max_size=80))
def test_no_hour_has_more_rings_than_the_budget(steps: list[tuple[int, Sender]]) -> None:
    """Whoever asks, and whenever: twenty, fifteen of agents, five of one."""
    now, state, made = NOW, Rung(), []
    for pause, sender in steps:
        now += pause
        if state.allowed([sender], now):
            state = state.with_ring([sender], now).after("stop", now)
            made.append((now, sender))
        hour = [one for at, one in made if now - at < HOUR_SECONDS]
        assert len(hour) <= RINGS_PER_HOUR
        assert sum(not one.is_person for one in hour) <= RINGS_PER_HOUR - min(
            KEPT_FOR_PEOPLE, max(0, KEPT_FOR_PEOPLE - sum(one.is_person for one in hour))
        )
        assert all(hour.count(one) <= RINGS_PER_SENDER for one in hour)


# --- the file ------------------------------------------------------------------


def test_what_is_kept_is_what_comes_back(tmp_path: Path) -> None:
    """Of each session by its key, also for another process."""
    state = rung(ANN, PAT).with_ring([PAT, ANN], NOW + 1).holding_back(NOW + 2)
    session = Session(
        name="claude", client="claude", id="1", process="p", place="/x", has_bell=True, trouble="?", rung=state
    )
    assert RingFile(tmp_path).change("key", NOW, lambda before: session)
    assert RingFile(tmp_path).all() == {"key": session}
    assert RingFile(tmp_path).of("another") == Session()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"key": 1}', b'{"key": {"rings": 5}}', b"\xff" * 99])
def test_a_damaged_file_counts_as_not_there(tmp_path: Path, content: bytes) -> None:
    """And is written anew."""
    (tmp_path / "rings").write_bytes(content)
    assert RingFile(tmp_path).all() == {}
    assert RingFile(tmp_path).change("key", NOW, lambda before: Session(name="claude", rung=Rung(seen_at=NOW)))
    assert RingFile(tmp_path).of("key").name == "claude"


def test_a_session_is_forgotten_after_a_week(tmp_path: Path) -> None:
    """When the next one is noted."""
    file = RingFile(tmp_path)
    file.change("old", NOW, lambda before: Session(rung=Rung(seen_at=NOW)))
    file.change("new", NOW + FORGOTTEN_SECONDS, lambda before: Session(rung=Rung(seen_at=NOW + FORGOTTEN_SECONDS)))
    assert set(file.all()) == {"old", "new"}
    later = NOW + FORGOTTEN_SECONDS + 1
    file.change("new", later, lambda before: Session(rung=Rung(seen_at=later)))
    assert set(file.all()) == {"new"}


def test_where_nothing_can_be_kept_nothing_is_promised(tmp_path: Path) -> None:
    """Without a directory, and where a link stands in its place: then it does not ring either."""
    assert not RingFile(tmp_path / "none").change("key", NOW, lambda before: before)
    (tmp_path / "rings").symlink_to(tmp_path / "elsewhere")
    assert not RingFile(tmp_path).change("key", NOW, lambda before: before)
    assert RingFile(tmp_path).all() == {}
    assert not (tmp_path / "elsewhere").exists()
