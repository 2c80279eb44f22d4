"""A room over a real repository: numbers, order, cost, repeats. Proves docs/format.md sections 5 to 7."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitchat.model import codec
from gitchat.model.attachment import File
from gitchat.model.errors import ChatError, ConflictError, FormatError, UserError
from gitchat.model.names import Handle, Name, Number, Oid, RoomName, Uid, uid_from_random
from gitchat.model.query import Query
from gitchat.model.record import Draft, Identity, Moment
from gitchat.model.refs import log_ref
from gitchat.model.signature import Signature
from gitchat.rooms.writing import Sent, Writer
from gitchat.storage.backend import Backend, ObjectKind
from gitchat.storage.checkpoint import Position
from gitchat.storage.store import Store
from tests.world import World, open_log, open_store, open_writer

ROOM = RoomName("lobby")
ALICE = Identity(Name("alice"), "alice@example.com", "Alice", "alice@example.com", "human")
BOB = Identity(Name("bob"), "bob@example.com", "Bob", "bob@example.com", "agent")
START = 1_800_000_000


class CountingBackend:
    """A backend that counts what is read through it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.reads = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._backend, name)

    def read_object(self, oid: Oid, kind: ObjectKind | None = None) -> bytes:
        """Count, and read."""
        self.reads += 1
        return self._backend.read_object(oid, kind)


class Bench:
    """One room, a clock that is set by hand, and shorthands."""

    def __init__(self, common_dir: Path) -> None:
        self.common_dir = common_dir
        self.now = START
        self.store = open_store(common_dir, fsync=False)
        self.counting = CountingBackend(self.store.backend)
        self.store.backend = self.counting  # type: ignore[assignment]
        self.room = open_log(self.store, ROOM)
        self.writer = self.open(ROOM)

    def open(self, name: RoomName) -> Writer:
        """What adds to a room, with this bench's clock."""
        return open_writer(self.store, name, clock=lambda: Moment(self.now))

    def send(self, body: str, sender: Identity = ALICE, **fields: object) -> Sent:
        """Send one message."""
        key = fields.pop("key", None)
        return self.writer.send(Draft(body=body, **fields), sender, key=key)  # type: ignore[arg-type]

    def bodies(self) -> list[str]:
        """All texts, oldest first."""
        return [entry.record.body for entry in self.room.entries()][::-1]

    def commit(self, *parents: Oid, body: str = "x", kind: str = "message", uid: str | None = None,
               seconds: int = START, extra: codec.Block = ()) -> Oid:  # fmt: skip
        """A commit that no gitchat wrote, not yet on any ref."""
        signature = Signature("alice", "a@example.com", Moment(seconds))
        trailers = (("Chat-Kind", kind), *((("Chat-Uid", uid),) if uid else ()), *extra)
        raw = codec.encode_commit(
            tree=self.store.empty_tree(),
            parents=parents,
            author=signature,
            committer=signature,
            body=body,
            block=trailers,
        )
        return self.store.backend.write_object("commit", raw)

    def set_tip(self, oid: Oid) -> None:
        """Move the log as a foreign tool would, without any of our files."""
        ref = log_ref(ROOM)
        self.store.backend.swap_ref(ref, self.store.tip(ref), oid, "foreign")

    def lose(self, oid: Oid) -> None:
        """Take a commit away for good: from git and from the journal."""
        (self.common_dir / "objects" / oid[:2] / oid[2:]).unlink()
        (self.common_dir / "chatroom" / "journal").unlink()

    def grow(self, count: int) -> None:
        """Add ``count`` records in one move, so that long logs are quick to make."""
        tip = self.store.room_tip(ROOM) or self.store.backend.write_object(
            "commit", codec.encode_genesis(ROOM, self.store.empty_tree())
        )
        for turn in range(count):
            tip = self.commit(tip, body=f"record {turn}", uid=uid_from_random(os.urandom(10)))
        self.set_tip(tip)


@pytest.fixture
def bench(world: World) -> Bench:
    """A fresh repository's lobby."""
    return Bench(world.repository() / ".git")


def test_numbers_count_from_one(bench: Bench) -> None:
    """The first record is #1, and an acknowledged record is the one that is read."""
    first, second = bench.send("a"), bench.send("b", BOB, to=("alice",), urgent=True)
    assert (first.entry.label, second.entry.label) == ("#1", "#2")
    assert list(bench.room.entries()) == [second.entry, first.entry]


def test_worktrees_share_the_room(bench: Bench, world: World) -> None:
    """A linked worktree sees and continues the same numbers, through the same files."""
    bench.send("from the main worktree")
    tree = world.root / "tree"
    world.git("worktree", "add", "-q", tree, cwd=bench.common_dir.parent)
    environment = world.environment(tree)
    assert environment.writer(ROOM).send(Draft(body="from the other"), BOB).entry.number == 2
    assert environment.store.directory == bench.store.directory
    assert bench.bodies() == ["from the main worktree", "from the other"]


