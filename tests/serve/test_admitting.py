"""What the options of a server change about who may ask, against its application in this process."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse

from gitchat.model.names import Name
from gitchat.serve import app
from gitchat.serve.asked import CONNECTION, Asked
from gitchat.serve.audit import Audit
from gitchat.serve.credentials import LOCAL, actor_of
from gitchat.serve.guard import Guard
from gitchat.serve.served import Served
from gitchat.serve.settings import Settings
from gitchat.serve.tokens import Tokens
from tests.serve.serving import SECONDS, in_process
from tests.world import World

BROWSER = {"Sec-Fetch-Site": "none"}
PATH = "/api/v1/session"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    """A world with a repository that has a room."""
    world = World(tmp_path_factory.mktemp("admitting"))
    repo = world.repository()
    world.chat("send", "hello", cwd=repo, check=True)
    return world, repo


@pytest.fixture
def serve(place: tuple[World, Path]) -> Iterator[object]:
    """Makes a client of an application with these settings, as a program of the user."""
    world, repo = place
    with ExitStack() as ended:
        yield lambda **settings: ended.enter_context(in_process(world.environment(repo), Settings(**settings)))


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({}, {}, 200),
        ({}, BROWSER, 401),
        ({"token_always": True}, {}, 401),
        ({"guests": True}, BROWSER, 200),
        ({"guests": True, "token_always": True}, {}, 200),
        ({"open": True}, {}, 200),
        ({"open": True}, BROWSER, 401),
        ({"open": True}, {"Via": "1.1 x"}, 401),
        ({"behind_proxy": (ip_network("127.0.0.0/8"),)}, {}, 401),
        ({"allow_hosts": ("chat.example.com",)}, {"Host": "chat.example.com"}, 401),
        ({"allow_hosts": ("chat.example.com",)}, {"Host": "CHAT.example.com:99"}, 401),
        ({"allow_hosts": ("chat.example.com:99",)}, {"Host": "chat.example.com:98"}, 403),
        ({"host": "0.0.0.0"}, {"Host": "192.168.1.5:8080"}, 401),
        ({"host": "0.0.0.0"}, {"Host": "evil.com:8080"}, 403),
    ],
)
def test_an_option_lets_in_whom_it_names(
    serve, settings: dict[str, object], headers: dict[str, str], status: int
) -> None:
    """Guests, all programs, proxies, other names; and who is asked for a token always."""
    assert serve(**settings).get(PATH, headers=headers).status_code == status


def test_a_guest_sees_and_does_not_write(serve) -> None:
    """It reads the rooms and is told that it is one; everything else is refused."""
    client = serve(guests=True)
    assert client.get(PATH, headers=BROWSER).json()["guest"] is True
    assert client.get("/api/v1/rooms", headers=BROWSER).status_code == 200
    told = client.post("/api/v1/messages", json={"from": "x", "to": "ALL", "message": "m"}, headers=BROWSER)
    assert (told.status_code, told.json()["code"]) == (403, "guest")
    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect("/ws/x", headers=BROWSER):
        pass
    assert denied.value.status_code == 403


def test_pages_of_a_named_origin_ask_with_a_token_and_never_with_a_cookie(serve, place: tuple[World, Path]) -> None:
    """The browser is told that it may; others are not told so."""
    world, repo = place
    secret = world.chat("token", "add", "app", cwd=repo, check=True).stdout.strip()
    client = serve(cors=("https://app.example.com",))
    theirs = {"Origin": "https://app.example.com", "Sec-Fetch-Site": "cross-site"}
    asked = client.options(PATH, headers=theirs | {"Access-Control-Request-Method": "POST"})
    assert asked.headers["access-control-allow-origin"] == "https://app.example.com"
    assert "access-control-allow-credentials" not in asked.headers
    foreign = client.options(PATH, headers={"Origin": "https://evil.com", "Access-Control-Request-Method": "POST"})
    assert "access-control-allow-origin" not in foreign.headers
    answer = client.get(PATH, headers=theirs | {"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://app.example.com")
    let_in = client.post(PATH, json={"token": secret})
    cookie = {"Cookie": let_in.headers["set-cookie"].partition(";")[0]}
    client.cookies.clear()
    assert client.get(PATH, headers=cookie).status_code == 200
    assert client.get(PATH, headers=theirs | cookie).status_code == 401


def test_who_asks_too_often_is_told_when_to_come_again(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address without credentials has its burst; the user's own programs are not counted by address."""
    monkeypatch.setattr("gitchat.serve.served.OTHERS_RATE", 0.001)
    client = serve()
    proxied = {"Via": "1.1 x"}
    assert client.get("/health", headers=proxied).status_code == 200
    refused = client.get("/health", headers=proxied)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate-limited")
    assert 900 < int(refused.headers["retry-after"]) <= 1000
    assert client.get("/health").status_code == 200


