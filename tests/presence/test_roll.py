"""Names, memberships and their files, in one process. Proves docs/format.md section 7."""

from __future__ import annotations

import json
import os
import socket
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.errors import StorageError, UserError
from gitchat.model.livecodec import MAX_FILE_BYTES, decode, encode
from gitchat.model.names import Name, RoomName
from gitchat.model.participant import MAX_LABEL_CHARS, Holder, Presence, new_membership
from gitchat.model.session import Session
from gitchat.presence import livefile
from gitchat.presence.roll import Roll
from gitchat.storage import gate

LOBBY = RoomName("lobby")
CODEX = Name("codex")
NOW = 1_000
HERE = Holder(pid=4242, host="box", worktree="/home/al/parser", branch="fix", client="codex", session="s-1")


@pytest.fixture
def roll(tmp_path: Path) -> Roll:
    """An empty roll in ``chatroom``, which does not exist; it refuses a taken name at once."""
    return Roll(tmp_path / "chatroom", wait_seconds=0)


def file_of(tmp_path: Path, name: Name = CODEX) -> Path:
    """Where the file of a name is; the directory is made."""
    path = tmp_path / "chatroom" / "live" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def checked(content: object) -> bytes:
    """A file with this content and the right check, whoever wrote it."""
    line = json.dumps(content).encode() + b"\n"
    return line + b"%08x\n" % zlib.crc32(line)


def name_of(roll: Roll, session: str) -> Name | None:
    """The name that a session took last."""
    last = roll.taken_last(lambda presence: presence.holder is not None and presence.holder.session == session, NOW)
    return last.name if last else None


def content(**changes: Any) -> dict[str, Any]:
    """What the file of a registered name holds, but for ``changes`` in its membership of the lobby."""
    membership = {
        "role": "",
        "capabilities": [],
        "joined_at": 1,
        "last_seen": 2,
        "is_registered": True,
        "left_at": None,
    }
    return {"name": "codex", "holder": None, "held_at": 1, "rooms": {"lobby": membership | changes}}


# --- joining and leaving -----------------------------------------------------


def test_nobody_is_here_where_nothing_was_written(roll: Roll, tmp_path: Path) -> None:
    """Reading an empty roll makes neither directory nor file."""
    assert (roll.participants(LOBBY), roll.known(LOBBY), roll.find(CODEX)) == ([], [], None)
    assert name_of(roll, "s-1") is None
    roll.touch(CODEX, LOBBY, 1)
    assert roll.leave(CODEX, LOBBY, 1) is False
    assert not (tmp_path / "chatroom").exists()


def test_participants_are_the_living_and_the_registered_of_the_room(roll: Roll) -> None:
    """Sorted by name; who only holds a name, or joined another room, is not among them."""
    roll.register(Name("zoe"), LOBBY, role="review", capabilities=["python", "go"], holder=HERE, now=10)
    with (
        roll.hold(CODEX, HERE, 20) as codex,
        roll.hold(Name("idle"), HERE, 20),
        roll.hold(Name("far"), HERE, 20) as far,
    ):
        codex.join(LOBBY, role="", now=21)
        far.join(RoomName("attic"), role="general", now=22)
        first, last = roll.participants(LOBBY)
    assert (first.name, first.role, first.is_living, first.is_registered, first.joined_at) == (
        "codex",
        "",
        True,
        False,
        21,
    )
    assert (last.name, last.role, last.is_living, last.is_registered, last.joined_at) == (
        "zoe",
        "review",
        False,
        True,
        10,
    )
    assert (last.capabilities, last.holder) == (("python", "go"), HERE)


