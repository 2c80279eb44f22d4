"""docs/deploy.md, git: the rooms of a clone as a remote over HTTP, and nothing else of it."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from gitchat.model.names import Name, RoomName
from tests.serve.githttp import LIMIT_BYTES, LOCAL, Served, served
from tests.world import World

LOG = "refs/chatroom/rooms/lobby/log"
ZEROS = "0" * 40
SECRET = "the code of the project"
PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A clone with code, a tag and a room, served; the tests leave the lobby as it was, or longer."""
    world = World(tmp_path_factory.mktemp("githttp"))
    path = world.root / "served"
    world.git("init", "--quiet", path)
    (path / "code.txt").write_text(SECRET)
    world.git("add", ".", cwd=path)
    world.git("commit", "--quiet", "-m", "code", cwd=path)
    world.git("tag", "v1", cwd=path)
    world.chat("send", "first", cwd=path, check=True)
    (path / ".git" / "hooks" / "pre-receive").write_text("#!/bin/sh\ntouch was-run\nexit 1\n")
    (path / ".git" / "hooks" / "pre-receive").chmod(0o755)
    world.git("config", "receive.denyNonFastForwards", "true", cwd=path)
    with served(world, path) as it:
        yield it


@pytest.fixture(autouse=True)
def nothing_is_left(at: Served) -> Iterator[None]:
    """After each test no git runs for anybody, and who asks is the local user again."""
    yield
    at.actor = LOCAL
    eventually(lambda: not at.processes())


def eventually(is_so: Callable[[], object]) -> None:
    """Wait until it is so."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def stranger(at: Served, name: str) -> Path:
    """A repository that has nothing in common with the served one, with its address as the remote ``chat``."""
    path = at.world.root / name
    at.world.git("init", "--quiet", path)
    at.world.git("remote", "add", "chat", at.url, cwd=path)
    return path


def tip(at: Served, ref: str = LOG) -> str:
    """What a ref of the served clone is now; empty when it is not there."""
    return at.world.git("for-each-ref", "--format=%(objectname)", ref, cwd=at.path).stdout.strip()


def posted(at: Served, service: str, body: bytes) -> bytes:
    """What is answered to a request of git's protocol that was made by hand."""
    kind = {"Content-Type": f"application/x-{service}-request"}
    with urlopen(Request(at.url + service, body, kind)) as answer:
        return bytes(answer.read())


def status_of(at: Served, path: str, method: str = "GET", body: bytes | None = None) -> int:
    """The status of a request."""
    try:
        with urlopen(Request(at.url + path, body, method=method)) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def command(old: str, new: str, ref: str) -> bytes:
    """The beginning of a push by hand."""
    line = f"{old} {new} {ref}\0report-status".encode()
    return b"%04x%s0000" % (len(line) + 4, line)


def test_a_stranger_syncs_a_room_and_what_it_says_is_in_the_clone_at_once(at: Served) -> None:
    """`git remote add chat URL; git chat sync chat` is all that a host needs; both sides then go on."""
    path = stranger(at, "stranger")
    at.world.chat("sync", "chat", cwd=path, check=True)
    at.world.chat("send", "from afar", cwd=path, check=True, GITCHAT_NAME="bob")
    at.world.chat("sync", "chat", cwd=path, check=True, GITCHAT_NAME="bob")
    told = at.world.chat("log", "--json", cwd=at.path, check=True).stdout.splitlines()
    assert [json.loads(line)["content"] for line in told][-2:] == ["first", "from afar"]
    at.world.chat("send", "and back", cwd=at.path, check=True)
    at.world.chat("sync", "chat", cwd=path, check=True)
    assert "and back" in at.world.chat("log", cwd=path, check=True).stdout
    assert not (at.path / "was-run").exists()
    assert not (at.path / ".git" / "was-run").exists()
    at.world.git("fsck", "--strict", cwd=at.path)


@pytest.mark.parametrize("protocol", ["0", "1", "2"])
def test_nothing_but_rooms_is_seen_or_given_in_any_protocol(at: Served, protocol: str) -> None:
    """HEAD, branches, tags and objects by their ids are not there, whatever git asks with."""
    path = stranger(at, f"protocol-{protocol}")
    spoken = ("-c", f"protocol.version={protocol}")
    refs = at.world.git(*spoken, "ls-remote", "chat", cwd=path).stdout.split()[1::2]
    assert LOG in refs
    assert all(ref.startswith("refs/chatroom/rooms/") for ref in refs)
    commit = tip(at, "refs/heads/main")
    blob = at.world.git("rev-parse", "main:code.txt", cwd=at.path).stdout.strip()
    for wanted in ("HEAD", "refs/heads/main", "v1", commit, blob):
        assert at.world.git(*spoken, "fetch", "chat", wanted, cwd=path, check=False).returncode != 0, wanted
    want = f"want {commit}\n".encode()
    answer = posted(at, "git-upload-pack", b"%04x%s00000009done\n" % (len(want) + 4, want))
    assert b"not our ref" in answer or b"upload-pack: not our ref" in answer


