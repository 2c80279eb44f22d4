"""Bringing a room and its authority together: one git remote that gives the numbers.

A round fetches what the remote has, joins what both sides have, pushes the result, and only
when the remote has accepted it moves anything here that readers see. What was accepted is
what the tracking refs say; the first parent of a merge is always the remote's tip, so that
a number that was shown never changes. An answer that got lost costs nothing: the next
fetch finds our commit there.

Every byte on the wire goes through git itself, with the user's credentials and settings.
All agents of a clone are one pusher, under ``sync.lock``.
Source: docs/format.md section 12; git-push(1) on ``--force-with-lease`` and ``--porcelain``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitchat import codec, gate, git, reach
from gitchat.errors import ChatError, ConflictError, RemoteError, StorageError, UserError
from gitchat.names import (
    ROOMS_PREFIX,
    Oid,
    RefName,
    RoomName,
    cursors_prefix,
    log_ref,
    room_of_log,
    summaries_ref,
    tracking_prefix,
    tracking_ref,
)
from gitchat.record import Identity, Moment
from gitchat.store import Store

TIMEOUT_SECONDS = 120.0
"""How long one call of git may talk to a remote."""

LOCK_SECONDS = 10.0
"""How long to wait for another pusher, or for the packer, of this clone."""

ROUNDS = 6
"""How often a push that came too late is tried again while somebody waits."""


_LATE = (
    "stale info",
    "fetch first",
    "failed to update ref",
    "cannot lock ref",
    "incorrect old value",
    "already exists",
)
"""What git says when a ref was moved, or is being moved, by somebody else."""


_EMPTY_PHRASES = (
    "Could not read from remote repository", "Please make sure you have the correct access rights",
    "and the repository exists", "error: failed to push some refs", "error: failed to push all needed", "hint:",
)  # fmt: skip
"""How lines of git begin that stand beside every reason and are none."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What the remote said about one ref."""

    ref: RefName
    oid: Oid
    is_accepted: bool
    words: str
    """git's and the server's own words."""


@dataclass(slots=True)
class Report:
    """What a round did."""

    remote: str
    fetched: dict[RoomName, int] = field(default_factory=dict)
    """How many records came in."""
    pushed: dict[RoomName, int] = field(default_factory=dict)
    """How many records the remote accepted."""
    refused: list[Pushed] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    attached: list[RoomName] = field(default_factory=list)

    @property
    def is_late(self) -> bool:
        """Whether somebody else was quicker, so that another round may do."""
        return any(words in one.words for one in self.refused for words in _LATE)


