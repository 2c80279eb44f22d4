"""People who may not push to a room's remote: what they say waits in their fork, and is taken in from there.

Proves format 12.25.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.cli.programs import until
from tests.clones.conftest import LOG, Clone, Hub, keeping
from tests.world import World


@dataclass
class Team:
    """A hub that ann may push to and carol may not; and carol's fork, which is ``origin`` of hers."""

    hub: Hub
    fork: Hub
    ann: Clone
    carol: Clone

    def inboxes(self) -> list[str]:
        """The refs of the fork."""
        return self.fork.git("for-each-ref", "--format=%(refname)").stdout.split()


@pytest.fixture
def team(world: World, hub: Hub) -> Team:
    """With one message of ann's, which both have."""
    fork = Hub(world, world.root / "fork.git")
    ann, carol = hub.clone("ann"), fork.clone("carol")
    ann.git("remote", "add", "carol", fork.path)
    carol.git("remote", "add", "upstream", hub.path)
    reads_only(carol)
    ann.say("one")
    ann.sync()
    carol.sync("upstream")
    return Team(hub, fork, ann, carol)


def reads_only(clone: Clone) -> None:
    """Let the hub take nothing from ``clone``, in words of gitolite's."""
    clone.git(
        "config", "remote.upstream.receivepack", "sh -c 'echo FATAL: W any hub carol DENIED by fallthru >&2; exit 1' --"
    )


def test_what_may_not_be_pushed_waits_in_the_fork_until_it_is_taken_in(team: Team) -> None:
    """It gets its number with the next push of who may; carol sees it arrive once, and the inbox goes."""
    ann, carol = team.ann, team.carol
    handle = carol.chat("send", "of carol", check=True).stdout.strip()
    synced = carol.sync("upstream").stdout
    status = carol.chat("status", check=True).stdout
    inboxes = team.inboxes()
    ann.say("before it")
    ann.sync()
    pulled = ann.chat("pull", "carol", check=True).stdout
    again = ann.chat("pull", "carol", check=True).stdout
    ann.sync()
    later = ann.chat("pull", "carol", check=True).stdout
    carol.sync("upstream")

    assert "lobby: waits in your fork 'origin', until somebody pulls it who may push" in synced
    assert "1 waits in your fork (origin), until somebody pulls it from there who may push" in status
    assert [ref.rpartition("/")[0] for ref in inboxes] == ["refs/chatroom/rooms/lobby/inbox"]
    assert pulled == "lobby: 1 taken in of carol, pending until 'origin' has them\n"
    assert again == later == "nothing new: all that carol has is here\n"
    assert ann.numbered() == carol.numbered() == [(1, "one"), (2, "before it"), (3, "of carol")]
    assert carol.chat("show", handle, check=True).stdout.startswith("#3 ")
    assert team.inboxes() == []
    assert team.hub.tip == carol.git("rev-parse", LOG).stdout.strip()
    team.hub.assert_clean()


def test_a_fork_that_numbers_rooms_itself_has_its_inboxes_taken_in(team: Team) -> None:
    """Where it is named; a pull that names nobody takes in no names of others."""
    ann, carol = team.ann, team.carol
    ann.git("config", "chat.remote", "carol")
    ann.chat("send", "--room", "den", "of the fork's own room", check=True)
    ann.chat("remote", "attach", "den", "carol", check=True)
    carol.chat("send", "of carol", check=True)
    carol.sync("upstream")
    ann.chat("pull", check=True)
    assert ann.bodies() == ["one"]
    assert "lobby: 1 to take in of carol" in ann.chat("pull", "carol", "--dry-run", check=True).stdout
    assert "lobby: 1 taken in of carol" in ann.chat("pull", "carol", check=True).stdout
    ann.sync("origin")
    assert ann.numbered() == [(1, "one"), (2, "of carol")]


