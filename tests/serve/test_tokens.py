"""Tokens: what is kept of them, what they allow, and when they end. Proves docs/format.md section 7.32."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from gitchat.model.errors import FormatError, UserError
from gitchat.model.names import Name, RoomName
from gitchat.serve.tokens import CODE_SECONDS, PAGE_SECONDS, Tokens
from tests.world import World

NOW = 1_800_000_000
BOT, ANA = Name("bot"), Name("ana")


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    """The tokens of a clone that has none."""
    return Tokens(tmp_path / "chatroom", random_bytes=os.urandom)


def test_a_token_is_found_by_its_secret_and_by_nothing_else(tokens: Tokens) -> None:
    """Of the secret only a hash is kept, in a file that nobody else reads; a near one finds nothing."""
    secret, token = tokens.add(NOW, "token", "name", BOT)
    assert secret.startswith("gct_")
    assert len(secret) == 4 + 43
    assert tokens.find(secret, NOW, "token") == token
    for wrong in (secret[:-1], secret + "x", token.digest, token.id, ""):
        assert tokens.find(wrong, NOW, "token") is None
    assert secret[4:] not in tokens.path.read_text()
    assert stat.S_IMODE(tokens.path.stat().st_mode) == 0o600


def test_a_file_that_others_could_read_is_closed_again(tokens: Tokens) -> None:
    """Whatever its mode became, and whatever the umask is, the next change makes it private."""
    before = os.umask(0)
    try:
        tokens.add(NOW, "token", "name", BOT)
        assert stat.S_IMODE(tokens.path.stat().st_mode) == 0o600
    finally:
        os.umask(before)
    tokens.path.chmod(0o666)
    tokens.add(NOW, "token", "name", ANA)
    assert stat.S_IMODE(tokens.path.stat().st_mode) == 0o600


def test_a_token_ends_at_its_time(tokens: Tokens) -> None:
    """Up to the second before it holds, and not in that second."""
    secret, token = tokens.add(NOW, "token", "name", BOT, expires=NOW + 60)
    assert tokens.find(secret, NOW + 59, "token") == token
    assert tokens.find(secret, NOW + 60, "token") is None
    assert tokens.all(NOW + 60) == []


def test_what_another_process_takes_away_ends_at_once(tokens: Tokens, tmp_path: Path) -> None:
    """A server has its tokens in memory, and looks at the file before it believes them."""
    secret, token = tokens.add(NOW, "token", "name", BOT)
    assert tokens.find(secret, NOW, "token")
    other = Tokens(tmp_path / "chatroom", random_bytes=os.urandom)
    assert other.revoke("bot", NOW) == [token]
    assert tokens.find(secret, NOW, "token") is None
    second, _ = other.add(NOW, "token", "name", BOT)
    assert tokens.find(second, NOW, "token")


def test_a_code_opens_the_page_once_and_within_ten_minutes(tokens: Tokens) -> None:
    """It gives a cookie's secret for 30 days, which is a person's; a second time, or later, it gives nothing."""
    code, _ = tokens.add(NOW, "code", "name", ANA, expires=NOW + CODE_SECONDS)
    late, _ = tokens.add(NOW, "code", "name", ANA, expires=NOW + CODE_SECONDS)
    given = tokens.exchange(code, NOW + 1)
    assert given is not None
    secret, page = given
    assert page.expires == NOW + 1 + PAGE_SECONDS
    assert page.actor().is_person
    assert page.actor().name == ANA
    assert tokens.find(secret, NOW + 2, "page") == page
    assert tokens.exchange(code, NOW + 2) is None
    assert tokens.exchange(late, NOW + CODE_SECONDS) is None


def test_a_secret_of_one_kind_is_none_of_another(tokens: Tokens) -> None:
    """A code is no token, and what a cookie holds is none, so that neither lets a program in."""
    code, _ = tokens.add(NOW, "code", "name", ANA)
    assert tokens.find(code, NOW, "token", "page") is None
    given = tokens.exchange(code, NOW)
    assert given is not None
    assert tokens.find(given[0], NOW, "token", "code") is None
    assert tokens.exchange(given[0], NOW) is None


def test_what_the_page_got_for_a_token_ends_with_it(tokens: Tokens) -> None:
    """It has the token's rights and rooms and its end, and revoking the token ends it, too."""
    secret, token = tokens.add(
        NOW, "token", "guest", ANA, rooms=(RoomName("release"),), email="a@example.com", expires=NOW + 100
    )
    given = tokens.exchange(secret, NOW)
    assert given is not None
    cookie, page = given
    assert (page.role, page.rooms, page.expires) == ("guest", ("release",), NOW + 100)
    assert page.actor().is_guest
    assert page.actor().key == token.actor().key
    assert [one.digest for one in tokens.revoke(token.id, NOW)] == [token.digest, page.digest]
    assert tokens.find(cookie, NOW, "page") is None


