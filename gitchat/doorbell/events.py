"""The doorbell of ``git chat serve --git``: a stream of lines beside the address that git fetches from.

It is asked without credentials first, so that no other server ever gets them: only one that calls itself gitchat is
given what git's credential helpers know of the address, or what stands in it. It follows no redirect.
Source: docs/format.md section 15; RFC 7617 on Basic.
"""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, unquote, urlsplit

from gitchat.doorbell.hubline import NoDoorbell

PATH = "doorbell"
"""Behind the address that git has."""

REALM = 'Basic realm="gitchat"'
"""What a server of ours asks with."""

CONNECT_SECONDS = 10.0

MEDIA = "text/plain"

Credentials = Callable[[str], "tuple[str, str] | None"]
"""Asks for the user and the password of an address, as git would; None where nobody knows them."""


class EventSource:
    """The stream, over a connection of its own."""

    def __init__(self, address: str, credentials: Credentials, ca_file: str | None) -> None:
        """``ca_file`` has the certificates that are trusted instead of the system's.

        Raises OSError where the server is not reached, NoDoorbell where it has none.
        """
        self._url = urlsplit(address)
        self._ca_file = ca_file
        self._connection, answer = self._ask(None)
        if answer.status == 401 and answer.getheader("WWW-Authenticate", "") == REALM:
            self._connection.close()
            known = _in_address(self._url) or credentials(address)
            if known is None:
                raise NoDoorbell("it wants a token, and git knows none for its address")
            self._connection, answer = self._ask(known)
        if answer.status != 200 or not answer.getheader("Content-Type", "").startswith(MEDIA):
            self._connection.close()
            raise NoDoorbell(f"it answers {answer.status} at {PATH}")
        self._answer = answer

    def _ask(self, known: tuple[str, str] | None) -> tuple[HTTPConnection, HTTPResponse]:
        connection = self._connect()
        headers = {"User-Agent": "gitchat-doorbell", "Accept": MEDIA}
        if known is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(':'.join(known).encode()).decode()}"
        try:
            connection.request("GET", f"{self._url.path.rstrip('/')}/{PATH}", headers=headers)
            return connection, connection.getresponse()
        except (HTTPException, ValueError) as error:
            connection.close()
            raise OSError(f"it does not speak HTTP: {type(error).__name__}") from error
        except OSError:
            connection.close()
            raise

    def _connect(self) -> HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        return HTTPSConnection(
            host, port, timeout=CONNECT_SECONDS, context=ssl.create_default_context(cafile=self._ca_file)
        )

    def read(self, seconds: float) -> bytes:
        if self._connection.sock is not None:
            self._connection.sock.settimeout(seconds)
        try:
            return self._answer.read1(4096)
        except HTTPException as error:
            raise OSError(f"the stream broke off: {type(error).__name__}") from error
        except ValueError:  # it was closed by another thread
            return b""

    def close(self) -> None:
        with suppress(OSError, AttributeError):
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self._connection.close()


def _in_address(url: SplitResult) -> tuple[str, str] | None:
    """The user and the password that stand in an address."""
    if url.password is None:
        return None
    return unquote(url.username or ""), unquote(url.password)
