"""Sends without end, as a server does, and says what was acknowledged. Runs in the machine."""

import sys
from itertools import count

from gitchat import Room
from gitchat.model.errors import UserError

name = sys.argv[1]
room = Room.open(name=name)
for number in count(1):
    text = f"{name}-{number}"
    try:
        line = f"ACK {text} {room.send(text).label}\n"
    except UserError as refused:
        line = f"PROBLEM {text}: {refused}\n"
    sys.stdout.write(line)
    sys.stdout.flush()
