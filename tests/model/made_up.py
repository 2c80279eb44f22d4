"""Made-up secrets in the forms that their makers document. None was ever issued; each is put together when it is used,
so that no file of ours holds what a forge would take for a leak.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

_ALNUM = string.ascii_letters + string.digits
_UPPER = string.ascii_uppercase + string.digits
_LOWER = string.ascii_lowercase + string.digits
_URL = _ALNUM + "-_"
_B64 = _ALNUM + "+/"
_BASE32 = string.ascii_uppercase + "234567"
_HEX = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Maker:
    """One documented form."""

    form: str
    make: Callable[[random.Random], str]

    def __str__(self) -> str:
        return self.form


def _of(form: str, *parts: str | tuple[str, int]) -> Maker:
    """A form of fixed texts, and of so many letters of an alphabet."""
    return Maker(
        form,
        lambda dice: "".join(one if isinstance(one, str) else "".join(dice.choices(one[0], k=one[1])) for one in parts),
    )


def _pem(kind: str, *, line_break: str = "\n", headers: str = "", lines: int = 6) -> Maker:
    def make(dice: random.Random) -> str:
        body = line_break.join("".join(dice.choices(_B64, k=64)) for _ in range(lines))
        rule = "-" * 5
        return f"{rule}BEGIN {kind}{rule}{line_break}{headers}{body}{line_break}{rule}END {kind}{rule}"

    return Maker(f"{kind} {line_break!r} {headers[:10]!r}", make)


def _jwt(dice: random.Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    head = {"alg": dice.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"}
    said = {"sub": str(dice.randrange(10**9)), "iat": dice.randrange(10**9)}
    return f"{part(head)}.{part(said)}.{''.join(dice.choices(_URL, k=43))}"


def _password(dice: random.Random) -> str:
    scheme = dice.choice(["https", "postgres", "postgresql", "mysql", "mongodb+srv", "redis", "amqp", "ftp", "ssh"])
    word = "".join(dice.choices(_ALNUM + "!-_.~%$&*+,;=", k=dice.randrange(8, 40)))
    user = dice.choice(["", "app", "deploy-bot", "x-access-token"])
    return f"{scheme}://{user}:k{word}@db{dice.randrange(9)}.corp.net/x"


FORMS: dict[str, list[Maker]] = {
    "an AWS key": [
        _of("access key id", "AKIA", (_BASE32, 16)), _of("temporary id", "ASIA", (_BASE32, 16)),
        _of("secret in a file", "aws_secret_access_key = ", (_B64, 40)),
        _of("secret in the environment", "AWS_SECRET_ACCESS_KEY=", (_B64, 40)),
        _of("secret as sts gives it", '"SecretAccessKey": "', (_B64, 40), '"'),
    ],
    "a GitHub token": [
        *(_of(f"classic {start}", start, "_", (_ALNUM, 36)) for start in ("ghp", "gho", "ghu", "ghs", "ghr")),
        _of("fine-grained", "github_", "pat_", (_ALNUM, 22), "_", (_ALNUM, 59)),
    ],
    "a GitLab token": [
        *(_of(start, start, "-", (_URL, 20)) for start in ("glpat", "gldt", "glrt", "glptt", "glft", "glsoat")),
        _of("job", "glcbt-", (_HEX, 2), "_", (_URL, 20)), _of("feed", "glft-", (_URL, 20)),
        _of("incoming mail", "glimt-", (_LOWER, 25)), _of("agent", "glagent-", (_URL, 50)),
        _of("application", "gloas-", (_HEX, 64)), _of("routable", "glpat-", (_URL, 27), ".01.", (_LOWER, 9)),
        _of("runner registration", "GR1348", "941", (_URL, 20)),
    ],
    "a secret key (sk-)": [
        _of("OpenAI, old", "sk-", (_ALNUM, 20), "T3Blbk", "FJ", (_ALNUM, 20)),
        _of("OpenAI project", "sk-", "proj-", (_URL, 74), "T3Blbk", "FJ", (_URL, 74)),
        _of("OpenAI service", "sk-", "svcacct-", (_URL, 74), "T3Blbk", "FJ", (_URL, 74)),
        _of("Anthropic", "sk-", "ant-api03-", (_URL, 93), "AA"),
        _of("Anthropic OAuth", "sk-", "ant-oat01-", (_URL, 93)),
        _of("OpenRouter", "sk-", "or-v1-", (_HEX, 64)), _of("DeepSeek", "sk-", (_HEX, 32)),
    ],
    "a Stripe key": [
        *(_of(f"{kind}_{mode}", kind, "_", mode, "_", (_ALNUM, size))
          for kind in ("sk", "rk") for mode in ("live", "test") for size in (24, 99)),
        _of("webhook", "whsec_", (_ALNUM, 32)),
    ],
    "a Slack token": [
        _of("bot", "xox", "b-", (string.digits, 12), "-", (string.digits, 13), "-", (_ALNUM, 24)),
        _of("user", "xox", "p-", (string.digits, 12), "-", (string.digits, 12), "-", (_HEX, 32)),
        _of("app", "xapp", "-1-A", (_UPPER, 10), "-", (string.digits, 13), "-", (_HEX, 64)),
        _of("refresh", "xox", "e-1-", (_ALNUM, 146)), _of("rotated", "xoxe", ".xox", "p-1-", (_ALNUM, 166)),
        _of("webhook", "https://hooks.slack", ".com/services/T", (_UPPER, 10), "/B", (_UPPER, 10), "/", (_ALNUM, 24)),
    ],
    "a Google key": [
        _of("API key", "AIza", (_URL, 35)), _of("OAuth secret", "GOC", "SPX-", (_URL, 28)),
        _of("access token", "ya29", ".a0", (_URL, 160)),
    ],
    "a private key": [
        *(_pem(f"{kind}PRIVATE KEY") for kind in ("", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ")),
        _pem("PRIVATE KEY", line_break="\\n"), _pem("RSA PRIVATE KEY", line_break="\r\n"),
        _pem("RSA PRIVATE KEY", headers="Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF\n\n"),
        _pem("PGP PRIVATE KEY BLOCK", headers="Version: GnuPG v2\n\n"),
        _of("age", "AGE-SECRET-", "KEY-1", (_UPPER, 58)),
    ],
    "a token of a package registry": [
        _of("npm", "npm_", (_ALNUM, 36)), _of("PyPI", "pypi-", "AgEIcHlwaS5vcmc", (_URL, 150)),
        _of("RubyGems", "rubygems_", (_HEX, 48)), _of("Docker Hub", "dckr_", "pat_", (_URL, 27)),
        _of("an organization's Docker", "dckr_", "oat_", (_URL, 32)),
        _of(".npmrc", "//registry.npmjs.org/:_auth", "Token=", (_HEX, 8), "-", (_HEX, 4), "-", (_HEX, 20)),
    ],
    "a JSON web token": [Maker("signed", _jwt)],
    "a password in a URL": [Maker("user and password", _password)],
}  # fmt: skip

MISSED: list[Maker] = [
    _of("AWS secret without its name", (_B64, 40)), _of("Azure storage key", (_B64, 86), "=="),
    _of("Twilio auth token", (_HEX, 32)), _of("Heroku, a UUID", (_HEX, 8), "-", (_HEX, 4), "-", (_HEX, 12)),
    _of("crates.io", "cio", (_ALNUM, 32)), _of("NuGet", "oy2", (_LOWER, 43)),
    _of("Telegram bot", "123456789:AA", (_URL, 33)),
    _of("SendGrid", "SG.", (_URL, 22), ".", (_URL, 43)), _of("Hugging Face", "hf_", (string.ascii_letters, 34)),
    _of("a password after a word", "password: ", (_ALNUM, 16)),
]  # fmt: skip
"""What the eleven kinds leave out, on purpose: what only looks random, or is none of the kinds."""
