"""What is read of bytes out of all bounds, and how our own are dated. Proves docs/format.md sections 3.5 and 9.3."""

from __future__ import annotations

import pytest

from gitchat.model import codec, limits
from gitchat.model.errors import FormatError
from gitchat.model.names import Oid
from gitchat.model.record import MAX_BODY_BYTES, Moment
from gitchat.model.signature import Signature, encode_signature

OID = Oid("1" * 40)
TREE = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904"
PARENT = "parent " + "2" * 40
WHO = "alice <alice@example.com> 1800000000 +0100"
BLOCK = "Chat-Kind: message\nChat-Uid: k3f9q2v7m1c8x0ta\n"


def read(
    *, author: str = WHO, committer: str = WHO, parents: str = PARENT, message: str = f"hi\n\n{BLOCK}"
) -> codec.Commit:
    """A commit of these headers, read."""
    head = f"{TREE}\n{parents}\nauthor {author}\ncommitter {committer}\n\n{message}"
    return codec.parse_commit(OID, head.encode())


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        (f"{2**40} +0000", Moment(2**40)),
        (f"{2**40 + 1} +0000", Moment(0)),
        (f"{2**63} +0000", Moment(0)),
        ("18446744073709551615 +0000", Moment(0)),
        ("99999999999 +0000", Moment(99999999999)),  # the year 5138
        ("9" * 5000 + " +0000", Moment(0)),
        ("0" * 5000 + "7 +0000", Moment(7)),
        ("-1 +0000", Moment(0)),
        ("7 -2359", Moment(7, -1439)),
        ("7 +9999", Moment(7)),
    ],
)
def test_a_date_out_of_range_is_badly_written(date: str, moment: Moment) -> None:
    """It reads as time 0, keeps its author, and is told; one in range is what it is."""
    commit = read(author=f"alice <a@x> {date}", committer=f"bob <b@x> {date}")
    assert (commit.author.moment, commit.committer.moment) == (moment, moment)
    assert (commit.author.name, commit.committer.name) == ("alice", "bob")
    is_fine = moment.seconds > 7 or date in ("7 -2359",) or date.startswith("000")
    assert bool(commit.wrong) is not is_fine


def test_a_commit_without_author_is_still_read() -> None:
    """git fetches it, so that it stands in the way of nothing; who wrote it is not known."""
    commit = codec.parse_commit(OID, f"{TREE}\n{PARENT}\n\nhi\n\n{BLOCK}".encode())
    assert commit.takes_number
    assert (commit.author, commit.wrong) == (Signature("", "", Moment(0)), ("it has no author", "it has no committer"))


def test_parents_are_those_that_git_knows() -> None:
    """A parent line behind the author is none: git would fetch the commit without what it names."""
    raw = f"{TREE}\n{PARENT}\nauthor {WHO}\nparent {'3' * 40}\ncommitter {WHO}\n\nhi\n\n{BLOCK}"
    assert codec.parse_commit(OID, raw.encode()).parents == ("2" * 40,)
    assert len(read(parents="\n".join([PARENT] * 1000)).parents) == 1000


@pytest.mark.parametrize("parents", ["parent", "parent ", "parent zz", f"{PARENT}0", f"{PARENT}\nparent ../../x"])
def test_parents_that_are_no_ids_are_damage(parents: str) -> None:
    """As for git, which cannot tell either what stands before the commit."""
    with pytest.raises(FormatError, match=OID) as caught:
        read(parents=parents + " ")
    assert (caught.value.code, caught.value.oid) == ("damaged-object", OID)


def test_a_long_name_is_cut_and_stays_different() -> None:
    """At 64 characters, the mark among them; what differs beyond the cut makes two authors, as it did."""
    one, other = (read(author=f"{'a' * 500_000}{end} <{'m' * 3000}@x> 7 +0000") for end in "xy")
    assert len(one.author.name) == 64
    assert "[cut: 500,001 characters" in one.author.name
    assert one.author.name != other.author.name
    assert len(one.author.email) == 254
    assert one.wrong == ("its author has a name of 500,001 characters", "its author has an address of 3,002 characters")
    assert read(author=f"{'a' * 64} <a@x> 7 +0000").author.name == "a" * 64


