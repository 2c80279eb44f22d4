"""What of our environment no process gets that we start."""

from __future__ import annotations

from collections.abc import Mapping

SECRETS = frozenset({"CLAUDE_CODE_MESSAGING_TOKEN"})
"""Variables that are for the process alone that a client gave them to: they open a door of its session."""


def without_secrets(variables: Mapping[str, str]) -> dict[str, str]:
    """``variables`` without them."""
    return {key: value for key, value in variables.items() if key not in SECRETS}
