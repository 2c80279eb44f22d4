"""Giving a name back, and positions that nobody moves any more. Proves docs/format.md 7.30, 12.15 and 12.22."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitchat.clones import idle
from gitchat.model.names import Name
from tests.clones.conftest import Clone, Hub

SESSION = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "a1"}
CURSOR = "refs/chatroom/rooms/lobby/cursors/lexer"
NOWHERE = "nowhere"


@pytest.fixture
def ann(hub: Hub) -> Clone:
    """A clone whose agent lexer has spoken and read, which the hub knows."""
    clone = hub.clone("ann")
    clone.say("one")
    clone.say("hello", **agent())
    clone.chat("read", check=True, **agent())
    clone.sync()
    assert cursors(hub) == ["lexer"]
    return clone


def agent() -> dict[str, str]:
    """Variables of the session that goes by the name lexer."""
    return SESSION | {"GITCHAT_NAME": "lexer"}


def cursors(place: Hub | Clone) -> list[str]:
    """Whose positions a repository has."""
    refs = place.git("for-each-ref", "--format=%(refname)", "refs/chatroom/rooms/lobby/cursors/").stdout.split()
    return [ref.rpartition("/")[2] for ref in refs]


def left_of(clone: Clone, name: str) -> list[str]:
    """All refs and files of a clone that have the name in theirs, but for the file that is only ever emptied."""
    refs = clone.git("for-each-ref", "--format=%(refname)").stdout.split()
    directory = clone.path / ".git/chatroom"
    files = [str(path.relative_to(directory)) for path in directory.rglob(name) if '"rooms":{}' not in path.read_text()]
    return [ref for ref in refs if ref.endswith(f"/{name}")] + files


def forget(clone: Clone, *arguments: str) -> dict[str, Any]:
    """What a person there is told of giving lexer back."""
    shown: dict[str, Any] = json.loads(clone.chat("forget", "lexer", "--json", *arguments, check=True).stdout)
    return shown


def test_a_name_is_given_back_everywhere_and_its_messages_stay(hub: Hub, ann: Clone) -> None:
    """Nothing of it is left, here or at the hub; another clone drops it, too; again it does nothing."""
    bea = hub.clone("bea")
    bea.sync()
    assert cursors(bea) == ["lexer"]
    ann.chat("join", "lexer", check=True)
    ann.say("not yet for the hub")
    done = ann.chat("forget", "lexer", check=True)
    assert done.stdout == "lexer is forgotten here: 1 position, 1 seat; what it said stays\n"
    assert (left_of(ann, "lexer"), cursors(hub)) == ([], [])
    assert ann.records()[-1]["id"] is None, "who gives a name back has not said that messages go"
    assert "lexer" not in (ann.path / ".git/chatroom/seats").read_text()
    again = ann.chat("forget", "lexer", check=True)
    assert again.stdout == "nothing is left of lexer here but what it said\n"
    ann.sync()
    bea.sync()
    assert (cursors(bea), cursors(hub), cursors(ann)) == ([], [], [])
    assert "hello" in bea.bodies()
    hub.assert_clean()


def test_who_comes_again_begins_at_the_newest_summary(ann: Clone) -> None:
    """As who was away for long: nothing that everybody knows is told again, and nothing newer is missed."""
    ann.chat("summary", "write", "All of it.", check=True)
    ann.say("newer")
    forget(ann)
    told = ann.chat("read", "--json", check=True, **agent()).stdout.splitlines()
    assert [json.loads(line)["content"] for line in told] == ["newer"]


def test_a_remote_that_is_not_heard_drops_it_later(hub: Hub, ann: Clone) -> None:
    """It is said at once, and done with the next sync; until then the position does not come back."""
    ann.git("remote", "set-url", "origin", ann.path / NOWHERE)
    done = ann.chat("forget", "lexer", check=True)
    assert "'origin' has still to drop 1 position" in done.stderr
    assert "git chat sync origin" in done.stderr
    assert left_of(ann, "lexer") == []
    ann.git("remote", "set-url", "origin", hub.path)
    ann.chat("pull", check=True)
    assert (cursors(ann), cursors(hub)) == ([], ["lexer"])
    ann.sync()
    assert (cursors(ann), cursors(hub)) == ([], [])


def test_who_reads_on_elsewhere_keeps_what_it_has_read(hub: Hub, ann: Clone) -> None:
    """A position that moved since is somebody's."""
    bea = hub.clone("bea")
    bea.sync()
    ann.git("remote", "set-url", "origin", ann.path / NOWHERE)
    assert forget(ann)["waiting"] == {"origin": ["lobby"]}
    bea.say("more")
    bea.chat("read", "--as", "lexer", check=True)
    bea.sync()
    ann.git("remote", "set-url", "origin", hub.path)
    ann.sync()
    assert cursors(hub) == cursors(ann) == ["lexer"]


