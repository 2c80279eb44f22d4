"""A room as a participant meets it: what each reading shows, what it marks, and who may mark.

Proves docs/format.md sections 10 and 11.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitchat.index.condition import Condition
from gitchat.model.errors import ConflictError, UserError
from gitchat.model.names import Name, Oid, RoomName
from gitchat.model.query import Query
from gitchat.model.record import STATUS, Draft, Identity
from gitchat.model.refs import cursor_ref, log_ref, summaries_ref
from gitchat.verbs import as_json
from gitchat.verbs.room import Reading, Room
from tests.crash.test_presence_races import Child
from tests.shelf import Shelf
from tests.world import World

LOBBY = RoomName("lobby")
HOOK = Identity(Name("alice"), "alice@example.com", "Alice", "alice@example.com", "hook")


class House:
    """A repository, and whoever uses its rooms; each call is another program, as far as one process can be."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.shelf = Shelf(world)
        self.path: Path = self.shelf.store.directory.parent.parent
        world.git("config", "chat.fsync", "false", cwd=self.path)

    def room(self, name: str, room: str = "lobby", cwd: Path | None = None) -> Room:
        """A room as ``name`` sees it."""
        return Room(self._world.environment(cwd or self.path), room, name)

    def say(self, *texts: str, author: str = "alice", to: str = "all") -> None:
        """A message for each text."""
        for text in texts:
            self.room(author).send(text, to=to)

    def happen(self, text: str, *to: str, kind: str = STATUS) -> None:
        """A status record, as a hook writes it, or one of another kind."""
        self._world.environment(self.path).writer(LOBBY).send(Draft(body=text, kind=kind, to=to), HOOK)

    def put(self, tip: Oid) -> None:
        """Move the log as a fetch would."""
        self.shelf.store.move(log_ref(LOBBY), lambda _: tip, "fetched")

    def cursor_of(self, name: str) -> Oid | None:
        """What the ref of a cursor points to."""
        return self.shelf.store.tip(cursor_ref(LOBBY, Name(name)))

    def line(self, parent: Oid, count: int, author: str = "alice") -> Oid:
        """The last of ``count`` more commits."""
        for _ in range(count):
            parent = self.shelf.commit(parent, author=author)
        return parent


@pytest.fixture
def house(world: World) -> House:
    """A repository without any room."""
    return House(world)


def numbers(reading: Reading) -> list[int | None]:
    """The numbers of what was read."""
    return [entry.number for entry in reading.entries]


# --- what is visible -----------------------------------------------------------


def test_cursor_passes_over_what_is_for_others(house: House) -> None:
    """What stands before a marked record counts as read, whoever it is for."""
    house.say("for carol", to="carol")
    house.happen("committed")
    house.room("alice").environment.writer(LOBBY).describe(HOOK, title="a title")
    house.say("for all")
    bob = house.room("bob")
    reading = bob.read()
    assert (numbers(reading), reading.last_read, reading.left) == ([4], 4, 0)
    assert (numbers(bob.read()), bob.cursor()) == ([], 4)
    assert numbers(house.room("carol").read()) == [1, 4]


def test_own_records_are_read_only_on_request(house: House) -> None:
    """What I wrote is left out and passed over, unless I ask for it."""
    house.say("mine", author="bob")
    house.say("hers")
    bob = house.room("bob")
    assert numbers(bob.unread(with_own=True)) == [1, 2]
    assert numbers(bob.read()) == [2]
    assert numbers(bob.unread(with_own=True)) == []


def test_role_is_judged_when_reading(house: House) -> None:
    """A record for a role reaches who has the role now, not who had it when it was written."""
    house.say("for reviewers", to="role:review")
    bob = house.room("bob")
    bob.register(role="build")
    assert numbers(bob.unread()) == []
    bob.register(role="review")
    assert numbers(bob.unread()) == [1]
    house.room("carol").register(role="review")
    bob.leave()
    assert numbers(house.room("carol").unread()) == [1, 2], "and that bob left"


def test_statuses_are_told_but_not_counted(house: House) -> None:
    """A status for nobody is no unread record, and the reading says how many there were."""
    house.happen("committed a")
    house.say("hello")
    house.happen("committed b")
    bob = house.room("bob")
    reading = bob.unread()
    assert (numbers(reading), reading.left, reading.statuses) == ([2], 0, 2)
    assert (bob.status().unread, bob.handoff().unread) == (1, 1)
    assert bob.status().message_count == 3
    assert numbers(bob.read()) == [2]
    assert (bob.cursor(), bob.unread().statuses) == (2, 1)


