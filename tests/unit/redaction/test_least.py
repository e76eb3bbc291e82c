"""Some bases and some authors let out listed elements only; what is not listed stays, whatever it is."""

from typing import Any

import pytest

from gateway.model.decision import Verdict
from gateway.redaction.least import limited

Json = dict[str, Any]

PATIENT = {
    "resourceType": "Patient",
    "id": "t1",
    "meta": {"versionId": "1"},
    "name": [{"family": "Testperson"}],
    "birthDate": "1980-01-31",
    "gender": "female",
    "address": [{"city": "Nowhere"}],
    "telecom": [{"value": "555-0100"}],
    "maritalStatus": {"text": "married"},
}
VISIT = {
    "resourceType": "Encounter",
    "id": "v",
    "status": "finished",
    "class": {"code": "EMER"},
    "subject": {"reference": "Patient/t1"},
    "period": {"start": "2026-11-01T03:00:00Z"},
    "reasonCode": [{"text": "fall"}],
    "type": [{"text": "intake"}],
    "diagnosis": [{"condition": {"reference": "Condition/flu"}}],
}
ALWAYS = {"resourceType", "id"}


def verdict(*obligations: str, reason: str = "OK_CONSENT", elements: frozenset[str] | None = None) -> Verdict:
    return Verdict("x", "PERMIT", reason, 1, frozenset(obligations), elements=elements)


def left(resource: Json, which: Verdict) -> set[str]:
    kept = limited(resource, which)
    assert kept is not None
    assert all(resource[key] == one for key, one in kept.items())
    return set(kept)


def test_nothing_is_cut_where_nothing_limits() -> None:
    assert limited(PATIENT, verdict("NOTICE", "REDACT")) == PATIENT


class TestANarrowBasis:
    def test_a_crime_on_the_premises_opens_name_and_address(self) -> None:
        which = verdict(reason="OK_CRIME_PREMISES")

        assert left(PATIENT, which) == ALWAYS | {"meta", "name", "address"}
        assert limited(VISIT, which) is None

    def test_looking_for_somebody_opens_who_and_when(self) -> None:
        which = verdict(reason="OK_HIPAA_512F")

        assert left(PATIENT, which) == ALWAYS | {"meta", "name", "address", "birthDate", "gender"}
        assert left(VISIT, which) == ALWAYS | {"status", "class", "subject", "period", "reasonCode"}
        assert limited({"resourceType": "Condition", "id": "flu"}, which) is None

    def test_it_weighs_more_than_the_elements_a_law_lists(self) -> None:
        which = verdict(reason="OK_CRIME_PREMISES", elements=frozenset({"telecom"}))

        assert left(PATIENT, which) == ALWAYS | {"meta", "name", "address"}

    def test_a_state_law_opens_the_elements_it_lists(self) -> None:
        assert left(VISIT, verdict("MIN", elements=frozenset({"period", "unknown"}))) == ALWAYS | {"period"}
        assert left(VISIT, verdict(elements=frozenset())) == ALWAYS

    def test_payment_gets_no_words_and_nothing_in_support(self) -> None:
        claim = {
            "resourceType": "ServiceRequest",
            "id": "s",
            "code": {"text": "ride"},
            "text": {"div": "<div>x</div>"},
            "note": [{"text": "x"}],
            "description": "x",
            "supportingInfo": [{"reference": "Condition/flu"}],
        }

        assert left(claim, verdict("MIN")) == ALWAYS | {"code"}


class TestWhatPoliceWrote:
    CUT = verdict("CJI_STRIP")

    def test_keeps_its_listed_elements_and_loses_the_rest(self) -> None:
        assert left(PATIENT, self.CUT) == ALWAYS | {"meta", "name", "birthDate", "gender", "address", "telecom"}
        assert left(VISIT, self.CUT) == ALWAYS | {"status", "class", "subject", "period", "type"}

    def test_of_a_type_nobody_listed_nothing_leaves(self) -> None:
        assert limited({"resourceType": "Media", "id": "m", "status": "completed"}, self.CUT) is None

    def test_a_narrow_basis_cuts_it_further(self) -> None:
        assert left(PATIENT, verdict("CJI_STRIP", reason="OK_CRIME_PREMISES")) == ALWAYS | {"meta", "name", "address"}
        assert left(VISIT, verdict("CJI_STRIP", elements=frozenset({"type", "reasonCode"}))) == ALWAYS | {"type"}

    def test_it_keeps_our_numbers_and_no_other(self) -> None:
        ours = {"system": "https://warmhandoff.example/id/encounter", "value": "1"}
        others = [{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "000-00-0000"}, {"value": "booking 7"}]

        kept = limited({**PATIENT, "identifier": [*others, ours]}, self.CUT)

        assert kept is not None
        assert kept["identifier"] == [ours]

    @pytest.mark.parametrize("attachment", [{}, {"contentType": "image/png"}, {"contentType": None}])
    def test_a_file_nobody_read_holds_its_document_back(self, attachment: Json) -> None:
        text = {"attachment": {"contentType": "text/plain", "data": "eA=="}}
        document = {"resourceType": "DocumentReference", "id": "d"}

        assert limited({**document, "content": [text, {"attachment": attachment}]}, self.CUT) is None
        assert limited({**document, "content": [{"format": {"code": "x"}}]}, self.CUT) is None
        assert left({**document, "content": [text]}, self.CUT) == ALWAYS | {"content"}
        assert left(document, self.CUT) == ALWAYS
