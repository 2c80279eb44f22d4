"""Messages about code, in real repositories: what is kept, where it is found again, and what is refused before."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.anchor import numbered
from gitchat.model.errors import UserError
from gitchat.model.hunks import Lines
from gitchat.model.record import Draft, Entry
from gitchat.model.refs import log_ref
from gitchat.verbs import anchoring
from gitchat.verbs.room import Room
from tests.world import World, open_store

TEXT = [f"line {number} says something of its own" for number in range(1, 61)]


class Project:
    """A repository with a file of sixty lines, and the room of alice there."""

    def __init__(self, world: World, *options: str) -> None:
        self.world = world
        self.path = world.repository("project", *options)
        self.write("src/lexer.py", TEXT)
        self.commit("begin")

    @property
    def room(self) -> Room:
        """As it is now."""
        return Room(self.world.environment(self.path), name="alice")

    def write(self, path: str, lines: list[str]) -> None:
        """Let a file have these lines."""
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{line}\n" for line in lines))

    def lines(self, path: str = "src/lexer.py") -> list[str]:
        """The lines of a file."""
        return (self.path / path).read_text().splitlines()

    def git(self, *words: str) -> str:
        """What git prints."""
        return self.world.git(*words, cwd=self.path).stdout.strip()

    def commit(self, subject: str) -> None:
        """All that is there."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", subject)

    def now(self, entry: Entry) -> list[tuple[str, str | None, Lines | None]]:
        """Where what a message is about is now."""
        places = [at.place for at in self.room.places(entry)]
        return [("unknown", None, None) if one is None else (one.state, one.path, one.lines) for one in places]

    def blamed(self, *words: str) -> list[str]:
        """What ``git chat blame`` prints, without dates."""
        done = self.world.chat("blame", *words, cwd=self.path, check=True)
        return [re.sub(", [0-9]+ seconds? ago", "", line).rstrip() for line in done.stdout.splitlines()]


@pytest.fixture
def project(world: World) -> Project:
    """With one commit, and nothing said yet."""
    return Project(world)


# --- what is kept ----------------------------------------------------------------


def test_the_lines_are_kept_with_those_beside_them(project: Project) -> None:
    """And the commit, where they stand there; of a whole file only its name. git finds nothing wrong."""
    entry = project.room.send("Why -1?", at=["src/lexer.py:40-42", "./src/lexer.py", "src/lexer.py:2"])
    assert [str(one) for one in numbered(entry.record).values()] == [
        "src/lexer.py:40-42", "src/lexer.py", "src/lexer.py:2"
    ]  # fmt: skip
    assert entry.record.commit == project.git("rev-parse", "HEAD")
    log = log_ref(project.room.name)
    assert project.git("ls-tree", "-r", "--name-only", log).splitlines() == ["at/1-lexer.py", "at/3-lexer.py"]
    assert project.git("show", f"{log}:at/1-lexer.py").splitlines() == TEXT[36:45]
    assert project.git("show", f"{log}:at/3-lexer.py").splitlines() == TEXT[:5]
    assert project.git("fsck", "--strict", "--no-dangling") == ""
    assert project.world.chat("verify", cwd=project.path, check=True).stderr == ""


def test_lines_that_are_not_committed_name_no_commit(project: Project) -> None:
    """What stands in HEAD does, wherever else the file was changed; a message about both names none."""
    project.write("src/lexer.py", [*TEXT[:50], "new", *TEXT[51:]])
    assert project.room.send("a", at="src/lexer.py:3").record.commit is not None
    assert project.room.send("b", at="src/lexer.py:51").record.commit is None
    assert project.room.send("c", at=["src/lexer.py:3", "src/lexer.py:51"]).record.commit is None
    project.write("new.py", ["x"])
    assert project.room.send("d", at="new.py:1").record.commit is None


