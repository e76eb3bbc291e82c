"""How names and phone numbers are written so that two spellings of one of them are equal."""

import re
import unicodedata
from collections.abc import Sequence

_PHONE_DIGITS = 10
_SHORTEST_NAME = 4
"""Letters by which one of several family names is told from a particle: Santos from "de los"."""


def match_name(family: str, given: str) -> str:
    """Return a name reduced to what survives spelling: letters and digits, no case, no accents, "family given".

    Empty when there is nothing of either.
    """
    return f"{_letters(family)} {_letters(given)}".strip()


def match_phone(phone: str | None) -> str | None:
    """Return the last ten digits of a phone number (the country code is often left out); None without digits."""
    digits = "".join(character for character in phone or "" if character.isdigit())
    return digits[-_PHONE_DIGITS:] or None


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in plain if character.isalnum())


def is_name_of(written: str, family: str, given: str) -> bool:
    """Say whether somebody who writes their name so can be the person of this family and given name.

    Generous: case, accents, hyphens and spaces, the order, more names than are known, an initial for the given name,
    one family name out of several. False where neither name is known.
    """
    signed, families, givens = words_of(written), words_of(family), words_of(given)
    if not signed or not (families or givens):
        return False
    if "".join(signed) in ("".join([*families, *givens]), "".join([*givens, *families])):
        return True
    one_of_several = {word for word in families if len(word) >= _SHORTEST_NAME}
    has_family = not families or _stands_in(families, signed) or not one_of_several.isdisjoint(signed)
    initials = {word[0] for word in givens[:1]}
    has_given = not givens or _stands_in(givens, signed) or not {*givens, *initials}.isdisjoint(signed)
    return has_family and has_given


def words_of(name: str) -> list[str]:
    """Return the words of a name without case, accents and what separates them."""
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return re.findall(r"[^\W_]+", plain)


def _stands_in(name: Sequence[str], signed: Sequence[str]) -> bool:
    """Say whether a name stands among what was signed, however its words are joined or parted."""
    ends = range(1, len(signed) + 1)
    return "".join(name) in {"".join(signed[begin:end]) for end in ends for begin in range(end)}
