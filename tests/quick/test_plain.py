"""What the quick way takes for plain is a part of what the rules allow."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchat.cli import anchors
from gitchat.model import anchor, attachment, codec, names, question, record, refs
from gitchat.model.escape import escape, escape_line, escape_name
from gitchat.model.names import EMPTY_TREES, Oid, RoomName
from gitchat.model.purge import purged_in
from gitchat.quick import log, plain, room, unusual
from gitchat.quick import record as quick
from gitchat.rooms import log as rooms_log

WORDS = st.text(alphabet="abcnouxlp0189._-A/é\n", max_size=8)


def test_every_plain_character_is_shown_as_it_is() -> None:
    """Alone, and between two letters and two pictures, where a joiner or a style could have its use."""
    codes = (code for first, end in plain._SCRIPTS for code in range(ord(first), ord(end)))
    characters = [character for character in map(chr, codes) if plain.is_text(character)]
    assert len(characters) > 30_000
    for text in ("".join(characters), "b a".join(characters), "\U0001f600".join(characters)):
        assert escape_line(text) == text


@given(st.text(alphabet=st.characters() | st.sampled_from("\n\t\r \u200d\ufe0f\u0301é—✓"), max_size=20))
def test_a_plain_text_is_shown_as_it_is(text: str) -> None:
    """Whatever stands beside whatever."""
    if plain.is_text(text):
        assert escape(text) == text


@given(WORDS)
def test_a_plain_word_is_one_by_the_rules(word: str) -> None:
    """Slugs, names, and what is shown of a name."""
    if plain.is_slug(word):
        assert names.is_slug(word)
        assert escape_name(word) == word
        assert names.parse_room(word) == word
    if plain.is_name(word):
        assert names.is_name(word)


def test_devices_are_no_plain_words() -> None:
    """What Windows takes for a device can be no slug, and is none here."""
    for word in ("con", "nul", "com1", "lpt9", "aux"):
        assert not names.is_slug(word)
        assert not plain.is_slug(word)


@given(st.text(alphabet=names.UID_ALPHABET + "ilou~", min_size=15, max_size=17))
def test_a_plain_uid_is_one(uid: str) -> None:
    """And the other way round."""
    assert plain.is_uid(uid) == names.is_uid(uid)


def test_the_constants_are_those_of_the_model() -> None:
    """What stands in both places is the same."""
    assert room.DEFAULT_ROOM == names.DEFAULT_ROOM
    assert room.log_ref("a") == refs.log_ref(RoomName("a"))
    assert quick.EMPTY_TREE in EMPTY_TREES
    assert set(quick.UNLISTED) == record.UNLISTED_KINDS
    assert set(quick.QUIET) == record.QUIET_KINDS
    assert (quick._MOST_CHOICES, quick._MOST_CHOICE_CHARS) == (question.MAX_CHOICES, question.MAX_CHARS)
    assert quick._MOST_LINES == anchor.MOST_LINES
    assert log.EXCERPTS == attachment._EXCERPTS
    assert record.MAX_BODY_BYTES == quick._MOST_BODY_BYTES
    assert rooms_log.REPLY_SEARCH == log.REPLY_SEARCH


@pytest.mark.parametrize(
    ("lines", "is_plain"),
    [
        (["Chat-Kind: message"], True),
        (["Chat-Kind: status", "Chat-Path: a"], True),
        (["Chat-Kind: meta", "Chat-Title: any"], True),
        (["Chat-Kind: message", "Chat-Of-Later: x"], False),
        (["Chat-Kind: status", "Other: x"], False),
        (["Chat-Kind: redact", "Chat-Reply: 0123456789abcdef"], True),
        (["Chat-Kind: claim", "Chat-Claim: src/", "Chat-Until: 2026-01-01T00:00:00Z"], True),
        (["Chat-Kind: claim", "Chat-Purged: alice 2026-01-01T00:00:00Z"], False),
        (["Chat-Kind: message", "Chat-Purged: alice 2026-01-01T00:00:00Z"], False),
        (["Chat-Kind: message", "Chat-Work: 2"], False),
        (["Chat-Kind: message", "Chat-At: a.py", "Chat-At: b.py"], False),
        (["Chat-Kind: later"], False),
    ],
)
def test_what_a_later_version_may_write_is_left_to_the_long_way(lines: list[str], is_plain: bool) -> None:
    """A kind that may change what is shown of another record, a trailer that may be shown with its own."""
    person = "alice <a@b.c> 1700000000 +0100"
    head = f"tree {quick.EMPTY_TREE}\nparent {'1' * 40}\nauthor {person}\ncommitter {person}\n"
    block = "".join(f"{line}\n" for line in [lines[0], "Chat-Uid: 0123456789abcdef", *lines[1:]])
    raw = f"{head}\nhello\n\n{block}".encode()
    found = None
    with suppress(unusual.Unusual):
        found = quick.record_of(raw)
    assert (found is not None and (found.is_plain or found.kind in quick.UNLISTED)) == is_plain


LINES = st.lists(
    st.sampled_from(
        [
            "Chat-Kind: message", "Chat-Kind: status", "Chat-Kind: merge", "Chat-Kind: meta",
            "Chat-Uid: 0123456789abcdef", "Chat-Uid: 0123456789ABCDEF", "Chat-Seq: 7", "Chat-Seq: 007",
            "Chat-Seq: -1", "Chat-To: bob",
            "Chat-To: role:dev", "Chat-To: Bob", "Chat-Type: question", "Chat-Type: ?", "Chat-Reply: 0123456789abcdff",
            "Chat-Reply: x", "Chat-Priority: urgent", "Chat-Priority: high", "Chat-Media: json", "Chat-Clone: -",
            "Chat-At: src/a.py:3-5", "Chat-At: a.py:5-5", "Chat-At: a b", "Chat-At: ../a", "Chat-Choice: yes",
            "Chat-Choice: Yes ", "Chat-Choice: no", "Chat-Claim: src/", "Chat-Kind: claim", "Chat-Kind: redact",
            "Chat-Origin: human", "Other: thing", "bad", "Chat-X:  y", "chat-x: y", "Chat-Type: ", "Ch\u00e4t: y",
        ]
    ),
    max_size=7,
)  # fmt: skip
AUTHORS = st.sampled_from(
    ["alice <a@b.c> 1700000000 +0100", "Alice <a@b.c> 1 +0000", "alice <> 5 +0000", "alice <a> -5 +0000",
     "alice <a@b> 99999999999 +0000", "alice  <a@b> 5 +0000", "alice <a@b> 5 +9900", "alice <a<b> 5 +0000", "alice",
     "all <a@b.c> 5 +0000", "alice <a@b.c> 5 -0130"]
)  # fmt: skip
BODIES = st.sampled_from(
    ["hello", "", "a\n\nb", "tab\there\r\nthere", "bell\a", "é — ✓", "Chat-Kind: message", "\u202e"]
)
HEADS = st.sampled_from(["", "encoding latin1\n", "parent " + "2" * 40 + "\n", "gpgsig x\n y\n"])


@given(LINES, AUTHORS, BODIES, HEADS, st.booleans())
def test_a_plain_record_is_what_the_codec_reads(
    lines: list[str], author: str, body: str, more: str, begins: bool
) -> None:  # fmt: skip
    """Of any commit the quick way reads what the codec reads, or nothing."""
    block = [*(["Chat-Kind: message", "Chat-Uid: 0123456789abcdef"] if begins else []), *lines]
    head = f"tree {quick.EMPTY_TREE}\nparent {'1' * 40}\n{more}author {author}\ncommitter {author}\n"
    raw = f"{head}\n{body}\n\n".encode() + "".join(f"{line}\n" for line in block).encode()
    try:
        found = quick.record_of(raw)
    except (unusual.Unusual, UnicodeDecodeError):
        return
    assert found is not None
    oid = Oid("3" * 40)
    commit = codec.parse_commit(oid, raw)
    assert commit.takes_number
    known = codec.record_of(oid, commit)
    assert commit.wrong == ()
    assert (found.author, found.seconds, found.body) == (known.author, known.written.seconds, known.body)
    assert (found.kind, found.uid, tuple(found.to), found.type) == (known.kind, known.uid, known.to, known.type)
    assert (found.reply, found.urgent, found.hint) == (known.reply_to, known.urgent, known.seq_hint)
    assert found.parent == commit.parents[0]
    if found.is_plain:
        assert (known.media, known.work, purged_in(known.extra)) == (None, None, None)
        assert tuple(found.choices) == question.choices_of(known)
        assert anchors.noted(known, None) == (f"at {found.place}" if found.place else "")
