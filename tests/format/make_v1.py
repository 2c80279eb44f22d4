"""How ``v1.bundle`` and ``v1.json`` were made, once, by the first release of format 1.

They are never made again: every later version must read the bundle and find exactly
the records of the list. Run with a directory as the argument to make a set of the same
kind elsewhere, for a new format.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from gitchat.model import codec
from gitchat.model.codec import Block
from gitchat.model.names import Oid, RoomName, Uid, base32
from gitchat.model.record import Entry, Moment, Record
from gitchat.model.refs import log_ref
from gitchat.model.signature import Signature
from gitchat.storage.store import Store
from tests.world import open_store

ROOM = RoomName("vectors")
START = 1_790_000_000


class Maker:
    """Writes commits with fixed dates and uids, so that their ids are fixed too."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._count = 0

    def genesis(self) -> Oid:
        """The room's root."""
        return self._store.write_commit(codec.encode_genesis(ROOM, self._store.empty_tree()))

    def record(self, parent: Oid, author: str, body: str, **fields: Any) -> Oid:
        """A record after ``parent``."""
        self._count += 1
        moment = Moment(START + 60 * self._count, 120)
        record = Record(
            kind=fields.pop("kind", "message"),
            uid=Uid(fields.pop("uid", base32(self._count.to_bytes(10, "little")))),
            author=author,
            email=f"{author}@example.com",
            written=moment,
            body=body,
            **fields,
        )
        committer = Signature("Ann Other", "ann@example.com", moment)
        return self._store.write_commit(
            codec.encode_record(record, tree=self._store.empty_tree(), parent=parent, committer=committer)
        )

    def commit(self, parents: tuple[Oid, ...], body: str, block: Block) -> Oid:
        """A commit that is no record."""
        self._count += 1
        who = Signature("gitchat", "gitchat@gitchat.invalid", Moment(START + 60 * self._count))
        return self._store.write_commit(
            codec.encode_commit(
                tree=self._store.empty_tree(), parents=parents, author=who, committer=who, body=body, block=block
            )
        )


def make(maker: Maker) -> Oid:
    """A log with everything that format 1 knows, and with what it must put up with."""
    root = maker.genesis()
    plain = maker.record(root, "alice", "hello", origin="human", seq_hint=1)
    base = maker.record(
        plain,
        "bob",
        "a\n\nChat-Kind: message\nChat-Uid: 0000000000000000\n",
        to=("alice", "role:review"),
        type="question",
    )
    theirs = maker.record(base, "carol", "# heading\r\n---\n\n\n", seq_hint=3)
    theirs = maker.record(theirs, "carol", '{"done": 3}', media="json", type="progress", urgent=True)
    ours = maker.record(base, "dave", " \n中文 é \u2028 \n", reply_to=Uid(base32((2).to_bytes(10, "little"))))
    merged = maker.commit((theirs, ours), "sync", (("Chat-Kind", "merge"), ("Chat-Numbered", "5")))
    one = maker.record(merged, "erin", "octopus, first parent")
    two = maker.record(base, "frank", "octopus, second parent")
    two = maker.record(two, "frank", "committed 1234567", kind="status", commit="1234567" + "0" * 33, origin="hook")
    three = maker.record(ours, "grace", "octopus, third parent", extra=(("Chat-New", "kept"),))
    tip = maker.commit((one, two, three), "sync of three", (("Chat-Kind", "merge"),))
    tip = maker.record(tip, "alice", "hello", uid=base32((2).to_bytes(10, "little")), kind="message")
    tip = maker.record(tip, "bob", "a repeated uid of the same author", uid=base32((2).to_bytes(10, "little")))
    tip = maker.record(tip, "heidi", "a kind from the future", kind="poll")
    tip = maker.record(tip, "alice", "title: vectors", kind="meta")
    tip = maker.commit((tip,), "not a record", (("Chat-Kind", "cursor"), ("Chat-Cursor", "alice")))
    return maker.record(tip, "ivan", "last")


def describe(entry: Entry) -> dict[str, Any]:
    """A record as the list shows it."""
    record = entry.record
    return {
        "number": entry.number,
        "oid": entry.oid,
        "committed": entry.committed_seconds,
        "kind": record.kind,
        "uid": record.uid,
        "author": record.author,
        "email": record.email,
        "written": [record.written.seconds, record.written.offset_minutes],
        "body": record.body,
        "to": list(record.to),
        "type": record.type,
        "reply_to": record.reply_to,
        "urgent": record.urgent,
        "commit": record.commit,
        "origin": record.origin,
        "media": record.media,
        "seq_hint": record.seq_hint,
        "extra": [list(pair) for pair in record.extra],
    }


def main(directory: Path) -> None:
    """Write ``v1.bundle`` and ``v1.json`` into ``directory``."""
    from tests.crash.writers import room_of

    repository = directory / "made"
    subprocess.run(["git", "init", "-q", "--bare", repository], check=True)
    store = open_store(repository, fsync=False)
    maker = Maker(store)
    store.move(log_ref(ROOM), lambda _: make(maker), "vectors")
    entries = list(room_of(store, ROOM).entries())[::-1]
    (directory / "v1.json").write_text(
        json.dumps([describe(entry) for entry in entries], indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    bundle = ["git", f"--git-dir={repository}", "bundle", "create", "-q", str(directory / "v1.bundle"), log_ref(ROOM)]
    subprocess.run(bundle, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
