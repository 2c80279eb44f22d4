"""What the server gives a browser: the document and its files, without a browser."""

from __future__ import annotations

import gzip
import re

import pytest

from gitchat.model import hidden
from gitchat.serve import page
from tests.serve.serving import in_process
from tests.world import World

MOST_BYTES = 40_000
"""All that is fetched before a message can be shown, as it is fetched: compressed."""

UNSAFE = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\b|Function\("
)


def test_no_text_is_ever_parsed_as_markup() -> None:
    """None of the modules has a way to make markup of a text, and the document holds no script and no style."""
    files = page.files()
    modules = {name: content.decode() for name, content in files.files.items() if name.endswith(".js")}
    assert len(modules) > 10
    assert [(name, found[0]) for name, text in modules.items() for found in UNSAFE.finditer(text)] == []
    document = files.document.decode()
    assert re.findall(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|javascript:", document) == []
    assert re.findall(r"(?:src|href)=\"(?!/static/)[^\"]*", document) == []


def test_all_of_it_is_smaller_than_a_picture() -> None:
    """The document, its style and all modules come in less than 40 kB."""
    files = page.files()
    sent = [gzip.compress(content) for content in (files.document, *files.files.values())]
    assert sum(map(len, sent)) < MOST_BYTES


def test_the_document_is_the_same_wherever_one_enters(world: World) -> None:
    """At the front, in a room, at a message, in each of several repositories; asked for again, and not sent again."""
    with in_process(world.environment(world.repository())) as client:
        first = client.get("/")
        assert first.headers["content-type"] == "text/html; charset=utf-8"
        for path in ("/r/lobby", "/r/lobby/12", "/r/lobby/~k3f9q2"):
            assert client.get(path).content == first.content, path
        again = client.get("/", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_a_file_has_another_address_when_it_is_another(world: World) -> None:
    """So a browser may keep it for ever; under any other address there is nothing."""
    with in_process(world.environment(world.repository())) as client:
        address = re.search(r'src="(/static/[0-9a-f]{16}/main.js)"', client.get("/").text)
        assert address is not None
        answer = client.get(address[1], headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        assert client.get(address[1], headers={"Accept-Encoding": "identity"}).content == answer.content
        for wrong in ("/static/0000000000000000/main.js", address[1] + "x", address[1].replace("main.js", "page.html")):
            assert client.get(wrong).status_code == 404, wrong


@pytest.mark.parametrize("name", ["CLASS", "PICTURES"])
def test_the_browser_escapes_by_the_tables_of_the_terminal(name: str) -> None:
    """Each class of characters holds the same ones, spelled as JavaScript spells them."""
    wanted = {"CLASS": hidden.CONTROLS + hidden.CLASS, "PICTURES": page.PICTURES}[name]
    spelled = re.search(rf"{name} = String.raw`([^`]*)`", page.hidden_module())
    assert spelled is not None
    assert re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), spelled[1]) == wanted
