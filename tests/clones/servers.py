"""Real servers that hosts of git run: gitolite behind ssh, nginx and lighttpd before git's own program for HTTP."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.clones.conftest import Clone, Hub, free_port, wait_for_port
from tests.needed import missing, need
from tests.world import World

BACKEND = Path("/usr/lib/git-core/git-http-backend")
USER, PASSWORD = "ann", "open sesame"


@contextmanager
def running(*command: str | Path, port: int, **variables: str) -> Iterator[None]:
    """``command`` while it listens at ``port``; it and all that it started end with the body."""
    process = subprocess.Popen(
        [str(word) for word in command],
        env=os.environ | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for_port(port, process)
        yield
    finally:
        os.killpg(process.pid, 15)
        process.wait()


# --- ssh -------------------------------------------------------------------------------


@contextmanager
def ssh_to(hub: Hub, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """An sshd before the hub: the hub's address, and the command that git reaches it by."""
    daemon, keys, port = need("sshd"), tmp_path / "ssh", free_port()
    keys.mkdir(mode=0o700)
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys / key], check=True)
    (keys / "authorized").write_text((keys / "user.pub").read_text())
    given = " ".join(f'{key}="{value}"' for key, value in hub.world.variables.items() if key in ("PATH", "HOME"))
    (keys / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {keys / 'host'}\nAuthorizedKeysFile {keys / 'authorized'}\n"
        f"PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nSetEnv {given}\n"
    )
    checked = subprocess.run([daemon, "-t", "-f", keys / "config"], capture_output=True, text=True, check=False)
    if checked.returncode != 0:
        missing(f"sshd does not start here: {checked.stderr.strip()}")
    process = subprocess.Popen([daemon, "-D", "-e", "-f", keys / "config"], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        command = f"ssh -F none -i {keys / 'user'} -o StrictHostKeyChecking=no -o UserKnownHostsFile={keys / 'known'}"
        yield f"ssh://127.0.0.1:{port}{hub.path}", command
    finally:
        process.terminate()
        process.wait()


@contextmanager
def sshd(directory: Path, authorized: Path, home: Path, path: str) -> Iterator[int]:
    """The port of an ssh server that lets the keys in ``authorized`` in, in ``home``."""
    daemon = need("sshd")
    directory.mkdir(mode=0o700, exist_ok=True)
    make_key(directory / "host")
    port = free_port()
    config = directory / "config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {directory / 'host'}\nAuthorizedKeysFile {authorized}\n"
        f'PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nSetEnv HOME="{home}" PATH="{path}"\n'
    )
    checked = subprocess.run([daemon, "-t", "-f", config], capture_output=True, text=True, check=False)
    if checked.returncode != 0:
        missing(f"sshd does not start here: {checked.stderr.strip()}")
    with running(daemon, "-D", "-e", "-f", config, port=port):
        yield port


