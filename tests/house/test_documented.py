"""What a user can set, meet or type is described; and no page describes what is not there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import pytest

from gitchat.cli import git_chat
from gitchat.model.attachment import Attachment
from gitchat.model.names import CloneId, Name, Number, Oid, RoomName, Uid
from gitchat.model.record import Entry, Moment, Record, SetAside
from gitchat.verbs import as_json, cutting
from gitchat.verbs.pending import Pending
from gitchat.verbs.views import Delivery, Found
from tests.house import source
from tests.sessions.runner import read
from tests.sessions.test_documents import DOCUMENTS
from tests.world import World

TOP = Path(__file__).parents[2]
REFERENCE = TOP / "docs" / "reference.md"
PAGES = [TOP / "README.md", *sorted((TOP / "docs").glob("**/*.md"))]
MANUALS = TOP / "docs" / "man" / "man1"


def rows(heading: str) -> dict[str, list[str]]:
    """The table below a heading of the reference: the other cells of each row, by the first one's word."""
    _, _, section = REFERENCE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]
    found = {first.strip("`"): rest for first, *rest in cells}
    assert len(found) == len(cells), "a row stands there twice"
    assert all(all(rest) for rest in found.values()), "a cell is empty"
    return found


# --- what is set and met --------------------------------------------------------


def test_every_setting_is_described() -> None:
    """In the reference, with the part that a room or an event fills as <room>; and no other one."""
    fixed = [key for key in source.settings() if not any(_is_of(key, other) for other in source.settings() - {key})]
    assert sorted(rows("Settings")) == sorted(fixed)


def test_every_variable_is_described() -> None:
    """All that the code reads of its environment, also what clients, git and the system set; and no other one."""
    assert set(rows("Environment variables")) == source.variables()


def test_every_variable_that_a_command_is_given_is_described() -> None:
    """In the reference, by its end where the others of its family stand beside it, and in the manual."""
    given = source.given_variables()
    assert given
    pages = [REFERENCE.read_text(encoding="utf-8"), (MANUALS / "git-chat.1").read_text(encoding="utf-8")]
    ends = {name.rpartition("_")[2] for name in given}
    assert [end for end in sorted(ends) if not all(re.search(rf"_{end}\b", page) for page in pages)] == []


def test_every_exit_status_is_described() -> None:
    """Those of errors, those with a name, and 0; and no other one."""
    assert sorted(map(int, rows("Exit statuses"))) == sorted(source.statuses() | {0})


def test_every_error_code_is_described() -> None:
    """With the exit statuses that it has, in the order of the alphabet; and no other one."""
    described = {code: {int(status) for status in cells[0].split(", ")} for code, cells in rows("Error codes").items()}
    assert described == source.codes()
    assert list(described) == sorted(described)


def test_every_key_of_a_record_is_described() -> None:
    """What a program can meet in the JSON form of a record; and no other one."""
    record = Record(
        kind="status", uid=Uid("0" * 16), author="ann", email="", written=Moment(0), body="{}", to=("bob",),
        type="commit", reply_to=Uid("1" * 16), urgent=True, commit="0" * 40, branch="main", clone=CloneId("2" * 16),
        origin="hook", media="json", extra=(("Chat-Later", "new"), ("Chat-At", "a.py:1-2")), work=7,
    )  # fmt: skip
    file = Attachment("a.txt", Oid("0" * 40), 1)
    entry = Entry(
        RoomName("lobby"), None, Oid("0" * 40), 0, record, attachments=(file,), aside=SetAside("origin", "", 0)
    )
    found = as_json.of_found(Found(entry, "", 0.0, {})) | as_json.of_entry(entry, {}, chars=1)
    pending = Pending("origin", 1, is_carried=True)
    delivered = as_json.of_delivery(Delivery("origin", False, (Name("bob"),), (Name("bob"),), pending))
    alike = as_json.of_entry(replace(entry, record=replace(record, author="\u0430nn")), {})
    renumbered = replace(entry, number=Number(2), record=replace(record, seq_hint=Number(1)))
    asks = replace(record, kind="message", type="question", extra=(("Chat-Choice", "yes"),))
    asked = as_json.of_entry(replace(entry, record=asks), {})
    moved = as_json.of_entry(renumbered, {Uid("1" * 16): "#12 (was #7)"})
    in_part = cutting.cut(cutting.skipped(as_json.of_entry(entry, {}) | {"content": "text"}, 1), 1)
    assert set(rows("A record as JSON")) == set(found | delivered | in_part | alike | moved | asked)


