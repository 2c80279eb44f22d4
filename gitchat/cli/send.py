"""``git chat send``."""

from __future__ import annotations

import sys

import click

from gitchat.attachment import File, safe_name
from gitchat.cli import options, terminal
from gitchat.environment import Environment
from gitchat.errors import ChatError, UserError
from gitchat.files import read_file
from gitchat.names import parse_locator, parse_recipients, parse_slug
from gitchat.record import MAX_BODY_BYTES, Draft

EDIT_FILE = "CHAT_EDITMSG"


@click.command("send", epilog="Give '-' as TEXT to send standard input.")
@click.argument("text", nargs=-1)
@click.option(
    "-t", "--to", "to", multiple=True, metavar="WHO", help="A name, role:ROLE, or all. Repeatable.  [default: all]"
)
@options.room
@click.option(
    "--type",
    "type_",
    metavar="TYPE",
    help="What kind of message: question, answer, blocker, decision, ... or your own.",
)
@click.option("-r", "--reply-to", metavar="NUMBER", help="The message this answers: 12, or a handle such as ~k3f9q2.")
@click.option("--priority", type=click.Choice(["normal", "urgent"]), default="normal", show_default=True)
@click.option("-a", "--attach", multiple=True, metavar="FILE", help="A file to send along. Repeatable.")
@click.option("--json-body", is_flag=True, help="TEXT is JSON; refuse it when it is not.")
@click.option("--as", "as_", metavar="NAME", help="Send under this name.")
@click.option(
    "--uid", "key", metavar="KEY", help="Your own key for this message; sending it again with the same key is harmless."
)
@click.option("--json", "as_json", is_flag=True, help="Print the stored message as JSON instead of its number.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing.")
@click.pass_obj
def command(
    environment: Environment,
    text: tuple[str, ...],
    to: tuple[str, ...],
    room: str | None,
    type_: str | None,
    reply_to: str | None,
    priority: str,
    attach: tuple[str, ...],
    json_body: bool,
    as_: str | None,
    key: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Send a message and print its number.

    Without TEXT, git's editor opens, as for a commit; with --attach and without TEXT, the
    names of the files are the text.

    \b
    Examples:
      git chat send "I take the parser"
      git chat send -t codex --type question "Which tests fail for you?"
      git chat send -t codex -r 12 "All of them"
      make test 2>&1 | tail -50 | git chat send --type blocker -
      git chat send --attach trace.txt "The parser fails like this"
    """
    environment.location
    environment.refuse_mirror()
    sender = environment.identity(as_)
    chat = environment.log(environment.room_name(room))
    recipients = parse_recipients(to)
    type_ = parse_slug(type_, "type") if type_ is not None else None
    target = chat.find(parse_locator(reply_to)) if reply_to is not None else None
    files = _files(environment, attach)
    body, is_edited = _body(environment, text, files)
    try:
        _check_utf8(body)
        if json_body:
            _check_json(body)
        draft = Draft(
            body=body,
            to=recipients,
            type=type_,
            reply_to=target.record.uid if target else None,
            urgent=priority == "urgent",
            media="json" if json_body else None,
            files=files,
        )
        sent = chat.send(draft, sender, key=key)
    except ChatError as error:
        if is_edited:
            path = environment.location.git_dir / EDIT_FILE
            error.hint += f"; your text is kept in {path}"
        raise
    if is_edited:
        (environment.location.git_dir / EDIT_FILE).unlink(missing_ok=True)
    if as_json:
        from gitchat.cli.render import json_line

        labels = {target.record.uid: target.label} if target else {}
        click.echo(json_line(sent.entry, labels), nl=False)
    elif not quiet:
        click.echo(sent.entry.label)


def _files(environment: Environment, paths: tuple[str, ...]) -> tuple[File, ...]:
    """What to attach. Standard input is the text's, so '-' is not taken for a file."""
    if "-" in paths:
        raise UserError(
            "standard input cannot be attached",
            hint="save it to a file and attach that; a file of this name is ./-",
            code="not-a-file",
        )
    limit_bytes = environment.max_attachment_bytes() if paths else 0
    return tuple(read_file(path, limit_bytes=limit_bytes) for path in paths)


def _body(environment: Environment, text: tuple[str, ...], files: tuple[File, ...]) -> tuple[str, bool]:
    """The message's text, and whether it came from the editor."""
    if text == ("-",):
        return _read_standard_input(), False
    if text:
        return " ".join(text), False
    if files:
        return ", ".join(safe_name(file.name) for file in files), False
    if sys.stdin is None or not sys.stdin.isatty():
        raise UserError(
            "no text to send",
            hint="git chat send \"hello\"; or give '-' to send standard input",
            code="no-text",
        )
    template = "# Write your message above. Everything from the line with the scissors on is left out;\n"
    template += "# an empty message sends nothing.\n"
    body = terminal.edit(environment, template, EDIT_FILE)
    if not body:
        (environment.location.git_dir / EDIT_FILE).unlink(missing_ok=True)
        raise UserError("nothing was sent: the message is empty", hint="git chat send", code="blank-body")
    return body, True


def _read_standard_input() -> str:
    """Standard input without its last line break, read no further than any limit can allow."""
    try:
        data = sys.stdin.buffer.read(MAX_BODY_BYTES + 1)
    except (AttributeError, OSError) as error:  # who started us closed it, or gave a directory
        raise UserError(
            "standard input cannot be read", hint='give the text: git chat send "hello"', code="no-text"
        ) from error
    if len(data) > MAX_BODY_BYTES:
        raise UserError(
            f"standard input has more than {MAX_BODY_BYTES:,} bytes, the most a message can have",
            hint="send a part of it (tail -c 60000), or commit it as a file and send its path",
            code="body-too-long",
        )
    return data.decode("utf-8", "surrogateescape").removesuffix("\n").removesuffix("\r")


def _check_utf8(text: str) -> None:
    if any("\udc80" <= character <= "\udcff" for character in text):
        raise UserError(
            "the message is not UTF-8",
            hint="convert it: iconv -f latin1 -t utf-8 FILE | git chat send -",
            code="not-utf-8",
        )


def _check_json(body: str) -> None:
    import json

    try:
        json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"the text is not JSON: {error}", hint="check it: python3 -m json.tool FILE", code="not-json"
        ) from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")
