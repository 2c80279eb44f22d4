"""Attachments: the files that come with a message. Their names, and the trees that hold them.

A commit's tree holds a directory ``att`` of blobs, ``1-trace.txt``, ``2-core.log``: the number
keeps the sender's order, and two files of one name apart. What others wrote is judged when it
is read: a name or a kind of entry that no sender of ours would write is named with its problem,
and is never written to a disk.

Pure: bytes in, values out. Source: docs/format.md section 3.7; git-mktree(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gitchat.model.errors import UserError
from gitchat.model.names import Oid, is_device
from gitchat.model.tree import DIRECTORY_MODE, TreeEntry, encode_tree, oid_of

DEFAULT_BYTES = 1024 * 1024
"""The largest attachment when ``chat.maxAttachment`` is not set: nobody prunes a room, and forges
advise against larger objects."""

MAX_BYTES = 100 * 1024 * 1024
"""The largest attachment that any setting can allow; forges refuse larger objects."""

TOGETHER = 8
"""All files of one message together may be so many times as large as the largest single one."""

MAX_NAME_BYTES = 120
"""Leaves room for a number before and after it in the 143 bytes that encrypted file systems allow."""

MAX_FILES = 100
"""How many files one message carries at most: each is an object of its own, and a line of a listing."""

MOST_EXCERPTS = 8
"""How many excerpts of code one message carries at most."""
MOST_EXCERPT_BYTES = 64 * 1024
"""The longest of them."""

_DIRECTORY, _EXCERPTS, _WORK = b"att", b"at", b"wip"
_FILE_MODE = 0o100644
_TYPE_MASK, _REGULAR = 0o170000, 0o100000
_TYPES = {0o040000: "is a directory", 0o120000: "is a symbolic link", 0o160000: "is a submodule"}

_ENTRY_NAME = re.compile(r"([1-9][0-9]{0,3})-(.+)", re.DOTALL)

# What some file system refuses, and what a terminal or a listing would hide, reorder or obey.
_FORBIDDEN = re.compile(
    '[\x00-\x1f\x7f-\x9f/\\\\:*?"<>|\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff'
    "\U000e0000-\U000e007f]"
)
_KEPT_SUFFIX_BYTES = 16


@dataclass(frozen=True, slots=True)
class File:
    """A file that somebody wants to attach. It is stored under the name that :func:`safe_name` makes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a record, as the record's tree tells it."""

    name: str
    """Safe on every file system unless there is a ``problem``; then whatever stands in the tree."""
    oid: Oid
    size_bytes: int | None = None
    """None when the content is not in this clone."""
    problem: str | None = None
    """Why it is named and otherwise passed over: ``is a symbolic link``, for instance."""


class Beside(NamedTuple):
    """A directory that stands beside the attachments in a commit's tree."""

    name: bytes
    tree: Oid
    contents: Sequence[tuple[Literal["blob", "tree"], bytes]]
    """Its objects, each after those that it names."""


@dataclass(frozen=True, slots=True)
class Objects:
    """What has to be stored before a commit can carry files."""

    tree: Oid | None
    """The commit's tree; None without files."""
    contents: tuple[tuple[Literal["blob", "tree"], bytes], ...] = ()
    """The objects, each after those that it names."""
    attachments: tuple[Attachment, ...] = ()
    """What a reader of the tree will find."""


# --- names -------------------------------------------------------------------


def is_safe_name(name: str) -> bool:
    """Whether ``name`` is a file's own name, alike on every file system, that hides nothing.

    Frozen for format 1. Source: docs/format.md section 3.7.
    """
    return (
        0 < len(name.encode("utf-8", "replace")) <= MAX_NAME_BYTES
        and _FORBIDDEN.search(name) is None
        and name[0] not in ".- "
        and name[-1] not in ". "
        and not is_device(name)
    )


def safe_name(path: str) -> str:
    """The last part of ``path``, changed as little as :func:`is_safe_name` asks for.

    ``.bashrc`` becomes ``_bashrc``, ``con.txt`` ``_con.txt``, ``a:b`` ``a_b``; a name that is
    too long loses the end of what stands before its suffix.
    """
    name = path.rpartition("/")[2]
    if is_safe_name(name):
        return name
    name = _shortened(_FORBIDDEN.sub("_", name).strip(" ").rstrip(" ."), MAX_NAME_BYTES - 1).rstrip(" .")
    if name.startswith((".", "-")):
        name = "_" + name[1:]
    if is_device(name):
        name = "_" + name
    return name or "file"


def _shortened(name: str, limit_bytes: int) -> str:
    if len(name.encode()) <= limit_bytes:
        return name
    stem, dot, suffix = name.rpartition(".")
    end = f"{dot}{suffix}".encode() if stem and len(suffix.encode()) <= _KEPT_SUFFIX_BYTES else b""
    start = name.encode()[: limit_bytes - len(end)].decode("utf-8", "ignore")
    return start + end.decode()


# --- sizes -------------------------------------------------------------------


