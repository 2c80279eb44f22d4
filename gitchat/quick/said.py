"""What a quick command answers."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Said:
    """What is printed, and what comes after that. Until it is printed nothing was done that cannot be undone."""

    __slots__ = ("status", "text", "then")

    def __init__(self, text: str, then: "Callable[[bool], str] | None" = None, *, status: int = 0) -> None:
        self.text = text
        self.then = then
        """Done after printing, and told whether that went well; gives what is told on standard error. Never fails."""
        self.status = status
