"""What a round with the authority does, and refuses. Proves docs/format.md section 12."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitchat.clones.answer import Pushed
from gitchat.clones.place import Standing
from gitchat.clones.report import Consent, Report
from gitchat.clones.settling import settle
from gitchat.clones.sync import Remote
from gitchat.index.condition import Condition
from gitchat.model.errors import ChatError
from gitchat.model.names import RoomName
from gitchat.model.record import Entry
from gitchat.model.refs import log_ref, tracking_ref
from gitchat.verbs.room import Room
from gitchat.workspace.remotes import open_remote
from tests.world import World

LOBBY = RoomName("lobby")
LOG = log_ref(LOBBY)


class Clone:
    """A clone of an empty repository, whose rooms follow ``origin``."""

    def __init__(self, world: World, name: str, origin: Path) -> None:
        self.path = world.root / name
        self._world = world
        self.git("init", "-q", self.path, cwd=world.root)
        self.git("config", "chat.fsync", "false")
        self.git("remote", "add", "origin", origin)
        self.git("config", "chat.sync", "manual")
        self.environment = world.environment(self.path)

    def git(self, *arguments: str | Path, cwd: Path | None = None) -> str:
        """What git prints."""
        return self._world.git(*arguments, cwd=cwd or self.path).stdout.strip()

    def room(self, name: str = "alice") -> Room:
        """The lobby for ``name``, as it is now."""
        return Room(self.environment, LOBBY, name)

    def say(self, body: str, name: str = "alice", key: str | None = None) -> Entry:
        """A message, sent."""
        return self.room(name).send(body, key=key)

    @property
    def remote(self) -> Remote:
        """What syncs."""
        return open_remote(self.environment, "origin")

    def sync(self, *, has_consent: bool = False, pushes: bool = True) -> Report:
        """A round."""
        consent = Consent(renumbers=lambda room: has_consent, brings_back=frozenset({Standing.EMPTY}))
        return self.remote.round(None, consent=consent, pushes=pushes)

    def log(self) -> list[tuple[int | None, str]]:
        """Numbers and texts, oldest first."""
        return [(entry.number, entry.record.body) for entry in self.room().log().entries]

    @property
    def tip(self) -> str | None:
        """Of the log."""
        return self.environment.store.tip(LOG)


@pytest.fixture
def hub(world: World) -> Path:
    """An empty repository that everybody pushes to."""
    path = world.root / "hub.git"
    world.git("init", "-q", "--bare", path)
    return path


@pytest.fixture
def one(world: World, hub: Path) -> Clone:
    """A clone that has said something, and synced."""
    clone = Clone(world, "one", hub)
    clone.say("first")
    clone.say("second")
    clone.sync()
    return clone


@pytest.fixture
def other(world: World, hub: Path, one: Clone) -> Clone:
    """A clone that has what the hub has."""
    clone = Clone(world, "other", hub)
    clone.sync()
    return clone


def test_attaching_to_an_empty_remote_keeps_the_numbers(one: Clone) -> None:
    """The remote takes the log as it is."""
    assert one.log() == [(1, "first"), (2, "second")]
    assert one.environment.authorities.of(LOBBY) == "origin"


def test_pending_record_has_no_number_until_the_remote_took_it(one: Clone) -> None:
    """A handle stands for it, in every lookup."""
    sent = one.say("third")
    assert (sent.number, sent.label) == (None, sent.handle)
    assert one.room().find(sent.handle).oid == sent.oid
    assert one.say("fourth", "bob").number is None
    assert one.log()[2:] == [(None, "third"), (None, "fourth")]
    one.sync()
    assert one.log()[2:] == [(3, "third"), (4, "fourth")]
    assert one.room().find(sent.handle).number == 3


def test_key_that_was_sent_in_two_clones_is_one_record(one: Clone, other: Clone) -> None:
    """The copy that came to the remote first has the number."""
    one.say("done", key="build-7")
    other.say("done", key="build-7")
    for clone in (one, other, one):
        clone.sync()
    assert one.log() == other.log() == [(1, "first"), (2, "second"), (3, "done")]


def test_key_that_two_names_used_is_two_records_also_while_one_is_pending(one: Clone) -> None:
    """It is the name's own key."""
    one.say("done", "alice", key="build-7")
    one.sync()
    one.say("done as well", "bob", key="build-7")
    assert one.log()[2:] == [(3, "done"), (None, "done as well")]
    assert len(one.environment.log(LOBBY).pending()) == 1