class Remote:
    """A named remote of one clone, to bring rooms together with."""

    def __init__(
        self,
        store: Store,
        name: str,
        *,
        cwd: str,
        variables: Mapping[str, str],
        identity: Identity,
        clock: Callable[[], Moment],
        attached: Callable[[RoomName], str | None],
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """``attached`` tells the remote that gives a room its numbers, or None.

        ``cwd`` is where a remote's relative path starts: the top of the worktree. One call of git may take
        ``timeout_seconds``.
        """
        self._store = store
        self.name = name
        self._cwd = cwd
        self._variables = variables
        self._timeout_seconds = timeout_seconds
        self._identity = identity
        self._clock = clock
        self._attached = attached

    # --- git -------------------------------------------------------------------

    def _git(self, *arguments: str) -> git.Done:
        """What git printed. Raises git.GitFailed, RemoteError ``remote-hangs``."""
        try:
            return git.run(
                [f"--git-dir={self._store.common_dir}", "-c", "gc.auto=0", *arguments],
                cwd=self._cwd,
                variables=self._variables,
                timeout_seconds=self._timeout_seconds,
                has_terminal=False,
            )
        except StorageError as error:
            if error.code != "git-hangs":
                raise
            raise RemoteError(
                f"the remote '{self.name}' did not answer within {self._timeout_seconds:.0f} s",
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

    def _refspec(self, room: RoomName | None) -> str:
        part = "*" if room is None else f"{room}/*"
        return f"+{ROOMS_PREFIX}{part}:{tracking_prefix(self.name)}{part}"

    def _fetch(self, room: RoomName | None) -> None:
        """Bring the tracking refs to what the remote has. Raises what ``_git`` and ``_failed`` raise."""
        try:
            # A log has to be here whole, also in a clone that leaves out large files.
            self._git(
                "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-filter",
                "--no-recurse-submodules", "--prune", "--refmap=", self.name, self._refspec(room),
            )  # fmt: skip
        except git.GitFailed as error:
            raise self._failed(error) from error

    def _listed(self, pattern: str) -> str:
        """What the remote has under ``pattern``, as ls-remote prints it. Raises as ``_fetch``."""
        try:
            return self._git("ls-remote", self.name, pattern).stdout.decode("utf-8", "replace")
        except git.GitFailed as error:
            raise self._failed(error) from error

    def _push(self, updates: Mapping[RefName, tuple[Oid, Oid | None]]) -> list[Pushed]:
        """Ask the remote to move refs, each only from where we saw it. Raises as ``_fetch``."""
        leases = [f"--force-with-lease={ref}:{old or ''}" for ref, (_, old) in updates.items()]
        specs = [f"{new}:{ref}" for ref, (new, _) in updates.items()]
        options = ("--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no")
        try:
            done = self._git("push", *options, *leases, self.name, *specs)
        except git.GitFailed as error:
            if not error.stdout:
                raise self._failed(error) from error
            done = git.Done(error.stdout, error.stderr)  # some refs were refused
        return _answers(done, {ref: new for ref, (new, _) in updates.items()})

    # --- one round -----------------------------------------------------------------

    def refuse_follower(self) -> None:
        """Raise UserError ``follows-another`` when the remote is a clone that takes its numbers from elsewhere."""
        listing = self._listed("refs/chatroom-local/remotes/*")
        if listing.strip():
            upstream = listing.split("refs/chatroom-local/remotes/", 1)[1].split("/", 1)[0]
            raise UserError(
                f"the remote '{self.name}' is a clone whose rooms follow its own remote '{upstream}'",
                hint="use that one here, too: git remote add UPSTREAM URL; git chat sync UPSTREAM",
                code="follows-another",
            )

    def round(self, room: RoomName | None, *, has_consent: bool, pushes: bool) -> Report:
        """Fetch, join and, with ``pushes``, push; report what the remote answered.

        Raises:
            RemoteError: the remote cannot be reached, or refused everything.
            UserError: ``would-renumber`` without consent.
            ConflictError: ``sync-running``.
        """
        report = Report(self.name)
        try:
            with gate.hold(self._store.directory, LOCK_SECONDS, "sync.lock"):
                before = self._tracked()
                self._fetch(room)
                after = self._tracked()
                rooms = self._rooms(after, room)
                for one in rooms:
                    self._check_order(one, before, after, report)
                    self._refuse_renumbering(one, after, has_consent, pushes)
                updates: dict[RefName, tuple[Oid, Oid | None]] = {}
                for one in rooms:
                    self._join(one, after, report, has_consent)
                    updates |= self._updates(one, after) if pushes else {}
                if updates:
                    self._settle(self._push(updates), after, report)
        except ConflictError as error:
            if error.code != "write-lock-held":
                raise
            raise ConflictError(
                "another process of this clone is syncing", hint="wait for it", code="sync-running"
            ) from error
        return report

    def _tracked(self) -> dict[RefName, Oid]:
        prefix = tracking_prefix(self.name)
        found = self._store.backend.list_refs(prefix)
        return {RefName(ROOMS_PREFIX + ref.removeprefix(prefix)): oid for ref, oid in found}

    def _rooms(self, tracked: Mapping[RefName, Oid], room: RoomName | None) -> list[RoomName]:
        """Rooms that are here or there, but for those that another remote numbers."""
        known = {name for ref in tracked if (name := room_of_log(ref)) is not None} | set(self._store.rooms())
        chosen = known if room is None else known & {room}
        return sorted(name for name in chosen if self._attached(name) in (None, self.name))

    def _check_order(
        self, room: RoomName, before: Mapping[RefName, Oid], after: Mapping[RefName, Oid], report: Report
    ) -> None:
        """Tell of a remote's log that does not continue what we have seen of it, and keep what that had."""
        old, new = before.get(log_ref(room)), after.get(log_ref(room))
        if self._attached(room) is None or old is None or old == new:
            return  # what was fetched of a room that is not attached was never shown
        if new is not None and self._is_first_parent(old, new):
            return
        if new is not None and reach.is_ancestor(old, new, self._store.step):
            report.alarms.append(
                f"room '{room}': {new} puts the log into another order than {old}, so that numbers that were shown "
                "may stand for other messages now"
            )
            return
        self._keep(room, old)
        what = f"went back behind {old}" if new is not None else "has no such room any more"
        report.alarms.append(
            f"room '{room}': the remote {what}; nothing is lost here, and the next push brings it back"
        )

    def _keep(self, room: RoomName, old: Oid) -> None:
        """Let the local log go on from what the remote had: nothing else points to that now."""

        def build(local: Oid | None) -> Oid:
            if local is None or reach.is_ancestor(local, old, self._store.step):
                return old
            if reach.is_ancestor(old, local, self._store.step):
                return local
            return self._merge_logs(old, local)

        self._store.move(log_ref(room), build, f"gitchat: kept from {self.name}")

    def _is_first_parent(self, ancestor: Oid, tip: Oid) -> bool:
        """Whether ``ancestor`` is on the first-parent chain of ``tip``."""
        least = self._store.step(ancestor).seconds
        here: Oid | None = tip
        while here is not None and here != ancestor:
            step = self._store.step(here)
            if step.seconds < least:
                return False
            here = next(iter(step.parents), None)
        return here is not None

    def _refuse_renumbering(
        self, room: RoomName, tracked: Mapping[RefName, Oid], has_consent: bool, pushes: bool
    ) -> None:
        """Raise UserError when records here would lose the numbers that were shown, and nobody agreed to that."""
        local, remote = self._store.tip(log_ref(room)), tracked.get(log_ref(room))
        if self._attached(room) is not None or local is None or remote is None or has_consent:
            return
        # What goes on from the remote's log keeps its numbers once the remote has taken it: not by a pull.
        is_same = self._is_first_parent(local, remote) or (pushes and self._is_first_parent(remote, local))
        if not is_same:
            count = self._count_beyond(local, remote) or "the"
            raise UserError(
                f"the remote '{self.name}' has a room '{room}' of its own: {count} messages here would get new numbers",
                hint=f"agree to it: git chat sync {self.name} --yes; or keep it apart: git chat sync --room OTHER",
                code="would-renumber",
            )

    def _count_beyond(self, tip: Oid, base: Oid | None) -> int:
        steps = reach.difference([tip], [base] if base is not None else [], self._store.step)
        return sum(self._store.read(oid).takes_number for oid in steps)

    # --- joining -----------------------------------------------------------------------

    def _join(self, room: RoomName, tracked: Mapping[RefName, Oid], report: Report, has_consent: bool) -> None:
        """Take in what the remote has."""
        local, remote = self._store.tip(log_ref(room)), tracked.get(log_ref(room))
        if remote is not None:
            report.fetched[room] = self._count_beyond(remote, local)
        for ref in (log_ref(room), summaries_ref(room)):
            self._forward(ref, tracked.get(ref))
        for ref in tracked:
            if ref.startswith(cursors_prefix(room)):
                self._join_cursor(ref, tracked[ref])
        # Records here that the remote has not accepted keep their numbers until it has, unless somebody agreed.
        is_taken = has_consent or self._store.tip(log_ref(room)) == remote
        if self._attached(room) is None and remote is not None and is_taken:
            report.attached.append(room)

    def _updates(self, room: RoomName, tracked: Mapping[RefName, Oid]) -> dict[RefName, tuple[Oid, Oid | None]]:
        """What the remote should take, each with the value that it must still have."""
        updates: dict[RefName, tuple[Oid, Oid | None]] = {}
        for ref in (log_ref(room), summaries_ref(room)):
            local, remote = self._store.tip(ref), tracked.get(ref)
            if local is not None and local != remote:
                updates[ref] = (self._candidate(remote, local), remote)
        for ref, cursor in self._store.backend.list_refs(cursors_prefix(room)):
            if cursor != tracked.get(ref):
                updates[ref] = (cursor, tracked.get(ref))
        return updates

    def _forward(self, ref: RefName, remote: Oid | None) -> None:
        """Move a local ref to what the remote has, where that loses nothing."""

        def build(local: Oid | None) -> Oid:
            assert remote is not None
            if local is None or reach.is_ancestor(local, remote, self._store.step):
                return remote
            return local

        if remote is not None and self._store.tip(ref) != remote:
            self._store.move(ref, build, f"gitchat: fetched from {self.name}")

    def _candidate(self, remote: Oid | None, local: Oid) -> Oid:
        """What the remote should have: the local tip where that continues its own, else a merge of both."""
        if remote is None or self._is_first_parent(remote, local):
            return local
        return self._merge_logs(remote, local)

    def _join_cursor(self, ref: RefName, remote: Oid) -> None:
        """What was read there is read here, and so at once: a position is nothing that anybody has to accept."""

        def build(local: Oid | None) -> Oid:
            if local is None or reach.is_ancestor(local, remote, self._store.step):
                return remote
            if reach.is_ancestor(remote, local, self._store.step):
                return local
            return self._merge(remote, local, "cursor", f"{ref.rpartition('/')[2]} has read in two clones")

        if self._store.tip(ref) != remote:
            self._store.move(ref, build, f"gitchat: fetched from {self.name}")

    def _merge_logs(self, remote: Oid, local: Oid) -> Oid:
        return self._merge(remote, local, "merge", f"{self._identity.name} brings what was said elsewhere")

    def _merge(self, remote: Oid, local: Oid, kind: str, body: str) -> Oid:
        """A commit of both, the remote's first, so that its order stands."""
        now = self._clock()
        committed = max([now.seconds, self._store.step(remote).seconds, self._store.step(local).seconds])
        who = self._identity
        return self._store.write_commit(
            codec.encode_commit(
                tree=self._store.empty_tree(),
                parents=(remote, local),
                author=codec.Signature(who.name, who.email, now),
                committer=codec.Signature(who.committer_name, who.committer_email, replace(now, seconds=committed)),
                body=body,
                block=(("Chat-Kind", kind),),
            )
        )

    # --- after the answer ----------------------------------------------------------------

    def _settle(self, answers: Sequence[Pushed], tracked: Mapping[RefName, Oid], report: Report) -> None:
        """Write down what the remote accepted, and show it."""
        for answer in answers:
            if not answer.is_accepted:
                report.refused.append(answer)
                continue
            self._track(answer.ref, answer.oid)
            self._forward(answer.ref, answer.oid)
            room = room_of_log(answer.ref)
            if room is not None:
                report.pushed[room] = self._count_beyond(answer.oid, tracked.get(answer.ref))
                if self._attached(room) is None and room not in report.attached:
                    report.attached.append(room)

    def _track(self, ref: RefName, oid: Oid) -> None:
        self._store.move(tracking_ref(self.name, ref), lambda _: oid, f"gitchat: pushed to {self.name}")


def _answers(done: git.Done, wanted: Mapping[RefName, Oid]) -> list[Pushed]:
    """git's lines about each ref, with the server's words where it refused; one without a line was not answered."""
    said: dict[str, tuple[bool, str]] = {}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        parts = line.split("\t")
        if len(parts) == 3 and ":" in parts[1]:
            said[parts[1].partition(":")[2]] = (parts[0] in (" ", "*", "=", "+"), parts[2])
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
    lines = [line.removeprefix("remote:").strip().removeprefix("fatal: ") for line in stderr.splitlines()]
    kept = [line for line in lines if line and not line.startswith(_EMPTY_PHRASES)]
    return "; ".join((kept or [line for line in lines if line])[-3:])[:500]