# --- cost ------------------------------------------------------------------------


def reads_of(bench: Bench, act: str) -> int:
    """How many objects an append or a short listing reads."""
    bench.send("warm")
    before = bench.counting.reads
    if act == "append":
        bench.send("counted")
    else:
        assert len(bench.room.listing(Query(), 20).entries) == min(20, bench.room.count())
    return bench.counting.reads - before


@pytest.mark.parametrize("records", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("act", ["append", "log -n 20"])
def test_cost_does_not_grow_with_the_log(bench: Bench, act: str, records: int) -> None:
    """An append and the newest 20 records read as many objects in a long log as at 30 records."""
    bench.grow(30)
    short = reads_of(bench, act)
    bench.grow(records)
    assert reads_of(bench, act) == short
    assert short <= (1 if act == "append" else 20)


def test_attachments_are_looked_up_for_what_is_shown_alone(bench: Bench) -> None:
    """Two trees for a record that carries files; nothing for one that does not, or that is walked past."""
    carrying = bench.writer.send(Draft(body="x", files=(File("a", b"a"), File("b", b"b"))), ALICE).entry
    assert [one.name for one in carrying.attachments] == ["a", "b"]
    for turn in range(19):
        bench.send(str(turn))
    for act, reads in (
        (lambda: bench.room.listing(Query(), 19), 19),
        (lambda: bench.room.listing(Query(), 20), 20 + 2),
        (lambda: bench.room.find(Number(1)), 20 + 2),
        (lambda: list(bench.room.entries()), 20 + 1),
    ):
        before = bench.counting.reads
        act()
        assert bench.counting.reads - before == reads


def test_a_lost_checkpoint_costs_one_walk_and_no_number(bench: Bench) -> None:
    """Deleting our files loses nothing; the next append counts again and then knows."""
    bench.grow(50)
    path = bench.store.directory / "checkpoints" / ROOM
    bench.send("51st")
    path.unlink()
    assert bench.send("52nd").entry.number == 52
    before = bench.counting.reads
    assert bench.send("53rd").entry.number == 53
    assert bench.counting.reads - before <= 1


def test_a_reader_counts_a_long_log_once(bench: Bench) -> None:
    """In a clone that never wrote, the first listing walks the log, and the second reads what it shows."""
    bench.grow(1_200)
    (bench.common_dir / "chatroom" / "checkpoints" / ROOM).unlink(missing_ok=True)
    for reads in (1_201 + 20, 20):
        before = bench.counting.reads
        assert len(bench.room.listing(Query(), 20).entries) == 20
        assert bench.counting.reads - before == reads


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", b"gitchat checkpoint 1\n", b"\0" * 200, b"gitchat checkpoint 99\n00000000\n", "wrong count"],
)
def test_a_damaged_checkpoint_never_gives_a_wrong_number(bench: Bench, content: bytes | str) -> None:
    """Whatever stands in the file, the number is the record's place in the log."""
    for turn in range(3):
        bench.send(str(turn))
    path = bench.store.directory / "checkpoints" / ROOM
    path.write_bytes(path.read_bytes().replace(b" 3 1 ", b" 7 1 ") if content == "wrong count" else content)  # type: ignore[arg-type]
    assert bench.send("next").entry.number == 4
    assert [entry.number for entry in bench.room.entries()] == [4, 3, 2, 1]


def test_a_kill_between_swap_and_return_leaves_a_checkpoint_that_knows(bench: Bench) -> None:
    """The position is noted before the ref moves, so that no append has to count after a kill."""
    bench.grow(100)
    known: list[list[Position]] = []
    real = bench.counting._backend.swap_ref

    def swap(*arguments: object, **named: object) -> None:
        known.append(bench.store.positions(ROOM))
        real(*arguments, **named)  # type: ignore[arg-type]

    bench.counting.swap_ref = swap  # type: ignore[attr-defined]
    sent = bench.send("x")
    assert known[0][-1] == Position(sent.entry.oid, 101, True)


# --- order -----------------------------------------------------------------------


def test_a_merge_numbers_its_first_parent_first(bench: Bench) -> None:
    """Records of the first parent keep their numbers; the others follow where the merge stands."""
    base = bench.send("base").entry.oid
    theirs = bench.commit(bench.commit(base, body="r1", uid="1" * 16), body="r2", uid="2" * 16)
    ours = bench.commit(base, body="l1", uid="3" * 16)
    other = bench.commit(base, body="o1", uid="4" * 16)
    bench.set_tip(bench.commit(theirs, ours, other, body="sync", kind="merge"))
    assert bench.bodies() == ["base", "r1", "r2", "l1", "o1"]
    assert bench.send("after").entry.number == 6
    assert bench.room.find(Number(4)).record.body == "l1"


