"""``git chat remote``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from gitchat.cli import syncing, terminal
from gitchat.cli.grammar import Verbs
from gitchat.model.errors import ChatError, ConflictError, UserError
from gitchat.model.names import RoomName, parse_room
from gitchat.quick.ago import relative
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.clones.denial import Denial
    from gitchat.model.layout import Layout

prefix = click.option("--prefix", metavar="PREFIX", help="Below what the rooms stand there, with a slash.")


@click.group("remote", cls=Verbs, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a room.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show which remote numbers each room, and what is pending.

    \b
    Examples:
      git chat remote
      git chat remote attach lobby origin
      git chat remote move origin
      git chat remote detach lobby
    """
    environment: Environment = context.obj
    if context.invoked_subcommand is not None:
        return
    for room in environment.store.rooms():
        _show(environment, room, as_json)


def _show(environment: Environment, room: RoomName, as_json: bool) -> None:
    authority, pending = environment.authorities.of(room), environment.log(room).pending()
    since = environment.store.read(pending[0]).author.moment if pending else None
    denial = _denial(environment, authority) if authority is not None else None
    if as_json:
        shown: dict[str, Any] = {"room": room, "remote": authority, "pending": len(pending)} | (
            {"denied": denial.words} if denial is not None else {}
        )
        click.echo(terminal.json_text(shown | ({"pending_since": since.utc} if since else {})))
        return
    ago = relative(environment.now().seconds - since.seconds) if since else ""
    waiting = f", {len(pending)} pending, the oldest from {ago}" if since else ""
    stays = ", and stays here" if authority is None and environment.numbering(room).stays_here() else ""
    reads = ", where you may read and not push" if denial is not None else ""
    click.echo(f"{room}: {terminal.escape_line(authority) if authority else 'this clone'}{reads}{stays}{waiting}")


def _denial(environment: Environment, remote: str) -> Denial | None:
    from gitchat.clones.denial import DenialFile  # for who has a remote

    return DenialFile(environment.repository.directory, remote).load()


@command.command("attach")
@click.argument("room", metavar="ROOM")
@syncing.remote
@prefix
@syncing.yes
@syncing.as_json
@click.pass_obj
def attach(
    environment: Environment, room: str, remote: str | None, prefix: str | None, has_consent: bool, as_json: bool
) -> None:
    """From now on REMOTE gives the numbers of ROOM.

    The same as git chat sync REMOTE --room ROOM: what is here is pushed, what is there is fetched.

    With --prefix refs/heads/chatroom/ the rooms are branches at REMOTE, for a host that takes nothing else: all who
    see its branches see them, and a push may start its CI. Who attaches later finds them there.
    """
    name, chosen = environment.repository.remote_name(remote), parse_room(room)
    layout = _layout(prefix, f"git chat remote attach {room} {name}")
    if layout is not None:
        _refuse_another_prefix(environment, name, chosen, layout)
    syncing.bring_together(
        environment,
        name,
        room,
        syncing.Agreement(has_consent, layout=layout, takes=chosen if has_consent else None),
        pushes=True,
        as_json=as_json,
    )


def _layout(prefix: str | None, command: str) -> Layout | None:
    """What was given with --prefix. Raises UserError ``bad-prefix``."""
    from gitchat.model.layout import BRANCHES, parse_prefix

    layout = parse_prefix(prefix) if prefix is not None else None
    if prefix is not None and layout is None:
        raise UserError(
            f"'{prefix}' is nothing below which rooms can stand: it begins as a branch does, and ends in a slash",
            hint=f"{command} --prefix {BRANCHES.prefix}",
            code="bad-prefix",
        )
    return layout


