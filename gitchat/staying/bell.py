"""The bell of a session: what its client shows tells whether it heard that it was rung.

Ringing proves nothing: a client takes a line and says nothing. The next hook or call of the session does
(:func:`confirm`); until then, and for 30 s at the most, what was rung counts as told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gitchat.workspace.environment import Environment

Event = Literal["session-start", "prompt", "tool", "stop", "session-end", "call"]
"""What shows that a session lives: a hook, or a call of a tool."""


def confirm(environment: Environment, event: Event) -> None:
    """Note that the session that acts in ``environment`` shows life by ``event``; never fails.

    Called before an event tells anything, and never for a subagent. What the session was rung for, it
    has heard by then, and is not told again; with ``stop`` its turn ends, and it may be rung anew. A session that
    starts has heard nothing of what was rung before; one that ends is rung no more.
    """
