"""Rooms at a host that takes branches only. Proves docs/format.md section 12.23."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gitchat.clones.address import at as at_layout
from gitchat.model.layout import Layout
from tests.clones.conftest import BRANCHES_ONLY, LOG, Clone, Hub, keeping, smart_http
from tests.server.wire import eventually

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


def attached(hub: Hub) -> Clone:
    """A clone whose room is at the hub, below the prefix."""
    ann = hub.clone("ann")
    ann.say("one")
    ann.chat("remote", "attach", "lobby", "origin", "--prefix", PREFIX, check=True)
    return ann


def at(path: str, prefix: str) -> str:
    """A place of the hub, as a person is told of it."""
    return at_layout(path.removesuffix(".git"), Layout(prefix))


def tip(hub: Hub, prefix: str) -> str:
    """The log at one of the hub's places."""
    return hub.git("rev-parse", f"{prefix}rooms/lobby/log").stdout


def stray(hub: Hub, clone: Clone, body: str) -> None:
    """A record that a clone which has not heard yet pushes to the old place."""
    clone.git("fetch", "-q", hub.path, f"+{LOG}:refs/stray")
    block = "Chat-Kind: message\nChat-Uid: 0123456789abcdef"
    tree = clone.git("rev-parse", "refs/stray^{tree}").stdout.strip()
    commit = clone.git("commit-tree", tree, "-p", "refs/stray", "-m", body, "-m", block).stdout.strip()
    clone.git("push", "-q", hub.path, f"{commit}:{LOG}")


def branches(hub: Hub) -> set[str]:
    """The rooms that the hub has as branches."""
    names = hub.git("for-each-ref", "--format=%(refname)", PREFIX).stdout.split()
    return {name.removeprefix(f"{PREFIX}rooms/").partition("/")[0] for name in names}


def below(hub: Hub, clone: Clone) -> str:
    """What is set in a clone."""
    return clone.git("config", KEY, check=False).stdout.strip()


def test_a_refusal_by_name_has_the_command_that_helps(narrow: Hub) -> None:
    """It says what everybody will see, and nothing is attached or set before somebody types it."""
    ann = narrow.clone("ann")
    ann.say("one")
    refused = ann.chat("sync")
    assert refused.returncode == 5
    command = f"git chat remote attach lobby origin --prefix {PREFIX}"
    assert f"if it takes branches only: {command} (its list of branches shows them then, and its CI may start)" in (
        refused.stderr
    )
    assert below(narrow, ann) == ""
    done = ann.chat(*command.split()[2:])
    assert (done.returncode, done.stdout) == (0, "lobby: 0 fetched, 1 pushed\n")
    assert below(narrow, ann) == PREFIX
    assert ann.numbered() == [(1, "one")]
    assert branches(narrow) == {"lobby"}


def test_who_comes_later_finds_the_rooms_below_the_prefix(narrow: Hub) -> None:
    """By a sync, by the first look of who only reads, and over smart HTTP; nobody is told where they are."""
    ann = attached(narrow)
    bob = narrow.clone("bob")
    assert bob.sync().stdout == "lobby: 1 fetched, 0 pushed\n"
    with smart_http(narrow) as url:
        carl = narrow.clone("carl", url, sync="batch")
        assert "one" in carl.chat("log", check=True).stdout
        carl.say("from carl", CI="true")
    assert ann.sync().stdout == "lobby: 1 fetched, 0 pushed\n"
    bob.sync()
    assert ann.numbered() == bob.numbered() == carl.numbered() == [(1, "one"), (2, "from carl")]
    assert narrow.git("for-each-ref", "refs/chatroom").stdout == ""


def test_one_question_is_asked_for_both_places(narrow: Hub, tmp_path: Path) -> None:
    """The first look of a clone is one ls-remote."""
    attached(narrow)
    bob = narrow.clone("bob", sync="batch")
    log = tmp_path / "trace"
    bob.chat("log", check=True, GIT_TRACE=log)
    assert log.read_text().count("git ls-remote") == log.read_text().count("built-in: git ls-remote") == 1


def test_a_forgotten_note_is_found_again(narrow: Hub) -> None:
    """Where chatroom/ was deleted, and nothing is set, the remote is asked again."""
    attached(narrow)
    bob = narrow.clone("bob")
    bob.sync()
    shutil.rmtree(bob.path / ".git" / "chatroom")
    bob.say("two")
    assert bob.sync().stdout == "lobby: 0 fetched, 1 pushed\n"
    assert bob.numbered() == [(1, "one"), (2, "two")]