def test_a_commit_can_be_named(project: Project) -> None:
    """Also for a file that is gone; a path is git's own then, from the top, and with ./ from here."""
    first = project.git("rev-parse", "HEAD")
    project.git("rm", "-q", "-r", "src")
    project.commit("remove")
    (project.path / "src").mkdir()
    for given in ("HEAD~1:src/lexer.py:4", f"{first}:./src/lexer.py:4"):
        entry = project.room.send("about", at=given)
        assert entry.record.commit == first
        assert project.now(entry) == [("gone", None, None)]
    below = Room(project.world.environment(project.path / "src"), name="alice")
    assert below.send("about", at="HEAD~1:./lexer.py:4").record.at == ("src/lexer.py:4-4",)
    assert below.send("about", at="HEAD~1:src/lexer.py").record.at == ("src/lexer.py",)


def test_a_file_is_named_from_here_or_from_the_top(project: Project) -> None:
    """The one that is there first; and a name that ends as if it named lines is a name."""
    project.write("src/odd:3", ["x"])
    below = Room(project.world.environment(project.path / "src"), name="alice")
    for given, value in [
        ("lexer.py:4", "src/lexer.py:4-4"),
        ("src/lexer.py:4", "src/lexer.py:4-4"),
        ("../src/lexer.py:4-6", "src/lexer.py:4-6"),
        ("odd:3", "src/odd:3"),
        ("odd:3:1", "src/odd:3:1-1"),
        (str(project.path / "src" / "lexer.py"), "src/lexer.py"),
    ]:
        assert below.send("x", at=given).record.at == (value,)


def _given(project: Project) -> None:
    """What is asked for in :data:`REFUSED`."""
    (project.path / ".gitignore").write_text("*.log\n")
    (project.path / "run.log").write_text("a\n")
    (project.path / "blob.bin").write_bytes(b"\0\1\2\n")
    (project.path / "empty").touch()
    (project.path / "wide").write_text("x" * 70_000 + "\n")
    (project.path / "link").symlink_to("src/lexer.py")
    (project.path / "out").symlink_to("/etc")
    os.mkfifo(project.path / "pipe")


REFUSED = [
    ("src/nope.py", "no-such-file", "see which there are: git ls-files"),
    ("lexer.py:4", "no-such-file", "did you mean src/lexer.py:4?"),
    ("src/lexer.py:61", "no-such-lines", "its last one is src/lexer.py:60"),
    ("src/lexer.py:5-4", "bad-anchor", "FILE:40-46"),
    ("src/lexer.py:0", "bad-anchor", "FILE:40-46"),
    ("src/lexer.py:1-400", "bad-anchor", "src/lexer.py:1-200"),
    ([""], "bad-anchor", "FILE:40-46"),
    ("a\0b", "bad-anchor", "FILE:40-46"),
    ("empty:1", "no-such-lines", "name it without lines: empty"),
    ("wide:1", "bad-anchor", "name it without lines: wide"),
    ("blob.bin:1", "binary-file", "name it without lines: blob.bin"),
    ("run.log", "ignored-file", "attach"),
    ("/etc/passwd", "not-in-repository", "below"),
    ("../up.py:3", "not-in-repository", "below"),
    ("out/passwd:1", "not-in-repository", "below"),
    (".git/config:1", "not-in-repository", "below"),
    ("src", "not-a-file", "name a file in it"),
    ("link:1", "not-a-file", "without lines"),
    ("pipe:1", "not-a-file", "without lines"),
    ("HEAD:src/nope.py:1", "no-such-file", "git ls-tree -r --full-tree --name-only HEAD"),
    ("HEAD:src", "not-a-file", "name a file"),
    ("HEAD:src/lexer.py:99", "no-such-lines", "its last one"),
    ("nowhere:src/lexer.py:1", "no-such-commit", "git log --oneline"),
    (["a"] * 9, "bad-anchor", "name the file alone"),
]


