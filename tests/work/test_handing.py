"""Work handed over and taken, between real worktrees: what comes back, what is refused, and what a kill leaves."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitchat.model.errors import UserError
from gitchat.model.names import Name
from gitchat.presence.holding import Holding
from gitchat.storage import gate
from gitchat.verbs.room import Room
from gitchat.work import applying, taken
from tests.world import Done, World

LINES = "".join(f"line {number}\n" for number in range(1, 31))


@dataclass
class Place:
    """A repository with two worktrees: alice in the first, on a branch of her own, and bob in the other, on main."""

    world: World
    alice: Path
    bob: Path

    def git(self, tree: Path, *words: str | Path, check: bool = True) -> str:
        return self.world.git(*words, cwd=tree, check=check).stdout

    def chat(self, tree: Path, *words: str, check: bool = True, **variables: str) -> Done:
        name = "alice" if tree == self.alice else "bob"
        return self.world.chat(*words, cwd=tree, check=check, GITCHAT_NAME=name, **variables)

    def hand_over(self, *words: str) -> str:
        """Hand over alice's work, and return its number."""
        done = self.chat(self.alice, "send", "--work", *words, "look at this")
        return done.stdout.split()[0].lstrip("#")

    def status(self, tree: Path) -> str:
        return "".join(sorted(self.git(tree, "status", "--porcelain", "-uall").splitlines(keepends=True)))

    def edit(self, tree: Path, path: str, line: int, text: str) -> None:
        lines = (tree / path).read_text().split("\n")
        lines[line - 1] = text
        (tree / path).write_text("\n".join(lines))

    def commit(self, tree: Path, message: str = "work") -> None:
        self.git(tree, "add", "-A")
        self.git(tree, "commit", "-q", "-m", message)


def seen(tree: Path, git_dir: Path) -> dict[str, object]:
    """Every file of a worktree with its kind, mode and content, and the index to the byte."""
    found: dict[str, object] = {}
    for place, directories, names in os.walk(tree):
        directories[:] = [name for name in directories if name != ".git"]
        for name in names:
            path = Path(place, name)
            content = os.readlink(path) if path.is_symlink() else path.read_bytes() if name != ".git" else b""
            found[str(path.relative_to(tree))] = (path.is_symlink(), path.lstat().st_mode, content)
    index = git_dir / "index"
    found["index"] = hashlib.sha256(index.read_bytes()).hexdigest()
    return found


def make(world: World, *options: str) -> Place:
    alice, bob = world.repository("repo", *options), world.root / "bob"
    (alice / "src").mkdir()
    (alice / "src" / "lexer.py").write_text(LINES)
    (alice / "gone.txt").write_text("gone\n")
    (alice / "other.txt").write_text(LINES)
    world.git("add", "-A", cwd=alice)
    world.git("commit", "-q", "-m", "begin", cwd=alice)
    world.git("branch", "-M", "main", cwd=alice)
    world.git("switch", "-q", "-c", "lexer", cwd=alice)
    world.git("worktree", "add", "-q", bob, "main", cwd=alice)
    return Place(world, alice, bob)


@pytest.fixture
def place(world: World) -> Place:
    return make(world)


def change_everything(place: Place) -> None:
    """Each sort of change that git knows, on alice's side."""
    alice = place.alice
    place.edit(alice, "src/lexer.py", 2, "staged")
    place.git(alice, "add", "src/lexer.py")
    place.edit(alice, "src/lexer.py", 20, "not staged")
    place.git(alice, "rm", "-q", "gone.txt")
    place.git(alice, "mv", "other.txt", "moved.txt")
    (alice / "file.txt").chmod(0o755)
    (alice / "new dir").mkdir()
    (alice / "new dir" / "naïve name.txt").write_text("new\n")
    (alice / "binary").write_bytes(bytes(range(256)))
    (alice / "link").symlink_to("src/lexer.py")
    (alice / "only-staged.txt").write_text("staged\n")
    place.git(alice, "add", "only-staged.txt")
    (alice / "only-staged.txt").unlink()
    (alice / "intended.txt").write_text("later\n")
    place.git(alice, "add", "-N", "intended.txt")


