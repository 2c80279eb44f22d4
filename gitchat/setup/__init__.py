"""Telling an agent's client of this room: the entries, hooks and notes in its configuration.

``clients`` knows the clients, ``place`` where their files are; ``plan`` makes and carries out
changes, ``disk`` reads and replaces files; ``jsonfile``, ``tomlfile`` and ``section`` edit
text in place. A client's file is the user's: only what is ours is added, and only that is
taken away again.
"""