def test_a_repeated_record_counts_once(bench: Bench) -> None:
    """A second commit with the same uid and author takes no number, wherever it stands."""
    uid = "a" * 16
    first = bench.commit(bench.commit(body="root", kind="genesis"), body="once", uid=uid)
    bench.set_tip(bench.commit(bench.commit(first, body="between", uid="b" * 16), body="once", uid=uid))
    assert bench.bodies() == ["once", "between"]
    assert bench.send("next").entry.number == 3
    assert bench.send("and next").entry.number == 4


def test_foreign_commits_without_a_block_take_no_number(bench: Bench) -> None:
    """A commit that is no record is passed over, by readers and by writers."""
    bench.send("one")
    tip, who = bench.store.room_tip(ROOM), f"x <x@example.com> {START} +0000"
    raw = f"tree {bench.store.empty_tree()}\nparent {tip}\nauthor {who}\ncommitter {who}\n\ncode commit\n"
    bench.set_tip(bench.store.backend.write_object("commit", raw.encode()))
    assert bench.send("two").entry.number == 2


def test_a_clock_set_back_never_dates_a_commit_before_its_parent(bench: Bench) -> None:
    """Committer dates never decrease; the author date keeps what the sender's clock said."""
    bench.send("now")
    bench.now = START - 86_400
    entry = bench.send("a day earlier").entry
    assert (entry.committed_seconds, entry.record.written.seconds) == (START, START - 86_400)
    bench.now = START + 10
    assert bench.send("later").entry.committed_seconds == START + 10


def test_since_finds_records_whose_writer_had_a_slow_clock(bench: Bench) -> None:
    """A listing by time looks at each record's own date, and stops early without missing one."""
    for seconds in (START, START + 100, START + 50, START + 200):
        bench.now = seconds
        bench.send(str(seconds - START))
    listing = bench.room.listing(Query(since_seconds=START + 60))
    assert [entry.record.body for entry in listing.entries] == ["100", "200"]


# --- repeats ---------------------------------------------------------------------


def test_the_same_key_is_the_same_record(bench: Bench) -> None:
    """Sending again with the same key returns the stored record and adds nothing."""
    first = bench.send("build 7 failed", key="build-7")
    bench.send("something else")
    again = bench.send("build 7 failed", key="build-7")
    assert (again.entry, first.is_repeat, again.is_repeat) == (first.entry, False, True)
    assert bench.room.count() == 2


@pytest.mark.parametrize("change", [{"body": "other"}, {"to": ("bob",)}])
def test_the_same_key_with_another_content_is_a_conflict(bench: Bench, change: dict[str, object]) -> None:
    """A key that was used for something else is refused, with exit status 3."""
    bench.send("one", key="k")
    fields = {"body": "one"} | change
    with pytest.raises(ConflictError, match="#1") as caught:
        bench.send(fields.pop("body"), key="k", **fields)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.status) == ("key-conflict", 3)
    assert bench.room.count() == 1


def test_a_key_belongs_to_its_author(bench: Bench) -> None:
    """Two participants may use the same key for different messages."""
    bench.send("mine", key="k")
    assert bench.send("not mine", BOB, key="k").entry.number == 2


# --- finding ---------------------------------------------------------------------


def test_a_handle_finds_its_record_and_ambiguity_is_an_error(bench: Bench) -> None:
    """Six characters are enough until two records share them."""
    root = bench.commit(body="root", kind="genesis")
    first = bench.commit(root, body="one", uid="abcdef" + "0" * 10)
    bench.set_tip(bench.commit(first, body="two", uid="abcdef" + "1" * 10))
    assert bench.room.find(Handle("~abcdef1")).record.body == "two"
    with pytest.raises(UserError, match="names 2 records") as caught:
        bench.room.find(Handle("~abcdef"))
    assert "~abcdef0000000000" in caught.value.hint


@pytest.mark.parametrize("locator", [Number(0), Number(9), Handle("~zzzzzz")])
def test_an_unknown_record_is_an_error_with_the_newest_number(bench: Bench, locator: Number | Handle) -> None:
    """Who asks for a record that is not there learns which ones are."""
    bench.send("only one")
    with pytest.raises(UserError, match="no record") as caught:
        bench.room.find(locator)
    assert "#1" in caught.value.hint


