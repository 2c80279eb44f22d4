"""An authority is a log at a place: what a clone does when another log, or none, stands there. Proves format 12.10.

Each cell of the table as processes over real hubs; and no push ever reaches a place that nobody agreed to. The table
itself is proved in test_place.py; here most of it is slow, but for what once pushed to the wrong place.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from gitchat.model.names import Name, RoomName
from gitchat.model.refs import cursor_ref, log_ref
from tests.cli.programs import until
from tests.clones.conftest import LOG, Clone, Hub, keeping
from tests.world import Done, World

CURSOR = cursor_ref(RoomName("lobby"), Name("bob"))
DEV = log_ref(RoomName("dev"))


class Counted(Hub):
    """A hub that counts the pushes that it took."""

    def __init__(self, world: World, path: Path) -> None:
        super().__init__(world, path)
        self.hook(f"echo >> {shlex.quote(str(path / 'pushes'))}", "post-receive")

    @property
    def pushes(self) -> int:
        """How many there were."""
        path = self.path / "pushes"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def bodies(self) -> list[str]:
        """First lines of all commits of the lobby here, oldest first, without its beginning."""
        return self.git("log", "--reverse", "--format=%s", LOG).stdout.splitlines()[1:]


@pytest.fixture
def old(world: World) -> Counted:
    """Where the room stands."""
    return Counted(world, world.root / "old.git")


@pytest.fixture
def new(world: World) -> Counted:
    """Another place, empty yet."""
    return Counted(world, world.root / "new.git")


@pytest.fixture
def ann(old: Counted) -> Clone:
    """A clone of the old place with three messages, all of them numbered."""
    clone = old.clone("ann")
    for body in ("one", "two", "three"):
        clone.say(body)
    clone.sync()
    return clone


def copy(here: Hub, there: Hub, upto: str = LOG) -> None:
    """Let ``there`` have the lobby of ``here`` up to a commit."""
    there.git("fetch", "-q", here.path, f"+{LOG}:{LOG}")
    there.git("update-ref", LOG, here.git("rev-parse", upto).stdout.strip())


def move(clone: Clone, to: Hub) -> None:
    """What somebody does who changes the address."""
    clone.git("remote", "set-url", "origin", to.path)


def refused(done: Done, *words: str) -> None:
    """Exit 3, with the three ways out, and nothing on standard output."""
    assert (done.returncode, done.stdout) == (3, ""), done
    for word in words:
        assert word in done.stderr
    assert "nothing was joined or pushed" in done.stderr


def hinted(done: Done, beginning: str) -> list[str]:
    """The words of the command in the hint that begins so, after ``git chat``."""
    (found,) = re.findall(rf"git chat ({beginning}[^;\n]*)", done.stderr)
    return shlex.split(found)


def note(clone: Clone) -> dict[str, str]:
    """What is noted of the lobby's authority."""
    content = json.loads((clone.path / ".git" / "chatroom" / "authorities").read_text())
    found: dict[str, str] = content["rooms"]["lobby"]
    return found


NUMBERED = [(1, "one"), (2, "two"), (3, "three")]


# --- the same address ---------------------------------------------------------------


@pytest.mark.slow
def test_what_goes_on_goes_on(old: Counted, ann: Clone) -> None:
    """The remote has what was seen, and more: nothing is said but what came."""
    bea = old.clone("bea")
    bea.sync()
    bea.say("four")
    bea.sync()
    assert ann.sync().stdout == "lobby: 1 fetched, 0 pushed\n"
    assert note(ann) == {"remote": "origin", "address": str(old.path).removesuffix(".git")}


def test_a_restored_hub_is_given_back_what_it_had(old: Counted, ann: Clone) -> None:
    """It has a beginning of what was seen: that is said, and the rest comes back under its numbers."""
    ann.chat("read", GITCHAT_NAME="bob", check=True)
    ann.sync()
    old.git("update-ref", LOG, f"{LOG}~2")
    old.git("update-ref", "-d", CURSOR)
    done = ann.sync()
    assert CURSOR in ann.git("for-each-ref").stdout
    assert CURSOR in old.git("for-each-ref").stdout
    assert "the remote went back behind" in done.stderr
    assert "nothing is lost here" in done.stderr
    assert (ann.numbered(), old.bodies()) == (NUMBERED, ["one", "two", "three"])


