"""``git chat log`` without a terminal: what it selects, in which order, and how a program or a file gets it."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from gitchat.model.record import Moment
from gitchat.workspace.process import read_clock
from tests.cli.conftest import LOG, Chatroom, Terminal, refused
from tests.world import World

MINUTE, HOUR, DAY = 60, 3600, 86400
INDIA, NEWFOUNDLAND = 330, -210
"""Offsets in minutes east of UTC."""

ESC = "\x1b"


def ago(seconds: int, offset_minutes: int = 0) -> Moment:
    """The moment so many seconds before now."""
    return Moment(int(time.time()) - seconds, offset_minutes)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Chatroom:
    """A room of seven records that no test here writes to, and a second room."""
    room = Chatroom(World(tmp_path_factory.mktemp("story")))
    question = room.say("Who takes the parser?", type="question", at=ago(4 * DAY, INDIA))
    room.say("I do.\n\n  Tomorrow.", author="bob", to=("alice",), reply_to=question.record.uid, at=ago(3 * DAY))
    room.say("commit 1234abc: parse", author="bob", kind="status", at=ago(2 * DAY))
    room.say("FAIL: axb", author="codex", to=("role:reviewer",), type="blocker", urgent=True, at=ago(40 * HOUR))
    room.say("a.b is a pattern", author="codex", to=("alice", "bob"), at=ago(30 * HOUR, NEWFOUNDLAND))
    room.say('{"a": [1, 2]}', to=("codex",), media="json", at=ago(3 * HOUR))
    room.say("now", at=Moment(read_clock().seconds + MINUTE))  # ahead, so that no midnight comes between
    room.say("elsewhere", room="dev")
    return room


def numbers(story: Chatroom, *options: str) -> list[int]:
    """The numbers that a listing shows, in its order."""
    lines = story.chat("log", "--json", *options, check=True).stdout.split("\n")[:-1]
    return [json.loads(line)["id"] for line in lines]


# --- what is selected --------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7]),
        ("--reverse", [7, 6, 5, 4, 3, 2, 1]),
        ("-n2 --reverse", [7, 6]),
        ("-n 0", []),
        ("--all -n 1", [1, 2, 3, 4, 5, 6, 7]),
        ("--room DEV", [1]),
        ("--since 5", [6, 7]),
        ("--since #5", [6, 7]),
        ("--since 0", [1, 2, 3, 4, 5, 6, 7]),
        ("--since 7", []),
        ("--until 2", [1, 2]),
        ("--until 0", []),
        ("--since 2 --until 4", [3, 4]),
        ("--since 4 --until 2", []),
        ("--since yesterday", [6, 7]),
        ("--since 1.hour.ago", [7]),
        ("--until 2.hours.ago", [1, 2, 3, 4, 5, 6]),
        ("--since 2001-01-01", [1, 2, 3, 4, 5, 6, 7]),
        ("--from Alice -n 2", [6, 7]),
        ("--from nobody", []),
        ("--to bob", [5]),
        ("-t alice", [2, 5]),
        ("--to role:Reviewer", [4]),
        ("--to All", [1, 3, 7]),
        ("--from bob --to alice", [2]),
        ("--between alice bob", [2]),
        ("--between bob Alice", [2]),
        ("--between codex Alice --max-count=9", [5, 6]),
        ("--between alice alice", []),
        ("--type Question", [1]),
        ("--no-status", [1, 2, 4, 5, 6, 7]),
        ("--grep fail", []),
        ("--grep fail -i", [4]),
        ("--grep a.b", [4, 5]),
        ("--grep a.b -F", [5]),
        ("--grep [TB]o", [2]),
        ("--grep ^..Tomorrow", [2]),
        ("--grep PARSE -i -F --no-status", [1]),
    ],
)
def test_log_selects(story: Chatroom, options: str, expected: list[int]) -> None:
    """Each option narrows the listing, together they all hold, and the newest comes last."""
    assert numbers(story, *options.split()) == expected


def test_claims_are_listed_unless_only_messages_are_wanted(chatroom: Chatroom) -> None:
    """As statuses are: what reaches nobody is read by who lists it."""
    for kind in ("claim", "release", "status", "message"):
        chatroom.say(f"a {kind}", kind=kind)
    assert numbers(chatroom) == [1, 2, 3, 4]
    assert numbers(chatroom, "--no-status") == [4]


def test_today_begins_at_midnight(story: Chatroom) -> None:
    """``today`` is the day so far, and not the past 24 hours."""
    assert numbers(story, "--since", "today") in ([7], [6, 7])
    assert 5 not in numbers(story, "--since", "TODAY")


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_bound_can_be_a_handle(story: Chatroom, option: str) -> None:
    """A handle bounds a listing as its number does."""
    handle = story.entries()[3].handle
    assert numbers(story, option, handle) == ([5, 6, 7] if option == "--since" else [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("options", "error", "hint"),
    [
        (["--since", "next pancake"], "--since: 'next pancake' is neither a number nor a date", "--since yesterday"),
        (["--until", ""], "--until: '' is neither", "--until 12"),
        (["--since", "~zzzzzz"], "no record ~zzzzzz in room 'lobby'", "git chat log"),
        (["--grep", "a(b"], "--grep: 'a(b' is not a regular expression", "-F"),
        (["--date", "martian"], "unknown date style 'martian'", "relative, local, iso"),
        (["--from", "Bob Smith"], "name 'Bob Smith'", "'bob-smith'"),
        (["--to", "a/b"], "recipient 'a/b'", "'a-b'"),
        (["--between", "a", "b/c"], "recipient 'b/c'", "'b-c'"),
        (["--type", "x!y"], "type 'x!y'", "'x-y'"),
        (["--room", "Großer Raum"], "room 'Großer Raum'", "'groer-raum'"),
        (["--room", "nowhere"], "there is no room 'nowhere' here", "rooms: dev, lobby"),
    ],
)
def test_bad_option_is_refused(story: Chatroom, options: list[str], error: str, hint: str) -> None:
    """What cannot be understood is refused, and the hint says what can."""
    refused(story.chat("log", *options), error, hint)


def test_first_room_is_begun_by_sending(chatroom: Chatroom) -> None:
    """Where there is no room at all, the hint begins the one that was asked for."""
    refused(chatroom.chat("log", "--room", "dev"), "no room 'dev'", 'git chat send --room dev "hello"')


def test_room_that_is_not_begun_yet_is_empty(chatroom: Chatroom) -> None:
    """The room one is in by default is empty before its first message, and that is no error."""
    done = chatroom.chat("log")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_default_is_the_newest_fifty(chatroom: Chatroom) -> None:
    """One screen of history is shown, unless ``--since`` or ``--all`` asks for more."""
    for _ in range(55):
        chatroom.say()
    assert numbers(chatroom) == list(range(6, 56))
    assert numbers(chatroom, "--from", "alice", "--until", "54") == list(range(5, 55))
    assert numbers(chatroom, "--since", "2") == list(range(3, 56))
    assert numbers(chatroom, "--all") == list(range(1, 56))


# --- how it reads ------------------------------------------------------------


def test_listing_reads_as_a_conversation(chatroom: Chatroom) -> None:
    """The day once as a heading; number, people, time and notes on one line, the text indented below."""
    start = 1_789_990_000  # 2026-09-21 11:26:40 UTC
    question = chatroom.say("Who takes the parser?", type="question", at=Moment(start))
    chatroom.say("commit 1234abc: parse\n\nMore.", author="bob", kind="status", at=Moment(start + MINUTE))
    chatroom.say("commit 5678def: test", author="bob", kind="status", at=Moment(start + 2 * MINUTE))
    reply = question.record.uid
    chatroom.say(
        "I\n\n\tdo", author="bob", to=("alice", "role:qa"), reply_to=reply, urgent=True, at=Moment(start + DAY)
    )
    chatroom.say('{"a": [1]}', media="json", at=Moment(start + DAY + MINUTE))
    assert (
        chatroom.chat("log", check=True).stdout
        == """\
