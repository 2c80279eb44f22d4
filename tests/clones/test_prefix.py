"""Rooms at a host that takes branches only. Proves docs/format.md section 12.23."""

from __future__ import annotations

import pytest

from tests.clones.conftest import BRANCHES_ONLY, Hub

PREFIX = "refs/heads/chatroom/"
KEY = "chatremote.origin.prefix"


@pytest.fixture
def narrow(hub: Hub) -> Hub:
    """A hub that takes branches only."""
    hub.hook(BRANCHES_ONLY)
    return hub


def test_rooms_stand_below_the_branches_that_the_setting_names(narrow: Hub) -> None:
    """Logs, cursors and summaries, moved with a lease; and nothing else of the repository has another name."""
    ann, bob = (narrow.clone(name) for name in ("ann", "bob"))
    for clone in (ann, bob):
        clone.git("config", KEY, PREFIX)
    ann.say("one")
    ann.sync()
    bob.sync()
    bob.say("two")
    ann.say("three")
    ann.chat("summary", "write", "so far", check=True)
    bob.chat("read", check=True)
    for clone in (bob, ann, bob, ann):
        clone.sync()
    assert ann.numbered() == bob.numbered() == [(1, "one"), (2, "two"), (3, "three")]
    names = narrow.git("for-each-ref", "--format=%(refname)").stdout.split()
    below = f"{PREFIX}rooms/lobby"
    assert names == [f"{below}/cursors/bob", f"{below}/log", f"{below}/summaries"]
    assert ann.git("for-each-ref", "refs/heads", "refs/remotes", "--format=%(refname)").stdout == "refs/heads/main\n"
    narrow.assert_clean()
