"""In-memory repository of the terms of consents."""

from collections.abc import Iterable
from datetime import datetime

from gateway.model.consent_life import ConsentTerm
from gateway.testing.state import State


class InMemoryConsentTerms:
    """`ports.ConsentTerms` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, consent_id: str) -> ConsentTerm | None:
        """Return the term of a consent."""
        return self._state.consent_terms.get(consent_id)

    def put(self, term: ConsentTerm) -> None:
        """Keep the term of a consent."""
        self._state.consent_terms[term.consent_id] = term

    def drop(self, consent_id: str) -> None:
        """Forget the term of a consent; does nothing where there is none."""
        self._state.consent_terms.pop(consent_id, None)

    def ending(self, until: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms that have ended at `until`, the earliest end first."""
        return _by_end(self._state.consent_terms.values(), until)[:limit]

    def unreminded(self, until: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms that have ended at `until` and of whose end nobody was reminded, the earliest end first."""
        return [one for one in _by_end(self._state.consent_terms.values(), until) if not one.reminded][:limit]

    def doubtful(self, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms of consents of whose ending event we were told, the longest told first."""
        terms = self._state.consent_terms.values()
        told = [(one.event_told_at, one.consent_id, one) for one in terms if one.event_told_at]
        return [term for _, _, term in sorted(told)][:limit]

    def turning(self, until: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms of consents that may stop less at `until` than before, the earliest instant first."""
        terms = self._state.consent_terms.values()
        turned = [(one.turns_at, one.consent_id, one) for one in terms if one.turns_at and one.turns_at <= until]
        return [term for _, _, term in sorted(turned)][:limit]

    def waiting(self, at: datetime, limit: int = 200) -> list[ConsentTerm]:
        """Return the terms of consents that wait for their verification at `at`, the longest wait first."""
        terms = self._state.consent_terms.values()
        waiting = [(one.waits_since, one.consent_id, one) for one in terms if one.waits_since and one.waits_since <= at]
        return [term for _, _, term in sorted(waiting)][:limit]


def _by_end(terms: Iterable[ConsentTerm], until: datetime) -> list[ConsentTerm]:
    ended = [(one.ends_at, one.consent_id, one) for one in terms if one.ends_at is not None and one.ends_at <= until]
    return [term for _, _, term in sorted(ended)]