def test_replies_are_labelled_when_they_are_out_of_the_listing(bench: Bench) -> None:
    """A listing knows the number of what it replies to, a little further back too."""
    target = bench.send("question").entry
    for turn in range(30):
        bench.send(str(turn))
    reply = bench.send("answer", reply_to=target.record.uid).entry
    listing = bench.room.listing(Query(), 1)
    assert (listing.entries, listing.labels) == ([reply], {target.record.uid: "#1"})
    assert bench.room.labels([reply]) == {target.record.uid: "#1"}
    lost = bench.send("answer", reply_to=Uid("0" * 16)).entry
    assert bench.room.labels([lost]) == {}


# --- damage and formats ----------------------------------------------------------


def test_a_damaged_record_hides_nothing_that_is_newer(bench: Bench) -> None:
    """Reading ends at the damage and tells of it; writing goes on with the right number."""
    oids = [bench.send(str(turn)).entry.oid for turn in range(5)]
    bench.lose(oids[1])
    fresh = Bench(bench.common_dir)
    listing = fresh.room.listing(Query())
    assert [entry.number for entry in listing.entries] == [3, 4, 5]
    assert listing.damage is not None
    assert oids[1] in str(listing.damage)
    assert fresh.send("still works").entry.number == 6


def test_a_missing_tip_refuses_writes(bench: Bench) -> None:
    """Nothing is built upon a commit that is not there."""
    oid = bench.send("only").entry.oid
    bench.lose(oid)
    with pytest.raises(FormatError) as caught:
        Bench(bench.common_dir).send("next")
    assert (caught.value.code, caught.value.status) == ("missing-object", 4)


@pytest.mark.parametrize("newer", ["genesis", "meta"])
def test_a_newer_format_is_read_and_not_written(bench: Bench, newer: str) -> None:
    """A room of a later version can be read here; a write is refused with the upgrade as the hint."""
    root = bench.commit(body="root", kind="genesis", extra=(("Chat-Format", "3" if newer == "genesis" else "1"),))
    tip = bench.commit(root, body="from the future", uid="f" * 16)
    if newer == "meta":
        tip = bench.commit(tip, body="upgrade", kind="meta", uid="e" * 16, extra=(("Chat-Format-Min", "3"),))
    bench.set_tip(tip)
    assert "from the future" in bench.bodies()
    with pytest.raises(FormatError) as caught:
        bench.send("refused")
    assert caught.value.code == "newer-format"
    assert bench.store.room_tip(ROOM) == tip


def test_a_newer_format_is_not_written_with_an_authority_either(bench: Bench) -> None:
    """What a remote of a later version numbers is read, and gets no message of ours."""
    root = bench.commit(body="root", kind="genesis", extra=(("Chat-Format", "3"),))
    bench.set_tip(bench.commit(root, body="from the future", uid="f" * 16))
    followed = open_writer(bench.store, tracking=log_ref(ROOM))
    with pytest.raises(FormatError) as caught:
        followed.send(Draft(body="refused"), ALICE)
    assert caught.value.code == "newer-format"


def test_unlisted_kinds_take_numbers_and_are_not_listed(bench: Bench) -> None:
    """Gaps in what a reader sees are normal."""
    bench.send("one")
    bench.send("title: plans", kind="meta")
    bench.send("three")
    assert [entry.number for entry in bench.room.listing(Query()).entries] == [1, 3]


# --- limits ----------------------------------------------------------------------


def test_a_body_over_the_limit_is_refused_before_anything_is_written(bench: Bench) -> None:
    """The error gives both sizes, and the hint the setting."""
    with pytest.raises(UserError, match="65,537 bytes; the limit is 65,536") as caught:
        bench.send("x" * 65_537)
    assert "chat.maxBody 65k" in caught.value.hint
    assert bench.store.room_tip(ROOM) is None
    assert bench.send("x" * 65_536).entry.number == 1


@pytest.mark.parametrize("body", ["", "  \n", "a\0b"])
def test_a_body_that_cannot_be_stored_cannot_be_drafted(body: str) -> None:
    """Blank texts and NULs are refused where they come in."""
    with pytest.raises(ChatError):
        Draft(body=body)


def test_rooms_are_apart(bench: Bench) -> None:
    """Each room has its own numbers."""
    bench.send("in the lobby")
    other = bench.open(RoomName("other"))
    assert other.send(Draft(body="elsewhere"), BOB).entry.number == 1
    assert bench.store.rooms() == ["lobby", "other"]


def test_two_stores_in_one_process_do_not_share_fsync(world: World) -> None:
    """Durability is a matter of each store, not of the process."""
    common_dir = world.repository() / ".git"
    synced, quick = open_store(common_dir), open_store(common_dir, fsync=False)
    assert isinstance(synced, Store)
    for store in (synced, quick, synced):
        writer = open_writer(store, ROOM, clock=lambda: Moment(START))
        writer.send(Draft(body="x"), ALICE)
    assert len(list(open_log(quick, ROOM).entries())) == 3
