"""Requests, switches, facts and reasons: read once, or refused by name."""

import re
from pathlib import Path
from typing import Any

import pytest

import gateway.consent
from gateway.consent import UnreadableRequest, compile_consents, decide, read_facts, read_request, read_switches
from gateway.consent.reasons import SECTIONS
from gateway.labeling import label
from gateway.model.fhir_time import instant
from tests.support.part2_world import T0, a_consent, a_request, bundle, world

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"recipient": None}, "recipient"),
        ({"recipient": 7}, "recipient"),
        ({"purpose": "TREAT"}, "purpose"),
        ({"purpose": [7]}, "purpose"),
        ({"transport": "pigeon"}, "transport"),
        ({"basis": {"type": "because"}}, "basis"),
        ({"basis": "emergency"}, "basis"),
        ({"requester": "org:mercy"}, "requester"),
        ({"items": "Condition/1"}, "items"),
    ],
)
def test_an_unreadable_request_is_refused_by_the_name_of_its_field(change: Json, named: str) -> None:
    with pytest.raises(UnreadableRequest, match=named):
        read_request({**a_request(), **change})


def test_a_purpose_keeps_its_code_system() -> None:
    request = read_request(a_request(purpose=["TREAT", "urn:x|TREAT", "urn:x|2|TREAT"]))

    assert request.purposes == (
        ("http://terminology.hl7.org/CodeSystem/v3-ActReason", "TREAT"),
        ("urn:x", "TREAT"),
        ("urn:x|2", "TREAT"),
    )


@pytest.mark.parametrize(
    "stated",
    [
        {"unheard_of": True},
        {"legacy_consent": "maybe"},
        {"minor_consent": "sometimes"},
        {"minor_consent": True},
        {"small_cell": "few"},
        {"emergency_hours": "few"},
        {"subsidiary_inherits": True},
    ],
)
def test_an_unknown_or_impossible_switch_is_refused(stated: Json) -> None:
    with pytest.raises(ValueError, match="switch"):
        read_switches(stated)


def test_switches_default_to_the_safe_side() -> None:
    switches = read_switches(None)

    assert (switches.legacy_consent, switches.oral_revocation, switches.require_verification_external) == (
        "hold",
        "hold",
        True,
    )


@pytest.mark.parametrize("fact", ["text", {"type": "restriction"}, {"type": "merge", "from": "Patient/1"}])
def test_a_fact_that_lacks_what_its_kind_needs_is_refused(fact: Any) -> None:
    with pytest.raises(ValueError, match="facts"):
        read_facts([fact], world(), instant(T0))


def test_labels_of_another_instant_are_refused() -> None:
    registry = world()

    with pytest.raises(
        ValueError, match=r"^the records were labeled for another instant: label them again for this one$"
    ):
        decide(
            read_request(a_request()),
            label(bundle(), registry, instant(T0)),
            compile_consents(bundle(), registry),
            registry=registry,
            at=instant("2026-11-02T18:00:01Z"),
        )


def test_every_reason_that_can_be_given_has_its_section() -> None:
    room = Path(gateway.consent.__file__).parent
    given = {
        word
        for path in room.glob("*.py")
        for word in re.findall(r'"([A-Z][A-Z0-9_]{5,})"', path.read_text(encoding="utf-8"))
        if re.fullmatch(
            r"(OK_|NO_CONSENT|CONSENT_[NREFUD]|PATIENT_|ORDER_|EMERGENCY_[NCU]|RESTRICTION_|COMBINED_).*", word
        )
    } - {"EMERGENCY_DOC", "CONSENT_COPY"}

    assert given
    assert given <= SECTIONS.keys()


def test_several_versions_and_sources_are_kept_apart() -> None:
    newer = {**a_consent(), "meta": {"versionId": "2", "lastUpdated": "2026-10-01T00:00:00Z"}}
    consents = compile_consents(bundle(newer, a_consent(), a_consent(id="other")), world())

    assert len(consents) == 2
    found = consents.get("Consent/paper", instant("2026-09-15T00:00:00Z"))
    assert found is not None
    assert found.version == "1"
    assert consents.version("Consent/paper", "2") is not None
    assert consents.get("Consent/paper", instant("2026-08-01T00:00:00Z")) is None


def test_the_same_id_at_two_addresses_is_two_consents() -> None:
    entries = [
        {"fullUrl": "https://warmhandoff.example/fhir/Consent/paper", "resource": a_consent()},
        {"fullUrl": "https://elsewhere.example/fhir/Consent/paper", "resource": a_consent()},
    ]

    assert len(compile_consents({"entry": entries}, world())) == 2
