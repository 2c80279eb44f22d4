"""What is a purge of another log, and what is not. Proves docs/format.md section 18."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gitchat.model import codec, purge
from gitchat.model.names import EMPTY_TREES, Oid, RoomName
from gitchat.model.record import Moment
from gitchat.model.reparent import with_parents
from gitchat.model.signature import Signature

EMPTY = min(EMPTY_TREES, key=len)
OTHER_TREE = Oid("1" * 40)
ANN = purge.Purged("ann", "2026-01-02T03:04:05Z")

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
lines = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
trailers = st.tuples(
    st.sampled_from(["Chat-To", "Chat-Type", "Chat-Branch", "Chat-Title", "Chat-State", "Chat-Claim", "Chat-New"]),
    lines,
)
records = st.tuples(
    st.sampled_from(["message", "status", "meta", "redact", "claim", "new"]),
    st.sampled_from(["ann", "ben"]),
    texts,
    st.lists(trailers, max_size=4),
    st.booleans(),
    st.booleans(),
)
logs = st.lists(records, min_size=1, max_size=8)


class Repository:
    """Commits in memory, by their ids."""

    def __init__(self) -> None:
        self.raw: dict[Oid, bytes] = {}

    def add(self, raw: bytes) -> Oid:
        oid = Oid(hashlib.sha1(b"commit %d\0" % len(raw) + raw).hexdigest())
        self.raw[oid] = raw
        return oid

    def read(self, oid: Oid) -> codec.Commit:
        return codec.parse_commit(oid, self.raw[oid])

    def log(self, told: list[tuple[str, str, str, list[tuple[str, str]], bool, bool]]) -> list[Oid]:
        """The commits of these records, of which some have no uid of their own."""
        tip, found = self.add(codec.encode_genesis(RoomName("lobby"), EMPTY)), []
        for number, (kind, name, body, more, has_uid, has_files) in enumerate(told):
            who = Signature(name, f"{name}@example.com", Moment(1000 + number))
            uid = [("Chat-Uid", f"{number:016}")] if has_uid else []
            tip = self.add(
                codec.encode_commit(
                    tree=OTHER_TREE if has_files else EMPTY,
                    parents=(tip,),
                    author=who,
                    committer=who,
                    body=body,
                    block=(("Chat-Kind", kind), *uid, *more),
                )
            )
            found.append(tip)
        return found

    def purged(self, old: list[Oid], places: set[int]) -> list[Oid]:
        """The log with the records at ``places`` blank."""
        tip, found = self.read(old[0]).parents[0], []
        for place, oid in enumerate(old):
            raw = self.raw[oid]
            new = purge.blanked(raw, oid, EMPTY, [tip], ANN) if place in places else purge.named(raw, oid)
            tip = self.add(with_parents(new, [tip]))
            found.append(tip)
        return found


@given(logs, st.sets(st.integers(0, 7)), st.integers(0, 3))
def test_a_purge_is_one_whatever_is_blanked(told: list, chosen: set[int], more: int) -> None:
    """The places are told; numbers, authors and recipients stand; nothing of its text is left; it can be done twice."""
    repository = Repository()
    old = repository.log(told)
    places = {place for place in chosen if place < len(old)}
    new = repository.purged(old, places)
    new += repository.log(told)[:more]  # more stands behind it
    assert purge.purged_places(old, new, repository.read) == sorted(places)
    assert purge.is_purge(old, new, repository.read) == bool(places)
    for place, oid in enumerate(old):
        was, now = repository.read(oid), repository.read(new[place])
        assert codec.identity_key(oid, was) == codec.identity_key(new[place], now)
        assert (was.author, was.committer, was.kind) == (now.author, now.committer, now.kind)
        assert purge.is_blank(now) == (place in places)
        shown = codec.record_of(new[place], now)
        assert shown.to == codec.record_of(oid, was).to
        if place in places:
            assert (now.body, now.tree, purge.purged_in(shown.extra)) == ("", EMPTY, ANN)
            assert not {key for key, _ in shown.extra} & {"Chat-Title", "Chat-Branch", "Chat-Claim", "Chat-New"}
    again = repository.purged(new[: len(old)], places)
    assert again == new[: len(old)]


@given(logs, st.integers(0, 7), st.sampled_from(["gone", "moved", "text", "author", "kind", "to", "silent", "shorter"]))
def test_nothing_else_is_a_purge(told: list, chosen: int, how: str) -> None:
    """One record missing, moved, another, by somebody else, to others, or blank without a word: it is none."""
    repository = Repository()
    old = repository.log(told)
    place = chosen % len(old)
    new = repository.purged(old, set(range(len(old))) - {place})
    oid = new[place]
    raw = repository.raw[oid]
    commit = repository.read(oid)
    match how:
        case "gone" | "shorter":
            changed = new[:place] + new[place + 1 :] if how == "gone" else new[:-1]
        case "moved":
            changed = [*new[:place], *new[place + 1 :], new[place]]
            if changed == new:
                return
        case _:
            block = commit.block or ()
            to = (*block, ("Chat-To", "zoe"))
            fields = {
                "text": {"body": commit.body + "x"},
                "author": {"author": replace(commit.author, name="zoe")},
                "kind": {"block": (("Chat-Kind", "other"), *block[1:])},
                "to": {"block": to},
                "silent": {"body": "", "tree": EMPTY, "block": (*block, ("Chat-Key", "other"))},
            }[how]
            other = replace(commit, **fields)
            raw = codec.encode_commit(
                tree=other.tree,
                parents=other.parents,
                author=other.author,
                committer=other.committer,
                body=other.body,
                block=other.block or (),
            )
            changed = [*new[:place], repository.add(raw), *new[place + 1 :]]
    assert purge.purged_places(old, changed, repository.read) is None


@given(st.binary(max_size=40))
def test_only_a_name_and_a_time_say_who_purged(value: bytes) -> None:
    """Whatever else stands there says nothing, and so blanks nothing."""
    text = value.decode("latin-1")
    found = purge.purged_in([(purge.PURGED, text)])
    assert found is None or found.value == text
    assert purge.purged_in([(purge.PURGED, ANN.value)]) == ANN
