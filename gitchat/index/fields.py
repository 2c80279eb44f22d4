"""What the index keeps of a commit: as it was parsed, or, for the usual message, from its bytes at once.

A long log is taken in by its bytes, which is ten times as quick. What the usual writer writes is told by two patterns,
each of them narrower than the grammar of docs/format.md sections 3 and 4: whatever does not fit is parsed. So both ways
give the same, which ``tests/property/test_bulk.py`` holds against random and hostile rooms.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gitchat.index.asked import choice_of, chosen
from gitchat.index.words import searchable
from gitchat.model import codec
from gitchat.model.names import UID_ALPHABET, UID_LENGTH, Oid, Uid, is_slug
from gitchat.model.order import Key, Node
from gitchat.model.question import ANSWER
from gitchat.model.record import SUMMARY, Record, address_of

MOST_BYTES = 64 * 1024
"""Of a commit that is not parsed: no limit on reading begins below. Source: gitchat.model.limits."""

_NAME = r"([^ <>\x00-\x1f\x7f-\x9f](?:[^<>\x00-\x1f\x7f-\x9f]{0,62}[^ <>\x00-\x1f\x7f-\x9f])?)"
_EMAIL = r"([!-;=?-~]{0,254})"
_DATE = r"([0-9]{1,12}) [+-][01][0-9]{3}"  # no farther from UTC than is read, and no later
_OID = "[0-9a-f]{40}(?:[0-9a-f]{24})?"
_UID = f"[{UID_ALPHABET}]{{{UID_LENGTH}}}"

_HEAD = re.compile(
    rf"tree {_OID}\nparent ({_OID})\nauthor {_NAME} <{_EMAIL}> {_DATE}\ncommitter {_NAME} <{_EMAIL}> {_DATE}"
)
_BLOCK = re.compile(
    rf"Chat-Kind: (message|status|claim|release)\nChat-Uid: ({_UID})\n(?:Chat-Seq: [0-9]{{1,18}}\n)?"
    rf"((?:Chat-To: [!-~]{{1,80}}\n){{0,40}})(?:Chat-Type: ([!-~]{{1,80}})\n)?(?:Chat-Reply: ({_UID})\n)?"
    rf"(?:Chat-Priority: (urgent)\n)?(?:Chat-Commit: ({_OID})\n)?(?:Chat-Branch: [!-~]{{1,200}}\n)?"
    rf"(?:Chat-Clone: (?:-|({_UID}))\n)?(?:Chat-Origin: [a-z]{{1,20}}\n)?(?:Chat-Media: ([a-z]{{1,20}})\n)?"
)


class Fields(NamedTuple):
    """What the index keeps of one commit."""

    parents: tuple[Oid, ...]
    key: Key | None
    """None for a commit that takes no number."""
    columns: tuple[object, ...]
    """The columns of ``entry`` from ``uid`` to ``choice``."""
    author: str
    """Its writer's name; of no meaning without a key."""
    kind: str
    clone: str
    """Empty for none, as the address."""
    address: str
    body: str
    """As it is searched."""
    paths: tuple[str, ...] = ()
    """The files that it is about; bytes that are no UTF-8 are replaced."""


def of_commit(oid: Oid, commit: codec.Commit, node: Node) -> Fields:
    """The fields of a parsed commit, of which ``node`` is what the order rule of its chain knows."""
    committed = commit.committer.moment.seconds
    if node.key is None:
        return Fields(node.parents, None, (*_NOTHING, committed, None, None, None, None), "", "", "", "", "")
    record = codec.record_of(oid, commit)
    recipients = f",{','.join(record.to)}," if record.to else ""
    scope = dict(record.extra).get(codec.SCOPE) if record.kind == SUMMARY else record.type
    columns = (
        record.uid, record.author, record.kind, scope, recipients, record.reply_to, record.commit,
        record.written.seconds, committed, int(record.urgent), record.clone, record.address,
        choice_of(record),
    )  # fmt: skip
    told = (record.author, record.kind, record.clone or "", record.address or "")
    return Fields(node.parents, node.key, columns, *told, searchable(commit.body), _paths(record))


def _paths(record: Record) -> tuple[str, ...]:
    if not record.at:
        return ()
    from gitchat.model.anchor import numbered  # for who has such a record

    return tuple(dict.fromkeys(anchor.shown for anchor in numbered(record).values()))


_NOTHING = (None,) * 8


class Usual:
    """Reads the usual message from its bytes. Keeps what few writers say many times."""

    def __init__(self) -> None:
        self._addresses: dict[str, str | None] = {}
        self._slugs: dict[str, bool] = {}

    def fields(self, raw: bytes) -> Fields | None:
        """The fields of the commit ``raw`` of a log; None where it has to be parsed."""
        try:
            text = raw.decode() if len(raw) <= MOST_BYTES else ""
        except UnicodeDecodeError:
            return None
        head, _, message = text.partition("\n\n")
        body, ends, paragraph = message.rpartition("\n\n")
        of_head, of_block = _HEAD.fullmatch(head), _BLOCK.fullmatch(paragraph)
        if of_head is None or of_block is None or not ends:
            return None
        parent, author, email, written, _, _, committed = of_head.groups()
        kind, uid, to, type_, reply, urgent, commit, clone, media = of_block.groups()
        recipients = self._recipients(to) if to else ""
        if type_ is not None and not self._is_slug(type_):
            type_ = None
        if email not in self._addresses:
            self._addresses[email] = address_of(email)
        address = self._addresses[email]
        columns = (
            uid, author, kind, type_, recipients, reply, commit,
            int(written), int(committed), 1 if urgent else 0, clone, address,
            chosen(body, media == "json") if type_ == ANSWER else None,
        )  # fmt: skip
        found = body if body.isascii() else searchable(body)
        return Fields((Oid(parent),), (Uid(uid), author), columns, author, kind, clone or "", address or "", found)

    def _recipients(self, lines: str) -> str:
        named = dict.fromkeys(line[9:] for line in lines.split("\n")[:-1])
        kept = [one for one in named if self._is_slug(one.removeprefix("role:"))]
        return f",{','.join(kept)}," if kept else ""

    def _is_slug(self, word: str) -> bool:
        if word not in self._slugs:
            if len(self._slugs) > _WORDS:
                self._slugs.clear()
            self._slugs[word] = is_slug(word)
        return self._slugs[word]


_WORDS = 10_000
"""How many names are kept: more are not those of few writers."""
