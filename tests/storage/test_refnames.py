"""What a look at the tips of all rooms costs beside many refs of others; and loose objects that are inflated once."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest

from gitchat.model import codec
from gitchat.model.names import Oid, RoomName
from gitchat.model.refs import LOCAL_PREFIX, ROOMS_PREFIX, cursor_ref, log_ref
from gitchat.storage import refnames
from gitchat.storage.backend import RefDamaged
from gitchat.storage.looseobject import CutOff, read_loose
from gitchat.storage.refnames import RefNames
from tests.world import World, open_store

LOBBY = RoomName("lobby")


class Lines:
    """The pattern of packed-refs, and how often it was asked."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.asked = 0
        self._pattern = pattern

    def fullmatch(self, data: bytes) -> re.Match[bytes] | None:
        """As Pattern.fullmatch."""
        self.asked += 1
        return self._pattern.fullmatch(data)


def test_refs_of_others_cost_nothing_until_one_of_them_changes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours are found loose and packed; packed-refs is read again when it is another file; damage is told."""
    path = world.repository()
    common_dir, tip = path / ".git", world.git("rev-parse", "HEAD", cwd=path).stdout.strip()
    lines = Lines(refnames._LINES)
    monkeypatch.setattr(refnames, "_LINES", lines)
    log, cursor = log_ref(LOBBY), cursor_ref(LOBBY, "ann")  # type: ignore[arg-type]
    refs = [log, cursor, f"{LOCAL_PREFIX}x", *(f"refs/tags/t{number}" for number in range(300))]
    commands = "".join(f"create {ref} {tip}\n" for ref in refs)
    world.git("update-ref", "--stdin", cwd=path, stdin=commands.encode())
    (common_dir / f"{log}.lock").touch()
    names = RefNames(common_dir)
    assert names.below(ROOMS_PREFIX) == [cursor, log]
    (common_dir / f"{log}.lock").unlink()
    world.git("pack-refs", "--all", cwd=path)
    for _ in range(3):
        assert names.below(ROOMS_PREFIX, "/log") == [log]
        assert names.below(ROOMS_PREFIX) == [cursor, log]
    assert lines.asked == 1
    world.git("update-ref", "-d", cursor, cwd=path)
    world.git("update-ref", log, tip, cwd=path)
    assert names.below("refs/chatroom") == [f"{LOCAL_PREFIX}x", log]
    assert lines.asked == 2
    with (common_dir / "packed-refs").open("a") as file:
        file.write("garbage\n")
    for _ in range(2):
        with pytest.raises(RefDamaged):
            names.below(ROOMS_PREFIX)


def test_a_loose_object_is_what_its_name_says(world: World) -> None:
    """Whole, cut off, forged, garbage: it is read, or told as cut off, or left to git to judge."""
    common_dir = world.repository() / ".git"
    store = open_store(common_dir)
    oid = store.write_commit(codec.encode_genesis(LOBBY, store.empty_tree()))
    path: Path = common_dir / "objects" / oid[:2] / oid[2:]
    directory, whole = str(common_dir / "objects"), path.read_bytes()
    found = read_loose(directory, oid)
    assert found is not None
    assert (found.kind, found.content) == ("commit", store.backend.read_object(oid))
    assert read_loose(directory, Oid("0" * 40)) is None
    path.chmod(0o600)
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CutOff):
            read_loose(directory, oid)
    for bytes_ in (b"garbage", zlib.compress(b"commit 3\0abc"), zlib.compress(b"no header")):
        path.write_bytes(bytes_)
        assert read_loose(directory, oid) is None
