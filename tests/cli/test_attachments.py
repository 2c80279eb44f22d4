"""Files that come with a message: sent, listed, written out. Proves docs/format.md section 3.7."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitchat.model.attachment import File
from gitchat.model.names import Oid
from gitchat.model.tree import TreeEntry, encode_tree
from tests.cli.conftest import LOG, Chatroom, Terminal, as_ordinary_user, refused
from tests.contract import repositories
from tests.crash.test_kills import assert_clean
from tests.world import World

DATA = bytes(range(256)) * 50


def attached(chatroom: Chatroom, *names: str) -> list[str]:
    """The options that attach new files, each with its own content."""
    options = []
    for name in names:
        (chatroom.path / name).write_bytes(name.encode() + DATA)
        options += ["--attach", name]
    return options


def commit_with(chatroom: Chatroom, entries: list[TreeEntry], directory: bytes = b"att") -> str:
    """A message of somebody else's software, with any entries in its directory of attachments."""

    def store(kind: str, raw: bytes) -> Oid:
        command = ("hash-object", "--literally", "-t", kind, "-w", "--stdin")
        return Oid(chatroom.git(*command, stdin=raw).stdout.strip())

    top = encode_tree([TreeEntry(0o040000, directory, store("tree", encode_tree(entries)))] if entries else [])
    who = "mallory <mallory@example.com> 1790000000 +0000"
    head = f"tree {store('tree', top)}\nparent {chatroom.tip}\nauthor {who}\ncommitter {who}\n\n"
    oid = store("commit", head.encode() + b"look\n\nChat-Kind: message\n")
    chatroom.git("update-ref", LOG, oid)
    return oid


def blob(chatroom: Chatroom, content: bytes = b"foreign") -> Oid:
    """A blob that nothing points to yet."""
    return Oid(chatroom.git("hash-object", "-w", "--stdin", stdin=content).stdout.strip())


def levels(chatroom: Chatroom) -> list[tuple[str, str]]:
    """Level and text of what verify finds."""
    found = map(json.loads, chatroom.chat("verify", "--json").stdout.splitlines())
    return [(finding["level"], finding["text"]) for finding in found]


# --- sending and seeing -------------------------------------------------------------


@pytest.mark.parametrize("kind", ["plain", "worktree", *repositories.NEWER_KINDS])
def test_files_come_back_byte_for_byte(world: World, kind: str) -> None:
    """In every kind of repository; fsck is content, and a server that checks every object takes them."""
    if "reftable" in kind:
        world.use_newer_git()
    common_dir = repositories.make(kind, world)
    place = world.root / "place"
    place.mkdir()
    (place / "trace.bin").write_bytes(DATA)
    (place / "empty").touch()
    world.chat("send", "-a", place / "trace.bin", "-a", place / "empty", "look", cwd=common_dir, check=True)
    done = world.chat("show", "1", "--extract", place / "new" / "out", cwd=common_dir, check=True)
    assert done.stdout == f"{place}/new/out/trace.bin\n{place}/new/out/empty\n"
    assert (place / "new/out/trace.bin").read_bytes() == DATA
    assert (place / "new/out/empty").read_bytes() == b""
    assert_clean(world, common_dir)
    assert world.chat("verify", cwd=common_dir).returncode == 0
    hub = world.root / "hub.git"
    sha256 = ["--object-format=sha256"] if "sha256" in kind else []
    world.git("init", "-q", "--bare", *sha256, hub)
    world.git("config", "receive.fsckObjects", "true", cwd=hub)
    world.git("push", "-q", hub, "refs/chatroom/*:refs/chatroom/*", cwd=common_dir)
    assert "attached: trace.bin (12.5 KiB)" in world.chat("log", cwd=hub, check=True).stdout


def test_log_and_show_list_what_is_attached(chatroom: Chatroom) -> None:
    """Below the text in the order of the sender, with sizes; a record without files has no such line."""
    chatroom.say("plain")
    chatroom.chat("send", *attached(chatroom, "b.txt", "a.txt"), "two files", check=True)
    lines = chatroom.chat("log").stdout.splitlines()
    assert lines[-3:] == ["    two files", "    attached: b.txt (12.5 KiB)", "    attached: a.txt (12.5 KiB)"]
    assert sum("attached" in line for line in lines) == 2
    assert chatroom.chat("log", "--oneline").stdout.splitlines()[-1] == "#2 alice: two files [b.txt, a.txt]"
    assert "Attached: b.txt (12.5 KiB)\nAttached: a.txt (12.5 KiB)\n" in chatroom.chat("show", "2").stdout
    assert "Attached" not in chatroom.chat("show", "1").stdout


