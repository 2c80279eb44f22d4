"""Two new users on two machines, who do what README says with the installed wheel until an answer has crossed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.clients.real.client import UNDER_TEST, Client, Make
from tests.clients.real.vendors import Claude, Codex

pytestmark = pytest.mark.clients

TOP = Path(__file__).parents[3]
LIMIT_SECONDS = 180.0

QUESTION, ANSWER = "Who takes the lexer?", "I do: Codex has it."


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the programs of today's wheel, in an environment of its own; what it depends on is shared."""
    root = tmp_path_factory.mktemp("installed")
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def run(*words: object) -> str:
        return subprocess.run(
            list(map(str, words)), check=True, env=variables, capture_output=True, text=True
        ).stdout.strip()

    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run(*pip, "wheel", "--no-deps", "--wheel-dir", root, TOP)
    run(sys.executable, "-m", "venv", "--without-pip", root / "venv")
    python = root / "venv" / "bin" / "python"
    site = "import sysconfig; print(sysconfig.get_path('purelib'))"
    # A line that is a path adds that path, and runs no .pth file there: not that of the working tree.
    Path(run(python, "-c", site), "shared.pth").write_text(run(sys.executable, "-c", site) + "\n")
    (wheel,) = root.glob("*.whl")
    run(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel)
    where = run(python, "-P", "-c", "import gitchat; print(gitchat.__file__)")
    assert where.startswith(str(root)), where
    return python.parent


class Person:
    """Somebody at a machine, who types lines into a shell."""

    def __init__(self, client: Client, installed: Path, place: Path) -> None:
        self.client, self.place, self.typed = client, place, list[str]()
        variables = client.scratch.variables
        variables["PATH"] = variables["PATH"].replace(str(UNDER_TEST), str(installed))
        client.scratch.write(".profile", f"PATH='{variables['PATH']}'\n")

    def types(self, line: str) -> str:
        """What a line printed, which has to work."""
        self.typed.append(line)
        done = self.client.scratch.done("sh", "-c", line, cwd=self.place)
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout


def test_two_new_users_come_to_an_answer_that_crosses(make: Make[Client], installed: Path, tmp_path: Path) -> None:
    """Three commands on the first machine, and on the second what the first was told to hand on.

    Then the agents answer each other by themselves, and ask nobody: what the first asks before anybody else is there is
    read by the second, and what that one answers wakes the first, which waits in one call.
    """
    hub = tmp_path / "hub.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", hub], check=True)
    claude, codex = make(Claude), make(Codex)
    assert isinstance(codex, Codex)
    ann, bob = Person(claude, installed, claude.project), Person(codex, installed, codex.scratch.home)
    for line in (f"git remote add origin {hub}", "git push -q origin main"):  # what the team has anyway
        claude.scratch.go("sh", "-c", line)

    begin = time.monotonic()
    ann.types("git chat setup claude --allow")
    ann.types('git chat send "I take the parser."')
    assert "1 pushed" in ann.types("git chat sync")
    _, clone, setup = ann.types("git chat invite codex").splitlines()

    codex.scratch.go("sh", "-c", f"cd && {clone}")
    (place,) = (entry.parent for entry in codex.scratch.home.glob("*/.git"))
    bob.place = place
    bob.types(setup)
    codex.trust(place)  # as its user does, who is asked

    asks = claude.call("check_in", content=QUESTION, type="question", wait_seconds=120)
    claude.script.go_on(*claude.calls("check_in"), asks, "done")
    codex.script.go_on(
        *codex.calls("check_in"), codex.call("send_message", content=ANSWER, type="answer", reply_to=2), "done"
    )
    prompt = "Check in with the chatroom, and ask who takes the lexer."
    asking = claude.scratch.start(*claude.words(prompt, [], is_asking=True))
    waiting = codex.scratch.done("git", "chat", "wait", "--type", "question", "--timeout", "120", "-q", cwd=place)
    assert waiting.returncode == 0, waiting.stdout + waiting.stderr
    answering = codex.headless(
        "Check in, and answer what you are asked.", is_asking=True, cwd=place, limit_seconds=LIMIT_SECONDS
    )
    assert answering.status == 0, answering.stderr
    told, _ = asking.communicate(timeout=LIMIT_SECONDS)
    seconds = time.monotonic() - begin

    heard = "\n".join(request.new for request in codex.script.asked)
    assert "I take the parser." in heard
    assert QUESTION in heard
    assert any(ANSWER in request.new for request in claude.script.asked), told
    typed = [*ann.typed, clone, *bob.typed]
    print(f"\n{seconds:.0f} s to the answer, after: {'; '.join(typed)}")
    said = [json.loads(line) for line in ann.types("git chat log --json").splitlines()]
    assert [(one["id"], one["from"], one["content"]) for one in said] == [
        (1, "alice", "I take the parser."), (2, "claude-project", QUESTION), (3, f"codex-{place.name}", ANSWER),
    ]  # fmt: skip
