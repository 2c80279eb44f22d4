"""A clone's turns at a remote: what was set, what stands there, and what was kept. Proves docs/format.md 7.15, 13.2."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitchat.clones.answer import Pushed
from gitchat.clones.report import Report
from gitchat.model.errors import RemoteError
from gitchat.model.names import Oid, RefName
from gitchat.model.record import Moment
from gitchat.staying.pace import INTERVALS, TIDY_SECONDS, Waiting
from gitchat.staying.turns import Turns, chosen_interval, spend
from tests.world import World

NEWS = Waiting(has_news=True)
NOW = 1_700_000_000


@pytest.fixture
def repository(world: World) -> Path:
    """A repository with rooms, whose origin is a path."""
    path = world.repository()
    world.git("remote", "add", "origin", "../hub.git", cwd=path)
    (path / ".git" / "chatroom").mkdir()
    return path


def turns(world: World, repository: Path, remote: str = "origin", now: int = NOW) -> Turns:
    """Those of a process that begins to push at ``now``."""
    environment = world.environment(repository, now=lambda: Moment(now))
    return Turns(environment, remote, chosen_interval(environment.repository.config))


def interval(one: Turns) -> float:
    """How far apart it pushes, as told by how far it lets looks be apart when something happened."""
    one.note(Report("origin", fetched={}, alarms=["something"]))
    seconds = one.seconds_to(Waiting())
    found = [each for each in (*INTERVALS.values(), 77.0) if seconds <= each * 1.5]
    return min(found)


def test_a_process_goes_on_from_where_another_ended(world: World, repository: Path) -> None:
    """What is counted is pushes of the clone: who begins has no three fresh tokens."""
    first = turns(world, repository)
    assert first.take(NEWS) == 3
    first.note(Report("origin", pushes=2, accepted=1))
    assert turns(world, repository).take(NEWS) == 1
    assert turns(world, repository).take(NEWS) == 0
    assert turns(world, repository, now=NOW + 15).take(NEWS) == 3


def test_who_is_killed_while_it_pushes_has_pushed(world: World, repository: Path) -> None:
    """A token is spent before it is used."""
    turns(world, repository).take(NEWS)
    assert turns(world, repository).take(NEWS) == 0


def test_a_push_that_somebody_typed_counts_for_who_keeps_the_clone_in_step(world: World, repository: Path) -> None:
    """It waits for nobody, and what goes by itself has so many less: who begins, and who was there before."""
    keeper = turns(world, repository)
    spend(world.environment(repository, now=lambda: Moment(NOW)), "origin", 2)
    assert turns(world, repository).seconds_to(NEWS) <= 0
    assert keeper.take(NEWS) == 1
    spend(world.environment(repository, now=lambda: Moment(NOW)), "origin", 5)
    keeper.note(Report("origin", pushes=1, accepted=1))
    assert keeper.take(NEWS) == turns(world, repository).take(NEWS) == 0
    spend(world.environment(repository, now=lambda: Moment(NOW)), "nowhere", 0)
    assert not (repository / ".git" / "chatroom" / "pace-nowhere").exists()


def test_each_remote_has_a_file_of_its_own(world: World, repository: Path) -> None:
    """Named by it, percent-encoded."""
    world.git("remote", "add", "team/hub", "../other.git", cwd=repository)
    turns(world, repository).take(NEWS)
    assert turns(world, repository, "team/hub").take(NEWS) == 3
    assert sorted(path.name for path in (repository / ".git" / "chatroom").iterdir()) == [
        "pace-origin",
        "pace-team%2Fhub",
    ]


def test_a_clock_that_was_set_back_blocks_nobody(world: World, repository: Path) -> None:
    """An interval is waited for at the most, and not until the clock is where it was."""
    turns(world, repository).take(NEWS)
    early = turns(world, repository, now=NOW - 1_000_000)
    assert early.take(NEWS) == 0
    assert early.seconds_to(NEWS) <= INTERVALS["near"]


# --- what stands there ---------------------------------------------------------


def test_the_kind_is_asked_for_first(world: World, repository: Path) -> None:
    """``chat.pace`` says what nobody can see, and a number says it exactly."""
    world.git("remote", "set-url", "origin", "git@server.example:hub.git", cwd=repository)
    assert interval(turns(world, repository)) == INTERVALS["forge"]
    world.git("config", "chat.pace", "near", cwd=repository)
    assert interval(turns(world, repository)) == INTERVALS["near"]
    world.git("config", "chat.syncInterval", "77", cwd=repository)
    assert interval(turns(world, repository)) == 77.0


def test_the_kind_is_that_of_the_place_that_is_pushed_to(world: World, repository: Path) -> None:
    """As git rewrites its address."""
    assert interval(turns(world, repository)) == INTERVALS["near"]
    world.git("config", "remote.origin.pushurl", "work:hub.git", cwd=repository)
    assert interval(turns(world, repository)) == INTERVALS["forge"]
    world.git("config", "url./srv/.insteadOf", "work:", cwd=repository)
    assert interval(turns(world, repository)) == INTERVALS["near"]
    assert interval(turns(world, repository, "nowhere")) == INTERVALS["forge"]


def slow_down_at_once(one: Turns) -> None:
    """Nothing came of it but that."""
    one.note(RemoteError("the remote 'origin' cannot be used: HTTP 429", hint="", code="remote-failed"))


def slow_down_in_words(one: Turns) -> None:
    """A server's hook said it."""
    refused = Pushed(RefName("refs/chatroom/rooms/lobby/log"), Oid("a" * 40), False, "hook declined; rate limit")
    one.note(Report("origin", pushes=1, refused=[refused]))


@pytest.mark.parametrize("slow_down", [slow_down_at_once, slow_down_in_words])
def test_who_asks_to_slow_down_is_a_forge_for_good(world: World, repository: Path, slow_down) -> None:  # type: ignore[no-untyped-def]
    """Though it is reached by a path; for this process and for those that come after it."""
    one = turns(world, repository)
    one.take(NEWS)
    slow_down(one)
    later = turns(world, repository, now=NOW + 10_000)
    assert interval(one) == interval(later) == INTERVALS["forge"]
    world.git("config", "chat.pace", "near", cwd=repository)
    assert interval(turns(world, repository)) == INTERVALS["near"]


def test_after_a_refusal_a_clone_waits_longer_whichever_process_pushes(world: World, repository: Path) -> None:
    """What the remote said is remembered; cursors alone keep their minute, too."""
    one = turns(world, repository)
    one.take(NEWS)
    slow_down_in_words(one)
    later = turns(world, repository)
    later.note(Report("origin"))
    assert later.take(NEWS) == 0
    assert turns(world, repository, now=NOW + 15).take(NEWS) == 0
    assert turns(world, repository, now=NOW + 22).take(NEWS) == 1
    cursors = Waiting(has_cursors=True)
    assert turns(world, repository, now=NOW + int(TIDY_SECONDS) - 1).take(cursors) == 0