-- Monday, 21 September 2026 --

#1  alice  11:26  question
    Who takes the parser?

 *  #2  11:27  bob: commit 1234abc: parse
 *  #3  11:28  bob: commit 5678def: test

-- Tuesday, 22 September 2026 --

#4  bob -> alice, role:qa  11:26  urgent, re #1
    I

        do

#5  alice  11:27
    {
      "a": [
        1
      ]
    }
"""
    )


def test_oneline_is_one_line_a_message(chatroom: Chatroom) -> None:
    """``--oneline`` puts number, people and the whole text on one line, and a star before a status."""
    chatroom.say("one\n\n  two\tthree", to=("bob",), urgent=True)
    chatroom.say("commit 1234abc", kind="status")
    assert chatroom.chat("log", "--oneline", check=True).stdout == (
        "#1 alice -> bob: urgent! one two three\n#2 * alice: commit 1234abc\n"
    )


def test_reader_sees_local_time(story: Chatroom) -> None:
    """The listing's own day and time of day are the reader's, wherever the writer was."""
    written = story.entries()[0].record.written.seconds
    there = time.gmtime(written - 3 * HOUR)
    shown = story.chat("log", "--until", "1", TZ="America/Sao_Paulo", check=True).stdout
    assert time.strftime("%H:%M", there) in shown
    assert f"{time.strftime('%A', there)}, {there.tm_mday} " in shown


@pytest.mark.parametrize("number", [1, 2, 4, 5, 6])
def test_json_has_the_documented_keys(story: Chatroom, number: int) -> None:
    """One object a line: id, ts, from, to, content, room and uid always, and of the rest what is set."""
    line = story.chat("log", "--json", "--since", str(number - 1), "--until", str(number), check=True).stdout
    record = story.entries()[number - 1].record
    written = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.written.seconds))
    always: dict[str, object] = {"id": number, "ts": written, "room": "lobby", "uid": record.uid, "origin": "agent"}
    own: dict[int, dict[str, object]] = {
        1: {"from": "alice", "to": "all", "content": "Who takes the parser?", "type": "question"},
        2: {"from": "bob", "to": "alice", "content": "I do.\n\n  Tomorrow.", "reply_to": 1},
        4: {"from": "codex", "to": "role:reviewer", "content": "FAIL: axb", "type": "blocker", "priority": "urgent"},
        5: {"from": "codex", "to": "alice,bob", "content": "a.b is a pattern"},
        6: {"from": "alice", "to": "codex", "content": {"a": [1, 2]}, "media": "json"},
    }
    assert json.loads(line) == always | own[number]
    assert line.endswith("}\n")
    assert line.count("\n") == 1


def test_json_names_the_kind_of_a_status(story: Chatroom) -> None:
    """A program tells status records from messages by their kind."""
    lines = story.chat("log", "--json", check=True).stdout.splitlines()
    assert [json.loads(line).get("kind") for line in lines] == [None, None, "status", None, None, None, None]


def test_reply_to_what_is_out_of_sight_names_its_handle(chatroom: Chatroom) -> None:
    """A reply to a record that this clone does not have still says what it answers."""
    chatroom.say("yes", reply_to="0123456789abcdef")
    assert "re ~012345\n" in chatroom.chat("log").stdout
    assert json.loads(chatroom.chat("log", "--json").stdout)["reply_to"] == "~012345"


# --- dates as git prints them ------------------------------------------------

STYLES = [
    *("local", "iso", "iso8601", "iso-strict", "rfc", "rfc2822", "short", "raw", "unix", "default"),
    *("relative", "relative-local", "human", "human-local", "auto:human"),
    *("iso-local", "iso8601-strict-local", "rfc-local", "raw-local", "default-local"),
    *("format:%Y-%m-%d %H:%M", "format:%A %d %B, %I:%M:%S %p %z %%", "format-local:%a %H:%M"),
]


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> Chatroom:
    """A room whose records are of many ages, oldest first, none of them near where a style changes its unit."""
    room = Chatroom(World(tmp_path_factory.mktemp("calendar")))
    weeks = [1500, 300, 150, 75, 30, 11, 5, 1]
    for seconds in [*(weeks * 7 * DAY + DAY for weeks in weeks), 3 * DAY, 30 * HOUR, 5 * HOUR]:
        room.say(at=ago(seconds, INDIA if len(room.entries()) % 2 else NEWFOUNDLAND))
    return room


@pytest.mark.parametrize("style", STYLES)
def test_date_is_gits(calendar: Chatroom, style: str) -> None:
    """``--date`` prints what ``git log --date`` prints for the same commits, seen from a zone of one's own."""
    zone = {"TZ": "America/New_York"}
    shown = calendar.chat("log", f"--date={style}", check=True, **zone).stdout
    dates = re.findall(r"^#\d+  alice  (.*)$", shown, re.MULTILINE)
    wanted = calendar.git("log", "--reverse", "--min-parents=1", "--format=%ad", f"--date={style}", LOG, **zone)
    assert dates == wanted.stdout.splitlines()


