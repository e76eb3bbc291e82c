"""42 CFR 2.13(a), 2.31(c): what waits for a person inside of a disclosure is named, so that somebody sees it."""

from gateway.model.decision import Permit
from tests.support.part2_world import a_condition, a_consent, ask, disclosed, written_by

KNOWN = a_condition("known")
ORPHAN = a_condition("orphan")
FOREIGN = a_condition("foreign", subject={"reference": "Patient/somebody"})
RECORDS = (KNOWN, ORPHAN, FOREIGN, written_by("aspen", KNOWN, FOREIGN))


def test_what_holds_is_named_beside_what_is_refused() -> None:
    record = ask(a_consent(), records=RECORDS).record

    assert (record.decision, record.reason) == ("PERMIT_REDACTED", "ORIGIN_UNKNOWN")
    assert record.withheld == ("Condition/foreign", "Condition/orphan")
    assert record.held == ("Condition/orphan",)
    assert record.to_json()["held"] == ["Condition/orphan"]


def test_each_tells_the_person_why_it_waits() -> None:
    permit = ask(a_consent(), records=RECORDS)

    assert isinstance(permit, Permit)
    held = [(one.item, one.reason) for one in permit.verdicts if one.outcome == "HOLD"]
    assert held == [("Condition/orphan", "ORIGIN_UNKNOWN")]


def test_it_stays_named_in_what_leaves() -> None:
    assert disclosed(a_consent(), records=RECORDS).record.held == ("Condition/orphan",)


def test_a_disclosure_of_everything_has_nothing_to_name() -> None:
    record = ask(a_consent()).record

    assert "held" not in record.to_json()
    assert len(record.to_json()) == 9


def test_a_request_that_holds_as_a_whole_names_nothing_in_particular() -> None:
    record = ask(a_consent(), records=[ORPHAN]).record

    assert (record.decision, record.held) == ("HOLD", ())