def test_renumbering_needs_consent_and_tells_the_old_number(world: World, hub: Path, one: Clone) -> None:
    """A room of the same name that was begun apart; without consent nothing changes here."""
    apart = Clone(world, "apart", hub)
    apart.say("mine")
    with pytest.raises(ChatError) as refused:
        apart.sync()
    assert refused.value.code == "would-renumber"
    assert apart.log() == [(1, "mine")]
    apart.sync(has_consent=True)
    assert apart.log() == [(1, "first"), (2, "second"), (3, "mine")]
    assert "#3 (was #1)" in world.chat("log", cwd=apart.path).stdout
    assert "#1 (was" not in world.chat("log", cwd=apart.path).stdout


def test_local_numbers_that_another_merge_order_changes_need_consent(one: Clone, other: Clone, hub: Path) -> None:
    """All messages here are there, at other places."""
    other.say("theirs")
    other.environment.authorities.detach(LOBBY)
    mine = other.tip
    assert mine
    one.say("before")
    one.sync()
    tip = one.tip
    merged = one_merge(other, tip or "", mine)
    other.git("push", "-q", "origin", f"{merged}:{LOG}")
    with pytest.raises(ChatError) as refused:
        other.sync()
    assert refused.value.code == "would-renumber"


def one_merge(clone: Clone, first: str, second: str) -> str:
    """A commit of two logs in this order, by hand."""
    clone.git("fetch", "-q", "origin", f"{LOG}:refs/heads/theirs")
    tree = clone.git("rev-parse", f"{second}^{{tree}}")
    return clone.git("commit-tree", "-p", first, "-p", second, "-m", "by hand", tree)


def test_merge_with_its_parents_swapped_is_an_alarm_that_names_it(one: Clone, other: Clone) -> None:
    """A fast-forward for git; other numbers for everybody."""
    other.say("theirs")
    one.say("mine")
    one.sync()
    swapped = one_merge(other, other.tip or "", one.tip or "")
    other.git("push", "-q", "origin", f"{swapped}:{LOG}")
    (alarm,) = one.sync().alarms
    assert swapped in alarm
    assert "another order" in alarm


@pytest.mark.parametrize("is_deleted", [False, True])
def test_remote_that_forgot_is_given_back_what_it_had(one: Clone, other: Clone, is_deleted: bool) -> None:
    """Rewound or deleted: also what only the remote's copy had here, beside something pending, under its numbers."""
    first = one.git("rev-parse", f"{LOG}^")
    one.say("third")
    one.sync()
    other.say("pending")
    other.sync(pushes=False)
    assert other.log()[2:] == [(3, "third"), (None, "pending")]
    other.git("push", "-q", "--force", "origin", f":{LOG}" if is_deleted else f"{first}:{LOG}")
    (alarm,) = other.sync().alarms
    assert "nothing is lost" in alarm
    assert other.log() == [(1, "first"), (2, "second"), (3, "third"), (4, "pending")]
    one.sync()
    assert one.log() == other.log()


def test_pull_joins_cursors_and_writes_no_commit_that_nobody_asked_for(one: Clone, other: Clone) -> None:
    """Read there is read here, also where nothing can be pushed."""
    one.say("third")
    one.sync()
    one.room("bob").read(limit=1)
    one.sync()
    other.say("mine")
    before = other.git("count-objects")
    other.sync(pushes=False)
    assert other.room("bob").cursor() == 1
    after = other.git("count-objects")
    other.sync(pushes=False)
    assert other.git("count-objects") == after != before


def test_clone_that_follows_another_hub_is_refused(world: World, other: Clone) -> None:
    """Its numbers are not its own."""
    third = Clone(world, "third", other.path)
    with pytest.raises(ChatError) as refused:
        third.remote.preview(None)
    assert refused.value.code == "follows-another"