def test_a_long_body_is_cut_and_says_so() -> None:
    """At 1 MiB, between two characters; one of just 1 MiB is whole."""
    whole = read(message="x" * MAX_BODY_BYTES + "\n\n" + BLOCK)
    assert (len(whole.body), whole.wrong) == (MAX_BODY_BYTES, ())
    text = "x" + "é" * MAX_BODY_BYTES
    long = read(message=f"{text}\n\n{BLOCK}")
    head, _, mark = long.body.rpartition("\n")
    assert text.startswith(head)
    assert len(head.encode()) == MAX_BODY_BYTES - 1
    assert mark == f"[cut here: the message has {2 * MAX_BODY_BYTES + 1} bytes, and no more than 1048576 are shown]"
    assert long.wrong == ("its message has 2,097,153 bytes",)


def test_trailers_beyond_a_hundred_of_a_kind_are_not_read() -> None:
    """Recipients after the 100th are not reached; what makes the record what it is, is found behind them."""
    recipients = "".join(f"Chat-To: a{number}\n" for number in range(300_000))
    commit = read(message=f"hi\n\nChat-Kind: message\n{recipients}Chat-Uid: k3f9q2v7m1c8x0ta\nChat-Type: question\n")
    record = codec.record_of(OID, commit)
    assert record.to == tuple(f"a{number}" for number in range(100))
    assert (record.uid, record.type, record.kind) == ("k3f9q2v7m1c8x0ta", "question", "message")
    assert commit.wrong == ("it has 300,000 trailers Chat-To",)


def test_trailers_beyond_a_thousand_kinds_are_not_read() -> None:
    """Unknown ones are kept up to there."""
    unknown = "".join(f"X{number}: y\n" for number in range(5000))
    commit = read(message=f"hi\n\nChat-Kind: message\n{unknown}Chat-Uid: k3f9q2v7m1c8x0ta\n")
    record = codec.record_of(OID, commit)
    assert len(record.extra) == limits.MAX_KINDS_OF_TRAILERS - 1
    assert record.uid == "k3f9q2v7m1c8x0ta"
    assert commit.wrong == ("it has 5,002 kinds of trailers",)


@pytest.mark.parametrize(
    ("digits", "number"),
    [
        ("1", 1),
        ("99999999999999999999", 999_999),
        ("9" * 5000, 999_999),
        ("0" * 30 + "2", 2),
        ("x", None),
        (None, None),
    ],
)
def test_a_format_of_many_digits_is_a_later_one(digits: str | None, number: int | None) -> None:
    """It counts as present, and as newer than any that we write."""
    assert limits.format_of(digits) == number


@pytest.mark.parametrize(
    ("parents", "now", "dated"),
    [
        ([], 1000, 1000),
        ([1500], 1000, 1500),
        ([900, 1000 + 86400], 1000, 1000 + 86400),
        ([1000 + 86401], 1000, 1000 + 86400),
        ([99999999999], 1000, 1000 + 86400),
        ([2**40], 2**40 + 5, 2**40),
        ([0], -5, 0),
        ([2**50], 2**50, 2**40),
    ],
)
def test_a_commit_is_dated_after_its_parents_and_at_most_a_day_ahead(parents: list[int], now: int, dated: int) -> None:
    """And within what every git takes, whatever its parents say."""
    assert limits.seconds_after(parents, now) == dated


def test_what_we_write_of_a_person_is_in_range() -> None:
    """A clock and a zone out of all bounds, and a name of line breaks, give a line that git takes."""
    assert encode_signature(Signature("a\nb<", ">\0", Moment(2**70, -(10**6)))) == f"ab <> {2**40} -2359"
    assert encode_signature(Signature("\n", "", Moment(-7, 60))) == "unknown <> 0 +0100"