def test_status_for_somebody_reaches_that_one(house: House) -> None:
    """A status that names me is unread for me, and for nobody else."""
    house.happen("your branch was merged", "bob")
    assert numbers(house.room("bob").unread()) == [1]
    assert (numbers(house.room("carol").unread()), house.room("carol").unread().statuses) == ([], 0)


@pytest.mark.parametrize("kind", ["claim", "release"])
def test_claims_and_releases_reach_only_whom_they_name(house: House, kind: str) -> None:
    """Never unread for others, whose cursors pass over them; they have numbers and are listed, and are no statuses."""
    house.happen("takes src/lexer/", kind=kind)
    house.happen("waits for bob", "bob", kind=kind)
    house.say("hello")
    bob, carol = house.room("bob"), house.room("carol")
    assert (bob.status().unread, bob.handoff().unread, bob.status().since) == (2, 2, 1)
    assert (carol.status().unread, carol.handoff().unread, carol.status().since) == (1, 1, 1)
    assert (carol.unread().statuses, carol.message_count()) == (0, 3)
    assert [entry.number for entry in carol.log().entries] == [1, 2, 3]
    assert [entry.number for entry in carol.log(Query(with_status=False)).entries] == [3]
    assert (numbers(carol.read()), carol.cursor()) == ([3], 3)
    assert (numbers(bob.read()), bob.cursor()) == ([2, 3], 3)
    house.happen("takes docs/", kind=kind)
    assert (numbers(carol.unread()), carol.unread().left) == ([], 0)


# --- what is marked ------------------------------------------------------------


@pytest.mark.parametrize("force", [False, True])
def test_filtered_reading_marks_nothing_and_says_so(house: House, force: bool) -> None:
    """Otherwise what the filter left out would count as read; ``force`` is about names, not about that."""
    house.say("one", "two")
    house.say("three", author="carol")
    bob = house.room("bob")
    reading = bob.mark(bob.unread(matching=Condition("author = ?", ("carol",))), force=force)
    assert (numbers(reading), reading.is_marked) == ([3], False)
    assert "filtered" in (reading.why_not or "")
    assert house.cursor_of("bob") is None


def test_limit_is_never_passed(house: House) -> None:
    """Two at a time: each time the oldest two, and the cursor goes no further."""
    house.say("one", "two", "three", "four", "five")
    bob = house.room("bob")
    readings = [bob.read(2) for _ in range(4)]
    assert [numbers(reading) for reading in readings] == [[1, 2], [3, 4], [5], []]
    assert [(reading.last_read, reading.left) for reading in readings] == [(2, 3), (4, 1), (5, 0), (5, 0)]


@pytest.mark.parametrize(("count", "last_read"), [(0, 0), (1, 2), (2, 3), (3, 5)])
def test_only_what_was_returned_whole_is_marked(house: House, count: int, last_read: int) -> None:
    """Whoever shows only the first records of a reading marks those, and what stands before them."""
    house.happen("committed")
    house.say("one", "two")
    house.happen("committed")
    house.say("three")
    bob = house.room("bob")
    marked = bob.mark(bob.unread(), count)
    assert (marked.is_marked, marked.last_read, bob.cursor()) == (count > 0, last_read, last_read)
    assert numbers(bob.unread()) == [2, 3, 5][count:]


def test_what_was_added_after_a_reading_is_not_marked_with_it(house: House) -> None:
    """A record that comes between reading and marking stays unread."""
    house.say("one")
    bob = house.room("bob")
    reading = bob.unread()
    house.say("two")
    assert bob.mark(reading).last_read == 1
    assert numbers(bob.read()) == [2]


def test_one_cursor_for_each_name_and_room(house: House, world: World) -> None:
    """The programs and worktrees of one name share it; other names and other rooms have their own."""
    house.say("one", "two")
    house.room("alice", "release").send("elsewhere")
    assert numbers(house.room("bob").read(1)) == [1]
    tree = world.root / "tree"
    world.git("worktree", "add", "-q", tree, cwd=house.path)
    assert numbers(house.room("bob", cwd=tree).read()) == [2]
    assert numbers(house.room("carol").unread()) == [1, 2]
    assert numbers(house.room("bob", "release").unread()) == [1]


def test_cursor_can_be_set_forward_and_not_back(house: House) -> None:
    """Everything up to the number is read; a smaller number changes nothing."""
    house.say("one", "two", "three")
    bob = house.room("bob")
    assert [bob.set_cursor(number) for number in (2, 1, 0)] == [2, 2, 2]
    assert numbers(bob.unread()) == [3]


# --- who marks -----------------------------------------------------------------


def holding(house: House, name: str) -> Child:
    """Another process that lives under ``name``."""

    def live() -> None:
        house.room(name).join()

    return Child(live)