@pytest.mark.slow
def test_a_hub_that_went_another_way_since_is_joined_in_its_order(old: Counted, ann: Clone) -> None:
    """Its order stands, and a number that changed is told with the one that was."""
    old.git("update-ref", LOG, f"{LOG}~2")
    bea = old.clone("bea")
    bea.sync()
    bea.say("other")
    bea.sync()
    done = ann.sync()
    assert "goes another way than" in done.stderr
    assert ann.numbered() == [(1, "one"), (2, "other"), (3, "two"), (4, "three")]
    assert "#3 (was #2)" in ann.chat("log").stdout


def test_another_repository_at_the_same_address_is_refused(world: World, old: Counted, ann: Clone) -> None:
    """Whoever replaced it: its room begins otherwise, so it is not ours."""
    old.path.rename(world.root / "away.git")
    stranger = Counted(world, old.path)
    carl = stranger.clone("carl")
    carl.say("of another team")
    carl.sync()
    done = ann.chat("sync")
    refused(done, "another repository stands at 'origin', and it has another room 'lobby'", "attach lobby origin --yes")
    assert "remote move" not in done.stderr
    assert (stranger.pushes, ann.numbered()) == (1, NUMBERED)


def test_a_room_that_was_deleted_while_others_stand_stays_deleted(old: Counted, ann: Clone) -> None:
    """Nothing of it is pushed, by nobody; ``sync --restore`` brings it back."""
    ann.say("elsewhere", GITCHAT_ROOM="")
    ann.chat("send", "--room", "dev", "in dev", check=True)
    ann.sync()
    old.git("update-ref", "-d", LOG)
    for _ in range(2):
        done = ann.sync()
        assert "was deleted at 'origin', and nothing of it is pushed" in done.stderr
        assert LOG not in old.git("for-each-ref").stdout
    ann.say("later")
    assert "was deleted at 'origin'" in ann.sync().stderr
    ann.chat(*hinted(done, "sync origin --room"), check=True)
    assert old.bodies() == ["one", "two", "three", "elsewhere", "later"]
    assert [number for number, _ in ann.numbered()] == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_a_room_that_was_deleted_can_be_dropped_here_too(old: Counted, ann: Clone) -> None:
    """Its refs go, and do not come back; what the remote never had is lost only when somebody agrees."""
    ann.chat("send", "--room", "dev", "in dev", check=True)
    ann.chat("read", check=True)
    ann.sync()
    still = ann.chat("room", "forget", "lobby")
    assert (still.returncode, "'origin' has a room 'lobby'" in still.stderr) == (3, True)
    ann.say("never pushed")
    old.git("update-ref", "-d", LOG)
    done = ann.sync()
    kept = ann.chat(*hinted(done, "room forget"))
    assert (kept.returncode, "1 message in room 'lobby' was never at 'origin'" in kept.stderr) == (3, True)
    ann.chat(*hinted(kept, "room forget"), check=True)
    assert "lobby" not in ann.chat("rooms", check=True).stdout
    assert "lobby" not in ann.git("for-each-ref", "refs/chatroom", "refs/chatroom-local").stdout
    assert ann.sync().stderr == ""
    assert LOG not in old.git("for-each-ref").stdout
    assert ann.chat("doctor").returncode == 0
    ann.say("anew")
    assert ann.numbered() == [(1, "anew")]


@pytest.mark.slow
def test_forgetting_is_for_rooms_of_a_remote(ann: Clone) -> None:
    """A room that is nowhere else is not dropped by it; nor is one that is not there."""
    ann.chat("send", "--room", "own", "only here", check=True)
    done = ann.chat("room", "forget", "own")
    assert (done.returncode, "follows no remote" in done.stderr) == (1, True)
    assert ann.chat("room", "forget", "none").returncode == 1