def test_date_style_can_be_a_setting(chatroom: Chatroom) -> None:
    """``chat.date`` is the style where ``--date`` gives none; it is the author's date that is shown."""
    chatroom.say(at=Moment(1_789_990_000, INDIA))
    chatroom.say(at=Moment(1_789_990_000 - DAY))  # a clock set back: the committer date stays
    chatroom.git("config", "chat.date", "iso")
    assert chatroom.chat("log").stdout.count("2026-09-21 16:56:40 +0530") == 1
    assert chatroom.chat("log", "--date", "raw").stdout.count(f"{1_789_990_000 - DAY} +0000") == 1


# --- foreign text ------------------------------------------------------------

NASTY = "a\x1b[31mred\x1b]0;title\x07\x9b2J\x08\x7f\u202eevil\u2066\u200f\u2028\ufeff\U000e0041z"
"""What a terminal would obey: colours, a title, clearing, backspaces, reordering, invisible letters."""

OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Chatroom:
    """A room in which other software wrote hostile commits, three of them records (#2 to #4)."""
    room = Chatroom(World(tmp_path_factory.mktemp("foreign")))
    room.say()
    nasty = NASTY.encode()
    block = b"\n\nChat-Kind: message\nChat-To: bob\nChat-To: x\xe2\x80\xaey\nX-Note: n\xe2\x80\xaeote\n"
    room.foreign(nasty + b"\r\n\tsecond \xff\xed\xa0\x80\rover" + block, author=nasty + b" <\x1b[5m@x>")
    room.foreign(nasty + b"\n\nChat-Kind: status\n", author=b"mal\nlory <m@x>")
    room.foreign(nasty + b"\n\nChat-Kind: poll\nChat-Type: \xe2\x80\xae\n")
    room.foreign(b"no block at all")
    room.foreign(b"a block that is none\n\nChat-Kind: \x1b[31m\n")
    return room