def test_json_tells_of_attachments_where_there_are_any(chatroom: Chatroom) -> None:
    """Name, size in bytes and object id; the same from send, log and show."""
    sent = chatroom.chat("send", *attached(chatroom, "a.txt"), "x", "--json", check=True).stdout
    oid = chatroom.git("rev-parse", f"{LOG}:att/1-a.txt").stdout.strip()
    assert json.loads(sent)["attachments"] == [{"name": "a.txt", "bytes": 5 + len(DATA), "oid": oid}]
    assert chatroom.chat("log", "--json").stdout == chatroom.chat("show", "1", "--json").stdout == sent
    chatroom.say("plain")
    assert "attachments" not in json.loads(chatroom.chat("show", "2", "--json").stdout)


def test_the_tree_is_what_git_shows(chatroom: Chatroom) -> None:
    """Plain files in a directory, numbered, so that two of one name stand beside each other."""
    (chatroom.path / "run.sh").write_text("#!/bin/sh\n")
    (chatroom.path / "run.sh").chmod(0o755)
    chatroom.chat("send", "-a", "run.sh", "-a", "./run.sh", "-a", "file.txt", "x", check=True)
    rows = [line.split() for line in chatroom.git("ls-tree", "-r", LOG).stdout.splitlines()]
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("100644", "blob", "att/1-run.sh"), ("100644", "blob", "att/2-run.sh"), ("100644", "blob", "att/3-file.txt")
    ]  # fmt: skip
    assert chatroom.git("status", "--short").stdout == "?? run.sh\n"


def test_without_a_text_the_names_are_the_text(chatroom: Chatroom, terminal: Terminal) -> None:
    """A file may say all there is to say: no editor opens, on a terminal or elsewhere."""
    chatroom.chat("send", *attached(chatroom, "a.txt", ".b"), check=True)
    assert chatroom.newest().body == "a.txt, _b"
    assert terminal("git", "chat", "send", "-a", "a.txt", GIT_EDITOR="false").stdout == "#2\n"
    refused(chatroom.chat("send", "-a", "a.txt", ""), "must not be blank", "git chat send")


def test_a_key_stands_for_the_files_too(chatroom: Chatroom) -> None:
    """The same files again are the same message; others, or none, are a conflict."""
    options = attached(chatroom, "a.txt", "b.txt")
    for _ in range(2):
        assert chatroom.chat("send", "--uid", "k", *options, "x").stdout == "#1\n"
    conflict = "#1 was sent with the same key, and carries other files"
    for other in ([], options[:2], options[2:] + options[:2]):
        refused(chatroom.chat("send", "--uid", "k", *other, "x"), conflict, "git chat show '#1'", status=3)
    (chatroom.path / "a.txt").write_bytes(b"changed")
    refused(chatroom.chat("send", "--uid", "k", *options, "x"), conflict, "another key", status=3)
    assert len(chatroom.entries()) == 1


# --- what is refused ----------------------------------------------------------------


def make_fifo(path: Path) -> None:
    """A pipe that nobody writes to: whoever opens it to read waits."""
    os.mkfifo(path)


def make_unreadable(path: Path) -> None:
    path.touch()
    path.chmod(0)


REFUSED: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "missing": (lambda path: None, "there is no file 'x'", "ls -l"),
    "directory": (Path.mkdir, "'x' is a directory", "tar -czf x.tar.gz x"),
    "fifo": (make_fifo, "'x' is no regular file", "save what it gives"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "'x' is no regular file", "save what it gives"),
    "broken link": (lambda path: path.symlink_to("nowhere"), "there is no file 'x'", "ls -l"),
    "unreadable": (make_unreadable, "'x' cannot be read: Permission denied", "ls -l x"),
    "too large": (
        lambda path: path.write_bytes(b"x" * (1024 * 1024 + 1)),
        "'x' has 1,048,577 bytes; the limit for an attachment is 1,048,576",
        "git config chat.maxAttachment 1025k",
    ),
}


