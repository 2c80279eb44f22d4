"""Files of an older version, other chats, servers that do not start: as --check, doctor and a session tell them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitchat.setup.clients import CLIENTS
from gitchat.setup.lately import QUICK_BYTES, VARIABLES, stale
from gitchat.setup.place import in_work_tree, of_user
from gitchat.setup.upkeep import judged
from gitchat.workspace.surroundings import in_client
from tests.cli.conftest import Chatroom
from tests.cli.test_doctor import findings
from tests.cli.test_setup import FORMER, WRITTEN_SINCE, contents, lay, released
from tests.world import World

FORMER_ENTRY = {"command": "git", "args": ["chat", "mcp"]}
SEED = {"command": "python3", "args": ["-m", "mcp_agent_collaboration.autostart_stdio"]}


def told(chatroom: Chatroom, client: str) -> str | None:
    """What a session of the client would be told at its start."""
    return judged(chatroom.world.environment(chatroom.path), client, QUICK_BYTES).sentence


# --- an older version --------------------------------------------------------


@pytest.mark.parametrize("client", WRITTEN_SINCE)
def test_files_of_an_older_version_are_told_until_they_are_renewed(chatroom: Chatroom, client: str) -> None:
    """With the command that does it; the exit status is 1 until then. Nothing is written by looking."""
    released(chatroom, "setup", client)
    before = contents(chatroom.path)
    done = chatroom.chat("setup", "--check")
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert done.stdout.startswith(f"{client}: .")
    assert done.stdout.endswith(f" written by another version of gitchat; renew: git chat setup {client}\n")
    sentence = told(chatroom, client)
    assert sentence is not None
    assert sentence.endswith(f"; renew: git chat setup {client}.")
    assert contents(chatroom.path) == before
    chatroom.chat("setup", client, check=True)
    done = chatroom.chat("setup", "--check", client)
    assert (done.returncode, done.stdout.startswith(f"{client}: up to date: .")) == (0, True)
    assert told(chatroom, client) is None


def test_a_session_s_start_tells_of_them(chatroom: Chatroom) -> None:
    """Once a session, behind the agent's name; not after they were renewed."""
    chatroom.say()
    released(chatroom, "setup", "claude")
    hook = ("hook", "claude", "session-start")
    for is_told in (True, False):
        said = chatroom.chat(*hook, stdin=b'{"session_id": "s-1"}', check=True, CLAUDECODE="1").stdout
        context = json.loads(said)["hookSpecificOutput"]["additionalContext"]
        told_of = "Tell your user: .mcp.json, .claude/settings.json and CLAUDE.md were written by another version"
        assert (told_of in context) == is_told
        assert "you are claude-repo" in context
        chatroom.chat("setup", "claude", check=True)


def test_each_place_has_its_own_command(chatroom: Chatroom) -> None:
    """A user's own files, and those of a work tree that are its user's alone."""
    former = {"mcpServers": {"gitchat": {"command": "git", "args": ["chat", "mcp"]}}}
    project = {"projects": {str(chatroom.path): former}}
    lay(chatroom.world.home, {".claude.json": json.dumps({**former, **project})})
    lines = chatroom.chat("setup", "--check").stdout.splitlines()
    assert [line.partition("renew: ")[2] for line in lines] == [
        "git chat setup claude --local", "git chat setup claude --user",
    ]  # fmt: skip
    assert chatroom.chat("setup", "--check", "--user").stdout.splitlines() == lines[1:]


def test_a_user_s_own_files_are_looked_at_outside_of_any_repository(world: World) -> None:
    """As they are written there."""
    lay(world.home, {".claude.json": '{"mcpServers": {"gitchat": {"command": "git", "args": ["chat", "mcp"]}}}'})
    for options in ((), ("--user",)):
        done = world.chat("setup", "--check", *options)
        assert (done.returncode, done.stdout.partition("renew: ")[2]) == (1, "git chat setup claude --user\n")


def test_what_means_the_same_elsewhere_is_no_older_version(chatroom: Chatroom, tmp_path: Path) -> None:
    """A colleague's files name the program; whoever has it outside of PATH is not told to write a path over it."""
    chatroom.chat("setup", *WRITTEN_SINCE, "opencode", check=True)
    (tmp_path / "git").symlink_to(shutil.which("git") or "")
    program = shutil.which("git-chat", path=chatroom.world.variables["PATH"])
    assert program
    done = chatroom.world.run(program, "setup", "--check", cwd=chatroom.path, PATH=str(tmp_path), check=False)
    assert (done.returncode, done.stdout.count("up to date")) == (0, 4)


