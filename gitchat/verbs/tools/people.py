"""Who is in the room."""

from __future__ import annotations

from gitchat.verbs import people_json
from gitchat.verbs.conflictforms import of_conflicts
from gitchat.verbs.standing import held_by
from gitchat.verbs.tools.arguments import checked, refusal
from gitchat.verbs.tools.calling import Json, acting, looking, named
from gitchat.verbs.warned import open_conflicts


@checked
def join(name: str | None = None, role: str = "general", room: str = "", since: str = "") -> list[Json]:
    """Live in the room under ``name`` while this process runs; who is here, sorted by name.

    Again: updates the role. ``since="now"`` takes all that was said so far for read.

    Raises:
        UserError: ``name-taken`` while another process lives under the name.
    """
    chat = named(name, room)
    if since not in ("", "now", "beginning"):
        raise refusal("since must be 'now' or 'beginning'", "leave it out to read from the beginning")
    return [people_json.of_participant(one) for one in chat.join(role, since_now=since == "now")]


@checked
def leave(name: str | None = None, room: str = "") -> Json:
    """Leave the room, and say so in it when the name was there."""
    return {"left": acting(name, room).leave()}


@checked
def list_participants(room: str = "") -> list[Json]:
    """Who is here, sorted by name: ``name``, ``role``, ``joined_at``, ``last_seen``.

    Then who lives in other clones, as they say, with ``elsewhere``. And ``claims``, of who has claimed something;
    ``conflicts``, of whose work will not merge with that of another, as both were told.
    """
    chat = looking(room)
    others, now = chat.elsewhere(), chat.environment.now().seconds
    claims, conflicts = chat.claims(), open_conflicts(chat)
    ours = {None, chat.environment.clone.known()}
    here = [
        people_json.of_participant(one) | _claims(held_by(claims, one.name, ours)) | of_conflicts(conflicts, one.name)
        for one in chat.participants()
    ]
    return here + [
        people_json.of_elsewhere(one, now)
        | _claims(held_by(claims, one.name, {one.clone}))
        | of_conflicts(conflicts, one.name)
        for one in others
    ]


def _claims(whats: list[str]) -> Json:
    return {"claims": whats} if whats else {}
