"""Where we are: the repository as seen from one directory, and what git's configuration says there."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gitchat.model.errors import ChatError, Mistyped, StorageError, UserError
from gitchat.model.refs import branches_refspec
from gitchat.storage import git
from gitchat.storage.ownfiles import share
from gitchat.storage.store import foreign_owner
from gitchat.workspace.config import Config, clobbering_refspecs


@dataclass(frozen=True, slots=True)
class Location:
    """A repository as seen from one directory. All paths are absolute."""

    git_dir: Path
    """Of this worktree: ``.git``, or ``.git/worktrees/<name>``."""
    common_dir: Path
    """Shared by all worktrees."""
    is_bare: bool


@dataclass(frozen=True)
class Repository:
    """The repository at or above ``cwd``, asked by git with ``variables`` as its environment.

    Everything is looked up when it is first asked for, and once.
    """

    cwd: str
    variables: Mapping[str, str]

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """The output of a git command run here, with the caller's own variables. Raises git.GitFailed."""
        return git.run(arguments, cwd=self.cwd, variables=self.variables, stdin=stdin).stdout

    @cached_property
    def location(self) -> Location:
        """The repository here. Raises UserError ``not-a-repository``, StorageError ``foreign-owner``."""
        try:
            output = self.git("rev-parse", "--absolute-git-dir", "--git-common-dir", "--is-bare-repository")
        except git.GitFailed as error:
            raise _not_a_repository(self.cwd, error) from error
        lines = os.fsdecode(output).removesuffix("\n").split("\n")
        if len(lines) != 3:
            raise UserError(
                "the path of this repository holds a line break", hint="move it: git clone . ELSEWHERE", code="bad-path"
            )
        git_dir, common_dir, is_bare = lines
        # --git-common-dir is relative to the current directory.
        common = os.path.realpath(os.path.join(self.cwd, common_dir))
        share(Path(common) / "chatroom", lambda: self.config.sharing())
        return Location(Path(git_dir), Path(common), is_bare == "true")

    @cached_property
    def directory(self) -> Path:
        """``chatroom/`` in the git common directory: our own files, which all worktrees share. Need not exist."""
        return self.location.common_dir / "chatroom"

    @cached_property
    def worktree(self) -> Path:
        """The top of this worktree, or the git directory of a bare repository; absolute. Raises as ``location``."""
        try:
            return Path(os.fsdecode(self.git("rev-parse", "--show-toplevel")).removesuffix("\n"))
        except git.GitFailed:
            return self.location.git_dir

    @property
    def main_worktree(self) -> Path:
        """Where a remote's relative address starts: the top of the worktree that the repository was made with."""
        location = self.location
        if location.git_dir == location.common_dir:
            return self.worktree
        return location.common_dir.parent if location.common_dir.name == ".git" else location.common_dir

    def worktrees(self) -> list[Path]:
        """The tops of all worktrees that git knows, that of the repository first. Some may be gone."""
        lines = os.fsdecode(self.git("worktree", "list", "--porcelain")).split("\n")
        return [Path(line.removeprefix("worktree ")) for line in lines if line.startswith("worktree ")]

    def has_worktrees(self) -> bool:
        """Whether there are others than that of the repository, be they gone by now. Raises as ``location``."""
        try:
            with os.scandir(self.location.common_dir / "worktrees") as found:
                return any(found)
        except OSError:
            return False

    def superproject(self) -> Path | None:
        """The top of the worktree that this repository is a submodule of; None for any other one."""
        try:
            top = os.fsdecode(self.git("rev-parse", "--show-superproject-working-tree")).removesuffix("\n")
        except git.GitFailed:
            return None
        return Path(top) if top else None

    @property
    def worktree_name(self) -> str:
        """The last part of the worktree's path, or of the repository's when it is bare."""
        return Path(str(self.worktree).removesuffix("/.git").removesuffix(".git")).name

    def branch(self) -> str | None:
        """The branch that is checked out here; None when HEAD is detached."""
        try:
            return os.fsdecode(self.git("symbolic-ref", "--quiet", "--short", "HEAD")).removesuffix("\n")
        except git.GitFailed:
            return None

    def commit(self, revision: str) -> str:
        """The full id of the project's commit that ``revision`` names, as git reads it. Of a full id, which may be
        one that git has lost, itself.

        Raises:
            UserError: ``no-such-commit``.
        """
        try:
            answer = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except git.GitFailed as error:
            if re.fullmatch("[0-9a-f]{40}([0-9a-f]{24})?", revision):
                return revision
            raise UserError(
                f"{revision!r} names no commit here",
                hint="see which there are: git log --oneline",
                code="no-such-commit",
            ) from error
        return answer.decode().strip()

    # --- configuration -----------------------------------------------------------

    @cached_property
    def config(self) -> Config:
        """git's configuration here. Raises UserError ``bad-config``."""
        try:
            return Config(self.git("config", "--list", "-z"))
        except git.GitFailed as error:
            if _MISSING in error.stderr:
                raise _not_a_repository(self.cwd, error) from error
            # No git config --edit: it would read the same file first.
            named = re.search(r" in file (.+)", error.stderr)
            raise UserError(
                f"git cannot read its configuration: {error.stderr.removeprefix('fatal: ')}",
                hint=f"mend that line: ${{EDITOR:-vi}} {shlex.quote(named[1])}"
                if named
                else "see what git says: git status",
                code="bad-config",
            ) from error

    def forget_old_config(self, status: os.stat_result | None = None) -> None:
        """Let ``config`` be read again when its file has changed: a process beside us may have set something.

        ``status`` is what that file was found to be just now.
        """
        try:
            status = status or os.stat(f"{self.location.common_dir}/config")
        except OSError:
            return
        changed = (status.st_ino, status.st_size, status.st_mtime_ns)
        if self.__dict__.setdefault("_config_changed", changed) != changed:
            self.__dict__["_config_changed"] = changed
            self.__dict__.pop("config", None)

    def set_config(self, key: str, value: str | None) -> None:
        """Give ``key`` this one value in the repository's own configuration; with None take it out.

        Raises:
            StorageError: ``config-refused``: git could not write the setting.
        """
        try:
            if value is not None:
                self.git("config", "--local", key, value)
            else:
                self.git("config", "--local", "--unset-all", key)
        except git.GitFailed as error:
            raise StorageError(
                f"git could not write the setting {key}: {error.stderr.removeprefix('error: ')}",
                hint="try again; if a lock was left behind there, git names its file",
                code="config-refused",
            ) from error
        self.__dict__.pop("config", None)  # read it again

    def remotes(self) -> list[str]:
        """The named remotes, in the order of the configuration. Raises UserError ``bad-config``.

        Without those that begin with ``-``: ``git fetch`` and what people type would read such a name as an option.
        """
        return [name for name in self.config.subsections("remote", "url") if not name.startswith("-")]

    def syncs_by_itself(self) -> bool:
        """Whether ``chat.sync`` is not ``manual``. Raises UserError ``bad-config``."""
        return self.config.get_choice("chat.sync", ("batch", "manual")) == "batch"

    def arrives_at(self) -> str | None:
        """The remote whose rooms this clone joins by itself; None where it joins none. Raises UserError ``bad-config``.

        None also of a mirror, where the next fetch would delete what was joined.
        """
        if not self.syncs_by_itself() or clobbering_refspecs(self.config):
            return None
        return self.first_remote()

    def first_remote(self) -> str | None:
        """The remote that is used where nobody named one: ``chat.remote``, else ``origin``; None where there is none.

        Not the only one there is: somebody has to have meant it. Raises UserError ``bad-config``.
        """
        name = self.config.get("chat.remote") or "origin"
        return name if name in self.remotes() else None

    def remote_name(self, given: str | None) -> str:
        """``given``, else ``chat.remote``, else ``origin`` or the only remote there is.

        Raises:
            UserError: ``no-remote``, ``not-a-remote``.
        """
        remotes = self.remotes()
        name = given or self.config.get("chat.remote")
        if name is None:
            name = "origin" if "origin" in remotes or len(remotes) != 1 else remotes[0]
        if name in remotes:
            return name
        if name.startswith("-"):
            raise UserError(
                f"a remote cannot be called {name!r}: git would read that as an option",
                hint=f"see what the name is for: git config --get-regexp {shlex.quote('^remote[.]-')}",
                code="not-a-remote",
            )
        if given is not None and (":" in given or "/" in given):
            raise UserError(
                f"{given} is an address; a room follows a named remote",
                hint=f"name it: git remote add chat '{given}'; git chat sync chat",
                code="not-a-remote",
            )
        raise Mistyped(
            f"there is no remote '{name}' here",
            hint=f"remotes: {', '.join(sorted(remotes))}" if remotes else f"add it: git remote add {name} URL",
            code="no-remote",
            word=name,
            known=sorted(remotes),
        )

    def refuse_mirror(self) -> None:
        """Raise UserError ``mirror`` when a fetch would overwrite or delete what is written here."""
        for remote, refspec in clobbering_refspecs(self.config):
            raise UserError(
                f"the next 'git fetch {remote}' would overwrite the rooms here (remote.{remote}.fetch is {refspec})",
                hint=f"work in an ordinary clone, or narrow it: "
                f"git config remote.{remote}.fetch '{branches_refspec(remote)}'",
                code="mirror",
            )


