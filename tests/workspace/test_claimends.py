"""How claims end by themselves, and who is told. Proves docs/format.md section 16.7."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gitchat.model.query import Query
from gitchat.model.record import RELEASE, STATUS, Moment, Record
from gitchat.presence.holding import Held
from gitchat.verbs.room import Room
from gitchat.workspace.claimends import GONE_SECONDS, tend
from gitchat.workspace.process import read_clock
from tests.clones.conftest import Clone, Hub
from tests.world import World

MINUTE = 60


class Here:
    """A repository and its agents, with a clock that is set by hand."""

    def __init__(self, world: World, path: Path | None = None) -> None:
        self._world = world
        self.path = path or world.repository()
        self._moment = read_clock()

    def later(self, seconds: int) -> None:
        """Time goes by."""
        self._moment = Moment(self._moment.seconds + seconds, self._moment.offset_minutes)

    def agent(self, name: str) -> Room:
        """The lobby for an agent."""
        given = {"CLAUDECODE": "1", "GITCHAT_NAME": name, "GITCHAT_SESSION": f"{name}s"}
        here = self._world.environment(self.path, now=lambda: self._moment)
        return Room(replace(here, variables={**here.variables, **given}), None, name)

    def at(self, now: Callable[[], Moment], name: str) -> Room:
        """The lobby for an agent whose clock is another."""
        room = self.agent(name)
        return Room(replace(room.environment, now=now), None, name)

    def person(self) -> Room:
        """The lobby for the person whose repository this is."""
        return Room(self._world.environment(self.path, now=lambda: self._moment), None)

    def live(self, room: Room) -> Held:
        """Live under its name, as a server of an agent's client does."""
        held = room.environment.hold(room.me)
        held.join(room.name, role="general", capabilities=(), now=self._moment.seconds)
        return held

    def tend(self) -> list[Record]:
        """What is written by whatever of ours runs next."""
        room = self.agent("dan")
        before = room.environment.log(room.name).count()
        tend(room.environment)
        return [entry.record for entry in room.environment.log(room.name).listing(Query()).entries[before:]]


@pytest.fixture
def here(world: World) -> Here:
    return Here(world)


def test_who_is_gone_gives_back_after_a_quarter_of_an_hour(here: Here) -> None:
    """Not before, and once; who waited for it is named by that release. Who still lives keeps what it has."""
    alice, bob, carol = here.agent("alice"), here.agent("bob"), here.agent("carol")
    first, _second = here.live(alice), here.live(bob)
    alice.claim(["src/", "task:1"])
    bob.claim(["docs/"])
    carol.claim(["src/a.py"], wait=True)
    assert here.tend() == []
    first.release()
    assert here.tend() == []
    here.later(GONE_SECONDS - 1)
    assert here.tend() == []
    here.later(1)
    (given_back,) = here.tend()
    assert (given_back.kind, given_back.author, given_back.to, given_back.origin) == (
        RELEASE,
        "alice",
        ("carol",),
        "hook",
    )
    assert here.tend() == []
    assert [(one.claim.seat.name, one.waits_for) for one in bob.claims()] == [("bob", None), ("carol", None)]


def test_who_comes_back_in_time_keeps_it(here: Here) -> None:
    """A client that starts again is no end; when it goes once more, the quarter of an hour begins anew."""
    alice = here.agent("alice")
    held = here.live(alice)
    alice.claim(["src/"])
    here.tend()
    held.release()
    here.tend()
    here.later(10 * MINUTE)
    held = here.live(here.agent("alice"))
    assert here.tend() == []
    here.later(10 * MINUTE)
    held.release()
    here.tend()
    here.later(10 * MINUTE)
    assert here.tend() == []
    here.later(5 * MINUTE)
    assert [record.kind for record in here.tend()] == [RELEASE]


def test_who_never_lived_or_is_registered_keeps_it_to_its_end(here: Here) -> None:
    """A script, a person, and who joined for as long as it does not leave."""
    here.agent("script").claim(["a/"])
    here.person().claim(["b/"])
    registered = here.agent("erin")
    registered.register("general")
    registered.claim(["c/"])
    for _ in range(3):
        assert here.tend() == []
        here.later(30 * MINUTE)
    assert here.tend() == []
    assert len(registered.claims()) == 3


