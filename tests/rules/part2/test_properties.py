"""What holds for every decision, whatever the world: tried on invented worlds, not on chosen ones."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.partners import registry_from
from gateway.model.decision import POLICY_VERSION, Permit, Refusal
from tests.support.part2_world import (
    T0,
    a_condition,
    a_consent,
    a_permit,
    a_tpo_consent,
    an_open_visit,
    ask,
    handed_to,
    labels,
    partner,
    purpose,
    recipient,
    unavailable,
    written_by,
)

Json = dict[str, Any]

ORGANIZATIONS = st.sampled_from(["mercy", "quarry", "shelter", "police", "plan", "aspen"])
PURPOSES = st.lists(st.sampled_from(["TREAT", "ETREAT", "COC", "HPAYMT", "PATRQT", "HLEGAL"]), min_size=1, max_size=2)
CODES = st.sampled_from(["F11.20", "J10.1", "B20", "F32.9"])
LABELS = st.sampled_from(["SUD", "HIV", "MH", "42CFRPart2", "ETH"])

EVERYDAY = settings(max_examples=60, deadline=None)


@st.composite
def permits(draw: st.DrawFn) -> Json:
    nested = draw(st.lists(refusals(), max_size=1))
    return a_permit(draw(ORGANIZATIONS), purposes=draw(PURPOSES), provision=nested)


@st.composite
def refusals(draw: st.DrawFn) -> Json:
    conditions: Json = {"type": "deny"}
    if draw(st.booleans()):
        conditions["actor"] = [recipient(draw(ORGANIZATIONS))]
    if draw(st.booleans()):
        conditions["securityLabel"] = labels(draw(LABELS))
    if draw(st.booleans()):
        conditions["purpose"] = [purpose(one) for one in draw(PURPOSES)]
    return conditions


@st.composite
def consents(draw: st.DrawFn, identifier: str) -> Json:
    kind = draw(st.sampled_from(["named", "tpo", "refusal", "draft", "unsigned"]))
    if kind == "tpo":
        return a_tpo_consent(id=identifier)
    if kind == "refusal":
        return a_consent(id=identifier, provision=draw(refusals()))
    status = "draft" if kind == "draft" else "active"
    missing = ["sourceReference"] if kind == "unsigned" else []
    return a_consent(draw(permits()), id=identifier, status=status, without=missing)


@st.composite
def worlds(draw: st.DrawFn) -> Json:
    records: list[Json] = []
    for n in range(draw(st.integers(1, 4))):
        item = a_condition(f"c{n}", draw(CODES))
        author = draw(st.sampled_from(["aspen", "birch", "quarry", "minds", "nobody"]))
        records += [item, written_by(author, item, identifier=f"by{n}")]
        if draw(st.integers(0, 3)) == 0:
            records.append({**handed_to("mercy", item, under="Consent/c0"), "id": f"at{n}"})
    to = draw(ORGANIZATIONS)
    return {
        "records": records,
        "recipient": f"org:{to}",
        "purpose": draw(PURPOSES),
        "facts": [an_open_visit("mercy")] if draw(st.booleans()) else [],
        "consents": [draw(consents(f"c{n}")) for n in range(draw(st.integers(0, 3)))],
    }


def decided(world: Json, *more: Json, **changes: Any) -> Permit | Refusal:
    case = {**world, **changes}
    papers = [*case.pop("consents"), *more]
    return ask(*papers, **case)


def reasons(outcome: Permit | Refusal) -> set[str]:
    return {each.reason for each in outcome.verdicts if each.outcome == "PERMIT"}


def released(outcome: Permit | Refusal) -> set[str]:
    return set(outcome.permitted()) if isinstance(outcome, Permit) else set()


@EVERYDAY
@given(world=worlds(), refusal=refusals())
def test_one_more_refusal_never_releases_more(world: Json, refusal: Json) -> None:
    before = released(decided(world))

    after = released(decided(world, a_consent(id="more", provision=refusal)))

    assert after <= before


@EVERYDAY
@given(world=worlds(), label=LABELS)
def test_one_more_label_never_releases_more_under_a_refusal(world: Json, label: str) -> None:
    refusal = a_consent(id="more", provision={"type": "deny", "securityLabel": labels(label)})
    marked = [
        {**one, "meta": {"security": labels(label)}} if one["resourceType"] == "Condition" else one
        for one in world["records"]
    ]

    assert released(decided(world, refusal, records=marked)) <= released(decided(world, refusal))


def with_label(world: Json, label: Json) -> Json:
    records = [
        {**one, "meta": {"security": [label]}} if one["resourceType"] == "Condition" else one
        for one in world["records"]
    ]
    return {**world, "records": records}


@EVERYDAY
@given(world=worlds(), label=LABELS)
def test_one_more_label_never_releases_more(world: Json, label: str) -> None:
    """Whatever it says of the item: no consent of these worlds permits by that label alone."""
    assert released(decided(with_label(world, labels(label)[0]))) <= released(decided(world))


@EVERYDAY
@given(world=worlds(), code=st.text("ABCXYZ", min_size=1))
def test_a_label_nobody_understands_releases_only_what_needs_no_sending(world: Json, code: str) -> None:
    outcome = decided(with_label(world, {"system": "urn:elsewhere", "code": code}))

    assert reasons(outcome) <= {"OK_INTERNAL"}


@EVERYDAY
@given(world=worlds(), order=st.randoms(use_true_random=False))
def test_the_order_of_the_input_never_matters(world: Json, order: Any) -> None:
    shuffled = {**world, "records": [*world["records"]], "consents": [*world["consents"]]}
    order.shuffle(shuffled["records"])
    order.shuffle(shuffled["consents"])

    assert decided(shuffled).record == decided(world).record


@EVERYDAY
@given(world=worlds())
def test_equal_input_gives_an_equal_record(world: Json) -> None:
    assert decided(world).record == decided(world).record


@EVERYDAY
@given(world=worlds(), paper=consents("theirs"), code=CODES)
def test_what_is_known_of_others_changes_nothing(world: Json, paper: Json, code: str) -> None:
    stranger = {"type": "Patient", "identifier": {"system": "urn:oid:2.999.7", "value": "S1"}}
    theirs = {**paper, "patient": stranger, "performer": [stranger]}
    item = a_condition("theirs", code, subject={"reference": "Patient/s1"})
    index = {"resourceType": "Patient", "id": "s1", "identifier": [stranger["identifier"]]}

    alone = decided(world)
    among = decided(
        world,
        theirs,
        records=[*world["records"], item, written_by("aspen", item, identifier="by-theirs")],
        facts=[*world["facts"], index],
    )

    assert released(among) == released(alone)


@EVERYDAY
@given(world=worlds(), asker=st.sampled_from(["org:shelter", "org:police", "org:plan", "org:nobody"]))
def test_who_neither_receives_nor_holds_anything_causes_nothing(world: Json, asker: str) -> None:
    outcome = decided(world, by=asker)

    assert asker == world["recipient"] or not released(outcome)


@EVERYDAY
@given(world=worlds())
def test_without_the_audit_store_nothing_goes(world: Json) -> None:
    outcome = decided(world, facts=[*world["facts"], unavailable("audit_store")])

    assert (outcome.record.decision, outcome.record.reason) == ("DENY", "AUDIT_UNAVAILABLE")


@EVERYDAY
@given(world=worlds())
def test_without_every_source_of_consents_nothing_leaves_the_program(world: Json) -> None:
    outcome = decided(world, facts=[*world["facts"], unavailable("consent_source")])

    assert reasons(outcome) <= {"OK_INTERNAL"}


@EVERYDAY
@given(world=worlds())
def test_without_the_index_of_persons_nothing_goes(world: Json) -> None:
    outcome = decided(world, patient="Patient/not-in-it")

    assert (outcome.record.decision, outcome.record.reason) == ("DENY", "PATIENT_UNKNOWN")


@EVERYDAY
@given(world=worlds())
def test_without_the_registry_nothing_goes(world: Json) -> None:
    assert not released(decided(world, registry=registry_from([partner("stranger", ["other"])])))


@EVERYDAY
@given(world=worlds())
def test_without_a_word_on_where_it_comes_from_nothing_goes(world: Json) -> None:
    untold = [one for one in world["records"] if one["resourceType"] != "Provenance"]

    assert not released(decided(world, records=untold))


@EVERYDAY
@given(world=worlds(), unknown=st.sampled_from(["modifierExtension", "implicitRules", "except"]))
def test_one_paper_nobody_can_read_stops_everything_that_leaves(world: Json, unknown: str) -> None:
    outcome = decided(world, {**a_consent(id="odd"), unknown: [{"url": "urn:x", "valueBoolean": True}]})

    assert reasons(outcome) <= {"OK_INTERNAL"}


@EVERYDAY
@given(world=worlds(), down=st.sampled_from(["consent_source", "audit_store"]))
def test_a_look_up_that_fails_never_releases_more(world: Json, down: str) -> None:
    fact = unavailable(down)

    assert released(decided(world, facts=[*world["facts"], fact])) <= released(decided(world))


@EVERYDAY
@given(world=worlds())
def test_every_answer_explains_itself(world: Json) -> None:
    outcome = decided(world)
    record = outcome.record

    assert record.section
    assert (record.policy_version, record.at) == (POLICY_VERSION, T0)
    assert record.input_hash.startswith("sha256:")
    assert set(record.held) == {
        each.item for each in outcome.verdicts if each.outcome == "HOLD" and record.decision == "PERMIT_REDACTED"
    }
    if record.reason in ("OK_CONSENT", "OK_TPO"):
        assert record.basis is not None
        assert set(record.basis.to_json()) == {"type", "id", "version"}
    assert {each.item for each in outcome.verdicts if each.outcome != "PERMIT"} == set(record.withheld)
    assert (record.decision in ("PERMIT", "PERMIT_REDACTED")) == isinstance(outcome, Permit)


@EVERYDAY
@given(world=worlds())
def test_no_answer_holds_anything_clinical(world: Json) -> None:
    """45 CFR 164.514(b)(2): no name, birth date, place or code of the person stands in a record of a decision."""
    written = json.dumps(decided(world).record.to_json())

    for told in ("Testperson", "Tess", "1980-01-31", "Nowhere", "99999", "F11.20", "J10.1", "B20", "F32.9"):
        assert told not in written
