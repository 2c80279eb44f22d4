"""Each record reaches each seat and each person, once, whatever happens to clones and sessions.

Proves docs/format.md sections 10.5 to 10.8. A simulation proves nothing until it can fail: each rule is taken out once,
and must be missed.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from hypothesis.strategies import integers, sampled_from

from gitchat.clones.attaching import Attaching
from gitchat.index.condition import authored_by
from gitchat.model.names import RoomName
from gitchat.presence.clonefile import Seen
from gitchat.rooms.cursor import Cursor
from gitchat.rooms.seat import Seat
from gitchat.workspace.clone import Clone as ClonesId
from gitchat.workspace.seating import Seating
from tests.property.conversation import Mismatch
from tests.property.happenings import STEPS, Happenings
from tests.property.sittings import AGENTS, PEOPLE, Figures, Sittings
from tests.world import World

LEXER, PARSER = AGENTS
ALEX, OTHER_ALEX, ALEX_AT_HOME, ANN = PEOPLE

QUICK_SEEDS, QUICK_STEPS = 2, 15
EXAMPLES, EXAMPLE_STEPS = 6, 25
SOAK_SEEDS, SOAK_STEPS = 40, 80


@pytest.mark.parametrize("seed", range(QUICK_SEEDS))
def test_each_seat_hears_each_record_once(world: World, seed: int) -> None:
    """Whoever sits where: nothing is lost, told twice, told to who said it, or marked for another."""
    Happenings(world, seed).run(QUICK_STEPS)


class Machine(RuleBasedStateMachine):
    """Which step comes next, and where, is hypothesis's to say: what fails comes down to the steps that it takes."""

    @initialize(seed=integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        self._directory = TemporaryDirectory(prefix="gitchat-tests-")
        self._happenings = Happenings(World(Path(self._directory.name)), seed)

    @rule(kind=sampled_from(sorted(STEPS)), place=integers(0, 5))
    def step(self, kind: str, place: int) -> None:
        self._happenings.take(kind, place)

    def teardown(self) -> None:
        if hasattr(self, "_directory"):
            self._happenings.rest()
            self._directory.cleanup()


@pytest.mark.slow
def test_no_order_of_steps_breaks_a_promise() -> None:
    """Some runs, the same ones each time."""
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=EXAMPLE_STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.soak
def test_each_seat_hears_each_record_once_in_long_runs() -> None:
    """Forty runs, and what they consisted of."""
    total = Figures()
    for seed in range(1000, 1000 + SOAK_SEEDS):
        with TemporaryDirectory(prefix="gitchat-tests-") as directory:
            happenings = Happenings(World(Path(directory)), seed)
            try:
                happenings.run(SOAK_STEPS)
            except Mismatch as mismatch:
                raise Mismatch(f"seed {seed}: {mismatch}") from mismatch
            total.add(happenings.figures)
    print(f"{SOAK_SEEDS} runs: {total}")


# --- what would be noticed -----------------------------------------------------------------


def agents_of_one_name(sittings: Sittings) -> None:
    """Two agents of one name talk in two clones."""
    one, two = sittings.clones
    sittings.say(two, PARSER)
    for clone in (two, one):
        sittings.say(clone, LEXER)
        sittings.sync(clone)
    sittings.hear(one, LEXER)
    sittings.sync(one)
    sittings.sync(two)
    sittings.hear(two, LEXER)
    sittings.rest()


def a_session_is_handed_over(sittings: Sittings) -> None:
    """What it said where it was before is its own where it comes to."""
    one, two = sittings.clones
    sittings.say(one, PARSER)
    sittings.hear(one, LEXER)
    sittings.say(one, LEXER)
    sittings.hand_over(one, two, LEXER)
    sittings.rest()


def a_clone_is_copied(sittings: Sittings) -> None:
    """Its agents sit anew in the copy, where they call their messages as they are called in the first."""
    one, two = sittings.clones
    sittings.say(one, LEXER)
    sittings.sync(one)
    sittings.sync(two)
    copy = sittings.copy(one)
    sittings.clones.append(copy)
    for clone in (one, copy):
        sittings.say(clone, LEXER, key="status")
    sittings.rest()


def an_image_is_started_twice(sittings: Sittings) -> None:
    """What both say from then on each has to hear, and nothing of what was said before."""
    one, _ = sittings.clones
    sittings.say(one, PARSER)
    sittings.hear(one, LEXER)
    sittings.say(one, LEXER)
    sittings.start_image(one)
    for _ in range(2):
        sittings.say(one, LEXER)
        sittings.swap(one)
    sittings.rest()


def a_backup_is_played_back(sittings: Sittings) -> None:
    """What was said after it is said by somebody else."""
    one, _ = sittings.clones
    sittings.say(one, LEXER)
    sittings.back_up(one)
    sittings.say(one, LEXER)
    sittings.sync(one)
    sittings.play_back(one)
    sittings.rest()


def people_of_one_name(sittings: Sittings) -> None:
    """What one has heard before the other heard of him is still to be heard by the other."""
    one, two = sittings.clones
    sittings.say(one, PARSER)
    for clone in (one, two):
        sittings.sync(clone)
    sittings.hear(two, OTHER_ALEX.name)
    sittings.say(two, OTHER_ALEX.name)
    sittings.sync(two)
    sittings.rest()


def a_fresh_clone_joins(sittings: Sittings) -> None:
    """Somebody speaks there before anything of the room has come."""
    one, _ = sittings.clones
    sittings.say(one, PARSER)
    sittings.sync(one)
    fresh = sittings.clone(ANN)
    sittings.clones.append(fresh)
    sittings.arrive(fresh, ANN.name, meanwhile=lambda: sittings.say(fresh, ANN.name))
    sittings.check(fresh)
    sittings.rest()


def fetched_first(self: Attaching, rooms: Sequence[RoomName], place: str) -> list[RoomName]:
    """Attaching.adopt that takes the rooms in, and leaves the note for later."""
    refs = "refs/chatroom/rooms/*:refs/chatroom/rooms/*"
    subprocess.run(["git", "fetch", "-q", "origin", refs], cwd=self._store.directory.parent, check=True)
    return []


def common_position(self: Seating, room: object, name: object, chain: object, *, may_sit: bool) -> Cursor:
    """Seating.position without a seat."""
    return Cursor(self._environment.store, room, name)  # type: ignore[arg-type]


class Mutant(NamedTuple):
    """What happens, which part of the code is another, and what must be noticed of that."""

    happens: Callable[[Sittings], None]
    owner: type
    attribute: str
    instead: object
    noticed: str


MUTANTS = {
    "names only": Mutant(
        agents_of_one_name, Seating, "own_and_spoken", lambda self, room, name, chain: (authored_by(name), None),
        r"found \['parser 0'\], wanted \['parser 0', 'lexer 1'\]",
    ),
    "the common position used for a seat": Mutant(
        agents_of_one_name, Seating, "position", common_position,
        r"unread of lexer .*: found \['lexer 2'\], wanted \['parser 0', 'lexer 2'\]",
    ),
    "what was said before it sat left out": Mutant(
        a_session_is_handed_over, Seat, "taken_at", None,
        r"unread of lexer .*: found \['lexer 1'\], wanted \[\]",
    ),
    "a copy that keeps its id": Mutant(
        a_clone_is_copied, Seen, "is_at", lambda self, place: True,
        r"log of .*: found \['lexer 0', 'lexer 1'\]",
    ),
    "a twin that keeps its id": Mutant(
        an_image_is_started_twice, ClonesId, "renew", lambda self, old: None,
        r"unread of lexer .*: found \[\], wanted \['lexer 2'\]",
    ),
    "a backup that keeps its id": Mutant(
        a_backup_is_played_back, ClonesId, "renew", lambda self, old: None,
        r"unread of lexer .*: found \[\], wanted \['lexer 1'\]",
    ),
    "what was said under a former id left out": Mutant(
        an_image_is_started_twice, ClonesId, "former", lambda self, room: {},
        r"unread of lexer .*: found \['lexer 1'",
    ),
    "fetched before noted": Mutant(
        a_fresh_clone_joins, Attaching, "adopt", fetched_first,
        r"numbers in .*: found \[1, 2\], wanted \[1, None\]",
    ),
    "people told by their names": Mutant(
        people_of_one_name, Seating, "_other_addresses", lambda self, name, voices: [],
        r"unread of alex .*: found \['parser 0'\], wanted \['parser 0', 'alex 1'\]",
    ),
    "a person who sits apart too late": Mutant(
        people_of_one_name, Seating, "sit_apart", lambda self, room, name: None,
        r"unread of alex .*: found \['alex 1'\], wanted \['parser 0', 'alex 1'\]",
    ),
}  # fmt: skip


HAPPENS = {mutant.happens.__name__: mutant.happens for mutant in MUTANTS.values()}


def world_for(world: World, happens: Callable[[Sittings], None]) -> Sittings:
    """Two clones, of two people of one name where that is what it is about."""
    return Sittings(world, (ALEX, OTHER_ALEX) if happens is people_of_one_name else (ANN, ANN))


@pytest.mark.slow
@pytest.mark.parametrize("name", HAPPENS)
def test_all_goes_well_with_each_rule(world: World, name: str) -> None:
    """What a rule is taken out of below goes well with it."""
    HAPPENS[name](world_for(world, HAPPENS[name]))


@pytest.mark.parametrize("what", MUTANTS)
def test_a_rule_that_is_taken_out_would_be_noticed(world: World, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Somebody hears something else than he must."""
    mutant = MUTANTS[what]
    sittings = world_for(world, mutant.happens)
    monkeypatch.setattr(mutant.owner, mutant.attribute, mutant.instead)
    with pytest.raises(Mismatch, match=mutant.noticed):
        mutant.happens(sittings)
