"""The rules of first contact: who looks when, and what is done with what is there; a case a cell."""

from __future__ import annotations

from itertools import product

import pytest

from gitchat.clones.looking import (
    AGAIN_SECONDS,
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    MAX_NAMED,
    Asker,
    Deed,
    Found,
    Look,
    after,
    deed,
    follows,
    is_both,
    is_due,
    is_refusal,
    named,
)
from gitchat.model.names import RoomName

NOW = 1_800_000_000


def look(found: Found, *, ago: int = 0, tries: int = 0, address: str = "hub") -> Look:
    return Look(address, NOW - ago, found, tries)


@pytest.mark.parametrize("asker", Asker)
@pytest.mark.parametrize("is_ci", [False, True])
def test_who_looks_the_first_time(asker: Asker, is_ci: bool) -> None:
    """Everybody, but for a hook in a CI job."""
    assert is_due(asker, None, NOW, is_ci=is_ci) == (not is_ci or asker is not Asker.HOOK)


@pytest.mark.parametrize(
    ("found", "asker", "seconds"),
    [
        *((Found.ROOMS, asker, AGAIN_SECONDS) for asker in Asker),
        (Found.NONE, Asker.VERB, AGAIN_SECONDS),
        (Found.NONE, Asker.SESSION, 0),
        (Found.NONE, Asker.STAYING, AGAIN_SECONDS),
        (Found.NONE, Asker.HOOK, AGAIN_SECONDS),
        *((Found.UNHEARD, asker, FIRST_PAUSE_SECONDS) for asker in Asker),
    ],
)
def test_when_it_is_looked_again(found: Found, asker: Asker, seconds: int) -> None:
    """What was heard holds for ten minutes; none is asked for again by each session; silence gets a minute."""
    assert is_due(asker, look(found, ago=seconds, tries=1), NOW)
    if seconds:
        assert not is_due(asker, look(found, ago=seconds - 1, tries=1), NOW)


@pytest.mark.parametrize("asker", Asker)
def test_who_was_refused_does_not_ask_again(asker: Asker) -> None:
    """However long it is ago: only a person's sync, which forgets the look, changes it."""
    assert not is_due(asker, look(Found.REFUSED, ago=10**8), NOW)


@pytest.mark.parametrize(
    ("tries", "seconds"), [(0, 60), (1, 60), (2, 120), (3, 240), (6, 1920), (7, 3600), (8, 3600), (10**6, 3600)]
)
def test_pause_after_silence_doubles_up_to_an_hour(tries: int, seconds: int) -> None:
    """A minute, two, four, and in the end an hour, also after a million tries."""
    assert look(Found.UNHEARD, tries=tries).again_at(Asker.VERB) == NOW + seconds
    assert seconds <= LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize("found", Found)
def test_clock_that_was_set_back_does_not_silence_a_clone(found: Found) -> None:
    """A look of the future counts as none."""
    assert is_due(Asker.VERB, look(found, ago=-1), NOW)


def test_silence_is_counted_at_one_address_only() -> None:
    """A remote that stands elsewhere now gets a new first minute; anything heard ends the count."""
    first = after(None, look(Found.UNHEARD))
    second = after(first, look(Found.UNHEARD))
    assert (first.tries, second.tries) == (1, 2)
    assert after(second, look(Found.UNHEARD, address="elsewhere")).tries == 1
    assert after(second, look(Found.NONE)).tries == 0


def test_what_is_on_both_sides_is_remembered_over_silence() -> None:
    """What a look found undecided is not forgotten because the next one was not heard."""
    both = Look("hub", NOW, Found.ROOMS, both=(RoomName("lobby"),))
    assert after(both, look(Found.UNHEARD)).both == ("lobby",)
    assert after(both, look(Found.UNHEARD, address="elsewhere")).both == ()


@pytest.mark.parametrize(("is_here", "is_settled", "only_tells"), list(product([False, True], repeat=3)))
def test_what_is_done_with_a_room_of_the_remote(is_here: bool, is_settled: bool, only_tells: bool) -> None:
    """What is settled stays; both is a person's; and a stranger's clone is only told of."""
    expected = Deed.NOTHING if is_settled else Deed.DECIDE if is_here else Deed.TELL if only_tells else Deed.FOLLOW
    assert deed(is_here=is_here, is_settled=is_settled, only_tells=only_tells) is expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Authentication failed for 'https://hub.example/'", True),
        ("could not read Username for 'https://hub.example': terminal prompts disabled", True),
        ("git@hub.example: Permission denied (publickey).", True),
        ("Host key verification failed.", True),
        ("unable to access 'https://hub.example/': The requested URL returned error: 403", True),
        ("unable to access 'https://hub.example/': The requested URL returned error: 401", True),
        ("transport 'ext' not allowed", True),
        ("unable to access 'https://hub.example/': Could not resolve host: hub.example", False),
        ("the remote 'origin' has said nothing for 120 s", False),
        ("unable to access 'https://hub.example/': The requested URL returned error: 503", False),
        ("'/mnt/hub.git' does not appear to be a git repository", False),
    ],
)
def test_words_tell_a_refusal_from_silence(words: str, expected: bool) -> None:
    """Who wants to know us is not asked again; who is away is."""
    assert is_refusal(words) == expected


def test_sentences_name_one_room_and_some() -> None:
    """In the singular and the plural, and not more names than anybody reads."""
    lobby, other = RoomName("lobby"), RoomName("other")
    assert follows([lobby], "origin") == "room 'lobby' follows origin"
    assert follows([lobby, other], "origin") == "rooms 'lobby', 'other' follow origin"
    assert "room 'lobby' is at origin, too, and was begun here apart" in is_both([lobby], "origin")
    assert "rooms 'lobby', 'other' are at origin, too, and were begun" in is_both([lobby, other], "origin")
    many = [RoomName(f"room{number}") for number in range(MAX_NAMED + 3)]
    assert named(many).endswith("'room19' and 3 more")
