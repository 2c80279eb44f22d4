"""What people type from the habits of git, slack and irc, and what that is here. Data alone.

A phrase is what one types after ``git chat``, or all that one types where it begins with ``!``. Of what stood after
the word, ``{1}`` is the first argument, ``{2:}`` what follows it, ``{*}`` all; where one is missing, the help of the
phrase's command is told.
"""

from __future__ import annotations

_VERBS = {
    "send {*}": "say post write echo talk shout hello hi hey message comment announce broadcast emit chat",
    "send --to {1} {2:}": "dm msg pm whisper tell query mail direct mention ask poke ping",
    "send --attach {*}": "attach upload file add",
    "reply {1} {2:}": "re respond",
    "reply {1} --type ack {2:}": "react ack emoji thumbs thanks",
    "inbox": "unread new notifications mentions news peek",
    "read": "mark mark-read markread next seen",
    "wait": "poll sleep block listen",
    "watch": "tail follow monitor stream tui live start",
    "log": "ls list history cat messages timeline reflog scroll all dump print",
    "log --oneline": "shortlog",
    "export {*}": "save backup pr-body to-html to-markdown",
    "import {1}": "load migrate restore",
    "run -- {*}": "exec test",
    "ask {*}": "question approve approval confirm prompt",
    "answer": "questions unanswered pending-questions",
    "log --thread {1}": "thread replies",
    "log --room {1}": "switch checkout cd use goto",
    "show {*}": "view get display cat-file open-message",
    "search {*}": "grep find lookup",
    "blame {*}": "annotate praise discuss",
    "handoff": "catchup catch-up resume brief context",
    "status": "st stat state dashboard info overview",
    "summary write {*}": "summarize summarise sum",
    "who": "users user members names people agents participants presence online whoami w list-users",
    "join": "enter login signin register",
    "claim {*}": "lock reserve take assign own checkout-file lease",
    "release {*}": "unlock unclaim free giveback give-back unassign",
    "claims": "locks reservations leases claimed",
    "conflicts": "conflict forecast collisions merge-check",
    "take {*}": "apply adopt accept take-over pickup stash-apply unstash",
    "send --work {*}": "hand-over handover give stash shelve",
    "redact {*}": "hide censor blackout",
    "purge {*}": "shred scrub expunge",
    "leave": "part quit exit logout bye",
    "rooms": "channels topics list-rooms groups",
    "room open {1}": "mkroom create new open",
    "room close {1}": "close archive",
    "room rename {1} {2}": "rename mv move",
    "room delete {1}": "rmroom drop destroy",
    "room title lobby {*}": "topic title",
    "pull": "fetch",
    "push": "publish upload-rooms",
    "sync": "merge update refresh",
    "remote": "remotes origin",
    "setup": "install configure config connect",
    "send hello": "init begin",
    "hook status": "hooks",
    "mcp": "daemon stdio",
    "serve": "server web ui gui http browser page webui",
    "token list": "tokens credentials keys",
    "doctor": "fsck repair fix check gc health",
    "verify": "audit validate",
    "completion {*}": "completions complete autocomplete",
    "help {*}": "man usage commands",
    "--version": "version ver",
    "!git config chat.name {1}": "nick alias rename-me iam",
}  # fmt: skip

UNCHANGING = [
    "edit",
    "amend",
    "modify",
    "change",
    "delete",
    "del",
    "rm",
    "remove",
    "undo",
    "revert",
    "retract",
    "recall",
]
"""What people do to a message elsewhere."""

