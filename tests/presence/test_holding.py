"""Names that several parties of one process hold, each for itself. Proves docs/format.md section 7.1."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from gitchat.model.errors import UserError
from gitchat.model.names import Name, RoomName
from gitchat.model.participant import Holder
from gitchat.presence.holding import PROCESS, Holding
from gitchat.presence.roll import Roll

ANA, BEN = Name("ana"), Name("ben")
LOBBY = RoomName("lobby")
HERE = Holder(pid=4242, host="box", worktree="/home/al/parser", client="http")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the names are."""
    return tmp_path / "chatroom"


def roll_of(directory: Path, holding: Holding = PROCESS) -> Roll:
    """What a party asks; it refuses a taken name at once."""
    return Roll(directory, holding=holding, wait_seconds=0)


def test_each_party_holds_its_own_names(directory: Path) -> None:
    """Neither another party nor the process itself holds what one of them does; all see it living."""
    one, other = Holding(), Holding()
    roll_of(directory, one).hold(ANA, HERE, 1)
    roll_of(directory, other).hold(BEN, HERE, 1)
    assert (list(one.names(directory)), list(other.names(directory)), PROCESS.names(directory)) == ([ANA], [BEN], {})
    found = roll_of(directory).find(ANA)
    assert found is not None
    assert found.is_living
    one.release()
    other.release()


def test_a_party_keeps_out_another_of_the_same_process(directory: Path) -> None:
    """The kernel's locks are of open files: two parties are as far apart as two processes."""
    one, other = Holding(), Holding()
    roll_of(directory, one).hold(ANA, HERE, 1)
    for roll in (roll_of(directory, other), roll_of(directory)):
        with pytest.raises(UserError) as refused:
            roll.hold(ANA, HERE, 1)
        assert refused.value.code == "name-taken"
    one.release()
    with roll_of(directory, other).hold(ANA, HERE, 1):
        assert list(other.names(directory)) == [ANA]


def test_a_released_party_lives_nowhere(directory: Path) -> None:
    """All its names are free at once, in every clone, and those of others stay."""
    one, other = Holding(), Holding()
    roll_of(directory, one).hold(ANA, HERE, 1)
    roll_of(directory / "elsewhere", one).hold(ANA, HERE, 1)
    roll_of(directory, other).hold(BEN, HERE, 1)
    one.release()
    assert (one.names(directory), one.names(directory / "elsewhere")) == ({}, {})
    living = {name: found.is_living for name in (ANA, BEN) if (found := roll_of(directory).find(name))}
    assert living == {ANA: False, BEN: True}
    other.release()


def test_a_name_outlives_the_object_of_its_party(directory: Path) -> None:
    """Who drops a holding without a word has not left: nothing that the collector does frees a name."""
    roll_of(directory, Holding()).hold(ANA, HERE, 1)
    found = roll_of(directory).find(ANA)
    assert found is not None
    assert found.is_living


def test_a_fork_holds_nothing_of_any_party(directory: Path) -> None:
    """A child that lives on keeps no name alive whose holder was killed."""
    ready, going = os.pipe(), os.pipe()
    parent = os.fork()
    if parent == 0:  # the server: it holds for two, forks, and is killed
        holdings = [Holding(), Holding()]
        for name, holding in zip((ANA, BEN), holdings, strict=True):
            roll_of(directory, holding).hold(name, HERE, 1)
        if os.fork() == 0:
            is_empty = all(not holding.names(directory) for holding in holdings)
            os.close(going[1])
            os.write(ready[1], b"y" if is_empty else b"n")
            os.read(going[0], 1)
            os._exit(0)
        signal.pause()
    try:
        assert os.read(ready[0], 1) == b"y"
        os.kill(parent, signal.SIGKILL)
        os.waitpid(parent, 0)
        found = [roll_of(directory).find(name) for name in (ANA, BEN)]
        assert [presence and presence.is_living for presence in found] == [False, False]
    finally:
        os.close(going[1])  # the grandchild ends
