"""A machine whose power goes while it writes: a real kernel and file system, on a disk that loses what it may."""
