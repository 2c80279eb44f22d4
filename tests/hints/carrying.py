"""Hints that are printed where rooms travel in files, and by forks."""

from __future__ import annotations

from tests.hints.situation import Elsewhere, Repository, Situation

GIVEN = """
git init -q ../other
git init -q --object-format=sha256 ../newer
git chat send one
git chat send two
git chat bundle --since 1 ../later.bundle
git chat bundle ../all.bundle
cd other
git chat send 'of another'
"""

FILES = [
    Situation(
        run="git chat pull ../all.bundle",
        error="../all.bundle has another room 'lobby' than the one here: 2 messages would stand behind those here",
        hint="put both into one: git chat pull ../all.bundle --room lobby --yes",
        then="git chat pull ../all.bundle --room lobby --yes",
        shows="lobby: 2 taken in",
    ),
    Situation(
        run="git chat bundle lobby",
        error="'lobby' is a room, and the file comes first",
        hint="git chat bundle lobby.bundle lobby",
        again="",
    ),
    Situation(
        run="git chat bundle create made.bundle lobby",
        error="git bundle has a 'create', and git chat bundle has none",
        hint="git chat bundle made.bundle lobby",
        again="git chat pull made.bundle",
    ),
    Situation(
        run="git chat pull sent.bundle",
        error="there is neither a remote nor a file 'sent.bundle'",
        hint="have it made where the rooms are: git chat bundle sent.bundle",
        then="git chat bundle sent.bundle",
    ),
    Situation(
        given="echo text > notes",
        run="git chat bundle notes",
        error="notes is there, and is no bundle: it is left as it is",
        hint="write to another file: git chat bundle rooms.bundle",
        then="git chat bundle rooms.bundle",
        again="",
    ),
    Situation(
        run="git chat pull notes",
        error="notes is neither a remote nor a bundle",
        hint="add the remote: git remote add NAME URL; or have a bundle made: git chat bundle FILE",
        then="git chat bundle FILE",
        fill={"FILE": "rooms.bundle"},
        again="git chat pull rooms.bundle",
    ),
    Situation(
        run="git chat bundle out/rooms.bundle",
        error="[..]/out/rooms.bundle cannot be written: [..]",
        hint="make the directory: mkdir -p [..]/out",
        then="mkdir -p [..]/out",
    ),
    Situation(
        given="mkdir shut.bundle.lock",
        run="git chat bundle shut.bundle",
        error="[..]/shut.bundle cannot be written: [..]",
        hint="see who may: ls -ld [..]",
        then="ls -ld [..]",
        again="rmdir shut.bundle.lock; git chat bundle shut.bundle",
    ),
    Situation(
        given="head -c 200 rooms.bundle > torn",
        run="git chat pull torn",
        error="torn is no whole bundle: [..]",
        hint="ask for it once more: git chat bundle FILE",
        then="git chat bundle FILE",
        fill={"FILE": "torn"},
    ),
    Situation(
        given="cp rooms.bundle big; truncate -s 3G big",
        run="git chat pull big",
        error="big is larger than 2 GiB, which no rooms are",
        hint="ask for fewer rooms in it: git chat bundle FILE ROOM",
        then="git chat bundle FILE ROOM",
        fill={"FILE": "big", "ROOM": "lobby"},
    ),
    Situation(
        run="git chat bundle x --since 4",
        error="there is no #4 in room 'lobby'",
        hint="its newest number: git chat log -n 1 --room lobby",
        then="git chat log -n 1 --room lobby",
        shows="#3",
        again="git chat bundle x --since 2",
    ),
    Situation(
        run="git chat bundle x --since 3",
        error="nothing was said in room 'lobby' after #3",
        hint="see the last one: git chat show --room lobby 3",
        then="git chat show --room lobby 3",
        shows="two",
        again="",
    ),
    Situation(
        run="git chat pull ../all.bundle --room plans",
        error="../all.bundle has no room 'plans'",
        hint="it has: lobby",
        then="lobby",
        fill={"lobby": "git chat pull ../all.bundle --room lobby"},
        again="",
    ),
    Situation(
        given="git bundle create -q code.bundle refs/chatroom-local/x 2>/dev/null || "
        "(git update-ref refs/heads/code refs/chatroom/rooms/lobby/log; git bundle create -q code.bundle code)",
        run="git chat pull code.bundle",
        error="code.bundle has no room",
        hint="see what it has: git bundle list-heads code.bundle",
        then="git bundle list-heads code.bundle",
        shows="refs/heads/code",
        again="git branch -q -D code",
    ),
    Situation(
        given="cd newer",
        run="git chat pull ../all.bundle",
        error="../all.bundle has ids of SHA-1, and this repository those of SHA-256",
        hint="take it into a repository of that kind: git init --object-format=sha1 DIRECTORY",
        then="git init --object-format=sha1 DIRECTORY",
        fill={"DIRECTORY": "../fitting"},
        again="cd fitting\ngit chat pull ../all.bundle",
    ),
    Situation(
        given="git init -q ../empty\ncd empty",
        run="git chat bundle x",
        error="there is no room to bundle here",
        hint="begin one: git chat send 'hello'",
        then="git chat send 'hello'",
    ),
    Situation(
        given="git init -q ../behind\ncd behind",
        run="git chat pull ../later.bundle",
        error="../later.bundle goes on from messages that are not here ([..])",
        hint="ask for all of it, or for an earlier --since: git chat bundle FILE lobby",
        then="git chat bundle FILE lobby",
        fill={"git chat": "git -C ../repo chat", "FILE": "../all.bundle"},
        again="git chat pull ../all.bundle; git chat pull ../later.bundle",
    ),
    Situation(
        given="rm .git/objects/pack/* 2>/dev/null; git chat log > /dev/null 2>&1 || true",
        run="git chat bundle y",
        error="git cannot bundle the rooms: [..]",
        hint="git chat verify",
        status=1,
        shows="lobby",
        again="",
    ),
]

REPOSITORIES = [Repository("carrying", FILES, given=GIVEN)]

ELSEWHERE = [
    Elsewhere(
        "tests/cli/test_bundle.py::test_a_bundle_is_neither_printed_nor_typed",
        '"bundle", "rooms.bundle"',
        error="a bundle is no text for a terminal",
        hint="write it to a file: git chat bundle rooms.bundle; or into a pipe",
    ),
    Elsewhere(
        "tests/cli/test_bundle.py::test_a_bundle_is_neither_printed_nor_typed",
        '"pull", "rooms.bundle"',
        error="a bundle cannot be typed",
        hint="give the file: git chat pull FILE",
    ),
    Elsewhere(
        "tests/clones/test_inbox.py::test_a_send_says_where_it_waits",
        'carol.chat("status", "--json", check=True)',
        error="~k3f9q2 has no number yet: it waits in your fork",
        hint="git chat status",
    ),
]
