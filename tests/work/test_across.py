"""Conflicts ahead between two clones that share a hub: what each knows of the other, and what both are told."""

from __future__ import annotations

import json
from pathlib import Path

from gitchat.model.names import Name
from gitchat.server import texts
from gitchat.staying import moved
from gitchat.staying.told import Told
from gitchat.verbs import as_json, conflicting, sharing
from tests.work.conftest import Two


def test_branches_that_others_told_of_are_fetched_and_told_once(two: Two) -> None:
    """One conflict, one file that both change cleanly: the same record in both clones; gone after a merge."""
    alice, bob = two.alice, two.bob
    bob.write("lexer.py", 20, "bob's")
    bob.write("token.py", 1, "bob's")
    bob.push()
    alice.write("lexer.py", 20, "alice's")
    alice.write("token.py", 40, "alice's")
    alice.push()
    before = alice.git("for-each-ref", "refs/heads", "refs/remotes", "refs/stash")
    alice.sync()
    assert alice.git("for-each-ref", "refs/heads", "refs/remotes", "refs/stash") == before
    copies = alice.git("for-each-ref", "--format=%(refname)", "refs/chatroom-local/heads").split()
    assert copies == [
        "refs/chatroom-local/heads/origin/bob", "refs/chatroom-local/heads/origin/main",
    ]  # fmt: skip
    assert alice.found() == {"lexer.py": "conflict", "token.py": "merges"}
    bob.sync()
    assert bob.found() == {"lexer.py": "conflict", "token.py": "merges"}
    for one in (alice, bob, alice):
        one.sync()
    assert alice.told() == bob.told()
    text = "lexer.py: alice (alice, line 20) and bob (bob, line 20) cannot be merged"
    assert [one[::2] for one in alice.told()] == [("conflict", text)]
    alice.git("fetch", "-q", "origin")
    alice.git("merge", "-q", "-s", "ours", "origin/bob")
    assert alice.found() == {}
    assert [one[0] for one in alice.told()] == ["conflict", "conflict-over"]
    alice.sync()
    bob.sync()
    assert bob.told() == alice.told()
    assert bob.found()["lexer.py"] == "conflict", "until it is pushed"
    assert len(bob.told()) == 2, "but it is no news"
    assert str(alice.path) in two.asked


def test_what_is_shared_is_found_before_anybody_commits(two: Two) -> None:
    """With chat.share=work: told after two looks, and gone at the hub when it is clean; nothing else moves here."""
    alice, bob = two.alice, two.bob
    bob.git("config", "chat.share", "work")
    bob.write("lexer.py", 20, "bob's")
    bob.git("commit", "-q", "-a", "-m", "not pushed")
    bob.write("token.py", 1, "bob's")
    bob.write("new.py", None, "bob's")
    before = _state(bob.path)
    bob.glance()
    assert _state(bob.path) == before
    assert [ref.rpartition("/")[2] for ref in bob.work_refs()] == ["bob"]
    alice.write("lexer.py", 20, "alice's")
    alice.write("token.py", 40, "alice's")
    alice.write("new.py", None, "alice's")
    alice.sync()
    before = _state(alice.path)
    assert alice.found() == {"lexer.py": "conflict", "token.py": "merges", "new.py": "conflict"}
    assert alice.told() == [], "it may be half an edit"
    alice.glance()
    after = _state(alice.path)
    assert {path: after[path] for path in after if "/objects/" not in path} == {
        path: before[path] for path in before if "/objects/" not in path
    }, "but for the record, which is an object"
    alice.sync()
    bob.sync()
    assert [one[0] for one in bob.told()] == ["conflict"]
    assert bob.found() == {}, "alice shares nothing"
    assert [one[0] for one in bob.told()] == ["conflict"], "and what bob cannot see he does not take back"
    bob.write("token.py", 1, "line 1")
    bob.git("reset", "-q", "--hard", "origin/main")
    (bob.path / "new.py").unlink(missing_ok=True)
    bob.glance()
    assert bob.work_refs() == []


def _state(path: Path) -> dict[str, bytes]:
    """All that is the user's: files, index, refs, and the names of all objects that are not ours."""
    ours = ("chatroom", "chatroom-local")
    files = [one for one in sorted(path.rglob("*")) if one.is_file() and not set(ours) & set(one.parts)]
    return {str(one): one.read_bytes() for one in files}