@pytest.mark.slow
def test_an_empty_hub_gets_its_rooms_back_by_a_person_alone(old: Counted, ann: Clone) -> None:
    """Who stays says it and waits; a sync that is typed brings them back."""
    pushes = old.pushes
    with keeping(ann) as said:
        ann.say("four")
        until(lambda: old.pushes > pushes)
        pushes = old.pushes
        old.git("update-ref", "-d", LOG)
        until(lambda: "has no room any more" in said())
        assert "git chat sync origin" in said()
    assert (old.pushes, ann.numbered()) == (pushes, [*NUMBERED, (4, "four")])
    assert "the next push brings it back" in ann.sync().stderr
    assert (old.bodies(), ann.numbered()) == (["one", "two", "three", "four"], [*NUMBERED, (4, "four")])


# --- another address ------------------------------------------------------------------


def test_the_same_log_at_another_address_goes_on_and_is_noted(old: Counted, new: Counted, ann: Clone) -> None:
    """A hub that was moved as it is: what is new goes there, and nowhere else."""
    copy(old, new)
    pushes = old.pushes
    move(ann, new)
    ann.say("four")
    assert "is at another address" in ann.sync().stderr
    assert ann.sync().stderr == ""
    assert (new.bodies(), old.pushes) == (["one", "two", "three", "four"], pushes)
    assert note(ann)["address"] == str(new.path).removesuffix(".git")


@pytest.mark.slow
def test_a_place_that_lags_is_waited_for(old: Counted, new: Counted, ann: Clone) -> None:
    """Fetched and left alone until it has caught up; numbers stand meanwhile; ``remote move`` brings the rest there."""
    copy(old, new, f"{LOG}~1")
    move(ann, new)
    ann.say("four")
    done = ann.sync()
    assert "has only the beginning of what was seen" in done.stderr
    assert (new.pushes, ann.numbered()) == (0, [*NUMBERED, (None, "four")])
    copy(old, new)
    ann.sync()
    assert new.bodies() == ["one", "two", "three", "four"]

    new.git("update-ref", LOG, f"{LOG}~2")
    third = Counted(old.world, old.world.root / "third.git")
    copy(new, third)
    move(ann, third)
    ann.chat(*hinted(ann.sync(), "remote move"), check=True)
    assert third.bodies()[:4] == ["one", "two", "three", "four"]


@pytest.mark.slow
def test_another_way_at_another_address_is_refused(old: Counted, new: Counted, ann: Clone) -> None:
    """It says since when; ``remote move`` joins them, its order first."""
    copy(old, new, f"{LOG}~2")
    bea = new.clone("bea")
    bea.sync()
    bea.say("other")
    bea.sync()
    pushes = new.pushes
    move(ann, new)
    done = ann.chat("sync")
    refused(done, "'origin' is at another address", "room 'lobby' goes another way there since #1")
    assert (new.pushes, ann.numbered()) == (pushes, NUMBERED)
    ann.chat(*hinted(done, "remote move"), check=True)
    assert ann.numbered() == [(1, "one"), (2, "other"), (3, "two"), (4, "three")]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["remote attach", "remote detach", "set-url"])
def test_another_room_at_another_address_is_refused(old: Counted, new: Counted, ann: Clone, way: str) -> None:
    """One team's messages never reach another team's hub; each way out that is named leads out."""
    carl = new.clone("carl")
    carl.say("of another team")
    carl.sync()
    move(ann, new)
    done = ann.chat("sync")
    refused(done, "it has another room 'lobby'")
    assert (new.pushes, new.bodies(), ann.numbered()) == (1, ["of another team"], NUMBERED)
    if way == "set-url":
        move(ann, old)
        assert ann.sync().stderr == ""
        return
    ann.chat(*hinted(done, way), check=True)
    if way == "remote attach":
        assert ann.numbered() == [(1, "of another team"), (2, "one"), (3, "two"), (4, "three")]
    else:
        ann.say("four")
        assert (new.pushes, ann.numbered()) == (1, [*NUMBERED, (4, "four")])


