"""Changing JSON, TOML and Markdown in place: what is ours goes in and out, and the rest stays to the byte."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gitchat.setup import jsonfile, section, tomlfile
from gitchat.setup.nearness import CONTEXT_LINES, around_the_change
from gitchat.setup.refusal import Refusal

ENTRY = {"command": "git", "args": ["chat", "mcp"], "env": {"A": "b"}}

COMMENTED = """\
// the team's servers
{
\t"mcpServers": {
\t\t"one": { "command": "x" }, // "not": "a key"
\t\t/* the
\t\t   second */
\t\t"two": { "command": "y,}" } // last
\t\t// and that is all
\t},
\t"unknown": [1, 2.50, 1e3, "\\u00e9 // no comment"]
}
"""


def plain(text: str) -> Any:
    """The value of a text whose comments each stand at the end of a line, read without our parser."""
    text = text.replace("/* the\n\t\t   second */", "").replace("// no comment", "")
    return json.loads("\n".join(line.partition("//")[0] for line in text.splitlines()))


# --- what is shown -----------------------------------------------------------

LINES = some.lists(some.sampled_from([b"a\n", b"b\n", b"c\n"]), max_size=12).map(b"".join)


@given(start=LINES, end=LINES, before=LINES, after=LINES)
def test_what_is_left_out_of_a_comparison_is_alike(start: bytes, end: bytes, before: bytes, after: bytes) -> None:
    """In front and behind; of a change in the middle as many lines are left around it as are shown."""
    old, new = start * 9 + before + end * 9, start * 9 + after + end * 9
    skipped, one, other = around_the_change(old, new)
    front = b"".join(old.splitlines(keepends=True)[:skipped])
    behind = old[len(front) + len(one) :]
    assert (front + one + behind, front + other + behind) == (old, new)
    if old != new:
        lines = one.splitlines(), other.splitlines()
        assert not skipped or lines[0][:CONTEXT_LINES] == lines[1][:CONTEXT_LINES]
        assert not behind or lines[0][-CONTEXT_LINES:] == lines[1][-CONTEXT_LINES:]


# --- JSON --------------------------------------------------------------------


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "text", [COMMENTED, COMMENTED.rstrip(), '{\n "mcpServers": {\n  "one": {}}}', '{"mcpServers":{"a":1}}']
)
def test_what_was_inserted_last_is_deleted_to_the_byte(text: str, newline: str) -> None:
    """With comments before and after, with tabs, with brackets that share a line, with either line ending."""
    text = text.replace("\n", newline)
    changed = jsonfile.insert(text, ("mcpServers", "gitchat"), ENTRY, has_comments=True)
    assert changed != text
    assert jsonfile.delete(changed, ("mcpServers", "gitchat"), has_comments=True) == text
    assert newline == "\n" or "\n" not in changed.replace("\r\n", "")


def test_an_insert_changes_nothing_else() -> None:
    """Taking the new lines out by hand leaves the old ones, but for one comma."""
    changed = jsonfile.insert(COMMENTED, ("mcpServers", "gitchat"), ENTRY, has_comments=True)
    old, new = COMMENTED.splitlines(), changed.splitlines()
    assert [line for line in old if line not in new] == ['\t\t"two": { "command": "y,}" } // last']
    assert '\t\t"two": { "command": "y,}" }, // last' in new
    value = plain(changed)
    assert value["mcpServers"].pop("gitchat") == ENTRY
    assert value == plain(COMMENTED)


def test_a_comment_that_looks_like_an_end_is_none() -> None:
    """A bracket or a comma in a comment or a string is text."""
    text = '{\n  "a": 1 // }, "b": 2\n  /* } */\n}\n'
    changed = jsonfile.insert(text, ("c",), "]}", has_comments=True)
    assert changed == '{\n  "a": 1, // }, "b": 2\n  /* } */\n  "c": "]}"\n}\n'
    rest = jsonfile.delete(changed, ("a",), has_comments=True)
    assert rest == '{ // }, "b": 2\n  /* } */\n  "c": "]}"\n}\n'


@pytest.mark.parametrize("place", [0, 1, 2])
def test_any_element_can_go(place: int) -> None:
    """First, middle and last: what stays is JSON and in its order."""
    text = '{"list": [\n  {"a": 1},\n  {"b": 2},\n  {"c": 3}\n]}'
    rest = json.loads(jsonfile.delete(text, ("list", place), has_comments=False))["list"]
    assert rest == [part for count, part in enumerate([{"a": 1}, {"b": 2}, {"c": 3}]) if count != place]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1,}', "line 1, column 9"),
        ('{\n  "a": 1\n  "b": 2\n}', "line 3, column 3"),
        ("{\n  // no\n}", "line 2, column 3"),
        ('{\r\n  "a": tru\r\n}', "line 2, column 8"),
        ('{"a": NaN}', "line 1, column 7"),
        ("[1]", "line 1, column 1"),
        ('{"a": 1} x', "line 1, column 10"),
        ('{"a": "', "line 1, column 7"),
        ("{'a': 1}", "line 1, column 2"),
        ('{"a": ' + "[" * 100_000, "line 1, column 1"),
        ('{"a": ' + "9" * 10_000 + "}", "line 1, column 1"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text: str, place: str) -> None:
    """Also what some readers let pass: a comma too many, comments where the client takes none."""
    with pytest.raises(Refusal, match=place) as caught:
        jsonfile.parse(text, has_comments=False)
    assert caught.value.code == "malformed-config"


@pytest.mark.parametrize("text", ['{"mcpServers": []}', '{"mcpServers": null}', '{"mcpServers": "x"}'])
def test_something_else_in_the_way_is_refused(text: str) -> None:
    """A value that is no object cannot hold our entry, and is not replaced."""
    with pytest.raises(Refusal) as caught:
        jsonfile.insert(text, ("mcpServers", "gitchat"), ENTRY, has_comments=False)
    assert caught.value.code == "not-editable"


def test_of_doubled_keys_the_last_counts() -> None:
    """As for the clients, whose parsers take the last one."""
    changed = jsonfile.insert('{"a": {}, "a": {"b": 1}}', ("a", "c"), 2, has_comments=False)
    assert json.loads(changed) == {"a": {"b": 1, "c": 2}}


VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = some.dictionaries(some.text(max_size=4), VALUES, max_size=4)


@given(OBJECTS, VALUES, some.sampled_from([None, 0, 1, 4, "\t"]), some.booleans())
def test_any_object_takes_a_member_and_gives_it_back(
    value: dict[str, Any], new: Any, indent: int | str | None, is_ascii: bool
) -> None:
    """However it is laid out: in it means the same plus one member, and out again the same."""
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
    changed = jsonfile.insert(text, ("new key",), new, has_comments=False)
    assert json.loads(changed) == value | {"new key": new}
    back = jsonfile.delete(changed, ("new key",), has_comments=False)
    assert json.loads(back) == value
    if value:
        assert back == text


# --- TOML --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1\n[b\n", "line 2, column 3"),
        ('a = "x\nb = 2\n', "line 1, column 7"),
        ("# ü\na = 1\na = 2\nc = 3\n", "line 3, column 6"),
        ("[a]\nx = 1\n\n[a]\ny = 2\n", "line 4, column 3"),
        ("k = 1 2\r\nb = 3\r\n", "line 1, column 7"),
        ("a = [1,\n 2\n", "line 3, column 1"),
    ],
)
def test_broken_toml_is_told_at_its_place(text: str, place: str) -> None:
    """Where it cannot go on, also after lines with other letters; at the end where something is not closed."""
    with pytest.raises(Refusal, match=rf"^is not TOML: {place}: "):
        tomlfile.parse(text)


TABLES = (
    '# mine\nmodel = "x" # dear\n\n[mcp_servers.other]\ncommand = "y"\n\n[projects."/a b"]\ntrust_level = "trusted"\n'
)


@pytest.mark.parametrize(
    "text", ["", TABLES, "mcp_servers.other.command = 'x'\n", "[mcp_servers]\n[mcp_servers.a]\nb = 1\n"]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_table_goes_in_at_the_end_and_out_again(text: str, newline: str) -> None:
    """Comments, order and other tables stay to the byte."""
    text = text.replace("\n", newline)
    changed = tomlfile.insert(text, ("mcp_servers", "gitchat"), ENTRY)
    assert changed.startswith(text)
    assert tomllib.loads(changed)["mcp_servers"]["gitchat"] == ENTRY
    assert tomlfile.delete(changed, ("mcp_servers", "gitchat")) == text


def test_a_table_between_others_is_deleted() -> None:
    """What comes after it stays."""
    changed = tomlfile.insert(TABLES, ("mcp_servers", "gitchat"), ENTRY) + "\n[tui]\ntheme = 'dark' # so\n"
    rest = tomlfile.delete(changed, ("mcp_servers", "gitchat"))
    assert rest.startswith(TABLES)
    assert rest.endswith("[tui]\ntheme = 'dark' # so\n")


def test_comments_after_a_table_are_not_part_of_it() -> None:
    """Whoever appends a line to the file does not lose it with our entry."""
    changed = tomlfile.insert(TABLES, ("mcp_servers", "gitchat"), ENTRY)
    assert tomlfile.delete(changed + "\n# later\n", ("mcp_servers", "gitchat")) == TABLES + "\n# later\n"


@pytest.mark.parametrize(
    "text",
    [
        'mcp_servers.gitchat.command = "git"\nmcp_servers.other.command = "x"\n',
        '[mcp_servers]\ngitchat = { command = "git" }\nother = { command = "x" }\n',
        '["mcp_servers" . gitchat]\ncommand = "git"\n[mcp_servers.other]\ncommand = "x"\n',
    ],
)
def test_a_table_in_another_form_is_deleted(text: str) -> None:
    """As dotted keys, as an inline table, with quotes."""
    assert tomllib.loads(tomlfile.delete(text, ("mcp_servers", "gitchat"))) == {
        "mcp_servers": {"other": {"command": "x"}}
    }


def test_a_closed_table_is_refused() -> None:
    """An inline table cannot be added to from outside, and rewriting it would cost its layout."""
    with pytest.raises(Refusal) as caught:
        tomlfile.insert('mcp_servers = { other = { command = "x" } }\n', ("mcp_servers", "gitchat"), ENTRY)
    assert caught.value.code == "not-editable"


@pytest.mark.parametrize(("text", "line"), [("a = \n", 1), ("a = 1\n[b\n", 2), ("a = 1\na = 2\n", 2)])
def test_what_is_no_toml_is_refused_with_its_line(text: str, line: int) -> None:
    """A person finds it in the file."""
    with pytest.raises(Refusal, match=f"line {line}, column") as caught:
        tomlfile.parse(text)
    assert caught.value.code == "malformed-config"


# --- the section -------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "# Rules\n", "# Rules\r\n\r\nBe kind.\r\n"])
def test_a_section_is_updated_in_place_and_taken_out(text: str) -> None:
    """What stands before and after it stays to the byte."""
    first = section.put(text, "one") + "after\n"
    second = section.put(first, "two\nthree")
    assert second.startswith(text)
    assert second.endswith("after\n")
    assert "one" not in second
    assert section.put(second, "two\nthree") == second
    assert section.take(second).replace("\r", "") == text.replace("\r", "") + "after\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{section.BEGIN}\nno end\n",
        f"{section.END}\n",
        f"{section.END}\n{section.BEGIN}\n",
        f"{section.BEGIN}\n{section.BEGIN}\n{section.END}\n",
    ],
)
def test_markers_that_are_not_a_pair_are_refused(text: str) -> None:
    """Nobody knows what would be ours, so nothing is replaced or removed."""
    for change in (lambda: section.put(text, "x"), lambda: section.take(text)):
        with pytest.raises(Refusal) as caught:
            change()
        assert caught.value.code == "broken-section"
