"""The screen of ``git chat status`` is the same by the quick way and by the long way, whatever goes on."""

from __future__ import annotations

import random
import re
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import wcwidth

from gitchat.cli.terminal import Screen
from gitchat.model import names, refs
from gitchat.model.claim import parse_what, trailers_of
from gitchat.model.errors import UserError
from gitchat.model.names import CloneId, Name, RoomName
from gitchat.model.question import choices_of
from gitchat.model.record import Draft, Entry, Identity
from gitchat.quick import lately, page, record, room, status, summaries, taken
from gitchat.quick.place import find
from gitchat.quick.plain import is_text
from gitchat.quick.settings import settings
from gitchat.quick.unusual import Unusual
from gitchat.rooms import summaries as rooms_summaries
from gitchat.verbs import standing
from tests.quick.test_usual import held
from tests.quick.ways import AGENT
from tests.world import World, open_store, open_writer

ALICE = {"GITCHAT_NAME": "alice"}


def timeless(text: str) -> str:
    """``text`` without what a second between two commands changes."""
    return re.sub(r"\d+ (second|minute)s? ago", "lately", text)


class Ways:
    """Who compares the ways in a repository, and notes at which steps each of them was gone."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.quick: set[str] = set()
        self.indexed: set[str] = set()

    def same(self, repository: Path, step: str, *words: str, **variables: str) -> str:
        """What ``status`` prints by all ways: with the whole log read, or its end and the index."""
        variables = variables or ALICE
        quick = self.world.chat("status", *words, cwd=repository, **variables)
        long = self.world.chat("status", *words, cwd=repository, GITCHAT_QUICK="0", **variables)
        shown = timeless(long.stdout)
        assert (quick.returncode, timeless(quick.stdout), quick.stderr) == (long.returncode, shown, long.stderr), step
        for few, gone in ((lately.FEW, self.quick), (2, self.indexed)):
            with pytest.MonkeyPatch.context() as patch, suppress(Unusual, OSError):
                patch.setattr(lately, "FEW", few)
                patch.chdir(repository)
                for name, value in variables.items():
                    patch.setenv(name, value)
                place = find({**self.world.variables, **variables})
                assert timeless(status.status(place, settings(place), words).text) == shown, step
                gone.add(step)
        return shown


def test_what_goes_on_in_a_room_is_the_same(world: World) -> None:
    """From the first record to a closed room: what is read, asked, answered, redacted, summed up and said elsewhere."""
    repository, ways = world.repository(), Ways(world)

    def say(*words: str, name: str = "bob") -> None:
        world.chat(*words, cwd=repository, check=True, GITCHAT_NAME=name)

    ways.same(repository, "nothing")
    say("send", "first")
    assert "1 unread for alice" in ways.same(repository, "one")
    say("send", "mine", name="alice")
    say("read", name="alice")
    say("send", "--priority", "urgent", "look at\n\n\tthis")
    say("send", "--to", "carol", "--priority", "urgent", "not for me")
    say("ask", "--to", "alice", "--choice", "yes", "--choice", "no", "shall we?")
    say("ask", "whoever knows: which?")
    found = ways.same(repository, "questions")
    assert "next: git chat answer\n" in found
    assert "unanswered:" in found
    say("reply", "5", "I do not know yet", name="alice")
    assert "unanswered:" in ways.same(repository, "a reply that is no answer")
    say("answer", "5", "yes", name="alice")
    say("reply", "6", "that one", name="carol")
    assert "unanswered:" not in ways.same(repository, "answered")
    say("send", "a" * 120)
    say("send", "\u00e9\u2026 \u2192 " + "\u00fc" * 120)
    say("send", "\u597d" * 20)
    ways.same(repository, "long ones")
    say("send", "\u597d" * 60)
    ways.same(repository, "a wide one")
    for _ in range(5):
        say("send", "-q", "more")
    say("redact", "9")
    say("room", "title", "lobby", "what it is for")
    assert "lobby: what it is for" in ways.same(repository, "a title")
    say("summary", "write", "what was said\nso far")
    say("summary", "write", "--scope", "carol", "for carol alone")
    found = ways.same(repository, "summed up")
    assert "summary 1, lately, " in found
    say("send", "after the summary")
    say("send", "--type", "status", "busy")
    assert "1, lately, 2 messages since" in ways.same(repository, "more since")
    say("join", "carol", "--role", "dev and more")
    say("join", "alice", "--role", "review")
    say("send", "--to", "role:review", "--priority", "urgent", "for the role")
    assert "here: alice (review), carol (dev and more)" in ways.same(repository, "who is here")
    for place, other in enumerate(("red", "green", "blue", "gray")):
        say("send", "--room", other, *(["in the room"] * (place + 1)))
    say("room", "title", "red", "a red one")
    say("room", "close", "blue")
    assert "and 1 more: git chat rooms" in ways.same(repository, "other rooms")
    assert "next: git chat inbox --room red\n" in ways.same(repository, "another", "--room", "red")
    say("read", name="alice")
    assert "next: git chat handoff\n" in ways.same(repository, "all is read")
    world.git("pack-refs", "--all", cwd=repository)
    ways.same(repository, "packed")
    say("room", "close", "lobby")
    assert "(closed)" in ways.same(repository, "closed")
    steps = {"one", "questions", "a reply that is no answer", "answered", "long ones", "a title", "summed up"}
    steps |= {"more since", "who is here", "other rooms", "another", "all is read", "packed", "closed"}
    assert steps <= ways.quick
    assert steps - {"one", "a title"} <= ways.indexed
    assert "a wide one" not in ways.quick


def test_a_room_that_follows_a_remote_is_the_same(world: World) -> None:
    """In both clones, for a person and for an agent that sits: fetched, waiting, unheard; and how far the base is."""
    hub, first, second, ways = world.root / "hub.git", world.repository(), world.root / "second", Ways(world)
    world.git("init", "-q", "--bare", hub)
    world.chat("send", "first", cwd=first, check=True, GITCHAT_NAME="bob")
    world.git("remote", "add", "origin", hub, cwd=first)
    world.chat("sync", cwd=first, check=True)
    world.git("push", "-q", "origin", "HEAD", cwd=first)
    world.git("clone", "-q", hub, second)
    world.chat("log", cwd=second, check=True)

    def compared(step: str) -> str:
        with held(first), held(second):
            ways.same(first, step)
            ways.same(second, f"{step}, agent", **AGENT)
            return ways.same(second, f"{step}, second")

    with held(second):
        for line in ("send mine", "read", "send mine"):
            world.chat(*line.split(), cwd=second, check=True, **AGENT)
    world.chat("sync", cwd=second, check=True)
    compared("both have it")
    world.chat("send", "-q", "more", cwd=first, check=True, GITCHAT_NAME="bob")
    world.chat("summary", "write", "so far", cwd=first, check=True, GITCHAT_NAME="bob")
    world.chat("sync", cwd=first, check=True)
    world.chat("sync", cwd=second, check=True)
    compared("fetched")
    with held(second):
        world.chat("send", "on its way", cwd=second, check=True, **AGENT)
        found = ways.same(second, "one waits", **AGENT)
        assert "1 on its way to origin\n" in found
        world.chat("send", "two", cwd=second, check=True, **AGENT)
        assert "2 on their way to origin\n" in ways.same(second, "two wait", **AGENT)
        world.git("config", "chat.sync", "manual", cwd=second)
        assert "2 pending: git chat sync\n" in ways.same(second, "by hand", **AGENT)
        world.git("config", "--unset", "chat.sync", cwd=second)
    world.chat("sync", cwd=second, check=True)
    compared("pushed")
    for number in (1, 2):
        world.git("commit", "-q", "--allow-empty", "-m", f"change {number}", cwd=first)
    world.git("push", "-q", "origin", "HEAD", cwd=first)
    world.chat("sync", cwd=second, check=True)
    compared("the hub is ahead")
    world.git("fetch", "-q", cwd=second)
    assert "2 behind origin/main\n" in compared("the base is ahead")
    world.git("tag", "origin/main", cwd=second)
    compared("another is called so")
    world.git("tag", "-d", "origin/main", cwd=second)
    world.git("checkout", "-q", "--detach", cwd=second)
    world.git("worktree", "add", "-q", "-b", "side", world.root / "side", "origin/main", cwd=second)
    world.git("commit", "-q", "--allow-empty", "-m", "mine", cwd=world.root / "side")
    compared("detached")
    assert "behind" not in ways.same(world.root / "side", "ahead", **AGENT)
    world.git("remote", "set-url", "origin", world.root / "gone.git", cwd=second)
    world.chat("send", "unheard", cwd=second, check=True, CI="1", **AGENT)
    assert "1 waits for origin since" in ways.same(second, "unheard", **AGENT)
    agents = {"fetched, agent", "one waits", "two wait", "by hand", "pushed, agent", "the base is ahead, agent"}
    assert agents | {"both have it", "fetched", "pushed", "the hub is ahead, second", "detached, agent"} <= ways.quick
    assert {"another is called so, agent", "unheard"}.isdisjoint(ways.quick)
    assert {"fetched, agent", "one waits", "pushed, second"} <= ways.indexed


def test_who_has_what_is_the_same(world: World) -> None:
    """Claims that hold, wait, were given back, or left, and of files that were changed here; and conflicts."""
    repository, ways = world.repository(), Ways(world)

    def say(*words: str, name: str = "bob") -> None:
        world.chat(*words, cwd=repository, check=True, GITCHAT_NAME=name)

    for number in range(4):
        say("send", f"message {number}")
    say("claim", "src/", "task:7", "port:8080")
    assert "claimed" not in ways.same(repository, "another's")
    say("claim", "docs/*.md", "example.com:x", "--for", "1h", name="alice")
    assert "yours: docs/*.md, example.com:x until " in ways.same(repository, "mine")
    say("claim", "--wait", "src/lexer.py", "--for", "2h", name="alice")
    assert "src/lexer.py when bob is done" in ways.same(repository, "one waits")
    (repository / "src").mkdir()
    (repository / "src/changed.py").write_text("changed")
    assert "claimed, and you changed it: bob has src/, task:7, port:8080 (#5)\n" in ways.same(repository, "changed")
    (repository / "src/a*b").write_text("changed")
    ways.same(repository, "a strange file")
    (repository / "src/a*b").unlink()
    say("release", "src/")
    assert "src/lexer.py until " in ways.same(repository, "given back")
    say("join", "carol", "--role", "dev", name="carol")
    say("claim", "src/**/*.py", "--wait", name="carol")
    ways.same(repository, "somebody else")
    say("release", name="alice")
    assert "carol has src/**/*.py" in ways.same(repository, "nothing is mine")
    say("leave", name="carol")
    assert "claimed" not in ways.same(repository, "carol left")
    writer = open_writer(open_store(repository / ".git"))
    system = Identity(
        Name("system"), "system@agents.gitchat.invalid", "system", "system@agents.gitchat.invalid", "hook"
    )
    to = (Name("alice"), Name("bob"))
    first = Draft(body="it meets", kind="status", type="conflict", to=to, extra=(("Chat-Path", "src/b.py"),))
    entry = writer.send(first, system).entry
    assert "will not merge: src/b.py with bob (#" in ways.same(repository, "a conflict")
    writer.send(replace(first, extra=(("Chat-Path", "src/a.py"), ("Chat-Path", "src/b.py"))), system)
    writer.send(replace(first, to=(Name("bob"), Name("carol"))), system)
    assert "will not merge: src/a.py, src/b.py with bob (#" in ways.same(repository, "more of it")
    over = Draft(body="over", kind="status", type="conflict-over", to=to, reply_to=entry.record.uid)
    writer.send(over, system)
    assert "will not merge" not in ways.same(repository, "over")
    writer.send(first, system)
    assert "will not merge: src/b.py with bob (#" in ways.same(repository, "again")
    steps = {
        "another's",
        "mine",
        "one waits",
        "changed",
        "given back",
        "somebody else",
        "nothing is mine",
        "carol left",
    }
    steps |= {"a conflict", "more of it", "over", "again"}
    assert steps <= ways.quick & ways.indexed
    assert "a strange file" not in ways.quick


class Talk:
    """People and agents who say whatever can be said, as it comes: all that a seed makes of it."""

    def __init__(self, repository: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self._writer = open_writer(open_store(repository / ".git"))
        self._said: list[Entry] = []

    def go_on(self) -> None:
        """Somebody says something more."""
        chance = self.chance
        name = chance.choice(["alice", "bob", "carol", "system"])
        clone = CloneId("0" * 15 + chance.choice("12")) if name == "carol" and chance.random() < 0.5 else None
        speaker = Identity(
            Name(name),
            f"{name}@example.com",
            name,
            f"{name}@example.com",
            "agent",
            **({"clone": clone} if clone else {}),
        )
        draft = self._draft(name)
        questions = [one for one in self._said[-20:] if one.record.type == "question"]
        before = questions if questions and chance.random() < 0.7 else self._said[-12:]
        earlier = chance.choice(before).record if before and chance.random() < 0.6 else None
        if draft.reply_to is None and earlier is not None and draft.kind != "meta":
            body = draft.body
            if draft.kind == "message" and chance.random() < 0.5 and (choices := choices_of(earlier)):
                draft, body = replace(draft, type="answer", extra=()), chance.choice(choices)
            draft = replace(draft, reply_to=earlier.uid, body=body)
        with suppress(UserError):  # who was not asked does not answer
            self._said.append(self._writer.send(draft, speaker).entry)

    def _draft(self, name: str) -> Draft:
        chance = self.chance
        to = tuple(chance.sample(["alice", "bob", "carol", "role:dev"], chance.choice([0, 0, 0, 1, 2])))
        body, kind = chance.choice(["a word", "two\nlines", "x" * 130, "\u00e9\u2192"]), chance.random()
        if name == "system":
            if kind < 0.3:
                return Draft(body=f"{chance.choice(['alice', 'bob', 'carol'])} left the chatroom", type="presence")
            pair = tuple(chance.sample(["alice", "bob", "carol"], 2))
            paths = tuple(("Chat-Path", chance.choice(["a.py", "b/c.py"])) for _ in range(chance.choice([0, 1, 2])))
            type_ = chance.choice(["conflict", "conflict-over"])
            return Draft(body=body, kind="status", type=type_, to=pair, extra=paths)
        if kind < 0.2:
            choices = chance.choice([(), ("yes", "no")])
            return Draft(body=body, to=to, type="question", extra=tuple(("Chat-Choice", one) for one in choices))
        if kind < 0.35:
            whats = chance.sample(["src/", "src/*.py", "docs/a.md", "task:1", "port:1"], chance.choice([1, 2]))
            until = int(time.time()) + chance.choice([-60, 3600, 90_000])
            return Draft(body=body, kind="claim", extra=trailers_of(map(parse_what, whats), until))
        if kind < 0.45:
            return Draft(body=body, kind=chance.choice(["release", "status"]), to=to[:1])
        if kind < 0.55 and self._said:
            return Draft(body=body, kind="redact", reply_to=chance.choice(self._said[-8:]).record.uid)
        if kind < 0.6:
            return Draft(body=body, kind="meta", extra=(("Chat-Title", body.partition("\n")[0]),))
        return Draft(body=body, to=to, urgent=chance.random() < 0.3, type=chance.choice([None, "answer", "ack"]))


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=() if seed in (0, 3) else pytest.mark.soak) for seed in range(60)]
)
def test_whatever_is_said_the_screen_is_the_same(world: World, seed: int) -> None:
    """By random records of all kinds, between which somebody reads, sums up or joins, and the index falls behind."""
    repository, ways = world.repository(), Ways(world)
    world.chat("send", "first", cwd=repository, check=True, GITCHAT_NAME="bob")
    (repository / "src").mkdir()
    (repository / "src/changed.py").write_text("changed")
    talk = Talk(repository, seed)
    for step in range(7):
        for _ in range(talk.chance.choice([1, 3, 12])):
            talk.go_on()
        line = talk.chance.choice(["read -n 3", "read", "summary write so-far", "join --role dev", "leave", "inbox"])
        world.chat(*line.split(), cwd=repository, **ALICE)
        ways.same(repository, f"{seed}, {step}, {line}")
    assert ways.quick | ways.indexed


def test_a_line_is_cut_as_a_screen_cuts_it() -> None:
    """Also one with letters and signs of other languages; what may be wide is left to the long way."""
    screen, look = Screen(page.COLUMNS, has_color=False), status.Plain()
    signs = [chr(code) for first, end in status.NARROW for code in range(ord(first), ord(end)) if is_text(chr(code))]
    assert all(wcwidth.wcwidth(sign) == 1 for sign in signs)
    chance = random.Random(1)
    for length in (1, 98, 99, 100, 101, 102, 200):
        for kinds in (signs[:90], signs):
            line = "".join(chance.choices(kinds, k=length))
            assert look.clip(line) == screen.clip(line), line
    assert look.clip("\u597d" * 50) == screen.clip("\u597d" * 50)
    with pytest.raises(Unusual):
        look.clip("\u597d" * 51)


def test_what_both_ways_know_is_the_same() -> None:
    """Refs, limits and names that stand in both places."""
    assert room.summaries_ref("a") == refs.summaries_ref(RoomName("a"))
    assert room.tracking_ref("a", "b", "summaries") == refs.tracking_ref("b", refs.summaries_ref(RoomName("a")))
    assert room.copy_ref("a", "b") == refs.copy_ref("a", "b")
    assert room.known_prefix("a") == refs.known_prefix("a")
    assert room.branch_ref("a") == refs.HEADS + "a"
    assert refs.bases(["a"], None) == [room.known_prefix("a") + "HEAD", *map(room.branch_ref, ("main", "master"))]
    assert record.SYSTEM == names.SYSTEM
    assert summaries.EVERYONE == rooms_summaries.EVERYONE
    assert taken.MOST_FILES == standing.MOST_FILES


@pytest.mark.parametrize(
    "change",
    [
        "PRAGMA user_version = 99",
        "UPDATE chain SET tip = x'00'",
        "UPDATE chain SET count = count + 1",
        "UPDATE chain SET local = x'00', total = total + 1",
        "UPDATE entry SET is_pending = 1 WHERE number = 2",
        "INSERT INTO voice VALUES (1, 'alice', '0123456789abcdef', 'alice@example.com')",
        "DROP TABLE entry",
    ],
    ids=lambda change: "-".join(change.split()[:4]),
)
def test_an_index_that_says_something_else_is_not_asked(world: World, change: str) -> None:
    """Of another version, of another log, with another count, with what was taken back, or damaged."""
    repository = world.repository()
    writer = open_writer(open_store(repository / ".git"))
    bob = Identity(Name("bob"), "bob@example.com", "bob", "bob@example.com", "human")
    for number in range(8):
        writer.send(Draft(body=f"message {number}"), bob)
    world.chat("status", cwd=repository, check=True, GITCHAT_QUICK="0", **ALICE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository)
        place = find({**world.variables, **ALICE})
        patch.setattr(lately, "FEW", 2)
        patch.setattr(lately, "NEAR", 5)
        text = status.status(place, settings(place), []).text
        writer.send(Draft(body="one that it lacks"), bob)
        assert "one that it lacks" in status.status(place, settings(place), []).text != text
        (file,) = (repository / ".git/chatroom").glob("index.*.db")
        with closing(sqlite3.connect(file)) as database:
            database.execute(change)
            database.commit()
        with pytest.raises(Unusual):
            status.status(place, settings(place), [])