def test_a_hub_that_lets_nobody_remove_a_ref_is_named(hub: Hub, ann: Clone) -> None:
    """The position comes back, which is said; nothing is asked for again."""
    hub.hook("case $3 in *[!0]*) ;; *) exit 1 ;; esac", "update")
    done = ann.chat("forget", "lexer", check=True)
    assert f"'origin' does not remove {CURSOR}, which comes back" in done.stderr
    ann.sync()
    assert cursors(ann) == cursors(hub) == ["lexer"]


def test_a_living_name_stays(ann: Clone) -> None:
    """Who holds it is named, and the hint shows when it does no more."""
    environment = ann.world.environment(ann.path)
    with environment.hold(Name("lexer")):
        done = ann.chat("forget", "lexer")
        assert (done.returncode, cursors(ann)) == (1, ["lexer"])
        assert "'lexer' lives" in done.stderr
        assert "lexer" in ann.chat("who", check=True).stdout
    assert forget(ann)["cursors"] == 1


def test_an_agent_gives_back_its_own_name_alone(ann: Clone) -> None:
    """Another one, or a person, reads on by its position; the hint asks a person, who may."""
    other = SESSION | {"CLAUDE_CODE_SESSION_ID": "b2", "GITCHAT_NAME": "parser"}
    done = ann.chat("forget", "lexer", **other)
    assert (done.returncode, cursors(ann)) == (1, ["lexer"])
    assert "'lexer' is not yours to give back: you are parser" in done.stderr
    asked = 'git chat send "please: git chat forget lexer"'
    assert asked in done.stderr
    ann.chat("send", "please: git chat forget lexer", check=True, **other)
    assert "git chat forget lexer" in ann.chat("log", check=True).stdout
    assert ann.chat("forget", "lexer", check=True, **agent()).stdout.startswith("lexer is forgotten here: 1 position")
    assert cursors(ann) == []


def test_in_one_room_alone(ann: Clone) -> None:
    """The others are as they were."""
    ann.chat("send", "--room", "review", "here", check=True)
    ann.chat("read", "--room", "review", check=True, **agent())
    forget(ann, "--room", "review")
    assert CURSOR in left_of(ann, "lexer")
    assert not any("review" in one for one in left_of(ann, "lexer"))
    assert "no room 'reviw'" in ann.chat("forget", "lexer", "--room", "reviw").stderr


def test_nobody_of_that_name(ann: Clone) -> None:
    """The near ones are named, in a command that works."""
    done = ann.chat("forget", "lexre")
    assert done.returncode == 1
    assert "nobody called 'lexre' was ever here" in done.stderr
    assert "git chat forget lexer;" in done.stderr


def test_the_position_of_an_agent_that_stands_still_goes_everywhere(
    hub: Hub, ann: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before its time, and no person's; a clone that has it from there loses it with the next sync."""
    ann.chat("send", "by hand", check=True)
    ann.chat("read", check=True)
    ann.sync()
    bea = hub.clone("bea")
    bea.sync()
    ann.sync()
    assert cursors(bea) == cursors(hub) == ["ann", "lexer"]
    stood = ann.path / ".git/chatroom/stood-origin"
    since = {ref: [oid, at - idle.STILL_SECONDS] for ref, (oid, at) in json.loads(stood.read_text()).items()}
    stood.write_text(json.dumps(since))
    ann.sync()
    bea.sync()
    assert cursors(ann) == cursors(bea) == cursors(hub) == ["ann"]
