"""Which doorbell there is between this clone and the others that follow a remote, and what is said at it.

Source: docs/format.md section 15.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from gitchat.doorbell.knock import Knock
from gitchat.model.errors import ChatError
from gitchat.model.names import Oid, RoomName, Uid, is_uid
from gitchat.model.refs import room_of
from gitchat.storage import git
from gitchat.storage.variables import asking_nobody
from gitchat.workspace.config import bad_config
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.clones.report import Report
    from gitchat.doorbell.doorbell import Doorbell
    from gitchat.doorbell.hubline import Source
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
    config = environment.repository.config
    return bool(config.get("chat.nats")) and config.get_bool("chat.doorbell", True)


def doorbell_of(environment: Environment, remote: str, *, asks_anew: bool = False) -> Doorbell | None:
    """The doorbell between the clones that follow ``remote``, which does nothing yet; None where there is none.

    With ``asks_anew`` also a hub that was seen to have none.

    Raises:
        UserError: ``bad-config``.
    """
    if not environment.repository.config.get_bool("chat.doorbell", True):
        return None
    server = nats_server(environment)
    if server is not None:
        from gitchat.doorbell.nats import NatsDoorbell

        return NatsDoorbell(server, environment.random)
    return _of_hub(environment, remote, asks_anew=asks_anew)


def _of_hub(environment: Environment, remote: str, *, asks_anew: bool) -> Doorbell | None:
    """The doorbell of a hub that tells by itself what moved, where the remote's address may be one of such a hub."""
    address = next(iter(_addresses(environment, remote)), "")
    open_line = _line_to(environment, remote, address)
    if open_line is None:
        return None
    from gitchat.clones.address import compared  # for who has such a remote, as the others
    from gitchat.doorbell.absent import AbsentFile
    from gitchat.doorbell.hubline import HubLine
    from gitchat.doorbell.lines import SILENCE_SECONDS

    absent = AbsentFile(environment.repository.directory, remote)
    place = compared(address, str(environment.repository.main_worktree))
    if not asks_anew and absent.says(place, environment.now().seconds):
        return None

    def note(has_one: bool) -> None:
        if has_one:
            absent.clear()
        else:
            absent.save(place, environment.now().seconds)

    return HubLine(open_line, environment.random, SILENCE_SECONDS, note=note)


def _line_to(environment: Environment, remote: str, address: str) -> Callable[[], Source] | None:
    """What opens a line to a hub at ``address``; None where no hub can be asked there."""
    from gitchat.doorbell.ssh import SshSource, is_by_ssh  # for who has a remote

    config = environment.repository.config
    has_command = config.get("core.sshCommand") is not None
    variables = asking_nobody(git.scrub(environment.variables), has_ssh_command=has_command)
    git_dir, cwd = str(environment.repository.location.common_dir), str(environment.repository.main_worktree)
    if is_by_ssh(address):
        return lambda: SshSource(remote, git_dir=git_dir, cwd=cwd, variables=variables)
    if not address.startswith(("http://", "https://")) or not config.get_bool("http.sslVerify", True):
        return None
    from gitchat.doorbell.events import EventSource  # it brings TLS

    ca_file = config.get("http.sslCAInfo")

    def credentials(url: str) -> tuple[str, str] | None:
        try:
            answer = git.run(["credential", "fill"], cwd=cwd, variables=variables, stdin=f"url={url}\n\n".encode())
        except (git.GitFailed, ChatError):  # nobody knows one, and nobody is asked
            return None
        told = dict(line.partition("=")[::2] for line in answer.stdout.decode("utf-8", "replace").splitlines())
        return (told["username"], told["password"]) if {"username", "password"} <= told.keys() else None

    return lambda: EventSource(address, credentials, os.path.expanduser(ca_file) if ca_file else None)


def _addresses(environment: Environment, remote: str) -> list[str]:
    """Where git fetches from, as it rewrites what is set."""
    try:
        answer = environment.repository.git("remote", "get-url", "--all", "--", remote)
    except git.GitFailed:
        return []
    return answer.decode("utf-8", "replace").splitlines()


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
