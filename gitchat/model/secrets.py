"""What looks like a secret: eleven kinds of keys that their makers gave a form, and no guess at what is random.

An expression here has to be as narrow as its maker's form, since a false alarm keeps somebody from speaking. What is
plainly a place for one (``<password>``, ``$TOKEN``, Amazon's ``...EXAMPLE``) is none. Whoever adds an expression adds
what it begins with to :mod:`gitchat.quick.rules`, which every message passes before anything here is looked at.

Pure. Source: docs/reference.md, "Secrets".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from gitchat.quick.rules import is_suspect

MAX_BYTES = 1024 * 1024
"""The longest attachment that is looked at."""

Mode = Literal["refuse", "warn", "off"]
MODES: tuple[Mode, ...] = ("refuse", "warn", "off")
"""What ``chat.secrets`` can be; the first is the default."""

_FREE = "(?<![A-Za-z0-9])"
"""Not the end of a longer word."""

_NO_PASSWORD = (
    r"(?![<\[{$%*]|&lt;|…|(?:x{3,9}|\.{3}|[A-Z][A-Z0-9_]{0,40})@"
    r"|(?i:(?:your|my|the|a|some)?[-_]?(?:pass|password|passwd|passphrase|pw|pwd|s[e3]cr[e3]t|token|key|redacted)[0-9]?)@)"
)
"""Not what stands in an example where a password would: a word for it, a variable, a row of stars."""

_NO_EXAMPLE = r"(?!(?i:(?:[a-z0-9-]{1,63}\.){0,4}(?:example(?:\.(?:com|org|net))?|invalid|test))(?![A-Za-z0-9.-]))"
"""Not one of the hosts that nobody has. Source: RFC 2606."""


_NO_PLACE = "(?!(?i:(?:your|my|the|some|insert|example|placeholder|redacted)[-_]|your|example|xxxx))"
"""Not what stands in an example where a key would."""


def _some(letters: str, count: int) -> str:
    """``count`` characters of a key: a digit among them, or great and small ones, as in what is random."""
    within = f"[{letters}]{{0,{count - 1}}}"
    is_mixed = f"(?:(?={within}[0-9])|(?={within}[a-z])(?={within}[A-Z]))"
    return f"{is_mixed}{_NO_PLACE}[0-9{letters}]{{{count}}}"


_B64, _WORD, _ALPHA = "A-Za-z0-9+/", "A-Za-z_-", "A-Za-z"

# Every repetition is bounded or begins at the start of a word, so that none takes longer than the text is long.
_EXPRESSIONS: dict[str, str] = {
    "an AWS key": rf"{_FREE}(?:AKIA|ASIA)(?![A-Z0-9]{{0,9}}EXAMPLE)[A-Z2-7]{{16}}(?![A-Za-z0-9])"
    r"|(?:aws_secret(?:_access)?_key|AWS_SECRET(?:_ACCESS)?_KEY|[sS]ecretAccessKey)[\"']?\s{0,9}[:=]\s{0,9}[\"']?"
    rf"(?![{_B64}]{{0,33}}EXAMPLE)[{_B64}]{{40}}(?![A-Za-z0-9+/=])",
    "a GitHub token": r"gh[pousr]_[A-Za-z0-9]{36}|gh[pousr]_[A-Za-z0-9._-]{80}|github_pat_[A-Za-z0-9_]{36}",
    "a GitLab token": rf"gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas)-{_some(_WORD, 20)}|GR1348941[A-Za-z0-9_-]{{20}}",
    "a secret key (sk-)": rf"{_FREE}sk-(?:ant|proj|svcacct|admin|or|lf|None)-{_some(_WORD, 24)}"
    rf"|{_FREE}sk-{_some(_ALPHA, 32)}",
    "a Stripe key": rf"{_FREE}[sr]k_(?:live|test)_{_some(_ALPHA, 16)}|{_FREE}whsec_{_some('A-Za-z+/', 24)}",
    "a Slack token": rf"xox[abeoprs]-{_some('A-Za-z-', 16)}|xoxe\.xox[bp]-{_some('A-Za-z-', 16)}"
    r"|xapp-[0-9]-[A-Z0-9]{8,20}-[0-9]{1,20}-[a-f0-9]{16}"
    r"|hooks\.slack\.com/(?:services|workflows)/T(?!0+/|XXX)[A-Z0-9]{7,15}/[AB](?!0+/|XXX)[A-Z0-9]{7,15}/"
    r"(?!X{16})[A-Za-z0-9/]{16}",
    "a Google key": rf"{_FREE}AIza{_some(_WORD, 35)}(?![A-Za-z0-9])|{_FREE}ya29\.{_some('A-Za-z._-', 20)}"
    rf"|{_FREE}GOCSPX-{_some(_WORD, 28)}",
    "a private key": r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^\x00]{0,200}?"
    rf"[{_B64}]{{40}}|Private-Lines: [0-9]{{1,3}}\s{{1,2}}[{_B64}]{{40}}|AGE-SECRET-KEY-1[A-Z0-9]{{50}}",
    "a token of a package registry": rf"{_FREE}npm_{_some(_ALPHA, 36)}|pypi-AgE[A-Za-z0-9_-]{{50}}"
    rf"|{_FREE}rubygems_[a-f0-9]{{48}}|dckr_[po]at_{_some(_WORD, 20)}|_authToken=[\"']?{_some(_WORD, 20)}",
    "a JSON web token": r"(?:(?<![A-Za-z0-9_-])|(?<=%3D))eyJ[A-Za-z0-9_-]{12,}\.eyJ[A-Za-z0-9_-]{12,}"
    r"\.[A-Za-z0-9_-]{20}",
    "a password in a URL": rf"{_FREE}[A-Za-z][A-Za-z0-9+.-]{{1,20}}://(?P<user>[^\s:/?#@\"'`<>]{{0,100}}):"
    rf"{_NO_PASSWORD}(?!(?P=user)@)[^\s:/?#@\"'`<>]{{3,256}}@{_NO_EXAMPLE}[A-Za-z0-9\[]",
}
"""What each kind is called, and how it looks. Sources: what their makers say of each form."""

KINDS = tuple(_EXPRESSIONS)


@dataclass(frozen=True, slots=True)
class Find:
    """What looks like a secret: nothing of it is kept here, since this is what is printed."""

    words: str
    """What it looks like: ``a GitHub token``."""
    line: int
    """Where it begins, from 1."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is done of secrets in a repository: ``chat.secrets`` and ``chat.secretPattern``."""

    mode: Mode = "refuse"
    patterns: tuple[re.Pattern[str], ...] = ()
    """What else is a secret there."""
    warn: Callable[[str], None] = lambda words: None
    """Told what looks like a secret, where that is not refused."""

    def look(self, text: bytes) -> tuple[str, int] | None:
        """What ``text`` holds that looks like a secret, and in which line; None for nothing, whatever the mode is."""
        if not self.patterns and not is_suspect(text):
            return None
        found = find(text.decode("utf-8", "replace"), self.patterns)
        return (found.words, found.line) if found is not None else None

    def without(self, line: str, instead: str) -> str:
        """``line``, or ``instead`` where it looks like a secret and the mode is not ``off``."""
        return line if self.mode == "off" or self.look(line.encode("utf-8", "replace")) is None else instead


OFF = Policy("off")
"""Nothing is looked at."""


def find(text: str, patterns: Sequence[re.Pattern[str]] = ()) -> Find | None:
    """The first of ``text`` that looks like a secret; None for nothing. Slower than :func:`is_suspect` by far."""
    at, words = len(text) + 1, ""
    for kind in KINDS:
        match = _compiled(kind).search(text)
        if match is not None and match.start() < at:
            at, words = match.start(), kind
    for pattern in patterns:
        match = pattern.search(text)
        if match is not None and match.start() < at:
            at, words = match.start(), "what chat.secretPattern describes"
    return Find(words, text.count("\n", 0, at) + 1) if words else None


def compiled(pattern: str) -> re.Pattern[str]:
    """An expression of the user's own. Raises ValueError, in words: it is none, or fits a text that is empty."""
    try:
        made = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if made.search("") is not None:
        raise ValueError("it fits every text")
    return made


@cache
def _compiled(kind: str) -> re.Pattern[str]:
    return re.compile(_EXPRESSIONS[kind])
