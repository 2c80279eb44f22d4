"""Random acts through the command line, a server over stdio and one over HTTP, all on one clone, against Room alone.

The same acts are done by :class:`Room` in another repository, with a holding for each face. What each act answers, and
what the two repositories have in the end, has to be the same: no face has a rule of its own.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from gitchat.model.errors import ChatError, UserError
from gitchat.model.names import Name
from gitchat.presence.holding import Holding
from gitchat.serve.settings import Settings
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment
from gitchat.workspace.speaking import refuse_elsewhere
from tests.serve.serving import in_process
from tests.server.wire import Wire
from tests.world import World

NAMES = ("ana", "ben", "cyd")
ROOMS = ("den", "lobby")
FACES = ("cli", "stdio", "http")
API = "/api/v1"

Answer = Any
"""What an act gives: plain values, or ``refused`` with the code, where the face tells it."""


class Mismatch(AssertionError):
    """A face and Room do not agree."""


def _refused(code: str | None = None) -> Answer:
    return ["refused", code]


def read_of(entries: list[Any]) -> Answer:
    """What was read, as all faces tell it."""
    return [[one.number, one.record.author, one.record.body] for one in entries]


class Alone:
    """What Room alone gives. Each face is a party that lives under names of its own; who types has none."""

    def __init__(self, environment: Environment) -> None:
        self.holdings = {face: Holding() for face in ("stdio", "http")}
        self._surroundings = {
            face: environment.holding(holding, client=face, session=face) for face, holding in self.holdings.items()
        }
        self._surroundings["cli"] = environment

    def does(self, face: str, act: str, name: str, room: str, given: dict[str, Any]) -> Answer:
        """The answer of ``act``, by ``name`` in ``room``."""
        do: Callable[..., Answer] = getattr(self, f"_{act}")
        try:
            return do(face, Room(self._surroundings[face], room, Name(name)), **given)
        except ChatError as error:
            return _refused(error.code)

    def _act(self, face: str, room: Room) -> None:
        """What only the name itself may do; who types has terminals, and no session."""
        if face == "cli":
            refuse_elsewhere(room.environment.caller, room.me)
        elif (why_not := room.why_not_act()) is not None:
            raise UserError(why_not, hint="-", code="name-held")

    def _send(self, face: str, room: Room, text: str, to: str, reply_to: int | None) -> Answer:
        self._act(face, room)
        return room.send(text, to=to, reply_to=reply_to).number

    def _look(self, face: str, room: Room) -> Answer:
        return read_of(room.unread(with_own=face == "stdio").entries)

    def _take(self, face: str, room: Room) -> Answer:
        return read_of(room.read(with_own=face == "stdio").entries)

    def _mark(self, face: str, room: Room, upto: int) -> Answer:
        self._act(face, room)
        return room.set_cursor(upto)

    def _join(self, face: str, room: Room) -> Answer:
        if face == "cli":
            room.register("general")
        else:
            room.join("general")
        return True

    def _leave(self, face: str, room: Room) -> Answer:
        self._act(face, room)
        return room.leave()

    def _state(self, face: str, room: Room, state: str) -> Answer:
        self._act(face, room)
        room.describe(state=state)
        return state


class Faces:
    """The three faces on one clone."""

    def __init__(self, world: World, path: Path, wire: Wire, client: TestClient) -> None:
        self._world = world
        self._path = path
        self._wire = wire
        self._client = client

    def does(self, face: str, act: str, name: str, room: str, given: dict[str, Any]) -> Answer:
        """The answer of ``act`` through ``face``, by ``name`` in ``room``."""
        do: Callable[..., Answer] = getattr(self, f"_{face}_{act}")
        return do(name, room, **given)

    # --- the command line ----------------------------------------------------------------

    def _typed(self, *words: str) -> list[Any] | None:
        done = self._world.chat(*words, cwd=self._path)
        return [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else None

    def _cli_send(self, name: str, room: str, text: str, to: str, reply_to: int | None) -> Answer:
        reply = ["-r", str(reply_to)] if reply_to else []
        sent = self._typed("send", "--as", name, "--room", room, "--to", to, *reply, "--json", text)
        return sent[0]["id"] if sent is not None else _refused()

    def _cli_look(self, name: str, room: str, verb: str = "inbox") -> Answer:
        shown = self._typed(verb, "--as", name, "--room", room, "--json")
        return [[one["id"], one["from"], one["content"]] for one in shown] if shown is not None else _refused()

    def _cli_take(self, name: str, room: str) -> Answer:
        return self._cli_look(name, room, "read")

    def _cli_mark(self, name: str, room: str, upto: int) -> Answer:
        shown = self._typed("cursor", "set", str(upto), "--as", name, "--room", room, "--json")
        return shown[0]["last_read_id"] if shown is not None else _refused()

    def _cli_join(self, name: str, room: str) -> Answer:
        return True if self._typed("join", name, "--room", room, "--json") is not None else _refused()

    def _cli_leave(self, name: str, room: str) -> Answer:
        shown = self._typed("leave", name, "--room", room, "--json")
        return shown[0]["left"] if shown is not None else _refused()

    def _cli_state(self, name: str, room: str, state: str) -> Answer:
        done = self._world.chat("room", "close" if state == "closed" else "open", room, "--as", name, cwd=self._path)
        return state if done.returncode == 0 else _refused()

    # --- over stdio ----------------------------------------------------------------------

    def _called(self, tool: str, **given: Any) -> Any:
        result = self._wire.call(tool, **{key: value for key, value in given.items() if value is not None})
        told = json.loads(result["content"][0]["text"])
        if isinstance(told, list):
            return told
        return _Refusal(told["code"]) if "error" in told else told

    def _stdio_send(self, name: str, room: str, text: str, to: str, reply_to: int | None) -> Answer:
        sent = self._called("send_message", name=name, content=text, to=to, room=room, reply_to=reply_to)
        return _refused(sent.code) if isinstance(sent, _Refusal) else sent["id"]

    def _stdio_look(self, name: str, room: str, *, mark_read: bool = False) -> Answer:
        read = self._called("read_unread", name=name, room=room, mark_read=mark_read, limit=100)
        return [[one["id"], one["from"], one["content"]] for one in read["messages"]]

    def _stdio_take(self, name: str, room: str) -> Answer:
        return self._stdio_look(name, room, mark_read=True)

    def _stdio_mark(self, name: str, room: str, upto: int) -> Answer:
        marked = self._called("set_cursor", name=name, room=room, message_id=upto)
        if isinstance(marked, _Refusal) and marked.code == "bad-argument":
            return _refused("bad-number")  # the contract's code for it
        return _refused(marked.code) if isinstance(marked, _Refusal) else marked["last_read_id"]

    def _stdio_join(self, name: str, room: str) -> Answer:
        joined = self._called("join", name=name, room=room, role="general")
        return _refused(joined.code) if isinstance(joined, _Refusal) else True

    def _stdio_leave(self, name: str, room: str) -> Answer:
        left = self._called("leave", name=name, room=room)
        return _refused(left.code) if isinstance(left, _Refusal) else left["left"]

    def _stdio_state(self, name: str, room: str, state: str) -> Answer:
        tool = "close_room" if state == "closed" else "open_room"
        done = self._called(tool, name=name, room=room)
        return _refused(done.code) if isinstance(done, _Refusal) else state

    # --- over HTTP -----------------------------------------------------------------------

    def _asked(self, method: str, path: str, **given: Any) -> Any:
        answer = self._client.request(method, API + path, **given)
        told = answer.json()
        return told if answer.status_code == 200 else _Refusal(told["code"])

    def _http_send(self, name: str, room: str, text: str, to: str, reply_to: int | None) -> Answer:
        message = {"from": name, "to": "ALL" if to == "all" else to, "message": text, "room": room}
        sent = self._asked("POST", "/messages", json=message | ({"reply_to": reply_to} if reply_to else {}))
        return _refused(sent.code) if isinstance(sent, _Refusal) else sent["message_id"]

    def _http_look(self, name: str, room: str) -> Answer:
        read = self._asked("GET", "/messages", params={"agent_id": name, "room": room, "unread": True, "limit": 100})
        return [[one["id"], one["from"], one["message"]] for one in read["messages"]]

    def _http_take(self, name: str, room: str) -> Answer:
        read = self._http_look(name, room)
        if read:
            self._http_mark(name, room, read[-1][0])
        return read

    def _http_mark(self, name: str, room: str, upto: int) -> Answer:
        marked = self._asked("POST", "/messages/read", json={"agent_id": name, "room": room, "upto": upto})
        return _refused(marked.code) if isinstance(marked, _Refusal) else marked["last_read_id"]

    def _http_join(self, name: str, room: str) -> Answer:
        joined = self._asked("POST", "/agents/register", json={"agent_id": name, "session_id": "one", "room": room})
        return _refused(joined.code) if isinstance(joined, _Refusal) else True

    def _http_state(self, name: str, room: str, state: str) -> Answer:
        done = self._asked("PUT", f"/rooms/{room}", json={"as": name, "state": state})
        return _refused(done.code) if isinstance(done, _Refusal) else state


class _Refusal:
    def __init__(self, code: str) -> None:
        self.code = code


class Alike:
    """The same acts on both sides, and what is the same afterwards."""

    def __init__(self, faces: Faces, alone: Alone, here: Environment, there: Environment, seed: int) -> None:
        """``here`` is where the faces act, ``there`` where Room does."""
        self._faces, self._alone = faces, alone
        self._here, self._there = here, there
        self._chance = random.Random(seed)
        self._said: list[str] = []

    def run(self, steps: int) -> None:
        """So many acts. Raises Mismatch."""
        for name in ROOMS:
            for environment in (self._here, self._there):
                Room(environment, name, "opener").send("begun")
        for step in range(steps):
            face, act, name, room, given = self._drawn(step)
            self._said.append(f"{face} {act} {name} {room} {given}")
            self._same("answers", *(side.does(face, act, name, room, given) for side in (self._faces, self._alone)))
        self._same("rooms", *(self._state(environment) for environment in (self._here, self._there)))

    def _drawn(self, step: int) -> tuple[str, str, str, str, dict[str, Any]]:
        chance = self._chance
        face, name, room = chance.choice(FACES), chance.choice(NAMES), chance.choice(ROOMS)
        acts = ["send"] * 6 + ["look", "take", "take", "mark", "join", "leave", "state"]
        act = chance.choice([one for one in acts if (face, one) != ("http", "leave")])
        given: dict[str, Any] = {}
        if act == "send":
            reply_to = chance.choice([None, None, 1])
            given = {
                "text": f"text {step}: ü & {{}}",
                "to": chance.choice(["all", "all", *NAMES]),
                "reply_to": reply_to,
            }
        elif act == "mark":
            given = {"upto": chance.choice([0, 1, 2, 3, 5, 8, 500])}
        elif act == "state":
            given = {"state": chance.choice(["open", "open", "closed"])}
        return face, act, name, room, given

    def _same(self, what: str, through_faces: Answer, alone: Answer) -> None:
        if through_faces == ["refused", None] and isinstance(alone, list) and alone[:1] == ["refused"]:
            return  # on the command line a status, whose words are tested elsewhere
        if through_faces != alone:
            acts = "\n".join(self._said[-12:])
            raise Mismatch(f"{what} differ after\n{acts}\nthrough the faces: {through_faces}\nRoom alone: {alone}")

    def _state(self, environment: Environment) -> Answer:
        return {room: self._state_of(environment, room) for room in ROOMS}

    def _state_of(self, environment: Environment, name: str) -> Answer:
        room = Room(environment, name, "nobody")
        records = [
            [one.number, one.record.author, one.record.body, one.record.kind, list(one.record.to), one.record.type]
            for one in room.log(limit=None).entries
        ]
        people = [
            [one.name, one.role, one.is_living, one.is_registered, one.left_at is None]
            for one in environment.roll.known(room.name)
        ]
        read = [[one.name, one.last_read, one.unread] for one in room.cursors()]
        return {"records": records, "people": people, "read": read, "closed": room.overview().is_closed}


@contextmanager
def alike(root: Path, seed: int) -> Iterator[Alike]:
    """Both sides, in new repositories below ``root``."""
    world = World(root)
    world.variables["AI_AGENT"] = "tester"
    here, there = (world.environment(world.repository(name)) for name in ("here", "there"))
    for environment in (here, there):
        world.git("config", "chat.fsync", "false", cwd=Path(environment.cwd))
    alone = Alone(there)
    wire = Wire(["git-chat", "mcp", "--json"], Path(here.cwd), world.variables)
    try:
        wire.shake_hands()
        # Its own surroundings: what a server opens is for its own thread.
        with in_process(world.environment(Path(here.cwd)), Settings(rate=100_000)) as client:
            yield Alike(Faces(world, Path(here.cwd), wire, client), alone, here, there, seed)
    finally:
        wire.kill()
        for holding in alone.holdings.values():
            holding.release()
