"""The guard's regular expressions mean the paths that a pattern means: awk, asked in bytes, agrees with Python."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gitchat.model.pattern import ANY, Parts, fixed_part, matches, parse_pattern, regex_of_bytes
from gitchat.workspace.guarding import PROGRAM
from tests.workspace.awks import KINDS, shell_of
from tests.world import World

PAIRS = 6000

MATCHES = '(substr(paths[i], 1, length(field[6])) == field[6] && paths[i] ~ ("^(" field[7] ")$"))'
"""How the guard decides it."""

ASKED = '{ split($0, field, "\\t"); i = 0; paths[0] = field[1]; print ' + MATCHES + " }"
"""The same of lines with a path first, for a pair each, in one process."""

PIECES = [
    "a",
    "ab",
    "b",
    "ü",
    "é\u0301",
    "😀",
    "a b",
    ".",
    "+x",
    "(",
    ")",
    "$",
    "^a",
    "{2}",
    "|",
    "-",
    "&",
    "]",
    "'",
    "a.b",
]


def a_part(rng: random.Random) -> str:
    """A part of a path."""
    part = "".join(rng.choices(PIECES, k=rng.choice([1, 1, 2, 3]))).strip()
    return "x" if part in ("", ".", "..") else part


def a_pattern(rng: random.Random, path: list[str]) -> str:
    """One that is near ``path``: parts are left out, put in, or become wild."""
    parts: list[str] = []
    for part in path:
        way = rng.random()
        if way < 0.2:
            parts.append(ANY)
        elif way < 0.3:
            parts.append("*")
        elif way < 0.6:
            at = rng.randrange(len(part))
            parts.append(part[:at] + rng.choice("?*") + part[at + rng.choice([0, 1, 1, 2]) :])
        elif way < 0.95:
            parts.append(part)
    parts += [ANY] * (rng.random() < 0.1)
    text = "/".join(one.replace("**", "*") if one != ANY else one for one in parts) or "a"
    return text + "/" * (rng.random() < 0.2)


def pairs(seed: int) -> list[tuple[str, Parts]]:
    """Paths, each with a pattern."""
    rng = random.Random(seed)
    found: list[tuple[str, Parts]] = []
    while len(found) < PAIRS:
        path = [a_part(rng) for _ in range(rng.choice([1, 2, 3, 4]))]
        text = a_pattern(rng, path)
        if text.strip() != text or any(part in (".", "..", "") for part in text.rstrip("/").split("/")):
            continue
        if rng.random() < 0.5:
            path[rng.randrange(len(path))] = a_part(rng)
        found.append(("/".join(path), parse_pattern(text)))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_awk_agrees_with_python(world: World, kind: str, tmp_path: Path) -> None:
    """Of thousands of pairs, of which about half match."""
    assert MATCHES[1:-1] in PROGRAM.read_text()
    _, programs = shell_of(kind, tmp_path / "programs")
    asked = pairs(20261129)
    lines = [
        b"\t".join([path.encode(), *[b""] * 4, fixed_part(pattern).encode(), regex_of_bytes(pattern)])
        for path, pattern in asked
    ]
    done = world.run(programs / "awk", ASKED, stdin=b"\n".join(lines) + b"\n", LC_ALL="C")
    told = [line == "1" for line in done.stdout.splitlines()]
    wanted = [matches(pattern, path) for path, pattern in asked]
    assert len(told) == PAIRS
    assert 0.2 < sum(wanted) / PAIRS < 0.8
    wrong = [(pair, want) for pair, want, got in zip(asked, wanted, told, strict=True) if want != got]
    assert wrong[:5] == []