def test_what_is_not_set_up_is_not_told(chatroom: Chatroom) -> None:
    """Nor is another server of our name, or the note that a client shares with another."""
    assert "nothing is set up here" in chatroom.chat("setup", "--check", check=True).stdout
    lay(chatroom.path, {".mcp.json": '{"mcpServers": {"gitchat": {"command": "node", "args": ["chat.js"]}}}'})
    chatroom.chat("setup", "codex", check=True)
    assert chatroom.chat("setup", "--check", check=True).stdout.startswith("codex: up to date: .codex/config.toml")
    assert told(chatroom, "claude") is None


def test_a_damaged_file_is_told_as_such(chatroom: Chatroom) -> None:
    """With the place of the fault; other clients are looked at all the same."""
    lay(chatroom.path, {".mcp.json": "{", ".codex/config.toml": FORMER})
    done = chatroom.chat("setup", "--check")
    assert done.returncode == 1
    assert ".mcp.json is not JSON: line 1, column 2" in done.stdout
    assert "renew: git chat setup codex" in done.stdout


def test_a_session_does_not_wait_for_large_files(chatroom: Chatroom) -> None:
    """A client's memories are looked at by --check alone."""
    state = {"mcpServers": {"gitchat": {"command": "git", "args": ["chat", "mcp"]}}, "x": "x" * QUICK_BYTES}
    lay(chatroom.world.home, {".claude.json": json.dumps(state)})
    assert told(chatroom, "claude") is None
    assert "git chat setup claude --user" in chatroom.chat("setup", "--check").stdout


# --- judged once ---------------------------------------------------------------


def at_a_start(chatroom: Chatroom, after_seconds: int = 10, **variables: str) -> str | None:
    """What a session of Claude Code is told that begins so much later, when nobody writes its files any more."""
    environment = in_client(chatroom.world.environment(chatroom.path), "claude")
    moment = replace(environment.now(), seconds=environment.now().seconds + after_seconds)
    return stale(replace(environment, variables={**environment.variables, **variables}, now=lambda: moment))


def memory(chatroom: Chatroom) -> Path:
    """The file that the answer is kept in."""
    return chatroom.path / ".git" / "chatroom" / "upkeep" / "claude"


def is_kept(chatroom: Chatroom) -> bool:
    """Whether a session's start believes what is kept: then it says what we put there."""
    at_a_start(chatroom)
    before = memory(chatroom).read_bytes()
    memory(chatroom).write_text(json.dumps({**json.loads(before), "sentence": "as it was"}))
    answer = at_a_start(chatroom)
    memory(chatroom).write_bytes(before)
    return answer == "as it was"


def test_a_session_s_start_judges_only_what_was_changed(chatroom: Chatroom, tmp_path: Path) -> None:
    """While all is the same it says what was judged before; after each change it says what there is to say."""
    chatroom.say()
    released(chatroom, "setup", "claude")
    state, secret = chatroom.world.home / ".claude.json", {"command": "x", "env": {"KEY": "a-secret-of-x"}}
    (tmp_path / "elsewhere").mkdir()
    lay(tmp_path / "elsewhere", {".claude.json": json.dumps({"mcpServers": {"talk": SEED}})})
    lay(chatroom.path, {"AGENTS.md": "ours\n"})

    def write(path: Path, content: object) -> None:
        path.write_text(content if isinstance(content, str) else json.dumps(content))

    changes: list[tuple[str | None, Callable[[], object]]] = [
        ("another version", lambda: None),
        (None, lambda: chatroom.chat("setup", "claude", check=True)),
        ("agent-chat", lambda: write(state, {"mcpServers": {"a": {"command": "chatroom_mcp_server.py"}, "x": secret}})),
        (None, lambda: write(state, {"mcpServers": {"x": secret}, "starts": 7})),
        ("local", lambda: write(state, {"projects": {str(chatroom.path): {"mcpServers": {"gitchat": FORMER_ENTRY}}}})),
        (None, lambda: state.unlink()),
        ("CLAUDE.md", lambda: (chatroom.path / "CLAUDE.md").write_text("nothing of gitchat\n")),
        ("AGENTS.md", lambda: (chatroom.path / "CLAUDE.md").write_text("@AGENTS.md\n")),
        (None, lambda: chatroom.chat("setup", "claude", check=True)),
        ("AGENTS.md", lambda: (chatroom.path / "AGENTS.md").write_text("ours\n")),
        ("not JSON", lambda: write(chatroom.path / ".mcp.json", "{")),
    ]
    for expected, change in changes:
        change()
        said = at_a_start(chatroom)
        assert said == told(chatroom, "claude")
        assert (expected is None and said is None) or (expected and said and expected in said), (expected, said)
        assert is_kept(chatroom) == (expected != "not JSON")
    assert "a-secret-of-x" not in memory(chatroom).read_text()