# --- what comes back --------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["sha1", "sha256", pytest.param("reftable", marks=pytest.mark.slow), "crlf-and-filters"]
)
def test_all_that_git_knows_comes_back_as_it_was(world: World, kind: str) -> None:
    """Staged, unstaged, deleted, renamed, mode, binary, link, new: in every sort of repository; nothing of the giver's
    changes, no object stays but those of the room, and undoing leaves what was there."""
    if kind == "reftable":
        world.use_newer_git()
    options = {"sha256": ["--object-format=sha256"], "reftable": ["--ref-format=reftable"]}.get(kind, [])
    place = make(world, *options)
    if kind == "crlf-and-filters":
        world.git("config", "filter.rot.clean", "tr a-z n-za-m", cwd=place.alice)
        world.git("config", "filter.rot.smudge", "tr a-z n-za-m", cwd=place.alice)
        (place.alice / ".gitattributes").write_text("*.txt text eol=crlf\n*.rot filter=rot\n")
        place.commit(place.alice)
        place.git(place.bob, "merge", "-q", "lexer")
        for path in place.bob.glob("*.txt"):
            path.unlink()  # to be checked out anew, as its attributes say now
        place.git(place.bob, "checkout", "-q", ".")
        (place.alice / "new.txt").write_bytes(b"one\r\ntwo\r\n")
        (place.alice / "new.rot").write_text("hello\n")
    change_everything(place)
    before = seen(place.alice, place.alice / ".git")
    place.hand_over("--to", "bob")
    assert seen(place.alice, place.alice / ".git") == before
    bobs = Path(place.git(place.bob, "rev-parse", "--absolute-git-dir").strip())
    clean = {path: value for path, value in seen(place.bob, bobs).items() if path != "index"}

    done = place.chat(place.bob, "take", "1")
    assert done.stdout.startswith("applied alice's work on lexer")
    new = place.status(place.alice).replace(" A intended.txt", "?? intended.txt")
    assert place.status(place.bob) == "".join(sorted(new.splitlines(keepends=True)))
    theirs, ours = (seen(tree, bobs) for tree in (place.alice, place.bob))
    if kind == "crlf-and-filters":
        assert (place.bob / "new.txt").read_bytes() == b"one\r\ntwo\r\n"
        assert (place.bob / "new.rot").read_text() == "hello\n"
        assert (place.bob / "intended.txt").read_bytes() == b"later\r\n"  # as its attributes say
    else:
        mine = {path: (ours[path], theirs[path]) for path in theirs.keys() - {"index", ".git"}}
        assert {path: pair for path, pair in mine.items() if pair[0] != pair[1]} == {}
    for option in ("--cached", "HEAD"):
        trees = (place.alice, place.bob)
        assert len({place.git(tree, "diff", option, "--binary", "--", ":!intended.txt") for tree in trees}) == 1

    place.chat(place.bob, "take", "--undo")
    assert place.status(place.bob) == ""
    assert {path: value for path, value in seen(place.bob, bobs).items() if path != "index"} == clean
    assert place.git(place.bob, "fsck", "--no-dangling", "--strict") == ""
    assert "wrong" not in place.chat(place.bob, "verify").stdout


def test_paths_narrow_it_and_a_base_that_moved_on_is_merged(place: Place) -> None:
    """What stands before the text are paths; lines that somebody committed meanwhile stay, and a renamed file is found
    under its new name."""
    place.edit(place.alice, "src/lexer.py", 2, "alice's")
    place.edit(place.alice, "other.txt", 2, "not this")
    sent = place.chat(place.alice, "send", "--work", "--to", "bob", "src", "The lexer")
    assert sent.stdout == "#1 with 1 file of branch lexer (1 changed)\n"
    place.edit(place.bob, "src/lexer.py", 25, "bob's")
    place.git(place.bob, "mv", "src/lexer.py", "src/scanner.py")
    place.commit(place.bob)
    done = place.chat(place.bob, "take", "1", "--json")
    told = json.loads(done.stdout)
    assert (told["applied"], told["merged"], told["from"], told["branch"]) == (True, True, "alice", "lexer")
    lines = (place.bob / "src" / "scanner.py").read_text().split("\n")
    assert (lines[1], lines[24]) == ("alice's", "bob's")
    assert place.status(place.bob) == " M src/scanner.py\n"