@pytest.mark.parametrize(
    ("role", "name", "is_guest", "is_admin", "sees"),
    [
        ("name", BOT, False, False, True),
        ("any-name", None, False, False, True),
        ("guest", None, True, False, True),
        ("admin", BOT, False, True, True),
        ("metrics", None, True, False, False),
    ],
)
def test_a_role_is_what_a_token_allows(
    tokens: Tokens, role: str, name: Name | None, is_guest: bool, is_admin: bool, sees: bool
) -> None:
    """Which name it acts under, whether it writes, whether it sees rooms."""
    _, token = tokens.add(NOW, "token", role, BOT)  # type: ignore[arg-type]
    actor = token.actor()
    assert (actor.name, actor.is_guest, actor.is_admin) == (name, is_guest, is_admin)
    assert actor.sees(RoomName("lobby")) is sees
    assert not actor.is_person
    assert not actor.is_local


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"tokens": 3}',
        b'{"tokens": [{}]}',
        b'{"tokens": [{"sha256": "a"}]}',
        b"\xff",
        b"[" * 99_999,
    ],
)
def test_a_file_that_is_none_lets_nobody_in_and_is_not_overwritten(tokens: Tokens, content: bytes) -> None:
    """Half a file and a foreign one are an error with a way out, never an empty list."""
    tokens.path.parent.mkdir()
    tokens.path.write_bytes(content)
    for do in (lambda: tokens.find("x", NOW, "token"), lambda: tokens.add(NOW, "token", "name", BOT)):
        with pytest.raises(FormatError) as told:
            do()
        assert told.value.code == "damaged-tokens"
    assert tokens.path.read_bytes() == content


def test_a_link_in_its_place_is_not_followed(tokens: Tokens, tmp_path: Path) -> None:
    """What somebody else put there decides nothing, and what it names is not touched."""
    other = tmp_path / "other"
    other.write_text('{"version": 1, "tokens": []}')
    tokens.path.parent.mkdir()
    tokens.path.symlink_to(other)
    with pytest.raises(Exception, match="symbolic link"):
        tokens.find("x", NOW, "token")
    assert other.read_text() == '{"version": 1, "tokens": []}'


def test_revoking_what_is_not_there_says_where_to_look(tokens: Tokens) -> None:
    """Neither a name nor an id; fewer than four digits name nothing."""
    _, token = tokens.add(NOW, "token", "name", BOT)
    for which in ("nobody", token.id[:3], "*"):
        with pytest.raises(UserError) as told:
            tokens.revoke(which, NOW)
        assert told.value.code == "no-such-token"
    assert tokens.revoke(token.id[:4].upper(), NOW) == [token]


def test_the_command_prints_a_token_once_and_lists_what_it_is(world: World) -> None:
    """``add`` prints the token alone, ``list`` all but it, ``revoke`` ends it."""
    repo = world.repository()
    added = world.chat("token", "add", "bot", "--expires", "30d", "--room", "release", cwd=repo, check=True)
    assert added.stdout.startswith("gct_")
    assert added.stdout.count("\n") == 1
    assert "bot" in added.stderr
    listed = world.chat("token", "list", "--json", cwd=repo, check=True)
    shown = json.loads(listed.stdout)
    assert (shown["name"], shown["role"], shown["rooms"]) == ("bot", "name", ["release"])
    assert added.stdout.strip() not in listed.stdout
    assert shown["id"] in world.chat("token", "list", cwd=repo, check=True).stdout
    world.chat("token", "revoke", "bot", cwd=repo, check=True)
    assert world.chat("token", "list", cwd=repo, check=True).stdout == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["add", "bot", "--expires", "soon"], "is no time"),
        (["add", "bot", "--expires", "0d"], "is no time"),
        (["add", "bot", "--email", "nowhere"], "is no address"),
        (["add", "B o t"], "not a valid name"),
        (["add", "all"], "reserved"),
        (["add", "bot", "--room", "no/room"], "not a valid name"),
        (["revoke", "nobody"], "no token of 'nobody'"),
    ],
)
def test_what_is_no_token_makes_none(world: World, words: list[str], code: str) -> None:
    """A wrong time, address, name or room is an error with a hint, and nothing is written."""
    repo = world.repository()
    done = world.chat("token", *words, cwd=repo)
    assert done.returncode == 1
    assert code in done.stderr
    assert "hint: " in done.stderr
    assert not (repo / ".git/chatroom/tokens.json").exists()
