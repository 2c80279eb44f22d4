"""What a participant can do in a room, and the forms in which it is answered.

Knows rooms and the workspace; no face, and nothing that stays when the call is over.
"""