def test_code_cannot_be_had_by_pushing_a_room_that_goes_on_from_it(at: Served) -> None:
    """Who knows the id of a commit cannot make it part of a room: what is served holds no such object."""
    path = stranger(at, "thief")
    parent = tip(at, "refs/heads/main")
    honest = forged(at, path, "")
    assert b"ok refs" in posted(at, "git-receive-pack", honest)
    theft = forged(at, path, f"parent {parent}\n")
    assert b"ng refs" in posted(at, "git-receive-pack", theft)
    assert not tip(at, "refs/chatroom/rooms/theft/log")


def forged(at: Served, path: Path, parents: str) -> bytes:
    """A push by hand of a new room, whose one commit has ``parents`` that need not be there."""
    empty = at.world.git("mktree", cwd=path).stdout.strip()
    raw = f"tree {empty}\n{parents}author a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\nx\n".encode()
    commit = at.world.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", cwd=path, stdin=raw).stdout
    pack = at.world.root / "forged.pack"
    packing = f"printf '%s\\n' {commit.strip()} {empty} | git pack-objects -q --stdout > '{pack}'"
    at.world.run("sh", "-c", packing, cwd=path)
    room = "theft" if parents else "honest"
    return command(ZEROS, commit.strip(), f"refs/chatroom/rooms/{room}/log") + pack.read_bytes()


def test_only_refs_of_rooms_move_and_a_log_only_on(at: Served) -> None:
    """Branches, names that are none, forced and deleting pushes are refused one by one; a cursor may go."""
    path = stranger(at, "pusher")
    at.world.git("fetch", "--quiet", "chat", "refs/chatroom/*:refs/chatroom/*", cwd=path)
    at.world.git("commit", "--quiet", "--allow-empty", "-m", "mine", cwd=path)
    before, cursor = tip(at), "refs/chatroom/rooms/lobby/cursors/zoe"
    at.world.git("push", "--quiet", "chat", f"{LOG}:{cursor}", cwd=path)
    assert tip(at, cursor) == before
    refused = [
        "HEAD:refs/heads/evil", "HEAD:refs/tags/evil", "HEAD:refs/chatroom/evil", "HEAD:refs/chatroom/rooms/A/log",
        "HEAD:refs/chatroom/rooms/con/log", "HEAD:refs/chatroom/rooms/lobby/inbox/x", "HEAD:refs/chatroom-local/root",
        f"+HEAD:{LOG}", "HEAD^{tree}:refs/chatroom/rooms/tree/log",
    ]  # fmt: skip
    done = at.world.git("push", "--porcelain", "chat", *refused, f":{cursor}", cwd=path, check=False)
    flags = {line.split("\t")[1].partition(":")[2]: line[0] for line in done.stdout.splitlines() if "\t" in line}
    assert flags.pop(cursor) == "-"
    assert flags == {spec.partition(":")[2]: "!" for spec in refused}
    assert at.world.git("push", "chat", f":{LOG}", cwd=path, check=False).returncode == 1
    assert tip(at) == before
    assert not tip(at, cursor)
    assert at.world.git("for-each-ref", "refs/heads", "refs/tags", cwd=at.path).stdout.count("\n") == 2


def test_a_push_from_an_old_value_is_refused(at: Served) -> None:
    """What somebody else moved meanwhile stays: the ref is moved from what the pusher knew, or not at all."""
    path = stranger(at, "late")
    at.world.git("fetch", "--quiet", "chat", f"{LOG}:{LOG}", cwd=path)
    old = tip(at)
    at.world.chat("send", "late", cwd=path, check=True)
    at.world.chat("send", "quicker", cwd=at.path, check=True)
    new = at.world.git("rev-parse", LOG, cwd=path).stdout.strip()
    pack = at.world.root / "late.pack"
    at.world.run("sh", "-c", f"printf '%s\\n' {new} | git pack-objects -q --stdout > '{pack}'", cwd=path)
    kept = tip(at)
    assert b"fetch first" in posted(at, "git-receive-pack", command(old, new, LOG) + pack.read_bytes())
    assert tip(at) == kept


def test_who_has_less_than_everything_is_not_let_in(at: Served) -> None:
    """No credentials, guests, tokens of some rooms; one of a name fetches and does not push."""
    fetch, push = "info/refs?service=git-upload-pack", "info/refs?service=git-receive-pack"
    cases = [
        (None, 401, 401),
        (replace(LOCAL, is_guest=True), 403, 403),
        (replace(LOCAL, rooms=frozenset({RoomName("lobby")})), 403, 403),
        (replace(LOCAL, name=Name("bob")), 200, 403),
        (LOCAL, 200, 200),
    ]
    for actor, may_fetch, may_push in cases:
        at.actor = actor
        assert (status_of(at, fetch), status_of(at, push)) == (may_fetch, may_push), actor


