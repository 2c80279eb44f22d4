"""Rooms in a file: what a bundle carries, what is taken in of one, and what a hostile one changes (nothing).

Proves format 12.24.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.clones.conftest import LOG, Clone, Hub
from tests.world import World


def alone(world: World, name: str) -> Clone:
    """A repository without a remote."""
    return Clone(world, world.repository(name), name)


def refs(clone: Clone) -> str:
    """All refs of a clone, with what they point to."""
    return clone.git("for-each-ref").stdout


def test_a_room_that_is_not_here_keeps_its_numbers(world: World) -> None:
    """With its summaries, attachments and title, and without anybody's position."""
    ann, bob = alone(world, "ann"), alone(world, "bob")
    (ann.path / "notes.txt").write_text("a file\n")
    ann.chat("send", "one", "--attach", "notes.txt", check=True)
    ann.chat("room", "title", "lobby", "All of it", check=True)
    ann.say("two")
    ann.chat("summary", "write", "one and two were said", check=True)
    ann.chat("read", check=True)
    ann.chat("bundle", "rooms.bundle", check=True)

    said = bob.chat("pull", ann.path / "rooms.bundle", check=True).stdout

    assert said == "lobby: 3 taken in of ann, new here\n"
    assert bob.numbered() == ann.numbered()
    assert "one and two were said" in bob.chat("summary", "show", check=True).stdout
    assert "cursors" not in refs(bob)
    assert refs(bob).count("\n") == 3, "the branch, the log and its summaries"


def test_what_is_here_does_not_come_twice(world: World) -> None:
    """Neither from the same file, nor from one that goes on after what is here."""
    ann, bob = alone(world, "ann"), alone(world, "bob")
    ann.say("one")
    ann.chat("bundle", "../first.bundle", check=True)
    bob.chat("pull", "../first.bundle", check=True)
    again = bob.chat("pull", "../first.bundle", check=True).stdout
    ann.say("two")
    bob.say("of bob")
    ann.chat("bundle", "--since", "1", "../later.bundle", check=True)
    later = [bob.chat("pull", "../later.bundle", check=True).stdout for _ in range(2)]

    assert again == "nothing new: all that ../first.bundle has is here\n"
    assert later == [
        "lobby: 1 taken in of ann\n",
        "nothing new: all that ../later.bundle has is here\n",
    ]
    assert bob.numbered() == [(1, "one"), (2, "of bob"), (3, "two")], "what was shown keeps its number"


def test_what_is_pending_comes_as_pending_and_is_numbered_once(hub: Hub, tmp_path: Path) -> None:
    """Who may not reach the remote sends a file; who may takes it in and pushes, and both see the same."""
    ann, bob = hub.clone("ann"), hub.clone("bob")
    ann.say("one")
    ann.sync()
    bob.sync()
    bob.say("waits")
    ann.say("before it")
    ann.sync()
    bob.chat("bundle", tmp_path / "b", check=True)

    said = ann.chat("pull", tmp_path / "b", check=True).stdout
    pending = ann.numbered()
    twice = ann.chat("pull", tmp_path / "b", check=True).stdout
    ann.sync()
    bob.sync()

    assert said == "lobby: 1 taken in of bob, pending until 'origin' has them\n"
    assert pending == [(1, "one"), (2, "before it"), (None, "waits")]
    assert twice.startswith("nothing new")
    assert ann.numbered() == bob.numbered() == [(1, "one"), (2, "before it"), (3, "waits")]
    hub.assert_clean()


def test_numbers_of_a_copy_are_those_of_the_remote_that_it_left(hub: Hub, world: World, tmp_path: Path) -> None:
    """What is pending stands behind what the remote had accepted, although the log here is older."""
    ann, bob, eve = hub.clone("ann"), hub.clone("bob"), alone(world, "eve")
    ann.say("one")
    ann.sync()
    bob.sync()
    bob.say("waits")
    ann.say("two")
    ann.sync()
    bob.git("fetch", "-q", "origin", f"{LOG}:refs/chatroom-local/remotes/origin/rooms/lobby/log")
    bob.chat("bundle", tmp_path / "b", check=True)
    eve.chat("pull", tmp_path / "b", check=True)

    assert eve.numbered() == [(1, "one"), (2, "two"), (3, "waits")]


