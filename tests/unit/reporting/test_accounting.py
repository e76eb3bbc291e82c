"""What stands in an accounting of disclosures and what does not (42 CFR 2.24, 2.25; 45 CFR 164.528)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from gateway.model.accounting import Accounted, Disclosed, StoredDecision
from gateway.model.partner import Endpoint, Organization, Registry
from gateway.reporting.accounting import account, in_parts, list_of_intermediary, together, years_before

AT = datetime(2026, 11, 2, 18, 0, tzinfo=UTC)
HARBOR = Organization(
    id="org:harbor",
    name="Harbor General Hospital",
    address="1 Example Way, Olympia, WA 98501",
    endpoints=(Endpoint("fhir", "https://harbor.example/fhir", verified=date(2026, 6, 1)),),
)
CLINIC = Organization(
    id="org:clinic", name="Example Clinic", endpoints=(Endpoint("hl7v2", "mllp://clinic.example:2576"),)
)
REGISTRY = Registry([HARBOR, CLINIC])
BY_CONSENT = ["ACCOUNT", "AUDIT", "CONSENT_COPY", "LABEL", "NOTICE", "PROCEEDINGS_BAR", "RECHECK"]
A_CONSENT = {"type": "Consent", "id": "c-tpo", "version": "1"}
RECORDS = ["Patient/p1", "Observation/o1", "Observation/o2", "Provenance/v1", "Organization/o1"]


def row(number: int = 1, **changes: Any) -> Disclosed:
    """Return one disclosure with consent, changed."""
    told = {"obligations": BY_CONSENT, "basis": A_CONSENT, "recipient": "org:harbor", "channel": "fhir",
            "withheld": [], "items": None, "via": [], "by": "org:cedar", "confirmed": True, "minutes": number,
            "description": "create of a referral, 3 resources", **changes}  # fmt: skip
    record = {"obligations": told["obligations"], "basis": told["basis"], "withheld": told["withheld"]}
    records = [dict(zip(("resourceType", "id"), one.split("/"), strict=True)) for one in RECORDS]
    matter = {
        "request": {"requester": {"organization": told["by"]}, "via": told["via"], "items": told["items"]},
        "records": {"entry": [{"resource": one} for one in records]},
    }
    at = AT + timedelta(minutes=told["minutes"])
    inputs = orjson.dumps(matter)
    decision = StoredDecision(f"d-{number}", at, told["recipient"], "person-1", told["channel"], record, inputs)
    return Disclosed(f"m-{number}", "TREAT", told["description"], at, at if told["confirmed"] else None, decision)


def accounted(*rows: Disclosed) -> tuple[Accounted, ...]:
    return account(rows, REGISTRY, "person-1", AT, AT + timedelta(days=1), AT).disclosures


def test_a_disclosure_with_consent_is_told_with_all_that_164_528_asks() -> None:
    assert accounted(row()) == (
        Accounted(
            part="consent",
            at=AT + timedelta(minutes=1),
            recipient="org:harbor",
            name="Harbor General Hospital",
            address="1 Example Way, Olympia, WA 98501",
            occasion="create of a referral",
            content="2 Observation, 1 Patient",
            purpose="TREAT",
            consent="c-tpo",
            transport="fhir",
            is_confirmed=True,
            decision="d-1",
        ),
    )


@pytest.mark.parametrize("kind", ["emergency", "qso", "patient_access", "deidentified"])
def test_what_the_rules_do_not_ask_for_is_not_in_it(kind: str) -> None:
    assert accounted(row(obligations=["AUDIT", "LABEL"], basis={"type": kind})) == ()


def test_use_inside_the_program_is_not_in_it() -> None:
    assert accounted(row(obligations=["AUDIT"], basis=None)) == ()


@pytest.mark.parametrize("kind", [None, "court_order", "research", "child_abuse_report"])
def test_what_left_without_a_consent_is_told_apart(kind: str | None) -> None:
    (told,) = accounted(row(obligations=["AUDIT", "LABEL"], basis={"type": kind} if kind else None))

    assert (told.part, told.consent) == ("other", "")


def test_what_was_withheld_is_not_told_and_neither_is_what_was_not_asked() -> None:
    (told,) = accounted(row(withheld=["Observation/o1"]))
    (narrow,) = accounted(row(items=["Observation/o2"]))

    assert (told.content, narrow.content) == ("1 Observation, 1 Patient", "1 Observation")


def test_what_may_have_left_counts() -> None:
    (told,) = accounted(row(confirmed=False))

    assert not told.is_confirmed


@pytest.mark.parametrize(
    ("recipient", "channel", "expected"),
    [
        ("org:clinic", "hl7v2", ("Example Clinic", "mllp://clinic.example:2576")),
        ("org:clinic", "search", ("Example Clinic", "")),
        ("org:gone", "fhir", ("", "")),
    ],
)
def test_without_a_postal_address_the_electronic_one_is_told(
    recipient: str, channel: str, expected: tuple[str, str]
) -> None:
    (told,) = accounted(row(recipient=recipient, channel=channel))

    assert (told.name, told.address) == expected


def test_repeated_disclosures_are_told_together_with_first_number_and_last() -> None:
    every = accounted(*(row(number, description="search by harbor-ehr") for number in (1, 2, 3)), row(4))

    first, second = together(every)

    assert (first.first.decision, first.times, first.last) == ("d-1", 3, AT + timedelta(minutes=3))
    assert (second.first.decision, second.times) == ("d-4", 1)


def test_the_list_of_an_intermediary_holds_what_passed_through_it_under_a_general_designation() -> None:
    general = [*BY_CONSENT, "INTERMEDIARY_LOG"]
    rows = [
        row(1, obligations=general, via=["org:soundlink"]),
        row(2, obligations=general, by="org:soundlink"),
        row(3, obligations=general, via=["org:other"]),
        row(4, via=["org:soundlink"]),
    ]

    made = list_of_intermediary(rows, REGISTRY, "person-1", "org:soundlink", AT, AT + timedelta(days=1), AT)

    assert [one.decision for one in made.disclosures] == ["d-1", "d-2"]
    assert [part for part, _ in in_parts(made)] == ["intermediary"]


def test_three_years_before_a_leap_day_is_the_day_before() -> None:
    assert years_before(datetime(2028, 2, 29, tzinfo=UTC), 3) == datetime(2025, 2, 28, tzinfo=UTC)
