"""The page in a real browser, over the real server: each rule is a check of the same name in one of the ``*.mjs``."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from examples.lively_room import TRACE, make
from gitchat.model import codec
from gitchat.model.names import Oid, RoomName, uid_from_random
from gitchat.model.record import Moment, Record
from gitchat.model.refs import log_ref
from gitchat.model.signature import Signature
from gitchat.storage.store import Store
from gitchat.verbs.room import Room
from gitchat.workspace.environment import Environment
from tests.serve.page.browser import Browser, browsing, need_browser
from tests.serve.serving import serving
from tests.world import World, open_store

pytestmark = pytest.mark.web

HOSTILE_AUTHOR = '\u0430na" onmouseover="x\u202e'
HOSTILE = [
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><svg onload=alert(1)>",
    "right to left \u202e and \u2066 back \u2069, nothing\u200bbetween, \U000e0041\U000e0042\U000e0043\U000e0044 tags",
    "\x1b[2J\x1b[31mred\x1b[0m \x07 \x9b31m \x7f \u2028 line",
    "[click](javascript:alert(1)) <javascript:alert(2)> data:text/html,<script>alert(3)</script> http://[bad",
    "https://example.com/" + "a" * 3000,
    "x" * 60_000,
    "| " * 2500,
    "[" * 5000 + "**" * 2000 + "`" * 2001,
    "Z\u0351\u036b\u0343\u036a\u0302" * 300 + " \ufdfd" * 50,
    "\u0645\u0631\u062d\u0628\u0627 \U0001f469\u200d\U0001f469\u200d\U0001f467 e\u0301 \u4f60\u597d",
]  # fmt: skip
TEXTS = [
    *HOSTILE[:4],
    *HOSTILE[8:],
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f \U0001f3f4\U000e0067\U000e007f",
    "1\ufe0f\u20e3 a\ufe0f \u2764\ufe0f \u2764\ufe0f\u200d\U0001f525 a\u200db \u0915\u094d\u200d\u0937",
    "\u06a9\u200c\u0647 \u200c\u0647",
    "\u200d" * 3000,
    "".join(map(chr, range(0x300))),
    "\ud800 \udfff \U0010ffff \ufdd0 \ufffe",
]  # fmt: skip


class Server:
    """The real ``git chat serve`` of a clone, on one port for as long as the tests run."""

    def __init__(self, world: World, clone: Path) -> None:
        self._world, self._clone = world, clone
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._running = ExitStack()

    def turn(self, word: str) -> str:
        """Up or down; the line that it printed when it came up."""
        if word == "down":
            self._running.close()
            return ""
        server = serving(self._world, "--guests", "--port", str(self._port), cwd=self._clone, GITCHAT_NAME="ana")
        return self._running.enter_context(server).line


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser, one server, and rooms for all checks."""
    need_browser()
    world = World(tmp_path_factory.mktemp("page"))
    clone = world.root / "orbit"
    make(clone, world.variables, int(time.time()))
    _fill(world, clone)
    server = Server(world, clone)
    try:
        door = server.turn("up").split()[-1]
        with browsing(world, clone, door, server.turn) as found:
            yield found
    finally:
        server.turn("down")


