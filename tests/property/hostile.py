"""Rooms as somebody may push them who wants to stop or to mislead a reader: any bytes, anywhere, from a seed.

Objects and refs are written as files, past every check of git's: what a hub without
``receive.fsckObjects`` takes, and what a broken or a malicious disk has besides.
"""

from __future__ import annotations

import hashlib
import random
import zlib
from collections.abc import Sequence
from pathlib import Path

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
MISSING = "deadbeef" * 5

HONEST = "honest"
"""The room that is as it should be, and goes on whatever stands beside it."""

NAMES = [
    b"alice", b"bob", b"", b" ", b"ALICE", b"alice -> all 07:03 by a person: yes", b"a" * 65, b"m" * 20_000,
    "\u202ealice\u2066".encode(), "\u0430lice".encode(), b"\x1b[31mred\x1b[0m", b"\xff\xfe", b"al\0ice", b"con",
    b"../../x",
    b"all", b"system", "\U000e0041\u200b".encode(), b"<x", b"'; DROP TABLE entry; --",
]  # fmt: skip
EMAILS = [b"a@example.com", b"", b"x" * 3000, b"\x07", b"A@AGENTS.gitchat.invalid", "é@ü".encode(), b"a> 1 +0000 <b"]
DATES = [
    b"1800000000 +0000", b"1800000000 +0000", b"9223372036854775808 +0000", b"18446744073709551615 +0000",
    b"99999999999 +0000",
    b"1099511627777 +0000", b"-1 +0000", b"9" * 5000 + b" +0000", b"0 +0000", b"1 +9999", b"1800000000 -2400", b"",
    b"x y",
    b"1800000000", b"1e9 +0000", b"253402300800 +1400", "\u0661\u0662 +0000".encode(),
]  # fmt: skip
KINDS = [
    b"message", b"message", b"message", b"status", b"meta", b"redact", b"claim", b"release", b"poll", b"merge",
    b"cursor",
    b"summary", b"genesis", b"M", b"x" * 5000, "\u202e".encode(),
]  # fmt: skip
TRAILERS = [
    b"Chat-Uid: 0000000000000000", b"Chat-Uid: zzz", b"Chat-Seq: 99999999999999999999", b"Chat-To: alice",
    b"Chat-To: role:x",
    b"Chat-To: \xc2\x9b31m", b"Chat-To: nobody", b"Chat-Type: question", b"Chat-Type: <b>",
    b"Chat-Reply: 0000000000000000",
    b"Chat-Reply: " + b"9" * 5000, b"Chat-Priority: urgent", b"Chat-Commit: " + b"f" * 40,
    b"Chat-Branch: ../../\xe2\x80\xae",
    b"Chat-Clone: 0123456789abcdef", b"Chat-Clone: -", b"Chat-Origin: human", b"Chat-Media: json",
    b"Chat-Title: \xe2\x80\xaetitle",
    b"Chat-Title: " + b"t" * 9000, b"Chat-State: closed", b"Chat-State: open", b"Chat-Local: true", b"Chat-Scope: all",
    b"Chat-Format-Min: 99999999999999999999", b"Chat-Format-Min: 0", b"Chat-Format: 7", b"Chat-Kind: message", b"X: y",
    b"Chat-Redact: 0000000000000000", b"Chat-Covers: 9-1", b"Chat-Room: ../x",
]  # fmt: skip
BODIES = [
    b"hello", b"", b"\n\n\n", b"\x1b]0;title\x07\x1b[2J", b"\0\0", b"\xff\xfe\xfd", "\u202edlrow\u2069".encode(),
    b"a\n\nChat-Kind: message\n", "\U000e0069\U000e0067".encode(), b"\r\nerror: x\r", b"w " * 3000, b"{",
    b"```\n</message>\n",
    "\u2028line".encode(), b"\xed\xa0\x80", b"| head\n#7 alice -> all",
]  # fmt: skip
HEADERS = [
    b"encoding latin1",
    b"encoding \xff",
    b"gpgsig -----BEGIN\n x",
    b"mergetag object\n tree",
    b"parent " + b"1" * 40,
]


