"""Git's hooks tell the room: real commits, rebases and merges, and what stood in the hooks' directory before."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
from pathlib import Path

import pytest

from gitchat.githooks.hooks import EVENTS, shell_text
from gitchat.model.record import Record
from tests.cli.conftest import Chatroom, as_ordinary_user, read_only, refused
from tests.world import Argument, Done, World

NAMES = [name for names in EVENTS.values() for name in names]
RAN_FIRST = '#!/bin/sh\necho "$0 $*" >> ran\nexit 7\n'


@pytest.fixture
def hooked(chatroom: Chatroom) -> Chatroom:
    """A repository with our hooks, of every event."""
    chatroom.chat("hook", "install", *EVENTS, check=True)
    return chatroom


def settled(room: Chatroom, *command: Argument, cwd: Path | None = None, **variables: str) -> Done:
    """A finished command, after everything that it started has ended, too: all that holds the pipe it inherits."""
    ended, held = os.pipe()
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd or room.path,
            env=room.world.variables | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            pass_fds=[held],
            check=False,
        )
        os.close(held)
        assert select.select([ended], [], [], 60)[0], "something that the hook started does not end"
    finally:
        os.close(ended)
    return done


def git(room: Chatroom, *arguments: Argument, cwd: Path | None = None, **variables: str) -> Done:
    """``git <arguments>``, which works and says nothing of gitchat, and all that its hooks started."""
    done = settled(room, "git", *arguments, cwd=cwd, **variables)
    assert done.returncode == 0, done.stderr
    assert "chat" not in done.stdout + done.stderr
    return done


def commit(room: Chatroom, message: str = "Fix the parser", *options: str, cwd: Path | None = None) -> str:
    """The id of a new commit of a new file, once its hook is through."""
    cwd = cwd or room.path
    (cwd / message.split()[0]).write_text(message)
    git(room, "add", ".", cwd=cwd)
    git(room, "commit", "-q", "-m", message, *options, cwd=cwd)
    return room.world.git("rev-parse", "HEAD", cwd=cwd).stdout.strip()


def titles(room: Chatroom) -> list[str]:
    """The first line of each record, without the short id before a subject."""
    return [entry.record.body.partition("\n")[0] for entry in room.entries()]


def only(room: Chatroom) -> Record:
    """The one record there is."""
    (entry,) = room.entries()
    return entry.record


# --- what is told -----------------------------------------------------------------


def test_commit_is_told_as_a_status(hooked: Chatroom) -> None:
    """Short id, subject, branch, worktree, how many files; who wrote it and which files after that."""
    oid = commit(hooked)
    record = only(hooked)
    assert (record.kind, record.type, record.origin, record.commit) == ("status", "commit", "hook", oid)
    assert (record.author, record.branch, record.extra) == ("alice", "main", ())
    short = hooked.git("rev-parse", "--short", oid).stdout.strip()
    assert record.body == f"{short} Fix the parser (on main in repo, 1 file)\n\nby Alice\nA\tFix"


def test_commit_in_a_linked_worktree_names_it(hooked: Chatroom) -> None:
    """All worktrees share hooks and room; the record tells them apart."""
    git(hooked, "worktree", "add", "-q", "../side", "-b", "topic")
    commit(hooked, cwd=hooked.path.parent / "side")
    assert titles(hooked)[0] == "began worktree side (on topic in side)"
    assert titles(hooked)[1].endswith("Fix the parser (on topic in side, 1 file)")


def test_branch_of_each_event_is_a_trailer(hooked: Chatroom) -> None:
    """A commit, a merge, a rebase, a checkout, a new worktree: programs need not read the text for it."""
    git(hooked, "checkout", "-q", "-b", "team/lexer")
    commit(hooked, "one")
    git(hooked, "checkout", "-q", "main")
    commit(hooked, "two")
    git(hooked, "merge", "-q", "-m", "join", "team/lexer")
    git(hooked, "checkout", "-q", "team/lexer")
    git(hooked, "rebase", "-q", "main~1")
    git(hooked, "worktree", "add", "-q", "../side", "-b", "topic")
    told = [(entry.record.type, entry.record.branch) for entry in hooked.entries()]
    assert told == [
        ("checkout", "team/lexer"), ("commit", "team/lexer"), ("checkout", "main"), ("commit", "main"),
        ("merge", "main"), ("checkout", "team/lexer"), ("rewrite", "team/lexer"), ("checkout", "topic"),
    ]  # fmt: skip
    shown = hooked.chat("show", "2", check=True).stdout
    assert "\nBranch:   team/lexer\n" in shown
    assert "Chat-Branch" not in shown
    first = json.loads(hooked.chat("log", "--json", check=True).stdout.splitlines()[1])
    assert (first["branch"], "trailers" in first) == ("team/lexer", False)


def test_detached_head_has_no_branch(hooked: Chatroom) -> None:
    """There is none to tell."""
    git(hooked, "checkout", "-q", "--detach")
    commit(hooked)
    assert [(entry.record.type, entry.record.branch) for entry in hooked.entries()] == [
        ("checkout", None), ("commit", None),
    ]  # fmt: skip
    assert b"Chat-Branch" not in hooked.git("cat-file", "commit", hooked.tip).stdout.encode()


@pytest.mark.parametrize("name", ["a/" * 130 + "b", "one\u0085line"])
def test_branch_that_fits_no_trailer_is_only_in_the_text(hooked: Chatroom, name: str) -> None:
    """Git takes names that a record's trailer does not hold; the commit is told all the same."""
    git(hooked, "checkout", "-q", "-b", name)
    commit(hooked)
    told = hooked.entries()[-1].record
    assert (told.branch, f"on {name} in repo" in told.body) == (None, True)


