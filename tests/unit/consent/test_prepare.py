"""One request brought into its situation: what the hash is of, when items are told apart, who is on the way."""

from typing import Any

import pytest

from gateway.consent import compile_consents, read_facts, read_request, read_switches
from gateway.consent.prepare import Prepared, prepare
from gateway.consent.reasons import Withhold
from gateway.consent.situation import Situation
from gateway.labeling import label
from gateway.model.fhir_time import instant
from gateway.model.partner import Registry
from tests.support.part2_world import (
    ASPEN_RECORDS,
    PERSON,
    T0,
    a_condition,
    a_consent,
    a_patient,
    a_permit,
    a_request,
    a_restriction,
    alone,
    bundle,
    unavailable,
    world,
    written_by,
)

Json = dict[str, Any]
RESTRICTION = a_restriction("plan")


def prepared(
    *consents: Json,
    records: tuple[Json, ...] = ASPEN_RECORDS,
    facts: tuple[Json, ...] = (),
    registry: Registry | None = None,
    switches: Json | None = None,
    at: str = T0,
    **request: Any,
) -> Prepared:
    known, when = registry or world(), instant(at)
    return prepare(
        read_request(a_request(**request)),
        label(bundle(*records), known, when),
        compile_consents(bundle(*consents), known),
        known,
        read_facts([a_patient(), *facts], known, when),
        read_switches(switches),
        when,
    )


def situation(*consents: Json, **case: Any) -> Situation:
    found = prepared(*consents, **case).situation
    assert isinstance(found, Situation)
    return found


class TestTheSeal:
    def test_is_of_the_instant(self) -> None:
        assert prepared().seal.at == "2026-11-02T18:00:00Z"

    def test_is_the_same_for_the_same_and_another_for_anything_else(self) -> None:
        other = a_condition("other", "I10")
        seals = [
            prepared(a_consent()),
            prepared(),
            prepared(a_consent(status="inactive")),
            prepared(a_consent(), purpose=["HPAYMT"]),
            prepared(a_consent(), records=(other, written_by("aspen", other))),
            prepared(a_consent(), facts=(RESTRICTION,)),
            prepared(a_consent(), facts=(a_restriction("quarry"),)),
            prepared(a_consent(), registry=world(mercy={"name": "Another"})),
            prepared(a_consent(), switches={"minor_consent": 14}),
            prepared(a_consent(), at="2026-11-02T18:00:01Z"),
        ]

        hashes = [one.seal.input_hash for one in seals]
        assert len(set(hashes)) == 10
        assert all(one.startswith("sha256:") and len(one) == 71 for one in hashes)
        assert prepared(a_consent()).seal.input_hash == hashes[0]

    def test_is_not_of_what_others_agreed_to(self) -> None:
        theirs = a_consent(id="theirs", patient={"reference": "Patient/other"})

        assert prepared(a_consent(), theirs).seal == prepared(a_consent()).seal


class TestTellingItemsApart:
    @pytest.mark.parametrize(
        "case",
        [
            {"basis": {"type": "emergency"}},
            {"purpose": ["HPAYMT"]},
            {"facts": (RESTRICTION,)},
        ],
    )
    def test_is_needed_where_more_counts_than_origin_type_and_labels(self, case: Json) -> None:
        assert situation(a_consent(), **case).tells_items_apart

    def test_is_needed_where_a_consent_looks_at_more(self) -> None:
        looking = a_consent(a_permit(code=[{"coding": [{"system": "urn:x", "code": "1"}]}]), id="looking")

        assert situation(a_consent(), looking).tells_items_apart
        assert not situation(a_consent()).tells_items_apart
        assert not situation().tells_items_apart


class TestWhatIsKnownOnce:
    def test_is_which_consents_refuse_and_whether_one_cannot_be_read(self) -> None:
        refusal = a_consent(id="no", provision={"type": "deny"})

        found = situation(a_consent(), refusal)

        assert [one.id for one in found.refusing] == ["no"]
        assert [one.id for one in found.directives] == ["no", "paper"]
        assert not found.is_unreadable
        assert situation(a_consent(), a_consent(id="x", implicitRules="urn:x")).is_unreadable

    def test_is_whether_who_asks_must_hold_what_it_sends(self) -> None:
        assert not situation().must_hold
        assert situation(by="org:aspen").must_hold
        assert not situation(by="org:aspen", role="worker").must_hold

    def test_is_what_was_asked_for_and_nothing_else(self) -> None:
        other = a_condition("other", "I10")
        records = (*ASPEN_RECORDS, other)

        assert [one.reference for one in situation(records=records).items] == ["Condition/f1120", "Condition/other"]
        asked = prepared(records=records, items=["Condition/other"])
        assert [one.reference for one in asked.items] == ["Condition/other"]

    def test_is_by_what_the_person_is_known_who_receives_the_own_record(self) -> None:
        assert situation(requester=alone(), recipient="Patient/t1").recipient.keys == {"Patient/t1", f"{PERSON}|T1"}

    def test_is_who_on_the_way_receives_too(self) -> None:
        def relays(*via: str, **changes: Json) -> list[str]:
            found = situation(via=list(via), registry=world(**changes))
            return [one.reference for one in found.relays]

        of_mercy = {"legal_class": [{"from": "2020-01-01", "part2": "no", "business_associate_of": ["org:mercy"]}]}
        assert relays("org:broker", "org:nobody") == ["org:broker", "org:nobody"]
        assert relays("org:relay", "org:exchange") == []
        assert relays("org:broker", broker=of_mercy) == []
        assert relays() == []


@pytest.mark.parametrize(
    ("case", "stop"),
    [
        ({"facts": (unavailable("audit_store"),)}, Withhold("AUDIT_UNAVAILABLE", 100)),
        ({"by": "org:quarry"}, Withhold("IDENTITY_MISMATCH", 350)),
        ({"patient": "Patient/nobody"}, Withhold("PATIENT_UNKNOWN", 400)),
        ({"purpose": []}, Withhold("PURPOSE_MISSING", 500)),
    ],
)
def test_what_ends_the_whole_request_takes_the_place_of_the_situation(case: Json, stop: Withhold) -> None:
    found = prepared(a_consent(), **case)

    assert found.situation == stop
    assert [one.reference for one in found.items] == ["Condition/f1120"]
    assert found.seal.input_hash.startswith("sha256:")
