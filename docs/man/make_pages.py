"""Write docs/man/man1/git-chat-<command>.1 from the commands themselves. Run by ``make man``.

The page of git-chat(1) is written by hand; version and date are taken from it. The pages
are kept in the repository, so that a wheel is built without running the program, and a
test says when they are out of date.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from gitchat.cli import COMMANDS, git_chat

PAGES = Path(__file__).parent / "man1"
OVERVIEW = PAGES / "git-chat.1"

_EXAMPLES = "Examples:"
_MARK = "\b"
"""What click puts before a paragraph whose lines stay as they are."""

_GLYPHS = str.maketrans({"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"})
"""What stands on a page as typed, so that it can be copied. Source: groff_man_style(7)."""


def main() -> None:
    """Write all pages anew, and remove those of commands that there are no more."""
    fresh = pages()
    for path in PAGES.glob("git-chat-*.1"):
        if path.name not in fresh:
            path.unlink()
    for name, text in fresh.items():
        (PAGES / name).write_text(text, encoding="utf-8")
    print(f"wrote {len(fresh)} pages")


def pages() -> dict[str, str]:
    """The page of each command that the help lists, by its file's name."""
    root = click.Context(git_chat, info_name="git chat")
    return {f"git-chat-{name}.1": "".join(_page(name, _context(git_chat, name, root))) for name in COMMANDS}


def _context(group: click.Group, name: str, parent: click.Context) -> click.Context:
    command = group.get_command(parent, name)
    assert command is not None
    return click.Context(command, parent=parent, info_name=name)


def _page(name: str, context: click.Context) -> Iterator[str]:
    command = context.command
    _, _, rest = OVERVIEW.read_text(encoding="utf-8").partition("\n")[0].partition(" 1 ")
    about = command.get_short_help_str(limit=1000).removesuffix(".")
    yield f".TH GIT-CHAT-{name.upper()} 1 {rest}\n"
    yield f".SH NAME\ngit-chat-{name} \\- {_escaped(about[:1].lower() + about[1:])}\n"
    yield ".SH SYNOPSIS\n.nf\n" + "".join(_usage(one) for one in (context, *_inner(context))) + ".fi\n"
    said, examples = _said(command)
    yield ".SH DESCRIPTION\n" + said
    yield from _options(context, ".SH OPTIONS\n")
    if inner := _inner(context):
        yield ".SH COMMANDS\n"
    for one in inner:
        text, more = _said(one.command)
        yield f".SS {_escaped(one.command_path)}\n{text}"
        yield from _options(one, "")
        examples += more
    if examples:
        yield f".SH EXAMPLES\n.nf\n{''.join(dict.fromkeys(examples))}.fi\n"
    yield ".SH SEE ALSO\n.BR git-chat (1)\n"


def _inner(context: click.Context) -> list[click.Context]:
    """The commands of a group that its help lists."""
    if not isinstance(context.command, click.Group):
        return []
    found = (_context(context.command, name, context) for name in context.command.list_commands(context))
    return [one for one in found if not one.command.hidden]


def _usage(context: click.Context) -> str:
    command, pieces = context.command, context.command.collect_usage_pieces(context)
    if isinstance(command, click.Group):
        if not command.invoke_without_command:
            return ""
        pieces.remove(command.subcommand_metavar)  # each has a line of its own
    return f"\\fB{_escaped(context.command_path)}\\fR {_styled(' '.join(pieces))}\n"


def _said(command: click.Command) -> tuple[str, list[str]]:
    """What the help of a command says, as paragraphs, and the lines of its examples."""
    said, examples = "", list[str]()
    text = "\n\n".join(filter(None, (inspect.cleandoc(command.help or ""), command.epilog)))
    for paragraph in re.split(r"\n\s*\n", text):
        is_laid_out = paragraph.startswith(_MARK)
        lines = paragraph.removeprefix(_MARK).strip("\n").split("\n")
        if is_laid_out and lines[0].strip() == _EXAMPLES:
            examples += [_escaped_line(line.strip()) for line in lines[1:]]
        elif is_laid_out:
            said += ".PP\n.nf\n" + "".join(map(_escaped_line, lines)) + ".fi\n"
        else:
            said += ".PP\n" + _escaped_line(" ".join(lines))
    return said.removeprefix(".PP\n"), examples


def _options(context: click.Context, heading: str) -> Iterator[str]:
    """The options, below ``heading`` if there are any but the one for help."""
    for option in context.command.get_params(context):
        record = option.get_help_record(context)
        if isinstance(option, click.Option) and "--help" not in option.opts and record is not None:
            names, text = record
            yield f"{heading}.TP\n{_styled(names)}\n{_escaped_line(' '.join(text.split()))}"
            heading = ""


def _styled(text: str) -> str:
    """Options in bold, what stands for something else in italics."""
    text = re.sub(r"(?<!-)[A-Z]+", r"\\fI\g<0>\\fR", _escaped(text))
    return re.sub(r"(?<!\w)\\-[\\\-\w]*", r"\\fB\g<0>\\fR", text)


def _escaped(text: str) -> str:
    return text.translate(_GLYPHS)


def _escaped_line(text: str) -> str:
    """``text`` as a line of its own, which is no request."""
    line = _escaped(text)
    return f"\\&{line}\n" if line.startswith((".", r"\(aq")) else f"{line}\n"


if __name__ == "__main__":
    main()
