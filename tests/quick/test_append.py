"""The quick append: the same bytes as by the long way, few calls of the system, and the long way for all else."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.errors import UserError
from gitchat.model.names import Oid, Uid
from gitchat.model.record import Draft, Moment
from gitchat.model.refs import log_ref, tracking_ref
from gitchat.quick import append, rules
from gitchat.quick.unusual import Unusual
from gitchat.storage import exchange, gate
from gitchat.storage.lockfile import LockFile
from gitchat.storage.store import Store
from tests.crash.writers import ROOM, be_killed_at_call, fork, identity, records, say, wait_for
from tests.needed import need
from tests.world import World, open_store, open_writer

LOG = log_ref(ROOM)


def ready(world: World, name: str = "project", *, fsync: bool = False) -> Store:
    """A store with a room in it, which the quick way can write to."""
    common_dir = world.repository(name) / ".git"
    say(open_store(common_dir, fsync=fsync), "first")
    return open_store(common_dir, fsync=fsync)


def long_moves(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The refs that the long way moves from now on."""
    moved: list[str] = []
    swap: Callable[..., None] = store.backend.swap_ref

    def told(ref: str, *arguments: Any, **named: Any) -> None:
        moved.append(ref)
        swap(ref, *arguments, **named)

    monkeypatch.setattr(store.backend, "swap_ref", told)
    return moved


def no_quick_way(*arguments: object, **named: object) -> None:
    """Stands for Store.append where everything shall go the long way."""
    raise Unusual


DRAFTS = [
    Draft(body="plain"),
    Draft(body="to some\n\nChat-Kind: message\n", to=("alice", "role:reviewer"), type="question", urgent=True),
    Draft(body='{"a": 1}', media="json", reply_to=Uid("0000000000000000")),
    Draft(body="surrogate \udcff, é, 日本", kind="status", commit="a" * 40, branch="topic/ü", extra=(("X-More", "ü"),)),
]


@pytest.mark.parametrize(("fsync", "is_tracked"), [(False, False), (True, False), (True, True)])
def test_both_ways_write_the_same_bytes(
    world: World, monkeypatch: pytest.MonkeyPatch, fsync: bool, is_tracked: bool
) -> None:
    """Each draft, by the same clock and uids, becomes the same commits, journal and note of the end in two clones.

    They are equal. Also where a remote numbers the room.
    """
    quick = ready(world, fsync=fsync)
    tracking = tracking_ref("origin", LOG) if is_tracked else None
    if tracking is not None:
        quick.point(tracking, quick.room_tip(ROOM) or Oid(""), "a remote has it")
        open_writer(quick, tracking=tracking).send(DRAFTS[0], identity("bob"))
    shutil.copytree(quick.common_dir, world.root / "copy.git")
    long = open_store(world.root / "copy.git", fsync=fsync)
    monkeypatch.setattr(long, "append", no_quick_way)
    written = []
    for store, long_ones in ((quick, 0), (long, len(DRAFTS))):
        moved = long_moves(store, monkeypatch)
        uids = iter([Uid(f"{index:016}") for index in range(9)])
        writer = open_writer(
            store, clock=lambda: Moment(1_800_000_000, -90), new_uid=lambda uids=uids: next(uids), tracking=tracking
        )
        sent = [writer.send(draft, identity("bob")).entry for draft in DRAFTS]
        assert [entry.number for entry in sent] == ([None] * 4 if is_tracked else [2, 3, 4, 5])
        assert len(moved) == long_ones
        files = ("journal", f"{'ends' if is_tracked else 'checkpoints'}/{ROOM}", "write.lock")
        written.append((sent, store.room_tip(ROOM), [(store.directory / file).read_bytes() for file in files]))
    assert written[0] == written[1]
    assert records(quick.common_dir) == records(long.common_dir)
    world.git("fsck", "--strict", "--no-dangling", cwd=quick.common_dir)


def rename_ref(store: Store, world: World) -> None:
    world.git("pack-refs", "--all", cwd=store.common_dir)


def pack_all(store: Store, world: World) -> None:
    world.git("gc", "-q", "--prune=now", cwd=store.common_dir)


