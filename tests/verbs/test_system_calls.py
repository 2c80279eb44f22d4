"""What a send and a reading ask of the system inside a process that has done so before: so that it cannot grow."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.needed import need
from tests.world import World

MOST = {"send": 36, "read": 95}
"""One record; ten that another wrote, of which each is read once."""

SCRIPT = """
import os, sys
from gitchat.verbs.room import Room
alice, bob = Room.open(sys.argv[1], name="alice"), Room.open(sys.argv[1], name="bob")
for _ in range(3):
    for number in range(10):
        alice.send(str(number))
    bob.read()
for number in range(9):
    alice.send(str(number))
os.access("/send", 0); alice.send("last"); os.access("/read", 0)
found = bob.read()
os.access("/end", 0)
assert len(found.entries) == 10 and found.is_marked
"""

MEMORY = ("brk", "futex", "getrandom", "madvise", "mmap", "mkdir", "mprotect", "munmap")


def test_a_send_and_a_reading_take_few_calls_of_the_system(world: World) -> None:
    """Between marks in the trace; without a sync, because none was wanted."""
    need("strace")
    world.git("config", "--global", "chat.fsync", "false")
    trace = world.root / "trace"
    command = ("strace", "-o", trace, sys.executable, "-c", SCRIPT, world.repository())
    world.run(*command, cwd=Path(__file__).parents[2])
    text = trace.read_text(encoding="utf-8", errors="replace")
    sent, read = (re.search(rf'access\("/{one}".*?(?=access\("/)', text, re.DOTALL) for one in ("send", "read"))
    assert sent is not None
    assert read is not None
    for what, lines in (("send", sent[0].splitlines()), ("read", read[0].splitlines())):
        names = [match[1] for line in lines[1:] if (match := re.match(r"(\w+)\(", line))]
        own = [name for name in names if name not in MEMORY]
        # Five times a second it is looked whether git has lost something: not what is counted.
        looks = sum("stat(" in line and re.search(r"/objects/../[0-9a-f]{38}", line) is not None for line in lines)
        assert not {"fsync", "fdatasync"} & {*names}
        assert 20 < len(own) - looks <= MOST[what], (what, len(own) - looks, own)
