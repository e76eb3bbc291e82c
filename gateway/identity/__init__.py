"""Say who a person is: matched, possible or none, each with its reason.

Law-enforcement demographics are weak (aliases, transposed names, guessed birth dates), so a match needs name, full
birth date and one more agreeing fact. Everything between that and a stranger is `possible`, and held for a person.
What stands where there is none is no fact: `unknown`, 000-000-0000, `homeless`, a ZIP code alone.
"""

import re
from collections.abc import Iterable

from gateway.model.handoff import Person
from gateway.model.match import Match
from gateway.model.names import letters, match_name, match_phone

_FEWEST_DIGITS = 7
"""Of a number somebody can be called at."""

_ZIP_CODE = re.compile(r"\b\d{5}(-\d{4})?\s*$")


def match(found: Person, known: Iterable[Person]) -> Match:
    """Compare the person of a record with those of the index.

    Two certain matches are as doubtful as none: the grade is then `possible` with both.
    """
    certain: list[str] = []
    doubtful: dict[str, str] = {}
    for other in known:
        grade, reason = _compare(found, other)
        if grade == "matched":
            certain.append(other.id)
        elif grade == "possible":
            doubtful[other.id] = reason
    if len(certain) == 1:
        return Match("matched", (certain[0],), "name, birth date and one more fact agree")
    if certain:
        return Match("possible", tuple(sorted(certain)), "more than one person of the index agrees")
    if doubtful:
        return Match("possible", tuple(sorted(doubtful)), "; ".join(sorted(set(doubtful.values()))))
    return Match("none", (), "nobody in the index agrees")


def could_be(found: Person, known: Iterable[Person]) -> bool:
    """Tell whether somebody of the index may be the person of a message, with less evidence than `match` asks for.

    For leaving a message unread: a name that agrees is enough where the birth dates do not contradict each other.
    """
    people = list(known)
    if match(found, people).grade != "none":
        return True
    name = match_name(found.family, found.given)
    births = [(found.birth_date or "", other.birth_date or "") for other in people if name and name == _name_of(other)]
    return any(one.startswith(other) or other.startswith(one) for one, other in births)


def _name_of(person: Person) -> str:
    return match_name(person.family, person.given)


def _compare(found: Person, other: Person) -> tuple[str, str]:
    if set(found.patient_ids) & set(other.patient_ids) or set(found.identifiers) & set(other.identifiers):
        return "matched", "shared identifier"
    family, given = letters(found.family), letters(found.given)
    other_family, other_given = letters(other.family), letters(other.given)
    if not family or not other_family:
        return "none", ""
    same_name = (family, given) == (other_family, other_given)
    swapped_name = (family, given) == (other_given, other_family)
    near_name = family == other_family and given[:1] == other_given[:1]
    same_birth = _is_full(found.birth_date) and found.birth_date == other.birth_date
    one_more = _same_phone(found.phone, other.phone) or _same_address(found.address, other.address)
    if same_birth and (same_name or swapped_name or near_name):
        gender_differs = _differ(found.gender, other.gender)
        if same_name and one_more and not gender_differs:
            return "matched", ""
        return "possible", "name and birth date agree, nothing else confirms it"
    if same_name and one_more and not (_is_full(found.birth_date) and _is_full(other.birth_date)):
        return "possible", "name and contact agree, a birth date is missing"
    return "none", ""


def _is_full(birth_date: str | None) -> bool:
    return birth_date is not None and len(birth_date) == len("YYYY-MM-DD")


def _same_phone(one: str | None, other: str | None) -> bool:
    digits = match_phone(one) or ""
    return digits == match_phone(other) and len(digits) >= _FEWEST_DIGITS and len(set(digits)) > 1


def _same_address(one: str | None, other: str | None) -> bool:
    """Tell whether two addresses are one that has a number besides its ZIP code: others are those of many."""
    place = letters(one or "")
    return place == letters(other or "") and any(map(str.isdigit, _ZIP_CODE.sub("", one or "")))


def _differ(one: str | None, other: str | None) -> bool:
    return one not in (None, "unknown") and other not in (None, "unknown") and one != other
