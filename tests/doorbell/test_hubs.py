"""Hubs that ring by themselves: a real sshd with gitchat behind it, and ``git chat serve --git``.

Proves docs/format.md section 15.5. The clones look by themselves every ten minutes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.programs import running, until
from tests.clones.conftest import Clone, Hub
from tests.clones.servers import ssh_to
from tests.needed import need
from tests.serve.serving import serving
from tests.world import World


def follows(hub: Hub, name: str, url: str, command: str) -> Clone:
    """A clone that reaches the hub by ssh, and looks seldom."""
    clone = hub.clone(name, url)
    clone.git("config", "core.sshCommand", command)
    clone.sync()
    clone.git("config", "chat.sync", "batch")
    clone.git("config", "chat.syncInterval", "600")
    return clone


def reporters(hub: Hub) -> list[int]:
    """The processes that tell what moves at the hub."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"doorbell" in words and str(hub.path).encode() in words and words[0] != b"git":  # which only waits for it
            found.append(int(entry.parent.name))
    return found


@pytest.mark.slow
def test_a_hub_behind_ssh_tells_what_was_pushed(hub: Hub, tmp_path: Path) -> None:
    """By one process for each clone that stays, which ends with the line; also when that clone is killed."""
    ann = hub.clone("ann")
    ann.say("first")
    ann.sync()
    with ssh_to(hub, tmp_path) as (url, command):
        bea = follows(hub, "bea", url, command)
        with running(bea, "sync", "--watch", GITCHAT_NAME="bea") as there:
            there.line()
            # The first may be found by the look that comes when the line stands.
            for body in ("second", "third"):
                ann.say(body)
                ann.sync()
                assert there.line() == "lobby: 1 fetched, 0 pushed"
            assert len(reporters(hub)) == 1
            assert "ok     doorbell: origin tells at once what others push" in bea.chat("doctor").stdout
            there.process.kill()
            ann.say("fourth")
            ann.sync()
            until(lambda: reporters(hub) == [])


@pytest.mark.slow
def test_a_hub_without_gitchat_is_asked_once_a_day(hub: Hub, tmp_path: Path) -> None:
    """Nobody is told but who asks doctor, and messages come and go."""
    ann = hub.clone("ann")
    ann.say("first")
    ann.sync()
    path = tmp_path / "bin"
    path.mkdir()
    for program in ("git", "git-upload-pack", "git-receive-pack"):
        (path / program).symlink_to(need(program))
    hub.world.variables["PATH"], everything = str(path), hub.world.variables["PATH"]
    with ssh_to(hub, tmp_path) as (url, command):
        hub.world.variables["PATH"] = everything
        bea = follows(hub, "bea", url, command)
        bea.git("config", "chat.syncInterval", "0.2")
        with running(bea, "sync", "--watch", GITCHAT_NAME="bea") as there:
            there.line()
            until((bea.path / ".git/chatroom/nodoorbell-origin").exists)
            ann.say("second")
            ann.sync()
            assert there.line() == "lobby: 1 fetched, 0 pushed"
            there.process.terminate()
            assert there.end()[2] == ""
        assert "note   doorbell: origin has none (it does not know one); messages" in bea.chat("doctor").stdout


@pytest.mark.slow
def test_a_server_of_ours_tells_what_was_pushed_to_it(hub: Hub, world: World) -> None:
    """To who may fetch there, by the credentials that git has for it; to others it says nothing."""
    home = hub.clone("home")
    home.say("first")
    token = home.chat("token", "add", "host", "--any-name", check=True).stdout.split()[0]
    with serving(world, "--git", "--token-always", cwd=home.path) as server:
        address = f"{server.url}/git/".replace("//", f"//ann:{token}@", 1)
        bea = hub.clone("bea", address)
        bea.sync()
        bea.git("config", "chat.sync", "batch")
        bea.git("config", "chat.syncInterval", "600")
        with running(bea, "sync", "--watch", GITCHAT_NAME="bea") as there:
            there.line()
            for body in ("second", "third"):
                home.say(body)
                assert there.line() == "lobby: 1 fetched, 0 pushed"
            assert "ok     doorbell: origin tells at once" in bea.chat("doctor").stdout
            bea.git("remote", "set-url", "origin", f"{server.url}/git/")
            assert "it wants a token, and git knows none" in bea.chat("doctor").stdout