def test_rooms_in_two_places_are_refused_and_named(hub: Hub) -> None:
    """Neither a sync nor a look joins one of them; the command that is named decides."""
    attached(hub)
    other = hub.clone("other")
    other.git("config", KEY, "refs/chatroom/")
    other.say("another room")
    other.sync()
    bob, carl = hub.clone("bob"), hub.clone("carl", sync="batch")
    found = f"'origin' has rooms in two places: refs/chatroom/ ('lobby') and {PREFIX} ('lobby')"
    ways = [f"git chat remote attach lobby origin --prefix {prefix}" for prefix in ("refs/chatroom/", PREFIX)]
    refused = bob.chat("sync")
    assert (refused.returncode, refused.stderr) == (
        3,
        f"error: {found}\nhint: say which is the one that is used: {ways[0]}; or: {ways[1]}\n",
    )
    for _ in range(2):  # when it is looked, and from what was noted
        assert found in carl.chat("log").stderr
    assert carl.git("for-each-ref", "refs/chatroom").stdout == ""
    for clone, way, body in ((bob, ways[1], "one"), (carl, ways[0], "another room")):
        clone.chat(*way.split()[2:], check=True)
        assert clone.bodies() == [body]


def test_a_room_is_not_attached_beside_the_one_that_is_there(hub: Hub) -> None:
    """Below another prefix nobody of the team would see it."""
    ann = hub.clone("ann")
    ann.say("one")
    ann.sync()
    bob = hub.clone("bob")
    refused = bob.chat("remote", "attach", "lobby", "origin", "--prefix", PREFIX)
    assert refused.returncode == 3
    assert "room 'lobby' is at 'origin' below refs/chatroom/" in refused.stderr
    bob.chat("remote", "attach", "lobby", "origin", "--prefix", "refs/chatroom/", check=True)
    assert bob.bodies() == ["one"]
    again = ann.chat("remote", "attach", "lobby", "origin", "--prefix", PREFIX)
    assert again.returncode == 3
    assert f"move all of them: git chat remote move origin --prefix {PREFIX}" in again.stderr


@pytest.mark.parametrize("text", ["refs/heads/chatroom", "chatroom/", "refs/heads/a b/", ""])
def test_what_is_no_prefix_is_refused_with_one_that_is(hub: Hub, text: str) -> None:
    """Before anything is asked or set."""
    ann = hub.clone("ann")
    ann.say("one")
    refused = ann.chat("remote", "attach", "lobby", "origin", "--prefix", text)
    assert refused.returncode == 1
    assert f"hint: git chat remote attach lobby origin --prefix {PREFIX}\n" in refused.stderr
    ann.chat("remote", "attach", "lobby", "origin", "--prefix", PREFIX, check=True)  # as it says


# --- from one place to the other ---------------------------------------------------


@pytest.mark.parametrize(("old", "new"), [("refs/chatroom/", PREFIX), (PREFIX, "refs/chatroom/")])
def test_rooms_move_within_one_remote_and_who_follows_comes_along(hub: Hub, old: str, new: str) -> None:
    """No number changes; what was said meanwhile goes to the new place, and a clone that comes later goes there."""
    ann, bob, carl = (hub.clone(name) for name in ("ann", "bob", "carl"))
    ann.say("one")
    ann.chat("remote", "attach", "lobby", "origin", "--prefix", old, check=True)
    for clone in (bob, carl):
        clone.sync()
    moved = ann.chat("remote", "move", "origin", "--prefix", new)
    assert moved.returncode == 0, moved.stderr
    assert f"lobby: who still follows it at {at(str(hub.path), old)} is told where it is" in moved.stderr
    bob.say("two")
    came = bob.sync()
    assert came.stderr == f"warning: the rooms at 'origin' moved to {new}, and are followed there\n"
    assert came.stdout.endswith(" fetched, 1 pushed\n")
    with keeping(carl):
        carl.say("three")
        eventually(lambda: ann.sync() and ann.bodies()[-1] == "three")
    for clone in (bob, ann):
        clone.sync()
    late = hub.clone("late", sync="batch")
    assert late.bodies() == ["one", "two", "three"]
    assert {clone.git("rev-parse", LOG).stdout for clone in (ann, bob, carl, late)} == {tip(hub, new)}
    assert "two" not in hub.git("log", "--format=%s", f"{old}rooms/lobby/log").stdout
    assert [number for number, _ in ann.numbered()] == [1, 3, 4]


