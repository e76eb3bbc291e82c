"""The frame of the proofs of non-interference: one world twice, lived by the same courses, and what is seen compared.

A course is a list of steps that outsiders take one after the other. Each is lived from the moment at which everything
had been handed in, so that making a world is paid for once.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.support.two_worlds import Seen, Submission, TwoWorld, without_fresh_ids

Step = tuple[str, int, int]
"""What is done, and two numbers that choose of whom and how."""


@dataclass(frozen=True)
class Guessed:
    """What an observer asks for: names of the world that holds everything, the worst that can be guessed."""

    references: list[str]
    numbers: list[str]

    @classmethod
    def of(cls, world: TwoWorld) -> "Guessed":
        """Return all there is to guess in a world."""
        return cls(world.references(), world.numbers())

    def any_of(self, kind: str, n: int) -> str:
        """Return one of the references of a type; that of nobody where there is none."""
        known = [one for one in self.references if one.startswith(f"{kind}/")] or [f"{kind}/nobodys"]
        return known[n % len(known)]


Take = Callable[[TwoWorld, list[Submission], int, Step, Guessed], list[Seen]]
"""Takes one step, the n-th of its course, and returns what came back."""


def assert_alike(
    make: Callable[[bool], TwoWorld], records: list[Submission], courses: list[list[Step]], take: Take
) -> None:
    """Live a world with and without the programs' part (`make` is told which), and see no difference."""
    full = make(True)
    full.hand_in(records)
    guessed = Guessed.of(full)
    seen_full = lived(full, records, courses, guessed, take)

    bare = make(False)
    bare.hand_in(records)
    seen_bare = lived(bare, records, courses, guessed, take)

    assert seen_full == seen_bare


def lived(
    world: TwoWorld, records: list[Submission], courses: list[list[Step]], guessed: Guessed, take: Take
) -> list[bytes]:
    """Live a world by each course from the same moment, and return what was seen: first of its making."""
    begun = world.moment()
    seen = [without_fresh_ids(list(world.wire.sent))]
    for steps in courses:
        world.return_to(begun)
        answers = [one for number, step in enumerate(steps) for one in take(world, records, number, step, guessed)]
        world.work()
        seen.append(without_fresh_ids([*answers, *world.wire.sent]))
    return seen
