"""``git chat serve`` itself: how it begins, what it says, how it ends."""

from __future__ import annotations

import signal

import httpx2
import pytest

from tests.serve.serving import in_process, serving
from tests.world import World


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_one_line_answers_and_ends_by_a_signal(world: World, number: signal.Signals) -> None:
    """It prints one line with its address, answers there without credentials, and ends with 0."""
    with serving(world, cwd=world.repository()) as running:
        assert running.line.startswith("http://127.0.0.1:")
        answer = httpx2.get(f"{running.url}/health").json()
        assert answer["status"] == "ok"
        assert running.kill(number) == 0
        assert running.process.stdout.read() == ""
        assert running.process.stderr.read() == ""


def test_what_is_not_there_is_an_error_with_a_hint(world: World) -> None:
    """An unknown path and a wrong method have the three fields of every error."""
    with in_process(world.environment(world.repository())) as client:
        for method, path, status, code in [
            ("GET", "/nothing", 404, "no-such-path"),
            ("PUT", "/health", 405, "bad-method"),
        ]:
            answer = client.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert answer.json()["hint"]


def test_health_fails_when_a_ref_cannot_be_read(world: World) -> None:
    """It says which kind of trouble it is, and nothing of what or where, since everybody may ask."""
    repo = world.repository()
    world.chat("send", "hello", cwd=repo, check=True)
    with in_process(world.environment(repo)) as client:
        assert client.get("/health").json()["status"] == "ok"
        (repo / ".git/refs/chatroom/rooms/lobby/log").write_text("nonsense\n")
        answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "failing", "error": "damaged-ref"})