_INNER = {
    "room": {
        "rooms": "list ls show",
        "open {*}": "create new add make mk begin",
        "rename {*}": "mv move",
        "delete {*}": "rm remove drop destroy",
        "close {*}": "archive end lock",
        "title {*}": "topic describe name",
        "log --room {1}": "join switch use enter log read",
    },
    "summary": {"log": "list ls history all", "show {*}": "read get last newest", "write {*}": "add create new"},
    "hook": {
        "install {*}": "add enable on setup",
        "uninstall": "remove rm disable off delete",
        "status": "list ls show",
    },
    "token": {
        "add {*}": "create new make generate issue grant",
        "list": "ls show get",
        "revoke {*}": "remove rm delete del end ban",
    },
    "remote": {
        "": "list ls show get",
        "!git remote add {1} {2}": "add",
        "detach {*}": "remove rm delete",
        "move {*}": "set-url",
    },
}

_OPTIONS = {
    "--from --as": "--author --sender --by --user --writer --nick",
    "--to": "--recipient --target --for --dm --mention",
    "--room": "--channel --topic -c --chat --branch",
    "--recent": "--limit --count --last",
    "--max-count": "--limit --count --last --number --num --lines --tail --head --max --first -l",
    "--since": "--after --newer --from-date --start",
    "--until": "--before --older --to-date --end",
    "--timeout": "--seconds --time --for --limit -t -w",
    "--as": "--name -u --me --participant",
    "--reply-to": "--reply --in-reply-to --answer --re --thread --parent",
    "--attach": "--file --attachment --upload -f",
    "--type": "--kind --category --label --tag",
    "--grep": "--search --match --pattern --filter",
    "--oneline": "--short -s --brief --compact",
    "--json": "--format --output -o --porcelain",
    "--fix": "--repair --mend --force",
    "--commit": "--rev --sha",
    "--host": "--bind --listen --address --ip --interface",
    "--connect": "--url --server --http --endpoint --transport",
    "--tls-cert": "--cert --certificate --ssl-cert --certfile",
    "--tls-key": "--private-key --ssl-key --keyfile",
    "--expires": "--expiry --ttl --valid --until --lifetime",
    "--guest": "--read-only --readonly --ro --viewer",
    "--open-browser": "--browser --launch",
}


def verb(word: str) -> str | None:
    """The phrase for a word that is typed as a command of git chat; None for one that is no habit."""
    return _turned(_VERBS).get(word)


def inner(group: str, word: str) -> str | None:
    """As :func:`verb`, of a word after the ``group`` that has no such command. The group is part of the phrase."""
    phrase = _turned(_INNER.get(group, {})).get(word)
    is_whole = phrase is None or phrase.startswith(("!", "rooms", "log --room"))
    return phrase if is_whole else f"{group} {phrase}".strip()


def option(name: str) -> list[str]:
    """The options that ``name`` may stand for, the likest first; which of them a command has, it knows."""
    return [mine for ours, theirs in _OPTIONS.items() if name in theirs.split() for mine in ours.split()]


WHOLE = {
    ("send", "--urgent"): ["--priority", "urgent"],
    ("read", "--all"): ["--max-count", "1000"],
}
"""What one option of a command stands for, in the words that take its place."""

ELSEWHERE = {
    ("log", "--unread"): "inbox",
    ("read", "--peek"): "inbox",
    ("read", "--dry-run"): "inbox",
    ("log", "-f"): "watch",
    ("log", "--follow"): "watch",
    ("inbox", "--mark"): "read",
    ("show", "-1"): "show",
    ("show", "--last"): "show",
}
"""What is a command of its own here, and takes nothing along."""

UNNEEDED = {
    "send": ["-m", "--message", "--body", "--text", "--content"],
    "summary write": ["-m", "--message"],
    "reply": ["-m", "--message", "--body", "--text", "--content"],
    "search": ["--grep", "-e", "--pattern"],
    "join": ["--name", "--as"],
    "watch": ["-f", "--follow"],
}
"""Options that are not needed: what they take is an argument, or is done anyway."""

ANYWHERE = ["-v", "-vv", "--verbose", "--rebase", "--force", "--pretty", "-s", "--short"]
"""Options that say nothing here, whatever the command is."""


def _turned(table: dict[str, str]) -> dict[str, str]:
    return {word: phrase for phrase, words in table.items() for word in words.split()}
