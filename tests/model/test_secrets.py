"""What looks like a secret: found in each form that its maker documents, and in nothing else."""

from __future__ import annotations

import random
import string
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from gitchat.model import secrets
from gitchat.quick.rules import is_suspect
from tests.model.made_up import FORMS, MISSED

TOP = Path(__file__).parents[2]

ROUNDS = 40


@pytest.mark.parametrize("kind", FORMS)
def test_each_documented_form_is_found(kind: str) -> None:
    """Alone, in a sentence, as a setting, in quotes and in JSON, wherever it stands; and told by its kind and line."""
    dice = random.Random(kind)
    for maker, turn in product(FORMS[kind], range(ROUNDS)):
        made = maker.make(dice)
        for text in (made, f"the token is {made}, use it", f"KEY={made}\n", f'"key": "{made}"', f"a\nb\n\t{made}\nc"):
            found = secrets.find(text)
            assert found is not None, (maker.form, turn)
            assert found.words == kind, (maker.form, turn)
            assert found.line == 1 + text[: text.index(made)].count("\n")
            assert is_suspect(text.encode())


def test_what_has_no_form_is_missed() -> None:
    """Said here, so that nobody takes the look for more than it is; what is found one day moves to the others."""
    dice = random.Random(20)
    assert [maker.form for maker, _ in product(MISSED, range(ROUNDS)) if secrets.find(maker.make(dice))] == []


@pytest.mark.parametrize(
    "text",
    [
        "task-12345678901234567890123456789012 and risk-averse-people-of-the-12th-century-and-so-on",
        "see https://example.org/x?a=b@c and ssh://git@example.org/a.git, or git@github.com:a/b.git",
        "https://user:password@host.org/x https://user:<password>@host.org https://u:$TOKEN@host.org http://a:***@b.org",
        "https://ann:s3cret@example.org/x redis://:PASSWORD@cache:6379 postgres://postgres:postgres@db:5432/x",
        "AKIA" + "IOSFODNN7" + "EXAMPLE", "an -----BEGIN PRIVATE " + "KEY----- line is refused",
        "ghp_ and glpat- and xoxb- and sk- and AIza begin one", "npm_config_registry_of_the_whole_long_house_here",
        "sk-learn-pipelines-are-what-we-use-for-all-of-these-models", "eyJhbGciOiJub25lIn0.e30.",
        "a" * 4000, "sha256:" + "0123456789abcdef" * 4, "commit 0123456789abcdef0123456789abcdef01234567",
        "AGENTS_AKIA_ASIA_EUROPE_AFRICA_AMERICA", "-----BEGIN PUBLIC KEY-----\n" + "MIIB" * 16,
        "-----BEGIN OPENSSH PRIVATE " + "KEY-----\n...\n-----END OPENSSH PRIVATE " + "KEY-----",
    ],
)  # fmt: skip
def test_what_only_speaks_of_one_is_none(text: str) -> None:
    """Prose, examples, links, names, checksums and public keys."""
    assert secrets.find(text) is None


def test_the_look_by_substrings_passes_over_nothing() -> None:
    """What an expression finds has to be looked at: each form within what stands around it anywhere."""
    dice = random.Random(20)
    makers = [maker for kind in FORMS.values() for maker in kind]
    around = string.ascii_letters + string.digits + " \n\t_-./:@='\"é"
    for _ in range(4000):
        before, after = ("".join(dice.choices(around, k=dice.randrange(30))) for _ in range(2))
        text = before + dice.choice(makers).make(dice) + after
        assert is_suspect(text.encode()) or secrets.find(text) is None, text


def test_our_own_pages_and_sources_hold_none() -> None:
    """No false alarm in what this project says and is: every paragraph of it."""
    alarms = []
    for folder in ("docs", "gitchat", "tests", "hooks", "bench"):
        for file in sorted((TOP / folder).rglob("*")):
            if file.is_file() and file.suffix in (".py", ".md", ".sh", ".js", ".txt", ".1"):
                text = file.read_text(encoding="utf-8", errors="replace")
                if is_suspect(text.encode()) and (found := secrets.find(text)) is not None:
                    alarms.append(f"{file}:{found.line}: {found.words}")
    assert alarms == []


HOSTILE: dict[str, Callable[[int], str]] = {
    "many beginnings": lambda size: "eyJ" * (size // 3),
    "beginnings and dots": lambda size: "eyJaaaaaaaaaaaaa." * (size // 17),
    "no digit": lambda size: "glpat-" * (size // 6),
    "headers": lambda size: ("-----BEGIN PRIVATE " + "KEY-----") * (size // 27),
    "spaces after a header": lambda size: "-----BEGIN PRIVATE " + "KEY-----" + " " * size,
    "spaces after a name": lambda size: "aws_secret_key" + " " * size,
    "addresses": lambda size: "a://b:" * (size // 6) + "@",
    "letters": lambda size: "sk-" + "a" * size,
    "schemes": lambda size: "a" * size + "://a:bcd@e",
    "numbers": lambda size: "xapp-1-AAAAAAAA-" + "1" * size,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_longer_than_it_is_long(name: str) -> None:
    """Ten times the text takes about ten times as long, and never a hundred times: nobody can hold up a server."""

    def seconds(size: int) -> float:
        text, policy = HOSTILE[name](size).encode(), secrets.Policy()
        begin = time.process_time()
        policy.look(text)
        return time.process_time() - begin

    least = min(seconds(5_000) for _ in range(3))
    assert seconds(50_000) < 40 * least + 0.05


def test_an_expression_of_ones_own_is_looked_for_in_everything() -> None:
    """Also where nothing is suspect; and what cannot be one is refused in words."""
    policy = secrets.Policy("refuse", (secrets.compiled(r"\bKDNR-[0-9]{4}\b"),))
    assert policy.look(b"first\nKDNR-1234") == ("what chat.secretPattern describes", 2)
    assert policy.look(b"KDNR-123") is None
    for wrong in ("a(b", "", "x*", "(?P<a>"):
        with pytest.raises(ValueError, match=r"."):
            secrets.compiled(wrong)


def test_a_line_is_replaced_only_where_it_has_one() -> None:
    """And never where the repository switched that off."""
    made = FORMS["a GitHub token"][0].make(random.Random(1))
    assert secrets.Policy().without(f"Use {made}", "(hidden)") == "(hidden)"
    assert secrets.Policy("warn").without(f"Use {made}", "(hidden)") == "(hidden)"
    assert secrets.Policy("off").without(f"Use {made}", "(hidden)") == f"Use {made}"
    assert secrets.Policy().without("Use it", "(hidden)") == "Use it"
