"""``git chat room``."""

from __future__ import annotations

import click

from gitchat.cli import terminal
from gitchat.cli.grammar import Verbs
from gitchat.cli.naming import may_speak
from gitchat.model.errors import ConflictError, UserError
from gitchat.model.names import DEFAULT_ROOM, parse_room
from gitchat.model.refs import log_ref
from gitchat.workspace.environment import Environment

NAME = click.argument("name", metavar="ROOM")
LOCAL = click.option("--local", "is_local", is_flag=True, help="Keep it in this clone: it is pushed to no remote.")
AS = click.option("--as", "as_", metavar="NAME", help="Do it under this name.")


@click.group("room", cls=Verbs)
def command() -> None:
    """Open, close, title, rename, delete, share or forget a room.

    A room also begins by itself with its first message.
    """


@command.command("open")
@NAME
@click.option("--title", metavar="TEXT", help="One line that says what the room is for.")
@LOCAL
@AS
@click.pass_obj
def open_room(environment: Environment, name: str, title: str | None, is_local: bool, as_: str | None) -> None:
    """Make a room, or open a closed one again."""
    _describe(environment, name, as_, title=title, state="open", is_local=is_local)


@command.command("close")
@NAME
@AS
@click.pass_obj
def close_room(environment: Environment, name: str, as_: str | None) -> None:
    """Close a room: it can be read, and nobody can write to it.

    Refused where there is no such room.
    """
    _refuse_unknown(environment, name)
    _describe(environment, name, as_, state="closed")


@command.command("title")
@NAME
@click.argument("text", nargs=-1, required=True)
@LOCAL
@AS
@click.pass_obj
def title_room(environment: Environment, name: str, text: tuple[str, ...], is_local: bool, as_: str | None) -> None:
    """Say what a room is for."""
    _refuse_unknown(environment, name)
    _describe(environment, name, as_, title=" ".join(text), is_local=is_local)


@command.command("share")
@NAME
@AS
@click.pass_obj
def share_room(environment: Environment, name: str, as_: str | None) -> None:
    """Let a room that was kept here (--local) go where the others go.

    It is published with a sync, which is done at once where there is a remote. The same for a room that began before
    this clone followed one.
    """
    from gitchat.cli import syncing  # for who syncs

    _refuse_unknown(environment, name)
    room = parse_room(name)
    environment.repository.refuse_mirror()
    remote = environment.authorities.of(room)
    if remote is not None:
        click.echo(f"room '{room}' follows {terminal.escape_line(remote)}")
        return
    environment.writer(room).describe(environment.caller.identity(may_speak(environment, as_)), stays_here=False)
    if not environment.repository.remotes():
        click.echo(f"room '{room}' goes with the first git chat sync")
        return
    syncing.bring_together(environment, None, name, syncing.Agreement(), pushes=True, as_json=False)


@command.command("rename")
@NAME
@click.argument("new", metavar="NEW")
@AS
@click.pass_obj
def rename_room(environment: Environment, name: str, new: str, as_: str | None) -> None:
    """Call ROOM NEW, while only you wrote in it and no remote has it.

    Every message keeps its number, and what was read stays read. A room that others have can be closed, or be given a
    title; its name is theirs, too.
    """
    from gitchat.verbs.owning import rename  # brings SQLite
    from gitchat.verbs.standpoint import Standpoint

    room, other = Standpoint(environment, name, may_speak(environment, as_)), environment.room_name(new)
    rename(room, other)
    click.echo(f"room '{room.name}' is called '{other}' now")
    if environment.room_name(None) == room.name != DEFAULT_ROOM:
        click.echo(f"chat.room names it still: git config chat.room {other}", err=True)


@command.command("delete")
@NAME
@AS
@click.pass_obj
def delete_room(environment: Environment, name: str, as_: str | None) -> None:
    """Delete a room in which only you wrote, and which no remote has.

    A command that brings it back is printed, until git prunes what nothing points to.
    """
    from gitchat.verbs.owning import delete  # brings SQLite
    from gitchat.verbs.standpoint import Standpoint

    room = Standpoint(environment, name, may_speak(environment, as_))
    count, tip = delete(room)
    click.echo(f"room '{room.name}' is deleted, with {count} message{'' if count == 1 else 's'}")
    click.echo(f"back, until git prunes it: git update-ref {log_ref(room.name)} {tip}", err=True)


@command.command("forget")
@NAME
@click.option("--yes", "has_consent", is_flag=True, help="Agree that messages which the remote never had are lost.")
@click.pass_obj
def forget_room(environment: Environment, name: str, has_consent: bool) -> None:
    """Drop a room here that was deleted at its remote: messages, summaries and cursors.

    Refused while the remote has the room, and for a room that follows none. What the remote never had is lost by it,
    and has to be agreed to.
    """
    from gitchat.clones.forgetting import forget  # for who syncs
    from gitchat.workspace.remotes import wire_to

    room = parse_room(name)
    remote = environment.authorities.of(room)
    if remote is None:
        _refuse_unknown(environment, name)
        raise UserError(
            f"room '{room}' follows no remote, so it is nowhere but here",
            hint=f"close it: git chat room close {room}",
            code="not-attached",
        )
    wire = wire_to(environment, environment.repository.remote_name(remote), is_typed=True)
    if log_ref(room) in wire.listed(log_ref(room)):
        raise ConflictError(
            f"'{remote}' has a room '{room}'",
            hint="it would come back with the next sync; delete it there first: "
            f"git push {remote} --delete {log_ref(room)}",
            code="room-exists",
        )
    pending = 0 if has_consent else len(environment.log(room).pending())
    if pending:
        raise ConflictError(
            f"{pending} message{'s' if pending > 1 else ''} in room '{room}' "
            f"{'were' if pending > 1 else 'was'} never at '{remote}'",
            hint=f"bring the room back: git chat sync {remote} --room {room} --restore; or lose them: "
            f"git chat room forget {room} --yes",
            code="pending",
        )
    forget(environment.store, room, remote)
    environment.authorities.forget(room)
    click.echo(f"room '{room}' is forgotten here")


def _describe(
    environment: Environment,
    name: str,
    as_: str | None,
    *,
    title: str | None = None,
    state: str | None = None,
    is_local: bool = False,
) -> None:
    writer = environment.writer(parse_room(name))
    environment.repository.refuse_mirror()
    sender = environment.caller.identity(may_speak(environment, as_))
    writer.describe(sender, title=title, state=state, stays_here=True if is_local else None)
    overview = environment.log(writer.name).overview()
    shown = f": {overview.title}" if overview.title else ""
    click.echo(f"room '{overview.name}' is {'closed' if overview.is_closed else 'open'}{shown}")


def _refuse_unknown(environment: Environment, name: str) -> None:
    environment.refuse_unknown_room(parse_room(name))
