"""Show that a rearrangement changed no behaviour: two trees do the same, step by step.

Run by ``make same BASE=REVISION``: the tree of that revision, and the working tree, each run all of ``steps.py`` in
fresh repositories, at the same paths one after the other, with the same clock and randomness
(``fixed_start.py``). After each step standard output, standard error, the exit status and every room's ref must be
equal; what is not is printed as a unified diff, and the exit status is 1. Versions and process ids are left out.
"""

from __future__ import annotations

import argparse
import difflib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checks.steps import CALLS, COMMANDS, FORMS, Call, Command

TOP = Path(__file__).parent.parent
PARTS = ("gitchat", "hooks")
"""What the program is made of."""

DEADLINE_SECONDS = 60.0

TELLING = """\
git() { command git "$@" || { local status=$?; echo "(exit $status)" >&2; return $status; }; }
"""
"""Lets a line with several commands tell how each of them ended."""

GITCONFIG = """\
[user]
	name = Alice
	email = alice@example.com
[init]
	defaultBranch = main
[protocol "file"]
	allow = always
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step left: ``text`` is its output, its end, and which refs it moved."""

    step: str
    text: str


def main() -> None:
    """Compare, print the differences, and end with 1 when there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", metavar="REVISION", help="what must be done as before")
    parser.add_argument(
        "tree", nargs="?", type=Path, default=TOP, help="what is looked at  [default: the working tree]"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="compare-trees-") as scratch:
        base = Path(scratch, "base")
        unpack(given.base, base)
        pairs = list(compare(base, given.tree, Path(scratch, "world")))
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.stdout.writelines(differences(pairs))
    unlike = sum(one != other for one, other in pairs)
    seen = sorted({int(status) for one, _ in pairs for status in re.findall(r"\bexit (\d+)", one.text)})
    print(
        f"{unlike} of {len(pairs)} steps differ from {given.base}" if unlike else f"equal: {len(pairs)} steps", end="; "
    )
    print("exit statuses seen:", *seen)
    sys.exit(1 if unlike else 0)


def unpack(revision: str, into: Path) -> None:
    """The program's tree of ``revision``."""
    archive = subprocess.run(["git", "archive", revision, "--", *PARTS], cwd=TOP, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(into, filter="data")


def compare(
    base: Path,
    tree: Path,
    scratch: Path,
    commands: Sequence[Command] = COMMANDS,
    calls: Sequence[Call] = CALLS,
    forms: Sequence[str] = FORMS,
) -> Iterator[tuple[Outcome, Outcome]]:
    """Each step as ``base`` and as ``tree`` do it, which hold the program's parts; ``scratch`` is made and removed."""
    runs = [list(Run(one, scratch).outcomes(commands, calls, forms)) for one in (base, tree)]
    yield from zip(*runs, strict=True)


def differences(pairs: Sequence[tuple[Outcome, Outcome]]) -> Iterator[str]:
    """The lines of a unified diff for each step that is not equal."""
    for one, other in pairs:
        if one != other:
            before, after = (outcome.text.splitlines(keepends=True) for outcome in (one, other))
            yield from difflib.unified_diff(before, after, f"base: {one.step}", f"tree: {one.step}", n=2)


@dataclass
class Run:
    """One tree at work in ``place``, a directory of its own: the program, its home and the repositories."""

    tree: Path
    place: Path
    _number: int = 0
    _refs: dict[str, str] = field(default_factory=dict)

    def outcomes(self, commands: Sequence[Command], calls: Sequence[Call], forms: Sequence[str]) -> Iterator[Outcome]:
        """What each command leaves, in order; then each call, in each form in a repository of its own."""
        self._build()
        try:
            for command in commands:
                yield self._command(command)
            for form in forms:
                yield from self._calls(form, calls)
        finally:
            shutil.rmtree(self.place)

    def _build(self) -> None:
        for part in PARTS:
            shutil.copytree(self.tree / part, self.place / "tree" / part, ignore=shutil.ignore_patterns("__pycache__"))
        start = f"#!{sys.executable} -P\n" + (TOP / "checks" / "fixed_start.py").read_text(encoding="utf-8")
        for name in ("bin/git-chat", "bin/python"):
            program = self.place / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(start, encoding="utf-8")
            program.chmod(0o755)
        (self.place / "home").mkdir()
        (self.place / "home" / ".gitconfig").write_text(GITCONFIG)
        (self.place / "repositories").mkdir()

    @property
    def _variables(self) -> dict[str, str]:
        """All that a step sees of the environment."""
        now = str(1_790_000_000 + 60 * self._number)
        return {
            "PATH": f"{self.place / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.place / "home"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_EDITOR": "false",
            "GIT_PAGER": "cat",
            "GIT_AUTHOR_DATE": f"{now} +0000",
            "GIT_COMMITTER_DATE": f"{now} +0000",
            "GIT_TEST_DATE_NOW": now,  # what git takes for now when it reads "yesterday"
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "TERM": "dumb",
            "GITCHAT_HOOK_SECONDS": "60",
        }

    def _next(self) -> None:
        self._number += 1
        (self.place / "step").write_text(str(self._number), encoding="ascii")

    def _command(self, command: Command) -> Outcome:
        self._next()
        cwd = self.place / "repositories" / command.where
        done = subprocess.run(
            ["bash", "-c", TELLING + command.line], cwd=cwd, env=self._variables, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=DEADLINE_SECONDS, check=False,
        )  # fmt: skip
        return self._outcome(f"{command.where}$ {command.line}", done.stdout, done.stderr, done.returncode)

    def _outcome(self, step: str, stdout: bytes, stderr: bytes, status: int | None = None) -> Outcome:
        """A step's outcome, as its text is compared: without what no two runs share."""
        parts = [("output", stdout), ("errors", stderr), ("refs", "".join(self._moved()).encode())]
        text = "".join(f"--- {name}\n{part.decode('utf-8', 'surrogateescape')}\n" for name, part in parts if part)
        text = text.replace(self._version, "VERSION")
        text = re.sub(r'("pid": ?|\bprocess )\d+', r"\1PID", text)
        return Outcome(step, text + (f"--- exit {status}\n" if status is not None else ""))

    @property
    def _version(self) -> str:
        text = (self.place / "tree" / "gitchat" / "__init__.py").read_text(encoding="utf-8")
        return str(re.findall(r'^__version__ = "(.*)"$', text, re.MULTILINE)[0])

    def _moved(self) -> Iterator[str]:
        """A line for each ref of a room, in any repository, that is not where it was after the step before."""
        refs: dict[str, str] = {}
        for path in sorted((self.place / "repositories").iterdir()):
            if (path / ".git").exists() or (path / "HEAD").exists():
                listing = subprocess.run(
                    ["git", "-C", str(path), "for-each-ref", "--format=%(refname) %(objectname)"],
                    env=self._variables, capture_output=True, text=True, check=False,
                ).stdout  # fmt: skip
                named = (line.split() for line in listing.splitlines() if line.startswith("refs/chatroom"))
                refs |= {f"{path.name} {ref}": oid for ref, oid in named}
        before, self._refs = self._refs, refs
        for ref in sorted(before.keys() | refs.keys()):
            if before.get(ref) != refs.get(ref):
                yield f"{ref} {refs.get(ref, 'is gone')}\n"

    # --- over MCP ----------------------------------------------------------------

    def _calls(self, form: str, calls: Sequence[Call]) -> Iterator[Outcome]:
        """What each call answers, over one server, and how the server ends."""
        self._next()
        cwd = self.place / "repositories" / f"server{form}"
        subprocess.run(["git", "init", "-q", str(cwd)], env=self._variables, check=True)
        with tempfile.TemporaryFile() as errors:
            server = subprocess.Popen(
                ["git", "chat", "mcp", *form.split()], cwd=cwd, env=self._variables,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip
            try:
                for number, call in enumerate((*HANDSHAKE, *calls)):
                    self._next()
                    answer = _ask(server, number, call)
                    yield self._outcome(f"mcp {form} {call.method} {json.dumps(call.params)}", answer, b"")
                assert server.stdin is not None
                server.stdin.close()
                server.wait(DEADLINE_SECONDS)
            finally:
                server.kill()
            errors.seek(0)
            yield self._outcome(f"mcp {form} ends", b"", errors.read(), server.returncode)


HANDSHAKE = (
    Call(
        "initialize",
        {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "compare", "version": "1"}},
    ),
    Call("notifications/initialized", {}),
)
"""How a connection begins."""


def _ask(server: subprocess.Popen[bytes], number: int, call: Call) -> bytes:
    """The line that answers ``call``; nothing for a notification. Raises AssertionError when none comes in time."""
    assert server.stdin is not None
    assert server.stdout is not None
    request: dict[str, Any] = {"jsonrpc": "2.0", "method": call.method, "params": call.params}
    is_answered = not call.method.startswith("notifications/")
    server.stdin.write(json.dumps(request | ({"id": number} if is_answered else {})).encode() + b"\n")
    server.stdin.flush()
    patience = threading.Timer(DEADLINE_SECONDS, server.kill)
    patience.start()
    try:
        while is_answered:
            line = server.stdout.readline()
            assert line, f"the server ended at {request}, or does not answer"
            answer = json.loads(line)
            if answer.get("id") == number:  # what else comes, such as progress, depends on the machine's speed
                return json.dumps(answer, indent=1, ensure_ascii=False).encode("utf-8", "surrogateescape")
    finally:
        patience.cancel()
    return b""


if __name__ == "__main__":
    main()
