"""git's configuration is asked once, and anew whenever git could answer something else."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitchat.quick import settings
from gitchat.quick.place import Place, find
from gitchat.quick.unusual import Unusual
from tests.world import World

asked = 0


@pytest.fixture
def repository(world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a room, in which the tests work; how often git is asked is counted."""
    repository = world.repository()
    (repository / ".git" / "chatroom").mkdir()
    monkeypatch.chdir(repository)
    real = settings._asked

    def count(*arguments: object) -> object:
        global asked
        asked += 1
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(settings, "_asked", count)
    return repository


def place_of(world: World, **variables: str) -> Place:
    return find({**world.variables, **variables})


def value(world: World, key: str, **variables: str) -> str | None:
    return settings.settings(place_of(world, **variables)).get(key)


def wait_until_old(*paths: Path) -> None:
    """Until a change of these is long enough ago to be told from the next one."""
    newest = max(max(path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in paths if path.exists())
    while time.time_ns() - newest < 100_000_000:
        time.sleep(0.01)


def asks(action: Callable[[], object]) -> int:
    """How often git is asked meanwhile."""
    before = asked
    action()
    return asked - before


def test_an_answer_is_kept_until_a_file_of_it_changes(world: World, repository: Path) -> None:
    """The repository's file, the user's, and one that was not there: each is seen at once, and then kept again."""
    del world.variables["GIT_CONFIG_GLOBAL"]
    files = [world.home / ".config" / "git" / "config", world.home / ".gitconfig", repository / ".git" / "config"]
    files[0].parent.mkdir(parents=True)
    for number, file in enumerate(files):  # each counts before those that stand before it
        wait_until_old(*files)
        value(world, "chat.room")
        assert asks(lambda: value(world, "chat.room")) == 0, "it was not kept"
        world.git("config", "--file", file, "chat.room", f"in-{number}")
        assert value(world, "chat.room") == f"in-{number}"


def test_where_the_system_keeps_its_file_is_asked_of_each_program_once(
    world: World, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not again when a setting was changed; but of another git in the place of the one before."""
    told: list[str] = []
    real = settings._system_file
    monkeypatch.setattr(settings, "_system_file", lambda place: (told.append(real(place)), told[-1])[1])
    program = world.add_program("git", f'exec "{shutil.which("git")}" "$@"')
    world.variables["GIT_CONFIG_NOSYSTEM"] = "0"
    config = repository / ".git" / "config"
    for number in range(3):
        world.git("config", "chat.room", f"in-{number}", cwd=repository)
        wait_until_old(config, program)
        assert value(world, "chat.room") == f"in-{number}"
        assert asks(lambda: value(world, "chat.room")) == 0
    assert len(told) == 1
    assert told[0].startswith("/")
    program.write_text(program.read_text() + "\n")
    wait_until_old(program)
    assert value(world, "chat.room") == "in-2"
    assert len(told) == 2


def test_a_change_in_the_same_moment_is_seen(world: World, repository: Path) -> None:
    """Of the same length, one right after the other: a file that was just changed is never kept."""
    config = repository / ".git" / "config"
    text = config.read_text()
    for number in range(20):
        config.write_text(f"{text}[chat]\n\troom = r{number:02}\n")
        assert value(world, "chat.room") == f"r{number:02}"


def test_a_file_that_was_put_back_is_seen(world: World, repository: Path) -> None:
    """With the time and the size that it had before: the kernel's own time of the change tells."""
    config = repository / ".git" / "config"
    text = config.read_text()
    config.write_text(f"{text}[chat]\n\troom = one\n")
    wait_until_old(config)
    before = config.stat()
    assert value(world, "chat.room") == "one"
    assert asks(lambda: value(world, "chat.room")) == 0
    config.write_text(f"{text}[chat]\n\troom = two\n")
    os.utime(config, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert value(world, "chat.room") == "two"


def test_another_home_and_another_git_have_answers_of_their_own(world: World, repository: Path) -> None:
    """Side by side: each is found again, and none for the other."""
    other = world.root / "other.gitconfig"
    other.write_text("[chat]\n\troom = other\n")
    wait_until_old(other, repository / ".git" / "config", world.home / ".gitconfig")
    for _ in range(2):
        assert value(world, "chat.room") is None
        assert value(world, "chat.room", GIT_CONFIG_GLOBAL=str(other)) == "other"
    assert asks(lambda: value(world, "chat.room", GIT_CONFIG_GLOBAL=str(other))) == 0
    assert asks(lambda: value(world, "chat.room")) == 0


@pytest.mark.parametrize(
    "text",
    [
        "[include]\n\tpath = more.inc\n",
        '[includeIf "gitdir:/"]\n\tpath = more.inc\n',
        "[extensions]\n\tworktreeConfig = true\n",
        "[core]\n\tsharedRepository = group\n",
        '[remote "origin"]\n\tpromisor = true\n',
    ],
)
def test_what_depends_on_more_is_left_to_the_long_way(world: World, repository: Path, text: str) -> None:
    """An include, be its file there or not, a worktree's own file, a repository of several users, a partial clone."""
    with (repository / ".git" / "config").open("a") as file:
        file.write(text)
    with pytest.raises(Unusual):
        value(world, "chat.room")


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "chat.room", "GIT_CONFIG_VALUE_0": "x"},
        {"GIT_CONFIG_PARAMETERS": "'chat.room=x'"},
        {"GIT_DIR": "file.txt"},
        {"GIT_DIR": ""},
        {"GIT_DIR": ".git", "GIT_WORK_TREE": "."},
        {"GIT_WORK_TREE": "."},
        {"GIT_CEILING_DIRECTORIES": "/"},
        {"GIT_COMMON_DIR": ".git"},
    ],
)
def test_variables_that_change_more_are_left_to_the_long_way(
    world: World, repository: Path, variables: dict[str, str]
) -> None:
    """Another repository, or settings that stand in no file."""
    with pytest.raises(Unusual):
        value(world, "chat.room", **variables)


def test_a_damaged_or_planted_answer_counts_for_nothing(world: World, repository: Path) -> None:
    """Cut at any place, with a byte changed, readable by others, or behind a link: git is asked."""
    wait_until_old(repository / ".git" / "config", world.home / ".gitconfig")
    value(world, "chat.room")
    (kept,) = (repository / ".git" / "chatroom" / "settings").iterdir()
    data = kept.read_bytes()
    for damaged in (b"", data[:7], data[: len(data) // 2], data[:-1], data.replace(b"user.name", b"user.nama")):
        kept.write_bytes(damaged)
        kept.chmod(0o600)
        assert asks(lambda: value(world, "user.name") == "Alice") == 1
    kept.chmod(0o644)
    assert asks(lambda: value(world, "user.name")) == 1
    elsewhere = world.root / "elsewhere"
    kept.rename(elsewhere)
    kept.symlink_to(elsewhere)
    assert asks(lambda: value(world, "user.name")) == 1


def test_no_address_and_nothing_foreign_is_kept(world: World, repository: Path) -> None:
    """Credentials may stand in a remote's address or in other settings: neither is in the file."""
    world.git("remote", "add", "origin", "https://me:secret@example.com/x", cwd=repository)
    world.git("config", "http.extraHeader", "Authorization: secret", cwd=repository)
    wait_until_old(repository / ".git" / "config", world.home / ".gitconfig")
    value(world, "chat.room")
    (kept,) = (repository / ".git" / "chatroom" / "settings").iterdir()
    assert b"secret" not in kept.read_bytes()
    assert b"remote.origin.url" in kept.read_bytes()
