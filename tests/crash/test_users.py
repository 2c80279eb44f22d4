"""Several users of one repository: a group that shares it, and root in somebody else's. Needs root, to be others."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest

import gitchat
from tests.world import Done, World

ROOT, ANN, BEN, GROUP = 0, 12001, 12002, 12000
MESSAGES = 300

SENDER = f"""
import sys
from gitchat.verbs.room import Room
room = Room.open(".", name=sys.argv[1])
for number in range({MESSAGES}):
    room.send(f"{{sys.argv[1]}} {{number}}")
"""


class User:
    """A user of the system, by number, with a home and a umask of its own."""

    def __init__(self, world: World, name: str, uid: int, umask: int) -> None:
        self.world, self.name, self.uid, self.umask = world, name, uid, umask
        self.home = world.root / name
        self.home.mkdir()
        (self.home / ".gitconfig").write_text(
            f"[user]\n\tname = {name}\n\temail = {name}@example.com\n"
            "[safe]\n\tdirectory = *\n[init]\n\tdefaultBranch = main\n"
        )
        self.own(self.home)

    def own(self, directory: Path) -> None:
        """Give all that is in there to this user and the group."""
        for path in [directory, *directory.rglob("*")]:
            os.chown(path, self.uid, GROUP if self.uid else 0, follow_symlinks=False)

    def start(self, *command: str, cwd: Path, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """A command as this user, running."""
        variables = self.world.variables | {"HOME": str(self.home), "GITCHAT_NAME": self.name}
        del variables["GIT_CONFIG_GLOBAL"]  # libgit2 looks into HOME alone
        return subprocess.Popen(
            command, cwd=cwd, env=variables, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            user=self.uid, group=GROUP if self.uid else 0, extra_groups=[], umask=self.umask,
        )  # fmt: skip

    def run(self, *command: str, cwd: Path) -> Done:
        """A command as this user, finished; it must do what it is asked."""
        with self.start(*command, cwd=cwd) as process:
            output, errors = (part.decode() for part in process.communicate())
        assert process.returncode == 0, f"{self.name}: {command} ended with {process.returncode}: {output}{errors}"
        return subprocess.CompletedProcess(command, process.returncode, output, errors)


@pytest.fixture
def world() -> Iterator[World]:
    """A world that every user may enter, which pytest's own directories are not."""
    if os.geteuid() != 0:
        pytest.skip("only root can be other users")
    root = Path(tempfile.mkdtemp(prefix="gitchat-users-"))
    root.chmod(0o755)
    try:
        world = World(root)
        path = f"{Path(gitchat.__file__).parents[1]}:{Path(click.__file__).parents[1]}"
        program = Path(gitchat.__file__).with_name("__main__.py")
        world.add_program("git-chat", f'PYTHONPATH={path} exec {python(path)} -P {program} "$@"')
        world.add_program("python-as-user", f'PYTHONPATH={path} exec {python(path)} -P "$@"')
        yield world
    finally:
        shutil.rmtree(root)