# --- the table -------------------------------------------------------------------------


def test_a_conflict_touches_nothing_until_markers_are_asked_for(place: Place) -> None:
    """The error names the path and both ways; with --merge git's own markers stand there, the index says that nobody
    has merged it, and undoing is whole."""
    place.edit(place.alice, "src/lexer.py", 5, "alice's")
    place.edit(place.alice, "other.txt", 5, "clean")
    number = place.hand_over()
    place.edit(place.bob, "src/lexer.py", 5, "bob's")
    place.commit(place.bob)
    git_dir = Path(place.git(place.bob, "rev-parse", "--absolute-git-dir").strip())
    before = seen(place.bob, git_dir)
    refused = place.chat(place.bob, "take", number, check=False)
    assert (refused.returncode, "src/lexer.py; nothing was touched" in refused.stderr) == (3, True)
    assert f"git chat take '#{number}' --merge" in refused.stderr
    assert seen(place.bob, git_dir) == before
    merged = place.chat(place.bob, "take", number, "--merge", check=False)
    assert (merged.returncode, merged.stdout.endswith("conflict in src/lexer.py\n")) == (1, True)
    text = (place.bob / "src" / "lexer.py").read_text()
    assert f"<<<<<<< HEAD\nbob's\n=======\nalice's\n>>>>>>> alice's work (#{number})\n" in text
    assert place.status(place.bob) == " M other.txt\nUU src/lexer.py\n"
    assert "half" not in place.chat(place.bob, "take", number, check=False).stderr
    place.chat(place.bob, "take", "--undo")
    assert place.status(place.bob) == ""


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("changed", "src/lexer.py"),
        ("staged", "src/lexer.py"),
        ("assumed", "src/lexer.py"),
        ("new", "new.txt"),
        ("ignored", "new.txt"),
        ("directory", "new.txt/mine"),
        ("link", "deep"),
    ],
)
def test_what_nobody_committed_is_never_in_the_way_and_lost(place: Place, what: str, named: str) -> None:
    """Whatever git knows of it: the paths are named, and no file is touched."""
    place.edit(place.alice, "src/lexer.py", 5, "alice's")
    (place.alice / "new.txt").write_text("alice's\n")
    (place.alice / "deep").mkdir()
    (place.alice / "deep" / "file").write_text("alice's\n")
    number = place.hand_over()
    bob = place.bob
    if what in ("changed", "staged", "assumed"):
        if what == "assumed":
            place.git(bob, "update-index", "--assume-unchanged", "src/lexer.py")
        place.edit(bob, "src/lexer.py", 25, "bob's")
    if what == "staged":
        place.git(bob, "add", "-A")
    if what in ("new", "ignored"):
        (bob / "new.txt").write_text("bob's\n")
    if what == "ignored":
        (place.alice / ".git" / "info" / "exclude").write_text("new.txt\n")
    if what == "directory":
        (bob / "new.txt").mkdir()
        (bob / "new.txt" / "mine").write_text("bob's\n")
    if what == "link":
        (bob / "deep").symlink_to(place.world.root)
    git_dir = Path(place.git(bob, "rev-parse", "--absolute-git-dir").strip())
    before = seen(bob, git_dir)
    refused = place.chat(bob, "take", number, check=False)
    assert (refused.returncode, f"in the way: {named}; nothing was touched" in refused.stderr) == (3, True)
    assert seen(bob, git_dir) == before