def test_commit_of_a_repository_apart_from_its_files_is_told(hooked: Chatroom) -> None:
    """With --git-dir and --work-tree git finds the repository where no search would."""
    files = hooked.world.root / "files"
    files.mkdir()
    (files / "new").write_text("new")
    apart = [f"--git-dir={hooked.path / '.git'}", f"--work-tree={files}"]
    git(hooked, *apart, "add", "new", cwd=files)
    git(hooked, *apart, "commit", "-q", "-m", "apart", cwd=files)
    assert "apart (on main in files, 1 file)" in titles(hooked)[0]


def test_author_and_date_of_the_commit_are_not_those_of_the_record(hooked: Chatroom) -> None:
    """Git exports both to the hook; the record is alice's, and of now."""
    commit(hooked, "theirs", "--author=Eve <eve@example.com>", "--date=2001-02-03T04:05:06")
    record = only(hooked)
    assert (record.author, record.email) == ("alice", "alice@example.com")
    assert record.written.seconds > 1_700_000_000
    assert "\nby Eve\n" in record.body


def test_agent_commits_under_its_own_name(hooked: Chatroom) -> None:
    """The name is found as everywhere: the client's variable, and GITCHAT_NAME before it."""
    git(hooked, "commit", "-q", "--allow-empty", "-m", "one", CLAUDECODE="1")
    git(hooked, "commit", "-q", "--allow-empty", "-m", "two", GITCHAT_NAME="codex")
    assert [entry.record.author for entry in hooked.entries()] == ["claude-repo", "codex"]


def test_name_in_another_script_loses_no_status(chatroom: Chatroom) -> None:
    """What git lets commit is told, under the name that a message has, and the install says which."""
    chatroom.git("config", "user.name", "山田 太郎")
    said = chatroom.chat("hook", "install", "commit", check=True).stderr
    assert "so you are 'alice', as in your address" in said
    commit(chatroom)
    assert only(chatroom).author == "alice"


def test_rebase_of_twenty_commits_is_one_status(hooked: Chatroom) -> None:
    """Nothing of the commits on the way; the new tip is linked, and each new commit is named."""
    switched_off = ("-c", "core.hooksPath=/dev/null")
    hooked.git(*switched_off, "checkout", "-q", "-b", "topic")
    for number in range(20):
        hooked.git(*switched_off, "commit", "-q", "--allow-empty", "-m", f"step {number}")
    hooked.git(*switched_off, "checkout", "-q", "main")
    hooked.git(*switched_off, "commit", "-q", "--allow-empty", "-m", "main goes on")
    hooked.git(*switched_off, "checkout", "-q", "topic")
    git(hooked, "rebase", "-q", "main")
    record = only(hooked)
    short = hooked.git("rev-parse", "--short", "HEAD").stdout.strip()
    assert record.body.startswith(f"rebased 20 commits: {short} step 19 (on topic in repo)\n\n{short} step 19\n")
    assert record.body.endswith(" step 0")
    assert (record.type, record.commit) == ("rewrite", hooked.git("rev-parse", "HEAD").stdout.strip())


@pytest.mark.parametrize("series", ["rebase --apply main", "cherry-pick main~3..main", "am"])
def test_series_is_one_status(hooked: Chatroom, series: str) -> None:
    """Whatever git calls on the way: a rebase by patches, picks, and patches from mail."""
    for name in ("one", "two", "three"):
        commit(hooked, name)
    git(hooked, "checkout", "-q", "-b", "topic", "main~3")
    commit(hooked, "own")
    if series == "am":
        patches = hooked.world.root / "patches"
        hooked.git("format-patch", "-q", "-o", patches, "main~3..main")
        series = " ".join(["am -q", *map(str, sorted(patches.iterdir()))])
    if "rebase" in series:
        git(hooked, "checkout", "-q", "main")
        series = "rebase --apply topic"
    before = len(titles(hooked))
    git(hooked, *series.split())
    # Git tells post-rewrite no branch where it rebases by patches.
    verb, where = ("rebased", "in repo") if "rebase" in series else ("made", "on topic in repo")
    (told,) = titles(hooked)[before:]
    assert told.startswith(f"{verb} 3 commits: ")
    assert told.endswith(f" three ({where})")


