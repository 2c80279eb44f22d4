"""What runs while somebody stays: keeping in step with a remote, news, wake-ups.

Knows the verbs; no face.
"""
