"""``git chat invite``: three lines that bring somebody into a room."""

from __future__ import annotations

import sys

import pytest

from gitchat.cli import installing
from gitchat.clones.address import public
from tests.cli.conftest import Chatroom, refused
from tests.world import World


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://github.com/alice/project.git", "https://github.com/alice/project.git"),
        ("https://alice:s3cr3t@github.com/alice/project", "https://github.com/alice/project"),
        ("https://s3cr3t@github.com/alice/project", "https://github.com/alice/project"),
        ("https://oauth2:a@b@git.example.com:8443/p", "https://git.example.com:8443/p"),
        ("https://git.example.com/p?private_token=s3cr3t#x", "https://git.example.com/p"),
        ("git@github.com:alice/project.git", "git@github.com:alice/project.git"),
        ("alice:s3cr3t@host:project", "alice:s3cr3t@host:project"),
        ("ssh://git:s3cr3t@example.com:22/a/p.git", "ssh://git@example.com:22/a/p.git"),
        ("ssh://example.com/p", "ssh://example.com/p"),
        ("../hub.git", "/home/alice/hub.git"),
        ("file:///srv/hub.git", "file:///srv/hub.git"),
        ("ext::ssh -i key host %S p", None),
    ],
)
def test_an_address_is_told_without_what_is_secret(address: str, expected: str | None) -> None:
    """A name stays where ssh needs one; a path is told in full. (Of ssh's short form git takes no password.)"""
    assert public(address, "/home/alice/project") == expected


def test_three_lines_bring_a_stranger_in(world: World, chatroom: Chatroom) -> None:
    """The second and third, run elsewhere, end in the room. The client is the one that is set up here."""
    hub = world.root / "hub.git"
    world.git("init", "-q", "--bare", hub)
    chatroom.git("remote", "add", "origin", hub)
    chatroom.git("push", "-q", "origin", "HEAD")
    chatroom.say(body="welcome")
    chatroom.chat("sync", check=True)
    chatroom.chat("setup", "codex", check=True)
    done = chatroom.chat("invite", check=True)
    install, clone, setup = done.stdout.splitlines()
    assert (install, clone, setup) == (
        "pipx install ./gitchat", f"git clone {hub} hub && cd hub", "git chat setup codex",
    )  # fmt: skip
    assert done.stderr.splitlines() == [
        "note: gitchat is on no index of packages yet: the first line is for who has a clone"
    ]
    elsewhere = world.root / "elsewhere"
    elsewhere.mkdir()
    world.run("sh", "-e", "-c", f"{clone}\n{setup}\ngit chat log --oneline > said", cwd=elsewhere)
    assert "welcome" in (elsewhere / "hub" / "said").read_text()


def test_what_an_alias_stands_for_is_told_without_its_token(chatroom: Chatroom) -> None:
    """A stranger has not our configuration; the room that is not there yet is told, on standard error."""
    chatroom.say()
    chatroom.git("config", "url.https://alice:s3cr3t@example.com/.insteadOf", "work:")
    chatroom.git("remote", "add", "origin", "work:team/project.git")
    done = chatroom.chat("invite", "gemini", check=True)
    assert done.stdout.splitlines()[1:] == [
        "git clone https://example.com/team/project.git project && cd project", "git chat setup gemini",
    ]  # fmt: skip
    assert done.stderr.splitlines()[1:] == ["note: no room here follows origin yet: git chat sync origin"]


def test_the_words_of_a_remote_are_quoted(chatroom: Chatroom) -> None:
    """They are pasted into somebody's shell."""
    chatroom.git("remote", "add", "origin", "https://example.com/a b;reboot/$(id).git")
    line = chatroom.chat("invite", check=True).stdout.splitlines()[1]
    assert line == "git clone 'https://example.com/a b;reboot/$(id).git' '$(id)' && cd '$(id)'"


def test_where_there_is_nothing_to_clone_it_is_refused(chatroom: Chatroom) -> None:
    """No remote, one that only this machine reaches, and a client that is not written."""
    refused(chatroom.chat("invite"), "there is no remote 'origin' here", "git remote add origin URL")
    chatroom.git("remote", "add", "origin", "ext::ssh -i key host %S p")
    refused(chatroom.chat("invite"), "is reached by a helper of this machine, ext", "--remote REMOTE")
    chatroom.git("remote", "set-url", "origin", "https://example.com/p")
    refused(chatroom.chat("invite", "zed"), "untested", "git chat setup zed --print")


