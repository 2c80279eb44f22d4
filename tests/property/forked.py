"""Clones of which one may not push to the hub: what it says goes to its inbox in a fork, and others take it in."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from random import Random

from gitchat.clones.inbox import Inbox
from gitchat.model.errors import ChatError
from gitchat.model.record import Draft
from gitchat.workspace.inboxes import take
from gitchat.workspace.remotes import wire_to
from tests.property.clones import LOBBY, NAMES, Clone, Clones, Crash, Faulty
from tests.property.conversation import expect
from tests.world import World

KINDS = ("send", "read", "summarize", "sync", "take")

INBOX_STEPS = ("put", "tidy", "_push", "_drops_copies")
"""The parts of what is done with an inbox before each of which it can end."""

DENIAL = "sh -c 'echo FATAL: W any hub carol DENIED by fallthru >&2; exit 1' --"


class Forked(Clones):
    """The last clone may read the hub, and push to a fork that the others read."""

    def __init__(self, world: World, seed: int, remote: type[Faulty] = Faulty) -> None:
        super().__init__(world, seed, remote)
        self._fork = world.root / "fork.git"
        world.git("init", "-q", "--bare", self._fork)
        self._dice = Random(seed)
        """Beside the chance of the clones: what they do stays the same."""
        for clone in self._clones:
            clone.is_read_only = False
            world.git("remote", "add", "fork", self._fork, cwd=clone.path)
        self._denied = self._clones[-1]
        world.git("config", "remote.origin.receivepack", DENIAL, cwd=self._denied.path)
        self._denied.inbox = self._inbox(self._denied)

    def _inbox(self, clone: Clone) -> Inbox:
        environment = clone.environment
        return Inbox(
            environment.store,
            wire_to(environment, "fork"),
            "origin",
            clone=environment.clone.id,
            known_clone=environment.clone.known,
            waits=lambda room: bool(environment.log(room).pending()),
        )

    def run(self, steps: int) -> None:
        """Take so many steps, then sync until nothing changes. Raises Mismatch."""
        for _ in range(steps):
            place = self._chance.randrange(len(self._clones))
            self.take(self._chance.choices(KINDS, weights=(5, 2, 1, 5, 3))[0], place)
        self.rest()

    def take(self, kind: str, place: int) -> None:
        if kind != "take":
            super().take(kind, place)
            return
        self._take_in(self._clones[place % (len(self._clones) - 1)])
        for one in self._clones:
            self._check(one)

    def _take_in(self, clone: Clone) -> None:
        """One of the others looks at the fork; a second look right after it brings nothing."""
        agreed = partial(bool, True)
        with suppress(ChatError):
            take(clone.environment, "fork", agreed=lambda room: agreed())
            again = take(clone.environment, "fork", agreed=lambda room: agreed())
            counts = [taken.count for taken in again.taken.values()] if again is not None else []
            expect(sum(counts), 0, f"taken in twice by {clone.name}")

    def _send_one(self, clone: Clone) -> None:
        if clone.inbox is None:
            super()._send_one(clone)
            return
        # What it says of the room itself would wait for ever.
        name, key = self._dice.choice(NAMES), self._dice.choice((None, None, "one", "two"))
        body = f"text of {key}" if key else f"text {self._dice.random()}"
        room = clone.room(name)
        sent = clone.environment.writer(LOBBY).send(Draft(body=body), room.identity, key=key)
        clone.sent.add((sent.entry.record.uid, name))

    def _summarize(self, clone: Clone) -> None:
        if clone.inbox is None:
            super()._summarize(clone)

    def _sync(self, clone: Clone) -> None:
        if clone.inbox is not None and self._dice.random() < 0.2:
            self._break(clone)
        super()._sync(clone)
        if clone is self._denied and clone.inbox is not None:
            clone.inbox = self._inbox(clone)

    def _break(self, clone: Clone) -> None:
        """The next round ends before one of the inbox's steps."""
        assert clone.inbox is not None

        def ended(*arguments: object) -> None:
            raise Crash

        setattr(clone.inbox, self._dice.choice(INBOX_STEPS), ended)

    def rest(self) -> None:
        """All that is said has its number everywhere while nothing may be pushed; then it may, and all is the same."""
        others = self._clones[:-1]
        begun = self._clones[0]
        self._send_one(begun)
        for _ in range(4):
            for clone in others:
                clone.sync()
                self._take_in(clone)
                clone.sync()
            self._denied.sync()
            self._check(self._denied)
        if self._denied.is_attached:
            expect(self._view(self._denied), list(self._numbered(self._denied)), "what waits in the fork")
            self._denied.sync()
            inboxes = self._world.git("for-each-ref", "--format=%(refname)", cwd=self._fork).stdout
            expect(inboxes, "", "inboxes that are left")
            log = f"refs/chatroom/rooms/{LOBBY}/log"
            expect(self._denied.tips()[log], begun.tips()[log], "the log of who may not push")
        self._world.git("config", "--unset", "remote.origin.receivepack", cwd=self._denied.path)
        self._denied.inbox = None
        super().rest()
