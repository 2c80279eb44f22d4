"""Whether a page or a name of somebody else's stands behind a request. Pure.

A browser asks for every page that a person looks at, so what it sends along is looked at before anything else, also
before credentials: the name that it calls us by (a foreign name can be made to lead here), the page's origin, and
what the browser itself says of the page (``Sec-Fetch-Site``). Who is no browser sends none of it but the name.
"""

from __future__ import annotations

from ipaddress import ip_address

from gitchat.model.errors import UserError
from gitchat.serve.asked import Asked, split_host
from gitchat.serve.settings import Settings, is_loopback

SECRET_NAMES = frozenset({"token", "access_token", "auth_token", "authorization", "bearer", "api_key", "apikey"})
"""Parameters of an address that others take a secret in."""

_PORTS = {"http": 80, "https": 443}


def refuse_foreign(asked: Asked, settings: Settings) -> None:
    """Let nothing through that a page of somebody else may have asked for.

    Raises:
        UserError: ``foreign-host``, ``foreign-origin``.
    """
    if not _is_called_right(asked, settings):
        raise UserError(
            f"this server is not called {split_host(asked.headers.get('host', ''))[0][:200]!r}",
            hint="use an address that it printed, or start it with --allow-host NAME",
            code="foreign-host",
        )
    origin = asked.headers.get("origin")
    if origin is not None and not is_own_origin(asked, origin) and origin not in settings.cors:
        raise _foreign("the page that asks is not of this server")
    site = asked.headers.get("sec-fetch-site", "none")
    if site not in ("same-origin", "none") and origin not in settings.cors and not _is_link(asked):
        raise _foreign("a page of another site may not ask here")


def is_own_origin(asked: Asked, origin: str) -> bool:
    """Whether a page of ``origin`` came from us, under the name that is used now."""
    scheme, separator, rest = origin.partition("://")
    if not separator or scheme != asked.scheme or "/" in rest or "@" in rest or "," in rest:
        return False
    usual = _PORTS.get(scheme)
    name, port = split_host(rest)
    own_name, own_port = split_host(asked.headers.get("host", ""))
    return name != "" and (name, port or usual) == (own_name, own_port or usual)


def refuse_secrets_in_the_address(asked: Asked) -> None:
    """Raise UserError ``token-in-address``: an address stands in logs and histories, where others read it."""
    if not asked.query:
        return
    if any(name.lower() in SECRET_NAMES or "gct_" in value for name, value in asked.query_names().items()):
        raise UserError(
            "a token must not stand in an address, which is kept in logs and histories",
            hint="revoke it (git chat token revoke NAME), and send the next in a header: Authorization: Bearer TOKEN",
            code="token-in-address",
        )


def _is_called_right(asked: Asked, settings: Settings) -> bool:
    name, port = split_host(asked.headers.get("host", ""))
    if not name:
        return False
    if is_loopback(name) or name == settings.host.lower():
        return True
    if not settings.is_loopback and _is_address(name):
        return True  # a foreign name can lead here, an address cannot
    return any((name, None) == split_host(one) or (name, port) == split_host(one) for one in settings.allow_hosts)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_link(asked: Asked) -> bool:
    """Whether somebody follows a link to the page, which shows nothing to whom it does not know."""
    is_navigation = asked.headers.get("sec-fetch-mode") == "navigate" and asked.method in ("GET", "HEAD")
    is_whole = asked.headers.get("sec-fetch-dest", "document") == "document"
    return is_navigation and is_whole and is_page(asked.path)


def is_page(path: str) -> bool:
    """Whether the page itself is there, which holds no text of a room."""
    return path == "/" or path.startswith(("/r/", "/static/"))


def _foreign(said: str) -> UserError:
    return UserError(
        said,
        hint="open the page that this server has, or start it with --cors ORIGIN for a page of your own",
        code="foreign-origin",
    )