def _refuse_another_prefix(environment: Environment, remote: str, room: RoomName, layout: Layout) -> None:
    """Raise ConflictError ``another-prefix`` where rooms of the remote stand elsewhere: nobody would see both."""
    from gitchat.clones.whereabouts import look
    from gitchat.model.layout import BRANCHES, PLAIN
    from gitchat.workspace.remotes import wire_to

    known = environment.authorities.known_layout(remote)
    move = f"git chat remote move {remote} --prefix {layout.prefix}"
    if known not in (None, layout) and remote in environment.authorities.all().values():
        assert known is not None
        raise ConflictError(
            f"rooms here follow '{remote}' below {known.prefix}",
            hint=f"move all of them: {move}",
            code="another-prefix",
        )
    found = look(wire_to(environment, remote, is_typed=True), *dict.fromkeys((layout, PLAIN, BRANCHES)))
    others = [other for other in found.places if room in found.rooms(other)]
    if others and layout not in others:
        raise ConflictError(
            f"room '{room}' is at '{remote}' below {others[0].prefix}",
            hint=f"attach it there: git chat remote attach {room} {remote} --prefix {others[0].prefix}; "
            f"who follows it there can move it: {move}",
            code="another-prefix",
        )


@command.command("move")
@syncing.remote
@click.option("--from", "old", metavar="URL", help="Where the rooms stood, for who still follows them there.")
@prefix
@syncing.as_json
@click.pass_obj
def move(environment: Environment, remote: str | None, old: str | None, prefix: str | None, as_json: bool) -> None:
    """Say that the rooms which follow REMOTE stand at its present address now.

    After git remote set-url: what is missing there is pushed, and where its rooms go another way since some number,
    its order counts. Another repository's rooms are refused all the same.

    At the old place it is said where each room went (a record of the room, with the address, without user and
    password), so that who still follows it there is told; where it cannot be reached nothing is lost.

    With --prefix refs/heads/chatroom/ they become branches of REMOTE, and with --prefix refs/chatroom/ they are none
    any more. Clones that follow them go along by themselves, at their next round.
    """
    from gitchat.workspace.farewell import moved_rooms, say_where  # for who moves

    name = environment.repository.remote_name(remote)
    followed = sorted(set(environment.authorities.all().values()))
    if name not in followed:
        raise UserError(
            f"no room here follows '{name}'",
            hint=f"rooms here follow {', '.join(followed)}: git chat remote move {followed[0]}"
            if followed
            else f"attach the rooms to it: git chat sync {name}",
            code="not-attached",
        )
    layout = _layout(prefix, f"git chat remote move {name}")
    before = environment.authorities.notes.all()
    with _laid(environment, name, layout):
        syncing.bring_together(environment, name, None, syncing.Agreement(has_moved=True), pushes=True, as_json=as_json)
    moved = moved_rooms(environment, name, before, old)
    for sentence in say_where(environment, name, moved, old) if moved else ():
        click.echo(terminal.escape_line(sentence), err=True)


@contextmanager
def _laid(environment: Environment, remote: str, layout: Layout | None) -> Iterator[None]:
    """Have the rooms of ``remote`` elsewhere there, as was announced before; as they were where that fails."""
    from gitchat.workspace.farewell import announce

    authorities = environment.authorities
    old = authorities.layout(remote)
    if layout is None:
        yield
        return
    if layout != old:
        announce(environment, remote, layout)
    authorities.set_layout(remote, layout)
    try:
        yield
    except ChatError:
        authorities.set_layout(remote, old)
        raise


@command.command("detach")
@click.argument("room", metavar="ROOM")
@click.option("--yes", "has_consent", is_flag=True, help="Agree that pending messages get numbers of this clone.")
@click.pass_obj
def detach(environment: Environment, room: str, has_consent: bool) -> None:
    """From now on this clone gives the numbers of ROOM.

    Refused while the remote has not accepted everything: those messages would get numbers that may stand for others
    there.
    """
    from gitchat.clones.forgetting import untrack  # for who syncs

    name: RoomName = parse_room(room)
    environment.refuse_unknown_room(name)
    authority = environment.authorities.of(name)
    with environment.store.writing():  # or a message that is sent now would be pending nowhere
        pending = 0 if has_consent else len(environment.log(name).pending())
        if not pending:
            environment.authorities.detach(name)
    if pending:
        raise ConflictError(
            f"{pending} message{'s' if pending > 1 else ''} in room '{name}' "
            f"{'are' if pending > 1 else 'is'} pending at '{authority}'",
            hint=f"push first: git chat sync {authority} --room {name}; or number them here: "
            f"git chat remote detach {name} --yes",
            code="pending",
        )
    if authority is not None:
        untrack(environment.store, name, authority)
    click.echo(f"{name}: this clone")