def test_a_session_s_start_judges_anew_where_something_else_counts(chatroom: Chatroom, tmp_path: Path) -> None:
    """Other variables, another program, another day; and what has just been written could change unseen."""
    chatroom.say()
    chatroom.chat("setup", "claude", check=True)
    lay(tmp_path, {".claude.json": json.dumps({"mcpServers": {"talk": SEED}})})
    assert at_a_start(chatroom, after_seconds=0) is None
    assert not memory(chatroom).exists()
    assert is_kept(chatroom)
    assert "'talk'" in (at_a_start(chatroom, CLAUDE_CONFIG_DIR=str(tmp_path)) or "")
    assert at_a_start(chatroom) is None
    kept = json.loads(memory(chatroom).read_text())
    for other in ({"at": kept["at"] - 86_400}, {"at": kept["at"] + 100}, {"asked": None}, {"files": {"/": None}}):
        memory(chatroom).write_text(json.dumps({**kept, "sentence": "as it was", **other}))
        assert at_a_start(chatroom) is None, other
    for damaged in ("", "{", "[]", '{"asked": 1}'):
        memory(chatroom).write_text(damaged)
        assert at_a_start(chatroom) is None


class Asked(dict[str, str]):
    """Variables that note which of them are asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables)
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.names.add(key)
        return super().get(key, default)


def test_what_is_kept_follows_from_each_variable_that_a_client_s_place_does(chatroom: Chatroom) -> None:
    """Each that one of the clients asks for when it says where its files are."""
    asked = Asked(chatroom.world.variables)
    here = chatroom.world.environment(chatroom.path)
    for place in (in_work_tree(here), of_user(here)):
        for client in CLIENTS:
            client.targets(replace(place, variables=asked))
    assert asked.names | {"HOME"} == set(VARIABLES)


# --- other chats -------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "chat"),
    [
        (SEED, "mcp-agent-collaboration"),
        ({"command": "mcp-agent-collaboration-stdio"}, "mcp-agent-collaboration"),
        ({"type": "http", "url": "http://127.0.0.1:8000/mcp"}, "mcp-agent-collaboration"),
        ({"command": "python3", "args": ["chatroom_mcp_server.py"]}, "agent-chat"),
        ({"command": "node", "args": ["/home/a/.local/share/agents-mcp-server/dist/index.js"]}, "agents-mcp-server"),
    ],
)
def test_another_chat_beside_ours_is_told(chatroom: Chatroom, command: dict[str, object], chat: str) -> None:
    """For an agent that sees both speaks where nobody hears it. It is left where it is."""
    name = "agent_collaboration" if "url" in command else "talk"
    lay(chatroom.path, {".mcp.json": json.dumps({"mcpServers": {name: command}})})
    expected = f"the server '{name}' starts {chat}, a chat of its own beside this one; take it out of .mcp.json"
    done = chatroom.chat("setup", "--check")
    assert (done.returncode, done.stdout) == (1, f"claude: {expected}\n")
    chatroom.chat("setup", "claude", check=True)
    assert json.loads((chatroom.path / ".mcp.json").read_text())["mcpServers"][name] == command
    assert told(chatroom, "claude") == f"Tell your user: {expected}."


# --- doctor ------------------------------------------------------------------


def test_doctor_proves_the_server_by_a_handshake(chatroom: Chatroom) -> None:
    """The very command of the entry, once for all clients that have it; nobody is here under a name for that."""
    chatroom.say()
    chatroom.chat("setup", "claude", "codex", check=True)
    ok = {one["subject"]: one["text"] for one in findings(chatroom.chat("doctor", "--json", check=True), "ok")}
    assert ok["server"] == "'git-chat mcp', as a client starts it, answers, with 16 tools"
    assert ok["client claude"] == "is set up: .mcp.json, .claude/settings.json, CLAUDE.md"
    assert "client gemini" not in ok
    assert "mcp" not in chatroom.chat("who", check=True).stdout


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("echo no room for you >&2; exit 1", "no room for you"),
        ("exit 0", "it ends without an answer"),
        pytest.param("cat >/dev/null", "no answer in 20 seconds", marks=pytest.mark.slow),
        ("""echo '{"id": 2, "error": {"message": "no"}}'; cat""", """it answers {"message": "no"}"""),
    ],
)
def test_a_server_that_does_not_answer_is_wrong(chatroom: Chatroom, tmp_path: Path, script: str, error: str) -> None:
    """With what came instead, and the commands that write the entry anew."""
    program = tmp_path / "git-chat"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    entry = {"command": str(program), "args": ["mcp"]}
    lay(chatroom.path, {".mcp.json": json.dumps({"mcpServers": {"gitchat": entry}})})
    (wrong,) = findings(chatroom.chat("doctor", "--json"), "wrong")
    assert wrong["subject"] == "server"
    assert wrong["text"].endswith(f"does not answer: {error}")
    assert wrong["mend"] == "write it anew: git chat setup claude --remove && git chat setup claude"
    chatroom.world.run("sh", "-c", wrong["mend"].partition(": ")[2], cwd=chatroom.path)
    assert findings(chatroom.chat("doctor", "--json"), "wrong") == []
