"""``git chat export``: what goes where, and that nothing that somebody wrote is markup there."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gitchat.cli.documents import plain_markdown
from gitchat.model.record import STATUS, Moment
from gitchat.workspace.process import read_clock
from tests.cli.conftest import Chatroom, refused

HOSTILE = "</pre><script>alert(1)</script> <img src=x onerror=y> & \x1b[31m \u202e *b* [l](http://e.vil) @bob fixes #12"


def branch(chatroom: Chatroom) -> str:
    """A branch with a commit, and what was said before it, about it, and about something else; the commit's id."""
    now = read_clock().seconds
    before, after = Moment(now - 5000), Moment(now - 10)
    chatroom.git("branch", "base")
    chatroom.git("commit", "-q", "--amend", "--no-edit", GIT_COMMITTER_DATE=f"@{now - 1000} +0000")
    chatroom.git("branch", "-f", "base")
    chatroom.git("commit", "-q", "--allow-empty", "-m", "Lex strings")
    head = chatroom.git("rev-parse", "HEAD").stdout.strip()
    chatroom.say("An old decision", type="decision", at=before)
    chatroom.say("We keep quotes", type="decision", at=after)
    asked = chatroom.say("Deploy?", author="bob", type="question", at=after)
    chatroom.say("Nobody answers this", type="question", at=after)
    chatroom.say("yes", author="carol", type="answer", reply_to=asked.record.uid, at=after)
    chatroom.say(f"The quotes are in {head[:8]}", at=after)
    chatroom.say("Lunch? 1234567 deadbeef1", at=after)
    chatroom.say("committed it", kind=STATUS, type="commit", commit=head, at=after)
    chatroom.say("passed: make test", kind=STATUS, type="result", commit=head, at=after)
    return head


def test_a_pull_request_has_what_belongs_to_its_commits(chatroom: Chatroom) -> None:
    """Decisions and answered questions since the branch began, what names its commits, results; and the summary."""
    branch(chatroom)
    chatroom.chat("summary", "write", "All is *well*", check=True)
    text = chatroom.chat("export", "--since", "base", check=True).stdout
    titles = [line for line in text.splitlines() if line.startswith("#")]
    assert titles == [
        "# What was said about 1 commit since base",
        "## Summary", "## Decisions", "## Questions", "## About the commits",
    ]  # fmt: skip
    assert [
        word in text for word in ("All is \\*well\\*", "We keep quotes", "Deploy?", "> yes", "The quotes are in")
    ] == [True] * 5
    assert not any(word in text for word in ("An old", "Nobody answers", "Lunch?", "committed it"))
    assert text.index("Deploy?") < text.index("> yes") < text.index("About the commits") < text.index("make test")
    assert chatroom.chat("export", "--since", "base").stdout == text
    lines = chatroom.chat("export", "--since", "base", "--format", "json", check=True).stdout.splitlines()
    logged = chatroom.chat("log", "--json", "--all", check=True).stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [2, 3, 5, 6, 9]
    assert set(lines) <= set(logged)


def test_a_range_without_commits_is_refused(chatroom: Chatroom) -> None:
    """Before anything is written."""
    chatroom.say("x")
    refused(chatroom.chat("export", "--since", "HEAD"), "HEAD has no commit that HEAD lacks", "git log")
    refused(chatroom.chat("export", "--since", "nowhere"), "names no commit here", "git log")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_whole_room_is_one_safe_file(chatroom: Chatroom, tmp_path: Path) -> None:
    """No script, no link, no image; what is hostile is text. The file takes its name when it is whole."""
    chatroom.say(HOSTILE, author="bob")
    chatroom.foreign(b"x\n\nChat-Kind: message\n", author=b"<b>evil</b> <e@x>")
    file = tmp_path / "room.html"
    file.write_text("before")
    done = chatroom.chat("export", "--format", "html", "-o", file, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    page = _Page()
    page.feed(file.read_text("utf-8"))
    wanted = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "article", "pre"}
    assert page.tags <= wanted
    assert not any(name.startswith("on") or name in ("src", "href", "style") for name, _ in page.attributes)
    policy = next(value for name, value in page.attributes if name == "content" and value and "default-src" in value)
    assert policy.startswith("default-src 'none'")
    assert "<script>alert(1)</script>" in page.text
    assert "^[[31m <U+202E>" in page.text
    assert [one.name for one in tmp_path.glob("*")].count("room.html") == 1
    missing = tmp_path / "no" / "room.html"
    refused(chatroom.chat("export", "-o", missing), "cannot write", "git chat export -o FILE")
    refused(chatroom.chat("export", "-o", tmp_path), "is no file", "git chat export -o room.md")
    assert not list(tmp_path.glob(".room*"))


@pytest.mark.parametrize(("line", "shown"), [
    ("plain words, and 3 < 4", "plain words, and 3 &lt; 4"),
    ("# no title", "\\# no title"),
    ("- no list", "&#45; no list"),
    ("12. no list", "1&#50;. no list"),
    ("    no code", "&nbsp;&nbsp;&nbsp;&nbsp;no code"),
    ("*a* _b_ `c` [d](e) ~f~ |g| $h$", "\\*a\\* \\_b\\_ \\`c\\` \\[d\\](e) \\~f\\~ \\|g\\| \\$h\\$"),
    ("<img> &amp;", "&lt;img&gt; &amp;amp;"),
    ("closes #12, gh-3, o/r#4", "closes #<!-- -->12, gh-<!-- -->3, o/r#<!-- -->4"),
    ("@bob a@x.y", "@<!-- -->bob a@<!-- -->x.y"),
    ("see https://x.y/1 www.z.w", "see https:<!-- -->//x.y/1 www<!-- -->.z.w"),
    ("===", "&#61;=="),
    ("<!-- -->", "&lt;!-- --&gt;"),
])  # fmt: skip
def test_markdown_is_shown_as_it_was_written(line: str, shown: str) -> None:
    """And nothing in it is for a host."""
    assert plain_markdown(line) == shown


def test_a_long_room_is_read_in_parts(chatroom: Chatroom, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is, a few are in memory; numbers that replies name are found across the parts."""
    from gitchat.verbs import exporting
    from gitchat.verbs.room import Room

    first = chatroom.say("0")
    for number in range(1, 9):
        chatroom.say(str(number), reply_to=first.record.uid)
    monkeypatch.setattr(exporting, "_AT_ONCE", 2)
    found = list(exporting.whole(Room(chatroom.world.environment(chatroom.path))))
    assert [one.entry.record.body for one in found] == [str(number) for number in range(9)]
    assert all(one.labels == {first.record.uid: "#1"} for one in found[1:])