def test_an_empty_place_at_another_address_is_refused(old: Counted, new: Counted, ann: Clone) -> None:
    """Nothing is pushed there before somebody says that the rooms have moved."""
    ann.chat("read", GITCHAT_NAME="bob", check=True)
    ann.sync()
    move(ann, new)
    ann.say("four")
    done = ann.chat("sync")
    refused(done, "no room is there")
    assert new.git("for-each-ref").stdout == ""
    ann.chat(*hinted(done, "remote move"), check=True)
    assert CURSOR in ann.git("for-each-ref").stdout
    assert CURSOR in new.git("for-each-ref").stdout
    assert (new.bodies()[:4], ann.numbered()) == (["one", "two", "three", "four"], [*NUMBERED, (4, "four")])


@pytest.mark.slow
def test_a_place_that_has_other_rooms_and_not_this_one_is_refused(old: Counted, new: Counted, ann: Clone) -> None:
    """Neither is ours pushed there, nor are theirs taken in."""
    carl = new.clone("carl")
    carl.chat("send", "--room", "dev", "of another team", check=True)
    carl.sync()
    move(ann, new)
    refused(ann.chat("sync"), "room 'lobby' is not there")
    refused(ann.chat("sync", "--room", "lobby"), "room 'lobby' is not there")
    refused(ann.chat("sync", "--dry-run"), "room 'lobby' is not there")
    assert new.pushes == 1
    assert DEV not in ann.git("for-each-ref").stdout


def test_a_room_of_ours_that_nobody_attached_is_not_pushed_there_either(old: Counted, new: Counted, ann: Clone) -> None:
    """Where one room shows that it is another place, nothing else is pushed to it."""
    ann.chat("send", "--room", "dev", "not attached yet", check=True)
    move(ann, new)
    refused(ann.chat("sync"), "no room is there")
    assert new.git("for-each-ref").stdout == ""


@pytest.mark.slow
def test_a_clone_without_a_note_goes_on_where_the_log_shows_it(old: Counted, new: Counted, ann: Clone) -> None:
    """As version 0.1.0 leaves them: what contains what was seen is noted; everything else is another address."""
    notes = ann.path / ".git" / "chatroom" / "authorities"
    notes.unlink()
    ann.sync()
    assert note(ann)["remote"] == "origin"
    notes.write_text("{damaged")
    move(ann, new)
    refused(ann.chat("sync"), "no room is there")


def test_nothing_unattended_pushes_to_a_place_that_was_not_agreed(old: Counted, new: Counted, ann: Clone) -> None:
    """Who stays is no person: after each change of the address the new place has taken nothing."""
    with keeping(ann) as said:
        ann.say("four")
        until(lambda: old.bodies() == ["one", "two", "three", "four"])
        move(ann, new)
        ann.say("five")
        until(lambda: "at another address" in said())
        assert (new.pushes, new.git("for-each-ref").stdout) == (0, "")
        move(ann, old)
        ann.say("six")
        until(lambda: old.bodies() == ["one", "two", "three", "four", "five", "six"])
    assert new.pushes == 0


# --- who still follows the old place ---------------------------------------------------------


def test_who_follows_the_old_place_is_told_where_the_rooms_went(old: Counted, new: Counted, ann: Clone) -> None:
    """By a record that both places have, so that numbers stand; the command that is named leads there."""
    bea = old.clone("bea")
    bea.sync()
    ann.say("four")
    move(ann, new)
    assert "is told where it is" in ann.chat("remote", "move", "origin", check=True).stderr
    assert ann.sync().stderr == ""
    assert (old.tip, old.bodies()[:4]) == (new.tip, ["one", "two", "three", "four"])
    for _ in range(2):
        done = bea.sync()
        assert f"room 'lobby' moved to {new.path}, says ann" in done.stderr
    bea.world.run("sh", "-c", done.stderr.partition("follow it there: ")[2].strip(), cwd=bea.path, GITCHAT_NAME="bea")
    bea.say("six")
    assert bea.sync().stderr == ""
    assert [number for number, _ in bea.numbered()] == [1, 2, 3, 4, 6]
    assert (new.bodies()[-1], old.tip == new.tip) == ("six", False)
    assert bea.chat("verify").returncode == 0


