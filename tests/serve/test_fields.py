"""What requests may carry: one schema says it, and refuses what does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from gitchat.model.errors import UserError
from gitchat.serve.contract import OPERATIONS
from gitchat.serve.fields import Field, check, wanted

LIMIT = Field("limit", {"type": "integer", "minimum": 1, "maximum": 100}, "", where="query")
SEND = {one.act: one for one in OPERATIONS}["send"].fields
REGISTER = {one.act: one for one in OPERATIONS}["register"].fields
MESSAGES = {one.act: one for one in OPERATIONS}["messages"].fields

SENT = {"from": "a", "to": "b", "message": "hello"}


@pytest.mark.parametrize(
    ("given", "fields", "message"),
    [
        ({"limit": "0"}, [LIMIT], "limit must be a whole number from 1 to 100"),
        ({"limit": "1e1"}, [LIMIT], "limit must be a whole number from 1 to 100"),
        ({"limit": ""}, [LIMIT], "limit must be a whole number from 1 to 100"),
        ({"from": "a", "to": "b"}, SEND, "message is missing"),
        (SENT | {"from": None}, SEND, "from is missing"),
        (SENT | {"from": 7}, SEND, "from must be text from 1 to 64 characters"),
        (SENT | {"to": []}, SEND,
         "to must be text from 1 to 256 characters, or a list of at most 100, each text from 1 to 256 characters"),
        (SENT | {"to": [1]}, SEND,
         "to must be text from 1 to 256 characters, or a list of at most 100, each text from 1 to 256 characters"),
        (SENT | {"priority": "high"}, SEND, "priority must be one of normal, urgent"),
        (SENT | {"reply_to": True}, SEND,
         "reply_to must be a whole number of at least 0, or text from 1 to 20 characters"),
        (SENT | {"message": "\ud800"}, SEND, "message holds half a character (a lone surrogate)"),
        (SENT | {"message": {"a": [float("nan")]}}, SEND, "message holds a number that JSON has no word for"),
        ({"agent_id": "a", "session_id": "s", "capabilities": ["x"] * 17}, REGISTER,
         "capabilities must be a list of at most 16, each text from 1 to 64 characters"),
        ({"wait": "soon"}, MESSAGES, "wait must be a number of at least 0"),
        ({"wait": "nan"}, MESSAGES, "wait holds a number that JSON has no word for"),
        ({"wait": "-1"}, MESSAGES, "wait must be a number of at least 0"),
        ({"unread": "perhaps"}, MESSAGES, "unread must be true or false"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_the_words_of_its_schema(
    given: dict[str, Any], fields: list[Field], message: str
) -> None:
    """With the field's name first, and what was given in the hint."""
    with pytest.raises(UserError) as refused:
        check(given, fields)
    assert (str(refused.value), refused.value.code) == (message, "bad-argument")
    assert refused.value.hint


@pytest.mark.parametrize(
    ("given", "fields", "taken"),
    [
        ({"limit": "7", "other": "x"}, [LIMIT], {"limit": 7}),
        ({}, [LIMIT], {}),
        (SENT | {"type": None, "room": None}, SEND, SENT),
        (SENT | {"message": None}, SEND, SENT | {"message": None}),
        (SENT | {"message": False}, SEND, SENT | {"message": False}),
        (SENT | {"to": ["x", "role:y"], "reply_to": "~k3f9q2"}, SEND,
         SENT | {"to": ["x", "role:y"], "reply_to": "~k3f9q2"}),
        ({"wait": "0.5", "unread": "TRUE", "since_id": "12"}, MESSAGES, {"wait": 0.5, "unread": True, "since_id": 12}),
        ({"unread": "0"}, MESSAGES, {"unread": False}),
    ],
)  # fmt: skip
def test_what_fits_is_taken_and_the_rest_ignored(
    given: dict[str, Any], fields: list[Field], taken: dict[str, Any]
) -> None:
    """Text of an address as what it spells; null counts as left out where it says nothing."""
    assert check(given, fields) == taken


def test_every_field_says_what_it_is() -> None:
    """In words and in its schema, and no operation has a method and path of another."""
    assert all(field.said and wanted(field.schema) for one in OPERATIONS for field in one.fields)
    assert (
        len({(one.method, one.path) for one in OPERATIONS}) == len({one.act for one in OPERATIONS}) == len(OPERATIONS)
    )
