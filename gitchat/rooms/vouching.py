"""What waits here under the user's own address, where a host takes no other.

Some hosts take only commits whose committer is whoever pushes, or whose authors' addresses they know. The genesis of a
room has an address of ours, and what a server writes for somebody has one that is made up. As long as no remote has
such a commit it can be written once more with the user's own: each record keeps its uid, its author's name and its
place, so that it is the same one for everybody. Whose address is real stays: nobody speaks for somebody else.
Source: docs/format.md section 12.26.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gitchat.model import codec
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.model.record import GENESIS_EMAIL, NO_DOMAIN, Identity
from gitchat.model.refs import log_ref
from gitchat.model.reparent import with_parents, with_signatures
from gitchat.model.signature import Signature
from gitchat.rooms.rebuilding import beyond, positions
from gitchat.storage.store import Store

REASON = "gitchat: under the user's own address"


def vouch(store: Store, room: RoomName, tracked: Callable[[RefName], Oid | None], who: Identity) -> bool:
    """Write what the remote of ``room`` has not under the address of ``who``; whether anything had another one.

    ``tracked`` tells where a ref is at the remote. For who holds ``sync.lock``. The log moves first: a kill after it
    leaves positions on the old commits, where they say the same (docs/format.md section 10.2). Raises as Store.move.
    """
    images: dict[Oid, Oid] = {}

    def image(value: Oid, known: Oid | None) -> Oid:
        for oid in beyond(store, [value], [tracked(log_ref(room)), known]):
            if oid not in images:
                commit = store.read(oid)
                parents = tuple(images.get(parent, parent) for parent in commit.parents)
                own = _own(commit, who)
                is_same = parents == commit.parents and own == (commit.author, commit.committer)
                raw = store.raw_commit(oid)
                images[oid] = oid if is_same else store.write_commit(with_signatures(with_parents(raw, parents), *own))
        return images.get(value, value)

    def follow(ref: RefName, value: Oid) -> None:
        if image(value, tracked(ref)) != value:
            store.move(ref, lambda old: image(old if old is not None else value, tracked(ref)), REASON)

    tip = store.tip(log_ref(room))
    if tip is None:
        return False
    follow(log_ref(room), tip)
    for ref, value in positions(store, room):
        follow(ref, value)
    changed = {old for old, new in images.items() if old != new}
    store.forget(changed)
    return bool(changed)


def _own(commit: codec.Commit, who: Identity) -> tuple[Signature, Signature]:
    """Author and committer of ``commit`` where ``who`` vouches for it. Their dates stay."""
    author, committer = commit.author, commit.committer
    if author.email == GENESIS_EMAIL:
        author = replace(author, name=who.committer_name, email=who.committer_email)
    elif author.email.endswith(NO_DOMAIN):
        author = replace(author, email=who.email)
    return author, replace(committer, name=who.committer_name, email=who.committer_email)