@pytest.mark.slow
def test_who_stays_hears_of_a_move_once_and_does_not_follow(old: Counted, new: Counted, ann: Clone) -> None:
    """What they say still goes to the old place: nobody decided anything for them."""
    bea = old.clone("bea", sync="batch")
    bea.chat("log", check=True)
    move(ann, new)
    with keeping(bea) as said:
        ann.chat("remote", "move", "origin", check=True)
        until(lambda: "moved to" in said())
        bea.say("five")
        until(lambda: old.bodies()[-1] == "five")
        assert said().count("moved to") == 1
    move(bea, new)
    bea.chat(*hinted(bea.sync(), "remote move"), check=True)
    assert new.bodies()[-1] == old.bodies()[-1] == "five"


@pytest.mark.slow
def test_a_move_tells_as_far_as_it_can(old: Counted, new: Counted, ann: Clone) -> None:
    """A dead old place costs nothing, and is told later; one that went on keeps what it has, and gets the word."""
    bea = old.clone("bea")
    bea.sync()
    away = old.world.root / "away.git"
    old.path.rename(away)
    move(ann, new)
    done = ann.chat("remote", "move", "origin", check=True)
    assert "nobody was told at" in done.stderr
    bea.git("remote", "set-url", "origin", away)
    bea.sync()
    bea.say("late")
    bea.sync()
    ann.say("five")
    ann.sync()
    words = [word.replace("URL", str(away)) for word in hinted(done, "remote move origin --from")]
    ann.chat(*words, check=True)
    assert "moved to" in bea.sync().stderr
    assert [body for _, body in bea.numbered()][:4] == ["one", "two", "three", "late"]
    assert ann.chat("log", "--json").stdout.count("this room moved to") <= 2


@pytest.mark.slow
def test_an_address_that_nobody_should_use_is_no_command(old: Counted, ann: Clone) -> None:
    """Anybody who may push can write such a record: what runs a program is never named."""
    bea = old.clone("bea")
    bea.sync()
    tree = ann.git("mktree", stdin=b"").stdout.strip()
    place = str(old.path).removesuffix(".git")
    for number, address in enumerate(["ext::sh -c touch% /tmp/x", "--upload-pack=x", "https://x/$(id) y"], 1):
        told = f"x\n\nChat-Kind: meta\nChat-Uid: {number:016}\nChat-Moved: {address}\nChat-Moved-From: {place}\n"
        later = ann.git("commit-tree", tree, "-p", old.tip, "-m", told, GIT_AUTHOR_NAME="zoe").stdout.strip()
        ann.git("push", "-q", "origin", f"{later}:{LOG}")
    assert bea.sync().stderr == ""


# --- how an address is worded ------------------------------------------------------------


@pytest.mark.slow
def test_another_wording_of_the_same_address_is_no_other_place(old: Counted, ann: Clone) -> None:
    """With a scheme, behind an alias, relative, with a slash: nothing is said, and nothing is noted anew."""
    before = note(ann)
    ann.git("config", f"url.{old.path.parent}/.insteadOf", "hub:")
    for url in (f"file://{old.path}", "hub:old.git", "../old.git", f"{old.path}/"):
        ann.git("remote", "set-url", "origin", url)
        assert ann.sync().stderr == ""
    assert note(ann) == before


@pytest.mark.slow
def test_a_linked_worktree_reads_a_relative_address_as_the_main_one_does(old: Counted, ann: Clone) -> None:
    """git itself would look for it beside the worktree, wherever that is."""
    ann.git("commit", "-q", "--allow-empty", "-m", "x")
    ann.git("remote", "set-url", "origin", "../old.git")
    far = ann.world.root / "far" / "away"
    ann.git("worktree", "add", "-q", far)
    there = Clone(ann.world, far, "ann")
    there.say("from afar")
    there.sync()
    assert old.bodies()[-1] == "from afar"


