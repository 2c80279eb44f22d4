"""What a server is started with: options, then variables of those whom it stands in for, then git's configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from gitchat.model.errors import UserError
from gitchat.model.names import parse_room
from gitchat.serve.asked import split_host
from gitchat.serve.settings import LOOPBACK, PORTS, RATE, Network, Profile, Settings, Tls
from gitchat.workspace.config import Config, bad_config


@dataclass(frozen=True, slots=True)
class Given:
    """The options, as they were typed; None, or empty, is one that was not."""

    host: str | None = None
    port: int | None = None
    path: str | None = None
    profile: Profile = "gitchat"
    room: str | None = None
    guests: bool = False
    cors: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    tls_cert: str | None = None
    tls_key: str | None = None
    behind_proxy: tuple[str, ...] = ()
    git: bool = False
    audit: str | None = None
    token_always: bool = False
    open: bool = False
    plain: bool = False


def choose(given: Given, variables: Mapping[str, str], config: Config) -> Settings:
    """The settings of a server, which may be started with them.

    Raises:
        UserError: ``bad-argument``, ``bad-config``, ``bad-name``, ``bad-certificate``; ``open-network`` and
            ``plain-network`` for what would let others in, or read along.
    """
    told = _told(given.profile, variables)
    host = given.host or told.get("host") or config.get("chat.serveHost") or LOOPBACK
    settings = Settings(
        host=host,
        port=_port(given, told, config),
        path=_path(given.path or told.get("path") or "/mcp"),
        profile=given.profile,
        room=parse_room(given.room) if given.room is not None else None,
        guests=given.guests,
        cors=tuple(map(_origin, given.cors or config.get_all("chat.serveCors"))),
        allow_hosts=tuple(map(_host, given.allow_hosts or config.get_all("chat.serveAllowHost"))),
        tls=_tls(given.tls_cert, given.tls_key),
        behind_proxy=tuple(map(_network, given.behind_proxy)),
        git=given.git,
        audit=given.audit or told.get("audit") or config.get("chat.serveAudit"),
        token_always=given.token_always,
        open=given.open,
        rate=_rate(config),
    )
    _refuse_what_lets_others_in(settings, given.plain)
    return settings


def not_needed(variables: Mapping[str, str]) -> list[str]:
    """The variables that name what those servers needed whom a profile stands in for, and this one does not."""
    return [name for name in ("REDIS_URL", "AGENTS_NATS_URL") if variables.get(name)]


def _told(profile: Profile, variables: Mapping[str, str]) -> dict[str, str]:
    """What the variables say by which an agent's instructions set up the server that ``profile`` stands in for."""
    told: dict[str, str | None] = {}
    if profile == "collaboration":
        told["host"] = variables.get("MCP_AGENT_COLLAB_HOST")
        told["port"] = variables.get("MCP_AGENT_COLLAB_PORT")
        told["path"] = variables.get("MCP_AGENT_COLLAB_PATH")
        told["audit"] = variables.get("MCP_AGENT_COLLAB_LOG")
    elif profile == "agents":
        told["port"] = variables.get("AGENTS_HTTP_PORT")
    return {key: value for key, value in told.items() if value}


def _refuse_what_lets_others_in(settings: Settings, is_plain: bool) -> None:
    if settings.is_loopback:
        return
    if settings.open:
        raise UserError(
            f"--open lets every program in, and {settings.host} is reached by more than this machine",
            hint="leave --open out, and make tokens: git chat token add NAME",
            code="open-network",
        )
    if settings.tls is None and not settings.behind_proxy and not is_plain:
        raise UserError(
            f"whoever is on the way to {settings.host} could read tokens and messages",
            hint="give --tls-cert and --tls-key; or --behind-proxy CIDR of what does TLS; or --plain on a network that "
            "you trust",
            code="plain-network",
        )


def _port(given: Given, told: Mapping[str, str], config: Config) -> int:
    if given.port is not None:
        return given.port
    configured = config.get("chat.servePort")
    text = told.get("port") or configured
    if text is None:
        return PORTS[given.profile]
    if not (text.isascii() and text.isdigit() and int(text[:6]) < 65_536):
        wanted = "a port from 0 to 65535"
        raise (
            _bad("the variable for the port", text, wanted)
            if told.get("port")
            else bad_config("chat.servePort", text, wanted)
        )
    return int(text)


def _rate(config: Config) -> float:
    text = config.get("chat.serveRate")
    if text is None:
        return RATE
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.1 <= rate <= 100_000:
        raise bad_config("chat.serveRate", text, "how many requests of a name a second may bring, such as 10")
    return rate


def _path(text: str) -> str:
    taken = ("/", "/health", "/metrics")
    if not text.startswith("/") or text in taken or text.startswith(("/api/", "/ws/", "/static/", "/git/", "/r/")):
        raise _bad("--path", text, "a path of its own such as /mcp")
    return text.rstrip("/")


def _origin(text: str) -> str:
    """An origin as a browser sends it. ``*`` is none: every page of the world could ask."""
    scheme, _, rest = text.partition("://")
    if scheme not in ("http", "https") or "/" in rest or "*" in rest or not split_host(rest)[0]:
        raise _bad("--cors", text, "the origin of a page, such as https://app.example.com")
    return text.lower()


def _host(text: str) -> str:
    if not split_host(text)[0] or "/" in text or "*" in text:
        raise _bad("--allow-host", text, "a name such as rooms.example.com, with a port where it needs one")
    return text


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise _bad("--behind-proxy", text, "the network of your proxies, such as 127.0.0.1/32 or 10.0.0.0/8") from error


def _tls(certificate: str | None, key: str | None) -> Tls | None:
    """The files, when Python can use them. One with a passphrase it cannot: nobody is there to type it."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UserError(
            "a certificate and its key belong together",
            hint="give both: --tls-cert FILE --tls-key FILE",
            code="bad-certificate",
        )
    for file in (certificate, key):
        if not os.access(file, os.R_OK):
            raise UserError(f"cannot read {file}", hint="name a file that you may read", code="bad-certificate")
    import ssl  # for who has one

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except (ssl.SSLError, OSError) as error:
        raise UserError(
            f"{certificate} and {key} are no certificate with its key, both PEM and without a passphrase",
            hint=f"see what it is: openssl x509 -noout -subject -in '{certificate}'",
            code="bad-certificate",
        ) from error
    return Tls(os.path.abspath(certificate), os.path.abspath(key))


def _bad(what: str, text: str, wanted: str) -> UserError:
    return UserError(
        f"{what} is {text!r}, and not {wanted}", hint="see what it takes: git chat serve -h", code="bad-argument"
    )
