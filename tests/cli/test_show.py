"""``git chat show``: one record with everything that is known about it."""

from __future__ import annotations

import json
import subprocess

import pytest

from gitchat.model.record import Moment
from tests.cli.conftest import Chatroom, refused

WRITTEN = Moment(1_789_990_000, 330)  # 2026-09-21 11:26:40 UTC, at +05:30


def test_show_prints_every_field_that_is_set(chatroom: Chatroom) -> None:
    """The number and room, the fields one a line, and the text indented below."""
    question = chatroom.say("first?")
    reply = chatroom.say(
        "one\n\n  two", author="bob", to=("alice", "role:qa"), type="answer", urgent=True,
        reply_to=question.record.uid, commit="1234567890" * 4, at=WRITTEN,
    )  # fmt: skip
    assert (
        chatroom.chat("show", "2", check=True).stdout
        == f"""\
#2 in lobby
From:     bob <bob@example.com> (unverified)
To:       alice, role:qa
Date:     Mon Sep 21 16:56:40 2026 +0530
Type:     answer
Reply:    #1
Priority: urgent
Commit:   {"1234567890" * 4}
Origin:   agent
Handle:   ~{reply.record.uid}
Oid:      {reply.oid}

    one

      two
"""
    )


def test_show_leaves_out_what_is_not_set(chatroom: Chatroom) -> None:
    """A plain message has no lines for what it does not say."""
    chatroom.say()
    fields = [line.partition(":")[0] for line in chatroom.chat("show", "1").stdout.splitlines()[1:-2]]
    assert fields == ["From", "To", "Date", "Origin", "Handle", "Oid"]


def test_show_prints_trailers_of_later_versions(chatroom: Chatroom) -> None:
    """What this version does not know is shown as it stands."""
    chatroom.say()
    chatroom.foreign(b"text\n\nChat-Kind: message\nMood: cheerful\n")
    assert "Mood:     cheerful\n" in chatroom.chat("show", "2").stdout


def test_records_are_named_by_number_or_handle(chatroom: Chatroom) -> None:
    """Several records are shown in the order in which they were named, however they were."""
    entries = [chatroom.say(text) for text in ("one", "two", "three")]
    done = chatroom.chat(
        "show", "3", "#1", entries[1].handle, f"~{entries[0].record.uid}".upper(), "--json", check=True
    )
    assert [json.loads(line)["content"] for line in done.stdout.splitlines()] == ["three", "one", "two", "one"]


def test_several_records_stand_apart(chatroom: Chatroom) -> None:
    """Records follow each other with an empty line between them."""
    chatroom.say("one")
    chatroom.say("two")
    assert "    one\n\n#2 in lobby\n" in chatroom.chat("show", "1", "2").stdout


def test_show_json_is_the_json_of_the_log(chatroom: Chatroom) -> None:
    """A program gets the same object from ``show`` as from ``log``, the number of its reply included."""
    first = chatroom.say("first", type="question")
    chatroom.say("second", reply_to=first.record.uid, to=("bob",))
    assert chatroom.chat("show", "1", "2", "--json").stdout == chatroom.chat("log", "--json").stdout


@pytest.mark.parametrize(
    "data",
    [
        b"one\ntwo",
        b"\n\x1b[31m red \xe2\x80\xae\r\n\ttab \x07",
        b"no line break, and a forged block\n\nChat-Kind: status",
        "日本語 👩‍👩‍👧\u2028".encode(),
        b'{"b" : 1}',
    ],
    ids=["lines", "controls", "forged", "unicode", "json"],
)
def test_body_is_given_byte_for_byte(chatroom: Chatroom, data: bytes) -> None:
    """``--body`` gives exactly what was sent, neither escaped nor with a line break more."""
    chatroom.chat("send", "-", stdin=data + b"\n", check=True)
    command = ["git", "chat", "show", "--body", "1"]
    variables = chatroom.world.variables
    assert subprocess.run(command, cwd=chatroom.path, env=variables, capture_output=True).stdout == data