# --- several addresses ----------------------------------------------------------------------


def test_a_push_url_elsewhere_is_refused_with_both_addresses(old: Counted, new: Counted) -> None:
    """Nothing was seen yet, and both are empty: nobody can tell that they are one place."""
    ann = old.clone("ann")
    ann.git("remote", "set-url", "--push", "origin", new.path)
    ann.say("one")
    done = ann.chat("sync")
    assert done.returncode == 3
    assert f"fetches from {str(old.path)[:-4]} and its push URL is {str(new.path)[:-4]}" in done.stderr
    assert (old.pushes, new.pushes) == (0, 0)
    command = done.stderr.partition("its own: ")[2].strip()
    ann.world.run("sh", "-c", command, cwd=ann.path, GITCHAT_NAME="ann")
    assert (old.bodies(), new.pushes) == (["one"], 0)


@pytest.mark.slow
def test_a_push_url_where_the_same_rooms_stand_is_pushed_to(old: Counted, new: Counted, ann: Clone) -> None:
    """A second name of the hub, or what it is mirrored from: it has what we last saw."""
    copy(old, new)
    pushes = old.pushes
    ann.git("remote", "set-url", "--push", "origin", new.path)
    ann.say("four")
    ann.sync()
    assert (new.bodies()[-1], old.pushes) == ("four", pushes)


def test_of_several_push_urls_the_one_with_the_rooms_is_pushed_to_alone(old: Counted, new: Counted, ann: Clone) -> None:
    """git would push to all of them; a dead one that stands first stops nothing."""
    for address in (ann.world.root / "gone.git", new.path, old.path):
        ann.git("remote", "set-url", "--add", "--push", "origin", address)
    ann.say("four")
    ann.sync()
    assert (old.bodies()[-1], new.pushes) == ("four", 0)


@pytest.mark.slow
def test_addresses_that_are_not_used_are_named(old: Counted, new: Counted, ann: Clone) -> None:
    """git fetches from the first alone; a person should know."""
    ann.git("remote", "set-url", "--add", "origin", new.path)
    ann.git("remote", "set-url", "--push", "origin", old.path)
    assert f"url {str(new.path)[:-4]} is not used" in ann.sync().stderr


# --- names of remotes -------------------------------------------------------------------------


def test_a_remote_that_was_renamed_is_followed(old: Counted, ann: Clone) -> None:
    """Numbers stand, what is pending goes out, and the note has the new name."""
    ann.git("remote", "rename", "origin", "up")
    ann.say("four")
    done = ann.sync()
    assert "lobby: its remote is called 'up' now, and is followed" in done.stdout
    assert (ann.numbered(), old.bodies()[-1]) == ([*NUMBERED, (4, "four")], "four")
    assert note(ann)["remote"] == "up"
    assert "/origin/" not in ann.git("for-each-ref", "refs/chatroom-local/remotes").stdout


@pytest.mark.slow
def test_who_stays_follows_a_renamed_remote_too(old: Counted, ann: Clone) -> None:
    """Without a word from anybody."""
    ann.git("remote", "rename", "origin", "up")
    with keeping(ann):
        ann.say("four")
        until(lambda: old.bodies()[-1] == "four")


@pytest.mark.slow
def test_a_remote_that_is_gone_is_said_with_a_command_that_helps(old: Counted, new: Counted, ann: Clone) -> None:
    """Two remotes at its address, or none: nobody guesses. The setting that is named ends it."""
    ann.git("remote", "remove", "origin")
    ann.git("remote", "add", "one", old.path)
    ann.git("remote", "add", "two", old.path)
    done = ann.chat("sync", "one")
    assert (done.returncode, "follows the remote 'origin', and there is no such remote" in done.stderr) == (1, True)
    ann.world.run("sh", "-c", done.stderr.partition("follow one: ")[2].strip(), cwd=ann.path)
    ann.say("four")
    ann.chat("sync", "one", check=True)
    assert (ann.numbered(), old.bodies()[-1]) == ([*NUMBERED, (4, "four")], "four")


