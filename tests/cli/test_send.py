"""``git chat send`` without a terminal: the text, the addressee, the sender, keys and limits."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gitchat.model import types
from gitchat.model.codec import parse_commit
from gitchat.model.names import Oid
from tests.cli.conftest import LOG, Chatroom, refused

KIB = 1024


# --- the text ----------------------------------------------------------------


def test_send_prints_the_number(chatroom: Chatroom) -> None:
    """Numbers count from 1, and are all that is printed."""
    assert [chatroom.chat("send", text, check=True).stdout for text in ("one", "two")] == ["#1\n", "#2\n"]


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (["I", "take", "the parser"], "I take the parser"),
        (["--", "-n", "is a flag"], "-n is a flag"),
        (["-", "more"], "- more"),
        (["  indented\n# heading\n"], "  indented\n# heading\n"),
        (["Grüße, 日本 👩‍🚀"], "Grüße, 日本 👩‍🚀"),
    ],
    ids=["words", "option-like", "dash-and-more", "layout", "unicode"],
)
def test_arguments_are_the_text(chatroom: Chatroom, words: list[str], body: str) -> None:
    """Arguments are joined with one space and otherwise kept as they are."""
    chatroom.chat("send", *words, check=True)
    assert chatroom.newest().body == body


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"one\ntwo\n", "one\ntwo"),
        (b"no line break", "no line break"),
        (b"windows\r\n", "windows"),
        (b"\n  first line empty\n", "\n  first line empty"),
        (b"# heading\n\n---\ntext\n", "# heading\n\n---\ntext"),
        (b"# ------------------------ >8 ------------------------\nbelow\n", None),
        (b"forged\n\nChat-Kind: status\nChat-To: bob\n", None),
        ("mark \ufeff\u2028\u202e\x1b[31m\x07\n".encode(), None),
        (b"\xef\xbb\xbfhello\r\n", "hello"),
        (b"\xef\xbb\xbf\xef\xbb\xbftwo marks\n", "\ufefftwo marks"),
        (b"-\n", "-"),
    ],
    ids=["lines", "whole", "crlf", "leading", "markdown", "scissors", "forged", "controls", "mark", "marks", "dash"],
)
def test_dash_sends_standard_input(chatroom: Chatroom, data: bytes, body: str | None) -> None:
    """``-`` sends standard input byte for byte, without one byte order mark before it and the line break at its end."""
    chatroom.chat("send", "-", stdin=data, check=True)
    record = chatroom.newest()
    assert record.body == (data.decode().removesuffix("\n") if body is None else body)
    assert (record.kind, record.to) == ("message", ())


@pytest.mark.parametrize("locale", ["C", "de_DE.ISO-8859-1"])
def test_text_does_not_depend_on_the_locale(chatroom: Chatroom, locale: str) -> None:
    """Text is UTF-8 in every locale, and so is what is printed."""
    done = chatroom.chat("send", "--json", "Grüße 日本", LC_ALL=locale, check=True)
    assert json.loads(done.stdout)["content"] == chatroom.newest().body == "Grüße 日本"


def test_nothing_to_send_is_an_error(chatroom: Chatroom) -> None:
    """Without text and without a terminal there is nothing to send, and the hint shows both ways to give it."""
    refused(chatroom.chat("send"), "no text to send", "give '-' to send standard input")


@pytest.mark.parametrize("words", [[""], ["  \n\t"], ["-"]], ids=["empty", "blank", "empty-input"])
def test_blank_text_is_refused(chatroom: Chatroom, words: list[str]) -> None:
    """A message says something."""
    refused(chatroom.chat("send", *words), "must not be blank", "git chat send")
    assert chatroom.entries() == []


@pytest.mark.parametrize(
    ("words", "stdin"),
    [(["-"], b"caf\xe9\n"), (["caf\udce9"], b""), (["-"], b"\xed\xa0\x80"), (["-"], b"\xc3")],
    ids=["latin-1", "latin-1-argument", "surrogate", "cut"],
)
def test_text_that_is_not_utf8_is_refused(chatroom: Chatroom, words: list[str], stdin: bytes) -> None:
    """Bytes that are not UTF-8 are never guessed at; the hint converts them."""
    refused(chatroom.chat("send", *words, stdin=stdin), "is not UTF-8", "iconv")


def test_nul_is_refused(chatroom: Chatroom) -> None:
    """git cuts a commit message at a NUL, so none is taken."""
    refused(chatroom.chat("send", "-", stdin=b"a\0b"), "NUL", "base64")


# --- limits ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "data", "is_sent"),
    [
        (None, b"x" * 64 * KIB, True),
        (None, b"x" * (64 * KIB + 1), False),
        (None, "é".encode() * 33 * KIB, False),
        ("256k", b"x" * 256 * KIB, True),
        ("256k", b"x" * (256 * KIB + 1), False),
        ("10m", b"x" * 1024 * KIB, True),
        ("10m", b"x" * (1024 * KIB + 1), False),
        ("100", b"x" * 101, False),
    ],
)
def test_body_has_a_limit(chatroom: Chatroom, setting: str | None, data: bytes, is_sent: bool) -> None:
    """64 KiB, or ``chat.maxBody``, and never more than 1 MiB; bytes count, not characters."""
    options = ["-c", f"chat.maxBody={setting}"] if setting else []
    done = chatroom.git(*options, "chat", "send", "-", stdin=data, check=False)
    assert (done.returncode == 0) == is_sent, done.stderr
    assert len(chatroom.entries()) == is_sent


def test_refused_size_tells_the_setting_that_allows_it(chatroom: Chatroom) -> None:
    """The hint of a body over the limit is the command after which it can be sent."""
    data = b"x" * (80 * KIB + 1)
    done = chatroom.chat("send", "-", stdin=data)
    refused(done, "81,921 bytes; the limit is 65,536", "git config chat.maxBody 81k")
    chatroom.git(*re.search(r"git (config .*)", done.stderr)[1].split())  # type: ignore[index]
    chatroom.chat("send", "-", stdin=data, check=True)


def test_size_that_no_setting_allows_has_another_way_out(chatroom: Chatroom) -> None:
    """Above 1 MiB the hint does not offer a setting, and 10 MB are not even read to their end."""
    done = chatroom.git("-c", "chat.maxBody=100m", "chat", "send", "-", stdin=b"x" * 10_000_000, check=False)
    refused(done, "1,048,576", "commit it as a file")


# --- to whom, what, in reply to what -----------------------------------------


@pytest.mark.parametrize(
    ("options", "to"),
    [
        ([], ()),
        (["-t", "bob"], ("bob",)),
        (["-t", "Bob", "--to", "role:Reviewer", "-tbob"], ("bob", "role:reviewer")),
        (["-t", "ALL"], ()),
        (["-t", "bob", "-t", "All"], ()),
    ],
)
def test_recipients(chatroom: Chatroom, options: list[str], to: tuple[str, ...]) -> None:
    """``-t`` is repeatable and folds case; ``all``, in any case, means everybody."""
    chatroom.chat("send", "hello", *options, check=True)
    assert chatroom.newest().to == to


@pytest.mark.parametrize(
    ("options", "error", "suggestion"),
    [
        (["-t", "Bob Smith"], "recipient 'Bob Smith'", "'bob-smith'"),
        (["-t", "role:code review"], "role", "'code-review'"),
        (["-t", "role:"], "role must not be blank", "1 to 64"),
        (["-t", ""], "recipient must not be blank", "1 to 64"),
        (["--type", "needs review!"], "type 'needs review!'", "'needs-review'"),
        (["--room", "a/b"], "room 'a/b'", "'a-b'"),
        (["--as", "Al\nice"], r"name 'Al\nice'", "'al-ice'"),
        (["--as", ""], "name must not be blank", "1 to 64"),
    ],
)
def test_refused_name_comes_with_a_suggestion(
    chatroom: Chatroom, options: list[str], error: str, suggestion: str
) -> None:
    """What cannot be a recipient, type, room or name is refused, and the nearest that can is named."""
    refused(chatroom.chat("send", "hello", *options), error, suggestion)


def test_type_folds_case(chatroom: Chatroom) -> None:
    """A type is a slug of one's own choice, in lower case."""
    chatroom.chat("send", "--type", "Needs.Review", "look", check=True)
    assert chatroom.newest().type == "needs.review"


