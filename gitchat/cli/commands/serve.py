"""``git chat serve``."""

from __future__ import annotations

import click

from gitchat.model.errors import UserError
from gitchat.workspace.environment import Environment


@click.command("serve", short_help="Give these rooms over HTTP: a page, an API, tools.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 is any free one.")
@click.pass_obj
def command(environment: Environment, host: str, port: int) -> int:
    """Give these rooms over HTTP to people and programs that do not run git."""
    try:
        import prometheus_client  # noqa: F401
        import sse_starlette  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as error:
        raise UserError(
            "git chat serve needs what only the extra 'serve' installs",
            hint="pipx install --force 'git-chatroom[serve]'",
            code="no-serve",
        ) from error
    from gitchat.serve import running
    from gitchat.serve.settings import Settings

    settings = Settings(host=host, port=port)
    environment.repository.location
    return running.run({environment.repository.worktree_name: environment}, settings, _tell)


def _tell(settings: object) -> None:
    click.echo(settings.base_url)  # type: ignore[attr-defined]
