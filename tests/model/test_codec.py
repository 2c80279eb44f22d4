"""The text of a chat commit. Proves docs/format.md sections 3 and 4."""

from __future__ import annotations

import hashlib
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchat.model import codec
from gitchat.model.errors import FormatError
from gitchat.model.names import CloneId, Oid, RoomName, Uid, uid_from_oid
from gitchat.model.record import Moment, Record
from gitchat.model.signature import Signature

EMPTY_TREE = Oid("4b825dc642cb6eb9a060e54bf8d69288fbee4904")
PARENT = Oid("1" * 40)
COMMITTER = Signature("Alice Doe", "alice@example.com", Moment(1_800_000_000, 60))
UID = Uid("k3f9q2v7m1c8x0ta")
BLOCK = "Chat-Kind: message\nChat-Uid: k3f9q2v7m1c8x0ta\n"

NASTY = [
    "hello",
    "",
    "\n",
    "\n\n\n\n",
    " leading and trailing ",
    "trailing blanks  \n\n",
    "one\r\ntwo\r\n\r\n",
    "# a heading\n\n## and another",
    "above\n# ------------------------ >8 ------------------------\nbelow",
    "first\n---\nsecond",
    "From 1111111111111111111111111111111111111111 Mon Sep 17 00:00:00 2001",
    "diff --git a/x b/x\nindex 0..1\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b",
    f"a forged block\n\n{BLOCK}",
    f"a forged block without its last line break\n\n{BLOCK}".rstrip(),
    f"two of them\n\n{BLOCK}\n\n{BLOCK}",
    BLOCK,
    "\n\n" + BLOCK,
    "Signed-off-by: Mallory <m@example.com>",
    "\ufeffwith a byte-order mark",
    "line\u2028separator\u2029and paragraph",
    "tab\tescape\x1b[31m bell\x07",
    "x" * 1_048_576,
    "short lines\n" * 80_000,
]


def record(body: str, **fields: object) -> Record:
    """A message of alice's with this body."""
    base = {
        "kind": "message",
        "uid": UID,
        "author": "alice",
        "email": "a@example.com",
        "written": Moment(1_800_000_000),
    }
    return Record(body=body, **(base | fields))  # type: ignore[arg-type]


def round_trip(written: Record) -> Record:
    """What a reader makes of a written record."""
    raw = codec.encode_record(written, tree=EMPTY_TREE, parent=PARENT, committer=COMMITTER)
    commit = codec.parse_commit(PARENT, raw)
    assert commit.takes_number
    return codec.record_of(PARENT, commit)


def generated_bodies(count: int) -> Iterator[str]:
    """Bodies put together from what has broken parsers, the same ones every time."""
    chance = random.Random(20261121)
    pieces = [body for body in NASTY if len(body) < 1000]
    pieces += [
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "\t",
        "Chat-Kind: ",
        "Chat-Uid: x",
        "Chat-To: bob\n",
        ": ",
        "-",
        "é",
        "中",
        "\u0085",
    ]
    for _ in range(count):
        yield "".join(chance.choice(pieces) for _ in range(chance.randrange(1, 9)))


@pytest.mark.parametrize("body", NASTY, ids=lambda body: repr(body[:24]))
def test_body_comes_back_byte_for_byte(body: str) -> None:
    """No body is changed, cut or taken for a block."""
    assert round_trip(record(body)).body == body


def test_twenty_thousand_generated_bodies_come_back() -> None:
    """Any mixture of forged blocks, line ends, scissors and separators comes back."""
    seen = 0
    for body in generated_bodies(20_000):
        assert round_trip(record(body)) == record(body)
        seen += 1
    assert seen == 20_000


def test_every_field_comes_back() -> None:
    """A record with all its trailers reads as it was written, in the documented order."""
    whole = record(
        "body",
        to=("bob", "role:review"),
        type="question",
        reply_to=Uid("0" * 16),
        urgent=True,
        commit="a" * 40,
        branch="team/lexer",
        clone=CloneId("k3f9q2k3f9q2k3f9"),
        origin="human",
        media="json",
        seq_hint=12,
        extra=(("Chat-Later", "something new"),),
    )
    assert round_trip(whole) == whole
    keys = [key for key, _ in codec.block_of(whole)]
    assert keys == [
        "Chat-Kind", "Chat-Uid", "Chat-Seq", "Chat-To", "Chat-To", "Chat-Type", "Chat-Reply", "Chat-Priority",
        "Chat-Commit", "Chat-Branch", "Chat-Clone", "Chat-Origin", "Chat-Media", "Chat-Later",
    ]  # fmt: skip


def test_a_writer_without_a_seat_says_so() -> None:
    """``Chat-Clone: -`` is outside the grammar, and so no clone; it tells the record from one of version 0.1.0."""
    assert ("Chat-Clone", "-") in codec.block_of(record("x"))
    assert round_trip(record("x")).clone is None


