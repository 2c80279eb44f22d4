"""Objects and refs, read as git keeps them: loose ones here, packed ones by a git that is asked."""

from zlib import decompressobj, error

from gitchat.quick.place import Place, read
from gitchat.quick.plain import is_oid
from gitchat.quick.spawned import CatFile
from gitchat.quick.unusual import Unusual

_MOST_BYTES = 2 * 1024 * 1024
"""A commit of ours has a body of 1 MiB at the most."""

_OID_BYTES = 20

_PACKED_REFS_BYTES = 16 * 1024 * 1024


class Objects:
    """The commits of a repository, to be closed."""

    __slots__ = ("_directory", "_packed")

    def __init__(self, place: Place) -> None:
        self._directory = place.common_dir + "/objects/"
        self._packed = CatFile(place)

    def commit(self, oid: str) -> bytes:
        """The bytes of a commit. Raises Unusual: it is missing, damaged, large or none."""
        return self._object(b"commit", oid)

    def names_in(self, tree: str) -> "list[bytes]":
        """What the entries of a tree of SHA-1 are called. Raises Unusual, as :meth:`commit`."""
        data, names = self._object(b"tree", tree), []
        while data:
            _, _, rest = data.partition(b" ")
            name, end, rest = rest.partition(b"\0")
            if not end or len(rest) < _OID_BYTES:
                raise Unusual
            names.append(name)
            data = rest[_OID_BYTES:]
        return names

    def _object(self, kind: bytes, oid: str) -> bytes:
        try:
            data = read(f"{self._directory}{oid[:2]}/{oid[2:]}", _MOST_BYTES)
        except FileNotFoundError:
            return self._packed.content(kind, oid)
        inflater = decompressobj()
        try:
            header, _, content = inflater.decompress(data, _MOST_BYTES).partition(b"\0")
        except error as wrong:
            raise Unusual from wrong
        if not inflater.eof or header != b"%s %d" % (kind, len(content)):
            raise Unusual
        return content

    def close(self) -> None:
        """Let go of what was started."""
        self._packed.close()


def tip(place: Place, ref: str) -> str:
    """What ``ref`` points to, be it loose or packed. Raises Unusual: it is nowhere, damaged or symbolic."""
    found = find_tip(place, ref)
    if found is None:
        raise Unusual
    return found


def find_tip(place: Place, ref: str) -> "str | None":
    """As :func:`tip`; None where there is no such ref for sure."""
    try:
        data = read(f"{place.common_dir}/{ref}", 64)
    except FileNotFoundError:
        data = _packed(place, ref)
    if not data:
        return None
    found = data.decode("ascii", "replace").removesuffix("\n")
    if not is_oid(found):
        raise Unusual
    return found


def _packed(place: Place, ref: str) -> bytes:
    """What packed-refs has of ``ref``; nothing where that is not in it. Raises Unusual: it is not as git writes it."""
    try:
        data = read(place.common_dir + "/packed-refs", _PACKED_REFS_BYTES)
    except FileNotFoundError:
        return b""
    end = data.find(b" %s\n" % ref.encode())
    if end < 0 and all(_is_packed_line(line) for line in data.split(b"\n")[:-1]) and data[-1:] in (b"", b"\n"):
        return b""
    if end < 40 or (end > 40 and data[end - 41 : end - 40] != b"\n"):
        raise Unusual
    return data[end - 40 : end]


def _is_packed_line(line: bytes) -> bool:
    return line[:1] in (b"#", b"^") or (line[40:41] == b" " and not line[:40].strip(b"0123456789abcdef"))


def packed_below(place: Place, prefix: str) -> "list[str]":
    """The packed refs whose names begin with ``prefix``, without that."""
    try:
        data = read(place.common_dir + "/packed-refs", _PACKED_REFS_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return [line.partition(" " + prefix)[2] for line in data.split("\n") if line[40:].startswith(" " + prefix)]


def may_be(place: Place, ref: str) -> bool:
    """Whether there may be a ref of this name, or others below it; False is certain."""
    from os.path import lexists

    if lexists(f"{place.common_dir}/{ref}"):
        return True
    try:
        return f" {ref}\n".encode() in read(place.common_dir + "/packed-refs", _PACKED_REFS_BYTES)
    except FileNotFoundError:
        return False


def is_any_below(place: Place, prefix: str) -> bool:
    """Whether there may be a ref whose name begins with ``prefix``, which ends in a slash; False is certain."""
    from os.path import lexists

    if lexists(f"{place.common_dir}/{prefix[:-1]}"):
        return True
    try:
        return prefix.encode() in read(place.common_dir + "/packed-refs", _PACKED_REFS_BYTES)
    except FileNotFoundError:
        return False