def lose_note(store: Store, world: World) -> None:
    (store.directory / "checkpoints" / ROOM).unlink()


def link_note(store: Store, world: World) -> None:
    note = store.directory / "checkpoints" / ROOM
    note.rename(world.root / "note")
    note.symlink_to(world.root / "note")


def leave_intent(store: Store, world: World) -> None:
    (store.directory / "write.lock").write_text(f"{LOG} {'1' * 40} 999999\n", encoding="ascii")


def lose_journal(store: Store, world: World) -> None:
    (store.directory / "journal").unlink()


def keep_reflog(store: Store, world: World) -> None:
    world.git("config", "core.logAllRefUpdates", "always", cwd=store.common_dir)


@pytest.mark.parametrize(
    ("change", "is_quick"),
    [
        (rename_ref, False),
        (pack_all, False),
        (lose_note, False),
        (link_note, None),
        (leave_intent, False),
        (lose_journal, False),
        (keep_reflog, False),
    ],
)
def test_what_is_unusual_goes_the_long_way(
    world: World, monkeypatch: pytest.MonkeyPatch, change: Callable[[Store, World], None], is_quick: bool | None
) -> None:
    """Nothing is lost or refused for it; and the next record goes the quick way again where that can be."""
    change(ready(world), world)
    store = open_store(world.root / "project" / ".git", fsync=False)
    moved = long_moves(store, monkeypatch)
    assert say(store, "second").entry.number == 2
    assert moved == [LOG]
    assert say(store, "third").entry.number == 3
    if change not in (keep_reflog, link_note):
        assert moved == [LOG]
    assert [entry.record.body for entry in records(store.common_dir)] == ["first", "second", "third"]


