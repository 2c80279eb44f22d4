"""A sealed world for tests: its own HOME and git configuration, the real git and the installed program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from gitchat.index.database import Index
from gitchat.model.names import RefName, RoomName, Uid, uid_from_random
from gitchat.model.record import Moment
from gitchat.rooms.aftermath import settle
from gitchat.rooms.log import Log
from gitchat.rooms.numbering import Numbering
from gitchat.rooms.writing import Writer
from gitchat.storage import git, store
from gitchat.storage.store import Store
from gitchat.workspace.environment import Environment
from gitchat.workspace.process import read_clock
from tests import preloaded
from tests.needed import missing

GITCONFIG = """\
[user]
	name = Alice
	email = alice@example.com
[init]
	defaultBranch = main
[protocol "file"]
	allow = always
"""


NEWER_GIT = Path(__file__).parents[1] / ".tools" / "bin"
"""Where ``make tools`` puts a git that knows reftable."""


def open_store(common_dir: Path, *, fsync: bool = True) -> Store:
    """A store on ``common_dir``, with this process's git."""
    opened = store.open_store(common_dir, variables=git.scrub(os.environ), fsync=fsync, random_bytes=os.urandom)
    settle(opened)
    return opened


def open_log(store: Store, name: str = "lobby", *, tracking: RefName | None = None) -> Log:
    """The log of a room in ``store``."""
    return Log(_numbering(store, name, tracking))


def open_writer(
    store: Store,
    name: str = "lobby",
    *,
    clock: Callable[[], Moment] = read_clock,
    new_uid: Callable[[], Uid] = lambda: uid_from_random(os.urandom(10)),
    tracking: RefName | None = None,
) -> Writer:
    """What adds to the log of a room in ``store``."""
    return Writer(_numbering(store, name, tracking), clock=clock, new_uid=new_uid)


def _numbering(store: Store, name: str, tracking: RefName | None) -> Numbering:
    index = Index(store.directory, store.read, lambda count: None)
    return Numbering(store, RoomName(name), index=lambda: index, tracking=lambda: tracking)


Done = subprocess.CompletedProcess[str]
Argument = str | Path


def _finished(done: subprocess.CompletedProcess[bytes], check: bool) -> Done:
    """``done`` as text. Raises AssertionError when it failed and ``check`` says that it must not."""
    stdout, stderr = (part.decode("utf-8", "surrogateescape") for part in (done.stdout, done.stderr))
    if check and done.returncode != 0:
        raise AssertionError(f"{done.args} ended with {done.returncode}: {stdout}{stderr}")
    return subprocess.CompletedProcess(done.args, done.returncode, stdout, stderr)


class World:
    """Where a test lives. ``variables`` is the whole environment of what it starts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.home.mkdir()
        (self.home / ".gitconfig").write_text(GITCONFIG)
        self.variables = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(self.home / ".gitconfig"),
            "GIT_EDITOR": "false",
            "GIT_PAGER": "cat",
            "LC_ALL": preloaded.LOCALE,
            "TZ": "UTC",
            "TERM": "dumb",
            "GITCHAT_HOOK_SECONDS": "60",  # a loaded machine decides no test
            "GITCHAT_LOOK_SECONDS": "60",
        }
        if quick := os.environ.get("GITCHAT_QUICK"):  # GITCHAT_QUICK=0 make test: all of it, the long way
            self.variables["GITCHAT_QUICK"] = quick
        self._first_variables = dict(self.variables)

    def run(
        self, *command: Argument, cwd: Path | None = None, stdin: bytes = b"", check: bool = True, **variables: str
    ) -> Done:
        """A finished command; its output is text (UTF-8, bytes that are not come back escaped)."""
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd or self.root,
            env=self.variables | variables,
            input=stdin,
            capture_output=True,
            check=False,
        )
        return _finished(done, check)

    def git(
        self, *arguments: Argument, cwd: Path | None = None, stdin: bytes = b"", check: bool = True, **variables: str
    ) -> Done:
        """``git <arguments>``."""
        return self.run("git", *arguments, cwd=cwd, stdin=stdin, check=check, **variables)

    def chat(
        self,
        *arguments: Argument,
        cwd: Path | None = None,
        stdin: bytes = b"",
        check: bool = False,
        under: Sequence[str] = (),
        **variables: str,
    ) -> Done:
        """``git chat <arguments>``, as a person types it, ``under`` a command; see :mod:`tests.preloaded`."""
        words, told = [str(word) for word in arguments], self.variables | variables
        if told["PATH"] != self._first_variables["PATH"] or not preloaded.can_run(words, told):
            return self.run(*under, "git", "chat", *words, cwd=cwd, stdin=stdin, check=check, **variables)
        return _finished(preloaded.run(words, cwd or self.root, told, stdin, under), check)

    def use_newer_git(self) -> None:
        """From now on the git of ``make tools``. Without it the test is skipped, or fails under CI."""
        if not (NEWER_GIT / "git").exists():
            missing("the newer git is missing: make tools")
        self.variables["PATH"] = f"{NEWER_GIT}{os.pathsep}{self.variables['PATH']}"

    def add_program(self, name: str, script: str) -> Path:
        """A shell script that what is started finds before any other program called ``name``; where it is."""
        path = self.root / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        if str(path.parent) not in self.variables["PATH"].split(os.pathsep):
            # It is no other git-chat, so one that is loaded will do.
            for variables in (self.variables, self._first_variables):
                variables["PATH"] = f"{path.parent}{os.pathsep}{variables['PATH']}"
        return path

    def repository(self, name: str = "repo", *options: str) -> Path:
        """A new repository with one commit; ``options`` are those of git init."""
        path = self.root / name
        has_changed = self.variables != self._first_variables or (self.home / ".gitconfig").read_text() != GITCONFIG
        if options or has_changed:
            self._make_repository(path, *options)
        else:
            shutil.copytree(Path(_template().name, "repository"), path, symlinks=True, dirs_exist_ok=True)
        return path

    def _make_repository(self, path: Path, *options: str) -> None:
        self.git("init", "-q", *options, path)
        (path / "file.txt").write_text("content\n")
        self.git("add", ".", cwd=path)
        self.git("commit", "-q", "-m", "first", cwd=path)

    def environment(self, cwd: Path, now: Callable[[], Moment] | None = None) -> Environment:
        """This world as the core sees it, for use in this process."""
        return Environment(cwd=str(cwd), variables=self.variables, is_terminal=False, now=now or read_clock)


@cache
def _template() -> tempfile.TemporaryDirectory[str]:
    """A world with a repository to copy: git would start three processes for each."""
    directory = tempfile.TemporaryDirectory(prefix="gitchat-tests-")
    world = World(Path(directory.name))
    world._make_repository(world.root / "repository")
    return directory
