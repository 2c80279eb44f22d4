"""One remote gives the numbers: fetches, joins and pushes rooms.

Knows the store, the order rule of a log and git's own transport; who we are and when it is come in as arguments.
"""