def test_what_is_here_already_is_said_and_not_done_again(place: Place) -> None:
    """Taken before, or committed since; a new file with the same content is in nobody's way."""
    place.edit(place.alice, "src/lexer.py", 5, "alice's")
    (place.alice / "new.txt").write_text("same\n")
    number = place.hand_over()
    (place.bob / "new.txt").write_text("same\n")
    assert place.chat(place.bob, "take", number).stdout.startswith("applied ")
    assert place.chat(place.bob, "take", number).stdout.startswith("nothing to apply: ")
    place.commit(place.bob)
    assert place.chat(place.bob, "take", number).stdout.startswith("nothing to apply: ")
    undone = place.chat(place.bob, "take", "--undo", check=False)
    assert (undone.returncode, "git restore --source=" in undone.stderr) == (1, True)


def test_a_worktree_of_its_own_is_at_the_commit_that_it_stands_on(place: Place) -> None:
    """It conflicts with nothing that is done here; where it cannot be filled it is gone again."""
    place.edit(place.alice, "other.txt", 5, "committed on lexer")
    place.commit(place.alice)
    place.edit(place.alice, "src/lexer.py", 5, "alice's")
    number = place.hand_over()
    place.edit(place.bob, "src/lexer.py", 5, "bob's, not committed")
    done = place.chat(place.bob, "take", number, "--worktree", "../review")
    review = place.world.root / "review"
    assert "to ../review: 1 changed" in done.stdout
    assert place.status(review) == " M src/lexer.py\n"
    assert "committed on lexer" in (review / "other.txt").read_text()
    taken = place.chat(place.bob, "take", number, "--worktree", "../review", check=False)
    assert (taken.returncode, "exists already" in taken.stderr) == (1, True)


def test_through_a_hub_it_comes_back_with_the_commits_below_it(place: Place) -> None:
    """A clone that has neither the branch nor its commits takes it apart, at the commit that came along; no branch of
    its own moves."""
    world, hub = place.world, place.world.root / "hub.git"
    world.git("clone", "-q", "--bare", place.alice, hub)
    place.git(place.alice, "remote", "add", "origin", hub)
    place.git(place.alice, "fetch", "-q", "origin")
    place.git(place.alice, "config", "chat.share", "handoff")
    place.edit(place.alice, "other.txt", 5, "committed, and nowhere else")
    place.commit(place.alice)
    place.edit(place.alice, "other.txt", 6, "alice's")
    sent = place.chat(place.alice, "send", "--work", "look at this")
    assert "1 commit of lexer is on no remote; it goes with it" in sent.stderr
    place.chat(place.alice, "sync", "--yes")
    clone = world.root / "clone"
    world.git("clone", "-q", hub, clone)
    refused = world.chat("take", "1", "--as", "carol", cwd=clone)
    assert (refused.returncode, "cannot be merged" in refused.stderr) == (3, True)
    world.chat("take", "1", "--as", "carol", "--worktree", "../apart", cwd=clone, check=True)
    lines = (world.root / "apart" / "other.txt").read_text().split("\n")
    assert lines[4:6] == ["committed, and nowhere else", "alice's"]
    assert world.git("status", "--porcelain", cwd=world.root / "apart").stdout == " M other.txt\n"
    assert world.git("for-each-ref", "refs/heads", "refs/remotes", cwd=clone).stdout.count("\n") <= 4


def test_work_whose_base_is_not_here_is_fetched_first(place: Place) -> None:
    """Without the commit that it stands on a worktree of its own may not fit either; the error says what to fetch."""
    world, clone = place.world, place.world.root / "clone"
    world.git("clone", "-q", place.alice, clone)
    place.edit(place.alice, "other.txt", 5, "committed")
    place.commit(place.alice)
    place.edit(place.alice, "other.txt", 5, "alice's")
    place.hand_over()
    refused = world.chat("take", "1", "--as", "carol", "--worktree", "../apart", cwd=clone)
    assert (refused.returncode, "fetch that first: git fetch --all" in refused.stderr) == (3, True)
    assert not (world.root / "apart").exists()
    world.git("fetch", "--all", cwd=clone)
    world.chat("take", "1", "--as", "carol", "--worktree", "../apart", cwd=clone, check=True)