def _fill(world: World, clone: Path) -> None:
    """Rooms that checks read and write, each its own."""
    rooms = {
        "big": [f"message {number}" for number in range(1, 601)],
        "long": [f"message {number}: " + "words of a text " * 12 for number in range(1, 61)],
        "marked": [f"message {number}" for number in range(1, 61)],
        "texts": ["\n".join(f"line {number}" for number in range(300))],
        "hostile": HOSTILE,
        **{room: ["It begins."] for room in ("talk", "other", "read", "break", "closing")},
    }
    now = int(time.time())
    store = open_store(clone / ".git", fsync=False)
    for room, texts in rooms.items():
        author = HOSTILE_AUTHOR if room == "hostile" else "bob"
        store.move(log_ref(RoomName(room)), partial(_written, store, room, author, texts, now - 7200), "fill")
    ana = _environment(world, clone, now, is_terminal=True)
    Room(ana, RoomName("empty")).describe(state="open")
    Room(ana, RoomName("hostile")).describe(title="\u202eevil <script>")
    (clone / "src").mkdir(exist_ok=True)
    (clone / "src" / "<b>lexer.py").write_text("".join(f"{line}\n" for line in ["a", "<img src=x>\u202e", "c", "d"]))
    Room(ana, RoomName("code")).send("Why -1?", at=["src/<b>lexer.py:2-3", "src/<b>lexer.py"])
    for room, last in {"long": 10, "marked": 10, "big": 600, "hostile": 1, "talk": 1, "other": 1}.items():
        Room(ana, RoomName(room)).set_cursor(last)
    world.chat("join", "codex-docs", "--role", "docs", cwd=clone, check=True)


def _written(store: Store, room: str, author: str, texts: list[str], now: int, tip: Oid | None) -> Oid:
    """The log of a new room: its last commit."""
    tree = store.empty_tree()
    tip = store.write_commit(codec.encode_genesis(RoomName(room), tree))
    for number, text in enumerate(texts, 1):
        uid = uid_from_random(f"{room:4.4}".encode() + number.to_bytes(6, "little"))
        record = Record(
            kind="message", uid=uid, author=author, email="bob@example.com", written=Moment(now), body=text,
            seq_hint=number,
        )  # fmt: skip
        committer = Signature("Bob", "bob@example.com", Moment(now))
        tip = store.write_commit(codec.encode_record(record, tree=tree, parent=tip, committer=committer))
    return tip


def _environment(world: World, clone: Path, now: int, *, is_terminal: bool) -> Environment:
    return Environment(cwd=str(clone), variables=world.variables, is_terminal=is_terminal, now=lambda: Moment(now))


# --- reading -------------------------------------------------------------------


def test_a_room_opens_where_one_left_off(browser: Browser) -> None:
    """It opens at the first unread message, below a line, with a way to the newest."""
    browser.check("reading", "opens_where_one_left_off")


def test_only_what_stood_on_the_screen_is_read(browser: Browser) -> None:
    """What one has not scrolled to stays unread."""
    browser.check("reading", "marks_what_was_seen_and_nothing_else")


def test_each_kind_of_record_is_shown_as_it_is(browser: Browser) -> None:
    """Days, statuses in one line, JSON, code, bold, lists, links, urgent, to me, what is answered."""
    browser.check("reading", "shows_each_kind_of_record_as_it_is")


def test_a_long_text_is_folded(browser: Browser) -> None:
    """It opens whole, and folds again."""
    browser.check("reading", "folds_a_long_text")


def test_attached_files_are_given_out(browser: Browser) -> None:
    """They are saved, never shown."""
    browser.check("reading", "gives_out_attached_files", content=TRACE)


def test_code_that_a_message_is_about_opens(browser: Browser) -> None:
    """Each place with its lines as they were, once somebody opens it, and nothing of it is markup."""
    browser.check("reading", "shows_code_that_a_message_is_about")


def test_words_are_found_in_all_rooms(browser: Browser) -> None:
    """They are marked, and each result leads to its place; one comes back by the browser's own button."""
    browser.check("reading", "finds_words_in_all_rooms")


def test_a_link_opens_at_its_message(browser: Browser) -> None:
    """From there the window moves to both ends of a long room, without a gap and without growing."""
    browser.check("reading", "a_link_opens_at_its_message")


def test_people_are_shown_by_how_near_they_are(browser: Browser) -> None:
    """Who lives, who is registered, who was seen."""
    browser.check("reading", "says_who_is_here")


def test_closed_rooms_stand_below_a_fold(browser: Browser) -> None:
    """They can be read there."""
    browser.check("reading", "keeps_rooms_that_are_closed_below_a_fold")


def test_the_newest_summary_stands_above(browser: Browser) -> None:
    """It opens, and leads to all of them."""
    browser.check("reading", "shows_the_summary_above")


