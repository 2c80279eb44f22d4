"""What a writer refuses, as the errors that its caller sees. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gitchat.model import codec
from gitchat.model.errors import ConflictError, FormatError, Mistyped, UserError
from gitchat.model.names import RoomName
from gitchat.model.record import Draft, Identity
from gitchat.model.secrets import MAX_BYTES, Policy
from gitchat.quick import rules


def refuse(refusal: rules.Refusal | None) -> None:
    """Raise the error that says why something is not sent; return when nothing speaks against it."""
    if refusal is not None:
        kind = ConflictError if refusal.kind == "conflict" else UserError
        raise kind(refusal.words, hint=refusal.hint, code=refusal.code)


def judge(sending: rules.Sending, secrets: Policy) -> None:
    """Raise the error that says why ``sending`` can stand in no log; of a secret only warn, if ``secrets`` say so."""
    if secrets.mode == "warn":
        words = rules.secret_in(sending)
        if words is not None:
            secrets.warn(words)
        sending.look = None
    refuse(rules.refusal_before(sending))


def sending_of(
    room: RoomName, draft: Draft, sender: Identity | None, *, max_body_bytes: int, secrets: Policy
) -> rules.Sending:
    """``draft`` as rules read it, with all that is stored of it."""
    parts = [("its branch", draft.branch or ""), *(("one of its lines", value) for _, value in draft.extra)]
    files: list[rules.Part] = []
    for number, file in enumerate(draft.files, 1):
        files.append((f"the name of file {number}", file.name.encode("utf-8", "replace")))
        if len(file.content) <= MAX_BYTES:
            files.append((f"file {number}", file.content))
    if draft.work is not None:
        files += [(what, content) for what, content in draft.work.parts() if len(content) <= MAX_BYTES]
    if draft.excerpts:
        from gitchat.model.anchor import excerpts_in  # for who says something about code

        files += excerpts_in(draft)
    return rules.Sending(
        room,
        sender.name if sender is not None else "",
        draft.kind,
        draft.body.encode("utf-8", "replace"),
        to=draft.to,
        type_=draft.type,
        media=draft.media,
        max_body_bytes=max_body_bytes,
        parts=(*((what, text.encode("utf-8", "replace")) for what, text in parts if text), *files),
        look=secrets.look if secrets.mode != "off" else None,
    )


def checked_title(text: str, room: RoomName) -> str:
    """``text`` as a title of ``room``. Raises UserError ``bad-title``."""
    title = text.strip()
    if title and len(title) <= 200 and not any(unsafe < " " or "\x7f" <= unsafe <= "\x9f" for unsafe in title):
        return title
    raise UserError(
        "a title is one line of 1 to 200 characters without control characters",
        hint=f'for example: git chat room title {room} "Release 1.0"',
        code="bad-title",
    )


def newer_format(room: RoomName, asked_format: int) -> FormatError:
    """That a room asks its writers to know a later format than this version does."""
    return FormatError(
        f"room '{room}' is written in format {asked_format}; this gitchat writes format {codec.NEWEST_FORMAT}",
        hint="upgrade, in the clone of gitchat: git pull && pipx install --force . (or: uv tool install --reinstall .)",
        code="newer-format",
    )


def no_such_room(name: RoomName, rooms: Sequence[RoomName], *, may_fetch: bool) -> Mistyped:
    """That nobody here calls a room so, and which ``rooms`` there are; a clone without any ``may_fetch`` them."""
    begin = f'begin it: git chat send --room {name} "hello"' + ("; or fetch it: git chat sync" if may_fetch else "")
    return Mistyped(
        f"there is no room '{name}' here",
        hint=f"rooms: {', '.join(rooms)}" if rooms else begin,
        code="no-such-room",
        word=name,
        known=rooms,
    )