def test_what_is_no_place_is_refused_before_anything_is_sent(project: Project) -> None:
    """With a hint that leads on; no room begins, and no file that was named is waited for."""
    _given(project)
    for given, code, hint in REFUSED:
        with pytest.raises(UserError) as caught:
            project.room.send("x", at=given)
        assert (caught.value.code, hint in caught.value.hint) == (code, True), (given, caught.value, caught.value.hint)
    assert project.room.environment.store.rooms() == []
    for given in ("src/lexer.py:60", "link", "blob.bin", "empty", "HEAD:src/lexer.py:60"):  # what the hints say
        project.room.send("x", at=given)


def test_a_bare_repository_has_files_at_commits(project: Project) -> None:
    """And says so where one is named without."""
    bare = project.world.root / "bare.git"
    project.git("clone", "-q", "--bare", ".", str(bare))
    room = Room(project.world.environment(bare), name="alice")
    with pytest.raises(UserError, match="bare repository") as caught:
        room.send("x", at="src/lexer.py:4")
    entry = room.send("x", at=caught.value.hint.partition(": ")[2])
    assert entry.record.at == ("src/lexer.py:4-4",)
    assert [len(one.entries) for one in room.blame("src/lexer.py", "HEAD").said] == [1]
    with pytest.raises(UserError, match="bare repository"):
        room.blame("src/lexer.py")


def test_a_secret_in_the_lines_is_refused_with_its_place(project: Project) -> None:
    """The file and the line of it, never what it is; also of a line beside them; and nothing is kept."""
    token = "gh" + "p_" + "a1B2c3" * 6
    project.write("conf.py", ["x"] * 9 + [f"TOKEN = '{token}'"] + ["y"] * 9)
    for given in ("conf.py:10", "conf.py:12-13"):
        with pytest.raises(UserError) as caught:
            project.room.send("see", at=given)
        assert str(caught.value).startswith("line 10 of conf.py looks like a GitHub token")
        assert token[4:] not in str(caught.value) + caught.value.hint
    project.room.send("see", at="conf.py:2")
    assert token not in project.world.git("cat-file", "--batch-all-objects", "--batch", cwd=project.path).stdout


@pytest.mark.parametrize("options", [("--object-format=sha256",), ("--ref-format=reftable",)])
def test_other_kinds_of_repositories(world: World, options: tuple[str, ...]) -> None:
    """SHA-256, and refs in a reftable."""
    if "reftable" in options[0]:
        world.use_newer_git()
    project = Project(world, *options)
    entry = project.room.send("Why?", at="src/lexer.py:40")
    project.write("src/lexer.py", ["new", *TEXT])
    assert project.now(entry) == [("moved", "src/lexer.py", (41, 41))]
    assert [one.lines for one in project.room.blame("src/lexer.py").said] == [((41, 41),)]


def test_a_key_given_twice_adds_nothing_unless_the_lines_are_others(project: Project) -> None:
    """As with files."""
    first = project.room.send("Why?", at="src/lexer.py:40", key="k")
    assert project.room.send("Why?", at="src/lexer.py:40", key="k").record.uid == first.record.uid
    with pytest.raises(Exception, match="carries other files, or lines of code"):
        project.room.send("Why?", at="src/lexer.py:41", key="k")


# --- where it is now -------------------------------------------------------------


