"""Conflicts ahead, between real worktrees: what is found, what is told, and that nothing of the user's changes."""

from __future__ import annotations

import hashlib
import os

import pytest

from gitchat.model.names import Name
from gitchat.model.record import STATUS, Draft, Moment
from gitchat.quick.conflicts import CONFLICT
from gitchat.staying import moved
from gitchat.staying.told import Told
from gitchat.storage import gate
from gitchat.verbs import conflicting, forewarning, unasked
from gitchat.verbs.room import Room
from gitchat.work import scratch
from tests.server.wire import eventually
from tests.work.conftest import Place
from tests.world import World


def test_a_conflict_a_shared_file_and_a_rename_are_told_apart(place: Place) -> None:
    """One conflict, one file shared cleanly, one rename that git follows: both are told of the first alone, once."""
    place.write(place.bob, "lexer.py", 20, "bob's")
    place.write(place.bob, "token.py", 1, "bob's")
    place.write(place.bob, "errors.py", 3, "bob's")
    place.commit(place.bob)
    place.write(place.alice, "lexer.py", 20, "alice's")
    place.write(place.alice, "token.py", 40, "alice's")
    (place.alice / "errors.py").rename(place.alice / "faults.py")
    place.commit(place.alice)
    assert place.found() == {"lexer.py": "conflict", "token.py": "merges", "errors.py": "merges"}
    assert place.found(place.bob)["lexer.py"] == "conflict"
    text = "lexer.py: alice (mine, line 20) and bob (theirs, line 20) cannot be merged"
    assert place.statuses() == [("conflict", "alice,bob", text)]
    inbox = place.world.chat("inbox", "--as", "bob", cwd=place.bob, check=True).stdout
    assert "lexer.py" in inbox
    place.write(place.alice, "lexer.py", 20, "bob's")
    place.commit(place.alice)
    assert place.found()["lexer.py"] == "merges"
    assert [one[0] for one in place.statuses()] == ["conflict", "conflict-over"]
    assert place.found()["lexer.py"] == "merges"
    assert len(place.statuses()) == 2


def test_nothing_of_the_users_changes(place: Place) -> None:
    """Not a byte below .git but our own, with changes that are staged, unstaged, new, deleted and ignored."""
    place.write(place.bob, "lexer.py", 20, "bob's")
    for tree, name in ((place.alice, "alice"), (place.bob, "bob")):
        place.write(tree, "token.py", 5, name)
        place.world.git("add", "token.py", cwd=tree)
        place.write(tree, "token.py", 30, name)
        place.write(tree, "new.py", None, name)
        (tree / "errors.py").unlink()
    place.write(place.alice, ".gitignore", None, "*.log")
    place.write(place.alice, "x.log", None, "ignored")
    before = _digests(place)
    assert place.found() == {"token.py": "conflict", "new.py": "conflict", "errors.py": "merges"}
    assert _digests(place) == before
    assert not (place.alice / ".git/chatroom/ahead").exists()


def _digests(place: Place) -> dict[str, str]:
    files = [path for top in (place.alice, place.bob) for path in sorted(top.rglob("*")) if path.is_file()]
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if "chatroom" not in path.relative_to(place.world.root).parts
    }


def test_what_is_on_its_way_is_told_when_it_stays(place: Place) -> None:
    """Of what nobody committed a look twenty seconds later has to find it again; one that is gone is not told."""
    begin = place.world.environment(place.alice).now().seconds
    place.write(place.alice, "lexer.py", 20, "alice's")
    place.write(place.bob, "lexer.py", 20, "bob's")

    def look(seconds: int) -> int:
        environment = place.world.environment(place.alice, now=lambda: Moment(begin + seconds))
        Room(environment, name="alice").conflicts()
        return len(place.statuses())

    assert look(0) == 0
    assert look(10) == 0
    place.write(place.bob, "lexer.py", 20, "line 20")
    assert look(15) == 0
    place.write(place.bob, "lexer.py", 20, "bob's")
    assert look(30) == 0, "that is a new one"
    assert look(30 + forewarning.AGAIN_SECONDS) == 1
    place.write(place.alice, "token.py", 20, "alice's")
    place.write(place.bob, "token.py", 20, "bob's")
    assert look(60) == 1
    assert look(90) == 1, "more is told of at most every ten minutes"
    assert look(90 + forewarning.MORE_SECONDS) == 2
    assert "token.py" in place.statuses()[1][2]
    assert "lexer.py" not in place.statuses()[1][2]


