"""Names, handles and uids. Proves docs/format.md section 1."""

from __future__ import annotations

import pytest

from gitchat.model import names
from gitchat.model.errors import UserError


@pytest.mark.parametrize("text", ["a", "lobby", "alice-2", "a.b_c-d", "0", "x" * 64, "com10", "a.lock.b"])
def test_slug_is_accepted(text: str) -> None:
    """A slug stays as it is."""
    assert names.parse_slug(text, "room") == text


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("Große Runde", "groe-runde"),
        ("a/b", "a-b"),
        ("a..b", "a.b"),
        ("-x", "x"),
        ("name.lock", "name-lock"),
        ("con", "x-con"),
        ("Nul.txt", "x-nul.txt"),
        ("x" * 65, "x" * 64),
        ("a\nb", "a-b"),
        ("a\0b", "a-b"),
        ("end.", "end"),
        ("Zoë", "zoe"),
    ],
)
def test_refused_slug_comes_with_a_suggestion(text: str, suggestion: str) -> None:
    """What cannot be a name is refused, with the nearest name as the hint."""
    with pytest.raises(UserError) as caught:
        names.parse_slug(text, "room")
    assert repr(suggestion) in caught.value.hint
    assert names.is_slug(suggestion)


@pytest.mark.parametrize("text", ["", "   ", "中文", "///"])
def test_slug_without_anything_to_keep_is_refused_without_a_suggestion(text: str) -> None:
    """Where nothing can be kept the hint states the rule alone."""
    with pytest.raises(UserError) as caught:
        names.parse_slug(text, "room")
    assert "for example" not in caught.value.hint


def test_ascii_capitals_are_folded_and_no_others() -> None:
    """ALICE is alice; a Kelvin sign is not a k."""
    assert names.parse_slug("ALICE", "name") == "alice"
    with pytest.raises(UserError):
        names.parse_slug("\u212aate", "name")


@pytest.mark.parametrize("text", ["all", "System", "ROLE", "gitchat"])
def test_reserved_names_cannot_be_taken(text: str) -> None:
    """A participant cannot be called what the room itself uses."""
    with pytest.raises(UserError, match="reserved"):
        names.parse_name(text)


def test_recipients_fold_and_all_swallows_the_rest() -> None:
    """Recipients lose repetition; with ``all`` among them nobody is singled out."""
    assert names.parse_recipients(("Bob", "role:Review", "bob")) == ("bob", "role:review")
    assert names.parse_recipients(("bob", "ALL")) == ()
    with pytest.raises(UserError):
        names.parse_recipients(("role:",))


@pytest.mark.parametrize(("text", "locator"), [("12", 12), ("#12", 12), (" 7 ", 7), ("~K3F9Q2", "~k3f9q2")])
def test_locator_is_a_number_or_a_handle(text: str, locator: object) -> None:
    """Every place that takes a number takes a handle."""
    assert names.parse_locator(text) == locator


@pytest.mark.parametrize("text", ["", "#", "-1", "1.5", "~k3f9q", "~k3f9ql", "twelve", "9" * 19, "١٢"])
def test_what_names_no_record_is_refused(text: str) -> None:
    """A locator that is neither is an error with an example."""
    with pytest.raises(UserError, match="names no record"):
        names.parse_locator(text)


def test_uids_have_their_shape() -> None:
    """A uid is 16 characters that cannot be mistaken for one another."""
    assert names.uid_from_random(bytes(10)) == "0" * 16
    assert names.uid_from_random(b"\xff" * 10) == "z" * 16
    assert names.is_uid(names.uid_from_key("build 1"))
    assert names.uid_from_key("build 1") == names.uid_from_key("build 1") != names.uid_from_key("build 2")


def test_uid_of_a_key_never_changes() -> None:
    """A key sent again next year by another version is the same message."""
    assert names.uid_from_key("nightly-2026-11-21") == "kenyphgtxbyav7gc"


def test_handle_is_the_beginning_of_the_uid() -> None:
    """The printed handle is a tilde and the first six characters."""
    assert names.handle_of(names.Uid("k3f9q2v7m1c8x0ta")) == "~k3f9q2"
