"""What the tools are called: spelled here, and put into every text that names one.

A text that sends an agent to a tool that is called otherwise is worse than none. What a tool takes and does stands in
:mod:`gitchat.server.catalog`, which is not for who only names it.
"""

from __future__ import annotations

from typing import Final

SERVER: Final = "gitchat"
"""What the server is called in a client's configuration, and so what stands before a tool's name there."""

CHECK_IN: Final = "check_in"
CLAIM: Final = "claim"
CLOSE_ROOM: Final = "close_room"
GET_CURSOR: Final = "get_cursor"
GET_HANDOFF: Final = "get_handoff"
GET_STATUS: Final = "get_status"
JOIN: Final = "join"
LEAVE: Final = "leave"
LIST_PARTICIPANTS: Final = "list_participants"
LIST_ROOMS: Final = "list_rooms"
OPEN_ROOM: Final = "open_room"
READ_LATEST_SUMMARY: Final = "read_latest_summary"
READ_MESSAGES: Final = "read_messages"
READ_UNREAD: Final = "read_unread"
SEND_MESSAGE: Final = "send_message"
SET_CURSOR: Final = "set_cursor"
WRITE_SUMMARY: Final = "write_summary"