def test_amended_commit_is_told_once(hooked: Chatroom) -> None:
    """As a commit; post-rewrite, which git calls as well, says nothing of it."""
    git(hooked, "commit", "-q", "--amend", "-m", "better")
    assert [title.partition(" ")[2] for title in titles(hooked)] == ["better (on main in repo, 1 file)"]


def test_merge_is_told_whether_or_not_it_made_a_commit(hooked: Chatroom) -> None:
    """A fast-forward has no commit of its own; a squash is told by the commit that follows."""
    git(hooked, "checkout", "-q", "-b", "topic")
    commit(hooked, "one")
    commit(hooked, "two")
    git(hooked, "checkout", "-q", "main")
    before = len(titles(hooked))
    git(hooked, "merge", "-q", "topic")
    git(hooked, "reset", "-q", "--hard", "HEAD~2")
    git(hooked, "merge", "-q", "--no-ff", "-m", "join", "topic")
    git(hooked, "reset", "-q", "--hard", "HEAD~1")
    git(hooked, "merge", "-q", "--squash", "topic")
    assert [f"{words[0]} {' '.join(words[4:])}" for title in titles(hooked)[before:] if (words := title.split())] == [
        "merged two (on main in repo)",
        "merged join (on main in repo)",
    ]


def test_another_branch_is_told_and_the_same_one_is_not(hooked: Chatroom) -> None:
    """Nor is it when files are checked out."""
    git(hooked, "checkout", "-q", "-b", "topic")
    git(hooked, "checkout", "-q", "topic")
    git(hooked, "checkout", "-q", "HEAD", "--", "file.txt")
    assert titles(hooked) == ["went from main to topic (on topic in repo)"]


def test_conflict_in_a_rebase_tells_nothing_until_it_is_over(hooked: Chatroom) -> None:
    """The commits that a person makes on the way belong to the series."""
    commit(hooked, "same thing")
    git(hooked, "checkout", "-q", "-b", "topic", "HEAD~1")
    commit(hooked, "same other")
    before = len(titles(hooked))
    assert settled(hooked, "git", "rebase", "main").returncode != 0
    (hooked.path / "same").write_text("both")
    git(hooked, "add", "same")
    git(hooked, "commit", "-q", "-m", "same, resolved")
    assert len(titles(hooked)) == before
    git(hooked, "rebase", "--continue")
    assert [title.partition(":")[0] for title in titles(hooked)[before:]] == ["rebased 1 commit"]


def test_subject_is_a_strangers_text(hooked: Chatroom) -> None:
    """What steers a terminal is stored as it is, cut to a line's length, and shown escaped."""
    commit(hooked, "evil \x1b[2J\u202e $(touch pwned) `id` " + "x" * 300)
    title = titles(hooked)[0]
    assert "\x1b[2J" in title
    assert len(title) < 260
    shown = hooked.chat("log", check=True).stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert not (hooked.path / "pwned").exists()


def test_large_commit_names_fifty_files(hooked: Chatroom) -> None:
    """And how many more there are; the record stays small however long the names are."""
    for number in range(60):
        (hooked.path / f"{number:03}{'n' * 230}").touch()
    commit(hooked, "many")
    body = only(hooked).body
    assert body.splitlines()[0].endswith("61 files)")
    assert body.splitlines()[-1] == "and 12 more"
    assert len(body) < 12_000


def test_switch_silences_one_event(hooked: Chatroom) -> None:
    """In one repository, or with --global in all."""
    hooked.git("config", "chat.hook.checkout", "false")
    git(hooked, "checkout", "-q", "-b", "topic")
    commit(hooked)
    assert len(titles(hooked)) == 1
    assert "off: chat.hook.checkout is false" in hooked.chat("hook", "status", check=True).stdout


def test_only_what_was_asked_for_is_installed(chatroom: Chatroom) -> None:
    """Branches are told only when they are named."""
    chatroom.chat("hook", "install", check=True)
    present = {path.name for path in (chatroom.path / ".git" / "hooks").iterdir() if path.suffix != ".sample"}
    assert present == {"post-commit", "post-applypatch", "post-merge", "post-rewrite"}
    assert "post-checkout    not installed\n" in chatroom.chat("hook", "status", check=True).stdout


# --- log --commit -------------------------------------------------------------------


