"""Prints what is said in several rooms, as it is said:

python watch_rooms.py lobby plans
"""

import asyncio
import sys

from gitchat import Room


def plain(text: str) -> str:
    """A stranger's text for a terminal: one line, and nothing that the terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


async def follow(room: Room, after: int) -> None:
    """Print every record with a number greater than ``after``."""
    async for entry in room.watch_async(after=after):
        mark = "!" if entry.record.urgent else " "
        print(plain(f"{mark} {entry.room} {entry.label} {entry.record.author}: {entry.record.body}"), flush=True)


async def main(names: list[str]) -> None:
    """Follow all rooms at once, until it is interrupted. A room need not exist yet."""
    rooms = [Room.open(room=name) for name in names]
    newest = [room.overview().count for room in rooms]
    print("watching " + ", ".join(names), flush=True)
    async with asyncio.TaskGroup() as tasks:
        for room, number in zip(rooms, newest, strict=True):
            tasks.create_task(follow(room, number))


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1:] or ["lobby"]))
    except KeyboardInterrupt:
        sys.exit(130)