# --- what a remote shows -----------------------------------------------------------------------


def test_a_hub_that_hides_rooms_gets_none(old: Counted) -> None:
    """It takes them, and nobody could ever fetch them: that is said each time, and the room is not attached."""
    old.git("config", "uploadpack.hideRefs", "refs/chatroom")
    ann = old.clone("ann")
    ann.say("one")
    for _ in range(2):
        done = ann.chat("sync")
        assert (done.returncode, f"'origin' has {LOG} and does not show it" in done.stderr) == (5, True)
        assert ann.chat("remote").stdout == "lobby: this clone\n"
        assert ann.numbered() == [(1, "one")]
    old.git("config", "--unset", "uploadpack.hideRefs")
    ann.chat(*hinted(done, "sync origin"), check=True)
    assert (ann.chat("remote").stdout, old.bodies()) == ("lobby: origin\n", ["one"])


@pytest.mark.slow
@pytest.mark.parametrize("way", ["sync origin", "remote detach"])
def test_a_hub_that_begins_to_hide_rooms_changes_no_number(old: Counted, ann: Clone, way: str) -> None:
    """What was there has its numbers, what is said waits, a new room too; both ways that are named lead on."""
    old.git("config", "uploadpack.hideRefs", "refs/chatroom")
    ann.say("four")
    ann.chat("send", "--room", "dev", "in dev", check=True)
    with keeping(ann) as said:
        until(lambda: "does not show it" in said())
    for _ in range(2):
        done = ann.chat("sync", "--room", "lobby")
        assert (done.returncode, "does not show it" in done.stderr) == (5, True)
        assert ann.numbered() == [*NUMBERED, (None, "four")]
    if way == "sync origin":
        old.git("config", "--unset", "uploadpack.hideRefs")
    ann.chat(*hinted(done, way), check=True)
    assert ann.numbered() == [*NUMBERED, (4, "four")]
    if way == "sync origin":
        assert old.bodies() == ["one", "two", "three", "four"]
        assert [
            record["id"] for record in map(json.loads, ann.chat("log", "--room", "dev", "--json").stdout.splitlines())
        ] == [1]


def test_a_hub_that_somebody_pushed_to_with_mirror_stays_a_hub(old: Counted, ann: Clone) -> None:
    """New clones join it as ever; what the push left there is named, with the command that removes it."""
    ann.git("push", "-q", "--mirror", old.path)
    assert "refs/chatroom-local/remotes/origin/rooms/lobby/log" in old.git("for-each-ref").stdout
    bea = old.clone("bea", sync="batch")
    assert bea.numbered() == NUMBERED
    bea.say("four")
    carl = old.clone("carl")
    done = carl.sync()
    assert "'origin' has refs of a clone" in done.stderr
    assert carl.numbered() == [*NUMBERED, (4, "four")]
    found = carl.chat("doctor").stdout
    command = done.stderr.partition("to remove them: ")[2].strip()
    assert command in found
    carl.world.run("sh", "-c", command, cwd=carl.path)
    assert "refs/chatroom-local" not in old.git("for-each-ref").stdout
    assert "refs of a clone" not in carl.chat("doctor").stdout + old.clone("dora").sync().stderr
    assert old.bodies() == ["one", "two", "three", "four"]


@pytest.mark.slow
def test_a_clone_that_follows_a_hub_is_known_as_one(old: Counted, ann: Clone) -> None:
    """By a ref that no push carries on; one that was copied to be a hub is made one by the command that is named."""
    bea = old.clone("bea", ann.path)
    done = bea.chat("sync")
    assert "is a clone whose rooms follow its own remote 'origin'" in done.stderr
    carl = old.clone("carl", ann.path, sync="batch")
    carl.chat("log")
    assert carl.git("for-each-ref", "refs/chatroom").stdout == ""
    bea.world.run("sh", "-c", done.stderr.partition("to be a hub: ")[2].strip(), cwd=bea.path)
    bea.sync()
    assert bea.numbered() == NUMBERED


# --- who does not move a ref does not push it (rulings 36a) ----------------------------------------