def test_lone_surrogates_become_question_marks() -> None:
    """What UTF-8 cannot hold is replaced, so that every reader gets the same text."""
    assert round_trip(record("a\ud800b")).body == "a?b"


@pytest.mark.parametrize("name", ["a\nparent 2222", "a <x> 0 +0000", "a\0b", "\x1b[31m"])
def test_a_name_cannot_inject_headers(name: str) -> None:
    """Line breaks, angle brackets and NULs of a git identity never reach the headers."""
    raw = codec.encode_record(
        record("x"), tree=EMPTY_TREE, parent=PARENT, committer=Signature(name, name, Moment(5, -90))
    )
    commit = codec.parse_commit(PARENT, raw)
    assert commit.parents == (PARENT,)
    assert commit.committer.moment == Moment(5, -90)


@pytest.mark.parametrize("value", ["", " x", "x ", "a\nb", "a\x1b", "a\x85b"])
def test_a_trailer_outside_the_grammar_is_never_written(value: str) -> None:
    """A value that a reader would not accept is a mistake of the caller."""
    with pytest.raises(ValueError, match="not a trailer"):
        codec.encode_record(
            record("x", extra=(("Chat-X", value),)), tree=EMPTY_TREE, parent=PARENT, committer=COMMITTER
        )


@pytest.mark.parametrize(
    "message",
    [
        b"no block",
        b"no block\n\nSigned-off-by: a",
        b"body\n\nChat-Kind: message",
        b"body\n\nChat-Kind: message\n\n",
        b"body\n\nChat-Uid: x\nChat-Kind: message\n",
        b"body\n\nChat-Kind: message\nnot a trailer\n",
        b"body\n\nChat-Kind:message\n",
        b"body\n\nChat-Kind: message \n",
        b"body\n\nChat-Kind: mess\x00age\n",
        b"body\n\nChat-Kind: \xff\n",
        b"body\n\nchat-Kind: message\n",
        b"Chat-Kind: message\n",
        b"",
    ],
)
def test_what_is_no_block_stays_text(message: bytes) -> None:
    """The parser is strict: a paragraph that is not wholly a block is body."""
    assert codec.split_message(message) == (message, None)


def foreign(block: str, parents: int = 1) -> codec.Commit:
    """A commit as other software might have written it."""
    head = f"tree {EMPTY_TREE}\n" + f"parent {PARENT}\n" * parents
    sign = "gpgsig -----BEGIN\n \n parent 3333\n -----END\n"
    ident = "Mallory <m@example.com> 5 +0000"
    return codec.parse_commit(PARENT, f"{head}author {ident}\ncommitter {ident}\n{sign}\nbody\n\n{block}".encode())


@pytest.mark.parametrize(
    ("block", "parents", "takes"),
    [
        ("Chat-Kind: message\n", 1, True),
        ("Chat-Kind: something-new\n", 1, True),
        ("Chat-Kind: meta\n", 1, True),
        ("Chat-Kind: merge\n", 1, False),
        ("Chat-Kind: genesis\n", 1, False),
        ("Chat-Kind: cursor\n", 1, False),
        ("Chat-Kind: summary\n", 1, False),
        ("Chat-Kind: message\n", 0, False),
        ("Chat-Kind: message\n", 2, False),
        ("no block", 1, False),
    ],
)
def test_taking_a_number_is_a_matter_of_structure(block: str, parents: int, takes: bool) -> None:
    """Exactly one parent, a valid block, a kind that counts: unknown kinds keep their numbers."""
    assert foreign(block, parents).takes_number is takes


PEOPLE = st.sampled_from(
    [
        "Al <al@x.y> 5 +0100", "Al  B <> 1099511627776 -0000", " <a> 0 +1959", "J\u00f6rg <j@x> 00099 +0261",
        "\u2028a\r<a@b> 7 -1259", f"{'n' * 65} <a@b> 1 +0000", f"a <{'e' * 255}> 1 +0000", "a <b> -1 +0000",
        "a <b> 1 +2400", "a <b> 1 +0000 ", "a\0 <b\x85> 123456789012 +0000", "", "a b 1 +0000", "<a>b <c> 1 +0000",
        f"a <b> {'9' * 13} +0000",
    ]
) | st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=40)  # fmt: skip


@given(author=PEOPLE, committer=PEOPLE)
@settings(max_examples=200)
def test_usual_headers_are_read_as_all_others(author: str, committer: str) -> None:
    """By one look or by line is the same: one header more, which is passed over, makes them unusual."""
    head = f"tree {EMPTY_TREE}\nparent {PARENT}\nauthor {author}\ncommitter {committer}"
    texts = [f"{headers}\n\nhi\n\n{BLOCK}".encode() for headers in (head, f"{head}\nencoding UTF-8")]
    assert codec.parse_commit(PARENT, texts[0]) == codec.parse_commit(PARENT, texts[1])


