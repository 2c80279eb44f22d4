"""How long names live through sessions of tools: while something goes on, some time after, and again when it comes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from gitchat.serve import holdings
from gitchat.serve.settings import Settings
from gitchat.serve.tokens import Tokens
from gitchat.server import lives
from gitchat.workspace.environment import Environment
from tests.serve.serving import in_process
from tests.server.wire import eventually
from tests.world import World

SILENT_SECONDS = 0.3
"""In place of 90."""
WAIT_SECONDS = 50
"""How long a call may wait here that is not to."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A repository for all tests here; each has rooms and names of its own."""
    world = World(tmp_path_factory.mktemp("sessions"))
    return world.environment(world.repository())


@pytest.fixture(scope="module")
def client(environment: Environment) -> Iterator[TestClient]:
    """A program of the same user, whose server has little patience."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lives, "LIVES_SECONDS", SILENT_SECONDS)
        patch.setattr(holdings, "LIVES_SECONDS", SILENT_SECONDS)
        with in_process(environment, Settings(rate=100_000)) as made:
            yield made


@dataclass
class Session:
    """A session of tools, by hand."""

    client: httpx2.Client
    profile: str = "gitchat"
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.headers = {"Accept": "application/json, text/event-stream", **self.headers}
        about = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "hand", "version": "1"}}
        begun = self._post("initialize", about, 1)
        self.headers["Mcp-Session-Id"] = begun.headers["mcp-session-id"]
        self._post("notifications/initialized", {}, None)

    def _post(self, method: str, params: dict[str, Any], identity: int | None) -> httpx2.Response:
        body = {"jsonrpc": "2.0", "method": method, "params": params} | ({"id": identity} if identity else {})
        return self.client.post(f"/mcp/{self.profile}", json=body, headers=self.headers)

    def call(self, tool: str, **arguments: Any) -> str:
        """The text of an answer, be it a refusal."""
        answer = self._post("tools/call", {"name": tool, "arguments": arguments}, 2).text
        data = answer.partition("data: {")[2].partition("\n")[0]
        return str(json.loads("{" + data)["result"]["content"][0]["text"])

    def end(self) -> None:
        """As a client that goes in peace."""
        self.client.delete(f"/mcp/{self.profile}", headers=self.headers)


def is_living(environment: Environment, name: str) -> bool:
    """Whether others see it living, as they do: by the kernel's lock."""
    found = environment.roll.find(name)  # type: ignore[arg-type]
    return found is not None and found.is_living


def test_who_falls_silent_is_free_and_lives_again_with_its_next_call(client: Any, environment: Environment) -> None:
    """As what it was; a client that went away without a word must not keep a name for half an hour."""
    session = Session(client)
    session.call("join", name="ann", role="reviewer", room="den")
    assert is_living(environment, "ann")
    eventually(lambda: not is_living(environment, "ann"))
    assert session.call("send_message", name="ann", content="back", room="den") == "sent [1]"
    assert is_living(environment, "ann")
    shown = [(one.name, one.role) for one in environment.roll.participants("den")]  # type: ignore[arg-type]
    assert shown == [("ann", "reviewer")]


def test_a_name_that_was_taken_meanwhile_is_refused_and_comes_back_when_it_is_free(
    client: Any, environment: Environment
) -> None:
    """Who took it has it until it goes."""
    session = Session(client)
    session.call("join", name="bob", room="lab")
    eventually(lambda: not is_living(environment, "bob"))
    held = environment.hold("bob")  # type: ignore[arg-type]
    assert "cannot act as 'bob'" in session.call("send_message", name="bob", content="mine", room="lab")
    held.release()
    assert session.call("send_message", name="bob", content="mine again", room="lab") == "sent [1]"
    assert is_living(environment, "bob")


