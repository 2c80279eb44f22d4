"""Writers at once: every one gets its own number. Proves docs/format.md section 6."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gitchat.model.refs import log_ref
from tests.crash.writers import ROOM, StartLine, fork, records, room_of, say, wait_for
from tests.needed import need
from tests.world import World, open_store

LOG = log_ref(ROOM)


@pytest.mark.parametrize(("writers", "turns"), [(16, 15), pytest.param(32, 50, marks=pytest.mark.slow)])
def test_processes_append_at_once_without_a_gap(world: World, writers: int, turns: int) -> None:
    """As many acknowledged appends as there are records, with the numbers 1 to the last, none refused."""
    common_dir = world.repository() / ".git"
    line = StartLine(writers)

    def write(writer: int) -> None:
        store = open_store(common_dir, fsync=False)
        line.wait()
        shown = [say(store, f"{writer}.{turn}", f"w{writer}").entry.number or 0 for turn in range(turns)]
        assert shown == sorted(set(shown))
        (world.root / f"numbers-{writer}").write_text(" ".join(map(str, shown)))

    pids = [fork(lambda writer=writer: write(writer)) for writer in range(writers)]  # type: ignore[misc]
    line.start()
    assert wait_for(pids) == [0] * writers
    found = records(common_dir)
    assert [entry.number for entry in found] == list(range(1, writers * turns + 1))
    assert {entry.record.body for entry in found} == {f"{w}.{t}" for w in range(writers) for t in range(turns)}
    by_number = {entry.number: entry.record.author for entry in found}
    for writer in range(writers):
        acknowledged = map(int, (world.root / f"numbers-{writer}").read_text().split())
        assert {by_number[number] for number in acknowledged} == {f"w{writer}"}


@pytest.mark.parametrize("rooms", [20, pytest.param(60, marks=pytest.mark.slow)])
def test_six_creators_make_one_room(world: World, rooms: int) -> None:
    """However many create a room at once, it has one genesis and everybody's first message."""
    common_dir = world.repository() / ".git"
    for turn in range(rooms):
        room = f"room-{turn}"
        line = StartLine(6)

        def create(writer: int, room: str = room, line: StartLine = line) -> None:
            store = open_store(common_dir, fsync=False)
            line.wait()
            say(store, f"first of {writer}", f"w{writer}", room)  # type: ignore[arg-type]

        pids = [fork(lambda writer=writer: create(writer)) for writer in range(6)]  # type: ignore[misc]
        line.start()
        assert wait_for(pids) == [0] * 6
        assert len(records(common_dir, room)) == 6  # type: ignore[arg-type]
    roots = world.git("rev-list", "--max-parents=0", "--glob=refs/chatroom/rooms/*", cwd=common_dir).stdout.split()
    assert len(roots) == rooms


@pytest.mark.slow
def test_32_programs_send_3_each_without_a_gap(world: World) -> None:
    """The installed program, started 96 times at once, prints 96 numbers without a gap."""
    repository = world.repository()
    with ThreadPoolExecutor(32) as pool:
        send = ["git", "chat", "send"]
        done = list(pool.map(lambda turn: world.run(*send, f"message {turn}", cwd=repository, check=False), range(96)))
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 96
    assert sorted(int(one.stdout.strip().removeprefix("#")) for one in done) == list(range(1, 97))
    assert [entry.number for entry in records(repository / ".git")] == list(range(1, 97))


def test_a_ref_that_is_missed_once_is_no_new_room(world: World) -> None:
    """While git packs refs one can be missed: before a room counts as new, its ref is looked for again."""
    store = open_store(world.repository() / ".git", fsync=False)
    for body in ("one", "two"):
        say(store, body)
    read_ref = store.backend.read_ref

    def miss_once(ref: str) -> None:
        store.backend.read_ref = read_ref  # type: ignore[method-assign]

    for act in (lambda: room_of(store).count(), lambda: say(store, "three").entry.number):
        store.backend.read_ref = miss_once  # type: ignore[assignment, method-assign]
        assert act() == len(records(store.common_dir))


