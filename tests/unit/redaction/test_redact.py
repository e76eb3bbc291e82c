"""What leaves is rebuilt from what is allowed: no trace of the rest, whether it exists or not."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.consent import compile_consents
from gateway.labeling import label
from gateway.model.decision import Basis, Permit, Refusal
from gateway.model.disclosure import Disclosure
from gateway.model.fhir_time import instant
from gateway.model.labels import CONFIDENTIALITY
from gateway.model.notice import STATEMENT_1
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
    alone,
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


def test_what_needed_no_consent_goes_beside_what_had_one_which_alone_is_explained() -> None:
    records = [FLU, by_quarry(FLU), HIDDEN, written_by("aspen", HIDDEN)]

    content = disclosed(a_consent(), records=records).content

    left = [f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in content["entry"]]
    assert {"Condition/flu", "Condition/hidden"} <= set(left)
    assert len([one for one in left if one.startswith("DocumentReference/")]) == 2


def test_who_wrote_what_is_deidentified_stays() -> None:
    nobody = {"resourceType": "Patient", "id": "x", "gender": "female"}
    basis = {"type": "deidentified", "method": "164.514(b)(2)"}
    case: Json = {"recipient": "org:health", "purpose": ["PUBHLTH"], "patient": None, "basis": basis}

    content = disclosed(records=[nobody, written_by("aspen", nobody)], **case).content

    assert [one["resource"]["resourceType"] for one in content["entry"]] == ["Patient"]


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


def test_a_recipient_that_nobody_registered_finds_itself_named_by_no_part_of_a_consent() -> None:
    consent = {**a_consent(a_permit("mercy")), "patient": {"reference": "Patient/t1"}}
    case: Json = {"recipient": "Patient/t1", "purpose": ["PATRQT"], "requester": alone("Patient/t1", "patient")}

    left = released(consent, basis={"type": "patient_access", "account": "Patient/t1"}, **case)

    assert "provision" not in left["Consent/paper"]["provision"]
    assert "mercy" not in str(left["Consent/paper"])


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


class TestTheRecordOfWhatCannotBeTakenApart:
    ODD = {**a_condition("odd", "I10"), "implicitRules": "https://elsewhere.example/rules"}

    def redacted(self, *items: Json, hidden: tuple[Json, ...] = ()) -> Disclosure | Refusal:
        records = [*items, *hidden, *([by_quarry(*items)]), *([written_by("aspen", *hidden)] if hidden else [])]
        permit = ask(records=records)
        assert isinstance(permit, Permit)
        labeled = label(bundle(*records), world(), instant(T0))
        return redact(labeled, permit, compile_consents(bundle(), world()), registry=world())

    def test_where_nothing_else_is_there_it_is_a_refusal_that_names_every_item(self) -> None:
        refusal = self.redacted(self.ODD)

        assert isinstance(refusal, Refusal)
        record = refusal.record
        assert (record.decision, record.reason, record.section) == ("DENY", "UNSEGMENTABLE", "42 CFR 2.13(a)")
        assert (record.obligations, record.basis, record.withheld) == (("AUDIT",), None, ("Condition/odd",))
        assert [(one.item, one.outcome) for one in refusal.verdicts] == [("Condition/odd", "PERMIT")]

    def test_a_refusal_rests_on_no_consent_though_the_permit_did(self) -> None:
        odd = {**self.ODD, "code": HIDDEN["code"]}
        records, consents = [odd, written_by("aspen", odd)], compile_consents(bundle(a_consent()), world())
        permit = ask(a_consent(), records=records)
        assert isinstance(permit, Permit)
        assert permit.record.basis == Basis("Consent", "paper", "1")

        refusal = redact(label(bundle(*records), world(), instant(T0)), permit, consents, registry=world())

        assert isinstance(refusal, Refusal)
        assert (refusal.record.obligations, refusal.record.basis) == (("AUDIT",), None)

    def test_beside_others_it_is_withheld_for_that_reason(self) -> None:
        disclosure = self.redacted(FLU, self.ODD)

        assert isinstance(disclosure, Disclosure)
        record = disclosure.record
        assert (record.decision, record.reason, record.section) == (
            "PERMIT_REDACTED",
            "UNSEGMENTABLE",
            "42 CFR 2.13(a)",
        )
        assert record.withheld == ("Condition/odd",)

    def test_where_more_is_withheld_the_first_reason_stays(self) -> None:
        disclosure = self.redacted(FLU, self.ODD, hidden=(HIDDEN,))

        assert isinstance(disclosure, Disclosure)
        assert (disclosure.record.decision, disclosure.record.reason) == ("PERMIT_REDACTED", "NO_CONSENT")
        assert disclosure.record.withheld == ("Condition/hidden", "Condition/odd")


class TestProvenance:
    def of(self, **changes: Any) -> Json | None:
        told = {**by_quarry(FLU), **changes}
        left = [one["resource"] for one in disclosed(records=[FLU, told]).content["entry"]]
        return next((one for one in left if one["resourceType"] == "Provenance"), None)

    def test_keeps_who_wrote_what_when_and_that_it_did(self) -> None:
        when = {"occurredDateTime": "2026-09-30", "occurredPeriod": {"start": "2026-09-30"}}

        told = self.of(**when, reason=[{"text": "x"}], signature=[{"data": "eA=="}], location=organization("quarry"))

        assert told is not None
        quarry = {**organization("quarry"), "display": "Quarry of Nowhere"}
        assert told == {
            "resourceType": "Provenance",
            "id": "by-quarry",
            "recorded": "2026-10-01T12:00:00Z",
            "activity": {"coding": [{"code": "originate"}]},
            "agent": [{"type": {"coding": [{"code": "author"}]}, "who": quarry}],
            "target": [{"reference": "Condition/flu"}],
            **when,
        }

    def test_what_it_was_made_from_stays_here(self) -> None:
        """The hash of a message tells of every part of it, also of those withheld."""
        digest = {"role": "source", "what": {"identifier": {"system": "urn:sha256", "value": "00ff"}}}

        assert self.of(entity=[digest, {"role": "source"}, {**digest, "what": {"display": "x"}}]) == self.of()

    def test_without_anybody_to_name_it_stays_here(self) -> None:
        stranger = {"who": {"identifier": {"system": "urn:oid:2.999.8", "value": "8"}}}
        told = {**by_quarry(FLU), "id": "told", "agent": [stranger]}
        by_machine = {**by_quarry(FLU), "id": "by-machine", "activity": {"coding": [{"code": "transform"}]}}

        content = disclosed(records=[FLU, by_quarry(FLU), {**by_machine, "agent": [stranger]}]).content

        assert b"by-machine" not in str(content).encode()
        assert isinstance(ask(records=[FLU, told]), Refusal)

    def test_one_without_targets_is_about_nothing_that_leaves(self) -> None:
        bare = {key: one for key, one in written_by("quarry", identifier="bare").items() if key != "target"}

        content = disclosed(records=[FLU, by_quarry(FLU), bare]).content

        assert b"bare" not in str(content).encode()


class TestTheEnvelope:
    def test_is_a_collection_with_its_level_and_the_instant_of_the_decision(self) -> None:
        content = dict(disclosed(records=[FLU, by_quarry(FLU)]).content)
        entries = content.pop("entry")

        assert content == {
            "resourceType": "Bundle",
            "meta": {"security": [{"system": CONFIDENTIALITY, "code": "N"}]},
            "type": "collection",
            "timestamp": T0,
        }
        assert [one["fullUrl"] for one in entries] == [
            "https://warmhandoff.example/fhir/Condition/flu",
            "https://warmhandoff.example/fhir/Provenance/by-quarry",
        ]

    def test_begins_with_the_person_then_the_visits_then_the_rest_by_type_and_id(self) -> None:
        visit = {"resourceType": "Encounter", "id": "v", "subject": {"reference": "Patient/t1"}}
        allergy = {"resourceType": "AllergyIntolerance", "id": "z", "patient": {"reference": "Patient/t1"}}
        items = [visit, a_condition("b", "I10"), allergy, a_condition("a", "I10"), a_patient()]

        content = disclosed(records=[*items, by_quarry(*items)]).content

        assert [one["fullUrl"].removeprefix("https://warmhandoff.example/fhir/") for one in content["entry"]] == [
            "Patient/t1",
            "Encounter/v",
            "AllergyIntolerance/z",
            "Condition/a",
            "Condition/b",
            "Provenance/by-quarry",
        ]

    def test_its_bytes_are_its_content_with_sorted_keys(self) -> None:
        disclosure = disclosed(records=[FLU, by_quarry(FLU)])

        text = json.dumps(disclosure.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert disclosure.body == text.encode()

    def test_says_its_notice_and_its_level(self) -> None:
        protected = disclosed(a_consent())
        open_to_all = disclosed(records=[FLU, by_quarry(FLU)])

        assert (protected.notice_number, protected.notice, protected.confidentiality) == (1, STATEMENT_1, "R")
        assert (open_to_all.notice_number, open_to_all.notice, open_to_all.confidentiality) == (0, "", "N")

    def test_says_to_whom_for_what_and_how_it_goes(self) -> None:
        registry = world(
            mercy={"endpoints": [{"transport": "hl7v2", "address": "mllp://x", "verified": "2026-01-01"}]},
        )

        disclosure = disclosed(
            records=[FLU, by_quarry(FLU)], registry=registry, transport="hl7v2", copies=["org:minds", "org:squad"]
        )

        assert disclosure.transport == "hl7v2"
        assert (disclosure.recipient, disclosure.copies) == ("org:mercy", ())
        assert disclosure.purposes == ("http://terminology.hl7.org/CodeSystem/v3-ActReason|TREAT",)


def test_copies_go_to_those_the_permit_lets_have_one() -> None:
    disclosure = disclosed(a_consent(a_permit("mercy", "plan")), by="org:aspen", copies=["org:plan", "org:shelter"])

    assert (disclosure.recipient, disclosure.copies) == ("org:mercy", ("org:plan",))


class TestWhatInforms:
    def entries(self, *consents: Json, records: list[Json] | None = None) -> list[Json]:
        used = {"records": records} if records is not None else {}
        content = disclosed(*consents, **used).content
        return [one["resource"] for one in content["entry"] if one["resource"]["id"].startswith("part2-")]

    def test_the_statement_and_the_scope_of_the_consent_about_this_person(self) -> None:
        notice, scope = self.entries(a_consent())

        assert notice["id"] == "part2-notice"
        assert scope["subject"] == {"reference": "Patient/t1"}
        assert "consent paper, version 1." in scope["description"]

    def test_a_person_known_by_a_number_alone_is_not_referred_to(self) -> None:
        record = a_condition(subject={"identifier": {"system": PERSON, "value": "T1"}})

        _, scope = self.entries(a_consent(), records=[record, written_by("aspen", record)])

        assert "subject" not in scope

    def test_records_that_need_no_notice_bring_none(self) -> None:
        assert self.entries(records=[FLU, by_quarry(FLU)]) == []

    def test_two_consents_are_explained_in_the_order_of_their_ids(self) -> None:
        other = a_condition("other", "F11.21")
        notes = {"meta": {"security": [{"system": OWN + "security-label", "code": "SUDNOTES"}]}}
        both = [a_condition(), {**other, **notes}]
        special = a_consent(
            a_permit(securityLabel=[{"system": OWN + "security-label", "code": "SUDNOTES"}]),
            id="notes",
            kind="sud-counseling-notes",
        )

        texts = [
            one["description"]
            for one in self.entries(a_consent(), special, records=[*both, written_by("aspen", *both)])
        ]

        assert ["notes" in text.partition(",")[0] for text in texts[1:]] in ([True, False], [False, True])


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