def test_log_finds_what_was_said_about_a_commit(hooked: Chatroom) -> None:
    """By any name that git knows for it, also for one that is gone; other options narrow it."""
    oid = commit(hooked, "one")
    commit(hooked, "two")
    hooked.say("about one", commit=oid)

    def found(revision: str, *options: str) -> list[int]:
        lines = hooked.chat("log", "--oneline", "--commit", revision, *options, check=True).stdout.splitlines()
        return [int(line[1:].split()[0]) for line in lines]

    assert found("HEAD~1") == found(oid) == found(oid[:8]) == [1, 3]
    assert found("HEAD") == found("main") == [2]
    assert found("HEAD~1", "--no-status") == found("HEAD~1", "-n", "1") == [3]
    assert found("0" * 40) == []
    refused(hooked.chat("log", "--commit", "nonsense"), "'nonsense' names no commit here", "git log")
    refused(hooked.chat("log", "--commit", "--all"), "'--all' names no commit here", "git log")


# --- no commit is failed or held up ---------------------------------------------------


def test_commit_without_path_is_told(hooked: Chatroom) -> None:
    """The hook knows where the program is."""
    program = shutil.which("git", path=hooked.world.variables["PATH"])
    assert program is not None
    done = settled(hooked, "env", "-u", "PATH", program, "commit", "-q", "--allow-empty", "-m", "no path")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "no path (on main in repo, 0 files)" in titles(hooked)[0]


def test_commit_works_silently_when_gitchat_was_uninstalled(hooked: Chatroom) -> None:
    """The hook finds no program, where it was or in PATH, and says nothing."""
    hook = hooked.path / ".git" / "hooks" / "post-commit"
    lines = [
        "program=/gone/git-chat" if line.startswith("program=/") else line for line in hook.read_text().split("\n")
    ]
    hook.write_text("\n".join(lines))
    done = settled(hooked, "git", "commit", "-q", "--allow-empty", "-m", "without", PATH="/usr/bin:/bin")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert titles(hooked) == []


def test_commit_works_silently_when_the_room_is_read_only(hooked: Chatroom) -> None:
    """The status is lost, which is allowed."""
    hooked.say()
    command = [*as_ordinary_user(), "git", "commit", "-q", "--allow-empty", "-m", "quiet"]
    with read_only(hooked.path / ".git" / "refs" / "chatroom"), read_only(hooked.path / ".git" / "chatroom"):
        done = settled(hooked, *command)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(titles(hooked)) == 1


def test_commit_works_silently_when_the_room_is_closed(hooked: Chatroom) -> None:
    """A closed room takes no status; nor is another begun."""
    hooked.say()
    hooked.chat("room", "close", "lobby", check=True)
    closed = hooked.tip
    commit(hooked)
    assert hooked.tip == closed
    refused(hooked.chat("hook", "post", "commit", "--verbose"), "room 'lobby' is closed", "git chat room open lobby")


def test_mirror_clone_is_not_written_to(hooked: Chatroom) -> None:
    """Its next fetch would delete it."""
    hooked.git("config", "remote.origin.url", "elsewhere")
    hooked.git("config", "remote.origin.fetch", "+refs/*:refs/*")
    commit(hooked)
    assert titles(hooked) == []


