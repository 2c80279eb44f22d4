"""The commits that work stands on, where they came with it: looked at apart, and then here, under a ref of ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as Place
from typing import TYPE_CHECKING

from gitchat.model.errors import ChatError, FormatError
from gitchat.model.names import RefName
from gitchat.model.overlay import LINK
from gitchat.model.paths import Path, is_acted_upon, leads_out
from gitchat.model.record import Entry
from gitchat.model.refs import taken_ref
from gitchat.storage import gate, git
from gitchat.storage.bundles import Bundles, read_head
from gitchat.storage.git import GitFailed
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.work.handed import Handed
    from gitchat.work.scratch import Scratch

_SYNC_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Came:
    """What is here of the commit that work stands on."""

    is_base_here: bool
    ref: RefName | None = None
    """What leads to it, where it came with the work."""
    risks: tuple[tuple[Path, str], ...] = ()
    """As those of Handed, of the commits that came."""


def bring(environment: Environment, work: Scratch, entry: Entry, found: Handed, notes: list[str]) -> Came:
    """Have the commit that the work stands on here, where it came along and what it needs is here.

    What speaks against that is added to ``notes``: the work can be taken without it.
    """
    oid = entry.record.commit
    if oid is None:
        return Came(False)
    if _is_here(work, oid):
        return Came(True)
    short = f"the commit that it stands on, {oid[:12]}, is not here"
    if found.commits is None:
        notes.append(f"{short}: it was put on what is checked out")
        return Came(False)
    try:
        needed = _fetch(environment, work, entry, environment.store.read_blob(found.commits), oid)
    except (ChatError, GitFailed) as error:
        notes.append(f"{short}, and the commits that came along cannot be used: {str(error).partition(chr(10))[0]}")
        return Came(False)
    return Came(True, taken_ref(entry.record.uid), tuple(_risks(work, oid, needed)))


def _fetch(environment: Environment, work: Scratch, entry: Entry, content: bytes, oid: str) -> list[str]:
    """Fetch the one commit of a bundle, and say what it goes on from. Raises ChatError and GitFailed."""
    shown = f"the bundle of {entry.label}"
    path: Place = work.place / "commits.bundle"
    path.write_bytes(content)
    store = environment.store
    with path.open("rb") as file:
        head = read_head(file, shown)
        refs = [ref for ref, target in head.refs.items() if target == oid]
        if not refs or not all(_is_here(work, one) for one in head.needed):
            raise FormatError(
                f"{shown} needs commits that are not here", hint="fetch them, and take it again", code="bad-bundle"
            )
        bundles = Bundles(store.common_dir, variables=git.scrub(environment.variables))
        with gate.hold(store.directory, _SYNC_SECONDS, "sync.lock"):
            bundles.check(file, head, refs[:1], shown)
            bundles.fetch(path, {refs[0]: taken_ref(entry.record.uid)}, shown)
    return list(head.needed)


def _is_here(work: Scratch, oid: str) -> bool:
    try:
        work.outside("cat-file", "-e", f"{oid}^{{commit}}")
    except GitFailed:
        return False
    return True


def _risks(work: Scratch, oid: str, needed: list[str]) -> list[tuple[Path, str]]:
    """What a checkout of the commit would bring that is not in what it goes on from."""
    from gitchat.work.dirty import differing

    trees = [f"{one}^{{tree}}" for one in needed] or [work.line("mktree")]
    found: dict[Path, str] = {}
    for tree in trees:
        for path, (_, after) in differing(work, tree, f"{oid}^{{tree}}").items():
            if after is None:
                continue
            if after.mode == LINK and leads_out(path, work.blobs([after.oid])[after.oid]):
                found[path] = "is a link out of the repository"
            elif is_acted_upon(path):
                found[path] = "is acted upon by programs without being run"
    return list(found.items())
