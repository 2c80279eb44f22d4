"""Who asks: the first of a token, the page's cookie, the user whose process serves, and a guest that holds."""

from __future__ import annotations

import base64
import os
from ipaddress import ip_address

from starlette.requests import cookie_parser

from gitchat.model.errors import UserError
from gitchat.serve.actor import Actor
from gitchat.serve.asked import Asked
from gitchat.serve.origins import is_own_origin
from gitchat.serve.served import Served
from gitchat.serve.tokens import Tokens

NOBODY = Actor("nobody", is_guest=True, rooms=frozenset())
"""Who has shown nothing, and sees what everybody may see."""
LOCAL = Actor("local", is_admin=True, is_local=True)
"""The user whose process serves: who could write to the clone directly."""
ANY_PROGRAM = Actor("open")
GUEST = Actor("guest", is_guest=True)

OWNER = "owner"
GIT_PATH = "/git/"
"""Below it a token may come as a password, which is how git sends one."""


class UnknownToken(UserError):
    """Nobody is known by what was shown, or nothing was shown where something is needed."""

    def __init__(self, said: str, scheme: str = "Bearer") -> None:
        super().__init__(
            said,
            hint="send the header Authorization: Bearer TOKEN; who runs the server makes one: git chat token add NAME",
            code="no-token",
        )
        self.scheme = scheme


def cookie_name(served: Served, repository: str | None, scheme: str) -> str:
    """What the page's cookie is called: cookies ignore ports, so the port is in the name."""
    prefix = "__Host-" if scheme == "https" else ""
    suffix = "" if repository is None or repository == served.first.name else f"-{repository}"
    return f"{prefix}gitchat-{served.settings.port}{suffix}"


def actor_of(asked: Asked, served: Served, repository: str | None, now: int) -> Actor | None:
    """Who asks; None for who has shown nothing, and may not even read.

    ``repository`` is the one that the path names, and ``now`` the time in seconds since the epoch.

    Raises:
        UnknownToken: something was shown, and it is not, or no longer, known.
    """
    tokens = served.tokens_of(repository)
    if (sent := asked.headers.get("authorization")) is not None:
        return _by_header(sent, asked, tokens, now)
    is_cross = (origin := asked.headers.get("origin")) is not None and not is_own_origin(asked, origin)
    if "cookie" in asked.headers and not is_cross:
        name = cookie_name(served, repository, asked.scheme)
        page = tokens.find(cookie_parser(asked.headers["cookie"]).get(name, ""), now, "page")
        if page is not None:
            return page.actor()
    if _is_the_user(asked, served):
        return LOCAL
    if served.settings.open and asked.is_from_here and not asked.is_of_a_browser:
        return ANY_PROGRAM
    return GUEST if served.settings.guests else None


def _by_header(sent: str, asked: Asked, tokens: Tokens, now: int) -> Actor:
    scheme, _, value = sent.strip().partition(" ")
    is_git = asked.path.startswith(GIT_PATH)
    secret = value.strip()
    if scheme.lower() == "basic" and is_git:
        try:
            secret = base64.b64decode(secret, validate=True).decode().partition(":")[2]
        except ValueError:
            secret = ""
    elif scheme.lower() != "bearer":
        raise UnknownToken(f"{scheme[:20]!r} is no way to show a token here", "Basic" if is_git else "Bearer")
    token = tokens.find(secret, now, "token")
    if token is None:
        raise UnknownToken("this token is not known: it is mistyped, revoked, or its time is over")
    return token.actor()


def _is_the_user(asked: Asked, served: Served) -> bool:
    """Whether the same user asks on the same machine, by a program of theirs and for nobody else."""
    settings = served.settings
    if settings.token_always or asked.is_of_a_browser or not asked.is_from_here:
        return False
    assert asked.client is not None
    if asked.server is None or any(ip_address(asked.client[0]) in network for network in settings.behind_proxy):
        return False
    found = asked.found if asked.found is not None else {}
    if OWNER not in found and (owner := served.owner_of(asked.client, asked.server)) is not None:
        found[OWNER] = owner
    return found.get(OWNER) == os.geteuid()