def test_stuck_writer_holds_up_neither_the_commit_nor_the_hook(hooked: Chatroom) -> None:
    """The commit returns while the lock is held, and what the hook started gives up by itself, with status 0."""
    hooked.say()
    lock = hooked.path / ".git" / "chatroom" / "write.lock"
    with lock.open("rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        git(hooked, "commit", "-q", "--allow-empty", "-m", "meanwhile", GITCHAT_HOOK_SECONDS="0.5")
        done = hooked.chat("hook", "post", "commit", GITCHAT_HOOK_SECONDS="0.5")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(titles(hooked)) == 1


def test_post_outside_a_repository_says_nothing(world: World) -> None:
    """Unless it is asked to."""
    quiet = world.chat("hook", "post", "commit")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    refused(world.chat("hook", "post", "commit", "-v"), "is not inside a git repository", "git init")


@pytest.mark.parametrize("head", ["", "nonsense", "--all\nrefs/heads/main", "a" * 40 + "\n-x\nrefs/heads/main"])
def test_head_that_is_none_is_told_by_nothing(hooked: Chatroom, head: str) -> None:
    """No word of a caller becomes an option of git."""
    done = hooked.chat("hook", "post", "commit", f"--head={head}", "--verbose", check=head != "")
    assert (done.stdout == "nothing to tell\n") is (head != "")


def test_commit_that_git_has_lost_is_an_error_to_who_asks(hooked: Chatroom) -> None:
    """And to nobody else."""
    head = "0" * 40 + "\nrefs/heads/main"
    refused(hooked.chat("hook", "post", "commit", "-v", "--head", head), "git cannot tell what happened", "git fsck")
    assert hooked.chat("hook", "post", "commit", "--head", head).returncode == 0


# --- what was there before --------------------------------------------------------------


def test_hook_that_was_there_runs_first_and_its_status_counts(chatroom: Chatroom) -> None:
    """With its arguments; git checkout fails when its hook does. The branch is told all the same."""
    old = chatroom.path / ".git" / "hooks" / "post-checkout"
    old.write_text(RAN_FIRST)
    old.chmod(0o755)
    answer = chatroom.chat("hook", "install", "checkout", check=True).stdout
    assert "post-checkout runs hooks.before-gitchat/post-checkout first, which was here before\n" in answer
    done = settled(chatroom, "git", "checkout", "-q", "-b", "topic")
    assert done.returncode == 1
    assert (chatroom.path / "ran").read_text().endswith(" 1\n")
    assert titles(chatroom) == ["went from main to topic (on topic in repo)"]
    assert settled(chatroom, old, "a", "b", "0").returncode == 7


def test_commit_is_told_though_the_hook_that_was_there_fails(chatroom: Chatroom) -> None:
    """It says what it always said, and ours comes after it; git takes no notice of the status of post-commit."""
    theirs = chatroom.path / ".git" / "hooks" / "post-commit"
    theirs.write_text("#!/bin/sh\necho theirs fails\nexit 1\n")
    theirs.chmod(0o755)
    chatroom.chat("hook", "install", check=True)
    done = settled(chatroom, "git", "commit", "-q", "--allow-empty", "-m", "all the same")
    assert (done.returncode, done.stdout + done.stderr) == (0, "theirs fails\n")
    assert "all the same (on main in repo, 0 files)" in titles(chatroom)[0]
    assert settled(chatroom, str(theirs)).returncode == 1


def test_hook_that_was_there_gets_its_input(hooked: Chatroom) -> None:
    """What git gives to post-rewrite is given to both."""
    hooked.chat("hook", "uninstall", check=True)
    old = hooked.path / ".git" / "hooks" / "post-rewrite"
    old.write_text("#!/bin/sh\ncat > rewritten\nexit 1\n")
    old.chmod(0o755)
    hooked.chat("hook", "install", "rewrite", check=True)
    git(hooked, "checkout", "-q", "-b", "topic")
    commit(hooked, "one")
    git(hooked, "checkout", "-q", "main")
    commit(hooked, "two")
    git(hooked, "rebase", "-q", "main", "topic")
    assert len((hooked.path / "rewritten").read_text().split()) == 2
    assert titles(hooked) == [
        f"rebased 1 commit: {hooked.git('log', '-1', '--format=%h %s').stdout.strip()} (on topic in repo)"
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"#!/bin/sh\nexit 0\n",
        b"#!/bin/sh\r\n# no line feed at the end",
        b"#!/usr/bin/env python3\nprint('\xff\x00')\n",
        b'#!/bin/sh\nexec pre-commit hook-impl --hook-dir "$(dirname "$0")" -- "$@"\n',
        b"",
    ],
)
@pytest.mark.parametrize("mode", [0o755, 0o700, 0o644])
def test_uninstall_restores_to_the_byte(chatroom: Chatroom, content: bytes, mode: int) -> None:
    """The same bytes and permissions, the same names, however often ours was installed."""
    directory = chatroom.path / ".git" / "hooks"
    old = directory / "post-commit"
    old.write_bytes(content)
    old.chmod(mode)
    before = {path.name: (path.read_bytes(), path.stat().st_mode) for path in directory.iterdir()}
    chatroom.chat("hook", "install", check=True)
    chatroom.chat("hook", "install", check=True)
    assert old.read_bytes() != content
    chatroom.chat("hook", "uninstall", check=True)
    assert {path.name: (path.read_bytes(), path.stat().st_mode) for path in directory.iterdir()} == before
    assert not kept_of(old).parent.exists()
    assert chatroom.chat("hook", "uninstall", check=True).stdout == "no hook here is ours\n"


def test_uninstall_restores_a_link(chatroom: Chatroom) -> None:
    """What it leads to is never written to."""
    script = chatroom.path / "script"
    script.write_text(RAN_FIRST)
    script.chmod(0o755)
    old = chatroom.path / ".git" / "hooks" / "post-commit"
    old.symlink_to("../../script")
    chatroom.chat("hook", "install", check=True)
    assert script.read_text() == RAN_FIRST
    settled(chatroom, "git", "commit", "-q", "--allow-empty", "-m", "runs the link")
    assert (chatroom.path / "ran").exists()
    chatroom.chat("hook", "uninstall", check=True)
    assert old.readlink() == Path("../../script")


