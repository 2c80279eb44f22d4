"""What a look at people's work costs, in small and large trees. Run by ``make bench``.

Each time is divided by that of ``git status`` in the same round, which whoever uses git waits for. Prints Markdown.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from figures import interleaved, milliseconds, ratios, sealed_variables, spread, table

from gitchat.clones.sync import Remote
from gitchat.model.names import DEFAULT_ROOM, CloneId, Name, Oid
from gitchat.model.record import Moment
from gitchat.model.refs import work_ref
from gitchat.model.secrets import Policy
from gitchat.model.signature import Signature
from gitchat.verbs.room import Room
from gitchat.work import side as sides
from gitchat.work.abroad import Shared
from gitchat.work.looking import look
from gitchat.work.scratch import Scratch, scratch
from gitchat.work.sharing import Snapshot, snapshot
from gitchat.work.side import Base
from gitchat.work.trees import worktrees
from gitchat.workspace.environment import Environment, here
from gitchat.workspace.remotes import open_remote, wire_to

FILES = (20_000, 100_000)
ROUNDS = 5
NOTHING = "`git status`"
WORK = work_ref(DEFAULT_ROOM, CloneId("0" * 16), Name("bob"))


def main() -> None:
    """Print a table for each size."""
    for count in FILES:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch_directory:  # a pusher may be at it
            place = Place(Path(scratch_directory), count)
            times = interleaved(place.actions(), ROUNDS)
            rows = [(name, spread(ratios(taken, times[NOTHING])), milliseconds(taken)) for name, taken in times.items()]
            heads = ["what is done", "÷ `git status`: median (quartiles)", "ms, median"]
            print(f"{count:,} files, two worktrees and another clone, {ROUNDS} interleaved rounds:\n")
            print(table(heads, rows) + "\n")
            print(f"A snapshot of three files is {place.pushed_bytes():,} bytes at the remote.\n")


class Place:
    """A clone with two worktrees, a hub, and another clone; in each three files are changed, one of them by all."""

    def __init__(self, directory: Path, count: int) -> None:
        self.directory = directory
        self.variables = sealed_variables(directory)
        os.environ.update(self.variables)
        self.mine, self.other, self.hub = directory / "mine", directory / "other", directory / "hub.git"
        self.mine.mkdir()
        self._git(self.mine, "init", "-q", "-b", "main")
        for number in range(count):
            path = self.mine / f"d{number // 1000}" / f"e{number % 1000 // 50}" / f"f{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"line {line} of {number}\n" for line in range(20)))
        self._git(self.mine, "add", ".")
        self._git(self.mine, "commit", "-q", "-m", "begin")
        self._git(directory, "clone", "-q", "--bare", str(self.mine), str(self.hub))
        self._git(self.mine, "remote", "add", "origin", str(self.hub))
        self._git(self.mine, "fetch", "-q", "origin")
        self._git(self.mine, "remote", "set-head", "origin", "main")
        self._git(self.mine, "worktree", "add", "-q", str(self.other), "-b", "theirs")
        Room(self.environment()).send("hello")
        self.remote().round(None)
        for tree, number in ((self.mine, 1), (self.other, 2)):
            for name in (f"d0/e0/f{number}.txt", "d0/e0/f3.txt"):
                (tree / name).write_text((tree / name).read_text().replace("line 3", f"line of {number}"))
            (tree / f"new{number}.txt").write_text("new\n")
        self.shared: Shared | None = None
        self.count = 0
        self.share()
        self.remote().round(None, is_asked=False)

    def environment(self) -> Environment:
        """Where it is looked."""
        return here(cwd=str(self.mine))

    def remote(self) -> Remote:
        """The hub."""
        return open_remote(self.environment(), "origin")

    def actions(self) -> dict[str, Callable[[], object]]:
        """What is measured."""
        return {
            NOTHING: partial(self._git, self.mine, "status", "--porcelain"),
            "a look at one worktree, the other and the base, where nothing changed": self.look,
            "the same where nothing is known": partial(self.look, knows=False),
            "the same with work of another clone": partial(self.look, with_shared=True, knows=False),
            "a snapshot": self.snap,
            "a snapshot, and its push": self.share,
            "a round with the remote, which brings it": partial(self.remote().round, None, is_asked=False),
        }

    def look(self, *, with_shared: bool = False, knows: bool = True) -> None:
        """As the verb does."""
        environment = self.environment()
        if not knows:
            (environment.repository.directory / "conflicts.known").unlink(missing_ok=True)
        with scratch(environment.repository, 10) as work:
            found = look(
                work, environment.repository, me=None, fallback=Name("alice"), living={}, told_base=None,
                remotes=["origin"], ignored=[], abroad=[self.shared] if with_shared and self.shared is not None else [],
            )  # fmt: skip
        assert any(pair.conflicts for pair in found.pairs)

    def snap(self) -> None:
        """What is shared of the other worktree."""
        with scratch(self.environment().repository, 10) as work:
            self._snapshot(work)

    def share(self) -> None:
        """A snapshot that is pushed, and fetched."""
        environment = self.environment()
        with scratch(environment.repository, 10) as work:
            oid, made = self._snapshot(work)
            old = Oid(self.shared.oid) if self.shared is not None else None
            wire_to(environment, "origin").writing_to(work.objects).push({WORK: (oid, old)})
        self.shared = Shared((Name("bob"),), oid, "theirs", made.since)

    def _snapshot(self, work: Scratch) -> tuple[Oid, Snapshot]:
        tree = next(one for one in worktrees(work) if one.branch == "theirs")
        base = Base("origin/main", self._git(self.mine, "rev-parse", "origin/main").strip())
        side = sides.side_of(work, tree, sides.stand_of(work, tree), base, [Name("bob")], "bob's")
        assert side is not None
        made = snapshot(work, side, "origin", Policy())
        assert made is not None
        self.count += 1
        return made.commit(work, Signature("nobody", "nobody@example.com", Moment(self.count))), made

    def pushed_bytes(self) -> int:
        """How much the hub got of a snapshot."""
        told = self._git(self.hub, "rev-list", "--objects", WORK, "--not", "main", "--disk-usage")
        return int(told)

    def _git(self, cwd: Path, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=cwd, env=self.variables, capture_output=True, check=True, text=True)
        return done.stdout


if __name__ == "__main__":
    main()