@pytest.mark.parametrize("form", ["2", "#2", "handle", "long handle"])
def test_reply_names_its_target_by_number_or_handle(chatroom: Chatroom, form: str) -> None:
    """A reply is stored with the uid of what it answers, however that was named."""
    target = [chatroom.say(text) for text in ("one", "two", "three")][1]
    text = {"handle": target.handle, "long handle": f"~{target.record.uid}".upper()}.get(form, form)
    done = chatroom.chat("send", "--json", "-r", text, "yes", check=True)
    assert chatroom.newest().reply_to == target.record.uid
    assert json.loads(done.stdout)["reply_to"] == 2


@pytest.mark.parametrize(
    ("target", "error", "hint"),
    [
        ("9", "no record #9 in room 'lobby'", "its newest record is #1: git chat log"),
        ("0", "no record #0", "#1"),
        ("~zzzzzz", "no record ~zzzzzz", "#1"),
        ("x", "'x' names no record", "~k3f9q2"),
        ("-1", "'-1' names no record", "12"),
        ("9" * 40, "names no record", "12"),
    ],
)
def test_reply_to_nothing_is_refused(chatroom: Chatroom, target: str, error: str, hint: str) -> None:
    """A reply answers something that is there."""
    chatroom.say()
    refused(chatroom.chat("send", "--reply-to", target, "yes"), error, hint)
    assert len(chatroom.entries()) == 1