@pytest.mark.parametrize(("make", "error", "hint"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_attached_is_refused(
    chatroom: Chatroom, make: Callable[[Path], object], error: str, hint: str
) -> None:
    """With what to do instead; nothing hangs, and nothing is sent."""
    make(chatroom.path / "x")
    user = as_ordinary_user() if "Permission" in error else []
    done = chatroom.chat("send", "-a", "x", "text", under=user)
    refused(done, error, hint)
    assert chatroom.git("for-each-ref", "refs/chatroom").stdout == ""


def test_a_dash_is_no_file(chatroom: Chatroom) -> None:
    """Standard input is the text's; a file that is called so has a longer name."""
    refused(chatroom.chat("send", "-a", "-", "x", stdin=b"data"), "standard input cannot be attached", "./-")
    (chatroom.path / "-").write_text("data")
    chatroom.chat("send", "-a", "./-", "x", check=True)
    assert "attached: _ (4 bytes)" in chatroom.chat("log").stdout


def test_the_limit_can_be_set(chatroom: Chatroom) -> None:
    """For one file, and with it for all files of a message together."""
    for name in "123456789":
        (chatroom.path / name).write_bytes(b"x" * 1024)
    options = [word for name in "123456789" for word in ("-a", name)]
    chatroom.git("config", "chat.maxAttachment", "1023")
    refused(chatroom.chat("send", "-a", "1", "x"), "the limit for an attachment is 1,023", "chat.maxAttachment 1k")
    chatroom.git("config", "chat.maxAttachment", "1k")
    refused(chatroom.chat("send", *options, "x"), "have 9,216 bytes together; the limit is 8,192", "several messages")
    assert chatroom.chat("send", *options[:16], "x").stdout == "#1\n"
    chatroom.git("config", "chat.maxAttachment", "2k")
    assert chatroom.chat("send", *options, "x").stdout == "#2\n"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_the_size_that_a_file_states_decides_nothing(chatroom: Chatroom) -> None:
    """What is read counts, so that a file that grows meanwhile is neither cut nor read without end."""
    chatroom.git("config", "chat.maxAttachment", "10")
    refused(chatroom.chat("send", "-a", "/proc/self/status", "x"), "the limit for an attachment is 10", "raise")
    chatroom.git("config", "chat.maxAttachment", "1m")
    chatroom.chat("send", "-a", "/proc/self/status", "x", check=True)
    assert chatroom.git("cat-file", "blob", f"{LOG}:att/1-status").stdout.startswith("Name:")


# --- writing out --------------------------------------------------------------------


def extract(chatroom: Chatroom, *words: str) -> list[str]:
    """The paths that ``show --extract out`` prints."""
    return chatroom.chat("show", "--extract", "out", *words, check=True).stdout.splitlines()


def test_nothing_is_overwritten(chatroom: Chatroom) -> None:
    """A name that is taken gets a number, as wget gives it, also twice in one message."""
    chatroom.chat("send", *attached(chatroom, "a.txt"), "-a", "./a.txt", "x", check=True)
    (chatroom.path / "out").mkdir()
    (chatroom.path / "out/a.txt").write_text("mine")
    (chatroom.path / "out/a.txt.1").mkdir()
    assert extract(chatroom, "1") == ["out/a.txt.2", "out/a.txt.3"]
    assert (chatroom.path / "out/a.txt").read_text() == "mine"
    assert (chatroom.path / "out/a.txt.3").read_bytes() == b"a.txt" + DATA


def test_no_symbolic_link_is_followed(chatroom: Chatroom) -> None:
    """Neither one to a file nor one that leads nowhere yet; what they point to stays as it is."""
    chatroom.chat("send", *attached(chatroom, "a.txt", "b.txt"), "x", check=True)
    (chatroom.path / "out").mkdir()
    (chatroom.path / "precious").write_text("mine")
    (chatroom.path / "out/a.txt").symlink_to("../precious")
    (chatroom.path / "out/b.txt").symlink_to("../nowhere")
    assert extract(chatroom, "1") == ["out/a.txt.1", "out/b.txt.1"]
    assert (chatroom.path / "precious").read_text() == "mine"
    assert not (chatroom.path / "nowhere").exists()


@pytest.mark.parametrize(("umask", "mode"), [("022", 0o644), ("077", 0o600), ("000", 0o644)])
def test_what_is_written_can_never_be_run(chatroom: Chatroom, umask: str, mode: int) -> None:
    """Whatever the sender's file, or a foreign tree, says of it."""
    chatroom.say()
    commit_with(chatroom, [TreeEntry(0o100755, b"1-run.sh", blob(chatroom))])
    command = ["sh", "-c", f"umask {umask}; git chat show --extract out 2"]
    chatroom.world.run(*command, cwd=chatroom.path)
    assert (chatroom.path / "out/run.sh").stat().st_mode & 0o7777 == mode


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        (0o120000, b"1-link"),
        (0o160000, b"1-sub"),
        (0o040000, b"1-dir"),
        (0o100644, b"1-../../escaped"),
        (0o100644, b"1-/tmp/escaped"),
        (0o100644, b"../escaped"),
        (0o100644, b".git"),
        (0o100644, b"1-.bashrc"),
        (0o100644, b"1-a\x1b[31m\nb"),
        (0o100644, b"1-nul"),
        (0o100644, b"1-\xff\xfe"),
    ],
)
def test_a_foreign_tree_writes_nothing_that_it_should_not(chatroom: Chatroom, mode: int, name: bytes) -> None:
    """What is sound is written, what is not is named and passed over; verify notes it."""
    chatroom.say()
    target = blob(chatroom, b"/etc/passwd")
    if mode == 0o160000:
        target = Oid(chatroom.git("rev-parse", "HEAD").stdout.strip())
    elif mode == 0o040000:
        target = Oid(chatroom.git("rev-parse", "HEAD^{tree}").stdout.strip())
    commit_with(chatroom, [TreeEntry(mode, name, target), TreeEntry(0o100644, b"2-good", blob(chatroom))])
    before = set(chatroom.world.root.rglob("*"))
    done = chatroom.chat("show", "--extract", "out", "2", check=True)
    assert done.stdout == "out/good\n"
    assert done.stderr.startswith("note: #2: ")
    assert "passed over: " in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "\x1b" not in done.stderr
    fresh = {path for path in set(chatroom.world.root.rglob("*")) - before if ".git" not in path.parts}
    assert fresh == {chatroom.path / "out", chatroom.path / "out/good"}
    assert "\x1b" not in chatroom.chat("log").stdout
    assert [one["name"] for one in json.loads(chatroom.chat("log", "--json", "-n1").stdout)["attachments"]] == ["good"]
    assert ("note", True) in [(level, "carries" in text) for level, text in levels(chatroom)]


