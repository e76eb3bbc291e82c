"""From what was found on each item to one answer: which reason is named, what is owed, what it rests on."""

import pytest

from gateway.consent import read_request
from gateway.consent.conclude import Finding, Seal, conclude, earliest, refuse_whole
from gateway.consent.reasons import Release, Withhold
from gateway.labeling import label
from gateway.model.decision import Basis, DecisionRecord, Permit, Refusal
from gateway.model.fhir_time import instant
from tests.support.part2_world import T0, a_condition, a_request, bundle, world

SEAL = Seal("2026-11-02T18:00:00Z", "sha256:00")
REQUEST = read_request(a_request(purpose=["TREAT", "HPAYMT"]))
ONE, TWO, THREE = label(bundle(*(a_condition(name) for name in ("one", "two", "three"))), world(), instant(T0)).items
CONSENT = Basis("Consent", "paper", "1")
GOES = Release("OK_CONSENT", 1300, frozenset({"NOTICE"}), CONSENT, "consent")
FREE = Release("OK_NOT_PART2", 900, frozenset({"LABEL"}), None, "non_part2")
STAYS = Withhold("NO_CONSENT", 1302)
WAITS = Withhold("ORIGIN_UNKNOWN", 601, holds=True)


def permitted(*findings: Finding, left_out: tuple[tuple[str, Withhold], ...] = ()) -> DecisionRecord:
    permit = conclude(findings, REQUEST, ("org:mercy",), left_out, SEAL)
    assert isinstance(permit, Permit)
    return permit.record


def refused(*stops: Withhold) -> DecisionRecord:
    refusal = conclude([(item, stop) for item, stop in zip((ONE, TWO), stops, strict=False)], REQUEST, (), (), SEAL)
    assert isinstance(refusal, Refusal)
    return refusal.record


def test_a_part_that_stays_is_named_with_the_earliest_reason_and_what_waits_apart() -> None:
    record = permitted((ONE, GOES), (TWO, STAYS), (THREE, WAITS), left_out=(("org:plan", STAYS),))

    assert record == DecisionRecord(
        decision="PERMIT_REDACTED",
        reason="ORIGIN_UNKNOWN",
        section="42 CFR 2.12(a); 2.31(c)(4)",
        obligations=("AUDIT", "NOTICE"),
        basis=CONSENT,
        withheld=("Condition/three", "Condition/two", "org:plan"),
        policy_version="2026.4",
        at="2026-11-02T18:00:00Z",
        input_hash="sha256:00",
        held=("Condition/three",),
    )


def test_a_permit_says_to_whom_for_what_and_how() -> None:
    permit = conclude([(ONE, GOES)], REQUEST, ("org:mercy", "org:plan"), (), SEAL)

    assert isinstance(permit, Permit)
    assert (permit.recipients, permit.transport) == (("org:mercy", "org:plan"), "fhir")
    assert permit.purposes == tuple(
        f"http://terminology.hl7.org/CodeSystem/v3-ActReason|{code}" for code in ("TREAT", "HPAYMT")
    )


def test_the_law_of_a_state_is_cited_where_it_stops_something() -> None:
    state = Withhold("STATE_MH", 901, section="RCW 70.02.230")

    assert permitted((ONE, GOES), (TWO, state)).section == "RCW 70.02.230"
    assert refused(state).section == "RCW 70.02.230"
    assert refused(Withhold("STATE_MH", 901)).section == "42 CFR 2.20"


def test_a_consent_is_named_before_what_needs_none() -> None:
    order = Release("A", 1150, frozenset(), Basis("audit", "a1"), "bound")

    both = permitted((ONE, FREE), (TWO, order), (THREE, GOES))

    assert (both.decision, both.reason, both.basis) == ("PERMIT", "OK_CONSENT", CONSENT)
    assert both.obligations == ("AUDIT", "LABEL", "NOTICE")
    assert permitted((ONE, FREE)).basis is None


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (Basis("Consent", "b", "1"), Basis("audit", "a", "1")),
        (Basis("audit", "a1"), Basis("research", "a1")),
        (Basis("Consent", "a", "2"), Basis("Consent", "b", "1")),
        (Basis("Consent", "a", "1"), Basis("Consent", "a", "2")),
        (Basis("Consent", None, "9"), Basis("Consent", "A", "1")),
        (Basis("Consent", "a", None), Basis("Consent", "a", "1")),
    ],
)
def test_of_several_bases_the_same_is_named_in_whatever_order(first: Basis, then: Basis) -> None:
    one, other = (GOES._replace(basis=basis) for basis in (first, then))

    assert permitted((ONE, one), (TWO, other)).basis == first
    assert permitted((ONE, other), (TWO, one)).basis == first


def test_the_earliest_step_is_named_then_the_first_by_name_then_by_law() -> None:
    assert earliest([Withhold("A", 902), Withhold("B", 901)]) == Withhold("B", 901)
    assert earliest([Withhold("B", 901), Withhold("A", 901)]) == Withhold("A", 901)
    assert earliest([Withhold("A", 901, section="A"), Withhold("A", 901)]) == Withhold("A", 901)
    assert earliest([Withhold("A", 901, section="Z"), Withhold("A", 901, section="Y")]).section == "Y"


def test_where_nothing_goes_what_waits_is_named_before_what_ends_earlier() -> None:
    later = WAITS._replace(reason="ENDPOINT_UNVERIFIED", step=1500)

    record = refused(STAYS, later)

    assert (record.decision, record.reason, record.held) == ("HOLD", "ENDPOINT_UNVERIFIED", ())
    assert record.withheld == ("Condition/one", "Condition/two")
    assert refused(STAYS).decision == "DENY"


@pytest.mark.parametrize(
    "reason",
    ["SUBPOENA_ALONE", "ORDER_DEFICIENT", "ORDER_SCOPE", "ORDER_NOT_COMPULSORY", "PROCEEDING_NO_SPECIFIC",
     "COMBINED_PROCEEDING"],
)  # fmt: skip
def test_what_concerns_a_court_goes_to_legal_review(reason: str) -> None:
    assert refused(STAYS, Withhold(reason, 1400)).obligations == ("AUDIT", "LEGAL_QUEUE")
    assert refused(STAYS).obligations == ("AUDIT",)


def test_nothing_asked_for_is_nothing_permitted() -> None:
    refusal = conclude([], REQUEST, ("org:mercy",), (), SEAL)

    assert isinstance(refusal, Refusal)
    assert (refusal.record.decision, refusal.record.reason, refusal.verdicts) == ("DENY", "NO_CONSENT", ())


def test_one_reason_can_refuse_everything() -> None:
    refusal = refuse_whole((ONE, TWO), WAITS, SEAL)

    assert (refusal.record.decision, refusal.record.reason) == ("HOLD", "ORIGIN_UNKNOWN")
    assert refusal.record.at == "2026-11-02T18:00:00Z"
    assert [(one.item, one.outcome) for one in refusal.verdicts] == [
        ("Condition/one", "HOLD"),
        ("Condition/two", "HOLD"),
    ]