def test_priority(chatroom: Chatroom) -> None:
    """Urgent is marked, normal is not."""
    chatroom.chat("send", "--priority", "urgent", "--json", "now", check=True)
    assert chatroom.newest().urgent
    chatroom.chat("send", "--priority", "normal", "later", check=True)
    assert not chatroom.newest().urgent


def test_json_body_is_kept_as_it_was_written(chatroom: Chatroom) -> None:
    """``--json-body`` checks the text and does not rewrite it; a program gets the value."""
    done = chatroom.chat(
        "send", "--json-body", "--json", "-", stdin=b'{"b" : [1, null],\n "a": "\\u00e9"}\n', check=True
    )
    assert chatroom.newest().body == '{"b" : [1, null],\n "a": "\\u00e9"}'
    assert json.loads(done.stdout)["content"] == {"b": [1, None], "a": "é"}


@pytest.mark.parametrize("text", ["{", "NaN", "[-Infinity]", "{'a': 1}", "1 2", "[" * 30_000])
def test_json_body_that_is_not_json_is_refused(chatroom: Chatroom, text: str) -> None:
    """What strict JSON does not know is not JSON, ``NaN`` included."""
    refused(chatroom.chat("send", "--json-body", text), "is not JSON", "python3 -m json.tool")


# --- who sends ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "variables", "author"),
    [
        ("chat send hi", {}, "alice"),
        ("-c chat.name=bob chat send hi", {}, "bob"),
        ("-c chat.name=bob chat send hi", {"CLAUDECODE": "1"}, "claude-repo"),
        ("-c chat.name=bob chat send hi", {"CLAUDECODE": "1", "GITCHAT_NAME": "Carol"}, "carol"),
        ("-c chat.name=bob chat send --as Dave hi", {"CLAUDECODE": "1", "GITCHAT_NAME": "carol"}, "dave"),
        ("chat send hi", {"GEMINI_CLI": "1"}, "gemini-repo"),
        ("chat send hi", {"OPENCODE": "1"}, "opencode-repo"),
        ("chat send hi", {"AI_AGENT": "Goose/1.2"}, "goose-repo"),
        ("chat send hi", {"AI_AGENT": "goose@2"}, "goose-repo"),
        ("chat send hi", {"AI_AGENT": "/"}, "alice"),
        ("-c user.name=Zoë&Co. chat send hi", {}, "zoe-co"),
    ],
)
def test_sender(chatroom: Chatroom, words: str, variables: dict[str, str], author: str) -> None:
    """``--as``, then GITCHAT_NAME, the agent's client and worktree, ``chat.name``, and last ``user.name``."""
    chatroom.git(*words.split(), **variables)
    record = chatroom.newest()
    assert (record.author, record.origin) == (author, "agent")