def test_an_entry_that_lies_about_its_object_is_passed_over(chatroom: Chatroom) -> None:
    """A file by its mode that is a tree by its object: named, never written, and wrong for verify."""
    chatroom.say()
    tree = Oid(chatroom.git("rev-parse", "HEAD^{tree}").stdout.strip())
    commit_with(chatroom, [TreeEntry(0o100644, b"1-a", tree)])
    assert "attached: a (passed over: is a tree)" in chatroom.chat("log").stdout
    done = chatroom.chat("show", "--extract", "out", "2")
    assert (done.returncode, done.stdout) == (1, "")
    assert ("wrong", f"blob {tree} is damaged: it is a tree, and no blob") in [
        (level, text.partition(": ")[2]) for level, text in levels(chatroom)
    ]


def test_trees_of_a_later_format_are_passed_over(chatroom: Chatroom) -> None:
    """What stands beside the directory of attachments is no attachment, and no error."""
    chatroom.say()
    commit_with(chatroom, [TreeEntry(0o100644, b"1-a", blob(chatroom))], directory=b"later")
    done = chatroom.chat("log")
    assert (done.returncode, "attached" in done.stdout) == (0, False)
    refused(chatroom.chat("show", "--extract", "out", "2"), "there is nothing to extract: #2 has no", "git chat log")
    assert ("note", "'later', which is no attachment") in [
        (level, text.partition(" carries ")[2]) for level, text in levels(chatroom)
    ]
    assert not (chatroom.path / "out").exists()


def test_files_whose_names_differ_in_case_alone_are_both_written(chatroom: Chatroom) -> None:
    """On a file system that folds case the second gets a number."""
    chatroom.say()
    one, two = blob(chatroom, b"one"), blob(chatroom, b"two")
    commit_with(chatroom, [TreeEntry(0o100644, b"1-A.txt", one), TreeEntry(0o100644, b"2-a.txt", two)])
    assert [(chatroom.path / path).read_bytes() for path in extract(chatroom, "2")] == [b"one", b"two"]


@pytest.mark.parametrize(
    ("words", "error", "hint", "status"),
    [
        (["--extract", "file.txt", "1"], "'file.txt' is no directory", "name another one", 1),
        (["--extract", "file.txt/x", "1"], "'file.txt/x' is no directory", "name another one", 1),
        (["--extract", "", "1"], "cannot write ''", "another directory", 1),
        (["--extract", "out", "2"], "nothing to extract: #2 has no attachments", "git chat log", 1),
        (["--extract", "out", "--json", "1"], "exclude each other", "git chat show -h", 2),
    ],
)
def test_extracting_can_be_refused(chatroom: Chatroom, words: list[str], error: str, hint: str, status: int) -> None:
    """With one error and one hint, and nothing written."""
    chatroom.say("x", files=(File("a", b"a"),))
    chatroom.say("plain")
    refused(chatroom.chat("show", *words), error, hint, status)
    assert chatroom.git("status", "--short").stdout == ""