def test_other_requests_are_refused(at: Served) -> None:
    """Nothing of the dumb protocol, no file of the repository, no other method."""
    for path in ("HEAD", "info/refs", "objects/info/packs", "config", "../config", "", "info/refs?service=git-x"):
        assert status_of(at, path) in (403, 404), path
    assert status_of(at, "git-upload-pack") == 405
    assert status_of(at, "info/refs?service=git-upload-pack", "POST", b"") == 404


def test_two_gigabytes_are_refused_before_they_are_read(at: Served) -> None:
    """By their announced length, and unannounced ones when the limit is passed: nothing of them stays."""
    place = urlsplit(at.url)
    head = b"POST /git/git-receive-pack HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-git-receive-pack-request\r\n"
    with socket.create_connection((place.hostname, place.port)) as line:
        line.sendall(head + b"Content-Length: 2147483648\r\n\r\n")
        assert b" 413 " in line.recv(65536)
    size = b"\xb0\x80\x80\x80\x80\x01"  # of a blob: 2 GiB
    stored = b"\0\xff\xff\0\0" + bytes(65535)  # a block of what zlib did not compress, and not the last
    begun = command(ZEROS, "1" * 40, "refs/chatroom/rooms/big/log") + b"PACK\0\0\0\2\0\0\0\1" + size + b"\x78\x01"
    sent = 0
    with socket.create_connection((place.hostname, place.port)) as line, suppress(ConnectionError):
        line.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(begun), begun))
        while sent < 20 * LIMIT_BYTES:
            line.sendall(b"%x\r\n%s\r\n" % (len(stored), stored))
            sent += len(stored)
    assert LIMIT_BYTES <= sent < 2 * LIMIT_BYTES
    eventually(lambda: not at.processes())
    packs = at.path / ".git" / "chatroom" / "exchange.git" / "objects"
    assert sum(file.stat().st_size for file in packs.rglob("*") if file.is_file()) < 100_000


def test_a_push_that_is_cut_leaves_no_process(at: Served) -> None:
    """Whoever goes away in the middle, with a length or in chunks, takes the git of the request along."""
    place = urlsplit(at.url)
    blob = b"\xb0\x80\x80\x01" + zlib.compress(os.urandom(10000))[:3000]  # the beginning of one of 2 MiB
    begun = command(ZEROS, "1" * 40, "refs/chatroom/rooms/cut/log") + b"PACK\0\0\0\2\0\0\1\0" + blob
    for header, body in (
        (b"Content-Length: 2700000", begun),
        (b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (len(begun), begun)),
    ):
        line = socket.create_connection((place.hostname, place.port))
        line.sendall(b"POST /git/git-receive-pack HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n")
        line.sendall(b"Content-Type: application/x-git-receive-pack-request\r\n\r\n" + body)
        eventually(lambda: any("index-pack" in words or "unpack-objects" in words for words in at.processes()))
        line.close()
        eventually(lambda: not at.processes())
    assert not tip(at, "refs/chatroom/rooms/cut/log")


def test_no_git_is_left_when_the_server_ends(at: Served) -> None:
    """Closing ends what waits for a client that says nothing; who was told nothing yet is told that."""
    place = urlsplit(at.url)
    client = http.client.HTTPConnection(str(place.hostname), place.port)
    client.putrequest("POST", "/git/git-upload-pack")
    client.putheader("Content-Type", "application/x-git-upload-pack-request")
    client.putheader("Content-Length", "1000")
    client.endheaders(b"0032")
    eventually(lambda: any("upload-pack" in words for words in at.processes()))
    asyncio.run_coroutine_threadsafe(at.git.close(), at.loop).result(PATIENCE_SECONDS)
    assert not at.processes()
    assert client.getresponse().read() in (b"", b"the server ends\n")


def test_more_than_four_wait_for_their_turn(at: Served) -> None:
    """Eight clones at once are all served."""
    paths = [stranger(at, f"crowd-{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        done = pool.map(lambda path: at.world.git("fetch", "--quiet", "chat", f"{LOG}:{LOG}", cwd=path), paths)
        assert [one.returncode for one in done] == [0] * 8


def test_a_damaged_exchange_is_made_again(at: Served) -> None:
    """It is a copy: who finds it broken, or gone, makes it anew."""
    path = stranger(at, "patient")
    exchange = at.path / ".git" / "chatroom" / "exchange.git"
    (exchange / "config").write_bytes(b"\0")
    assert LOG in at.world.git("ls-remote", "chat", cwd=path).stdout
