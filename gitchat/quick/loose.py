"""Loose objects, as git keeps them: written whole under their final names, and read.

Source: gitformat-loose(5), gitrepository-layout(5). SHA-1 alone: what has another is for the long way.
"""

import os
from zlib import adler32, compress, decompressobj, error

from gitchat.quick.unusual import Unusual

try:
    from _sha1 import sha1  # type: ignore[import-not-found]  # without OpenSSL, which takes long to load
except ImportError:  # a Python that was built without it
    from hashlib import sha1

_LEVEL = 1
"""As libgit2 deflates: what is loose is packed soon."""

_STORED_BYTES = 3072
"""What a block of a disk holds is stored as it is, as git does with ``core.looseCompression`` 0: nothing is gained by
less, and zlib begins with clearing 256 KiB of memory."""

_TRIES = 4
"""git prune removes directories that are empty, also between our making one and writing into it."""

_MOST_BYTES = 8 * 1024 * 1024

_FEW_BYTES = 16 * 1024
"""What holds nearly all: memory for the most would be asked of the system for each."""


def frame(kind: bytes, content: bytes) -> "tuple[str, bytes]":
    """The id of an object, and what its file holds, deflated."""
    framed = b"%s %d\0%s" % (kind, len(content), content)
    return sha1(framed).hexdigest(), framed


def write(objects: str, oid: str, framed: bytes) -> None:
    """Store an object that :func:`frame` framed in the directory ``objects``. Raises Unusual: the disk refuses.

    Not synced: what it holds is in the journal before anything is acknowledged.
    """
    directory = f"{objects}/{oid[:2]}"
    draft = f"{directory}/tmp_obj_{oid[2:]}"  # git, too, takes that for left over; who has the write lock writes alone
    data = _deflated(framed)
    for _ in range(_TRIES):
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o444)
        except FileNotFoundError:
            _make(directory)
            continue
        except OSError as refused:
            raise Unusual from refused
        try:
            try:
                is_whole = os.write(descriptor, data) == len(data)
            finally:
                os.close(descriptor)
            if is_whole:
                os.rename(draft, f"{directory}/{oid[2:]}")
                return
        except OSError as refused:
            _drop(draft)
            raise Unusual from refused
        except BaseException:
            _drop(draft)
            raise
        _drop(draft)
        break
    raise Unusual


def read(objects: str, oid: str) -> bytes:
    """The content of a loose commit. Raises FileNotFoundError, and Unusual: it is damaged, or no commit."""
    descriptor = os.open(f"{objects}/{oid[:2]}/{oid[2:]}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(descriptor, _FEW_BYTES)
        if len(data) == _FEW_BYTES:
            data += os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)
    inflater = decompressobj()
    try:
        framed = inflater.decompress(data, _MOST_BYTES)
    except error as wrong:
        raise Unusual from wrong
    head, _, content = framed.partition(b"\0")
    if not inflater.eof or head != b"commit %d" % len(content):
        raise Unusual
    return content


def _deflated(framed: bytes) -> bytes:
    """A stream of zlib that holds it. Source: RFC 1950; RFC 1951, section 3.2.4."""
    size = len(framed)
    if size > _STORED_BYTES:
        return compress(framed, _LEVEL)
    lengths = size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")
    return b"".join((b"\x78\x01\x01", lengths, framed, adler32(framed).to_bytes(4, "big")))


def _make(directory: str) -> None:
    try:
        os.mkdir(directory)
    except FileExistsError:
        pass
    except OSError as refused:
        raise Unusual from refused


def _drop(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
