"""What goes with the records in words: the notice, and the consent as far as it concerns this recipient."""

import base64
from typing import Any

import pytest

from gateway.consent import compile_consents
from gateway.model.consent_directive import Directive
from gateway.model.decision import DecisionRecord, Permit
from gateway.model.fhir_time import instant
from gateway.model.notice import STATEMENT_1, STATEMENT_2
from gateway.redaction.notice_text import asking_entry, notice_entry, scope_entry, scope_text, statement_for
from tests.support.part2_world import ACT_REASON, OWN, T0, a_consent, a_permit, bundle, organization, world

Json = dict[str, Any]

RECORD = DecisionRecord("PERMIT", "OK_CONSENT", "42 CFR 2.31", ("AUDIT",), None, (), "1", T0, "hash")


def a_permit_for(*recipients: str, purposes: tuple[str, ...] = (f"{ACT_REASON}|TREAT",)) -> Permit:
    return Permit(RECORD, (), recipients or ("org:mercy",), purposes, "fhir")


def directive(consent: Json) -> Directive:
    found = compile_consents(bundle(consent), world()).get(f"Consent/{consent['id']}", instant(T0))
    assert found is not None
    return found


def test_the_scope_says_in_plain_words_what_the_recipient_may_know() -> None:
    two = a_permit_for("org:mercy", "org:plan", purposes=(f"{ACT_REASON}|TREAT", f"{OWN}purpose|x|locate", "COC"))

    assert scope_text(directive(a_consent()), two, world()).splitlines() == [
        "Made with the patient's written consent paper, version 1.",
        "Disclosed by: Aspen of Nowhere.",
        "Disclosed to: Mercy of Nowhere, Plan of Nowhere.",
        "For: treatment, locate, coordination of care.",
        "It covers the records of this disclosure.",
        "Signed: 2026-09-01.",
        "It ends before: 2027-01-01T08:00:00Z.",
        "The patient may revoke it in writing.",
    ]


def test_what_a_consent_leaves_open_is_said_to_be_open() -> None:
    open_ended = a_consent(
        dateTime=None, meta=None, organization=[organization("aspen"), organization("birch"), {"display": "somebody"}],
        provision={"type": "deny", "provision": [a_permit()]},
    )  # fmt: skip

    lines = scope_text(directive(open_ended), a_permit_for("org:mercy", "Practitioner/x"), world()).splitlines()

    assert lines[:3] == [
        "Made with the patient's written consent paper, version 1.",
        "Disclosed by: Aspen of Nowhere, Birch of Nowhere.",
        "Disclosed to: Mercy of Nowhere.",
    ]
    assert lines[5:7] == ["Signed: not stated.", "It ends: not stated."]


def test_a_version_and_an_end_by_event_are_told() -> None:
    event = {"url": "https://warmhandoff.example/fhir/StructureDefinition/part2-expiry", "valueCode": "none"}
    consent = a_consent(
        meta={"versionId": "3"}, extensions=[event], provision={"type": "deny", "provision": [a_permit()]}
    )

    lines = scope_text(directive(consent), a_permit_for(), world()).splitlines()

    assert lines[0] == "Made with the patient's written consent paper, version 3."
    assert lines[6] == "It ends: none."


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("TREAT", "treatment"),
        ("ETREAT", "emergency treatment"),
        ("COC", "coordination of care"),
        ("HPAYMT", "payment"),
        ("HOPERAT", "health care operations"),
        ("PATRQT", "at the request of the patient"),
        ("HLEGAL", "a legal proceeding"),
        ("referral", "referral"),
    ],
)
def test_a_purpose_is_told_in_words(code: str, words: str) -> None:
    permit = a_permit_for(purposes=(f"{ACT_REASON}|{code}",))

    assert f"\nFor: {words}.\n" in scope_text(directive(a_consent()), permit, world())


def read(entry: Json) -> str:
    """Take the entry apart, holding everything in it but its text to what it must be."""
    text = entry.pop("description")
    attachment = {"contentType": "text/plain; charset=utf-8", "data": base64.b64encode(text.encode()).decode()}
    assert entry.pop("content") == [{"attachment": attachment}]
    assert (entry.pop("resourceType"), entry.pop("status")) == ("DocumentReference", "current")
    return str(text)


def test_the_notice_is_an_entry_about_nobody() -> None:
    entry = notice_entry()

    assert read(entry) == STATEMENT_1
    assert entry == {"id": "part2-notice", "type": {"text": "Notice: 42 CFR 2.32(a)"}}


def test_an_emergency_asks_for_no_further_use() -> None:
    entry = asking_entry()

    assert read(entry) == (
        "The patient asked for a restriction on these records, which a medical emergency overrides. "
        "Please do not use or disclose them further (42 CFR 2.26(a)(4))."
    )
    assert entry == {"id": "part2-no-further-use", "type": {"text": "Request: 42 CFR 2.26(a)(4)"}}


def test_the_scope_is_an_entry_about_the_person_with_an_id_of_its_consent_and_recipients() -> None:
    consent = directive(a_consent())
    entry = scope_entry(consent, a_permit_for(), world(), "Patient/t1")
    ids = {
        scope_entry(one, permit, world(), None)["id"]
        for one in (consent, directive(a_consent(id="other")), directive(a_consent(meta={"versionId": "2"})))
        for permit in (a_permit_for(), a_permit_for("org:plan"))
    }

    assert read(entry) == scope_text(consent, a_permit_for(), world())
    assert entry == {
        "id": entry["id"],
        "type": {"text": "Scope of the consent: 42 CFR 2.32(b)"},
        "subject": {"reference": "Patient/t1"},
    }
    assert "subject" not in scope_entry(consent, a_permit_for(), world(), None)
    assert len(ids) == 6
    assert entry["id"] in ids
    assert all(one.startswith("part2-scope-") and len(one) == len("part2-scope-") + 26 for one in ids)


def test_the_short_statement_goes_where_room_is_short() -> None:
    assert statement_for("hl7v2") == (2, STATEMENT_2)
    assert statement_for("fhir") == (1, STATEMENT_1)
