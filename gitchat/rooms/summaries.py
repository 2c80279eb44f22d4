"""Summaries: what somebody who was away has to know, one chain of them a room.

A summary's id is its place in the chain. Whom it is for is its scope: ``all``, a name, or
any other line of text. Its first parent is the summary before it (for the first one the
room's genesis), its other parents are what it covers, so that what happened since is
told by reachability. Source: docs/format.md section 11.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gitchat.index.chain import Chain
from gitchat.index.condition import ANY, Condition
from gitchat.index.database import Index
from gitchat.model import codec
from gitchat.model.errors import UserError
from gitchat.model.names import Number, Oid, RefName, RoomName, Uid, handle_of
from gitchat.model.order import Node
from gitchat.model.record import SUMMARY, Identity, Moment
from gitchat.model.refs import summaries_ref
from gitchat.model.signature import Signature
from gitchat.storage.store import Store

EVERYONE = "all"
"""The scope of a summary that is for everybody."""

SCOPE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Summary:
    """One summary. Name, time and text are the writer's claim, unverified."""

    number: Number | None
    """Its id; None while it is pending."""
    oid: Oid
    uid: Uid
    author: str
    written: Moment
    scope: str
    text: str
    covers: tuple[Oid, ...]
    """Commits that reach every record it covers, and no other; none for an empty room."""
    covered_hint: str | None
    """The numbers it covered when it was written, ``1-40``, for people."""

    @property
    def label(self) -> str:
        """Its id, or its handle while it is pending."""
        return str(self.number) if self.number is not None else handle_of(self.uid)


class Summaries:
    """The summaries of one room."""

    def __init__(
        self, store: Store, index: Callable[[], Index], room: RoomName, tracking: RefName | None = None
    ) -> None:
        """``tracking`` is the ref that tells which summaries the authority has accepted; None without one."""
        self._store = store
        self._index = index
        self._room = room
        self._ref = summaries_ref(room)
        self._tracking = tracking

    def write(
        self,
        text: str,
        scope: str,
        *,
        covers: Sequence[Oid],
        upto: int,
        sender: Identity,
        now: Moment,
        uid: Uid,
        written: Moment | None = None,
        extra: codec.Block = (),
    ) -> Summary:
        """Add a summary of what ``covers`` reaches, the records 1 to ``upto`` as far as numbers tell.

        ``text`` has been the body of a Draft, which refuses what cannot be stored. ``written`` is when it was said, if
        that was elsewhere, before ``now``; ``extra`` are more trailers.

        Raises:
            UserError: ``bad-scope``.
            ConflictError, StorageError: as Store.move; nothing was added.
        """
        scope = checked_scope(scope)
        block = [("Chat-Kind", SUMMARY), ("Chat-Uid", uid), (codec.SCOPE, scope)]
        block += [(codec.COVERS, f"1-{upto}")] if upto else []
        block += [(codec.CLONE, sender.clone or codec.NO_CLONE), ("Chat-Origin", sender.origin), *extra]

        def append(tip: Oid | None) -> Oid:
            tree = self._store.empty_tree()
            before = tip or self._accepted() or self._store.write_commit(codec.encode_genesis(self._room, tree))
            parents = tuple(dict.fromkeys((before, *covers)))
            committed = self._store.date_after(parents, now)
            return self._store.write_commit(
                codec.encode_commit(
                    tree=tree,
                    parents=parents,
                    author=Signature(sender.name, sender.email, written or now),
                    committer=Signature(sender.committer_name, sender.committer_email, committed),
                    body=text,
                    block=tuple(block),
                )
            )

        oid = self._store.move(self._ref, append, f"gitchat: summary from {sender.name}")
        place = self._chain().rows_of([oid])[oid].number
        assert place is not None
        return self._summary(place, oid, place > self._chain().count)

    def latest(self, scopes: Sequence[str]) -> Summary | None:
        """The newest summary of any of these scopes, exactly as they are written; None without one.

        Raises:
            FormatError: a commit of the chain is damaged or missing.
        """
        found = self._chain().select(_of_scopes(scopes), limit=1, newest=True)
        return self._summary(*found[0]) if found else None

    def find(self, number: int) -> Summary | None:
        """The summary of this number; None when there is none. Raises FormatError."""
        oid = self._chain().oid_of(number)
        return self._summary(Number(number), oid) if oid is not None else None

    def list(self, scopes: Sequence[str] = (), limit: int | None = None) -> list[Summary]:
        """The newest ``limit`` summaries (of these scopes, if any are given), oldest first. Raises FormatError."""
        places = self._chain().select(_of_scopes(scopes) if scopes else ANY, limit=limit, newest=True)
        return [self._summary(*place) for place in places]

    def _accepted(self) -> Oid | None:
        return self._store.tip(self._tracking) if self._tracking is not None else None

    def _chain(self) -> Chain:
        # No room is called so: a slug holds no slash.
        local = self._store.tip(self._ref)
        name = f"{self._room}/summaries"
        return self._index().chain(name, local if self._tracking is None else self._accepted(), rule, local)

    def _summary(self, number: Number, oid: Oid, is_pending: bool = False) -> Summary:
        commit = self._store.read(oid)
        record = codec.record_of(oid, commit)
        return Summary(
            number=None if is_pending else number,
            oid=oid,
            uid=record.uid,
            author=record.author,
            written=record.written,
            scope=commit.value(codec.SCOPE) or EVERYONE,
            text=record.body,
            covers=commit.parents[1:],
            covered_hint=commit.value(codec.COVERS),
        )


def rule(oid: Oid, commit: codec.Commit) -> Node:
    """What the order rule has to know of a commit of the chain: what a summary covers is no part of it."""
    if commit.kind == SUMMARY:
        return Node(commit.parents[:1], codec.identity_key(oid, commit))
    return Node(commit.parents if commit.kind == "merge" else (), None)


def checked_scope(text: str) -> str:
    """``text`` as a scope: one line of 1 to 200 characters. Raises UserError ``bad-scope``."""
    scope = text.strip().encode("utf-8", "replace").decode()
    if scope and len(scope) <= SCOPE_CHARACTERS and not any(c < " " or "\x7f" <= c <= "\x9f" for c in scope):
        return scope
    raise UserError(
        f"a scope is one line of 1 to {SCOPE_CHARACTERS} characters without control characters",
        hint="for everybody: all; for one participant: its name",
        code="bad-scope",
    )


def _of_scopes(scopes: Sequence[str]) -> Condition:
    return Condition(f"type IN ({', '.join('?' * len(scopes))})", tuple(scopes))
