"""The words of the consent form: every language says as much as the other, with the same places to fill in."""

import re

from gateway.catalog.wordings import read_wordings
from gateway.model.consent_form import INFORMATION, PURPOSES

PLACES = re.compile(r"\{([a-z]+)\}")


def test_the_form_is_offered_in_english_and_spanish() -> None:
    assert sorted(read_wordings()) == ["en", "es"]


def test_every_language_has_the_same_keys_and_places() -> None:
    english, spanish = read_wordings()["en"], read_wordings()["es"]

    assert english.texts.keys() == spanish.texts.keys()
    for key, text in english.texts.items():
        assert set(PLACES.findall(text)) == set(PLACES.findall(spanish.texts[key])), key


def test_every_choice_has_words_and_every_language_an_edition_of_its_own_date() -> None:
    for wording in read_wordings().values():
        assert {f"information.{one}" for one in INFORMATION} <= wording.texts.keys()
        assert {f"purpose.{one}" for one in PURPOSES} <= wording.texts.keys()
        assert wording.edition.isoformat() >= "2024-04-16"


def test_nothing_is_left_untranslated() -> None:
    english, spanish = read_wordings()["en"], read_wordings()["es"]
    with_words = {key for key, text in english.texts.items() if PLACES.sub("", text).strip(" ,")}

    assert {key for key in with_words if english.texts[key] == spanish.texts[key]} == set()
