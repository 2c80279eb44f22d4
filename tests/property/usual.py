"""The bytes of commits as gitchat writes them, and of such that are almost so, from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from gitchat.model.names import uid_from_random
from tests.property import hostile
from tests.property.hostile import EMPTY_TREE


class Commits:
    """Writes the bytes of commits, usual ones and such that are almost so; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def usual(self, parents: Sequence[str]) -> bytes:
        """As ``git chat send`` writes them, with whatever it may write, and a uid that comes again now and then."""
        pick = self.random.choice
        person = [b"%s <%s> %d +0%d00" % (
            pick([b"ann", b"bob", "J\u00f6rg M".encode(), b"a  b"]),
            pick([b"a@example.com", b"", b"A@B.c", b"x@agents.gitchat.invalid"]),
            self.random.randrange(2**40), self.random.randrange(10),
        ) for _ in range(2)]  # fmt: skip
        lines = [b"tree " + EMPTY_TREE.encode(), *(b"parent " + one.encode() for one in parents)]
        lines += [b"author " + person[0], b"committer " + person[1], b""]
        some = [
            b"Chat-Seq: 7", b"Chat-To: ann", b"Chat-To: role:dev", b"Chat-To: nul", b"Chat-Type: question",
            b"Chat-Type: con", b"Chat-Reply: " + b"0" * 16, b"Chat-Priority: urgent", b"Chat-Commit: " + b"f" * 40,
            b"Chat-Branch: main", b"Chat-Clone: " + pick([b"-", b"1" * 16, b"2" * 16]), b"Chat-Origin: agent",
            b"Chat-Media: json",
            *(b"Chat-At: " + one for one in pick([*[()] * 12, (b"a.py:3-4", b"b\xc3\xa9"), (b"../x",)])),
        ]  # fmt: skip
        uid = uid_from_random(self.random.randrange(500).to_bytes(10, "big")).encode()
        block = [b"Chat-Kind: " + pick([b"message", b"message", b"status", b"claim", b"meta", b"merge"])]
        block += [b"Chat-Uid: " + uid, *(one for one in some if self.random.random() < 0.4)]
        body = pick(
            [b"hello", b"", b"two\n\nparts", "\u4f60\u597d and caf\u00e9".encode(), b"a\n\nChat-Kind: message\n"]
        )
        return b"\n".join([*lines, body, b"", *block, b""])

    def faulty(self, raw: bytes) -> bytes:
        """``raw`` with one fault somewhere."""
        place = self.random.randrange(len(raw))
        pieces = [
            *hostile.NAMES,
            *hostile.DATES,
            *hostile.TRAILERS,
            *hostile.HEADERS,
            b"\n",
            b"\n\n",
            b" ",
            b"\0",
            b"<",
        ]
        piece = self.random.choice([one for one in pieces if len(one) < 100])
        cut = self.random.choice([0, 0, 1, len(piece)])
        if self.random.random() < 0.5:  # a line of its own, where it means the most
            place = raw.rfind(b"\n", 0, place) + 1
            piece += b"\n"
        return raw[:place] + piece + raw[place + cut :]
