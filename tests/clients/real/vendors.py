"""Each vendor's client: what a scratch home needs for it, how it is started, and how its model calls tools."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tests.clients.real.client import AGENTS, Client
from tests.clients.stand_in import SUBTASK, Call


class Claude(Client):
    """Claude Code."""

    name = "claude"
    ready = "⏵⏵ bypass permissions"

    def prepare(self) -> None:
        self.scratch.variables |= {
            "ANTHROPIC_BASE_URL": self.address, "DISABLE_TELEMETRY": "1", "DISABLE_ERROR_REPORTING": "1",
            "MCP_CONNECTION_NONBLOCKING": "0",
        }  # fmt: skip
        self.scratch.write(
            ".claude.json",
            {
                "hasCompletedOnboarding": True, "theme": "dark", "bypassPermissionsModeAccepted": True,
                "customApiKeyResponses": {"approved": ["none"], "rejected": []}, "projects": {},
            },
        )  # fmt: skip
        self.trust(self.project)
        self.scratch.write(".claude/settings.json", {"enableAllProjectMcpServers": True})

    def trust(self, project: Path) -> None:
        """Trust a folder, as its user does when it asks."""
        state = json.loads((self.scratch.home / ".claude.json").read_text())
        state["projects"][str(project)] = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
        self.scratch.write(".claude.json", state)

    def find(self, *tools: str) -> list[Call]:
        return [Call("ToolSearch", {"query": f"select:{','.join(f'mcp__gitchat__{tool}' for tool in tools)}"})]

    def call(self, tool: str, **arguments: object) -> Call:
        return Call(f"mcp__gitchat__{tool}", arguments)

    def shell(self, line: str) -> Call:
        return Call("Bash", {"command": line, "description": "test"})

    def subagent(self) -> Call:
        task = {"description": "test", "prompt": SUBTASK, "subagent_type": "general-purpose"}
        return Call("Agent", task | {"run_in_background": False})

    def words(self, prompt: str | None, options: Sequence[str], *, is_asking: bool) -> list[str]:
        allowed = [] if is_asking else ["--dangerously-skip-permissions"]
        return ["claude", *allowed, *options, *(["-p", prompt] if prompt is not None else [])]


class Codex(Client):
    """Codex."""

    name = "codex"
    ready = "Ask Codex to do anything"

    def prepare(self) -> None:
        self.scratch.write(
            ".codex/config.toml",
            f"""
model = "stand-in"
model_provider = "stand-in"
model_providers.stand-in = {{ name = "stand-in", base_url = "{self.address}/v1", wire_api = "responses" }}
check_for_update_on_startup = false
features.multi_agent = true
""",
        )
        self.trust(self.project)

    def trust(self, project: Path) -> None:
        """Trust a folder, as its user does when it asks."""
        with (self.scratch.home / ".codex" / "config.toml").open("a") as file:
            file.write(f'[projects."{project}"]\ntrust_level = "trusted"\n')

    def call(self, tool: str, **arguments: object) -> Call:
        return Call(tool, arguments, "mcp__gitchat")

    def shell(self, line: str) -> Call:
        return Call("exec_command", {"cmd": line})

    def subagent(self) -> Call:
        return Call("spawn_agent", {"message": SUBTASK}, "multi_agent_v1")

    def words(self, prompt: str | None, options: Sequence[str], *, is_asking: bool) -> list[str]:
        allowed = [] if is_asking else ["--dangerously-bypass-approvals-and-sandbox"]
        common = [*allowed, "--dangerously-bypass-hook-trust", *options]
        return ["codex", *common] if prompt is None else ["codex", "exec", *common, prompt]


class OlderClaude(Claude):
    """Claude Code from before it had an inbox for its sessions."""

    folder = "others"

    def find(self, *tools: str) -> list[Call]:
        return []  # it tells its model of all tools at once


class Gemini(Client):
    """Gemini CLI."""

    name = "gemini"
    folder = "others"
    ready = "Type your message"

    def prepare(self) -> None:
        self.scratch.variables["GOOGLE_GEMINI_BASE_URL"] = self.address
        security = {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}}
        self.scratch.write(".gemini/settings.json", {"security": security})

    def call(self, tool: str, **arguments: object) -> Call:
        return Call(f"mcp_gitchat_{tool}", arguments)

    def shell(self, line: str) -> Call:
        return Call("run_shell_command", {"command": line})

    def words(self, prompt: str | None, options: Sequence[str], *, is_asking: bool) -> list[str]:
        allowed = [] if is_asking else ["--yolo"]
        return ["gemini", *allowed, *options, *(["-p", prompt] if prompt is not None else [])]


class Opencode(Client):
    """opencode, which asks its model in Anthropic's form."""

    name = "opencode"
    folder = "others"
    ready = "Ask anything"

    @classmethod
    def programs(cls) -> Path:
        return AGENTS / cls.folder / "node_modules" / "opencode-linux-x64" / "bin"

    def prepare(self) -> None:
        model = {"name": "Stand-in", "limit": {"context": 100_000, "output": 1_000}}
        provider = {
            "npm": "@ai-sdk/anthropic", "name": "Stand-in", "models": {"model": model},
            "options": {"baseURL": f"{self.address}/v1", "apiKey": "none"},
        }  # fmt: skip
        self.scratch.variables |= {"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"}
        # Beside a plugin it installs a package of its own, and waits for it: more than a minute where npm tries again.
        self.scratch.variables["npm_config_fetch_retries"] = "0"
        self.scratch.write(
            ".config/opencode/opencode.json",
            {"provider": {"stand-in": provider}, "model": "stand-in/model", "autoupdate": False, "share": "disabled"},
        )

    def call(self, tool: str, **arguments: object) -> Call:
        return Call(f"gitchat_{tool}", arguments)

    def shell(self, line: str) -> Call:
        return Call("bash", {"command": line, "description": "test"})

    def words(self, prompt: str | None, options: Sequence[str], *, is_asking: bool) -> list[str]:
        return ["opencode", *options] if prompt is None else ["opencode", "run", *options, prompt]
