"""What can be wrong with the clients of agents: files of an older version, a server that does not start."""

from __future__ import annotations

from collections.abc import Iterator

from gitchat.care.finding import Finding
from gitchat.model.errors import ChatError
from gitchat.setup import clients, handshake, launch, upkeep
from gitchat.setup.place import home
from gitchat.workspace.environment import Environment


def examine(environment: Environment) -> Iterator[Finding]:
    """Each client that is set up here, or could be, and each server that one of them starts."""
    servers: dict[tuple[str, ...], str] = {}
    names = set()
    for found in upkeep.standings(environment):
        names.add(found.client.name)
        yield from _standing(found)
        if found.server:
            servers.setdefault(found.server, found.command)
    yield from _missing(environment, names)
    if servers:
        yield from _gate(environment)
    for words, command in servers.items():
        yield _server(environment, words, command)


def _standing(found: upkeep.Standing) -> Iterator[Finding]:
    subject = f"client {found.client.name}"
    if found.fault is not None:
        yield Finding("note", subject, str(found.fault), found.fault.hint)
        return
    for text, command in found.faults:
        yield Finding("note", subject, text, command)
    if found.is_set_up and not found.stale:
        yield Finding("ok", subject, f"is set up: {', '.join(found.files)}")


def _missing(environment: Environment, names: set[str]) -> Iterator[Finding]:
    """The clients that are in use here, and were not told."""
    top = environment.repository.worktree
    try:
        own = home(environment.variables)
    except ChatError:
        own = None
    for client in clients.CLIENTS:
        where = client.where_found(own, top, environment.variables.get("PATH")) if client.is_written else []
        if where and client.name not in names:
            command = f"git chat setup {client.name}"
            yield Finding("ok", f"client {client.name}", f"is found ({', '.join(where)}), not set up: {command}")


def _gate(environment: Environment) -> Iterator[Finding]:
    program = launch.Launch.here(environment.variables).gate[0]
    if not launch.is_found(program, environment.variables):
        yield Finding(
            "wrong", "hooks", f"{program} is not found, so the hooks of agents' clients are silent",
            "install gitchat anew, so that its programs are in PATH",
        )  # fmt: skip


def _server(environment: Environment, words: tuple[str, ...], command: str) -> Finding:
    line, anew = " ".join(words), f"write it anew: {command} --remove && {command}"
    try:
        count = handshake.tools_of(words, cwd=str(environment.repository.worktree), variables=environment.variables)
    except handshake.NoAnswer as error:
        return Finding("wrong", "server", f"'{line}', which a client starts, does not answer: {error}", anew)
    return Finding("ok", "server", f"'{line}', as a client starts it, answers, with {count} tools")