def test_a_record_that_has_another_commit_here_does_not_come_twice(hub: Hub, tmp_path: Path) -> None:
    """By uid and author: as after a record before it was taken back, which writes the later ones once more."""
    ann, bob = hub.clone("ann"), hub.clone("bob")
    ann.say("one")
    ann.sync()
    bob.sync()
    handle = bob.chat("send", "a mistake", check=True).stdout.strip()
    bob.say("stays")
    bob.chat("bundle", tmp_path / "before", check=True)
    bob.chat("unsend", handle, check=True)
    bob.sync()
    ann.sync()
    ann.chat("pull", tmp_path / "before", check=True)
    ann.sync()

    assert ann.numbered() == [(1, "one"), (2, "stays"), (3, "a mistake")]
    assert ann.git("rev-list", "--count", "--no-merges", LOG).stdout.strip() == "4", "the genesis, and each record once"


def test_another_room_of_the_same_name_needs_consent(world: World) -> None:
    """Its messages then stand behind those here."""
    ann, bob = alone(world, "ann"), alone(world, "bob")
    ann.say("of ann")
    bob.say("of bob")
    ann.chat("bundle", "../a.bundle", check=True)
    before = refs(bob)
    refused = bob.chat("pull", "../a.bundle")

    assert refused.returncode == 3
    assert "has another room 'lobby' than the one here: 1 message would" in refused.stderr
    assert refs(bob) == before
    assert "hint: put both into one: git chat pull ../a.bundle --room lobby --yes" in refused.stderr
    bob.chat("pull", "../a.bundle", "--room", "lobby", "--yes", check=True)
    assert bob.numbered() == [(1, "of bob"), (2, "of ann")]


def test_a_room_that_is_refused_keeps_no_other_away_and_is_told_by_the_exit_status(world: World) -> None:
    """Or who throws the file away when it was pulled would lose the room."""
    ann, bob = alone(world, "ann"), alone(world, "bob")
    ann.say("of ann")
    ann.chat("send", "--room", "dev", "for dev", check=True)
    ann.chat("bundle", "../rooms.bundle", check=True)
    bob.say("another lobby")

    pulled = bob.chat("pull", "../rooms.bundle")
    shown = bob.chat("pull", "../rooms.bundle", "--json")
    agreed = bob.chat("pull", "../rooms.bundle", "--yes")

    assert pulled.stdout == "dev: 1 taken in of ann, new here\n"
    assert "warning: room 'lobby' is left alone: " in pulled.stderr
    assert (pulled.returncode, shown.returncode, agreed.returncode) == (1, 1, 0)
    assert bob.bodies() == ["another lobby", "of ann"]


def test_a_remote_of_that_name_goes_before_a_file(hub: Hub) -> None:
    """Else a file that begins as a bundle; any other file is an error that says how a remote is added."""
    ann, bob = hub.clone("ann"), hub.clone("bob")
    ann.say("one")
    ann.chat("bundle", "../bob/origin", check=True)
    (bob.path / "text").write_text("hello\n")
    ann.say("two")
    ann.sync()

    assert bob.chat("pull", "origin", check=True).stdout == "lobby: 2 fetched, 0 pushed\n"
    refused = bob.chat("pull", "text")
    assert (refused.returncode, "neither a remote nor a bundle" in refused.stderr) == (1, True)
    assert "hint: add the remote: git remote add NAME URL" in refused.stderr


def test_a_bundle_comes_through_a_pipe(world: World) -> None:
    """Out by standard output, in by standard input; dry, it only tells."""
    ann, bob = alone(world, "ann"), alone(world, "bob")
    ann.say("one")
    whole = world.run("sh", "-c", "git chat bundle - lobby > ../piped", cwd=ann.path)
    data = (world.root / "piped").read_bytes()
    dry = bob.chat("pull", "-", "--dry-run", stdin=data, check=True)
    nothing = refs(bob)
    bob.chat("pull", "-", stdin=data, check=True)

    assert whole.stdout == ""
    assert dry.stdout == "lobby: 1 to take in of ann, new here\n"
    assert "chatroom" not in nothing
    assert bob.bodies() == ["one"]


def test_what_stays_here_and_what_is_no_bundle_is_left_alone(world: World) -> None:
    """A room for this clone alone leaves only when it is shared; a file of something else is not overwritten."""
    ann = alone(world, "ann")
    ann.chat("send", "--room", "mine", "--local", "secret", check=True)
    none = ann.chat("bundle", "x.bundle")
    named = ann.chat("bundle", "x.bundle", "mine")
    ann.say("one")
    precious = ann.chat("bundle", "file.txt")
    swapped = ann.chat("bundle", "lobby")
    ann.chat("bundle", "x.bundle", check=True)

    assert "there is no room to bundle here" in none.stderr
    assert (named.returncode, "hint: share it: git chat room share mine" in named.stderr) == (3, True)
    assert "file.txt is there, and is no bundle" in precious.stderr
    assert (ann.path / "file.txt").read_text() == "content\n"
    assert "hint: git chat bundle lobby.bundle lobby" in swapped.stderr
    assert "mine" not in ann.git("bundle", "list-heads", "x.bundle").stdout


