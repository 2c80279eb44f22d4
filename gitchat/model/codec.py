"""The text of a chat commit: written from a record, and read strictly from raw bytes.

A commit's message is ``body + "\\n\\n" + block``; the block is one or more lines
``Key: value`` of which the first is ``Chat-Kind``. A block holds no empty line, so
the *last* empty line of the message ends the body, whatever the body contains: a
forged block inside a body is followed by the real one and stays text.

Neither git's ``%(trailers)`` nor libgit2's ``message_trailers`` is used: the first
loses the block when a body holds a scissors line, the second when it holds ``---``.

Pure: bytes in, values out. Source: docs/format.md sections 3 and 4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitchat.model import limits
from gitchat.model.headers import parse_headers
from gitchat.model.names import CloneId, Oid, RoomName, Uid, is_slug, is_uid, uid_from_oid
from gitchat.model.record import GENESIS_EMAIL, MAX_BODY_BYTES, UNNUMBERED_KINDS, Moment, Record
from gitchat.model.refs import told_branch
from gitchat.model.signature import Signature, encode_signature

Block = tuple[tuple[str, str], ...]
"""Trailers in order, keys as written. Never empty."""

_KEY = r"[A-Z][A-Za-z0-9-]*"
_TRAILER = rf"({_KEY}): ([^ \x00-\x1f\x7f-\x9f](?:[^\x00-\x1f\x7f-\x9f]*[^ \x00-\x1f\x7f-\x9f])?)"
_LINE = re.compile(_TRAILER)
_LINES = re.compile(rf"^{_TRAILER}\n", re.MULTILINE)
"""Looked for at the beginnings of lines alone: a text of a stranger's is gone through once."""

_OID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")

_SINGLE = ("kind", "uid", "seq", "type", "reply", "priority", "commit", "branch", "work", "clone", "origin", "media")
_SINGLE_KEYS = {f"Chat-{word.capitalize()}": word for word in _SINGLE}

FORMAT, NEWEST_FORMAT = 1, 2
"""What each genesis says, and what is known here: rooms where something was purged ask for 2 (docs/format.md 18)."""

TITLE = "Chat-Title"
STATE = "Chat-State"
LOCAL, FORMAT_MIN = "Chat-Local", "Chat-Format-Min"
"""Trailers of a ``meta`` record. Source: docs/format.md section 4.5."""

CLONE = "Chat-Clone"
NO_CLONE = "-"
"""In which clone a seat wrote; and what stands there for a writer without a seat, outside the grammar, so that it
counts as absent: a record without the line was written by version 0.1.0. Source: docs/format.md section 4.2.
"""

SCOPE = "Chat-Scope"
COVERS = "Chat-Covers"
"""Trailers of a summary: whom it is for, and a hint of what it covers. Source: docs/format.md section 11."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A parsed commit. ``block`` is None when the message ends in no valid block."""

    tree: Oid
    parents: tuple[Oid, ...]
    author: Signature
    committer: Signature
    body: str
    block: Block | None
    wrong: tuple[str, ...] = ()
    """What of it could not be read as it stands, or was cut, in words. Source: gitchat.model.limits."""

    @property
    def kind(self) -> str | None:
        """The value of ``Chat-Kind``, or None without a valid block."""
        return self.block[0][1] if self.block else None

    @property
    def takes_number(self) -> bool:
        """Whether this commit is a record: exactly one parent, a block, a kind that counts.

        Frozen for format 1: by structure, so that a new kind never renumbers an old reader.
        Source: docs/format.md section 5.1.
        """
        return len(self.parents) == 1 and self.kind is not None and self.kind not in UNNUMBERED_KINDS

    def value(self, key: str) -> str | None:
        """The first value of ``key`` in the block, or None."""
        return next((value for name, value in self.block or () if name == key), None)


# --- writing -----------------------------------------------------------------


def encode_commit(
    *,
    tree: Oid,
    parents: tuple[Oid, ...],
    author: Signature,
    committer: Signature,
    body: str,
    block: Block,
) -> bytes:
    """The raw bytes of a commit object.

    Built here and not by libgit2, which writes an unreadable commit for a newline in
    a name and cuts a message at a NUL. Lone surrogates become ``?``.

    Raises:
        ValueError: a trailer that the block's grammar does not allow (a caller's mistake).
    """
    if not block or block[0][0] != "Chat-Kind":
        raise ValueError("a block begins with Chat-Kind")
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [f"author {encode_signature(author)}", f"committer {encode_signature(committer)}", ""]
    trailers = [f"{key}: {value}" for key, value in block]
    for line in trailers:
        if _LINE.fullmatch(line) is None:
            raise ValueError(f"not a trailer: {line!r}")
    text = "\n".join([*lines, body, "", *trailers, ""])
    return text.encode("utf-8", "replace")


def block_of(record: Record) -> Block:
    """The trailers of ``record``, in the order of docs/format.md section 4."""
    pairs: list[tuple[str, str | None]] = [
        ("Chat-Kind", record.kind),
        ("Chat-Uid", record.uid),
        ("Chat-Seq", None if record.seq_hint is None else str(record.seq_hint)),
        *(("Chat-To", recipient) for recipient in record.to),
        ("Chat-Type", record.type),
        ("Chat-Reply", record.reply_to),
        ("Chat-Priority", "urgent" if record.urgent else None),
        ("Chat-Commit", record.commit),
        ("Chat-Branch", record.branch),
        ("Chat-Work", None if record.work is None else str(record.work)),
        (CLONE, record.clone or NO_CLONE),
        ("Chat-Origin", record.origin),
        ("Chat-Media", record.media),
        *record.extra,
    ]
    return tuple([(key, value) for key, value in pairs if value is not None])