def test_what_is_shared_goes_when_it_should_and_never_further(two: Two) -> None:
    """Secrets, large files, submodules are left out; a merge keeps it; leaving, a day, and another setting end it."""
    alice, bob, world = two.alice, two.bob, two.alice.world
    bob.git("config", "chat.share", "work")
    (bob.path / "key.txt").write_text("token = ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8\n")
    (bob.path / "data.bin").write_bytes(b"x" * (1024 * 1024 + 1))
    (bob.path / "ignored.log").write_text("x")
    (bob.path / ".gitignore").write_text("*.log\n")
    (bob.path / "token.py").unlink()
    (bob.path / "link").symlink_to("lexer.py")
    world.git("init", "-q", bob.path / "sub")
    bob.glance()
    alice.sync()
    (ref,) = [one for one in alice.git("for-each-ref", "--format=%(refname)").split() if "/work/" in one]
    assert ref.startswith("refs/chatroom-local/fetched/origin/rooms/lobby/work/")
    assert alice.git("rev-list", "--count", ref) == "1"
    paths = alice.git("ls-tree", "-r", "--name-only", ref).split()
    assert paths == ["wip/base/token.py", "wip/work/.gitignore", "wip/work/link"]
    asked = bob.path / ".git" / "chatroom" / "conflicts.asked"
    asked.touch()  # so that it is done here and nowhere else
    shown = bob.world.chat("conflicts", cwd=bob.path, check=True).stdout
    assert "not shared: data.bin: it is larger than 1024 KiB" in shown
    assert "not shared: key.txt: it looks like it holds" in shown
    assert not [one for one in world.chat("doctor", cwd=alice.path).stdout.splitlines() if "work" in one]
    assert "the work that is shared at 'origin'" in world.chat("uninstall", "--dry-run", cwd=bob.path).stdout
    marker = bob.path / ".git" / "MERGE_HEAD"
    marker.write_text("x")
    bob.glance()
    assert len(bob.work_refs()) == 1, "what is amid a merge is not known to be no work"
    marker.unlink()
    two.seconds[0] += 86_400
    bob.glance()
    assert bob.work_refs() == []
    bob.glance()
    assert bob.work_refs() == [], "until it changes"
    bob.write("lexer.py", 3, "bob's")
    bob.glance()
    assert len(bob.work_refs()) == 1
    asked.touch()
    world.chat("leave", "bob", cwd=bob.path, check=True)
    bob.glance()
    assert bob.work_refs() == []
    asked.touch()
    world.chat("join", "bob", cwd=bob.path, check=True)
    bob.glance()
    bob.write("lexer.py", 4, "bob's")
    assert len(bob.work_refs()) == 1
    bob.git("config", "chat.share", "branches")
    bob.glance()
    assert bob.work_refs() == []


def test_shared_work_is_no_part_of_a_room_that_moves(two: Two) -> None:
    """It stays where it is when the rooms go to another remote; and what is lost of our notes is found there again."""
    alice, bob, world = two.alice, two.bob, two.alice.world
    bob.git("config", "chat.share", "work")
    bob.write("lexer.py", 3, "bob's")
    bob.glance()
    alice.sync()
    world.git("init", "-q", "--bare", world.root / "new.git")
    alice.git("remote", "set-url", "origin", str(world.root / "new.git"))
    world.chat("remote", "move", "origin", cwd=alice.path, check=True)
    assert alice.work_refs() == []
    (bob.path / ".git" / "chatroom" / "shared").unlink()
    bob.write("lexer.py", 4, "bob's")
    bob.glance()
    assert len(bob.work_refs()) == 1
    bob.git("checkout", "-q", "lexer.py")
    bob.glance()
    assert bob.work_refs() == []


def test_a_share_that_nobody_keeps_goes_by_whoever_keeps_in_step(two: Two) -> None:
    """After two days in which it stood still before our eyes; not one that its clone just moved, and not before."""
    alice, bob = two.alice, two.bob
    bob.git("config", "chat.share", "work")
    bob.write("lexer.py", 3, "bob's")
    bob.glance()
    alice.write("lexer.py", 3, "alice's")
    alice.sync()
    assert alice.found() == {"lexer.py": "conflict"}
    two.seconds[0] += 86_400
    alice.sync()
    assert alice.found() == {}, "after a day it is passed over"
    assert len(bob.work_refs()) == 1
    two.seconds[0] += 86_400 - 10
    alice.git("config", "chat.sync", "manual")
    two.seconds[0] += 10
    alice.sync()
    assert len(bob.work_refs()) == 1, "where nothing is pushed by itself"
    alice.git("config", "chat.sync", "batch")
    there, (ref,) = sharing.deserted(alice.room()), bob.work_refs()
    assert list(there) == [ref]
    moved_on = alice.world.git("commit-tree", "HEAD^{tree}", "-m", "x", cwd=bob.path).stdout.strip()
    bob.git("push", "-q", "-f", "origin", f"{moved_on}:{ref}")
    assert sharing.clear_deserted(alice.room()) == set(), "it is not what was seen"
    assert bob.work_refs() == [ref]
    alice.git("push", "-q", "-f", "origin", f"{there[ref]}:{ref}")
    alice.sync()
    assert bob.work_refs() == []


