"""Each row of the table "What is done to a remote" of docs/concurrency.md, as it stands there.

What is done is done; then a sync pushes, says and ends as the row has it, and the command of its last column, which the
sync has to name, goes on: after it the message is at the hub, and every number is what it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.clones.conftest import LOG, Clone, Hub, git_daemon
from tests.clones.lines import slow_line
from tests.world import World

PAGE = Path(__file__).parents[2] / "docs" / "concurrency.md"
WAITING = "x" * 3000
"""What was not pushed yet."""


SECRET = "the password is 42"


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    done: str
    status: int
    pushed: str
    says: str
    goes_on: str


def rows() -> list[Row]:
    """The table."""
    table = PAGE.read_text().partition("## What is done to a remote\n")[2].partition("|---|---|---|---|---|\n")[2]
    cells = [re.split(r"\s*\|\s*", line.strip("| ")) for line in table.splitlines() if line.startswith("|")]
    return [
        Row(done, int(status), pushed, says, on.rpartition("`")[0].strip("`"))
        for done, status, pushed, says, on in map(_five, cells)
    ]


def _five(cells: list[str]) -> list[str]:
    return [*cells, *[""] * (5 - len(cells))]


@dataclass
class Place:
    """Where a row happens: a hub, a clone of it with something to push, and a colleague's."""

    world: World
    hub: Hub
    ann: Clone
    held: ExitStack = field(default_factory=ExitStack)
    url: Path | str = ""
    """What stands for ``URL``."""
    mend: Callable[[], object] = lambda: None
    """What whoever runs the hub does before the command goes on."""

    @property
    def other(self) -> Hub:
        """Another hub, empty at first; the same each time."""
        if not (self.world.root / "other.git").exists():
            return Hub(self.world, self.world.root / "other.git")
        found = Hub.__new__(Hub)
        found.world, found.path, found.sync = self.world, self.world.root / "other.git", "manual"
        return found

    def set_url(self, *options: object, to: Path | str | None = None) -> None:
        """``git remote set-url`` of origin, to another hub."""
        self.ann.git("remote", "set-url", *map(str, options), "origin", to or self.other.path)

    def strangers(self, hub: Hub) -> None:
        """Let ``hub`` have a lobby of its own."""
        carl = hub.clone("carl")
        carl.say("of another team")
        carl.sync()


def to_an_empty_place(place: Place) -> None:
    place.set_url()


def to_a_strangers_hub(place: Place) -> None:
    place.strangers(place.other)
    place.set_url()


def a_second_address(place: Place) -> None:
    place.set_url("--add")
    place.set_url("--push", to=place.hub.path)


def a_push_url(place: Place) -> None:
    place.set_url("--push")


def renamed(place: Place) -> None:
    place.ann.git("remote", "rename", "origin", "up")


def removed(place: Place) -> None:
    place.ann.git("remote", "remove", "origin")
    place.url = place.hub.path


def pushed_with_mirror(place: Place) -> None:
    bea = place.hub.clone("bea")
    bea.sync()
    bea.git("push", "-q", "--mirror", "origin")


def restored(place: Place) -> None:
    place.hub.git("update-ref", LOG, f"{LOG}~1")


def replaced(place: Place) -> None:
    place.hub.path.rename(place.world.root / "away.git")
    place.strangers(Hub(place.world, place.hub.path))


def moved(place: Place) -> None:
    place.hub.path.rename(place.world.root / "elsewhere.git")
    place.hub.path = place.world.root / "elsewhere.git"
    place.set_url(to=place.hub.path)


def moved_by_another(place: Place) -> None:
    bea = place.hub.clone("bea")
    bea.sync()
    bea.git("remote", "set-url", "origin", place.other.path)
    bea.chat("remote", "move", "origin", check=True)
    place.url = place.other.path


def read_only(place: Place) -> None:
    with place.held:
        place.set_url(to=place.held.enter_context(git_daemon(place.hub, "--disable=receive-pack")))
        place.held = place.held.pop_all()
    place.mend = lambda: place.set_url(to=place.hub.path)


