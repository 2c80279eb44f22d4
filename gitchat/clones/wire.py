"""Everything that is said to a git remote, and what it answers: fetch, ls-remote, push.

Each call is git's own, with the user's credentials, ssh configuration and proxies. What
git would do besides (tags, hooks, maintenance, submodules) is turned off.
Source: docs/format.md section 12; git-fetch(1), git-push(1) on ``--force-with-lease`` and ``--porcelain``.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from gitchat.clones.address import compared
from gitchat.model.errors import ChatError, RemoteError, StorageError
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.refs import ROOMS_PREFIX, fetched_prefix, refs_of
from gitchat.storage import git

SILENCE_SECONDS = 120.0
"""How long git may give no sign of life while it talks to a remote. How long it talks is no matter."""

LATE = (
    "stale info",
    "fetch first",
    "failed to update ref",
    "cannot lock ref",
    "incorrect old value",
    "already exists",
)
"""What git says when a ref was moved, or is being moved, by somebody else."""

UNWANTED = (
    "hook declined",  # pre-receive, update, and a forge's protected branches
    "hidden ref",  # receive.hideRefs
    "funny ref", "refusing to create", "refusing to update",
    "rule violations", "protected branch", "protected ref",  # rulesets of GitHub (GH013, GH006), and of GitLab
    "prohibited by Gerrit",
)  # fmt: skip
"""What git and hosts say when they do not take a ref of such a name, today or tomorrow."""

_EMPTY_PHRASES = (
    "Could not read from remote repository", "Please make sure you have the correct access rights",
    "and the repository exists", "error: failed to push some refs", "error: failed to push all needed", "hint:",
)  # fmt: skip
"""How lines of git begin that stand beside every reason and are none."""

_PROGRESS = (
    "Enumerating ", "Counting ", "Delta compression", "Compressing ", "Writing ", "Total ", "Receiving ", "Resolving ",
    "Unpacking ", "Checking ", "From ", "To ",
)  # fmt: skip
"""How lines of git begin that tell how far it is."""

_MOVED = re.compile(r" [ *+!t=-] .* -> ")
"""How a line of git's begins that tells where a fetched ref went. Why one could not be moved is told on another."""

_QUIETLY = (
    "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules", "--refmap=",
    "--no-filter",  # a log has to be here whole, also in a clone that leaves out large files
)  # fmt: skip

_OURS = ("-c", "gc.auto=0", "-c", "core.hooksPath=/dev/null")
"""No gc beside us, and no hook of this clone's: what hangs there must not stop a room. Those of a hub are its own."""

Tell = Callable[[str], None]
"""Told what git is doing, such as ``Receiving objects:  45% (9/20)``, some times a second."""


Updates = Mapping[RefName, tuple["Oid | None", "Oid | None"]]
"""What the remote should take: for each ref the new commit, None for none, and the one that it must still have."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a remote says of its refs."""

    refs: Mapping[RefName, Oid]
    symbolic: frozenset[RefName]
    """Those that stand for another ref; none where the remote does not tell (git before 2.18)."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What the remote said about one ref."""

    ref: RefName
    oid: Oid | None
    """Where the ref was asked to be; None: gone."""
    is_accepted: bool
    words: str
    """git's and the server's own words."""

    @property
    def is_late(self) -> bool:
        """Whether it was refused because somebody else was quicker."""
        reason = self.words.partition("; ")[0]  # git's own: a hook may say what it likes
        return not self.is_accepted and not _says(UNWANTED, reason) and _says(LATE, self.words)

    @property
    def is_unwanted(self) -> bool:
        """Whether the host takes no ref of this name, as far as its words tell: to ask again changes nothing."""
        return not self.is_accepted and not self.is_late and _says(UNWANTED, self.words)


def _says(phrases: Iterable[str], words: str) -> bool:
    return any(phrase in words for phrase in phrases)


