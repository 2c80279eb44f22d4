"""Clones that sync through a hub, with every fault in between. Proves docs/format.md sections 5, 10 and 12.

A simulation proves nothing until it can fail: each rule is taken out once, and must be missed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from hypothesis.strategies import integers, sampled_from

from gitchat.clones.answer import Pushed, answers_in
from gitchat.clones.joining import Joining
from gitchat.clones.place import Verdict
from gitchat.clones.report import OtherPlace, Report
from gitchat.model.layout import PLAIN
from gitchat.model.names import Oid, RefName
from gitchat.model.refs import cursor_ref, log_ref
from tests.property.clones import KINDS, LOBBY, NAMES, Clone, Clones, Faulty, Restless
from tests.property.conversation import Mismatch
from tests.seeds import seeds
from tests.world import World

STEPS, QUICK_STEPS = 25, 12

QUICK_SEEDS, RUNS = 6, 12

MOVING_SEEDS, MOVING_STEPS = range(200, 206), 16

MUTANT_SEEDS = range(1000, 1012)
"""One of these must notice a rule that was taken out."""


@pytest.mark.parametrize("seed", range(QUICK_SEEDS))
def test_every_clone_comes_to_the_same_and_no_number_changes(world: World, seed: int) -> None:
    """Whatever got lost, raced or ended in the middle: each record once, each number for ever, nothing read twice."""
    Clones(world, seed).run(QUICK_STEPS)


@pytest.mark.parametrize("seed", seeds(0, 12, 100))
def test_every_clone_comes_to_the_same_after_many_steps(world: World, seed: int) -> None:
    """The same, of longer conversations."""
    Clones(world, seed).run(STEPS)


class Machine(RuleBasedStateMachine):
    """Which step comes next, and where, is hypothesis's to say: what fails comes down to the steps that it takes."""

    @initialize(seed=integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        self._directory = TemporaryDirectory(prefix="gitchat-tests-")
        self._clones = Clones(World(Path(self._directory.name)), seed)

    @rule(kind=sampled_from(KINDS), place=integers(0, 3))
    def step(self, kind: str, place: int) -> None:
        self._clones.take(kind, place)

    def teardown(self) -> None:
        if hasattr(self, "_directory"):
            self._clones.rest()
            self._directory.cleanup()


@pytest.mark.slow
def test_no_order_of_steps_breaks_a_promise() -> None:
    """A dozen runs, the same ones each time."""
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", MOVING_SEEDS)
def test_no_number_changes_however_often_rooms_move(world: World, seed: int) -> None:
    """There and back again, onto what was left there, while others are on their way, and not always to the end."""
    Restless(world, seed).run(MOVING_STEPS)


def noticed(root: Path, remote: type[Faulty] = Faulty, *, kind: type[Clones] = Clones) -> str:
    """What the first seed says that notices something."""
    for seed in MUTANT_SEEDS:
        (root / str(seed)).mkdir()
        try:
            kind(World(root / str(seed)), seed, remote).run(STEPS)
        except (Mismatch, OtherPlace) as mismatch:
            return str(mismatch)
    return "nothing"


Updates = Mapping[RefName, tuple[Oid, Oid | None]]


class Swapped(Faulty):
    """Merges with the own log first."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        merge = self._joining._merge
        self._joining._merge = lambda remote, local, *told: merge(local, remote, *told)  # type: ignore[method-assign]


class Forced(Faulty):
    """Pushes whatever the remote has by now."""

    def _sent(self, updates: Updates) -> list[Pushed]:
        layout = self._wire.layout
        specs = [f"{new}:{layout.there(ref)}" for ref, (new, _) in updates.items()]
        done = self._wire._git("push", "--porcelain", "--force", self.name, *specs)
        return answers_in(done.stdout.decode(), done.stderr, {ref: new for ref, (new, _) in updates.items()}, layout)


class Hasty(Faulty):
    """Shows what it pushes before the remote has accepted it."""

    def _push(self, updates: Updates, address: str | None) -> list[Pushed]:
        for ref, (new, old) in updates.items():
            self._accepting.track(ref, new, old)
            self._joining.forward(ref, new)
        return super()._push(updates, address)


class Deaf(Faulty):
    """Stays where the rooms were."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._following.leads = lambda *told, **how: False  # type: ignore[method-assign]


class Believing(Faulty):
    """Goes where it has said itself that the rooms go, before anybody has heard it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        moved = self._following._moved
        self._following._moved = lambda room, tip: moved(room, None)


class Unladen(Faulty):
    """Comes to a place with nothing of what was numbered at the one that it left."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._joining.keep = lambda room, seen, there: []  # type: ignore[method-assign]


class Blind(Faulty):
    """Pushes to where its branches are as if they were none."""

    def _sent(self, updates: Updates) -> list[Pushed]:
        return self._wire.laid(PLAIN).push(updates)


@pytest.mark.slow
@pytest.mark.parametrize("remote", [Deaf, Blind])
def test_a_clone_that_is_elsewhere_at_the_hub_would_be_noticed(tmp_path: Path, remote: type[Faulty]) -> None:
    """Who does not go along with a move, and who forgets the prefix for once."""
    assert noticed(tmp_path, remote, kind=Restless) != "nothing"


@pytest.mark.slow
@pytest.mark.parametrize("remote", [Believing, Unladen])
def test_a_move_that_leaves_numbers_behind_would_be_noticed(tmp_path: Path, remote: type[Faulty]) -> None:
    """What was numbered at the place that was left stands for something else at the new one."""
    assert noticed(tmp_path, remote, kind=Restless).startswith(("numbers that were shown", "places"))


@pytest.mark.slow
def test_a_word_before_there_is_anything_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who hears of a place where nothing is goes on where he is, and the one who said it does not."""
    monkeypatch.setattr("gitchat.workspace.farewell.lay_out", lambda environment, remote, rooms, layout: Report(remote))
    assert noticed(tmp_path, kind=Restless).startswith(("numbers that were shown", "alarms"))


def test_parents_of_a_merge_in_the_wrong_order_would_be_noticed(tmp_path: Path) -> None:
    """The own log first: what others had numbered gets other numbers."""
    assert noticed(tmp_path, Swapped).startswith(("numbers that were shown", "alarms", "another repository stands"))


def test_push_without_a_lease_would_be_noticed(tmp_path: Path) -> None:
    """What another clone pushed in between is gone from the remote."""
    assert noticed(tmp_path, Forced) != "nothing"


@pytest.mark.slow
def test_showing_before_the_answer_would_be_noticed(tmp_path: Path) -> None:
    """A number that the remote never gave, and then gives to another record."""
    assert noticed(tmp_path, Hasty).startswith(("numbers that were shown", "alarms"))


def test_skipping_the_uid_rule_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that was sent with the same key in two clones stands there twice."""
    monkeypatch.setattr("gitchat.index.catchup.CatchUp._has", lambda self, chain, key: False)
    assert noticed(tmp_path).startswith(("log", "numbers"))


@pytest.mark.parametrize("is_compared", [True, False])
def test_a_place_that_is_not_compared_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_compared: bool
) -> None:
    """A clone gets the address of another team's hub: only where places are compared nothing reaches that."""
    if not is_compared:
        monkeypatch.setattr("gitchat.clones.judging.verdict", lambda standing, **how: Verdict.GO_ON)
    world, chance = World(tmp_path), random.Random(1)
    hubs = [tmp_path / f"{name}.git" for name in ("one", "two")]
    for hub in hubs:
        world.git("init", "-q", "--bare", hub)
    clones = [Clone(world, hub.stem, hub, chance, Faulty) for hub in hubs]
    for clone in clones:
        clone.room().send(f"of team {clone.name}")
        clone.sync()
    world.git("remote", "set-url", "origin", hubs[1], cwd=clones[0].path)
    with suppress(OtherPlace):
        clones[0].sync()
    said = world.git("--git-dir", hubs[1], "log", "--format=%s", log_ref(LOBBY)).stdout
    assert ("of team one" in said) is not is_compared


@pytest.mark.parametrize("is_moved_alone", [True, False])
def test_a_ref_that_nobody_here_moved_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_moved_alone: bool
) -> None:
    """A cursor that was deleted at the hub comes back by a clone that pushes what it only has."""
    if not is_moved_alone:
        updates = Joining.updates
        monkeypatch.setattr(
            Joining, "updates", lambda self, room, seen, *tips, **how: updates(self, room, {}, *tips, **how)
        )
        monkeypatch.setattr(Joining, "drop_cursors", lambda self, room, seen, tracked: None)
    world, chance = World(tmp_path), random.Random(1)
    hub = tmp_path / "hub.git"
    world.git("init", "-q", "--bare", hub)
    reader, other = (Clone(world, name, hub, chance, Faulty) for name in ("reader", "other"))
    reader.room().send("hello")
    reader.room(NAMES[1]).read()
    reader.sync()
    other.sync()
    world.git("--git-dir", hub, "update-ref", "-d", cursor_ref(LOBBY, NAMES[1]))
    other.sync()
    there = world.git("--git-dir", hub, "for-each-ref").stdout
    assert (cursor_ref(LOBBY, NAMES[1]) in there) is not is_moved_alone
