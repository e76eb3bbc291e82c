"""How names and phone numbers are written so that two spellings of one of them are equal."""

import unicodedata

_PHONE_DIGITS = 10


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
