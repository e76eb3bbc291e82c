"""What leaves is rebuilt from what is allowed: no trace of the rest, whether it exists or not."""

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.consent import compile_consents
from gateway.labeling import label
from gateway.model.decision import Permit, Refusal
from gateway.model.fhir_time import instant
from gateway.redaction import redact
from tests.support.part2_world import (
    OWN,
    PARTNER,
    PERSON,
    T0,
    a_condition,
    a_consent,
    a_patient,
    a_permit,
    ask,
    bundle,
    disclosed,
    organization,
    recipient,
    world,
    written_by,
)

Json = dict[str, Any]

FLU = a_condition("flu", "J10.1")
HIDDEN = a_condition("hidden", "F11.20")


def by_quarry(*items: Json) -> Json:
    return written_by("quarry", *items)


def released(*items: Json, more: tuple[Json, ...] = (), **case: Any) -> dict[str, Json]:
    """Disclose Quarry's items beside a hidden one of Aspen's; return what left, by reference."""
    records = [*items, by_quarry(*items), HIDDEN, written_by("aspen", HIDDEN), *more]
    content = disclosed(records=records, **case).content
    return {f"{one['resource']['resourceType']}/{one['resource']['id']}": one["resource"] for one in content["entry"]}


class TestTraces:
    def test_the_hidden_item_and_its_provenance_are_not_there(self) -> None:
        assert set(released(FLU)) == {"Condition/flu", "Provenance/by-quarry"}

    @pytest.mark.parametrize(
        ("element", "left"),
        [
            ({"evidence": [{"detail": [{"reference": "Condition/hidden", "display": "opioid use"}]}]}, None),
            ({"stage": [{"summary": {"text": "I"}, "assessment": [{"reference": "Condition/hidden"}]}]}, {"text": "I"}),
            ({"note": [{"text": "fine", "authorReference": {"reference": "Condition/hidden"}}]}, None),
            ({"asserter": {"reference": "Condition/hidden"}}, None),
        ],
    )
    def test_what_points_at_it_goes(self, element: Json, left: Json | None) -> None:
        key = next(iter(element))

        condition = released({**FLU, **element})["Condition/flu"]

        assert b"hidden" not in str(condition).encode()
        assert condition.get(key) == ([{"summary": left}] if left else None)

    @pytest.mark.parametrize(
        "element",
        [
            {"text": {"status": "generated", "div": "<div>on methadone</div>"}},
            {"contained": [HIDDEN]},
            {"extension": [{"url": "https://elsewhere.example/program", "valueString": "SUD IOP"}]},
            {"meta": {"tag": [{"code": "sud-program"}], "source": "https://aspen.example", "versionId": "7"}},
            {"recorder": {"reference": "https://aspen.example/fhir/Practitioner/7", "display": "Dr A"}},
        ],
    )
    def test_narrative_contained_unknown_extensions_and_tags_never_go(self, element: Json) -> None:
        assert released({**FLU, **element})["Condition/flu"] == released(FLU)["Condition/flu"]

    def test_a_list_loses_the_entry_with_its_flag_and_date(self) -> None:
        entry = {"item": {"reference": "Condition/hidden"}, "flag": {"text": "changed"}, "date": "2026-10-01"}
        kept = {"item": {"reference": "Condition/flu"}}
        problems = {"resourceType": "List", "id": "l", "subject": {"reference": "Patient/t1"}, "entry": [kept, entry]}

        assert released(FLU, problems)["List/l"]["entry"] == [{"item": {"reference": "Condition/flu"}}]

    def test_provenance_keeps_the_targets_that_leave(self) -> None:
        both = written_by("quarry", FLU, a_condition("other", "I10", subject={"reference": "Patient/x"}))

        content = disclosed(
            records=[FLU, a_condition("other", "I10", subject={"reference": "Patient/x"}), both]
        ).content

        targets = [
            one["resource"]["target"] for one in content["entry"] if one["resource"]["resourceType"] == "Provenance"
        ]
        assert targets == [[{"reference": "Condition/flu"}]]