def branches_only(place: Place) -> None:
    hook = place.hub.hook('case $1 in refs/heads/*) ;; *) echo "branches only" >&2; exit 1;; esac', "update")
    place.mend = hook.unlink


def scanned(place: Place) -> None:
    place.ann.say(SECRET)
    script = 'while read -r old new ref; do git log --format=%B "$new" --not --all | grep -q "is 42" && {'
    hook = place.hub.hook(f'{script} echo "a secret" >&2; exit 1; }}; done; exit 0')
    place.mend = hook.unlink


def hidden(place: Place) -> None:
    place.hub.git("config", "uploadpack.hideRefs", "refs/chatroom/")
    place.mend = lambda: place.hub.git("config", "--unset", "uploadpack.hideRefs")


def slow(place: Place) -> None:
    url = place.held.enter_context(git_daemon(place.hub))
    place.set_url(to=place.held.enter_context(slow_line(url, bytes_a_second=8_000)))
    place.ann.chat("pull", check=True)  # which says that it is at another address, as the line has one


DEEDS: dict[str, Callable[[Place], None]] = {
    "`git remote set-url origin`, to an empty place": to_an_empty_place,
    "`git remote set-url origin`, to another team's hub": to_a_strangers_hub,
    "`git remote set-url --add origin`, a second address": a_second_address,
    "`git remote set-url --push origin`, an empty place": a_push_url,
    "`git remote rename origin up`": renamed,
    "`git remote remove origin`": removed,
    "`git push --mirror`, from a clone": pushed_with_mirror,
    "the hub is restored from a backup": restored,
    "the hub is replaced by another one": replaced,
    "the hub is moved, with all it has": moved,
    "the rooms are moved by somebody else (`remote move`)": moved_by_another,
    "the hub lets you read and not push": read_only,
    "the hub takes nothing but branches": branches_only,
    "the hub never takes what one message says (secrets)": scanned,
    "the hub hides `refs/chatroom/`": hidden,
    "the line is slow": slow,
}
"""What is done in each row."""


@pytest.fixture
def place(world: World, hub: Hub) -> Iterator[Place]:
    """A hub with two messages, one of them of each number, and a third that waits."""
    ann = hub.clone("ann")
    for body in ("one", "two"):
        ann.say(body)
    ann.sync()
    ann.say(WAITING)
    found = Place(world, hub, ann)
    with ExitStack() as held:
        found.held = held
        yield found


def at(hub: Hub) -> list[str]:
    """The bodies that a hub has in the lobby, the newest first."""
    return hub.git("log", "--format=%s", LOG, check=False).stdout.splitlines()


def test_the_table_has_a_deed_for_each_row() -> None:
    """And a row for each deed."""
    assert [row.done for row in rows()] == list(DEEDS)


@pytest.mark.slow
@pytest.mark.parametrize("row", rows(), ids=lambda row: re.sub(r"\W+", "-", row.done).strip("-"))
def test_each_row_is_what_happens(place: Place, row: Row) -> None:
    """Status, what is pushed, what is said, and the command that goes on."""
    DEEDS[row.done](place)
    done = place.ann.chat("sync")
    said = done.stdout + done.stderr
    assert (done.returncode, row.says in said) == (row.status, True), said
    if not row.says:
        assert done.stderr == ""
    assert (WAITING in at(place.hub)) is (row.pushed != "nothing")
    assert WAITING not in at(place.other)
    numbered = place.ann.numbered()
    assert numbered[:2] == [(1, "one"), (2, "two")]
    if row.goes_on:
        assert row.goes_on.replace("URL", str(place.url)) in said or row.goes_on in said
        place.mend()
        command = row.goes_on.replace("URL", str(place.url))
        place.world.run("sh", "-c", command, cwd=place.ann.path, GITCHAT_NAME="ann")
        if "detach" not in command:
            place.ann.chat("sync", check=True)
        last = place.ann.numbered()
        assert [number for number, body in last if body == WAITING] != [None]
        before = ["of another team"] if DEEDS[row.done] is replaced else []
        after = [SECRET] if DEEDS[row.done] is scanned else []
        assert [body for _, body in last] == [*before, "one", "two", WAITING, *after]
