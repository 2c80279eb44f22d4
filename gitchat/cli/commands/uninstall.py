"""``git chat uninstall``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gitchat.cli.terminal import escape_line
from gitchat.model.errors import ConflictError, UserError
from gitchat.workspace.environment import Environment

if TYPE_CHECKING:
    from gitchat.care.removal import Item


@click.command("uninstall")
@click.option("--purge-refs", "purges_refs", is_flag=True, help="The rooms too, with all that was said in them here.")
@click.option("--force", "is_forced", is_flag=True, help="With --purge-refs: also what is nowhere but here.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be taken away, and take nothing.")
@click.option("-y", "--yes", "has_consent", is_flag=True, help="Agree to what is shown, without being asked.")
@click.pass_obj
def command(
    environment: Environment, purges_refs: bool, is_forced: bool, dry_run: bool, has_consent: bool
) -> None:  # fmt: skip
    """Take gitchat out of this clone, but for its rooms.

    Clients' files, hooks, settings and our directory go, and what was there before us comes back. With
    --purge-refs the rooms go, too; what is nowhere but here is only lost with --force. What is not ours to
    take away is named, with its command.

    \b
    Examples:
      git chat uninstall --dry-run
      git chat uninstall
      git chat uninstall --purge-refs
    """
    from gitchat.care import removal

    found = removal.items(environment, purges_refs=purges_refs)
    rest = list(removal.left(environment, purges_refs=purges_refs))
    for item in found:
        click.echo(f"{'would be taken away' if dry_run else 'here'}: {escape_line(item.text)}")
    if not dry_run and found:
        _refuse_living(environment)
        if purges_refs and not is_forced:
            _refuse_loss(environment)
        _agree(has_consent, "git chat uninstall" + " --purge-refs" * purges_refs + " --force" * is_forced)
        _take(found)
    elif not found:
        click.echo("nothing of gitchat is left in this clone")
    for sentence in rest:
        click.echo(f"left: {escape_line(sentence)}")


def _take(found: list[Item]) -> None:
    for item in found:
        item.take()
        click.echo(f"taken away: {escape_line(item.text)}")


def _refuse_living(environment: Environment) -> None:
    from gitchat.care import removal

    living = removal.living(environment)
    if living:
        said = ", ".join(f"{pid} ({words})" for pid, words in living)
        raise ConflictError(
            f"processes of gitchat run in this clone: {said}",
            hint=f"end the sessions that they belong to, or: kill {' '.join(str(pid) for pid, _ in living)}",
            code="still-running",
        )


def _refuse_loss(environment: Environment) -> None:
    from gitchat.care import removal

    counts = removal.only_here(environment)
    if counts:
        said = ", ".join(f"{count} in room '{room}'" for room, count in counts.items())
        raise ConflictError(
            f"what was said is nowhere but here, and would be lost: {said}",
            hint="take it to a remote first: git chat sync; or lose it: git chat uninstall --purge-refs --force --yes",
            code="pending",
        )


def _agree(has_consent: bool, again: str) -> None:
    """Ask, on a terminal. Raises UserError ``not-agreed`` where nobody agrees."""
    is_asked = not has_consent and sys.stdin.isatty() and sys.stdout.isatty()
    if not has_consent and not (is_asked and click.confirm("Take all that away?")):
        raise UserError(
            "nothing was taken away: nobody agreed to it",
            hint=f"agree to it: {again} --yes; or look first: {again} --dry-run",
            code="not-agreed",
        )
