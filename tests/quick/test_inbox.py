"""What is unread is the same by the quick way and by the long way, and to look for it marks nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from gitchat.model import refs
from gitchat.model.names import Name, RoomName
from gitchat.model.record import Draft, Identity
from gitchat.quick import inbox, room, unread
from gitchat.quick.place import find
from gitchat.quick.settings import settings
from gitchat.quick.unusual import Unusual
from tests.quick.ways import AGENT, is_quick
from tests.world import World, open_store, open_writer


def test_the_refs_are_those_of_the_model() -> None:
    """What stands in both places is the same."""
    assert room.cursor_ref("a", "b") == refs.cursor_ref(RoomName("a"), Name("b"))
    assert room.seat_ref("a", "b") == refs.seat_ref(RoomName("a"), Name("b"))


INDEXED: set[str] = set()
"""The steps at which the index was asked, and answered."""


def same(world: World, repository: Path, *, step: str) -> str:
    """What ``inbox`` prints by all ways, which is the same: with the whole log read, or its end and the index."""
    said: list[str] = []
    for line in ("inbox", "inbox -n 1 --room lobby"):
        quick = world.chat(*line.split(), cwd=repository)
        long = world.chat(*line.split(), cwd=repository, GITCHAT_QUICK="0")
        assert (quick.returncode, quick.stdout, quick.stderr) == (long.returncode, long.stdout, long.stderr), step
        with pytest.MonkeyPatch.context() as patch, suppress(Unusual, OSError):
            patch.setattr(unread, "NEAR", 6)
            patch.setattr(unread, "FEW", 2)
            patch.chdir(repository)
            place = find(world.variables)
            assert inbox.inbox(place, settings(place), line.split()[1:]).text == long.stdout, step
            INDEXED.add(step)
        said.append(long.stdout)
    return said[0]


def test_what_is_unread_is_the_same(world: World) -> None:
    """From the first record to a joined role and a second room."""
    repository = world.repository()

    def say(*words: str, name: str = "bob") -> None:
        world.chat(*words, cwd=repository, check=True, GITCHAT_NAME=name)

    say("send", "first")
    assert "first" in same(world, repository, step="one")
    world.chat("send", "my own", cwd=repository, check=True)
    say("send", "-q", "--to", "carol", "not for me")
    say("send", "-q", "--to", "alice", "for me")
    say("reply", "2", "on your own")
    writer = open_writer(open_store(repository / ".git"))
    bob = Identity(Name("bob"), "bob@example.com", "Bob", "bob@example.com", "hook")
    writer.send(Draft(body="a commit", kind="status"), bob)
    writer.send(Draft(body="a commit for alice", kind="status", to=("alice",)), bob)
    found = same(world, repository, step="several")
    assert "for me" in found
    assert "re #2" in found
    assert "1 commit since" in found
    assert "not for me" not in found
    world.chat("read", "-n", "2", cwd=repository, check=True)
    assert "first" not in same(world, repository, step="some are read")
    say("reply", "1", "on what was read")
    same(world, repository, step="an answer to what was read")
    world.git("pack-refs", "--all", cwd=repository)
    world.git("gc", "-q", cwd=repository)
    same(world, repository, step="packed")
    world.chat("read", cwd=repository, check=True)
    assert same(world, repository, step="all is read") == ""
    say("room", "title", "lobby", "a title")
    say("send", "after the title")
    same(world, repository, step="a title")
    world.chat("send", "as another alice", cwd=repository, check=True, GIT_CONFIG_GLOBAL=str(_of_another(world)))
    assert "after the title" in same(world, repository, step="a namesake")
    world.chat("join", "alice", "--role", "dev", cwd=repository, check=True)
    say("send", "-q", "--to", "role:dev", "for the role")
    assert "for the role" in same(world, repository, step="a role")
    say("send", "--room", "other", "in another room")
    same(world, repository, step="another room")
    assert {"some are read", "an answer to what was read", "packed", "all is read"} <= INDEXED
    assert INDEXED.isdisjoint({"a namesake"})


def _of_another(world: World) -> Path:
    path = world.root / "another.gitconfig"
    path.write_text((world.home / ".gitconfig").read_text().replace("alice@example.com", "alice@example.org"))
    return path


def test_a_look_moves_nothing(world: World) -> None:
    """Neither a cursor nor a seat comes of it."""
    repository = world.repository()
    world.chat("send", "first", cwd=repository, check=True, GITCHAT_NAME="bob")
    before = world.git("for-each-ref", cwd=repository).stdout
    assert "first" in world.chat("inbox", cwd=repository, check=True).stdout
    assert world.git("for-each-ref", cwd=repository).stdout == before


def test_a_position_far_behind(world: World) -> None:
    """Own words, words for others, statuses and claims lie between; what hides one of them is the long way's."""
    repository = world.repository()
    writer = open_writer(open_store(repository / ".git"))
    people = {
        name: Identity(Name(name), f"{name}@example.com", name, f"{name}@example.com", "human")
        for name in ("alice", "bob")
    }
    drafts = [
        Draft(body="mine"),
        Draft(body="to all"),
        Draft(body="for me", to=("alice",)),
        Draft(body="for another", to=("carol",)),
        Draft(body="a commit", kind="status"),
        Draft(body="a commit for alice", kind="status", to=("alice",)),
        Draft(body="src/", kind="claim"),
    ]
    for number in range(70):
        draft = drafts[number % (len(drafts) if number < 50 else len(drafts) - 1)]
        writer.send(draft, people["alice" if draft.body == "mine" else "bob"])
    for position in (None, 3, 22, 69):
        if position is not None:
            world.chat("cursor", "set", str(position), cwd=repository, check=True)
        found = same(world, repository, step=f"from {position}")
        assert "mine" not in found
        assert ("for me" in found) == (position != 69)
    world.chat("redact", "51", cwd=repository, check=True, GITCHAT_NAME="bob")
    for number in range(5):
        writer.send(Draft(body=f"later {number}"), people["bob"])
    same(world, repository, step="the last ones")
    world.git("update-ref", "-d", refs.cursor_ref(RoomName("lobby"), Name("alice")), cwd=repository)
    assert "for me" in same(world, repository, step="one is hidden")
    assert {"from None", "from 3", "from 22", "from 69"} <= INDEXED
    assert "one is hidden" not in INDEXED


