"""Everything that is said to a git remote, and what it answers: fetch, ls-remote, push.

Who calls speaks of refs as they are called here; how the remote calls them, its layout tells, and nobody else asks.
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
from copy import copy
from dataclasses import dataclass

from gitchat.clones.address import at, compared
from gitchat.clones.answer import Pushed, answers_in, last_words
from gitchat.model.errors import ChatError, RemoteError, StorageError
from gitchat.model.layout import PLAIN, Layout
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.refs import ROOMS_PREFIX, fetched_prefix, refs_of
from gitchat.storage import git

SILENCE_SECONDS = 120.0
"""How long git may give no sign of life while it talks to a remote. How long it talks is no matter."""

_UNNOTICED = (
    "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules", "--refmap=",
)  # fmt: skip

_QUIETLY = (
    *_UNNOTICED,
    "--no-filter",  # a log has to be here whole, also in a clone that leaves out large files
)

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
        layout: Layout = PLAIN,
        may_ask: bool = False,
        silence_seconds: float = SILENCE_SECONDS,
        limit_seconds: float = math.inf,
        tell: Tell | None = None,
    ) -> None:
        """``cwd`` is where a remote's relative path starts: the top of the worktree. ``options`` are git's own.
        ``layout`` is what the refs of rooms are called at the remote.

        A call is given up after ``silence_seconds`` without a sign of life, all of them together when
        ``limit_seconds`` are over. With ``may_ask`` git may ask who sits at our terminal. ``tell`` hears its progress.
        """
        self.name = name
        self.layout = layout
        self._git_dir = git_dir
        self._cwd = cwd
        self._variables = variables
        self._options = options
        self._may_ask = may_ask
        self._silence_seconds = silence_seconds
        self._limit_seconds = limit_seconds
        self._ends_at = time.monotonic() + limit_seconds
        self._tell = tell

    def laid(self, layout: Layout) -> Wire:
        """The same remote, where the refs of rooms are called as in ``layout``."""
        other = copy(self)
        other.layout = layout
        return other

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
        """Where the rooms stand, were the remote at ``address``: as two places are compared."""
        return at(compared(address, self._cwd), self.layout)

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
        source = self.layout.there(ROOMS_PREFIX + wanted)
        self._fetch(("--prune",), [f"+{source}:{fetched_prefix(self.name)}{wanted}"])

    def fetch_objects(self, refs: Iterable[RefName], address: str | None = None) -> None:
        """Bring what these refs of the remote, or of another ``address``, reach, and move no ref here.

        Raises as :meth:`fetch`.
        """
        self._fetch((), [self.layout.there(ref) for ref in refs], address)

    def fetch_checked(self, refs: Mapping[RefName, RefName]) -> None:
        """Bring these refs of the remote to refs here, unless git finds an object that it refuses.

        It is a stranger's who may not push to where they go next, and may be checked there. Raises as :meth:`fetch`.
        """
        specs = [f"+{self.layout.there(ref)}:{here}" for ref, here in refs.items()]
        self._fetch((), specs, settings=("-c", "fetch.fsckObjects=true"))

    def fetch_branches(self, branches: Mapping[RefName, RefName]) -> None:
        """Bring branches of the remote to refs here: as an ordinary fetch would, but that nothing of the user's moves.

        Raises as :meth:`fetch`.
        """
        specs = [f"+{ref}:{here}" for ref, here in branches.items()]
        try:  # a clone that leaves out files, or old commits, leaves them out of these, too
            self._git("fetch", *_UNNOTICED, "--", self.name, *specs)
        except git.GitFailed as error:
            raise self._failed(error) from error

    def writing_to(self, objects: str) -> Wire:
        """The same remote, to which is pushed what stands in the directory ``objects`` and nowhere else here."""
        other = copy(self)
        other._variables = {**self._variables, "GIT_OBJECT_DIRECTORY": objects}
        return other

    def _fetch(
        self,
        options: Sequence[str],
        refspecs: Sequence[str],
        address: str | None = None,
        settings: Sequence[str] = (),
    ) -> None:
        try:
            place = address or self.name
            self._git(*settings, "fetch", *_QUIETLY, "--progress", *options, "--", place, *refspecs, tell=self._tell)
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
            wanted = [self.layout.there(pattern) for pattern in patterns]
            told = self._git(*settings, "ls-remote", *options, "--", place, *wanted).stdout.decode("utf-8", "replace")
        except git.GitFailed as error:
            raise self._failed(error) from error
        pairs = [(first, self.layout.here(ref)) for first, tab, ref in map(_halves, told.splitlines()) if tab]
        refs = {ref: Oid(first) for first, ref in pairs if not first.startswith("ref: ")}
        return Listed(refs, frozenset(ref for first, ref in pairs if first.startswith("ref: ")))

    def push(self, updates: Updates, address: str | None = None, *, is_atomic: bool = False) -> list[Pushed]:
        """Ask the remote to move refs to the first of two commits, or to remove them, each only from the second.

        With ``is_atomic`` it moves all or none. ``address`` is the one to push to, where the remote's name stands for
        several or for another. Raises as :meth:`fetch`.
        """
        named = {self.layout.there(ref): update for ref, update in updates.items()}
        leases = [f"--force-with-lease={ref}:{old or ''}" for ref, (_, old) in named.items()]
        specs = [f"{new or ''}:{ref}" for ref, (new, _) in named.items()]
        options = ["--porcelain", "--progress", "--no-verify", "--no-follow-tags", "--no-signed"]
        options += ["--recurse-submodules=no", *["--atomic"] * is_atomic]
        try:
            settings, name = ((), self.name) if self.layout.is_plain or address is not None else self._apart()
            done = self._git(*settings, "push", *options, *leases, "--", address or name, *specs, tell=self._tell)
        except git.GitFailed as error:
            if not error.stdout:
                raise self._failed(error) from error
            done = git.Done(error.stdout, error.stderr)  # some refs were refused
        wanted = {ref: new for ref, (new, _) in updates.items()}
        return answers_in(done.stdout.decode("utf-8", "replace"), done.stderr, wanted, self.layout)

    def _apart(self) -> tuple[list[str], str]:
        """The remote by another name for one call: with all its settings, but without branches to fetch.

        A push to a remote's name has git note what its branches are now, in the user's refs/remotes/. Ours are none,
        and of refspecs the first one counts, so that none that is added could except them.
        """
        key, other = f"remote.{self.name}.", f"{self.name}.gitchat"
        found = self._git("config", "--null", "--get-regexp", f"^{re.escape(key)}").stdout.decode("utf-8", "replace")
        settings = []
        for line in found.split("\0")[:-1]:
            variable, _, value = line.removeprefix(key).partition("\n")
            settings += ["-c", f"remote.{other}.{variable}={value}"] * (variable != "fetch")
        return settings, other

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
        words = last_words(error.stderr)
        if "No space left on device" in error.stderr and "remote:" not in error.stderr:
            return StorageError(f"git cannot store what it fetched: {words}", hint="free some space", code="storage")
        return RemoteError(
            f"the remote '{self.name}' cannot be used: {words}",
            hint=f"see what git says: git ls-remote {self.name}",
            code="remote-failed",
        )


def _halves(line: str) -> tuple[str, str, str]:
    return line.partition("\t")