@pytest.mark.parametrize(
    "words",
    ["log", "log --oneline", "log --color=always", "log --date=iso", "show 2 3 4", "doctor", "send -r ~\x1b[31m hi"],
)
def test_foreign_text_reaches_the_terminal_escaped(foreign: Chatroom, words: str) -> None:
    """Nothing in a body, a name or a trailer can recolour, move, reorder or hide what a person reads."""
    done = foreign.chat(*words.split(), LC_ALL="C.UTF-8")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout) if "--color" in words else done.stdout
    assert OBEYED.search(shown) is None
    assert OBEYED.search(done.stderr) is None


def test_escaped_text_can_be_recognised(foreign: Chatroom) -> None:
    """Controls are shown as ``^[`` and other characters by their code; the text around them stays."""
    shown = foreign.chat("log", "--since", "1", "--until", "2").stdout
    assert "a^[[31mred^[]0;title^G<U+009B>2J^H^?<U+202E>evil<U+2066 and 4 more>z" in shown


def test_letters_of_all_scripts_stay(chatroom: Chatroom) -> None:
    """Joiners, combining marks and emoji are text, and are not escaped."""
    text = "می‌خواهم नमस्ते é 👩‍👩‍👧 日本語 עברית"
    chatroom.say(text)
    assert f"    {text}\n" in chatroom.chat("log").stdout


def test_json_holds_foreign_text_on_one_line(foreign: Chatroom) -> None:
    """A program gets the text itself, in JSON's own escapes, one record a line."""
    lines = foreign.chat("log", "--json", check=True).stdout.split("\n")
    content = [json.loads(line)["content"] for line in lines[:-1]]
    assert content[1].startswith(NASTY + "\r\n\tsecond")
    assert content[2:4] == [NASTY, NASTY]


def test_commits_without_a_block_are_no_records(foreign: Chatroom) -> None:
    """What other software commits to the log without a valid block takes no number."""
    assert numbers(foreign) == [1, 2, 3, 4]


def test_status_stands_apart(foreign: Chatroom) -> None:
    """A status is one line with a star, and shows only the first line of its text."""
    line = next(line for line in foreign.chat("log").stdout.splitlines() if "#3" in line)
    assert line.startswith(" *  #3  ")


# --- colour ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "variables", "has_color"),
    [
        ("chat log", {}, False),
        ("-c color.ui=auto chat log", {"TERM": "xterm"}, False),
        ("chat log --color=always", {"NO_COLOR": "1"}, True),
        ("chat log --color=always --oneline", {}, True),
        ("chat log --color=auto", {}, False),
        ("-c color.ui=always chat log", {}, True),
        ("-c color.ui=always chat log", {"NO_COLOR": "1"}, False),
        ("-c color.ui=always chat log", {"NO_COLOR": ""}, True),
        ("-c color.ui=always chat log --color=never", {}, False),
        ("-c color.ui=always chat log --no-color", {}, False),
        ("-c color.ui=always -c color.chat=never chat log", {}, False),
        ("-c color.ui=never -c color.chat=always chat log", {}, True),
        ("-c color.ui=always chat log --json", {}, False),
    ],
)
def test_color_away_from_a_terminal(story: Chatroom, words: str, variables: dict[str, str], has_color: bool) -> None:
    """``--color``, then NO_COLOR, ``color.chat``, ``color.ui``; a pipe gets colour only when it is always wanted."""
    assert (ESC in story.git(*words.split(), **variables).stdout) == has_color


