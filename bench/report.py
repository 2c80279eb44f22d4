"""Build a wheel, install it in a scratch environment, measure it there, and write docs/performance.md.

Run by ``make bench``, or ``make bench ONLY="wake.py sync.py"`` for some sections. The text above MARKER is written by
hand and kept. The report is written anew after each section, so that what was measured is never lost; a section that
fails keeps its figures of before, which is said there, and the exit status is 1 then.
"""

from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from aims import standing

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "docs" / "performance.md"
MARKER = "<!-- Below this line `make bench` writes; change nothing there by hand. -->"
AIMED_AT = "What is aimed at"
MISSING = "not measured yet"

SECTIONS: Mapping[str, str] = {
    "startup.py": "Start-up",
    "append.py": "In one process, and many writers",
    "looks.py": "Coming back, reading, finding",
    "indexing.py": "The index",
    "hook.py": "A commit with the hook",
    "guard.py": "The guard before an edit",
    "handing.py": "Handing over work that is not committed",
    "scanning.py": "What looks like a secret",
    "anchors.py": "What was said about a file",
    "ahead.py": "What will not merge",
    "wake.py": "Waking up",
    "waking.py": "Who is woken",
    "server.py": "The MCP server",
    "sync.py": "To a remote and other clones",
    "delivering.py": "Sent, and delivered",
    "bell.py": "To another clone, by a doorbell",
    "agents.py": "A session of an agent",
    "serve.py": "A server with a thousand clients",
    "serve_mcp.py": "Tools over HTTP",
    "beside.py": "Beside others",
    "goals.py": "Tools, long rooms, an index and tags",
    "million.py": "A room of a million",
}
"""What prints the figures of each section as Markdown, and the heading of that. All are told of one directory for
repositories that take long to make."""

BY_NAME_ALONE = {"million.py"}
"""What takes minutes, and is measured only where it is asked for."""

LIMIT_SECONDS = 900.0
"""A section that takes longer hangs, and is ended."""


@dataclass(frozen=True)
class Section:
    """What a program printed, and when and on what: ``2026-11-29; 2 cores (x86_64), ...``."""

    text: str
    stamp: str

    @property
    def date(self) -> str:
        """When it was measured."""
        return self.stamp.partition(";")[0]


def main() -> None:
    """Measure, and write the report after each section.

    With arguments, measure only these programs of SECTIONS; the other sections stay as they are.
    """
    wanted = sys.argv[1:] or [program for program in SECTIONS if program not in BY_NAME_ALONE]
    if unknown := set(wanted) - set(SECTIONS):
        sys.exit(f"error: no section is made by {', '.join(sorted(unknown))}\nhint: see SECTIONS in bench/report.py")
    by_hand, _, old = REPORT.read_text(encoding="utf-8").partition(MARKER)
    sections, failed, began = sections_of(old), [], time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        python = install_wheel(Path(scratch))
        if "beside.py" in wanted:
            fetch_peers()
        stamp = f"{datetime.now(UTC):%Y-%m-%d}; {machine(python, Path(scratch))}"
        for place, program in enumerate(sorted(wanted, key=list(SECTIONS).index), 1):
            print(f"{place} of {len(wanted)}: {program}, {SECTIONS[program]} ... ", end="", flush=True)
            start = time.monotonic()
            try:
                sections[program] = Section(printed(python, program, Path(scratch) / "histories"), stamp)
                print(f"{time.monotonic() - start:.0f} s", flush=True)
            except subprocess.SubprocessError as error:
                failed.append(program)
                print(f"failed after {time.monotonic() - start:.0f} s: {error}", flush=True)
            write(by_hand + MARKER + "\n\n" + report(sections, failed, stamp))
    print(f"wrote {os.path.relpath(REPORT)}; all of it took {_minutes(time.monotonic() - began)}")
    if failed:
        sys.exit(f"error: not measured: {', '.join(failed)}; what was known of it was kept")


def _minutes(seconds: float) -> str:
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


# --- what is measured ----------------------------------------------------------


def install_wheel(scratch: Path) -> Path:
    """The Python of a new environment that holds gitchat as a user has it, compiled to bytecode."""
    print("building and installing a wheel", flush=True)
    output(sys.executable, "-m", "build", "--wheel", "--outdir", str(scratch))
    venv.create(scratch / "venv", with_pip=True)
    python = scratch / "venv" / "bin" / "python"
    output(python, "-m", "pip", "install", "--quiet", *(f"{wheel}[serve,nats]" for wheel in scratch.glob("*.whl")))
    return python


