"""What is done of what looks like a secret, as git's configuration says it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from gitchat.model.errors import UserError
from gitchat.model.secrets import MODES, Policy, compiled
from gitchat.workspace.config import Config


def policy(config: Config, warn: Callable[[str], None], *, is_allowed: bool) -> Policy:
    """``chat.secrets`` and ``chat.secretPattern``; nothing is looked at where a person allowed it.

    Raises:
        UserError: ``bad-config``, also where a person allowed it.
    """
    mode = next(one for one in MODES if one == config.get_choice("chat.secrets", MODES))
    patterns = tuple(_compiled(pattern) for pattern in config.get_all("chat.secretPattern"))
    return Policy("off" if is_allowed else mode, patterns, warn)


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