def kept_of(hook: Path) -> Path:
    """Where what stood at ``hook`` is kept."""
    return hook.parent.with_name(f"{hook.parent.name}.before-gitchat") / hook.name


BY_OWN_NAME = """#!/bin/sh
. "$(dirname "$0")/shared" && . "$(dirname "$0")/../below"
echo "$(basename "$0")$shared$below" >> "$RAN"
"""


@pytest.mark.parametrize("layout", ["file", "link", "one for all", "trailing slash", "linked directory"])
def test_hook_that_goes_by_its_own_name_runs_as_before(chatroom: Chatroom, layout: str) -> None:
    """It finds its own name, what lies beside it and what lies above, as a file or a link, however git is told."""
    directory = chatroom.path / ".git" / "hooks"
    if layout == "trailing slash":
        directory = chatroom.path / ".githooks"
        chatroom.git("config", "core.hooksPath", ".githooks/")
    elif layout == "linked directory":
        shutil.rmtree(directory)
        directory.symlink_to("../elsewhere/real")
        directory = chatroom.path / "elsewhere" / "real"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "shared").write_text("shared=+\n")
    (directory.parent / "below").write_text("below=-\n")
    script = directory / {"link": "dispatch", "one for all": "post-merge"}.get(layout, "post-commit")
    script.write_text(BY_OWN_NAME)
    script.chmod(0o755)
    if not (directory / "post-commit").exists():
        (directory / "post-commit").symlink_to(script.name)
    before = _tree(directory.parent)
    ran = chatroom.world.root / "ran"
    for _ in range(2):
        chatroom.chat("hook", "install", check=True)
        settled(chatroom, "git", "commit", "-q", "--allow-empty", "-m", "told", RAN=str(ran))
    assert ran.read_text() == "post-commit+-\n" * 2
    assert len(titles(chatroom)) == 2
    chatroom.chat("hook", "uninstall", check=True)
    assert _tree(directory.parent) == before


def _tree(path: Path) -> dict[str, object]:
    """Files and links of a directory, and of those in it that are about hooks."""
    found = [
        *path.iterdir(),
        *(file for inside in path.glob("*") if "hooks" in inside.name for file in inside.iterdir()),
    ]
    return {
        str(file.relative_to(path)): file.readlink() if file.is_symlink() else file.read_bytes()
        for file in found
        if (file.is_file() or file.is_symlink()) and (path.name != ".git" or file.parent != path)
    }


def test_husky_of_before_keeps_its_layout(chatroom: Chatroom) -> None:
    """Up to version 8 git runs the user's script itself, which reads a file beside it and goes by its own name."""
    inside, user = chatroom.path / ".husky" / "_", chatroom.path / ".husky" / "post-commit"
    inside.mkdir(parents=True)
    (inside / "husky.sh").write_text('if [ -z "$once" ]; then export once=1; sh -e "$0" "$@"; exit $?; fi\n')
    user.write_text('#!/bin/sh\n. "$(dirname -- "$0")/_/husky.sh"\nbasename "$0" >> ran\n')
    user.chmod(0o755)
    chatroom.git("config", "core.hooksPath", ".husky")
    chatroom.chat("hook", "install", check=True)
    settled(chatroom, "git", "commit", "-q", "--allow-empty", "-m", "told")
    assert (chatroom.path / "ran").read_text() == "post-commit\n"
    assert len(titles(chatroom)) == 1


def test_hook_that_an_earlier_version_kept_moves_to_its_new_place(chatroom: Chatroom) -> None:
    """Which kept it beside ours, under another name; it runs all the time, and comes back to the byte."""
    old = chatroom.path / ".git" / "hooks" / "post-commit"
    old.write_text('#!/bin/sh\nbasename "$0" >> ran\n')
    old.chmod(0o755)
    theirs = old.read_bytes()
    former = old.with_name("post-commit.before-gitchat")
    old.rename(former)
    old.write_text(HOOK_1.format(program=shutil.which("git-chat", path=chatroom.world.variables["PATH"])))
    old.chmod(0o755)
    status = "post-commit      installed, not of this version: git chat hook install, after post-commit.before-gitchat"
    assert status in chatroom.chat("hook", "status", check=True).stdout
    commit(chatroom, "before")
    chatroom.chat("hook", "install", check=True)
    assert (former.exists(), kept_of(old).read_bytes()) == (False, theirs)
    commit(chatroom, "after")
    assert (chatroom.path / "ran").read_text() == "post-commit.before-gitchat\npost-commit\n"
    assert len(titles(chatroom)) == 2
    shutil.copy2(kept_of(old), former)  # killed before it took the former one away
    chatroom.chat("hook", "install", check=True)
    assert not former.exists()
    chatroom.chat("hook", "uninstall", check=True)
    assert (old.read_bytes(), kept_of(old).parent.exists()) == (theirs, False)