def test_while_a_name_is_held_only_its_holder_marks(house: House) -> None:
    """Another process reads the same, marks nothing and says who holds the name; after the holder it may mark."""
    house.say("one", "two")
    child = holding(house, "bob")
    try:
        reading = house.room("bob").read()
        assert (numbers(reading), reading.is_marked) == ([1, 2], False)
        assert "held by" in (reading.why_not or "")
        with pytest.raises(ConflictError) as caught:
            house.room("bob").set_cursor(2)
        assert caught.value.code == "name-held"
        assert house.room("bob").cursor() == 0
    finally:
        child.kill()
    assert house.room("bob").read().is_marked


@pytest.mark.parametrize("mark", [lambda room: room.read(force=True), lambda room: room.set_cursor(2, force=True)])
def test_force_marks_all_the_same(house: House, mark: Callable[[Room], object]) -> None:
    """Whoever insists marks under a name that another process holds."""
    house.say("one", "two")
    child = holding(house, "bob")
    try:
        mark(house.room("bob"))
        assert house.room("bob").cursor() == 2
    finally:
        child.kill()


def test_name_that_was_taken_after_the_reading_is_not_marked(house: House) -> None:
    """Between reading and marking a program may show a page for an hour: whose name it is counts when it marks."""
    house.say("one", "two")
    reading = house.room("bob").unread()
    assert reading.why_not is None
    child = holding(house, "bob")
    try:
        marked = house.room("bob").mark(reading)
        assert (marked.is_marked, house.room("bob").cursor()) == (False, 0)
        assert "held by" in (marked.why_not or "")
    finally:
        child.kill()


def test_process_that_joined_marks_under_its_own_name_only(house: House) -> None:
    """Once it lives under a name, it peeks under every other."""
    house.say("one")
    bob = house.room("bob")
    bob.join()
    try:
        assert not house.room("carol").read().is_marked
        assert house.room("carol").cursor() == 0
        assert bob.read().is_marked
    finally:
        bob.leave()
    assert house.room("carol").read().is_marked


def test_joining_from_now_on_takes_what_was_said_for_read(house: House) -> None:
    """``since_now`` starts with the next record, and joining without it with the first."""
    house.say("one", "two")
    bob = house.room("bob")
    bob.join(since_now=True)
    try:
        assert (bob.cursor(), numbers(bob.unread())) == (2, [])
    finally:
        bob.leave()
    assert numbers(house.room("carol").unread()) == [1, 2, 3], "and that bob left"


def test_author_with_a_reserved_name_hides_nobody(house: House) -> None:
    """A commit of other software by 'gitchat' or by somebody who is no slug is passed over, and no error."""
    tip = house.shelf.commit(house.shelf.genesis(), author="gitchat")
    house.put(house.shelf.commit(house.shelf.commit(tip, author="Mallory M"), author="alice"))
    assert [(seen.name, seen.last_number) for seen in house.room("bob").who()] == [("alice", 3)]


def test_everybody_who_is_or_was_here_is_listed_with_what_is_unread(house: House) -> None:
    """By name, with the newest number each wrote and what each has not read; whoever only reads has no number."""
    house.say("one", "two")
    house.say("three", author="carol")
    house.room("bob").register()
    house.room("carol").read(1)
    seen = {one.name: (one.last_number, one.unread) for one in house.room("bob").who()}
    assert seen == {"alice": (2, 1), "bob": (None, 3), "carol": (3, 1)}


# --- summaries -----------------------------------------------------------------


def since(house: House, name: str = "dora") -> list[int | None]:
    """The numbers that a handoff lists as not covered by the summary."""
    return [entry.number for entry in house.room(name).handoff().since]


def test_summary_covers_what_its_author_has_read(house: House) -> None:
    """With a cursor at 2 of 3, what happened since begins with 3."""
    house.say("one", "two", "three")
    house.room("bob").read(2)
    summary = house.room("bob").summarize("the first two")
    assert (summary.number, summary.covered_hint) == (1, "1-2")
    assert since(house) == [3]


def test_summary_covers_what_its_author_wrote_after_reading(house: House) -> None:
    """A handoff does not repeat what the summary's author said before it, up to the first word of somebody else."""
    house.say("one", "two")
    bob = house.room("bob")
    bob.read()
    for text in ("I begin", "done"):
        bob.send(text)
    assert bob.summarize("one, two and done").covered_hint == "1-4"
    assert since(house) == []
    house.say("five")
    bob.send("six")
    assert bob.summarize("the same").covered_hint == "1-4"
    assert since(house) == [5, 6]


def test_summary_of_somebody_without_a_cursor_covers_the_whole_room(house: House) -> None:
    """Who never marked anything has read the log in another way."""
    house.say("one", "two", "three")
    assert house.room("bob").summarize("all of it").covered_hint == "1-3"
    assert since(house) == []
    house.say("four")
    assert since(house) == [4]


