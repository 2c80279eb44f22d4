"""A hub to which somebody pushed what no chat writes: one room, record or ref ends nothing for the others.

Proves docs/format.md sections 2.1, 3.5, 9.3 and 12.6.
"""

from __future__ import annotations

import re
import shlex
import shutil
from itertools import product

import pytest

from gitchat.model.errors import StorageError
from gitchat.model.names import Name, RoomName
from gitchat.model.refs import cursor_ref, log_ref
from tests.clones.conftest import Hub
from tests.world import World, open_store

ROOMS = "refs/chatroom/rooms"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
DAY_SECONDS = 86400


def plant(hub: Hub, date: str, *, room: str = "lobby", parent: str | None = None) -> str:
    """A record of mallory's at the hub, with this author's and committer's date; its id."""
    tip = parent or hub.git("rev-parse", f"{ROOMS}/{room}/log").stdout.strip()
    who = f"mallory <m@example.com> {date} +0000"
    raw = f"tree {EMPTY_TREE}\nparent {tip}\nauthor {who}\ncommitter {who}\n\nevil\n\nChat-Kind: message\n"
    hub.git("hash-object", "-t", "tree", "-w", "--stdin")
    oid = hub.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=raw.encode()).stdout.strip()
    hub.git("update-ref", f"{ROOMS}/{room}/log", oid)
    return oid


@pytest.mark.parametrize("date", [str(2**63), "18446744073709551615", "99999999999", "9" * 5000])
def test_a_date_out_of_all_bounds_stops_nothing(hub: Hub, date: str) -> None:
    """Every verb goes on, what is written after it is dated within a day, and verify names the commit."""
    alice, bob = hub.clone("alice"), hub.clone("bob")
    for room in ("lobby", "other"):
        alice.chat("send", f"first of {room}", "--room", room, check=True)
    alice.sync()
    oid = plant(hub, date)
    for words in (
        ["sync"],
        ["send", "after it"],
        ["log"],
        ["read"],
        ["status"],
        ["search", "evil"],
        ["rooms"],
        ["sync"],
    ):
        alice.chat(*words, check=True)
    alice.chat("send", "again", "--room", "other", check=True)
    alice.sync()
    bob.sync()
    assert bob.numbered() == [(1, "first of lobby"), (2, "evil"), (3, "after it")]
    assert "again" in bob.chat("log", "--room", "other", check=True).stdout
    committed, now = map(int, (hub.git("log", "-1", "--format=%ct", f"{ROOMS}/lobby/log").stdout, clock(hub)))
    assert now - 600 < committed <= now + DAY_SECONDS
    verified = bob.chat("verify", "lobby").stdout
    assert re.search(f"commit {oid} is (beyond the limits|dated [0-9]+ days ahead)", verified)
    assert bob.chat("doctor", "--fix").returncode in (0, 1)


def clock(hub: Hub) -> str:
    """What the time is, in seconds."""
    return hub.world.run("date", "+%s").stdout


def test_a_hub_that_checks_objects_takes_what_we_write_after_them(hub: Hub) -> None:
    """All that is ours passes: records, cursors, merges and summaries after what that hub took before it checked."""
    alice, bob = hub.clone("alice"), hub.clone("bob")
    alice.say("first")
    alice.sync()
    for date in ("18446744073709551615", "99999999999", str(2**63)):
        plant(hub, date)
    hub.git("config", "receive.fsckObjects", "true")
    hub.git("config", "fsck.badDateOverflow", "error")
    for clone in (alice, bob):
        clone.sync()
        clone.say(f"by {clone.name}")
        clone.chat("read", check=True)
        clone.chat("summary", "write", f"all of it, by {clone.name}", check=True)
    for clone in (alice, bob, alice):
        clone.sync()
    assert [body for _, body in alice.numbered()] == [body for _, body in bob.numbered()]
    assert len(alice.numbered()) == 6
    ours = hub.git("rev-list", "--all", "--author=alice", "--author=bob").stdout.split()
    assert len(ours) >= 5
    told = hub.git("fsck", "--strict", "--no-dangling", check=False)
    assert not [oid for oid in ours if oid in told.stdout + told.stderr]


