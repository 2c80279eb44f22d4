"""The colours of names: readable on light and dark, different, the same again, and none where none are wanted."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest

from gitchat.cli import palette
from tests.cli.conftest import Chatroom, Terminal

SEVEN = ["alice", "bob", "carol", "dave", "erin", "codex-repo", "claude-repo"]
_STEPS = (0, 95, 135, 175, 215, 255)


def luminance(color: int) -> float:
    """The relative luminance of one of the 256 colours. Source: WCAG 2.2, relative luminance."""
    place = color - 16
    rgb = (_STEPS[place // 36], _STEPS[place // 6 % 6], _STEPS[place % 6])
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in rgb
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("color", palette.NAMES)
def test_a_name_can_be_read_on_white_and_on_black(color: int) -> None:
    """A contrast of 3 at least, as WCAG wants it of large or bold text; no colour has 4.5 to both."""
    assert 1.05 / (luminance(color) + 0.05) >= 3
    assert (luminance(color) + 0.05) / 0.05 >= 3


def test_no_two_colors_are_near_each_other() -> None:
    """Each pair differs by two steps of the cube at least."""

    def steps(color: int) -> tuple[int, int, int]:
        return (color - 16) // 36, (color - 16) // 6 % 6, (color - 16) % 6

    for one, other in combinations(palette.NAMES, 2):
        assert sum(abs(a - b) for a, b in zip(steps(one), steps(other), strict=True)) >= 2


def shades(text: str, names: list[str]) -> dict[str, str]:
    """The style in which each name stands in ``text``, without whether it is bold."""
    found = {name: re.search(rf"\x1b\[([\d;]*?)(?:;?1)?m(?:\x1b\[1m)?{name}", text) for name in names}
    return {name: match[1] for name, match in found.items() if match is not None}


@pytest.mark.parametrize("words", ["log", "log --oneline", "search hello", "status", "who --all"])
def test_seven_people_have_seven_colors(chatroom: Chatroom, words: str) -> None:
    """In all that lists people, and again the next time."""
    for name in SEVEN:
        chatroom.say("hello", author=name)
    shown = [chatroom.git("-c", "color.ui=always", "chat", *words.split(), TERM="xterm-256color").stdout for _ in "ab"]
    found = shades(shown[0], SEVEN)
    assert len(found) >= (5 if words == "status" else 7), shown[0]
    assert len(set(found.values())) == len(found)
    assert all(shade.startswith("38;5;") for shade in found.values())
    assert shades(shown[1], SEVEN) == found


@pytest.mark.parametrize(("term", "is_many"), [("xterm-256color", True), ("xterm", False), ("linux", False)])
def test_sixteen_colors_are_enough_where_there_are_no_more(
    chatroom: Chatroom, terminal: Terminal, term: str, is_many: bool
) -> None:
    """Then names have those that are readable, and share them."""
    chatroom.say(author="bob")
    shown = terminal("git", "--no-pager", "chat", "log", TERM=term).stdout
    assert ("38;5;" in shown, "\x1b[3" in shown) == (is_many, True)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_color_is_used_where_none_is_wanted(
    chatroom: Chatroom, terminal: Terminal, variables: dict[str, Any]
) -> None:
    """NO_COLOR and a terminal that has none."""
    chatroom.say(author="bob")
    shown = terminal("git", "--no-pager", "chat", "status", **({"TERM": "xterm-256color"} | variables)).stdout
    assert "\x1b[" not in shown