def test_a_foreign_move_and_a_foreign_lock_are_met_under_git_s_lock(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A git that moves the log between our look and our swap is built upon; one that has it locked is waited for."""
    store = ready(world)
    message = b"theirs\n\nChat-Kind: message\nChat-Uid: 0000000000000000\n"
    git_tree = (store.empty_tree(), "-p", str(store.room_tip(ROOM)))
    theirs = world.git("commit-tree", *git_tree, cwd=store.common_dir, stdin=message).stdout.strip()
    write, done = append.loose.write, []

    def write_after_theirs(*arguments: Any) -> None:
        if not done:
            done.append(world.git("update-ref", LOG, theirs, cwd=store.common_dir))
        write(*arguments)

    monkeypatch.setattr(append.loose, "write", write_after_theirs)
    assert say(store, "ours").entry.number == 3
    assert [entry.record.body for entry in records(store.common_dir)] == ["first", "theirs", "ours"]
    lock = store.common_dir / f"{LOG}.lock"
    lock.write_bytes(b"")
    monkeypatch.setattr(store, "_wait_seconds", 0.05)
    with pytest.raises(Exception, match="another git process has held"):
        say(store, "held up")
    assert lock.exists()
    lock.unlink()
    assert say(store, "after it").entry.number == 4


def test_a_rule_that_is_added_holds_for_both_ways(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two lists of rules are all there is: what one of them refuses goes neither way, and says the same."""
    store = ready(world)
    refusal = rules.Refusal("no secrets here", hint="leave it out", code="a-secret")

    def no_secret(sending: rules.Sending) -> rules.Refusal | None:
        return refusal if b"secret" in sending.body else None

    for listed in (rules.BEFORE, rules.AT_END):
        listed.append(no_secret)
        try:
            for is_quick in (True, False):
                with monkeypatch.context() as patched:
                    if not is_quick:
                        patched.setattr(store, "append", no_quick_way)
                    with pytest.raises(UserError, match="no secrets here") as raised:
                        say(store, "a secret")
                    assert raised.value.code == "a-secret"
        finally:
            listed.remove(no_secret)
    assert [entry.record.body for entry in records(store.common_dir)] == ["first"]


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_a_lock_that_is_left_by_an_exchange_blocks_nobody(world: World, is_forgotten: bool) -> None:
    """Killed between any two calls of an exchange: what was acknowledged is there, and the next one waits for none.

    Also when a writer came meanwhile that knows no exchange, as version 0.1.0: it leaves the lock and no intent.
    """
    if exchange.find() is None:
        pytest.skip("this system exchanges no files")
    store = ready(world)
    common_dir, acknowledged, forgotten = store.common_dir, ["first"], 0
    for number in range(256):  # else some records take a call more, and a step would be passed over
        (common_dir / "objects" / f"{number:02x}").mkdir(exist_ok=True)
    for number in range(1, 40):

        def work(number: int = number) -> None:
            other = open_store(common_dir, fsync=False)
            other._as_clone()  # what loads code is not counted
            be_killed_at_call(number)
            say(other, f"killed {number}")
            sys.setprofile(None)

        statuses = wait_for([fork(work)])
        if statuses == [0]:
            break
        assert statuses == [-9]
        acknowledged.append(f"then {number}")
        intent = gate.Intent.decode((store.directory / "write.lock").read_bytes())
        lock = LockFile.look(common_dir / f"{LOG}.lock")
        if is_forgotten and intent and lock and lock.content and lock.content.strip() != intent.new.encode():
            os.truncate(store.directory / "write.lock", 0)
            forgotten += 1
        say(open_store(common_dir, fsync=False), f"then {number}")
        assert not (common_dir / f"{LOG}.lock").exists()
    else:
        pytest.fail("no writer came to its end")
    assert number > 12
    assert bool(forgotten) == is_forgotten
    bodies = [entry.record.body for entry in records(common_dir)]
    assert [body for body in bodies if not body.startswith("killed")] == acknowledged
    assert len(set(bodies)) == len(bodies)
    assert gate.Intent.decode((store.directory / "write.lock").read_bytes()) is None


@pytest.mark.parametrize("body", ["short", "x" * 2600, "x" * 3000, "many words of a long one " * 2000])
def test_what_is_stored_is_read_by_git_and_by_libgit2(world: World, body: str) -> None:
    """An object of one block is not made smaller, and a larger one is; both are git's own format."""
    store = ready(world)
    entry = say(store, body).entry
    long = store.backend.read_object(entry.oid, "commit")
    assert body.encode() in long
    path = store.common_dir / "objects" / entry.oid[:2] / entry.oid[2:]
    assert (path.stat().st_size > len(long)) == (len(body) < 3000)
    shown = world.git("cat-file", "commit", entry.oid, cwd=store.common_dir).stdout
    assert shown.encode() == long
    world.git("fsck", "--strict", "--no-dangling", cwd=store.common_dir)


MOST_CALLS = {False: 31, True: 32}
"""Of the system, for one record, not synced and synced: the aim is 30."""


@pytest.mark.parametrize("fsync", [False, True])
def test_a_record_takes_few_calls_of_the_system_and_one_sync(world: World, fsync: bool) -> None:
    """Between two marks in the trace: the record of a process that has written before."""
    need("strace")
    store = ready(world, fsync=fsync)
    for byte in range(256):
        (store.common_dir / "objects" / f"{byte:02x}").mkdir(exist_ok=True)
    trace = world.root / "trace"
    script = (
        "import os, sys; from pathlib import Path; from tests.world import open_store;"
        "from tests.crash.writers import say;"
        f"store = open_store(Path(sys.argv[1]), fsync={fsync}); [say(store, 'x') for _ in range(3)];"
        "os.access('/mark', 0); say(store, 'y'); os.access('/mark', 0)"
    )
    command = ("strace", "-o", trace, sys.executable, "-c", script, store.common_dir)
    world.run(*command, cwd=Path(__file__).parents[2])
    calls = trace.read_text(encoding="utf-8", errors="replace").split('access("/mark"')[1].splitlines()[1:]
    names = [match[1] for line in calls if (match := re.match(r"(\w+)\(", line))]
    own = [name for name in names if name not in ("getrandom", "brk", "mmap", "munmap")]
    assert names.count("fdatasync") + names.count("fsync") == int(fsync)
    assert 10 < len(own) <= MOST_CALLS[fsync], own
    assert names.count("flock") == 2