def encode_record(record: Record, *, tree: Oid, parent: Oid, committer: Signature) -> bytes:
    """The raw bytes of the commit that adds ``record`` after ``parent``.

    Raises:
        ValueError: a field that the block's grammar does not allow.
    """
    return encode_commit(
        tree=tree,
        parents=(parent,),
        author=Signature(record.author, record.email, record.written),
        committer=committer,
        body=record.body,
        block=block_of(record),
    )


def encode_genesis(room: RoomName, tree: Oid) -> bytes:
    """The root of ``room``: the same bytes in every clone, so that histories share it."""
    gitchat = Signature("gitchat", GENESIS_EMAIL, Moment(0))
    return encode_commit(
        tree=tree,
        parents=(),
        author=gitchat,
        committer=gitchat,
        body=f"gitchat room {room}",
        block=(("Chat-Kind", "genesis"), ("Chat-Format", str(FORMAT)), ("Chat-Room", room)),
    )


# --- reading -----------------------------------------------------------------


def parse_commit(oid: Oid, raw: bytes) -> Commit:
    """``raw`` as a commit, within the limits on reading.

    Tree and parents are read as git reads them: first, in this order. Unknown headers (a signature, an encoding) are
    passed over, and so is a parent that stands behind them, which git would not fetch.

    Raises:
        FormatError: ``damaged-object`` when git, too, could not tell the commit's tree and parents.
    """
    head, _, message = raw.partition(b"\n\n")
    tree, parents, author, committer, wrong = parse_headers(oid, head.decode("utf-8", "replace"))
    body, block = split_message(message)
    if len(body) > MAX_BODY_BYTES:
        wrong.append(f"its message has {len(body):,} bytes")
    if block is not None:
        block, many = limits.cut_trailers(block, _SINGLE_KEYS)
        wrong += many
    text = limits.cut_body(body).decode("utf-8", "replace")
    return Commit(tree, parents, author, committer, text, block, tuple(wrong))


def split_message(message: bytes) -> tuple[bytes, Block | None]:
    """The body, byte for byte, and the block; the whole message and None without a block."""
    body, separator, paragraph = message.rpartition(b"\n\n")
    block = _parse_block(paragraph) if separator else None
    return (body, block) if block is not None else (message, None)


def _parse_block(paragraph: bytes) -> Block | None:
    if not (paragraph.startswith(b"Chat-Kind: ") and paragraph.endswith(b"\n")):
        return None  # without a look at the rest, which may be long
    try:
        text = paragraph.decode("utf-8")
    except UnicodeDecodeError:
        return None
    block: list[tuple[str, str]] = _LINES.findall(text)
    # Each is one line: so many as there are lines are all of them.
    return tuple(block) if len(block) == text.count("\n") else None


def identity_key(oid: Oid, commit: Commit) -> tuple[Uid, str]:
    """What makes two records the same one: uid and author. Source: docs/format.md section 5.3."""
    uid = commit.value("Chat-Uid")
    return (Uid(uid) if uid and is_uid(uid) else uid_from_oid(oid)), commit.author.name


def record_of(oid: Oid, commit: Commit) -> Record:
    """The record in a commit that takes a number.

    A trailer with a value outside its grammar is passed over; a repeated single
    trailer counts once, the first; unknown trailers are kept in ``extra``.
    """
    values: dict[str, str] = {}
    to: list[str] = []
    extra: list[tuple[str, str]] = []
    for key, value in commit.block or ():
        if key == "Chat-To":
            to.append(value)
        elif key in _SINGLE_KEYS:
            values.setdefault(_SINGLE_KEYS[key], value)
        else:
            extra.append((key, value))
    uid, reply, type_, clone = values.get("uid"), values.get("reply"), values.get("type"), values.get("clone")
    return Record(
        kind=values["kind"],
        uid=Uid(uid) if uid and is_uid(uid) else uid_from_oid(oid),
        author=commit.author.name,
        email=commit.author.email,
        written=commit.author.moment,
        body=commit.body,
        to=tuple(recipient for recipient in dict.fromkeys(to) if is_slug(recipient.removeprefix("role:"))),
        type=type_ if type_ and is_slug(type_) else None,
        reply_to=Uid(reply) if reply and is_uid(reply) else None,
        urgent=values.get("priority") == "urgent",
        commit=_if_match(_OID, values.get("commit")),
        branch=told_branch(values.get("branch")),
        work=_number(values.get("work"), 6) or None,
        clone=CloneId(clone) if clone and is_uid(clone) else None,
        origin=_if_in(values.get("origin"), ("human", "agent", "hook")),
        media=_if_in(values.get("media"), ("json",)),
        seq_hint=_number(values.get("seq"), 18),
        extra=tuple(extra),
    )


def _number(text: str | None, digits: int) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= digits else None


def _if_match(pattern: re.Pattern[str], text: str | None) -> str | None:
    return text if text and pattern.fullmatch(text) else None


def _if_in(value: str | None, allowed: tuple[str, ...]) -> str | None:
    return value if value in allowed else None