def test_where_lines_are_after_a_rename_a_squash_and_a_gc(project: Project) -> None:
    """By the commit while it is here, by the lines themselves when it is not; in another clone, too."""
    project.git("checkout", "-q", "-b", "topic")
    project.write("src/lexer.py", [*TEXT[:20], "added on the branch", *TEXT[20:]])
    project.commit("add")
    entry = project.room.send("Why?", at=["src/lexer.py:41-43", "src/lexer.py:21", "src/lexer.py"])
    project.git("mv", "src/lexer.py", "src/scanner.py")
    project.write("src/scanner.py", ["# header", *project.lines("src/scanner.py")])
    project.commit("rename")
    expected = [
        ("moved", "src/scanner.py", (42, 44)), ("moved", "src/scanner.py", (22, 22)), ("moved", "src/scanner.py", None)
    ]  # fmt: skip
    assert project.now(entry) == expected
    project.git("checkout", "-q", "main")
    project.git("merge", "-q", "--squash", "topic")
    project.commit("squashed")
    project.git("branch", "-q", "-D", "topic")
    project.git("reflog", "expire", "--expire=now", "--all")
    project.git("gc", "-q", "--prune=now")
    assert project.world.git("cat-file", "-e", str(entry.record.commit), cwd=project.path, check=False).returncode != 0
    assert project.now(entry) == expected
    said = project.room.blame("src/scanner.py").said
    assert [(one.lines, one.at is not None) for one in said] == [((), True), (((22, 22),), True), (((42, 44),), True)]
    assert [one.lines for one in project.room.blame("src/scanner.py", lines=(22, 22)).said] == [((22, 22),)]
    assert [one.record.uid for one in project.room.after(0, project.room.about("src/scanner.py"))] == [entry.record.uid]


def test_a_rename_in_the_work_tree_alone(project: Project) -> None:
    """Staged and not committed; and a name that another file has since is that file's."""
    entry = project.room.send("Why?", at="src/lexer.py:40")
    project.git("mv", "src/lexer.py", "src/scanner.py")
    assert project.now(entry) == [("moved", "src/scanner.py", (40, 40))]
    project.write("src/lexer.py", ["something else"] * 90)
    assert project.now(entry) == [("gone", None, None)]


def test_what_would_take_too_long_is_not_known(project: Project) -> None:
    """The history is searched for few files, and for none where many wait; nothing is called gone then."""
    project.write("src/lexer.py", ["not committed", *TEXT])
    entry = project.room.send("Why?", at="src/lexer.py:1")
    assert entry.record.commit is None
    project.commit("now it is")
    project.git("mv", "src/lexer.py", "src/scanner.py")
    project.commit("rename")
    assert project.now(entry) == [("moved", "src/scanner.py", (1, 1))]
    (at,) = anchoring.listed(project.room, [entry], searches=False)[entry.oid]
    assert at.place is None
    draft = Draft(body="x", extra=tuple(("Chat-At", f"nowhere{number}") for number in range(4)))
    hostile = project.room.writer.send(draft, project.room.identity).entry
    assert [state for state, _, _ in project.now(hostile)] == ["gone", "gone", "gone", "unknown"]


def test_the_work_tree_may_have_other_line_ends(project: Project) -> None:
    """A checkout with carriage returns has the same lines."""
    entry = project.room.send("Why?", at="src/lexer.py:40-41")
    (project.path / "src/lexer.py").write_bytes(b"".join(f"{line}\r\n".encode() for line in ["new", *TEXT]))
    assert project.now(entry) == [("moved", "src/lexer.py", (41, 42))]
    later = project.room.send("Why?", at="src/lexer.py:41-42")
    assert project.room.environment.store.excerpts(later.tree or entry.oid)[1].count(b"\r") == 0


def test_hostile_records_open_nothing(project: Project) -> None:
    """Trailers and trees of strangers: nothing outside is read, nothing is waited for, and the message is shown."""
    os.mkfifo(project.path / "pipe")
    (project.path / "link").symlink_to("/etc/passwd")
    values = ["../../etc/passwd:1-1", "pipe:1-1", "link:1-1", '"bad\\q"', "src/lexer.py:1-1", "x:9-3"]
    draft = Draft(body="x", extra=tuple(("Chat-At", value) for value in values), commit="0" * 40)
    entry = project.room.writer.send(draft, project.room.identity).entry
    assert project.now(entry) == [
        ("gone", None, None),
        ("gone", None, None),
        ("unknown", None, None),
    ]
    shown = project.world.chat("show", str(entry.number), cwd=project.path, check=True).stdout
    assert "link:1 (gone)" in shown
    assert "root:" not in shown
    assert project.blamed("src/lexer.py") == ["?  #1  alice: x  was 1, and nobody can say where that is now"]


