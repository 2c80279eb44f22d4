"""The tools of mcp-agent-collaboration at work, for one connection. Source: docs/seeds.md."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from gitchat.model.errors import ChatError, UserError
from gitchat.model.escape import tame_data
from gitchat.model.names import EVERYBODY, Name, suggest_slug
from gitchat.model.record import Entry, Moment
from gitchat.server import texts
from gitchat.server.arguments import check
from gitchat.server.collaboration import TOOLS
from gitchat.server.desk import Answer, Bare, Call, Json
from gitchat.server.fitting import json_text
from gitchat.server.party import name_of
from gitchat.server.taking import received
from gitchat.server.topics import Membership, Topics, topic_of
from gitchat.server.way import Way
from gitchat.verbs import as_json
from gitchat.verbs.room import Room

_SCHEMAS = {tool["name"]: tool["inputSchema"] for tool in TOOLS}


class Member(Bare):
    """The desk of one connection."""

    def __init__(self, way: Way, topics: Topics) -> None:
        self._topics = topics
        self._is_alone = way.is_alone
        self._functions: dict[str, Callable[..., Awaitable[Json]]] = {
            "check_in": self._check_in,
            "create_topic": self._create_topic,
            "join_topic": self._join_topic,
            "leave_topic": self._leave_topic,
            "list_topic_members": self._list_members,
            "list_topics": self._list_topics,
            "read_messages": self._read_messages,
            "send_message": self._send_message,
        }

    async def call(self, name: str, arguments: Any, call: Call) -> Answer:
        """Call a tool: its result as JSON text and as structured content."""
        given = check(arguments, _SCHEMAS[name])
        result = tame_data(await self._functions[name](call, **given))
        return Answer(json_text(result), result)

    def refusal(self, error: ChatError) -> Answer:
        """The error's sentence, as the other server words it, and what to do next on a line of its own."""
        return Answer(texts.of_error(str(error), error.hint).removeprefix("error: "), is_error=True)

    def end(self) -> None:
        """Where the connection is the server, its tokens end with it."""
        if self._is_alone:
            self._topics.close()

    # --- topics ------------------------------------------------------------------

    async def _create_topic(self, call: Call, topic: str) -> Json:
        def create() -> bool:
            chat = Room(call.environment, topic_of(topic))
            is_new = chat.name not in chat.environment.store.rooms()
            if is_new:
                chat.describe(state="open")
            return is_new

        return {"topic": topic_of(topic), "created": await call.act(create)}

    async def _join_topic(
        self,
        call: Call,
        topic: str,
        agent_name: str,
        role: str = "secondary",
        create_if_missing: bool = False,
        replace_existing: bool = False,
    ) -> Json:
        room, name = topic_of(topic), _checked_name(agent_name)
        call.ground.admit(name)

        def join() -> Json:
            environment = call.environment
            if room not in environment.store.rooms():
                if not create_if_missing:
                    raise UserError(
                        f"topic '{topic}' does not exist",
                        hint="create it with create_topic, or join with create_if_missing",
                        code="no-such-room",
                    )
                Room(environment, room, name).describe(state="open")
            earlier = self._topics.find(room, name)
            if earlier is not None:
                if not replace_existing:
                    raise _taken(agent_name, topic, "take another name; or, if it was you, join with replace_existing")
                self._topics.end(earlier)
            try:
                token, membership = self._topics.join(environment, room, agent_name, role)
            except UserError as error:
                if error.code != "name-taken":
                    raise
                raise _taken(agent_name, topic, "somebody else lives under it here: take another name") from error
            members = [
                {"agent_name": self._topics.spelled(one.name), "role": one.role}
                for one in self._topics.members(membership.chat)
            ]
            return {
                "join_token": token,
                "topic": room,
                "agent_name": membership.party.given,
                "role": role,
                "members": members,
            }

        return await call.act(join)

    async def _leave_topic(self, call: Call, join_token: str) -> Json:
        def leave() -> Json:
            membership = self._topics.awake(join_token)
            membership.chat.leave()
            self._topics.end(membership)
            return {"left": True}

        return await call.act(leave)

    async def _list_topics(self, call: Call) -> Json:
        def topics() -> list[Json]:
            environment = call.environment
            return [self._topics.listed(Room(environment, room), call.ground) for room in environment.store.rooms()]

        return {"topics": await call.act(topics)}

    async def _list_members(self, call: Call, topic: str = "", join_token: str = "") -> Json:
        def members() -> Json:
            if not topic and not join_token:
                raise UserError(
                    "which topic?", hint="give topic, or join_token for the one that you are in", code="bad-argument"
                )
            room = topic_of(topic) if topic else self._topics.of(join_token).room
            chat = Room(call.environment, room)
            chat.environment.refuse_unknown_room(room)
            return {
                "topic": room,
                "members": [
                    {
                        "agent_name": self._topics.spelled(one.name),
                        "role": one.role,
                        "joined_at": Moment(one.joined_at).utc,
                        "pending_count": self._topics.pending(chat, one, call.ground),
                    }
                    for one in self._topics.members(chat)
                ],
            }

        return await call.act(members)

    # --- messages ----------------------------------------------------------------

    async def _send_message(
        self,
        call: Call,
        join_token: str,
        body: Any,
        recipient: str = EVERYBODY,
        include_self: bool = True,
        verbosity: str = "compact",
    ) -> Json:
        return await call.act(
            lambda: self._sent(self._topics.awake(join_token), body, recipient, include_self, verbosity)
        )

    def _sent(self, membership: Membership, body: Any, recipient: str, include_self: bool, verbosity: str) -> Json:
        chat = membership.chat
        is_to_all = recipient.strip().lower() == EVERYBODY
        to = EVERYBODY if is_to_all else self._member(recipient, chat)
        entry = chat.send(body, to=to, media=None if isinstance(body, str) else "json")
        if is_to_all and not include_self:
            membership.unheard.add(entry.record.uid)
        sent: Json = {"id": _id_of(entry), "stored": True}
        if verbosity == "compact":
            return sent
        reached = [one.name for one in self._topics.members(chat)] if is_to_all else [Name(to)]
        recipients = [self._topics.spelled(one) for one in reached if not is_to_all or include_self or one != chat.me]
        return sent | {"topic": chat.name, "from": membership.party.given, "recipients": recipients}

    def _member(self, given: str, chat: Room) -> Name:
        """Whom a message is for. Raises UserError ``no-such-member``."""
        name = suggest_slug(given)
        if name is None or not self._topics.has(chat, Name(name)):
            members = ", ".join(one.name for one in self._topics.members(chat))
            raise UserError(
                f"agent '{given[:80]}' is not in topic '{chat.name}'",
                hint=f"members: {members}; or send to all",
                code="no-such-member",
            )
        return Name(name)

    async def _read_messages(
        self, call: Call, join_token: str, timeout_ms: int = 0, max_messages: int = 20, verbosity: str = "compact"
    ) -> Json:
        _check_reading(timeout_ms, max_messages)
        entries = await received(call, self._topics, join_token, timeout_ms / 1000, max_messages)
        messages = [self._message(entry, verbosity) for entry in entries]
        return {"timed_out": not messages, "messages": messages}

    async def _check_in(
        self,
        call: Call,
        join_token: str,
        timeout_ms: int = 0,
        body: Any = None,
        recipient: str = "coordinator",
        include_self: bool = True,
        max_messages: int = 20,
        verbosity: str = "compact",
    ) -> Json:
        _check_reading(timeout_ms, max_messages)
        sent = {}
        if body is not None:
            sent = {"sent": await self._send_message(call, join_token, body, recipient, include_self, verbosity)}
        return sent | await self._read_messages(call, join_token, timeout_ms, max_messages, verbosity)

    def _message(self, entry: Entry, verbosity: str) -> Json:
        record = entry.record
        body = as_json.parsed(record.body) if record.media == "json" else record.body
        message = {"id": _id_of(entry), "from": self._topics.spelled(record.author), "body": body}
        if verbosity == "compact":
            return message
        return message | {
            "topic": entry.room,
            "to": ",".join(self._topics.spelled(one) for one in record.recipients),
            "timestamp": record.written.utc,
            "broadcast": not record.to,
        }


def _id_of(entry: Entry) -> str:
    return f"msg_{entry.handle if entry.number is None else entry.number}"


def _checked_name(given: str) -> Name:
    if given.strip().lower() == EVERYBODY:
        raise UserError(
            f"agent name '{EVERYBODY}' is reserved for broadcasts", hint="take another name", code="reserved-name"
        )
    return name_of(given)


def _taken(name: str, topic: str, hint: str) -> UserError:
    return UserError(f"agent name '{name[:80]}' is already in topic '{topic[:80]}'", hint=hint, code="name-taken")


def _check_reading(timeout_ms: int, max_messages: int) -> None:
    if timeout_ms < 0:
        raise UserError("timeout_ms must be >= 0", hint="0 does not wait", code="bad-argument")
    if max_messages < 1:
        raise UserError("max_messages must be >= 1", hint="leave it out for 20", code="bad-argument")
