"""Whether those are told of conflicts who had them: merges that were made, and merges that are made up.

Each merge of a project's history is replayed, and a number of generated ones: what would be told of the two sides
before, as branches of a remote and as work that is shared uncommitted, is held against what ``git merge`` in a work
tree then meets. Run by ``make alarms``; ``python -m checks.alarms -h`` tells what else it takes. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gitchat.model.names import Name
from gitchat.model.record import Moment
from gitchat.model.secrets import Policy
from gitchat.model.signature import Signature
from gitchat.work.abroad import Abroad, Branch, Shared
from gitchat.work.merging import merge
from gitchat.work.scratch import Scratch, scratch
from gitchat.work.sharing import snapshot
from gitchat.work.side import Base, NotLooked
from gitchat.workspace.environment import here

ROOT = Path(__file__).parents[1]
OWN, GENERATED = "own merges of this project", "generated"
WORDS = ("parse", "lexer", "token", "error", "record", "writer", "reader", "index", "cursor", "branch")
NOBODY = Signature("nobody", "nobody@example.com", Moment(0))


@dataclass
class Tally:
    """What was compared, and how it came out."""

    merges: int = 0
    conflicting: int = 0
    """How many merges met a conflict."""
    paths: int = 0
    """In how many files, in all."""
    false_alarms: list[str] = field(default_factory=list)
    """Paths that were told and merged."""
    misses: list[str] = field(default_factory=list)
    """Paths that were not told and did not merge."""
    not_looked: int = 0
    shared_files: int = 0
    """In how many merges both changed some file: what a tool that compares names would tell of."""

    def add(self, name: str, told: set[str] | None, met: set[str], shares: bool) -> None:
        """One merge."""
        self.merges += 1
        self.conflicting += bool(met)
        self.paths += len(met)
        self.shared_files += shares
        if told is None:
            self.not_looked += 1
            return
        self.false_alarms += [f"{name} {path}" for path in sorted(told - met)]
        self.misses += [f"{name} {path}" for path in sorted(met - told)]


class Place:
    """A clone to try merges in: one work tree, and nothing of anybody's configuration."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(path.parent),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "nobody" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }

    def git(self, *words: str, check: bool = True) -> str:
        """What a git command prints."""
        done = subprocess.run(
            ["git", *words], cwd=self.path, env=self._variables, capture_output=True, check=check, text=True
        )
        return done.stdout.strip()

    def met(self, one: str, other: str) -> set[str]:
        """The paths that ``git merge`` leaves unmerged in a work tree."""
        self.git("checkout", "-q", "-f", "--detach", one)
        self.git("clean", "-q", "-f", "-d", "-x")
        self.git("merge", "-q", "--no-commit", "--no-ff", other, check=False)
        listed = self.git("ls-files", "-u", "-z")
        self.git("reset", "-q", "--hard", one)
        return {line.partition("\t")[2] for line in listed.split("\0") if line}


def told(work: Scratch, one: Abroad, other: Abroad, base: Base) -> tuple[set[str], bool] | None:
    """The paths that both would be told of, and whether any file is changed by both; None where it is not known."""
    try:
        mine, theirs = one.side(work, base), other.side(work, base)
        if mine is None or theirs is None:
            return set(), False
        meetings = merge(work, mine, theirs)
        return {met.path for met in meetings if met.outcome == "conflict"}, bool(meetings)
    except NotLooked:
        return None


def shared(work: Scratch, place: Place, oid: str, base: Base) -> Abroad:
    """The work up to ``oid`` as it would be shared, were all since the base not pushed yet."""
    branch = Branch((Name("bob"),), "origin", "theirs", oid)
    side = branch.side(work, base)
    place.git("update-ref", "refs/remotes/origin/main", base.oid)
    made = snapshot(work, side, "origin", Policy("off")) if side is not None else None
    if made is None:
        return branch
    return Shared((Name("bob"),), made.commit(work, NOBODY), "theirs", made.since)


def compare(place: Place, name: str, one: str, other: str, branches: Tally, shares: Tally) -> None:
    """One merge, in both ways."""
    bases = place.git("merge-base", "--all", one, other, check=False).split()
    if len(bases) != 1:
        return  # of crossed histories no snapshot counts from one commit
    base, met = Base("main", bases[0]), place.met(one, other)
    environment = here(cwd=str(place.path))
    with scratch(environment.repository, 60) as work:
        mine = Branch((Name("alice"),), "origin", "mine", one)
        theirs: list[tuple[Tally, Abroad]] = [
            (branches, Branch((Name("bob"),), "origin", "theirs", other)),
            (shares, shared(work, place, other, base)),
        ]
        for tally, side in theirs:
            found = told(work, mine, side, base)
            tally.add(name, found[0] if found is not None else None, met, found is not None and found[1])


# --- merges that are made up -------------------------------------------------------------


def text_of(rng: random.Random, count: int = 40) -> list[str]:
    """A file of functions, each a few lines long."""
    return [
        f"    {rng.choice(WORDS)} = {rng.choice(WORDS)}({rng.randrange(100)})" if line % 5 else f"def f{line}():"
        for line in range(count)
    ]


