"""gitchat: a chatroom for people and coding agents, kept inside a git repository."""

__version__ = "0.1.0"
