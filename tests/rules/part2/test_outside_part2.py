"""45 CFR 164.506, 164.512; CJIS: records that no Part 2 program made."""

from typing import Any

import pytest

from tests.support.part2_world import (
    EMERGENCY,
    OWN,
    a_condition,
    a_consent,
    a_patient,
    a_permit,
    answer,
    ask,
    handed_to,
    recipient,
    unavailable,
    written_by,
)

Json = dict[str, Any]
FLU = a_condition("flu", "J10.1")
BY_QUARRY = (FLU, written_by("quarry", FLU))
PURPOSE = OWN + "purpose|"


@pytest.mark.parametrize("to", ["mercy", "squad", "minds", "jail"])
def test_a_provider_gets_it_for_treatment(to: str) -> None:
    record = ask(records=BY_QUARRY, recipient=f"org:{to}").record

    assert (record.decision, record.reason, record.obligations) == ("PERMIT", "OK_NOT_PART2", ("AUDIT", "LABEL"))


@pytest.mark.parametrize(
    ("to", "purpose"), [("shelter", "TREAT"), ("mercy", "HPAYMT"), ("mercy", "HOPERAT"), ("birch", "COC")]
)
def test_whoever_else_claims_it_needs_a_consent(to: str, purpose: str) -> None:
    assert answer(records=BY_QUARRY, recipient=f"org:{to}", purpose=[purpose]) == ("DENY", "NO_CONSENT")


def test_and_gets_it_with_one() -> None:
    wide = {key: value for key, value in a_permit("shelter", purposes=["PATRQT"]).items() if key != "securityLabel"}
    consent = a_consent({**wide, "class": [{"code": "Condition"}]}, organization=[{**recipient("quarry")["reference"]}])

    record = ask(consent, records=BY_QUARRY, recipient="org:shelter", purpose=["PATRQT"]).record

    assert (record.decision, record.reason) == ("PERMIT", "OK_CONSENT")
    assert "NOTICE" not in record.obligations


def test_a_relay_that_is_no_provider_stops_it() -> None:
    assert answer(records=BY_QUARRY, via=["org:broker"]) == ("DENY", "NO_CONSENT")


def test_substance_use_in_anothers_note_is_labeled_not_barred() -> None:
    note = a_condition("note", "F11.10")

    assert answer(records=(note, written_by("quarry", note))) == ("PERMIT", "OK_NOT_PART2")


def test_what_the_person_refused_does_not_go() -> None:
    refusal = a_consent(provision={"type": "deny", "actor": [recipient("mercy")]})

    assert answer(refusal, records=BY_QUARRY) == ("DENY", "EXPLICIT_DENY")


def test_nor_what_they_might_have_refused() -> None:
    assert answer(a_consent(dateTime="2026-09-01T09:00:00"), records=BY_QUARRY) == ("DENY", "UNPARSEABLE")
    assert answer(records=BY_QUARRY, facts=[unavailable("consent_source")]) == ("DENY", "CONSENT_SOURCE_UNAVAILABLE")


class TestPolice:
    def test_get_nothing_of_it(self) -> None:
        assert answer(records=BY_QUARRY, recipient="org:police", purpose=["TREAT"]) == ("DENY", "LE_NO_BASIS")

    def test_looking_for_somebody_get_who_and_where(self) -> None:
        records = (a_patient(), FLU, written_by("quarry", a_patient(), FLU))
        basis = {"type": "hipaa_locate", "subject": "missing person"}

        record = ask(records=records, recipient="org:police", purpose=[PURPOSE + "locate"], basis=basis).record

        assert (record.decision, record.withheld) == ("PERMIT_REDACTED", ("Condition/flu",))
        assert set(record.obligations) == {"AUDIT", "LEGAL_QUEUE", "MIN"}

    def test_never_that_of_a_program(self) -> None:
        basis = {"type": "hipaa_locate", "subject": "missing person"}

        assert answer(recipient="org:police", purpose=[PURPOSE + "locate"], basis=basis) == ("DENY", "LE_NO_BASIS")


class TestWhatPoliceWrote:
    def report(self, words: str) -> tuple[Json, ...]:
        document = {
            "resourceType": "DocumentReference",
            "id": "r",
            "subject": {"reference": "Patient/t1"},
            "description": words,
        }
        return document, written_by("police", document)

    def test_goes_to_a_provider_stripped(self) -> None:
        record = ask(records=self.report("said he takes methadone")).record

        assert (record.decision, record.reason) == ("PERMIT", "OK_NOT_PART2")
        assert "CJI_STRIP" in record.obligations

    @pytest.mark.parametrize("words", ["NCIC hit", "criminal history attached", "active warrant", "III response"])
    def test_never_with_criminal_history(self, words: str) -> None:
        assert answer(records=self.report(words)) == ("DENY", "CJI_BARRED")

    def test_not_even_from_a_programs_hands(self) -> None:
        report = self.report("NCIC hit")
        received = (*report, handed_to("aspen", report[0]))

        assert answer(a_consent(), records=received) == ("DENY", "CJI_BARRED")
        assert answer(records=received, purpose=["ETREAT"], role="physician", basis=EMERGENCY)[1] == "CJI_BARRED"
        assert answer(records=received, recipient="org:aspen", role="nurse") == ("PERMIT", "OK_INTERNAL")


class TestCustody:
    BASIS = {"type": "lawful_custody", "facility": "County Jail"}

    def test_a_jails_clinic_gets_what_is_no_part_2_record(self) -> None:
        assert answer(records=BY_QUARRY, recipient="org:jail", basis=self.BASIS) == ("PERMIT", "OK_HIPAA_512K5")

    @pytest.mark.parametrize(
        ("purpose", "reason"),
        [
            ("COC", "OK_HIPAA_512K5"),
            (PURPOSE + "duty", "OK_HIPAA_512K5"),
            ("HLEGAL", "NO_CONSENT"),
            ("HMARKT", "NO_CONSENT"),
        ],
    )
    def test_for_care_and_for_the_duties_of_custody(self, purpose: str, reason: str) -> None:
        assert answer(records=BY_QUARRY, recipient="org:jail", purpose=[purpose], basis=self.BASIS)[1] == reason

    def test_and_nothing_of_a_program(self) -> None:
        assert answer(recipient="org:jail", basis=self.BASIS) == ("DENY", "NO_CONSENT")


def test_where_nothing_goes_the_one_that_waits_for_a_person_is_named() -> None:
    doubtful = a_condition("doubtful", "I10")
    foreign = a_condition("foreign", "I10", subject={"reference": "Patient/somebody"})
    consent = a_consent(verification=[{"verified": False}])
    records = (doubtful, foreign, written_by("aspen", doubtful, foreign))

    assert answer(consent, records=records) == ("HOLD", "CONSENT_UNVERIFIED")
