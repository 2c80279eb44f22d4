"""agent-chat's tools as Python functions, where a program imports them: see :mod:`gitchat.verbs.tools`.

import gitchat.tools as s
s.join("alice"); s.send_message("alice", "hello"); s.read_unread("alice")
"""

from gitchat.verbs.tools import (
    check_in,
    claim,
    close_room,
    get_cursor,
    get_handoff,
    get_status,
    join,
    leave,
    list_participants,
    list_rooms,
    open_room,
    read_latest_summary,
    read_messages,
    read_unread,
    send_message,
    set_cursor,
    write_summary,
)

__all__ = [
    "check_in",
    "claim",
    "close_room",
    "get_cursor",
    "get_handoff",
    "get_status",
    "join",
    "leave",
    "list_participants",
    "list_rooms",
    "open_room",
    "read_latest_summary",
    "read_messages",
    "read_unread",
    "send_message",
    "set_cursor",
    "write_summary",
]