def test_what_was_pushed_to_the_old_place_after_the_word_comes_along(hub: Hub) -> None:
    """Its clone brings it: the log that it has seen goes on from what is at the new place."""
    ann, bob = (hub.clone(name) for name in ("ann", "bob"))
    ann.say("one")
    for clone in (ann, bob):
        clone.sync()
    ann.chat("remote", "move", "origin", "--prefix", PREFIX, check=True)
    stray(hub, bob, "too late")
    bob.sync()
    bob.sync()
    ann.sync()
    assert ann.bodies() == bob.bodies() == ["one", "too late"]
    assert hub.git("rev-parse", f"{PREFIX}rooms/lobby/log").stdout == ann.git("rev-parse", LOG).stdout


def test_rooms_move_there_and_back_over_what_was_left_there(hub: Hub) -> None:
    """Whoever was on its way has the numbers that it had, and a newcomer finds the place that is used."""
    ann, bob, carl = (hub.clone(name) for name in ("ann", "bob", "carl"))
    ann.say("one")
    for clone in (ann, bob, carl):
        clone.sync()
    ann.chat("remote", "move", "origin", "--prefix", PREFIX, check=True)
    bob.say("two")
    bob.sync()
    bob.chat("remote", "move", "origin", "--prefix", "refs/chatroom/", check=True)
    shown = [(1, "one"), (3, "two")]
    assert bob.numbered() == shown
    ann.say("three")
    carl.say("four")
    for clone in (ann, carl, bob, ann):
        clone.sync()
        assert clone.numbered()[:2] == shown
    late = hub.clone("late", sync="batch")
    assert late.bodies() == ann.bodies() == bob.bodies() == ["one", "two", "three", "four"]
    assert tip(hub, "refs/chatroom/") == late.git("rev-parse", LOG).stdout != tip(hub, PREFIX)


def test_nobody_goes_on_at_the_place_that_was_left_while_a_room_is_missing_at_the_new_one(hub: Hub) -> None:
    """What is said waits, and the command that is named moves the rest; the numbers are those of the new place."""
    ann, bob = (hub.clone(name) for name in ("ann", "bob"))
    ann.say("one")
    ann.chat("send", "--room", "den", "another room", check=True)
    ann.sync()
    bob.sync()
    ann.chat("remote", "move", "origin", "--prefix", PREFIX, check=True)
    hub.git("update-ref", "-d", f"{PREFIX}rooms/den/log")
    bob.say("two")
    waits = bob.sync()
    command = f"git chat remote move origin --prefix {PREFIX}"
    assert f"nothing of it is pushed; to move them, too: {command}" in waits.stderr
    assert (None, "two") in bob.numbered()
    ann.say("three")
    ann.sync()
    bob.chat(*command.split()[2:], check=True)
    ann.sync()
    assert ann.numbered() == bob.numbered()
    assert bob.bodies() == ["one", "three", "two"]


def test_a_claim_of_a_move_to_where_nothing_is_moves_nobody(hub: Hub) -> None:
    """It is said, and everybody goes on at the place that has the rooms."""
    ann, bob = (hub.clone(name) for name in ("ann", "bob"))
    ann.say("one")
    for clone in (ann, bob):
        clone.sync()
    ann.chat("remote", "move", "origin", "--prefix", PREFIX, check=True)
    hub.git("update-ref", "-d", f"{PREFIX}rooms/lobby/log")
    bob.say("two")
    done = bob.sync()
    assert done.stdout == "lobby: 1 fetched, 1 pushed\n"
    assert f"moved to {hub.path}, below {PREFIX}, says ann" in done.stderr
    assert "two" in hub.git("log", "--format=%s", LOG).stdout


def test_a_host_that_changed_its_rules_is_moved_at_by_its_error(hub: Hub) -> None:
    """Nothing can be said at the old place then, and nothing is lost."""
    ann = hub.clone("ann")
    ann.say("one")
    ann.sync()
    hub.hook(BRANCHES_ONLY)
    ann.say("two")
    refused = ann.chat("sync")
    command = f"git chat remote move origin --prefix {PREFIX}"
    assert f"if it takes branches only: {command} (" in refused.stderr
    done = ann.chat(*command.split()[2:])
    assert done.returncode == 0, done.stderr
    assert "nobody was told at" in done.stderr
    assert ann.bodies() == ["one", "two"]
    assert all(number is not None for number, _ in ann.numbered())
    late = hub.clone("late")
    late.sync()
    assert late.numbered() == ann.numbered()


