"""One verb a file: parses, calls one verb of the core, prints.

Knows what the commands share in ``gitchat.cli``; no command knows another, but that ``hook`` takes in what agents'
clients run (``agent_hook``). What a command calls is imported when it is called: its help must not pay for SQLite.
"""