def odd(hub: Hub, *refs: str) -> None:
    """Refs of no room's at the hub."""
    tip = hub.git("rev-parse", f"{ROOMS}/lobby/log").stdout.strip()
    for ref in refs:
        hub.git("update-ref", ref, tip)


def test_a_ref_in_the_place_of_another_is_named_with_what_deletes_it(hub: Hub) -> None:
    """Cursors, summaries and a room that it blocks wait; all else is pushed, and the command that is told helps."""
    alice, bob = hub.clone("alice"), hub.clone("bob")
    alice.say("first")
    alice.sync()
    blocking = [f"{ROOMS}/lobby/cursors/bob/x$(touch${{IFS}}pwned)", f"{ROOMS}/lobby/summaries/x", f"{ROOMS}/yy"]
    odd(hub, *blocking)
    bob.sync()
    bob.chat("read", check=True)
    bob.sync()  # a position that cannot be pushed is no failure
    bob.say("second")
    bob.chat("summary", "write", "all of it", check=True)
    bob.chat("send", "new", "--room", "yy", check=True)
    done = bob.chat("sync")
    assert (done.returncode, "a ref of no room's is in the way" in done.stderr) == (5, True)
    alice.sync()
    assert alice.bodies() == ["first", "second"]
    said = done.stderr + bob.chat("doctor").stdout
    for ref in blocking:
        command = f"git push origin --delete {shlex.quote(ref)}"
        assert command in said
        bob.world.run("sh", "-c", command, cwd=bob.path)
    bob.sync()
    assert not (bob.path / "pwned").exists()
    there = hub.git("for-each-ref", "--format=%(refname)", ROOMS).stdout
    assert {f"{ROOMS}/yy/log", f"{ROOMS}/lobby/summaries", f"{ROOMS}/lobby/cursors/bob"} <= set(there.split())
    assert "none of a room's" not in bob.chat("doctor").stdout


def test_a_ref_in_the_place_of_another_here_is_told_at_once(hub: Hub) -> None:
    """Not after ten seconds of waiting for a lock; the hint's command lets the reader mark again."""
    alice = hub.clone("alice")
    alice.say("first", GITCHAT_NAME="bob")
    alice.git("update-ref", f"{ROOMS}/lobby/cursors/alice/x", f"{ROOMS}/lobby/log")
    done = alice.chat("read")
    assert done.returncode == 1
    command = re.search(r"git update-ref --no-deref -d \S+", done.stderr)
    assert command is not None
    assert command[0] in alice.chat("doctor").stdout
    alice.world.run("sh", "-c", command[0], cwd=alice.path)
    alice.chat("read", check=True)


def test_what_names_no_commit_in_the_place_of_a_ref_is_told_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No list of refs has it, and no waiting moves it; the hint's command lets the reader mark again."""
    path = world.repository()
    world.chat("send", "first", cwd=path, check=True)
    store = open_store(path / ".git")
    tip, ref = store.tip(log_ref(RoomName("lobby"))), cursor_ref(RoomName("lobby"), Name("alice"))
    assert tip is not None
    monkeypatch.setattr("gitchat.storage.refs.time.sleep", lambda seconds: pytest.fail("it is waited for"))
    for place, value in product(["cursors", "cursors/alice/x"], ["junk\n", "", "ref: refs/nowhere\n"]):
        shutil.rmtree(path / ".git" / ROOMS / "lobby/cursors", ignore_errors=True)
        file = path / ".git" / ROOMS / "lobby" / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(value)
        with pytest.raises(StorageError, match=f"lobby/{place} is in its place") as caught:
            store.point(ref, tip, "gitchat: read")
        _, _, command = caught.value.hint.partition(": ")
        assert command == f"rm {file}"
        world.run("sh", "-c", command)
        store.point(ref, tip, "gitchat: read")


