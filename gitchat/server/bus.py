"""The tools of agents-mcp-server at work, for one connection. Source: docs/seeds.md.

A refusal is a sentence that begins with ``Error:``, and each answer ends by telling its own size, as there.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gitchat.model.errors import ChatError
from gitchat.model.escape import escape_line, tame_data, tame_line
from gitchat.model.names import EVERYBODY, RoomName
from gitchat.model.participant import Participant
from gitchat.model.record import Entry, Moment
from gitchat.server import polling, pushes
from gitchat.server.agents import TOOLS
from gitchat.server.arguments import check
from gitchat.server.desk import Answer, Bare, Call, Json
from gitchat.server.histories import Histories, channel_of
from gitchat.server.party import host_of, name_of, slug_of
from gitchat.server.registry import UNBOUND_SECONDS, Registry, agent_id, told_of_other
from gitchat.server.way import Way
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment


class Refusal(Exception):
    """What a tool answers in place of doing it; a sentence, without its full stop."""


class Bus(Bare):
    """The desk of one connection."""

    def __init__(self, way: Way, registry: Registry) -> None:
        self._way = way
        self._registry = registry
        self._schemas = {tool["name"]: tool["inputSchema"] for tool in TOOLS}
        self._functions: dict[str, Callable[..., str | Json]] = {
            "agent_broadcast": self._broadcast,
            "agent_deregister": self._deregister,
            "agent_discover": self._discover,
            "agent_dm": self._dm,
            "agent_groups": self._groups,
            "agent_register": self._register,
            "channel_history": self._channel_history,
            "channel_list": self._channel_list,
            "channel_send": self._channel_send,
            "dm_history": self._dm_history,
            "group_history": self._group_history,
            "messages_since": self._messages_since,
            "poll_messages": self._poll_messages,
        }

    async def call(self, name: str, arguments: Any, call: Call) -> Answer:
        """Call a tool: text, or JSON as text."""
        given = check(arguments, self._schemas[name])
        start = time.monotonic()

        def act() -> str | Json:
            self._registry.sweep(unbound_seconds(call.environment))
            return self._functions[name](call, **given)

        try:
            said = await call.act(act)
        except Refusal as refusal:
            said = f"Error: {tame_line(str(refusal))}."
        return _with_meta(said, start)

    def refusal(self, error: ChatError) -> Answer:
        """An error in a sentence. That an argument is wrong is told as a failed call, as there."""
        if error.code == "bad-argument":
            return Answer(tame_line(f"{error} ({error.hint})"), is_error=True)
        return _with_meta(f"Error: {tame_line(str(error))}. {tame_line(error.hint)}", time.monotonic())

    def end(self) -> None:
        """Whom the connection was bound to may come back on another, unless this one is the server."""
        if self._way.is_alone:
            self._registry.close()
        else:
            self._registry.unbind(self)

    def told(self, room: RoomName, entry: Entry) -> list[pushes.Push]:
        """What is pushed to whom the connection is bound to."""
        agent = self._registry.bound_to(self)
        pushed = pushes.of(agent, room, entry, self._registry.spelled, self._host) if agent is not None else None
        return [pushed] if pushed is not None else []

    def _host(self, host: str) -> str:
        """A host, as who calls is told of it."""
        return "server" if self._way.is_far else tame_line(host)

    # --- who is here ---------------------------------------------------------------

    def _register(self, call: Call, name: str, description: str, group: str = "default") -> Json:
        call.ground.admit(name_of(name))
        agent = self._registry.register(call.environment, name, description, group, self)
        peers = [
            {"name": self._registry.spelled(one.name), "group": one.role}
            for one in self._here(call.environment)
            if one.role == agent.group and one.name != agent.name
        ]
        return {
            "agent_id": agent_id(agent.given, host_of(agent.environment, agent.name)),
            "group": agent.group,
            "peers": peers,
            "message": "Registered. Use your name for subsequent calls.",
        }

    def _deregister(self, call: Call, name: str) -> Json:
        call.ground.admit(name_of(name))
        agent = self._registry.of(name)
        if agent is None:
            return {"success": True, "name": name, "message": "was already gone or never registered"}
        self._registry.deregister(agent)
        return {
            "success": True,
            "id": agent_id(agent.given, host_of(agent.environment, agent.name)),
            "name": agent.given,
            "group_name": agent.group,
            "message": f"Deregistered {agent.given}",
        }

    def _here(self, environment: Environment) -> list[Participant]:
        """Who is in the default room, as the other server orders them."""
        return sorted(Room(environment).participants(), key=self._registry.order)

    def _discover(self, call: Call, include_stale: bool = False, group: str = "") -> str:
        environment = call.environment
        room = Room(environment)
        known = environment.roll.known(room.name) if include_stale else room.participants()
        wanted = slug_of(group, "group", "research") if group else ""
        found = [one for one in sorted(known, key=self._registry.order) if not wanted or one.role == wanted]
        told = [self._told_of(one) for one in found]
        # Not reached by a direct message, which is for who is registered here.
        told += [told_of_other(one) for one in room.elsewhere() if not wanted or one.role == wanted]
        if not told:
            return f"No agents in group '{wanted}'" if wanted else "No agents currently registered."
        head = f"Active agents ({len(told)}){f' in group {wanted!r}' if wanted else ''}:"
        return "\n".join([head, *told])

    def _told_of(self, one: Participant) -> str:
        name = self._registry.spelled(one.name)
        host = one.holder.host if one.holder is not None else "unknown"
        state = "active" if one.is_present else "stale"
        return (
            f"- {tame_line(name)} ({tame_line(agent_id(name, host))}): {state} | group: {tame_line(one.role)} "
            f"| host: {self._host(host)} | local"
        )

    def _groups(self, call: Call) -> str:
        groups: dict[str, int] = {}
        for one in self._here(call.environment):
            groups[one.role] = groups.get(one.role, 0) + 1
        if not groups:
            return "No agents registered."
        lines = [f"- {tame_line(role)} ({count} agent{'s' if count > 1 else ''})" for role, count in groups.items()]
        return "\n".join([f"Active groups ({len(lines)}):", *lines])

    # --- saying something ------------------------------------------------------------

    def _broadcast(self, call: Call, name: str, message: str, priority: str = "normal", group: str = "") -> str:
        sender = self._registry.of(name)
        if sender is None:
            raise Refusal(f"You ({name}) not registered. Call agent_register first")
        call.ground.admit(sender.name)
        _refuse_blank(message, "broadcast")
        target = slug_of(group, "group", "research") if group else sender.group
        if target != EVERYBODY and target not in {one.role for one in self._registry.reached(call.environment)}:
            raise Refusal(f"group '{target}' has no registered agents. Use agent_groups to see active groups")
        to = EVERYBODY if target == EVERYBODY else f"role:{target}"
        _say(sender.chat, message, to, urgent=priority == "high")
        _log(call.environment, "BROADCAST", f"{sender.given} -> {target}: {message}")
        return (
            f"Broadcast published to group '{target}'. Sessions bound to that group receive it as "
            '<channel kind="broadcast">.'
        )

    def _dm(self, call: Call, name: str, to: str, message: str) -> str:
        _refuse_blank(message, "DM")
        sender, reader = name_of(name), name_of(to)
        if sender == reader:
            raise Refusal("cannot DM self; use channel_send for self-scratch")
        if reader not in {one.name for one in self._registry.reached(call.environment)}:
            raise Refusal(f"agent '{to}' not registered. Use agent_discover to see active agents")
        _say(self._acting(call, name, None), message, reader)
        _log(call.environment, "DM", f"{name} -> {to}: {message}")
        shown = tame_line(self._registry.spelled(reader))
        return (
            f"DM published to '{shown}'. Live delivery happens when the recipient session is "
            "registered (agent_register auto-binds); otherwise the message stays in dm_history for catch-up."
        )

    def _channel_send(self, call: Call, name: str, channel: str, message: str) -> str:
        _refuse_blank(message, "channel")
        room = channel_of(channel)
        _say(self._acting(call, name, room), message, EVERYBODY)
        _log(call.environment, "CHANNEL", f"#{room} {name}: {message}")
        return f"Message logged to #{room}"

    def _acting(self, call: Call, given: str, room: RoomName | None) -> Room:
        """A room for who says something in it, registered here or not. Raises UserError ``name-held``."""
        name = name_of(given)
        call.ground.admit(name)
        agent = self._registry.of(given)
        chat = Room(agent.environment if agent is not None else call.environment, room, name)
        why_not = chat.why_not_act()
        if why_not is not None:
            raise Refusal(f"cannot act as '{given}': {why_not}")
        return chat

    # --- what was said -----------------------------------------------------------------

    def _histories(self, call: Call) -> Histories:
        return Histories(call.environment, self._registry.spelled)

    def _channel_history(self, call: Call, channel: str, limit: int = 50, detailed: bool = False) -> str | Json:
        return self._histories(call).of_channel(channel, limit, detailed)

    def _channel_list(self, call: Call) -> str:
        return self._histories(call).channels()

    def _group_history(self, call: Call, group: str, limit: int = 50) -> str:
        return self._histories(call).of_group(group, limit)

    def _dm_history(
        self, call: Call, name: str, with_agent: str, limit: int = 50, detailed: bool = False
    ) -> str | Json:
        return self._histories(call).of_pair(name, with_agent, limit, detailed)

    def _messages_since(self, call: Call, since_id: int = 0, limit: int = 100) -> Json:
        environment, spelled = call.environment, self._registry.spelled
        found, last = polling.since(environment, since_id, limit, lambda came: True)
        messages = [came.form(spelled) for came in found]
        for came, message in zip(found, messages, strict=True):
            message["origin_host"] = self._host(host_of(environment, came.entry.record.author))
        return {"messages": messages, "last_id": last}

    def _poll_messages(self, call: Call, name: str, since_id: int = 0) -> Json:
        groups = {one.name: one.role for one in self._registry.reached(call.environment)}
        agent = name_of(name)
        if agent not in groups:
            raise Refusal(f"Agent '{name}' not registered. Call agent_register first")
        found, last = polling.since(call.environment, since_id, 50, polling.is_for(agent, groups[agent]))
        return {"messages": [came.short_form(self._registry.spelled) for came in found], "last_id": last}


def _with_meta(said: str | Json, start: float) -> Answer:
    """An answer that tells its own size: characters and lines of what stands before, and how long it took.

    What others wrote in a text has been made harmless where it stands; some of the text is ours, and means a tag.
    """
    value = said if isinstance(said, str) else tame_data(said)
    text = value if isinstance(value, str) else _json(value)
    meta = {"chars": len(text), "lines": text.count("\n") + 1, "ms": round((time.monotonic() - start) * 1000)}
    if isinstance(value, str):
        return Answer(f"{text}\n---\n_meta: {_json(meta)}")
    return Answer(_json({**value, "_meta": meta}))


def _say(chat: Room, message: str, to: str, *, urgent: bool = False) -> None:
    """Send a message, and take it in at once: the ids of messages_since then have the order of what is said here."""
    chat.send(message, to=to, urgent=urgent)
    chat.records.chain()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _refuse_blank(message: str, what: str) -> None:
    if not message.strip():
        raise Refusal(f"{what} message body cannot be empty or whitespace-only")


def unbound_seconds(environment: Environment) -> float:
    """How long who is bound to nothing stays registered: ``AGENTS_UNBOUND_TIMEOUT_MS``, else a minute."""
    given = environment.variables.get("AGENTS_UNBOUND_TIMEOUT_MS", "")
    return int(given) / 1000 if given.isdecimal() and int(given) else UNBOUND_SECONDS


def _log(environment: Environment, kind: str, said: str) -> None:
    """A line in ``AGENTS_LOG_FILE``, where that is set. Never fails: what was said is said."""
    path = environment.variables.get("AGENTS_LOG_FILE", "")
    if not path:
        return
    now = environment.now()
    clock = Moment(now.seconds + 60 * now.offset_minutes).utc[11:19]
    with suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, f"[{clock}] [{kind}] {escape_line(said)}\n".encode("utf-8", "replace"))
        finally:
            os.close(descriptor)