class TestProgramsThatTellByTheirName:
    def test_one_on_the_care_team_goes_with_its_role(self) -> None:
        team = {
            "resourceType": "CareTeam",
            "id": "team",
            "subject": {"reference": "Patient/t1"},
            "participant": [
                {"role": [{"text": "dosing"}], "member": {**organization("aspen"), "display": "Aspen of Nowhere"}},
                {"member": organization("quarry")},
            ],
        }

        assert released(team)["CareTeam/team"]["participant"] == [
            {
                "member": {
                    "type": "Organization",
                    "identifier": {"system": PARTNER, "value": "quarry"},
                    "display": "Quarry of Nowhere",
                }
            }
        ]

    def test_its_number_for_the_patient_goes(self) -> None:
        own = {"system": PERSON, "value": "T1"}
        theirs = {"system": "https://aspen.example/mrn", "value": "77"}
        assigned = {"system": "urn:oid:2.999.12", "value": "78", "assigner": organization("aspen")}

        patient = released(a_patient(identifier=[own, theirs, assigned]))["Patient/t1"]

        assert patient["identifier"] == [own]

    def test_its_name_in_a_text_takes_the_text_along(self) -> None:
        noted = {**FLU, "note": [{"text": "Seen at ASPEN of Nowhere"}, {"text": "Rests."}]}

        assert released(noted)["Condition/flu"]["note"] == [{"text": "Rests."}]

    def test_its_directory_entries_stay_here(self) -> None:
        clinic = {
            "resourceType": "Organization",
            "id": "clinic",
            "identifier": [{"system": PARTNER, "value": "aspen"}],
            "name": "Aspen of Nowhere",
        }
        role = {"resourceType": "PractitionerRole", "id": "role", "organization": {"reference": "Organization/clinic"}}
        seen = {**FLU, "recorder": {"reference": "PractitionerRole/role"}}

        assert set(released(seen, more=(clinic, role))) == {"Condition/flu", "Provenance/by-quarry"}

    def test_it_is_named_where_its_own_record_goes_with_consent(self) -> None:
        record = a_condition(recorder=organization("aspen"))

        content = disclosed(a_consent(), records=[record, written_by("aspen", record)]).content

        assert any(one["resource"].get("recorder", {}).get("display") == "Aspen of Nowhere" for one in content["entry"])


class TestSupportingResources:
    HOSPITAL = {
        "resourceType": "Organization",
        "id": "quarry",
        "identifier": [{"system": PARTNER, "value": "quarry"}],
        "name": "Quarry",
    }
    ROLE = {"resourceType": "PractitionerRole", "id": "doc", "organization": {"reference": "Organization/quarry"}}

    def test_go_when_something_released_points_to_them(self) -> None:
        seen = {**FLU, "recorder": {"reference": "PractitionerRole/doc"}}

        left = released(seen, more=(self.HOSPITAL, self.ROLE))

        assert {"Organization/quarry", "PractitionerRole/doc"} <= set(left)

    def test_and_stay_when_nothing_does(self) -> None:
        assert "Organization/quarry" not in released(FLU, more=(self.HOSPITAL, self.ROLE))


class TestWhatPoliceWrote:
    def released(self, item: Json, *more: Json) -> Json:
        content = disclosed(records=[item, written_by("police", item), *more]).content
        return next(one["resource"] for one in content["entry"] if one["resource"]["id"] == item["id"])

    def test_passes_by_a_list_of_what_is_allowed(self) -> None:
        observation = {
            "resourceType": "Observation",
            "id": "o",
            "status": "final",
            "code": {"coding": [{"system": OWN + "behavior", "code": "disorganized"}]},
            "subject": {"reference": "Patient/t1"},
            "valueBoolean": True,
            "note": [{"text": "the officer wrote a story"}],
            "identifier": [{"system": "urn:oid:2.999.55", "value": "case 1"}],
            "bodySite": {"text": "hand"},
        }

        assert set(self.released(observation)) == {
            "resourceType",
            "id",
            "status",
            "code",
            "subject",
            "valueBoolean",
            "meta",
        }

    def test_numbers_of_other_systems_stay_here(self) -> None:
        patient = a_patient(
            identifier=[
                {"system": "https://warmhandoff.example/id/person", "value": "abc"},
                {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "000-00-0000"},
            ]
        )

        assert self.released(patient)["identifier"] == [
            {"system": "https://warmhandoff.example/id/person", "value": "abc"}
        ]

    def test_a_scan_cannot_be_taken_apart(self) -> None:
        scan = {
            "resourceType": "DocumentReference",
            "id": "scan",
            "subject": {"reference": "Patient/t1"},
            "content": [{"attachment": {"contentType": "image/png", "data": "eA=="}}],
        }
        records = [scan, written_by("police", scan)]
        permit = ask(records=records)
        assert isinstance(permit, Permit)

        refusal = redact(
            label(bundle(*records), world(), instant(T0)), permit, compile_consents(bundle(), world()), registry=world()
        )

        assert isinstance(refusal, Refusal)
        assert (refusal.record.decision, refusal.record.reason) == ("DENY", "UNSEGMENTABLE")
        assert refusal.record.withheld == ("DocumentReference/scan",)


def test_an_item_with_an_unknown_modifier_is_left_out_and_named() -> None:
    odd = {
        **a_condition("odd", "I10"),
        "modifierExtension": [{"url": "https://elsewhere.example/not", "valueBoolean": True}],
    }

    disclosure = disclosed(records=[FLU, odd, by_quarry(FLU, odd)])

    assert disclosure.record.decision == "PERMIT_REDACTED"
    assert disclosure.record.withheld == ("Condition/odd",)
    assert b"odd" not in disclosure.body


