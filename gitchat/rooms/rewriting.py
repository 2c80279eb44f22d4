"""A log that is written anew with some records blank, and what stands for each commit of the old one.

Who purges makes the new log; who finds it at the remote has it already, and only has to know which commit stands for
which: by the place of each record, and by what merges join. In both ways the same bytes come out, so that positions
and summaries that two clones write anew are the same objects.

Source: docs/format.md section 18.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from gitchat.model import codec, purge, reach
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid
from gitchat.model.order import Key
from gitchat.model.record import SUMMARY
from gitchat.model.reparent import with_parents
from gitchat.rooms.numbering import rule
from gitchat.rooms.rebuilding import beyond, commits_of
from gitchat.storage.store import Store


class Rewriting:
    """What stands for the commits of an old log in a new one. Writes objects that nothing points to yet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.images: dict[Oid, Oid] = {}
        """Of each commit that was looked at, what stands for it; itself where nothing before it was blanked."""
        self.blanks: dict[Key, purge.Purged] = {}
        """The records that are blank in the new log, and who purged them."""
        self.blanked: set[Oid] = set()
        """The commits that still have the text of records which are blank in the new log."""
        self._looked: list[Oid] = []

    @property
    def gone(self) -> set[Oid]:
        """The commits for which others stand now."""
        return {old for old, new in self.images.items() if old != new}

    def image(self, value: Oid) -> Oid:
        """What stands for ``value``, which may be a position outside of the log. Raises FormatError."""
        if value not in self.images:
            self._write(beyond(self._store, [value], self._looked))
            self._looked.append(value)
        return self.images.get(value, value)

    def blank(self, tip: Oid, keys: Collection[Key], purged: purge.Purged) -> Oid:
        """The log that ends at ``tip`` with the records ``keys`` blank, and every copy of them. Raises FormatError.

        Reads the whole log. It is ``tip`` where none of them says anything any more.
        """
        self.blanks |= dict.fromkeys(keys, purged)
        return self.image(tip)

    def pair(self, old: Sequence[Oid], new: Sequence[Oid]) -> None:
        """Find what stands in the logs ``new`` for what ``old`` reaches: records by their place among those of one key.

        What has no counterpart is written again after what stands for its parents; a copy of what is there, or is
        blank anywhere in the new logs, goes. Reads the whole of these. Raises FormatError.
        """
        for tip in new:
            self.blanks |= blanks_of(self._store, tip)
        commits = {oid: self._store.read(oid) for oid in beyond(self._store, new, old)}
        by_key: dict[Key, list[Oid]] = {}
        joined: dict[tuple[object, ...], Oid] = {}
        for oid, commit in commits.items():
            key = rule(oid, commit).key
            if key is None:
                joined[_shape(commit, commit.parents)] = oid
                continue
            by_key.setdefault(key, []).append(oid)
        by_key = {**{key: [] for key in self.blanks}, **by_key}
        self._write(beyond(self._store, old, new), by_key, joined)
        self._looked += [*old, *new]

    def _write(
        self,
        oids: Iterable[Oid],
        by_key: Mapping[Key, list[Oid]] | None = None,
        joined: Mapping[tuple[object, ...], Oid] | None = None,
    ) -> None:
        """Let something stand for each of ``oids``, which come parents first."""
        left = {key: list(found) for key, found in (by_key or {}).items()}
        for oid in oids:
            if oid in self.images:
                continue
            commit = self._store.read(oid)
            parents = tuple(dict.fromkeys(self.images.get(parent, parent) for parent in commit.parents))
            key = rule(oid, commit).key
            if key in self.blanks and not purge.is_blank(commit):
                self.blanked.add(oid)
            if key in left:
                self.images[oid] = left[key].pop(0) if left[key] else parents[0]
            elif key is None and joined and (found := joined.get(_shape(commit, parents))) is not None:
                self.images[oid] = found
            else:
                self.images[oid] = self._written(oid, commit, key, parents)

    def _written(self, oid: Oid, commit: codec.Commit, key: Key | None, parents: tuple[Oid, ...]) -> Oid:
        purged = self.blanks.get(key) if key is not None else None
        if purged is not None and not purge.is_blank(commit):
            raw = self._store.raw_commit(oid)
            return self._store.write_commit(purge.blanked(raw, oid, self._store.empty_tree(), parents, purged))
        if parents == commit.parents:
            return oid
        if commit.kind not in ("cursor", SUMMARY) and len(commit.parents) > 1:
            first, *others = parents  # a merge of which one side is left is that side
            parents = (first, *(one for one in others if not reach.is_ancestor(one, first, self._store.step)))
            if len(parents) == 1:
                return first
        raw = purge.named(self._store.raw_commit(oid), oid)
        return self._store.write_commit(with_parents(raw, parents))


def _shape(commit: codec.Commit, parents: tuple[Oid, ...]) -> tuple[object, ...]:
    """What tells a commit without a number from another: what it joins, who wrote it, and what it says."""
    return parents, commit.author, commit.committer, commit.body, commit.block


def blanks_of(store: Store, tip: Oid) -> dict[Key, purge.Purged]:
    """The records that are blank in the log that ends at ``tip``. Reads the whole log. Raises FormatError."""
    found: dict[Key, purge.Purged] = {}
    for oid in commits_of(store, tip):
        commit = store.read(oid)
        said = purge.purged_in(commit.block or ())
        if said is not None and commit.takes_number and purge.is_blank(commit):
            found[codec.identity_key(oid, commit)] = said
    return found


TREE_MODE, LINK_MODE = 0o40000, 0o160000
"""A directory, and a commit of another repository, which is nothing of ours."""


def carried_by(store: Store, oids: Iterable[Oid]) -> set[Oid]:
    """The trees and blobs of these commits, as far as they can be read; no empty tree."""
    found: set[Oid] = set()
    waiting = [(store.read(oid).tree, "tree") for oid in oids]
    while waiting:
        oid, kind = waiting.pop()
        if oid in found or oid == store.empty_tree():
            continue
        found.add(oid)
        if kind == "tree":
            try:
                entries = store.read_tree(oid)
            except FormatError:
                continue
            waiting += [
                (entry.oid, "tree" if entry.mode == TREE_MODE else "blob")
                for entry in entries
                if entry.mode != LINK_MODE
            ]
    return found
