"""An agent whose session is known here: its name, and that it sits where it speaks.

The long way finds that out by what all names of the clone say of who took them. Here it is told only where the files
say it in so many words: the session took one name, which was given to its client in this worktree before, and nobody
else's file has any of its keys. To take a name, or a seat, is for the long way.
Source: docs/format.md sections 7.8, 7.17, 7.18 and 7.22; gitchat/workspace/client.py, identity.py.
"""

import os
from zlib import crc32

from gitchat.quick.objects import find_tip
from gitchat.quick.place import Place, read
from gitchat.quick.plain import is_slug, is_uid
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MARKS = {
    "CLAUDECODE": "claude", "GEMINI_CLI": "gemini", "OPENCODE": "opencode", "CODEX_THREAD_ID": "codex",
    "QWEN_CODE": "qwen",
}  # fmt: skip
IDS = {
    "CLAUDE_CODE_SESSION_ID": "claude", "GEMINI_SESSION_ID": "gemini", "CODEX_SESSION_ID": "codex",
    "CODEX_THREAD_ID": "codex",
}  # fmt: skip
SHARED = ("codex",)
OURS = ("git-chat", "git-chat-hook")
MAX_ID_CHARS = 128
LIFE_SECONDS, USE_SECONDS = 7 * 86_400, 3600
"""As workspace/client, workspace/ancestry, model/session and presence/seats have them."""

_MOST_DEPTH = 32
_MOST_NAMES = 64
_MOST_BYTES = 64 * 1024
_CLONE_BYTES, _SEATS_BYTES = 256 * 1024, 1024 * 1024


class Agent:
    """What runs here for an agent's client."""

    __slots__ = ("_place", "client", "keys", "name", "session", "taken")

    def __init__(self, place: Place, client: str) -> None:
        """Raises Unusual: its session has no name yet, or it takes more to tell."""
        self._place = place
        self.client = client
        keys = _Keys(place.variables, client)
        self.keys = keys.text.decode()
        """What this process knows of its session, as the file of a name has it."""
        taken = _taken(place, keys)
        given = place.variables.get("GITCHAT_NAME")
        if given is None and (taken is None or not _is_given(place, taken[0], client)):
            raise Unusual
        self.name = given if given is not None else taken[0] if taken is not None else ""
        self.taken = taken[0] if taken is not None else None
        """The name that the session took."""
        self.session: str | None = keys.kept_by if taken is None else taken[1]
        """The key that the session is kept by."""

    def clone(self) -> str:
        """The id of this clone. Raises Unusual: it has none yet, or it is that of another place."""
        data = read(self._place.common_dir + "/chatroom/clone", _CLONE_BYTES)
        clone = data[data[:-1].rfind(b"\n") + 1 :].partition(b" ")[0].decode("ascii", "replace")
        path, inode = os.fsencode(self._place.common_dir), os.stat(self._place.common_dir).st_ino
        if not is_uid(clone) or b"\n%s %s %d\n" % (clone.encode(), path, inode) not in b"\n" + data:
            raise Unusual
        return clone

    def sits(self, seat_ref: str, name: str, now: int) -> "tuple[int, str]":
        """When ``name`` was last noted to sit at ``seat_ref``, and for which session. Raises Unusual: not for ours."""
        seats = read(self._place.common_dir + "/chatroom/seats", _SEATS_BYTES).decode("ascii")
        _, _, rest = seats.partition(f'\n "{name}": {{\n  "session": "')
        session, _, rest = rest.partition('",\n  "used": ')
        used, end, _ = rest.partition(',\n  "is_person": false\n }')
        is_others = session and self.session and session != self.session
        is_taken = end and _is_short(session or "-") and used.isdigit() and not is_others
        if not is_taken or not -USE_SECONDS <= now - int(used) <= LIFE_SECONDS:
            raise Unusual
        if find_tip(self._place, seat_ref) is None:
            raise Unusual
        return int(used), session


def find(place: Place) -> Agent:
    """The agent that runs this. Raises Unusual: it takes more to tell, and OSError."""
    variables = place.variables
    if variables.get("GITCHAT_SESSION"):
        raise Unusual
    marked = [client for mark, client in MARKS.items() if variables.get(mark)]
    if len(marked) > 1:
        raise Unusual  # one runs in another's shell
    client = marked[0] if marked else variables.get("AI_AGENT", "").replace("@", "/").split("/")[0]
    if not is_slug(client):
        raise Unusual
    return Agent(place, client)


