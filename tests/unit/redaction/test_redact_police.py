"""What of a record leaves where police wrote it, or where its people are police."""

from typing import Any

from gateway.consent import compile_consents
from gateway.labeling import label
from gateway.model.decision import Permit, Refusal
from gateway.model.fhir_time import instant
from gateway.redaction import redact
from tests.support.part2_world import (
    OWN,
    PARTNER,
    T0,
    a_condition,
    a_patient,
    ask,
    bundle,
    disclosed,
    organization,
    world,
    written_by,
)

Json = dict[str, Any]

FLU = a_condition("flu", "J10.1")
HIDDEN = a_condition("hidden", "F11.20")


def released(*items: Json, more: tuple[Json, ...] = (), **case: Any) -> dict[str, Json]:
    """Disclose Quarry's items beside a hidden one of Aspen's; return what left, by reference."""
    records = [*items, written_by("quarry", *items), HIDDEN, written_by("aspen", HIDDEN), *more]
    content = disclosed(records=records, **case).content
    return {f"{one['resource']['resourceType']}/{one['resource']['id']}": one["resource"] for one in content["entry"]}


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


class TestDirectoryOfPolice:
    STATION = {
        "resourceType": "Organization",
        "id": "station",
        "identifier": [{"value": "1"}, {"system": PARTNER, "value": "police"}],
        "name": "Police of Nowhere",
        "contact": [{"name": {"text": "the sergeant"}}],
    }
    OFFICER = {
        "resourceType": "PractitionerRole",
        "id": "officer",
        "active": True,
        "specialty": [{"text": "crisis"}],
        "identifier": [{"system": "urn:oid:2.999.5", "value": "badge 5"}],
        "telecom": [{"value": "555-0100"}],
    }

    def left(self, organization_of: Json, home: Json = STATION, **officer: Any) -> dict[str, set[str]]:
        role = {**self.OFFICER, "organization": organization_of, **officer}
        seen = {**FLU, "recorder": {"reference": "PractitionerRole/officer"}}
        return {key: set(one) for key, one in released(seen, more=(home, role)).items()}

    SHORT = {"resourceType", "id", "active", "specialty", "organization"}

    def test_an_officer_leaves_by_the_list_whichever_way_the_department_is_named(self) -> None:
        by_reference = self.left({"reference": "Organization/station"})

        assert by_reference["PractitionerRole/officer"] == self.SHORT
        assert by_reference["Organization/station"] == {"resourceType", "id", "identifier", "name"}
        assert self.left(organization("police"))["PractitionerRole/officer"] == self.SHORT
        assert "Organization/station" not in self.left(organization("police"))

    def test_a_doctor_leaves_whole(self) -> None:
        clinic = {**self.STATION, "id": "station", "identifier": [{"system": PARTNER, "value": "quarry"}]}

        for named in ({"reference": "Organization/station"}, organization("quarry")):
            assert self.left(named, clinic)["PractitionerRole/officer"] == self.SHORT | {"identifier", "telecom"}
        assert "contact" in self.left({"reference": "Organization/station"}, clinic)["Organization/station"]

    def test_a_role_of_nobody_leaves_whole(self) -> None:
        role = {key: one for key, one in self.OFFICER.items() if key != "identifier"}
        seen = {**FLU, "recorder": {"reference": "PractitionerRole/officer"}}

        assert "telecom" in released(seen, more=(role,))["PractitionerRole/officer"]

    def test_a_type_nobody_listed_leaves_whole(self) -> None:
        place = {
            "resourceType": "Location",
            "id": "cell",
            "mode": "instance",
            "managingOrganization": organization("police"),
        }

        left = released({**FLU, "encounter": {"reference": "Location/cell"}}, more=(place,))

        assert set(left["Location/cell"]) == {"resourceType", "id", "mode", "managingOrganization"}

    def test_two_that_point_at_each_other_leave_once(self) -> None:
        parts = [
            {"resourceType": "Location", "id": one, "partOf": {"reference": f"Location/{other}"}}
            for one, other in (("a", "b"), ("b", "a"))
        ]

        left = released({**FLU, "encounter": {"reference": "Location/a"}}, more=tuple(parts))

        assert {"Location/a", "Location/b"} <= set(left)
