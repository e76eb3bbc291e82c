"""Where items come from and what they reveal: by Provenance, by code, by every word a person wrote."""

import base64
import hashlib
from typing import Any

import orjson
import pytest

from gateway.labeling import label
from gateway.model.fhir_time import instant
from gateway.model.labeled import Item
from gateway.model.labels import ACT_CODE
from tests.support.part2_world import (
    OWN,
    PARTNER,
    T0,
    a_condition,
    a_patient,
    bundle,
    handed_to,
    labels,
    organization,
    world,
    written_by,
)

Json = dict[str, Any]
SUD = (ACT_CODE, "SUD")
PART2 = (ACT_CODE, "42CFRPart2")


def labeled(*resources: Json, at: str = T0) -> dict[str, Item]:
    return {item.reference: item for item in label(bundle(*resources), world(), instant(at)).items}


def codes(resource: Json, author: str = "quarry") -> set[str]:
    item = labeled(resource, written_by(author, resource))[f"{resource['resourceType']}/{resource['id']}"]
    return {code for _, code in item.labels}


def an_observation(**content: Any) -> Json:
    return {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/t1"}, **content}


class TestContent:
    @pytest.mark.parametrize(
        ("system", "code", "found"),
        [
            ("http://hl7.org/fhir/sid/icd-10-cm", "F11.20", "SUD"),
            ("http://hl7.org/fhir/sid/icd-10-cm", "T40.2X1A", "SUD"),
            ("http://hl7.org/fhir/sid/icd-10-cm", "B20", "HIV"),
            ("http://hl7.org/fhir/sid/icd-10-cm", "F32.9", "MH"),
            ("http://hl7.org/fhir/sid/icd-10-cm", "D57.1", "SICKLE"),
            ("http://www.nlm.nih.gov/research/umls/rxnorm", "6813", "SUD"),
            ("https://bluebutton.cms.gov/resources/codesystem/hcpcs", "H0020", "SUD"),
            (OWN + "service", "sud-treatment", "SUD"),
            (OWN + "crisis-nature", "chemical", "SUD"),
        ],
    )
    def test_a_code_reveals(self, system: str, code: str, found: str) -> None:
        assert codes(an_observation(code={"coding": [{"system": system, "code": code}]})) == {found}

    @pytest.mark.parametrize("code", ["J10.1", "I10", "E11.9"])
    def test_other_codes_do_not(self, code: str) -> None:
        assert codes(a_condition(code=code)) == set()

    def test_a_code_of_an_unknown_system_reveals_nothing_by_itself(self) -> None:
        assert codes(an_observation(code={"coding": [{"system": "urn:x", "code": "F11.20"}]})) == set()

    @pytest.mark.parametrize(
        "content",
        [
            {"note": [{"text": "continues MAT with us"}]},
            {"code": {"text": "Suboxone"}},
            {"code": {"coding": [{"code": "x", "display": "Methadone clinic"}]}},
            {"text": {"status": "generated", "div": "<div>meth&#97;done</div>"}},
            {"valueString": "substance use disorder"},
            {"component": [{"code": {"text": "BAC"}, "valueString": "alcohol"}]},
            {"contained": [{"resourceType": "Condition", "code": {"text": "heroin"}}]},
            {"performer": [{"display": "Aspen of Nowhere"}]},
        ],
    )
    def test_words_reveal_wherever_they_stand(self, content: Json) -> None:
        assert codes(an_observation(**content)) == {"SUD"}

    def test_readable_attachments_are_read(self) -> None:
        data = base64.b64encode(b"Takes buprenorphine.").decode()
        document = {
            "resourceType": "DocumentReference",
            "id": "d",
            "subject": {"reference": "Patient/t1"},
            "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
        }

        assert codes(document) == {"SUD"}

    def test_addresses_and_identifiers_are_no_words(self) -> None:
        assert codes(an_observation(id="methadone", meta={"source": "https://heroin.example"})) == set()

    def test_stated_labels_are_kept(self) -> None:
        assert codes(an_observation(meta={"security": labels("SDV")})) == {"SDV"}

    def test_labels_of_parts_that_never_leave_are_not_shown(self) -> None:
        narrated = an_observation(text={"status": "generated", "div": "<div>heroin</div>"})

        item = labeled(narrated, written_by("quarry", narrated))["Observation/o"]

        assert (item.labels, item.shown) == ({SUD}, set())

    def test_labels_stated_in_a_contained_resource_are_those_of_a_part_that_never_leaves(self) -> None:
        inner = {"resourceType": "Condition", "id": "in", "meta": {"security": labels("SDV")}}
        holding = an_observation(contained=[inner])

        item = labeled(holding, written_by("quarry", holding))["Observation/o"]

        assert (item.labels, item.shown) == ({(ACT_CODE, "SDV")}, set())


class TestOrigin:
    RECORD = a_condition(code="J10.1")

    def program(self, *provenances: Json) -> str | None:
        found = labeled(self.RECORD, *provenances)["Condition/f1120"].origin.program
        return found.id if found else None

    def test_is_that_of_the_author(self) -> None:
        assert self.program(written_by("aspen", self.RECORD)) == "org:aspen"
        assert self.program(written_by("quarry", self.RECORD)) is None

    def test_a_program_that_received_it_makes_it_its_record(self) -> None:
        hops = (written_by("police", self.RECORD), handed_to("aspen", self.RECORD))

        assert self.program(*hops) == "org:aspen"

    def test_the_first_program_is_the_origin(self) -> None:
        later = handed_to("birch", self.RECORD, recorded="2026-10-12T12:00:00Z")

        assert self.program(later, handed_to("aspen", self.RECORD), written_by("police", self.RECORD)) == "org:aspen"

    def test_adds_its_labels(self) -> None:
        assert codes(self.RECORD, "aspen") == {"R", "42CFRPart2"}

    def test_a_person_writes_for_an_organization(self) -> None:
        by = written_by("aspen", self.RECORD)
        by["agent"][0].update(
            {"who": {"type": "Practitioner", "identifier": {"value": "1"}}, "onBehalfOf": organization("aspen")}
        )

        assert self.program(by) == "org:aspen"

    def test_an_author_may_stand_in_the_bundle(self) -> None:
        clinic = {"resourceType": "Organization", "id": "c", "identifier": [{"system": PARTNER, "value": "aspen"}]}
        role = {"resourceType": "PractitionerRole", "id": "r", "organization": {"reference": "Organization/c"}}
        by = written_by("aspen", self.RECORD)
        by["agent"][0]["who"] = {"reference": "PractitionerRole/r"}

        assert self.program(by, clinic, role) == "org:aspen"

    def test_two_authors_are_both_asked(self) -> None:
        both = (written_by("quarry", self.RECORD), written_by("aspen", self.RECORD))

        assert self.program(*both) == "org:aspen"

    def test_of_something_derived_is_that_of_its_input_and_of_who_held_it(self) -> None:
        score = {"resourceType": "RiskAssessment", "id": "s", "subject": {"reference": "Patient/t1"}}
        made = {
            **written_by("gateway", score),
            "activity": {"coding": [{"code": "transform"}]},
            "agent": [],
            "entity": [{"role": "derivation", "what": {"reference": "Condition/f1120"}}],
        }
        held = (written_by("police", self.RECORD), handed_to("aspen", self.RECORD))

        origin = labeled(score, made, self.RECORD, *held)["RiskAssessment/s"].origin

        assert origin.program is not None
        assert origin.program.id == "org:aspen"

    def test_a_circle_of_derivations_ends(self) -> None:
        made = {
            **written_by("gateway", self.RECORD),
            "activity": {"coding": [{"code": "transform"}]},
            "agent": [],
            "entity": [{"role": "derivation", "what": {"reference": "Condition/f1120"}}],
        }

        assert None in labeled(self.RECORD, made)["Condition/f1120"].origin.authors


class TestVersionsAndReferences:
    def test_the_latest_version_that_exists_counts(self) -> None:
        old = a_condition(code="J10.1", meta={"lastUpdated": "2026-10-01T00:00:00Z"})
        new = a_condition(code="F11.20", meta={"lastUpdated": "2026-11-01T00:00:00Z"})
        future = a_condition(code="B20", meta={"lastUpdated": "2026-12-01T00:00:00Z"})

        item = labeled(future, new, old)["Condition/f1120"]

        assert item.labels == {SUD}

    def test_a_resource_that_comes_later_is_not_there(self) -> None:
        assert labeled(a_condition(meta={"lastUpdated": "2026-12-01T00:00:00Z"})) == {}

    def test_absolute_addresses_inside_the_bundle_are_followed(self) -> None:
        record = a_condition(subject={"reference": "urn:uuid:p"})
        by = written_by("aspen", record)
        by["target"] = [{"reference": "urn:uuid:c"}]
        entries = [
            {"fullUrl": "urn:uuid:c", "resource": record},
            {"fullUrl": "urn:uuid:p", "resource": {"resourceType": "Patient", "id": "t1"}},
            {"fullUrl": "urn:uuid:v", "resource": by},
        ]

        items = {one.reference: one for one in label({"entry": entries}, world(), instant(T0)).items}

        assert items["Condition/f1120"].subjects == {"Patient/t1"}
        assert PART2 in items["Condition/f1120"].labels

    def test_who_it_is_about_is_read_from_every_kind_of_resource(self) -> None:
        task = {"resourceType": "Task", "id": "t", "for": {"reference": "Patient/t1"}}
        appointment = {
            "resourceType": "Appointment",
            "id": "a",
            "participant": [{"actor": {"reference": "Patient/t1"}}, {"actor": {"reference": "Practitioner/x"}}],
        }
        coverage = {"resourceType": "Coverage", "id": "c", "beneficiary": {"identifier": {"system": "s", "value": "1"}}}

        items = labeled(task, appointment, coverage)

        assert items["Task/t"].subjects == items["Appointment/a"].subjects == {"Patient/t1"}
        assert items["Coverage/c"].subjects == {"s|1"}

    @pytest.mark.parametrize(
        ("resource", "subjects"),
        [
            ({"resourceType": "Media", "subject": [{"reference": "Patient/t1"}, {"reference": "Patient/t2"}]},
             {"Patient/t1", "Patient/t2"}),
            ({"resourceType": "Basic", "patient": {"reference": "Patient/t1"},
              "individual": {"reference": "Patient/t2"}},
             {"Patient/t1", "Patient/t2"}),
            ({"resourceType": "Basic", "patient": [{"reference": "Patient/t1"}],
              "subject": [{"reference": "Patient/t2"}]},
             {"Patient/t1", "Patient/t2"}),
            ({"resourceType": "Basic", "subject": "Patient/t1"}, set()),
            ({"resourceType": "Basic", "subject": {"identifier": {"value": "7"}}}, {"|7"}),
            ({"resourceType": "Basic", "subject": {"identifier": {"system": "urn:x"}}}, set()),
            ({"resourceType": "Basic", "subject": {"identifier": "7", "display": "x"}}, set()),
            ({"resourceType": "Patient", "identifier": [{"value": "7"}, {"system": "urn:x"}]}, {"Patient/i", "|7"}),
            ({"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "8"}]}, {"Patient/i", "urn:x|8"}),
            ({"resourceType": "Patient"}, {"Patient/i"}),
            ({"resourceType": "Appointment",
              "participant": [{"actor": {"type": "Patient", "identifier": {"value": "7"}}}]},
             {"|7"}),
            ({"resourceType": "Appointment", "actor": {"reference": "Patient/t1"}}, {"Patient/t1"}),
            ({"resourceType": "Appointment", "participant": [{"status": "accepted"}]}, set()),
            ({"resourceType": "Appointment"}, set()),
            ({"resourceType": "AppointmentResponse", "actor": {"reference": "Patient/t1"},
              "subject": {"reference": "Patient/t2"}}, {"Patient/t1", "Patient/t2"}),
            ({"resourceType": "AppointmentResponse", "actor": {"type": "Device", "identifier": {"value": "7"}}}, set()),
            ({"resourceType": "Device", "actor": {"reference": "Patient/t1"}}, set()),
        ],
    )  # fmt: skip
    def test_everybody_it_is_about_is_found_and_nobody_else(self, resource: Json, subjects: set[str]) -> None:
        item = labeled({"id": "i", **resource})[f"{resource['resourceType']}/i"]

        assert item.subjects == subjects

    def test_the_digest_does_not_depend_on_the_order(self) -> None:
        other = a_condition("other", "I10")

        forth = label(bundle(a_condition(), other), world(), instant(T0)).digest
        back = label(bundle(other, a_condition()), world(), instant(T0)).digest

        assert forth == back
        assert label(bundle(other), world(), instant(T0)).digest != forth

    def test_the_digest_is_that_of_the_canonical_resources_in_the_order_of_their_own(self) -> None:
        written = [b'{"id":"a","resourceType":"Basic"}', b'{"id":"b","resourceType":"Basic"}']
        parts = sorted(hashlib.sha256(one).digest() for one in written)

        found = label(bundle(*map(orjson.loads, written)), world(), instant(T0))

        assert found.digest == hashlib.sha256(parts[0] + parts[1]).digest()

    @pytest.mark.parametrize(
        ("entry", "told"),
        [
            ({}, "expected a resource in every entry of the records"),
            ({"resource": "x"}, "expected a resource in every entry of the records"),
            ({"resource": {"id": "x"}}, "expected a resource in every entry of the records"),
            (
                {"resource": {"resourceType": "Condition"}},
                "expected an id or a fullUrl for every resource of the records",
            ),
        ],
    )
    def test_an_entry_that_is_no_resource_stops(self, entry: Json, told: str) -> None:
        with pytest.raises(ValueError) as caught:
            label({"entry": [entry]}, world(), instant(T0))

        assert str(caught.value) == told

    def test_a_resource_without_an_id_goes_by_its_address(self) -> None:
        record = {"resourceType": "Condition", "subject": {"reference": "urn:uuid:p"}}
        entries = [
            {"fullUrl": "urn:uuid:c", "resource": record},
            {"fullUrl": "urn:uuid:p", "resource": a_patient()},
        ]

        items = {one.reference: one for one in label({"entry": entries}, world(), instant(T0)).items}

        assert items["urn:uuid:c"].subjects == {"Patient/t1"}
        assert set(items) == {"urn:uuid:c", "Patient/t1"}

    def test_a_provenance_may_point_inside_and_out(self) -> None:
        record = a_condition()
        by = {**written_by("aspen", record), "target": [{"reference": "urn:uuid:c"}, {"reference": "Condition/other"},
                                                        {"display": "?"}]}  # fmt: skip
        other = {**written_by("quarry", a_condition("plain", "I10")), "id": "by-quarry"}
        entries = [
            {"fullUrl": "urn:uuid:c", "resource": record},
            {"resource": a_condition("other")},
            {"resource": {"resourceType": "Provenance", "id": "of-nothing"}},
            {"resource": by},
            {"resource": other},
            {"resource": a_condition("plain", "I10")},
        ]

        items = {one.reference: one for one in label({"entry": entries}, world(), instant(T0)).items}

        programs = {name: one.origin.program.id if one.origin.program else None for name, one in items.items()}
        assert programs == {"Condition/f1120": "org:aspen", "Condition/other": "org:aspen", "Condition/plain": None}
        assert items["Condition/plain"].origin.authors != ()

    def test_a_version_counts_from_its_instant_and_of_two_of_one_instant_the_last(self) -> None:
        old = a_condition(code="J10.1", meta={"lastUpdated": T0})
        new = a_condition(code="F11.20", meta={"lastUpdated": T0})

        assert labeled(old, new)["Condition/f1120"].labels == {SUD}
        assert labeled(new, old)["Condition/f1120"].labels == set()
        assert labeled(new, a_condition(code="J10.1"))["Condition/f1120"].labels == {SUD}


def test_everything_of_a_bundle_is_there_once_in_its_place() -> None:
    record = a_condition(code="B20", meta={"security": labels("SDV")})
    clinic = {"resourceType": "Organization", "id": "c"}
    by = written_by("aspen", record)

    found = label(bundle(clinic, record, by), world(), instant(T0))

    (item,) = found.items
    assert (item.reference, item.type, item.resource) == ("Condition/f1120", "Condition", record)
    assert {code for _, code in item.labels} == {"R", "42CFRPart2", "HIV", "SDV"}
    assert {code for _, code in item.shown} == {"HIV", "SDV"}
    assert (found.directory, found.provenances, found.at) == ({"Organization/c": clinic}, (by,), instant(T0))
    turned = dict(reversed(record.items()))
    assert labeled(turned, by)["Condition/f1120"].digest == item.digest
    assert labeled({**record, "id": "other"}, by)["Condition/other"].digest != item.digest


def test_a_label_on_a_single_element_bars_the_whole_and_is_not_shown() -> None:
    address = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label"
    extension = {"url": address, "valueCoding": {"system": ACT_CODE, "code": "HIV"}}

    item = labeled(an_observation(component=[{"extension": [extension]}]))["Observation/o"]

    assert (item.labels, item.shown) == ({(ACT_CODE, "HIV")}, set())


def test_nothing_is_labeled_of_nothing() -> None:
    assert label({}, world(), instant(T0)).items == ()
