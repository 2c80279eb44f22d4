"""Who is here, as JSON: what all faces share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitchat.model.record import Moment

if TYPE_CHECKING:  # SQLite comes with them
    from gitchat.doorbell.beats import Elsewhere
    from gitchat.model.participant import Participant
    from gitchat.verbs.views import Seen


def of_participant(one: Participant) -> dict[str, Any]:
    """``name``, ``role``, ``joined_at``, ``last_seen``; ``capabilities`` where there are any."""
    shown: dict[str, Any] = {
        "name": one.name,
        "role": one.role,
        "joined_at": Moment(one.joined_at).utc,
        "last_seen": Moment(one.last_seen).utc,
    }
    return shown | ({"capabilities": list(one.capabilities)} if one.capabilities else {})


def of_elsewhere(one: Elsewhere, now_seconds: int) -> dict[str, Any]:
    """Who lives in another clone: the keys of :func:`of_participant`, ``elsewhere`` and the ``client``, if any.

    Since when it is there nobody says, so it joined when it was last heard of.
    """
    heard = Moment(now_seconds - one.age_seconds).utc
    shown = {"name": one.name, "role": one.role, "joined_at": heard, "last_seen": heard, "elsewhere": True}
    return shown | ({"client": one.client} if one.client is not None else {})


def of_presence(participant: Participant, *, is_public: bool = False) -> dict[str, Any]:
    """The JSON form: the seed contract's keys, then ``state`` and what else is known.

    ``state`` is ``living``, ``registered`` or ``away``. Where the name was taken is told while it is not away;
    with ``is_public``, for who is not of this machine, its worktree, host and process are not.
    """
    holder = participant.holder if participant.is_present else None
    shown: dict[str, Any] = {
        "name": participant.name,
        "role": participant.role,
        "joined_at": Moment(participant.joined_at).utc,
        "last_seen": Moment(participant.last_seen).utc,
        "state": state_of(participant),
    }
    optional = {
        "capabilities": list(participant.capabilities) or None,
        "worktree": holder.worktree if holder and not is_public else None,
        "branch": holder.branch if holder else None,
        "client": holder.client if holder else None,
        "host": holder.host if holder and not is_public else None,
        "pid": holder.pid if holder and participant.is_living and not is_public else None,
        "label": participant.holder.label if participant.holder else None,
        "given": participant.holder.given if participant.holder else None,
    }
    return shown | {key: value for key, value in optional.items() if value is not None}


def state_of(participant: Participant | None) -> str:
    """``living``, ``registered`` or ``away``; None is somebody who never joined."""
    if participant is None or not participant.is_present:
        return "away"
    return "living" if participant.is_living else "registered"


def state_of_seen(one: Seen) -> str:
    """As :func:`state_of`, and ``elsewhere`` for who is not here and lives in another clone."""
    state = state_of(one.participant)
    return "elsewhere" if state == "away" and one.elsewhere else state
