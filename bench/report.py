"""Build a wheel, install it in a scratch environment, measure it there, and write docs/performance.md.

Run by ``make bench``, or ``make bench ONLY="wake.py sync.py"`` for some sections. The text above
MARKER is written by hand and kept.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
import venv
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "docs" / "performance.md"
MARKER = "<!-- Below this line `make bench` writes; change nothing there by hand. -->"

SECTIONS = (
    ("Start-up", "startup.py"),
    ("In one process, and many writers", "append.py"),
    ("Coming back, reading, finding", "looks.py"),
    ("The index", "indexing.py"),
    ("A commit with the hook", "hook.py"),
    ("The guard before an edit", "guard.py"),
    ("Handing over work that is not committed", "handing.py"),
    ("What looks like a secret", "scanning.py"),
    ("What was said about a file", "anchors.py"),
    ("What will not merge", "ahead.py"),
    ("Waking up", "wake.py"),
    ("Who is woken", "waking.py"),
    ("The MCP server", "server.py"),
    ("To a remote and other clones", "sync.py"),
    ("Sent, and delivered", "delivering.py"),
    ("To another clone, by a doorbell", "bell.py"),
    ("A session of an agent", "agents.py"),
    ("A server with a thousand clients", "serve.py"),
    ("Tools over HTTP", "serve_mcp.py"),
    ("Beside others", "beside.py"),
    ("What is aimed at", "goals.py"),
)
"""The headings of the report, and what prints the figures of each as Markdown. All are told of one directory for
repositories that take long to make."""


def main() -> None:
    """Measure, then write the report; a failure leaves the old one.

    With arguments, measure only these programs of SECTIONS again; the other sections stay as they are.
    """
    wanted = sys.argv[1:] or [program for _, program in SECTIONS]
    if unknown := set(wanted) - {program for _, program in SECTIONS}:
        sys.exit(f"error: no section is made by {', '.join(sorted(unknown))}\nhint: see SECTIONS in bench/report.py")
    by_hand, _, old = REPORT.read_text(encoding="utf-8").partition(MARKER)
    known = dict(part.split("\n\n", 1) for part in old.split("\n### ")[1:])
    with tempfile.TemporaryDirectory() as scratch:
        python = install_wheel(Path(scratch))
        if "beside.py" in wanted:
            fetch_peers()
        sections = [f"## Figures of {datetime.now(UTC):%Y-%m-%d}", machine(python, Path(scratch))]
        for heading, program in SECTIONS:
            if program in wanted:
                known[heading] = output(python, f"bench/{program}", str(Path(scratch) / "histories"))
            sections += [f"### {heading}", known.get(heading, "not measured yet").strip()]
    REPORT.write_text(by_hand + MARKER + "\n\n" + "\n\n".join(sections) + "\n", encoding="utf-8")
    print(f"wrote {os.path.relpath(REPORT)}")


def install_wheel(scratch: Path) -> Path:
    """The Python of a new environment that holds gitchat as a user has it, compiled to bytecode."""
    print("building and installing a wheel", flush=True)
    output(Path(sys.executable), "-m", "build", "--wheel", "--outdir", str(scratch))
    venv.create(scratch / "venv", with_pip=True)
    python = scratch / "venv" / "bin" / "python"
    output(python, "-m", "pip", "install", "--quiet", *(f"{wheel}[serve,nats]" for wheel in scratch.glob("*.whl")))
    return python


def fetch_peers() -> None:
    """Fetch what gitchat is measured beside; what cannot be had is told here, and in the section."""
    print("fetching what it is measured beside", flush=True)
    subprocess.run([str(ROOT / "bench" / "fetch-peers.sh"), sys.executable], check=True)


def output(python: Path, *arguments: str) -> str:
    """What ``python`` prints; its errors go to ours."""
    began = time.monotonic()
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([python, *arguments], cwd=ROOT, env=variables, stdout=subprocess.PIPE, check=True, text=True)
    print(f"ran python {' '.join(arguments[:2])} in {time.monotonic() - began:.0f} s", flush=True)
    return done.stdout.strip()


def machine(python: Path, scratch: Path) -> str:
    """What the figures were measured on, in one sentence, without names."""
    versions = output(python, "-c", "import pygit2; print(pygit2.__version__, pygit2.LIBGIT2_VERSION)").split()
    kernel = ".".join(platform.release().split(".")[:2])
    git = subprocess.run(["git", "--version"], capture_output=True, check=True, text=True).stdout.split()[2]
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()} {kernel}, "
        f"{file_system(scratch)}; Python {platform.python_version()}, git {git}, "
        f"pygit2 {versions[0]} with libgit2 {versions[1]}."
    )


def file_system(path: Path) -> str:
    """The type of the file system that holds ``path``: that of the longest mount point above it."""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown file system"
    mounts = [(words[1], words[2]) for words in map(str.split, lines)]
    real = path.resolve()
    return max((len(point), kind) for point, kind in mounts if real.is_relative_to(point))[1]


if __name__ == "__main__":
    main()
