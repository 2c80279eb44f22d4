"""A ref moved: look. Tells who waits that something here changed, never what.

Knows watchdog, and refs as values that are equal or not.
"""
