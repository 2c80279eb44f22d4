"""Which name git's configuration gives a person who chose none: pure, and told why where it is not ``user.name``."""

from __future__ import annotations

from dataclasses import dataclass

from gitchat.model.errors import UserError
from gitchat.model.names import Name, is_name, parse_name, suggest_slug
from gitchat.workspace.config import Config, parse_setting


@dataclass(frozen=True, slots=True)
class Given:
    """A name, and git's ``user.name`` where nothing of that can be one; then it is from the address."""

    name: Name
    passed_over: str | None = None


def given_by_git(config: Config) -> Given:
    """The name that is nearest to ``user.name``, else to the first part of ``user.email``.

    A name here is made of a-z and digits, since it stands in refs: of 山田 太郎 there is nothing to keep.

    Raises:
        UserError: ``no-name`` when neither gives one.
    """
    full, address = config.get("user.name") or "", config.get("user.email") or ""
    if (name := _nearest(full)) is not None:
        return Given(name)
    name = _nearest(address.partition("@")[0]) if full.strip() else None
    if name is None:
        reason = f": git's user.name {full!r} has nothing that a name here is made of (a-z, 0-9)" if full else ""
        raise UserError(
            f"no name to send under{reason}",
            hint="choose one: git config --global chat.name alice; or for one message: --as alice",
            code="no-name",
        )
    return Given(name, full)


def of_person(config: Config) -> Name:
    """The name of the person whose configuration it is, whatever program asks: ``chat.name``, else what git gives.

    Raises:
        UserError: ``bad-name``, ``reserved-name``, ``no-name``.
    """
    configured = config.get("chat.name")
    return parse_setting("chat.name", configured, parse_name) if configured is not None else given_by_git(config).name


def _nearest(text: str) -> Name | None:
    slug = suggest_slug(text)
    return Name(slug) if slug is not None and is_name(slug) else None
