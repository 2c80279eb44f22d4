"""Who may ask at all: every case of docs/serve.md, "Who may do what", against one real server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.serve.serving import SECONDS, Serving, serving
from tests.world import World


@dataclass
class Gate:
    """A server with credentials of each kind."""

    running: Serving
    world: World
    repo: Path
    secrets: dict[str, str] = field(default_factory=dict)
    client: httpx2.Client = field(default_factory=lambda: httpx2.Client(verify=False, timeout=SECONDS))

    def told(self, headers: dict[str, str]) -> dict[str, str]:
        """``headers`` with ``{port}``, ``{url}``, and ``{bot}`` and other names as their tokens, filled in."""
        url = self.running.url
        known = self.secrets | {"url": url, "port": url.rpartition(":")[2]}
        return {name: value.format_map(known) for name, value in headers.items()}

    def ask(self, method: str, path: str, headers: dict[str, str], content: bytes | None = None) -> httpx2.Response:
        """The answer to one request, which sends nothing but what is said here."""
        request = self.client.build_request(method, f"{self.running.url}{path}", content=content)
        kept = {key: request.headers[key] for key in ("host", "content-length") if key in request.headers}
        request.headers = httpx2.Headers(kept | {key.lower(): value for key, value in self.told(headers).items()})
        answer = self.client.send(request)
        self.client.cookies.clear()
        return answer


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """One server for all cases, with tokens of every role, and a browser that was let in."""
    world = World(tmp_path_factory.mktemp("guard"))
    repo = world.repository()
    world.chat("send", "hello", cwd=repo, check=True)
    options = {
        "bot": [],
        "ana": [],
        "any": ["--any-name"],
        "boss": ["--admin"],
        "eye": ["--guest"],
        "meter": ["--metrics"],
    }
    with serving(world, cwd=repo) as running:
        gate = Gate(running, world, repo)
        for name, more in options.items():
            gate.secrets[name] = world.chat("token", "add", name, *more, cwd=repo, check=True).stdout.strip()
        gate.secrets["gone"] = world.chat("token", "add", "gone", cwd=repo, check=True).stdout.strip()
        world.chat("token", "revoke", "gone", cwd=repo, check=True)
        shown = httpx2.post(f"{running.url}/api/v1/session", json={"token": gate.secrets["ana"]}, timeout=SECONDS)
        gate.secrets["cookie"] = shown.cookies[f"gitchat-{running.url.rpartition(':')[2]}"]
        yield gate
        gate.client.close()


COOKIE = {"Cookie": "gitchat-{port}={cookie}"}
BEARER = {"Authorization": "Bearer {bot}"}
PATH = "/api/v1/session"
"""What tells who asks, and nothing else."""


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        pytest.param({}, 200, None, id="the user, by a program"),
        pytest.param({"Host": "localhost:{port}"}, 200, None, id="by localhost"),
        pytest.param({"Host": "evil.com:{port}"}, 403, "foreign-host", id="a foreign name that leads here"),
        pytest.param({"Host": "127.0.0.1.evil.com"}, 403, "foreign-host", id="a name that begins like ours"),
        pytest.param(
            {"Host": "localhost.evil.com:{port}"}, 403, "foreign-host", id="a name that begins like localhost"
        ),
        pytest.param({"Host": ""}, 403, "foreign-host", id="no name"),
        pytest.param({"Host": "192.168.1.1:{port}"}, 403, "foreign-host", id="an address that we do not have"),
        pytest.param(BEARER | {"Host": "evil.com:{port}"}, 403, "foreign-host", id="a foreign name with a token"),
        pytest.param(BEARER | {"Origin": "https://evil.com"}, 403, "foreign-origin", id="a page of another site"),
        pytest.param(BEARER | {"Origin": "null"}, 403, "foreign-origin", id="a page that hides its origin"),
        pytest.param(BEARER | {"Origin": ""}, 403, "foreign-origin", id="an empty origin"),
        pytest.param(BEARER | {"Origin": "http://127.0.0.1:9"}, 403, "foreign-origin", id="a page of another port"),
        pytest.param(BEARER | {"Origin": "https://127.0.0.1:{port}"}, 403, "foreign-origin", id="of another scheme"),
        pytest.param(BEARER | {"Origin": "{url}, {url}"}, 403, "foreign-origin", id="two origins"),
        pytest.param(
            BEARER | {"Origin": "http://a@127.0.0.1:{port}"}, 403, "foreign-origin", id="a user in the origin"
        ),
        pytest.param(BEARER | {"Origin": "{url}"}, 200, None, id="our own page"),
        pytest.param({"Origin": "{url}"}, 401, "no-token", id="our own page without a cookie is a browser"),
        pytest.param(COOKIE | {"Origin": "{url}"}, 200, None, id="our own page with its cookie"),
        pytest.param(COOKIE | {"Sec-Fetch-Site": "same-origin"}, 200, None, id="fetched by our own page"),
        pytest.param(COOKIE | {"Sec-Fetch-Site": "none"}, 200, None, id="typed by a person"),
        pytest.param(COOKIE | {"Sec-Fetch-Site": "cross-site"}, 403, "foreign-origin", id="fetched by a foreign page"),
        pytest.param(COOKIE | {"Sec-Fetch-Site": "same-site"}, 403, "foreign-origin", id="by a page of another port"),
        pytest.param(
            COOKIE | {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
            403,
            "foreign-origin",
            id="a link to what is not the page",
        ),
        pytest.param({"Sec-Fetch-Site": "none"}, 401, "no-token", id="a browser of the same user"),
        pytest.param({"Sec-Fetch-Mode": "cors"}, 200, None, id="a program of the same user that Node runs"),
        pytest.param({"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, 401, "no-token", id="half a browser"),
        pytest.param({"User-Agent": "Mozilla/5.0 (Macintosh)"}, 401, "no-token", id="a browser that hides the rest"),
        pytest.param({"Referer": "https://evil.com/"}, 401, "no-token", id="a browser that tells where from"),
        pytest.param({"Cookie": "gitchat-1={cookie}"}, 401, "no-token", id="the cookie of another port"),
        pytest.param({"Cookie": "gitchat={cookie}"}, 401, "no-token", id="a cookie without a port"),
        pytest.param({"Cookie": 'a="; gitchat-{port}={cookie}'}, 200, None, id="beside a broken cookie"),
        pytest.param({"Cookie": "gitchat-{port}=gcp_wrong"}, 401, "no-token", id="a forged cookie"),
        pytest.param({"Cookie": "gitchat-{port}={bot}"}, 401, "no-token", id="a token as a cookie"),
        pytest.param({"Authorization": "Bearer {cookie}"}, 401, "no-token", id="a cookie as a token"),
        pytest.param(BEARER, 200, None, id="a token"),
        pytest.param({"Authorization": "bearer {bot}"}, 200, None, id="in small letters"),
        pytest.param({"Authorization": "Bearer {gone}"}, 401, "no-token", id="a revoked token"),
        pytest.param({"Authorization": "Bearer {bot}x"}, 401, "no-token", id="nearly a token"),
        pytest.param({"Authorization": "Bearer"}, 401, "no-token", id="no token at all"),
        pytest.param({"Authorization": "Basic OnRva2Vu"}, 401, "no-token", id="a password where none is for"),
        pytest.param({"Authorization": "Bearer {gone}"} | COOKIE, 401, "no-token", id="a wrong token beside a cookie"),
        pytest.param({"X-Forwarded-For": "127.0.0.1"}, 401, "no-token", id="through a proxy"),
        pytest.param({"Forwarded": "for=127.0.0.1"}, 401, "no-token", id="through another"),
        pytest.param({"Via": "1.1 proxy"}, 401, "no-token", id="through one that says so"),
        pytest.param({"X-Real-IP": "127.0.0.1"}, 401, "no-token", id="through nginx"),
        pytest.param({"Authorization": "Bearer {eye}"}, 200, None, id="a guest"),
    ],
)
def test_who_may_ask(gate: Gate, headers: dict[str, str], status: int, code: str | None) -> None:
    """What a browser tells of foreign pages comes first, then the first credentials that are shown."""
    answer = gate.ask("GET", PATH, headers)
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    if code is not None:
        assert "tell who runs" not in answer.json()["hint"]
        assert "cannot be done here" not in answer.json()["error"]
        assert answer.json()["success"] is False
    if status == 401:
        assert answer.headers["www-authenticate"] == 'Bearer realm="gitchat"'


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Authorization": "Bearer {bot}"}, 404, id="a token"),
        pytest.param({}, 404, id="the user"),
        pytest.param({"Authorization": "Bearer {bot}", "Origin": "https://evil.com"}, 403, id="a foreign page"),
        pytest.param({"Authorization": "Bearer {bot}", "Origin": "null"}, 403, id="a page that hides its origin"),
        pytest.param({"Authorization": "Bearer {gone}"}, 401, id="a revoked token"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="a foreign page of a browser"),
        pytest.param({"Cookie": "gitchat-1={cookie}"}, 401, id="the cookie of another port"),
        pytest.param({"Authorization": "Bearer {eye}"}, 403, id="a guest"),
    ],
)
def test_a_websocket_is_let_in_by_the_same_rules(gate: Gate, headers: dict[str, str], status: int) -> None:
    """It is refused at the handshake, with the same errors; 404 is what is answered to who was let in, here."""
    url = gate.running.url.replace("http:", "ws:") + "/ws-nothing-is-there/x"
    if status == 403 and "eye" in str(headers):
        url = gate.running.url.replace("http:", "ws:") + "/ws/x"
    with (
        pytest.raises(InvalidStatus) as told,
        connect(url, additional_headers=gate.told(headers), user_agent_header=None, open_timeout=SECONDS, proxy=None),
    ):
        pass
    assert told.value.response.status_code in ((403, 404) if status == 404 else (status,))


@pytest.mark.parametrize("query", ["token={bot}", "access_token=x", "x={bot}", "a=1&TOKEN=y"])
def test_a_token_in_the_address_is_refused_with_a_hint(gate: Gate, query: str) -> None:
    """Also from who needs none: an address is kept in logs."""
    answer = gate.ask("GET", f"{PATH}?{query.format_map(gate.secrets)}", {})
    assert (answer.status_code, answer.json()["code"]) == (400, "token-in-address")
    assert "Authorization: Bearer" in answer.json()["hint"]


@pytest.mark.parametrize(
    ("who", "status"),
    [("bot", 403), ("eye", 403), ("meter", 200), ("boss", 200), (None, 200)],
)
def test_figures_are_for_this_machine_and_for_their_tokens(gate: Gate, who: str | None, status: int) -> None:
    """Asked through a proxy, so that it is the token that counts; without one the user's own program sees them."""
    headers = {"Authorization": f"Bearer {{{who}}}", "Via": "1.1 proxy"} if who else {}
    answer = gate.ask("GET", "/metrics", headers)
    assert answer.status_code == status
    if status == 200:
        assert "gitchat_requests_total" in answer.text
        assert "evil" not in answer.text
    assert gate.ask("GET", "/metrics", {"Via": "1.1 proxy"}).status_code == 401