class Wire:
    """A named remote of one clone, and git to talk to it."""

    def __init__(
        self,
        name: str,
        *,
        git_dir: str,
        cwd: str,
        variables: Mapping[str, str],
        options: Sequence[str] = (),
        may_ask: bool = False,
        silence_seconds: float = SILENCE_SECONDS,
        limit_seconds: float = math.inf,
        tell: Tell | None = None,
    ) -> None:
        """``cwd`` is where a remote's relative path starts: the top of the worktree. ``options`` are git's own.

        A call is given up after ``silence_seconds`` without a sign of life, all of them together when
        ``limit_seconds`` are over. With ``may_ask`` git may ask who sits at our terminal. ``tell`` hears its progress.
        """
        self.name = name
        self._git_dir = git_dir
        self._cwd = cwd
        self._variables = variables
        self._options = options
        self._may_ask = may_ask
        self._silence_seconds = silence_seconds
        self._limit_seconds = limit_seconds
        self._ends_at = time.monotonic() + limit_seconds
        self._tell = tell

    # --- where it is -------------------------------------------------------------------

    def fetch_addresses(self) -> list[str]:
        """The addresses to fetch from as git rewrites them; git uses the first. Raises RemoteError."""
        return self._addresses("--all")

    def push_addresses(self) -> list[str]:
        """The addresses to push to as git rewrites them; git pushes to all. Raises RemoteError."""
        return self._addresses("--push", "--all")

    def _addresses(self, *options: str) -> list[str]:
        try:
            done = self._git("remote", "get-url", *options, "--", self.name)
            return done.stdout.decode("utf-8", "replace").splitlines()
        except git.GitFailed as error:
            raise self._failed(error) from error

    def place_of(self, address: str) -> str:
        """``address`` as two are compared."""
        return compared(address, self._cwd)

    def link(self, ref: RefName, target: RefName) -> None:
        """Make ``ref`` of this clone a symbolic ref that stands for ``target``, if it is none yet."""
        with suppress(git.GitFailed):  # a lock, a full disk: the next round does it
            self._git("symbolic-ref", "-m", "gitchat: a clone", ref, target)

    # --- what is said to it ------------------------------------------------------------

    def fetch(self, room: RoomName | None) -> None:
        """Bring what the remote has of ``room``, or of all rooms, below ``refs/chatroom-local/fetched/``.

        Raises:
            RemoteError: ``remote-hangs``, ``remote-failed``.
            StorageError: ``storage``: the disk here is full.
        """
        wanted = refs_of(room)
        self._fetch(("--prune",), [f"+{ROOMS_PREFIX}{wanted}:{fetched_prefix(self.name)}{wanted}"])

    def fetch_objects(self, refs: Iterable[RefName], address: str | None = None) -> None:
        """Bring what these refs of the remote, or of another ``address``, reach, and move no ref here.

        Raises as :meth:`fetch`.
        """
        self._fetch((), list(refs), address)

    def _fetch(self, options: Sequence[str], refspecs: Sequence[str], address: str | None = None) -> None:
        try:
            place = address or self.name
            self._git("fetch", *_QUIETLY, "--progress", *options, "--", place, *refspecs, tell=self._tell)
        except git.GitFailed as error:
            raise self._failed(error) from error

    def listed(self, *patterns: str, address: str | None = None) -> dict[RefName, Oid]:
        """The refs that fit one of ``patterns`` at the remote, or at another ``address`` of it.

        Raises as :meth:`fetch`.
        """
        return dict(self._list((), address or self.name, patterns).refs)

    def look(self, *patterns: str) -> Listed:
        """As :meth:`listed`, and which of the refs are symbolic. Raises as :meth:`fetch`."""
        # Of other refs than HEAD only version 2 of the protocol tells. Source: gitprotocol-v2(5), ls-refs.
        return self._list(("-c", "protocol.version=2"), self.name, patterns, "--symref")

    def _list(self, settings: Sequence[str], place: str, patterns: Sequence[str], *options: str) -> Listed:
        try:
            told = self._git(*settings, "ls-remote", *options, "--", place, *patterns).stdout.decode("utf-8", "replace")
        except git.GitFailed as error:
            raise self._failed(error) from error
        pairs = [(first, RefName(ref)) for first, tab, ref in map(_halves, told.splitlines()) if tab]
        refs = {ref: Oid(first) for first, ref in pairs if not first.startswith("ref: ")}
        return Listed(refs, frozenset(ref for first, ref in pairs if first.startswith("ref: ")))

    def push(self, updates: Updates, address: str | None = None) -> list[Pushed]:
        """Ask the remote to move refs to the first of two commits, or to remove them, each only from the second.

        ``address`` is the one to push to, where the remote's name stands for several or for another. Raises as
        :meth:`fetch`.
        """
        leases = [f"--force-with-lease={ref}:{old or ''}" for ref, (_, old) in updates.items()]
        specs = [f"{new or ''}:{ref}" for ref, (new, _) in updates.items()]
        options = ["--porcelain", "--progress", "--no-verify", "--no-follow-tags", "--no-signed"]
        options += ["--recurse-submodules=no"]
        try:
            done = self._git("push", *options, *leases, "--", address or self.name, *specs, tell=self._tell)
        except git.GitFailed as error:
            if not error.stdout:
                raise self._failed(error) from error
            done = git.Done(error.stdout, error.stderr)  # some refs were refused
        return _answers(done, {ref: new for ref, (new, _) in updates.items()})

    def _git(self, *arguments: str, tell: Tell | None = None) -> git.Done:
        """What git printed. Raises git.GitFailed, RemoteError ``remote-hangs``."""
        try:
            return git.talk(
                [f"--git-dir={self._git_dir}", *_OURS, *self._options, *arguments],
                cwd=self._cwd,
                variables=self._variables,
                silence_seconds=self._silence_seconds,
                limit_seconds=self._ends_at - time.monotonic(),
                may_ask=self._may_ask,
                tell=tell,
            )
        except git.GitSilent as error:
            is_late = time.monotonic() >= self._ends_at
            raise RemoteError(
                f"the remote '{self.name}' was not done within {self._limit_seconds:.0f} s"
                if is_late
                else f"the remote '{self.name}' has said nothing for {self._silence_seconds:.0f} s",
                hint=f"see what git waits for: GIT_TRACE=1 git ls-remote {self.name}",
                code="remote-hangs",
            ) from error

    def _failed(self, error: git.GitFailed) -> ChatError:
        """Why git could not do it: the disk here is full, or the remote is to blame."""
        words = _last_words(error.stderr)
        if "No space left on device" in error.stderr and "remote:" not in error.stderr:
            return StorageError(f"git cannot store what it fetched: {words}", hint="free some space", code="storage")
        return RemoteError(
            f"the remote '{self.name}' cannot be used: {words}",
            hint=f"see what git says: git ls-remote {self.name}",
            code="remote-failed",
        )


