"""Taking back what has no number yet. Proves docs/format.md section 12.18."""

from __future__ import annotations

import fcntl
import os
import signal
from pathlib import Path

import pytest

from gitchat.model.errors import ConflictError, UserError
from gitchat.verbs.room import Room
from tests.clones.conftest import LOG, Clone, Hub
from tests.crash.writers import be_killed_at_call, fork, wait_for

CURSOR = "refs/chatroom/rooms/lobby/cursors/ann"


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone with one message that has a number, and nothing else."""
    clone = hub.clone("ann")
    clone.say("first")
    clone.sync()
    return clone


def room_of(clone: Clone, name: str | None = None) -> Room:
    """The lobby of ``clone``, in this process."""
    return Room(clone.world.environment(clone.path), "lobby", name or clone.name)


def say_three(room: Room) -> list[str]:
    """Three messages of which the second answers the first; their handles."""
    one = room.send("one")
    two = room.send("two", reply_to=one.handle)
    return [one.handle, two.handle, room.send("three").handle]


def test_what_comes_after_keeps_its_place_and_its_uid(hub: Hub, ann: Clone) -> None:
    """The others stay in their order, with their handles; the answer still says what it answers; all get numbers."""
    room = room_of(ann)
    one, two, three = say_three(room)
    assert room.unsend(one).entry.record.body == "one"
    assert [(entry.label, entry.record.body) for entry in room.log().entries] == [
        ("#1", "first"),
        (two, "two"),
        (three, "three"),
    ]
    assert f"re {one}" in ann.chat("log").stdout
    ann.sync()
    assert ann.numbered() == [(1, "first"), (2, "two"), (3, "three")]
    hub.assert_clean()
    assert "WRONG" not in ann.chat("doctor").stdout


def test_the_newest_and_the_only_one_can_be_taken_back(hub: Hub) -> None:
    """Also in a room that has nothing else: then it is empty, and goes on from there."""
    clone = hub.clone("bob")
    clone.git("config", "chatroom.lobby.remote", "origin")
    room = room_of(clone)
    room.unsend(room.send("only").handle)
    assert clone.bodies() == []
    assert "WRONG" not in clone.chat("doctor").stdout
    clone.say("next")
    clone.sync()
    assert clone.numbered() == [(1, "next")]


def test_what_was_read_stays_read(hub: Hub, ann: Clone) -> None:
    """Positions on the old commits follow: nothing is shown again, and none carries the message to the hub."""
    one, _, _ = say_three(room_of(ann))
    for name in ("bob", "carol"):
        assert len(room_of(ann, name).read().entries) == 4
    secret = ann.git("rev-parse", LOG + "~2").stdout.strip()
    room_of(ann, "dora").read(limit=2)  # in the middle: the message itself is the newest that she has read
    room_of(ann).unsend(one)
    for name, unread in (("bob", []), ("carol", []), ("dora", ["two", "three"])):
        assert [entry.record.body for entry in room_of(ann, name).unread().entries] == unread
    ann.sync()
    assert hub.git("rev-parse", LOG.replace("log", "cursors/bob")).stdout
    assert hub.git("cat-file", "-e", secret, check=False).returncode != 0
    assert hub.git("fsck", "--strict").returncode == 0


def test_who_is_late_is_told_its_number(hub: Hub, ann: Clone) -> None:
    """What the remote has taken stays, also where its answer was lost; the hint works today."""
    handle = room_of(ann).send("late").handle
    before = ann.git("rev-parse", "refs/chatroom-local/remotes/origin/rooms/lobby/log").stdout.strip()
    ann.sync()
    for _ in range(2):
        done = ann.chat("unsend", handle)
        assert (done.returncode, done.stdout) == (3, "")
        assert "is #2 now" in done.stderr
        assert ann.chat("send", "--room", "lobby", "-r", "2", "never mind", check=True)
        # As if the answer to the push had been lost.
        ann.git("update-ref", "refs/chatroom-local/remotes/origin/rooms/lobby/log", before)
    assert ann.chat("unsend", "#1").returncode == 3
    assert "late" in ann.bodies()


def test_a_push_under_way_is_waited_for(ann: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody else pushes for this clone nothing is taken back."""
    monkeypatch.setattr("gitchat.clones.alone.LOCK_SECONDS", 0.05)
    room = room_of(ann)
    handle = room.send("here").handle
    with (ann.path / ".git/chatroom/sync.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ConflictError) as caught:
            room.unsend(handle)
    assert caught.value.code == "sync-running"
    assert room.unsend(handle).unheard is None


def test_without_the_remote_it_is_said_that_nobody_was_asked(ann: Clone) -> None:
    """It is taken back all the same."""
    handle = room_of(ann).send("here").handle
    ann.git("remote", "set-url", "origin", ann.path / "nowhere")
    done = ann.chat("unsend", handle, check=True)
    assert "comes back with a number" in done.stderr
    assert ann.bodies() == ["first"]


def test_an_agent_takes_back_its_own_alone(ann: Clone) -> None:
    """A person whoever's of this clone; nobody what was said elsewhere."""
    agent = {"CLAUDECODE": "1", "GITCHAT_NAME": "bot"}
    theirs, own = ann.chat("send", "by ann").stdout.strip(), ann.chat("send", "by bot", **agent).stdout.strip()
    done = ann.chat("unsend", theirs, **agent)
    assert (done.returncode, "not yours" in done.stderr) == (1, True)
    asked = "please take it back: git chat unsend"
    assert f'git chat send --room lobby -r {theirs} "{asked}"' in done.stderr
    answer = ann.chat("send", "--room", "lobby", "-r", theirs, asked, check=True, **agent).stdout.strip()
    ann.chat("unsend", answer, check=True, **agent)
    ann.chat("unsend", own, check=True, **agent)
    again = ann.chat("send", "by bot", **agent).stdout.strip()
    ann.chat("unsend", again, check=True)
    ann.chat("unsend", theirs, check=True)
    assert ann.bodies() == ["first"]


def test_what_others_said_and_the_hub_lost_is_not_ours_to_take_back(hub: Hub, ann: Clone) -> None:
    """It is pending until it is brought back, and was said by somebody else."""
    bob = hub.clone("bob")
    bob.git("config", "user.email", "bob@example.com")
    bob.sync()
    first = hub.tip
    bob.say("from bob")
    bob.sync()
    ann.sync()
    hub.git("update-ref", LOG, first)
    hub.hook("exit 1")
    ann.chat("sync")
    (pending,) = [entry for entry in room_of(ann).log().entries if entry.number is None]
    with pytest.raises(UserError) as caught:
        room_of(ann).unsend(pending.handle)
    assert caught.value.code == "not-yours"


@pytest.mark.slow
def test_killed_at_any_call_it_is_there_or_not_and_nothing_else_is_lost(hub: Hub, ann: Clone) -> None:
    """Wherever it dies: the others stand in their order, what was read stays read, and the hub never gets it."""
    secrets = []
    for turn in range(1, 500, 4):
        room = room_of(ann)
        before = [entry.record.body for entry in room.log(limit=None).entries]
        handle = room.send(f"secret {turn}").handle
        room.send(f"after {turn}")
        assert len(room_of(ann, "bob").read().entries) == 2 + (turn == 1)
        secrets.append(ann.git("rev-parse", LOG + "~1").stdout.strip())

        def work(turn: int = turn, handle: str = handle) -> None:
            mine = room_of(ann)
            mine.log()
            be_killed_at_call(turn)
            mine.unsend(handle)

        status = wait_for([fork(work)])
        after = [entry.record.body for entry in room_of(ann).log(limit=None).entries]
        assert after in ([*before, f"secret {turn}", f"after {turn}"], [*before, f"after {turn}"])
        assert room_of(ann, "bob").unread().entries == []
        if f"secret {turn}" in after:
            room_of(ann).unsend(handle)
        if turn % 16 == 1 or status == [0]:
            ann.sync()
        if status == [0]:
            break
        assert status == [-signal.SIGKILL]
    assert turn > 20
    found = hub.git("cat-file", "--batch-check", stdin="".join(f"{oid}\n" for oid in secrets).encode()).stdout
    assert found == "".join(f"{oid} missing\n" for oid in secrets)
    hub.assert_clean()


@pytest.mark.slow
def test_races_with_senders_and_pushers_lose_nothing(hub: Hub, ann: Clone) -> None:
    """While others send and push without pause, each message is in the room once, or was taken back."""

    def work(name: str, notes: Path) -> None:
        room = room_of(ann, name)
        for turn in range(8):
            handle = room.send(f"{name} {turn}").handle
            if turn % 2:
                try:
                    room.unsend(handle)
                except ConflictError:
                    pass  # it has a number by now, or somebody pushes
                else:
                    with notes.open("a") as file:
                        file.write(f"{name} {turn}\n")
            if name == "pusher":
                ann.chat("sync")

    files = {name: ann.path.parent / f"{name}.txt" for name in ("one", "two", "pusher")}
    pids = [fork(lambda name=name, file=file: work(name, file)) for name, file in files.items()]  # type: ignore[misc]
    assert wait_for(pids) == [0] * len(pids)
    taken = {line for file in files.values() if file.exists() for line in file.read_text().splitlines()}
    ann.sync()
    said = {f"{name} {turn}" for name in files for turn in range(8)}
    assert sorted(ann.bodies()) == sorted({"first", *said} - taken)
    assert taken
    hub.assert_clean()
    assert os.listdir(ann.path)
