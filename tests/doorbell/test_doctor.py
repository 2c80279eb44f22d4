"""What ``git chat doctor`` and ``status`` say of the doorbell: tried for real, and what is wrong with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doorbell.conftest import Nats
from tests.needed import need
from tests.world import World

pytestmark = pytest.mark.web


@pytest.fixture
def repo(world: World) -> Path:
    """A repository with a room."""
    path = world.repository()
    world.chat("send", "hello", cwd=path, check=True)
    return path


def finding(world: World, repo: Path) -> dict[str, str]:
    """What doctor says of the doorbell."""
    done = world.chat("doctor", "--json", cwd=repo)
    found = [one for one in map(json.loads, done.stdout.splitlines()) if one["subject"] == "doorbell"]
    assert len(found) == 1
    assert done.returncode == (found[0]["level"] == "wrong"), done.stdout
    return found[0]


def test_each_thing_that_can_be_wrong_has_its_words(world: World, repo: Path, shared_nats: Nats) -> None:
    """One after the other on one repository: all is well, nobody there, no address, no prefix, a file that is none."""
    world.git("config", "chat.nats", f"nats://ann:secret@127.0.0.1:{shared_nats.port}", cwd=repo)
    said = finding(world, repo)
    assert said["level"] == "ok"
    assert said["text"].startswith(f"{shared_nats.url}: a knock is heard after ")
    world.git("config", "chat.natsCredentials", "nowhere.creds", cwd=repo)
    assert "No such file" in finding(world, repo)["text"]
    world.git("config", "--unset", "chat.natsCredentials", cwd=repo)
    for address, words in (
        ("nats://ann:secret@127.0.0.1:1", "nats://127.0.0.1:1: "),
        ("http://ann:secret@127.0.0.1", "is 'http://127.0.0.1', and not an address such as nats://HOST:4222"),
    ):
        world.git("config", "chat.nats", address, cwd=repo)
        said = finding(world, repo)
        assert said["level"] == "wrong"
        assert words in said["text"]
        assert "secret" not in json.dumps(said)
        assert address in world.git("config", "--get-regexp", "^chat.nats", cwd=repo).stdout
        assert world.chat("send", "goes out", cwd=repo).stderr == ""
    world.git("config", "chat.nats", shared_nats.url, cwd=repo)
    world.git("config", "chat.natsPrefix", "a b", cwd=repo)
    assert "chat.natsPrefix is 'a b'" in finding(world, repo)["text"]


def test_a_server_that_lets_nobody_in_is_told_as_such(world: World, repo: Path, tmp_path: Path) -> None:
    """In the words of the server."""
    server = Nats(tmp_path, "--user", "ann", "--pass", "secret")
    server.start()
    try:
        world.git("config", "chat.nats", server.url, cwd=repo)
        assert "Authorization Violation" in finding(world, repo)["text"].title()
        world.git("config", "chat.nats", server.url.replace("//", "//ann:secret@"), cwd=repo)
        assert finding(world, repo)["level"] == "ok"
    finally:
        server.kill()


def test_tls_is_asked_for_by_the_address(world: World, repo: Path, tmp_path: Path) -> None:
    """A certificate that nobody vouches for is refused."""
    command = [need("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "key", "-out", "cert"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    tls = ("--tls", "--tlscert", str(tmp_path / "cert"), "--tlskey", str(tmp_path / "key"))
    server = Nats(tmp_path, *tls)
    server.start()
    try:
        world.git("config", "chat.nats", f"tls://localhost:{server.port}", cwd=repo)
        assert "certificate" in finding(world, repo)["text"]
        world.variables["SSL_CERT_FILE"] = str(tmp_path / "cert")
        assert finding(world, repo)["level"] == "ok"
    finally:
        server.kill()


def test_without_the_library_one_line_says_what_to_install(world: World, repo: Path) -> None:
    """In doctor and status; whoever sends hears nothing of it."""
    hidden = "import sys, importlib.util as u; f = u.find_spec; "
    hidden += "u.find_spec = lambda name, *rest: None if name in ('nats', 'nkeys') else f(name, *rest); "
    hidden += "sys.modules['nats'] = None; from gitchat.__main__ import main; sys.exit(main())"
    world.git("config", "chat.nats", "nats://127.0.0.1:4222", cwd=repo)

    def chat(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", hidden, *arguments]
        return subprocess.run(command, cwd=repo, env=world.variables, capture_output=True, text=True, check=False)

    assert "no doorbell: the library nats-py is not installed: " in chat("status").stdout
    said = chat("doctor").stdout
    assert "WRONG  doorbell: nats://127.0.0.1:4222: the library nats-py is not installed" in said
    assert "[nats]" in said
    done = chat("send", "hello")
    assert (done.returncode, done.stderr) == (0, "")
