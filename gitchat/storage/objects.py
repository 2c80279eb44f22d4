"""The objects of a repository, read: whoever wrote them, and whatever git has lost or damaged of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

from gitchat.model import attachment, codec
from gitchat.model.attachment import Attachment
from gitchat.model.errors import FormatError, StorageError
from gitchat.model.names import Oid
from gitchat.model.tree import TreeEntry, parse_tree
from gitchat.storage import packing
from gitchat.storage.backend import ObjectDamaged, ObjectKind, ObjectMissing
from gitchat.storage.refusals import is_kept_from_us, unreadable
from gitchat.storage.written import Written

READ_ATTEMPTS = 4
"""A prune that is under way can take a healed object once more."""

MOST_CARRIED = 8192
"""How many objects are followed below a commit of ours."""

DIRECTORY_MODE, SUBMODULE_MODE = 0o040000, 0o160000

_T = TypeVar("_T")

_LOOK: dict[ObjectKind, str] = {"commit": "git chat doctor", "tree": "git chat verify", "blob": "git chat verify"}
"""The command that tells more about an object that cannot be read."""


_MOST_KINDS = 1_000


class Objects(Written):
    """A repository's objects: those that this clone wrote, and all others. Cheap to make.

    What git has lost of its own is written again by who wants to read it.
    """

    @cached_property
    def _kinds(self) -> dict[Oid, str | None]:
        return {}

    def read(self, oid: Oid) -> codec.Commit:
        """The commit ``oid``; one that git lost is written again from the journal.

        Raises:
            FormatError: ``missing-object``, ``shallow-log``, ``damaged-object`` or ``unreadable-object``.
        """
        commit = codec.parse_commit(oid, self._content("commit", oid))
        if len(self._kinds) >= _MOST_KINDS:
            self._kinds.clear()
        self._kinds[oid] = commit.kind
        return commit

    def kind_of(self, oid: Oid) -> str | None:
        """What kind of commit ``oid`` is, known of one that was read a while ago: its name is of no other.

        Raises as :meth:`read`.
        """
        return self._kinds[oid] if oid in self._kinds else self.read(oid).kind

    def raw_commit(self, oid: Oid) -> bytes:
        """The bytes of the commit ``oid``. Raises as :meth:`read`."""
        return self._content("commit", oid)

    def read_tree(self, oid: Oid) -> tuple[TreeEntry, ...]:
        """The entries of the tree ``oid``, in git's order. Raises as :meth:`read`."""
        return parse_tree(oid, self._content("tree", oid))

    def read_blob(self, oid: Oid) -> bytes:
        """The content of the blob ``oid``. Raises as :meth:`read`, also for an object of another kind."""
        return self._content("blob", oid)

    def size_of_blob(self, oid: Oid) -> int:
        """How many bytes the blob ``oid`` has; they are not read. Raises as :meth:`read_blob`."""
        try:
            kind, size_bytes = self._healing(self.backend.read_header, oid)
        except ObjectMissing as error:
            raise self._missing("blob", oid) from error
        except ObjectDamaged:
            return len(self.read_blob(oid))  # which says what is wrong
        return size_bytes if kind == "blob" else len(self.read_blob(oid))

    def carried(self, tree: Oid) -> Iterator[Oid]:
        """The tree of a commit of ours, and what stands in it: attachments, work. As far as anybody writes it.

        Raises as :meth:`read`.
        """
        known, waiting = {tree}, [tree]
        while waiting and len(known) < MOST_CARRIED:
            oid = waiting.pop()
            yield oid
            for entry in self.read_tree(oid):
                if entry.oid not in known and entry.mode != SUBMODULE_MODE:
                    known.add(entry.oid)
                    if entry.mode == DIRECTORY_MODE:
                        waiting.append(entry.oid)
                    else:
                        yield entry.oid

    def attachments(self, tree: Oid) -> tuple[Attachment, ...]:
        """What a commit with this tree carries, in the sender's order. Reads no content.

        Does not fail: what is missing or damaged is in the list, with its problem, so that
        the text can still be read.
        """
        try:
            directory = attachment.directory_of(self.read_tree(tree))
            found = attachment.listed(self.read_tree(directory)) if directory is not None else []
        except (FormatError, StorageError) as error:
            return (Attachment("att", tree, problem=f"cannot be listed: {error}"),)
        measured = [self._measured(one) for one in found]
        if any(one.size_bytes is None and one.problem is None for one in measured):
            with suppress(StorageError):  # what was lost cannot be written back now
                self.heal(is_forced=True)
            measured = [self._measured(one) for one in found]
        return tuple(measured)

    def excerpts(self, tree: Oid) -> dict[int, bytes]:
        """The code that a commit with this tree is about, by numbers; what cannot be read is left out, and no error."""
        found: dict[int, bytes] = {}
        with suppress(FormatError, StorageError):
            directory = attachment.excerpts_of(self.read_tree(tree))
            for number, oid in attachment.by_number(self.read_tree(directory)).items() if directory is not None else ():
                with suppress(FormatError, StorageError, ObjectMissing, ObjectDamaged):
                    if number <= attachment.MOST_EXCERPTS and self._fits(oid):
                        found[number] = self.read_blob(oid)
        return found

    def _fits(self, oid: Oid) -> bool:
        return self.backend.read_header(oid)[1] <= attachment.MOST_EXCERPT_BYTES

    def _measured(self, one: Attachment) -> Attachment:
        if one.problem is not None:
            return one
        try:
            kind, size_bytes = self.backend.read_header(one.oid)
        except ObjectMissing:
            return one
        except ObjectDamaged:
            return replace(one, problem="is damaged")
        return replace(one, size_bytes=size_bytes) if kind == "blob" else replace(one, problem=f"is a {kind}")

    def _missing(self, kind: ObjectKind, oid: Oid) -> FormatError:
        """Why an object is not here: it was lost, or it is older than what a shallow clone has fetched."""
        for cut in self.shallow():
            with suppress(ObjectMissing, ObjectDamaged, FormatError):
                if oid in codec.parse_commit(cut, self.backend.read_object(cut)).parents:
                    return FormatError(
                        f"this clone is shallow: the log before {cut} was not fetched, so nothing can be numbered",
                        hint="git fetch --unshallow origin",
                        code="shallow-log",
                        oid=oid,
                    )
        return FormatError(f"{kind} {oid} is missing", hint=_LOOK[kind], code="missing-object", oid=oid)

    def shallow(self) -> list[Oid]:
        """The commits whose parents were not fetched. Source: gitrepository-layout(5), shallow."""
        try:
            return [Oid(line) for line in (self._common_dir / "shallow").read_text("ascii", "replace").split()]
        except OSError:
            return []

    def _content(self, kind: ObjectKind, oid: Oid) -> bytes:
        try:
            return self.backend.read_object(oid, kind)
        except (ObjectMissing, ObjectDamaged):
            return self._content_again(kind, oid)

    def _content_again(self, kind: ObjectKind, oid: Oid) -> bytes:
        try:
            return self._healing(lambda one: self.backend.read_object(one, kind), oid)
        except ObjectMissing as error:
            raise self._missing(kind, oid) from error
        except ObjectDamaged as error:
            path = packing.loose_path(self.common_dir, oid)
            if is_kept_from_us(path):
                raise unreadable(f"{kind} {oid} cannot be read", path, "unreadable-object", oid) from error
            raise FormatError(
                f"{kind} {oid} is damaged: {error}", hint=f"git fsck; {_LOOK[kind]}", code="damaged-object", oid=oid
            ) from error

    def _healing(self, read: Callable[[Oid], _T], oid: Oid) -> _T:
        for _ in range(READ_ATTEMPTS - 1):
            try:
                return read(oid)
            except ObjectMissing:
                self.heal(is_forced=True)
        return read(oid)
