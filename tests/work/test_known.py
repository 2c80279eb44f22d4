"""What a look keeps for the next one: nothing is found out twice, and nothing that changed is answered from it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitchat.storage import git
from gitchat.verbs import conflicting
from gitchat.verbs.room import Room
from gitchat.work import known, merging, signs
from gitchat.work.known import Known
from tests.work.conftest import Place, Two

QUESTIONS = {"worktree", "version", "for-each-ref", "status"}
"""What git is asked again where nothing changed, each once, and status of each worktree."""

MERGED = {"lexer.py": "conflict", "token.py": "merges"}


@pytest.fixture
def look(place: Place, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[list[str], dict[str, str]]]:
    """Look as alice in a process that looked never before: what git was asked, and what became of each path."""
    asked: list[str] = []
    run = git.run

    def counted(arguments: Any, **options: Any) -> git.Done:
        if "core.hooksPath=/dev/null" in arguments:
            asked.append(arguments[2])
        return run(arguments, **options)

    def looked() -> tuple[list[str], dict[str, str]]:
        asked.clear()
        found = Room(place.world.environment(place.alice), name="alice").conflicts()
        return sorted(asked), {one.path: one.outcome for pair in found.pairs for one in pair.meetings}

    monkeypatch.setattr(git, "run", counted)
    monkeypatch.setattr(signs, "SETTLED_NS", 0)  # git takes longer than a tick of the file system's clock
    for tree, name, line in ((place.alice, "alice", 40), (place.bob, "bob", 1)):
        place.write(tree, "lexer.py", 20, name)
        place.write(tree, "token.py", line, name)
    return looked


def test_what_did_not_change_is_not_found_out_again(
    place: Place, look: Callable[[], tuple[list[str], dict[str, str]]]
) -> None:
    """Whichever way something changes, it is seen; and what stays as it was is known still."""
    assert look()[1] == MERGED
    asked, found = look()
    assert found == MERGED
    assert set(asked) == QUESTIONS
    assert len(asked) == len(QUESTIONS) + 2, "two worktrees, and refs twice"
    file = place.alice / "lexer.py"
    was, text = file.stat().st_mtime_ns, file.read_text()
    file.write_text(text.replace("alice", "ecila"))
    os.utime(file, ns=(was, was))
    asked, found = look()
    assert (asked.count("merge-tree"), found) == (1, MERGED), "of the same size, and as old"
    place.write(place.alice, "lexer.py", 20, "line 20")
    assert look()[1] == {"token.py": "merges"}
    place.write(place.alice, "lexer.py", 20, "alice")
    place.commit(place.bob)
    asked, found = look()
    assert found == MERGED
    assert asked.count("merge-tree") == 1
    info = place.alice / ".git" / "info"
    info.mkdir(exist_ok=True)
    (info / "exclude").write_text(".gitattributes\n")  # so that it is no change of alice's
    assert "merge-tree" not in look()[0]
    (place.alice / ".gitattributes").write_text("lexer.py merge=union\n")
    assert look()[1] == {"lexer.py": "merges", "token.py": "merges"}
    (place.alice / ".gitattributes").unlink()
    assert look()[1] == MERGED
    (info / "attributes").write_text("lexer.py merge=union\n")
    assert look()[1] == {"lexer.py": "merges", "token.py": "merges"}
    (info / "attributes").unlink()
    assert look()[1] == MERGED


def test_another_git_and_other_settings_know_nothing(
    place: Place, look: Callable[[], tuple[list[str], dict[str, str]]]
) -> None:
    """Of what merges follow from; a branch's remote is none of it. A driver's program may change at any time."""
    world = place.world
    for tree in (place.alice, place.bob):
        place.commit(tree)
    look()
    world.git("config", "branch.mine.remote", "origin", cwd=place.alice)
    assert "merge-tree" not in look()[0]
    world.git("config", "merge.renameLimit", "7", cwd=place.alice)
    assert "merge-tree" in look()[0]
    assert "merge-tree" not in look()[0]
    world.add_program(
        "git", f'case " $* " in *" version "*) echo git version 9 ;; *) exec {shutil.which("git")} "$@" ;; esac'
    )
    assert "merge-tree" in look()[0]
    assert "merge-tree" not in look()[0]
    world.git("config", "merge.ours.driver", "true", cwd=place.alice)
    for _ in range(2):
        assert "merge-tree" in look()[0]
    (place.alice / ".gitattributes").write_text("lexer.py merge=ours\n")
    assert look()[1] == {"lexer.py": "merges", "token.py": "merges"}
    world.git("config", "merge.ours.driver", "false", cwd=place.alice)
    assert look()[1] == MERGED


@pytest.mark.parametrize("spoil", [
    lambda content: b"",
    lambda content: content[: len(content) // 2],
    lambda content: content.replace(b"lexer.py", b"lexer.rs"),
    lambda content: content.replace(b"known 1", b"known 0"),
    lambda content: os.urandom(4096),
    lambda content: b"[" * 100_000,
])  # fmt: skip
def test_what_does_not_check_was_never_known(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    """Half-written, changed, of another version, or no such file at all."""
    one = Known(tmp_path, "sign")
    one.note("pair", "a", "b", fact={"refused": ["lexer.py"]})
    one.save()
    file = tmp_path / "conflicts.known"
    assert Known(tmp_path, "sign").get("pair", "a", "b") == {"refused": ["lexer.py"]}
    assert Known(tmp_path, "other").get("pair", "a", "b") is None
    assert Known(tmp_path, "sign").get("pair", "a", "c") is None
    file.write_bytes(spoil(file.read_bytes()))
    assert Known(tmp_path, "sign").get("pair", "a", "b") is None
    one = Known(tmp_path, "sign")
    one.note("root", "a", fact="b")
    one.save()
    assert Known(tmp_path, "sign").get("root", "a") == "b"


def test_it_stays_small_and_keeps_what_is_of_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for last stays; a fact that is too large is found out again, and takes no place."""
    monkeypatch.setattr(known, "MOST_BYTES", 20_000)
    for number in range(30):
        one = Known(tmp_path, "")
        one.get("fact", "0")
        for fact in range(10):
            one.note("fact", str(10 * number + fact), fact="x" * 50)
        one.note("large", str(number), fact="x" * 70_000)
        one.save()
        assert (tmp_path / "conflicts.known").stat().st_size <= 20_000
    last = Known(tmp_path, "")
    assert last.get("fact", "0") == last.get("fact", "299") == "x" * 50
    assert last.get("fact", "5") is None
    assert last.get("large", "29") is None


