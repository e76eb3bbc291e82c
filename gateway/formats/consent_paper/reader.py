"""What a form is read with, and how a shortcoming of it is told."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from gateway.model.consent_form import Shortcoming
from gateway.model.partner import Organization, Registry

ADULT_AGE = 18


@dataclass(frozen=True, slots=True)
class Reader:
    """What a form is read with: the registry, the instant, and what is known of the person."""

    registry: Registry
    at: datetime
    """Now, in the zone of the first program on the form: days are counted in it."""
    born: date | None
    """The person's birth date, as far as it is known whole; None: taken to be of age, as the engine does."""
    minor_consent: int | Literal["parental"]
    """From which age a minor signs alone, or "parental" = both sign (42 CFR 2.14)."""
    name: tuple[str, str]
    """The person's family and given name, as the index knows them."""

    def known(self, ids: tuple[str, ...]) -> list[Organization]:
        """Return those of the organizations that the registry knows."""
        return [one for one in map(self.registry.get, ids) if one is not None]

    def is_minor(self, at: datetime) -> bool:
        """Say whether the person was a minor then."""
        age = self._age(at)
        return age is not None and age < ADULT_AGE

    def needs_parent(self, at: datetime) -> bool:
        """Say whether state law wanted a parent beside the person then."""
        age = self._age(at)
        if age is None or age >= ADULT_AGE:
            return False
        return self.minor_consent == "parental" or age < self.minor_consent

    def _age(self, at: datetime) -> int | None:
        if self.born is None:
            return None
        day = at.astimezone(self.at.tzinfo).date()
        had_birthday = (day.month, day.day) >= (self.born.month, self.born.day)
        return day.year - self.born.year - (0 if had_birthday else 1)


def short(element: str, rule: str, words: str) -> Shortcoming:
    """Tell a shortcoming; a `rule` that begins with a parenthesis is a paragraph of 42 CFR 2.31."""
    return Shortcoming(element, f"42 CFR 2.31{rule}" if rule.startswith("(") else f"42 CFR {rule}", words)