def _halves(line: str) -> tuple[str, str, str]:
    return line.partition("\t")


def _answers(done: git.Done, wanted: Mapping[RefName, Oid | None]) -> list[Pushed]:
    """git's lines about each ref, with the server's words where it refused; one without a line was not answered."""
    said: dict[str, tuple[bool, str]] = {}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        parts = line.split("\t")
        if len(parts) == 3 and ":" in parts[1]:
            said[parts[1].partition(":")[2]] = (parts[0] in (" ", "*", "=", "+", "-"), parts[2])
    server = _last_words(done.stderr)
    answers = []
    for ref, oid in wanted.items():
        is_accepted, words = said.get(ref, (False, "no answer"))
        answers.append(
            Pushed(ref, oid, is_accepted, words if is_accepted else f"{words}; {server}" if server else words)
        )
    return answers


def _last_words(stderr: str) -> str:
    """What git, ssh and the server said, on one line, without what git always says."""
    lines = (line.rpartition("\r")[2] for line in stderr.split("\n"))
    ends = (line.removeprefix("remote:").strip() for line in lines if not _MOVED.match(line))
    said = [line.removeprefix("fatal: ") for line in ends if line and not line.startswith(_PROGRESS)]
    kept = [line for line in said if not line.startswith(_EMPTY_PHRASES)]
    return "; ".join((kept or said)[-3:])[:500]
