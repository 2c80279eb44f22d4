"""The processes of one session of a client find out that they are: each client's real run is played, face by face."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitchat.model.names import Name
from gitchat.model.participant import Holder
from gitchat.workspace.ancestry import Ancestor
from gitchat.workspace.client import named_in_handshake
from gitchat.workspace.environment import Environment
from gitchat.workspace.identity import Caller
from gitchat.workspace.surroundings import in_client
from tests.world import World

RECORDINGS = sorted(Path(__file__).with_name("recorded").glob("*.json"))


@dataclass(frozen=True)
class Face:
    """A process of a client, and what it was given."""

    client: str
    noted: dict[str, Any]
    server_client: str
    """What the client called itself to the server."""

    @property
    def label(self) -> str:
        """What a failing test shows."""
        return f"{self.noted['face']} {self.noted.get('event', '')}"

    @property
    def is_subagent(self) -> bool:
        """Whether the recording tells that a subagent did this."""
        meta = self.noted.get("meta", {})
        variables = self.noted["variables"]
        return (
            "agent_id" in self.noted.get("given", {})
            or meta.get("threadId") != meta.get("sessionId")
            or variables.get("CODEX_THREAD_ID") != variables.get("CODEX_SESSION_ID")
        )

    def ancestors(self) -> list[Ancestor]:
        """The processes above it."""
        return [
            Ancestor(one["pid"], one["started"], tuple(one["words"]), one["variables"])
            for one in self.noted["ancestors"]
        ]

    def caller(self, world: World, repository: Path) -> Caller:
        """Who calls, as gitchat sees it when it is this process, in ``repository``."""
        variables = world.variables | self.noted["variables"]
        for variable in ("CLAUDE_PROJECT_DIR",):
            variables = {name: value for name, value in variables.items() if name != variable}
        here = Environment(cwd=str(repository), variables=variables, is_terminal=False)
        if self.noted["face"] == "hook":
            here = in_client(here, self.client, self.noted["given"]["session_id"])
        elif self.noted["face"] == "call":
            meta = self.noted["meta"]
            told = named_in_handshake(self.server_client) or ""
            assert told == self.client
            here = in_client(here, told, meta.get("sessionId", ""), meta.get("threadId", ""))
        return Caller(
            here.repository, here.variables, is_terminal=False, roll=lambda: here.roll, now=here.now,
            clone=here.clone.id, ancestors=self.ancestors,
        )  # fmt: skip


def faces(path: Path) -> list[Face]:
    """The processes of a recording that speak for their session: a server does in its calls."""
    recording = json.loads(path.read_text())
    (told,) = {noted["name"] for noted in recording["faces"] if noted["face"] == "handshake"}
    kept = [noted for noted in recording["faces"] if noted["face"] in ("hook", "call", "shell")]
    return [Face(recording["client"], noted, told) for noted in kept]


@pytest.fixture
def repository(world: World) -> Path:
    """A repository with a room."""
    path = world.repository()
    world.chat("send", "hello", cwd=path, check=True)
    return path


def holder(caller: Caller) -> Holder:
    """Who would take a name."""
    return caller.holder()


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_all_processes_of_a_real_session_are_of_one(path: Path, world: World, repository: Path) -> None:
    """Each acts for each other, and they have one key and one name; also after ``/clear``, and a subagent's."""
    callers = [(face.label, face.caller(world, repository)) for face in faces(path)]
    assert {caller.client for _, caller in callers} == {json.loads(path.read_text())["client"]}
    (name,) = {caller.name() for _, caller in callers}
    assert name == f"{callers[0][1].client}-repo"
    assert len({caller.session for _, caller in callers}) == 1
    holders = [holder(caller) for _, caller in callers]
    assert [label for label, caller in callers if not all(map(caller.acts_for, holders))] == []
    assert all(caller.has_seat for _, caller in callers)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_another_name_is_taken_by_the_whole_session(path: Path, world: World, repository: Path) -> None:
    """Whichever process joins under it, all others go by it from then on."""
    callers = [(face.noted["face"], face.caller(world, repository)) for face in faces(path)]
    for number, face in enumerate(("shell", "call", "hook")):
        joining = next(caller for kind, caller in callers if kind == face)
        wanted = Name(f"lexer-{number}")
        with joining.roll().hold(wanted, joining.holder(), joining.now().seconds + number):
            assert {caller.name() for _, caller in callers} == {wanted}


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_another_run_of_the_client_is_another_session(path: Path, world: World, repository: Path) -> None:
    """With ids, a socket and a process of its own it gets a name of its own while the first one lives."""
    first = faces(path)
    second = [Face(face.client, _of_another_run(face.noted), face.server_client) for face in first]
    living = next(face for face in first if face.noted["face"] == "call").caller(world, repository)
    with living.roll().hold(living.name(), living.holder(), 1):
        callers = [face.caller(world, repository) for face in second]
        assert {caller.name() for caller in callers} == {f"{living.client}-repo-2"}
        assert not any(caller.acts_for(holder(living)) for caller in callers)


def _of_another_run(noted: dict[str, Any]) -> dict[str, Any]:
    """The same process of a run with other ids, whose processes are others."""
    text = json.dumps(noted)
    for number in range(1, 10):
        text = text.replace(f'"id-{number}"', f'"id-9{number}"')
    for number in range(101, 200):
        text = text.replace(f": {number},", f": 9{number},").replace(f'"{number}"', f'"9{number}"')
        text = text.replace(f"/{number}.sock", f"/9{number}.sock")
    return dict(json.loads(text))


def test_a_subagent_of_codex_is_told_from_its_session(world: World, repository: Path) -> None:
    """In its calls and in its shell; it has its session's name all the same."""
    (path,) = (path for path in RECORDINGS if path.stem.startswith("codex"))
    seen = [face for face in faces(path) if face.noted["face"] != "hook"]
    told = [(face.is_subagent, face.caller(world, repository).is_subagent) for face in seen]
    assert [recorded for recorded, _ in told] == [known for _, known in told]
    assert {known for _, known in told} == {True, False}


def test_no_recording_holds_more_than_what_is_read() -> None:
    """No paths of whoever recorded, no tokens, no text of a client."""
    for path in RECORDINGS:
        text = path.read_text()
        assert "TOKEN" not in text
        assert set(re.findall(r'"(/[^"]*)"', text)) <= {"/project", *re.findall(r"/tmp/cc-socks/\d+\.sock", text)}
