"""Claims: patterns of paths, what is a claim, who holds and who waits. Proves docs/format.md section 16."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import translate
from itertools import product

import pytest

from gitchat.model.claim import Claim, Seat, Standing, claim_of, parse_until, parse_what, standings, trailers_of
from gitchat.model.errors import UserError
from gitchat.model.names import CloneId, Number, Oid, RoomName, Uid
from gitchat.model.pattern import MAX_CHARS, matches, overlap, parse_pattern, regex_of
from gitchat.model.record import CLAIM, RELEASE, Entry, Moment, Record

NOON = 1_790_000_000
HOUR = 3600


# --- patterns ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "paths", "others"),
    [
        ("src/lexer/", ["src/lexer", "src/lexer/a", "src/lexer/b/c"], ["src", "src/lexers", "lib/src/lexer"]),
        ("docs/*.md", ["docs/a.md", "docs/.md"], ["docs/a/b.md", "docs/amd", "a.md"]),
        ("src/**/test_?.py", ["src/test_a.py", "src/x/y/test_b.py"], ["src/test_ab.py", "test_a.py"]),
        ("**", ["a", "a/b"], []),
        ("./Makefile", ["Makefile"], ["a/Makefile", "makefile"]),
        ("a/*", ["a/b"], ["a", "a/b/c"]),
        ("(x)+$^{2}|.", ["(x)+$^{2}|."], ["xx", "(x)+$^22|."]),
        ("ä ö/", ["ä ö/ü"], ["a o/ü"]),
    ],
)
def test_pattern_means_these_paths(pattern: str, paths: Sequence[str], others: Sequence[str]) -> None:
    """And none of the others."""
    parts = parse_pattern(pattern)
    assert [path for path in [*paths, *others] if matches(parts, path)] == paths


@pytest.mark.parametrize(
    "text",
    [
        "", "./", "/", "/etc", "a//b", "a/../b", "..", ".", "a/.", "!a", "a[bc]", "a\\b", "a**", "**b/c", "a\nb", "a ",
        "a" * (MAX_CHARS + 1), "a\x1b[31m",
    ],
)  # fmt: skip
def test_what_is_no_pattern(text: str) -> None:
    """It is refused, with how one looks."""
    with pytest.raises(UserError) as refused:
        parse_pattern(text)
    assert refused.value.code == "not-a-pattern"
    assert "src/lexer/" in refused.value.hint


PATHS = ["/".join(parts) for count in (1, 2, 3, 4) for parts in product(["a", "b", "ab", "ba", "aa"], repeat=count)]


WORDS = ["a", "b", "*", "?", "a*", "*b", "?a", "a?", "ab", "**", "*?"]


def meant(pattern: str) -> set[str]:
    """The paths that a pattern means, found in another way: part by part, by the shell's rules."""
    words = pattern.removesuffix("/").split("/") + (["**"] if pattern.endswith("/") else [])
    rules = [word if word == "**" else re.compile(translate(word)) for word in words]

    def is_meant(rules: Sequence[str | re.Pattern[str]], parts: Sequence[str]) -> bool:
        if not rules:
            return not parts
        if isinstance(rules[0], str):
            return any(is_meant(rules[1:], parts[count:]) for count in range(len(parts) + 1))
        return bool(parts) and rules[0].match(parts[0]) is not None and is_meant(rules[1:], parts[1:])

    return {path for path in PATHS if is_meant(rules, path.split("/"))}


def test_overlap_is_exact() -> None:
    """Of 4,000 random pairs against all paths that could be a witness; and the regular expression says the same."""
    rng = random.Random(19)

    def some() -> str:
        while True:
            parts = [rng.choice(WORDS) for _ in range(rng.randint(1, 3))]
            if len(parts) - parts.count("**") <= 2:  # so that a path of four parts is a witness, if any is
                return re.sub(r"\*\*(/\*\*)+", "**", "/".join(parts)) + rng.choice(["", "", "/"])

    known = {text: meant(text) for text in {some() for _ in range(320)}}
    texts = sorted(known)
    wrong, met = [], 0
    for _ in range(4000):
        one, other = rng.choice(texts), rng.choice(texts)
        expected = bool(known[one] & known[other])
        met += expected
        found = overlap(parse_pattern(one), parse_pattern(other))
        if found != expected or found != overlap(parse_pattern(other), parse_pattern(one)):
            wrong.append((one, other, found))
    assert wrong == []
    assert 1000 < met < 3900
    for text in rng.sample(texts, 60):
        rule = re.compile(regex_of(parse_pattern(text)))
        assert {path for path in PATHS if rule.fullmatch(path)} == known[text], text


