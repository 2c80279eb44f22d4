"""Where we are and who we are: the only reader of the clock, of environment variables,
of randomness and of git's configuration.

Everything below gets these as arguments.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gitchat.model import attachment
from gitchat.model.errors import ChatError, StorageError, UserError
from gitchat.model.names import (
    DEFAULT_ROOM,
    MAX_SLUG_CHARS,
    Name,
    RefName,
    RoomName,
    Uid,
    is_slug,
    log_ref,
    parse_name,
    parse_room,
    suggest_slug,
    tracking_ref,
    uid_from_random,
)
from gitchat.model.record import DEFAULT_BODY_BYTES, MAX_BODY_BYTES, Identity, Moment, Origin
from gitchat.rooms.log import Log
from gitchat.storage import git
from gitchat.storage.store import Store, foreign_owner, open_store
from gitchat.workspace.config import Config, clobbering_refspecs

if TYPE_CHECKING:  # loaded by who needs them
    from gitchat.clones.sync import Remote
    from gitchat.index.database import Index
    from gitchat.model.participant import Holder
    from gitchat.presence.roll import Held, Roll
    from gitchat.waking.watch import Changes

_AGENT_VARIABLES = {
    "CLAUDECODE": "claude", "GEMINI_CLI": "gemini", "OPENCODE": "opencode", "CODEX_THREAD_ID": "codex",
}  # fmt: skip
"""Variables that an agent's client sets for the commands it runs, and the client's short name."""

_SESSION_VARIABLES = ("GITCHAT_SESSION", "CLAUDE_CODE_SESSION_ID")
"""Variables with the id of the client's conversation; ours can set right what a client hands on."""

_MAX_SESSION_CHARS = 128

HOOK_SECONDS = 2.0
"""How long what a git hook started may take. Who waits longer for a lock waits for somebody who is stuck."""


@dataclass(frozen=True, slots=True)
class Location:
    """A repository as seen from one directory. All paths are absolute."""

    git_dir: Path
    """Of this worktree: ``.git``, or ``.git/worktrees/<name>``."""
    common_dir: Path
    """Shared by all worktrees."""
    is_bare: bool


