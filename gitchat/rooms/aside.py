"""Records that a remote does not take, set aside so that what was said after them goes on.

Each has a ref of its own, which is never pushed, to a note of who refused it and in which words; the note's parent
is the record, without any parent: nothing else is kept alive by it, and it is in no log. A record that
is in the log counts as there, whatever stands aside: so whatever a kill leaves, it is shown once.

Source: docs/format.md section 12.20.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from gitchat.model import codec, order
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.record import Moment, SetAside
from gitchat.model.refs import aside_prefix, aside_ref, log_ref
from gitchat.model.reparent import with_parents
from gitchat.model.signature import Signature
from gitchat.storage.store import Store

MAX_WORDS = 500
"""How many characters of a server's words are kept."""

_KIND, _REMOTE = "aside", "Chat-Remote"
_OURS = ("gitchat", "gitchat@gitchat.invalid")


@dataclass(frozen=True, slots=True)
class Kept:
    """One record that is set aside."""

    ref: RefName
    note: Oid
    oid: Oid
    """The record, as a commit without a parent."""
    commit: codec.Commit
    why: SetAside

    @property
    def key(self) -> order.Key:
        """What makes two records the same one."""
        return codec.identity_key(self.oid, self.commit)


def put(store: Store, room: RoomName, oid: Oid, remote: str, words: str, now: Moment) -> None:
    """Keep the record ``oid`` of the log aside, because ``remote`` does not take it. Raises as Store.move."""
    record = store.write_commit(with_parents(store.raw_commit(oid), ()))
    signature = Signature(*_OURS, store.date_after([record], now))
    said = " ".join(words.replace("\0", " ").split())[:MAX_WORDS]
    note = store.write_commit(
        codec.encode_commit(
            tree=store.empty_tree(),
            parents=(record,),
            author=signature,
            committer=signature,
            body=said or "refused",
            block=(("Chat-Kind", _KIND), (_REMOTE, remote)),
        )
    )
    store.point(aside_ref(room, record), note, f"gitchat: {remote} does not take it")


def kept(store: Store, room: RoomName) -> Iterator[Kept]:
    """What is set aside of ``room``, the oldest first. What cannot be read is passed over: doctor's ``fsck`` tells."""
    found = []
    for ref, note in store.backend.list_refs(aside_prefix(room)):
        with suppress(FormatError):
            said = store.read(note)
            (oid,) = said.parents
            why = SetAside(said.value(_REMOTE) or "", said.body, said.committer.moment.seconds)
            found.append(Kept(ref, note, oid, store.read(oid), why))
    yield from sorted(found, key=lambda one: (one.commit.committer.moment.seconds, one.oid))


def drop(store: Store, one: Kept) -> None:
    """Keep it no more. Raises as Store.move."""
    store.remove(one.ref, one.note, "gitchat: is not set aside any more")
    store.forget({one.oid, one.note})


def bring_back(store: Store, room: RoomName, one: Kept) -> None:
    """Say it once more, at the end of the log: pending, under its own uid. Raises as Store.move.

    A kill leaves it aside and in the log, where it counts.
    """

    def append(tip: Oid | None) -> Oid:
        tree = store.empty_tree()
        parent = tip or store.write_commit(codec.encode_genesis(room, tree))
        committer = one.commit.committer
        moment = store.date_after([parent], committer.moment)
        assert one.commit.block is not None
        return store.write_commit(
            codec.encode_commit(
                tree=one.commit.tree,
                parents=(parent,),
                author=one.commit.author,
                committer=Signature(committer.name, committer.email, moment),
                body=one.commit.body,
                block=one.commit.block,
            )
        )

    store.move(log_ref(room), append, "gitchat: tried once more")
    drop(store, one)
