"""One verb a file: parses, calls one verb of the core, prints.

Knows what the commands share in ``gitchat.cli``; no command knows another.
"""
