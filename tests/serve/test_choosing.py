"""What a server is started with, and with what it is not started."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gitchat.model.errors import UserError
from gitchat.serve.choosing import Given, choose
from gitchat.serve.settings import Settings, Tls, is_loopback
from gitchat.workspace.config import Config

NOTHING = Given()


def config(**settings: str) -> Config:
    """git's configuration with these settings of ``chat.serve...``."""
    return Config(b"".join(f"chat.serve{key}\n{value}\0".encode() for key, value in settings.items()))


def test_it_listens_on_this_machine_alone_and_where_the_profile_is_looked_for() -> None:
    """8080, 8000 and 3000, as the instructions say of those that it stands in for."""
    assert choose(NOTHING, {}, config()) == Settings()
    ports = {
        profile: choose(replace(NOTHING, profile=profile), {}, config()).port for profile in ("collaboration", "agents")
    }
    assert ports == {"collaboration": 8000, "agents": 3000}
    assert choose(NOTHING, {}, config()).base_url == "http://127.0.0.1:8080"


def test_options_go_before_variables_and_those_before_the_configuration() -> None:
    """And a variable of one profile says nothing of another."""
    told = {"MCP_AGENT_COLLAB_PORT": "8001", "MCP_AGENT_COLLAB_PATH": "/tools", "MCP_AGENT_COLLAB_HOST": "localhost"}
    both = config(Port="9000", Host="127.0.0.2")
    theirs = replace(NOTHING, profile="collaboration")
    chosen = choose(theirs, told, both)
    assert (chosen.port, chosen.path, chosen.host) == (8001, "/tools", "localhost")
    assert choose(replace(theirs, port=1), told, both).port == 1
    assert (choose(NOTHING, told, both).port, choose(NOTHING, told, both).host) == (9000, "127.0.0.2")
    assert choose(replace(NOTHING, profile="agents"), {"AGENTS_HTTP_PORT": "3001"}, config()).port == 3001


def test_the_configuration_names_pages_hosts_and_the_rate() -> None:
    """Each as often as git allows; the last port counts."""
    chosen = choose(NOTHING, {}, config(Cors="https://App.example.com", AllowHost="chat.example.com:8443", Rate="2.5"))
    assert chosen.cors == ("https://app.example.com",)
    assert chosen.allow_hosts == ("chat.example.com:8443",)
    assert chosen.rate == 2.5


@pytest.mark.parametrize(
    ("given", "settings", "code"),
    [
        (Given(host="0.0.0.0"), {}, "plain-network"),
        (Given(host="192.168.1.5"), {}, "plain-network"),
        (Given(host="chat.example.com"), {}, "plain-network"),
        (NOTHING, {"Host": "::"}, "plain-network"),
        (Given(host="0.0.0.0", plain=True, open=True), {}, "open-network"),
        (Given(cors=("*",)), {}, "bad-argument"),
        (Given(cors=("https://*.example.com",)), {}, "bad-argument"),
        (Given(cors=("example.com",)), {}, "bad-argument"),
        (Given(cors=("https://example.com/page",)), {}, "bad-argument"),
        (Given(cors=("null",)), {}, "bad-argument"),
        (Given(allow_hosts=("*",)), {}, "bad-argument"),
        (Given(allow_hosts=("http://example.com",)), {}, "bad-argument"),
        (Given(behind_proxy=("nginx",)), {}, "bad-argument"),
        (Given(behind_proxy=("10.0.0.1/8",)), {}, "bad-argument"),
        (Given(path="mcp"), {}, "bad-argument"),
        (Given(path="/"), {}, "bad-argument"),
        (Given(path="/api/v1/rooms"), {}, "bad-argument"),
        (Given(room="no/room"), {}, "bad-name"),
        (Given(tls_cert="x"), {}, "bad-certificate"),
        (Given(tls_cert="x", tls_key="y"), {}, "bad-certificate"),
        (NOTHING, {"Port": "many"}, "bad-config"),
        (NOTHING, {"Port": "65536"}, "bad-config"),
        (NOTHING, {"Port": "-1"}, "bad-config"),
        (NOTHING, {"Rate": "0"}, "bad-config"),
        (NOTHING, {"Rate": "nan"}, "bad-config"),
        (NOTHING, {"Rate": "fast"}, "bad-config"),
    ],
)
def test_what_it_cannot_be_started_with(given: Given, settings: dict[str, str], code: str) -> None:
    """It says what is wrong, and what to do instead, before anything is opened."""
    with pytest.raises(UserError) as told:
        choose(given, {}, config(**settings))
    assert told.value.code == code
    assert told.value.hint


def test_beyond_this_machine_it_needs_tls_a_proxy_or_a_word() -> None:
    """Each of the three is enough."""
    assert choose(Given(host="0.0.0.0", plain=True), {}, config()).host == "0.0.0.0"
    assert choose(Given(host="::", behind_proxy=("10.0.0.0/8",)), {}, config()).behind_proxy


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("localhost.evil.com", False),
        ("127.0.0.1.evil.com", False),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_what_is_this_machine_alone(host: str, is_here: bool) -> None:
    """Loopback addresses in every dress, and one name."""
    assert is_loopback(host) is is_here


def made_certificate(directory: Path, *, passphrase: str | None = None, name: str = "localhost") -> tuple[str, str]:
    """A certificate for ``name``, and for this machine's address, that signs itself, and its key."""
    certificate, key = directory / "cert.pem", directory / "key.pem"
    secret = ["-passout", f"pass:{passphrase}"] if passphrase else ["-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", *secret, "-days", "9",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return str(certificate), str(key)


def test_a_certificate_is_tried_before_anything_begins(tmp_path: Path) -> None:
    """A good pair is taken; a key of another certificate, or with a passphrase, is not, and nobody is asked for it."""
    certificate, key = made_certificate(tmp_path)
    assert choose(Given(tls_cert=certificate, tls_key=key), {}, config()).tls == Tls(certificate, key)
    (tmp_path / "locked").mkdir()
    locked = made_certificate(tmp_path / "locked", passphrase="secret")
    for wrong in ((key, certificate), (certificate, locked[1]), locked, (str(tmp_path), key)):
        with pytest.raises(UserError) as told:
            choose(Given(tls_cert=wrong[0], tls_key=wrong[1]), {}, config())
        assert told.value.code == "bad-certificate"