def test_summary_of_a_merged_log_covers_exactly_what_was_read(house: House) -> None:
    """With the cursor inside a merged line, the rest of that line is since."""
    root = house.line(house.shelf.genesis(), 1)
    ours, theirs = house.line(root, 2), house.line(root, 3, "carol")
    house.put(house.shelf.commit(ours, theirs, kind="merge"))
    house.room("bob").read(4)
    house.room("bob").summarize("up to the fourth")
    assert since(house) == [5, 6]


def test_summary_that_counts_is_the_newest_for_all_or_for_the_name(house: House) -> None:
    """Another name's summary and that of a free scope do not count; the newer of the other two does."""
    house.say("one")
    alice = house.room("alice")
    for text, scope in (("for all", "all"), ("for bob", "bob"), ("on parsing", "the parser")):
        alice.summarize(text, scope)

    def shown(name: str) -> str | None:
        summary = house.room(name).handoff().summary
        return summary.text if summary else None

    assert (shown("bob"), shown("dora")) == ("for bob", "for all")
    alice.summarize("for all, again")
    assert (shown("bob"), shown("dora")) == ("for all, again", "for all, again")
    scoped = alice.summary("the parser")
    assert scoped is not None
    assert (scoped.number, scoped.text) == (3, "on parsing")
    assert [summary.number for summary in alice.summaries("all")] == [1, 4]


def test_merged_chains_of_summaries_are_one_chain(house: House) -> None:
    """Each is in it once, the first parent's first; the newest of a scope counts, with what it covers alone."""
    house.say("one", "two", "three")
    ref = summaries_ref(LOBBY)
    store = house.shelf.store
    alice, bob = house.room("alice"), house.room("bob")
    alice.summarize("common")
    common = store.tip(ref)
    assert common is not None
    ours = alice.summarize("of the hub: everything").oid
    store.move(ref, lambda _: common, "as if in another clone")
    bob.read(1)
    theirs = bob.summarize("of the clone: the first").oid
    store.move(ref, lambda _: house.shelf.commit(ours, theirs, kind="merge"), "merged")
    texts = ["common", "of the hub: everything", "of the clone: the first"]
    assert [(one.number, one.text) for one in alice.summaries()] == list(enumerate(texts, 1))
    newest = alice.summary()
    assert newest is not None
    assert newest.oid == theirs
    assert since(house) == [2, 3], "since the one that counts, not since the merge, which reaches everything"
    assert alice.summarize("after the merge").number == 4


def test_handoff_and_status_mark_nothing(house: House) -> None:
    """Looking around is no reading."""
    house.say("one", "two")
    bob = house.room("bob")
    bob.handoff()
    bob.status()
    assert house.cursor_of("bob") is None


# --- any JSON -------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, -1.5, True, False, None, [], ["a", None], {"a": 1}, "a text", ""])
def test_any_json_value_can_be_said(house: House, value: object) -> None:
    """It comes back as the value that it was, and is marked as JSON in the record."""
    entry = house.room("alice").send(value, media="json")
    (found,) = house.room("bob").log().entries
    assert (entry.record.media, found.record.media) == ("json", "json")
    content = as_json.of_entry(found, {})["content"]
    assert (content, type(content)) == (value, type(value))


@pytest.mark.parametrize("value", [5, None, True, 1.5])
def test_a_value_that_is_no_text_is_json_only_where_it_is_said_to_be(house: House, value: object) -> None:
    """Else a name that was left empty in a program would be said to all."""
    with pytest.raises(UserError) as refused:
        house.room("alice").send(value)
    assert refused.value.code == "bad-content"
    assert 'media="json"' in refused.value.hint
    assert house.room("alice").log().entries == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes", object()])
def test_what_json_does_not_have_is_refused(house: House, value: object) -> None:
    """Also where it is said to be JSON."""
    with pytest.raises(UserError) as refused:
        house.room("alice").send(value, media="json")
    assert refused.value.code == "bad-content"


# --- waiting for logs alone --------------------------------------------------------


def test_reading_wakes_nobody_who_waits_for_logs(house: House) -> None:
    """What is said does, and so does somebody whose name is that of no ref."""
    house.say("one")
    environment = house.room("bob").environment
    (before,) = environment.store.log_tips()
    assert before[0] == log_ref(LOBBY)
    with environment.changes(logs_only=True) as changes, environment.changes() as all_changes:
        for name in ("bob", "log"):
            house.room(name).read()
        assert all_changes.wait(60)
        assert environment.store.log_tips() == (before,)
        assert not changes.wait(0)
        house.say("two")
        assert changes.wait(60)
