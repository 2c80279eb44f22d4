"""``git chat inbox``, to what is no terminal: as ``cli/commands/inbox`` prints it."""

from gitchat.quick.place import Place
from gitchat.quick.said import Said
from gitchat.quick.settings import Settings
from gitchat.quick.unread import Asked, told, unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def inbox(place: Place, settings: Settings, words: "Sequence[str]") -> Said:
    """What is printed. Raises Unusual, and what says that something cannot be read: OSError, ValueError."""
    asked = Asked(words)
    reader, found = unread(place, settings, asked)
    text, _ = told(place, asked, reader, found, f"inbox{asked.given} -n {found.count}")
    return Said(text)
