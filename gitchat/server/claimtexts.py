"""What a model reads of claims and conflicts. Pure: JSON results in, text out."""

from __future__ import annotations

from collections.abc import Sequence

from gitchat.model.escape import tame_line, tame_name
from gitchat.server.phrases import WARNING, Json, clipped, label_of, when


def of_claiming(result: Json, today: str, max_chars: int) -> str:
    """What the tool ``claim`` answers. Of a list no more than ``max_chars`` characters, and how many more there are."""
    if "claims" in result:
        return _claims(result, today, max_chars)
    if "released" in result:
        return "\n".join(f"given back: {_whats(one)} ({_mark(one)})" for one in result["released"])
    mine = result["claimed"]
    if mine["state"] == "waits":
        return f"you wait for {_blocker(mine)} with {_mark(mine)}"
    agreed = ", not yet agreed" if mine["state"] == "unagreed" else ""
    return f"you have {_whats(mine)} until {when(mine['until'], today)} ({_mark(mine)}){agreed}"


def _claims(result: Json, today: str, max_chars: int) -> str:
    """Who has what, and who waits; what is claimed and the notes are texts of others."""
    if not result["claims"]:
        return "nobody has claimed anything"
    lines = _lines(result["claims"], today)
    shown = list(lines)
    while len(shown) > 1 and sum(map(len, shown)) > max_chars:
        shown.pop()
    more = len(lines) - len(shown) + result.get("more", 0)
    return "\n".join([WARNING, *_fenced(shown), *([f"{more} more"] if more else [])])


def listed(claims: Sequence[Json], today: str) -> str:
    """Some claims as a part of an answer."""
    return "\n".join(["claims, yours and those of files that you changed:", *_fenced(_lines(claims, today))])


def ahead(result: Json, today: str) -> list[str]:
    """What will not merge of one's work, and how far the base is ahead, as parts of an answer; paths may be others'."""
    lines = [
        f"[{label_of(one)}] with {', '.join(map(tame_name, one['with']))} since {when(one['since'], today)}"
        f"{', perhaps over by now' if 'old' in one else ''}: {clipped(tame_line(', '.join(one['paths'])))}"
        for one in result.get("conflicts", [])
    ]
    parts = ["\n".join(["what you changed will not merge:", *_fenced(lines)])] if lines else []
    base = result.get("base")
    if base is not None:
        paths = base.get("paths", [])
        meeting = f", and both change {clipped(tame_line(', '.join(paths)))}" if paths else ""
        parts.append(f"{tame_line(base['name'])} is {base['behind']} commits ahead of you{meeting}")
    return parts


def _fenced(lines: Sequence[str]) -> list[str]:
    return ["<chat>", *lines, "</chat>"]


def _lines(claims: Sequence[Json], today: str) -> list[str]:
    lines: list[str] = []
    for one in claims:
        state = f"waits for {_blocker(one)}: " if one["state"] == "waits" else "has "
        until = "" if one["state"] == "waits" else f" until {when(one['until'], today)}"
        until += ", not yet agreed" if one["state"] == "unagreed" else ""
        note = f": {clipped(tame_line(one['note']))}" if one["note"] else ""
        lines.append(f"[{label_of(one)}] {tame_name(one['from'])} {state}{_whats(one)}{until}{note}")
    return lines


def _whats(claim: Json) -> str:
    return clipped(tame_line(", ".join(claim["what"])))


def _mark(claim: Json) -> str:
    return str(claim["handle"]) if claim["id"] is None else f"#{claim['id']}"


def _blocker(claim: Json) -> str:
    """Whose claim one waits for, and its label."""
    label = claim["waits_for"] if claim["waits_for_id"] is None else f"#{claim['waits_for_id']}"
    return f"{tame_name(claim['waits_for_name'])} ({label})"
