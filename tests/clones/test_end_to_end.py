"""Clones that come together at one hub: real processes, real git, every transport that git has."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.conftest import refused
from tests.clones.conftest import (
    LOG,
    Clone,
    Hub,
    Serving,
    assert_same_view,
    git_daemon,
    settle,
    smart_http,
)
from tests.clones.servers import ssh_to


def talk(clone: Clone, agent: str, count: int) -> list[str]:
    """One agent's morning: it speaks and syncs, and does not mind that somebody else was quicker."""
    bodies = [f"{agent} says {number}" for number in range(count)]
    for body in bodies:
        clone.say(body, GITCHAT_NAME=agent)
        assert clone.chat("sync", "--yes").returncode in (0, 3, 5)
    return bodies


def all_at_once(clones: list[Clone], agents: int, count: int) -> list[str]:
    """Let so many agents in each clone talk at the same time; what they said."""
    with ThreadPoolExecutor(len(clones) * agents) as pool:
        talks = [pool.submit(talk, clone, f"{clone.name}{agent}", count) for clone in clones for agent in range(agents)]
        return [body for one in talks for body in one.result()]


@pytest.mark.parametrize("count", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_four_clones_with_two_agents_each_come_to_one_view(hub: Hub, count: int) -> None:
    """Whoever pushes first, every record is everywhere once, with one number."""
    clones = [hub.clone(name) for name in ("ann", "bea", "cid", "dan")]
    bodies = all_at_once(clones, 2, count)
    settle(clones)
    assert_same_view(hub, clones, bodies)


@pytest.mark.slow
@pytest.mark.parametrize("serving", [git_daemon, smart_http])
def test_three_clones_over_the_network_come_to_one_view(hub: Hub, serving: Serving) -> None:
    """git's own protocol and smart HTTP with a password carry a room as a path does."""
    with serving(hub) as url:
        clones = [hub.clone(name, url) for name in ("ann", "bea", "cid")]
        bodies = all_at_once(clones, 1, 4)
        settle(clones)
        assert_same_view(hub, clones, bodies)


def test_one_message_goes_through_smart_http_with_a_password(hub: Hub) -> None:
    """The user's own credential helper is asked, and nobody else."""
    with smart_http(hub) as url:
        ann, bea = hub.clone("ann", url), hub.clone("bea", url)
        ann.say("over http")
        ann.sync()
        bea.sync()
        assert bea.numbered() == [(1, "over http")]


def test_wrong_password_is_an_error_and_no_prompt(hub: Hub) -> None:
    """Nobody is asked for a password at a terminal: the remote refuses, and what is here is pending."""
    with smart_http(hub, "alice:wrong") as url:
        ann = hub.clone("ann", url)
        ann.say("kept")
        refused(ann.chat("sync"), "Authentication failed", "git ls-remote origin", 5)
        assert ann.bodies() == ["kept"]


def test_words_of_a_hook_come_through_smart_http(hub: Hub) -> None:
    """What the server's own hook says about a refused push is shown, and the message stays pending."""
    with smart_http(hub) as url:
        ann = hub.clone("ann", url)
        ann.say("first")
        ann.sync()
        hub.hook("echo 'quota of 3 MB exceeded' >&2; exit 1")
        ann.say("second")
        refused(ann.chat("sync"), "pre-receive hook declined", "nothing is lost", 5)
        assert "quota of 3 MB exceeded" in ann.chat("sync").stderr
        assert ann.numbered() == [(1, "first"), (None, "second")]


@pytest.mark.slow
def test_ssh_carries_a_room(hub: Hub, tmp_path: Path) -> None:
    """A path behind ssh, with the user's own key and settings."""
    with ssh_to(hub, tmp_path) as (url, command):
        clones = [hub.clone(name, url) for name in ("ann", "bea")]
        for clone in clones:
            clone.git("config", "core.sshCommand", command)
            clone.say(f"from {clone.name}")
            clone.sync("--yes")
        settle(clones)
        assert_same_view(hub, clones, ["from ann", "from bea"])


@pytest.mark.soak
@pytest.mark.parametrize(("count", "agents", "messages"), [(8, 3, 8), (32, 1, 4)])
def test_many_clones_come_to_one_view(hub: Hub, tmp_path: Path, count: int, agents: int, messages: int) -> None:
    """A burst of everybody at once, without a pause; what it costs is printed."""
    traces = tmp_path / "traces"
    traces.mkdir()
    hub.world.variables["GIT_TRACE2_EVENT"] = str(traces)  # a file for each process of git
    clones = [hub.clone(f"clone{number}") for number in range(count)]
    begin = time.monotonic()
    bodies = all_at_once(clones, agents, messages)
    said = time.monotonic()
    settle(clones)
    settled = time.monotonic()
    attempts = sum('"name":"push"' in path.read_text() for path in traces.iterdir())
    del hub.world.variables["GIT_TRACE2_EVENT"]
    assert_same_view(hub, clones, bodies)
    merges = hub.git("rev-list", "--count", "--merges", LOG).stdout.strip()
    print(
        f"\n{count} clones, {agents} agents each, {len(bodies)} messages: "
        f"{attempts / len(bodies):.2f} pushes a message, {merges} merges, "
        f"all said after {said - begin:.0f} s, everywhere {settled - said:.0f} s later"
    )


# --- kills and gc --------------------------------------------------------------


def kill_sync(clone: Clone, after_seconds: float) -> None:
    """Start a sync and kill it so much later, wherever it is then."""
    process = subprocess.Popen(
        [Path(sys.executable).parent / "git-chat", "sync"],
        cwd=clone.path,
        env=clone.world.variables | {"GITCHAT_NAME": clone.name},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after_seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize(
    "rounds", [5, pytest.param(25, marks=pytest.mark.slow), pytest.param(200, marks=pytest.mark.soak)]
)
def test_killed_syncs_beside_gc_lose_nothing(hub: Hub, rounds: int) -> None:
    """A sync that dies anywhere, while git throws away what nothing points to, costs no record and no number."""
    chance = random.Random(rounds)
    clones = [hub.clone(name) for name in ("ann", "bea")]
    for clone in clones:
        clone.say(f"{clone.name} begins")
        clone.sync("--yes")
    bodies, shown = ["ann begins", "bea begins"], dict[str, int]()
    for number in range(rounds):
        clone = clones[number % 2]
        bodies.append(f"round {number}")
        clone.say(bodies[-1])
        with ThreadPoolExecutor(1) as pool:
            tidying = pool.submit(clone.git, "gc", "-q", "--prune=now", check=False)
            kill_sync(clone, chance.uniform(0.1, 0.6))
            tidying.result()
        for place, body in clone.numbered():
            if place is not None:
                assert shown.setdefault(body, place) == place
    settle(clones)
    assert_same_view(hub, clones, bodies)
    assert shown.items() <= {body: place for place, body in clones[0].numbered()}.items()


def test_the_projects_log_is_shown_without_chat_as_the_readme_says(hub: Hub) -> None:
    """Also after a sync, which brings refs of its own."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"`(git log --exclude=[^`]*)`", readme)
    ann = hub.clone("ann")
    ann.git("commit", "-q", "--allow-empty", "-m", "of the project")
    ann.say("of the room")
    ann.sync()
    assert "of the room" in ann.git("log", "--all", "--format=%s").stdout
    assert ann.world.run("sh", "-c", f"{command} --format=%s", cwd=ann.path).stdout == "of the project\nfirst\n"
