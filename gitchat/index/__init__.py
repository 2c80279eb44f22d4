"""What follows from the logs, in SQLite: numbers, words, who wrote what. Disposable.

Knows the model and a lock of the storage, and reads commits through a function that it is given; it writes no ref.
"""
