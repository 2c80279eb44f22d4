"""The guard as clients and git run it, in each shell and awk: what it says, to whom, and that it stops nothing."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gitchat.model.livecodec import encode
from gitchat.model.names import Name
from gitchat.model.participant import Holder, Presence
from gitchat.model.pattern import fixed_part, parse_pattern, regex_of_bytes
from gitchat.model.session import Session
from gitchat.workspace.guarding import PROGRAM
from tests.needed import need
from tests.workspace.awks import KINDS, shell_of
from tests.world import Done, World

SESSION = "0b7e2c1a-5f5e-4a1c-9d9e-1f2d3c4b5a69"


class Guard:
    """A repository, what is claimed there, and the guard."""

    AGENTS: ClassVar[dict[str, str]] = {"GITCHAT_NAME": "", "CLAUDE_CODE_SESSION_ID": "", "AI_AGENT": ""}

    def __init__(self, world: World, kind: str) -> None:
        self.world = world
        self.top = world.repository()
        self.chatroom = self.top / ".git" / "chatroom"
        (self.chatroom / "live").mkdir(parents=True)
        self.shell, self.programs = shell_of(kind, world.root / "programs")
        self.program = shutil.copy(PROGRAM, self.chatroom / "guard")
        self.claim("bob", "src/lexer/", "#41")

    def claim(self, name: str, pattern: str, label: str, seat: str = "-", begin: int = 0, seconds: int = 999) -> None:
        """One line more of what is claimed."""
        parts, now = parse_pattern(pattern), int(time.time())
        times = [str(now + begin if begin else 0), str(now + seconds)]
        expressions = [fixed_part(parts).encode(), regex_of_bytes(parts)]
        texts = [field.encode() for field in ("claim", *times, name, seat)]
        line = b"\t".join([*texts, *expressions, pattern.encode("ascii", "replace"), label.encode()])
        with (self.chatroom / "guarded").open("ab") as file:
            file.write((b"" if file.tell() else b"gitchat guarded 1\nme\talice\n") + line + b"\n")

    def run(self, stdin: bytes, *words: str, cwd: Path | None = None, **variables: str) -> Done:
        """The guard, run from the top of the work tree."""
        path = f"{self.programs}:{self.world.variables['PATH']}"
        told = {"PATH": path, **self.AGENTS, **variables}
        place = cwd or self.top
        program = str(self.program)
        program = os.path.relpath(program, place) if program.startswith("/") else program
        return self.world.run(*self.shell, program, *words, cwd=place, stdin=stdin, check=False, PWD=str(place), **told)

    def edit(self, *, raw: str = "", session_id: str = SESSION, cwd: Path | None = None, **given: Any) -> Done:
        """What a client runs before an edit with this input of its tool."""
        said = {"session_id": session_id, "cwd": str(cwd or self.top), "hook_event_name": "PreToolUse"}
        text = raw or json.dumps(said | {"tool_name": "Edit", "tool_input": given}, ensure_ascii=False)
        return self.run(text.encode(), cwd=cwd)

    def told(self, done: Done) -> str:
        """What the client was told; blank for nothing. Whatever happens, the status is 0."""
        assert (done.returncode, done.stderr) == (0, "")
        if not done.stdout:
            return ""
        told = json.loads(done.stdout)["hookSpecificOutput"]
        assert told.pop("hookEventName") == "PreToolUse"
        if told.get("permissionDecision"):
            assert told["permissionDecision"] == "deny"
            return "deny: " + str(told["permissionDecisionReason"])
        return str(told["additionalContext"])

    def lives(self, name: str, held_at: int = 1, client: str | None = "claude", **keys: str) -> None:
        """A name that somebody took in this work tree."""
        holder = Holder(pid=1, host="here", worktree=str(self.top), client=client, keys=Session(**keys))  # type: ignore[arg-type]
        content = encode(Presence(Name(name), holder=holder, held_at=held_at))
        (self.chatroom / "live" / name).write_bytes(content)


@pytest.fixture(params=KINDS)
def guard(world: World, request: pytest.FixtureRequest) -> Guard:
    """The guard, in each shell and awk."""
    return Guard(world, request.param)


@pytest.fixture
def quick(world: World) -> Guard:
    """The guard, in the shell of Debian."""
    return Guard(world, "dash")


SAID = "gitchat: {} is claimed by bob (src/lexer/, #41)"


def test_paths_of_all_clients_are_found(guard: Guard) -> None:
    """Where the clients put them, as JSON spells them, from wherever they count; and nothing that looks like one."""
    top = guard.top
    patch = '*** Begin Patch\n*** Update File: {}\n@@\n-a\n+say "hi\\n"\n*** End Patch\n'
    forged = '"file_path": "src/lexer/a.py", \\"file_path\\": \\"src/lexer/a.py\\"'
    table: list[tuple[dict[str, Any], str]] = [
        ({"file_path": f"{top}/src/lexer/a.py"}, "src/lexer/a.py"),
        ({"file_path": "src/lexer/a.py"}, "src/lexer/a.py"),
        ({"file_path": "./src/../src//lexer/./a.py"}, "src/lexer/a.py"),
        ({"file_path": f"{top}/src/lexer"}, "src/lexer"),
        ({"notebook_path": f"{top}/src/lexer/a.ipynb"}, "src/lexer/a.ipynb"),
        ({"file_path": 'src/lexer/"a" \\b.py'}, 'src/lexer/"a" \\b.py'),
        ({"file_path": "src/lexer/ü\U0001f600\n.py"}, "src/lexer/\\303\\274\\360\\237\\230\\200\\012.py"),
        ({"content": forged, "file_path": "src/lexer/a.py"}, "src/lexer/a.py"),
        ({"command": patch.format("src/lexer/a.py")}, "src/lexer/a.py"),
        ({"command": ["apply_patch", patch.format("src/lexer/a.py")]}, "src/lexer/a.py"),
        ({"input": patch.format("x").replace("Update File: x", 'Add File: src/lexer/"q"')}, 'src/lexer/"q"'),
        ({"command": patch.format("docs/x\n*** Move to: src/lexer/b.py")}, "src/lexer/b.py"),
        ({"command": patch.format("docs/x") + "*** Delete File: src/lexer/b.py"}, "src/lexer/b.py"),
        ({"file_path": "docs/a.md", "content": forged}, ""),
        ({"file_path": "docs/a.md", "content": patch.format("src/lexer/a.py")}, ""),
        ({"command": patch.format("docs/x").replace("+say", "+*** Update File: src/lexer/a.py")}, ""),
        ({"file_path": f"{top}/../src/lexer/a.py"}, ""),
        ({"file_path": "/src/lexer/a.py"}, ""),
        ({"file_path": f"{top}2/src/lexer/a.py"}, ""),
        ({"file_path": "src/lexers"}, ""),
        ({"other": ["file_path", "src/lexer/a.py"], "file_path": "x"}, ""),
        ({"edits": [{"old": "file_path", "new": "src/lexer/a.py"}], "file_path": "x"}, ""),
    ]
    for given, path in table:
        expected = SAID.format(path) if path else ""
        assert guard.told(guard.edit(**given)) == expected, given
    spelled = r'{"tool_input" : { "file_path" :' + "\n" + r' "src\/lexer\/\u00fc\ud83d\ude00.py" } }'
    assert guard.told(guard.edit(raw=spelled)) == SAID.format("src/lexer/\\303\\274\\360\\237\\230\\200.py")


def test_long_input_and_what_is_no_json_are_no_trouble(guard: Guard) -> None:
    """A file of 200 KB, full of quotes, before the path; and anything at all."""
    content = 'say("\\n") # "file_path": "src/lexer/x"\n' * 5000
    assert guard.told(guard.edit(content=content, file_path="src/lexer/a.py")) == SAID.format("src/lexer/a.py")
    patch = "*** Begin Patch\n*** Update File: docs/a\n" + "+" + content.replace("\n", "\n+")
    told = guard.told(guard.edit(command=patch + "\n*** Delete File: src/lexer/z\n*** End Patch"))
    assert told == SAID.format("src/lexer/z")
    for raw in ("{", '"', '{"file_path":', '{"file_path": 1}', "\\", "[[[[", "\0\xff", "}]"):
        assert guard.told(guard.edit(raw=raw)) == "", raw


def test_characters_of_more_bytes_count_as_one(guard: Guard) -> None:
    """Of a pattern, too."""
    guard.claim("carol", "dö?s/*.md", "#42")
    assert guard.told(guard.edit(file_path="döcs/é.md")) == (
        "gitchat: d\\303\\266cs/\\303\\251.md is claimed by carol (d?" + "?s/*.md, #42)"
    )
    assert "carol" in guard.told(guard.edit(file_path="döés/é.md"))
    assert guard.told(guard.edit(file_path="dööés/é.md")) == ""


def test_who_acts_is_found_by_name_session_and_worktree(guard: Guard) -> None:
    """Who has the claim hears nothing; who is unknown is warned at most."""
    guard.chatroom.joinpath("guarded").unlink()
    guard.claim("bob", "src/lexer/", "#41", seat="here")
    guard.world.git("config", "chat.claims", "deny", cwd=guard.top)
    edit = json.dumps({"session_id": SESSION, "tool_input": {"file_path": "src/lexer/a.py"}}).encode()
    nameless = json.dumps({"tool_input": {"file_path": "src/lexer/a.py"}}).encode()
    said, denied = SAID.format("src/lexer/a.py"), "deny: " + SAID.format("src/lexer/a.py")
    assert guard.told(guard.run(edit)) == said
    assert guard.told(guard.run(edit, GITCHAT_NAME="carol")).startswith(denied)
    assert guard.told(guard.run(edit, GITCHAT_NAME="bob")) == ""
    guard.lives("dora", client=None)  # a person's name is no agent's
    guard.lives("carol", id="another")
    assert guard.told(guard.run(edit)) == said
    assert guard.told(guard.run(nameless)).startswith(denied)  # one agent is in this worktree
    guard.lives("bob", id=SESSION)
    assert guard.told(guard.run(edit)) == ""
    assert guard.told(guard.run(nameless)) == said  # and now there are two
    guard.lives("eve", held_at=2, id=SESSION)  # the session took another name since
    assert guard.told(guard.run(edit)).startswith(denied)
    guard.lives("bob", held_at=3, socket='/run/a "b"')
    assert guard.told(guard.run(nameless, CLAUDE_CODE_MESSAGING_SOCKET='/run/a "b"')) == ""
    guard.lives("bob", held_at=4, process="process 77 of 5")
    assert guard.told(guard.run(nameless, CLAUDE_PID="77")) == ""
    assert guard.told(guard.run(nameless, CLAUDE_PID="7")) == said


def test_a_seat_of_the_same_name_elsewhere_is_somebody_else(quick: Guard) -> None:
    """It has the claim, and I do not."""
    quick.world.git("config", "chat.claims", "deny", cwd=quick.top)
    assert "bob" in quick.told(quick.run(b'{"tool_input":{"file_path":"src/lexer/a"}}', GITCHAT_NAME="bob"))


def test_setting_counts_at_once_and_only_what_holds_now(quick: Guard) -> None:
    """What is over or has yet to begin is nothing; off is silent; another word counts as warn."""
    quick.claim("carol", "docs/", "#42", begin=100)
    quick.claim("carol", "old/", "#42", seconds=-1)
    quick.claim("carol", "old/a", "~k3f9q2 in parser")
    assert quick.told(quick.edit(file_path="docs/a")) == ""
    assert quick.told(quick.edit(file_path="old/b")) == ""
    assert quick.told(quick.edit(file_path="old/a")) == "gitchat: old/a is claimed by carol (old/a, ~k3f9q2 in parser)"
    for value, said in {"off": "", "warn": "gitchat: ", "nonsense": "gitchat: ", "deny": "deny: "}.items():
        quick.world.git("config", "chat.claims", value, cwd=quick.top)
        told = quick.told(quick.run(b'{"tool_input":{"file_path":"old/a"}}', GITCHAT_NAME="eve"))
        assert told.startswith(said), value
        assert bool(told) == bool(said)


def test_gemini_is_answered_in_its_own_words(quick: Guard) -> None:
    """Its hooks know a decision and a reason."""
    quick.world.git("config", "chat.claims", "deny", cwd=quick.top)
    given = b'{"hook_event_name":"BeforeTool","tool_input":{"file_path":"src/lexer/a"}}'
    told = json.loads(quick.run(given, GITCHAT_NAME="eve").stdout)
    assert told["decision"] == "deny"
    assert told["reason"].startswith(SAID.format("src/lexer/a"))


def test_another_way_to_the_work_tree_and_a_directory_in_it(quick: Guard) -> None:
    """Paths through a link to the work tree, from a directory of it, and in a linked worktree."""
    link = quick.world.root / "link"
    link.symlink_to(quick.top)
    (quick.top / "src" / "lexer").mkdir(parents=True)
    said = SAID.format("src/lexer/a.py")
    assert quick.told(quick.edit(cwd=quick.top / "src", file_path="lexer/a.py")) == said
    program, quick.program = quick.program, Path(".git/chatroom/guard")
    told = quick.run(json.dumps({"tool_input": {"file_path": f"{link}/src/lexer/a.py"}}).encode(), cwd=link)
    assert quick.told(told) == said
    quick.program = program
    quick.world.git("worktree", "add", "-q", quick.world.root / "tree", "-b", "tree", cwd=quick.top)
    tree = quick.world.root / "tree"
    assert quick.told(quick.edit(cwd=tree, file_path=str(tree / "src/lexer/a.py"))) == said


def test_whatever_fails_lets_the_edit_go_on(guard: Guard) -> None:
    """No awk, no git, no clock, a full disk, files that are damaged, not there, or no files: status 0 and no word."""
    edit = b'{"tool_input":{"file_path":"src/lexer/a.py"}}'
    nothing = guard.world.root / "nothing"
    nothing.mkdir()
    for program in ("cat", "git", "date"):
        (nothing / program).symlink_to(need(program))
    for lacking in ("git",) if guard.shell[1:] else ("awk", "git", "date"):  # busybox has the others in itself
        (nothing / "awk").unlink(missing_ok=True)
        if lacking != "awk":
            (nothing / "awk").symlink_to(guard.programs / "awk")
        hidden = nothing / lacking
        hidden.unlink(missing_ok=True)
        hidden.write_text("no program")
        done = guard.world.run(
            *guard.shell, guard.program, cwd=guard.top, stdin=edit, check=False, PATH=str(nothing), **guard.AGENTS
        )
        assert (done.returncode, done.stdout) == (0, ""), lacking
        hidden.unlink()
        if lacking != "awk":
            hidden.symlink_to(need(lacking))
    full = f"{guard.shell[0]} {' '.join(guard.shell[1:])} {guard.program} >/dev/full 2>&1"
    assert guard.world.run("sh", "-c", full, cwd=guard.top, stdin=edit, check=False).returncode == 0
    guarded = guard.chatroom / "guarded"
    for content in (b"", b"\0\xff\t\n" * 99, b"claim\t0\t9999999999\tbob\t-\t\t(((\t(((\t#1\n", b"claim\n", b"claim\t"):
        guarded.write_bytes(content)
        assert guard.told(guard.run(edit)) == "", content
    guarded.unlink()
    assert guard.told(guard.run(edit)) == ""
    guarded.mkdir()
    assert guard.told(guard.run(edit)) == ""


def test_a_commit_is_told_of_what_is_staged(guard: Guard) -> None:
    """At most five paths; deny ends with 1, for who is known not to have them."""
    (guard.top / "src" / "lexer").mkdir(parents=True)
    for name in ("a", "ü", 'q"', "d", "e", "f", "g"):
        (guard.top / "src" / "lexer" / name).write_text("x")
    (guard.top / "other").write_text("x")
    guard.world.git("add", "other", "src/lexer/a", "src/lexer/ü", 'src/lexer/q"', cwd=guard.top)
    paths = ["src/lexer/a", 'src/lexer/q"', "src/lexer/\\303\\274"]
    said = [SAID.format(path) for path in paths]
    done = guard.run(b"", "commit")
    assert (done.returncode, done.stdout, done.stderr.splitlines()) == (0, "", said)
    guard.world.git("config", "chat.claims", "deny", cwd=guard.top)
    assert guard.run(b"", "commit", GITCHAT_NAME="bob").stderr.splitlines() == [
        *said, "gitchat: nothing was committed; ask bob, or pass by this: git commit --no-verify",
    ]  # fmt: skip
    assert guard.run(b"", "commit").returncode == 1  # a person, whose name is known
    assert guard.run(b"", "commit", AI_AGENT="some").returncode == 0  # an agent, whose name is not
    guard.world.git("add", ".", cwd=guard.top)
    lines = guard.run(b"", "commit").stderr.splitlines()
    assert (len(lines), lines[5]) == (7, "gitchat: and 2 more")
    guard.chatroom.joinpath("guarded").unlink()
    guard.claim("alice", "src/lexer/", "#41", seat="here")
    assert guard.run(b"", "commit").stderr == ""
