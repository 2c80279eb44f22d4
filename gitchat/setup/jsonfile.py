"""JSON that a person keeps: changed in place, so that comments, order and spaces stay.

Python's own ``json`` reads the values; what is added here is where in the text each of them
stands. Every change is read again, and has to mean what it was meant to mean.
"""

from __future__ import annotations

import copy
import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from gitchat.setup.layout import Layout, plain
from gitchat.setup.refusal import malformed, not_editable

Step = str | int
"""A key of an object, or a place in an array."""

_BLANK = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Node:
    """A value, and the text from ``start`` to before ``end`` that says it."""

    value: Any
    start: int
    end: int
    members: tuple[Member, ...] = ()
    """Of an object or an array on the way that was asked for, in order; else empty."""


@dataclass(frozen=True, slots=True)
class Member:
    """A value in an object or an array; ``start`` is where its key begins, or itself."""

    step: Step
    start: int
    node: Node


# --- reading -----------------------------------------------------------------


@lru_cache(maxsize=4)  # an edit reads a text several times, and a client's may have megabytes
def parse(text: str, *, has_comments: bool, path: tuple[Step, ...] = ()) -> Node:
    """The object that ``text`` says; with ``has_comments``, ``//`` and ``/* */`` may stand between values.

    It has its members, and so has each value on the way to ``path``. Nobody changes what is returned.

    Raises:
        Refusal: ``malformed-config``, also when it is something else than an object.
    """
    try:
        with _without_collections():
            return _Reader(text, has_comments).document(path)
    except RecursionError:
        raise malformed("JSON that can be read", text, 0, "nested too deeply") from None
    except json.JSONDecodeError as error:
        raise malformed("JSON", text, error.pos, error.msg) from None
    except ValueError as error:  # a number of thousands of digits
        raise malformed("JSON that can be read", text, 0, str(error)) from None


@contextmanager
def _without_collections() -> Iterator[None]:
    """Python looks for garbage while it makes values, where there is none: of megabytes most of the time goes there."""
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_enabled:
            gc.enable()


class _Reader:
    def __init__(self, text: str, has_comments: bool) -> None:
        self._text = text
        self._has_comments = has_comments
        self._scalars = json.JSONDecoder(parse_constant=self._fail_at_constant)
        self._place = 0

    def document(self, path: tuple[Step, ...]) -> Node:
        self._skip()
        if not self._sees("{"):
            self._fail("Expecting an object")
        node = self._value(path)
        self._skip()
        if self._place != len(self._text):
            self._fail("Extra data")
        return node

    def _value(self, path: tuple[Step, ...] | None) -> Node:
        """The value here; ``path`` leads on from it, and is None where nobody asked for its members."""
        start = self._place
        is_object = self._sees("{")
        is_holder = is_object or self._sees("[")
        if path is None or not is_holder:
            try:
                value, self._place = self._scalars.raw_decode(self._text, start)
                return Node(value, start, self._place)
            except json.JSONDecodeError:
                if not is_holder:
                    raise
                # A comment in it, or a fault, which is told in our words.
        return self._container("}" if is_object else "]", is_object, path)

    def _container(self, close: str, is_object: bool, path: tuple[Step, ...] | None) -> Node:
        start, members = self._place, list[Member]()
        self._place += 1
        self._skip()
        while members or not self._sees(close):
            members.append(self._keyed(path) if is_object else self._element(len(members), path))
            self._skip()
            if self._sees(close):
                break
            self._take(",")
        self._place += 1
        value: Any = [member.node.value for member in members]
        if is_object:
            value = {member.step: member.node.value for member in members}
        return Node(value, start, self._place, tuple(members))

    def _element(self, count: int, path: tuple[Step, ...] | None) -> Member:
        return Member(count, self._place, self._value(_onwards(path, count)))

    def _keyed(self, path: tuple[Step, ...] | None) -> Member:
        start = self._place
        if not self._sees('"'):
            self._fail("Expecting a key in double quotes")
        key, self._place = self._scalars.raw_decode(self._text, start)
        self._skip()
        self._take(":")
        return Member(key, start, self._value(_onwards(path, key)))

    def _skip(self) -> None:
        self._place = skip(self._text, self._place, self._has_comments)

    def _sees(self, character: str) -> bool:
        return self._text.startswith(character, self._place)

    def _take(self, character: str) -> None:
        if not self._sees(character):
            self._fail(f"Expecting '{character}'")
        self._place += 1
        self._skip()

    def _fail(self, message: str) -> NoReturn:
        raise json.JSONDecodeError(message, self._text, self._place)

    def _fail_at_constant(self, name: str) -> NoReturn:
        self._fail(f"{name} is no value of JSON")


def _onwards(path: tuple[Step, ...] | None, step: Step) -> tuple[Step, ...] | None:
    return path[1:] if path and path[0] == step else None


def skip(text: str, place: int, has_comments: bool) -> int:
    """Where the next thing stands that is neither blank nor comment."""
    while True:
        blank = _BLANK.match(text, place)
        place = blank.end() if blank else place
        comment = _COMMENT.match(text, place) if has_comments else None
        if comment is None:
            return place
        place = comment.end()