def test_refs_are_found_while_git_packs_them(world: World) -> None:
    """Readers in a busy repository never take a room for missing."""
    common_dir = world.repository() / ".git"
    store = open_store(common_dir, fsync=False)
    for turn in range(30):
        say(store, str(turn))
        packing = subprocess.Popen(["git", "pack-refs", "--all"], cwd=common_dir, env=world.variables)
        while packing.poll() is None:
            assert store.rooms() == ["lobby"]
            assert room_of(store).count() == turn + 1
        assert packing.returncode == 0


def test_readers_wait_for_no_lock(world: World) -> None:
    """While a writer holds the write lock, and another git the ref's, everything can be read."""
    repository = world.repository()
    store = open_store(repository / ".git")
    say(store, "hello")
    store.backend.lock_path(LOG).touch()
    with store.writing():
        for words in (["log", "--oneline"], ["show", "--body", "1"], ["rooms"], ["verify"]):
            assert world.chat(*words, cwd=repository, check=True).stdout


def test_what_a_fetch_by_hand_brought_is_seen_at_once(world: World) -> None:
    """A process that has the room open reads and continues what git moved, without being told."""
    ours, theirs = world.repository("ours"), world.repository("theirs")
    store = open_store(ours / ".git")
    say(store, "one")
    world.git("fetch", "-q", ours, f"{LOG}:{LOG}", cwd=theirs)
    say(open_store(theirs / ".git"), "two")
    assert room_of(store).count() == 1
    world.git("fetch", "-q", theirs, f"{LOG}:{LOG}", cwd=ours)
    assert room_of(store).count() == 2
    assert say(store, "three").entry.number == 3


def test_a_foreign_writer_between_ours_loses_nothing(world: World) -> None:
    """A git process that moves the log by itself is built upon, not overwritten."""
    common_dir = world.repository() / ".git"
    store = open_store(common_dir, fsync=False)
    say(store, "ours")
    tip = store.room_tip("lobby")  # type: ignore[arg-type]
    message = "theirs\n\nChat-Kind: message\nChat-Uid: 0000000000000000\n"
    tree = store.empty_tree()
    theirs = world.git("commit-tree", tree, "-p", str(tip), cwd=common_dir, stdin=message.encode()).stdout.strip()
    real_swap, moved = store.backend.swap_ref, []

    def swap_after_theirs(ref: str, old: str, new: str, reason: str, **options: Any) -> None:
        if not moved:
            moved.append(subprocess.run(
                ["git", f"--git-dir={common_dir}", "update-ref", ref, theirs, old], check=True, env=world.variables
            ))  # fmt: skip
        real_swap(ref, old, new, reason, **options)

    store.backend.swap_ref = swap_after_theirs  # type: ignore[method-assign]
    (store.directory / "checkpoints" / ROOM).unlink()  # so that it goes the long way
    assert say(store, "ours again").entry.number == 3
    assert [entry.record.body for entry in records(common_dir)] == ["ours", "theirs", "ours again"]


@pytest.mark.parametrize(("setting", "is_durable"), [("true", True), ("false", False)])
def test_an_acknowledged_record_has_reached_the_disk(world: World, setting: str, is_durable: bool) -> None:
    """By default the journal is synced, once, and nothing else: what else is written is made again from there."""
    need("strace")
    repository = world.repository()
    world.git("config", "chat.fsync", setting, cwd=repository)
    world.chat("send", "first", cwd=repository)
    trace = world.root / "trace"
    world.run("strace", "-f", "-y", "-e", "trace=fsync,fdatasync", "-o", trace, "git-chat", "send", "x", cwd=repository)
    synced = re.findall(r"sync\(\d+<(.*?)>", trace.read_text())
    assert [path.rpartition("/")[2] for path in synced] == (["journal"] if is_durable else [])
