"""A room's objects: its log, what is attached to it, its cursors and its summaries.

Knows the store and the index; neither clock nor environment, which come in as arguments.
"""
