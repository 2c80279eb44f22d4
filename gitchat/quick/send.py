"""``git chat send`` and ``reply`` of a text, by a person or by an agent that sits, to a room that is here."""

import os
import time

from gitchat.quick import append, message, room, rules, who
from gitchat.quick.place import Place
from gitchat.quick.plain import is_number, is_slug
from gitchat.quick.said import Said
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

_SLUG = "abcdefghijklmnopqrstuvwxyz0123456789-_."


class Asked:
    """What was typed."""

    __slots__ = ("is_quiet", "is_reply", "is_urgent", "name", "reply", "room", "texts", "to", "type")

    def __init__(self, words: "Sequence[str]", *, is_reply: bool = False) -> None:
        """Raises Unusual: it is not of the plainest."""
        self.is_reply = is_reply
        self.name: str | None = None
        self.room: str | None = None
        self.type: str | None = None
        self.reply: int | None = None
        self.to: list[str] = []
        self.is_urgent = self.is_quiet = False
        self.texts: list[str] = []
        rest = [*words]
        while rest:
            word = rest.pop(0)
            if word in ("", "-", "--"):
                raise Unusual
            if word in ("-q", "--quiet"):
                self.is_quiet = True
            elif word[:1] != "-":
                self.texts.append(word)
            elif rest:
                self._take(word, rest.pop(0))
            else:
                raise Unusual
        if is_reply and self.texts and self.reply is None:
            self._take("-r", self.texts.pop(0))
        elif is_reply:
            raise Unusual
        if not self.texts:
            raise Unusual

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
        elif option in ("-r", "--reply-to") and self.reply is None and is_number(value.removeprefix("#")):
            self.reply = int(value.removeprefix("#"))
        else:
            raise Unusual


def new_uid() -> str:
    """A uid that nobody has: 80 random bits."""
    bits = int.from_bytes(os.urandom(10), "big")
    return "".join(_UID_ALPHABET[bits >> shift & 31] for shift in range(75, -1, -5))