def test_blame_as_a_person_reads_it(project: Project) -> None:
    """Messages about commits and lines with the answers, in the order of the lines; what is gone comes last."""
    room = project.room
    room.send("Why 40?", at="src/lexer.py:40-42", type="question")
    room.send("Columns count from 0.", reply_to=1)
    room.send("Whole file", at="src/lexer.py")
    room.send("Never split", at="src/lexer.py:50")
    room.send("This never ends", at="src/lexer.py:10-11")
    changed = ["# a", "# b", *TEXT[:9], *TEXT[11:49], "now otherwise", *TEXT[50:]]
    project.write("src/lexer.py", changed)
    project.commit("Cut the loop")
    commit, short = project.git("rev-parse", "HEAD"), project.git("rev-parse", "--short", "HEAD")
    writer, identity = room.writer, room.identity
    writer.send(Draft(body="alice committed", kind="status", commit=commit), identity)
    assert project.blamed("src/lexer.py") == [
        "file   #3  alice: Whole file",
        f"1-2    #6  about {short[:7]} Cut the loop (and 1 more place)",
        "40-42  #1  alice, question: Why 40?  was 40-42, unchanged".replace("  was 40-42, unchanged", ""),
        "         #2  alice: Columns count from 0.",
        "50     #4  alice: Never split  the line changed since",
        f"gone   #5  alice: This never ends  was 10-11, removed in {short}",
    ]
    assert project.blamed("-L", "40,+1", "src/lexer.py")[0].startswith("40-42  #1")
    assert [line.split()[0] for line in project.blamed("HEAD~1", "src/lexer.py")] == [
        "file",
        "10-11",
        "40-42",
        "#2",
        "50",
    ]
    told = project.world.chat("blame", "--json", "src/lexer.py", cwd=project.path, check=True).stdout
    lines: list[dict[str, Any]] = [json.loads(line) for line in told.splitlines()]
    assert [one["id"] for one in lines] == [3, 6, 1, 2, 4, 5]
    assert lines[1]["of_commit"] == {"id": commit, "subject": "Cut the loop", "lines": [[1, 2], [50, 50]]}
    assert lines[2]["at"][0]["now"] == {"state": "same", "path": "src/lexer.py", "lines": [40, 42]}
    assert lines[5]["removed_in"] == short


def test_blame_refuses_what_has_no_lines_to_blame(project: Project) -> None:
    """Each with a hint; and a file about which nobody said anything is no error."""
    for words, code in [
        (("src/nope.py", None, None), "no-such-file"),
        (("src", None, None), "not-a-file"),
        (("/etc/passwd", None, None), "not-in-repository"),
        (("src/lexer.py", "nowhere", None), "no-such-commit"),
        (("src/lexer.py", None, (50, 61)), "no-such-lines"),
    ]:
        with pytest.raises(UserError) as caught:
            project.room.blame(*words)
        assert caught.value.code == code
        assert caught.value.hint
    assert project.room.blame("src/lexer.py").said == ()


def test_a_listing_of_what_is_about_a_file(project: Project) -> None:
    """With each place now; of a directory what is about the files below it."""
    project.write("src/deep/a.py", ["a"])
    project.write("srcs.py", ["a"])
    for given in ("src/lexer.py:40", "src/deep/a.py", "srcs.py"):
        project.room.send(f"about {given}", at=given)
    project.room.send("about nothing")
    project.write("src/lexer.py", ["new", *TEXT])

    def listed(*words: str) -> list[str]:
        done = project.world.chat("log", "--oneline", *words, cwd=project.path, check=True)
        return [line.partition("about ")[2] for line in done.stdout.splitlines()]

    assert listed("--at", "src/lexer.py") == ["src/lexer.py:40 [at src/lexer.py:41 (was 40)]"]
    assert len(listed("--at", "src")) == 2
    assert len(listed("--at", "src/")) == 2
    assert len(listed("--at", ".")) == 3
    assert listed("--at", "src", "-1") == ["src/deep/a.py [at src/deep/a.py]"]
    assert listed("--at", "file.txt") == []
    assert "nothing [" not in project.world.chat("log", cwd=project.path).stdout


