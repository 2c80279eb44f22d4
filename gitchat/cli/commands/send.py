"""``git chat send``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from gitchat.cli import options, texts
from gitchat.cli.arriving import arrive
from gitchat.cli.naming import tell_of_name
from gitchat.model.attachment import File, safe_name
from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import RoomName, parse_locator, parse_recipients, parse_slug
from gitchat.model.record import Draft, Entry, Identity
from gitchat.model.refs import seat_ref
from gitchat.workspace.environment import Environment

TEXT = texts.Asked(
    word="message",
    done="sent",
    command="git chat send",
    file="CHAT_EDITMSG",
    template="# Write your message above. Everything from the line with the scissors on is left out;\n"
    "# an empty message sends nothing.\n",
)


class _Send(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """With ``--sync`` alone, which click would give the next word to, stand for its usual time."""
        end = args.index("--") if "--" in args else len(args)
        return super().parse_args(ctx, [_USUAL_SYNC if word == "--sync" else word for word in args[:end]] + args[end:])


_USUAL_SYNC = "--sync=30"


@click.command("send", cls=_Send, epilog="Give '-' as TEXT to send standard input.")
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
@click.option("--local", "is_local", is_flag=True, help="Keep the room in this clone: it is pushed to no remote.")
@click.option(
    "--uid", "key", metavar="KEY", help="Your own key for this message; sending it again with the same key is harmless."
)
@click.option(
    "--sync",
    "sync_seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="[=SECONDS]",
    help="Wait until the remote that the room follows has given the message its number.  [30]",
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
    is_local: bool,
    key: str | None,
    sync_seconds: float | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Send a message and print its number.

    Without TEXT, git's editor opens, as for a commit; with --attach and without TEXT, the
    names of the files are the text.

    In a room that follows a remote a message has a handle (~k3f9q2) until the remote has taken it, to which it goes
    by itself; in a script, and under CI, send carries it there, for 10 seconds at most. --sync waits for the number:
    without it by then the handle is printed, the reason is said, and the exit status is 5.

    \b
    Examples:
      git chat send "I take the parser"
      git chat send -t codex --type question "Which tests fail for you?"
      git chat send -t codex -r 12 "All of them"
      make test 2>&1 | tail -50 | git chat send --type blocker -
      git chat send --attach trace.txt "The parser fails like this"
      git chat send --sync "Released as 1.2"
    """
    environment.repository.refuse_mirror()
    name = arrive(environment, room) if not is_local else environment.room_name(room)
    sender = environment.caller.identity(as_)  # after the look: an agent's name steps aside for one that is in use
    writer = environment.writer(name)
    recipients = parse_recipients(to)
    type_ = parse_slug(type_, "type") if type_ is not None else None
    target = environment.log(name).find(parse_locator(reply_to)) if reply_to is not None else None
    files = _files(environment, attach)
    with texts.given(environment, text, TEXT, default=", ".join(safe_name(file.name) for file in files)) as body:
        _check_json(body if json_body else "null")
        draft = Draft(
            body=body, to=recipients, type=type_, reply_to=target.record.uid if target else None,
            urgent=priority == "urgent", media="json" if json_body else None, files=files,
        )  # fmt: skip
        if is_local:
            writer.describe(sender, stays_here=True)
        _sit_down(environment, name, sender)
        sent = writer.send(draft, sender, key=key)
    entry, trouble = _delivered(environment, name, sent.entry, sync_seconds)
    if not quiet or as_json:
        click.echo(_shown(entry, target, as_json), nl=not as_json)
    _tell_of_several(environment, name, recipients if not quiet else (), sender)
    if as_ is None and not quiet:
        tell_of_name(environment)
    _hand_on(environment, entry, trouble, quiet)


def _hand_on(environment: Environment, entry: Entry, trouble: ChatError | None, is_quiet: bool) -> None:
    """Have the message that was printed pushed. Raises ``trouble``, after which nothing more is said."""
    if entry.number is not None:
        return
    from gitchat.cli.delivering import hand_on  # for who has a remote

    sys.stdout.flush()  # what was said is seen before anything else is started
    hand_on(environment, entry.room, is_quiet=is_quiet or trouble is not None)
    if trouble is not None:
        raise trouble


def _sit_down(environment: Environment, room: RoomName, sender: Identity) -> None:
    """Let an agent sit that speaks before it has read; see Seating.sit_down."""
    if sender.clone is None:
        return
    from gitchat.presence.seats import Seats  # for who has a seat

    sitting = Seats(environment.repository.directory).of(sender.name)
    is_mine = sitting is not None and not sitting.is_over(environment.caller.session, environment.now().seconds)
    if not is_mine or environment.store.tip(seat_ref(room, sender.name)) is None:
        from gitchat.workspace.seating import Seating  # once for each room: it brings SQLite

        Seating(environment).sit_down(room, sender.name)


def _delivered(
    environment: Environment, room: RoomName, entry: Entry, seconds: float | None
) -> tuple[Entry, ChatError | None]:
    """The message after waiting for its number, where somebody asked for that or nobody stays; and why it has none."""
    if entry.number is not None:
        return entry, None
    if seconds is not None:
        from gitchat.cli.delivering import deliver  # for who waits

        return deliver(environment, room, entry, seconds)
    from gitchat.workspace.pushing import stays  # for who has a remote

    if stays(environment):
        return entry, None
    from gitchat.cli.delivering import push_now

    return push_now(environment, room, entry), None


def _tell_of_several(
    environment: Environment, room: RoomName, recipients: Sequence[str], sender: Identity
) -> None:  # fmt: skip
    """Say whom the message reaches, where a name that it is for is more than one, and whom it does not wake."""
    if recipients:
        from gitchat.cli.addressing import asleep, reached  # after the number was printed

        for line in [*reached(environment, room, recipients), *asleep(environment, recipients, sender)]:
            click.echo(line, err=True)


def _shown(entry: Entry, target: Entry | None, as_json: bool) -> str:
    """What names the message, or all of it; ``target`` is the one that it answers."""
    if not as_json:
        return entry.label
    from gitchat.cli.render import json_line

    return json_line(entry, {target.record.uid: target.label} if target else {})


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
