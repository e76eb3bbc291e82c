from datetime import UTC, datetime

from gateway.demo.consents import CLINIC, HOSPITAL, revoked, signed

AT = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


def test_signed_consent_is_in_force_for_a_year_and_names_its_recipients() -> None:
    consent = signed("Patient/p1", [CLINIC, HOSPITAL], AT)

    assert consent["dateTime"] == "2026-11-22T17:55:00+00:00"
    assert consent["provision"]["period"] == {"start": "2026-11-21", "end": "2027-11-22"}
    assert [permit["actor"][0]["reference"]["identifier"]["value"] for permit in consent["provision"]["provision"]] == [
        "9999999019",
        "9999999001",
    ]


def test_revocation_keeps_the_consent_and_says_when_and_how() -> None:
    taken_back = revoked(signed("Patient/p1", [CLINIC], AT) | {"id": "c1"}, AT)

    assert (taken_back["id"], taken_back["status"]) == ("c1", "inactive")
    assert taken_back["extension"][-1] == {
        "url": "https://warmhandoff.example/fhir/StructureDefinition/part2-revocation",
        "extension": [
            {"url": "when", "valueDateTime": "2026-11-22T18:00:00+00:00"},
            {"url": "method", "valueCode": "written"},
            {"url": "by", "valueReference": {"reference": "Patient/p1"}},
        ],
    }