SCRIPTED = {
    name
    for script in (Path(__file__).parents[2] / "examples" / "seeds").iterdir()
    if script.is_file()
    for name in re.findall(r"\$\{?([A-Z_]+)", script.read_text(encoding="utf-8"))
}
"""Variables that the scripts read which stand in for the programs of other systems."""


def _is_of(key: str, pattern: str) -> bool:
    """Whether a key is one of those that ``pattern`` stands for, or the pattern itself."""
    filled = re.sub(r"<\w+>", r"[\\w-]+", pattern.replace(".", r"\."))
    return key == pattern or re.fullmatch(filled, key) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_page_names_what_the_code_knows(page: Path) -> None:
    """Keys, variables of ours and of clients, exit statuses and error codes: none is made up, or left from before.

    A variable that begins with GIT_ is git's.
    """
    text = page.read_text(encoding="utf-8")
    keys = set(re.findall(r"(?<![\w./@*-])(?:chat|chatroom)\.[a-zA-Z<][\w<>.]*[\w>]|\bcolor\.chat\b", text))
    assert {key for key in keys if not any(_is_of(key, known) for known in source.settings())} == set()
    families = {name.partition("_")[0] for name in source.variables() if "_" in name} - {"GIT"}
    named = {one for one in re.findall(r"\b[A-Z]+_[A-Z_]*[A-Z]\b", text) if one.partition("_")[0] in families}
    assert named - source.variables() - source.given_variables() - SCRIPTED == set()
    statuses = re.findall(r"exit status(?:es)? (?:is |of it is |of )?(\d+)", text)
    assert set(map(int, statuses)) - source.statuses() - {0} == set()
    codes = re.findall(r"""\bcode["'`]?[:=]? ?["'`]([a-z]+(?:-[a-z0-9]+)*)["'`]""", text)
    assert set(codes) - set(source.codes()) == set()


# --- what is typed ---------------------------------------------------------------