def test_lines_stay_whole_away_from_a_terminal(chatroom: Chatroom) -> None:
    """A file or a pipe gets a long line as one, for grep to find."""
    text = "word " * 100 + "end"
    chatroom.say(text)
    assert f"    {text}\n" in chatroom.chat("log", COLUMNS="60").stdout


@pytest.mark.parametrize("words", ["log --color", "log --color --oneline", "show 1 --color", "doctor --color"])
def test_color_without_a_value_means_always(story: Chatroom, words: str) -> None:
    """``--color`` alone wants colour, also in a pipe, as for git log."""
    assert ESC in story.chat(*words.split(), check=True).stdout


def test_json_has_no_controls(foreign: Chatroom) -> None:
    """JSON that appears on a terminal obeys nothing either: what is not plain text stands in JSON's own escapes."""
    shown = foreign.chat("log", "--json", check=True).stdout
    assert OBEYED.search(shown) is None


@pytest.mark.parametrize("value", ["1e999", "[-1e999]"])
def test_json_is_always_json(chatroom: Chatroom, value: str) -> None:
    """A value that JSON can say and a float cannot hold does not make the output something else than JSON."""
    chatroom.chat("send", "--json-body", value, check=True)
    json.loads(chatroom.chat("log", "--json").stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_foreign_json_is_always_json(chatroom: Chatroom) -> None:
    """Neither does a NaN in a record that other software wrote."""
    chatroom.say()
    chatroom.foreign(b"NaN\n\nChat-Kind: message\nChat-Media: json\n")
    [line] = chatroom.chat("log", "--json", "-n1").stdout.splitlines()
    assert json.loads(line)["content"] == "NaN"


# --- ranges --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (["-2"], "67"),
        (["-2", "--from", "bob"], "67"),
        (["3"], "3"),
        (["#3"], "3"),
        (["3..5"], "345"),
        (["3...5"], "345"),
        (["6.."], "67"),
        (["..2"], "12"),
        (["5..3"], ""),
        (["2..", "-n", "2"], "67"),
        (["~{1}..~{2}"], "12"),
        (["--grep", "-1"], "1"),
    ],
)
def test_a_range_is_what_it_says(chatroom: Chatroom, words: list[str], numbers: str) -> None:
    """Both ends are in it; -2 is the newest two, but where an option takes it."""
    uids = [chatroom.say(f"text -{number}", author="bob").record.uid for number in range(1, 8)]
    given = [word.replace("{1}", uids[0]).replace("{2}", uids[1]) for word in words]
    shown = chatroom.chat("log", "--oneline", *given, check=True).stdout
    assert "".join(line[1] for line in shown.splitlines()) == numbers


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["x"], "'x' is neither a message nor a range", "the newest five: git chat log -5"),
        ([".."], "'..' is neither a message nor a range", "3..7"),
        (["1..x"], "'1..x' is neither", "3..7"),
        (["9"], "no record #9", "git chat log --room lobby"),
        (["--until", "1..2"], "--until: '1..2' is a range", "git chat log 1..2; or its ends: --since 1 --until 2"),
    ],
)
def test_what_is_no_range_is_refused(chatroom: Chatroom, words: list[str], error: str, hint: str) -> None:
    """And never taken for a date."""
    chatroom.say()
    refused(chatroom.chat("log", *words), error, hint)


def test_a_range_and_other_bounds_exclude_each_other(chatroom: Chatroom) -> None:
    """Nobody has to know which of them would win."""
    refused(chatroom.chat("log", "1..2", "--since", "1"), "exclude each other", "git chat log -h", 2)


@pytest.mark.parametrize(("given", "becomes"), [(None, "FRX +G"), ("-R", "-R +G"), ("+3", "+3")])
def test_less_opens_at_the_newest(chatroom: Chatroom, terminal: Terminal, given: str | None, becomes: str) -> None:
    """With the options that somebody chose, and at the place, where that was chosen; elsewhere at the beginning."""
    chatroom.say("the text")
    variables = {"LESS": given} if given is not None else {}
    pager: dict[str, Any] = {"GIT_PAGER": 'echo "<$LESS>"; cat', **variables}
    assert f"<{becomes}>" in terminal("git", "chat", "log", **pager).stdout
    assert "+G" not in terminal("git", "chat", "log", "--reverse", **pager).stdout
    assert "+G" not in terminal("git", "chat", "show", "1", **pager).stdout
