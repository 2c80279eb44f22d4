"""Who is here: names that living processes of this clone hold, by the kernel's lock.

Knows the model and the files of names below ``chatroom/``; no room's log.
"""
