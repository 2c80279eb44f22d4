"""Hints that are given over HTTP lead on: what they say is done, and then it works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.serve.serving import in_process, serving
from tests.world import World

BROWSER = {"Sec-Fetch-Site": "none"}
"""What a program of the same user does not send, so that credentials count."""
PATH = "/api/v1/session"


@pytest.fixture
def repo(world: World) -> Path:
    """A repository with a room."""
    repo = world.repository()
    world.chat("send", "hello", cwd=repo, check=True)
    return repo


@pytest.fixture
def client(world: World, repo: Path) -> Iterator[TestClient]:
    """A client of its server."""
    with in_process(world.environment(repo)) as client:
        yield client


def bearer(world: World, repo: Path, *words: str) -> dict[str, str]:
    """The header with the token that ``git chat <words>`` prints."""
    return BROWSER | {"Authorization": f"Bearer {world.chat(*words, cwd=repo, check=True).stdout.strip()}"}


def said(name: str) -> dict[str, str]:
    """A message of ``name``."""
    return {"from": name, "to": "ALL", "message": "hello"}


def test_who_is_not_known_is_after_what_the_hint_says(world: World, repo: Path, client: TestClient) -> None:
    """A token in the header."""
    assert "git chat token add NAME" in client.get(PATH, headers=BROWSER).json()["hint"]
    assert client.get(PATH, headers=bearer(world, repo, "token", "add", "ana")).status_code == 200


def test_a_guest_writes_after_what_the_hint_says(world: World, repo: Path, client: TestClient) -> None:
    """With a token that is no guest's."""
    guest = bearer(world, repo, "token", "add", "visitor", "--guest")
    told = client.post("/api/v1/messages", json=said("visitor"), headers=guest)
    assert "git chat token add NAME" in told.json()["hint"]
    theirs = bearer(world, repo, "token", "add", "bea")
    assert client.post("/api/v1/messages", json=said("bea"), headers=theirs).status_code == 200


def test_a_token_acts_under_another_name_after_what_the_hint_says(world: World, repo: Path, client: TestClient) -> None:
    """With a token of that name, or under its own."""
    bot = bearer(world, repo, "token", "add", "bot")
    told = client.post("/api/v1/messages", json=said("carl"), headers=bot)
    assert (told.status_code, told.json()["code"]) == (403, "not-your-name")
    assert "git chat token add carl" in told.json()["hint"]
    carl = bearer(world, repo, "token", "add", "carl")
    assert client.post("/api/v1/messages", json=said("carl"), headers=carl).status_code == 200
    assert client.post("/api/v1/messages", json=said("bot"), headers=bot).status_code == 200
    authors = world.git("log", "-3", "--format=%an <%ae> %cn", "refs/chatroom/rooms/lobby/log", cwd=repo).stdout
    assert "bot <bot@agents.gitchat.invalid>" in authors


def test_figures_are_seen_after_what_the_hint_says(world: World, repo: Path, client: TestClient) -> None:
    """With a token for them."""
    proxied = {"Via": "1.1 x"}
    bot = bearer(world, repo, "token", "add", "bot")
    assert "git chat token add NAME --metrics" in client.get("/metrics", headers=bot | proxied).json()["hint"]
    eye = bearer(world, repo, "token", "add", "eye", "--metrics")
    assert client.get("/metrics", headers=eye | proxied).status_code == 200


def test_a_token_that_stood_in_an_address_ends_as_the_hint_says(world: World, repo: Path, client: TestClient) -> None:
    """It is refused there, revoked, and worth nothing in the header any more."""
    loud = bearer(world, repo, "token", "add", "loud")
    told = client.get(f"{PATH}?token={loud['Authorization'].split()[1]}")
    assert "git chat token revoke NAME" in told.json()["hint"]
    world.chat("token", "revoke", "loud", cwd=repo, check=True)
    assert client.get(PATH, headers=loud).status_code == 401


def test_an_audit_that_cannot_be_written_is_said_before_anybody_asks(world: World, repo: Path, tmp_path: Path) -> None:
    """It does not serve without it; with another file it does."""
    done = world.chat("serve", "--port", "0", "--audit", tmp_path / "missing" / "audit", cwd=repo)
    assert done.returncode == 1
    assert "git chat serve --audit FILE" in done.stderr
    with serving(world, "--audit", str(tmp_path / "audit"), cwd=repo):
        assert (tmp_path / "audit").exists()