@dataclass(frozen=True)
class Environment:
    """One process's surroundings, and what they mean for gitchat.

    Made from the real ones by :func:`here`; a test gives its own.
    """

    cwd: str
    variables: Mapping[str, str]
    is_terminal: bool
    """Whether a person is at a terminal: standard input, output or error is one."""
    now: Callable[[], Moment] = field(default=lambda: read_clock())
    random_bytes: Callable[[int], bytes] = field(default=os.urandom)
    progress: Callable[[str, int | None], None] = field(default=lambda task, count: None)
    """Told what is done to how many messages, such as ``counting`` and 12,000, in a walk that may take long."""

    # --- the repository --------------------------------------------------------

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
        return Location(Path(git_dir), Path(common), is_bare == "true")

    @cached_property
    def worktree(self) -> Path:
        """The top of this worktree, or the git directory of a bare repository; absolute. Raises as ``location``."""
        try:
            return Path(os.fsdecode(self.git("rev-parse", "--show-toplevel")).removesuffix("\n"))
        except git.GitFailed:
            return self.location.git_dir

    @cached_property
    def config(self) -> Config:
        """git's configuration here. Raises UserError ``bad-config``."""
        try:
            return Config(self.git("config", "--list", "-z"))
        except git.GitFailed as error:
            raise UserError(
                f"git cannot read its configuration: {error.stderr.removeprefix('fatal: ')}",
                hint="mend the file it names: git config --edit",
                code="bad-config",
            ) from error

    @cached_property
    def store(self) -> Store:
        """The store of the repository here. Raises what open_store and ``location`` raise."""
        store = open_store(
            self.location.common_dir,
            variables=git.scrub(self.variables),
            fsync=self.config.get_bool("chat.fsync", True),
            maintain=self._start_packing,
        )
        with suppress(StorageError):  # what was lost cannot be written back now; reading it will say so
            store.heal()
        return store

    def _start_packing(self) -> None:
        """Pack in a process of its own, which nobody waits for."""
        self._start("pack")

    def _start(self, *arguments: str) -> None:
        # -P: without it Python would look for "gitchat" in the current directory first, which is a stranger's.
        git.start_aside([sys.executable, "-P", "-m", "gitchat", *arguments], cwd=self.cwd, variables=self.variables)

    def start_sync(self, remote: str, room: RoomName) -> None:
        """Bring a room together with a remote in a process of its own, which nobody waits for."""
        self._start("sync", remote, "--room", room)

    def worktree_name(self) -> str:
        """The last part of the worktree's path, or of the repository's when it is bare."""
        return Path(str(self.worktree).removesuffix("/.git").removesuffix(".git")).name

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

    # --- rooms -----------------------------------------------------------------

    def room_name(self, given: str | None) -> RoomName:
        """``given``, else ``chat.room``, else ``lobby``. Raises UserError ``bad-name``."""
        if given is not None:
            return parse_room(given)
        configured = self.config.get("chat.room")
        return _setting("chat.room", configured, parse_room) if configured is not None else DEFAULT_ROOM

    @cached_property
    def index(self) -> Index:
        """The index of the logs here."""
        from gitchat.index.database import Index  # SQLite, which a plain send or log does without

        return Index(self.store.directory, self.store.read, partial(self.progress, "indexing"))

    def changes(self, also: Callable[[], object] = lambda: None) -> Changes:
        """What wakes a reader when a room here changes; to be closed. Raises what ``store`` raises.

        ``also`` is compared like the rooms: another value of it wakes too, within a second.
        """
        from gitchat.waking.watch import Changes  # a library, for who waits

        def read_refs() -> object:
            return self.store.tips(), self.store.tracked() if self.attached() else (), also()

        return Changes(self.location.common_dir, read_refs=read_refs)

    def log(self, name: RoomName) -> Log:
        """The log of the room ``name`` of the repository here."""
        return Log(
            self.store,
            name,
            clock=self.now,
            new_uid=self.new_uid,
            index=lambda: self.index,
            tracking=lambda: self.tracking(log_ref(name), name),
            max_body_bytes=min(self.config.get_bytes("chat.maxBody", DEFAULT_BODY_BYTES), MAX_BODY_BYTES),
            max_attachment_bytes=self.max_attachment_bytes(),
            progress=partial(self.progress, "counting"),
        )

    def authority(self, room: RoomName) -> str | None:
        """The remote that gives the numbers of ``room``: ``chatroom.<room>.remote``. None where this clone does."""
        self._forget_old_config()
        return self.config.get(f"chatroom.{room}.remote") or None

    def _forget_old_config(self) -> None:
        """Read the configuration again when its file has changed: a sync beside us may have attached a room."""
        with suppress(OSError):
            status = os.stat(self.location.common_dir / "config")
            changed = (status.st_ino, status.st_size, status.st_mtime_ns)
            if self.__dict__.setdefault("_config_changed", changed) != changed:
                self.__dict__["_config_changed"] = changed
                self.__dict__.pop("config", None)

    def attach(self, room: RoomName, remote: str | None) -> None:
        """From now on ``remote`` gives the numbers of ``room``; with None this clone does.

        Raises:
            StorageError: ``config-refused``: git could not write the setting.
        """
        key = f"chatroom.{room}.remote"
        try:
            if remote is not None:
                self.git("config", "--local", key, remote)
            elif self.authority(room) is not None:
                self.git("config", "--local", "--unset-all", key)
        except git.GitFailed as error:
            raise StorageError(
                f"git could not write the setting {key}: {error.stderr.removeprefix('error: ')}",
                hint="try again; if a lock was left behind there, git names its file",
                code="config-refused",
            ) from error
        self.__dict__.pop("config", None)  # read it again

    def attached(self) -> dict[RoomName, str]:
        """The rooms that a remote numbers, and which one."""
        self._forget_old_config()
        rooms = (room for room in self.config.subsections("chatroom", "remote") if is_slug(room))
        found = {RoomName(room): self.authority(RoomName(room)) for room in rooms}
        return {room: remote for room, remote in found.items() if remote is not None}

    def syncs_by_itself(self) -> bool:
        """Whether who stays here keeps the rooms in step with their remotes: ``chat.sync`` is not ``manual``.

        Raises:
            UserError: ``bad-config``.
        """
        return self.config.get_choice("chat.sync", ("batch", "manual")) == "batch"

    def sync_interval(self) -> float | None:
        """Seconds between two pushes at most often: ``chat.syncInterval``; None where the remote decides.

        Raises:
            UserError: ``bad-config``.
        """
        return self.config.get_seconds("chat.syncInterval")

    def remote_name(self, given: str | None) -> str:
        """``given``, else ``chat.remote``, else ``origin`` or the only remote there is.

        Raises:
            UserError: ``no-remote``, ``not-a-remote``.
        """
        remotes = self.config.subsections("remote", "url")
        name = given or self.config.get("chat.remote")
        if name is None:
            name = "origin" if "origin" in remotes or len(remotes) != 1 else remotes[0]
        if name in remotes:
            return name
        if given is not None and (":" in given or "/" in given):
            raise UserError(
                f"{given} is an address; a room follows a named remote",
                hint=f"name it: git remote add chat '{given}'; git chat sync chat",
                code="not-a-remote",
            )
        raise UserError(
            f"there is no remote '{name}' here",
            hint=f"remotes: {', '.join(sorted(remotes))}" if remotes else "add one: git remote add origin URL",
            code="no-remote",
        )

    def remote(self, name: str, tell: Callable[[str], None] | None = None) -> Remote:
        """What brings the rooms here and those of a remote together; ``tell`` hears git's progress."""
        from gitchat.clones.sync import Remote  # for who syncs
        from gitchat.clones.wire import Wire

        wire = Wire(
            name,
            git_dir=str(self.location.common_dir),
            cwd=str(self.worktree),
            variables=git.scrub(self.variables),
            tell=tell,
        )
        return Remote(
            self.store,
            wire,
            identity=self.identity,
            clock=self.now,
            attached=self.authority,
            attach=lambda room: self.attach(room, name),
        )

    def tracking(self, ref: RefName, room: RoomName) -> RefName | None:
        """The copy of ``ref`` as the authority of ``room`` has it; None without an authority."""
        authority = self.authority(room)
        return tracking_ref(authority, ref) if authority is not None else None

    def max_attachment_bytes(self) -> int:
        """The largest file that may be attached: ``chat.maxAttachment``. Raises UserError ``bad-config``."""
        return min(self.config.get_bytes("chat.maxAttachment", attachment.DEFAULT_BYTES), attachment.MAX_BYTES)

    def is_new_clone(self) -> bool:
        """Whether there is a remote and no room yet, so that others may have one there."""
        return bool(self.config.subsections("remote", "url")) and not self.store.rooms()

    def refuse_unknown_room(self, name: RoomName) -> None:
        """Raise UserError ``no-such-room`` when no room here is called ``name``."""
        rooms = self.store.rooms()
        if name not in rooms and not self.store.is_damaged(log_ref(name)):
            raise UserError(
                f"there is no room '{name}' here",
                hint=(
                    f"rooms: {', '.join(rooms)}"
                    if rooms
                    else f'begin it: git chat send --room {name} "hello"'
                    + ("; or fetch it: git chat sync" if self.is_new_clone() else "")
                ),
                code="no-such-room",
            )

    def new_uid(self) -> Uid:
        """A uid that nobody has."""
        return uid_from_random(self.random_bytes(10))

    def refuse_mirror(self) -> None:
        """Raise UserError ``mirror`` when a fetch would overwrite or delete what is written here."""
        for remote, refspec in clobbering_refspecs(self.config):
            raise UserError(
                f"the next 'git fetch {remote}' would overwrite the rooms here (remote.{remote}.fetch is {refspec})",
                hint=f"work in an ordinary clone, or narrow it: "
                f"git config remote.{remote}.fetch '+refs/heads/*:refs/remotes/{remote}/*'",
                code="mirror",
            )

    # --- who am I --------------------------------------------------------------

    def identity(self, given: str | None = None) -> Identity:
        """Who writes: the name (see :meth:`name`) and git's identity for the commit.

        Without ``user.email`` an address that can never be somebody's is used, so
        that a container without a git identity can still talk.
        """
        name = self.name(given)
        agent_email = f"{name}@agents.gitchat.invalid"
        email = self.config.get("user.email") or agent_email
        return Identity(
            name=name,
            email=agent_email if self.config.get("chat.authorEmail") == "agent" else email,
            committer_name=self.config.get("user.name") or name,
            committer_email=email,
            origin=self.origin(),
        )

    def origin(self) -> Origin:
        """``human`` only at a terminal and without an agent's variable."""
        return "human" if self.is_terminal and self._agent() is None else "agent"

    def name(self, given: str | None = None) -> Name:
        """The participant's name: ``given``, ``GITCHAT_NAME``, that of the agent's session
        (see :meth:`_agent_name`), ``chat.name``, git's ``user.name``; the first that is there.

        Raises:
            UserError: ``bad-name``, ``reserved-name``, or ``no-name`` when nothing tells.
        """
        if given is not None:
            return parse_name(given)
        if variable := self.variables.get("GITCHAT_NAME"):
            return _setting("GITCHAT_NAME", variable, parse_name)
        client = self._agent()
        if client is not None:
            return self._agent_name(client)
        configured = self.config.get("chat.name")
        if configured is not None:
            return _setting("chat.name", configured, parse_name)
        slug = suggest_slug(self.config.get("user.name") or "")
        if slug is None:
            raise UserError(
                "no name to send under",
                hint="choose one: git config --global chat.name alice; or for one message: --as alice",
                code="no-name",
            )
        return parse_name(slug)

    def session(self) -> str | None:
        """What the agent's client calls its conversation; None when it does not tell, or not in a short line.

        The client's server, its shell and its hooks see the same one, which is how they find the same name.
        """
        values = (self.variables.get(variable) for variable in _SESSION_VARIABLES)
        session = next((value for value in values if value), "")
        return session if session and session.isprintable() and len(session) <= _MAX_SESSION_CHARS else None

    def holder(self) -> Holder:
        """This process, as it is noted where it takes a name. Raises as ``location``."""
        from gitchat.model.participant import Holder

        try:
            branch = os.fsdecode(self.git("symbolic-ref", "--quiet", "--short", "HEAD")).removesuffix("\n")
        except git.GitFailed:
            branch = None  # HEAD is detached
        return Holder(
            pid=os.getpid(),
            host=os.uname().nodename,
            worktree=str(self.worktree),
            branch=branch,
            client=self._agent(),
            session=self.session(),
        )

    def acts_for(self, holder: Holder) -> bool:
        """Whether ``holder`` started this process to act under its name: it handed it its session.

        Only ``GITCHAT_SESSION`` says so. A client's own variable reaches everything that the client starts,
        also what shall not mark for it.
        """
        session = self.variables.get("GITCHAT_SESSION")
        return bool(session) and session == holder.session

    def outside_the_hook(self) -> Environment:
        """These surroundings without what git exports to a hook for one command: the index, author and date of a
        commit, which are not ours. Which repository it is stays.
        """
        kept = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR")
        repository = {name: self.variables[name] for name in kept if name in self.variables}
        return replace(self, variables={**git.scrub(self.variables), **repository}, is_terminal=False)

    def hook_seconds(self) -> float:
        """How long what a hook started may take: ``GITCHAT_HOOK_SECONDS``, else 2."""
        try:
            return max(0.001, float(self.variables.get("GITCHAT_HOOK_SECONDS", "")))
        except ValueError:
            return HOOK_SECONDS

    def in_session(self, session: str, name: Name) -> Environment:
        """These surroundings for a process that goes by ``name``, and for what it starts."""
        return replace(self, variables={**self.variables, "GITCHAT_NAME": name, "GITCHAT_SESSION": session})

    def in_hook(self, client: str, session: str) -> Environment:
        """These surroundings as the other processes of the client see them, for a hook that it started.

        A hook may run in a directory that the agent went to, and without the client's variables; the name
        has to be the one of the client's server and shell all the same.
        """
        told = {variable: "1" for variable, name in _AGENT_VARIABLES.items() if name == client} or {"AI_AGENT": client}
        if client == "claude" and session:
            told["CLAUDE_CODE_SESSION_ID"] = session
        cwd = self.variables.get("CLAUDE_PROJECT_DIR", "") if client == "claude" else ""
        return replace(self, variables={**told, **self.variables}, cwd=cwd if os.path.isdir(cwd) else self.cwd)

    @cached_property
    def roll(self) -> Roll:
        """The names of this clone. Raises as ``location``."""
        from gitchat.presence.roll import Roll

        return Roll(self.location.common_dir / "chatroom")

    def hold(self, name: Name) -> Held:
        """Live under ``name`` until this process ends; the same when it does so already.

        Raises:
            UserError: ``name-taken`` while another process lives under it.
        """
        held = self.roll.held_here().get(name)
        return held or self.roll.hold(name, self.holder(), self.now().seconds)

    def _agent_name(self, client: str) -> Name:
        """The name that this session took, else the client's and the worktree's.

        While another session lives under that one: with ``-2``, or the next that is free.
        The session is noted there, so that it keeps this name when the other ends.
        """
        session = self.session()
        if name := self.roll.name_of_session(session):
            return name
        wanted = parse_name(suggest_slug(f"{client}-{self.worktree_name()}") or client)
        name, count = wanted, 1
        while self._lives_elsewhere(name, session):
            count += 1
            suffix = f"-{count}"
            name = Name(wanted[: MAX_SLUG_CHARS - len(suffix)].rstrip(".") + suffix)
        if name != wanted and session is not None:
            self.roll.assign(name, self.holder(), self.now().seconds)
        return name

    def _lives_elsewhere(self, name: Name, session: str | None) -> bool:
        """Whether a process of another session lives under ``name``."""
        known = self.roll.find(name)
        return known is not None and known.is_living and (known.holder is None or known.holder.session != session)

    def _agent(self) -> str | None:
        """The short name of the agent's client; None for a person."""
        for variable, client in _AGENT_VARIABLES.items():
            if self.variables.get(variable):
                return client
        # AI_AGENT may carry a version: "name/1.2".
        return suggest_slug(self.variables.get("AI_AGENT", "").replace("@", "/").split("/")[0])


