"""Who is here: names that living processes of this clone hold, by the kernel's lock.

Knows the model, the files of names below ``chatroom/`` and the storage's locks; no room's log.
"""
