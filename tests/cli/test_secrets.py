"""What looks like a secret, typed into each command; what a person may overrule; and what hooks tell instead."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from gitchat.cli import git_chat
from gitchat.model.refs import log_ref
from tests.cli.conftest import Chatroom, Terminal
from tests.hints.situation import pairs
from tests.world import World

PACKAGE = Path(__file__).parents[2] / "gitchat"

TOKEN = "gh" + "p_" + "a1B2c3" * 6
NAME = "sk" + "-" + "0123456789abcdef" * 2
"""One that a name can be."""

WRITES: dict[str, list[str]] = {
    "send": ["send {}", "send -q {}", "send --json-body [1,\"{}\"]", "send --attach {}.txt x", "send --attach f.txt x",
             "send --at f.txt:1 x", "send --at {}.txt x",
             "send --room {name} x", "send --to {name} x", "send --type {name} x", "send --as {name} x",
             "send --local --room other {}", "send --uid k {}", "send -", "send --work x", "send --work {}"],
    "reply": ["reply 1 {}", "reply 1 --at f.txt:1 x", "reply 1 --attach f.txt x", "reply 1 -"],
    "summary write": ["summary write {}", "summary write --scope {} x", "summary write --as {name} x"],
    "room open": ["room open other --title {}", "room open {name}"],
    "room title": ["room title lobby {}"],
    "ask": ["ask {}", "ask --choice {} x", "ask --to {name} x", "ask --as {name} x"],
    "claim": ["claim task:{}", "claim a/ -m {}", "claim {}/"],
    "take": ["take 1 --as {name}"],
    "read": ["read --as {name}"], "cursor set": ["cursor set 1 --as {name}"],
    "join": ["join {name}", "join ann --role {name}", "join ann --can {name}"],
    "room rename": ["room rename lobby {name}"],
}  # fmt: skip
"""The commands that write a text or a name that is typed, and lines in which that is a secret."""

WRITES_NOTHING = {
    "log": "reads", "watch": "says it as send does, by the same function", "inbox": "reads", "wait": "reads",
    "status": "reads", "handoff": "reads", "summary show": "reads", "summary log": "reads", "show": "reads",
    "blame": "reads", "conflicts": "writes what git says, by Writer",
    "search": "reads", "who": "reads", "leave": "writes a name that has joined", "cursor show": "reads",
    "forget": "takes away", "release": "repeats what is claimed", "claims": "reads", "rooms": "reads",
    "answer": "says it as send does, by the same function", "export": "reads",
    "import": "tests/cli/test_import.py", "run": "tests/cli/test_run.py",
    "room close": "writes a state", "room delete": "takes away", "room forget": "takes away",
    "room share": "writes a state",
    "sync": "brings what others wrote", "push": "brings what was written", "pull": "brings what others wrote",
    "bundle": "brings what was written", "remote": "names and addresses of git's", "invite": "reads",
    "unsend": "takes away", "redact": "writes a number", "purge": "takes away",
    "setup": "writes no record", "hook": "writes what git says: see below",
    "mcp": "tests/serve/test_secret_ways.py", "snd": "reads", "serve": "tests/serve/test_secret_ways.py",
    "token": "writes no record", "doctor": "repairs", "verify": "reads", "completion": "reads",
    "uninstall": "takes away", "help": "reads",
}  # fmt: skip
"""The others, or groups of them, and why."""


def _commands() -> Iterator[str]:
    context = click.Context(git_chat)
    for name in git_chat.list_commands(context):
        command = git_chat.get_command(context, name)
        verbs = command.list_commands(context) if isinstance(command, click.Group) else []
        yield from (f"{name} {verb}" for verb in verbs)
        if not verbs:
            yield name


def test_every_command_is_in_a_list() -> None:
    """That writes, or that does not: who adds one says which, and where it writes tries it."""
    known = WRITES.keys() | WRITES_NOTHING.keys()
    assert [one for one in _commands() if one not in known and one.split()[0] not in WRITES_NOTHING] == []


def test_no_command_writes_one(world: World) -> None:
    """Whatever it is typed into; nothing of it is printed, and nothing is kept."""
    repository = world.repository()
    world.chat("send", "first", cwd=repository, check=True)
    for file in (f"{TOKEN}.txt", "f.txt"):
        (repository / file).write_text(f"x\n{TOKEN if file == 'f.txt' else 'plain'}\n")
    for line in (line for lines in WRITES.values() for line in lines):
        words = [word.replace("{name}", NAME).replace("{}", TOKEN) for word in line.split()]
        done = world.chat(*words, cwd=repository, stdin=f"a\nb {TOKEN}\n".encode())
        assert done.returncode == 1, (line, done.stdout, done.stderr)
        assert "looks like a" in done.stderr, (line, done.stderr)
        assert not [one for one in (TOKEN, NAME) if one in done.stdout + done.stderr], line
        assert pairs(done), line
    held = world.git("cat-file", "--batch-all-objects", "--batch", cwd=repository).stdout
    held += world.git("for-each-ref", cwd=repository).stdout
    held += "".join(str(path) for path in (repository / ".git" / "chatroom").rglob("*"))
    assert TOKEN not in held
    assert NAME not in held


MAKES = {
    "rooms/writing.py": "Writer, which every text passes", "rooms/usual.py": "the same, by the quick way",
    "quick/send.py": "by the same rules", "rooms/summaries.py": "the text has passed Writer.check",
    "rooms/cursor.py": "a name that was refused when it was given", "rooms/aside.py": "what was written, once more",
    "rooms/seat.py": "no text", "rooms/rebuilding.py": "what was written, once more", "rooms/leaving.py": "the same",
    "rooms/vouching.py": "the same", "clones/moving.py": "an address without a password", "clones/marking.py": "none",
    "clones/joining.py": "no text", "storage/written.py": "the bytes that it is given",
    "model/codec.py": "the function itself", "rooms/adopting.py": "each line has passed judge, in verbs/importing.py",
    "rooms/rewriting.py": "what was written, or less of it", "verbs/purging.py": "no text of anybody's",
    "work/sharing.py": "each file has passed the scan, in there",
}  # fmt: skip
"""The modules that make a commit, and whose text it holds."""


def test_every_module_that_makes_a_commit_is_in_the_list() -> None:
    """A new one may have texts that nobody has looked at."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if re.search(r"\b(encode_commit|encode_record|write_commit|message\.commit)\(", path.read_text("utf-8")):
            found.add(path.relative_to(PACKAGE).as_posix())
    assert found == MAKES.keys()


# --- what is set --------------------------------------------------------------------------


def test_a_repository_can_only_warn_or_not_look(chatroom: Chatroom) -> None:
    """A warning names the line; off, nothing is said; a wrong setting is refused before anything is written."""
    chatroom.git("config", "chat.secrets", "warn")
    done = chatroom.chat("send", f"see\n{TOKEN}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "#1\n", "warning: line 2 looks like a GitHub token\n")
    assert "warning: line 1" in chatroom.chat("summary", "write", TOKEN, check=True).stderr
    chatroom.git("config", "chat.secrets", "off")
    done = chatroom.chat("send", TOKEN)
    assert (done.returncode, done.stdout, done.stderr) == (0, "#2\n", "")
    chatroom.git("config", "chat.secrets", "maybe")
    assert "chat.secrets is 'maybe'" in chatroom.chat("send", "hello").stderr


def test_a_pattern_of_ones_own_is_refused_too(chatroom: Chatroom) -> None:
    """Each of several, by the quick way of sending, too; one that cannot be used is named, with the way to drop it."""
    for pattern in ("KDNR-[0-9]+", "PROJECT[ -]X"):
        chatroom.git("config", "--add", "chat.secretPattern", pattern)
    for text in ("a KDNR-12", "a PROJECT X"):
        assert "looks like what chat.secretPattern describes" in chatroom.chat("send", text).stderr
    assert chatroom.chat("send", "a PROJECT Y").stdout == "#1\n"
    chatroom.git("config", "--add", "chat.secretPattern", "it's (b")
    done = chatroom.chat("send", "hello")
    assert "chat.secretPattern has" in done.stderr
    (hint,) = [hint for _, hint in pairs(done)]
    command = hint.removeprefix("remove it, and add a better one: ")
    chatroom.world.run("sh", "-c", command, cwd=chatroom.path)
    assert chatroom.chat("send", "hello").stdout == "#2\n"


def test_a_person_can_say_that_it_is_none(chatroom: Chatroom, terminal: Terminal) -> None:
    """At a terminal the error says how; so do an answer and a summary, each by its own command."""
    chatroom.chat("send", "first", check=True)
    for command in ("send", "reply 1", "summary write"):
        done = terminal("git", "chat", *command.split(), TOKEN, columns=200)
        (pair,) = pairs(done)
        hint = f'leave it out; if it is none: git chat {command} --allow-secret "..."'
        assert pair == ("line 1 looks like a GitHub token; a message in git stays for ever", hint)
        typed = [*shlex.split(hint.partition(": ")[2])[:-1], TOKEN]
        assert terminal(*typed, columns=200).returncode == 0
    assert chatroom.chat("log").stdout.count(TOKEN) == 2


def test_an_agent_cannot_say_that_it_is_none(chatroom: Chatroom) -> None:
    """Whoever has no terminal, or an agent's variable."""
    for words in (("send", "--allow-secret", TOKEN), ("summary", "write", "--allow-secret", TOKEN)):
        done = chatroom.chat(*words)
        assert done.returncode == 1
        assert "only a person can say that" in done.stderr
        assert TOKEN not in done.stderr


# --- hooks --------------------------------------------------------------------------------


def test_a_hook_tells_of_a_secret_without_it(chatroom: Chatroom) -> None:
    """A subject, a file's name and a branch: the commit may be gone tomorrow, and the record stays."""
    chatroom.git("commit", "-q", "--allow-empty", "-m", f"Use {TOKEN}")
    chatroom.chat("hook", "post", "commit", check=True)
    assert "(a subject that looks like a secret) (on " in chatroom.chat("log").stdout
    (chatroom.path / f"{TOKEN}.txt").write_text("x")
    chatroom.git("add", ".")
    chatroom.git("commit", "-q", "-m", "Add a file")
    chatroom.git("checkout", "-q", "-b", NAME)
    for event in ("commit", "checkout"):
        chatroom.chat("hook", "post", event, check=True)
    shown = chatroom.git("log", "--format=%B", log_ref(chatroom.room().name)).stdout
    assert "(a line that looks like a secret)" in shown
    assert TOKEN not in shown
    assert NAME not in shown