def test_what_status_and_doctor_say_of_an_old_hook_renews_that_very_hook(chatroom: Chatroom) -> None:
    """By itself `hook install` leaves the guard alone."""
    chatroom.chat("hook", "install", "guard", check=True)
    guard = chatroom.path / ".git" / "hooks" / "pre-commit"
    guard.write_text(guard.read_text().replace("status=$?", "status=0", 1))
    advice = "git chat hook install guard"
    assert advice in chatroom.chat("hook", "status", check=True).stdout
    assert advice in chatroom.chat("doctor").stdout
    chatroom.chat(*advice.split()[2:], check=True)
    assert advice not in chatroom.chat("hook", "status", check=True).stdout + chatroom.chat("doctor").stdout


HOOK_1 = """#!/bin/sh
# gitchat hook 1: post-commit tells the chatroom what was committed. See git chat hook -h
status=$?
before="${{0%/*}}/post-commit.before-gitchat" # what stood here first; its exit status counts
[ ! -x "$before" ] || "$before" "$@" || status=$?
head=$(git rev-parse HEAD --symbolic-full-name HEAD 2>/dev/null) || exit "$status"
("{program}" hook post commit --head "$head" </dev/null >/dev/null 2>&1 &)
exit "$status" # gitchat hook ends
"""
"""As version 0.1.0 wrote it, in short."""


def test_hook_that_another_program_put_over_ours_is_left_alone(hooked: Chatroom) -> None:
    """Status and doctor say so; installing again does not guess which of two is wanted."""
    hook = hooked.path / ".git" / "hooks" / "post-merge"
    hooked.chat("hook", "uninstall", check=True)
    hook.write_text("#!/bin/sh\n# theirs, old\n")
    hooked.chat("hook", "install", "merge", check=True)
    hook.write_text("#!/bin/sh\n# theirs, new\n")
    assert "post-merge       replaced by another program" in hooked.chat("hook", "status", check=True).stdout
    assert "another program put its post-merge over ours" in hooked.chat("doctor").stdout
    refused(hooked.chat("hook", "install", "merge"), "another program put its hook over ours", "rm '", status=3)
    kept_of(hook).unlink()
    hooked.chat("hook", "install", "merge", check=True)
    assert "theirs, new" in kept_of(hook).read_text()


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_hook_that_pre_commit_wrote_anew_is_no_riddle(chatroom: Chatroom, command: str) -> None:
    """It moves ours to .legacy and runs it from there; what ours kept is what it wrote once more."""
    theirs = chatroom.path / ".git" / "hooks" / "post-commit"
    theirs.write_text('#!/bin/sh\n[ ! -x "$0.legacy" ] || "$0.legacy" "$@"\n')
    theirs.chmod(0o755)
    written = theirs.read_bytes()
    chatroom.chat("hook", "install", "commit", check=True)
    theirs.rename(theirs.with_name("post-commit.legacy"))
    theirs.write_bytes(written)
    theirs.chmod(0o755)
    chatroom.chat("hook", command, "commit" if command == "install" else "--", check=True)
    names = {path.name for path in theirs.parent.iterdir() if path.name.startswith("post-commit.")}
    assert names <= {"post-commit.sample"}
    assert kept_of(theirs).exists() is (command == "install")
    assert (theirs.read_bytes() == written) is (command == "uninstall")
    commit(chatroom)
    assert len(titles(chatroom)) == (1 if command == "install" else 0)


def test_killed_install_is_finished_by_the_next(chatroom: Chatroom) -> None:
    """Between its two steps the old hook has two names, and runs."""
    old = chatroom.path / ".git" / "hooks" / "post-commit"
    old.write_text(RAN_FIRST)
    kept_of(old).parent.mkdir()
    os.link(old, kept_of(old))
    chatroom.chat("hook", "install", check=True)
    assert "gitchat hook" in old.read_text()
    chatroom.chat("hook", "uninstall", check=True)
    assert old.read_text() == RAN_FIRST


# --- other directories ----------------------------------------------------------------------


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_directory_of_core_hookspath_is_used(chatroom: Chatroom, place: str) -> None:
    """From any directory below; one in the work tree holds no path of this machine, for others run it, too."""
    directory = chatroom.path / ".githooks" if place == "inside" else chatroom.world.root / "hooks"
    chatroom.git("config", "core.hooksPath", ".githooks" if place == "inside" else str(directory))
    (chatroom.path / "below").mkdir()
    answer = chatroom.world.chat("hook", "install", cwd=chatroom.path / "below", check=True).stdout
    assert f"installed in {directory}: post-commit" in answer
    assert ("program=''" in (directory / "post-commit").read_text()) is (place == "inside")
    assert ("in the work tree" in answer) is (place == "inside")
    chatroom.say()
    commit(chatroom)
    assert "Fix the parser" in titles(chatroom)[-1]


