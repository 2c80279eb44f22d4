"""The plainest forms of what is typed all day, without the time that loading the whole program takes.

A form is here where its answer is the same as by the long way, byte for byte. Whatever is not plain, and every error,
raises Unusual before anything was printed or written, and the long way does it, so that there is one table of words.

Knows only what Python has loaded or loads in a moment: no re, dataclasses, pathlib, typing, subprocess, json; and so
nothing of the rest of gitchat. Types are for mypy alone.
"""