def test_the_link_from_elsewhere_opens_the_page_and_nothing_else(serve) -> None:
    """Somebody follows a link to a message: the page itself holds no text."""
    client = serve()
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert client.get("/", headers=link).status_code == 200
    assert client.get("/r/lobby/1", headers=link).status_code == 200
    assert client.get("/api/v1/rooms", headers=link).status_code == 403
    assert client.get("/", headers=link | {"Sec-Fetch-Dest": "iframe"}).status_code == 403
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}).status_code == 403
    assert client.post("/", headers=link).status_code == 403


def test_behind_a_proxy_its_word_counts_and_nobody_elses(place: tuple[World, Path]) -> None:
    """The scheme and the client are what the proxy says: a cookie over https is Secure and bound to the host."""
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    world, repo = place
    environment = world.environment(repo)
    settings = Settings(behind_proxy=(ip_network("127.0.0.0/8"),), allow_hosts=("chat.example.com",))
    served = [Served.of({"repo": environment}, settings, lambda theirs, ours: os.geteuid()) for _ in range(2)]
    secret = world.chat("token", "add", "far", cwd=repo, check=True).stdout.strip()
    behind, again = (ProxyHeadersMiddleware(app.make(one), ["127.0.0.0/8"]) for one in served)  # type: ignore[arg-type]
    told = {
        "Host": "chat.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9",
        "Origin": "https://chat.example.com",
    }  # fmt: skip
    with TestClient(behind, "http://127.0.0.1:8080", client=("127.0.0.1", 50000)) as client:  # type: ignore[arg-type]
        answer = client.post(PATH, json={"token": secret}, headers=told)
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-gitchat-8080=")
        assert "Secure" in cookie
        plain = client.post(PATH, json={"token": secret}, headers=told | {"X-Forwarded-Proto": "http"})
        assert plain.json()["code"] == "foreign-origin"
    with TestClient(again, "http://127.0.0.1:8080", client=("198.51.100.7", 50000)) as client:  # type: ignore[arg-type]
        assert client.post(PATH, json={"token": secret}, headers=told).json()["code"] == "foreign-origin"


def test_several_repositories_are_strangers_to_each_other(tmp_path: Path) -> None:
    """Paths under /r/NAME/ mean that one, all others the first; a token of one opens no other."""
    world = World(tmp_path)
    environments = {}
    for name in ("one", "two"):
        repo = world.repository(name)
        world.chat("send", f"this is {name}", "--room", name, cwd=repo, check=True)
        environments[name] = world.environment(repo)
    secret = world.chat("token", "add", "bot", cwd=tmp_path / "two", check=True).stdout.strip()
    served = Served.of(environments, Settings(), lambda theirs, ours: os.geteuid())
    with TestClient(app.make(served), "http://127.0.0.1:8080", client=("127.0.0.1", 50000)) as client:
        rooms = {path: [room["room"] for room in client.get(f"{path}/api/v1/rooms").json()["rooms"]]
                 for path in ("", "/r/one", "/r/two")}  # fmt: skip
        assert rooms == {"": ["one"], "/r/one": ["one"], "/r/two": ["two"]}
        theirs = {"Authorization": f"Bearer {secret}"}
        assert client.get(f"/r/two{PATH}", headers=theirs).status_code == 200
        assert client.get(PATH, headers=theirs).status_code == 401
        cookies = [client.post(f"/r/two{PATH}", json={"token": secret}).headers["set-cookie"].partition("=")[0]]
        assert cookies == ["gitchat-8080-two"]


