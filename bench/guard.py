"""What the guard costs an edit, and a commit. Run by ``make bench``.

Each time is divided by that of ``git rev-parse --git-common-dir`` in the same round, which the hook's line starts in
any case. Prints Markdown.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aims import measured
from figures import interleaved, make_repository, milliseconds, ratios, sealed_variables, spread, table

from gitchat.model.pattern import fixed_part, parse_pattern, regex_of_bytes
from gitchat.setup.launch import GUARD
from gitchat.workspace.guarding import PROGRAM

ROUNDS = 40
WARM_UPS = 3
STAGED = 40
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
