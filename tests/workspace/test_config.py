"""git's configuration as values."""

from __future__ import annotations

import pytest

from gitchat.model.errors import UserError
from gitchat.workspace.config import Config, clobbering_refspecs


def config(*items: tuple[str, str | None]) -> Config:
    """A configuration as ``git config --list -z`` would print it."""
    return Config("".join(f"{key}\n{value}\0" if value is not None else f"{key}\0" for key, value in items).encode())


def test_the_last_value_wins_and_keys_fold_case() -> None:
    """As git does it: sections and variables fold, later files win."""
    read = config(("chat.maxbody", "1k"), ("chat.maxbody", "2k"))
    assert read.get("chat.maxBody") == "2k"
    assert read.get_all("CHAT.maxBody") == ["1k", "2k"]
    assert read.get("chat.name") is None


def test_subsections_keep_their_case_and_their_dots() -> None:
    """A remote may be called ``My.Remote``."""
    read = config(("remote.My.Remote.fetch", "a:b"))
    assert read.subsections("remote", "fetch") == ("My.Remote",)
    assert read.get_all("remote.My.Remote.fetch") == ["a:b"]


def test_values_keep_their_line_breaks() -> None:
    """Only the first line break ends the key."""
    assert config(("chat.name", "a\nb")).get("chat.name") == "a\nb"


@pytest.mark.parametrize(("text", "value"), [(None, True), ("yes", True), ("1", True), ("off", False), ("", False)])
def test_booleans_read_as_git_reads_them(text: str | None, value: bool) -> None:
    """A key without a value is true."""
    assert config(("chat.fsync", text)).get_bool("chat.fsync", not value) is value


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("2k", 2048), ("1M", 1024**2), ("1g", 1024**3)])
def test_sizes_read_as_git_reads_them(text: str, value: int) -> None:
    """k, m and g are powers of 1024."""
    assert config(("chat.maxbody", text)).get_bytes("chat.maxBody", 0) == value


@pytest.mark.parametrize("text", ["", "k", "1.5k", "-1", "many", "٣"])
def test_a_bad_setting_is_an_error_with_the_command_that_mends_it(text: str) -> None:
    """Never a silent default."""
    with pytest.raises(UserError) as caught:
        config(("chat.maxbody", text)).get_bytes("chat.maxBody", 0)
    assert "git config chat.maxBody" in caught.value.hint
    with pytest.raises(UserError):
        config(("chat.fsync", "perhaps")).get_bool("chat.fsync", True)


@pytest.mark.parametrize(
    ("refspec", "clobbers"),
    [
        ("+refs/*:refs/*", True),
        ("refs/*:refs/*", True),
        ("+refs/chatroom/*:refs/chatroom/*", True),
        ("refs/chatroom/rooms/lobby/log:refs/chatroom/rooms/lobby/log", True),
        ("+refs/heads/*:refs/remotes/origin/*", False),
        ("+refs/chatroom/rooms/*:refs/chatroom-local/remotes/origin/rooms/*", False),
        ("refs/heads/main", False),
        ("^refs/chatroom/*", False),
    ],
)
def test_fetches_that_would_overwrite_rooms_are_recognised(refspec: str, clobbers: bool) -> None:
    """What counts is where a fetch writes to."""
    assert clobbering_refspecs(config(("remote.o.fetch", refspec))) == ([("o", refspec)] if clobbers else [])
