"""The tools of agent-chat as Python functions, over a room in a git repository.

    import gitchat.tools as s
    s.join("alice"); s.send_message("alice", "hello"); s.read_unread("alice")

Names, positions, defaults, keys and error texts are agent-chat's; what is new stands
behind them, and a key it does not know appears only when it carries something. The
repository is the one of the current directory. A process may act under any name that no
other living process holds; without a name it acts under the one that it joined under, else
the one that the command line would take. One thread calls at a time.

Everything is checked here, so that every face refuses the same things in the same words:
texts are stripped, what is out of range or of another type is refused (arguments.py).
Errors are :class:`gitchat.errors.ChatError`; those about arguments are also ValueError.
"""

from gitchat.verbs.tools.calling import (
    Caller,
    called_by,
    checked_name,
    end_sessions,
    forget,
    here_environment,
    looking,
    seat,
    staying_here,
    using,
)
from gitchat.verbs.tools.claims import claim
from gitchat.verbs.tools.messages import misnamed, read_messages, send_message
from gitchat.verbs.tools.people import join, leave, list_participants
from gitchat.verbs.tools.reading import (
    MAX_WAIT_SECONDS,
    Begun,
    begin_check_in,
    begin_read_unread,
    check_in,
    get_cursor,
    note_end,
    read_unread,
    set_cursor,
)
from gitchat.verbs.tools.returning import get_handoff, read_latest_summary, write_summary
from gitchat.verbs.tools.rooms import close_room, get_status, list_rooms, open_room

__all__ = [
    "MAX_WAIT_SECONDS",
    "Begun",
    "Caller",
    "begin_check_in",
    "begin_read_unread",
    "called_by",
    "check_in",
    "checked_name",
    "claim",
    "close_room",
    "end_sessions",
    "forget",
    "get_cursor",
    "get_handoff",
    "get_status",
    "here_environment",
    "join",
    "leave",
    "list_participants",
    "list_rooms",
    "looking",
    "misnamed",
    "note_end",
    "open_room",
    "read_latest_summary",
    "read_messages",
    "read_unread",
    "seat",
    "send_message",
    "set_cursor",
    "staying_here",
    "using",
    "write_summary",
]
