"""A live file is opened again only when it may tell something else. Proves gitchat/presence/remembered.py."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitchat.model.names import Name, RoomName
from gitchat.model.participant import Holder, Presence
from gitchat.presence import remembered
from gitchat.presence.holding import Holding
from gitchat.presence.livefile import LiveFile
from gitchat.presence.roll import Roll

LOBBY = RoomName("lobby")
ANA = Name("ana")
HERE = Holder(pid=4242, host="box", worktree="/home/al/parser", client="http")
OTHER_PROCESS = """
import sys
from pathlib import Path
from gitchat.model.names import Name, RoomName
from gitchat.model.participant import Holder
from gitchat.presence.roll import Roll
roll = Roll(Path(sys.argv[1]))
holder = Holder(pid=4242, host="box", worktree="/home/al/parser", client="http")
if sys.argv[2] == "touch":
    roll.touch(Name("ana"), RoomName("lobby"), 77)
else:
    held = roll.hold(Name("ana"), holder, 20)
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the names are."""
    return tmp_path / "chatroom"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Name]:
    """The names whose files were opened."""
    names: list[Name] = []
    begin = LiveFile.__init__

    def counted(file: LiveFile, directory: Path, name: Name, flags: int) -> None:
        names.append(name)
        begin(file, directory, name, flags)

    monkeypatch.setattr(LiveFile, "__init__", counted)
    return names


@contextmanager
def another_process(directory: Path, does: str) -> Iterator[None]:
    """One that has done something, and lives meanwhile."""
    words = [sys.executable, "-c", OTHER_PROCESS, str(directory), does]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        yield


def found(directory: Path, name: Name = ANA) -> Presence:
    """What is known of a name that was taken once."""
    presence = Roll(directory).find(name)
    assert presence is not None
    return presence


def test_names_that_live_here_are_known_without_opening_their_files(directory: Path, opened: list[Name]) -> None:
    """Whatever party of this process holds them, and whatever it changes, is told at once."""
    names = [Name(f"n{number}") for number in range(8)]
    held = {name: Roll(directory, holding=Holding()).hold(name, HERE, 20) for name in names}
    opened.clear()
    for name in names:
        held[name].join(LOBBY, role="review", now=21)
        assert name in [one.name for one in Roll(directory).participants(LOBBY)]
    held[names[0]].leave(LOBBY, 22)
    assert [one.name for one in Roll(directory).participants(LOBBY)] == names[1:]
    assert opened == []


def test_what_another_process_writes_is_noticed(directory: Path, opened: list[Name]) -> None:
    """Also into the file of a name that lives here: it is read once more, and no more."""
    with Roll(directory, holding=Holding()).hold(ANA, HERE, 20) as held:
        held.join(LOBBY, role="review", now=21)
        with another_process(directory, "touch"):
            opened.clear()
            assert [found(directory).rooms[LOBBY].last_seen for _ in range(3)] == [77] * 3
            assert opened == [ANA]
            assert found(directory).is_living


def test_who_takes_a_name_in_the_second_of_the_last_one_is_seen(directory: Path, opened: list[Name]) -> None:
    """Its file may hold the same bytes as before: so it is opened until it has stood still for longer."""
    Roll(directory, holding=Holding()).hold(ANA, HERE, 20).release()
    before = (directory / "live" / ANA).stat()
    assert not found(directory).is_living
    with another_process(directory, "hold"):
        assert remembered.stamp_of((directory / "live" / ANA).stat()) == remembered.stamp_of(before)
        assert found(directory).is_living
    assert not found(directory).is_living


def test_who_was_killed_or_left_long_ago_is_not_looked_up_again(
    directory: Path, opened: list[Name], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until somebody takes the name again, wherever."""
    monkeypatch.setattr(remembered, "SETTLED_SECONDS", 0.0)  # which the second 20 of the clock below is long ago
    with another_process(directory, "hold"):
        for _ in range(2):
            assert found(directory).is_living
        assert opened == [ANA, ANA]  # it may end at any time
    assert not found(directory).is_living
    opened.clear()
    assert not any(found(directory).is_living for _ in range(3))
    assert opened == []
    with Roll(directory, holding=Holding()).hold(ANA, HERE, 30):
        assert found(directory).is_living
    assert not found(directory).is_living
    opened.clear()
    with another_process(directory, "hold"):
        assert found(directory).is_living
        assert opened == [ANA]