def test_an_empty_room_says_so(browser: Browser) -> None:
    """And it says where to write."""
    browser.check("reading", "says_that_nothing_was_said")


# --- writing -------------------------------------------------------------------


def test_what_is_written_is_sent(browser: Browser) -> None:
    """With its recipient, its type and its lines, as a person's own."""
    browser.check("writing", "sends_what_was_written")


def test_a_reply_leads_to_a_thread(browser: Browser) -> None:
    """The thread shows what belongs together, grows while one looks, and gives way to where one was."""
    browser.check("writing", "replies_and_shows_the_thread")


def test_a_choice_is_a_button_and_a_key(browser: Browser) -> None:
    """Who is asked answers with it; above all stands that a question waits, until it is answered."""
    browser.check("writing", "answers_a_question_with_a_choice")


def test_what_others_write_is_told_at_once(browser: Browser) -> None:
    """Here, in the list of rooms, in the title, and to who hears the page instead of seeing it."""
    browser.check("writing", "tells_at_once_of_what_others_write")


def test_a_message_says_who_has_read_it(browser: Browser) -> None:
    """The own message that one stands on tells it."""
    browser.check("writing", "says_who_has_read_it")


def test_a_refusal_leaves_the_text(browser: Browser) -> None:
    """What could not be sent is still there, and can be sent later."""
    browser.check("writing", "a_refusal_leaves_the_text")


def test_each_room_keeps_its_draft(browser: Browser) -> None:
    """Also over a reload."""
    browser.check("writing", "keeps_a_draft_for_each_room")


def test_what_names_me_is_told_when_the_page_is_out_of_sight(browser: Browser) -> None:
    """What is for everybody is not; and it is asked for once."""
    browser.check("writing", "tells_of_what_names_me_when_it_is_out_of_sight")


def test_the_page_goes_on_after_a_break(browser: Browser) -> None:
    """A killed server is told, loses nothing that was written, and what was said meanwhile is shown."""
    browser.check("writing", "goes_on_after_a_break")


# --- for everybody -------------------------------------------------------------


def test_keys_do_what_they_say(browser: Browser) -> None:
    """And none is taken while somebody writes."""
    browser.check("looking", "keys_do_what_they_say")


def test_nothing_keeps_people_out(browser: Browser) -> None:
    """axe finds nothing, light and dark, with a thread open."""
    browser.check("looking", "axe_finds_nothing")


def test_a_phone_shows_one_thing_at_a_time(browser: Browser) -> None:
    """Nothing is wider than the screen, rooms are a drawer, a thread covers the messages."""
    browser.check("looking", "a_phone_shows_one_thing_at_a_time")


def test_it_is_dark_where_the_system_is(browser: Browser) -> None:
    """And light where it is not."""
    browser.check("looking", "follows_the_system_into_the_dark")


def test_a_guest_reads_and_nothing_more(browser: Browser) -> None:
    """Live, too, and without a request that would change something."""
    browser.check("looking", "a_guest_reads_and_nothing_more")


def test_who_is_nobody_is_told_how_to_come_in(browser: Browser) -> None:
    """Where guests do not read: by a fresh address, or by a token that somebody gave."""
    token = browser.world.chat("token", "add", "carla", cwd=browser.clone, check=True).stdout.split()[0]
    with serving(browser.world, cwd=browser.clone) as server:
        browser.check("looking", "who_is_nobody_is_told_how_to_come_in", url=server.url, token=token)


def test_what_is_hostile_stays_text(browser: Browser) -> None:
    """Markup, scripts, colours, hidden and turning characters, endless lines and names come out as on a terminal."""
    browser.check("looking", "what_is_hostile_stays_text", bodies=HOSTILE, author=HOSTILE_AUTHOR)


def test_the_page_escapes_as_the_terminal_does(browser: Browser) -> None:
    """Character by character, also where a joiner or a style has its use."""
    browser.check("looking", "escapes_as_the_terminal_does", texts=TEXTS)