def test_a_move_that_the_host_refuses_leaves_all_as_it_was(hub: Hub) -> None:
    """Nothing is set, or said in the room, and the numbers stand."""
    ann = hub.clone("ann")
    ann.say("one")
    ann.sync()
    hub.hook('while read old new ref; do case $ref in refs/heads/*) echo "no branches" >&2; exit 1; esac; done')
    refused = ann.chat("remote", "move", "origin", "--prefix", PREFIX)
    assert refused.returncode == 5
    assert below(hub, ann) == ""
    ann.say("two")
    ann.sync()
    assert [body for _, body in ann.numbered()] == ["one", "two"]
    assert all(number is not None for number, _ in ann.numbered())


# --- all the rest -------------------------------------------------------------------


def test_nothing_else_knows_of_the_prefix(narrow: Hub) -> None:
    """Verbs at a hub that removes nothing and takes no rewritten history."""
    for key in ("receive.denyDeletes", "receive.denyNonFastForwards"):
        narrow.git("config", key, "true")
    ann = attached(narrow)
    bob = narrow.clone("bob")
    bob.sync()
    bob.chat("read", check=True)
    bob.sync()
    bob.say("never mind")
    pending = bob.records()[-1]["handle"]
    assert bob.chat("unsend", pending).returncode == 0
    forgotten = bob.chat("forget", "bob")
    assert forgotten.returncode == 0, forgotten.stderr
    ann.sync()
    for verb in ("status", "rooms", "remote"):
        assert ann.chat(verb).returncode == 0
    assert ann.chat("doctor").returncode == 0
    assert ann.chat("remote", "detach", "lobby", check=True).stdout == "lobby: this clone\n"
    assert ann.numbered() == [(1, "one")]
    ann.say("two")
    ann.sync()
    assert ann.numbered() == [(1, "one"), (2, "two")]
    assert branches(narrow) == {"lobby"}


def test_a_fetch_of_the_user_s_brings_branches_that_nobody_takes_for_rooms(narrow: Hub) -> None:
    """They are remote-tracking branches of git's, and there is one room still."""
    attached(narrow)
    bob = narrow.clone("bob")
    bob.git("fetch", "-q", "origin")
    assert bob.git("for-each-ref", "refs/remotes").stdout.count("chatroom/rooms/lobby/log") == 1
    bob.sync()
    bob.say("two")
    bob.sync()
    assert bob.numbered() == [(1, "one"), (2, "two")]
    assert bob.chat("rooms", check=True).stdout.count("lobby") == 1


def test_what_a_mirror_push_left_is_told_from_the_rooms(narrow: Hub) -> None:
    """A clone's own refs at the hub are no second place; doctor has the command that takes them away."""
    ann = attached(narrow)
    (narrow.path / "hooks" / "pre-receive").unlink()
    ann.git("push", "-q", "--mirror", narrow.path)
    ann.git("push", "-q", narrow.path, f"{LOG}:{PREFIX}rooms/lobby/log")  # a mirror push takes away what is not here
    bob = narrow.clone("bob")
    bob.sync()
    assert bob.bodies() == ["one"]
    bob.say("two")
    bob.sync()
    assert branches(narrow) == {"lobby"}
    assert "two" not in narrow.git("log", "--format=%s", LOG).stdout
    told = bob.chat("doctor").stdout
    assert "it has refs of a clone" in told
    mend = next(line for line in told.splitlines() if "--delete" in line)
    subprocess.run(mend.partition("mend: ")[2], shell=True, check=True, cwd=bob.path, env=bob.world.variables)
    assert narrow.git("for-each-ref", "refs/chatroom", "refs/chatroom-local").stdout == ""
    assert branches(narrow) == {"lobby"}


def test_branches_that_are_hidden_are_named_as_the_host_has_them(hub: Hub) -> None:
    """Nothing is attached at a hub that takes them and shows them to nobody."""
    hub.git("config", "uploadpack.hideRefs", "refs/heads/chatroom")
    ann = hub.clone("ann")
    ann.say("one")
    refused = ann.chat("remote", "attach", "lobby", "origin", "--prefix", PREFIX)
    assert refused.returncode == 5
    assert f"'origin' has {PREFIX}rooms/lobby/log and does not show it" in refused.stderr
    assert f"to show {PREFIX}* (uploadpack.hideRefs)" in refused.stderr