def make_key(path: Path) -> Path:
    """A key without a passphrase; its public half beside it."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


class Gitolite:
    """A gitolite of its own, with a key for each user."""

    def __init__(self, world: World, users: tuple[str, ...], rules: str) -> None:
        """``rules`` is its ``gitolite.conf``."""
        self.world = world
        self.home = world.root / "gitolite"
        self.keys = world.root / "keys"
        self.home.mkdir()
        self.keys.mkdir(mode=0o700)
        self.port = 0
        for user in users:
            make_key(self.keys / user)
        self._run("setup", "-pk", str(self.keys / f"{users[0]}.pub"))
        for user in users[1:]:
            (self.home / ".gitolite/keydir" / f"{user}.pub").write_text((self.keys / f"{user}.pub").read_text())
        (self.home / ".gitolite/conf/gitolite.conf").write_text(rules)
        self._run("compile")
        self._run("trigger", "POST_COMPILE")

    def _run(self, *arguments: str) -> None:
        self.world.run(need("gitolite"), *arguments, cwd=self.home, HOME=str(self.home))

    @contextmanager
    def serving(self) -> Iterator[None]:
        """While it is reached by ssh."""
        authorized = self.home / ".ssh/authorized_keys"
        with sshd(self.world.root / "sshd", authorized, self.home, self.world.variables["PATH"]) as self.port:
            yield

    def address(self, repository: str) -> str:
        """Where git finds ``repository``."""
        return f"ssh://127.0.0.1:{self.port}/{repository}"

    def clone(self, user: str, **remotes: str) -> Clone:
        """A repository whose person is ``user``, with these remotes."""
        clone = Clone(self.world, self.world.repository(user), user)
        key, known = self.keys / user, self.keys / "known"
        ssh = f"ssh -F none -i {key} -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile={known}"
        clone.git("config", "core.sshCommand", ssh)
        clone.git("config", "chat.sync", "manual")
        for name, repository in remotes.items():
            clone.git("remote", "add", name, self.address(repository))
        return clone


# --- HTTP ------------------------------------------------------------------------------


def give_password(hub: Hub) -> None:
    """Let git know the password from now on."""
    hub.world.git(
        "config", "--global", "credential.helper", f"!f() {{ echo username={USER}; echo 'password={PASSWORD}'; }}; f"
    )


@contextmanager
def nginx(hub: Hub, *, max_size: str = "100m") -> Iterator[Mapping[str, str]]:
    """The hub behind nginx and fcgiwrap: ``write``, where a password is asked for, and ``read``, where nobody is known.

    ``max_size`` is its ``client_max_body_size``.
    """
    place, port, user = hub.world.root / "nginx", free_port(), "user root;" if os.geteuid() == 0 else ""
    place.mkdir()
    (place / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    parameters = "\n".join(
        f"fastcgi_param {name} {value};"
        for name, value in {
            "SCRIPT_FILENAME": BACKEND, "GIT_PROJECT_ROOT": hub.path.parent, "GIT_HTTP_EXPORT_ALL": '""',
            "QUERY_STRING": "$query_string", "REQUEST_METHOD": "$request_method", "CONTENT_TYPE": "$content_type",
            "CONTENT_LENGTH": "$content_length", "REMOTE_USER": "$remote_user", "REMOTE_ADDR": "$remote_addr",
            "GIT_PROTOCOL": "$http_git_protocol", "PATH_INFO": "$path",
        }.items()
    )  # fmt: skip
    temporary = "".join(
        f"{kind}_temp_path {place}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    backend = f"{parameters} fastcgi_pass unix:{place}/socket;"
    (place / "conf").write_text(
        f"daemon off; {user} pid {place}/pid; error_log {place}/errors;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary} client_max_body_size {max_size};\n"
        f"server {{ listen 127.0.0.1:{port};\n"
        f"location ~ ^/read(?<path>/.*)$ {{ {backend} }}\n"
        f"location ~ ^/write(?<path>/.*)$ {{ auth_basic hub; auth_basic_user_file {place}/users; {backend} }}\n"
        "} }\n"
    )
    wrapper = subprocess.Popen([need("fcgiwrap"), "-c", "2", "-s", f"unix:{place}/socket"], env=hub.world.variables)
    try:
        with running(need("nginx"), "-p", place, "-e", place / "errors", "-c", place / "conf", port=port):
            give_password(hub)
            yield {name: f"http://127.0.0.1:{port}/{name}/{hub.path.name}" for name in ("read", "write")}
    finally:
        wrapper.terminate()
        wrapper.wait()


@contextmanager
def lighttpd(hub: Hub) -> Iterator[Mapping[str, str]]:
    """As :func:`nginx`, behind lighttpd, as git-http-backend(1) has it."""
    place, port = hub.world.root / "lighttpd", free_port()
    place.mkdir()
    (place / "users").write_text(f"{USER}:{PASSWORD}\n")
    (place / "conf").write_text(
        'server.modules = ("mod_alias", "mod_auth", "mod_authn_file", "mod_cgi", "mod_setenv")\n'
        f'server.document-root = "{place}"\nserver.port = {port}\nserver.bind = "127.0.0.1"\n'
        f'server.errorlog = "{place}/errors"\n'
        f'alias.url = ("/read" => "{BACKEND}", "/write" => "{BACKEND}")\n'
        'cgi.assign = ("" => "")\n'
        f'setenv.add-environment = ("GIT_PROJECT_ROOT" => "{hub.path.parent}", "GIT_HTTP_EXPORT_ALL" => "")\n'
        f'auth.backend = "plain"\nauth.backend.plain.userfile = "{place}/users"\n'
        'auth.require = ("/write" => ("method" => "basic", "realm" => "hub", "require" => "valid-user"))\n'
    )
    with running(need("lighttpd"), "-D", "-f", place / "conf", port=port):
        give_password(hub)
        yield {name: f"http://127.0.0.1:{port}/{name}/{hub.path.name}" for name in ("read", "write")}
