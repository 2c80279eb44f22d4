"""Arguments that only some readers of JSON let through, so that not every server's wire can carry them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitchat.model.errors import UserError
from gitchat.server.arguments import MAX_INTEGER, check
from gitchat.server.catalog import TOOLS

SCHEMA = next(tool["inputSchema"] for tool in TOOLS if tool["name"] == "send_message")


def nested(depth: int) -> list[Any]:
    """So many lists in each other."""
    outer: list[Any] = []
    for _ in range(depth):
        outer = [outer]
    return outer


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"content": "a\ud800"}, "content holds half a character"),
        ({"content": {"\udfff": 1}}, "content holds half a character"),
        ({"priority": "\ud800"}, "priority holds half a character"),
        ({"content": [float("nan")]}, "content holds a number that JSON has no word for"),
        ({"content": {"a": float("-inf")}}, "content holds a number that JSON has no word for"),
        ({"content": nested(100_000)}, "content is nested too deeply"),
        ({"reply_to": MAX_INTEGER + 1}, "reply_to is too large"),
        ({"\ud800": 1}, "unknown argument '\\ud800'"),
    ],
)
def test_what_could_not_be_read_again_is_refused(more: dict[str, Any], error: str) -> None:
    """The refusal names the argument, and can itself be written as JSON."""
    with pytest.raises(UserError) as refused:
        check({"name": "alice", "content": "x"} | more, SCHEMA)
    assert error in str(refused.value)
    json.dumps([str(refused.value), refused.value.hint]).encode()
    assert "\ud800" not in str(refused.value) + refused.value.hint
