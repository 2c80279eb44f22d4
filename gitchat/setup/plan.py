"""What becomes of which file, and doing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gitchat.model.errors import ConflictError, UserError
from gitchat.setup import disk
from gitchat.setup.edits import Edit, Edited, JsonServer, TomlServer
from gitchat.setup.refusal import Refusal

TRIES = 5
"""How often a file that somebody else just wrote is read again."""

_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Target:
    """A client's file, and what of ours is in it."""

    path: Path
    edits: tuple[Edit, ...]
    top: Path | None = None
    """The work tree that it must not lead out of; None for a user's own file."""
    chosen_by: tuple[Path, ...] = ()
    """Files by which it was decided that it is this one."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file before and after, in bytes; None is no file. Both are the same when there is nothing to do."""

    path: Path
    before: bytes | None
    after: bytes | None
    notes: tuple[str, ...] = ()
    without: bytes | None = None
    """The file as it would be had we never been there."""
    backup: Path | None = None
    """Where the bytes before are kept, once it was carried out."""


def plan(targets: Iterable[Target], copies: disk.Copies, *, is_removal: bool) -> list[Change]:
    """The changes that adding (or removing) what is ours would make, in the order of ``targets``.

    Raises:
        UserError: a file is not what its client reads, or has something else in our place; the codes
            ``malformed-config``, ``not-editable``, ``entry-taken``, ``broken-section``, ``link-out``, ``not-a-file``.
        StorageError: a file may not be read.
    """
    return [_change(target, copies, is_removal) for target in targets]


def carry_out(targets: Sequence[Target], copies: disk.Copies, *, is_removal: bool) -> list[Change]:
    """Make the changes, and return them.

    All are planned before the first file is touched. When the disk refuses one in the
    middle, those before it are made: doing it again then makes the rest.

    Raises:
        UserError, StorageError: as :func:`plan`; also ``read-only``, ``disk-full``.
        ConflictError: ``file-changes`` while somebody else keeps writing a file; ``write-lock-held``.
    """
    planned = plan(targets, copies, is_removal=is_removal)
    paths = [disk.resolve(target.path, target.top) for target in targets]
    outdated = [path for path in paths if is_removal and copies.has(path)]
    if not outdated and all(change.before == change.after for change in planned):
        return planned  # without a lock, so also where nothing can be written
    with copies.turn():
        changes = [_settle(target, copies, is_removal, change) for target, change in zip(targets, planned, strict=True)]
        for path in outdated:
            copies.forget(path)
        return changes


def holds(target: Target) -> bool:
    """Whether something of ours is in the file. Raises as :func:`plan`."""
    text = _text_of(target)
    return _apply(target, text, is_removal=True).text != text


def servers(target: Target) -> dict[str, Any]:
    """All servers in the file, by name; none where it has no place for them. Raises as :func:`plan`."""
    text = _text_of(target)
    for edit in target.edits:
        if isinstance(edit, JsonServer | TomlServer):
            with _told_of(target):
                return edit.servers(text)
    return {}


def _text_of(target: Target) -> str:
    return _decode(target.path, disk.read(disk.resolve(target.path, target.top)))


@contextmanager
def _told_of(target: Target) -> Iterator[None]:
    """Makes an error of the file of what is told of a text."""
    try:
        yield
    except Refusal as refusal:
        raise UserError(f"{target.path} {refusal}", hint=refusal.hint, code=refusal.code) from None


def _settle(target: Target, copies: disk.Copies, is_removal: bool, planned: Change) -> Change:
    for _ in range(TRIES):
        # What was planned before our turn came holds if the file is still the same; it may have megabytes.
        is_current = disk.read(disk.resolve(target.path, target.top)) == planned.before
        change = planned if is_current else _change(target, copies, is_removal)
        if change.before == change.after:
            return change
        path = disk.resolve(target.path, target.top)
        backup = None if is_removal else copies.keep(path, change.before, change.without, change.after)
        # A client may put secrets into its user's file later, so such a file is private from the first.
        mode = 0o600 if target.top is None else 0o666
        if disk.replace(path, change.before, change.after, new_mode=mode):
            return replace(change, backup=backup)
    raise ConflictError(
        f"{target.path} is being written by somebody else",
        hint="end the client that writes it, and run this again",
        code="file-changes",
    )


def _change(target: Target, copies: disk.Copies, is_removal: bool) -> Change:
    path = disk.resolve(target.path, target.top)
    before = disk.read(path)
    if is_removal and (exact := copies.without_us(path, before)):
        return Change(target.path, before, exact[0], without=exact[0])
    text = _decode(target.path, before)
    edited = _apply(target, text, is_removal)
    after = before if edited.text == text else _encode(edited.text, before)
    without = after if is_removal else _without_us(target, copies, path, before)
    return Change(target.path, before, after, edited.notes, without)


def _without_us(target: Target, copies: disk.Copies, path: Path, before: bytes | None) -> bytes | None:
    """The file as it would be had we never been there."""
    if exact := copies.without_us(path, before):
        return exact[0]
    text = _decode(target.path, before)
    without = _apply(target, text, is_removal=True).text
    return before if without == text else _encode(without, before)


def _apply(target: Target, text: str, is_removal: bool) -> Edited:
    notes: tuple[str, ...] = ()
    with _told_of(target):
        for edit in target.edits:
            edited = edit.remove(text) if is_removal else edit.add(text)
            text, notes = edited.text, notes + edited.notes
    return Edited(text, notes)


def _decode(path: Path, content: bytes | None) -> str:
    try:
        return (content or b"").decode("utf-8").removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        line = (content or b"").count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path} is not UTF-8: line {line}",
            hint="save it as UTF-8 and run this again; nothing was written",
            code="malformed-config",
        ) from None


def _encode(text: str, before: bytes | None) -> bytes | None:
    """The bytes of ``text``, with a byte-order mark where there was one; no file where nothing is left of it."""
    if not text.strip() or text.strip() == "{}":
        return None
    has_mark = (before or b"").startswith(_BYTE_ORDER_MARK.encode())
    return (_BYTE_ORDER_MARK * has_mark + text).encode()