def test_who_sees_figures_alone_sees_no_room(gate: Gate) -> None:
    """A token of that role reads nothing and writes nothing."""
    shown = gate.ask("GET", PATH, {"Authorization": "Bearer {meter}"}).json()
    assert (shown["name"], shown["guest"], shown["rooms"]) == (None, True, [])


@pytest.mark.parametrize("who", ["eye", "meter"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_guest_only_reads(gate: Gate, who: str, method: str) -> None:
    """Whatever the path, also one that is not there."""
    answer = gate.ask(method, "/api/v1/messages", {"Authorization": f"Bearer {{{who}}}"}, b"{}")
    assert (answer.status_code, answer.json()["code"]) == (403, "guest")


def test_every_answer_says_how_a_browser_shall_take_it(gate: Gate) -> None:
    """A strict policy, no guessing, no referrer, no cache: also with errors."""
    for path, headers in (("/health", {}), (PATH, {"Host": "evil.com"}), ("/nothing", {})):
        answer = gate.ask("GET", path, headers)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


def test_the_cookie_is_for_this_port_and_no_script(gate: Gate) -> None:
    """Named by the port, HttpOnly, SameSite=Strict, for 30 days; a second browser gets another."""
    answer = gate.ask(
        "POST", PATH, {"Content-Type": "application/json"}, b'{"token": "%s"}' % gate.secrets["ana"].encode()
    )
    told = answer.headers["set-cookie"]
    assert told.startswith(gate.told({"": "gitchat-{port}=gcp_"})[""])
    for word in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=2592000"):
        assert word in told
    assert "Secure" not in told
    secret = told.partition("=")[2].partition(";")[0]
    cookie = {"Cookie": gate.told({"": "gitchat-{port}="})[""] + secret}
    assert gate.ask("GET", PATH, cookie).json()["name"] == "ana"
    ended = gate.ask("DELETE", PATH, cookie)
    assert "Max-Age=0" in ended.headers["set-cookie"]
    assert gate.ask("GET", PATH, cookie).status_code == 401
    assert gate.ask("GET", PATH, COOKIE).status_code == 200


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("text/plain", b'{"code": "x"}', 415, "bad-content-type"),
        ("application/x-www-form-urlencoded", b"code=x", 415, "bad-content-type"),
        ("multipart/form-data; boundary=x", b"--x--", 415, "bad-content-type"),
        ("", b'{"code": "x"}', 415, "bad-content-type"),
        ("application/json; charset=utf-8", b"{", 400, "bad-json"),
        ("application/json", b"[]", 400, "bad-json"),
        ("application/json", b"\xff\xfe", 400, "bad-json"),
        ("application/json", b"[" * 100_000, 400, "bad-json"),
        ("application/json", b"{}", 400, "bad-argument"),
        ("application/json", b'{"code": 3}', 400, "bad-argument"),
        ("application/json", b'{"code": "wrong"}', 401, "no-code"),
    ],
)
def test_a_body_is_a_json_object(gate: Gate, kind: str, body: bytes, status: int, code: str) -> None:
    """What a form of another page could send is none, whatever is in it."""
    answer = gate.ask("POST", PATH, {"Content-Type": kind} if kind else {}, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