def _cut(data: bytes) -> bytes:
    return data[:-30]


def _bent(data: bytes) -> bytes:
    middle = data.index(b"PACK") + 40
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


def _without_objects(data: bytes) -> bytes:
    return data[: data.index(b"PACK")]


def _endless(data: bytes) -> bytes:
    return b"# v2 git bundle\n" + b"x" * 5_000_000


def _elsewhere(data: bytes) -> bytes:
    return data.replace(b" refs/chatroom/rooms/lobby/log\n", b" refs/heads/../../config\n", 1)


def _other_tip(data: bytes) -> bytes:
    begin = data.index(b"\n") + 1
    return data[:begin] + b"1" * 40 + data[begin + 40 :]


def _filtered(data: bytes) -> bytes:
    return data.replace(b"# v2 git bundle\n", b"# v3 git bundle\n@filter=blob:none\n", 1)


def _of_sha256(data: bytes) -> bytes:
    head, _, pack = data.partition(b"\n\n")
    ref = head.splitlines()[1]
    return b"# v3 git bundle\n@object-format=sha256\n" + ref[:40] + b"0" * 24 + ref[40:] + b"\n\n" + pack


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_cut, "is no whole bundle"),
        (_bent, "is no whole bundle"),
        (_without_objects, "is no whole bundle"),
        (_endless, "its head does not end"),
        (_elsewhere, "has no room"),
        (_other_tip, "is no whole bundle"),
        (_filtered, "it asks for what is not known here (@filter=blob:none)"),
        (_of_sha256, "has ids of SHA-256, and this repository those of SHA-1"),
    ],
)
def test_a_spoiled_bundle_changes_nothing(
    world: World, whole: bytes, spoil: Callable[[bytes], bytes], words: str
) -> None:
    """A clear error with a hint; no ref, no object and no file is left of it."""
    bob = alone(world, "bob")
    (bob.path / "x").write_bytes(spoil(whole))
    before = refs(bob), objects(bob)
    refused = bob.chat("pull", "x")

    assert words in refused.stderr
    assert "hint: " in refused.stderr
    assert refused.returncode in (1, 4)
    assert (refs(bob), objects(bob)) == before
    assert not (bob.path / ".git/chatroom/unpacked").exists()


@pytest.fixture
def whole(world: World) -> bytes:
    """A bundle of one message."""
    ann = alone(world, "ann")
    ann.say("one")
    ann.chat("bundle", "../whole", check=True)
    return (world.root / "whole").read_bytes()


def objects(clone: Clone) -> Sequence[str]:
    """The ids of all objects of a clone."""
    listed = clone.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").stdout
    return sorted(listed.split())


def test_an_object_that_git_refuses_does_not_come_in(world: World) -> None:
    """A hub that checks would refuse all that is pushed after it: a commit without an author, here."""
    ann, bob = alone(world, "ann"), alone(world, "bob")
    ann.say("one")
    tip = ann.git("rev-parse", LOG).stdout.strip()
    tree = ann.git("rev-parse", f"{tip}^{{tree}}").stdout.strip()
    bad = f"tree {tree}\nparent {tip}\ncommitter x <x@y> 1 +0000\n\nno author\n\nChat-Kind: message\n"
    oid = ann.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=bad.encode()).stdout.strip()
    ann.git("update-ref", LOG, oid)
    ann.git("bundle", "create", "-q", "../bad", LOG)
    before = objects(bob)
    refused = bob.chat("pull", "../bad")

    assert (refused.returncode, "missingAuthor" in refused.stderr) == (4, True)
    assert objects(bob) == before


def test_a_bundle_that_goes_on_from_what_is_not_here_says_so(world: World) -> None:
    """Nothing is changed, and the hint is what its sender has to do."""
    ann, bob = alone(world, "ann"), alone(world, "bob")
    ann.say("one")
    ann.say("two")
    ann.chat("bundle", "--since", "1", "../later", check=True)
    refused = bob.chat("pull", "../later")

    assert (refused.returncode, "goes on from messages that are not here" in refused.stderr) == (1, True)
    assert "git chat bundle FILE lobby" in refused.stderr
    assert "chatroom" not in refs(bob)
