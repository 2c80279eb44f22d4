"""What Tab offers, in the shells themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Chatroom
from tests.needed import missing, need

GIT_COMPLETION = Path("/usr/share/bash-completion/completions/git")


@pytest.fixture
def talking(chatroom: Chatroom) -> Chatroom:
    """Two rooms, three people, one of them with a role."""
    chatroom.say("who takes the parser?")
    chatroom.say("\x1b[2Jme", author="bob")
    chatroom.say("begin", room="plans")
    chatroom.chat("join", "carol", "--role", "review", check=True)
    return chatroom


def offered(chatroom: Chatroom, line: str) -> list[str]:
    """What can follow ``line``."""
    done = chatroom.chat("completion", "--words", line)
    assert (done.returncode, done.stderr) == (0, "")
    return [one.partition("\t")[0] for one in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("git chat send --type an", ["answer"]),
        ("git chat log --type quest", ["question"]),
        ("git chat help rep", ["reply"]),
        ("git chat help room re", ["rename"]),
        ("git chat room de", ["delete"]),
        ("git chat wa", ["watch", "wait"]),
        ("git-chat wa", ["watch", "wait"]),
        ("git -C . chat room cl", ["close"]),
        ("git chat room close ", ["lobby", "plans"]),
        ("git chat send --room p", ["plans"]),
        ("git chat send --room=p", ["--room=plans"]),
        ("git chat send --priority ", ["normal", "urgent"]),
        ("git chat log --from ", ["alice", "bob", "carol"]),
        ("git chat send -t ", ["alice", "bob", "carol", "all", "role:review"]),
        ("git chat send -t role:", ["role:review"]),
        ("git chat show ", ["2", "1"]),
        ("git chat show --room plans ", ["1"]),
        ("git chat send -r ", ["2", "1"]),
        ('git chat send "say git chat log" --reply-to 1', ["1"]),
        ("git chat cursor ", ["set", "show", "alice", "bob", "carol"]),
        ("git chat cursor s", ["set", "show"]),
        ("git chat cursor b", ["bob"]),
        ("git chat cursor --r", ["--room"]),
        ("git chat cursor --room p", ["plans"]),
        ("git chat cursor alice b", ["bob"]),
        ("git chat cursor show b", ["bob"]),
        ("git chat cursor set ", ["2", "1"]),
        ("git chat send --at ", []),  # so a shell offers files
        ("git chat log --at f", []),
        ("git chat blame f", []),
        ("git chat blame --j", ["--json"]),
        ("git chat no-such-command ", []),
        ("git status ", []),
        ("", []),
    ],
)
def test_commands_rooms_names_and_numbers_are_known(talking: Chatroom, line: str, words: list[str]) -> None:
    """By what a parameter takes; whole words, the newest number first."""
    assert offered(talking, line) == words


def test_what_others_wrote_is_escaped(talking: Chatroom) -> None:
    """A shell shows what stands beside a number on the terminal."""
    assert "2\tbob: ^[[2Jme\n" in talking.chat("completion", "--words", "git chat show ").stdout


def test_outside_of_a_repository_commands_are_known_all_the_same(chatroom: Chatroom) -> None:
    """And there is no room, and no error in the middle of a line."""
    done = chatroom.world.chat("completion", "--words", "git chat send --room ")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "send\t" in chatroom.world.chat("completion", "--words", "git chat se").stdout


def bash(chatroom: Chatroom, line: str, function: str, before: str = "") -> list[str]:
    """What bash would put into the line: the replies of its completion ``function``, each with a stroke after it."""
    script = (
        f"{before}\n"
        'eval "$(git chat completion bash)"\n'
        f"COMP_LINE='{line}' COMP_POINT=${{#COMP_LINE}}\n"
        'COMP_POINT=${#COMP_LINE}; read -ra COMP_WORDS <<< "$COMP_LINE"\n'
        '[[ $COMP_LINE == *" " ]] && COMP_WORDS+=("")\n'
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
        f"{function}\n"
        'printf "%s|\\n" "${COMPREPLY[@]}"\n'
    )
    return chatroom.world.run("bash", "--norc", "-c", script, cwd=chatroom.path).stdout.split("\n")[:-1]


def test_bash_completes_git_chat(talking: Chatroom) -> None:
    """Each word with the blank that ends it."""
    assert bash(talking, "git-chat send --room p", "_git_chat") == ["plans |"]
    assert bash(talking, "git-chat show ", "_git_chat") == ["2 |", "1 |"]


def test_bash_replaces_only_what_stands_after_its_word_breaks(talking: Chatroom) -> None:
    """The = of an option and the : of a role are such."""
    assert bash(talking, "git-chat send --room=p", "_git_chat") == ["plans |"]
    assert bash(talking, "git-chat send -t role:r", "_git_chat") == ["review |"]


def test_gits_own_completion_in_bash_asks_us(talking: Chatroom) -> None:
    """``git chat <Tab>`` goes through git's script, which finds ours by its name."""
    if not GIT_COMPLETION.exists():
        missing(f"git's completion is not installed: {GIT_COMPLETION}")
    before = f"source {GIT_COMPLETION}"
    assert bash(talking, "git chat send --room p", "__git_wrap__git_main", before) == ["plans |"]
    assert bash(talking, "git chat wai", "__git_wrap__git_main", before) == ["wait |"]