def fetch_peers() -> None:
    """Fetch what gitchat is measured beside; what cannot be had is told here, and in the section."""
    print("fetching what it is measured beside", flush=True)
    subprocess.run([str(ROOT / "bench" / "fetch-peers.sh"), sys.executable], check=True)


def output(*words: str | Path) -> str:
    """What a command prints; its errors go to ours."""
    return subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()


def printed(python: Path, program: str, histories: Path) -> str:
    """What a program of SECTIONS prints; nothing that it started outlives it.

    Raises SubprocessError: it failed, or took too long.
    """
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    words = [str(python), f"bench/{program}", str(histories)]
    with tempfile.TemporaryFile() as said:  # and no pipe: what outlives the program would hold it open
        process = subprocess.Popen(words, cwd=ROOT, env=variables, stdout=said, start_new_session=True)
        try:
            status = process.wait(LIMIT_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if status != 0:
            raise subprocess.CalledProcessError(status, program)
        said.seek(0)
        return said.read().decode().strip()


def machine(python: Path, scratch: Path) -> str:
    """What the figures were measured on, in one sentence, without names."""
    versions = output(python, "-c", "import pygit2; print(pygit2.__version__, pygit2.LIBGIT2_VERSION)").split()
    kernel = ".".join(platform.release().split(".")[:2])
    git = subprocess.run(["git", "--version"], capture_output=True, check=True, text=True).stdout.split()[2]
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()} {kernel}, "
        f"{file_system(scratch)}; gitchat {version('git-chatroom')}, Python {platform.python_version()}, git {git}, "
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


# --- the report ----------------------------------------------------------------

_STAMP = re.compile(r"<!-- measured (?P<stamp>.*) -->")
_FIGURES_OF = re.compile(r"## Figures of (?P<date>\S+)\n\n(?P<machine>.*)")
_NOTE = re.compile(r"^_.*_\n\n", re.MULTILINE)


def stamp_of(old: str) -> str:
    """When and on what a report was last measured."""
    general = _FIGURES_OF.search(old)
    return f"{general['date']}; {general['machine']}" if general else ""


def sections_of(old: str) -> dict[str, Section]:
    """The sections of a report, by program: those that were measured. Headings of no program are passed over."""
    programs = {heading: program for program, heading in SECTIONS.items()}
    found = {}
    for part in old.split("\n### ")[1:]:
        heading, _, text = part.partition("\n")
        stamp = _STAMP.search(text)
        text = _NOTE.sub("", _STAMP.sub("", text).lstrip(), count=1).strip()
        if (program := programs.get(heading)) and text not in ("", _unmeasured(program)):
            found[program] = Section(text, stamp["stamp"] if stamp else stamp_of(old))
    return found


def report(sections: Mapping[str, Section], failed: Iterable[str], stamp: str) -> str:
    """What stands below MARKER: the table of what is aimed at, then each section.

    ``stamp`` is when and on what this run measured; a section that was not measured so says it.
    """
    date, _, machine_ = stamp.partition("; ")
    parts = [f"## Figures of {date}", machine_, f"### {AIMED_AT}"]
    parts.append(standing({program: one.text for program, one in sections.items()}, SECTIONS))
    for program, heading in SECTIONS.items():
        parts.append(f"### {heading}")
        one = sections.get(program)
        if one is None:
            parts.append(_unmeasured(program))
            continue
        notes = []
        if program in failed:
            notes.append(f"The program failed on {date}; these are the figures of before.")
        if one.stamp != stamp:
            notes.append(f"Measured on {one.date}{_elsewhere(one.stamp, stamp)}.")
        parts += [f"<!-- measured {one.stamp} -->", *([f"_{' '.join(notes)}_"] if notes else []), one.text]
    return "\n\n".join(parts) + "\n"


def _unmeasured(program: str) -> str:
    if program in BY_NAME_ALONE:
        return f'It takes minutes, and is measured by `make bench ONLY="{program}"` alone.'
    return MISSING


def _elsewhere(theirs: str, ours: str) -> str:
    """On what else a section was measured."""
    machine_ = theirs.partition("; ")[2]
    return "" if machine_ == ours.partition("; ")[2] else f": {machine_.rstrip('.')}"


def write(text: str) -> None:
    """Put the report into its place, whole."""
    new = REPORT.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(REPORT)


if __name__ == "__main__":
    main()