@pytest.mark.parametrize(
    ("noted", "command"),
    [
        (None, "pipx install git-chatroom"),
        (
            '{"url": "https://alice:s3cr3t@example.com/gitchat.git", "vcs_info": {"vcs": "git", "commit_id": "1"}}',
            "pipx install git+https://example.com/gitchat.git",
        ),
        (
            '{"url": "ssh://git@host/a b.git", "vcs_info": {}}',
            "pipx install 'git+ssh://git@host/a b.git'",
        ),
        ('{"url": "https://example.com/git_chatroom-1.whl", "archive_info": {}}', None),
        ('{"url": "file:///home/alice/gitchat", "dir_info": {"editable": true}}', installing.FROM_A_CLONE),
        ('{"url": "ext::sh -c x", "vcs_info": {}}', installing.FROM_A_CLONE),
        ('{"url": 7}', installing.FROM_A_CLONE),
        ("[]", installing.FROM_A_CLONE),
        ("", installing.FROM_A_CLONE),
    ],
)
def test_it_is_installed_as_it_was_here(noted: str | None, command: str | None) -> None:
    """From an index, a repository, an archive; who has it from a directory can only say that. No secret is told."""
    assert installing.of(noted) == (command or "pipx install https://example.com/git_chatroom-1.whl")


PIPX, UV_TOOL, VENV = (
    "/home/a/.local/share/pipx/venvs/git-chatroom",
    "/home/a/.local/share/uv/tools/git-chatroom",
    "/venv",
)
WANTED = "git-chatroom[serve]"


@pytest.mark.parametrize(
    ("noted", "installer", "prefix", "command"),
    [
        (None, "pip", PIPX, f"pipx install --force '{WANTED}'"),
        (None, "uv", UV_TOOL, f"uv tool install --force '{WANTED}'"),
        (None, "uv", VENV, f"uv pip install --python /venv/bin/python '{WANTED}'"),
        (None, "pip", VENV, f"/venv/bin/python -m pip install '{WANTED}'"),
        (
            '{"url": "https://alice:s3cr3t@example.com/g.git", "vcs_info": {"vcs": "git"}}', "pip", PIPX,
            f"pipx install --force '{WANTED} @ git+https://example.com/g.git'",
        ),
        (
            '{"url": "file:///home/a/my%20gitchat", "dir_info": {"editable": true}}', "pip", VENV,
            "/venv/bin/python -m pip install -e '/home/a/my gitchat[serve]'",
        ),
        (
            '{"url": "file:///home/a/gitchat", "dir_info": {}}', "pip", PIPX,
            f"pipx install --force '{WANTED} @ file:///home/a/gitchat'",
        ),
        (
            '{"url": "file:///tmp/git_chatroom-1-py3-none-any.whl", "archive_info": {}}', "pip", VENV,
            f"/venv/bin/python -m pip install '{WANTED} @ file:///tmp/git_chatroom-1-py3-none-any.whl'",
        ),
        ('{"url": 7}', "pip", PIPX, "pipx install --force './gitchat[serve]'"),
        ("[]", "pip", PIPX, "pipx install --force './gitchat[serve]'"),
    ],
)  # fmt: skip
def test_an_extra_is_installed_as_the_program_was(noted: str | None, installer: str, prefix: str, command: str) -> None:
    """By the same installer, into the same place, from the same source; no secret is told."""
    assert installing.extra_of("serve", noted, installer, prefix, "/venv/bin/python") == command


def test_without_its_libraries_the_server_says_what_installs_them(world: World) -> None:
    """A program whose Python lacks one of them: one clear line, and the command that fits this installation."""
    repo = world.repository()
    hidden = (
        "import sys, importlib.util as u\n"
        "found = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'websockets' else found(name, package)\n"
        "sys.argv = ['git-chat', 'serve']\n"
        "from gitchat.__main__ import main\n"
        "main()\n"
    )
    done = world.run(sys.executable, "-c", hidden, cwd=repo, check=False)
    assert done.returncode == 1
    assert "needs libraries that only the extra 'serve' brings: websockets" in done.stderr
    assert f"hint: {installing.with_extra('serve')}" in done.stderr
    assert "[serve]" in done.stderr
