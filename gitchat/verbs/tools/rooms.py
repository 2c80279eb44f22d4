"""The rooms of the repository."""

from __future__ import annotations

from gitchat.model.errors import FormatError
from gitchat.model.names import parse_name
from gitchat.model.query import Query
from gitchat.rooms.log import Overview
from gitchat.verbs import as_json
from gitchat.verbs.pending import of_asides, of_pending
from gitchat.verbs.room import Room
from gitchat.verbs.tools.arguments import checked, refusal, refuse_blank
from gitchat.verbs.tools.calling import Json, acting, counts_own, here_environment, looking
from gitchat.verbs.tools.returning import of_summary


@checked
def list_rooms(name: str = "", status: str = "open") -> list[Json]:
    """The rooms here, the most recently active first; with ``name`` also what is unread in each.

    Those that cannot be read come last, whatever the status.
    """
    if status not in ("open", "closed", "all"):
        raise refusal("status must be 'open', 'closed' or 'all'", "leave it out for open rooms")
    me = parse_name(name) if name else None
    chats = [Room(here_environment(), room, me) for room in here_environment().store.rooms()]
    readable: list[tuple[Overview, Json]] = []
    unreadable: list[Json] = []
    for chat in chats:
        try:
            overview = chat.overview()
            readable.append((overview, as_json.of_overview(overview) | (_progress(chat) if me else {})))
        except FormatError as error:
            unreadable.append(as_json.of_unreadable(chat.name, error))
    readable.sort(key=lambda pair: (-(pair[0].active_seconds or 0), pair[0].name))
    shown = [form for _, form in readable if status in ("all", form["status"])]
    return shown + unreadable


@checked
def open_room(room: str, title: str = "", name: str = "", local: bool = False, closed: bool = False) -> Json:
    """Make a room, or open a closed one again; give it a title when there is one.

    Without ``name`` it is done by who joined in this process, or else by whom the settings name. ``local`` keeps it
    in this clone: it is pushed to no remote. ``closed`` closes one that there is: it stays readable, and refuses
    writes.

    Raises:
        UserError: ``no-such-room``: it shall be closed, and is not there.
        ConflictError: ``attached``: it follows a remote, and cannot be kept here.
    """
    chat = _acting_on(room, name)
    if closed:
        chat.environment.refuse_unknown_room(chat.name)
    state = "closed" if closed else "open"
    return as_json.of_overview(chat.describe(title=title or None, state=state, stays_here=True if local else None))


@checked
def close_room(room: str, name: str = "") -> Json:
    """Close a room: it stays readable, and refuses writes. ``closed`` is false when it was closed already.

    ``name`` is as for :func:`open_room`.
    """
    chat = _acting_on(room, name)
    chat.environment.refuse_unknown_room(chat.name)
    if chat.overview().is_closed:
        return {"closed": False}
    chat.describe(state="closed")
    return {"closed": True}


@checked
def get_status(room: str = "") -> Json:
    """``participant_count``, ``message_count``, ``last_activity_ts`` (null in an empty room).

    And ``waiting`` where something has no number yet.
    """
    chat = looking(room)
    newest = chat.log(Query(), 1).entries
    return {
        "participant_count": len(chat.participants()),
        "message_count": chat.message_count(),
        "last_activity_ts": newest[0].record.written.utc if newest else None,
        **of_pending(chat.pending()),
        **of_asides(chat.asides()),
    }


def _acting_on(room: str, name: str) -> Room:
    """A room that is named, for somebody who need not be."""
    refuse_blank(room, "room")
    if name or here_environment().held():
        return acting(name or None, room)
    return Room(here_environment(), room)


def _progress(chat: Room) -> Json:
    far = chat.how_far(chat.me, with_own=counts_own())
    return {"cursor": far.last_read, "unread_count": far.unread, "latest_summary": of_summary(chat.summary())}
