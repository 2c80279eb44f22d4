"""What every backend must do. A backend's test class inherits this and gives a ``backend``."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitchat.model import codec
from gitchat.model.names import Oid, RefName, RoomName
from gitchat.storage.backend import Backend, ObjectDamaged, ObjectMissing, RefDamaged, RefMoved, SwapRefused
from tests.world import World

LOG = RefName("refs/chatroom/rooms/contract/log")
OTHER = RefName("refs/chatroom/rooms/other/log")
REASON = "contract test"


class BackendContract:
    """The seven calls of gitchat.storage.backend.Backend, each with its promises."""

    @pytest.fixture
    def common_dir(self) -> Path:
        """The git common directory of the repository under test."""
        raise NotImplementedError

    @pytest.fixture
    def backend(self, common_dir: Path) -> Backend:
        """The backend under test, opened on ``common_dir``."""
        raise NotImplementedError

    @pytest.fixture
    def commits(self, backend: Backend) -> list[Oid]:
        """Two commits that nothing points to."""
        tree = backend.write_object("tree", b"")
        raws = [codec.encode_genesis(RoomName(name), tree) for name in ("one", "two")]
        return [backend.write_object("commit", raw) for raw in raws]

    def test_what_is_written_is_read_back(self, backend: Backend) -> None:
        """Content comes back byte for byte, also after writing it twice."""
        content = b"\x00\xff binary\n" * 1000
        oid = backend.write_object("blob", content)
        assert backend.write_object("blob", content) == oid
        assert backend.read_object(oid) == content

    def test_git_sees_what_was_written(
        self, backend: Backend, common_dir: Path, commits: list[Oid], world: World
    ) -> None:
        """Objects and refs are git's own, readable at once by stock git."""
        backend.swap_ref(LOG, None, commits[0], REASON)
        assert world.git("--git-dir", common_dir, "rev-parse", LOG).stdout.strip() == commits[0]
        assert world.git("--git-dir", common_dir, "cat-file", "-t", commits[0]).stdout.strip() == "commit"

    def test_a_header_tells_kind_and_size(self, backend: Backend, commits: list[Oid]) -> None:
        """Of every kind of object, in bytes of its content."""
        assert backend.read_header(backend.write_object("blob", b"12345")) == ("blob", 5)
        assert backend.read_header(commits[0]) == ("commit", len(backend.read_object(commits[0])))

    def test_a_ref_is_removed_only_from_the_value_it_has(self, backend: Backend, commits: list[Oid]) -> None:
        """Whoever moved it meanwhile keeps it; what is gone is gone for git, too, loose or packed."""
        backend.swap_ref(LOG, None, commits[0], REASON)
        with pytest.raises(RefMoved):
            backend.swap_ref(LOG, commits[1], None, REASON)
        assert backend.read_ref(LOG) == commits[0]
        backend.swap_ref(LOG, commits[0], None, REASON)
        assert backend.read_ref(LOG) is None
        backend.swap_ref(LOG, None, commits[1], REASON)
        assert backend.read_ref(LOG) == commits[1]

    def test_a_packed_ref_is_removed_whole(
        self, backend: Backend, common_dir: Path, commits: list[Oid], world: World
    ) -> None:
        """Nothing of it comes back from packed-refs."""
        backend.swap_ref(LOG, None, commits[0], REASON)
        world.git("--git-dir", common_dir, "pack-refs", "--all")
        backend.swap_ref(LOG, commits[0], commits[1], REASON)
        backend.swap_ref(LOG, commits[1], None, REASON)
        assert backend.read_ref(LOG) is None
        assert world.git("--git-dir", common_dir, "for-each-ref", "refs/chatroom").stdout == ""

    def test_missing_object_is_said_to_be_missing(self, backend: Backend, commits: list[Oid]) -> None:
        """An id that no object has is not the same as damage."""
        for read in (backend.read_object, backend.read_header):
            with pytest.raises(ObjectMissing):
                read(Oid("1" * len(commits[0])))

    def test_damaged_object_is_said_to_be_damaged(self, backend: Backend, common_dir: Path) -> None:
        """Bytes that do not have their id are never handed out."""
        oid = backend.write_object("blob", b"to be damaged")
        path = common_dir / "objects" / oid[:2] / oid[2:]
        path.chmod(0o644)
        path.write_bytes(b"garbage")
        for read in (backend.read_object, backend.read_header):
            with pytest.raises(ObjectDamaged):
                read(oid)

    @pytest.mark.parametrize("kept", [0, 1, 10, -1])
    def test_object_that_ends_early_is_damaged(self, backend: Backend, common_dir: Path, kept: int) -> None:
        """What a crash cut off, wherever, is refused at once."""
        oid = backend.write_object("blob", bytes(range(256)))
        path = common_dir / "objects" / oid[:2] / oid[2:]
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(ObjectDamaged):
            backend.read_object(oid)

    def test_packed_object_is_read_past_a_loose_copy_that_ends_early(
        self, backend: Backend, common_dir: Path, world: World
    ) -> None:
        """One whole copy is enough."""
        oid = backend.write_object("blob", bytes(range(256)))
        path = common_dir / "objects" / oid[:2] / oid[2:]
        base = common_dir / "objects" / "pack" / "pack"
        world.git("--git-dir", common_dir, "pack-objects", "-q", base, stdin=f"{oid}\n".encode())
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:20])
        assert backend.read_object(oid) == bytes(range(256))

    def test_ref_that_does_not_exist_has_no_value(self, backend: Backend) -> None:
        """A missing ref is None and no error."""
        assert backend.read_ref(OTHER) is None

    def test_swap_creates_only_what_is_not_there(self, backend: Backend, commits: list[Oid]) -> None:
        """Creation is a compare-and-swap like any other."""
        backend.swap_ref(LOG, None, commits[0], REASON)
        with pytest.raises(RefMoved):
            backend.swap_ref(LOG, None, commits[1], REASON)
        assert backend.read_ref(LOG) == commits[0]

    def test_swap_moves_only_from_the_expected_value(self, backend: Backend, commits: list[Oid]) -> None:
        """A stale expectation changes nothing."""
        backend.swap_ref(LOG, None, commits[0], REASON)
        backend.swap_ref(LOG, commits[0], commits[1], REASON)
        with pytest.raises(RefMoved):
            backend.swap_ref(LOG, commits[0], commits[0], REASON)
        assert backend.read_ref(LOG) == commits[1]

    def test_swap_of_a_locked_ref_is_refused(self, backend: Backend, commits: list[Oid]) -> None:
        """While another process holds the ref's lock nothing moves, and the lock stays."""
        lock = backend.lock_path(LOG)
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
        with pytest.raises(SwapRefused):
            backend.swap_ref(LOG, None, commits[0], REASON)
        assert lock.exists()
        lock.unlink()
        backend.swap_ref(LOG, None, commits[0], REASON)

    def test_swap_survives_packed_refs(
        self, backend: Backend, common_dir: Path, commits: list[Oid], world: World
    ) -> None:
        """A ref that git packed is read and moved as before."""
        backend.swap_ref(LOG, None, commits[0], REASON)
        world.git("--git-dir", common_dir, "pack-refs", "--all")
        assert backend.read_ref(LOG) == commits[0]
        backend.swap_ref(LOG, commits[0], commits[1], REASON)
        assert world.git("--git-dir", common_dir, "rev-parse", LOG).stdout.strip() == commits[1]

    def test_refs_are_listed_by_prefix_in_order(self, backend: Backend, commits: list[Oid]) -> None:
        """Only what begins with the prefix, sorted by name."""
        backend.swap_ref(OTHER, None, commits[1], REASON)
        backend.swap_ref(LOG, None, commits[0], REASON)
        assert backend.list_refs("refs/chatroom/rooms/") == [(LOG, commits[0]), (OTHER, commits[1])]

    def test_refs_are_listed_by_their_end_too(
        self, backend: Backend, common_dir: Path, commits: list[Oid], world: World
    ) -> None:
        """Only what begins and ends so; others may be as many as they like."""
        cursor = RefName("refs/chatroom/rooms/lobby/cursors/alice")
        for ref in (OTHER, cursor, LOG):
            backend.swap_ref(ref, None, commits[0], REASON)
        expected = [(LOG, commits[0]), (OTHER, commits[0])]
        assert backend.list_refs("refs/chatroom/rooms/", "/log") == expected
        world.git("--git-dir", common_dir, "pack-refs", "--all")
        assert backend.list_refs("refs/chatroom/rooms/", "/log") == expected
        backend.swap_ref(LOG, commits[0], commits[1], REASON)
        assert backend.list_refs("refs/chatroom/rooms/", "/log") == [(LOG, commits[1]), (OTHER, commits[0])]
        assert backend.list_refs("refs/nobody/", "/log") == []

    def test_damaged_ref_is_said_to_be_damaged(self, backend: Backend, common_dir: Path, commits: list[Oid]) -> None:
        """Garbage in a ref is neither a missing room nor a crash; other refs in files are still listed."""
        backend.swap_ref(LOG, None, commits[0], REASON)
        backend.swap_ref(OTHER, None, commits[1], REASON)
        has_files = not (common_dir / "reftable").is_dir()
        damaged = [common_dir / LOG] if has_files else list((common_dir / "reftable").glob("*.ref"))
        for path in damaged:
            path.write_text("garbage\n")
        with pytest.raises(RefDamaged):
            backend.read_ref(LOG)
        if has_files:
            assert backend.list_refs("refs/chatroom/rooms/") == [(OTHER, commits[1])]

    @pytest.mark.parametrize("damage", [b"garbage\n", b"\0" * 50, b"1" * 40 + b" refs/chatroom/rooms/lob"])
    def test_damaged_packed_refs_hide_no_room(
        self, backend: Backend, common_dir: Path, commits: list[Oid], world: World, damage: bytes
    ) -> None:
        """A ref that may stand in a file that cannot be read is not missing, however often it is asked for."""
        if (common_dir / "reftable").is_dir():
            pytest.skip("a reftable has no packed-refs")
        backend.swap_ref(LOG, None, commits[0], REASON)
        world.git("--git-dir", common_dir, "pack-refs", "--all")
        (common_dir / "packed-refs").write_bytes(damage)
        for _ in range(3):
            with pytest.raises(RefDamaged):
                backend.read_ref(LOG)
            with pytest.raises(RefDamaged):
                backend.list_refs("refs/chatroom/rooms/")
