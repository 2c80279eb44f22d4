"""Frozen values and pure rules: what a record, a name, a participant is, and which order records have.

Knows nothing but the standard library: no clock, no disk, no git, no environment.
"""
