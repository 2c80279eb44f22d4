"""The journal file. Proves docs/format.md section 7.4."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from gitchat.model.names import Oid
from gitchat.storage.backend import ObjectKind
from gitchat.storage.journal import Journal, Saved


def saved(kind: ObjectKind, content: bytes) -> Saved:
    """An object with the id that git gives it."""
    return Saved(Oid(hashlib.sha1(f"{kind} {len(content)}\0".encode() + content).hexdigest()), kind, content)


FIRST = saved("commit", b"tree x\n\nbody\n")
SECOND = saved("blob", b"\x00\xff\n" * 100)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal with two objects."""
    journal = Journal(tmp_path / "journal")
    journal.add(FIRST)
    journal.add(SECOND)
    return journal


def test_what_was_added_is_there_in_order(journal: Journal) -> None:
    """Content comes back byte for byte, each object once."""
    journal.add(FIRST)
    assert journal.entries() == [FIRST, SECOND]


def test_a_missing_journal_is_empty(tmp_path: Path) -> None:
    """No file is no error."""
    assert Journal(tmp_path / "none").entries() == []
    assert Journal(tmp_path / "none").size_bytes() == 0


def test_dropped_objects_are_gone_and_the_others_stay(journal: Journal) -> None:
    """The file is written anew with what is left."""
    journal.drop({FIRST.oid})
    assert journal.entries() == [SECOND]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_torn_end_loses_only_the_torn_entry(journal: Journal, tmp_path: Path, cut: int) -> None:
    """A writer that was killed in its write harms nobody else's entry, also not a later one."""
    path = tmp_path / "journal"
    path.write_bytes(path.read_bytes()[:-cut])
    assert journal.entries() == [FIRST]
    journal.add(SECOND)
    assert journal.entries() == [FIRST, SECOND]


def test_a_torn_id_does_not_run_into_the_next(journal: Journal, tmp_path: Path) -> None:
    """What is left of an id and the id after it are not taken for one id of the longer kind."""
    path = tmp_path / "journal"
    path.write_bytes(path.read_bytes() + b"a" * 24)
    journal.add(saved("blob", b"after"))
    assert journal.entries() == [FIRST, SECOND, saved("blob", b"after")]
    assert journal.unreadable_bytes() == 24


def test_an_entry_in_a_torn_body_is_no_entry(tmp_path: Path) -> None:
    """Somebody's text that looks like an entry of another id is not handed out under that id."""
    forged = Saved(Oid("a" * 40), "commit", b"forged")
    other = Journal(tmp_path / "other")
    other.add(forged)
    journal = Journal(tmp_path / "journal")
    journal.add(saved("commit", (tmp_path / "other").read_bytes() * 2))
    torn = (tmp_path / "journal").read_bytes()[:-60]
    (tmp_path / "journal").write_bytes(torn)
    assert journal.entries() == []


def test_what_cannot_be_read_is_dropped_with_what_is_packed(journal: Journal, tmp_path: Path) -> None:
    """Writing the file anew leaves whole entries only; a file that is not there stays away."""
    path = tmp_path / "journal"
    path.write_bytes(b"junk" + path.read_bytes())
    journal.drop(())
    assert (journal.entries(), journal.unreadable_bytes()) == ([FIRST, SECOND], 0)
    path.unlink()
    journal.drop(())
    assert not path.exists()


@pytest.mark.parametrize("garbage", [b"junk", b"\0" * 100, b"a" * 40 + b" commit 999999999 00000000\n"])
def test_garbage_is_passed_over(journal: Journal, tmp_path: Path, garbage: bytes) -> None:
    """What does not check is not there; what follows is."""
    path = tmp_path / "journal"
    path.write_bytes(garbage + path.read_bytes())
    assert journal.entries() == [FIRST, SECOND]


def test_changed_content_is_not_handed_out(journal: Journal, tmp_path: Path) -> None:
    """An entry whose checksum does not fit is as good as missing."""
    path = tmp_path / "journal"
    path.write_bytes(path.read_bytes().replace(b"body", b"BODY"))
    assert journal.entries() == [SECOND]


def test_ids_are_read_on_from_where_they_were_read(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process adds, also in pieces and behind damage, and what takes the place of it all."""
    read: list[int] = []

    def counted(descriptor: int, size: int, place: int, pread=os.pread) -> bytes:  # type: ignore[no-untyped-def]
        data: bytes = pread(descriptor, size, place)
        read.append(len(data))
        return data

    monkeypatch.setattr(os, "pread", counted)
    path, beside = tmp_path / "journal", Journal(tmp_path / "journal")
    assert journal.oids() == [FIRST.oid, SECOND.oid]
    read.clear()
    assert journal.oids() == [FIRST.oid, SECOND.oid]
    assert sum(read) <= 256
    more = [saved("blob", b"%d" % number) for number in range(5)]
    for one in more[:3]:
        beside.add(one)
    assert journal.oids() == [one.oid for one in beside.entries()]
    whole = path.read_bytes()
    beside.add(more[3])
    torn = path.read_bytes()
    for cut in range(len(whole), len(torn)):
        path.write_bytes(torn[:cut])
        assert journal.oids() == [one.oid for one in beside.entries()], cut
    beside.add(more[4])
    assert journal.oids() == [one.oid for one in beside.entries()]
    assert journal.oids()[-1] == more[4].oid
    beside.drop([FIRST.oid, more[1].oid])
    assert journal.oids() == [one.oid for one in beside.entries()]
    path.write_bytes(path.read_bytes()[:-1] + b"x")  # the same inode, and the last one is damaged
    assert journal.oids() == [one.oid for one in beside.entries()]
    path.unlink()
    assert journal.oids() == []
    beside.add(SECOND)
    assert journal.oids() == [SECOND.oid]
