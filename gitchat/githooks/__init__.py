"""Git's own hooks: which of them are ours, and what they tell the room.

Knows the workspace and a room's log; asks no participant.
"""
