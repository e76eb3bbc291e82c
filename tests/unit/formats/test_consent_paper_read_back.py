"""What a kept Consent says in words: everything that stands on its paper, so that the two can be compared."""

import base64
from datetime import date
from typing import Any

import pytest

from gateway.formats.consent_paper import written_down
from gateway.model.consent_form import ConsentForm, Interpreter, Signer
from gateway.model.consent_life import SignedBy, TakenBack, WrittenDown
from tests.support.consent_forms import SIGNED, a_court_form, a_form, as_consent, signed_by, wordings

PART2_LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "42CFRPart2"}


def told(form: ConsentForm) -> WrittenDown:
    return written_down(as_consent(form), wordings()["en"])


def of_a_provision(**elements: Any) -> tuple[str, ...]:
    provision = {"type": "deny", "provision": [{"type": "permit", **elements}]}
    return written_down({"resourceType": "Consent", "provision": provision}, wordings()["en"]).information


def test_a_second_person_reads_single_kinds_of_information_as_the_form_names_them() -> None:
    assert told(a_form(information=("attendance", "medications"))).information == (
        "That I came, when and where (visits, stays and appointments)",
        "My medications",
    )


def test_all_records_are_told_as_all_and_counseling_notes_as_counseling_notes() -> None:
    (everything,) = told(a_form()).information
    (notes,) = told(a_form(kind="counseling-notes", information=())).information

    assert everything.startswith("All my substance use disorder records")
    assert "counseling notes" in notes
    assert notes != everything


def test_who_signed_by_what_right_and_with_whose_help_is_told() -> None:
    guardian = Signer("Gus Guard-Test", "guardian", "letters of guardianship 99-1")
    form = a_form(
        signatures=(signed_by(signer=guardian),), language="es", interpreter=Interpreter("Ines Test", "Mixteco")
    )

    written = told(form)

    assert written.signatures == (
        SignedBy("Gus Guard-Test", "guardian", "typed", SIGNED, "letters of guardianship 99-1"),
    )
    assert (written.language, written.interpreter) == ("es", "Ines Test, Mixteco")


def test_statements_edition_and_what_it_replaces_are_told() -> None:
    written = told(a_form(supersedes=("old-1", "old-2"), edition=date(2026, 11, 22)))

    assert written.statements == (
        "revocation-right", "ce-redisclosure-statement", "tpo-redisclosure-warning", "refusal-consequences",
    )  # fmt: skip
    assert written.replaces == ("old-1", "old-2")
    assert written.edition == "2026-11-22"


def test_when_a_form_of_2_35_can_be_taken_back_is_told() -> None:
    written = told(a_court_form())

    assert (written.revocable_from, written.about) == ("2026-12-01", "final disposition of the case")


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ({"class": [{"code": "Condition"}, {"code": "Immunization"}]}, ("What I was diagnosed with", "Immunization")),
        ({"securityLabel": [{"system": "urn:x", "code": "HIV"}]}, ("HIV",)),
        ({"code": [{"coding": [{"code": "123-4"}]}, {"text": "a course"}]}, ("123-4", "a course")),
        ({"data": [{"meaning": "related", "reference": {"reference": "Encounter/e"}}]}, ("related Encounter/e",)),
        ({"dataPeriod": {"start": "2026-01-01"}}, ("made from 2026-01-01 to the end",)),
    ],
)
def test_what_another_system_writes_is_shown_though_it_has_no_words_of_ours(
    elements: dict[str, Any], words: tuple[str, ...]
) -> None:
    assert of_a_provision(**elements) == words


def test_what_a_consent_excepts_is_told_as_excepted() -> None:
    excepted = [{"type": "deny", "class": [{"code": "Condition"}]}]

    everything, but = of_a_provision(securityLabel=[PART2_LABEL], provision=excepted)

    assert everything.startswith("All my substance use disorder records")
    assert but == "not: What I was diagnosed with"


def test_when_how_and_for_whom_it_was_taken_back_is_told() -> None:
    parts = [
        {"url": "when", "valueDateTime": "2026-11-02T17:00:00Z"},
        {"url": "method", "valueCode": "oral"},
        {"url": "recipient", "valueReference": {"display": "Mercy"}},
        {"url": "recipient", "valueReference": {"identifier": {"value": "999"}}},
    ]
    url = "https://warmhandoff.example/fhir/StructureDefinition/part2-revocation"
    consent = {"resourceType": "Consent", "extension": [{"url": url, "extension": parts}, {"url": url}]}

    assert written_down(consent, wordings()["en"]).taken_back == (
        TakenBack(SIGNED, "oral", ("Mercy", "999")), TakenBack(None, "", ()),
    )  # fmt: skip


@pytest.mark.parametrize("data", ["%%%", base64.b64encode(b"[]").decode(), base64.b64encode(b"{").decode(), None])
def test_evidence_that_is_not_ours_names_nobody_and_the_performers_are_told(data: str | None) -> None:
    extension = {"url": "https://warmhandoff.example/fhir/StructureDefinition/part2-signature"}
    consent = {
        "resourceType": "Consent",
        "extension": [{**extension, "valueSignature": {"data": data}}],
        "performer": [{"reference": "Patient/p", "display": "Tess Testperson"}],
    }

    assert written_down(consent, wordings()["en"]).signatures == (SignedBy("Tess Testperson", "patient"),)


def test_a_consent_that_states_nothing_is_told_as_that() -> None:
    assert written_down({"resourceType": "Consent"}, wordings()["en"]) == WrittenDown(
        (), (), (), "", "", "", "", "", ()
    )