def test_fish_completes_git_chat(talking: Chatroom) -> None:
    """Also behind git."""
    need("fish")
    for line in ("git-chat send --room p", "git chat send --room p"):
        script = f"git chat completion fish | source; complete -C '{line}'"
        done = talking.world.run("fish", "--no-config", "-c", script, cwd=talking.path)
        assert [one.partition("\t")[0] for one in done.stdout.splitlines()] == ["plans"]


@pytest.mark.parametrize("line", ["chat send --at fi", "chat blame fi"])
def test_files_are_offered_where_one_names_code(talking: Chatroom, line: str) -> None:
    """In fish, behind git and alone; bash and zsh offer files where we know no word."""
    need("fish")
    for program in ("git ", "git-"):
        script = f"git chat completion fish | source; complete -C '{program}{line}'"
        done = talking.world.run("fish", "--no-config", "-c", script, cwd=talking.path)
        assert [one.partition("\t")[0] for one in done.stdout.splitlines()] == ["file.txt"]
    assert bash(talking, f"git-{line}", "_git_chat") == ["|"]


def test_what_is_claimed_is_known(talking: Chatroom) -> None:
    """What anybody has where one looks, and one's own where one gives back."""
    talking.chat("claim", "src/", "task:1", check=True)
    talking.chat("claim", "docs/", "--as", "bob", check=True)
    assert offered(talking, "git chat claims ") == ["src/", "task:1", "docs/"]
    assert offered(talking, "git chat claims s") == ["src/"]
    assert offered(talking, "git chat release ") == ["src/", "task:1"]


def test_zsh_completes_git_chat(talking: Chatroom) -> None:
    """With what it would show beside each word."""
    need("zsh")
    script = (
        "compdef () { }\n"
        'eval "$(git chat completion zsh)"\n'
        "compadd () { print -l -- $offered; print -l -- $shown }\n"
        "LBUFFER='git chat send --room p'\n"
        "_git-chat\n"
        "LBUFFER='git-chat show '\n"
        "_git-chat\n"
    )
    done = talking.world.run("zsh", "-f", "-c", script, cwd=talking.path)
    lines = [one.strip() for one in done.stdout.splitlines()]
    assert lines == ["plans", "plans", "2", "1", "2  bob: ^[[2Jme", "1  alice: who takes the parser?"]


def test_a_shell_has_to_be_named(chatroom: Chatroom) -> None:
    """There is no shell by default."""
    done = chatroom.chat("completion")
    assert done.returncode == 2
    assert "which shell" in done.stderr