def test_joining_again_keeps_when_it_joined(roll: Roll) -> None:
    """The role and when it was seen are new; a clock set back does not unsee anybody."""
    with roll.hold(CODEX, HERE, 10) as held:
        held.join(LOBBY, role="general", now=10)
        again = held.join(LOBBY, role="review", now=20)
        assert (again.role, again.joined_at, again.last_seen) == ("review", 10, 20)
        assert held.join(LOBBY, role="", now=15).last_seen == 20
    roll.register(CODEX, LOBBY, role="a", holder=HERE, now=30)
    registered = roll.register(CODEX, LOBBY, role="b", holder=HERE, now=40)
    assert (registered.role, registered.joined_at, registered.last_seen) == ("b", 30, 40)


def test_held_name_is_refused_with_its_holder(roll: Roll) -> None:
    """Also in the same process; the hint says whose it is."""
    with roll.hold(CODEX, HERE, 10):
        for refused in (
            lambda: roll.hold(CODEX, HERE, 11),
            lambda: roll.register(CODEX, LOBBY, role="", holder=HERE, now=11),
        ):
            with pytest.raises(UserError) as caught:
                refused()
            assert str(caught.value) == (
                "participant 'codex' is already active; choose a different name or remove the stale participant"
            )
            assert caught.value.hint == (
                "take another name, such as 'codex-2'; "
                "this one is held by process 4242 on host box, in /home/al/parser on branch fix"
            )
            assert caught.value.code == "name-taken"
    roll.hold(CODEX, HERE, 12).release()