def test_who_waited_is_told_once_when_the_time_of_the_other_is_over(here: Here) -> None:
    """By the system, addressed, so that it wakes; who was named by a release is told by that alone."""
    alice, bob, carol = here.agent("alice"), here.agent("bob"), here.agent("carol")
    alice.claim(["src/"], seconds=5 * MINUTE)
    bob.claim(["src/a"], wait=True)
    carol.claim(["docs/"])
    carol.release()
    assert here.tend() == []
    here.later(5 * MINUTE)
    (told,) = here.tend()
    assert (told.kind, told.type, told.author, told.to) == (STATUS, "claim", "system", ("bob",))
    assert told.body == "bob has src/a now (#2)"
    assert here.tend() == []
    carol.claim(["src/a"], wait=True)
    bob.release()
    assert here.tend() == []


def test_who_waits_for_news_is_woken_when_it_is_over(here: Here) -> None:
    """Though no record comes by then: whoever sleeps looks at the clock, too."""
    alice, bob = here.agent("alice"), here.agent("bob")
    alice.claim(["src/"], seconds=5 * MINUTE)
    bob.claim(["src/a"], wait=True)
    began = read_clock().seconds
    soon = here.at(lambda: Moment(alice.claims()[0].claim.until - 1 + read_clock().seconds - began), "bob")
    assert not soon.wait(0, lambda: bool(soon.unread(1).entries))
    assert soon.wait(60, lambda: bool(soon.unread(1).entries))
    assert [entry.record.body for entry in soon.unread().entries] == ["bob has src/a now (#2)"]


def test_a_damaged_file_or_room_keeps_nobody_from_it(here: Here) -> None:
    """What was known of who lives is forgotten, and found out again."""
    alice = here.agent("alice")
    held = here.live(alice)
    alice.claim(["src/"])
    here.tend()
    (here.path / ".git" / "chatroom" / "lives").write_bytes(b"{nonsense")
    other = here.path / ".git" / "refs" / "chatroom" / "rooms" / "broken"
    other.mkdir(parents=True)
    (other / "log").write_text("0" * 39 + "1\n")
    here.tend()
    held.release()
    here.tend()
    here.later(GONE_SECONDS)
    assert [record.kind for record in here.tend()] == [RELEASE]


class Apart:
    """Two clones of a hub, an agent in each."""

    def __init__(self, hub: Hub) -> None:
        self.ann, self.bob = hub.clone("ann"), hub.clone("bob")
        self.ann.say("first")
        self.sync()

    def sync(self) -> None:
        """Both see all of each other."""
        for clone in (self.ann, self.bob, self.ann):
            clone.sync()

    def claim(self, clone: Clone, *words: str) -> None:
        """The clone's agent claims."""
        clone.chat("claim", *words, check=True, CLAUDECODE="1", GITCHAT_SESSION=clone.name)

    def tend(self, clone: Clone, seconds_later: int = 0) -> None:
        """What runs next in the clone, some time later."""
        now = read_clock()
        tend(clone.world.environment(clone.path, now=lambda: Moment(now.seconds + seconds_later, 0)))

    def told(self) -> list[list[tuple[int | None, str, str]]]:
        """The statuses that each clone has: number, to whom, and text."""
        return [
            [(one["id"], one["to"], one["content"]) for one in clone.records() if one.get("kind") == STATUS]
            for clone in (self.ann, self.bob)
        ]


def test_who_fell_back_is_told_by_its_own_clone_once(hub: Hub) -> None:
    """Two claimed apart; after they have seen each other the later one is told, and all clones have that one record."""
    two = Apart(hub)
    for clone in (two.ann, two.bob):
        two.claim(clone, "src/")
    two.ann.sync()
    two.bob.sync()
    two.tend(two.ann)
    assert [len(told) for told in two.told()] == [0, 1]
    two.tend(two.bob)
    two.sync()
    words = "#3 waits for ann (#2): both claimed src/, and #2 was first"
    assert two.told() == [[(4, "bob", words)]] * 2


def test_two_clones_that_tell_the_same_write_one_record(hub: Hub) -> None:
    """Offline, each for itself: after they have seen each other there is one, with one number."""
    two = Apart(hub)
    two.claim(two.ann, "src/", "--for", "5m")
    two.sync()
    two.claim(two.bob, "src/", "--wait")
    two.sync()
    two.tend(two.ann, 400)
    two.tend(two.bob, 400)
    assert [[words for _, _, words in told] for told in two.told()] == [["bob has src/ now (#3)"]] * 2
    two.sync()
    assert two.told() == [[(4, "bob", "bob has src/ now (#3)")]] * 2
