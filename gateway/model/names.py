"""How names and phone numbers are written so that two spellings of one of them are equal."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_PHONE_DIGITS = 10
_SHORTEST_NAME = 4
"""Letters by which one of several family names is told from a particle: Santos from "de los"."""

_ASCII_WORDS = re.compile("[a-z0-9]+")
_IN_WORDS = "LMN"
"""Unicode categories: letters, digits, and the marks by which some scripts write vowels."""

_WHOLE = str.maketrans(
    {
        "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "đ": "d", "ɖ": "d", "ɗ": "d", "ɓ": "b", "ə": "e", "ɛ": "e", "ǝ": "e",
        "ƒ": "f", "ǥ": "g", "ɠ": "g", "ħ": "h", "ı": "i", "ɨ": "i", "ĸ": "k", "ƙ": "k", "ł": "l", "ŋ": "n", "ɲ": "n",
        "ø": "o", "ɔ": "o", "ŧ": "t", "ʉ": "u", "ƴ": "y", "ƶ": "z",
    }
)  # fmt: skip
"""Latin letters of names that Unicode takes for whole, with what people write who do not have them. `ß` is `ss` by its
case folding."""

_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
"""Letters that passports and their owners also write as two (ICAO Doc 9303-3, section 6)."""


def match_name(family: str, given: str) -> str:
    """Return a name reduced to what survives spelling: letters and digits, no case, no accents, "family given".

    Empty when there is nothing of either.
    """
    return f"{letters(family)} {letters(given)}".strip()


def match_phone(phone: str | None) -> str | None:
    """Return the last ten digits of a phone number (the country code is often left out); None without digits."""
    digits = "".join(character for character in phone or "" if character.isdigit())
    return digits[-_PHONE_DIGITS:] or None


@lru_cache(maxsize=65536)  # one person of the index is compared with many that come in
def letters(text: str) -> str:
    """Return the letters and digits of a text, of whatever script, without case, accents and what separates them."""
    return "".join(words_of(text))


def _plain(text: str) -> str:
    """Leave out case and accents, and the signs that some write as an apostrophe (ʻ, ʼ)."""
    decomposed = unicodedata.normalize("NFKD", text).casefold().translate(_WHOLE)
    return "".join(one for one in decomposed if not unicodedata.combining(one) and unicodedata.category(one) != "Lm")


def is_name_of(written: str, family: str, given: str) -> bool:
    """Say whether somebody who writes their name so can be the person of this family and given name.

    Generous: case, accents, a letter written as two, hyphens and spaces, the order, more names than are known, an
    initial for the given name, one family name out of several. False where neither name is known.
    """
    if _is_name_of(written, family, given):
        return True
    return _is_name_of(*(_spelled_out(one) for one in (written, family, given)))


def _spelled_out(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().translate(_SPELLED_OUT)


def _is_name_of(written: str, family: str, given: str) -> bool:
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
    if name.isascii():  # nearly every name, and messages about strangers are to cost nothing
        return _ASCII_WORDS.findall(name.lower())
    return "".join(one if unicodedata.category(one)[0] in _IN_WORDS else " " for one in _plain(name)).split()


def _stands_in(name: Sequence[str], signed: Sequence[str]) -> bool:
    """Say whether a name stands among what was signed, however its words are joined or parted."""
    ends = range(1, len(signed) + 1)
    return "".join(name) in {"".join(signed[begin:end]) for end in ends for begin in range(end)}
