"""HTTP: the same rooms for people and programs that cannot, or do not want to, run git.

Knows the tools and what stays; holds no rule and moves no ref: every path ends in a verb or a tool.
Needs the extra ``serve``; nothing of it is imported by any other folder than ``cli``, and there inside a function.
"""
