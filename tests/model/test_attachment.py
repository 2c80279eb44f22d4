"""Names, trees and limits of attachments. Proves docs/format.md section 3.7."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchat.model import attachment
from gitchat.model.attachment import File, build, is_safe_name, listed, safe_name
from gitchat.model.errors import FormatError, UserError
from gitchat.model.names import Oid
from gitchat.model.tree import TreeEntry, encode_tree, parse_tree

SHA1, SHA256 = Oid("a" * 40), Oid("b" * 64)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("trace.txt", "trace.txt"),
        ("a/b/trace.txt", "trace.txt"),
        ("Übersicht 日本 👩‍👩‍👧.md", "Übersicht 日本 👩‍👩‍👧.md"),
        (".env", "_env"),
        (".git", "_git"),
        ("..", "file"),
        ("a/", "file"),
        ("", "file"),
        ("-rf", "_rf"),
        (" x . ", "x"),
        ("a:b\\c\n\x1b[31m\u202e.txt", "a_b_c__[31m_.txt"),
        ("CON.txt", "_CON.txt"),
        ("nul", "_nul"),
        ("com1 .log", "_com1 .log"),
        ("caf\udce9.txt", "caf_.txt"),
        ("x" * 300 + ".tar", "x" * 115 + ".tar"),
        ("é" * 300, "é" * 59),
        ("a." + "x" * 300, "a." + "x" * 117),
        ("con." + "x" * 300, "_con." + "x" * 115),
    ],
)
def test_a_name_is_changed_as_little_as_it_needs(path: str, name: str) -> None:
    """The last part of the path, without what some file system, shell or terminal would take amiss."""
    assert safe_name(path) == name


@given(st.text(st.characters() | st.sampled_from("./\\ -\0:con~\u202e\udcff"), max_size=200))
def test_a_name_that_was_made_safe_is_safe_and_stays(path: str) -> None:
    """Whatever comes in; and what is safe already is not changed."""
    name = safe_name(path)
    assert is_safe_name(name)
    assert safe_name(name) == name
    assert "/" not in name
    assert name not in (".", "..", ".git")


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0o100644, 0o100755, 0o120000, 0o160000, 0o40000]),
            st.binary(min_size=1).filter(lambda name: b"\0" not in name),
        )
    ),
    st.sampled_from([20, 32]),
)
def test_a_tree_comes_back(rows: list[tuple[int, bytes]], width: int) -> None:
    """Modes, names and ids of both lengths, whatever the names are."""
    entries = [TreeEntry(mode, name, Oid(bytes([turn % 256] * width).hex())) for turn, (mode, name) in enumerate(rows)]
    assert sorted(parse_tree(Oid("0" * width * 2), encode_tree(entries))) == sorted(entries)


def test_a_tree_is_in_the_order_of_git() -> None:
    """By the bytes of the names, a directory as if its name ended in a slash."""
    rows = [(0o100644, b"a0"), (0o040000, b"a"), (0o100644, b"a.txt"), (0o100644, b"a-b")]
    raw = encode_tree([TreeEntry(mode, name, SHA1) for mode, name in rows])
    assert [entry.name for entry in parse_tree(SHA1, raw)] == [b"a-b", b"a.txt", b"a", b"a0"]


@pytest.mark.parametrize("raw", [b"junk", b"100644 a\0" + b"x" * 19, b"100644 \0" + b"x" * 20, b"-1 a\0" + b"x" * 20])
def test_a_damaged_tree_is_said_to_be_damaged(raw: bytes) -> None:
    """No entry is guessed."""
    with pytest.raises(FormatError) as caught:
        parse_tree(SHA1, raw)
    assert (caught.value.code, caught.value.oid) == ("damaged-object", SHA1)


@pytest.mark.parametrize("like", [SHA1, SHA256], ids=["sha1", "sha256"])
def test_the_order_of_the_sender_is_kept(like: Oid) -> None:
    """Also of eleven files, where git's order is another one, and of two with one name."""
    files = [File(f"{turn % 10}.txt", b"%d" % turn) for turn in range(11)]
    objects = build(files, like)
    (kind, inner), (_, outer) = objects.contents[-2:]
    assert kind == "tree"
    assert len(objects.tree or "") == len(like)
    assert [one.name for one in listed(parse_tree(like, inner))] == [file.name for file in files]
    assert [(one.name, one.size_bytes) for one in objects.attachments] == [(f.name, len(f.content)) for f in files]
    assert attachment.directory_of(parse_tree(like, outer)) is not None
    assert build(files[::-1], like).tree != objects.tree


def test_without_files_there_is_nothing_to_store() -> None:
    """A message without attachments keeps the empty tree."""
    assert build([], SHA1) == attachment.Objects(None)


@pytest.mark.parametrize(
    ("mode", "name", "problem"),
    [
        (0o120000, b"1-link", "is a symbolic link"),
        (0o160000, b"1-sub", "is a submodule"),
        (0o040000, b"1-dir", "is a directory"),
        (0o010644, b"1-fifo", "is no file"),
        (0o100644, b".git", "has a name that is not safe on every file system"),
        (0o100644, b"1-.git", "has a name that is not safe on every file system"),
        (0o100644, b"1-..", "has a name that is not safe on every file system"),
        (0o100644, b"1-/etc/passwd", "has a name that is not safe on every file system"),
        (0o100644, b"1-a\\b", "has a name that is not safe on every file system"),
        (0o100644, b"1-a\nb", "has a name that is not safe on every file system"),
        (0o100644, b"1-\xff", "has a name that is not safe on every file system"),
        (0o100644, b"1-" + b"x" * 121, "has a name that is not safe on every file system"),
        (0o100644, b"1-nul.txt", "has a name that is not safe on every file system"),
        (0o100644, b"0-a", "has a name that is not safe on every file system"),
        (0o100644, b"a", "has a name that is not safe on every file system"),
        (0o100644, b"2-good", "has a name that another one has"),
    ],
)
def test_what_no_sender_of_ours_writes_is_named_with_its_problem(mode: int, name: bytes, problem: str) -> None:
    """It comes after what is sound, and keeps nobody from that."""
    found = listed([TreeEntry(0o100644, b"2-good", SHA1), TreeEntry(mode, name, SHA1)])
    assert [one.problem for one in found] == [None, problem]
    assert found[0].name == "good"


def test_permissions_of_strangers_are_no_problem() -> None:
    """An executable is a file like any other; verify tells of it."""
    entries = [TreeEntry(0o100755, b"1-run.sh", SHA1), TreeEntry(0o100644, b"2-a", SHA1)]
    assert [one.problem for one in listed(entries)] == [None, None]
    assert [attachment.has_odd_mode(entry) for entry in entries] == [True, False]


@pytest.mark.parametrize(
    ("sizes", "is_allowed"), [([10], True), ([11], False), ([10] * 8, True), ([10] * 8 + [1], False), ([0] * 50, True)]
)
def test_files_have_a_limit_each_and_together(sizes: list[int], is_allowed: bool) -> None:
    """All together may be eight times as large as one."""
    files = [File("x", b"x" * size) for size in sizes]
    if is_allowed:
        attachment.check_sizes(files, 10)
        return
    with pytest.raises(UserError) as caught:
        attachment.check_sizes(files, 10)
    assert caught.value.code == "attachment-too-large"


def test_a_message_carries_a_hundred_files_at_most() -> None:
    """Whatever their sizes."""
    attachment.check_sizes([File("x", b"")] * 100, 10)
    with pytest.raises(UserError) as caught:
        attachment.check_sizes([File("x", b"")] * 101, 10)
    assert caught.value.code == "too-many-attachments"
