"""``AgentClient`` under the name that the sample program of "MCP Agent Communication Server" imports it by.

With this directory on PYTHONPATH that program runs as it stands, but for the address.
"""

from gitchat.client import AgentClient

__all__ = ["AgentClient"]