def test_url_is_refused_with_the_command_that_names_it(one: Clone, world: World, hub: Path) -> None:
    """A room follows a named remote."""
    done = world.chat("sync", f"file://{hub}", cwd=one.path)
    assert done.returncode == 1
    assert f"git remote add chat 'file://{hub}'" in done.stderr


def test_detaching_is_refused_while_something_is_pending(one: Clone, world: World) -> None:
    """It would get a number that may stand for something else there."""
    one.say("third")
    done = world.chat("remote", "detach", "lobby", cwd=one.path)
    assert (done.returncode, "1 message in room 'lobby' is pending" in done.stderr) == (3, True)
    one.sync()
    assert world.chat("remote", "detach", "lobby", cwd=one.path).returncode == 0
    assert one.environment.authorities.of(LOBBY) is None  # this process has seen it, too
    assert world.chat("send", "fourth", cwd=one.path).stdout == "#4\n"


def test_a_process_that_was_here_before_sees_that_the_room_was_attached(world: World, hub: Path) -> None:
    """What it sends from then on is pending: its number is the remote's to give."""
    clone = Clone(world, "one", hub)
    assert clone.say("first").number == 1
    assert world.chat("sync", "origin", cwd=clone.path).returncode == 0
    assert clone.say("second").number is None


def test_watching_tells_each_record_once(one: Clone, other: Clone) -> None:
    """Also one that was pending, and one whose number another clone's copy got."""
    watched = one.room().watch(after=2, timeout_seconds=0)
    other.say("done", key="build-7")
    one.say("done", key="build-7")
    one.say("mine")
    told = [next(watched).record.body for _ in range(2)]
    other.sync()
    one.sync()
    assert (told, [entry.record.body for entry in watched]) == (["done", "mine"], [])


def test_pending_record_is_for_me_and_counts_as_unread(one: Clone) -> None:
    """It is read, found and answered as any other."""
    sent = one.say("look at the parser", "alice")
    bob = one.room("bob")
    assert bob.is_for_me(sent)
    assert not one.room("alice").is_for_me(sent)
    assert [entry.oid for entry in bob.read().entries][-1] == sent.oid
    assert (bob.unread().entries, bob.cursor()) == ([], 2)
    assert [found.entry.oid for found in bob.search("parser")] == [sent.oid]
    answer = bob.send("I do", reply_to=sent.handle)
    assert [entry.oid for entry in bob.thread(sent.handle).entries] == [sent.oid, answer.oid]
    seen = {one.name: one.last_number for one in bob.who()}
    assert (seen["alice"], seen["bob"]) == (None, None)
    assert [entry.oid for entry in bob.after(99, Condition("kind = 'message'"))] == [sent.oid, answer.oid]


def test_summary_has_an_id_once_the_remote_took_it(one: Clone) -> None:
    """Until then it has a handle; it counts at once."""
    summary = one.room().summarize("so far")
    assert (summary.number, summary.label[0]) == (None, "~")
    assert one.room().count_since(summary) == 0
    one.say("later")
    handoff = one.room("bob").handoff()
    assert [entry.record.body for entry in handoff.since] == ["later"]
    assert handoff.since_without(handoff.recent) == 0
    one.sync()
    assert [found.number for found in one.room().summaries()] == [1]


def test_what_is_sent_while_a_room_is_being_attached_keeps_its_number(world: World, hub: Path) -> None:
    """It was shown with one; so the room is attached when the remote has that, too."""
    clone = Clone(world, "one", hub)
    clone.say("first")
    remote, pushed = clone.remote, []

    def push(updates: Any, address: str | None) -> list[Pushed]:
        answers = Remote._push(remote, updates, address)
        if not pushed:
            pushed.append(clone.say("meanwhile").number)
        return answers

    remote._push = push  # type: ignore[method-assign]
    report = settle(remote, None, random=lambda: 0.5)
    assert (pushed, report.attached, report.pushed) == ([2], [LOBBY], {LOBBY: 2})
    assert clone.log() == [(1, "first"), (2, "meanwhile")]
    assert clone.say("third").number is None