def test_agent_in_a_linked_worktree_has_its_own_name(chatroom: Chatroom) -> None:
    """Agents of one client are told apart by the worktree they work in, also in its subdirectories."""
    tree = chatroom.path.parent / "Parser Fix"
    chatroom.git("worktree", "add", "-q", "-b", "fix", tree)
    (tree / "deep").mkdir()
    chatroom.world.chat("send", "hi", cwd=tree / "deep", CLAUDECODE="1", check=True)
    assert chatroom.newest().author == "claude-parser-fix"


@pytest.mark.parametrize("name", ["all", "System", "ROLE", "gitchat"])
def test_reserved_name_is_refused(chatroom: Chatroom, name: str) -> None:
    """Nobody is called what has a meaning of its own."""
    refused(chatroom.chat("send", "--as", name, "hi"), f"name '{name.lower()}' is reserved", f"'{name.lower()}-1'")


def test_without_any_name_the_hint_sets_one(chatroom: Chatroom) -> None:
    """Without a name anywhere the hint tells the command that gives one."""
    done = chatroom.git("-c", "user.name=", "chat", "send", "hi", check=False)
    refused(done, "no name to send under", "git config --global chat.name alice")


@pytest.mark.parametrize("full", ["山田 太郎", "Дарья", "All"])
def test_name_that_gives_none_makes_way_for_the_address_and_is_told_once(chatroom: Chatroom, full: str) -> None:
    """A name stands in refs, so it is of a-z; who is called otherwise is told what became of it, and how to choose."""
    chatroom.git("config", "user.name", full)
    chatroom.git("config", "user.email", "Tess.Yamada+git@example.com")
    first, second = chatroom.chat("send", "hi", check=True), chatroom.chat("send", "again", check=True)
    assert (first.stdout, second.stdout, second.stderr) == ("#1\n", "#2\n", "")
    assert f"git's user.name '{full}' has nothing" in first.stderr
    assert "so you are 'tess.yamada-git'" in first.stderr
    assert [entry.record.author for entry in chatroom.entries()] == ["tess.yamada-git"] * 2
    assert "git config chat.name NAME" in chatroom.chat("doctor").stdout
    chatroom.git("config", "chat.name", "tess")
    assert chatroom.chat("send", "mine", check=True).stderr == ""
    assert chatroom.newest().author == "tess"


def test_neither_name_nor_address_that_gives_one_is_said_with_the_reason(chatroom: Chatroom) -> None:
    """Nothing is guessed then."""
    chatroom.git("config", "user.name", "山田 太郎")
    chatroom.git("config", "user.email", "山田@example.com")
    refused(chatroom.chat("send", "hi"), "git's user.name '山田 太郎' has nothing", "git config --global chat.name")


def test_committer_is_gits_identity(chatroom: Chatroom) -> None:
    """The author is the participant; the committer is who git says, so that a server accepts the push."""
    chatroom.chat("send", "--as", "codex", "hi", check=True)
    assert chatroom.git("log", "-1", "--format=%an <%ae> %cn <%ce>", LOG).stdout == (
        "codex <alice@example.com> Alice <alice@example.com>\n"
    )


def test_without_an_address_one_that_is_nobodys_is_used(chatroom: Chatroom) -> None:
    """A container without a git identity can still talk."""
    chatroom.git("config", "--global", "--remove-section", "user")
    chatroom.chat("send", "--as", "codex", "hi", check=True)
    assert chatroom.git("log", "-1", "--format=%an <%ae> %cn <%ce>", LOG).stdout == (
        "codex <codex@agents.gitchat.invalid> codex <codex@agents.gitchat.invalid>\n"
    )


