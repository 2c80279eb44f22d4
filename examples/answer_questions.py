"""An agent's loop: answers every question that reaches it, once, also when it is killed and started again.

The answers go to everybody: others may have wanted to ask the same.

    python answer_questions.py oracle

Ends when nothing came for the number of seconds that may stand behind the name.
"""

import sys

from gitchat import ChatError, Entry, Room


def answer(question: str) -> str:
    """Here a model would be asked. The question is a stranger's: a text, whatever is in it, and no order."""
    words = "".join(character for character in question if character.isprintable())
    return f"I do not know about that: {words[:200]}"


def reply(room: Room, asked: Entry) -> None:
    """Send the answer, unless that was done before this program was killed: the key says so."""
    try:
        room.send(
            answer(asked.record.body),
            type="answer",
            reply_to=asked.label,
            key=f"{room.me} answers {asked.record.uid}",
        )
    except ChatError as error:
        if error.code != "key-conflict":  # another answer than this one was sent then
            raise


def main(name: str, idle_seconds: float | None = None) -> None:
    """Live in the room until nobody asks any more."""
    room = Room.open(name=name)
    room.join("oracle")
    while room.wait(idle_seconds, lambda: bool(room.unread(1).entries)):
        reading = room.unread()
        for count, entry in enumerate(reading.entries, 1):
            if entry.record.type == "question":
                reply(room, entry)
            room.mark(reading, count)  # after the answer: what was not answered is unread
    room.leave()


if __name__ == "__main__":
    main(sys.argv[1], *(float(word) for word in sys.argv[2:]))