def python(path: str) -> str:
    """A Python that other users may start: ours may be in root's home."""
    for program in (sys.executable, shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")):
        if program is not None:
            with suppress(OSError, subprocess.CalledProcessError):
                subprocess.run(
                    [program, "-c", "import gitchat.cli, pygit2, click"], check=True, capture_output=True, cwd="/",
                    env={"PYTHONPATH": path}, user=ANN, group=GROUP, extra_groups=[],
                )  # fmt: skip
                return program
    assert not os.environ.get("CI"), "no Python here can be started by other users"
    pytest.skip("no Python here can be started by other users")


def entries_of(directory: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """All that is in there, but for what a git that goes on aside may just remove."""
    for path in [directory, *directory.rglob("*")]:
        if not path.is_symlink() and path.exists():
            yield path, path.stat()


@pytest.mark.slow
def test_two_users_with_unlike_umasks_share_a_repository_beside_gc(world: World) -> None:
    """Both send, read, commit and fetch as if they were alone, and all has the owner and mode that git would give."""
    ann, ben = User(world, "ann", ANN, 0o022), User(world, "ben", BEN, 0o077)
    place = world.root / "place"
    place.mkdir(mode=0o2775)
    ann.own(place)
    place.chmod(0o2775)
    tree, common_dir = place / "tree", place / "tree" / ".git"
    ann.run("git", "init", "-q", "--shared=group", "--bare", "hub.git", cwd=place)
    ann.run("git", "init", "-q", "--shared=group", "tree", cwd=place)
    ann.run("git", "config", "chat.fsync", "false", cwd=tree)
    ann.run("git", "remote", "add", "origin", "../hub.git", cwd=tree)
    ann.run("git", "commit", "-q", "--allow-empty", "-m", "first", cwd=tree)
    ann.run("git", "push", "-q", "origin", "main", cwd=tree)

    senders = [user.start("python-as-user", "-c", SENDER, user.name, cwd=tree) for user in (ann, ben)]
    while any(sender.poll() is None for sender in senders):
        for user in (ann, ben):
            # One that meets an object between its creation and its mode gives up: git's own moment, and no harm.
            for words in (("gc", "--quiet", "--prune=now"), ("maintenance", "run", "--quiet", "--task=loose-objects")):
                with user.start("git", *words, cwd=tree) as process:
                    process.communicate()
    for sender in senders:
        _, errors = sender.communicate()
        assert sender.returncode == 0, errors.decode()

    for user in (ann, ben):
        said = user.run("git", "chat", "log", "-n", "1000", "--oneline", cwd=tree).stdout
        for sender in (ann, ben):
            numbers = [line.rpartition(" ")[2] for line in said.splitlines() if f" {sender.name} " in line]
            assert numbers == [str(number) for number in range(MESSAGES)], (user.name, sender.name)
        user.run("git", "chat", "search", "ann", cwd=tree)
        user.run("git", "chat", "read", "-n", "1", cwd=tree)
        user.run("git", "chat", "join", "--role", "dev", cwd=tree)
        user.run("git", "chat", "sync", cwd=tree)
        for name in ("COMMIT_EDITMSG", "FETCH_HEAD"):  # which git itself does not share
            (common_dir / name).unlink(missing_ok=True)
        user.run("git", "commit", "-q", "--allow-empty", "-m", user.name, cwd=tree)
        user.run("git", "fetch", "-q", cwd=tree)
        user.run("git", "gc", "--quiet", "--prune=now", cwd=tree)
        user.run("git", "fsck", "--strict", cwd=tree)
        assert user.run("git", "chat", "doctor", cwd=tree).returncode == 0
    assert wrong_modes(common_dir, {user.uid: user.umask for user in (ann, ben)}) == []


def wrong_modes(common_dir: Path, umasks: dict[int, int]) -> list[str]:
    """What has not the mode that git gives in a repository shared by a group, by who made it and under which umask."""
    wrong = []
    for path, status in entries_of(common_dir):
        umask = umasks.get(status.st_uid, -1)
        mode = stat.S_IMODE(status.st_mode)
        name = str(path.relative_to(common_dir))
        if name == "." or name.startswith(
            ("worktrees", "hooks", "info", "description", "logs", "COMMIT_EDITMSG", "FETCH_HEAD")
        ):
            continue  # git itself does not share it, or took it from its templates
        if stat.S_ISDIR(status.st_mode):
            is_right = mode == (0o777 & ~umask) | 0o2070
        elif name.startswith("objects/") and path.suffix != ".lock":
            is_right = mode == (0o444 & ~umask) | 0o440 or name.startswith("objects/info")
        elif name.startswith("chatroom/index."):  # of -wal and -shm SQLite makes what the database is
            is_right = mode & 0o660 == 0o660
        elif name.startswith("chatroom/") or name.startswith("refs/chatroom"):
            is_right = mode == (0o666 & ~umask) | 0o660
        else:
            is_right = mode & 0o660 == 0o660
        if not is_right or status.st_gid != GROUP or umask == -1:
            wrong.append(f"{name} {oct(mode)} of {status.st_uid}:{status.st_gid}")
    return wrong


@pytest.mark.parametrize("umask", [pytest.param(0o022, marks=pytest.mark.slow), 0o077])
def test_root_in_anothers_repository_leaves_nothing_that_stops_the_owner(world: World, umask: int) -> None:
    """Who merely looks makes what the owner could make, and so does who sends, reads and syncs; also a private root."""
    ann, root = User(world, "ann", ANN, 0o022), User(world, "root", ROOT, umask)
    place = world.root / "place"
    place.mkdir()
    ann.own(place)
    for words in (("init", "-q", "--bare", "hub.git"), ("init", "-q", "tree")):
        ann.run("git", *words, cwd=place)
    tree, common_dir = place / "tree", place / "tree" / ".git"
    ann.run("git", "commit", "-q", "--allow-empty", "-m", "first", cwd=tree)
    for words in (("status",), ("log",), ("who",), ("rooms",)):
        with root.start("git", "chat", *words, cwd=tree) as process:
            process.communicate()
    assert not foreign(common_dir)
    ann.run("git", "chat", "send", "hello", cwd=tree)
    for words in (("status",), ("log",), ("search", "hello"), ("who",)):
        root.run("git", "chat", *words, cwd=tree)
    assert not foreign(common_dir)
    ann.run("git", "remote", "add", "origin", "../hub.git", cwd=tree)
    for words in (("send", "from root"), ("send", "more", "--room", "other"), ("read",), ("sync",), ("pack",)):
        root.run("git", "chat", *words, cwd=tree)
    assert not foreign(common_dir)
    shutil.rmtree(common_dir / "chatroom" / "live", ignore_errors=True)
    ann.run("git", "chat", "send", "from ann", cwd=tree)
    ann.run("git", "chat", "read", cwd=tree)
    ann.run("git", "chat", "search", "root", cwd=tree)
    ann.run("git", "commit", "-q", "--allow-empty", "-m", "second", cwd=tree)
    ann.run("git", "gc", "-q", "--prune=now", cwd=tree)
    ann.run("git", "fsck", "--strict", cwd=tree)


def foreign(common_dir: Path) -> list[str]:
    """What is root's in there: no directory may be, and no file that the owner cannot read."""
    return [str(path) for path, status in entries_of(common_dir) if status.st_uid == ROOT]
