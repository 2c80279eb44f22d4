"""What a model is told while a long log is counted for the first time here: what was said last."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gitchat.model.errors import ConflictError
from gitchat.verbs import as_json, uncounted
from gitchat.verbs.cutting import Measure
from gitchat.verbs.room import Room
from gitchat.verbs.tools.calling import Json, counts_own

NOTHING: Mapping[str, Any] = {}


def last_said(
    chat: Room, error: ConflictError, limit: int, max_chars: int, measure: Measure, sent: Mapping[str, Any] = NOTHING
) -> Json:
    """The newest messages without numbers, marked by nothing, where ``error`` says that they are still being counted.

    ``counting`` is what it says. For a model: by the contract a reading has numbers. Raises ``error`` otherwise.
    """
    if not uncounted.is_counting(error) or counts_own():
        raise error
    answer = {**sent, "name": chat.me, "last_read_id": None, "messages": [], "counting": str(error)}
    default = chat.environment.room_name(None)
    found = [as_json.of_message(entry, {}, default) for entry in uncounted.newest(chat, limit)]
    left = max_chars - measure.around(answer) if max_chars else math.inf
    for place, message in reversed(list(enumerate(found))):  # the newest, as many as there is room for
        left -= measure.message(message)
        if left < 0:
            found = found[place + 1 :]
            break
    return answer | {"messages": found}