def test_nothing_is_asked_twice_while_it_waits(team: Team) -> None:
    """A second sync pushes nothing to the fork, and says the same; a new message goes there, too."""
    carol = team.carol
    carol.say("first")
    carol.sync("upstream")
    (inbox,) = team.inboxes()
    where = team.fork.git("rev-parse", inbox).stdout
    carol.sync("upstream")
    same = team.fork.git("rev-parse", inbox).stdout
    carol.say("second")
    carol.sync("upstream")
    team.ann.chat("pull", "carol", check=True)

    assert same == where
    assert [body for _, body in team.ann.numbered()] == ["one", "first", "second"]


def test_a_send_says_where_it_waits(team: Team) -> None:
    """By whoever pushes it: in a script that is the send itself."""
    carol = team.carol
    carol.git("config", "chat.sync", "batch")
    sent = carol.chat("send", "of carol", check=True, GITCHAT_NAME="carol")
    told = json.loads(carol.chat("status", "--json", check=True).stdout)
    waited = carol.chat("send", "--sync", "another")

    assert "1 waits in your fork (origin)" in sent.stderr
    assert told["waiting"] == {"count": 1, "remote": "upstream", "fork": "origin", "in_fork": True}
    assert waited.returncode == 5
    assert "it waits in your fork 'origin' until somebody pulls it" in waited.stderr


def test_what_was_taken_back_leaves_the_fork(team: Team) -> None:
    """With the next sync; what was pulled before has its number."""
    carol = team.carol
    handle = carol.chat("send", "a mistake", check=True).stdout.strip()
    carol.sync("upstream")
    carol.chat("unsend", handle, check=True)
    carol.sync("upstream")

    assert team.inboxes() == []
    assert "taken in" not in team.ann.chat("pull", "carol", check=True).stdout


def test_who_stays_looks_at_the_forks_that_are_named(team: Team) -> None:
    """Without anybody typing anything it is numbered, and carol sees it arrive."""
    team.carol.say("of carol")
    team.carol.sync("upstream")
    team.ann.git("config", "chat.forks", "carol")
    with keeping(team.ann):
        until(lambda: team.hub.git("log", "--format=%an", LOG).stdout.count("carol") == 1)
    team.carol.sync("upstream")

    assert team.carol.numbered() == [(1, "one"), (2, "of carol")]
    assert team.inboxes() == []


def test_what_a_fork_says_of_the_room_itself_is_left_out(team: Team) -> None:
    """A title, a closing, a format: that is for those who may push. What was said is taken in all the same."""
    ann, carol = team.ann, team.carol
    carol.say("before")
    carol.chat("room", "title", "lobby", "Mine now", check=True)
    carol.chat("room", "close", "lobby", check=True)
    carol.sync("upstream")
    pulled = ann.chat("pull", "carol", check=True).stdout
    again = ann.chat("pull", "carol", check=True).stdout
    ann.sync()
    carol.sync("upstream")

    assert pulled == "lobby: 1 taken in of carol, pending until 'origin' has them; 2 about the room itself left out\n"
    assert again == "lobby: 0 taken in; 2 about the room itself left out\n"
    assert ann.numbered() == [(1, "one"), (2, "before")]
    assert "2 wait in your fork (origin)" in carol.chat("status", check=True).stdout
    assert ann.chat("send", "still open").returncode == 0


def test_a_record_that_was_written_once_more_arrives_once(team: Team) -> None:
    """Whoever took the inbox in had one of its records already; then the fork's own commits of both are dropped."""
    ann, carol = team.ann, team.carol
    ann.chat("send", "--uid", "run-1", "said twice", check=True, GITCHAT_NAME="carol")
    ann.sync()
    carol.chat("send", "--uid", "run-1", "said twice", check=True)
    carol.say("after it")
    carol.sync("upstream")
    pulled = ann.chat("pull", "carol", check=True).stdout
    ann.sync()
    for _ in range(2):
        carol.sync("upstream")

    assert pulled == "lobby: 1 taken in of carol, pending until 'origin' has them\n"
    assert carol.numbered() == ann.numbered() == [(1, "one"), (2, "said twice"), (3, "after it")]
    assert carol.git("rev-parse", LOG).stdout.strip() == team.hub.tip
    assert team.inboxes() == []


