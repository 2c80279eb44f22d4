"""An agent over HTTP: a program that talks in the rooms of a ``git chat serve``, on any machine, without a clone.

Knows the errors and what a name is; neither git nor any server. Imported by users, and by no other folder.
"""

from gitchat.client.agent import AgentClient

__all__ = ["AgentClient"]