class _Keys:
    """What this process knows of its session, as the file of a name has it."""

    __slots__ = ("kept_by", "parts", "text")

    def __init__(self, variables: "Mapping[str, str]", client: str) -> None:
        told = [(one, variables[one]) for one, whose in IDS.items() if whose == client and one in variables]
        marks = [(one, variables[one]) for one, whose in MARKS.items() if whose == client and one in variables]
        is_shared = client in SHARED
        process = _running(client) if is_shared else _began(client, [*told, *marks][:1])
        if process is not None and client == "claude" and variables.get("CLAUDE_PID", process[0]) != process[0]:
            process = None  # seen from another pid namespace
        key = f"process {process[0]} of {process[1]}" if process is not None else None
        socket = variables.get("CLAUDE_CODE_MESSAGING_SOCKET") if client == "claude" else None
        ids = [value for _, value in told if value]
        if not all(map(_is_short, [*ids, *([socket] if socket else [])])):
            raise Unusual
        found = (key, socket or None, ids[0] if ids else None)
        process_text, socket_text, id_text = ("null" if one is None else f'"{one}"' for one in found)
        shares = "true" if is_shared else "false"
        self.text = (
            f'"keys":{{"process":{process_text},"shares_process":{shares},"socket":{socket_text},"id":{id_text}}}'
        ).encode()
        own = found[1:] if is_shared else found
        self.parts = [f'"{one}"'.encode() for one in own if one is not None]
        """What no other session's file has."""
        self.kept_by = next((one for one in own if one is not None), None)


def _is_short(text: str) -> bool:
    """Whether JSON, too, writes ``text`` as it is, and it is short enough for a key."""
    return text.isascii() and text.isprintable() and not {*text} & {*'"\\'} and 0 < len(text) <= MAX_ID_CHARS


def _taken(place: Place, keys: _Keys) -> "tuple[str, str | None] | None":
    """The one name that the session took, and by which key it is kept; None where it took none. Raises Unusual."""
    if not keys.parts:
        return None
    directory = place.common_dir + "/chatroom/live"
    names = os.listdir(directory) if os.path.lexists(directory) else []
    if len(names) > _MOST_NAMES:
        raise Unusual
    found: list[tuple[str, str | None]] = []
    for name in names:
        data = read(f"{directory}/{name}", _MOST_BYTES)
        if not any(part in data for part in keys.parts):
            continue
        line = data[:-9]
        if keys.text not in data or data[-9:] != b"%08x\n" % crc32(line) or not is_slug(name):
            raise Unusual
        _, start, rest = line.partition(b',"session":"')
        session = rest.partition(b'"')[0].decode()
        if not line.startswith(b'{"name":"%s",' % name.encode()) or not start or not _is_short(session):
            raise Unusual
        found.append((name, session))
    if len(found) > 1:
        raise Unusual
    return found[0] if found else None


def _is_given(place: Place, name: str, client: str) -> bool:
    """Whether ``name`` was given to the client in this worktree: else it may have to be noted."""
    worktree = os.path.relpath(os.path.realpath(place.git_dir), place.common_dir)
    try:
        return f"\n{name} {client} {worktree}\n".encode() in b"\n" + read(
            place.common_dir + "/chatroom/names", _MOST_BYTES
        )
    except FileNotFoundError:
        return False


# --- the processes above --------------------------------------------------------------


def _above() -> "Iterator[tuple[str, str, list[str], list[bytes]]]":
    """From our parent upwards: number, start in ticks, the first words of the command, and the first environment."""
    pid = str(os.getppid())
    for _ in range(_MOST_DEPTH):
        if pid == "0":
            return
        try:
            fields = _told(pid, "stat").rpartition(b")")[2].split()
            command = _told(pid, "cmdline").rstrip(b"\0").decode(errors="replace").split("\0")
            began_with = _told(pid, "environ").split(b"\0")
        except OSError:  # gone, somebody else's, or there is no such file system
            return
        words: list[str] = []
        for word in command[:3]:
            words.append(word.rsplit("/", 1)[-1])
            if words[-1] in OURS:
                del words[-1]
                break
        yield pid, fields[19].decode(), words, began_with
        pid = fields[1].decode()


def _told(pid: str, file: str) -> bytes:
    return read(f"/proc/{pid}/{file}", _MOST_BYTES * 64)


def _running(client: str) -> "tuple[str, str] | None":
    return next(((pid, started) for pid, started, words, _ in _above() if client in words), None)


def _began(client: str, told: "list[tuple[str, str]]") -> "tuple[str, str] | None":
    """The client's process: the nearest above that was started without what the client tells, if it is called so."""
    for variable, value in told:
        mark = f"{variable}={value}".encode(errors="surrogateescape")
        for pid, started, words, began_with in _above():
            if mark not in began_with:
                return (pid, started) if client in words else None
    return None