def test_agents_address_can_be_wanted(chatroom: Chatroom) -> None:
    """``chat.authorEmail=agent`` keeps a person's address out of an agent's records."""
    chatroom.git("-c", "chat.authorEmail=agent", "chat", "send", "--as", "codex", "hi")
    assert chatroom.newest().email == "codex@agents.gitchat.invalid"


# --- keys --------------------------------------------------------------------


def test_same_key_again_is_the_same_message(chatroom: Chatroom) -> None:
    """A send that is repeated with its key gives the same number and adds nothing."""
    sent = [chatroom.chat("send", "--uid", "build 17", "-t", "bob", "done", check=True).stdout for _ in range(2)]
    chatroom.say("something else")
    sent.append(chatroom.chat("send", "--uid", "build 17", "-t", "BOB", "done", check=True).stdout)
    assert sent == ["#1\n", "#1\n", "#1\n"]
    assert len(chatroom.entries()) == 2


@pytest.mark.parametrize("words", [["other"], ["done", "-t", "bob"]], ids=["body", "recipient"])
def test_same_key_for_something_else_is_a_conflict(chatroom: Chatroom, words: list[str]) -> None:
    """A key that was used for another message ends with status 3, and the hint shows that message."""
    chatroom.say("done", key="build 17")
    refused(
        chatroom.chat("send", "--uid", "build 17", *words), "#1 was sent with the same key", "git chat show '#1'", 3
    )
    assert len(chatroom.entries()) == 1


def test_same_key_of_another_author_is_another_message(chatroom: Chatroom) -> None:
    """Keys are each author's own."""
    chatroom.say("done", key="build 17")
    assert chatroom.chat("send", "--uid", "build 17", "--as", "bob", "done").stdout == "#2\n"


# --- what is printed, and where it goes ---------------------------------------


def test_json_prints_the_stored_message(chatroom: Chatroom) -> None:
    """``--json`` prints the record on one line, with what was set and nothing that was not."""
    options = ["--type", "question", "-t", "bob", "-t", "role:qa", "--priority", "urgent"]
    done = chatroom.chat("send", "--json", *options, "one\ntwo", check=True)
    stored = chatroom.entries()[0].record
    shown = json.loads(done.stdout)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", shown.pop("ts"))
    assert shown == {
        "id": 1, "from": "alice", "to": "bob,role:qa", "content": "one\ntwo", "room": "lobby", "uid": stored.uid,
        "type": "question", "priority": "urgent", "origin": "agent",
    }  # fmt: skip
    assert done.stdout.count("\n") == 1


def test_quiet_prints_nothing(chatroom: Chatroom) -> None:
    """``-q`` sends in silence."""
    done = chatroom.chat("send", "-q", "hi", check=True)
    assert (done.stdout, done.stderr, len(chatroom.entries())) == ("", "", 1)


@pytest.mark.parametrize(
    ("words", "room"),
    [
        ("chat send hi", "lobby"),
        ("-c chat.room=Dev chat send hi", "dev"),
        ("-c chat.room=dev chat send --room OPS hi", "ops"),
    ],
)
def test_log(chatroom: Chatroom, words: str, room: str) -> None:
    """``--room``, then ``chat.room``, then the lobby; each room has numbers of its own."""
    for other in ("lobby", "dev", "ops"):
        if other != room:
            chatroom.say("before", room=other)
    assert chatroom.git(*words.split()).stdout == "#1\n"
    assert chatroom.newest(room).body == "hi"


@pytest.mark.parametrize(
    "setting", ["chat.maxBody=banana", "chat.fsync=maybe", "chat.room=a/b", "chat.name=a/b", "chat.sync=no"]
)
def test_bad_setting_is_refused(chatroom: Chatroom, setting: str) -> None:
    """A setting that cannot be read is said, and not passed over."""
    value = setting.partition("=")[2]
    refused(chatroom.git("-c", setting, "chat", "send", "hi", check=False), repr(value), "")
    assert chatroom.entries() == []