@pytest.mark.parametrize("kind", ["tag", "blob", "tree"])
def test_a_room_that_is_no_log_is_left_alone(hub: Hub, kind: str) -> None:
    """It is told, with what deletes it there; the others come and go, and a sync has done what it can."""
    alice, bob = hub.clone("alice"), hub.clone("bob")
    alice.say("first")
    alice.sync()
    tip = hub.git("rev-parse", f"{ROOMS}/lobby/log").stdout.strip()
    content = {
        "tag": f"object {tip}\ntype commit\ntag t\ntagger x <x@x> 0 +0000\n\nt\n",
        "blob": f"tree {EMPTY_TREE}\nparent {'1' * 40}\nauthor x <x> 0 +0000\n\nx\n\nChat-Kind: x\n",
        "tree": "",
    }[kind]
    oid = hub.git("hash-object", "-t", kind, "-w", "--stdin", stdin=content.encode()).stdout.strip()
    hub.git("update-ref", f"{ROOMS}/bad/log", oid)
    hub.git("update-ref", f"{ROOMS}/lobby/cursors/eve", oid)
    bob.say("early", GITCHAT_NAME="carol")
    done = bob.chat("sync", "--yes")
    assert done.returncode == 0, done.stderr
    assert "room 'bad' is left alone" in done.stderr
    alice.sync()
    assert alice.bodies() == ["first", "early"]
    command = f"git push origin --delete {ROOMS}/bad/log"
    assert command in bob.chat("doctor").stdout
    bob.world.run("sh", "-c", command, cwd=bob.path)
    assert "left alone" not in bob.sync().stderr


def test_what_git_here_refuses_of_one_room_keeps_no_other_away(hub: Hub) -> None:
    """With fetch.fsckObjects a single commit makes git refuse a whole fetch: then each room is fetched by itself."""
    alice, bob = hub.clone("alice"), hub.clone("bob")
    for room in ("lobby", "other"):
        alice.chat("send", f"first of {room}", "--room", room, check=True)
    alice.sync()
    plant(hub, "18446744073709551615", room="other")
    bob.git("config", "fetch.fsckObjects", "true")
    done = bob.chat("sync")
    assert done.returncode == 0, done.stderr
    assert "room 'other' is left alone" in done.stderr
    assert bob.bodies() == ["first of lobby"]
    bob.say("back")
    bob.sync()
    alice.sync()
    assert alice.bodies() == ["first of lobby", "back"]


def test_a_clock_far_ahead_changes_no_order(hub: Hub) -> None:
    """Records of a machine 400 days ahead keep their place, later ones are dated within a day, and status tells."""
    alice, bob = hub.clone("alice"), hub.clone("bob")
    alice.say("a")
    alice.sync()
    plant(hub, str(int(clock(hub)) + 400 * DAY_SECONDS))
    bob.sync()
    bob.say("c")
    bob.sync()
    alice.sync()
    for clone in (alice, bob):
        assert clone.bodies() == ["a", "evil", "c"]
        assert len(clone.chat("inbox", "--json", GITCHAT_NAME="q", check=True).stdout.splitlines()) == 3
        assert "in the future" in clone.chat("status", check=True).stdout
        assert clone.sync().stdout.count("pushed") == 0
    dates = [
        int(word) for word in hub.git("log", "--first-parent", "--format=%ct", f"{ROOMS}/lobby/log").stdout.split()
    ]
    assert dates[0] <= int(clock(hub)) + DAY_SECONDS < dates[1]


def test_a_room_that_was_never_a_log_is_given_up_by_what_doctor_tells(hub: Hub) -> None:
    """No other clone has better bytes: the ref goes. Where it is a log in its newer part, what is there can be seen."""
    alice = hub.clone("alice")
    alice.say("first")
    blob = alice.git("hash-object", "-w", "--stdin", stdin=b"no commit").stdout.strip()
    alice.git("update-ref", f"{ROOMS}/bad/log", blob)
    mend = f"git update-ref -d {ROOMS}/bad/log"
    assert mend in alice.chat("doctor").stdout
    alice.world.run("sh", "-c", mend, cwd=alice.path)
    assert "bad" not in alice.chat("rooms", check=True).stdout
    who = "eve <eve@example.com> 1790000000 +0000"
    raw = f"tree {EMPTY_TREE}\nparent {blob}\nauthor {who}\ncommitter {who}\n\nnewer\n\nChat-Kind: message\n"
    tip = alice.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=raw.encode()).stdout.strip()
    alice.git("update-ref", f"{ROOMS}/torn/log", tip)
    look = f"git cat-file -p {blob}"
    assert f"see what stands in its place: {look}" in alice.chat("doctor").stdout
    assert alice.world.run("sh", "-c", look, cwd=alice.path).stdout == "no commit"
    assert alice.chat("log", "--room", "lobby", check=True).stdout.count("first") == 1