class _Errand:
    """One message on its way: what was asked, by whom, where to."""

    def __init__(self, place: Place, settings: Settings, asked: Asked) -> None:
        """Raises Unusual, OSError and ValueError."""
        self._place, self._settings, self._asked = place, settings, asked
        self._room = room.room_name(settings, asked.room)
        self._remote = room.authority(place, settings, self._room)
        self._sender = who.sender(place, settings, asked.name)
        if asked.name is not None and os.path.lexists(f"{place.common_dir}/chatroom/live/{asked.name}"):
            raise Unusual  # somebody may live under it, who alone speaks under it then
        if self._remote is not None:
            from gitchat.quick import pushing  # for who has a remote

            stays = self._sender.is_terminal or self._sender.agent is not None
            pushing.refuse_unusual(place, settings, self._remote, stays=stays)
        self._to, self._answers = tuple(asked.to), None
        if asked.reply is not None:
            from gitchat.quick import target  # for who answers

            self._answers = target.find(place, self._room, self._remote, asked.reply)
            if self._answers.choices:
                raise Unusual  # whether it is one of them
            if not self._to and asked.is_reply:
                self._to = target.who_asked(self._answers, self._sender.name)
            elif not self._to:
                self._to = target.answered(place, self._answers, self._room, self._sender.name)
        if not asked.is_quiet and (self._to or len(asked.texts) > 1):
            self._refuse_news()

    def _refuse_news(self) -> None:
        """Raise Unusual where its sender should be told something of whom it is to, or may have been meant for."""
        from gitchat.quick import target  # for who names somebody

        place, texts = self._place, self._asked.texts
        if any(target.may_sleep(place, one) for one in self._to):
            raise Unusual  # whether they are woken
        if self._remote is not None and any(target.may_be_in_several(place, self._room, one) for one in self._to):
            raise Unusual  # in which clones they are
        if not all(target.is_known(place, self._room, one) for one in self._to):
            raise Unusual
        is_like_a_name = len(texts) > 1 and not self._to and not texts[0].strip(_SLUG)
        if is_like_a_name and target.is_known(place, self._room, texts[0]):
            raise Unusual

    def send(self) -> Said:
        """Send it. Raises Unusual, OSError and ValueError only where nothing was sent."""
        place, settings, sender = self._place, self._settings, self._sender
        text = " ".join(self._asked.texts)
        self._rules = rules.Sending(
            self._room, sender.name, "message", text.encode(), to=self._to, type_=self._asked.type, media=None,
            max_body_bytes=_max_body_bytes(settings), look=_look(settings),
        )  # fmt: skip
        if rules.refusal_before(self._rules) is not None:
            raise Unusual
        room.refuse_packing(room.refuse_lost(place), len(self._rules.body))
        now, uid = int(time.time()), new_uid()
        clone_id = sender.agent.clone() if sender.agent is not None else None
        if sender.agent is not None:
            sender.agent.sits(room.seat_ref(self._room, sender.name), sender.name, now)

        def make(end: append.End) -> "tuple[bytes, int]":
            self._refuse_at(end, clone)
            block = message.trailers(
                "message", uid, end.count + 1 if self._remote is None else None,
                to=self._to, type_=self._asked.type, reply=self._answers.uid if self._answers is not None else None,
                is_urgent=self._asked.is_urgent, clone=clone_id, origin=sender.origin,
            )  # fmt: skip
            committed, minutes = message.after(end.seconds, now), time.localtime(now).tm_gmtoff // 60
            author, committer = (sender.name, sender.email), (sender.committer_name, sender.committer_email)
            return message.commit(end.tip, author, (now, minutes), committer, committed, text, block), committed

        packed = CatFile(place)
        try:
            is_synced = settings.get("chat.fsync") != "false"
            clone = Clone(place.common_dir, is_synced=is_synced, read_packed=packed.commit)
            noted_in = append.CHECKPOINTS if self._remote is None else append.ENDS
            made = append.append(clone, room.log_ref(self._room), self._room, make, noted_in=lambda: noted_in)
        finally:
            packed.close()
        label = f"#{made.number}" if self._remote is None else f"~{uid[:6]}"
        return Said("" if self._asked.is_quiet else label + "\n", self._after)

    def _refuse_at(self, end: append.End, clone: Clone) -> None:
        """Raise Unusual where it cannot follow ``end`` just so. With the write lock held."""
        self._rules.is_closed = end.is_closed
        if rules.refusal_at_end(self._rules) is not None:
            raise Unusual
        if room.authority(self._place, self._settings, self._room) != self._remote:
            raise Unusual  # it began to follow it a moment ago
        if self._remote is not None:
            from gitchat.quick import pushing

            pushing.refuse_beyond(self._place, clone, room.tracking_ref(self._room, self._remote), end.tip)

    def _after(self, is_printed: bool) -> str:
        """Have it carried, also where its number could not be printed; what its sender is told."""
        said = ""
        if self._answers is not None and self._to and not self._asked.to:
            said = f"to {', '.join(self._to)}, as #{self._asked.reply} was not to everybody; else: --to all\n"
        if self._remote is not None:
            from gitchat.quick import pushing

            pushing.push_soon(self._place, self._remote)
            if os.isatty(2):
                said += f"on its way to {self._remote}\n"
        return "" if self._asked.is_quiet else said


def send(place: Place, settings: Settings, words: "Sequence[str]") -> Said:
    """Send it. Raises Unusual, OSError and ValueError only where nothing was sent."""
    return _carry_out(place, settings, Asked(words))


def reply(place: Place, settings: Settings, words: "Sequence[str]") -> Said:
    """Send it as an answer to the message of which the number comes first. Raises as :func:`send`."""
    return _carry_out(place, settings, Asked(words, is_reply=True))


def _carry_out(place: Place, settings: Settings, asked: Asked) -> Said:
    if settings.get("core.logAllRefUpdates") == "always":
        raise Unusual
    room.refuse_bad_settings(settings)
    return _Errand(place, settings, asked).send()


def _look(settings: Settings) -> "Callable[[bytes], tuple[str, int] | None] | None":
    """What stops at a text that may hold a secret. Raises Unusual: more than it knows are set, or wrong ones."""
    mode = settings.get("chat.secrets")
    if mode not in (None, "refuse", "warn", "off") or settings.get("chat.secretPattern") is not None:
        raise Unusual
    return rules.suspicion if mode != "off" else None


def _max_body_bytes(settings: Settings) -> int:
    given = settings.get("chat.maxBody")
    return DEFAULT_BODY_BYTES if given is None else min(int(given), rules.MAX_BODY_BYTES)