def test_overlap_takes_no_long_time() -> None:
    """However a pattern is made to take one: a table is filled, and nothing is tried twice."""
    one, other = "/".join(["**", "a*"] * 80), "/".join(["**", "*a"] * 80)
    assert overlap(parse_pattern(one), parse_pattern(other))
    assert not overlap(parse_pattern("*a" * 250 + "b"), parse_pattern("a*" * 250 + "c"))


# --- things ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "value", "shown"),
    [
        ("src/lexer/", "path:src/lexer/", "src/lexer/"),
        ("path:task:12", "path:task:12", "path:task:12"),
        ("task:12", "task:12", "task:12"),
        ("task: fix the lexer", "task:fix the lexer", "task:fix the lexer"),
        ("port:8080", "thing:port:8080", "port:8080"),
        ("thing:printer", "thing:printer", "thing:printer"),
        ("thing:task:1", "thing:task:1", "thing:task:1"),
    ],
)
def test_what_is_typed(typed: str, value: str, shown: str) -> None:
    """Words with no known word before a colon are paths; what is shown means the same when it is typed."""
    what = parse_what(typed)
    assert (what.value, str(what)) == (value, shown)
    assert parse_what(str(what)) == what


@pytest.mark.parametrize("text", ["task:", "port: ", "task:a\nb", "thing:" + "x" * 300])
def test_what_is_no_thing(text: str) -> None:
    """A task or thing is one short line."""
    with pytest.raises(UserError):
        parse_what(text)


def test_tasks_are_the_same_however_they_are_spelled() -> None:
    """Case and spaces count for nothing in them; a task is no thing, and case counts in paths."""
    assert parse_what("task:Fix  the Lexer").meets(parse_what("task:fix the lexer"))
    assert not parse_what("task:12").meets(parse_what("thing:12"))
    assert not parse_what("README").meets(parse_what("readme"))


# --- records --------------------------------------------------------------------