def test_the_audit_has_a_line_for_each_request_and_no_text(place: tuple[World, Path], tmp_path: Path) -> None:
    """Who, what, with which result, and where a write went; not what was said, nor a secret, nor what was asked for."""
    world, repo = place
    environment = world.environment(repo)
    served = Served.of({"repo": environment}, Settings(), lambda theirs, ours: os.geteuid())
    audit = Audit(str(tmp_path / "audit"), served.now)
    served.observers.append(audit)
    secret = world.chat("token", "add", "scribe", cwd=repo, check=True).stdout.strip()
    token = Tokens(environment.repository.directory, random_bytes=os.urandom).find(secret, served.now(), "token")
    with TestClient(app.make(served), "http://127.0.0.1:8080", client=("127.0.0.1", 50000)) as client:
        theirs = {"Authorization": f"Bearer {secret}"}
        client.post(
            "/api/v1/messages", json={"from": "scribe", "to": "ALL", "message": "a secret plan"}, headers=theirs
        )
        client.get("/api/v1/search?q=plan", headers=theirs)
        client.get("/health", headers={"Host": "evil.com"})
    audit.close()
    text = (tmp_path / "audit").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert token is not None
    assert [(line["who"], line["method"], line["path"], line["status"]) for line in lines] == [
        (f"token:{token.id}", "POST", "/api/v1/messages", 200),
        (f"token:{token.id}", "GET", "/api/v1/search", 200),
        ("nobody", "GET", "/health", 403),
    ]
    assert lines[0]["name"] == Name("scribe")
    assert (lines[0]["room"], type(lines[0]["number"])) == ("lobby", int)
    assert (tmp_path / "audit").stat().st_mode & 0o777 == 0o600
    for word in ("plan", secret[4:], "gct_"):
        assert word not in text


def test_a_failure_that_nobody_thought_of_tells_nothing_of_its_cause(
    place: tuple[World, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Who asked is told that it failed; who runs the server sees all of it on standard error."""
    world, repo = place
    served = Served.of({"repo": world.environment(repo)}, Settings(), lambda theirs, ours: os.geteuid())
    object.__setattr__(served, "now", lambda: int("no number, at /some/path"))
    with TestClient(app.make(served), "http://127.0.0.1:8080", client=("127.0.0.1", 50000)) as client:
        answer = client.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (500, "defect")
    assert "path" not in answer.text
    assert "content-security-policy" in answer.headers
    assert "/some/path" in capsys.readouterr().err


def test_whose_socket_it_is_is_asked_once_a_connection(place: tuple[World, Path]) -> None:
    """And again for every other; as long as the kernel does not tell, for every request."""
    world, repo = place
    owners: list[int | None] = [None, os.geteuid(), os.geteuid() + 1]
    served = Served.of({"repo": world.environment(repo)}, Settings(), lambda theirs, ours: owners.pop(0))
    head = {"type": "http", "path": PATH, "headers": [(b"host", b"127.0.0.1")], "server": ("127.0.0.1", 8080)}
    first, second = ({**head, "client": ("127.0.0.1", 5), "state": {CONNECTION: {}}} for _ in range(2))
    asked = [first, first, first, second, second]
    assert [actor_of(Asked.of(scope), served, None, 0) for scope in asked] == [None, LOCAL, LOCAL, None, None]
    assert owners == []


def test_what_comes_after_git_began_to_answer_is_gits(place: tuple[World, Path]) -> None:
    """Its backend says its first words before it reads; they must not cost it a body that has just come."""
    world, repo = place
    served = Served.of({"repo": world.environment(repo)}, Settings(git=True), lambda theirs, ours: os.geteuid())
    body: list[Any] = [{"type": "http.request", "body": b"0009done\n", "more_body": False}]
    heard: list[bytes] = []

    async def receive() -> Any:
        return body.pop() if body else await asyncio.sleep(SECONDS)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200

    async def git(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        heard.append((await receive())["body"])

    headers = [(b"host", b"127.0.0.1:8080"), (b"content-length", b"9")]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/git/git-upload-pack", "headers": headers}
    scope |= {"client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8080)}
    asyncio.run(asyncio.wait_for(Guard(git, served)(scope, receive, send), SECONDS))
    assert heard == [b"0009done\n"]
