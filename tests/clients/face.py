"""What a client starts in gitchat's place: its server, its hooks, a command of its shell. Each notes what it was given.

    face.py NOTES server|shell
    face.py NOTES hook EVENT

NOTES is a directory; each call adds a file to it, with whole environments: they never leave it (record.py takes what
may be kept). The server speaks as much of MCP as a client needs to call its one tool. Linux alone.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

TOOL = "note"
"""The tool of the server."""


def note(notes: Path, face: str, **more: Any) -> None:
    """Add what this process was given, and ``more``."""
    content = {"face": face, "variables": dict(os.environ), "cwd": os.getcwd(), "ancestors": ancestors(), **more}
    new = notes / f".{time.monotonic_ns():020}-{os.getpid()}"
    new.write_text(json.dumps(content))
    new.rename(notes / new.name[1:])


def ancestors() -> list[dict[str, Any]]:
    """The processes from this one's parent upwards: what the kernel tells of each, as long as it tells all of it."""
    found: list[dict[str, Any]] = []
    pid = os.getppid()
    while pid > 0:
        try:
            pairs = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
        except PermissionError:  # somebody else's
            break
        # The name of the program stands in parentheses, and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        variables = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        found.append({"pid": pid, "started": int(fields[19]), "words": words, "variables": variables})
        pid = int(fields[1])
    return found


def serve(notes: Path) -> None:
    """Answer a client until it goes away."""
    note(notes, "server")
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        params = message.get("params") or {}
        answer: dict[str, Any] = {"result": {}}
        match message["method"]:
            case "initialize":
                server = {"name": "gitchat", "version": "0"}
                version = params["protocolVersion"]
                answer = {"result": {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": server}}
                note(notes, "handshake", name=params["clientInfo"]["name"])
            case "tools/list":
                schema = {"type": "object", "properties": {}}
                answer = {"result": {"tools": [{"name": TOOL, "description": "Note this.", "inputSchema": schema}]}}
            case "tools/call":
                note(notes, "call", meta=params.get("_meta"))
                answer = {"result": {"content": [{"type": "text", "text": "noted"}]}}
            case "ping":
                pass
            case _:
                answer = {"error": {"code": -32601, "message": "Method not found"}}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **answer}), flush=True)


def main() -> None:
    """Be the face that the arguments name."""
    notes, face = Path(sys.argv[1]), sys.argv[2]
    if face == "server":
        serve(notes)
    elif face == "hook":
        note(notes, "hook", event=sys.argv[3], given=json.load(sys.stdin))
    else:
        note(notes, "shell")


if __name__ == "__main__":
    main()