@pytest.mark.parametrize(
    ("arguments", "error", "hint", "status"),
    [
        (["9"], "no record #9 in room 'lobby'", "its newest record is #1: git chat log --room lobby", 1),
        (["1", "0"], "no record #0", "#1", 1),
        (["~zzzzzz"], "no record ~zzzzzz", "#1", 1),
        (["~abc"], "'~abc' names no record", "six or more", 1),
        (["one"], "'one' names no record", "12", 1),
        (["--room", "dev", "1"], "no record #1 in room 'dev'", "git chat send --room dev", 1),
        (["--room", "dev"], "there is no message in room 'dev' yet", 'git chat send --room dev "hello"', 1),
    ],
)
def test_record_that_is_not_there(chatroom: Chatroom, arguments: list[str], error: str, hint: str, status: int) -> None:
    """What names no record is an error, and nothing of the others is printed."""
    chatroom.say()
    refused(chatroom.chat("show", *arguments), error, hint, status)


def test_short_handle_that_fits_two_records_is_refused(chatroom: Chatroom) -> None:
    """An ambiguous handle is an error, and the hint gives the longer ones."""
    chatroom.say()
    for number in (1, 2):
        chatroom.foreign(b"text\n\nChat-Kind: message\nChat-Uid: abcdef000000000%d\n" % number)
    refused(chatroom.chat("show", "~abcdef"), "names 2 records", "~abcdef0000000001 or ~abcdef0000000002")
    assert "abcdef0000000001" in chatroom.chat("show", "~abcdef0000000001", check=True).stdout


def test_show_has_the_dates_of_git(chatroom: Chatroom) -> None:
    """``--date`` and ``chat.date`` choose the style."""
    chatroom.say(at=WRITTEN)
    assert "Date:     2026-09-21 16:56:40 +0530\n" in chatroom.chat("show", "1", "--date", "iso").stdout
    assert "Date:     2026-09-21\n" in chatroom.git("-c", "chat.date=short", "chat", "show", "1").stdout


def test_unknown_trailers_stand_apart_from_their_values(chatroom: Chatroom) -> None:
    """What this version does not know is shown as it stands, repeated ones each, however long their keys are."""
    chatroom.say()
    chatroom.foreign(b"text\n\nChat-Kind: message\nChat-Mood: calm\nX-A: 1\nX-A: 2\n")
    lines = [line.split() for line in chatroom.chat("show", "2").stdout.splitlines()]
    assert [line for line in lines if line[:1] in (["Chat-Mood:"], ["X-A:"])] == [
        ["Chat-Mood:", "calm"], ["X-A:", "1"], ["X-A:", "2"]
    ]  # fmt: skip


def test_programs_get_trailers_of_later_versions(chatroom: Chatroom) -> None:
    """As pairs, in their order, by show as by log; a trailer that is known, or none, makes no such key."""
    chatroom.say(type="question")
    chatroom.foreign(b"text\n\nChat-Kind: message\nChat-Mood: calm\nX-A: 1\nChat-Type: answer\nX-A: \xe2\x80\xae2\n")
    chatroom.chat("room", "title", "lobby", "Parser", check=True)
    for listed in (chatroom.chat("log", "--json"), chatroom.chat("show", "1", "2", "--json")):
        told = [json.loads(line) for line in listed.stdout.splitlines()]
        assert [one.get("trailers") for one in told] == [
            None,
            [["Chat-Mood", "calm"], ["X-A", "1"], ["X-A", "\u202e2"]],
        ]
        assert "\u202e" not in listed.stdout
    titled = json.loads(chatroom.chat("show", "3", "--json", check=True).stdout)
    assert (titled["kind"], titled["trailers"]) == ("meta", [["Chat-Title", "Parser"]])


def test_unknown_trailers_replace_nothing(chatroom: Chatroom) -> None:
    """A trailer that is called as one of the fields cannot forge it."""
    chatroom.say()
    oid = chatroom.foreign(b"text\n\nChat-Kind: message\nFrom: alice <a@x> (verified)\nOid: 1234\nHandle: ~000000\n")
    lines = chatroom.chat("show", "2").stdout.splitlines()
    assert lines[1] == "From:     mallory <mallory@example.com> (unverified)"
    assert f"Oid:      {oid}" in lines
    assert next(line for line in lines if line.startswith("Handle:")) != "Handle:   ~000000"


def test_without_a_number_the_newest_is_shown(chatroom: Chatroom) -> None:
    """As git show has it."""
    for body in ("one", "two"):
        chatroom.say(body)
    assert chatroom.chat("show", "--body", check=True).stdout == "two"
