"""A host that takes commits of its own users alone. Proves docs/format.md section 12.26."""

from __future__ import annotations

import pytest

from tests.clones.conftest import LOG, Clone, Hub

MINE = "ann@corp.example"

RULE = """while read old new ref; do
  [ "$new" = 0000000000000000000000000000000000000000 ] && continue
  for commit in $(git rev-list "$new" --not --all); do
    for email in $(git show -s --format='%ce %ae' "$commit"); do
      case $email in *@corp.example) ;; *) echo "GitLab: Committer '$email' is unknown" >&2; exit 1;; esac
    done
  done
done"""
"""What push rules of GitLab do, and Gerrit without Forge Author."""


@pytest.fixture
def strict(hub: Hub) -> Hub:
    """A hub that takes commits of its team alone."""
    hub.hook(RULE)
    return hub


def member(hub: Hub, name: str) -> Clone:
    """A clone of somebody whom the hub knows."""
    clone = hub.clone(name)
    clone.git("config", "user.email", f"{name}@corp.example")
    return clone


def addresses(hub: Hub) -> set[str]:
    """All that stand in the log there."""
    return set(hub.git("log", "--format=%ce%n%ae", LOG).stdout.split())


def test_a_room_begins_there_under_the_user_s_own_address(strict: Hub) -> None:
    """Numbers stand, nothing is said twice, and positions and summaries go along."""
    ann, bob = member(strict, "ann"), member(strict, "bob")
    ann.say("one")
    ann.say("two")
    ann.chat("read", check=True, GITCHAT_NAME="anton")
    ann.chat("summary", "write", "so far", check=True)
    before = ann.numbered()
    assert ann.sync().stdout == "lobby: 0 fetched, 2 pushed\n"
    assert ann.numbered() == before == [(1, "one"), (2, "two")]
    assert ann.chat("inbox", GITCHAT_NAME="anton").stdout == ""
    assert addresses(strict) == {MINE}
    bob.sync()
    bob.say("three")
    bob.sync()
    ann.sync()
    assert ann.numbered() == bob.numbered() == [*before, (3, "three")]
    assert addresses(strict) == {MINE, "bob@corp.example"}
    strict.assert_clean()
    for clone in (ann, bob):
        assert clone.chat("verify").returncode == 0


def test_what_was_written_under_a_made_up_address_is_vouched_for(strict: Hub) -> None:
    """Of an agent that a server writes for; and an address that is real stays, and is told of."""
    ann = member(strict, "ann")
    ann.say("begin")
    ann.sync()
    ann.git("config", "chat.authorEmail", "agent")
    ann.say("by nobody", GITCHAT_NAME="robot")
    ann.git("config", "--unset", "chat.authorEmail")
    ann.sync()
    assert ann.numbered() == [(1, "begin"), (2, "by nobody")]
    assert addresses(strict) == {MINE}
    ann.git("config", "user.email", "ann@home.example")
    ann.say("from home")
    refused = ann.chat("sync")
    assert refused.returncode == 5
    assert "git config chat.authorEmail user; then: git chat sync origin" in refused.stderr
    assert ann.bodies()[-1] == "from home"


def test_the_setting_writes_under_it_from_the_start(strict: Hub) -> None:
    """Then nothing of an agent's is refused."""
    ann = member(strict, "ann")
    ann.git("config", "chat.authorEmail", "user")
    ann.say("one", GITCHAT_NAME="robot")
    ann.sync()
    assert addresses(strict) == {MINE}


def test_another_refusal_writes_nothing_anew(hub: Hub) -> None:
    """What the host says of sizes is no word about addresses."""
    hub.hook("echo 'a file is too large' >&2; exit 1")
    ann = hub.clone("ann")
    ann.say("one")
    before = ann.git("rev-parse", LOG).stdout
    assert ann.chat("sync").returncode == 5
    assert ann.git("rev-parse", LOG).stdout == before
