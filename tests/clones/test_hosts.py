"""Hosts of git, as far as they run here: each row of docs/hosts.md names the test that ran it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import pytest

from tests.clones.conftest import Hub, assert_same_view, settle
from tests.clones.servers import Gitolite, lighttpd, nginx
from tests.world import World

Serving = Callable[[Hub], AbstractContextManager[Mapping[str, str]]]

RULES = """
repo rooms
    RW+                 = ann
    RW refs/chatroom/   = bob
    R                   = carol
repo narrow
    RW+ refs/heads/chatroom/ = ann bob
repo carol
    RW+                 = carol
    R                   = ann
"""


@pytest.mark.parametrize(
    "serving", [pytest.param(nginx, marks=pytest.mark.slow), pytest.param(lighttpd, marks=pytest.mark.soak)]
)
def test_a_web_server_before_gits_own_program_carries_rooms(hub: Hub, serving: Serving) -> None:
    """With a password, and files larger than git sends in one piece; who is not known may read only."""
    with serving(hub) as at:
        ann, bea = (hub.clone(name, at["write"]) for name in ("ann", "bea"))
        (ann.path / "large").write_bytes(os.urandom(2_000_000))
        ann.git("config", "chat.maxAttachment", "4m")
        ann.chat("send", "with a file", "--attach", "large", check=True)
        ann.sync()
        bea.sync()
        bea.say("from bea")
        settle([ann, bea])
        zoe = hub.clone("zoe", at["read"])
        zoe.sync()
        zoe.say("from zoe")
        denied = zoe.chat("sync")

        assert_same_view(hub, [ann, bea], ["with a file", "from bea"])
        assert zoe.numbered() == [(1, "with a file"), (2, "from bea"), (None, "from zoe")]
        assert (denied.returncode, "lets you read and not push" in denied.stderr) == (5, True)


@pytest.mark.slow
def test_what_is_too_large_for_nginx_holds_up_nobody(hub: Hub) -> None:
    """nginx says 413 to the whole push; what is small is pushed, and the large one is set aside and named."""
    with nginx(hub, max_size="200k") as at:
        ann = hub.clone("ann", at["write"])
        ann.say("first")
        ann.sync()
        (ann.path / "large").write_bytes(os.urandom(500_000))
        ann.chat("send", "too large", "--attach", "large", check=True)
        ann.say("small")
        said = ann.chat("sync")

        assert "is set aside, because 'origin' does not take it" in said.stderr
        assert "413" in said.stderr
        assert [one for one in ann.numbered() if one[0] is not None] == [(1, "first"), (2, "small")]


@pytest.mark.soak
def test_gitolite_lets_each_user_do_what_its_rules_say(world: World) -> None:
    """RW+, RW for refs/chatroom/ alone, and R: whose messages wait in a fork until they are taken in from there."""
    gitolite = Gitolite(world, ("ann", "bob", "carol"), RULES)
    with gitolite.serving():
        ann = gitolite.clone("ann", origin="rooms", carol="carol")
        bob = gitolite.clone("bob", origin="rooms")
        carol = gitolite.clone("carol", upstream="rooms", origin="carol")
        ann.say("from ann")
        ann.sync()
        bob.sync()
        bob.say("from bob")
        bob.sync()
        branch = bob.git("push", "origin", "main", check=False)
        carol.sync("upstream")
        carol.say("from carol")
        waits = carol.sync("upstream").stdout
        ann.sync()
        pulled = ann.chat("pull", "carol", check=True).stdout
        ann.sync()
        carol.sync("upstream")
        bob.sync()
        left = carol.git("ls-remote", "origin").stdout

    assert "DENIED" in branch.stderr
    assert "waits in your fork 'origin'" in waits
    assert pulled == "lobby: 1 taken in of carol, pending until 'origin' has them\n"
    everything = [(1, "from ann"), (2, "from bob"), (3, "from carol")]
    assert ann.numbered() == bob.numbered() == carol.numbered() == everything
    assert left == ""


@pytest.mark.soak
def test_gitolite_takes_rooms_as_branches_where_it_takes_nothing_else(world: World) -> None:
    """Its refusal has the command, and who comes later finds them there."""
    gitolite = Gitolite(world, ("ann", "bob", "carol"), RULES)
    with gitolite.serving():
        ann, bob = (gitolite.clone(name, origin="narrow") for name in ("ann", "bob"))
        ann.say("from ann")
        refused = ann.chat("sync")
        ann.chat("remote", "attach", "lobby", "origin", "--prefix", "refs/heads/chatroom/", check=True)
        bob.sync()
        bob.say("from bob")
        bob.sync()
        ann.sync()

    assert refused.returncode == 5
    assert ann.numbered() == bob.numbered() == [(1, "from ann"), (2, "from bob")]
