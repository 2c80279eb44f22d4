"""``git chat send``."""

from __future__ import annotations

import click

from gitchat.cli import options, texts
from gitchat.model.attachment import File, safe_name
from gitchat.model.errors import UserError
from gitchat.model.names import parse_locator, parse_recipients, parse_slug
from gitchat.model.record import Draft
from gitchat.workspace.environment import Environment

TEXT = texts.Asked(
    word="message",
    done="sent",
    command="git chat send",
    file="CHAT_EDITMSG",
    template="# Write your message above. Everything from the line with the scissors on is left out;\n"
    "# an empty message sends nothing.\n",
)


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
    help="What sort of message: question, answer, blocker, decision, ... (docs/types.md), or your own.",
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
    environment.repository.location
    environment.repository.refuse_mirror()
    sender = environment.caller.identity(as_)
    name = environment.room_name(room)
    writer = environment.writer(name)
    recipients = parse_recipients(to)
    type_ = parse_slug(type_, "type") if type_ is not None else None
    target = environment.log(name).find(parse_locator(reply_to)) if reply_to is not None else None
    files = _files(environment, attach)
    names = ", ".join(safe_name(file.name) for file in files)
    with texts.given(environment, text, TEXT, default=names) as body:
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
        sent = writer.send(draft, sender, key=key)
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
    if not paths:
        return ()
    from gitchat.rooms.files import read_file  # for who attaches

    limit_bytes = environment.max_attachment_bytes()
    return tuple(read_file(path, limit_bytes=limit_bytes) for path in paths)


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
