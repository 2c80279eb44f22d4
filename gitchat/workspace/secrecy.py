"""What is done of what looks like a secret, as git's configuration says it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable

from gitchat.model.errors import UserError
from gitchat.model.secrets import MODES, Policy, compiled
from gitchat.workspace.config import Config


def policy(config: Config, warn: Callable[[str], None] = lambda words: None, *, is_allowed: bool = False) -> Policy:
    """``chat.secrets`` and ``chat.secretPattern``; nothing is looked at where a person allowed it.

    Raises:
        UserError: ``bad-config``, also where a person allowed it.
    """
    mode = next(one for one in MODES if one == config.get_choice("chat.secrets", MODES))
    patterns = tuple(_compiled(pattern) for pattern in config.get_all("chat.secretPattern"))
    return Policy("off" if is_allowed else mode, patterns, warn)


def refuse_names(names: Iterable[str], secrets: Policy) -> None:
    """Refuse to be called what looks like a secret: names, roles and the like stand in refs, records and files.

    Raises:
        UserError: ``secret``.
    """
    if secrets.mode == "off":
        return
    for name in names:
        found = secrets.look(name.encode("utf-8", "replace"))
        if found is not None and secrets.mode == "warn":
            secrets.warn(f"a name looks like {found[0]}")
        elif found is not None:
            raise UserError(
                f"a name looks like {found[0]}; names stay in git for ever", hint="choose another name", code="secret"
            )


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return compiled(pattern)
    except ValueError as error:
        raise UserError(
            f"the setting chat.secretPattern has {pattern!r}, which cannot be used: {error}",
            hint="remove it, and add a better one: "
            f"git config --fixed-value --unset chat.secretPattern {shlex.quote(pattern)}",
            code="bad-config",
        ) from error
