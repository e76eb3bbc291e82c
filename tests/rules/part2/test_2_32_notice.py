"""42 CFR 2.32: the notice and the scope of the consent travel inside the disclosure."""

import base64
from typing import Any

import pytest

from gateway.consent.switches import switch_problems
from gateway.model.notice import STATEMENT_1, STATEMENT_2
from tests.support.part2_world import (
    EMERGENCY,
    a_condition,
    a_consent,
    a_permit,
    answer,
    ask,
    disclosed,
    labels,
    recipient,
    world,
    written_by,
)

Json = dict[str, Any]


def entries(content: Json, kind: str) -> list[Json]:
    return [one["resource"] for one in content["entry"] if one["resource"]["resourceType"] == kind]


def information(content: Json) -> dict[str, Json]:
    return {one["type"]["text"]: one for one in entries(content, "DocumentReference") if "text" in one.get("type", {})}


def test_statement_2_is_the_72_characters_of_the_rule() -> None:
    assert STATEMENT_2 == "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
    assert len(STATEMENT_2) == 72


def test_the_full_statement_is_an_entry_byte_for_byte() -> None:
    disclosure = disclosed(a_consent())

    notice = information(disclosure.content)["Notice: 42 CFR 2.32(a)"]

    assert (disclosure.notice_number, disclosure.notice) == (1, STATEMENT_1)
    assert notice["description"] == STATEMENT_1
    assert base64.b64decode(notice["content"][0]["attachment"]["data"]).decode() == STATEMENT_1


def test_over_hl7v2_the_short_statement_goes() -> None:
    endpoint = {
        "transport": "hl7v2",
        "address": "mllp://mercy.example",
        "version": "2.5.1",
        "stores_nte": True,
        "verified": "2026-01-01",
    }

    disclosure = disclosed(a_consent(), transport="hl7v2", registry=world(mercy={"endpoints": [endpoint]}))

    assert (disclosure.notice_number, disclosure.notice) == (2, STATEMENT_2)


def test_every_item_shows_the_short_statement() -> None:
    condition = entries(disclosed(a_consent()).content, "Condition")[0]

    assert condition["meta"]["extension"] == [
        {
            "url": "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-display",
            "valueAnnotation": {"text": STATEMENT_2},
        }
    ]


def test_the_scope_is_explained_for_this_recipient_only() -> None:
    consent = a_consent(a_permit("mercy", "quarry"))

    scope = information(disclosed(consent).content)["Scope of the consent: 42 CFR 2.32(b)"]["description"]

    assert "Disclosed by: Aspen of Nowhere." in scope
    assert "Disclosed to: Mercy of Nowhere." in scope
    assert "For: treatment." in scope
    assert "Quarry" not in scope


def test_the_scope_does_not_tell_what_was_kept_back() -> None:
    exception = {"type": "deny", "actor": [recipient("quarry")], "securityLabel": labels("HIV")}
    consent = a_consent(a_permit(provision=[exception]))

    disclosure = disclosed(consent)

    assert b"HIV" not in disclosure.body
    assert b"quarry" not in disclosure.body.lower()


def test_without_consent_there_is_no_notice() -> None:
    flu = a_condition("flu", "J10.1")

    disclosure = disclosed(records=[flu, written_by("quarry", flu)])

    assert (disclosure.notice_number, disclosure.notice) == (0, "")
    assert information(disclosure.content) == {}


def test_an_emergency_carries_labels_and_no_notice() -> None:
    disclosure = disclosed(basis=EMERGENCY, purpose=["ETREAT"], role="physician")
    codes = {one["code"] for one in entries(disclosure.content, "Condition")[0]["meta"]["security"]}

    assert disclosure.notice_number == 0
    assert codes == {"R", "SUD", "42CFRPart2", "PERSISTLABEL", "NOPROCEEDING"}


class TestLabels:
    def of(self, *consents: Json, **case: Any) -> set[str]:
        condition = entries(disclosed(*consents, **case).content, "Condition")[0]
        return {one["code"] for one in condition["meta"]["security"]}

    def test_to_a_covered_entity_for_treatment_redisclosure_is_not_forbidden(self) -> None:
        assert self.of(a_consent()) == {"R", "SUD", "42CFRPart2", "CPLYCD", "PERSISTLABEL", "NOPROCEEDING"}

    def test_to_others_it_is(self) -> None:
        consent = a_consent(a_permit("shelter", purposes=["PATRQT"]))

        assert "NORDSCLCD" in self.of(consent, recipient="org:shelter", purpose=["PATRQT"])

    def test_outside_part_2_the_law_is_not_named(self) -> None:
        note = a_condition("note", "F11.10")

        assert self.of(records=[note, written_by("quarry", note)]) == {"N", "SUD"}

    def test_the_consent_stands_on_the_label_of_its_law(self) -> None:
        condition = entries(disclosed(a_consent()).content, "Condition")[0]
        label = next(one for one in condition["meta"]["security"] if one["code"] == "42CFRPart2")

        assert label["extension"][0]["valueRelatedArtifact"] == {
            "type": "justification",
            "resource": "https://warmhandoff.example/fhir/Consent/paper",
        }

    def test_the_envelope_tells_a_level_and_nothing_else(self) -> None:
        disclosure = disclosed(a_consent())

        assert disclosure.confidentiality == "R"
        assert disclosure.content["meta"] == {
            "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]
        }


def test_the_record_of_the_decision_goes_with_the_disclosure() -> None:
    disclosure = disclosed(a_consent())

    assert disclosure.record == ask(a_consent()).record
    assert (disclosure.recipient, disclosure.purposes) == (
        "org:mercy",
        ("http://terminology.hl7.org/CodeSystem/v3-ActReason|TREAT",),
    )


OF_EARLIER_YEARS = (
    "42 CFR part 2 prohibits unauthorized disclosure of these records.",
    "This information has been disclosed to you from records protected by federal confidentiality rules.",
)


@pytest.mark.parametrize("wording", OF_EARLIER_YEARS)
def test_a_gateway_does_not_start_with_a_notice_of_an_earlier_year(wording: str) -> None:
    assert switch_problems({"notice": wording}) == [
        "switch notice: expected the wording in force (42 CFR 2.32(a)), found another one"
    ]
    assert switch_problems({"notice": STATEMENT_1}) == switch_problems({}) == switch_problems(None) == []


@pytest.mark.parametrize("wording", OF_EARLIER_YEARS)
def test_what_owes_the_notice_waits_where_a_site_has_another(wording: str) -> None:
    assert answer(a_consent(), switches={"notice": wording}) == ("HOLD", "NOTICE_UNATTACHABLE")


def test_where_no_copy_of_the_paper_is_here_its_scope_is_written_out() -> None:
    """42 CFR 2.32(b): a copy of the consent, or a clear explanation of its scope."""
    scope = information(disclosed(a_consent()).content)["Scope of the consent: 42 CFR 2.32(b)"]["description"]

    assert "It covers the records of this disclosure." in scope
    assert "It ends before: 2027-01-01T08:00:00Z." in scope