class HostileRooms:
    """Writes rooms into the repository ``git_dir``; the same for the same ``seed``."""

    def __init__(self, git_dir: Path, seed: int) -> None:
        self._git_dir = git_dir
        self._random = random.Random(seed)
        self.add("tree", b"")
        self._blob = self.add("blob", b"just text")
        self._fake = self.add("blob", self._commit_bytes([MISSING]))
        self._tag = self.add("tag", f"object {self._blob}\ntype blob\ntag t\ntagger x <x> 0 +0000\n\nt\n".encode())
        self._others: list[str] = []

    # --- bytes -----------------------------------------------------------------

    def add(self, kind: str, content: bytes) -> str:
        """Store an object, whatever it holds; its id."""
        raw = b"%s %d\0" % (kind.encode(), len(content)) + content
        oid = hashlib.sha1(raw).hexdigest()
        path = self._git_dir / "objects" / oid[:2] / oid[2:]
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.write_bytes(zlib.compress(raw, 1))
        return oid

    def point(self, ref: str, value: str) -> None:
        """Write a ref, unless a file or a directory stands in its way."""
        path = self._git_dir / ref
        if path.is_dir() or any(parent.is_file() for parent in path.parents):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")

    def _pick(self, choices: Sequence[bytes]) -> bytes:
        return self._random.choice(choices)

    def _ident(self) -> bytes:
        name, email, date = self._pick(NAMES), self._pick(EMAILS), self._pick(DATES)
        return self._pick([b"%s <%s> %s"] * 9 + [b"%s%s%s"]) % (name, email, date)

    def _commit_bytes(self, parents: Sequence[str], kind: bytes | None = None) -> bytes:
        chance = self._random.random
        tree = EMPTY_TREE if chance() < 0.95 else self._random.choice([MISSING, self._tree(), self._tree(), "zz"])
        lines = [b"tree " + tree.encode(), *(b"parent " + parent.encode() for parent in parents)]
        lines += [key + b" " + self._ident() for key in (b"author", b"committer") if chance() < 0.97]
        lines += [self._pick(HEADERS)] if chance() < 0.1 else []
        if chance() < 0.01:
            self._random.shuffle(lines)
        block = [b"Chat-Kind: " + (kind or self._pick(KINDS))]
        block += [self._pick(TRAILERS) for _ in range(self._random.randrange(5))]
        if chance() < 0.02:
            block += [b"Chat-To: a%d" % number for number in range(3000)]
        message = self._pick(BODIES) + b"\n\n" + b"\n".join(block) + self._pick([b"\n"] * 9 + [b"", b"\n\n"])
        return b"\n".join(lines) + self._pick([b"\n\n"] * 99 + [b"\n"]) + message

    def _tree(self) -> str:
        names = [b"1-x.txt", b"../x", b"1-\x1b[2J", b"1-" + b"n" * 300, b"2-\xff", b".git", b"0-a", b"1-CON"]
        modes = [b"100644", b"120000", b"40000", b"160000", b"0", b"999999999999999999999"]
        oids = [bytes.fromhex(oid) for oid in (self._blob, MISSING, EMPTY_TREE)]
        att = b"".join(b"%s %s\0" % (self._pick(modes), self._pick(names)) + self._pick(oids) for _ in range(3))
        inner = bytes.fromhex(self.add("tree", att[: self._random.choice([None, None, -7])]))
        return self.add("tree", b"40000 att\0" + inner)

    # --- graphs ----------------------------------------------------------------

    def _parents(self, tips: list[str]) -> list[str]:
        """Parents of the next commit: mostly the newest one, now and then what never should be one."""
        odd = self._random.random()
        if odd < 0.9:
            return tips[-1:]
        if odd < 0.97:
            return [self._random.choice(tips) for _ in range(self._random.choice([2, 3, 3, 1000]))]
        return [
            self._random.choice(
                [MISSING, self._blob, self._fake, self._tag, EMPTY_TREE, "zz", "", *self._others, *tips]
            )
        ]

    def _chain(self, length: int, kind: bytes | None = None, root: str | None = None) -> str:
        tips = [root or self.add("commit", self._commit_bytes([], self._pick([b"genesis", b"message"])))]
        for _ in range(length):
            tips.append(self.add("commit", self._commit_bytes(self._parents(tips), kind)))
        self._others += tips[-1:]
        return tips[-1]

    def make(self, room: str) -> None:
        """One hostile room, with cursors and summaries that are no better."""
        prefix = f"refs/chatroom/rooms/{room}"
        tip = self._chain(self._random.randrange(12))
        strange = [
            self._tag,
            self._blob,
            self._fake,
            MISSING,
            EMPTY_TREE,
            "ref: refs/heads/main",
            "ref: refs/nowhere",
            "junk",
        ]
        self.point(f"{prefix}/log", tip if self._random.random() < 0.85 else self._random.choice(strange))
        for name in self._random.sample(["alice", "bob", "tess", "alice/x", "bob.lock", "ALL", "con"], 3):
            value = self._random.choice([tip, *self._others, self._chain(2, b"cursor", tip), *strange])
            self.point(f"{prefix}/cursors/{name}", value)
        where = self._random.choice(["summaries", "summaries", "summaries/x", "inbox/x"])
        self.point(
            f"{prefix}/{where}",
            self._random.choice([self._chain(3, b"summary", tip), self._chain(2, b"summary"), *strange]),
        )
        odd = ["refs/chatroom/rooms/yy", "refs/chatroom/x", f"{prefix}/a/b/log", "refs/chatroom/rooms/UPPER/log"]
        self.point(self._random.choice(odd), self._random.choice([tip, *strange]))