@given(st.lists(PEOPLE | st.sampled_from(["Chat-Uid: a", "X: y", "X: y ", "x: y", "X:y", "X: \x85"]), max_size=4))
@settings(max_examples=200)
def test_a_block_is_a_block_line_by_line(more: list[str]) -> None:
    """It is one when each of its lines is a trailer, and holds all of them, in order."""
    lines = ["Chat-Kind: message", *more]
    known = [codec._LINE.fullmatch(line) for line in lines]
    told = tuple((one[1], one[2]) for one in known if one is not None)
    paragraph = "\n".join(lines).encode() + b"\n"
    assert codec._parse_block(paragraph) == (told if None not in known else None)


def test_a_signature_header_is_passed_over() -> None:
    """Continuation lines of foreign headers are not mistaken for headers."""
    assert foreign(BLOCK).parents == (PARENT,)


def test_malformed_values_are_passed_over_and_the_first_of_repeated_ones_counts() -> None:
    """A reader never fails on a trailer, so no writer can break a room."""
    commit = foreign(
        "Chat-Kind: message\nChat-Kind: status\nChat-Seq: many\nChat-Reply: nobody\nChat-Type: No Slug\n"
        "Chat-Commit: HEAD\nChat-Origin: martian\nChat-Media: video\nChat-Priority: high\n"
        "Chat-To: bob\nChat-To: B O B\n"
    )
    got = codec.record_of(PARENT, commit)
    assert (got.kind, got.to) == ("message", ("bob",))
    assert (got.seq_hint, got.reply_to, got.type, got.commit, got.origin, got.media, got.urgent) == (None,) * 6 + (
        False,
    )


@pytest.mark.parametrize(
    ("value", "branch"),
    [
        ("main", "main"), ("日本/ä b", "日本/ä b"), ("refs/heads/main", "refs/heads/main"),
        ("b" * 255, "b" * 255), ("b" * 256, None),
    ],
)  # fmt: skip
def test_a_branch_is_a_line_of_255_characters(value: str, branch: str | None) -> None:
    """What is longer counts as absent, and is no unknown trailer either; of several the first counts."""
    got = codec.record_of(PARENT, foreign(f"Chat-Kind: status\nChat-Branch: {value}\nChat-Branch: other\n"))
    assert (got.branch, got.extra) == (branch, ())


def test_record_without_a_uid_gets_one_from_its_commit() -> None:
    """Every record can be named, also one that a foreign tool wrote."""
    assert codec.record_of(PARENT, foreign("Chat-Kind: message\n")).uid == uid_from_oid(PARENT)


@pytest.mark.parametrize("raw", [b"", b"garbage", b"tree 4b\n\nx", b"author a <a> 1 +0000\n\nx"])
def test_bytes_that_are_no_commit_are_damage(raw: bytes) -> None:
    """Headers that cannot be read are reported with the commit's id."""
    with pytest.raises(FormatError, match=PARENT) as caught:
        codec.parse_commit(PARENT, raw)
    assert caught.value.code == "damaged-object"


def test_badly_written_identity_keeps_its_text() -> None:
    """An author line without a time is still somebody's record."""
    commit = codec.parse_commit(
        PARENT, b"tree %b\nauthor nobody at all\ncommitter x <y> z\n\nbody" % EMPTY_TREE.encode()
    )
    assert commit.author == Signature("nobody at all", "", Moment(0))


def test_genesis_is_the_same_everywhere() -> None:
    """Two clones that make a room at once share its root."""
    raw = codec.encode_genesis(RoomName("main"), EMPTY_TREE)
    assert hashlib.sha1(b"commit %d\0" % len(raw) + raw).hexdigest() == "4611dde0b2735ee89d29d059be06099589abea1e"


def test_git_accepts_every_commit_we_write(tmp_path: Path) -> None:
    """fsck --strict finds nothing, whatever the body, and git gives the body back."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    run = {"cwd": tmp_path, "check": True, "capture_output": True}
    subprocess.run(["git", "mktree"], input=b"", **run)
    genesis = codec.encode_genesis(RoomName("lobby"), EMPTY_TREE)
    tip = _store(tmp_path, genesis)
    for body in (body for body in NASTY if body):
        raw = codec.encode_record(record(body), tree=EMPTY_TREE, parent=tip, committer=COMMITTER)
        tip = _store(tmp_path, raw)
        assert subprocess.run(["git", "cat-file", "commit", tip], **run).stdout == raw
    subprocess.run(["git", "update-ref", "refs/chatroom/rooms/lobby/log", tip], **run)
    checked = subprocess.run(["git", "fsck", "--strict"], **run)
    assert b"error" not in checked.stderr + checked.stdout


def _store(repository: Path, raw: bytes) -> Oid:
    command = ["git", "hash-object", "-t", "commit", "-w", "--stdin"]
    return Oid(
        subprocess.run(command, cwd=repository, input=raw, check=True, capture_output=True).stdout.decode().strip()
    )
