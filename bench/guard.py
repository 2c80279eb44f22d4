"""What the guard costs an edit, and a commit; and what a claim costs. Run by ``make bench``.

Each time is divided by that of ``git rev-parse --git-common-dir`` in the same round, which the hook's line starts in
any case. Prints Markdown.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aims import measured
from figures import interleaved, make_repository, milliseconds, ratios, sealed_variables, seconds, spread, table

from gitchat.model.pattern import fixed_part, parse_pattern, regex_of_bytes
from gitchat.setup.launch import GUARD
from gitchat.workspace.guarding import PROGRAM

ROUNDS = 40
CLAIMS = 10
"""How often a claim is measured: each starts a Python."""
CROWD = 32
WARM_UPS = 3
STAGED = 40
STARTED = "`git chat --version`"
HAD = "an edit of what somebody has, 50 claims"
NOTHING = "`git rev-parse --git-common-dir` alone"

EDIT = json.dumps({"session_id": "s", "hook_event_name": "PreToolUse", "tool_input": {"file_path": "src/p7/a.py"}})
FREE = EDIT.replace("src/p7", "docs")
LONG = json.dumps({"tool_input": {"content": 'say("hello")\n' * 15_000, "file_path": "src/p7/a.py"}})


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:

        def edit(name: str, claims: int, text: str) -> Callable[[], None]:
            repository = _repository(Path(scratch) / name, claims)
            return partial(_run, repository, ["sh", "-c", GUARD], text)

        actions: dict[str, Callable[[], None]] = {
            NOTHING: partial(
                _run, _repository(Path(scratch) / "bare", 0), ["git", "rev-parse", "--git-common-dir"], ""
            ),
            "an edit, nothing is claimed": edit("none", 0, EDIT),
            "an edit of what nobody has, 50 claims": edit("free", 50, FREE),
            HAD: edit("had", 50, EDIT),
            "the same of 200 claims": edit("many", 200, EDIT),
            "the same of 50 claims, a file of 200 KB": edit("long", 50, LONG),
            f"a commit's {STAGED} paths, 200 claims": partial(
                _run, _staged(_repository(Path(scratch) / "commit", 200)), ["sh", ".git/chatroom/guard", "commit"], ""
            ),
        }
        interleaved(actions, WARM_UPS)
        times = interleaved(actions, ROUNDS)
    rows = [(name, spread(ratios(taken, times[NOTHING])), milliseconds(taken)) for name, taken in times.items()]
    print(
        f"The hook before an edit, as a client starts it, {ROUNDS} interleaved rounds; each time is divided by that of "
        f"the `git` that it starts first.\n\n" + table(["what runs", "÷ git: median (quartiles)", "ms, median"], rows)
    )
    print("\n" + measured("guard", [1000 * taken for taken in times[HAD]]))
    _claims()


def _claims() -> None:
    """Print what a claim and a release cost, and how long many wait who want the same."""
    with tempfile.TemporaryDirectory() as scratch:
        repository = make_repository(Path(scratch) / "claims", 1000)
        variables = sealed_variables(repository.parent)
        program = str(Path(sys.executable).with_name("git-chat"))

        def chat(*words: str) -> None:
            subprocess.run([program, *words], cwd=repository, env=variables, capture_output=True, check=True)

        def release() -> float:
            chat("claim", "src/lexer/")
            return seconds(partial(chat, "release", "src/lexer/"))

        def claim() -> float:
            taken = seconds(partial(chat, "claim", "src/lexer/"))
            chat("release", "src/lexer/")
            return taken

        counted: dict[str, Callable[[], float]] = {
            STARTED: partial(seconds, partial(chat, "--version")),
            "a claim": claim,
            "its release": release,
        }
        times = interleaved(counted, CLAIMS, lambda action: action())
        rows = [(name, spread(ratios(taken, times[STARTED])), milliseconds(taken)) for name, taken in times.items()]
        started = time.perf_counter()
        crowd = [
            subprocess.Popen(
                [program, "claim", "--as", f"agent{number}", "src/token/"],
                cwd=repository, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for number in range(CROWD)
        ]  # fmt: skip
        statuses = [one.wait() for one in crowd]
        whole = time.perf_counter() - started
    assert statuses.count(0) == 1, statuses
    heads = ["what is run", "÷ start: median (quartiles)", "ms, median"]
    print(f"\nA claim in a room of 1,000 records, {CLAIMS} interleaved rounds:\n\n{table(heads, rows)}\n")
    print(f"{CROWD} processes claim one path at once: one has it, and all have their answer after {whole:.1f} s.")


def _repository(directory: Path, claims: int) -> Path:
    repository = make_repository(directory, 10)
    lines = [b"gitchat guarded 1", b"me\talice"]
    for count in range(claims):
        parts = parse_pattern(f"src/p{count}/" if count % 2 else f"src/**/test_{count}?/*.py")
        fields = [b"claim", b"0", b"%d" % (time.time() + 9999), b"bob", b"-", fixed_part(parts).encode()]
        lines.append(b"\t".join([*fields, regex_of_bytes(parts), b"src/p/", b"#41"]))
    chatroom = repository / ".git" / "chatroom"
    (chatroom / "guarded").write_bytes(b"\n".join(lines) + b"\n" if claims else b"")
    (chatroom / "guard").write_bytes(PROGRAM.read_bytes())
    (chatroom / "guard").chmod(0o755)
    return repository


def _staged(repository: Path) -> Path:
    for count in range(STAGED):
        path = repository / "src" / f"p{count}" / "a.py"
        path.parent.mkdir(parents=True)
        path.write_text("x")
    subprocess.run(["git", "add", "src"], cwd=repository, env=sealed_variables(repository.parent), check=True)
    return repository


def _run(repository: Path, command: list[str], text: str) -> None:
    variables = sealed_variables(repository.parent)
    subprocess.run(command, cwd=repository, env=variables, input=text.encode(), capture_output=True, check=True)


if __name__ == "__main__":
    main()
