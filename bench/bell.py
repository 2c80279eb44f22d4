"""From a send in one clone until a waiting ``read_unread`` in another has it: by a doorbell, and by the pace alone.

Over a path, and over smart HTTP that answers after 50 ms; the doorbell goes over a real nats-server on this machine.
Both clones have the server of an agent. Run by ``make bench``; prints Markdown.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import perf_counter, sleep

from figures import milliseconds, programs, sealed_variables, table
from server import Server

ROUNDS = 5
PAUSE_SECONDS = (3.0, 6.0)
"""Between messages: less often than a near remote gives tokens, and at no fixed place between two looks."""

DELAY_SECONDS = 0.05
"""What a way there and back takes longer over HTTP."""

WAIT_SECONDS = 60
"""How long a reader waits: longer than any look."""

WHERE = {True: "by the doorbell", False: "by the pace alone"}


def main() -> None:
    """Print the table."""
    nats_server = shutil.which("nats-server", path=f"{os.environ['PATH']}:/usr/sbin")
    if nats_server is None:
        print("not measured: there is no nats-server here")
        return
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        nats(nats_server) as url,
        ThreadPoolExecutor() as pool,  # both remotes at a time: nearly all of it is waiting
    ):
        asked = [
            pool.submit(arrivals, Path(scratch) / place, url, is_http=place == "http") for place in ("path", "http")
        ]
        found = zip(("a path", f"smart HTTP, {DELAY_SECONDS * 1000:.0f} ms"), asked, strict=True)
        rows = [
            (name, WHERE[rings], milliseconds(taken), f"{1000 * max(taken):.0f}")
            for name, one in found
            for rings, taken in one.result().items()
        ]
    print(
        f"From a `send_message` of one clone's server to the answer of a waiting `read_unread` of another's, {ROUNDS} "
        f"interleaved rounds, a pause of {PAUSE_SECONDS[0]:.0f} to {PAUSE_SECONDS[1]:.0f} s before each; "
        "`chat.pace` is `near`.\n\n" + table(["remote", "", "ms, median", "ms, longest"], rows)
    )


def arrivals(scratch: Path, url: str, *, is_http: bool) -> dict[bool, list[float]]:
    """The seconds of each round, with a doorbell and without."""
    chance = random.Random(scratch.name)  # not in step with the other remote
    times: dict[bool, list[float]] = {True: [], False: []}
    with ExitStack() as ends:
        addresses = {True: url, False: None}
        pairs = {rings: ends.enter_context(two(scratch / str(rings), addresses[rings], is_http)) for rings in times}
        for _ in range(ROUNDS):
            for rings in chance.sample([True, False], 2):
                sender, reader = pairs[rings]
                waiting = reader.ask(
                    "tools/call", {"name": "read_unread", "arguments": {"name": "bea", "wait_seconds": WAIT_SECONDS}}
                )
                sleep(chance.uniform(*PAUSE_SECONDS))
                begin = perf_counter()
                sender.call("send_message", name="ann", content="are you there?")
                answer = reader.answer(waiting)["content"][0]["text"]
                times[rings].append(perf_counter() - begin)
                if "are you there?" not in answer:
                    sys.exit(f"error: it did not come: {answer}")
    return times


@contextmanager
def two(scratch: Path, url: str | None, is_http: bool) -> Iterator[tuple[Server, Server]]:
    """The servers of two clones of one hub."""
    scratch.mkdir(parents=True)
    variables = sealed_variables(scratch)
    hub = scratch / "hub.git"
    with ExitStack() as ends:
        subprocess.run(["git", "init", "-q", "--bare", str(hub)], check=True, env=variables)
        subprocess.run(["git", "config", "http.receivepack", "true"], cwd=hub, check=True, env=variables)
        remote = ends.enter_context(over_http(hub, variables)) if is_http else str(hub)
        clones: list[Path] = []
        for name in ("ann", "bea"):
            path = scratch / name
            subprocess.run(["git", "init", "-q", str(path)], check=True, env=variables)
            settings = {"remote.origin.url": remote, "chat.pace": "near"} | ({"chat.nats": url} if url else {})
            settings |= {"remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*"}
            for key, value in settings.items():
                subprocess.run(["git", "config", key, value], cwd=path, check=True, env=variables)
            _, git_chat = programs()
            if not clones:
                as_ann = variables | {"GITCHAT_NAME": "ann"}
                subprocess.run([git_chat, "send", "begin"], cwd=path, check=True, env=as_ann, capture_output=True)
            subprocess.run([git_chat, "sync", "origin"], cwd=path, check=True, env=variables, capture_output=True)
            clones.append(path)
        servers = [Server(path, "mcp") for path in clones]
        try:
            servers[1].call("join", name="bea", since="now")
            servers[0].call("join", name="ann", since="now")
            sleep(3)  # until both stay in step, and listen
            yield servers[0], servers[1]
        finally:
            for server in servers:
                server.end()


# --- what stands between -------------------------------------------------------------


@contextmanager
def nats(program: str) -> Iterator[str]:
    """The address of a NATS server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([program, "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        yield f"nats://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def over_http(hub: Path, variables: dict[str, str]) -> Iterator[str]:
    """The address of a hub under ``git http-backend``, behind a line that is slow to answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class calls it
            pass

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path, _, query = self.path.partition("?")
            asked = {
                "GIT_PROJECT_ROOT": str(hub.parent), "GIT_HTTP_EXPORT_ALL": "1", "REMOTE_USER": "alice",
                "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "REMOTE_ADDR": "127.0.0.1",
            }  # fmt: skip
            done = subprocess.run(
                ["git", "http-backend"], input=body, capture_output=True, env=variables | asked, check=False
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            pairs = [line.partition(": ")[::2] for line in head.decode().split("\r\n") if line]
            self.send_response(int(next((value.split()[0] for key, value in pairs if key == "Status"), "200")))
            for key, value in [*pairs, ("Content-Length", str(len(content)))]:
                if key != "Status":
                    self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with slow(server.server_port) as port:
            yield f"http://127.0.0.1:{port}/{hub.name}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def slow(port: int) -> Iterator[int]:
    """A port whose connections go on to ``port``, each part half of DELAY_SECONDS later, in both directions."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def carry(source: socket.socket, sink: socket.socket) -> None:
            with suppress(OSError):
                while part := source.recv(65536):
                    sleep(DELAY_SECONDS / 2)
                    sink.sendall(part)
                sink.shutdown(socket.SHUT_WR)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    server = socket.create_connection(("127.0.0.1", port))
                    for pair in ((client, server), (server, client)):
                        threading.Thread(target=carry, args=pair, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]


if __name__ == "__main__":
    main()