def test_file_names_and_addresses_of_attachments_stay_here() -> None:
    data = base64.b64encode(b"rest and fluids").decode()
    attachment = {
        "contentType": "text/plain",
        "data": data,
        "title": "tess-methadone.txt",
        "url": "https://aspen.example/1",
    }
    note = {
        "resourceType": "DocumentReference",
        "id": "n",
        "subject": {"reference": "Patient/t1"},
        "content": [{"attachment": attachment}],
    }

    assert released(note)["DocumentReference/n"]["content"] == [
        {"attachment": {"contentType": "text/plain", "data": data}}
    ]


def test_a_consent_in_the_record_tells_its_recipient_its_own_part_only() -> None:
    exception = {"type": "deny", "securityLabel": [{"code": "HIV"}]}
    consent = a_consent(a_permit("mercy", provision=[exception]), a_permit("shelter", purposes=["PATRQT"]))
    consent["patient"] = {"reference": "Patient/t1"}

    provision = released(consent)["Consent/paper"]["provision"]

    assert len(provision["provision"]) == 1
    assert [one["reference"]["identifier"]["value"] for one in provision["provision"][0]["actor"]] == ["mercy"]
    assert "HIV" not in str(provision)


def test_a_locating_officer_gets_who_and_when() -> None:
    patient = a_patient(telecom=[{"system": "phone", "value": "555-0100"}])
    visit = {
        "resourceType": "Encounter",
        "id": "v",
        "status": "finished",
        "subject": {"reference": "Patient/t1"},
        "period": {"start": "2026-11-01T03:00:00Z"},
        "diagnosis": [{"condition": {"reference": "Condition/flu"}}],
        "participant": [{"individual": {"reference": "Practitioner/x"}}],
    }
    case: Json = {"recipient": "org:police", "purpose": [OWN + "purpose|locate"]}
    basis = {"type": "hipaa_locate", "subject": "missing person"}

    content = disclosed(records=[patient, visit, by_quarry(patient, visit)], basis=basis, **case).content
    left = {one["resource"]["resourceType"]: set(one["resource"]) for one in content["entry"]}

    assert left["Patient"] == {"resourceType", "id", "meta", "name", "birthDate", "address"}
    assert left["Encounter"] == {"resourceType", "id", "meta", "status", "subject", "period"}


# --- the property: withheld records make no difference ---------------------------------------------------------

CODES = st.sampled_from(["F11.20", "J10.1", "I10", "F32.9", "B20"])
AUTHORS = st.sampled_from(["aspen", "birch", "nobody"])
TARGETS = st.sampled_from(["Condition/w0", "Condition/w1", "Condition/flu", "Organization/clinic", "Patient/t1"])


@st.composite
def withheld(draw: st.DrawFn) -> list[Json]:
    items: list[Json] = []
    for n in range(draw(st.integers(0, 3))):
        item = a_condition(f"w{n}", draw(CODES))
        if draw(st.booleans()):
            item["evidence"] = [{"detail": [{"reference": draw(TARGETS)}]}]
        items += [item, written_by(draw(AUTHORS), item, identifier=f"p{n}")]
    return items


@st.composite
def visible(draw: st.DrawFn) -> Json:
    item = a_condition("flu", draw(CODES))
    if draw(st.booleans()):
        item["evidence"] = [{"detail": [{"reference": draw(TARGETS), "display": "x"}], "code": [{"text": "seen"}]}]
    if draw(st.booleans()):
        item["contained"] = [a_condition("inside", draw(CODES))]
    if draw(st.booleans()):
        item["note"] = [{"text": draw(st.sampled_from(["fine", "Aspen of Nowhere", "methadone"]))}]
    return item


@settings(max_examples=80, deadline=None)
@given(item=visible(), hidden=withheld(), order=st.randoms(use_true_random=False))
def test_the_bytes_are_the_same_whether_the_withheld_records_exist_or_not(
    item: Json, hidden: list[Json], order: Any
) -> None:
    own = [item, by_quarry(item)]
    everything = [*own, *hidden]
    order.shuffle(everything)

    without = disclosed(records=own)
    with_them = disclosed(records=everything)

    assert with_them.body == without.body
    assert (with_them.notice, with_them.confidentiality) == (without.notice, without.confidentiality)


def test_a_refusal_to_another_recipient_leaves_no_trace() -> None:
    exception = {"type": "deny", "actor": [recipient("quarry")]}

    assert disclosed(a_consent(a_permit(provision=[exception]))).body == disclosed(a_consent()).body