_T = TypeVar("_T")


def _setting(name: str, text: str, parse: Callable[[str], _T]) -> _T:
    """``text`` parsed; an error says which setting it came from. Raises UserError."""
    try:
        return parse(text)
    except UserError as error:
        raise UserError(f"{name}: {error}", hint=error.hint, code=error.code) from error


def here(progress: Callable[[str, int | None], None] = lambda task, count: None, cwd: str | None = None) -> Environment:
    """The surroundings of this process, in ``cwd``; ``progress`` is told of long walks.

    Raises:
        StorageError: ``no-directory``.
    """
    try:
        cwd = cwd or os.getcwd()
    except FileNotFoundError as error:
        raise StorageError(
            "the current directory does not exist any more", hint="change to an existing directory", code="no-directory"
        ) from error
    is_terminal = any(_is_terminal(descriptor) for descriptor in (0, 1, 2))
    return Environment(cwd=cwd, variables=dict(os.environ), is_terminal=is_terminal, progress=progress)


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def read_clock() -> Moment:
    """The time now, with this machine's offset from UTC."""
    seconds = int(time.time())
    return Moment(seconds, time.localtime(seconds).tm_gmtoff // 60)


def _not_a_repository(cwd: str, error: git.GitFailed) -> ChatError:
    if "dubious ownership" in error.stderr:
        quoted = error.stderr.partition("'")[2].partition("'")[0]
        return foreign_owner(Path(quoted or cwd))
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


def read_variables() -> dict[str, str]:
    """The environment variables of this process, for who has to do without an Environment."""
    return dict(os.environ)