def test_the_giver_is_told_and_who_comes_second_is_told_who_was_first(place: Place) -> None:
    """One status to the giver for each taking."""
    place.edit(place.alice, "src/lexer.py", 5, "alice's")
    number = place.hand_over("--to", "bob")
    place.chat(place.bob, "take", number)
    inbox = place.chat(place.alice, "read").stdout
    assert f"bob took #{number}: 1 file of lexer" in inbox
    place.chat(place.bob, "take", "--undo")
    second = place.world.chat("take", number, cwd=place.bob, check=True, GITCHAT_NAME="carol")
    assert "note: bob took it before you" in second.stderr


# --- what is refused when it is handed over ----------------------------------------------


def test_what_nobody_hands_over_is_refused_with_its_path(place: Place) -> None:
    """A secret with its line and never its text; what is called like one; too many, too large, nothing, unmerged,
    ignored; and a message whose only word is a path."""
    alice, token = place.alice, "ghp_" + "a1B2c3D4e5F6" * 3

    def refused(*words: str) -> str:
        done = place.chat(alice, "send", "--work", *(words or ("text",)), check=False)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr

    assert "nothing is changed here" in refused()
    (alice / "conf.py").write_text(f"one\ntoken = '{token}'\n")
    told = refused()
    assert "line 2 of conf.py looks like a GitHub token" in told
    assert token not in told
    (alice / "conf.py").unlink()
    (alice / ".env").write_text("A=1\n")
    (alice / "src" / ".env.example").write_text("A=1\n")
    assert "by its name nobody should have .env," in refused()
    assert place.chat(alice, "send", "--work", ".env", "It is harmless").returncode == 0
    (alice / ".env").unlink()
    assert "is a path here" in refused("src")
    (alice / ".git" / "info" / "exclude").write_text("ignored\n")
    (alice / "ignored").write_text("x")
    assert "git ignores 'ignored'" in refused("ignored", "text")
    assert "nothing is changed at 'gone.txt'" in refused("gone.txt", "text")
    (alice / "large").write_bytes(os.urandom(1200_000))
    assert "large has up to 1,200,000 bytes" in refused()
    (alice / "large").unlink()
    place.git(alice, "config", "chat.maxWork", "3")
    assert "the limit is 3" in refused()
    place.git(alice, "config", "--unset", "chat.maxWork")
    for number in range(501):
        (alice / f"many{number}").write_text("x")
    assert "502 paths are changed here; one message hands over at most 500" in refused()
    for number in range(501):
        (alice / f"many{number}").unlink()
    place.commit(alice)
    place.edit(alice, "src/lexer.py", 5, "alice's")
    place.commit(alice)
    place.edit(place.bob, "src/lexer.py", 5, "bob's")
    place.commit(place.bob)
    place.git(alice, "merge", "-q", "main", check=False)
    assert "git could not merge src/lexer.py" in refused()


def test_an_agent_asks_its_user_before_work_is_pushed(place: Place) -> None:
    """In a room that stays here it may; in one that a remote numbers only where chat.share says so."""
    world = place.world
    place.edit(place.alice, "src/lexer.py", 5, "alice's")
    place.chat(place.alice, "send", "--work", "here", CLAUDECODE="1")
    world.git("clone", "-q", "--bare", place.alice, world.root / "hub.git")
    place.git(place.alice, "remote", "add", "origin", world.root / "hub.git")
    place.chat(place.alice, "sync", "--yes")
    refused = place.chat(place.alice, "send", "--work", "there", check=False, CLAUDECODE="1")
    assert (refused.returncode, "git config chat.share handoff" in refused.stderr) == (1, True)
    place.git(place.alice, "config", "chat.share", "handoff")
    place.chat(place.alice, "send", "--work", "there", CLAUDECODE="1")


