"""Which doorbell there is between this clone and the others that follow a remote, and what is said at it.

Source: docs/format.md section 15.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from gitchat.doorbell.knock import Knock
from gitchat.model.errors import ChatError
from gitchat.model.names import Oid, RoomName, Uid, is_uid
from gitchat.model.refs import room_of
from gitchat.workspace.config import bad_config
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.clones.report import Report
    from gitchat.doorbell.doorbell import Doorbell
    from gitchat.doorbell.server import NatsServer


def nats_server(environment: Environment) -> NatsServer | None:
    """The NATS server that is set; None where none is, and then nothing of it is loaded.

    Raises:
        UserError: ``bad-config``.
    """
    config = environment.repository.config
    url = config.get("chat.nats")
    if not url:
        return None
    from gitchat.doorbell.server import NatsServer, is_prefix, is_server  # for who sets it

    if not is_server(url):
        shown = re.sub("//[^/]*@", "//", url)  # no password
        raise bad_config("chat.nats", shown, "an address such as nats://HOST:4222 or tls://HOST:4222")
    prefix = config.get("chat.natsPrefix") or ""
    if prefix and not is_prefix(prefix):
        raise bad_config("chat.natsPrefix", prefix, "words of letters, digits, - and _ with dots between them")
    given = config.get("chat.natsCredentials")
    top = environment.repository.main_worktree
    return NatsServer(url, os.path.join(top, os.path.expanduser(given)) if given else None, prefix)


def nats_missing(environment: Environment) -> str | None:
    """That the library is not installed which ``chat.nats`` needs, where it is set. Looks, and loads nothing.

    Raises UserError ``bad-config``.
    """
    server = nats_server(environment)
    if server is None:
        return None
    from importlib.util import find_spec  # for who sets it

    from gitchat.doorbell.server import MISSING

    needed = ["nats"] + (["nkeys"] if server.credentials is not None else [])
    return MISSING if any(find_spec(name) is None for name in needed) else None


def is_rung_by_pushers(environment: Environment) -> bool:
    """Whether nobody hears of a push but by who made it, as a hub does that reports it. Raises UserError."""
    return bool(environment.repository.config.get("chat.nats"))


def doorbell_of(environment: Environment, remote: str) -> Doorbell | None:
    """The doorbell between the clones that follow ``remote``, which does nothing yet; None where there is none.

    Raises:
        UserError: ``bad-config``.
    """
    server = nats_server(environment)
    if server is not None:
        from gitchat.doorbell.nats import NatsDoorbell

        return NatsDoorbell(server, environment.random)
    return None


def first_uid(environment: Environment, room: RoomName) -> Uid | None:
    """The uid of the first record of ``room``, by which other clones know it; None where it has no number yet.

    Raises FormatError.
    """
    from gitchat.rooms.numbering import rule  # for who has a doorbell

    first = environment.numbering(room).chain().oid_of(1)
    node = rule(first, environment.store.read(first)) if first is not None else None
    uid = node.key[0] if node is not None and node.key is not None else ""
    return Uid(uid) if is_uid(uid) else None


def knocks_of(environment: Environment, remote: str, report: Report) -> list[Knock]:
    """What to say of what ``remote`` took. Never fails: of a room that cannot be read nothing is said."""
    if not report.taken:
        return []
    found = [knock for ref, tip in report.taken.items() if (knock := _knock(environment, room_of(ref), tip))]
    # Nobody listens yet for a room that begins: who follows the same remote hears of it at the others.
    begun = [tip for ref, tip in report.taken.items() if room_of(ref) in report.begun]
    others = [room for room, followed in environment.authorities.all().items() if followed == remote]
    for tip in begun:
        known = (_knock(environment, room, tip) for room in others if room not in report.begun)
        found += [knock for knock in known if knock is not None]
    return found


def _knock(environment: Environment, room: RoomName, tip: Oid) -> Knock | None:
    try:
        uid = first_uid(environment, room)
        count = environment.numbering(room).chain().count
    except ChatError:
        return None
    return Knock(uid, tip, count, environment.clone.known()) if uid is not None else None
