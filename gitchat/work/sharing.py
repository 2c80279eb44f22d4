"""A snapshot of work for who is in another clone: only the paths that it changes, since what is published.

The commit has no parents and no tree of the project, so that a push sends these files and nothing else. It is made in
the scratch, from which it is pushed; nothing of it stays here. Source: docs/format.md section 17.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitchat.model import codec
from gitchat.model.names import Oid
from gitchat.model.refs import copies_prefix, known_prefix, told_branch
from gitchat.model.secrets import Policy
from gitchat.model.signature import Signature
from gitchat.work.abroad import KIND, MOST_PATHS
from gitchat.work.scratch import Scratch
from gitchat.work.side import NotLooked, Side, line_of, need

MOST_FILE_BYTES = 1024 * 1024
"""A larger file is left out: it is data, and two who change it do not merge it line by line."""

_GONE = "0" * 6
_FILES = ("100644", "100755", "120000")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Work as it is shared."""

    tree: str
    since: str
    """The published commit since when it counts."""
    branch: str | None
    left_out: tuple[tuple[str, str], ...]
    """The paths that are not shared, and why."""

    @property
    def sign(self) -> str:
        """The same for the same work, whenever it is looked at."""
        return f"{self.tree} {self.since} {self.branch or ''}"

    def commit(self, work: Scratch, who: Signature) -> Oid:
        """The commit to push, in the scratch. Raises git.GitFailed."""
        block = [("Chat-Kind", KIND), ("Chat-Commit", self.since)]
        block += [("Chat-Branch", self.branch)] if self.branch is not None else []
        content = codec.encode_commit(
            tree=Oid(self.tree),
            parents=(),
            author=who,
            committer=who,
            body=f"what {who.name} changed since {self.since[:9]}",
            block=tuple(block),
        )
        return Oid(line_of(work, "hash-object", "-w", "-t", "commit", "--stdin", stdin=content))


def snapshot(work: Scratch, side: Side, remote: str, secrets: Policy) -> Snapshot | None:
    """What ``side`` has and ``remote`` has not; None where that is nothing.

    Files that look like they hold a secret are left out, and large ones.

    Raises:
        NotLooked: nothing of it is published, or it changes too many paths.
        git.GitFailed: git refuses.
    """
    need(work, side.oid)
    since = _published(work, side.oid, remote)
    changes = _changes(work, since, side.oid)
    if not changes:
        return None
    if len(changes) > MOST_PATHS:
        raise NotLooked(f"it changes more than {MOST_PATHS} paths since {since[:9]}")
    left_out = _left_out(work, changes, secrets)
    lines = [
        f"{mode} {oid}\twip/{place}/{path}\0"
        for path, versions in changes.items()
        if path not in left_out
        for place, (mode, oid) in zip(("base", "work"), versions, strict=True)
        if mode != _GONE
    ]
    if not lines:
        return None
    work.drop_index()
    work.git("update-index", "-z", "--index-info", stdin=os.fsencode("".join(lines)), has_index=True)
    tree = line_of(work, "write-tree", has_index=True)
    return Snapshot(tree, since, told_branch(side.branch), tuple(sorted(left_out.items())))


def _published(work: Scratch, oid: str, remote: str) -> str:
    """The newest ancestor that a branch of the remote reaches, as far as is known here. Raises NotLooked."""
    known = [f"--glob={known_prefix(remote)}", f"--glob={copies_prefix(remote)}"]
    told = line_of(work, "rev-list", "--boundary", "--format=%m %ct %H", oid, "--not", *known)
    commits = [line.split(" ") for line in told.split("\n") if line and not line.startswith("commit ")]
    if not commits:
        return oid
    boundary = [(int(seconds), found) for mark, seconds, found in commits if mark == "-"]
    if not boundary:
        raise NotLooked(f"nothing of it is at '{remote}' yet, as far as is known here: git fetch {remote}")
    return max(boundary)[1]


def _changes(work: Scratch, old: str, new: str) -> dict[str, tuple[tuple[str, str], tuple[str, str]]]:
    """Of each path that differs mode and blob before and after; submodules are not ours."""
    if old == new:
        return {}
    options = ("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=all")
    words = iter(os.fsdecode(work.git(*options, old, new)).split("\0"))
    found = {}
    for head in words:
        if head:
            before, after, old_oid, new_oid, _ = head[1:].split(" ")
            path = next(words)
            if all(mode in (*_FILES, _GONE) for mode in (before, after)):
                found[path] = ((before, old_oid), (after, new_oid))
    return found


def _left_out(
    work: Scratch, changes: Mapping[str, tuple[tuple[str, str], tuple[str, str]]], secrets: Policy
) -> dict[str, str]:
    """The paths that are not shared, and why."""
    wanted = {path: [oid for mode, oid in versions if mode != _GONE] for path, versions in changes.items()}
    sizes = _sizes(work, sorted({oid for oids in wanted.values() for oid in oids}))
    found: dict[str, str] = {}
    for path, oids in wanted.items():
        known = [sizes.get(oid) for oid in oids]
        if None in known:
            found[path] = "what it was is not in this clone"
        elif any(size is not None and size > MOST_FILE_BYTES for size in known):
            found[path] = f"it is larger than {MOST_FILE_BYTES // 1024} KiB"
        elif secrets.mode != "off" and (words := _secret(work, path, changes[path], secrets)) is not None:
            found[path] = f"it looks like it holds {words}"
    return found


def _secret(work: Scratch, path: str, versions: tuple[tuple[str, str], tuple[str, str]], secrets: Policy) -> str | None:
    """What looks like a secret in the path, or in what it holds now; what it held is published."""
    mode, oid = versions[1]
    content = work.git("cat-file", "blob", oid) if mode != _GONE else b""
    look = secrets.look(os.fsencode(path)) or secrets.look(content)
    return look[0] if look is not None else None


def _sizes(work: Scratch, oids: Sequence[str]) -> dict[str, int]:
    told = work.git("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin="\n".join(oids).encode())
    lines = [line.split(" ") for line in told.decode("ascii", "replace").splitlines()]
    return {oid: int(size) for oid, size in lines if size.isdigit()}