def test_record_is_a_commit_that_parses(chatroom: Chatroom, tmp_path: Path) -> None:
    """What send writes is a commit that git shows, with its block of trailers at the end."""
    chatroom.chat("send", "-t", "bob", "hello", check=True)
    raw = chatroom.git("cat-file", "commit", chatroom.tip).stdout.encode()
    commit = parse_commit(Oid(chatroom.tip), raw)
    assert commit.body == "hello"
    keys = [key.removeprefix("Chat-") for key, _ in commit.block or ()]
    assert keys == ["Kind", "Uid", "Seq", "To", "Clone", "Origin"]


def test_one_line_break_is_dropped(chatroom: Chatroom) -> None:
    """Only the last line break of standard input goes; the others are part of the message."""
    chatroom.chat("send", "-", stdin=b"x\n\n\n", check=True)
    assert chatroom.newest().body == "x\n\n"


# --- who is answered, and what was mistyped ------------------------------------


def test_an_answer_goes_to_who_asked(chatroom: Chatroom) -> None:
    """What was for me alone, or for my role, is answered to who wrote it; what was for all to all; and it is said."""
    chatroom.chat("join", "--role", "review", check=True)
    chatroom.say("to all", author="bob")
    chatroom.say("to alice", author="bob", to=("alice", "carol"))
    chatroom.say("to reviewers", author="bob", to=("role:review",))
    chatroom.say("to carol", author="bob", to=("carol",))
    chatroom.say("mine", author="alice", to=("dora",))
    expected = {  # the message: whom reply goes to, and whom send -r
        1: ((), ()),
        2: (("bob",), ("bob",)),
        3: (("bob",), ("bob",)),
        4: (("bob",), ()),
        5: (("dora",), ()),
    }
    for number, recipients in expected.items():
        for words, to in zip((["reply", str(number)], ["send", "-r", str(number)]), recipients, strict=True):
            done = chatroom.chat(*words, "yes", check=True)
            assert chatroom.newest().to == to, words
            told = f"to {to[0]}, as #{number} was not to everybody; else: --to all\n" if to else ""
            assert done.stderr.startswith(told), words
            assert bool(told) == ("not to everybody" in done.stderr), words
    for words in (["reply", "2"], ["send", "-r", "2"]):
        done = chatroom.chat(*words, "--to", "all", "yes", check=True)
        assert (chatroom.newest().to, "not to everybody" in done.stderr) == ((), False)


def test_a_writer_without_a_name_is_answered_before_all(chatroom: Chatroom) -> None:
    """Foreign software may call itself anything; nobody can be written to by that."""
    chatroom.say()
    chatroom.foreign(b"hi\n\nChat-Kind: message\nChat-To: alice\n", b"Mallory M <m@x>")
    chatroom.chat("reply", "2", "who are you?", check=True)
    assert chatroom.newest().to == ()


def test_who_is_known_is_written_to_without_a_word(chatroom: Chatroom) -> None:
    """Who wrote, read or joined here was here, and so was a role; a quiet send says nothing of anybody."""
    chatroom.say(author="bob")
    chatroom.chat("join", "carol", "--role", "review", check=True)
    chatroom.chat("read", "--as", "dora", check=True)
    words = ["send", "-t", "bob", "-t", "carol", "-t", "dora", "-t", "role:review", "-t", "alice"]
    assert chatroom.chat(*words, "hi", check=True).stderr == ""
    assert chatroom.chat("send", "-q", "-t", "nobody", "hi", check=True).stderr == ""
    done = chatroom.chat("send", "-t", "role:reviw", "hi", check=True)
    assert done.stderr == "nobody here has the role 'reviw'; near: role:review: git chat send --to role:review hi\n"
    assert chatroom.chat("send", "-t", "zz", "hi", check=True).stderr == "nobody called 'zz' was ever here\n"


def test_the_known_types_are_those_of_the_page() -> None:
    """docs/types.md describes each of them, and no other."""
    page = Path(__file__).parents[2] / "docs" / "types.md"
    described = re.findall(r"^\| `(\w+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(described) == sorted(types.KNOWN)