def record(
    kind: str = CLAIM, author: str = "alice", seconds: int = NOON, clone: str | None = None, **more: object
) -> Record:
    plain = Record(
        kind=kind, uid=Uid(f"u{next(_COUNT):015}"), author=author, email=f"{author}@example.com",
        written=Moment(seconds), body="takes it", clone=CloneId(clone) if clone else None,
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


_COUNT = iter(range(10**6))


def entry(record: Record) -> Entry:
    return Entry(RoomName("lobby"), Number(next(_COUNT)), Oid("0" * 40), record.written.seconds, record)


def take(
    author: str, *whats: str, at: int = NOON, hours: float = 2, clone: str | None = None, again: Entry | None = None
) -> Entry:
    trailers = trailers_of([parse_what(what) for what in whats], at + int(hours * HOUR))
    reply = again.record.uid if again else None
    return entry(record(author=author, seconds=at, clone=clone, extra=trailers, reply_to=reply))


def give(author: str, what: Entry | None = None, clone: str | None = None) -> Entry:
    reply = what.record.uid if what else None
    return entry(record(RELEASE, author, clone=clone, reply_to=reply))


def leave(author: str, clone: str | None = None) -> Entry:
    said = record("message", "system", clone=clone, type="presence", email=f"{author}@example.com")
    return entry(replace(said, body=f"{author} left the chatroom"))


def told(found: Sequence[Standing]) -> list[str]:
    return [
        f"{one.claim.seat.name} waits for {one.waits_for.seat.name}"
        if one.waits_for
        else f"{one.claim.seat.name} holds"
        for one in found
    ]


@pytest.mark.parametrize(
    "trailers",
    [
        (),
        (("Chat-Claim", "path:src/"),),
        (("Chat-Until", "2026-09-21T14:13:20Z"),),
        (("Chat-Claim", "branch:main"), ("Chat-Until", "2026-09-21T14:13:20Z")),
        (("Chat-Claim", "path:/etc"), ("Chat-Until", "2026-09-21T14:13:20Z")),
        (("Chat-Claim", "path:src/"), ("Chat-Until", "2026-02-30T14:13:20Z")),
        (("Chat-Claim", "path:src/"), ("Chat-Until", "tomorrow")),
    ],
)
def test_what_is_outside_the_grammar_claims_nothing(trailers: tuple[tuple[str, str], ...]) -> None:
    """As if the trailer were absent; it breaks nothing."""
    assert claim_of(entry(record(extra=trailers))) is None
    assert standings([entry(record(extra=trailers))], NOON) == []


def test_a_claim_ends_after_a_day_whatever_it_says() -> None:
    """And is of twenty things at most."""
    found = claim_of(take("alice", *(f"task:{number}" for number in range(30)), hours=1000))
    assert found is not None
    assert (found.until, len(found.whats)) == (NOON + 24 * HOUR, 20)
    assert parse_until(Moment(NOON).utc) == NOON


# --- who has it -----------------------------------------------------------------


def test_first_come_holds_and_others_wait() -> None:
    """For the first before them that is somebody else's and about the same."""
    first, second = take("alice", "src/", "task:12"), take("bob", "src/**/*.py")
    third, fourth = take("carol", "TASK:12".lower(), "docs/"), take("dan", "docs/a.md")
    assert told(standings([first, second, third, fourth], NOON)) == [
        "alice holds", "bob waits for alice", "carol waits for alice", "dan waits for carol",
    ]  # fmt: skip
    assert told(standings([first, second, third, fourth, give("alice")], NOON)) == [
        "bob holds", "carol holds", "dan waits for carol",
    ]  # fmt: skip


def test_ones_own_claims_do_not_stand_in_ones_way() -> None:
    """Of one seat; the same name in another clone, or with another address, is somebody else."""
    whats = [take("bot", "src/", clone="c1"), take("bot", "src/a", clone="c1"), take("bot", "src/b", clone="c2")]
    assert told(standings(whats, NOON)) == ["bot holds", "bot holds", "bot waits for bot"]
    mine, other = take("alex", "src/"), take("alex", "src/")
    other = replace(other, record=replace(other.record, email="other@example.com"))
    assert told(standings([mine, other], NOON)) == ["alex holds", "alex waits for alex"]


def test_a_claim_ends() -> None:
    """By its time, its release, a release of all, and its author's leaving; by nobody else's."""
    one, two = take("alice", "a", hours=1), take("alice", "b", hours=2)
    assert told(standings([one, two], NOON + HOUR - 1)) == ["alice holds"] * 2
    assert told(standings([one, two], NOON + HOUR)) == ["alice holds"]
    for end, left in ((give("alice", one), 1), (give("alice"), 0), (leave("alice"), 0), (give("bob", one), 2),
                      (give("bob"), 2), (leave("bob"), 2), (leave("alice", clone="c1"), 2)):  # fmt: skip
        assert len(standings([one, two, end], NOON)) == left


def test_taking_it_again_keeps_the_place_in_line() -> None:
    """As long as it had not ended; afterwards it stands at the end, and somebody else's is nobody's to take."""
    first, second = take("alice", "src/", hours=1), take("bob", "src/a", hours=20)
    in_time = take("alice", "src/", at=NOON + HOUR, again=first)
    too_late = take("alice", "src/", at=NOON + HOUR + 1, again=first)
    foreign = take("carol", "src/", at=NOON + 60, again=first)
    later = NOON + HOUR + 60
    assert told(standings([first, second, in_time], later)) == ["alice holds", "bob waits for alice"]
    assert told(standings([first, second, too_late], later)) == ["bob holds", "alice waits for bob"]
    assert told(standings([first, second, foreign], NOON + 90)) == [
        "alice holds", "bob waits for alice", "carol waits for alice",
    ]  # fmt: skip


def test_nothing_is_held_twice() -> None:
    """In random rooms: what holds meets nothing else that holds, and who waits waits for what is there."""
    rng = random.Random(7)
    for _ in range(120):
        events: list[Entry] = []
        for minute in range(20):
            name, clone = rng.choice("abc"), rng.choice(["c1", "c2", None])
            mine = [one for one in events if one.record.author == name and one.record.clone == clone]
            act = rng.random()
            if act < 0.7:
                again = rng.choice(mine) if mine and act < 0.1 else None
                whats = rng.sample(["src/", "src/a", "src/*", "task:1", "docs/**/x"], rng.randint(1, 2))
                events.append(
                    take(name, *whats, at=NOON + 60 * minute, hours=rng.choice([0.1, 1]), clone=clone, again=again)
                )
            else:
                events.append(give(name, rng.choice(mine) if mine and act < 0.9 else None, clone))
        found = standings(events, NOON + 1800)
        holding = [one.claim for one in found if one.waits_for is None]
        assert not [1 for one in holding for other in holding if one.seat != other.seat and one.meets(other.whats)]
        for one in found:
            if one.waits_for is not None:
                assert _stands(found, one.waits_for)
                assert one.waits_for.seat != one.claim.seat


def _stands(found: Sequence[Standing], claim: Claim) -> bool:
    return any(one.claim is claim for one in found)


def test_a_seat_is_a_name_in_a_clone_or_with_an_address() -> None:
    """The address of an agent says nothing; a person has no clone."""
    assert Seat.of(record(clone="c1", email="x@y")) == Seat.of(record(clone="c1", email="z@y"))
    assert Seat.of(record(email="X@y")) == Seat.of(record(email="x@y"))
    assert Seat.of(record(email="x@y")) != Seat.of(record(email="z@y"))