def test_a_file_that_changes_meanwhile_is_not_answered_from_before(
    place: Place, look: Callable[[], tuple[list[str], dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between what git says is changed, and where it is read because another's work is new: nothing is said of it."""
    look()
    place.write(place.bob, "lexer.py", 20, "again")
    stand = signs.of_files

    def changing(top: Path, *rest: Any) -> Any:
        found = stand(top, *rest)
        if top == place.alice:
            place.write(place.alice, "lexer.py", 20, "meanwhile")
        return found

    monkeypatch.setattr(signs, "of_files", changing)
    found = Room(place.world.environment(place.alice), name="alice").conflicts()
    assert [pair.not_looked for pair in found.pairs] == ["it changes while it is looked at"]
    monkeypatch.setattr(signs, "of_files", stand)
    assert look()[1] == MERGED


def test_a_file_that_may_change_unseen_is_not_settled(tmp_path: Path) -> None:
    """One that was written in the second before it was read; and how it stands differs by its kind and its times."""
    file = tmp_path / "a"
    file.write_text("x")
    newest = file.lstat().st_ctime_ns
    stands, is_settled, changed = signs.of_files(tmp_path, [b"a"], newest)
    assert (is_settled, changed) == (False, newest)
    assert signs.of_files(tmp_path, [b"a"], newest + signs.SETTLED_NS) == (stands, True, newest)
    assert signs.of_files(tmp_path, [b"b"], newest)[1:] == (True, 0)
    file.chmod(0o700)
    assert signs.of_files(tmp_path, [b"a"], newest)[0] != stands
    assert len({signs.of_files(tmp_path, paths, 0)[0] for paths in ([], [b"a"], [b"b"], [b"a", b"b"])}) == 4


def test_many_pairs_are_merged_by_one_git(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """And each file of a side is compared once, with however many it is in conflict; what git says is the same."""
    names = ["alice", "bob", "carol", "dave"]
    trees = [place.alice, place.bob, place.world.root / "carol", place.world.root / "dave"]
    for name, tree in zip(names[2:], trees[2:], strict=True):
        place.world.git("worktree", "add", "-q", str(tree), "-b", name, cwd=place.alice)
        place.world.chat("join", name, cwd=tree, check=True)
    for name, tree in zip(names, trees, strict=True):
        place.write(tree, "lexer.py", 20, name)
        place.write(tree, "token.py", 4 * names.index(name) + 1, name)
    place.commit(place.bob)
    place.commit(place.alice)
    asked: list[str] = []
    run = git.run

    def counted(arguments: Any, **options: Any) -> git.Done:
        asked.append(arguments[2] if "core.hooksPath=/dev/null" in arguments else "")
        return run(arguments, **options)

    monkeypatch.setattr(git, "run", counted)

    def look() -> list[tuple[str, str, tuple[tuple[int, int], ...]]]:
        (place.alice / ".git" / "chatroom" / "conflicts.known").unlink(missing_ok=True)
        asked.clear()
        room = Room(place.world.environment(place.alice), name="alice")
        found, _ = conflicting._look(room, None, everybody=True)
        return [(one.path, one.outcome, one.here) for pair in found.pairs for one in pair.meetings]

    found = look()
    assert found == [("lexer.py", "conflict", ((20, 20),)), ("token.py", "merges", ())] * 6
    assert (asked.count("merge-tree"), asked.count("diff")) == (1, 4)
    monkeypatch.setattr(merging, "_FEW", 100)
    assert look() == found
    assert asked.count("merge-tree") == 6


def test_what_others_share_is_known_too(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look asks git nothing more of it, and says the same."""
    alice, bob = two.alice, two.bob
    monkeypatch.setattr(signs, "SETTLED_NS", 0)
    bob.git("config", "chat.share", "work")
    bob.write("lexer.py", 20, "bob's")
    bob.glance()
    alice.write("lexer.py", 20, "alice's")
    alice.sync()
    first, asked, run = alice.found(), [], git.run

    def counted(arguments: Any, **options: Any) -> git.Done:
        asked.append(arguments[2] if "core.hooksPath=/dev/null" in arguments else "")
        return run(arguments, **options)

    monkeypatch.setattr(git, "run", counted)
    assert alice.found() == first == {"lexer.py": "conflict"}
    assert set(asked) - {""} <= QUESTIONS | {"merge-base"}, "whether the copy of the base goes on from the user's"