class Edits:
    """Changes of the kinds that meet: lines, moved functions, renames, files that both add, generated ones."""

    def __init__(self, rng: random.Random, top: Path) -> None:
        self._rng, self._top = rng, top

    def some(self) -> None:
        """One to four of them."""
        kinds = (self.lines, self.lines, self.function, self.rename, self.directory, self.added, self.gone, self.lock)
        for kind in self._rng.choices(kinds, k=self._rng.randint(1, 4)):
            kind()

    def _file(self) -> Path:
        return self._rng.choice(sorted(self._top.glob("*/*.py")))

    def lines(self) -> None:
        """A line or two of a file."""
        file = self._file()
        lines = file.read_text().splitlines()
        for _ in range(self._rng.randint(1, 2)):
            lines[self._rng.randrange(len(lines))] = f"    {self._rng.choice(WORDS)} = {self._rng.random():.6f}"
        file.write_text("\n".join(lines) + "\n")

    def function(self) -> None:
        """A function goes to another file."""
        one, other = self._file(), self._file()
        lines = one.read_text().splitlines()
        at = self._rng.randrange(0, max(1, len(lines) - 5), 5)
        one.write_text("\n".join([*lines[:at], *lines[at + 5 :], "# moved"]) + "\n")
        other.write_text(other.read_text() + "\n".join(lines[at : at + 5]) + "\n")

    def rename(self) -> None:
        """A file has another name."""
        file = self._file()
        file.rename(file.with_name(f"{self._rng.choice(WORDS)}{self._rng.randrange(9)}.py"))

    def directory(self) -> None:
        """All files of a directory go to another one."""
        directory = self._file().parent
        new = self._top / f"{directory.name}{self._rng.randrange(3)}"
        if not new.exists():
            directory.rename(new)

    def added(self) -> None:
        """A new file, which the other may add, too."""
        (self._file().parent / f"new{self._rng.randrange(3)}.py").write_text("\n".join(text_of(self._rng, 5)) + "\n")

    def gone(self) -> None:
        """A file is removed."""
        if len(list(self._top.glob("*/*.py"))) > 4:
            self._file().unlink()

    def lock(self) -> None:
        """A generated file is made anew, all of it."""
        lines = [f"{word} {self._rng.randrange(10**9)}" for word in WORDS]
        (self._top / "generated.lock").write_text("\n".join(lines) + "\n")


def generated(place: Place, count: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """Two sides each, from one beginning."""
    place.path.mkdir()
    place.git("init", "-q", "-b", "main")
    for number in range(count):
        rng = random.Random(seed + number)
        place.git("checkout", "-q", "-f", "--orphan", f"begin{number}")
        place.git("rm", "-r", "-q", "-f", "--ignore-unmatch", ".")
        for directory in ("src", "lib"):
            (place.path / directory).mkdir(exist_ok=True)
            for word in rng.sample(WORDS, 3):
                (place.path / directory / f"{word}.py").write_text("\n".join(text_of(rng)) + "\n")
        Edits(rng, place.path).lock()
        base, sides = _commit(place), []
        for _ in range(2):
            place.git("checkout", "-q", "-f", "--detach", base)
            place.git("clean", "-q", "-f", "-d")
            Edits(rng, place.path).some()
            sides.append(_commit(place))
        yield f"seed {seed + number}", sides[0], sides[1]


def _commit(place: Place) -> str:
    place.git("add", "-A")
    place.git("commit", "-q", "--allow-empty", "-m", "work")
    return place.git("rev-parse", "HEAD")


def history(place: Place, repository: Path, most: int | None) -> Iterator[tuple[str, str, str]]:
    """The two parents of each merge that was made, the newest first."""
    source = Place(repository)
    source.git("clone", "-q", "--no-checkout", "--no-local", str(repository), str(place.path))
    limit = [f"--max-count={most}"] if most is not None else []
    for line in place.git("log", "--merges", "--format=%h %P", *limit).splitlines():
        short, *parents = line.split()
        if len(parents) == 2:
            yield short, parents[0], parents[1]


def row(name: str, tally: Tally) -> str:
    """One line of the table."""
    cells = [tally.merges, tally.conflicting, tally.paths, len(tally.false_alarms), len(tally.misses)]
    cells += [tally.not_looked, tally.shared_files]
    return f"| {name} | " + " | ".join(map(str, cells)) + " |"


def run(repository: Path, count: int, most: int | None, seed: int = 1) -> dict[str, Tally]:
    """All of it: the tallies by their names."""
    found: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as directory:
        for name in (OWN, GENERATED):
            place = Place(Path(directory) / name.partition(" ")[0])
            branches, shares = Tally(), Tally()
            for short, one, other in history(place, repository, most) if name == OWN else generated(place, count, seed):
                compare(place, short, one, other, branches, shares)
            found[f"{name}, as branches"] = branches
            found[f"{name}, shared uncommitted"] = shares
    return found


def main() -> None:
    """Print the table, and what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", nargs="?", type=Path, default=ROOT)
    parser.add_argument("--generated", type=int, default=200)
    parser.add_argument("--merges", type=int)
    given = parser.parse_args()
    found = run(given.repository, given.generated, given.merges)
    heads = ("merges", "how many", "with conflicts", "files", "told wrongly", "missed", "not looked at", "share a file")
    print(f"| {' | '.join(heads)} |\n| --- |{' ---: |' * (len(heads) - 1)}")
    for name, tally in found.items():
        print(row(name, tally))
    wrong = Counter(path for tally in found.values() for path in [*tally.false_alarms, *tally.misses])
    for path, times in wrong.most_common(20):
        print(f"\n{times} times: {path}")


if __name__ == "__main__":
    main()
