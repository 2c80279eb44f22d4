"""Bytes, refs and locks: objects that git keeps, and the one function that moves a ref.

Knows the model, pygit2 (in ``libgit2``) and processes of git (in ``git``); a room by its refs alone, no participant.
"""