def test_a_commit_tells_both_without_anybodys_asking(place: Place) -> None:
    """By the hook that tells of the commit; whose work meets is found also among others than who commits."""
    carol = place.world.root / "carol"
    place.world.git("worktree", "add", "-q", str(carol), "-b", "third", cwd=place.alice)
    place.world.chat("join", "carol", cwd=carol, check=True)
    place.write(place.bob, "lexer.py", 20, "bob's")
    place.commit(place.bob)
    place.write(place.alice, "lexer.py", 20, "alice's")
    place.commit(place.alice)
    place.world.chat("hook", "install", cwd=place.alice, check=True)
    place.write(carol, "token.py", 5, "carol's")
    place.commit(carol)
    eventually(place.statuses)
    assert place.statuses()[0][:2] == ("conflict", "alice,bob")


def test_nobody_looks_unasked_where_that_is_off_or_too_much(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """By chat.conflicts, and in a tree of very many files."""
    place.write(place.bob, "lexer.py", 20, "bob's")
    place.commit(place.bob)
    place.write(place.alice, "lexer.py", 20, "alice's")
    place.commit(place.alice)
    room = Room(place.world.environment(place.alice), name="alice")
    monkeypatch.setattr(unasked, "MOST_FILES", 2)
    conflicting.glance(room)
    monkeypatch.setattr(unasked, "MOST_FILES", scratch.entries_of_index(place.alice / ".git"))
    place.world.git("config", "chat.conflicts", "false", cwd=place.alice)
    conflicting.glance(Room(place.world.environment(place.alice), name="alice"))
    assert place.statuses() == []
    place.world.git("config", "chat.conflicts", "true", cwd=place.alice)
    conflicting.glance(Room(place.world.environment(place.alice), name="alice"))
    assert len(place.statuses()) == 1


def test_half_a_minute_is_between_two_looks_that_nobody_asked_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of many who come meanwhile one waits; what nobody committed is looked at twice, and told then."""
    waited: list[float] = []
    clock = {"now": place.world.environment(place.alice).now().seconds}

    def wait(seconds: float) -> None:
        waited.append(seconds)
        clock["now"] += 31

    monkeypatch.setattr(conflicting, "_sleep", wait)
    place.write(place.bob, "lexer.py", 20, "bob's")
    place.write(place.alice, "lexer.py", 20, "alice's")
    room = Room(place.world.environment(place.alice, now=lambda: Moment(clock["now"])), name="alice")
    conflicting.glance(room)
    assert [one[0] for one in place.statuses()] == ["conflict"]
    assert len(waited) == 1
    assert 0 < waited[0] <= conflicting.PAUSE_SECONDS
    with gate.hold(place.alice / ".git/chatroom", 0, "conflicts.next"):
        conflicting.glance(room)
    assert len(waited) == 1


def test_a_change_in_the_second_of_the_index_is_seen(place: Place) -> None:
    """Of the same length, in a file as old as the index: git reads such a one, and so must who copies the index."""
    place.write(place.bob, "lexer.py", 20, "bob's")
    place.commit(place.bob)
    place.world.git("config", "core.trustctime", "false", cwd=place.alice)
    place.world.git("update-index", "--refresh", cwd=place.alice)
    file, index = place.alice / "lexer.py", place.alice / ".git/index"
    was = file.stat().st_mtime_ns
    place.write(place.alice, "lexer.py", 20, "alice's")
    for path in (file, index):
        os.utime(path, ns=(was, was))
    assert place.found() == {"lexer.py": "conflict"}


def test_what_is_not_known_takes_nothing_back(place: Place) -> None:
    """A conflict that was told stands while one of both cannot be looked at."""
    for tree, name in ((place.bob, "bob"), (place.alice, "alice")):
        place.write(tree, "lexer.py", 20, name)
        place.commit(tree)
    assert place.found() == {"lexer.py": "conflict"}
    marker = place.alice / ".git/worktrees/bob/MERGE_HEAD"
    marker.write_text("x")
    assert "amid a merge" in str(place.found())
    assert [one[0] for one in place.statuses()] == ["conflict"]
    marker.unlink()
    place.write(place.bob, "lexer.py", 20, "alice")
    place.commit(place.bob)
    place.found()
    assert [one[0] for one in place.statuses()] == ["conflict", "conflict-over"]


def test_what_cannot_be_looked_at_is_said(place: Place) -> None:
    """A merge that waits for its user, here or there, is no work to compare; and never "no conflict"."""
    place.write(place.bob, "lexer.py", 20, "bob's")
    place.commit(place.bob)
    place.write(place.alice, "lexer.py", 20, "alice's")
    place.commit(place.alice)
    place.world.git("merge", "theirs", cwd=place.alice, check=False)
    refused = place.world.chat("conflicts", cwd=place.alice)
    assert (refused.returncode, refused.stderr.splitlines()[0]) == (
        1, "error: branch mine here cannot be looked at: it is amid a merge",
    )  # fmt: skip
    there = place.world.chat("conflicts", cwd=place.bob, check=True).stdout
    assert "branch mine in ../repo: not looked at: it is amid a merge" in there
    assert "nobody changes" not in there


def test_a_branch_that_moved_on_is_told_to_one_alone(place: Place) -> None:
    """What the base has meanwhile is nobody's: it is shown, with how far it is ahead, and no record is written."""
    place.world.git("worktree", "add", "-q", str(place.world.root / "trunk"), "main", cwd=place.alice)
    trunk = place.world.root / "trunk"
    place.write(trunk, "errors.py", 9, "the base")
    place.commit(trunk)
    place.write(place.alice, "errors.py", 9, "alice's")
    shown = place.world.chat("conflicts", cwd=place.alice, check=True).stdout.splitlines()
    assert shown[0] == "with main, 1 commit ahead of you"
    assert shown[1].split() == ["errors.py", "line", "9", "here,", "line", "9", "there", "conflict"]
    assert place.statuses() == []


def test_patterns_leave_files_out(place: Place) -> None:
    """Such as lock files, which nobody merges by hand."""
    place.world.git("config", "--add", "chat.conflictsIgnore", "*.py", cwd=place.alice)
    place.write(place.bob, "lexer.py", 20, "bob's")
    place.write(place.alice, "lexer.py", 20, "alice's")
    assert place.found() == {}
    assert place.world.chat("conflicts", "--exit-code", cwd=place.alice).returncode == 0


def test_one_looks_at_a_time_and_what_a_killed_one_left_goes(place: Place) -> None:
    """The objects of a look that was killed are removed by the next."""
    left = place.alice / ".git/chatroom/ahead/objects/aa"
    left.mkdir(parents=True)
    (left / "left").write_text("of a killed one")
    environment = place.world.environment(place.alice)
    with scratch.scratch(environment.repository, 5) as work:
        assert not left.exists()
        assert work.git("hash-object", "-w", "--stdin", stdin=b"of nobody\n")
        assert list((place.alice / ".git/chatroom/ahead/objects").glob("??/*"))
    assert not left.parent.parent.exists()


def test_a_bare_repository_has_no_work(world: World) -> None:
    """It is said, with what helps."""
    repo, bare, clone = world.repository(), world.root / "bare.git", world.root / "ELSEWHERE"
    world.git("clone", "-q", "--bare", str(repo), str(bare))
    refused = world.chat("conflicts", cwd=bare)
    assert (refused.returncode, refused.stderr.splitlines()) == (
        1, ["error: a bare repository has no work to look at", "hint: ask where you work: git clone . ../ELSEWHERE"],
    )  # fmt: skip
    world.git("clone", "-q", ".", "../ELSEWHERE", cwd=bare)
    assert world.chat("conflicts", cwd=clone, check=True).stdout.startswith("nothing is changed here that origin/")


def test_many_conflicts_within_an_hour_are_summed_up(place: Place) -> None:
    """After five of one name one record says that there are more, and then nothing comes for the hour."""
    room = Room(place.world.environment(place.alice), name="alice")
    for number in range(forewarning.MOST_AN_HOUR):
        draft = Draft(body="one", kind=STATUS, type=CONFLICT, to=("alice", f"carol{number}"))
        forewarning._send(room, draft, f"conflict {number}")
    for path in ("lexer.py", "token.py"):
        for tree, name in ((place.alice, "alice"), (place.bob, "bob")):
            place.write(tree, path, 20, name)
            place.commit(tree)
        place.found()
    assert [text for _, to, text in place.statuses() if to == "alice,bob"] == [
        "and 1 more of alice and bob: git chat conflicts"
    ]


def test_who_shares_nothing_is_told_by_hooks_alone(place: Place) -> None:
    """With chat.share=nothing no record is written; each hears of it once, with paths that it changed itself."""
    place.world.git("config", "chat.share", "nothing", cwd=place.alice)
    for tree, name in ((place.alice, "alice"), (place.bob, "bob")):
        place.write(tree, "lexer.py", 20, name)
        place.commit(tree)
    conflicting.glance(Room(place.world.environment(place.alice), name="alice"))
    assert place.statuses() == []
    environment = place.world.environment(place.alice)
    told = Told(environment.repository.directory, Name("alice"))
    said = "1 file that you changed cannot be merged with bob's (lexer.py). See: git chat conflicts"
    assert moved.sentences(environment, told) == [said]
    assert moved.sentences(environment, told) == []
