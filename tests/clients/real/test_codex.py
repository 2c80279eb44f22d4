"""Rows 4, 5, 6, 7, 8, 9, 10 and 11 with Codex."""

from __future__ import annotations

import re

import pytest

from tests.clients.real.vendors import Codex
from tests.clients.stand_in import Gate
from tests.clients.waiting import quiet, until

pytestmark = pytest.mark.clients

ME = "codex-project"
UNREAD = re.compile(r"\d+ unread")


def test_row_4_setup_in_a_linked_worktree_gives_it_hooks(codex: Codex) -> None:
    """The session is told its name there, as its tools and its shell have it."""
    tree = codex.scratch.root / "tree"
    codex.scratch.go("git", "worktree", "add", "-q", str(tree), "-b", "tree")
    codex.trust(tree)
    codex.setup(cwd=tree)
    codex.chat("send", "--as", "ann", "welcome")
    tools = codex.call("send_message", name="codex-tree", content="tools")
    codex.script.go_on(tools, codex.shell("git chat send shell"), "done")
    codex.headless("go", cwd=tree)
    assert codex.said() == [("ann", "welcome"), ("codex-tree", "tools"), ("codex-tree", "shell")]
    assert "you are codex-tree" in codex.script.asked[0].new


def test_rows_4_and_11_server_shell_and_hooks_are_one_participant(codex: Codex) -> None:
    """Its first words from us are its name, it speaks under that, and is not told of its own messages."""
    codex.setup()
    codex.chat("send", "--as", "ann", "welcome")
    codex.script.go_on(
        codex.call("check_in", name=ME), codex.call("send_message", name=ME, content="tools"),
        codex.shell("git chat send shell"), codex.shell("true"), "done",
    )  # fmt: skip
    codex.headless("go")
    assert f"you are {ME}" in codex.script.asked[0].new
    assert codex.said() == [("ann", "welcome"), (ME, "tools"), (ME, "shell")]
    assert len(codex.script.asked) == 5
    assert not UNREAD.search("\n".join(request.new for request in codex.script.asked[2:]))


def test_rows_4_and_6_who_joins_under_a_name_of_its_own_takes_the_session_along(codex: Codex) -> None:
    """The shell speaks and marks under that name, and hooks are silent about what it said and read."""
    codex.setup()
    codex.chat("send", "--as", "ann", "welcome")
    codex.script.go_on(
        codex.call("join", name="lexer"), codex.shell("git chat read; git chat read"),
        codex.shell("git chat send shell"), codex.call("send_message", name="lexer", content="tools"),
        codex.shell("true"), "done",
    )  # fmt: skip
    codex.headless("go")
    assert codex.said() == [("ann", "welcome"), ("lexer", "shell"), ("lexer", "tools")]
    assert codex.script.asked[2].new.count("welcome") == 1
    assert len(codex.script.asked) == 6
    assert not UNREAD.search("\n".join(request.new for request in codex.script.asked[2:]))


def test_row_5_a_subagent_reads_for_itself_and_hears_no_notice(codex: Codex) -> None:
    """What it reads stays unread for its session."""
    codex.setup()
    codex.chat("send", "--as", "ann", "welcome")
    over = Gate(codex.call("check_in", name=ME))
    codex.script.go_on_as_sub(codex.call("read_unread", name=ME), "sub done")
    codex.script.go_on(codex.subagent(), over, "done")
    running = codex.start("go")
    over.wait()
    until(lambda: len(codex.script.asked_by_sub) >= 2)
    over.open()
    running.communicate(timeout=120)
    first, read = (request.new for request in codex.script.asked_by_sub)
    assert not UNREAD.search(first)
    assert "welcome" in read
    assert "welcome" in codex.script.asked[2].new


def test_row_7_a_tool_call_without_news_starts_no_python(codex: Codex) -> None:
    """Its session's end tells us, and the first end of a turn looks: who has not read may be held up then."""
    codex.setup()
    codex.chat("send", "--as", "ann", "welcome")
    codex.script.go_on(codex.call("check_in", name=ME), *[codex.shell("true")] * 3, "done")
    codex.headless("go")
    begun = codex.script.asked[0].at_seconds
    assert codex.python_starts() != []
    later = [start.words.rpartition(" hook codex ")[2] for start in codex.python_starts(begun)]
    assert set(later) <= {"stop", "session-end"}
    assert len(later) == len(set(later))


def test_row_7_news_is_told_at_the_next_tool_call(codex: Codex) -> None:
    """Counts and names, and no word of the message."""
    codex.setup()
    codex.chat("send", "--as", "ann", "welcome")
    gate = Gate(codex.shell("true"))
    codex.script.go_on(codex.call("check_in", name=ME), gate, "done")
    running = codex.start("go")
    gate.wait()
    codex.chat("send", "--as", "ann", "news")
    gate.open()
    running.communicate(timeout=120)
    assert UNREAD.search(codex.script.asked[2].new)
    assert "news" not in codex.script.asked[2].new


def test_row_8_committed_hooks_are_silent_where_gitchat_is_not_installed(codex: Codex) -> None:
    """Codex reports each of them as completed."""
    codex.setup()
    codex.without_gitchat()
    assert codex.chat("who").returncode == 1
    codex.script.go_on(codex.shell("true"), "done")
    done = codex.headless("go")
    reported = re.findall(r"^hook: (\w+) (Completed|Failed)", done.stderr, re.MULTILINE)
    assert {name for name, _ in reported} == {"SessionStart", "UserPromptSubmit", "PostToolUse", "Stop"}
    assert {how for _, how in reported} == {"Completed"}


def test_row_9_in_the_sandbox_the_tools_work_and_the_shell_says_so(codex: Codex) -> None:
    """Codex keeps ``.git`` read-only for its shell; the server runs outside."""
    codex.setup()
    tools = codex.call("send_message", name=ME, content="tools")
    codex.script.go_on(tools, codex.shell("git chat send shell"), "done")
    codex.headless("go", "--sandbox", "workspace-write", is_asking=True)
    assert codex.said() == [(ME, "tools")]
    said = codex.script.asked[2].new
    assert "Read-only file system" in said
    assert re.search("hint: .*sandbox.*tools of the gitchat server", said)


def test_row_10_the_note_names_tools_first(codex: Codex) -> None:
    """In each of its lines, what the server offers stands before what the shell does."""
    codex.setup()
    codex.script.go_on("done")
    codex.headless("go")
    note = (codex.project / "AGENTS.md").read_text()
    assert note.splitlines()[1] in codex.script.asked[0].new
    lines = [line for line in note.split("\n- ") if "`git chat" in line]
    assert [line for line in lines if not re.search("tools? `.*`git chat", line, re.DOTALL)] == []


def test_rows_2_and_13_an_idle_session_is_woken_by_the_first_message_of_a_repository(codex: Codex) -> None:
    """By the client's own queue, once the session has used a tool of ours; it is told a count and no name."""
    codex.setup()
    with codex.terminal() as terminal:
        codex.script.go_on(codex.call("get_status"), "done")
        codex.turns(terminal, "go", 2)
        quiet(lambda: len(codex.script.asked), 3.0)
        before = len(codex.script.asked)
        codex.chat("send", "--as", "ann", "--to", ME, "--type", "question", "are you there?")
        until(lambda: len(codex.script.asked) > before, told=terminal.screen)
        told = codex.script.asked[before].new
        assert UNREAD.search(told)
        assert "ann" not in told