def commands(
    command: click.Command = git_chat, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command that is listed, with the words that call it, ``git chat`` left out."""
    yield words, command
    for one in inner(command):
        assert one.name is not None
        yield from commands(one, (*words, one.name))


def options(command: click.Command) -> list[click.Option]:
    """The options that its help shows."""
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


def inner(command: click.Command) -> list[click.Command]:
    """The commands of a command, one of which may be meant where none is named, as by git chat cursor."""
    context = click.Context(command)
    found = (
        [command.get_command(context, one) for one in command.list_commands(context)]
        if isinstance(command, click.Group)
        else []
    )
    return [one for one in found if one is not None]


def names(command: click.Command) -> set[str]:
    """All names of all its options."""
    return {name for option in options(command) for name in (*option.opts, *option.secondary_opts)}


def test_every_option_is_completed(world: World) -> None:
    """After a dash Tab offers all names of all options, and nothing that the command does not take."""
    repository = world.repository()
    for words, command in commands():
        done = world.chat("completion", "--words", " ".join(["git chat", *words, "-"]), cwd=repository, check=True)
        offered = {line.partition("\t")[0] for line in done.stdout.splitlines()}
        assert names(command) <= offered, words
        assert offered - {"-h", "--help"} <= names(command).union(*map(names, inner(command))), words


def test_every_command_is_completed(world: World) -> None:
    """After a blank Tab offers what can be called there."""
    repository = world.repository()
    for words, command in commands():
        if isinstance(command, click.Group):
            done = world.chat("completion", "--words", " ".join(["git chat", *words, ""]), cwd=repository, check=True)
            offered = {line.partition("\t")[0] for line in done.stdout.splitlines()}
            assert {one.name for one in inner(command)} <= offered, words


def manual(words: tuple[str, ...]) -> str:
    """The part of a manual page that is about a command, as plain text."""
    page = "-".join(["git-chat", *words[:1]]) + ".1"
    text = re.sub(r"\\f[BIRP]", "", (MANUALS / page).read_text(encoding="utf-8")).replace("\\-", "-")
    if len(words) < 2:
        return text
    _, found, section = text.partition(f"\n.SS git chat {' '.join(words)}\n")
    return found and re.split(r"^\.S[HS] ", section, maxsplit=1, flags=re.MULTILINE)[0]


def headings(section: str) -> set[str]:
    """What a section of git-chat(1) describes: the bold words of its headings."""
    _, _, text = (MANUALS / "git-chat.1").read_text(encoding="utf-8").partition(f"\n.SH {section}\n")
    lines = re.findall(r"^\.(?:B|BR|BI) (.*)", text.partition("\n.SH ")[0], re.MULTILINE)
    return {word for line in lines for word in line.split(' ", " ')}


def test_the_manual_describes_settings_and_exit_statuses() -> None:
    """All of them, and no others; of the variables those that are ours."""
    settings = {re.sub(r" (\w+) ", r"<\1>", key) for key in headings("CONFIGURATION")}
    assert {key for key in settings if not any(_is_of(key, known) for known in source.settings())} == set()
    assert {known for known in source.settings() if not any(_is_of(key, known) for key in settings)} == set()
    assert {int(status) for status in headings("EXIT STATUS")} == source.statuses() | {0}
    assert {name for name in source.variables() if name.startswith("GITCHAT_")} <= headings("ENVIRONMENT")


def test_every_command_and_option_is_in_the_manual() -> None:
    """In the page of its command, below its own heading where the command has several."""
    for words, command in commands():
        text = manual(words)
        assert text, words
        for option in options(command):
            heading = r"^(?:--?\S+, )*" + re.escape(max(option.opts, key=len)) + r"(?: |$)"
            assert re.search(heading, text, re.MULTILINE), (words, option.opts)


def calls(line: str) -> Iterator[list[str]]:
    """The words after each ``git chat`` in a line of shell."""
    lexer = shlex.shlex(line.replace("\n", " ; ").replace("$(", " ( "), posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words = list(lexer)
    for place in range(len(words) - 1):
        if words[place : place + 2] == ["git", "chat"]:
            rest = words[place + 2 :]
            end = next((number for number, word in enumerate(rest) if set(word) <= set(";|&()<>")), len(rest))
            yield rest[:end]


def used(arguments: list[str]) -> Iterator[tuple[tuple[str, ...], click.Parameter | None]]:
    """What a call says: the words of each command on its way with None, and each of its options that are given."""
    command: click.Command | None = git_chat
    words: tuple[str, ...] = ()
    while command is not None:
        yield words, None
        context = click.Context(command, allow_interspersed_args=not isinstance(command, click.Group))
        _, rest, order = command.make_parser(context).parse_args(list(arguments))
        yield from ((words, parameter) for parameter in order)
        command = command.get_command(context, rest[0]) if isinstance(command, click.Group) and rest else None
        words, arguments = (*words, *rest[:1]), rest[1:]


def test_every_command_and_option_is_shown_at_work() -> None:
    """In a line of a page that the tests run, so that what is said of it is true.

    An option that several commands share, under one name with one help, is shown by one of them.
    """
    lines = [line for document in DOCUMENTS for step in read(document) for line in calls(step.command)]
    seen = [one for line in lines for one in used(line)]
    called = {words for words, _ in seen}
    given = {(*option.opts, option.help) for _, option in seen if isinstance(option, click.Option)}
    listed = dict(commands())
    assert [words for words in listed if words not in called] == []
    assert [
        (*words, *option.opts)
        for words, command in listed.items()
        for option in options(command)
        if (*option.opts, option.help) not in given
    ] == []


def test_what_is_typed_on_a_page_is_found() -> None:
    """The rule above can fail: a call counts for what it says, wherever it stands in its line."""
    line = 'cd a && git chat log -n 1 | head; echo "$(git chat room open --title T x)" git chat; true'
    found = [one for words in calls(line) for one in used(words)]
    assert [(*words, *(option.opts if isinstance(option, click.Option) else ())) for words, option in found] == [
        (),
        ("log",),
        ("log", "-n", "--max-count"),
        ("log",),
        (),
    ]
