"""A log that a test writes commit by commit, as no writer of ours would, and its index."""

from __future__ import annotations

from dataclasses import replace

from gitchat.index.chain import Chain
from gitchat.index.database import Index
from gitchat.model import codec, order
from gitchat.model.names import Oid, RoomName
from gitchat.model.record import Moment
from gitchat.model.signature import Signature
from gitchat.rooms.numbering import rule
from gitchat.storage.store import Store
from tests.world import Done, World, open_store


class Shelf:
    """A repository with a log that a test writes as it likes, and its index."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.store: Store = open_store(world.repository() / ".git", fsync=False)
        self.store.directory.mkdir()
        self.reads = 0
        self.index = self.reopen()
        self._seconds = 1_800_000_000

    def reopen(self) -> Index:
        """Another process's view of the same index."""
        return Index(self.store.directory, self._read, lambda count: None)

    def _read(self, oid: Oid) -> codec.Commit:
        self.reads += 1
        return self.store.read(oid)

    def commit(
        self,
        *parents: Oid,
        author: str = "alice",
        uid: str = "",
        kind: str = "message",
        body: str = "",
        seconds: int | None = None,
        written: int | None = None,
        to: tuple[str, ...] = (),
        extra: codec.Block = (),
        email: str = "",
    ) -> Oid:
        """A commit of the log, one second after the one before it; ``written`` is what its author's clock says."""
        self._seconds = self._seconds + 1 if seconds is None else seconds
        who = Signature(author, email or f"{author}@example.com", Moment(self._seconds))
        block = (("Chat-Kind", kind), *((("Chat-Uid", uid),) if uid else ()), *(("Chat-To", one) for one in to), *extra)
        raw = codec.encode_commit(
            tree=self.store.empty_tree(),
            parents=parents,
            author=who if written is None else replace(who, moment=Moment(written)),
            committer=who,
            body=body or f"text {self._seconds}",
            block=block,
        )
        return self.store.write_commit(raw)

    def genesis(self) -> Oid:
        """The root of the lobby."""
        return self.store.write_commit(codec.encode_genesis(RoomName("lobby"), self.store.empty_tree()))

    def git(self, *arguments: str) -> Done:
        """A git command in the repository, whatever its status."""
        return self._world.git(*arguments, cwd=self.store.directory.parent, check=False)

    def chain(self, tip: Oid, index: Index | None = None) -> Chain:
        """The chain of the lobby at ``tip``."""
        return (index or self.index).chain("lobby", tip, rule)

    def truth(self, tip: Oid) -> list[Oid]:
        """What the order rule says."""
        return order.numbered(tip, lambda oid: rule(oid, self.store.read(oid)))

    def told(self, tip: Oid, index: Index | None = None) -> list[Oid]:
        """What the index says."""
        return [place.oid for place in self.chain(tip, index).select()]


def branched(shelf: Shelf) -> list[Oid]:
    """Tips of a log, each continuing the one before: a merge of two sides, a repeated record, a merge of three."""
    line = shelf.commit(shelf.commit(shelf.genesis()))
    side = shelf.commit(shelf.commit(line, author="bob"), author="bob", uid="k3f9q2v7m1c8x0ta")
    main = shelf.commit(line)
    merge = shelf.commit(main, side, kind="merge")
    again = shelf.commit(merge, author="bob", uid="k3f9q2v7m1c8x0ta")
    sides = [shelf.commit(line, author=name) for name in ("carol", "dora")]
    octopus = shelf.commit(again, *sides, kind="merge")
    return [line, main, merge, again, octopus, shelf.commit(octopus)]
