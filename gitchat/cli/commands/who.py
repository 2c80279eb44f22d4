"""``git chat who``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from gitchat.cli import options, reading, terminal
from gitchat.cli.arriving import arrive
from gitchat.cli.terminal import Screen, escape_line
from gitchat.model.participant import Participant
from gitchat.model.record import Moment
from gitchat.quick.ago import relative
from gitchat.staying.ringfile import RingFile
from gitchat.verbs import people_json
from gitchat.verbs.conflictforms import of_conflicts
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.verbs.room import Seen

FEW = 10
"""How many who are away are shown without --all."""

FEW_CLAIMS = 3

Rings = dict[str, list[bool | None]]
"""By name, of each ring of the last hour whether it was heard; None as long as it still can be."""

_RANKS = ("living", "registered", "elsewhere", "away")
_COLORS = {"living": "green", "registered": "yellow", "elsewhere": "cyan", "away": None}


@click.command("who")
@click.option("--all", "everybody", is_flag=True, help=f"Also those who are away, beyond the last {FEW}.")
@options.room
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@options.color
@options.no_color
@options.no_pager
@click.pass_obj
def command(
    environment: Environment, everybody: bool, room: str | None, as_json: bool, color: str | None, no_pager: bool
) -> None:
    """Show who is here, what is unread, and who was woken.

    First the living, whose process runs right now; then the registered, who joined and
    did not leave; then who lives in another clone, where clones tell each other (chat.nats);
    then who is away: who left, or only wrote or read, perhaps on another machine.
    "rung 3 times, 2 heard" is of the last hour: how often the session was woken for a message.

    \b
    Examples:
      git chat who
      git chat who --all --json | jq -r .name
    """
    from gitchat.verbs.room import Room

    chosen = Room(environment, arrive(environment, room))
    chosen.refuse_unknown()
    seen = sorted(chosen.who(), key=_order)
    away = [one for one in seen if _state(one) == "away"]
    shown = seen if everybody else seen[: len(seen) - len(away)] + away[:FEW]
    now = environment.now().seconds
    rings = RingFile(environment.repository.directory).lately(now)
    if as_json:
        reading.show(environment, "".join(_json(one, rings.get(one.name)) for one in shown), is_paged=False)
        return
    if not shown:
        reading.tell(f"nobody is in room '{chosen.name}': git chat join")
    screen = terminal.screen_for(environment, color)
    lines = _table(screen, shown, rings, now)
    if len(shown) < len(seen):
        more = reading.command("who", {"--room": room}) + " --all"
        lines.append(screen.style(screen.fold(f"{len(seen) - len(shown)} more: {more}", "    "), dim=True))
    reading.show(environment, "".join(line + "\n" for line in lines), is_paged=not no_pager)


def _state(one: Seen) -> str:
    return people_json.state_of_seen(one)


def _order(one: Seen) -> tuple[int, int, str]:
    """Who is present first, by name; then the others, who was seen last first."""
    state = _state(one)
    return _RANKS.index(state), -one.last_seen if state == "away" else 0, one.name


def _table(screen: Screen, shown: list[Seen], rings: Rings, now: int) -> list[str]:
    """A line for each, in columns; where one is wider than the screen it goes on below."""
    states = [_shown_state(one, now) for one in shown]
    name_width = max((len(one.name) for one in shown), default=0)
    state_width = max(map(len, states), default=0)
    return [
        screen.fold(
            screen.name(f"{one.name:<{name_width}}", bold=True)
            + "  "
            + screen.style(f"{state:<{state_width}}", fg=_COLORS[_state(one)])
            + "".join(f"  {part}" for part in _details(one) + _rung(rings.get(one.name, []))),
            "    ",
        ).rstrip()
        for one, state in zip(shown, states, strict=True)
    ]


def _shown_state(one: Seen, now: int) -> str:
    state = _state(one)
    return f"last seen {relative(now - one.last_seen)}" if state == "away" else state


def _details(one: Seen) -> list[str]:
    """What is known beside name and state, in strangers' words and so escaped."""
    unread = [f"{one.unread} unread"] if one.unread else []
    if _state(one) == "elsewhere":
        role = escape_line(one.elsewhere[0].role.strip())
        return [*filter(None, [role]), *unread, *_claims(one), *_conflicts(one), *_clones(one)]
    if one.participant is None:
        return [*unread, *_claims(one), *_conflicts(one)]
    role = escape_line(one.participant.role.strip())
    capabilities = escape_line(", ".join(one.participant.capabilities))
    return [
        *filter(None, [role]),
        *unread,
        *([f"can {capabilities}"] if capabilities else []),
        *_claims(one),
        *_conflicts(one),
        *_place(one.participant),
        *_clones(one),
    ]


def _claims(one: Seen) -> list[str]:
    """What it has claimed, the first few."""
    more = f" and {len(one.claims) - FEW_CLAIMS} more" if len(one.claims) > FEW_CLAIMS else ""
    return [f"has {escape_line(', '.join(one.claims[:FEW_CLAIMS]))}{more}"] if one.claims else []


def _conflicts(one: Seen) -> list[str]:
    """With whom its work will not merge."""
    others = sorted({name for found in one.conflicts for name in found.others(one.name)})
    return [f"conflicts with {', '.join(others)}"] if others else []


def _clones(one: Seen) -> list[str]:
    """In how many other clones somebody lives under that name, and by which clients."""
    if not one.elsewhere:
        return []
    clients = sorted({other.client for other in one.elsewhere if other.client is not None})
    by = f" ({', '.join(clients)})" if clients else ""
    count = len(one.elsewhere)
    where = "another clone" if count == 1 else f"{count} other clones"
    return [f"in {where}{by}" if _state(one) == "elsewhere" else f"and in {where}{by}"]


def _rung(heard: list[bool | None]) -> list[str]:
    """How often it was woken in the last hour, and whether it heard that."""
    if not heard:
        return []
    times = "once" if len(heard) == 1 else f"{len(heard)} times"
    return [f"rung {times}, {heard.count(True)} heard" + (f", {heard.count(None)} not yet" if None in heard else "")]


def _place(participant: Participant) -> list[str]:
    """Worktree and branch of who is here."""
    holder = participant.holder
    if holder is None or not participant.is_present:
        return []
    branch = f" ({escape_line(holder.branch)})" if holder.branch else ""
    return [f"in {escape_line(holder.worktree)}{branch}"]


def _json(one: Seen, heard: list[bool | None] | None) -> str:
    last_seen = Moment(one.last_seen).utc
    shown: dict[str, Any] = {"name": one.name, "last_seen": last_seen, "state": "away"}
    if one.participant is not None:
        shown = people_json.of_presence(one.participant) | {"last_seen": last_seen}
    if one.elsewhere:
        shown["state"] = _state(one)
        shown["elsewhere"] = [
            {"clone": other.clone, "role": other.role, "client": other.client, "age_seconds": other.age_seconds}
            for other in one.elsewhere
        ]
    if one.claims:
        shown["claims"] = list(one.claims)
    shown |= of_conflicts(one.conflicts, one.name)
    shown["unread_count"] = one.unread
    if one.last_number is not None:
        shown["last_id"] = one.last_number
    if heard:
        shown["rings"] = {"count": len(heard), "heard": heard.count(True), "open": heard.count(None)}
    return terminal.escape_json(json.dumps(shown, ensure_ascii=False)) + "\n"