def test_of_many_threads_one_holds_the_name(roll: Roll) -> None:
    """A lock belongs to an open file and not to the process."""
    line, held = threading.Barrier(8), []

    def hold() -> None:
        line.wait()
        with suppress(UserError):
            held.append(roll.hold(CODEX, HERE, 10))

    threads = [threading.Thread(target=hold) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == 1
    held[0].release()


def test_who_waits_gets_the_name_when_it_is_released(tmp_path: Path) -> None:
    """A successor may come while its predecessor still ends."""
    patient = Roll(tmp_path / "chatroom", wait_seconds=60)
    first = patient.hold(CODEX, HERE, 10)
    threading.Timer(0.02, first.release).start()
    patient.hold(CODEX, HERE, 11).release()


def test_released_name_is_nobodys(roll: Roll) -> None:
    """What was joined while it was held ends with it, and is still known; the object is of no use any more."""
    held = roll.hold(CODEX, HERE, 10)
    held.join(LOBBY, role="general", now=11)
    held.release()
    held.release()
    assert roll.participants(LOBBY) == []
    (known,) = roll.known(LOBBY)
    assert (known.name, known.is_living, known.last_seen, known.left_at) == ("codex", False, 11, None)
    held.touch(LOBBY, 12)
    with pytest.raises(ValueError, match="released"):
        held.join(LOBBY, role="", now=12)


def test_next_holder_is_in_no_room_of_the_last(roll: Roll) -> None:
    """It joins anew; what was registered stays."""
    roll.register(CODEX, RoomName("attic"), role="keeper", holder=HERE, now=5)
    with roll.hold(CODEX, HERE, 10) as held:
        held.join(LOBBY, role="general", now=11)
    with roll.hold(CODEX, HERE, 20) as held:
        assert roll.participants(LOBBY) == []
        assert [(known.is_living, known.left_at) for known in roll.known(LOBBY)] == [(False, 11)]
        assert [here.role for here in roll.participants(RoomName("attic"))] == ["keeper"]
        assert held.join(LOBBY, role="general", now=21).joined_at == 21


def test_registration_outlives_a_holder_that_joins_the_room(roll: Roll) -> None:
    """It ends when the name leaves, and not with a process."""
    roll.register(CODEX, LOBBY, role="general", holder=HERE, now=5)
    with roll.hold(CODEX, HERE, 10) as held:
        joined = held.join(LOBBY, role="review", now=11)
        assert (joined.is_living, joined.is_registered, joined.joined_at) == (True, True, 5)
    assert [(here.is_living, here.role) for here in roll.participants(LOBBY)] == [(False, "review")]


def test_leaving_removes_once(roll: Roll) -> None:
    """A registered name, and what a dead holder left; a second time, or a name that never joined: nothing."""
    roll.register(CODEX, LOBBY, role="general", holder=HERE, now=5)
    assert (roll.leave(CODEX, LOBBY, 6), roll.leave(CODEX, LOBBY, 7)) == (True, False)
    with roll.hold(CODEX, HERE, 10) as held:
        held.join(LOBBY, role="general", now=10)
    assert (roll.leave(CODEX, LOBBY, 11), roll.leave(CODEX, LOBBY, 12)) == (True, False)
    assert roll.leave(CODEX, RoomName("attic"), 13) is False
    assert [(known.is_present, known.left_at) for known in roll.known(LOBBY)] == [(False, 11)]


def test_only_the_holder_leaves_while_it_lives(roll: Roll) -> None:
    """It keeps its name, and its other rooms."""
    with roll.hold(CODEX, HERE, 10) as held:
        held.join(LOBBY, role="general", now=11)
        held.join(RoomName("attic"), role="general", now=11)
        with pytest.raises(UserError) as caught:
            roll.leave(CODEX, LOBBY, 12)
        assert caught.value.code == "name-taken"
        assert (held.leave(LOBBY, 13), held.leave(LOBBY, 14)) == (True, False)
        assert roll.participants(LOBBY) == []
        assert len(roll.participants(RoomName("attic"))) == 1


def test_touching_moves_forward_only(roll: Roll) -> None:
    """By the holder or by somebody else; a name that is no member is not made one."""
    with roll.hold(CODEX, HERE, 10) as held:
        held.touch(LOBBY, 10)
        assert roll.known(LOBBY) == []
        held.join(LOBBY, role="general", now=11)
        for touch, seen in ((lambda: held.touch(LOBBY, 20), 20), (lambda: roll.touch(CODEX, LOBBY, 30), 30),
                            (lambda: roll.touch(CODEX, LOBBY, 25), 30)):  # fmt: skip
            touch()
            assert [here.last_seen for here in roll.participants(LOBBY)] == [seen]


def test_touching_waits_for_nobody(roll: Roll, tmp_path: Path) -> None:
    """While somebody else changes a file it is passed over."""
    roll.register(CODEX, LOBBY, role="", holder=HERE, now=10)
    with gate.hold(tmp_path / "chatroom", name="live.lock"):
        roll.touch(CODEX, LOBBY, 20)
    assert [here.last_seen for here in roll.participants(LOBBY)] == [10]


def test_session_has_the_name_it_took_last(roll: Roll) -> None:
    """Joined or only noted, living or not; of two in one second the living one. Until another session takes it."""
    other = Holder(pid=1, host="box", worktree="/work", session="s-2")
    assert name_of(roll, "s-1") is None
    roll.assign(Name("codex-2"), HERE, 5)
    assert name_of(roll, "s-1") == "codex-2"
    with roll.hold(CODEX, HERE, 10):
        roll.assign(Name("at-once"), HERE, 10)
        assert name_of(roll, "s-1") == "codex"
        roll.register(Name("later"), LOBBY, role="", holder=HERE, now=11)
        assert name_of(roll, "s-1") == "later"
    roll.register(Name("later"), LOBBY, role="", holder=other, now=12)
    assert (name_of(roll, "s-1"), name_of(roll, "s-2")) in [("codex", "later"), ("at-once", "later")]
    assert [known.name for known in roll.known(LOBBY)] == ["later"]


def test_assigning_a_held_name_changes_nothing(roll: Roll) -> None:
    """Who holds it is who goes by it."""
    with roll.hold(CODEX, HERE, 10):
        other = Holder(pid=1, host="box", worktree="/work", session="s-2")
        assert not roll.assign(CODEX, other, 11)
        assert name_of(roll, "s-2") is None


def test_a_name_is_noted_only_where_it_is_free_in_our_turn(roll: Roll) -> None:
    """Of two sessions that find it free at once the first one gets it."""
    other = Holder(pid=1, host="box", worktree="/work", session="s-2")
    assert roll.assign(CODEX, HERE, 5, lambda presence: presence.holder is None)
    assert not roll.assign(CODEX, other, 5, lambda presence: presence.holder is None)
    assert name_of(roll, "s-1") == CODEX


def test_keys_of_a_session_are_kept_whole(roll: Roll) -> None:
    """And a file without them, as version 0.1.0 writes it, has the session's id."""
    keys = Session(process="process 1 of 2", shares_process=True, socket="/tmp/1.sock", id="s-9")
    roll.assign(CODEX, replace(HERE, keys=keys), 5)
    known = roll.find(CODEX)
    assert known is not None
    assert known.holder is not None
    assert (known.holder.keys, known.holder.of_session) == (keys, keys)
    old = json.loads(encode(known).splitlines()[0])
    del old["holder"]["keys"]
    before = decode(checked(old), CODEX)
    assert before is not None
    assert before.holder is not None
    assert before.holder.of_session == Session(id="s-1")


@pytest.mark.parametrize("role", ["two\nlines", "\x1b[2J", "\u202eevil", "x" * 65, "\udcff"])
def test_role_that_is_no_short_line_is_refused(roll: Roll, role: str) -> None:
    """It would be printed by others; nothing is written."""
    with pytest.raises(UserError) as caught:
        roll.register(CODEX, LOBBY, role=role, holder=HERE, now=1)
    assert caught.value.code == "bad-role"
    with pytest.raises(UserError) as caught:
        roll.register(CODEX, LOBBY, role="", capabilities=[role], holder=HERE, now=1)
    assert caught.value.code == "bad-capability"
    with pytest.raises(UserError, match="too many"):
        roll.register(CODEX, LOBBY, role="", capabilities=["x"] * 17, holder=HERE, now=1)
    assert roll.find(CODEX) is None


# --- the file ----------------------------------------------------------------


def test_file_comes_back_as_it_was_written(roll: Roll, tmp_path: Path) -> None:
    """All of it, but for who lives; a directory's odd characters are replaced."""
    roll.register(CODEX, LOBBY, role="Prüfer", capabilities=["日本語"], holder=HERE, now=5)
    found = roll.find(CODEX)
    assert found is not None
    assert decode(file_of(tmp_path).read_bytes(), CODEX) == found
    odd = Holder(pid=1, host="box", worktree="/a\n\x1b[2J\udcff", branch=None)
    again = decode(encode(Presence(CODEX, True, odd, 7)), CODEX)
    assert again == Presence(CODEX, False, Holder(pid=1, host="box", worktree="/a??[2J?"), 7)


def test_what_a_name_is_called_outside_comes_back(roll: Roll, tmp_path: Path) -> None:
    """Both stand in the file where they say something, and nowhere else: others read it as before."""
    with roll.hold(CODEX, HERE.called("Codex the Second", "codex-01TYEi4M"), 5) as held:
        held.join(LOBBY, role="builder", now=5)
        (found,) = roll.participants(LOBBY)
        assert found.holder is not None
        assert (found.holder.label, found.holder.given) == ("Codex the Second", "codex-01TYEi4M")
        held.call(label="Codex")
        (found,) = roll.participants(LOBBY)
        assert found.holder is not None
        assert (found.holder.label, found.holder.given) == ("Codex", "codex-01TYEi4M")
    roll.register(CODEX, LOBBY, role="", holder=HERE, now=6)
    assert b"label" not in file_of(tmp_path).read_bytes()
    assert b"given" not in file_of(tmp_path).read_bytes()


def test_what_somebody_else_wrote_as_a_label_is_one_short_line(roll: Roll, tmp_path: Path) -> None:
    """Whoever wrote the file: nothing of it reaches a terminal or a page as more than that."""
    holder = {"pid": 1, "host": "box", "worktree": "/", "branch": None, "client": "http", "session": None}
    told = content() | {"holder": holder | {"label": "a\n" + "b" * 500, "given": "\x1b[2J"}}
    file_of(tmp_path).write_bytes(checked(told))
    found = roll.find(CODEX)
    assert found is not None
    assert found.holder is not None
    assert (found.holder.label, found.holder.given) == ("a?" + "b" * (MAX_LABEL_CHARS - 2), "?[2J")


@pytest.mark.parametrize("text", ["two\nlines", "x" * 129, "\u202egnp.exe"])
def test_label_that_is_no_short_line_is_refused(roll: Roll, text: str) -> None:
    """Before anything is held."""
    with pytest.raises(UserError) as refused:
        roll.hold(CODEX, HERE.called(text, None), 5)
    assert refused.value.code == "bad-label"
    assert roll.find(CODEX) is None


def test_file_stays_small(tmp_path: Path) -> None:
    """Of too many rooms those are forgotten where the name was seen longest ago."""
    words = ["é" * 64] * 16
    rooms = {RoomName(f"r{at}"): new_membership("", words, at, is_registered=True) for at in range(1000)}
    data = encode(Presence(CODEX, rooms=rooms))
    assert len(data) <= MAX_FILE_BYTES
    found = decode(data, CODEX)
    assert found is not None
    assert "r999" in found.rooms
    assert set(found.rooms) == {f"r{at}" for at in range(1000 - len(found.rooms), 1000)}


DAMAGED = {
    "torn": checked(content())[:40],
    "noise": bytes(range(256)),
    "wrong check": checked(content())[:-9] + b"00000000\n",
    "no object": checked([1]),
    "another name": checked(content() | {"name": "alice"}),
    "no name": checked({"rooms": {}}),
    "rooms that are none": checked(content() | {"rooms": ["lobby"]}),
    "times that are none": checked(content(joined_at="yesterday")),
    "a time before 1970": checked(content(last_seen=-1)),
    "a time that is true": checked(content(last_seen=True)),
    "a role that is none": checked(content(role={"a": 1})),
    "a holder that is none": checked(content() | {"holder": "me"}),
    "a deep nest": b"[" * 100_000 + b"%08x\n" % zlib.crc32(b"[" * 100_000),
    "a long number": (line := b'{"name":' + b"9" * 9999 + b"}\n") + b"%08x\n" % zlib.crc32(line),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_file_blocks_nobody(roll: Roll, tmp_path: Path, data: bytes) -> None:
    """It counts as empty for readers, and the next one to join writes it anew."""
    file_of(tmp_path).write_bytes(data)
    roll.register(Name("zoe"), LOBBY, role="", holder=HERE, now=1)
    assert [known.name for known in roll.known(LOBBY)] == ["zoe"]
    assert roll.find(CODEX) == Presence(CODEX)
    with roll.hold(CODEX, HERE, 10) as held:
        held.join(LOBBY, role="general", now=10)
        assert [here.name for here in roll.participants(LOBBY)] == ["codex", "zoe"]


def test_file_of_a_gigabyte_is_not_read(roll: Roll, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads more than a bounded part of it, and the next one to join makes it small."""
    with file_of(tmp_path).open("wb") as file:
        file.truncate(1024**3)
    asked: list[int] = []
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda file, size, place: (asked.append(size), pread(file, size, place))[1])
    assert roll.known(LOBBY) == []
    assert asked
    assert max(asked) <= MAX_FILE_BYTES
    roll.register(CODEX, LOBBY, role="", holder=HERE, now=1)
    assert file_of(tmp_path).stat().st_size < 1000


def test_strange_values_are_made_harmless(roll: Roll, tmp_path: Path) -> None:
    """What was not checked when it was written is short and printable when it was read; odd rooms are left out."""
    strange = content(role="\x1b]0;x\x07" + "y" * 99, capabilities=["a\nb"] * 99, joined_at=10**30)
    strange["rooms"]["../../evil"] = strange["rooms"]["lobby"]
    strange["holder"] = {"pid": 1, "host": "\x1b[2J", "worktree": "/\n", "branch": None, "client": None, "session": "s"}
    file_of(tmp_path).write_bytes(checked(strange))
    (found,) = roll.participants(LOBBY)
    assert found.role == "?]0;x?" + "y" * 58
    assert found.capabilities == ("a?b",) * 16
    assert found.joined_at == 253_402_300_799
    assert str(found.holder) == "process 1 on host ?[2J, in /? on no branch"
    presence = roll.find(CODEX)
    assert presence is not None
    assert list(presence.rooms) == ["lobby"]


def link_to_a_file(path: Path) -> None:
    target = path.parents[2] / "precious"
    target.write_text("precious")
    path.symlink_to(target)


def listening_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(path.parent)  # a socket's path must be short
        server.bind(path.name)


@pytest.mark.parametrize(
    "put", [link_to_a_file, lambda path: path.symlink_to("/dev/zero"), os.mkfifo, listening_socket],
    ids=["link", "device", "pipe", "socket"],
)  # fmt: skip
def test_what_is_no_file_blocks_nobody(
    roll: Roll, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: Callable[[Path], None]
) -> None:
    """Nobody is read from it, nothing is written through it, and who wants the name gets it."""
    monkeypatch.chdir(tmp_path)
    put(file_of(tmp_path))
    assert (roll.known(LOBBY), roll.find(CODEX)) == ([], None)
    roll.touch(CODEX, LOBBY, 1)
    with roll.hold(CODEX, HERE, 10) as held:
        held.join(LOBBY, role="", now=10)
        assert [here.name for here in roll.participants(LOBBY)] == ["codex"]
    if (tmp_path / "precious").exists():
        assert (tmp_path / "precious").read_text() == "precious"


def test_directory_in_a_files_place_is_an_error_for_its_name_only(roll: Roll, tmp_path: Path) -> None:
    """It may hold something, so nobody removes it."""
    (file_of(tmp_path) / "something").mkdir(parents=True)
    (file_of(tmp_path).parent / "Not A Name").write_text("noise")
    roll.register(Name("zoe"), LOBBY, role="", holder=HERE, now=1)
    assert [known.name for known in roll.known(LOBBY)] == ["zoe"]
    with pytest.raises(StorageError) as caught:
        roll.hold(CODEX, HERE, 10)
    assert str(file_of(tmp_path)) in str(caught.value)
    assert (file_of(tmp_path) / "something").is_dir()


def test_reader_of_a_half_written_file_waits_for_its_writer(
    roll: Roll, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody disappears for an instant because a writer was interrupted."""
    roll.register(CODEX, LOBBY, role="general", holder=HERE, now=1)
    whole = file_of(tmp_path).read_bytes()
    monkeypatch.setattr(livefile, "READ_WAIT_SECONDS", 60)
    is_torn, was_read = threading.Event(), threading.Event()

    def write() -> None:
        with gate.hold(tmp_path / "chatroom", name="live.lock"):
            file_of(tmp_path).write_bytes(whole[:50])
            is_torn.set()
            was_read.wait(60)
            file_of(tmp_path).write_bytes(whole)

    def decode_and_tell(data: bytes, name: Name) -> Presence | None:
        presence = decode(data, name)
        if presence is None:
            was_read.set()
        return presence

    monkeypatch.setattr(livefile, "decode", decode_and_tell)
    writer = threading.Thread(target=write)
    writer.start()
    is_torn.wait(60)
    assert [here.role for here in roll.participants(LOBBY)] == ["general"]
    assert was_read.is_set()
    writer.join()


def test_failed_write_holds_nothing(roll: Roll, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who could not say that it lives here does not."""
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, place: pwrite(file, data[:10], place))
    with pytest.raises(StorageError) as caught:
        roll.hold(CODEX, HERE, 10)
    assert caught.value.code == "disk-full"
    monkeypatch.undo()
    found = roll.find(CODEX)
    assert found is not None
    assert not found.is_living
    roll.hold(CODEX, HERE, 11).release()
