"""Who is asked for a password: a person who types at a terminal, and nobody else."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from pathlib import Path

import pytest

from tests.clones.conftest import PATIENCE_SECONDS, Hub, smart_http
from tests.world import World


def trap(world: World) -> Path:
    """A program that is started to ask for a password, and the file that it leaves a line in each time."""
    program, told = world.root / "ask", world.root / "asked"
    program.write_text(f"#!/bin/sh\necho \"$0 $*\" >>'{told}'\necho wrong\n")
    program.chmod(0o755)
    told.touch()
    for variable in ("GIT_ASKPASS", "SSH_ASKPASS"):
        world.variables[variable] = str(program)
    world.variables["DISPLAY"] = ":9"
    world.git("config", "--global", "core.askPass", program)
    return told


def test_unattended_git_starts_no_program_that_asks_for_a_password(hub: Hub) -> None:
    """Neither of the three ways to name one has it started by a sync that no terminal belongs to."""
    told = trap(hub.world)
    with smart_http(hub) as url:
        hub.world.git("config", "--global", "--unset", "credential.helper")
        ann = hub.clone("ann", url)
        ann.say("kept")
        done = ann.chat("sync")
    assert done.returncode == 5
    assert "could not read Username" in done.stderr
    assert told.read_text() == ""


@pytest.mark.parametrize("chosen", ["nothing", "GIT_SSH_COMMAND", "GIT_SSH", "core.sshCommand"])
def test_ssh_is_told_to_ask_nobody_unless_somebody_chose_one(hub: Hub, chosen: str) -> None:
    """BatchMode is given to git's own ssh; whoever names another program for it has said how it runs."""
    world, told = hub.world, hub.world.root / "told"
    program = world.root / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho \"$@ ask=$GIT_ASKPASS require=$SSH_ASKPASS_REQUIRE\" >>'{told}'\nexit 1\n")
    program.chmod(0o755)
    world.variables["PATH"] = f"{program.parent}{os.pathsep}{world.variables['PATH']}"
    ann = hub.clone("ann", "ssh://nowhere.example/hub.git")
    if chosen == "core.sshCommand":
        ann.git("config", chosen, str(program))
    ann.chat("sync", **({chosen: str(program)} if chosen.startswith("GIT") else {}))
    assert ("BatchMode=yes" in told.read_text()) == (chosen == "nothing")
    assert "ask= require=never" in told.read_text()


@pytest.mark.parametrize("key", [None, "protocol.file.allow", "protocol.allow"])
def test_remote_by_path_is_used_unattended_unless_it_is_forbidden(hub: Hub, key: str | None) -> None:
    """What git allows for a path only when a person asked is meant of submodules; a setting counts all the same."""
    hub.world.git("config", "--global", "--unset", "protocol.file.allow")
    ann = hub.clone("ann")
    ann.say("near")
    if key is not None:
        ann.git("config", key, "user")
    done = ann.chat("sync")
    assert (done.returncode, "not allowed" in done.stderr) == ((0, False) if key is None else (5, True))


def test_person_who_types_a_sync_at_a_terminal_is_asked(hub: Hub) -> None:
    """Git asks there for the name and the password, and takes what is typed, as it does for a push."""
    with smart_http(hub) as url:
        hub.world.git("config", "--global", "--unset", "credential.helper")
        ann = hub.clone("ann", url)
        ann.say("by hand")
        output = typed(hub.world, ann.path, [(b"Username", b"alice\n"), (b"Password", b"open sesame\n")])
    assert b"lobby: 0 fetched, 1 pushed" in output
    assert hub.tip


def test_agent_at_a_terminal_is_asked_nothing(hub: Hub) -> None:
    """A terminal that an agent's client has opened has nobody at its keyboard."""
    with smart_http(hub) as url:
        hub.world.git("config", "--global", "--unset", "credential.helper")
        ann = hub.clone("ann", url)
        ann.say("by itself")
        output = typed(hub.world, ann.path, [], CLAUDECODE="1")
    assert b"terminal prompts disabled" in output


def typed(world: World, path: Path, answers: list[tuple[bytes, bytes]], **variables: str) -> bytes:
    """What ``git chat sync`` shows on a terminal that is its own; ``answers`` are typed at the words before them.

    A password may be asked for more than once: for the fetch, and for the push.
    """
    process_id, keyboard = pty.fork()
    if not process_id:
        os.chdir(path)
        os.execvpe("git", ["git", "chat", "sync"], {**world.variables, **variables})
    shown, seen, deadline = b"", 0, time.monotonic() + PATIENCE_SECONDS
    try:
        while time.monotonic() < deadline and select.select([keyboard], [], [], PATIENCE_SECONDS)[0]:
            try:
                part = os.read(keyboard, 65536)
            except OSError:  # nobody has the terminal open any more
                break
            shown += part
            for words, answer in answers:
                if words in shown[seen:]:
                    seen = len(shown)
                    os.write(keyboard, answer)
    finally:
        os.close(keyboard)
        os.waitpid(process_id, 0)
    return shown


def test_limit_ends_a_git_that_goes_on_talking(world: World, hub: Hub) -> None:
    """A remote that gives signs of life all the time is left when the time is up, with all that git started."""
    from gitchat.clones.wire import Wire
    from gitchat.model.errors import RemoteError

    ann = hub.clone("ann", "ssh://nowhere.example/hub.git")
    mark = f"still here, says {world.root}"  # by which the process is known on this machine
    chatty = f"while :; do echo {mark} >&2; sleep 0.05; done #"
    begin = time.monotonic()
    wire = Wire(
        "origin",
        git_dir=str(ann.path / ".git"),
        cwd=str(ann.path),
        variables={**world.variables, "GIT_SSH_COMMAND": f"sh -c '{chatty}'"},
        limit_seconds=1.0,
    )
    with pytest.raises(RemoteError) as refused:
        wire.listed("refs/*")
    assert refused.value.code == "remote-hangs"
    assert "was not done within 1 s" in str(refused.value)
    assert time.monotonic() - begin < PATIENCE_SECONDS
    left = subprocess.run(["pgrep", "-f", mark], capture_output=True, text=True, check=False).stdout
    assert left == ""