def test_an_address_that_changes_during_a_round_gets_nothing(one: Clone, world: World) -> None:
    """What was fetched from one place is not judged by the name of another, and nothing is pushed to that."""
    elsewhere = world.root / "elsewhere.git"
    world.git("init", "-q", "--bare", elsewhere)
    one.room("bob").read()  # nobody's lease keeps a ref away that is new
    remote = one.remote
    fetch = remote._fetch

    def fetch_and_move(room: RoomName | None) -> dict[RoomName, str]:
        failed = fetch(room)
        one.git("remote", "set-url", "origin", elsewhere)
        return failed

    remote._fetch = fetch_and_move  # type: ignore[method-assign]
    with pytest.raises(ChatError) as refused:
        remote.round(None)
    assert refused.value.code == "another-place"
    assert world.git("for-each-ref", cwd=elsewhere).stdout == ""


class Killed(Exception):
    """The process ended here."""


def test_what_only_a_tracking_ref_had_outlives_a_kill_after_the_fetch(one: Clone, other: Clone) -> None:
    """The remote forgot, the fetch took the last ref to it away, and nobody was there to see it."""
    first = one.git("rev-parse", f"{LOG}^")
    one.say("third")
    one.sync()
    other.say("pending")
    other.sync(pushes=False)
    other.git("push", "-q", "--force", "origin", f"{first}:{LOG}")
    remote = other.remote

    def die(*arguments: object, **options: object) -> None:
        raise Killed

    remote._judging.judge = die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        remote.round(None)
    other.git("gc", "-q", "--prune=now")
    (alarm,) = other.sync().alarms
    assert "nothing is lost" in alarm
    assert other.log() == [(1, "first"), (2, "second"), (3, "third"), (4, "pending")]
    assert other.sync().alarms == []


def test_a_preview_counts_and_moves_nothing(one: Clone, other: Clone, hub: Path) -> None:
    """Neither here nor there; what a round then does is what it said."""
    one.say("third")
    one.sync()
    other.say("mine")
    other.say("mine, too")
    before = (other.git("for-each-ref"), other.git("for-each-ref", cwd=hub))
    preview = other.remote.preview(None)
    assert (preview.fetched, preview.pushed, preview.renumbered) == ({LOBBY: 1}, {LOBBY: 2}, {})
    assert (other.git("for-each-ref"), other.git("for-each-ref", cwd=hub)) == before
    report = other.sync()
    assert (report.fetched, report.pushed) == (preview.fetched, preview.pushed)


def test_a_room_object_that_was_here_before_sees_that_its_room_was_attached(world: World, hub: Path) -> None:
    """A program that keeps its Room for hours gives no number that is the remote's to give."""
    clone = Clone(world, "one", hub)
    room = clone.room()
    assert room.send("first").number == 1
    assert world.chat("sync", "origin", cwd=clone.path).returncode == 0
    assert room.send("second").number is None
    assert [entry.number for entry in room.log().entries] == [1, None]


def test_pulling_needs_no_name(world: World, one: Clone, hub: Path) -> None:
    """A machine that only reads, such as a build, has none."""
    reader = world.repository("reader")
    world.git("remote", "add", "origin", hub, cwd=reader)
    world.git("config", "user.name", "", cwd=reader)
    done = world.chat("pull", cwd=reader, GITCHAT_NAME="")
    assert (done.returncode, done.stdout) == (0, "lobby: 2 fetched, 0 pushed\n")


def test_numbers_stand_until_the_remote_has_taken_what_is_new(one: Clone, world: World, hub: Path) -> None:
    """A pull attaches no room that would lose numbers by it."""
    one.environment.authorities.detach(LOBBY)
    assert one.say("third").number == 3
    with pytest.raises(ChatError) as refused:
        one.sync(pushes=False)
    assert refused.value.code == "would-renumber"
    assert one.log()[2:] == [(3, "third")]
    one.sync()
    assert one.log()[2:] == [(3, "third")]
    assert one.environment.store.tip(tracking_ref("origin", LOG)) == one.tip
