"""What may stand in one place only: refs and their moves, clock, environment, randomness, processes, libraries.

Run by ``make lint``: prints each line of the package that does one of these things elsewhere, and fails.
It reads the code's syntax, so comments and docstrings may speak of everything. How long something takes
(``time.monotonic``) is no clock: nothing is dated by it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).parents[1]

PLACES: dict[str, tuple[str, ...]] = {
    "spells a ref": (
        "gitchat/model/refs.py",
        "gitchat/quick/room.py",
        "gitchat/quick/append.py",
        "gitchat/quick/swap.py",
    ),
    "moves a ref": ("gitchat/storage/refs.py", "gitchat/storage/shared.py"),  # which hands it on
    "reads the clock": (
        "gitchat/workspace/",
        "gitchat/quick/settings.py",
        "gitchat/quick/send.py",
        "gitchat/quick/reader.py",
        "gitchat/quick/reading.py",
        "gitchat/quick/status.py",
        "gitchat/quick/waiting.py",
    ),
    "reads the environment": (
        "gitchat/workspace/",
        "gitchat/__main__.py",
        "gitchat/quick/start.py",
        "gitchat/quick/place.py",
    ),
    "reads randomness": ("gitchat/workspace/", "gitchat/quick/send.py"),
    "starts a process": (
        "gitchat/storage/git.py",
        "gitchat/storage/streamed.py",
        "gitchat/storage/line.py",
        "gitchat/storage/relay.py",
        "gitchat/quick/spawned.py",
        "gitchat/setup/handshake.py",
        "gitchat/cli/browser.py",
    ),
    "knows nats": ("gitchat/doorbell/nats.py",),
    "knows socket": (
        "gitchat/doorbell/loop.py",
        "gitchat/doorbell/events.py",
        "gitchat/staying/doors.py",
        "gitchat/serve/running.py",
        "gitchat/serve/peer.py",
        "gitchat/serve/servefile.py",
    ),
    "knows pygit2": ("gitchat/storage/libgit2.py", "gitchat/storage/imported.py"),
    "knows sqlite3": ("gitchat/index/", "gitchat/quick/known.py"),
    "knows watchdog": ("gitchat/waking/directories.py",),
    "knows tomlkit": ("gitchat/setup/tomlfile.py",),
    "knows mcp": (
        "gitchat/server/sdk.py",
        "gitchat/serve/handshake.py",
        "gitchat/serve/oncall.py",
        "gitchat/serve/protocol.py",
    ),
    "knows starlette": ("gitchat/serve/",),
    "knows uvicorn": ("gitchat/serve/running.py",),
    "knows prometheus_client": ("gitchat/serve/metrics.py",),
    "knows prompt_toolkit": ("gitchat/cli/console.py",),
    "knows wcwidth": ("gitchat/cli/terminal.py",),
}
"""What a line does, and which files (or folders, with a slash) may."""

CALLS = {
    "time.time": "reads the clock",
    "time.time_ns": "reads the clock",
    "datetime.now": "reads the clock",
    "datetime.datetime.now": "reads the clock",
    "datetime.date.today": "reads the clock",
    "date.today": "reads the clock",
    "os.environ": "reads the environment",
    "os.environb": "reads the environment",
    "os.getenv": "reads the environment",
    "os.getcwd": "reads the environment",
    "os.urandom": "reads randomness",
    "os.getrandom": "reads randomness",
    "os.fork": "starts a process",
    "os.system": "starts a process",
    "os.popen": "starts a process",
    "asyncio.create_subprocess_exec": "starts a process",
    "asyncio.create_subprocess_shell": "starts a process",
}
NOW_WITHOUT = {"time.localtime": 1, "time.gmtime": 1, "time.ctime": 1, "time.asctime": 1, "time.strftime": 2}
"""Functions that take the present time where they are given fewer arguments than this."""

MODULES = {
    "random": "reads randomness",
    "secrets": "reads randomness",
    "uuid": "reads randomness",
    "subprocess": "starts a process",
    "multiprocessing": "starts a process",
    "pty": "starts a process",
    "webbrowser": "starts a process",
} | {
    library: f"knows {library}"
    for library in (
        "socket",
        "nats",
        "pygit2",
        "sqlite3",
        "watchdog",
        "tomlkit",
        "mcp",
        "starlette",
        "uvicorn",
        "prometheus_client",
        "prompt_toolkit",
        "wcwidth",
    )
}


def found(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each line of a module that does what has its place, and what that is."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documentation:
            if isinstance(node.value, str) and "refs/" in node.value:
                yield node.lineno, "spells a ref"
        elif isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            if name in CALLS:
                yield node.lineno, CALLS[name]
            elif node.attr == "swap_ref":
                yield node.lineno, "moves a ref"
            elif name.startswith(("os.spawn", "os.exec", "os.posix_spawn")):
                yield node.lineno, "starts a process"
        elif isinstance(node, ast.Call) and len(node.args) < NOW_WITHOUT.get(ast.unparse(node.func), 0):
            yield node.lineno, "reads the clock"
        elif isinstance(node, ast.Import):
            parts = (one.name.partition(".")[0] for one in node.names)
            yield from ((node.lineno, MODULES[part]) for part in parts if part in MODULES)
        elif isinstance(node, ast.ImportFrom) and (part := (node.module or "").partition(".")[0]) in MODULES:
            yield node.lineno, MODULES[part]


def misplaced(path: str, text: str) -> list[str]:
    """What the module at ``path`` does that is another's to do, a line each."""
    return [
        f"{path}:{line}: {deed}, which only {' and '.join(PLACES[deed])} may"
        for line, deed in sorted(found(ast.parse(text)))
        if not path.startswith(PLACES[deed])
    ]


def main() -> int:
    """Print what is misplaced; 1 when something is."""
    paths = sorted((TOP / "gitchat").rglob("*.py"))
    said = [line for path in paths for line in misplaced(path.relative_to(TOP).as_posix(), path.read_text("utf-8"))]
    print("\n".join(said) or f"{len(paths)} modules: each of these stands in its place: {', '.join(PLACES)}")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
