"""What a clone fetches bit by bit does not stay loose. Proves docs/format.md section 7.29."""

from __future__ import annotations

from gitchat.storage import git, written
from gitchat.verbs.room import Room
from gitchat.workspace.remotes import open_remote
from tests.clones.conftest import LOG, Clone, Hub

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def loose(clone: Clone) -> set[str]:
    """The ids of all loose objects of ``clone``."""
    objects = clone.path / ".git" / "objects"
    return {path.parent.name + path.name for path in objects.glob("[0-9a-f][0-9a-f]/*")}


def test_fetched_records_are_packed_and_nothing_of_the_user_is(hub: Hub) -> None:
    """Fetched one by one, with what they carry, they are in one pack of ours; each is there, and fsck is clean."""
    ann, bob = hub.clone("ann"), hub.clone("bob")
    (ann.path / "trace.txt").write_text("a line\n")
    theirs = bob.git("hash-object", "-w", "--stdin", stdin=b"the user's").stdout.strip()
    before = loose(bob)
    room = Room(ann.world.environment(ann.path), "lobby", "ann")
    to_hub, from_hub = (open_remote(one.world.environment(one.path), "origin") for one in (ann, bob))
    for turn in range(12):
        if turn == 6:
            ann.chat("send", "-q", "--attach", "trace.txt", "see", check=True)
        room.send(f"message {turn}")
        to_hub.round(None)
        from_hub.round(None)
    assert len(loose(bob) - before) > 12
    environment = bob.world.environment(bob.path)
    environment.store.pack(git.scrub(environment.variables))
    left = loose(bob)
    assert theirs in left
    of_the_log = set(bob.git("rev-list", "--objects", LOG).stdout.split())
    assert left & of_the_log <= {EMPTY_TREE}  # which git has without a file
    assert len(left - before) <= 2  # that, and a summary or a cursor
    assert (bob.path / ".git/chatroom/packs").read_text().count("\n") == 1
    assert len(bob.bodies()) == 13
    bob.git("fsck", "--strict")


def test_a_packer_is_started_once_much_came(hub: Hub) -> None:
    """Not before, and after the round, which holds the packer's lock."""
    ann, bob = hub.clone("ann"), hub.clone("bob")
    ann.say("one")
    ann.sync()
    environment = bob.world.environment(bob.path)
    started: list[str] = []
    environment.store._maintain = lambda: started.append("pack")
    remote = open_remote(environment, "origin")
    remote.round(None)
    assert started == []
    environment.store.note_came(["0" * 40] * written.PACK_OBJECTS)  # type: ignore[list-item]
    remote.round(None)
    assert started == ["pack"]
