"""``git chat send`` of a text, by a person, in a room that is here and that no remote numbers."""

import os
import time

from gitchat.quick import append, message, room, rules, who
from gitchat.quick.place import Place
from gitchat.quick.plain import is_slug
from gitchat.quick.settings import Settings
from gitchat.quick.spawned import CatFile
from gitchat.quick.swap import Clone
from gitchat.quick.unusual import Unusual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TYPES = (
    *("question", "answer", "blocker", "decision", "status", "broadcast"),
    *("task_proposal", "task_accept", "task_assignment", "progress", "task_complete", "request_more_work"),
    *("cancel_task", "interrupt", "handoff", "review_request", "review_result", "presence", "ping", "ack"),
    *("heartbeat", "request", "response"),
)
"""Those of which nothing has to be said."""

DEFAULT_BODY_BYTES = 64 * 1024

_UID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Asked:
    """What was typed."""

    __slots__ = ("is_quiet", "is_urgent", "name", "room", "text", "to", "type")

    def __init__(self, words: "Sequence[str]") -> None:
        """Raises Unusual: it is not of the plainest."""
        self.name: str | None = None
        self.room: str | None = None
        self.type: str | None = None
        self.to: list[str] = []
        self.is_urgent = self.is_quiet = False
        texts: list[str] = []
        rest = [*words]
        while rest:
            word = rest.pop(0)
            if word in ("", "-", "--"):
                raise Unusual
            if word in ("-q", "--quiet"):
                self.is_quiet = True
            elif word[:1] != "-":
                texts.append(word)
            elif rest:
                self._take(word, rest.pop(0))
            else:
                raise Unusual
        # Whom a name before the text was meant for, and who is new among those that it is to, is told by the long way.
        if not texts or (not self.is_quiet and (len(texts) > 1 or self.to)):
            raise Unusual
        self.text = " ".join(texts)

    def _take(self, option: str, value: str) -> None:
        if option == "--room" and self.room is None:
            self.room = value
        elif option == "--as" and self.name is None:
            self.name = value
        elif option == "--type" and self.type is None and (value in TYPES or (self.is_quiet and is_slug(value))):
            self.type = value
        elif option == "--priority" and value in ("normal", "urgent"):
            self.is_urgent = value == "urgent"
        elif option in ("-t", "--to") and is_slug(value) and value not in ("all", *self.to):
            self.to.append(value)
        else:
            raise Unusual


def new_uid() -> str:
    """A uid that nobody has: 80 random bits."""
    bits = int.from_bytes(os.urandom(10), "big")
    return "".join(_UID_ALPHABET[bits >> shift & 31] for shift in range(75, -1, -5))


def send(place: Place, settings: Settings, words: "Sequence[str]") -> str:
    """Send it; what is printed. Raises Unusual, OSError and ValueError only where nothing was sent."""
    asked = Asked(words)
    if settings.get("core.logAllRefUpdates") == "always":
        raise Unusual
    room.refuse_bad_settings(settings)
    name = room.room_name(settings, asked.room)
    if room.authority(place, settings, name) is not None:
        raise Unusual  # it has no number yet, and is to be carried there
    sender = who.sender(settings, place.variables, asked.name)
    if asked.name is not None and os.path.lexists(f"{place.common_dir}/chatroom/live/{asked.name}"):
        raise Unusual  # somebody may live under it, who alone speaks under it then
    sending = rules.Sending(
        name, sender.name, "message", asked.text.encode(), to=tuple(asked.to), type_=asked.type, media=None,
        max_body_bytes=_max_body_bytes(settings), look=_look(settings),
    )  # fmt: skip
    if rules.refusal_before(sending) is not None:
        raise Unusual
    room.refuse_packing(room.refuse_lost(place), len(sending.body))
    now = int(time.time())
    minutes = time.localtime(now).tm_gmtoff // 60
    uid = new_uid()

    def make(end: append.End) -> "tuple[bytes, int]":
        sending.is_closed = end.is_closed
        if rules.refusal_at_end(sending) is not None:
            raise Unusual
        block = message.trailers(
            "message", uid, end.count + 1,
            to=asked.to, type_=asked.type, is_urgent=asked.is_urgent, origin=sender.origin,
        )  # fmt: skip
        committed = message.after(end.seconds, now)
        author, committer = (sender.name, sender.email), (sender.committer_name, sender.committer_email)
        raw = message.commit(end.tip, author, (now, minutes), committer, committed, asked.text, block)
        return raw, committed

    packed = CatFile(place)
    try:
        is_synced = settings.get("chat.fsync") != "false"
        clone = Clone(place.common_dir, is_synced=is_synced, read_packed=packed.commit)
        made = append.append(clone, room.log_ref(name), name, make)
    finally:
        packed.close()
    return "" if asked.is_quiet else f"#{made.number}\n"


def _look(settings: Settings) -> "Callable[[bytes], tuple[str, int] | None] | None":
    """What stops at a text that may hold a secret. Raises Unusual: more than it knows are set, or wrong ones."""
    mode = settings.get("chat.secrets")
    if mode not in (None, "refuse", "warn", "off") or settings.get("chat.secretPattern") is not None:
        raise Unusual
    return rules.suspicion if mode != "off" else None


def _max_body_bytes(settings: Settings) -> int:
    given = settings.get("chat.maxBody")
    return DEFAULT_BODY_BYTES if given is None else min(int(given), rules.MAX_BODY_BYTES)
