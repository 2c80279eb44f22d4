"""The server of "MCP Agent Communication Server" by its name: python server.py serves the repository here.

REDIS_URL is not needed: the rooms are in git.
"""

import os
import sys

os.execvp("git-chat", ["git-chat", "serve", *sys.argv[1:]])