def test_the_end_of_a_session_frees_its_names_at_once(
    client: Any, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also that of a token for one name, with the last of its sessions."""
    monkeypatch.setattr(lives, "LIVES_SECONDS", 600)
    tokens = Tokens(environment.repository.directory, random_bytes=environment.random_bytes)
    secret, _ = tokens.add(environment.now().seconds, "token", "name", "tom")  # type: ignore[arg-type]
    whose = {"Authorization": f"Bearer {secret}"}
    first, second, own = Session(client, headers=whose), Session(client, headers=whose), Session(client)
    first.call("join", name="tom", room="ark")
    assert second.call("send_message", name="tom", content="the same one", room="ark") == "sent [1]"
    own.call("join", name="cid", room="ark")
    own.end()
    eventually(lambda: not is_living(environment, "cid"))
    first.end()
    assert second.call("send_message", name="tom", content="still here", room="ark") == "sent [2]"
    assert is_living(environment, "tom")
    second.end()
    eventually(lambda: not is_living(environment, "tom"))


def test_what_a_token_lives_under_by_other_requests_goes_on(
    client: Any, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session of tools that ends takes no name from the same token's requests, nor they from it."""
    monkeypatch.setattr(lives, "LIVES_SECONDS", 600)
    tokens = Tokens(environment.repository.directory, random_bytes=environment.random_bytes)
    secret, _ = tokens.add(environment.now().seconds, "token", "name", "tim")  # type: ignore[arg-type]
    whose = {"Authorization": f"Bearer {secret}"}
    session = Session(client, headers=whose)
    session.call("join", name="tim", room="inn")
    client.post("/api/v1/agents/register", json={"agent_id": "tim", "session_id": "s"}, headers=whose)
    served = client.app.state.served
    eventually(lambda: not served.first.holdings.living())
    assert is_living(environment, "tim")  # by its session
    client.post("/api/v1/agents/register", json={"agent_id": "tim", "session_id": "s"}, headers=whose)
    monkeypatch.setattr(holdings, "LIVES_SECONDS", 600)
    session.end()
    client.get("/health")
    assert is_living(environment, "tim")  # by its request


def test_a_silent_member_of_a_topic_keeps_its_token_and_is_written_to(client: Any, environment: Environment) -> None:
    """Who works for some minutes between two calls is still a member; its name is free for others outside."""
    lead, helper = Session(client, "collaboration"), Session(client, "collaboration")

    def join(session: Session, name: str) -> str:
        joined = session.call("join_topic", topic="build", agent_name=name, create_if_missing=True)
        return str(json.loads(joined)["join_token"])

    one, two = join(lead, "Lead"), join(helper, "Helper")
    eventually(lambda: not is_living(environment, "helper"))
    assert "helper" in lead.call("list_topic_members", topic="build").lower()
    assert "stored" in lead.call("send_message", join_token=one, body="work", recipient="Helper")
    assert "work" in helper.call("read_messages", join_token=two)
    assert is_living(environment, "helper")
    assert 'timed_out":true' in helper.call("read_messages", join_token=two, timeout_ms=int(SILENT_SECONDS * 3000))
    assert is_living(environment, "helper")  # all through a wait that was longer


def test_a_silent_agent_stays_registered_and_is_written_to(client: Any, environment: Environment) -> None:
    """As with agents-mcp-server, where an agent that is bound stays."""
    eve, bea = Session(client, "agents"), Session(client, "agents")
    for session, name in ((eve, "Eve"), (bea, "Bea")):
        session.call("agent_register", name=name, description="a")
    eventually(lambda: not is_living(environment, "bea"))
    assert "DM published to 'Bea'" in eve.call("agent_dm", name="Eve", to="Bea", message="psst")
    assert "psst" in bea.call("poll_messages", name="Bea")
    assert "Broadcast published" in bea.call("agent_broadcast", name="Bea", message="here")
    assert is_living(environment, "bea")


def test_who_waits_with_a_token_that_is_revoked_is_told_and_takes_nothing(
    client: Any, environment: Environment
) -> None:
    """At once, and not when something comes: that is for whoever may have it."""
    tokens = Tokens(environment.repository.directory, random_bytes=environment.random_bytes)
    secret, token = tokens.add(environment.now().seconds, "token", "name", "rex")  # type: ignore[arg-type]
    whose = {"Authorization": f"Bearer {secret}"}
    session, local = Session(client, "collaboration", whose), Session(client, "collaboration")
    joined = session.call("join_topic", topic="vault", agent_name="rex", create_if_missing=True)
    key = json.loads(joined)["join_token"]
    with ThreadPoolExecutor(2) as beside:
        poll = beside.submit(session.call, "read_messages", join_token=key, timeout_ms=WAIT_SECONDS * 1000)
        wait = beside.submit(client.get, f"/api/v1/messages?agent_id=rex&wait={WAIT_SECONDS}", headers=whose)
        hub = client.app.state.served.first
        eventually(lambda: len(hub._subscribers) >= 2)
        began = time.monotonic()
        tokens.revoke(token.id, environment.now().seconds)
        assert "revoked" in poll.result()
        refused = wait.result()
    assert (refused.status_code, refused.json()["code"]) == (401, "no-token")
    assert time.monotonic() - began < WAIT_SECONDS
    other = local.call("join_topic", topic="vault", agent_name="sam")
    local.call("send_message", join_token=json.loads(other)["join_token"], body="a secret", recipient="rex")
    assert "a secret" in local.call("read_messages", join_token=key)