@pytest.mark.parametrize("variables", [{}, AGENT])
def test_what_names_somebody_in_another_room_is_told_the_same(world: World, variables: dict[str, str]) -> None:
    """Nothing there, something for others, for a role that it has there, for its name; read, and never looked at."""
    repository = world.repository("project")
    me = "claude-project" if variables else "alice"

    def say(*words: str) -> None:
        world.chat("send", "-q", *words, cwd=repository, check=True, GITCHAT_NAME="bob")

    say("first")
    for _ in range(2):
        for line in ("send mine", "read"):
            world.chat(*line.split(), cwd=repository, check=True, **variables)
        say("more")
    steps: list[tuple[tuple[str, ...], bool]] = [
        (("--room", "other", "for all"), True),
        (("--room", "other", "--to", "carol", "for another"), True),
        (("--room", "other", "--type", "ack", "--to", "role:dev", "for a role that nobody has"), True),
        (("--room", "other", "--to", me, "for you"), False),
        (("read", "--room", "other"), True),
        (("join", "--room", "other", "--role", "dev"), True),
        (("--room", "other", "--to", "role:dev", "for your role"), False),
        (("read", "--room", "other"), True),
        (("more here",), True),
    ]
    for step, quick in steps:
        if step[0] in ("read", "join"):
            world.chat(*step, cwd=repository, check=True, **variables)
        else:
            say(*step)
        assert is_quick(world, repository, "inbox", **variables) == quick, step
        said = [world.chat("inbox", cwd=repository, GITCHAT_QUICK=way, **variables) for way in ("1", "0")]
        assert (said[0].stdout, said[0].stderr) == (said[1].stdout, said[1].stderr), step
        assert ("for you in other" in said[0].stdout) != quick, step
    refs = world.git("for-each-ref", "--format=%(refname)", cwd=repository).stdout
    assert ("refs/chatroom-local/seats/other/" in refs) == bool(variables)
