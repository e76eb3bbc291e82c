"""In-memory repository of restrictions and of consents said to be false."""

from collections.abc import Sequence

from gateway.model.caveat import Caveat
from gateway.testing.state import State, insist


class InMemoryCaveats:
    """`ports.Caveats` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, caveat_id: str) -> Caveat | None:
        """Return a caveat, in force or ended."""
        return self._state.caveats.get(caveat_id)

    def save(self, caveat: Caveat) -> None:
        """Insert or update a caveat."""
        insist(caveat.person_id in self._state.people, "a caveat is about somebody")
        self._state.caveats[caveat.id] = caveat

    def of_person(self, person_id: str) -> list[Caveat]:
        """Return the caveats in force about a person, oldest first."""
        return self.of_people([person_id])

    def of_people(self, person_ids: Sequence[str]) -> list[Caveat]:
        """Return the caveats in force about these persons, oldest first."""
        oldest_first = sorted(self._state.caveats.values(), key=lambda one: (one.since, one.id))
        return [one for one in oldest_first if one.ended_at is None and one.person_id in person_ids]