def check_sizes(files: Sequence[File], limit_bytes: int) -> None:
    """Refuse a file over the limit, files that are too large together, and too many of them.

    Raises:
        UserError: ``attachment-too-large``, ``too-many-attachments``.
    """
    if len(files) > MAX_FILES:
        raise UserError(
            f"a message carries at most {MAX_FILES} files; these are {len(files)}",
            hint="make one of them: tar -czf FILE.tar.gz ...",
            code="too-many-attachments",
        )
    for file in files:
        if len(file.content) > limit_bytes:
            raise too_large(repr(file.name), len(file.content), limit_bytes)
    total = sum(len(file.content) for file in files)
    if total > TOGETHER * limit_bytes:
        raise UserError(
            f"the attachments have {total:,} bytes together; the limit is {TOGETHER * limit_bytes:,}",
            hint="send them with several messages, or in one compressed file: tar -czf FILE.tar.gz ...",
            code="attachment-too-large",
        )


def too_large(what: str, size_bytes: int, limit_bytes: int) -> UserError:
    """The error for one file over the limit."""
    return UserError(
        f"{what} has {size_bytes:,} bytes; the limit for an attachment is {limit_bytes:,}",
        hint=(
            f"attach a part of it, or raise the limit: git config chat.maxAttachment {-(-size_bytes // 1024)}k"
            if size_bytes <= MAX_BYTES
            else "put it elsewhere and send where it is; no limit goes above 100 MiB"
        ),
        code="attachment-too-large",
    )


# --- writing -----------------------------------------------------------------


def build(
    files: Sequence[File], like: Oid, excerpts: Sequence[tuple[int, File]] = (), beside: Beside | None = None
) -> Objects:
    """The objects that carry ``files``, the same for the same files in the same order, numbered ``excerpts``, and what
    stands ``beside`` them.

    ``like`` is any id of the repository; its length tells the hash.
    """
    if not files and not excerpts and beside is None:
        return Objects(None)
    contents: list[tuple[Literal["blob", "tree"], bytes]] = []
    outer: list[TreeEntry] = []
    for directory, inside in ((_DIRECTORY, list(enumerate(files, 1))), (_EXCERPTS, excerpts)):
        contents += [("blob", file.content) for _, file in inside]
        inner = encode_tree(
            TreeEntry(_FILE_MODE, f"{number}-{safe_name(one.name)}".encode(), oid_of("blob", one.content, like))
            for number, one in inside
        )
        if inside:
            contents.append(("tree", inner))
            outer.append(TreeEntry(DIRECTORY_MODE, directory, oid_of("tree", inner, like)))
    if beside is not None:
        contents += beside.contents
        outer.append(TreeEntry(DIRECTORY_MODE, beside.name, beside.tree))
    top = encode_tree(outer)
    attachments = (
        Attachment(safe_name(one.name), oid_of("blob", one.content, like), len(one.content)) for one in files
    )
    return Objects(oid_of("tree", top, like), (*contents, ("tree", top)), tuple(attachments))


# --- reading -----------------------------------------------------------------


def directory_of(entries: Iterable[TreeEntry], name: bytes = _DIRECTORY) -> Oid | None:
    """The tree of the attachments in a commit's tree, or of what stands beside them; None when it has none."""
    return next((entry.oid for entry in entries if _is_directory(entry, name)), None)


def excerpts_of(entries: Iterable[TreeEntry]) -> Oid | None:
    """As :func:`directory_of`, of the excerpts. Source: docs/format.md section 20."""
    return directory_of(entries, _EXCERPTS)


def unknown_in(entries: Iterable[TreeEntry]) -> list[str]:
    """What else stands in a commit's tree, beside excerpts and work. A later format may mean something by it."""
    known = (_DIRECTORY, _EXCERPTS, _WORK)
    return [_text(one.name) for one in entries if not any(_is_directory(one, name) for name in known)]


def _is_directory(entry: TreeEntry, name: bytes) -> bool:
    return entry.mode == DIRECTORY_MODE and entry.name == name


def listed(entries: Iterable[TreeEntry]) -> list[Attachment]:
    """What stands in a directory of attachments, in the sender's order, then what has a problem."""
    found, refused = _judged(entries)
    return [attachment for _, attachment in sorted(found, key=lambda pair: pair[0])] + refused


def by_number(entries: Iterable[TreeEntry]) -> dict[int, Oid]:
    """What stands in a directory of excerpts and has no problem; of one number the first."""
    return {number: one.oid for number, one in reversed(_judged(entries)[0])}


def _judged(entries: Iterable[TreeEntry]) -> tuple[list[tuple[int, Attachment]], list[Attachment]]:
    found: list[tuple[int, Attachment]] = []
    refused: list[Attachment] = []
    known: set[bytes] = set()
    for entry in entries:
        match = _ENTRY_NAME.fullmatch(_text(entry.name))
        problem = _problem_of(entry, match[2] if match else None, entry.name in known)
        known.add(entry.name)
        if match and problem is None:
            found.append((int(match[1]), Attachment(match[2], entry.oid)))
        else:
            refused.append(Attachment(_text(entry.name), entry.oid, problem=problem))
    return found, refused


def _problem_of(entry: TreeEntry, name: str | None, is_known: bool) -> str | None:
    if entry.mode & _TYPE_MASK != _REGULAR:
        return _TYPES.get(entry.mode & _TYPE_MASK, "is no file")
    if name is None or not is_safe_name(name):
        return "has a name that is not safe on every file system"
    return "has a name that another one has" if is_known else None


def has_odd_mode(entry: TreeEntry) -> bool:
    """Whether a file has other permissions than a sender of ours writes. A reader gives it its own."""
    return entry.mode & _TYPE_MASK == _REGULAR and entry.mode != _FILE_MODE


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
