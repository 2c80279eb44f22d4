"""That ``make same`` sees what it is there to see: another word, another ref, and nothing where nothing changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from checks.compare_trees import PARTS, TOP, compare, differences
from checks.steps import Call, Command

COMMANDS = [
    Command("", "git init -q one; git chat log"),
    Command("one", "git chat send hello; git chat show 1"),
    Command("one", "git chat send --type question 'Who has the lexer?'"),
]
CALLS = [Call("tools/call", {"name": "send_message", "arguments": {"name": "alice", "content": "hello"}})]


def mutated(into: Path, changes: dict[bytes, bytes]) -> Path:
    """A copy of the program in which each text, which must stand there, is another one."""
    for part in PARTS:
        shutil.copytree(TOP / part, into / part, ignore=shutil.ignore_patterns("__pycache__"))
    for old, new in changes.items():
        holders = [path for path in into.rglob("*.py") if old in path.read_bytes()]
        assert holders
        for path in holders:
            path.write_bytes(path.read_bytes().replace(old, new))
    return into


@pytest.mark.slow
def test_a_changed_word_and_a_changed_record_are_seen(tmp_path: Path) -> None:
    """What is printed and what is stored is compared; what has nothing to do with the change is equal."""
    other = mutated(
        tmp_path / "other", {b"is not inside a git": b"is not within a git", b'"Chat-Type"': b'"Chat-Sort"'}
    )
    pairs = list(compare(TOP, other, tmp_path / "world", COMMANDS, CALLS, [""]))
    alike = [one == two for one, two in pairs]
    assert alike == [False, True, False, *[True] * (len(pairs) - 3)]

    outside, said, asked = (one.text for one, _ in pairs[:3])
    assert "exit 1" in outside
    assert "hello" in said
    assert "#2" in asked
    assert "sent [1]" in pairs[-2][0].text

    shown = "".join(differences(pairs))
    removed = [line for line in shown.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert "is not inside a git repository" in removed[0]
    assert removed[1].startswith("-one refs/chatroom/rooms/lobby/log ")
    assert len(removed) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