def test_a_file_that_could_not_be_written_whole_leaves_nothing(chatroom: Chatroom) -> None:
    """A limit on file sizes stops it in the middle, as a full disk would."""
    chatroom.say("x", files=(File("large", b"x" * 100_000),))
    script = "trap '' XFSZ; ulimit -f 40; exec git chat show --extract out 1"
    done = chatroom.world.run("bash", "-c", script, cwd=chatroom.path, check=False)
    refused(done, "cannot write 'out/large'", "another directory")
    assert list((chatroom.path / "out").iterdir()) == []


# --- what is missing ----------------------------------------------------------------


def test_a_lost_attachment_is_told_and_the_text_is_still_there(chatroom: Chatroom) -> None:
    """The listing says that it is not here; extracting it is an error; verify has the mend."""
    entry = chatroom.say("the text", files=(File("a.txt", b"lost"), File("b.txt", b"kept")))
    chatroom.lose(chatroom.git("rev-parse", f"{entry.oid}:att/1-a.txt").stdout.strip())
    log = chatroom.chat("log", check=True).stdout
    assert "    the text\n    attached: a.txt (not in this clone)\n    attached: b.txt (4 bytes)\n" in log
    assert json.loads(chatroom.chat("log", "--json").stdout)["attachments"][0]["bytes"] is None
    refused(chatroom.chat("show", "--extract", "out", "1"), "is missing", "git chat verify", status=4)
    done = chatroom.chat("verify")
    assert done.returncode == 1
    assert "an attachment of commit" in done.stdout
    assert "mend: git fetch --refetch" in done.stdout


def test_a_damaged_attachment_is_told(chatroom: Chatroom) -> None:
    """By the listing, and as wrong by verify."""
    entry = chatroom.say("the text", files=(File("a.txt", b"x"),))
    path = chatroom.file_of_object(entry.attachments[0].oid)
    path.chmod(0o644)
    path.write_bytes(b"garbage")
    assert "    attached: a.txt (passed over: is damaged)" in chatroom.chat("log", check=True).stdout
    done = chatroom.chat("verify")
    assert (done.returncode, "is damaged" in done.stdout) == (1, True)


def test_a_lost_tree_hides_no_text(chatroom: Chatroom) -> None:
    """What is attached cannot be told any more; the message can."""
    entry = chatroom.say("the text", files=(File("a.txt", b"x"),))
    chatroom.lose(chatroom.git("rev-parse", f"{entry.oid}^{{tree}}").stdout.strip())
    done = chatroom.chat("log")
    assert done.returncode == 0
    assert "    the text\n    attached: att (passed over: cannot be listed: tree" in done.stdout
    assert chatroom.chat("verify").returncode == 1


def test_a_partial_clone_shows_what_it_does_not_have(chatroom: Chatroom) -> None:
    """Texts come with the commits; the files are fetched by git when they are asked for."""
    entry = chatroom.say("the text", files=(File("a.txt", b"content"),))
    chatroom.git("config", "uploadpack.allowFilter", "true")
    clone = chatroom.world.root / "partial"
    chatroom.world.git("clone", "-q", "--filter=blob:none", f"file://{chatroom.path}", clone)
    chatroom.world.git("fetch", "-q", "origin", f"{LOG}:{LOG}", cwd=clone)
    assert "attached: a.txt (not in this clone)" in chatroom.world.chat("log", cwd=clone, check=True).stdout
    done = chatroom.world.chat("verify", cwd=clone)
    mend = done.stdout.partition("in a partial clone: ")[2].strip()
    chatroom.world.run("sh", "-c", mend, cwd=clone)
    chatroom.world.chat("show", "--extract", "out", "1", cwd=clone, check=True)
    assert (clone / "out/a.txt").read_bytes() == b"content"
    assert entry.attachments[0].oid in mend


def test_a_file_called_like_an_option_is_attached(chatroom: Chatroom) -> None:
    """And written out under a name that is none."""
    (chatroom.path / "--help").write_text("x")
    chatroom.chat("send", "--attach=--help", "x", check=True)
    assert extract(chatroom, "1") == ["out/_-help"]


def test_git_itself_can_give_the_file(chatroom: Chatroom) -> None:
    """Whoever has no gitchat reads it with git cat-file."""
    chatroom.chat("send", *attached(chatroom, "a.txt"), "x", check=True)
    command = ["git", "cat-file", "blob", f"{LOG}:att/1-a.txt"]
    variables = chatroom.world.variables
    assert subprocess.run(command, cwd=chatroom.path, env=variables, capture_output=True).stdout == b"a.txt" + DATA