def test_hook_of_the_whole_machine_begins_no_room(chatroom: Chatroom) -> None:
    """Where nobody chats it stays silent, unless it was asked for there."""
    chatroom.git("config", "--global", "core.hooksPath", str(chatroom.world.root / "hooks"))
    chatroom.chat("hook", "install", check=True)
    commit(chatroom, "silent")
    assert chatroom.git("for-each-ref", "refs/chatroom").stdout == ""
    chatroom.git("config", "chat.hook.commit", "true")
    commit(chatroom, "asked")
    assert len(titles(chatroom)) == 1


def test_hooks_that_are_switched_off_are_said_to_be(chatroom: Chatroom) -> None:
    """core.hooksPath=/dev/null is how one does that."""
    chatroom.git("config", "core.hooksPath", "/dev/null")
    refused(chatroom.chat("hook", "install"), "git runs no hooks here", "git config --unset core.hooksPath")
    assert "git runs no hooks here" in chatroom.chat("doctor").stdout


HUSKY = """#!/bin/sh
script=$(dirname "$(dirname "$0")")/$(basename "$0")
[ ! -f "$script" ] && exit 0
sh -e "$script" "$@"
exit $?
"""


@pytest.mark.parametrize("script", [None, b"echo theirs > ran", b"echo theirs > ran\n", b"echo theirs > ran\r\n"])
def test_husky_runs_our_lines_in_the_users_script(chatroom: Chatroom, script: bytes | None) -> None:
    """Its own directory, which it writes anew, stays as it is; the script comes back to the byte."""
    inside, user = chatroom.path / ".husky" / "_", chatroom.path / ".husky" / "post-commit"
    inside.mkdir(parents=True)
    (inside / "h").write_text(HUSKY)
    (inside / "post-commit").write_text('#!/bin/sh\n. "$(dirname "$0")/h"\n')
    (inside / "post-commit").chmod(0o755)
    if script is not None:
        user.write_bytes(script)
    chatroom.git("config", "core.hooksPath", ".husky/_")
    chatroom.chat("hook", "install", "commit", check=True)
    chatroom.chat("hook", "install", "commit", check=True)
    commit(chatroom)
    assert "Fix the parser" in only(chatroom).body
    assert any(chatroom.path.glob("ran*")) is (script is not None)
    assert "post-commit      installed\n" in chatroom.chat("hook", "status", check=True).stdout
    chatroom.chat("hook", "uninstall", check=True)
    assert (user.read_bytes() if user.exists() else None) == script


# --- doctor -----------------------------------------------------------------------------------


def test_doctor_proves_the_hook_and_leaves_no_trace(hooked: Chatroom) -> None:
    """A real commit elsewhere: no file here changes, and nobody else's hook is run."""
    hooked.say()
    hooked.chat("hook", "uninstall", check=True)
    old = hooked.path / ".git" / "hooks" / "post-commit"
    old.write_text(RAN_FIRST)
    old.chmod(0o755)
    hooked.chat("hook", "install", check=True)
    before = _files(hooked.path)
    shown = hooked.chat("doctor", check=True).stdout
    assert "ours: post-commit, post-applypatch, post-merge, post-rewrite" in shown
    assert "hooks: a commit in a scratch repository was told to its room" in shown
    assert _files(hooked.path) == before


@pytest.mark.slow
def test_doctor_finds_a_hook_that_tells_nothing(hooked: Chatroom) -> None:
    """Whatever is wrong with it."""
    hook = hooked.path / ".git" / "hooks" / "post-commit"
    hook.write_text(hook.read_text().replace("hook post commit", "hook post nothing"))
    done = hooked.chat("doctor", GITCHAT_HOOK_SECONDS="0.1")
    assert done.returncode == 1
    assert "our post-commit was changed" in done.stdout
    assert "was not told to its room by our part of" in done.stdout


def _files(path: Path) -> dict[Path, bytes]:
    """Everything below ``path``, but for the index of the room, which any reader may write."""
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file() and "index." not in file.name}


# --- the shell files -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_shell_file_is_short_and_clean(name: str, tmp_path: Path) -> None:
    """About fifteen lines of POSIX shell; shellcheck, where it is installed, finds nothing."""
    text = shell_text(name)
    assert len(text.splitlines()) <= 20
    assert f"# gitchat hook 2: {name} tells" in text
    assert f"/../$kept/{name}" in text
    (tmp_path / name).write_text(text)
    subprocess.run(["sh", "-n", str(tmp_path / name)], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", "--shell=sh", str(tmp_path / name)], check=True)
