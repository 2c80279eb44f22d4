"""What errors tell somebody who is not of this machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gitchat
from gitchat.model.errors import ChatError, ConflictError, FormatError, Mistyped, RemoteError, StorageError, UserError

PACKAGE = Path(gitchat.__file__).parent

NOT_SERVED = {"cli", "setup", "githooks", "care", "__main__.py", "agenthook.py"}
"""What a server calls nothing of: it is typed, or run by git or a client, where the places are."""

PLACES = re.compile(
    r"path|director|holder|\bhost\b|pid|worktree|cwd|\btop\b|quoted|real|stderr|words|strerror|home|email"
)
"""Names of values that may hold a place, in the expressions that an error is made of."""

KNOWN = {
    "rooms/files.py",  # files that are typed on a command line, or written where somebody asked for them
    "workspace/repository.py",  # the place itself, which no server begins without
    "storage/git.py",  # no git, or one that hangs
    "storage/refusals.py",  # files that are kept from us
    "serve/choosing.py", "serve/running.py",  # typed where a server begins
    "serve/origins.py",  # the host that who asks named itself
    "serve/tokens.py",  # the server's own file
    "verbs/misfits.py", "verbs/taking.py", "verbs/untaking.py", "work/gathering.py", "work/handed.py",  # who works here
    "work/anchoring.py",  # likewise; for anybody else it opens no file
    "clones/moving.py", "clones/report.py", "clones/judging.py", "clones/offering.py",  # told to who syncs
}  # fmt: skip
"""Modules of which strangers are told the words of the class, and need no others."""


@pytest.mark.parametrize("text", [
    "cannot write /srv/repo/.git/x", "it is in '/home/al'", "see ~/x", "rm './x'", "process 4711 holds it",
    "on host box", "clone https://box/x", "ask al@example.com", "in C:\\repo", "ssh://box/x", "(/tmp)", "x=/etc",
])  # fmt: skip
def test_strangers_are_told_of_no_place(text: str) -> None:
    """Neither in the message nor in the hint, whatever was forgotten where the error is raised."""
    for error in (UserError(text, hint="a", code="b"), ConflictError("a", hint=text, code="b")):
        assert text in (str(error), error.hint)
        assert text not in (error.public_message, error.public_hint)
    told = UserError("a", hint="b", code="c", public_message=text, public_hint=text)
    assert text not in (told.public_message, told.public_hint)


@pytest.mark.parametrize("text", [
    "there is no message #12 in room 'lobby'", "its newest record is #3: git chat log --room lobby",
    "1 to 64 of a-z, 0-9, '.', '_', '-'", "the ref refs/chatroom/rooms/lobby/log", "read and/or write",
    "to must be text or a JSON array, not int", "12 / 5", "participant 'process' is already active", "role:host.x",
])  # fmt: skip
def test_what_names_no_place_is_told_to_all(text: str) -> None:
    """It is what leads on."""
    error = UserError(text, hint=text, code="a")
    assert (error.public_message, error.public_hint) == (text, text)


@pytest.mark.parametrize("kind", [StorageError, RemoteError])
def test_the_words_of_the_system_are_for_who_is_here(kind: type[ChatError]) -> None:
    """They may name anything, in any language; who is far away can only wait or ask."""
    error = kind("secret", hint="secret", code="storage")
    assert "secret" not in error.public_message + error.public_hint
    assert "tell who runs this server" in error.public_hint


@pytest.mark.parametrize("code", ["bad-config", "not-a-repository", "bad-path"])
def test_settings_are_for_who_is_here(code: str) -> None:
    """Their values, too."""
    error = UserError("the setting chat.pace is 'fast'", hint="set it", code=code)
    assert (error.public_message, error.public_hint) == ("this cannot be done here", "tell who runs this server")


def test_what_strangers_are_told_instead_is_kept_by_each_kind() -> None:
    """Also by those that have more to tell."""
    told = {"public_message": "m", "public_hint": "h"}
    errors = [
        Mistyped("/a", hint="/b", code="c", word="d", **told),
        FormatError("/a", hint="/b", code="c", oid="d", **told),
        StorageError("/a", hint="/b", code="c", **told),
    ]
    assert {(error.public_message, error.public_hint) for error in errors} == {("m", "h")}


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Each error that a module which a server may call makes, with the module's path."""
    kinds = {"UserError", "ConflictError", "Mistyped", "FormatError"}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE)
        if name.parts[0] in NOT_SERVED:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                yield name.as_posix(), node


def inserted(text: ast.expr | None) -> str:
    """The expressions whose values stand in a message or a hint."""
    nodes = ast.walk(text) if text is not None else ()
    return " ".join(ast.unparse(node.value) for node in nodes if isinstance(node, ast.FormattedValue))


def test_who_names_a_place_has_other_words_for_strangers() -> None:
    """All errors of the rooms: what the last resort says instead (``this cannot be done here``) leads nowhere."""
    found = list(raised())
    assert len(found) > 60
    silent = []
    for module, call in found:
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        texts = {"public_message": call.args[0] if call.args else None, "public_hint": given.get("hint")}
        lacking = [word for word, text in texts.items() if PLACES.search(inserted(text)) and word not in given]
        if lacking and module not in KNOWN:
            silent.append(f"{module}:{call.lineno} has no {' and no '.join(lacking)}")
    assert silent == []
