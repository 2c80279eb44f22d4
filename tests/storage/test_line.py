"""A long line of commits: its ids, packed, and what git prints of them, as it is stored."""

from __future__ import annotations

import hashlib
import os
import random
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from gitchat.model.names import Oid
from gitchat.storage import git, line
from gitchat.storage.line import Line, Oids
from tests.property.hostile import EMPTY_TREE
from tests.world import World

MESSAGES = [
    b"hello\n", b"", b"\n", b"\n\nbegins late\n", b"ends early", b"ends late\n\n\n", b"blank behind  \n",
    b"a\n    \nb\n", b"    four blanks\n        and eight\n", b"\ttab\n", b"\rreturn\r\n", b"no end of\0it\n",
    b"caf\xe9\n", b"x\n" * 400, "\u4f60\u597d\n".encode(), b"two\n\nparts\n\nChat-Kind: message\n",
]  # fmt: skip
"""Those that git prints as they are stored, and those that it does not."""

HEADERS = [b"", b"encoding ISO-8859-1\n", b"gpgsig -----BEGIN\n     four\n -----END\n", b"x-of-ours  \n"]


@pytest.mark.parametrize("size", [20, 32])
def test_packed_ids_are_what_a_list_is(size: int) -> None:
    """Whatever part of them is asked; and an id is found where it stands, not where two others look like it."""
    chance = random.Random(size)
    ids = [bytes([number]) * size for number in range(1, 9)] + [chance.randbytes(size) for _ in range(20)]
    packed = Oids(b"".join(reversed(ids)), size)
    assert (len(packed), list(packed), packed[-1], packed[3]) == (len(ids), ids, ids[-1], ids[3])
    for start in range(len(ids) + 2):
        for end in (None, start + 5, len(ids) + 7):
            assert packed[start:end] == ids[start:end]
    with pytest.raises(IndexError):
        packed[len(ids)]
    assert [packed.behind(one) for one in ids] == list(range(1, len(ids) + 1))
    assert packed.behind(b"\xff" * size) == 0
    across = (ids[3] + ids[2])[1 : size + 1]
    assert packed.behind(across) == 0
    assert Oids(b"", size)[0:5] == []


class Asked(Line):
    """Notes which commits git is asked for one more time."""

    asked: list[bytes]

    def contents(self, oids: Sequence[bytes]) -> Iterator[bytes]:
        self.asked += oids
        return super().contents(oids)


def stored(git_dir: Path, raw: bytes, sha: Callable[[bytes], hashlib._Hash]) -> str:
    """Store a commit, whatever it holds; its id."""
    whole = b"commit %d\0%s" % (len(raw), raw)
    oid = sha(whole).hexdigest()
    path = git_dir / "objects" / oid[:2] / oid[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(whole, 1))
    return oid


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_each_commit_is_read_as_it_is_stored(world: World, monkeypatch: pytest.MonkeyPatch, object_format: str) -> None:
    """Whatever stands in it, wherever what is read of the file ends, again from the start, and where there is none."""
    git_dir, sha = world.repository("odd", f"--object-format={object_format}") / ".git", getattr(hashlib, object_format)
    raws: list[bytes] = []
    tip = ""
    for message in MESSAGES:
        for header in HEADERS:
            parent = f"parent {tip}\n" if tip else ""
            who = "ann <ann@example.com> 1700000000 +0000"
            start = f"tree {sha(b'tree 0' + bytes(1)).hexdigest()}\n{parent}author {who}\ncommitter {who}\n"
            raws.append(start.encode() + header + b"\n" + message)
            tip = stored(git_dir, raws[-1], sha)
    monkeypatch.setattr(line, "_PART", 7)
    place = git_dir / "chatroom"
    place.mkdir()
    reader = Asked(git_dir, git.scrub(os.environ))
    for read_bytes, directory, start in ((100, place, 5), (1 << 20, place, 0), (100, place / "none", 0)):
        monkeypatch.setattr(line, "_READ_BYTES", read_bytes)
        reader.asked = []
        with reader.commits(Oid(tip), None, directory) as commits:
            assert len(commits.oids) == len(raws)
            parts = [(at, min(at + 20, len(raws))) for at in range(start, len(raws), 20)]
            assert b"|".join(b"|".join(commits.contents(*part)) for part in parts) == b"|".join(raws[start:])
            assert (len(reader.asked) == len(raws) - start) is not directory.exists()
            next(left := commits.contents(3, 30))
            assert list(commits.contents(30, 33)) == raws[30:33]
            assert next(left) == raws[4]
        assert list(place.iterdir()) == []
    with reader.commits(Oid(tip), Oid(commits.oids[4].hex()), place) as rest:
        assert list(rest.contents(0, len(rest.oids))) == raws[5:]


def test_where_the_disk_is_full_git_reads_a_line_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What git cannot print into a file, or where little is free, it is asked for."""
    git_dir = world.repository("full") / ".git"
    raw = f"tree {EMPTY_TREE}\nauthor a <a@b.c> 1700000000 +0000\ncommitter a <a@b.c> 1700000000 +0000\n\nhello\n"
    tip = stored(git_dir, raw.encode(), hashlib.sha1)
    reader = Asked(git_dir, git.scrub(os.environ))
    with Path("/dev/full").open("r+b", buffering=0) as full:
        ways: list[tuple[str, object]] = [("_spool_in", lambda *given: full), ("SPARE_BYTES", 1 << 62)]
        for name, value in ways:
            reader.asked = []
            with monkeypatch.context() as patched:
                patched.setattr(line, name, value)
                with reader.commits(Oid(tip), None, tmp_path) as commits:
                    assert list(commits.contents(0, 1)) == [raw.encode()]
            assert len(reader.asked) == 1
