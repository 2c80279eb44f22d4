"""People's work as git sees it: what is changed and not in the base yet, and what meets in it.

Knows worktrees and what is below; changes nothing of them, not the index either.
"""
