"""Work that was made by hand, to be taken by somebody who trusts it: nothing is written where it should not be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gitchat.model.errors import ChatError
from gitchat.model.names import Name, Oid
from gitchat.model.overlay import FILE, LINK, Carried, Overlay, Version, read
from gitchat.model.paths import is_acted_upon, is_kept_by_name, leads_out, problem_of_path
from gitchat.model.record import Draft, Identity
from gitchat.model.tree import TreeEntry, encode_tree, oid_of
from gitchat.verbs.room import Room
from tests.world import World, open_store, open_writer

MALLORY = Identity(Name("mallory"), "m@x", "M", "m@x", "agent")


def hand_over(path: Path, files: dict[bytes, tuple[int, bytes]]) -> None:
    """A message with work that holds just this, whatever a writer of ours would say to it."""
    store = open_store(path / ".git")
    like = store.empty_tree()
    blobs = {oid_of("blob", content, like): content for _, content in files.values()}
    side = {name: Version(mode, oid_of("blob", content, like)) for name, (mode, content) in files.items()}
    carried = Carried(Overlay({}, {}, side), blobs)
    open_writer(store).send(Draft(body="take this", work=carried), MALLORY)


@pytest.mark.parametrize(
    "path", [b"../x", b"a/../../x", b".git/config", b".GIT/hooks/post-checkout", b"a/.git./x", b"git~1/x", b"a\\b",
             b".g\xe2\x80\x8cit/config", b".git::$INDEX_ALLOCATION/x", b"./x"],
)  # fmt: skip
def test_no_path_of_a_stranger_is_written_outside_or_into_git(world: World, path: bytes) -> None:
    """By whatever spelling: all of the work is refused, nothing is touched, and it can still be looked at."""
    place = world.repository()
    hand_over(place, {path: (FILE, b"evil\n"), b"good.txt": (FILE, b"good\n")})
    before = sorted(place.rglob("*"))
    refused = world.chat("take", "1", "--force", cwd=place)
    assert (refused.returncode, "#1 is not to be taken" in refused.stderr) == (1, True)
    assert {one for one in {*place.rglob("*")} - {*before} if "chatroom" not in str(one)} == set()
    assert world.chat("show", "#1", cwd=place).returncode == 0
    assert "take this" in world.chat("log", cwd=place, check=True).stdout


def test_a_tree_that_nobody_writes_is_refused_and_shown(world: World) -> None:
    """A name twice, a link that is a file's content, a tree without end: an error, and the log is listed as ever."""
    place = world.repository()
    store = open_store(place / ".git")
    like = store.empty_tree()
    blob = oid_of("blob", b"x", like)

    class Twice(Carried):
        def build(self, like: Oid):  # type: ignore[no-untyped-def]
            found = super().build(like)
            inner = encode_tree([TreeEntry(FILE, b"a", blob), TreeEntry(FILE, b"a", blob)])
            outer = encode_tree([TreeEntry(0o40000, b"work", oid_of("tree", inner, like))])
            contents = [("blob", b"x"), ("tree", inner), ("tree", outer)]
            return found._replace(tree=oid_of("tree", outer, like), contents=contents)

    work = Twice(Overlay({}, {}, {b"a": Version(FILE, blob)}), {blob: b"x"})
    open_writer(store).send(Draft(body="twice", work=work), MALLORY)
    hand_over(place, {b"long": (LINK, b"x" * 5000)})
    for number, words in (("1", "has a file twice"), ("2", "the link long of this work is none")):
        refused = world.chat("take", number, cwd=place)
        assert (refused.returncode, words in refused.stderr) == (4, True), refused.stderr
    assert "twice" in world.chat("log", cwd=place, check=True).stdout
    world.chat("verify", cwd=place)


def test_a_tree_of_trees_that_are_all_the_same_ends() -> None:
    """Ten of ten of ten: it is not walked to its end."""
    bomb = tuple(TreeEntry(0o40000, b"%d" % number, Oid("1" * 40)) for number in range(10))
    trees = {Oid("0" * 40): (TreeEntry(0o40000, b"work", Oid("1" * 40)),), Oid("1" * 40): bomb}
    with pytest.raises(ChatError) as refused:
        read(Oid("0" * 40), trees.__getitem__)
    assert refused.value.code == "work-too-large"


def test_what_programs_act_by_is_a_person_s_to_take(world: World) -> None:
    """Attributes, and a link out of the repository: an agent is refused, with --force too; a person takes them."""
    place = world.repository()
    hand_over(place, {b".gitattributes": (FILE, b"*.txt text\n"), b"out": (LINK, b"/etc/passwd")})
    refused = world.chat("take", "1", cwd=place)
    assert "in #1 .gitattributes is acted upon by programs" in refused.stderr
    assert "out is a link out of the repository" in refused.stderr
    assert "only a person" in world.chat("take", "1", "--force", cwd=place).stderr
    assert not (place / "out").is_symlink()
    person = replace(world.environment(place), is_terminal=True)
    Room(person, name="ann").take(1, force=True)
    assert (place / "out").is_symlink()


def test_no_hook_and_no_filter_of_a_stranger_runs(world: World) -> None:
    """Hooks that stand in the work tree are not run, though they come with the work, and git is told to use them."""
    place = world.repository()
    ran = world.root / "ran"
    world.git("config", "core.hooksPath", "hooks", cwd=place)
    script = f"#!/bin/sh\ntouch {ran}\n".encode()
    hooks = ("post-index-change", "post-checkout", "pre-commit", "reference-transaction", "fsmonitor-watchman")
    hand_over(place, {f"hooks/{name}".encode(): (0o100755, script) for name in hooks})
    world.chat("take", "1", cwd=place, check=True)
    world.chat("take", "--undo", cwd=place, check=True)
    assert not ran.exists()


@pytest.mark.parametrize(
    "path", [b"a", b"src/a.py", b".gitignore", b"git", b"a.git", b".github/x", "naïve".encode(), b"\xff"]
)
def test_what_people_call_files_is_good(path: bytes) -> None:
    """Any bytes, but for those of the test above."""
    assert problem_of_path(path) is None


def test_what_leads_out_what_is_acted_upon_and_what_is_kept() -> None:
    """By where a link leads from where it stands; by name, in any case, at any depth."""
    assert [leads_out(b"a/b", target) for target in (b"../c", b"../../c", b"/c", b"../.git/config", b"c", b"..")] == [
        False, True, True, True, False, False,
    ]  # fmt: skip
    assert all(map(is_acted_upon, (b".claude/settings.json", b"x/.GitAttributes", b"claude.md", b".husky/pre-commit")))
    assert not any(map(is_acted_upon, (b"src/claude.py", b"Makefile", b"docs/agents.md.txt")))
    assert all(map(is_kept_by_name, (b".env", b"x/.env.local", b"server.PEM", b"id_rsa", b".netrc")))
    assert not any(map(is_kept_by_name, (b".env.example", b"id_generator.py", b"id_rsa.pub", b"environment")))