_MISSING = "not a git repository: /"
"""How git says that the repository which a ``.git`` file names is not there; that of GIT_DIR stands in quotes."""


def _not_a_repository(cwd: str, error: git.GitFailed) -> ChatError:
    if "dubious ownership" in error.stderr:
        quoted = error.stderr.partition("'")[2].partition("'")[0]
        return foreign_owner(Path(quoted or cwd))
    if _MISSING in error.stderr:
        return _repository_elsewhere(Path(cwd), Path("/" + error.stderr.partition(_MISSING)[2].splitlines()[0]))
    if "not a git repository" in error.stderr:
        return UserError(
            f"{cwd} is not inside a git repository",
            hint="go into one, or make one here: git init",
            code="not-a-repository",
        )
    return UserError(
        f"git cannot use the repository here: {error.stderr.removeprefix('fatal: ')}",
        hint="see what git says: git status",
        code="not-a-repository",
    )


def _repository_elsewhere(cwd: Path, missing: Path) -> UserError:
    """A ``.git`` file leads to a repository that is not there: it was moved, or not mounted into this container."""
    top = next((one for one in (cwd, *cwd.parents) if (one / ".git").is_file()), cwd)
    if missing.parent.name == "worktrees":
        repository = missing.parents[1]
        return UserError(
            f"{top} is a worktree of {repository}, which is not here: there is no {missing}",
            hint=f"in a container mount that, too, at the same path; if it was moved: "
            f"git -C ITS-NEW-PLACE worktree repair '{top}'",
            code="not-a-repository",
        )
    return UserError(
        f"{top / '.git'} says that the repository is {missing}, and there is none",
        hint=f"in a container mount that, too, at the same path; if it was moved, write where it is: "
        f"echo 'gitdir: ITS-NEW-PLACE' >'{top / '.git'}'",
        code="not-a-repository",
    )