@pytest.mark.slow
def test_a_cursor_that_was_deleted_at_the_remote_is_not_brought_back(old: Counted, ann: Clone) -> None:
    """By who only had it; who reads under that name has it again."""
    bea = old.clone("bea")
    bea.sync()
    bea.chat("read", check=True)
    bea.sync()
    ann.sync()
    cursor = "refs/chatroom/rooms/lobby/cursors/bea"
    assert cursor in ann.git("for-each-ref").stdout
    old.git("update-ref", "-d", cursor)
    ann.sync()
    assert cursor not in ann.git("for-each-ref").stdout + old.git("for-each-ref").stdout
    ann.say("four")
    ann.sync()
    bea.sync()
    assert cursor not in bea.git("for-each-ref").stdout + old.git("for-each-ref").stdout
    bea.chat("read", check=True)
    bea.sync()
    assert cursor in old.git("for-each-ref").stdout


@pytest.mark.slow
def test_a_ref_that_no_room_can_have_stays_at_the_remote(old: Counted, ann: Clone) -> None:
    """It is neither taken in nor in the way."""
    for name in ("rooms/yy", "rooms/lobby/cursors/bob/x", "rooms/UP/log", "rooms/lobby/other"):
        old.git("update-ref", f"refs/chatroom/{name}", LOG)
    ann.say("four")
    assert ann.sync().stderr == ""
    assert ann.git("for-each-ref", "--format=%(refname)", "refs/chatroom").stdout.split() == [LOG]


# --- the gate (8.1) ---------------------------------------------------------------------------------


def ask_for_a_later_format(clone: Clone, hub: Hub) -> None:
    """Add what a version writes that needs format 3: its first word to all others."""
    tree = clone.git("mktree", stdin=b"").stdout.strip()
    told = "asks for more\n\nChat-Kind: meta\nChat-Uid: 0000000000000001\nChat-Format-Min: 3\n"
    later = clone.git("commit-tree", tree, "-p", hub.tip, "-m", told, GIT_AUTHOR_NAME="zoe").stdout.strip()
    clone.git("push", "-q", "origin", f"{later}:{LOG}")


def refused_as_newer(done: Done) -> None:
    """The status and the hint that send has for it, too."""
    assert (done.returncode, "is written in format 3" in done.stderr) == (4, True)
    assert "pipx install --force ." in done.stderr


def test_sync_pushes_nothing_into_a_room_that_asks_for_a_later_format(old: Counted, ann: Clone) -> None:
    """What is there is fetched and read on; no merge, no cursor, no summary of ours reaches it."""
    bea = old.clone("bea")
    bea.sync()
    ask_for_a_later_format(bea, old)
    ann.chat("read", check=True)
    ann.chat("summary", "write", "what was said", check=True)
    bea.say("pending in bea")
    before = old.git("for-each-ref").stdout
    for clone in (ann, bea):
        refused_as_newer(clone.chat("sync"))
    assert old.git("for-each-ref").stdout == before
    assert ann.records()[-1]["id"] == 3
    assert ann.chat("show", "4", check=True).stdout
    assert ann.chat("send", "x").returncode == 4


@pytest.mark.slow
def test_nothing_is_brought_back_to_a_room_that_asks_for_a_later_format(old: Counted, ann: Clone) -> None:
    """A hub that was restored gets back what it lost by a version that knows its format; here it stays known."""
    ask_for_a_later_format(ann, old)
    later = old.tip
    tree = ann.git("mktree", stdin=b"").stdout.strip()
    told = "after it\n\nChat-Kind: message\nChat-Uid: 0000000000000002\n"
    last = ann.git("commit-tree", tree, "-p", later, "-m", told, GIT_AUTHOR_NAME="zoe").stdout.strip()
    ann.git("push", "-q", "origin", f"{last}:{LOG}")
    ann.sync()
    old.git("update-ref", LOG, later)
    refused_as_newer(ann.chat("sync"))
    assert old.tip == later
    ann.git("gc", "-q", "--prune=now")
    assert ann.records()[-1]["content"] == "after it"
