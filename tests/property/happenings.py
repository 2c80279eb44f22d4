"""What happens to sessions, people and clones by chance; what it is, and what must be true then, say Sittings."""

from __future__ import annotations

from gitchat.model.names import Name
from tests.property.sittings import AGENTS, PEOPLE, Clone, Sittings
from tests.world import World

MOST_CLONES = 6

STEPS = {
    "say": 10, "hear": 8, "sync": 8, "pull": 1.5, "sum_up": 1, "kill": 1, "leave": 1, "hand_over": 1.5, "copy": 0.7,
    "start_image": 0.7, "swap": 2, "back_up": 0.8, "play_back": 1, "pass_by": 1.2, "move": 0.4, "upgrade": 0.3,
    "wait_a_week": 0.3,
}  # fmt: skip
"""What can happen, and how often."""


class Happenings(Sittings):
    """Two or three clones whose people chance has chosen, perhaps one of version 0.1.0, and the steps they take."""

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world, (), seed)
        people = [self.chance.choice(PEOPLE) for _ in range(self.chance.randint(2, 3))]
        self.clones = [self.clone(person) for person in people]
        if self.chance.random() < 0.5:
            self.clones.append(self.clone(self.chance.choice(PEOPLE), is_old=True))
        self._silent = self.chance.choice((None, None, self.clones[0]))
        """A clone in which nobody says anything, ever."""

    def run(self, steps: int) -> None:
        """Take so many steps, then bring all to rest. Raises Mismatch."""
        for _ in range(steps):
            self.take(self.chance.choices(list(STEPS), weights=list(STEPS.values()))[0], self.chance.randrange(60))
        self.rest()

    def take(self, kind: str, place: int) -> None:
        """Take a step of this kind in one clone, the first after the last, and check that. Raises Mismatch."""
        clone = self.clones[place % len(self.clones)]
        name = self.chance.choice((*AGENTS, clone.hearing.person.name))
        self.figures.steps += 1
        getattr(self, f"_take_{kind}")(clone, name)
        self.check(clone)

    def _take_say(self, clone: Clone, name: Name) -> None:
        for _ in range(self.chance.randint(1, 3) if clone is not self._silent else 0):
            self.say(clone, name, to=self.chance.choice(((), (), (), (AGENTS[0],), (PEOPLE[0].name,))))

    def _take_hear(self, clone: Clone, name: Name) -> None:
        self.hear(clone, name, self.chance.choice((None, None, 1, 3)), self.chance.choice((None, None, None, 0, 2)))

    def _take_sync(self, clone: Clone, name: Name) -> None:
        self.sync(clone, name=name)

    def _take_pull(self, clone: Clone, name: Name) -> None:
        self.sync(clone, pushes=False, name=name)

    def _take_sum_up(self, clone: Clone, name: Name) -> None:
        self.sum_up(clone, name)

    def _take_kill(self, clone: Clone, name: Name) -> None:
        self.kill(clone, self.chance.choice(AGENTS))

    def _take_leave(self, clone: Clone, name: Name) -> None:
        self.leave(clone, self.chance.choice(AGENTS))

    def _take_hand_over(self, clone: Clone, name: Name) -> None:
        other = self.chance.choice([one for one in self.clones if one is not clone])
        self.hand_over(clone, other, self.chance.choice(AGENTS), is_pushed=self.chance.random() < 0.8)
        self.check(other)

    def _take_copy(self, clone: Clone, name: Name) -> None:
        if len(self.clones) < MOST_CLONES:
            self.clones.append(self.copy(clone))

    def _take_start_image(self, clone: Clone, name: Name) -> None:
        if len(clone.twins) < 2:
            self.start_image(clone)

    def _take_swap(self, clone: Clone, name: Name) -> None:
        if clone.twins:
            self.swap(clone)

    def _take_back_up(self, clone: Clone, name: Name) -> None:
        self.back_up(clone)

    def _take_play_back(self, clone: Clone, name: Name) -> None:
        if clone.backups:
            self.play_back(clone, self.chance.randrange(len(clone.backups)))

    def _take_pass_by(self, clone: Clone, name: Name) -> None:
        for _ in range(self.chance.randint(1, 3)):
            self.pass_by(self.chance.choice(AGENTS), is_pushed=self.chance.random() < 0.6)

    def _take_move(self, clone: Clone, name: Name) -> None:
        self.move(clone)

    def _take_upgrade(self, clone: Clone, name: Name) -> None:
        clone.hearing.is_old = False
        clone.close()

    def _take_wait_a_week(self, clone: Clone, name: Name) -> None:
        self.week += 1