def find(node: Node, path: tuple[Step, ...]) -> Node | None:
    """The value at ``path``, which was asked for; of keys that are there twice the last counts, as for most readers."""
    for step in path:
        node_or_none = next((member.node for member in reversed(node.members) if member.step == step), None)
        if node_or_none is None:
            return None
        node = node_or_none
    return node


# --- changing ----------------------------------------------------------------


def insert(text: str, path: tuple[Step, ...], value: Any, *, has_comments: bool) -> str:
    """``text`` with ``value`` as the last member of what holds it; missing holders on the way are made.

    Nothing may be at ``path`` yet. A step that is a number appends to an array. An empty
    text becomes an object.

    Raises:
        Refusal: ``malformed-config``; ``not-editable`` when something else than a holder is in the way.
    """
    text = text if text.strip() else "{}\n"
    root = parse(text, has_comments=has_comments, path=path)
    depth = next(depth for depth in reversed(range(len(path))) if find(root, path[:depth]) is not None)
    holder = find(root, path[:depth])
    assert holder is not None
    wanted: type = dict if isinstance(path[depth], str) else list
    if not isinstance(holder.value, wanted):
        raise not_editable("JSON")
    for step in reversed(path[depth + 1 :]):
        value = {step: value} if isinstance(step, str) else [value]
    expected = _with(root.value, path[: depth + 1], value)
    return _checked(_inserted(text, root, holder, path[depth], value), expected, has_comments)


def replace(text: str, path: tuple[Step, ...], value: Any, *, has_comments: bool) -> str:
    """``text`` with ``value`` instead of the one at ``path``, which is there. Raises as :func:`insert`."""
    root = parse(text, has_comments=has_comments, path=path)
    node = find(root, path)
    assert node is not None
    expected = _with(root.value, path, value)
    layout = Layout.of(text, _first(root))
    written = layout.write(value, layout.indent_at(text, node.start))
    return _checked(text[: node.start] + written + text[node.end :], expected, has_comments)


def delete(text: str, path: tuple[Step, ...], *, has_comments: bool) -> str:
    """``text`` without what is at ``path``, which is there. Raises as :func:`insert`."""
    root = parse(text, has_comments=has_comments, path=path)
    holder = find(root, path[:-1])
    assert holder is not None
    place = max(place for place, member in enumerate(holder.members) if member.step == path[-1])
    expected = _with(root.value, path, None, is_removal=True)
    return _checked(_deleted(text, holder, place, has_comments), expected, has_comments)


def _checked(text: str, expected: Any, has_comments: bool) -> str:
    """``text`` if it says ``expected``: a doubled key or a lost comma does not get past this."""
    if parse(text, has_comments=has_comments).value != expected:
        raise not_editable("JSON")
    return text


def _with(value: Any, path: tuple[Step, ...], new: Any, *, is_removal: bool = False) -> Any:
    """A copy of ``value`` with ``new`` at ``path``, or with nothing; what is not on the way is shared."""
    changed, (step, *rest) = copy.copy(value), path
    if rest:
        changed[step] = _with(changed[step], tuple(rest), new, is_removal=is_removal)
    elif is_removal:
        del changed[step]
    elif isinstance(changed, list) and step == len(changed):
        changed.append(new)
    else:
        changed[step] = new
    return changed


def _first(root: Node) -> int | None:
    return root.members[0].start if root.members else None


def _inserted(text: str, root: Node, holder: Node, step: Step, value: Any) -> str:
    layout = Layout.of(text, _first(root))
    key = f"{plain(step)}: " if isinstance(step, str) else ""
    last = holder.members[-1] if holder.members else None
    if last and "\n" not in text[holder.start : holder.end]:
        return f"{text[: last.node.end]}, {key}{plain(value)}{text[last.node.end :]}"
    closing = layout.indent_at(text, holder.start)
    indent = layout.indent_at(text, last.start) if last else closing + layout.unit
    # What follows the last member are blanks and comments: they stay where they are, and we come after them.
    begin = last.node.end if last else holder.start + 1
    rest = text[begin : holder.end - 1]
    comments = rest.rstrip()
    end = rest[len(comments) :] if last else layout.newline + closing
    added = f"{layout.newline}{indent}{key}{layout.write(value, indent)}"
    return text[:begin] + ("," if last else "") + comments + added + end + text[holder.end - 1 :]


def _deleted(text: str, holder: Node, place: int, has_comments: bool) -> str:
    member = holder.members[place]
    before, after = text[: member.start].rstrip(), text[member.node.end :]
    if place + 1 < len(holder.members):
        comma = skip(text, member.node.end, has_comments)
        return before + text[comma + 1 :]
    if place:
        previous = holder.members[place - 1].node.end
        comma = skip(text, previous, has_comments)
        return before[:comma] + before[comma + 1 :] + after
    inside = before[holder.start + 1 :] + text[member.node.end : holder.end - 1]
    return before + after if inside.strip() else text[: holder.start + 1] + text[holder.end - 1 :]