def test_rooms_that_are_not_here_and_what_git_refuses_are_left_alone(team: Team) -> None:
    """With a word each; what is sound beside them is taken in."""
    ann, carol = team.ann, team.carol
    carol.say("sound")
    carol.sync("upstream")
    tip = carol.git("rev-parse", LOG).stdout.strip()
    tree = carol.git("rev-parse", f"{tip}^{{tree}}").stdout.strip()
    bad = f"tree {tree}\nparent {tip}\ncommitter x <x@y> 1 +0000\n\nno author\n\nChat-Kind: message\n".encode()
    oid = carol.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=bad).stdout.strip()
    rooms = "refs/chatroom/rooms"
    carol.git(
        "push", "-q", "origin", f"{oid}:{rooms}/lobby/inbox/{'0' * 16}", f"{tip}:{rooms}/nowhere/inbox/{'1' * 16}"
    )
    carol.git("push", "-q", "origin", f"{tip}:{rooms}/lobby/inbox/no-clone")
    pulled = ann.chat("pull", "carol")

    assert pulled.stdout == "lobby: 1 taken in of carol, pending until 'origin' has them\n"
    assert "warning: room 'nowhere' is left alone: it is not here" in pulled.stderr
    assert "missingAuthor" in pulled.stderr
    assert ann.git("cat-file", "-t", oid, check=False).returncode != 0
    assert ann.git("for-each-ref", "refs/chatroom-local/fetched/carol").stdout == ""


def test_a_name_that_is_not_carols_is_shown_before_it_is_pushed(team: Team) -> None:
    """Whoever may push to a fork can write any name there: who takes it in sees whose they are."""
    team.carol.chat("send", "--as", "ann", "signed by another", check=True)
    team.carol.sync("upstream")
    shown = team.ann.chat("pull", "carol", "--dry-run", check=True).stdout

    assert shown == "lobby: 1 to take in of ann, pending until 'origin' has them\n"
    assert team.ann.bodies() == ["one"]


def test_without_a_fork_nothing_changes(team: Team) -> None:
    """It is an error that nothing may be pushed, as ever."""
    team.carol.git("remote", "remove", "origin")
    team.carol.say("of carol")
    refused = team.carol.chat("sync", "upstream")

    assert (refused.returncode, "lets you read and not push" in refused.stderr) == (5, True)


def test_a_fork_that_refuses_is_said(team: Team) -> None:
    """What is said stays pending, and is an error while it waits nowhere."""
    team.fork.hook("echo no inbox here >&2; exit 1")
    team.carol.say("of carol")
    refused = team.carol.chat("sync", "upstream")

    assert refused.returncode == 5
    assert "your fork 'origin' did not take refs/chatroom/rooms/lobby/inbox/" in refused.stderr
    assert "no inbox here" in refused.stderr


def test_a_room_that_asks_for_a_later_format_has_nothing_put_or_taken(team: Team) -> None:
    """8.1 holds for inboxes, too: what waits is not offered any more, and what was offered is not taken in."""
    said = "asks for more\n\nChat-Kind: meta\nChat-Uid: 0000000000000001\nChat-Format-Min: 3\n"
    team.carol.chat("send", "offered before", check=True)
    team.carol.sync("upstream")
    offered = team.fork.git("for-each-ref", "refs/chatroom").stdout
    tree = team.ann.git("mktree", stdin=b"").stdout.strip()
    later = team.ann.git("commit-tree", tree, "-p", LOG, stdin=said.encode()).stdout.strip()
    team.ann.git("push", "-q", "origin", f"{later}:{LOG}")
    team.carol.chat("send", "after it", check=True)

    assert "format 3" in team.carol.chat("sync", "upstream").stderr
    assert team.fork.git("for-each-ref", "refs/chatroom").stdout == offered
    team.ann.sync()
    taken = team.ann.chat("pull", "carol")
    assert "format 3" in taken.stderr
    assert taken.returncode == 1
    assert team.hub.tip == later
    assert "offered before" not in team.ann.chat("log", check=True).stdout
