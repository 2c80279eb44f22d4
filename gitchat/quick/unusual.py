"""That something is not plain enough for the quick way."""


class Unusual(Exception):
    """The long way has to do it; nothing was printed or written."""