def test_who_asks_over_http_hands_over_nothing_of_the_server(place: Place) -> None:
    """The work tree is the server's, and not the caller's."""
    place.edit(place.alice, "src/lexer.py", 5, "alice's")
    environment = place.world.environment(place.alice)
    guest = environment.holding(Holding(), name=Name("guest"))
    with pytest.raises(UserError) as refused:
        Room(guest, name="guest").send("mine", work=True)
    assert refused.value.code == "elsewhere"
    place.chat(place.alice, "send", "--work", "TEXT")


# --- kills -----------------------------------------------------------------------------


def dying_at(point: int) -> Callable[[], None]:
    """What makes this process kill itself at so many calls of what writes, each counted before and after."""
    left = [point]

    def tick() -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return tick


def killed(act: Callable[[], object], point: int) -> bool:
    """Run ``act`` in a process that kills itself at a point; whether it came to that."""
    child = os.fork()
    if child == 0:
        tick = dying_at(point)
        for owner, name in ((applying, "_replace"), (applying, "_remove_empty"), (applying, "_write_index"),
                            (taken.Note, "write"), (taken.Note, "remove")):  # fmt: skip
            function = getattr(owner, name)

            def counted(*words: object, _function: Callable[..., object] = function) -> object:
                tick()
                result = _function(*words)
                tick()
                return result

            setattr(owner, name, counted)
        try:
            act()
            os._exit(0)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_a_kill_at_any_step_leaves_what_can_be_finished_and_undone(place: Place) -> None:
    """Killed before and after each write of a taking and of an undoing: the next taking finishes it, or the undoing
    puts back what was there; what somebody changed meanwhile is never written over."""
    place.edit(place.alice, "src/lexer.py", 2, "alice's")
    place.git(place.alice, "rm", "-q", "gone.txt")
    (place.alice / "new").mkdir()
    (place.alice / "new" / "file").write_text("new\n")
    place.git(place.alice, "add", "new")
    number = place.hand_over()
    bob = place.bob
    git_dir = Path(place.git(bob, "rev-parse", "--absolute-git-dir").strip())
    (bob / "mine").write_text("of bob\n")

    def state() -> dict[str, object]:
        found = seen(bob, git_dir)
        return found | {"index": place.git(bob, "ls-files", "-s")}

    before = state()
    place.chat(bob, "take", number)
    after = state()
    place.chat(bob, "take", "--undo")
    assert state() == before
    room = Room(place.world.environment(bob), name="bob")
    point, was_cut = 0, True
    while was_cut:
        was_cut = killed(lambda: room.take(int(number)), point)
        half = state()
        assert half in (before, after) or (git_dir.parents[1] / "chatroom" / "taken").exists()
        assert all(half.get(path) in (before.get(path), after.get(path)) for path in {*half, *before, *after})
        if point % 2:
            place.chat(bob, "take", number)
            assert state() == after
            killed(room.undo_take, point // 2)
            place.chat(bob, "take", number)
            assert state() == after
        place.chat(bob, "take", "--undo", check=False)
        assert state() == before, point
        point += 1
    assert point > 10

    killed(lambda: room.take(int(number)), 6)
    place.edit(bob, "src/lexer.py", 9, "bob's")
    changed = state()
    refused = place.chat(bob, "take", number, check=False)
    assert (refused.returncode, "src/lexer.py was changed since" in refused.stderr) == (1, True)
    assert state() == changed


def test_who_takes_waits_for_who_does_and_for_no_one_who_looks(place: Place) -> None:
    """A lock of git's that somebody left is said, and nothing is touched."""
    place.edit(place.alice, "src/lexer.py", 2, "alice's")
    number = place.hand_over()
    git_dir = Path(place.git(place.bob, "rev-parse", "--absolute-git-dir").strip())
    (git_dir / "index.lock").touch()
    refused = place.chat(place.bob, "take", number, check=False)
    assert (refused.returncode, "another git is changing the index" in refused.stderr) == (3, True)
    assert place.status(place.bob) == ""
    (git_dir / "index.lock").unlink()
    with gate.hold(place.alice / ".git" / "chatroom", 0, "conflicts.lock"):
        place.chat(place.bob, "take", number)
