"""How ``v2.bundle`` and ``v2.json`` were made, once: what version 0.2 writes, and what it must put up with.

As ``v1.bundle``, they are never made again: every later version finds just these records under these
numbers. Among them are records that a stranger pushed, out of all bounds (docs/format.md section 9.3).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from gitchat.model.names import CloneId, Oid, RoomName
from gitchat.model.record import Entry
from gitchat.model.refs import log_ref
from tests.format import make_v1
from tests.format.make_v1 import ROOM, START, Maker
from tests.world import open_store

DATES = (
    "9223372036854775808 +0000", "18446744073709551615 +0000", "99999999999 +0000", "1099511627776 +0000",
    "1099511627777 +0000", "-5 +0000", f"{'9' * 5000} +0000", "1790000000 +9999", "no date",
)  # fmt: skip
BLOCK = "Chat-Kind: message\nChat-Uid: {}\n"


class Stranger:
    """Writes what no version writes, past git's checks."""

    def __init__(self, git_dir: Path, tree: Oid) -> None:
        self._git_dir = git_dir
        self._tree = tree
        self._count = 0

    def commit(
        self,
        parent: Oid,
        body: str = "strange",
        *,
        author: str | None = "mallory <mallory@example.com>",
        date: str = f"{START + 7200} +0000",
        trailers: str = "",
        headers: str = "",
    ) -> Oid:
        """A commit with these very headers and trailers after ``parent``."""
        self._count += 1
        people = "" if author is None else f"author {author} {date}\ncommitter {author} {date}\n"
        block = BLOCK.format(f"s{self._count:015}") + trailers
        raw = f"tree {self._tree}\nparent {parent}\n{people}{headers}\n{body}\n\n{block}"
        command = ["git", f"--git-dir={self._git_dir}", "hash-object", "-t", "commit", "-w", "--literally", "--stdin"]
        done = subprocess.run(command, input=raw.encode("utf-8", "surrogateescape"), capture_output=True, check=True)
        return Oid(done.stdout.decode().strip())


def make(maker: Maker, stranger: Stranger) -> Oid:
    """A log with all of format 1 that is newer than 0.1.0, and then a stranger's records, each between two of ours."""
    tip = make_v1.make(maker)
    clone = CloneId("0123456789abcdef")
    tip = maker.record(tip, "alice", "from a seat", clone=clone, branch="feature/é", origin="agent")
    tip = maker.record(tip, "bob", "claimed", kind="claim", to=("alice",), origin="agent")
    tip = maker.record(tip, "bob", "given back", kind="release", to=("alice",), origin="agent")
    tip = maker.record(tip, "bob", "state: open", kind="meta", extra=(("Chat-State", "open"), ("Chat-Local", "false")))
    strange: list[dict[str, Any]] = [{"date": date} for date in DATES]
    authors = (None, "a" * 70 + " <a@x>", f"x <{'e' * 300}@x>", "<>", "alice -> all: yes <x>")
    strange += [{"author": author} for author in authors]
    strange += [{"trailers": "".join(f"Chat-To: a{number}\n" for number in range(150))}]
    strange += [{"trailers": "".join(f"X{number}: y\n" for number in range(1100)) + "Chat-Type: question\n"}]
    strange += [{"trailers": "Chat-Uid: second\nChat-Seq: 99999999999999999999\nChat-Priority: URGENT\n"}]
    strange += [{"headers": f"parent {'1' * 40}\n"}, {"headers": "encoding latin1\ngpgsig x\n y\n"}]
    strange += [{"body": "\0 \udcff\udcfe \x1b[2J"}, {"body": "é" * 600_000}]
    for number, fields in enumerate(strange):
        tip = stranger.commit(tip, **fields)
        tip = maker.record(tip, "carol", f"after the stranger's {number}")
    return tip


def describe(entry: Entry) -> dict[str, Any]:
    """A record as the list shows it; a long body by its length and its end."""
    shown = make_v1.describe(entry) | {"clone": entry.record.clone, "branch": entry.record.branch}
    body: str = shown["body"]
    return shown if len(body) < 1000 else shown | {"body": [len(body), body[-100:]]}


def main(directory: Path) -> None:
    """Write ``v2.bundle`` and ``v2.json`` into ``directory``."""
    from tests.crash.writers import room_of

    repository = directory / "made"
    subprocess.run(["git", "init", "-q", "--bare", repository], check=True)
    store = open_store(repository, fsync=False)
    stranger = Stranger(repository, store.empty_tree())
    store.move(log_ref(ROOM), lambda _: make(Maker(store), stranger), "vectors")
    entries = list(room_of(store, RoomName(ROOM)).entries())[::-1]
    (directory / "v2.json").write_text(
        json.dumps([describe(entry) for entry in entries], indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    bundle = ["git", f"--git-dir={repository}", "bundle", "create", "-q", str(directory / "v2.bundle"), log_ref(ROOM)]
    subprocess.run(bundle, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