# --- histories -------------------------------------------------------------------


def _history(project: Project, draw: random.Random, turns: int, check: Callable[[Entry, str], None]) -> None:
    """Edits, renames, squashes and gc, in any order, with messages about lines between."""
    path, entries = "src/lexer.py", list[tuple[Entry, str]]()
    for turn in range(turns):
        lines = project.lines(path)
        at = draw.randrange(len(lines) + 1)
        match draw.randrange(7):
            case 0 | 1:
                lines[at:at] = [draw.choice(["", "}", f"new {turn}"]) for _ in range(draw.randint(1, 5))]
            case 2:
                del lines[at : at + draw.randint(1, 5)]
            case 3:
                lines[at : at + 2] = [f"{line} otherwise" for line in lines[at : at + 2]]
            case 4:
                block = lines[at : at + 4]
                lines = [*block, *lines[:at], *lines[at + 4 :]]
            case 5:
                new = f"src/name{turn}.py"
                project.git("mv", path, new)
                path = new
            case _:
                if turn > 3:
                    project.git("reset", "-q", "--soft", "HEAD~2")
                    project.commit(f"squash {turn}")
                    project.git("reflog", "expire", "--expire=now", "--all")
                    project.git("gc", "-q", "--prune=now")
        project.write(path, lines or ["x"])
        if draw.random() < 0.8:
            project.commit(f"turn {turn}")
        lines = project.lines(path)
        first = draw.randint(1, len(lines))
        last = min(len(lines), first + draw.randrange(4))
        text = "\n".join(lines[first - 1 : last])
        entries.append((project.room.send(f"turn {turn}", at=f"{path}:{first}-{last}"), text))
        for entry, said in entries[-6:]:
            check(entry, said)


def _never_another(project: Project) -> Callable[[Entry, str], None]:
    def check(entry: Entry, said: str) -> None:
        files = anchoring.Files(project.room)
        for at in files.places(entry):
            assert at.place is not None
            if at.place.state in ("same", "moved"):
                assert at.place.path is not None
                assert at.place.lines is not None
                first, last = at.place.lines
                assert "\n".join(project.lines(at.place.path)[first - 1 : last]) == said

    return check


@pytest.mark.parametrize("seed", range(2))
def test_what_is_called_the_same_never_is_another_text(world: World, seed: int) -> None:
    """Nor what was moved, through renames, squashes and a gc that takes the commits."""
    project = Project(world)
    _history(project, random.Random(seed), 8, _never_another(project))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
def test_what_is_called_the_same_never_is_another_text_in_long_histories(world: World, seed: int) -> None:
    """As above, of many and longer histories."""
    project = Project(world)
    _history(project, random.Random(seed), 40, _never_another(project))


def test_a_clone_that_follows_has_the_lines(project: Project, world: World) -> None:
    """They go with the message, and are packed and journaled like files; the clone needs not the commit."""
    hub: Path = world.root / "hub.git"
    world.git("init", "-q", "--bare", hub)
    project.git("remote", "add", "origin", str(hub))
    project.git("push", "-q", "origin", "HEAD:main")
    project.write("src/lexer.py", ["not pushed", *TEXT])
    project.commit("only here")
    project.room.send("Why?", at="src/lexer.py:41-43")
    world.chat("sync", "origin", cwd=project.path, check=True)
    other = world.root / "other"
    world.git("clone", "-q", str(hub), other)
    world.chat("sync", cwd=other, check=True)
    room = Room(world.environment(other), name="bob")
    (entry,) = room.after(0, room.about("src/lexer.py"))
    assert [(at.place.state, at.place.lines) for at in room.places(entry) if at.place] == [("moved", (40, 42))]
    store = open_store(other / ".git")
    assert b"line 40 " in store.excerpts(entry.tree or entry.oid)[1]
