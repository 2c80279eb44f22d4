"""The page for a browser: one document, one style sheet and ES modules, as they lie in ``static``. No build step.

What others wrote never passes through here: the page fetches it as JSON and makes text nodes of it. The one module
that is made is ``hidden.js``: the classes of characters that :mod:`gitchat.model.hidden` escapes, so that the page
and a terminal cannot differ.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from gitchat.model import hidden
from gitchat.model.codepoints import PICTURES

if TYPE_CHECKING:
    from starlette.requests import Request

    from gitchat.serve.served import Served

_DOCUMENT = "page.html"
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_KEPT = "public, max-age=31536000, immutable"
"""For what has another address when its content is another."""
_PLACES = ("/", "/r/{room}", "/r/{room}/{place}")


def routes(served: Served) -> list[BaseRoute]:
    """``/``, ``/r/ROOM``, ``/r/ROOM/NUMBER``, the same below ``/r/REPOSITORY``, and ``/static/VERSION/FILE``.

    The document is the same at all of them: the page itself looks at its address, and asks for what stands there.
    """
    below = [Route(f"/r/{{repository}}{place}", _document) for place in _PLACES]
    return [Route("/static/{version}/{name}", _file), *below, *(Route(place, _document) for place in _PLACES)]


@dataclass(frozen=True, slots=True)
class Files:
    """All that is served, in memory: it is smaller than a picture."""

    version: str
    """16 hexadecimal digits that change when any of it does."""
    document: bytes
    files: dict[str, bytes]
    """By name; a browser gets them, and the document, compressed."""


@cache
def files() -> Files:
    """What the package holds, and the module that is made; read once."""
    static = resources.files("gitchat.serve") / "static"
    found = {one.name: one.read_bytes() for one in static.iterdir() if one.is_file()}
    found["hidden.js"] = hidden_module().encode()
    digest = hashlib.sha256()
    for name in sorted(found):
        digest.update(name.encode() + b"\0" + found[name] + b"\0")
    version = digest.hexdigest()[:16]
    document = found.pop(_DOCUMENT).replace(b"/static/", f"/static/{version}/".encode())
    return Files(version, document, found)


def hidden_module() -> str:
    """``hidden.js``: what :mod:`gitchat.model.hidden` escapes, as what stands in the brackets of an expression.

    Python and JavaScript mean the same by such a class, and differ in how they spell a character.
    """
    tables = {"CLASS": hidden.CONTROLS + hidden.CLASS, "PICTURES": PICTURES}
    lines = [f"export const {name} = String.raw`{_in_brackets(points)}`;\n" for name, points in tables.items()]
    regions = ", ".join(f'"{region}"' for region in hidden.REGIONS)
    return "".join(["// Made from the tables of the terminal.\n", *lines, f"export const REGIONS = [{regions}];\n"])


def _in_brackets(points: str) -> str:
    return "".join(point if point == "-" else f"\\u{{{ord(point):x}}}" for point in points)


async def _document(request: Request) -> Response:
    return _answered(request, files().document, "text/html; charset=utf-8", "no-cache")


async def _file(request: Request) -> Response:
    """A file of this version. One of another is gone: a page that is still open asks for it no more."""
    name = request.path_params["name"]
    content = files().files.get(name) if request.path_params["version"] == files().version else None
    if content is None:
        return PlainTextResponse("There is no such file here.\n", status_code=404)
    return _answered(request, content, _TYPES[name.rpartition(".")[2]], _KEPT)


def _answered(request: Request, content: bytes, kind: str, kept: str) -> Response:
    tag = f'"{files().version}"'
    headers = {"ETag": tag, "Cache-Control": kept, "Vary": "Accept-Encoding"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        content = _compressed(content)
    return Response(content, media_type=kind, headers=headers)


@cache
def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