def test_who_shares_nothing_is_told_of_what_is_pushed(two: Two) -> None:
    """A record is written of work that the remote has on both sides; of what nobody pushed each hears by its hooks."""
    alice, bob = two.alice, two.bob
    alice.git("config", "chat.share", "nothing")
    for one in (bob, alice):
        one.write("lexer.py", 20, one.name)
    bob.push()
    alice.sync()
    alice.git("commit", "-q", "-a", "-m", "not pushed")
    alice.glance()
    assert alice.told() == []
    environment = alice.room().environment
    told = Told(environment.repository.directory, Name("alice"))
    assert moved.sentences(environment, told) == [
        "1 file that you changed cannot be merged with bob's (lexer.py). See: git chat conflicts"
    ]
    alice.git("push", "-q", "origin", "alice")
    alice.glance()
    assert [one[0] for one in alice.told()] == ["conflict"]
    alice.write("token.py", 1, "not pushed")
    alice.write("lexer.py", 20, "bob")
    alice.glance()
    assert [one[0] for one in alice.told()] == ["conflict"], "nothing is taken back by what no room may hear of"


def test_the_base_that_moved_is_told_once_for_each_tip(two: Two) -> None:
    """In an agent's hooks and by status, where both change a path; the private copy counts, and nothing else moves."""
    alice, bob, world = two.alice, two.bob, two.alice.world
    bob.write("lexer.py", 20, "base's")
    bob.git("commit", "-q", "-a", "-m", "moved")
    bob.git("push", "-q", "origin", "bob:main")
    alice.write("errors.py", 3, "alice's")
    before = alice.git("rev-parse", "origin/main")
    alice.sync()
    alice.git("config", "chat.share", "work")

    def said() -> list[str]:
        environment = alice.room().environment
        conflicting.glance(alice.room())
        return moved.sentences(environment, Told(environment.repository.directory, Name("alice")))

    assert said() == [], "it changes nothing that alice changed"
    alice.write("lexer.py", 20, "alice's")
    assert said() == [
        "origin/main moved: 1 commit changes 1 file that you changed, 1 conflicts (lexer.py). "
        "See: git chat conflicts (fetched for you; your origin/main is older)"
    ]
    assert said() == []
    assert alice.git("rev-parse", "origin/main") == before
    status = world.chat("status", cwd=alice.path, check=True).stdout
    assert "1 behind origin/main, of a file that you changed" in status.splitlines()
    told = json.loads(world.chat("status", "--json", cwd=alice.path, check=True).stdout)
    assert told["base"] == {"name": "origin/main", "behind": 1, "paths": ["lexer.py"]}
    alice.git("stash", "-q")
    alice.git("fetch", "-q")
    alice.git("merge", "-q", "origin/main")
    assert said() == []
    assert "behind" not in world.chat("status", cwd=alice.path, check=True).stdout


def test_all_faces_tell_of_what_is_open(two: Two) -> None:
    """Status, who, the tools, and as text: with whom and of which paths; none of it when it is over."""
    alice, bob, world = two.alice, two.bob, two.alice.world
    for one in (bob, alice):
        one.write("lexer.py", 20, one.name)
        one.push()
    alice.sync()
    alice.found()
    assert "will not merge: lexer.py with bob" in world.chat("status", cwd=alice.path, check=True).stdout
    assert "conflicts with alice" in world.chat("who", "--all", cwd=alice.path, check=True).stdout
    room = alice.room()
    (found,) = as_json.of_status(room.status())["conflicts"]
    assert (found["with"], found["paths"]) == (["bob"], ["lexer.py"])
    handoff = {"participants": [], "latest_message_id": 1, "cursor": None, "unread_count": 0, "latest_summary": None}
    text = texts._handoff({}, handoff | {"recent_messages": [], "conflicts": [found]}, "2026-01-01", 9000)
    assert "what you changed will not merge:" in text
    assert "with bob since" in text
    alice.git("fetch", "-q")
    alice.git("merge", "-q", "-s", "ours", "origin/bob")
    alice.found()
    assert "will not merge" not in world.chat("status", cwd=alice.path, check=True).stdout
