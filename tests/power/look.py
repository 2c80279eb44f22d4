"""Says what a room has after a power cut, by the commands that a user has."""

import json
import subprocess
import sys


def chat(*words: str) -> str:
    done = subprocess.run(["git-chat", *words], cwd=sys.argv[1], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"PROBLEM git chat {words[0]}: {done.stdout[-300:]} {done.stderr[-600:]}".replace("\n", " "))
    return done.stdout


for line in chat("log", "-n", "1000000", "--json").splitlines():
    message = json.loads(line)
    print("HAS", message["content"], f"#{message['id']}")
chat("verify")
count = len(chat("log", "-n", "1000000", "--json").splitlines())
print("HAS", "after", chat("send", "after").strip(), count)
