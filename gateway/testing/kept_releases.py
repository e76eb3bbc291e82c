"""In-memory repositories of releases and of what a second person has to look at."""

from gateway.model.release import Release, Review, ReviewKind
from gateway.testing.state import State, insist


class InMemoryReleases:
    """`ports.Releases` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, release_id: str) -> Release | None:
        """Return a release."""
        return self._state.releases.get(release_id)

    def save(self, release: Release) -> None:
        """Insert or update a release."""
        insist(release.handoff_id in self._state.handoffs, "a release is of a record")
        insist(release.decision_id in (None, *self._state.decisions), "a release points at a decision that is kept")
        self._state.releases[release.id] = release

    def newest(self, limit: int = 200) -> list[Release]:
        """Return releases, newest first."""
        return sorted(self._state.releases.values(), key=lambda one: (one.created_at, one.id), reverse=True)[:limit]

    def of_handoff(self, handoff_id: str) -> list[Release]:
        """Return the releases of a record, newest first."""
        return [one for one in self.newest(len(self._state.releases)) if one.handoff_id == handoff_id]


class InMemoryReviews:
    """`ports.Reviews` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, review_id: str) -> Review | None:
        """Return a review."""
        return self._state.reviews.get(review_id)

    def save(self, review: Review) -> None:
        """Insert or update a review."""
        self._state.reviews[review.id] = review

    def open(self) -> list[Review]:
        """Return what nobody has closed yet, oldest first."""
        return [one for one in self._oldest_first() if one.closed_at is None]

    def of_subject(self, subject: str, kind: ReviewKind | None = None) -> list[Review]:
        """Return the reviews of a release or referral, oldest first."""
        return [one for one in self._oldest_first() if one.subject == subject and kind in (None, one.kind)]

    def _oldest_first(self) -> list[Review]:
        return sorted(self._state.reviews.values(), key=lambda one: (one.opened_at, one.id))
